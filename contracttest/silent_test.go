package contracttest_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestSilent proves that a run ends soon where a target answers nothing any more, and says so;
// and that it goes on where only one operation does not answer.
func TestSilent(t *testing.T) {
	const timeout = time.Second
	c, err := contracttest.Parse("silent.yaml", []byte(`
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /a: {get: {operationId: getA, responses: &answers {"200": {description: ok}, "404": {description: none}}}}
  /b: {get: {operationId: getB, responses: *answers}}
  /c: {get: {operationId: getC, responses: *answers}}
  /d: {get: {operationId: getD, responses: *answers}}
  /e: {get: {operationId: getE, responses: *answers}}
`))
	require.NoError(t, err)
	tests := []struct {
		name   string
		hangs  func(n int64, path string) bool
		silent bool
	}{
		{"after some requests", func(n int64, _ string) bool { return n > 40 }, true},
		{"from the start of one operation", func(_ int64, path string) bool { return path == "/b" }, false},
	}
	for _, tt := range tests {
		for _, workers := range []int{1, 4} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var n atomic.Int64
					h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						switch {
						case tt.hangs(n.Add(1), r.URL.Path):
							<-r.Context().Done()
						case !slices.Contains([]string{"/a", "/b", "/c", "/d", "/e"}, r.URL.Path):
							http.NotFound(w, r)
						case r.Method != http.MethodGet:
							w.Header().Set("Allow", "GET")
							w.WriteHeader(http.StatusMethodNotAllowed)
						}
					})
					began := time.Now()
					rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Timeout(timeout), contracttest.Workers(workers))
					require.NoError(t, err)
					said := strings.Contains(strings.Join(rep.Inconclusive, "\n"), "the target no longer answers")
					assert.Equal(t, tt.silent, said, "%s\n%s", rep.Inconclusive, describe(rep))
					if tt.silent {
						assert.LessOrEqual(t, time.Since(began), 8*timeout)
					}
				})
			})
		}
	}
}

// TestSilentOperation proves that the other operations are tried where the only one that can be asked
// whether the target still answers is the one that does not.
func TestSilentOperation(t *testing.T) {
	c, err := contracttest.Parse("silent.yaml", []byte(`
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /a: {get: {operationId: getA, parameters: [{name: q, in: query, schema: {type: integer}}], responses: {"200": {description: ok}, "400": {description: no}}}}
  /c: {post: {operationId: postC, parameters: [{name: q, in: query, required: true, schema: {type: string, maxLength: 5}}], responses: {"200": {description: ok}, "400": {description: no}}}}
`))
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if n, err := strconv.Atoi(r.URL.Query().Get("q")); err == nil && n > 1000 {
				hangs.Store(true)
			}
			if r.URL.Path == "/a" && hangs.Load() {
				<-r.Context().Done()
			}
		})
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Timeout(time.Second))
		require.NoError(t, err)
		assert.NotContains(t, strings.Join(rep.Inconclusive, "\n"), "the target no longer answers")
		assert.True(t, slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return strings.HasPrefix(f.Clause, "postC/query/q/maxLength") }), "%s", describe(rep))
	})
}

// TestLateAtFirst proves that the rest is tested where the first answers are late, as those of a
// service that sets itself up for them, or where those of one operation always are.
func TestLateAtFirst(t *testing.T) {
	c := parse(t, `
  /things:
    post: {operationId: addThing, requestBody: `+isNamed+`, responses: {"201": `+isThing+`, `+refused+`}}
  /things/{id}:
    parameters: `+byID+`
    get: {operationId: getThing, responses: {"200": `+isThing+`, `+refused+`}}
    delete: {operationId: deleteThing, responses: {"204": {description: gone}, `+refused+`}}
  /parts/{id}:
    parameters: `+byID+`
    get: {operationId: getPart, responses: {"200": `+isThing+`, `+refused+`}}
  /parts:
    get: {operationId: waitForParts, responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}}
`)
	for _, tt := range []struct {
		name  string
		first bool // answers of each operation, and no others
	}{{"the first of each operation", true}, {"all of one operation", false}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mux, s := http.NewServeMux(), &keeper{all: map[string]map[string]any{"p1": {"id": "p1", "name": "p", "state": "open"}}}
				mux.HandleFunc("POST /things", s.add)
				mux.HandleFunc("GET /things/{id}", s.at(shown))
				mux.HandleFunc("DELETE /things/{id}", s.at(becomes("deleted")))
				mux.HandleFunc("GET /parts/{id}", s.at(shown))
				mux.HandleFunc("GET /parts", func(w http.ResponseWriter, _ *http.Request) {
					answerJSON(w, http.StatusOK, []map[string]any{{"id": "p1"}})
				})
				var seen sync.Map
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, pattern := mux.Handler(r)
					_, known := seen.LoadOrStore(pattern, true)
					if tt.first && !known || !tt.first && pattern == "GET /parts" {
						<-r.Context().Done()
						return
					}
					mux.ServeHTTP(w, r)
				})
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Timeout(time.Second), contracttest.Cases(0), contracttest.Settle(time.Millisecond))
				require.NoError(t, err)
				var unproven []string
				for _, u := range rep.Unproven {
					unproven = append(unproven, u.Operation)
				}
				if tt.first {
					assert.Empty(t, unproven)
				} else {
					assert.Equal(t, []string{"getPart", "waitForParts"}, unproven)
				}
			})
		})
	}
}
