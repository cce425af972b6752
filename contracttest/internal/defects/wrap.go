package defects

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
)

// Wrapper makes a defective server of one that keeps its document.
type Wrapper func(next http.Handler) http.Handler

// When tells the requests that a defect is about.
type When func(r *http.Request, body []byte) bool

// maxSeen is how much of a request's body a wrapper reads.
const maxSeen = 20 << 20

// Request changes what the server behind is asked.
func Request(change func(r *http.Request, body []byte) []byte) Wrapper {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, maxSeen))
			if err != nil {
				return
			}
			r = r.Clone(r.Context())
			SetBody(r, change(r, body))
			next.ServeHTTP(w, r)
		})
	}
}

// SetBody gives a request another body.
func SetBody(r *http.Request, body []byte) {
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	if len(body) == 0 {
		r.Body = http.NoBody
	}
}

// JSON changes the JSON value that the server behind is sent, where it is one.
func JSON(change func(v any) any) Wrapper {
	return Request(func(_ *http.Request, b []byte) []byte {
		var v any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if dec.Decode(&v) != nil || dec.More() {
			return b
		}
		out, err := json.Marshal(change(v))
		if err != nil {
			return b
		}
		return out
	})
}

// Answer takes some requests away from the server behind.
func Answer(when When, with func(http.ResponseWriter)) Wrapper {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(io.LimitReader(r.Body, maxSeen))
			if err != nil {
				return
			}
			if when(r, b) {
				with(w)
				return
			}
			length, coding := r.ContentLength, r.TransferEncoding
			r = r.Clone(r.Context())
			SetBody(r, b)
			r.ContentLength, r.TransferEncoding = length, coding
			next.ServeHTTP(w, r)
		})
	}
}

// Response changes the answers of the server behind.
func Response(change func(r *http.Request, rec *httptest.ResponseRecorder)) Wrapper {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			change(r, rec)
			Copy(w, rec)
		})
	}
}

// Copy hands an answer on.
func Copy(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()) // who does not read on has gone
}

// Change is one thing to do to an answer.
type Change func(*httptest.ResponseRecorder)

// Text replaces the body.
func Text(text string) Change {
	return func(rec *httptest.ResponseRecorder) {
		rec.Body = bytes.NewBufferString(text)
		rec.Header().Del("Content-Length")
	}
}

// Status replaces the status.
func Status(code int) Change { return func(rec *httptest.ResponseRecorder) { rec.Code = code } }

// Header replaces a header.
func Header(name, value string) Change {
	return func(rec *httptest.ResponseRecorder) { rec.Header().Set(name, value) }
}

// Zipped packs the body.
func Zipped(rec *httptest.ResponseRecorder) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(rec.Body.Bytes())
	_ = w.Close()
	rec.Body = &b
	rec.Header().Set("Content-Encoding", "gzip")
	rec.Header().Del("Content-Length")
}

// All does several things to an answer.
func All(changes ...Change) Change {
	return func(rec *httptest.ResponseRecorder) {
		for _, c := range changes {
			c(rec)
		}
	}
}

// Sometimes lets a defect happen to every n-th request.
func Sometimes(n int64, change Wrapper) Wrapper {
	return func(next http.Handler) http.Handler {
		var count atomic.Int64
		changed := change(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if count.Add(1)%n == 0 {
				changed.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
