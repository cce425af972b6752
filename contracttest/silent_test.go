package contracttest_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
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
