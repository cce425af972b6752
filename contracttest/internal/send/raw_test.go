package send_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// hijacked answers every connection with what answer writes to it, after it has
// read a request.
func hijacked(t *testing.T, answer func(conn net.Conn, r *http.Request)) send.Target {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				answer(conn, r)
			}
			_ = conn.Close()
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

func TestRawFaults(t *testing.T) {
	const whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
	for _, tt := range []struct {
		name, method, answer string
		body                 string
		faults               []string // how each begins
		bodyErr              error
	}{
		{name: "length", answer: whole, body: "{}"},
		{name: "chunked", answer: chunked, body: "{}"},
		{name: "chunks with extensions and a trailer", answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1;a=b\r\n{\r\n1 \r\n}\r\n0\r\nX-Sum: 1\r\n\r\n", body: "{}"},
		{name: "up to the close", answer: "HTTP/1.1 200 OK\r\n\r\n{}", body: "{}"},
		{name: "HTTP/1.0", answer: "HTTP/1.0 200 OK\r\n\r\n{}", body: "{}"},
		{name: "no reason", answer: "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", body: "{}"},
		{name: "early hints", answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + whole, body: "{}"},
		{name: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n"},
		{name: "204 of no length", answer: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"},
		{name: "304 that tells a length", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n"},
		{name: "HEAD", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"},
		{name: "empty and odd values", answer: "HTTP/1.1 200 OK\r\nX-A:\r\nX_b:\t1\xff \r\nContent-Length: 2\r\n\r\n{}", body: "{}"},

		{name: "bytes after the length", answer: whole + "x", body: "{}", faults: []string{"bytes follow"}},
		{name: "bytes after the chunks", answer: chunked + "more of it", body: "{}", faults: []string{"bytes follow"}},
		{name: "second response", answer: whole + whole, body: "{}", faults: []string{"a second response"}},
		{name: "length and chunks", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", body: "{}", faults: []string{"there is a Content-Length together"}},
		{name: "folded header", answer: "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{"a header line is folded"}},
		{name: "blank at the start", answer: "HTTP/1.1 200 OK\r\n X-A: b\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{"a header line is folded"}},
		{name: "blank in a name", answer: "HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`there is a blank in the header name "X A"`}},
		{name: "blank after a name", answer: "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}", body: "{}", faults: []string{`there is a blank in the header name "Content-Length "`}},
		{name: "no name", answer: "HTTP/1.1 200 OK\r\nX(: b\r\n: c\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`"X(" is no header name`, `"" is no header name`}},
		{name: "no colon", answer: "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{"a header line has no colon"}},
		{name: "control character", answer: "HTTP/1.1 200 OK\r\nX-A: b\x00\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`the header "X-A" holds a control`}},
		{name: "CR in a value", answer: "HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`the header "X-A" holds a control`}},
		{name: "version", answer: "HTTP/2.7 200 OK\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`the version is "HTTP/2.7"`}},
		{name: "version in lower case", answer: "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`the version is "http/1.1"`}},
		{name: "status of two digits", answer: "HTTP/1.1 99 OK\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`the status code "99"`}},
		{name: "status beyond 599", answer: "HTTP/1.1 777 OK\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{`the status code "777"`}},
		{name: "no blank after the code", answer: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", body: "{}", faults: []string{"there is no blank after the status code"}},
		{name: "empty line first", answer: "\r\n" + whole, body: "{}", faults: []string{"an empty line comes before"}},
		{name: "LF alone", answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", body: "{}", faults: []string{"a line ends with LF alone"}},
		{name: "HEAD with a body", method: "HEAD", answer: whole, faults: []string{"the response to HEAD has a body"}},
		{name: "204 with a body", answer: "HTTP/1.1 204 No Content\r\n\r\n{}", faults: []string{"204 has a body"}},
		{name: "204 with a length", answer: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", faults: []string{"204 has a Content-Length"}},
		{name: "204 in chunks", answer: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", faults: []string{"204 has a Transfer-Encoding", "204 has a body"}},
		{name: "304 with a body", answer: "HTTP/1.1 304 Not Modified\r\n\r\n{}", faults: []string{"304 has a body"}},
		{name: "hints with a length", answer: "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\n" + whole, body: "{}", faults: []string{"103 has a Content-Length"}},
		{name: "longer than the body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", body: "{}", faults: []string{"the body ends after 2 of 9 bytes"}, bodyErr: io.ErrUnexpectedEOF},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", body: "{}", faults: []string{"Content-Length is given more than once"}},
		{name: "a list of lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n{}", body: "{}", faults: []string{"Content-Length is given more than once"}},
		{name: "length that is no number", answer: "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}", body: "{}", faults: []string{`Content-Length is "+2"`}},
		{name: "another coding", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", body: "{}", faults: []string{`the Transfer-Encoding is "gzip, chunked"`}},
		{name: "a coding that is none", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n{}", body: "{}", faults: []string{`the Transfer-Encoding is "identity"`}},
		{name: "chunks in HTTP/1.0", answer: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", body: "{}", faults: []string{"there is a Transfer-Encoding in HTTP/1.0"}},
		{name: "no last chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", body: "{}", faults: []string{"the body ends before its last chunk"}, bodyErr: io.ErrUnexpectedEOF},
		{name: "cut inside a chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", body: "{}", faults: []string{"the body ends before its last chunk"}, bodyErr: io.ErrUnexpectedEOF},
		{name: "no end after the last chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", body: "{}", faults: []string{"the body ends before its last chunk"}, bodyErr: io.ErrUnexpectedEOF},
		{name: "chunk longer than it says", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", body: "{", faults: []string{"a chunk is longer"}},
		{name: "chunk of no size", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", faults: []string{`a chunk's size is "0x2"`}},
		{name: "too large", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + strings.Repeat("x", 9_000_000), body: strings.Repeat("x", 4<<10), bodyErr: send.ErrTooLarge},
		{name: "too large without a length", answer: "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 9_000_000), body: strings.Repeat("x", 4<<10), bodyErr: send.ErrTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			method := "GET"
			if tt.method != "" {
				method = tt.method
			}
			target := hijacked(t, func(conn net.Conn, r *http.Request) {
				assert.True(t, r.Close)
				_, _ = io.WriteString(conn, tt.answer)
			})
			resp, err := target.Raw(t.Context(), get(method), send.How{})
			require.NoError(t, err)
			assert.Equal(t, tt.body, string(resp.Body))
			if assert.Len(t, resp.Faults, len(tt.faults), "%q", resp.Faults) {
				for i, want := range tt.faults {
					assert.True(t, strings.HasPrefix(resp.Faults[i], want), "%q", resp.Faults[i])
				}
			}
			if tt.bodyErr != nil {
				assert.ErrorIs(t, resp.BodyErr, tt.bodyErr)
			}
		})
	}
}

func TestRawFailures(t *testing.T) {
	for _, tt := range []struct {
		name, answer, err string
	}{
		{"dropped", "", send.ErrDropped.Error()},
		{"not HTTP", "220 smtp ready\r\n", "not HTTP: malformed status line"},
		{"cut in the status line", "HTTP/1.1 20", "not HTTP: the connection was closed inside the header"},
		{"cut in the header", "HTTP/1.1 200 OK\r\nX-A", "not HTTP: the connection was closed inside the header"},
		{"cut before the end of the header", "HTTP/1.1 200 OK\r\nX-A: b\r\n", "not HTTP: the connection was closed inside the header"},
		{"endless header", "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 2<<20), "not HTTP: header of more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			target := hijacked(t, func(conn net.Conn, _ *http.Request) { _, _ = io.WriteString(conn, tt.answer) })
			resp, err := target.Raw(t.Context(), get("GET"), send.How{})
			require.ErrorContains(t, err, tt.err)
			assert.Nil(t, resp)
		})
	}
}

// A server that keeps its silence costs the time of the context, one that keeps
// the connection open after a whole response but a moment.
func TestRawSlow(t *testing.T) {
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	answering := func(answer string) send.Target {
		return hijacked(t, func(conn net.Conn, _ *http.Request) {
			_, _ = io.WriteString(conn, answer)
			select {
			case <-hold:
			case <-time.After(time.Second):
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := answering("").Raw(ctx, get("GET"), send.How{})
	require.ErrorIs(t, err, send.ErrTimeout)

	ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	resp, err := answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}").Raw(ctx, get("GET"), send.How{})
	require.NoError(t, err)
	require.ErrorIs(t, resp.BodyErr, send.ErrTimeout)
	assert.Empty(t, resp.Faults, "the rest may have been on its way")

	resp, err = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").Raw(t.Context(), get("GET"), send.How{})
	require.NoError(t, err)
	require.NoError(t, resp.BodyErr)
	assert.Empty(t, resp.Faults)
	assert.Less(t, resp.Elapsed, time.Second)
}

// What Raw sends is what Do sends, over TLS too, and what net/http's server
// answers has no fault.
func TestRawRequests(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		w.Header().Set("Seen", strings.Join(append(r.TransferEncoding, r.Method, r.RequestURI, r.Host, r.Header.Get("X-Lower"), r.UserAgent()), " "))
		_, _ = w.Write(body)
	})
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			server := start(echo)
			defer server.Close()
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			target, err := send.ParseURL(server.URL, nil)
			require.NoError(t, err)
			defer target.Close()
			send.Trust(target, server.Client())
			for _, r := range []*wire.Request{
				get("GET"), get("HEAD"),
				{Method: "POST", Target: "/a%2Fb?c=%20", Body: []byte("{}"), Header: []wire.Field{{Name: "x-lower", Value: "1"}}},
				{Method: "POST", Target: "/", Body: []byte(strings.Repeat("x", 100_000)), Chunked: true},
				{Method: "POST", Target: "/", Body: []byte{}},
			} {
				want, err := target.Do(t.Context(), r, send.How{})
				require.NoError(t, err)
				got, err := target.Raw(t.Context(), r, send.How{})
				require.NoError(t, err)
				assert.Empty(t, got.Faults)
				assert.Equal(t, want.Status, got.Status)
				assert.Equal(t, want.Header["Seen"], got.Header["Seen"])
				assert.Equal(t, string(want.Body), string(got.Body))
			}
		})
	}
}

// A server may close a connection between two requests, announced or not.
func TestIdleConnections(t *testing.T) {
	quiet := log.New(io.Discard, "", 0)
	t.Run("closed after each answer", func(t *testing.T) {
		var served atomic.Int32
		target := hijacked(t, func(conn net.Conn, _ *http.Request) {
			served.Add(1)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		})
		for range 50 {
			resp, err := target.Do(t.Context(), &wire.Request{Method: "POST", Target: "/", Body: []byte("{}"), Chunked: true}, send.How{})
			require.NoError(t, err)
			assert.Equal(t, "{}", string(resp.Body))
		}
		assert.EqualValues(t, 50, served.Load())
	})
	t.Run("closed soon", func(t *testing.T) {
		server := httptest.NewUnstartedServer(write("{}"))
		server.Config.IdleTimeout = time.Millisecond
		closed := make(chan struct{}, 200) // one for each connection, of which there are fewer
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed <- struct{}{}
			}
		}
		server.Start()
		defer server.Close()
		target, err := send.ParseURL(server.URL, nil)
		require.NoError(t, err)
		defer target.Close()
		for i := range 100 {
			if i%3 == 2 {
				<-closed // ask just when the server has given a connection up
			}
			_, err := target.Do(t.Context(), &wire.Request{Method: "POST", Target: "/", Body: []byte("{}")}, send.How{})
			require.NoError(t, err)
		}
	})
	t.Run("one request dropped", func(t *testing.T) {
		var dropped atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				dropped.Add(1)
				panic(http.ErrAbortHandler)
			}
		}))
		server.Config.ErrorLog = quiet
		server.Start()
		defer server.Close()
		target, err := send.ParseURL(server.URL, nil)
		require.NoError(t, err)
		defer target.Close()
		_, err = target.Do(t.Context(), get("GET"), send.How{})
		require.NoError(t, err)
		_, err = target.Do(t.Context(), get("POST"), send.How{})
		require.ErrorIs(t, err, send.ErrDropped)
		assert.EqualValues(t, 2, dropped.Load(), "on the used connection, and on one of its own")
	})
}
