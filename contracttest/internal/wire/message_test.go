package wire_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

func TestRequestHeader(t *testing.T) {
	r := &wire.Request{Method: "GET", Target: "/a?b=c?d"}
	r.Add("x-a", "1")
	r.Add("X-B", "2")
	r.Add("X-A", "3")
	assert.Equal(t, []string{"1", "3"}, r.Values("X-a"))
	assert.Equal(t, "1", r.Get("X-A"))
	assert.Empty(t, r.Get("X-C"))

	c := r.Clone()
	c.Set("X-A", "4")
	assert.Equal(t, []wire.Field{{Name: "X-B", Value: "2"}, {Name: "X-A", Value: "4"}}, c.Header)
	c.Header[0].Value = "changed"
	c.Del("x-b")
	assert.Equal(t, []wire.Field{{Name: "x-a", Value: "1"}, {Name: "X-B", Value: "2"}, {Name: "X-A", Value: "3"}}, r.Header, "a copy shares no header")

	assert.Equal(t, "/a", r.Path())
	assert.Equal(t, "b=c?d", r.RawQuery())
	assert.Empty(t, (&wire.Request{Target: "/a"}).RawQuery())
}

// sent returns what net/http writes for a request.
func sent(t *testing.T, r *wire.Request) string {
	t.Helper()
	req, err := r.HTTP(t.Context(), &url.URL{Scheme: "http", Host: "h:1", Path: "/not/looked/at"})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, req.Write(&b))
	return b.String()
}

func TestHTTPWritesWhatTheRequestSays(t *testing.T) {
	tests := []struct {
		name   string
		r      wire.Request
		has    []string
		hasNot []string
	}{
		{
			"letter case of names", wire.Request{Method: "POST", Target: "/a", Header: []wire.Field{{Name: "x-AUTH-token", Value: "1"}, {Name: "X-Auth-Token", Value: "2"}}},
			[]string{"POST /a HTTP/1.1\r\n", "Host: h:1\r\n", "\r\nx-AUTH-token: 1\r\n", "\r\nX-Auth-Token: 2\r\n"}, nil,
		},
		{
			"escapes of the target", wire.Request{Method: "GET", Target: "/a%2fb/%7E?c=%zz&d"},
			[]string{"GET /a%2fb/%7E?c=%zz&d HTTP/1.1\r\n"}, []string{"Content-Length", "Transfer-Encoding"},
		},
		{"unknown method", wire.Request{Method: "post", Target: "/"}, []string{"post / HTTP/1.1\r\n"}, nil},
		{"no body", wire.Request{Method: "POST", Target: "/"}, []string{"Content-Length: 0\r\n"}, []string{"Transfer-Encoding"}},
		{"empty body", wire.Request{Method: "POST", Target: "/", Body: []byte{}}, []string{"Content-Length: 0\r\n"}, []string{"Transfer-Encoding"}},
		{"body", wire.Request{Method: "POST", Target: "/", Body: []byte("{}")}, []string{"Content-Length: 2\r\n", "\r\n\r\n{}"}, []string{"Transfer-Encoding"}},
		{"chunked body", wire.Request{Method: "POST", Target: "/", Body: []byte("{}"), Chunked: true}, []string{"Transfer-Encoding: chunked\r\n", "\r\n\r\n2\r\n{}\r\n0\r\n\r\n"}, []string{"Content-Length"}},
		{"chunked empty body", wire.Request{Method: "POST", Target: "/", Body: []byte{}, Chunked: true}, []string{"Transfer-Encoding: chunked\r\n", "\r\n\r\n0\r\n\r\n"}, []string{"Content-Length"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sent(t, &tt.r)
			for _, want := range tt.has {
				assert.Contains(t, got, want)
			}
			for _, never := range tt.hasNot {
				assert.NotContains(t, got, never)
			}
		})
	}
}

func TestHTTPBodyCanBeSentAgain(t *testing.T) {
	req, err := (&wire.Request{Method: "POST", Target: "/", Body: []byte("{}")}).HTTP(t.Context(), &url.URL{Scheme: "http", Host: "h"})
	require.NoError(t, err)
	_, err = io.ReadAll(req.Body)
	require.NoError(t, err)
	again, err := req.GetBody()
	require.NoError(t, err)
	body, err := io.ReadAll(again)
	require.NoError(t, err)
	assert.Equal(t, "{}", string(body))
}

func TestHTTPRefusesATargetThatIsNone(t *testing.T) {
	for _, target := range []string{"", "no-slash", "/%zz", "/a\x00b"} {
		_, err := (&wire.Request{Method: "GET", Target: target}).HTTP(t.Context(), &url.URL{Scheme: "http", Host: "h"})
		assert.ErrorContains(t, err, "request target", "%q", target)
	}
}

// What is parsed from text is what a server reads off the wire.
func TestParsedRequestIsSentAsItStands(t *testing.T) {
	r, err := wire.ParseRequest([]byte("POST /a?b HTTP/1.1\nx-a: 1\nX-A: 2\nContent-Type: a/b\n\n{}"))
	require.NoError(t, err)
	got, err := http.ReadRequest(bufio.NewReader(strings.NewReader(sent(t, r))))
	require.NoError(t, err)
	body, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	assert.Equal(t, "/a?b", got.RequestURI)
	assert.ElementsMatch(t, []string{"1", "2"}, got.Header.Values("X-A"))
	assert.Equal(t, "{}", string(body))
}
