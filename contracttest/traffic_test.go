package contracttest_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const shopDocument = `
openapi: 3.0.3
info: {title: Shop, version: "1"}
security: [{key: []}]
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Shop}
  schemas:
    Item: {type: object, required: [name], properties: {name: {type: string, maxLength: 20}, access_token: {type: string}}}
paths:
  /items:
    post:
      operationId: AddItem
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}}
      responses: {"201": {description: made}, "400": {description: refused}}
  /items/{id}:
    get:
      operationId: GetItem
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        "200": {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}}
        "400": {description: refused}
        "404": {description: none}
  /events:
    get:
      operationId: Events
      responses: {"200": {description: events, content: {text/event-stream: {schema: {type: string}}}}}
  /file:
    get:
      operationId: File
      responses: {"200": {description: a file, content: {application/octet-stream: {schema: {type: string, format: binary}}}}}
`

// seen are findings, as they come.
type seen struct {
	mu  sync.Mutex
	all []contracttest.Finding
}

func (s *seen) add(f contracttest.Finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, f)
}

// checks are what is found so far, as severity, check and clause.
func (s *seen) checks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]string, len(s.all))
	for i, f := range s.all {
		all[i] = f.Severity + " " + f.Check + " " + f.Clause
	}
	return all
}

func shopContract(t testing.TB) *contracttest.Contract {
	t.Helper()
	c, err := contracttest.Parse("shop.yaml", []byte(shopDocument))
	require.NoError(t, err)
	return c
}

// shopper starts a handler behind the middleware.
func shopper(t testing.TB, h http.HandlerFunc, opts ...contracttest.TrafficOption) (*httptest.Server, *seen) {
	t.Helper()
	found := &seen{}
	srv := httptest.NewServer(contracttest.Middleware(shopContract(t), append([]contracttest.TrafficOption{contracttest.OnFinding(found.add)}, opts...)...)(h))
	t.Cleanup(srv.Close)
	return srv, found
}

func asked(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, r)
	require.NoError(t, err)
	req.Header.Set("X-Shop", "opensesame")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// answered sends a request and reads all of the answer.
func answered(t testing.TB, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func replying(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// What passes through the middleware, and through the transport, is judged alike.
func TestTrafficIsJudged(t *testing.T) {
	const good = `{"name":"ball"}`
	for name, tt := range map[string]struct {
		method, path, body string
		handler            http.HandlerFunc
		want               []string
	}{
		"kept":                 {"GET", "/items/1", "", replying(200, "application/json", good), nil},
		"answer breaks schema": {"GET", "/items/1", "", replying(200, "application/json", `{"name":1}`), []string{"error response-schema GetItem/response/200/body/name/type"}},
		"no JSON":              {"GET", "/items/1", "", replying(200, "application/json", `{"name":`), []string{"error response-body-malformed GetItem/response/200/body/syntax"}},
		"sent elsewhere":       {"GET", "/items/1", "", replying(302, "", ""), []string{"warning redirect GetItem/response/status"}},
		"invalid accepted":     {"POST", "/items", `{"name":7}`, replying(201, "", ""), []string{"error invalid-request-accepted AddItem/body/name/type"}},
		"invalid refused":      {"POST", "/items", `{"name":7}`, replying(400, "", ""), []string{"warning request-invalid AddItem/body/name/type"}},
		"body not read":        {"POST", "/items", `{"name":7}`, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }, nil},
		"method":               {"DELETE", "/items/1", "", replying(204, "", ""), []string{"error undocumented-method GetItem/method"}},
		"outside":              {"GET", "/health", "", replying(500, "", "down"), nil},
		"cut short": {"GET", "/items/1", "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"name":`)
			panic(http.ErrAbortHandler)
		}, nil},
		"leaks the credential": {"GET", "/items/1", "", replying(404, "text/plain", "no item for opensesame"), []string{
			"error error-leak GetItem/response/404/no-body", "warning response-body-unexpected GetItem/response/404/no-body",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, found := shopper(t, tt.handler)
			resp, err := http.DefaultClient.Do(asked(t, tt.method, srv.URL+tt.path, tt.body))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				require.NoError(t, resp.Body.Close())
			}
			srv.Close()
			if name == "cut short" { // nothing has gone out, which the client alone sees
				assert.Equal(t, []string{"error response-body-malformed GetItem/response/200/media-type"}, found.checks())
				return
			}
			assert.ElementsMatch(t, tt.want, found.checks())
			for _, f := range found.all {
				assert.NotContains(t, fmt.Sprint(f), "opensesame")
			}

			if name == "body not read" {
				return // by the client it was sent, and is judged
			}
			bare := httptest.NewServer(tt.handler)
			defer bare.Close()
			sent := &seen{}
			client := &http.Client{
				Transport:     contracttest.Transport(shopContract(t), nil, sent.add),
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
			resp, err = client.Do(asked(t, tt.method, bare.URL+tt.path, tt.body))
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, errors.Join(err, resp.Body.Close()))
			assert.ElementsMatch(t, tt.want, sent.checks())
		})
	}
}

func TestTrafficEnforced(t *testing.T) {
	type problem struct {
		Status     int
		Detail     string
		Violations []struct{ Clause, Message string }
	}
	for name, tt := range map[string]struct {
		method, path, body string
		handler            http.HandlerFunc
		status             int
		violation          string // the header
		reached            bool   // the handler was asked
		want               string // the body, where nothing is refused
	}{
		"kept":             {"POST", "/items", `{"name":"ball"}`, replying(201, "", ""), 201, "", true, ""},
		"invalid request":  {"POST", "/items", `{"name":7}`, replying(201, "", ""), 400, "AddItem/body/name/type", false, ""},
		"no body":          {"POST", "/items", "", replying(201, "", ""), 400, "AddItem/body/required", false, ""},
		"method":           {"DELETE", "/items/1", "", replying(204, "", ""), 405, "GetItem/method", false, ""},
		"kept answer":      {"GET", "/items/1", "", replying(200, "application/json", `{"name":"ball"}`), 200, "", true, `{"name":"ball"}`},
		"invalid answer":   {"GET", "/items/1", "", replying(200, "application/json", `{}`), 500, "GetItem/response/200/body/name/required", true, ""},
		"warning passes":   {"GET", "/items/1", "", replying(404, "text/plain", "no such item"), 404, "", true, "no such item"},
		"too large":        {"GET", "/items/1", "", replying(200, "application/json", `{"name":"`+strings.Repeat("x", 5000)+`"}`), 200, "", true, `{"name":"` + strings.Repeat("x", 5000) + `"}`},
		"too large a head": {"GET", "/items/1", "", replying(200, "text/html", strings.Repeat("x", 5000)), 500, "GetItem/response/200/media-type", true, ""},
		"large request":    {"POST", "/items", `{"name":"` + strings.Repeat("x", 5000) + `"}`, replying(201, "", ""), 201, "", true, ""},
		"outside":          {"GET", "/health", "", replying(500, "", "down"), 500, "", true, "down"},
	} {
		t.Run(name, func(t *testing.T) {
			reached := false
			h := func(w http.ResponseWriter, r *http.Request) {
				reached = true
				w.Header().Set("X-Own", "kept")
				tt.handler(w, r)
			}
			srv, found := shopper(t, h, contracttest.Enforce(), contracttest.Bound(1000))
			resp, body := answered(t, asked(t, tt.method, srv.URL+tt.path, tt.body)) //nolint:bodyclose // it is closed
			assert.Equal(t, tt.status, resp.StatusCode)
			assert.Equal(t, tt.violation, resp.Header.Get("Contract-Violation"))
			assert.Equal(t, tt.reached, reached)
			if tt.violation == "" {
				assert.Equal(t, tt.want, body)
				assert.Equal(t, "kept", resp.Header.Get("X-Own"))
				return
			}
			assert.Empty(t, resp.Header.Get("X-Own"))
			assert.NotEmpty(t, found.checks())
			var p problem
			require.NoError(t, json.Unmarshal([]byte(body), &p))
			assert.Equal(t, tt.status, p.Status)
			assert.Equal(t, tt.violation, p.Violations[0].Clause)
			assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
			if tt.status == http.StatusMethodNotAllowed {
				assert.Equal(t, "GET", resp.Header.Get("Allow"))
			}
		})
	}
	t.Run("transport", func(t *testing.T) {
		reached := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reached++
			replying(200, "application/json", `{}`)(w, r)
		}))
		defer srv.Close()
		client := &http.Client{Transport: contracttest.Transport(shopContract(t), nil, nil, contracttest.Enforce())}
		_, err := client.Do(asked(t, http.MethodPost, srv.URL+"/items", `{"name":7}`)) //nolint:bodyclose // there is none
		var no *contracttest.RefusedError
		require.ErrorAs(t, err, &no)
		assert.Equal(t, "AddItem/body/name/type", no.Findings[0].Clause)
		assert.Zero(t, reached)
		_, err = client.Do(asked(t, http.MethodGet, srv.URL+"/items/1", "")) //nolint:bodyclose // there is none
		require.ErrorAs(t, err, &no)
		assert.Equal(t, "GetItem/response/200/body/name/required", no.Findings[0].Clause)
		assert.Equal(t, 1, reached)
	})
}

// What a handler can do without the middleware, it can do with it.
func TestMiddlewareChangesNothing(t *testing.T) {
	for _, opts := range map[string][]contracttest.TrafficOption{"watching": nil, "refusing": {contracttest.Enforce()}} {
		t.Run("stream", func(t *testing.T) {
			more := make(chan struct{})
			srv, found := shopper(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "data: 1\n\n")
				w.(http.Flusher).Flush() //nolint:forcetypeassert // net/http's is one
				<-more
				_, _ = io.WriteString(w, "data: 2\n\n")
				assert.NoError(t, http.NewResponseController(w).Flush())
			}, opts...)
			resp, err := http.DefaultClient.Do(asked(t, http.MethodGet, srv.URL+"/events", ""))
			require.NoError(t, err)
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, "data: 1\n", line, "it is there before the handler is done")
			close(more)
			rest, err := io.ReadAll(lines)
			require.NoError(t, err)
			assert.Equal(t, "\ndata: 2\n\n", string(rest))
			assert.Empty(t, found.checks())
		})
		t.Run("hijack", func(t *testing.T) {
			srv, found := shopper(t, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack() //nolint:forcetypeassert // net/http's is one
				assert.NoError(t, err)
				_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello")
				assert.NoError(t, errors.Join(err, conn.Close()))
			}, opts...)
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
			require.NoError(t, err)
			_, err = io.WriteString(conn, "GET /items/1 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
			require.NoError(t, err)
			all, err := io.ReadAll(conn)
			require.NoError(t, err)
			assert.True(t, strings.HasSuffix(string(all), "\r\n\r\nhello"), "%s", all)
			assert.Empty(t, found.checks())
		})
		t.Run("file, early hints and trailers", func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "file")
			content := bytes.Repeat([]byte("0123456789"), 300_000)
			require.NoError(t, os.WriteFile(name, content, 0o600))
			srv, found := shopper(t, func(w http.ResponseWriter, _ *http.Request) {
				f, err := os.Open(name)
				if !assert.NoError(t, err) {
					return
				}
				defer f.Close()
				w.Header().Set("Link", "</style.css>")
				w.WriteHeader(http.StatusEarlyHints)
				w.Header().Set("Content-Type", "application/octet-stream")
				w.Header().Set("Trailer", "X-Sum")
				n, err := io.Copy(w, f)
				assert.NoError(t, err)
				assert.EqualValues(t, len(content), n)
				w.Header().Set("X-Sum", "7")
			}, opts...)
			resp, body := answered(t, asked(t, http.MethodGet, srv.URL+"/file", "")) //nolint:bodyclose // it is closed
			assert.Equal(t, string(content), body)
			assert.Equal(t, "7", resp.Trailer.Get("X-Sum"))
			assert.Empty(t, found.checks())
		})
		t.Run("panic", func(t *testing.T) {
			var got any
			watched := contracttest.Middleware(shopContract(t), opts...)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("mine") }))
			func() {
				defer func() { got = recover() }()
				watched.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/items/1", nil))
			}()
			assert.Equal(t, "mine", got)
		})
		t.Run("as the handler says it", func(t *testing.T) {
			watched := contracttest.Middleware(shopContract(t), opts...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				assert.JSONEq(t, `{"name":"a"}`, string(body))
				_, is := w.(http.Hijacker)
				assert.False(t, is, "a recorder cannot be hijacked")
				w.Header()["X-Odd"] = []string{"1", "2"}
				w.WriteHeader(http.StatusCreated)
			}))
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/items", strings.NewReader(`{"name":"a"}`))
			req.Header.Set("Content-Type", "application/json")
			body := req.Body
			rec := httptest.NewRecorder()
			watched.ServeHTTP(rec, req)
			assert.Equal(t, http.StatusCreated, rec.Code)
			assert.Equal(t, []string{"1", "2"}, rec.Header()["X-Odd"])
			assert.Equal(t, body, req.Body, "whoever stands around it finds the request as it was")
		})
	}
	t.Run("not sampled", func(t *testing.T) {
		rec := httptest.NewRecorder()
		contracttest.Middleware(shopContract(t), contracttest.Sample(0))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			assert.Same(t, rec, w)
		})).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/items/1", nil))
	})
	t.Run("stream to a client", func(t *testing.T) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: 1\n\n")
			assert.NoError(t, http.NewResponseController(w).Flush())
			<-r.Context().Done()
		}))
		defer srv.Close()
		for _, opts := range [][]contracttest.TrafficOption{nil, {contracttest.Enforce()}} {
			found := &seen{}
			ctx, cancel := context.WithCancel(t.Context())
			resp, err := (&http.Client{Transport: contracttest.Transport(shopContract(t), nil, found.add, opts...)}).Do(asked(t, http.MethodGet, srv.URL+"/events", "").WithContext(ctx))
			require.NoError(t, err)
			line, err := bufio.NewReader(resp.Body).ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, "data: 1\n", line)
			cancel()
			require.NoError(t, resp.Body.Close())
			assert.Empty(t, found.checks())
		}
	})
}

// A decoder of JSON does not read on to the end of a body in chunks, and what it has read is judged.
func TestTransportWithDecoder(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"name":`)
		assert.NoError(t, http.NewResponseController(w).Flush())
		_, _ = io.WriteString(w, `7}`)
	}))
	defer srv.Close()
	found := &seen{}
	resp, err := (&http.Client{Transport: contracttest.Transport(shopContract(t), nil, found.add)}).Do(asked(t, http.MethodGet, srv.URL+"/items/1", ""))
	require.NoError(t, err)
	var v any
	require.NoError(t, json.NewDecoder(io.LimitReader(resp.Body, 10)).Decode(&v))
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, []string{"error response-schema GetItem/response/200/body/name/type"}, found.checks())
}

// What goes wrong in whoever is told does not reach the handler, and is said; secrets are not.
func TestTrafficLog(t *testing.T) {
	var out bytes.Buffer
	srv, _ := shopper(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"access_token":"s3cr3t-t0ken","name":["s3cr3t-t0ken","77-pin-77"]}`)
		_ = z.Close()
	}, contracttest.Log(slog.New(slog.NewJSONHandler(&out, nil))), contracttest.Hide("pin"))
	req := asked(t, http.MethodGet, srv.URL+"/items/1?pin=77-pin-77", "")
	req.Header.Set("Accept-Encoding", "gzip")
	answered(t, req) //nolint:bodyclose // it is closed
	srv.Close()
	var record map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &record), out.String())
	assert.Equal(t, "ERROR", record["level"])
	assert.Equal(t, "response-schema", record["check"])
	assert.Equal(t, "GetItem/response/200/body/name/type", record["clause"])
	assert.NotContains(t, out.String(), "s3cr3t")
	assert.NotContains(t, out.String(), "77-pin")

	out.Reset()
	h := contracttest.Middleware(shopContract(t), contracttest.OnFinding(func(contracttest.Finding) { panic("full") }), contracttest.Log(slog.New(slog.NewJSONHandler(&out, nil))))(replying(302, "", ""))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/items/1", nil))
	assert.Equal(t, http.StatusFound, rec.Code)
	assert.Contains(t, out.String(), `"panic":"full"`)
}
