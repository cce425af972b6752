package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// absent is a store that can be away.
type absent struct {
	store.Store
	away atomic.Bool
}

var errAway = errors.New("connection refused to the secret host")

func (a *absent) Ping(ctx context.Context) error {
	if a.away.Load() {
		return errAway
	}
	return a.Store.Ping(ctx)
}

func (a *absent) Cancel(ctx context.Context, project, workspace string, ids []string) error {
	if a.away.Load() {
		return errAway
	}
	return a.Store.Cancel(ctx, project, workspace, ids)
}

// Readiness follows the store, health does not; nobody is asked who they are.
func TestProbes(t *testing.T) {
	s := &absent{Store: store.NewMemory()}
	r := start(t, s, server.WithAuth(server.AuthAll, credentials()))
	probe := func(method, path string) answer { return r.send(t, request(method, path, "")) }
	for _, away := range []bool{false, true, false} {
		s.away.Store(away)
		for _, method := range []string{"GET", "HEAD"} {
			a := probe(method, "/healthz")
			assert.Equal(t, http.StatusOK, a.StatusCode)
			assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			if !away {
				assert.Equal(t, http.StatusOK, probe(method, "/readyz").StatusCode)
			}
		}
		if away {
			failure(t, probe("GET", "/readyz"), http.StatusServiceUnavailable, "APIG.0601", "The store does not answer")
		}
	}
	assert.Contains(t, r.log.String(), errAway.Error())
	assert.NotContains(t, r.log.String(), "path=/healthz", "probes are no news")
	failure(t, probe("POST", "/healthz"), http.StatusNotFound, "APIG.0101")
}

// While the store is away the log has one line, and not one for each request.
func TestStoreAwayIsToldOnce(t *testing.T) {
	s := &absent{Store: store.NewMemory()}
	r := start(t, s)
	s.away.Store(true)
	for range 5 {
		failure(t, r.send(t, request("GET", "/readyz", "")), http.StatusServiceUnavailable, "APIG.0601")
		failure(t, r.send(t, post(path, document, "Content-Type: "+mediaType)), http.StatusInternalServerError, "APIG.0601")
	}
	assert.Equal(t, 1, strings.Count(r.log.String(), "level=ERROR"), r.log.String())
	r.stop()
	require.NoError(t, <-r.done)
	assert.Contains(t, r.log.String(), `msg="requests failed" count=9`)
}

// A request keeps the ID that it comes with, if it can stand in a log.
func TestRequestID(t *testing.T) {
	r := start(t, newStore(t))
	for _, id := range []string{"4f0c2b9e-0000.a_b", "1", strings.Repeat("x", 64)} {
		a := r.send(t, post(path, "", "X-Request-Id: "+id))
		assert.Equal(t, []string{id}, a.Header.Values("X-Request-Id"))
		assert.Contains(t, r.log.String(), "request_id="+id)
	}
	for _, id := range []string{"", "a b", "-", "a=b", `"`, "é", strings.Repeat("x", 65)} {
		checkRequestID(t, r.send(t, post(path, "", "X-Request-Id: "+id)))
	}
	a := r.send(t, request("GET", "/nowhere", "", "X-Request-Id: mine"))
	assert.Contains(t, string(a.body), `"request_id":"mine"`)
}

func TestLimits(t *testing.T) {
	r := start(t, newStore(t), server.WithLimits(server.Limits{BodyBytes: 30, HeaderBytes: 1 << 10}))
	success(t, r.send(t, post(path, document, "Content-Type: "+mediaType)))
	failure(t, r.send(t, post(path, document+"    ", "Content-Type: "+mediaType)), http.StatusRequestEntityTooLarge, "APIG.0201", "30 bytes")
	// net/http reads 4 KiB more. No byte is left unread, which would reset the
	// connection before the answer is seen.
	long := "POST " + path + " HTTP/1.1\r\nHost: x\r\nX-Filler: "
	a := r.send(t, long+strings.Repeat("x", 5<<10-len(long)))
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, a.StatusCode)
}

// One request has so many packages at most, those that are given twice among them.
func TestMaxPackages(t *testing.T) {
	s := newStore(t)
	r := start(t, s, server.WithLimits(server.Limits{Packages: 2}))
	for _, ids := range []string{`["12","13","14"]`, `["12","12","12"]`, `["98","99","x"]`} {
		a := r.send(t, post(path, `{"package_ids":`+ids+`}`, "Content-Type: "+mediaType))
		failure(t, a, http.StatusBadRequest, "DLF.3051", "package_ids: ", "2 IDs at most", "got 3")
	}
	assert.Equal(t, untouched, states(t, s))
	success(t, r.send(t, post(path, document, "Content-Type: "+mediaType)))

	r = start(t, s)
	ids := strings.Repeat(`"12",`, 100_000)
	success(t, r.send(t, post(path, `{"package_ids":[`+strings.TrimSuffix(ids, ",")+`]}`, "Content-Type: "+mediaType)))
	a := r.send(t, post(path, `{"package_ids":[`+ids+`"12"]}`, "Content-Type: "+mediaType))
	failure(t, a, http.StatusBadRequest, "DLF.3051", "100000 IDs at most")
}

// Who takes too long over a request, or between two, is cut off.
func TestTimeouts(t *testing.T) {
	const short = 50 * time.Millisecond
	for name, tt := range map[string]struct {
		limits server.Limits
		send   string
	}{
		"no headers":   {server.Limits{HeaderTimeout: short}, ""},
		"half headers": {server.Limits{HeaderTimeout: short}, "POST " + path + " HTTP/1.1\r\nHost: x\r\n"},
		"half a body":  {server.Limits{ReadTimeout: short}, post(path, "", "Content-Type: "+mediaType, "Content-Length: 99")},
		"no more":      {server.Limits{IdleTimeout: short}, post(path, "")},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, newStore(t), server.WithLimits(tt.limits))
			conn := r.dial(t)
			_, err := io.WriteString(conn, tt.send)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, conn) // until the server ends it
			require.NoError(t, err)
		})
	}
}

// Beyond the number of connections a further one waits.
func TestConnections(t *testing.T) {
	r := start(t, newStore(t), server.WithLimits(server.Limits{Connections: 1}))
	first, second := r.dial(t), r.dial(t)
	from := bufio.NewReader(second)
	_, err := io.WriteString(second, post(path, ""))
	require.NoError(t, err)
	_, err = io.WriteString(first, post(path, ""))
	require.NoError(t, err)
	success(t, readAnswer(t, bufio.NewReader(first), "POST"))
	require.NoError(t, first.Close())
	success(t, readAnswer(t, from, "POST"))
}

func TestWithLimitsRefused(t *testing.T) {
	for want, limits := range map[string]server.Limits{
		"request timeout: limit is -1ns":               {RequestTimeout: -1},
		"bytes of headers: limit is -1":                {HeaderBytes: -1},
		"connections: limit is -1":                     {Connections: -1},
		"packages: limit is -1":                        {Packages: -1},
		"write timeout is 1m0s, want more than":        {WriteTimeout: time.Minute},
		"want more than the read and request timeouts": {ReadTimeout: time.Hour},
	} {
		_, err := server.New(store.NewMemory(), server.WithLimits(limits))
		require.ErrorContains(t, err, want)
	}
	_, err := server.New(store.NewMemory(), server.WithTLS(nil))
	require.ErrorContains(t, err, "TLS configuration is nil")
}

// borrowedTLS makes a server speak TLS with the certificate of httptest, which is
// one of example.com, and returns what a client trusts then.
func borrowedTLS() (option server.Option, roots *x509.CertPool) {
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS() // for its certificate
	certificate := borrowed.TLS.Certificates[0]
	roots = x509.NewCertPool()
	roots.AddCert(borrowed.Certificate())
	borrowed.Close()
	return server.WithTLS(&tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}), roots
}

func TestTLS(t *testing.T) {
	withTLS, roots := borrowedTLS()
	s := newStore(t)
	r := start(t, s, withTLS)
	for version, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		transport := &http.Transport{ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+r.address+path, strings.NewReader(document))
		require.NoError(t, err)
		req.Header.Set("Content-Type", mediaType)
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, version, resp.Proto)
		transport.CloseIdleConnections()
	}
	assert.Equal(t, both, states(t, s))

	plain, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.address)
	require.NoError(t, err)
	defer plain.Close()
	_, err = io.WriteString(plain, post(path, ""))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, readAnswer(t, bufio.NewReader(plain), "POST").StatusCode)
}
