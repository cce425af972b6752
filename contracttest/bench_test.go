//go:build unix

package contracttest_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// BenchmarkRun measures whole runs against the correct server in process:
// planning, sending, judging, and the server's own work.
//
// A run by default has some fifteen hundred exchanges, of which a dozen carry as
// much as a server may be sent: that is the figure to look at where the question
// is how long a test takes. In a long one, of 20,000 random cases more, they do
// not count, and the engine's speed shows.
//
// cpu-µs/exchange is the processor time of the whole process; times-bare is how
// many times as much that is as the handler alone takes with one validation of
// the request by kin-openapi. Both are worth something where others use the
// machine, exchanges/s is not.
func BenchmarkRun(b *testing.B) {
	for name, cases := range map[string]int{"short": 1000, "long": 20_000} {
		b.Run(name, func(b *testing.B) {
			contract := load(b)
			server := correct(b)
			bare := yardstick(b, server)
			h := contracttest.Handler(server)
			exchanges := 0
			before := processorTime(b)
			for b.Loop() {
				rep, err := contracttest.Run(b.Context(), contract, h, known(contracttest.Cases(cases))...)
				require.NoError(b, err)
				require.Empty(b, rep.Findings)
				exchanges += rep.Stats.Exchanges
			}
			each := float64(processorTime(b)-before) / float64(exchanges)
			b.ReportMetric(float64(exchanges)/b.Elapsed().Seconds(), "exchanges/s")
			b.ReportMetric(each/float64(time.Microsecond), "cpu-µs/exchange")
			b.ReportMetric(each/float64(bare), "times-bare")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// yardstick is the processor time that the handler takes for the valid request,
// and kin-openapi for its validation.
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
	const rounds = 20_000
	before := processorTime(b)
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
	return (processorTime(b) - before) / rounds
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
