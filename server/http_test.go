package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

const (
	noSuchAPI     = "APIG.0101"
	noSuchAPIText = "The API does not exist or has not been published in the environment."
)

// Another method is what the vendor's gateway answers, 404 and not 405.
func TestOtherMethods(t *testing.T) {
	s := newStore(t)
	r := start(t, s)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "X"} {
		for _, target := range []string{path, "/v2/a%2Fb/factory/release-packages/unpack"} {
			a := r.send(t, request(method, target, ""))
			assert.NotContains(t, a.Header, "Allow", method)
			if method == "HEAD" {
				assert.Equal(t, http.StatusNotFound, a.StatusCode)
				assert.Equal(t, "application/json", a.Header.Get("Content-Type"))
				assert.Empty(t, a.body)
				continue
			}
			failure(t, a, http.StatusNotFound, noSuchAPI, noSuchAPIText)
		}
	}
	assert.Equal(t, untouched, states(t, s))
}

// Who looks at a page of another site, whose name leads to this machine, has nothing
// cancelled by it.
func TestLocalHosts(t *testing.T) {
	s := newStore(t)
	r := start(t, s, server.WithLocalHosts("factory.test"))
	with := func(host string) string {
		return strings.Replace(post(path, document, "Content-Type: "+mediaType), "Host: factory.example", "Host: "+host, 1)
	}
	for _, host := range []string{"evil.example", "evil.example:80", "127.0.0.1.evil.example", "factory.test.evil.example", "xfactory.test"} {
		failure(t, r.send(t, with(host)), http.StatusNotFound, noSuchAPI, noSuchAPIText, "by an IP address or as localhost")
		failure(t, r.send(t, request("GET", "http://"+host+"/", "")), http.StatusNotFound, noSuchAPI)
	}
	assert.Equal(t, untouched, states(t, s))
	for _, host := range []string{"127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "LOCALHOST", "factory.test", "Factory.Test:80", ""} {
		success(t, r.send(t, with(host)))
	}
	success(t, start(t, s).send(t, with("evil.example"))) // by default any name is as good
}

func TestOtherPaths(t *testing.T) {
	s := newStore(t)
	r := start(t, s)
	for _, target := range []string{
		"/x", "/v2", "/v2/", "/v2/" + project, path + "/", path + "/x", "/" + path, path[:len(path)-1], strings.ToUpper(path),
		strings.Replace(path, "/v2/", "/v1/", 1), strings.Replace(path, project, project+"/x", 1),
		strings.Replace(path, "/factory/", "//factory/", 1), strings.Replace(path, "/factory/", "%2Ffactory/", 1),
		strings.Replace(path, "/factory/", "/x/../factory/", 1), path + "%2F", path + "%00", "*",
	} {
		for _, method := range []string{"POST", "GET", "OPTIONS"} {
			if target == "*" && method != "OPTIONS" {
				continue // net/http refuses it
			}
			a := r.send(t, request(method, target, ""))
			failure(t, a, http.StatusNotFound, noSuchAPI, noSuchAPIText)
			assert.NotContains(t, a.Header, "Allow")
		}
	}
	assert.Equal(t, untouched, states(t, s))
}

func TestExpectContinue(t *testing.T) {
	s := newStore(t)
	r := start(t, s)
	conn := r.dial(t)
	from := bufio.NewReader(conn)
	_, err := io.WriteString(conn, request("POST", path, "", "Content-Type: "+mediaType, "Expect: 100-continue",
		fmt.Sprintf("Content-Length: %d", len(document))))
	require.NoError(t, err)
	line, err := from.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = from.ReadString('\n')
	require.NoError(t, err)
	_, err = io.WriteString(conn, document)
	require.NoError(t, err)
	success(t, readAnswer(t, from, "POST"))
	assert.Equal(t, both, states(t, s))

	// A body that is refused for its length is not asked for.
	a := r.send(t, request("POST", path, "", "Content-Type: "+mediaType, "Expect: 100-continue", "Content-Length: 100000000"))
	failure(t, a, http.StatusRequestEntityTooLarge, "APIG.0201")
}

// A connection stays usable after every kind of answer.
func TestKeepAlive(t *testing.T) {
	s := newStore(t)
	r := start(t, s)
	conn := r.dial(t)
	from := bufio.NewReader(conn)
	for range 3 {
		for _, req := range []string{
			post(path, document, "Content-Type: "+mediaType),
			post(path, `{"package_ids":["99"]}`, "Content-Type: "+mediaType),
			post(path, `nope`, "Content-Type: "+mediaType),
			request("GET", path, ""),
			post("/nowhere", document),
		} {
			_, err := io.WriteString(conn, req)
			require.NoError(t, err)
			a := readAnswer(t, from, "POST")
			assert.False(t, a.Close)
		}
	}
	assert.Equal(t, both, states(t, s))
}

// A request with both Transfer-Encoding and Content-Length is answered, and ends its
// connection (RFC 9112 §6.1): nothing that follows it is taken for a request.
func TestLengthAndTransferEncoding(t *testing.T) {
	const asJSON, chunked = "Content-Type: " + mediaType, "Transfer-Encoding: chunked"
	body := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(document), document)
	get := request("GET", "/healthz", "")
	withTLS, roots := borrowedTLS()
	for name, tt := range map[string]struct {
		requests []string
		answers  int
		tls      bool
	}{
		"length first":             {[]string{request("POST", path, body, asJSON, "Content-Length: 5", chunked), get}, 1, false},
		"length last":              {[]string{request("POST", path, body, asJSON, chunked, "cONTENT-lENGTH:5"), get}, 1, false},
		"of the chunks":            {[]string{request("POST", path, body, asJSON, chunked, fmt.Sprintf("Content-Length: %d", len(body))), get}, 1, false},
		"in a refused one":         {[]string{request("POST", "/nowhere", body, asJSON, chunked, "Content-Length: 5"), get}, 1, false},
		"in the second":            {[]string{get, request("POST", path, body, asJSON, chunked, "Content-Length: 5"), get}, 2, false},
		"chunks alone":             {[]string{request("POST", path, body, asJSON, chunked), request("POST", path, body, asJSON, chunked), get}, 3, false},
		"length alone":             {[]string{post(path, document, asJSON), post(path, document, asJSON), get}, 3, false},
		"over TLS":                 {[]string{request("POST", path, body, asJSON, chunked, "Content-Length: 5"), get}, 1, true},
		"over TLS, length alone":   {[]string{post(path, document, asJSON), get}, 2, true},
		"over TLS, after a length": {[]string{post(path, document, asJSON), request("POST", path, body, asJSON, chunked, "Content-Length: 5"), get}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			var opts []server.Option
			if tt.tls {
				opts = append(opts, withTLS)
			}
			conn := start(t, newMemory(t), opts...).dial(t)
			if tt.tls {
				conn = tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: "example.com"})
			}
			_, err := io.WriteString(conn, strings.Join(tt.requests, ""))
			require.NoError(t, err)
			from := bufio.NewReader(conn)
			for i := range tt.answers {
				a := readAnswer(t, from, http.MethodPost)
				assert.Equal(t, tt.answers < len(tt.requests) && i == tt.answers-1, a.Close, "answer %d", i)
			}
			if tt.answers < len(tt.requests) {
				_, err := from.ReadByte()
				require.Error(t, err, "a further answer")
			}
		})
	}
}

// endless is a body that never ends, and counts what was read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestReadsOneByteTooManyAtMost(t *testing.T) {
	handler := newHandler(t, newStore(t), io.Discard)
	for name, length := range map[string]int64{"unknown length": -1, "huge length": math.MaxInt64} {
		t.Run(name, func(t *testing.T) {
			body := &endless{}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
			req.Header.Set("Content-Type", mediaType)
			req.ContentLength = length
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, req)
			failure(t, answer{w.Result(), w.Body.Bytes()}, http.StatusRequestEntityTooLarge, "APIG.0201")
			assert.LessOrEqual(t, body.read, 12<<20+1)
		})
	}
}

// In process, a request may have no body at all, and stays the caller's.
func TestInProcess(t *testing.T) {
	s := newStore(t)
	handler := newHandler(t, s, io.Discard)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, http.NoBody)
	require.NoError(t, err)
	req.Body = nil
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, req)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Nil(t, req.Body)

	body := io.NopCloser(strings.NewReader(document))
	req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, req)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, body, req.Body)
	assert.Equal(t, "application/json", req.Header.Get("Content-Type"))
	assert.Equal(t, both, states(t, s))

	w = httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodHead, path, http.NoBody))
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Empty(t, w.Body.Bytes())
}

// fakeStore is a store whose Cancel is the test's.
type fakeStore struct {
	store.Store
	cancel func(ctx context.Context, ids []string) error
}

func (f fakeStore) Cancel(ctx context.Context, _, _ string, ids []string) error {
	return f.cancel(ctx, ids)
}

func TestStoreFails(t *testing.T) {
	tests := map[string]struct {
		cancel func(context.Context, []string) error
		log    []string
	}{
		"error": {
			func(context.Context, []string) error { return errors.New("disk of /var/lib is full") },
			[]string{"level=ERROR", "cancel packages: disk of /var/lib is full"},
		},
		"panic": {
			func(context.Context, []string) error { panic("disk of /var/lib is gone") },
			[]string{"level=ERROR", "panic: disk of /var/lib is gone", "stack=", "http_test.go"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := start(t, fakeStore{cancel: tt.cancel})
			for range 2 { // it goes on
				a := r.send(t, post(path, document, "Content-Type: "+mediaType))
				failure(t, a, http.StatusInternalServerError, "APIG.0601", "Internal server error.")
				assert.NotContains(t, string(a.body), "/var/lib")
				for _, want := range append(tt.log, "request_id="+a.Header.Get("X-Request-Id"), "status=500") {
					assert.Contains(t, r.log.String(), want)
				}
			}
		})
	}
}

// The handler gets what was validated, in the order sent.
func TestHandlerInput(t *testing.T) {
	var got []string
	r := start(t, fakeStore{cancel: func(_ context.Context, ids []string) error {
		got = ids
		return nil
	}})
	success(t, r.send(t, post(path, `{"package_ids":["b","a","b","\u00e9"],"Package_IDs":["x"]}`, "Content-Type: "+mediaType)))
	assert.Equal(t, []string{"b", "a", "b", "é"}, got)
}

func TestGracefulShutdown(t *testing.T) {
	const inFlight = 4
	entered, release := make(chan struct{}), make(chan struct{})
	r := start(t, fakeStore{cancel: func(ctx context.Context, _ []string) error {
		entered <- struct{}{}
		<-release
		return ctx.Err()
	}})
	var conns []net.Conn
	for range inFlight {
		conn := r.dial(t)
		_, err := io.WriteString(conn, post(path, document, "Content-Type: "+mediaType))
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	for range inFlight {
		<-entered
	}
	r.stop()
	// No more connections are taken while the requests in flight go on.
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.address)
		if err != nil {
			break
		}
		require.NoError(t, conn.Close())
	}
	select {
	case err := <-r.done:
		t.Fatalf("ended with requests in flight: %v", err)
	default:
	}
	close(release)
	for _, conn := range conns {
		success(t, readAnswer(t, bufio.NewReader(conn), "POST"))
	}
	require.NoError(t, <-r.done)
}

func TestShutdownIsBounded(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan struct{})
	log := &lockedBuffer{}
	handler := newHandler(t, fakeStore{cancel: func(ctx context.Context, _ []string) error {
		close(entered)
		<-ctx.Done() // the connection is cut off
		close(ended)
		return ctx.Err()
	}}, log, server.WithGracePeriod(time.Millisecond))
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- handler.Serve(ctx, listener) }()
	conn := (&running{address: listener.Addr().String()}).dial(t)
	_, err = io.WriteString(conn, post(path, document, "Content-Type: "+mediaType))
	require.NoError(t, err)
	<-entered
	stop()
	require.ErrorContains(t, <-done, "requests in flight were cut off after 1ms")
	<-ended
	_, err = io.ReadAll(conn)
	assert.NoError(t, err, "no answer, rather than a false one")
	assert.NotContains(t, log.String(), "level=ERROR")
}

// A caller that ends its half of the connection before it is answered has gone: the
// request is given up, which is no failure of the server.
func TestCallerHasGone(t *testing.T) {
	entered, status := make(chan struct{}), make(chan int, 1)
	r := start(t, fakeStore{cancel: func(ctx context.Context, _ []string) error {
		close(entered)
		<-ctx.Done()
		return fmt.Errorf("query: %w", ctx.Err())
	}}, server.WithObserver(func(o server.Observation) { status <- o.Status }))
	conn := r.dial(t)
	_, err := io.WriteString(conn, post(path, document, "Content-Type: "+mediaType))
	require.NoError(t, err)
	<-entered
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Empty(t, answer)
	assert.Zero(t, <-status)
	assert.Contains(t, r.log.String(), `level=INFO msg="request given up" request_id=`)
	assert.NotContains(t, r.log.String(), "level=ERROR")
}

func TestServeFails(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	err = newHandler(t, newStore(t), io.Discard).Serve(t.Context(), listener)
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorContains(t, err, "serve "+listener.Addr().String())
}

func TestServeEndsAtOnce(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, newHandler(t, newStore(t), io.Discard).Serve(ctx, listener))
	require.ErrorIs(t, listener.Close(), net.ErrClosed, "the listener was left open")
}

func TestOptions(t *testing.T) {
	for name, option := range map[string]server.Option{
		"logger is nil":       server.WithLogger(nil),
		"grace period is 0s":  server.WithGracePeriod(0),
		"grace period is -1s": server.WithGracePeriod(-time.Second),
	} {
		_, err := server.New(newStore(t), option)
		require.ErrorContains(t, err, "server option: "+name)
	}
	_, err := server.New(newStore(t), server.WithLogger(slog.Default()))
	require.NoError(t, err)
}

func TestAccessLog(t *testing.T) {
	r := start(t, newStore(t))
	a := r.send(t, post(path+"?token=in-the-query", document, "Content-Type: "+mediaType, "X-Auth-Token: in-the-header"))
	for _, want := range []string{
		"msg=request", "request_id=" + a.Header.Get("X-Request-Id"), "remote=127.0.0.1:", "method=POST", "path=" + path + " ",
		"status=200", "bytes=0", "duration=",
	} {
		assert.Contains(t, r.log.String(), want)
	}
	for _, secret := range []string{"in-the-query", "in-the-header", "package_ids"} {
		assert.NotContains(t, r.log.String(), secret)
	}
	r.send(t, post("/"+strings.Repeat("long", 10_000)+"%0Aforged=line", ""))
	assert.Less(t, len(r.log.String()), 2000)
	assert.Equal(t, 2, strings.Count(r.log.String(), "\n"))
}
