package server_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/server"
)

// Whatever a request says, whether anybody is asked who they are or not, it is
// answered as documented: never with a failure of the server, with the error shape
// unless it is a success, and no goroutine is left behind.
func FuzzHandler(f *testing.F) {
	const headers = "Content-Type: " + mediaType + "\nWorkspace: development\nX-Auth-Token: " + token
	f.Add("POST", path, headers, []byte(document))
	f.Add("POST", path, "Content-Type: application/json", []byte(`{"package_ids":["12",13]}`))
	f.Add("POST", path, "content-type: application/json;charset=\"utf-8\"\nWorkspace: \xff", []byte("{\"package_ids\":[\"\x00\"]}"))
	f.Add("GET", "/v2/a%2Fb/factory/release-packages/unpack", "", []byte{})
	f.Add("POST", "/v2/%ff%00/factory/release-packages/unpack", "Content-Type: ;\nWorkspace: '\nX-Auth-Token: "+strings.Repeat("t", 4097), []byte(`{"a":1,"a":2}`))
	f.Add("X", "//?%", "Content-Type: text/plain, */*\nWorkspace: \r\nX-Auth-Token: \x00\nX-Request-Id: 1", []byte("null"))
	f.Add("POST", path, "Authorization: SDK-HMAC-SHA256 Access="+accessKey+", SignedHeaders=host;x-sdk-date, Signature=00\nX-Sdk-Date: 20260101T000000Z", []byte(document))
	f.Add("POST", path+"?a=%00&b", "Content-Encoding: gzip\nTransfer-Encoding: chunked\nExpect: x\nContent-Length: -1", []byte("[[[[[[[["))
	f.Add("POST", "/v3/auth/tokens", "", []byte(question("deployer", password, "example", project)))
	f.Add("GET", "/docs/index.html", "Range: bytes=9-1\nIf-None-Match: *\nAccept-Encoding: gzip", []byte{})
	f.Add("HEAD", "/readyz", "", []byte{})
	all := credentials()
	all.Users = users().Users
	log := &alarm{}
	handlers := []http.Handler{
		newHandler(f, newMemory(f), log),
		newHandler(f, newMemory(f), log, server.WithAuth(server.AuthAll, all)),
	}
	n := 0
	var others goleak.Option // goroutines: those of the testing package
	f.Fuzz(func(t *testing.T, method, target, headers string, body []byte) {
		if n == 0 {
			others = goleak.IgnoreCurrent()
		}
		if n++; n%1000 == 0 {
			require.NoError(t, goleak.Find(others)) // of those before; it waits for what is just ending
		}
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return // net/http refuses it
		}
		header := http.Header{}
		for line := range strings.SplitSeq(headers, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			header.Add(name, value)
		}
		for _, handler := range handlers {
			req := &http.Request{
				Method: method, URL: u, Host: "factory.example", RequestURI: target, Header: header.Clone(),
				Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), RemoteAddr: "192.0.2.1:1234",
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, req.WithContext(t.Context()))
			require.Less(t, w.Code, http.StatusInternalServerError, "%s", w.Body)
			// IAM and the page for people have errors of their own.
			ours := !strings.HasPrefix(u.Path, "/v3/") && !strings.HasPrefix(u.Path, "/docs/")
			switch {
			case w.Code == http.StatusOK && method == http.MethodPost:
				assert.Empty(t, w.Body.Bytes())
			case w.Code >= http.StatusBadRequest && method != http.MethodHead && ours:
				errorOf(t, w.Body.Bytes())
			}
		}
		log.check(t)
	})
}

// alarm is a log of which what must not be there is kept.
type alarm struct{ rang atomic.Pointer[string] }

func (a *alarm) Write(p []byte) (int, error) {
	if line := string(p); strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
		a.rang.CompareAndSwap(nil, &line)
	}
	return len(p), nil
}

func (a *alarm) check(t *testing.T) {
	t.Helper()
	if line := a.rang.Swap(nil); line != nil {
		t.Errorf("in the log: %s", *line)
	}
}

// serverFailed are the answers that must not be. For a version and for a transfer
// coding that it does not know net/http has 505 and 501, as RFC 9110 §15.6.6 and
// RFC 9112 §6.1 want.
var serverFailed = regexp.MustCompile(`HTTP/1\.1 5(?:0[^15]|[^0].) [^\r\n]*\r\n`)

// Whatever bytes come, the connection is ended when they end, nothing is answered
// as a failure of the server, no goroutine is left behind, and the server serves
// the next one.
func FuzzListener(f *testing.F) {
	whole := post(path, document, "Content-Type: "+mediaType)
	for _, seed := range []string{
		whole, whole + whole, "\r\n" + whole, whole[:len(whole)-1],
		request("POST", path, "1a\r\n"+document+"\r\n0\r\n\r\n", "Content-Type: "+mediaType, "Transfer-Encoding: chunked"),
		request("POST", path, "ff;a=b\r\n"+document, "Content-Length: 5", "Transfer-Encoding: chunked"),
		request("POST", path, "", "Expect: 100-continue", "Content-Length: 26"),
		request("GET", "/healthz", "", "Connection: close"), request("HEAD", "/", ""), request("OPTIONS", "*", ""),
		request("GET", "/", "", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
		"GET http://[::1]:80/ HTTP/1.0\n\n", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/9.9\r\n\r\n", strings.Repeat("\x00", 5000),
	} {
		f.Add([]byte(seed))
	}
	log := &alarm{}
	handler := newHandler(f, newMemory(f), log, server.WithObserver(func(o server.Observation) {
		if o.Status >= http.StatusInternalServerError {
			_, _ = log.Write([]byte("level=ERROR of " + o.Operation))
		}
	}))
	listener, err := new(net.ListenConfig).Listen(f.Context(), "tcp", "127.0.0.1:0")
	require.NoError(f, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- handler.Serve(ctx, listener) }()
	transport := &http.Transport{}
	f.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		assert.NoError(f, <-done)
	})
	address := listener.Addr().String()
	dialer := new(net.Dialer)
	n := 0
	var others goleak.Option // goroutines: those of the listener and of the testing package
	f.Fuzz(func(t *testing.T, data []byte) {
		healthy := func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/healthz", http.NoBody)
			require.NoError(t, err)
			resp, err := transport.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusOK, resp.StatusCode)
		}
		if n == 0 {
			healthy() // when it answers, all its goroutines have been started
			others = goleak.IgnoreCurrent()
		}
		conn, err := dialer.DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		defer conn.Close()
		// What has not ended by then is held for good.
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		go func() {
			_, _ = conn.Write(data)
			_ = conn.(*net.TCPConn).CloseWrite()
		}()
		answers, err := io.ReadAll(conn)                             // to its end, in order or by a reset
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // of the connection itself
			t.Fatal("the connection is held")
		}
		assert.NotRegexp(t, serverFailed, string(answers))

		healthy()
		log.check(t)
		if n++; n%1000 == 0 {
			transport.CloseIdleConnections()
			require.NoError(t, goleak.Find(others)) // it waits for what is just ending
		}
	})
}
