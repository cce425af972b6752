package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

// Whatever a request says, it is answered as documented: never with a failure
// of the server, and with the error shape unless it is a success.
func FuzzRequest(f *testing.F) {
	f.Add("POST", path, mediaType, "development", "token", document)
	f.Add("POST", path, "application/json", "", "", `{"package_ids":["12",13]}`)
	f.Add("POST", path, "application/json;charset=\"utf-8\"", "\xff", "", "{\"package_ids\":[\"\x00\"]}")
	f.Add("GET", "/v2/a%2Fb/factory/release-packages/unpack", "", "", "", "")
	f.Add("POST", "/v2/%ff%00/factory/release-packages/unpack", ";", "'", strings.Repeat("t", 4097), `{"a":1,"a":2}`)
	f.Add("X", "//?%", "text/plain, */*", "\r\n", "\x00", "null")
	s := store.NewMemory()
	fill(f, s)
	handler := newHandler(f, s, io.Discard)
	f.Fuzz(func(t *testing.T, method, target, contentType, workspace, token, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return // net/http refuses it
		}
		req := &http.Request{
			Method: method, URL: u, Host: "factory.example", RequestURI: target,
			Header:        http.Header{"Content-Type": {contentType}, "Workspace": {workspace}, "X-Auth-Token": {token}},
			Body:          io.NopCloser(strings.NewReader(body)),
			ContentLength: int64(len(body)),
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req.WithContext(t.Context()))
		require.Less(t, w.Code, http.StatusInternalServerError, "%s", w.Body)
		if w.Code == http.StatusOK {
			assert.Empty(t, w.Body.Bytes())
			return
		}
		if method != http.MethodHead {
			errorOf(t, w.Body.Bytes())
		}
	})
}
