package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

func TestParseRequest(t *testing.T) {
	tests := []struct {
		name, text string
		want       wire.Request
	}{
		{"LF alone", "POST /a HTTP/1.1\nX-A: 1\n\nbody", wire.Request{Method: "POST", Target: "/a", Header: []wire.Field{{Name: "X-A", Value: "1"}}, Body: []byte("body")}},
		{"CRLF", "POST /a HTTP/1.1\r\nX-A: 1\r\n\r\nbody\r\n", wire.Request{Method: "POST", Target: "/a", Header: []wire.Field{{Name: "X-A", Value: "1"}}, Body: []byte("body\r\n")}},
		{"no version", "GET /a?b=c", wire.Request{Method: "GET", Target: "/a?b=c"}},
		{"blanks in the request line", "GET   /a   HTTP/1.1  ", wire.Request{Method: "GET", Target: "/a"}},
		{"empty lines before", "\r\n\nGET /a HTTP/1.1\n", wire.Request{Method: "GET", Target: "/a"}},
		{"absolute target", "GET http://h:1/a/b?c=d HTTP/1.1\n", wire.Request{Method: "GET", Target: "/a/b?c=d"}},
		{"absolute target without a path", "GET https://h HTTP/1.1\n", wire.Request{Method: "GET", Target: "/"}},
		{"absolute target with a query alone", "GET https://h?a=/b HTTP/1.1\n", wire.Request{Method: "GET", Target: "/?a=/b"}},
		{"URL in the path", "GET /a?u=http://h/b HTTP/1.1\n", wire.Request{Method: "GET", Target: "/a?u=http://h/b"}},
		{"asterisk", "OPTIONS * HTTP/1.1\n", wire.Request{Method: "OPTIONS", Target: "*"}},
		{"Host is no header here", "GET / HTTP/1.1\nhOST: h\n", wire.Request{Method: "GET", Target: "/"}},
		{"letter case and order of names", "GET / HTTP/1.1\nx-b: 1\nX-A: 2\nX-B: 3\n", wire.Request{Method: "GET", Target: "/", Header: []wire.Field{{Name: "x-b", Value: "1"}, {Name: "X-A", Value: "2"}, {Name: "X-B", Value: "3"}}}},
		{"blanks around a value", "GET / HTTP/1.1\nX-A: \t a b \t\nX-Empty:\nX-Colon: a:b\n", wire.Request{Method: "GET", Target: "/", Header: []wire.Field{{Name: "X-A", Value: "a b"}, {Name: "X-Empty"}, {Name: "X-Colon", Value: "a:b"}}}},
		{"length shorter than the body", "POST / HTTP/1.1\nContent-Length: 2\n\nbody", wire.Request{Method: "POST", Target: "/", Body: []byte("bo")}},
		{"length of 0", "POST / HTTP/1.1\nContent-Length: 0\n\n", wire.Request{Method: "POST", Target: "/", Body: []byte{}}},
		{"length of 0 and no empty line", "POST / HTTP/1.1\nContent-Length: 0", wire.Request{Method: "POST", Target: "/", Body: []byte{}}},
		{"no body", "POST / HTTP/1.1\nA: b\n\n", wire.Request{Method: "POST", Target: "/", Header: []wire.Field{{Name: "A", Value: "b"}}}},
		{"chunked", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nbody", wire.Request{Method: "POST", Target: "/", Chunked: true, Body: []byte("body")}},
		{"chunked and empty", "POST / HTTP/1.1\nTransfer-Encoding: chunked", wire.Request{Method: "POST", Target: "/", Chunked: true, Body: []byte{}}},
		{"body with empty lines", "POST / HTTP/1.1\n\n\na\n\nb\n", wire.Request{Method: "POST", Target: "/", Body: []byte("\na\n\nb\n")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wire.ParseRequest([]byte(tt.text))
			require.NoError(t, err)
			assert.Equal(t, &tt.want, got)
		})
	}
}

func TestParseRequestRefuses(t *testing.T) {
	tests := []struct{ name, text, message string }{
		{"nothing", "", "no message"},
		{"empty lines", "\n\r\n\n", "no message"},
		{"one word", "GET", "malformed request line"},
		{"no method", " / HTTP/1.1", "malformed request line"},
		{"no target", "GET  ", "malformed request line"},
		{"blank in the target", "GET /a b HTTP/1.1", "malformed request line"},
		{"a response", "HTTP/1.1 200 OK", "malformed request line"},
		{"no colon", "GET / HTTP/1.1\nX-A", `malformed header line "X-A"`},
		{"no name", "GET / HTTP/1.1\n: a", "malformed header line"},
		{"blank before the colon", "GET / HTTP/1.1\nX-A : a", "malformed header line"},
		{"blank in a name", "GET / HTTP/1.1\nX A: a", "malformed header line"},
		{"folded line", "GET / HTTP/1.1\nX-A: a\n b: c", "malformed header line"},
		{"length of a word", "POST / HTTP/1.1\nContent-Length: x\n\n", "malformed Content-Length"},
		{"negative length", "POST / HTTP/1.1\nContent-Length: -1\n\n", "malformed Content-Length"},
		{"length beyond the body", "POST / HTTP/1.1\nContent-Length: 5\n\nbody", "Content-Length is 5, but 4 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wire.ParseRequest([]byte(tt.text))
			require.ErrorContains(t, err, tt.message)
			assert.ErrorContains(t, err, "request: ")
		})
	}
}

func TestParseResponse(t *testing.T) {
	tests := []struct {
		name, text string
		status     int
		header     http.Header
		body       string
		cut        bool
	}{
		{"LF alone", "HTTP/1.1 400 Bad Request\nContent-Type: a/b\n\n{}", 400, http.Header{"Content-Type": {"a/b"}}, "{}", false},
		{"CRLF", "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n{}\r\n", 200, http.Header{"X-A": {"1"}}, "{}\r\n", false},
		{"no reason", "HTTP/2 204\n", 204, http.Header{}, "", false},
		{"names in any letter case", "HTTP/1.1 200\nallow: GET\nALLOW: POST\n", 200, http.Header{"Allow": {"GET", "POST"}}, "", false},
		{"length as it is", "HTTP/1.1 200\nContent-Length: 2\n\n{}", 200, http.Header{"Content-Length": {"2"}}, "{}", false},
		{"length shorter than the body", "HTTP/1.1 200\nContent-Length: 1\n\n{}", 200, http.Header{"Content-Length": {"1"}}, "{", false},
		{"length beyond the body", "HTTP/1.1 200\nContent-Length: 3\n\n{}", 200, http.Header{"Content-Length": {"3"}}, "{}", true},
		{"length of what 304 does not send", "HTTP/1.1 304\nContent-Length: 3\n", 304, http.Header{"Content-Length": {"3"}}, "", false},
		{"odd status", "HTTP/1.1 999 ?\n", 999, http.Header{}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wire.ParseResponse("GET", []byte(tt.text))
			require.NoError(t, err)
			assert.Equal(t, tt.status, got.Status)
			assert.Equal(t, tt.header, got.Header)
			assert.Equal(t, tt.body, string(got.Body))
			if tt.cut {
				assert.ErrorIs(t, got.BodyErr, io.ErrUnexpectedEOF)
			} else {
				assert.NoError(t, got.BodyErr)
			}
		})
	}
}

func TestParseResponseToHead(t *testing.T) {
	got, err := wire.ParseResponse("HEAD", []byte("HTTP/1.1 200\nContent-Length: 3\n"))
	require.NoError(t, err)
	assert.NoError(t, got.BodyErr)
	assert.Empty(t, got.Body)
}

func TestParseResponseRefuses(t *testing.T) {
	tests := []struct{ name, text, message string }{
		{"nothing", "", "no message"},
		{"a request", "GET / HTTP/1.1", "malformed status line"},
		{"no version", "200 OK", "malformed status line"},
		{"no status", "HTTP/1.1 OK", "malformed status line"},
		{"two digits", "HTTP/1.1 99", "malformed status line"},
		{"four digits", "HTTP/1.1 1000", "malformed status line"},
		{"header", "HTTP/1.1 200\nX-A", "malformed header line"},
		{"length", "HTTP/1.1 200\nContent-Length: 1,1\n\n{}", "malformed Content-Length"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wire.ParseResponse("GET", []byte(tt.text))
			require.ErrorContains(t, err, tt.message)
			assert.ErrorContains(t, err, "response: ")
		})
	}
}

// text writes a request as ParseRequest reads it.
func text(r *wire.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.Method, r.Target)
	for _, f := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	switch {
	case r.Chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case r.Body != nil:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("POST /a?b=c HTTP/1.1\nContent-Type: application/json\nX: y\n\n{}"))
	f.Add([]byte("GET http://h?x HTTP/1.1\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nabc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := wire.ParseRequest(data)
		if err != nil {
			return
		}
		again, err := wire.ParseRequest(text(first))
		require.NoError(t, err, "%q", text(first))
		require.Equal(t, first, again)
	})
}

func FuzzParseResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 200\nContent-Length: 9\nA: b\na: c\n\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := wire.ParseResponse("GET", data)
		if err != nil {
			return
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "HTTP/1.1 %d\r\n", first.Status)
		for name, values := range first.Header {
			for _, v := range values {
				fmt.Fprintf(&b, "%s: %s\r\n", name, v)
			}
		}
		b.WriteString("\r\n")
		b.Write(first.Body)
		again, err := wire.ParseResponse("GET", b.Bytes())
		require.NoError(t, err, "%q", b.Bytes())
		require.Equal(t, first.Status, again.Status)
		require.Equal(t, first.Header, again.Header)
		require.Equal(t, string(first.Body), string(again.Body))
		require.Equal(t, first.BodyErr == nil, again.BodyErr == nil)
	})
}
