package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const pong = `
openapi: 3.0.3
info: {title: Pong, version: "1"}
paths:
  /ping:
    get:
      operationId: Ping
      parameters: [{name: n, in: query, schema: {type: integer}}]
      responses: {"200": {description: pong, content: {application/json: {schema: {type: object, required: [pong], properties: {pong: {type: integer}}}}}}, "400": {description: no}}
`

// The proxy says where it listens, shows on its page what is found, and writes its reports when it is
// stopped; the exit status is that of a run.
func TestProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		answer string
		status int // of the answer
		exit   int
		lines  []string // on standard error
	}{
		"kept":    {nil, `{"pong":1}`, 200, exitKept, nil},
		"broken":  {nil, `{"pong":"1"}`, 200, exitFindings, []string{"ERROR", "Ping/response/200/body/pong/type"}},
		"refused": {[]string{"--enforce"}, `{"pong":"1"}`, 502, exitFindings, []string{"ERROR"}},
	} {
		t.Run(name, func(t *testing.T) {
			target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer target.Close()
			dir := t.TempDir()
			spec, har := filepath.Join(dir, "pong.yaml"), filepath.Join(dir, "report.har")
			require.NoError(t, os.WriteFile(spec, []byte(pong), 0o600))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			out, stdout := io.Pipe()
			var stderr bytes.Buffer
			exit := make(chan int, 1)
			go func() {
				exit <- Do(ctx, append([]string{"proxy", "--spec", spec, "--target", target.URL, "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0", "--report", "har=" + har}, tt.args...), stdout, &stderr)
				_ = stdout.Close()
			}()
			said := bufio.NewReader(out)
			get := func(url string) (int, string) {
				resp, err := http.Get(url) //nolint:noctx // it is our own
				require.NoError(t, err)
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return resp.StatusCode, string(body)
			}
			line, err := said.ReadString('\n')
			require.NoError(t, err)
			address := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
			line, err = said.ReadString('\n')
			require.NoError(t, err)
			page := strings.TrimSpace(strings.TrimPrefix(line, "page on "))
			status, _ := get(address + "/ping?n=1")
			assert.Equal(t, tt.status, status)

			events, err := http.Get(page + "events") //nolint:noctx // it is our own
			require.NoError(t, err)
			defer events.Body.Close()
			from := bufio.NewReader(events.Body)
			for line = ""; !strings.Contains(line, `"exchanges":1`); {
				line, err = from.ReadString('\n')
				require.NoError(t, err)
			}
			status, body := get(page)
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, body, `data-live="events"`)
			status, body = get(page + "report/json")
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, body, `"judged": 1`)
			status, _ = get(page + "report/none")
			assert.Equal(t, http.StatusNotFound, status)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
			require.NoError(t, err)
			req.Host = "elsewhere.example"
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			assert.Equal(t, http.StatusForbidden, resp.StatusCode, "another name may lead here")
			require.NoError(t, resp.Body.Close())

			stop()
			text, err := io.ReadAll(said)
			require.NoError(t, err)
			assert.Equal(t, tt.exit, <-exit, "%s%s", text, &stderr)
			assert.Contains(t, string(text), "1 exchange of others judged")
			for _, part := range tt.lines {
				assert.Contains(t, stderr.String(), part)
			}
			data, err := os.ReadFile(har)
			require.NoError(t, err)
			assert.Contains(t, string(data), "/ping?n=1")
		})
	}
	for want, args := range map[string][]string{
		"--target is missing": {"proxy", "--spec", "../../openapi.yaml"}, "want the base URL": {"proxy", "--spec", "../../openapi.yaml", "--target", "nowhere"},
		"--max-body": {"proxy", "--spec", "../../openapi.yaml", "--target", "http://127.0.0.1:1", "--max-body", "0"}, "--page": {"proxy", "--spec", "../../openapi.yaml", "--target", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--page", "nowhere:-1"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, exitFailed, Do(t.Context(), args, &stdout, &stderr))
		assert.Contains(t, stderr.String(), want)
	}
}
