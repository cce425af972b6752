package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type harField struct{ Name, Value string }

type harEntry struct {
	Started   string  `json:"startedDateTime"`
	Time      float64 // in milliseconds
	FromCache any     `json:"_fromCache"` // of Chromium
	FetchType string  `json:"_fetchType"` // of Safari
	Request   struct {
		Method, URL string
		Headers     []harField
		BodySize    *float64
		PostData    *struct {
			MimeType, Encoding string
			Text               *string
			Params             []harField
		}
	}
	Response struct {
		Status   int
		Headers  []harField
		BodySize *float64
		ByWorker bool `json:"_fetchedViaServiceWorker"` // of Chromium
		Content  struct {
			MimeType string
			Text     *string
			Encoding string
			Size     *float64
		}
	}
}

// ParseHAR reads the entries of an HTTP archive (HAR 1.2), as browsers, proxies and libraries write
// them. Pseudo-headers of HTTP/2 are left out. An entry is skipped where nothing was exchanged with
// a server by HTTP: it has no response (aborted, blocked), one from a cache, of a service worker or that of a
// WebSocket, or the URL is of another kind (data:, blob:). A body that the archive leaves out, or has in part, is
// unseen.
func ParseHAR(name string, data []byte) ([]Pair, error) {
	var har struct {
		Log *struct {
			Creator any // an object by HAR 1.2, which nothing else depends on
			Entries []harEntry
		}
	}
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &har); err != nil {
		return nil, fmt.Errorf("%s: not a HAR file: %w", name, err)
	}
	if har.Log == nil {
		return nil, fmt.Errorf("%s: not a HAR file: no log", name)
	}
	creator, _ := har.Log.Creator.(map[string]any)
	sanitized := creator["name"] == "WebInspector" && !slices.ContainsFunc(har.Log.Entries, harEntry.tells) // as Chromium does unless told otherwise
	var pairs []Pair
	for i := range har.Log.Entries {
		e := &har.Log.Entries[i]
		if e.Response.Status <= http.StatusSwitchingProtocols || e.local() || ofAnotherKind(e.Request.URL) {
			continue
		}
		pair := Pair{Name: fmt.Sprintf("%s:%d", name, i+1)}
		var err error
		if pair.Request, err = e.request(); err == nil {
			pair.Response, err = e.response()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pair.Name, err)
		}
		pair.Request.Sanitized, pair.Response.Sanitized = sanitized, sanitized
		pair.Started, err = time.Parse(time.RFC3339, e.Started)
		if err != nil {
			pair.Started = time.Time{} // it does not say
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

// Withheld reports whether a header is one that is left out of what is sanitized.
func Withheld(name string) bool {
	return slices.Contains([]string{"Cookie", "Set-Cookie", "Authorization"}, http.CanonicalHeaderKey(name))
}

// tells reports whether there is a header that is left out of what is sanitized.
func (e harEntry) tells() bool {
	return slices.ContainsFunc(slices.Concat(e.Request.Headers, e.Response.Headers), func(h harField) bool { return Withheld(h.Name) })
}

// local reports whether the response was made or kept by the browser. Chromium has 200 with what it kept where the
// answer to a condition was 304.
func (e *harEntry) local() bool {
	cached := e.FromCache != nil && e.FromCache != false && e.FromCache != ""
	conditional := slices.ContainsFunc(e.Request.Headers, func(h harField) bool {
		return strings.EqualFold(h.Name, "If-None-Match") || strings.EqualFold(h.Name, "If-Modified-Since")
	})
	sent, c := e.Response.BodySize, &e.Response.Content
	spared := conditional && e.Response.Status == http.StatusOK && sent != nil && *sent == 0 && c.Size != nil && *c.Size > 0
	return cached || spared || e.Response.ByWorker || e.FetchType != "" && e.FetchType != "Network Load"
}

// ofAnotherKind reports whether a URL is not one of HTTP.
func ofAnotherKind(rawURL string) bool {
	scheme, _, ok := strings.Cut(rawURL, ":")
	return ok && !strings.ContainsAny(scheme, "/?#") && !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https")
}

func (e *harEntry) request() (*Request, error) {
	target, err := originForm(e.Request.URL)
	if err != nil {
		return nil, err
	}
	req := &Request{Method: e.Request.Method, Target: target}
	length := int64(-1)
	for name, value := range fieldsOf(e.Request.Headers) {
		switch {
		case strings.EqualFold(name, "Host"):
		case strings.EqualFold(name, "Content-Length"):
			length = lengthOf(value)
		case strings.EqualFold(name, "Transfer-Encoding"):
			req.Unseen = true // until there is a body
		default:
			req.Add(name, value)
		}
	}
	if length < 0 && e.Request.BodySize != nil {
		length = int64(*e.Request.BodySize)
	}
	p := e.Request.PostData
	if p == nil {
		req.Unseen = length > 0 || length < 0 && (req.Unseen || req.Get("Content-Type") != "")
		return req, nil
	}
	if req.Get("Content-Type") == "" && p.MimeType != "" {
		req.Set("Content-Type", p.MimeType)
	}
	form := strings.HasPrefix(strings.ToLower(req.Get("Content-Type")), "application/x-www-form-urlencoded")
	switch {
	case p.Text != nil && (*p.Text != "" || len(p.Params) == 0):
		if req.Body, err = content(*p.Text, p.Encoding); err != nil {
			return nil, fmt.Errorf("request body: %w", err)
		}
		req.Body = withoutFields(req.Body)
	case form:
		req.Body, length = formOf(p.Params), -1 // it may have been escaped otherwise
	}
	coding := req.Get("Content-Encoding")
	if coding != "" && len(req.Body) > 0 && !stillCoded(coding, p.Encoding, req.Get("Content-Type"), req.Body) {
		req.Del("Content-Encoding")
	}
	// Bytes that are no text are shown as replacements; a text may be in another charset than it was sent in.
	lossy := p.Encoding != "base64" && int64(len(req.Body)) != length && bytes.ContainsRune(req.Body, utf8.RuneError) || translated(p.Encoding, req.Get("Content-Type"), req.Body)
	// Parts of which there is no text are files, or listed by name alone.
	parts := len(req.Body) == 0 && length < 0 && strings.HasPrefix(strings.ToLower(req.Get("Content-Type")), "multipart/")
	if req.Unseen = p.Text == nil && !form || parts || len(req.Body) == 0 && !form && len(p.Params) > 0 || lossy || int64(len(req.Body)) < length && (coding == "" || len(req.Body) == 0); req.Unseen {
		req.Body = nil
	}
	return req, nil
}

func (e *harEntry) response() (*Response, error) {
	resp := &Response{Status: e.Response.Status, Header: http.Header{}, Elapsed: time.Duration(e.Time * float64(time.Millisecond))}
	length := int64(-1)
	for name, value := range fieldsOf(e.Response.Headers) {
		if strings.EqualFold(name, "Content-Length") {
			length = lengthOf(value)
			continue
		}
		resp.Header.Add(name, value)
	}
	coding := strings.Join(resp.Header.Values("Content-Encoding"), ",")
	c := &e.Response.Content
	if len(e.Response.Headers) == 0 && strings.Contains(c.MimeType, "/") { // which some leave out
		resp.Header.Set("Content-Type", c.MimeType)
	}
	if e.Request.Method == http.MethodHead || resp.Status == http.StatusNotModified || resp.Status == http.StatusNoContent {
		c.Text = nil // what a browser has in its place was not sent
	}
	var err error
	switch {
	case c.Text != nil:
		if resp.Body, err = content(*c.Text, c.Encoding); err != nil {
			return nil, fmt.Errorf("response body: %w", err)
		}
		if !stillCoded(coding, c.Encoding, resp.Header.Get("Content-Type"), resp.Body) { // archives hold bodies decoded
			resp.Header.Del("Content-Encoding")
		}
		short := c.Size != nil && float64(len(resp.Body)) < *c.Size && resp.Header.Get("Content-Encoding") == ""
		if short || translated(c.Encoding, resp.Header.Get("Content-Type"), resp.Body) {
			resp.Body, resp.Unseen = nil, true
		}
	case e.Request.Method == http.MethodHead, resp.Status == http.StatusNotModified, resp.Status == http.StatusNoContent:
	default:
		sent := e.Response.BodySize
		resp.Unseen = length > 0 || length < 0 && (sent == nil || *sent != 0) || c.Size != nil && *c.Size > 0
	}
	return resp, nil
}

// withoutFields takes off what Firefox has before the body of a form: the fields that describe it, of which the length tells that
// they are no part of it.
func withoutFields(body []byte) []byte {
	head, rest, ok := bytes.Cut(body, []byte("\r\n\r\n"))
	if !ok {
		return body
	}
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := strings.Cut(string(line), ":")
		if strings.EqualFold(name, "Content-Length") && lengthOf(strings.TrimSpace(value)) == int64(len(rest)) {
			return rest
		}
	}
	return body
}

// stillCoded reports whether a body is in the content coding of its header, as some proxies
// record it.
func stillCoded(coding, encoding, kind string, body []byte) bool {
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "gzip", "x-gzip":
		return bytes.HasPrefix(body, []byte{0x1f, 0x8b})
	case "zstd":
		return bytes.HasPrefix(body, []byte{0x28, 0xb5, 0x2f, 0xfd})
	case "br", "deflate": // they begin with nothing of their own, but are no text
		kind = strings.ToLower(kind)
		return encoding == "base64" && (strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json") || strings.Contains(kind, "xml")) && !utf8.Valid(body)
	}
	return false
}

// translated reports whether a text was written in other bytes than the archive has, which is in UTF-8.
func translated(encoding, kind string, body []byte) bool {
	_, params, err := mime.ParseMediaType(kind)
	charset := strings.ToLower(params["charset"])
	if err != nil || encoding == "base64" || charset == "" || charset == "utf-8" || charset == "utf8" {
		return false
	}
	return strings.HasPrefix(charset, "utf-") || bytes.ContainsFunc(body, func(r rune) bool { return r >= utf8.RuneSelf })
}

// fieldsOf yields the fields of a header without pseudo-headers. Chromium joins several lines of
// one name by line feeds.
func fieldsOf(headers []harField) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, h := range headers {
			if strings.HasPrefix(h.Name, ":") {
				continue
			}
			for value := range strings.SplitSeq(h.Value, "\n") {
				if !yield(h.Name, value) {
					return
				}
			}
		}
	}
}

// lengthOf is negative where a Content-Length is none.
func lengthOf(value string) int64 {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// formOf writes the pairs of a form in their order.
func formOf(params []harField) []byte {
	var b bytes.Buffer
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value))
	}
	return b.Bytes()
}

func originForm(rawURL string) (string, error) {
	_, after, ok := strings.Cut(rawURL, "://")
	if !ok {
		return "", fmt.Errorf("malformed URL %q", rawURL)
	}
	after, _, _ = strings.Cut(after, "#")
	i := strings.IndexAny(after, "/?")
	if i < 0 {
		return "/", nil
	}
	if after[i] == '?' {
		return "/" + after[i:], nil
	}
	return after[i:], nil
}

func content(text, encoding string) ([]byte, error) {
	if encoding != "base64" {
		return []byte(text), nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("base64: %w", err)
	}
	return data, nil
}
