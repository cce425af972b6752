package contracttest_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// BenchmarkRun measures a whole run against the correct server in process:
// planning, sending, judging. exchanges/s is the figure to look at; where
// others use the machine, it is how many times as long an exchange takes as the
// handler alone and one validation of the request by kin-openapi.
func BenchmarkRun(b *testing.B) {
	contract := load(b)
	server := correct(b)
	bare := yardstick(b, server)
	h := contracttest.Handler(server)
	exchanges := 0
	for b.Loop() {
		rep, err := contracttest.Run(b.Context(), contract, h, known(contracttest.Cases(1000))...)
		require.NoError(b, err)
		exchanges += rep.Stats.Exchanges
	}
	each := b.Elapsed() / time.Duration(exchanges)
	b.ReportMetric(float64(exchanges)/b.Elapsed().Seconds(), "exchanges/s")
	b.ReportMetric(float64(each)/float64(bare), "times-bare")
}

// yardstick is how long the handler takes for the valid request, and kin-openapi
// for its validation.
func yardstick(b *testing.B, h http.Handler) time.Duration {
	b.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	require.NoError(b, err)
	doc.Servers = nil
	router, err := legacy.NewRouter(doc)
	require.NoError(b, err)
	body := []byte(`{"package_ids":["12","13"]}`)
	request := func() *http.Request {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v2/b384b9e9ab9b4ee8994c8633aabc9505/factory/release-packages/unpack", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json;charset=UTF-8")
		r.Header.Set("workspace", "development")
		return r
	}
	const rounds = 2000
	start := time.Now()
	for range rounds {
		r := request()
		route, params, err := router.FindRoute(r)
		require.NoError(b, err)
		err = openapi3filter.ValidateRequest(b.Context(), &openapi3filter.RequestValidationInput{
			Request: r, Route: route, PathParams: params, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		})
		require.NoError(b, err)
		h.ServeHTTP(httptest.NewRecorder(), request())
	}
	return time.Since(start) / rounds
}
