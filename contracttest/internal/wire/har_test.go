package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const har = `{"log": {"version": "1.2", "entries": [
  {"request": {"method": "POST", "url": "https://h:8443/a%2Fb?c=d#e",
    "headers": [{"name": ":authority", "value": "h"}, {"name": "host", "value": "h"}, {"name": "content-length", "value": "2"}, {"name": "x-a", "value": "1"}],
    "postData": {"mimeType": "application/json", "text": "{}"}},
   "response": {"status": 400,
    "headers": [{"name": ":status", "value": "400"}, {"name": "content-type", "value": "application/json"}, {"name": "content-encoding", "value": "br"},
      {"name": "content-length", "value": "11"}, {"name": "set-cookie", "value": "a=1"}, {"name": "set-cookie", "value": "b=2"}],
    "content": {"size": 3, "mimeType": "application/json", "text": "eyIxIjoyfQ==", "encoding": "base64"}}},
  {"request": {"method": "GET", "url": "https://h/blocked", "headers": []}, "response": {"status": 0, "headers": [], "content": {}}},
  {"request": {"method": "PUT", "url": "http://h?x=/y", "headers": [{"name": "Content-Type", "value": "text/plain"}],
    "postData": {"mimeType": "application/json", "text": "/w==", "encoding": "base64"}},
   "response": {"status": 204, "headers": [], "content": {"size": 0}}},
  {"request": {"method": "GET", "url": "http://h", "headers": []}, "response": {"status": 200, "headers": [], "content": {"text": "ok"}}}
]}}`

func TestParseHAR(t *testing.T) {
	pairs, err := wire.ParseHAR("f.har", []byte(har))
	require.NoError(t, err)
	require.Len(t, pairs, 3, "a blocked request is no exchange")

	assert.Equal(t, "f.har:1", pairs[0].Name)
	assert.Equal(t, &wire.Request{
		Method: "POST", Target: "/a%2Fb?c=d", Body: []byte("{}"),
		Header: []wire.Field{{Name: "x-a", Value: "1"}, {Name: "Content-Type", Value: "application/json"}},
	}, pairs[0].Request)
	assert.Equal(t, &wire.Response{
		Status: 400, Body: []byte(`{"1":2}`),
		Header: http.Header{"Content-Type": {"application/json"}, "Set-Cookie": {"a=1", "b=2"}},
	}, pairs[0].Response)

	assert.Equal(t, "f.har:3", pairs[1].Name, "the place in the file counts the blocked ones")
	assert.Equal(t, "/?x=/y", pairs[1].Request.Target)
	assert.Equal(t, "\xff", string(pairs[1].Request.Body))
	assert.Equal(t, []string{"text/plain"}, pairs[1].Request.Values("content-type"), "the header says more than the archive's own field")
	assert.Empty(t, pairs[1].Response.Body)

	assert.Equal(t, "/", pairs[2].Request.Target)
	assert.Nil(t, pairs[2].Request.Body)
	assert.Equal(t, "ok", string(pairs[2].Response.Body))
	for _, p := range pairs {
		assert.Nil(t, p.Verdict)
	}
}

func TestParseHARRefuses(t *testing.T) {
	entry := func(request, response string) string {
		return `{"log":{"entries":[{"request":` + request + `,"response":` + response + `}]}}`
	}
	tests := []struct{ name, text, message string }{
		{"not JSON", "<har/>", "f: not a HAR file"},
		{"no log", `{"entries":[]}`, "no log"},
		{"status as text", entry(`{}`, `{"status":"200"}`), "not a HAR file"},
		{"no scheme", entry(`{"url":"/a"}`, `{"status":200}`), `f:1: malformed URL "/a"`},
		{"request body", entry(`{"url":"http://h/","postData":{"text":"?","encoding":"base64"}}`, `{"status":200}`), "f:1: request body: base64"},
		{"response body", entry(`{"url":"http://h/"}`, `{"status":200,"content":{"text":"?","encoding":"base64"}}`), "f:1: response body: base64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wire.ParseHAR("f", []byte(tt.text))
			require.ErrorContains(t, err, tt.message)
		})
	}
}

func TestParseHARWithoutEntries(t *testing.T) {
	pairs, err := wire.ParseHAR("f", []byte(`{"log":{"entries":[]}}`))
	require.NoError(t, err)
	assert.Empty(t, pairs)
}

func FuzzParseHAR(f *testing.F) {
	f.Add([]byte(har))
	f.Fuzz(func(t *testing.T, data []byte) {
		pairs, err := wire.ParseHAR("f", data)
		if err != nil {
			return
		}
		for _, p := range pairs {
			require.True(t, strings.HasPrefix(p.Request.Target, "/"), "%q", p.Request.Target)
			require.NotContains(t, p.Request.Target, "#")
			require.NotZero(t, p.Response.Status)
		}
	})
}
