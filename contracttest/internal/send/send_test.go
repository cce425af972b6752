package send_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// both runs a test against a handler in this process and against a server
// around it.
func both(t *testing.T, h http.HandlerFunc, test func(t *testing.T, target send.Target)) {
	t.Helper()
	t.Run("handler", func(t *testing.T) {
		target := send.Handler(h)
		t.Cleanup(target.Close)
		test(t, target)
	})
	t.Run("server", func(t *testing.T) {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.Start()
		t.Cleanup(server.Close)
		target, err := send.ParseURL(server.URL, nil)
		require.NoError(t, err)
		t.Cleanup(target.Close)
		test(t, target)
	})
}

func get(method string) *wire.Request { return &wire.Request{Method: method, Target: "/a"} }

func write(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// What comes of a request is the same, be the target a handler or a server.
func TestResponses(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := io.WriteString(z, "packed")
	require.NoError(t, err)
	require.NoError(t, z.Close())

	tests := []struct {
		name        string
		method      string
		handler     http.HandlerFunc
		status      int
		contentType []string
		body        string
		bodyErr     error
	}{
		{"nothing", "GET", func(http.ResponseWriter, *http.Request) {}, 200, nil, "", nil},
		{"status alone", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }, 418, nil, "", nil},
		{"HTML without a type", "GET", write("<html>"), 200, []string{"text/html; charset=utf-8"}, "<html>", nil},
		{"JSON without a type", "GET", write("{}"), 200, []string{"text/plain; charset=utf-8"}, "{}", nil},
		{"no type on purpose", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html>")
		}, 200, nil, "<html>", nil},
		{"type set too late", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
		}, 400, []string{"text/plain; charset=utf-8"}, "{}", nil},
		{"type of what is written in parts", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<")
			_, _ = io.WriteString(w, "html>")
		}, 200, []string{"text/html; charset=utf-8"}, "<html>", nil},
		{"second status", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			w.WriteHeader(http.StatusOK)
		}, 400, nil, "", nil},
		{"early hints", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusBadRequest)
		}, 400, nil, "", nil},
		{"two types", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{"a/b", "c/d"}
			_, _ = io.WriteString(w, "x")
		}, 200, []string{"a/b", "c/d"}, "x", nil},
		{"204 with a body", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_, err := io.WriteString(w, "{}")
			assert.ErrorIs(t, err, http.ErrBodyNotAllowed)
		}, 204, nil, "", nil},
		{"304 with a body", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotModified)
			_, _ = io.WriteString(w, "{}")
		}, 304, nil, "", nil},
		{"HEAD", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(http.StatusMethodNotAllowed)
			_, err := io.WriteString(w, "{}")
			assert.NoError(t, err)
		}, 405, []string{"a/b"}, "", nil},
		{"HEAD with a length", "HEAD", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "10") }, 200, nil, "", nil},
		{"shorter than it says", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "short")
		}, 200, []string{"text/plain; charset=utf-8"}, "short", io.ErrUnexpectedEOF},
		{"longer than it says", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, err := io.WriteString(w, "abcd")
			assert.ErrorIs(t, err, http.ErrContentLength)
		}, 200, nil, "", io.ErrUnexpectedEOF},
		{"redirect", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/b")
			w.WriteHeader(http.StatusFound)
		}, 302, nil, "", nil},
		{"compressed", "GET", func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped.Bytes())
		}, 200, nil, zipped.String(), nil},
		{"too large", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			for range 9 {
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
			}
		}, 200, []string{"a/b"}, strings.Repeat("x", 4<<10), send.ErrTooLarge},
		{"as large as may be", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			_, _ = io.WriteString(w, strings.Repeat("x", send.MaxBody))
		}, 200, []string{"a/b"}, strings.Repeat("x", send.MaxBody), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			both(t, tt.handler, func(t *testing.T, target send.Target) {
				resp, err := target.Do(t.Context(), get(tt.method), send.How{})
				require.NoError(t, err)
				assert.Equal(t, tt.status, resp.Status)
				assert.Equal(t, tt.contentType, resp.Header["Content-Type"])
				assert.True(t, bytes.Equal([]byte(tt.body), resp.Body), "%.100q (%d bytes)", resp.Body, len(resp.Body))
				if tt.bodyErr == nil {
					assert.NoError(t, resp.BodyErr)
				} else {
					assert.ErrorIs(t, resp.BodyErr, tt.bodyErr)
				}
			})
		})
	}
}

// What keeps a response from being whole is told apart.
func TestFailures(t *testing.T) {
	partly := func(then func(r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			then(r)
		}
	}
	hang := func(r *http.Request) { <-r.Context().Done() }
	tests := []struct {
		name            string
		handler         http.HandlerFunc
		handled, served error // of a handler in this process, and over the network
		body            string
	}{
		{"panic", func(http.ResponseWriter, *http.Request) { panic("no") }, send.ErrPanic, send.ErrDropped, ""},
		{"panic in the body", partly(func(*http.Request) { panic("no") }), send.ErrPanic, io.ErrUnexpectedEOF, "part"},
		{"dropped", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, send.ErrDropped, send.ErrDropped, ""},
		{"dropped in the body", partly(func(*http.Request) { panic(http.ErrAbortHandler) }), send.ErrDropped, io.ErrUnexpectedEOF, "part"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { hang(r) }, send.ErrTimeout, send.ErrTimeout, ""},
		{"no end", partly(hang), send.ErrTimeout, send.ErrTimeout, "part"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			both(t, tt.handler, func(t *testing.T, target send.Target) {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				resp, err := target.Do(ctx, get("GET"), send.How{})
				want := tt.served
				if target.String() == "handler" {
					want = tt.handled
				}
				if tt.body == "" {
					require.ErrorIs(t, err, want)
					assert.Nil(t, resp)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, tt.body, string(resp.Body))
				assert.ErrorIs(t, resp.BodyErr, want)
			})
		})
	}
}

func TestPanicSaysWhy(t *testing.T) {
	target := send.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("nil list") }))
	defer target.Close()
	_, err := target.Do(t.Context(), get("GET"), send.How{})
	assert.EqualError(t, err, "the handler panicked: nil list")
}

func TestStopped(t *testing.T) {
	both(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(t *testing.T, target send.Target) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := target.Do(ctx, get("GET"), send.How{})
		require.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, send.ErrTimeout, "who stops a run has not found a slow server")
	})
}

// A handler that goes on after its time writes into nothing.
func TestHandlerThatGoesOn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	goOn, done := make(chan struct{}), make(chan error, 1)
	target := send.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-goOn
		_, err := io.WriteString(w, "late")
		done <- err
	}))
	defer target.Close()
	_, err := target.Do(ctx, get("GET"), send.How{})
	require.ErrorIs(t, err, send.ErrTimeout)
	close(goOn)
	assert.ErrorIs(t, <-done, http.ErrHandlerTimeout)
}

type seen struct {
	Method, URI, Path, Query string
	Header                   http.Header
	Length                   int64
	Coding                   []string
	Body                     string
}

// The handler sees the request as a server would hand it over.
func TestRequests(t *testing.T) {
	tests := []struct {
		name string
		r    wire.Request
		want seen
	}{
		{
			"no body", wire.Request{Method: "GET", Target: "/a%2Fb?c=d%20e", Header: []wire.Field{{Name: "x-lower", Value: "1"}, {Name: "X-Lower", Value: "2"}}},
			seen{Method: "GET", URI: "/a%2Fb?c=d%20e", Path: "/a/b", Query: "c=d%20e", Header: http.Header{"X-Lower": {"2", "1"}}},
		},
		{
			"body", wire.Request{Method: "POST", Target: "/", Body: []byte("{}"), Header: []wire.Field{{Name: "Content-Type", Value: "a/b"}}},
			seen{Method: "POST", URI: "/", Path: "/", Header: http.Header{"Content-Type": {"a/b"}, "Content-Length": {"2"}}, Length: 2, Body: "{}"},
		},
		{
			"empty body", wire.Request{Method: "POST", Target: "/", Body: []byte{}},
			seen{Method: "POST", URI: "/", Path: "/", Header: http.Header{"Content-Length": {"0"}}},
		},
		{
			"chunked", wire.Request{Method: "POST", Target: "/", Body: []byte("{}"), Chunked: true},
			seen{Method: "POST", URI: "/", Path: "/", Header: http.Header{}, Length: -1, Coding: []string{"chunked"}, Body: "{}"},
		},
		{
			"empty header", wire.Request{Method: "GET", Target: "/", Header: []wire.Field{{Name: "X-Empty"}}},
			seen{Method: "GET", URI: "/", Path: "/", Header: http.Header{"X-Empty": {""}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got seen
			both(t, func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				h := r.Header.Clone()
				h.Del("User-Agent") // net/http's client gives its name
				assert.Equal(t, []string{"identity"}, h["Accept-Encoding"])
				h.Del("Accept-Encoding")
				got = seen{r.Method, r.RequestURI, r.URL.Path, r.URL.RawQuery, h, r.ContentLength, r.TransferEncoding, string(body)}
				assert.NotEmpty(t, r.RemoteAddr)
				assert.NotEmpty(t, r.Host)
				assert.Empty(t, r.URL.Host)
			}, func(t *testing.T, target send.Target) {
				got = seen{}
				_, err := target.Do(t.Context(), &tt.r, send.How{})
				require.NoError(t, err)
				want := tt.want
				if len(got.Header["X-Lower"]) == 2 { // maps have no order
					assert.ElementsMatch(t, want.Header["X-Lower"], got.Header["X-Lower"])
					want.Header, got.Header = nil, nil
				}
				assert.Equal(t, want, got)
			})
		})
	}
}

func TestPrepare(t *testing.T) {
	both(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) }, func(t *testing.T, target send.Target) {
		resp, err := target.Do(t.Context(), get("GET"), send.How{Prepare: func(r *http.Request) error {
			r.Header.Set("Authorization", "signed "+r.Method+" "+r.URL.Path)
			return nil
		}})
		require.NoError(t, err)
		assert.Equal(t, "signed GET /a", string(resp.Body))

		no := errors.New("no key")
		_, err = target.Do(t.Context(), get("GET"), send.How{Prepare: func(*http.Request) error { return no }})
		require.ErrorIs(t, err, no)
		assert.ErrorContains(t, err, "prepare: ")

		_, err = target.Do(t.Context(), &wire.Request{Method: "GET", Target: "no path"}, send.How{})
		assert.ErrorContains(t, err, "request target")
	})
}

// Who says which codings are acceptable is left alone, and then it was not the
// sender that asked for none.
func TestAcceptEncoding(t *testing.T) {
	both(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Asked"] = r.Header["Accept-Encoding"]
	}, func(t *testing.T, target send.Target) {
		own := &wire.Request{Method: "GET", Target: "/", Header: []wire.Field{{Name: "accept-encoding", Value: "gzip"}}}
		for _, tt := range []struct {
			name     string
			r        *wire.Request
			prepare  func(*http.Request) error
			want     []string
			identity bool
		}{
			{"nobody", get("GET"), nil, []string{"identity"}, true},
			{"the request", own, nil, []string{"gzip"}, false},
			{"prepare", get("GET"), func(r *http.Request) error { r.Header.Set("Accept-Encoding", "br"); return nil }, []string{"br"}, false},
			{"prepare takes it away", get("GET"), func(r *http.Request) error { r.Header.Del("Accept-Encoding"); return nil }, nil, false},
		} {
			for way, do := range map[string]func(context.Context, *wire.Request, send.How) (*wire.Response, error){"do": target.Do, "raw": target.Raw} {
				resp, err := do(t.Context(), tt.r, send.How{Prepare: tt.prepare})
				require.NoError(t, err)
				assert.Equal(t, tt.want, resp.Header["Asked"], "%s %s", way, tt.name)
				assert.Equal(t, tt.identity, resp.Identity, "%s %s", way, tt.name)
			}
		}
	})
}

// listen answers the first connection with raw bytes, then closes it.
func listen(t *testing.T, answer string) send.Target {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if answer != "" {
			buf := make([]byte, 1024)
			_, _ = conn.Read(buf)
			_, _ = io.WriteString(conn, answer)
		}
	}()
	target, err := send.ParseURL("http://"+l.Addr().String(), nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		target.Close()
		_ = l.Close()
		<-done
	})
	return target
}

func TestConnections(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		status       int
		body         string
		err, bodyErr string
	}{
		{name: "closed at once", err: send.ErrDropped.Error()},
		{name: "not HTTP", answer: "220 smtp ready\r\n", err: "not HTTP: "},
		{name: "closed in the header", answer: "HTTP/1.1 200 OK\r\nX-A", err: "not HTTP: "},
		{name: "length that lies", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", status: 200, body: "abc", bodyErr: "the body ends before its end"},
		{name: "cut inside a chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", status: 200, body: "abc", bodyErr: "the body ends before its end"},
		{name: "bad chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", status: 200, bodyErr: "not HTTP: "},
		{name: "up to the close", answer: "HTTP/1.0 200 OK\r\n\r\nabc", status: 200, body: "abc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := listen(t, tt.answer).Do(t.Context(), get("POST"), send.How{})
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.status, resp.Status)
			assert.Equal(t, tt.body, string(resp.Body))
			if tt.bodyErr == "" {
				assert.NoError(t, resp.BodyErr)
			} else {
				assert.ErrorContains(t, resp.BodyErr, tt.bodyErr)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	target, err := send.ParseURL("http://"+address, nil)
	require.NoError(t, err)
	t.Cleanup(target.Close)
	_, err = target.Do(t.Context(), get("GET"), send.How{})
	assert.ErrorIs(t, err, send.ErrRefused)
}

func TestParseURL(t *testing.T) {
	for _, tt := range []struct {
		raw, base string
		own       bool
	}{
		{"http://h", "", false},
		{"https://h:8443", "", false},
		{"http://h/", "", true},
		{"http://h/a%20b/c/", "/a%20b/c", true},
		{"http://[::1]:80/v1", "/v1", true},
	} {
		target, err := send.ParseURL(tt.raw, nil)
		require.NoError(t, err, tt.raw)
		base, own := target.BasePath()
		assert.Equal(t, tt.base, base, tt.raw)
		assert.Equal(t, tt.own, own, tt.raw)
		assert.Equal(t, tt.raw, target.String())
		target.Close()
	}
	for _, raw := range []string{"", "h:80", "ftp://h", "http://", "http:///a", "http://h?a", "http://h#a", "http://user:geheim@h", "http://h\x00", "http://[::1"} {
		_, err := send.ParseURL(raw, nil)
		require.Error(t, err, raw)
		assert.True(t, strings.HasPrefix(err.Error(), "target"), "%s", err)
		assert.NotContains(t, err.Error(), "geheim")
	}
	_, own := send.Handler(http.NotFoundHandler()).BasePath()
	assert.False(t, own)
}
