package wire_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

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
	for _, creator := range []string{`null`, `"a"`, `{"name":1}`} { // which no reader needs
		pairs, err := wire.ParseHAR("f", []byte(`{"log":{"creator":`+creator+`,"entries":[]}}`))
		require.NoError(t, err)
		assert.Empty(t, pairs)
	}
}

// Archives are read as browsers, proxies and libraries write them: what they leave out is not known, and
// not taken for something that was not sent.
func TestParseHARAsWritten(t *testing.T) {
	const zipped = "H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==" // {} in gzip
	const bytes = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00C\xbf\xa6\xa3\x02\x00\x00\x00"
	type want struct {
		skipped         bool
		sent, got       string
		unsent, ungot   bool // the body is not known
		coding, cookies string
		sentIn          string // the coding of the request
	}
	for name, tt := range map[string]struct {
		request, response string // members beside method, url and status
		status            int
		want              want
	}{
		"no postData, a length":             {`"headers":[{"name":"Content-Length","value":"7"}]`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"no postData, a size":               {`"bodySize":7`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"no postData, in chunks":            {`"headers":[{"name":"transfer-encoding","value":"chunked"}]`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"no postData, HTTP/2":               {`"bodySize":-1,"headers":[{"name":"content-type","value":"text/plain"}]`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"no postData, none sent":            {`"bodySize":0,"headers":[{"name":"content-type","value":"text/plain"}]`, `"content":{"text":"a"}`, 200, want{got: "a"}},
		"postData without text":             {`"postData":{"mimeType":"multipart/form-data","params":[{"name":"f","fileName":"x"}]}`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"postData as params (Firefox)":      {`"bodySize":9,"postData":{"mimeType":"application/x-www-form-urlencoded","text":"","params":[{"name":"a b","value":"1"},{"name":"c","value":"&"}]}`, `"content":{"text":"a"}`, 200, want{sent: "a+b=1&c=%26", got: "a"}},
		"fields before the form (Firefox)":  {`"bodySize":7,"headers":[{"name":"Content-Type","value":"application/x-www-form-urlencoded"}],"postData":{"params":[],"text":"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=b&c=d"}`, `"content":{"text":"a"}`, 200, want{sent: "a=b&c=d", got: "a"}},
		"text that looks like fields":       {`"postData":{"mimeType":"text/plain","text":"Content-Length: 7\r\n\r\na"}`, `"content":{"text":"a"}`, 200, want{sent: "Content-Length: 7\r\n\r\na", got: "a"}},
		"parts by name, an empty text":      {`"postData":{"mimeType":"multipart/form-data","text":"","params":[{"name":"f","fileName":"x"}]}`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"no text of parts":                  {`"bodySize":-1,"postData":{"mimeType":"multipart/form-data; boundary=x","text":""}`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"no parts at all":                   {`"bodySize":0,"postData":{"mimeType":"multipart/form-data; boundary=x","text":""}`, `"content":{"text":"a"}`, 200, want{got: "a"}},
		"postData cut short":                {`"bodySize":900,"postData":{"mimeType":"text/plain","text":"abc"}`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"postData of another charset":       {`"bodySize":1,"postData":{"mimeType":"text/plain","text":"ü"}`, `"content":{"text":"a"}`, 200, want{sent: "ü", got: "a"}},
		"no text, a size (Chromium)":        {``, `"content":{"size":12,"mimeType":"text/plain"}`, 200, want{ungot: true}},
		"no text, a length":                 {``, `"bodySize":-1,"headers":[{"name":"content-length","value":"12"}],"content":{"size":0}`, 200, want{ungot: true}},
		"no text, nothing known (Chromium)": {``, `"bodySize":-1,"content":{"size":0,"mimeType":"x-unknown"}`, 200, want{ungot: true}},
		"no text, none sent":                {``, `"bodySize":0,"content":{"size":0}`, 200, want{}},
		"no text, length 0 (mitmproxy)":     {``, `"headers":[{"name":"Content-Length","value":"0"}],"content":{"size":0}`, 200, want{}},
		"no text for 204":                   {``, `"bodySize":-1,"content":{"size":0}`, 204, want{}},
		"attached file (Playwright)":        {``, `"bodySize":-1,"content":{"size":-1,"_file":"a.json"}`, 200, want{ungot: true}},
		"empty text of a size (Firefox)":    {``, `"content":{"size":12,"text":""}`, 200, want{ungot: true}},
		"text cut short (Firefox)":          {``, `"content":{"size":1200,"text":"abc"}`, 200, want{ungot: true}},
		"text from the cache with 304":      {``, `"content":{"size":2,"text":"{}"}`, 304, want{}},
		"decoded":                           {``, `"headers":[{"name":"content-encoding","value":"gzip"}],"content":{"size":2,"text":"{}"}`, 200, want{got: "{}"}},
		"no headers":                        {``, `"headers":[],"content":{"size":2,"mimeType":"application/json","text":"{}"}`, 200, want{got: "{}"}},
		"still coded":                       {``, `"headers":[{"name":"content-encoding","value":"gzip"}],"content":{"size":2,"encoding":"base64","text":"` + zipped + `"}`, 200, want{got: bytes, coding: "gzip"}},
		"several lines in one (Chromium)":   {``, `"headers":[{"name":"set-cookie","value":"a=1\nb=2"}],"content":{"text":"a"}`, 200, want{got: "a", cookies: "a=1 b=2"}},
		"from the cache (Chromium)":         {``, `"content":{"text":"a"}},"_fromCache":"disk","x":{`, 200, want{skipped: true}},
		"from a worker (Chromium)":          {``, `"content":{"text":"a"},"_fetchedViaServiceWorker":true`, 200, want{skipped: true}},
		"not from a worker (Chromium)":      {``, `"content":{"text":"a"},"_fetchedViaServiceWorker":false`, 200, want{got: "a"}},
		"from the cache (Safari)":           {``, `"content":{"text":"a"}},"_fetchType":"Disk Cache","x":{`, 200, want{skipped: true}},
		"from the network (Safari)":         {``, `"content":{"text":"a"}},"_fetchType":"Network Load","x":{`, 200, want{got: "a"}},
		"a mark of another kind":            {``, `"content":{"text":"a"}},"_fromCache":false,"x":{`, 200, want{got: "a"}},
		"sizes with a point":                {`"bodySize":1.0,"postData":{"mimeType":"text/plain","text":"b"}`, `"bodySize":1.0,"content":{"size":1.0,"text":"a"}`, 200, want{sent: "b", got: "a"}},
		"bytes sent that are no text":       {`"bodySize":3,"postData":{"mimeType":"application/octet-stream","text":"a\ufffdb"}`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"bytes sent as surrogates":          {`"bodySize":3,"postData":{"mimeType":"image/png","text":"a\udc80b"}`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"a replacement that was sent":       {`"bodySize":5,"postData":{"mimeType":"text/plain","text":"a\ufffdb"}`, `"content":{"text":"a"}`, 200, want{sent: "a\ufffdb", got: "a"}},
		"sent in a coding, decoded":         {`"headers":[{"name":"content-encoding","value":"gzip"}],"bodySize":22,"postData":{"mimeType":"text/plain","text":"{}"}`, `"content":{"text":"a"}`, 200, want{sent: "{}", got: "a"}},
		"sent in a coding, as bytes":        {`"headers":[{"name":"content-encoding","value":"gzip"}],"postData":{"mimeType":"text/plain","encoding":"base64","text":"` + zipped + `"}`, `"content":{"text":"a"}`, 200, want{sent: bytes, sentIn: "gzip", got: "a"}},
		"of another charset":                {``, `"headers":[{"name":"content-type","value":"text/plain; charset=ISO-8859-1"}],"content":{"text":"caf\u00e9"}`, 200, want{ungot: true}},
		"of another charset, in ASCII":      {``, `"headers":[{"name":"content-type","value":"text/plain; charset=ISO-8859-1"}],"content":{"text":"a"}`, 200, want{got: "a"}},
		"of UTF-16":                         {``, `"headers":[{"name":"content-type","value":"text/plain; charset=utf-16"}],"content":{"text":"a"}`, 200, want{ungot: true}},
		"of another charset, as bytes":      {``, `"headers":[{"name":"content-type","value":"text/plain; charset=ISO-8859-1"}],"content":{"encoding":"base64","text":"6Q=="}`, 200, want{got: "\xe9"}},
		"sent in another charset":           {`"headers":[{"name":"content-type","value":"text/plain; charset=ISO-8859-1"}],"bodySize":1,"postData":{"text":"\u00e9"}`, `"content":{"text":"a"}`, 200, want{unsent: true, got: "a"}},
		"sent in a coding, in a file":       {`"headers":[{"name":"content-encoding","value":"gzip"}],"bodySize":32,"postData":{"mimeType":"text/plain","text":"","_file":"a.bin"}`, `"content":{"text":"a"}`, 200, want{unsent: true, sentIn: "gzip", got: "a"}},
		"what a condition has spared":       {`"headers":[{"name":"If-None-Match","value":"\"1\""}]`, `"bodySize":0,"content":{"size":2,"text":"{}"}`, 200, want{skipped: true}},
		"what a condition has not spared":   {`"headers":[{"name":"If-None-Match","value":"\"1\""}]`, `"bodySize":2,"content":{"size":2,"text":"{}"}`, 200, want{got: "{}"}},
		"WebSocket":                         {``, `"content":{}`, 101, want{skipped: true}},
		"no answer (Playwright)":            {``, `"content":{}`, -1, want{skipped: true}},
	} {
		t.Run(name, func(t *testing.T) {
			join := func(first, rest string) string { return strings.TrimSuffix(first+","+rest, ",") }
			text := fmt.Sprintf(`{"log":{"entries":[{"startedDateTime":"2026-01-02T03:04:05.678+01:00","time":12.5,"request":{%s},"response":{%s}}]}}`,
				join(`"method":"POST","url":"http://h/"`, tt.request), join(fmt.Sprintf(`"status":%d`, tt.status), tt.response))
			pairs, err := wire.ParseHAR("f", []byte("\ufeff"+text)) // as Charles and others begin it
			require.NoError(t, err)
			if tt.want.skipped {
				assert.Empty(t, pairs)
				return
			}
			require.Len(t, pairs, 1)
			req, resp := pairs[0].Request, pairs[0].Response
			assert.Equal(t, tt.want, want{
				sent: string(req.Body), unsent: req.Unseen, got: string(resp.Body), ungot: resp.Unseen,
				coding: resp.Header.Get("Content-Encoding"), sentIn: req.Get("Content-Encoding"), cookies: strings.Join(resp.Header.Values("Set-Cookie"), " "),
			})
			if name == "no headers" {
				assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			}
			assert.Equal(t, "2026-01-02T02:04:05.678Z", pairs[0].Started.UTC().Format("2006-01-02T15:04:05.000Z"))
			assert.Equal(t, 12500*time.Microsecond, resp.Elapsed)
		})
	}
	for _, url := range []string{"data:text/plain,a", "blob:http://h/1", "chrome-extension://a/b", "ws://h/a"} {
		pairs, err := wire.ParseHAR("f", []byte(`{"log":{"entries":[{"request":{"method":"GET","url":"`+url+`"},"response":{"status":200}}]}}`))
		require.NoError(t, err)
		assert.Empty(t, pairs, url)
	}
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
