package contracttest_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestWaiting proves how often in a row a run waits for an operation that takes its time,
// on a clock that goes on only while all wait: neither what each operation is asked one
// after the other nor what another one loses adds to it.
func TestWaiting(t *testing.T) {
	const doc = `
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /slow:
    get:
      operationId: slow
      parameters: [{name: limit, in: query, schema: {type: integer, minimum: 1}}]
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}}
  /lost: {get: {operationId: lost, responses: {"200": {description: ok}}}}
  /quick: {get: {operationId: quick, responses: {"200": {description: ok}}}}
`
	const pause = 2 * time.Second
	c, err := contracttest.Parse("a.yaml", []byte(doc))
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/slow":
				time.Sleep(pause)
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte("{}"))
			case "/lost":
				panic(http.ErrAbortHandler)
			case "/quick":
			default:
				w.WriteHeader(http.StatusNotFound)
			}
		})
		began := time.Now()
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Only("slow", "lost", "quick"))
		require.NoError(t, err)
		assert.Greater(t, rep.Stats.Exchanges, 100)
		assert.LessOrEqual(t, int(time.Since(began)/pause), 15, "answers that were waited for one after the other")
	})
}

// TestSlowOperation proves that nobody waits for an operation that takes its time and changes
// nothing, but for what has to come one after the other: on a clock that goes on only while all
// wait.
func TestSlowOperation(t *testing.T) {
	const each = 2 * time.Second
	c, err := contracttest.Parse("slow.yaml", []byte(`
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /report:
    get:
      operationId: getReport
      parameters:
        - {name: X-Kind, in: header, schema: {type: string}}
        - {name: kind, in: query, schema: {type: string, enum: [a, b, c]}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
      responses: &answers
        "200": {description: ok, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused, content: {application/json: {schema: {type: object}}}}
        "406": {description: refused}
  /things:
    post:
      operationId: act
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [n], properties: {n: {type: integer}}}}}}
      responses: *answers
`))
	require.NoError(t, err)
	takes := func(loses, fails bool, opts ...contracttest.Option) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			mock := contracttest.Mock(c, contracttest.MockStateless())
			var acts atomic.Int64
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				wait := 20 * time.Millisecond
				if fails && (r.Header.Get("X-Kind") != "" || r.Method != http.MethodGet && r.URL.Path == "/report") {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				if r.URL.Path == "/report" && r.Method == http.MethodGet {
					wait = each
				} else if r.URL.Path == "/things" && loses && acts.Add(1)%20 == 0 {
					panic(http.ErrAbortHandler)
				}
				time.Sleep(wait) // of the fake clock: it takes no time
				mock.ServeHTTP(w, r)
			})
			began := time.Now()
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), opts...)
			took = time.Since(began)
			require.NoError(t, err)
			assert.Greater(t, rep.Stats.Exchanges, 200)
		})
		return took
	}
	slow, quick, both := takes(false, false, contracttest.Only("getReport")), takes(false, false, contracttest.Only("act")), takes(false, false)

	assert.LessOrEqual(t, slow, 12*each, "as few after each other as there have to be")
	assert.LessOrEqual(t, both, slow+each, "%s alone, and the other %s", slow, quick)
	assert.LessOrEqual(t, takes(true, false), slow+2*each, "that a connection of another is lost now and then is not for the load")
	assert.LessOrEqual(t, takes(false, true, contracttest.Only("getReport")), slow+4*each, "that many other requests fail is looked into once for all that fail together")
}
