package crud

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Deployment is what stands before a service in operation. Times are counts of
// requests, so that a test does not wait.
type Deployment struct {
	Name string
	// Wrap puts it before the service.
	Wrap func(*Service) http.Handler
	// Prepare is what a caller has to do with each request; nil is nothing.
	Prepare func(*Service) func(*http.Request) error
	// LocksOut is set where a caller who was wrong a few times can do no more, not
	// even delete what it has made.
	LocksOut bool
}

// Deployments are lawful: a run against a service behind one has no error to
// report.
func Deployments() []Deployment {
	return []Deployment{
		{Name: "lock-out after five wrong credentials", Wrap: lockOut, LocksOut: true},
		{Name: "tokens that expire", Wrap: func(s *Service) http.Handler { return s }, Prepare: expiring},
		{Name: "web interface for unknown paths", Wrap: webInterface},
		{Name: "OPTIONS answered everywhere", Wrap: options},
		{Name: "503 above four requests under way", Wrap: busy},
		{Name: "429 for so many requests", Wrap: limited},
		{Name: "one slow operation", Wrap: slow},
		{Name: "compressing proxy", Wrap: proxy},
	}
}

func lockOut(s *Service) http.Handler {
	const most = 5
	var wrong atomic.Int64
	s.Admits = func(token string) bool {
		if wrong.Load() >= most {
			return false
		}
		if token != Token {
			wrong.Add(1)
			return false
		}
		return true
	}
	return s
}

// expiring makes tokens that are good for so many requests, and renews them as a
// caller does who has the first.
func expiring(s *Service) func(*http.Request) error {
	const life = 200
	var mu sync.Mutex
	issued, used := 1, 0
	name := func(n int) string { return fmt.Sprintf("crud-token-%d", n) }
	s.Admits = func(token string) bool {
		mu.Lock()
		defer mu.Unlock()
		used++
		// The one before is taken too: a request may have been under way.
		return token == name(issued) || issued > 1 && used < life/2 && token == name(issued-1)
	}
	return func(r *http.Request) error {
		if r.Header.Get("Authorization") != "Bearer "+Token {
			return nil // the case is about another one
		}
		mu.Lock()
		defer mu.Unlock()
		if used >= life {
			issued, used = issued+1, 0
		}
		r.Header.Set("Authorization", "Bearer "+name(issued))
		return nil
	}
}

// documented reports whether the service has the path of a request.
func (s *Service) documented(r *http.Request) bool {
	return len(s.contract.At(r.URL.EscapedPath())) > 0
}

func webInterface(s *Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.documented(r) {
			s.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Teams</title>"))
	})
}

func options(s *Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions {
			s.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	})
}

func busy(s *Service) http.Handler {
	const most = 4
	var under atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer under.Add(-1)
		if under.Add(1) > most {
			refuse(w, http.StatusServiceUnavailable, "busy")
			return
		}
		s.ServeHTTP(w, r)
	})
}

// limited counts requests in the place of those in a second: a caller who slows
// down after the third refusal has done what it can.
func limited(s *Service) http.Handler {
	const each, times = 400, 3
	var count atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := count.Add(1); n%each == 0 && n <= times*each {
			refuse(w, http.StatusTooManyRequests, "so many requests")
			return
		}
		s.ServeHTTP(w, r)
	})
}

func slow(s *Service) http.Handler {
	const pause = 15 * time.Millisecond
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/notes") {
			timer := time.NewTimer(pause)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-r.Context().Done():
			}
		}
		s.ServeHTTP(w, r)
	})
}

func proxy(s *Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		h := w.Header()
		for name, values := range rec.Header() {
			h[name] = values
		}
		h.Set("Via", "1.1 proxy")
		h.Set("X-Request-Id", "0f8fad5b")
		h.Set("Vary", "Accept-Encoding")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		body := rec.Body.Bytes()
		if len(body) == 0 || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || strings.Contains(r.Header.Get("Accept-Encoding"), "gzip;q=0") {
			w.WriteHeader(rec.Code)
			_, _ = w.Write(body)
			return
		}
		h.Set("Content-Encoding", "gzip")
		w.WriteHeader(rec.Code)
		z := gzip.NewWriter(w)
		_, _ = z.Write(body)
		_ = z.Close()
	})
}
