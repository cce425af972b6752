package traffic_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/traffic"
	"github.com/dataarts-go/factory/contracttest/report"
)

const document = `
openapi: 3.0.3
info: {title: Files, version: "1"}
paths:
  /file:
    post:
      operationId: File
      requestBody: {content: {application/json: {}, application/octet-stream: {}}}
      responses: {"200": {description: a file, content: {application/json: {}, application/octet-stream: {}, text/event-stream: {}}}}
`

// Whatever passes at once, no more is held than the bound allows, and nothing once it has passed.
func TestHeld(t *testing.T) {
	const bound, clients, size = 4 << 10, 40, 300 << 10
	c, err := contract.Parse("files.yaml", []byte(document))
	require.NoError(t, err)
	for _, enforce := range []bool{false, true} {
		for _, kind := range []string{"application/json", "application/octet-stream", "text/event-stream"} {
			w := traffic.New(c, traffic.Options{Share: 1, Bound: bound, Enforce: enforce, Found: func(f report.Finding) { t.Errorf("%s: %s", f.Check, f.Message) }})
			echo := func(rw http.ResponseWriter, r *http.Request) {
				assert.NoError(t, http.NewResponseController(rw).EnableFullDuplex())
				rw.Header().Set("Content-Type", kind)
				_, err := io.Copy(struct{ io.Writer }{rw}, r.Body)
				assert.NoError(t, err)
			}
			srv := httptest.NewServer(w.Handler(http.HandlerFunc(echo), http.StatusInternalServerError))
			client := &http.Client{Transport: w.Transport(http.DefaultTransport)}
			var wg sync.WaitGroup
			for i := range clients {
				wg.Go(func() {
					body := `"` + strings.Repeat("x", []int{size, 10, bound - 100}[i%3]) + `"`
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/file", io.NopCloser(strings.NewReader(body)))
					assert.NoError(t, err)
					req.Header.Set("Content-Type", "application/json")
					resp, err := client.Do(req)
					if !assert.NoError(t, err) {
						return
					}
					got, err := io.ReadAll(resp.Body)
					assert.NoError(t, err)
					assert.Len(t, got, len(body))
					assert.Equal(t, strings.Count(body, "x"), strings.Count(string(got), "x"))
					assert.NoError(t, resp.Body.Close())
				})
			}
			wg.Wait()
			srv.Close()
			now, most := w.Held()
			assert.Zero(t, now, "%v %s", enforce, kind)
			assert.Positive(t, most)
			assert.LessOrEqual(t, most, int64(8*bound))
		}
	}
}
