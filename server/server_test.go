package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	api "github.com/dataarts-go/factory/gen/server"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childDB); dsn != "" {
		os.Exit(runChild(dsn))
	}
	if plan := os.Getenv(floodEnv); plan != "" {
		os.Exit(runFlood(plan))
	}
	goleak.VerifyTestMain(m)
}

const (
	project   = "b384b9e9ab9b4ee8994c8633aabc9505"
	path      = "/v2/" + project + "/factory/release-packages/unpack"
	mediaType = "application/json;charset=UTF-8"
	document  = `{"package_ids":["12","13"]}` // the documentation's example
)

// newStore returns a SQLite store with the packages that tests start from.
func newStore(tb testing.TB) store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), "sqlite:"+filepath.Join(tb.TempDir(), "factory.db"))
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, s.Close()) })
	fill(tb, s)
	return s
}

// newMemory is newStore in memory.
func newMemory(tb testing.TB) store.Store {
	tb.Helper()
	s := store.NewMemory()
	fill(tb, s)
	return s
}

func fill(tb testing.TB, s store.Store) {
	tb.Helper()
	require.NoError(tb, s.PutWorkspace(tb.Context(), store.Workspace{ProjectID: project, ID: "development", Default: true}))
	_, err := s.Add(tb.Context(), store.Packages(
		store.Package{ID: "12", ProjectID: project},
		store.Package{ID: "13", ProjectID: project},
		store.Package{ID: "14", ProjectID: project, State: store.Released},
		store.Package{ID: "15", ProjectID: project, State: store.Cancelled},
		store.Package{ID: "12", ProjectID: project, Workspace: "test"},
		store.Package{ID: "31", ProjectID: "without-default", Workspace: "production"},
	))
	require.NoError(tb, err)
}

// states returns "id=state" of each package of the default workspace.
func states(t *testing.T, s store.Store) string {
	t.Helper()
	return statesOf(t, s, project, "")
}

func statesOf(t *testing.T, s store.Store, project, workspace string) string {
	t.Helper()
	var all []string
	for p, err := range s.List(context.WithoutCancel(t.Context()), project, workspace) {
		require.NoError(t, err)
		all = append(all, p.ID+"="+string(p.State))
	}
	return strings.Join(all, " ")
}

const (
	untouched = "12=pending 13=pending 14=released 15=cancelled"
	both      = "12=cancelled 13=cancelled 14=released 15=cancelled"
)

// lockedBuffer takes what several goroutines log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// running is a server on a listener of its own.
type running struct {
	address string
	log     *lockedBuffer
	stop    context.CancelFunc
	done    chan error // what Serve returned
}

// start serves s until the test ends.
func start(t *testing.T, s store.Store, opts ...server.Option) *running {
	t.Helper()
	log := &lockedBuffer{}
	handler := newHandler(t, s, log, opts...)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	r := &running{address: listener.Addr().String(), log: log, stop: stop, done: make(chan error, 1)}
	go func() {
		r.done <- handler.Serve(ctx, listener)
		close(r.done)
	}()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-r.done)
	})
	return r
}

func newHandler(tb testing.TB, s store.Store, log io.Writer, opts ...server.Option) *server.Server {
	tb.Helper()
	opts = append(opts, server.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	handler, err := server.New(s, opts...)
	require.NoError(tb, err)
	return handler
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
}

// send sends a request as bytes, so that nothing is put right on the way.
func (r *running) send(t *testing.T, request string) answer {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	conn := r.dial(t)
	go func() { _, _ = io.WriteString(conn, request) }() // refused requests may not be read to their end
	return readAnswer(t, bufio.NewReader(conn), method)
}

func (r *running) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func readAnswer(t *testing.T, from *bufio.Reader, method string) answer {
	t.Helper()
	resp, err := http.ReadResponse(from, &http.Request{Method: method})
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp, data}
}

// post returns the bytes of a POST to target. A body has a Content-Length.
func post(target, body string, headers ...string) string {
	if body != "" {
		headers = append(slices.Clone(headers), fmt.Sprintf("Content-Length: %d", len(body)))
	}
	return request("POST", target, body, headers...)
}

func request(method, target, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: factory.example\r\n", method, target)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n" + body)
	return b.String()
}

// success checks that an answer is the documented 200.
func success(t *testing.T, a answer) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
	assert.Empty(t, a.body)
	assert.NotContains(t, a.Header, "Content-Type")
	assert.Equal(t, "0", a.Header.Get("Content-Length"))
	checkRequestID(t, a)
}

// failure checks that an answer has the documented error shape with this
// status and code, and a text with each of the fragments.
func failure(t *testing.T, a answer, status int, code string, fragments ...string) {
	t.Helper()
	require.Equal(t, status, a.StatusCode, "%s", a.body)
	assert.Equal(t, []string{"application/json"}, a.Header.Values("Content-Type"))
	checkRequestID(t, a)
	gotCode, text := errorOf(t, a.body)
	assert.Equal(t, code, gotCode)
	if strings.HasPrefix(code, "APIG.") { // and errorOf has seen that no other has it
		assert.Contains(t, string(a.body), `"request_id":"`+a.Header.Get("X-Request-Id")+`"`)
	}
	for _, f := range fragments {
		assert.Contains(t, text, f)
	}
	for _, internal := range []string{"goroutine", ".go:", "*echo", "json:", "sql", "runtime", "Schema:", "Value:"} {
		assert.NotContains(t, text, internal)
	}
}

func checkRequestID(t *testing.T, a answer) {
	t.Helper()
	assert.Regexp(t, `^[0-9a-f]{32}$`, a.Header.Get("X-Request-Id"))
}

// errorOf validates an error body against the document.
func errorOf(t *testing.T, body []byte) (code, text string) {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal(body, &value), "%s", body)
	require.NoError(t, errorSchema(t).VisitJSON(value, openapi3.VisitAsResponse()), "%s", body)
	object := value.(map[string]any)
	code, text = object["error_code"].(string), object["error_msg"].(string)
	if strings.HasPrefix(code, "APIG.") {
		delete(object, "request_id")
	}
	assert.Len(t, object, 2, "%s", body)
	return code, text
}

var documentOnce = sync.OnceValues(api.GetSpec)

func errorSchema(t *testing.T) *openapi3.Schema {
	t.Helper()
	doc, err := documentOnce()
	require.NoError(t, err)
	response := doc.Paths.Value("/v2/{project_id}/factory/release-packages/unpack").Post.Responses.Status(http.StatusBadRequest)
	return response.Value.Content.Get("application/json").Schema.Value
}
