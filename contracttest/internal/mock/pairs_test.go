package mock_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/dataarts-go/factory/contracttest"
)

// TestPairs sends the mock the requests of the exchanges that were written for the judge: it accepts
// those that a success is right for, and there is nothing wrong with any of its answers.
func TestPairs(t *testing.T) {
	c, err := contracttest.Load("../../../openapi.yaml")
	require.NoError(t, err)
	h := contracttest.Mock(c)
	files, err := filepath.Glob("../../testdata/exchanges/*.txtar")
	require.NoError(t, err)
	accepted, refused := 0, 0
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		require.NoError(t, err)
		part := func(name string) string {
			i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name })
			if i < 0 {
				return ""
			}
			return strings.TrimSuffix(string(a.Files[i].Data), "\n")
		}
		head, body, _ := strings.Cut(part("request"), "\n\n")
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
		if err != nil {
			continue // what net/http does not take, no handler gets
		}
		send := func() *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), req.Method, req.RequestURI, strings.NewReader(body))
			r.Header = req.Header.Clone()
			r.Header.Del("Content-Length")
			return r
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, send())
		resp := w.Result()
		x, err := contracttest.NewExchange(send(), resp)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		findings, err := c.Judge(x)
		require.NoError(t, err, file)
		for _, f := range findings {
			assert.Equal(t, "warning", f.Severity, "%s: %s: %s", file, f.Clause, f.Message)
		}
		verdict := part("verdict")
		switch {
		case verdict == "kept" && strings.HasPrefix(part("response"), "HTTP/1.1 2"):
			assert.Equal(t, http.StatusOK, w.Code, file)
			accepted++
		case strings.Contains(verdict, "invalid-request-accepted"), strings.Contains(verdict, "request-invalid"):
			assert.Equal(t, 4, w.Code/100, file)
			refused++
		}
	}
	assert.Positive(t, accepted)
	assert.Positive(t, refused)
	t.Log(accepted, refused)
}
