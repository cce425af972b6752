package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Field is one header line, its name in the letter case it is sent in.
type Field struct{ Name, Value string }

// Request is one HTTP request as it is sent.
type Request struct {
	Method string
	// Target is the request target in origin form: the escaped path and, after
	// a question mark, the query.
	Target string
	// Header holds the lines in order. Host and Content-Length are not among
	// them: the connection and the body say what they are.
	Header []Field
	// Body is nil where the request has none. An empty body is not nil.
	Body []byte
	// Chunked sends the body without a Content-Length.
	Chunked bool
	// Unseen is set where nobody has kept the body, so that nothing is known of it.
	Unseen bool
	// Sanitized is set where whoever has recorded the request has left out its cookies and credentials.
	Sanitized bool
	// Written is set where a person has written the request down as it is sent, with all its headers.
	Written bool
	// Coding is the content coding that the body is sent in, which the header says too; Body is
	// without it. Empty for a body that is sent as it is, whatever the header says.
	Coding string
}

// Clone returns a copy that shares nothing with r but the bytes of the body.
func (r *Request) Clone() *Request {
	c := *r
	c.Header = append([]Field(nil), r.Header...)
	return &c
}

// Size is about how many bytes the request has on the wire.
func (r *Request) Size() int {
	n := len(r.Method) + len(r.Target) + len(r.Body)
	for _, f := range r.Header {
		n += len(f.Name) + len(f.Value) + 4
	}
	return n
}

// Values returns the values of a header, in order, whatever the letter case of
// its name.
func (r *Request) Values(name string) []string {
	var values []string
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// Get returns the first value of a header, or the empty string.
func (r *Request) Get(name string) string {
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Set replaces every line of that name by one, or adds it.
func (r *Request) Set(name, value string) {
	r.Del(name)
	r.Add(name, value)
}

// Add appends a header line.
func (r *Request) Add(name, value string) { r.Header = append(r.Header, Field{name, value}) }

// Del removes every line of that name.
func (r *Request) Del(name string) {
	kept := r.Header[:0:0]
	for _, f := range r.Header {
		if !strings.EqualFold(f.Name, name) {
			kept = append(kept, f)
		}
	}
	r.Header = kept
}

// Path returns the escaped path of the target.
func (r *Request) Path() string {
	path, _, _ := strings.Cut(r.Target, "?")
	return path
}

// RawQuery returns the target's query as it is sent, without the question mark.
func (r *Request) RawQuery() string {
	_, query, _ := strings.Cut(r.Target, "?")
	return query
}

// HTTP returns the request for net/http, addressed to base (scheme and host;
// its path is not looked at).
func (r *Request) HTTP(ctx context.Context, base *url.URL) (*http.Request, error) {
	u, err := url.ParseRequestURI(r.Target)
	if err != nil {
		return nil, fmt.Errorf("request target: %w", err)
	}
	u.Scheme, u.Host = base.Scheme, base.Host
	h := make(http.Header, len(r.Header))
	for _, f := range r.Header {
		h[f.Name] = append(h[f.Name], f.Value)
	}
	req := (&http.Request{
		Method: r.Method, URL: u, Host: base.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if r.Body == nil {
		return req, nil
	}
	body, err := Encode(r.Coding, r.Body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 && !r.Chunked {
		req.Body = http.NoBody // sent as Content-Length: 0
		return req, nil
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	if r.Chunked {
		req.ContentLength = -1
		req.TransferEncoding = []string{"chunked"}
		// A reader of a type that net/http does not know keeps it from
		// computing the length again.
		req.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(struct{ io.Reader }{bytes.NewReader(body)}), nil
		}
		req.Body = io.NopCloser(struct{ io.Reader }{bytes.NewReader(body)})
	}
	return req, nil
}

// Response is one HTTP response as it was received.
type Response struct {
	Status int
	Header http.Header
	// Body holds what was received, up to the limit of whoever received it.
	Body []byte
	// BodyErr says why the body ended before its end: cut short of its
	// Content-Length, a connection closed inside a chunk, longer than allowed.
	BodyErr error
	// Unseen is set where nobody has kept the body, so that nothing is known of it.
	Unseen bool
	// Sanitized is set where whoever has recorded the response has left out its cookies.
	Sanitized bool
	// Open is set where the body is a sequence of items that was left before its end, as it
	// may have none: what is there is its beginning.
	Open bool
	// Elapsed is the time from sending the request to the last byte read.
	Elapsed time.Duration
	// Identity is set where whoever sent the request has asked, in its name, for
	// a body without a content coding.
	Identity bool
	// Faults are what breaks RFC 9112 in the bytes of the response, where
	// somebody has looked at them.
	Faults []string
}

// Label is the Content-Type without the boundary between parts, which most services make anew each time.
func (r *Response) Label() string {
	label := r.Header.Get("Content-Type")
	if kind, params, err := mime.ParseMediaType(label); err == nil && strings.HasPrefix(kind, "multipart/") {
		delete(params, "boundary")
		return mime.FormatMediaType(kind, params)
	}
	return label
}

// Exchange is a request and what came of it: a response, or an error where
// there was none.
type Exchange struct {
	Request  *Request
	Response *Response
	Err      error
	Started  time.Time // when the request was sent; zero where nobody knows
	// Sent is the request as it was sent, where Request is as reports show it: with other names in
	// the place of those that are new in each run. It is nil where nobody asks for that.
	Sent *Request
}
