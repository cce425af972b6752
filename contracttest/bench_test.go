//go:build unix

package contracttest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
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

// BenchmarkMiddleware judges an exchange of a request and an answer of some size, as openapi3filter does.
func BenchmarkMiddleware(b *testing.B) {
	const document = `
openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders/{id}:
    post:
      operationId: SendOrder
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: dry, in: query, schema: {type: boolean}}
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
      responses: {"200": {description: done, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
components:
  schemas:
    Order:
      type: object
      required: [customer, lines]
      properties:
        customer: {type: string, minLength: 1, maxLength: 80}
        lines:
          type: array
          maxItems: 100
          items:
            type: object
            required: [article, count]
            properties: {article: {type: string, pattern: '^[A-Z]{2}-[0-9]+$'}, count: {type: integer, minimum: 1}, note: {type: string}}
`
	contract, err := contracttest.Parse("orders.yaml", []byte(document))
	require.NoError(b, err)
	doc, err := openapi3.NewLoader().LoadFromData([]byte(document))
	require.NoError(b, err)
	router, err := legacy.NewRouter(doc)
	require.NoError(b, err)
	body := []byte(`{"customer":"Jo","lines":[` + strings.Repeat(`{"article":"AB-12","count":3,"note":"as ever"},`, 9) + `{"article":"AB-12","count":3}]}`)
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			b.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data)
	})
	fail := func(f contracttest.Finding) { b.Error(f.Message) }
	for name, h := range map[string]http.Handler{
		"bare":           bare,
		"judged":         contracttest.Middleware(contract, contracttest.OnFinding(fail))(bare),
		"openapi3filter": openapi3filter.NewValidator(router, openapi3filter.Strict(true)).Middleware(bare),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/orders/7?dry=true", bytes.NewReader(bytes.Replace(body, []byte("Jo"), strconv.AppendInt(nil, int64(n), 10), 1)))
				r.Header.Set("Content-Type", "application/json")
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Body)
				}
			}
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
