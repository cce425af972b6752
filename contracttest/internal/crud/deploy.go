package crud

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Deployment is what stands before a service in operation.
type Deployment struct {
	Name string
	// Wrap puts it before the service.
	Wrap func(*Service) http.Handler
	// Prepare is what a caller has to do with each request; nil is nothing.
	Prepare func(*Service) func(*http.Request) error
	// LocksOut is set where a caller who was wrong a few times can do no more, not
	// even delete what it has made.
	LocksOut bool
	// Lags is set where what was changed shows a little later, of which a run warns.
	Lags bool
}

// Deployments are lawful: a run against a service behind one has no error to
// report. They take their time: a test has a clock of its own (testing/synctest).
func Deployments() []Deployment {
	return []Deployment{
		{Name: "lock-out after five wrong credentials", Wrap: lockOut, LocksOut: true},
		{Name: "tokens that expire", Wrap: slow(5*time.Millisecond, func(*http.Request) bool { return true }), Prepare: tokensOf(2 * time.Second)},
		{Name: "web interface for unknown paths", Wrap: webInterface},
		{Name: "OPTIONS answered everywhere", Wrap: options},
		{Name: "503 above four requests under way", Wrap: busy},
		{Name: "429 above 400 requests in a second", Wrap: limited(400, time.Second)},
		{Name: "429 for a while after a wrong credential", Wrap: cautious},
		{Name: "one slow operation", Wrap: slow(1500*time.Millisecond, listsNotes)},
		{Name: "compressing proxy", Wrap: proxy},
		{Name: "five teams a caller", Wrap: few},
		{Name: "replicas that a cookie sticks to", Wrap: replicas},
		{Name: "a replica for reads, 300 ms behind", Wrap: behind(300 * time.Millisecond), Lags: true},
		{Name: "gateway that fails now and then, with a filter", Wrap: gateway},
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

// cautious refuses everybody for a while who was wrong.
func cautious(s *Service) http.Handler {
	const while = 1500 * time.Millisecond
	var wrong atomic.Int64 // when, in nanoseconds
	s.Admits = func(token string) bool {
		if token != Token {
			wrong.Store(time.Now().UnixNano())
		}
		return token == Token
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if time.Since(time.Unix(0, wrong.Load())) < while {
			refuse(http.StatusTooManyRequests, "try again later").write(w)
			return
		}
		s.ServeHTTP(w, r)
	})
}

// tokensOf makes tokens that are good for so long; a caller who has the first renews them a
// little before.
func tokensOf(life time.Duration) func(*Service) func(*http.Request) error {
	return func(s *Service) func(*http.Request) error {
		var mu sync.Mutex
		issued := 1
		until := map[string]time.Time{Token: time.Now().Add(life)}
		s.Admits = func(token string) bool {
			mu.Lock()
			defer mu.Unlock()
			return time.Now().Before(until[token])
		}
		return renewed(func() string {
			mu.Lock()
			defer mu.Unlock()
			if time.Now().After(until[tokenOf(issued)].Add(-life / 4)) {
				issued++
				until[tokenOf(issued)] = time.Now().Add(life)
			}
			return tokenOf(issued)
		})
	}
}

func tokenOf(n int) string { return fmt.Sprintf("crud-token-%d", n) }

// renewed puts the token that is good now in the place of the first one.
func renewed(now func() string) func(*http.Request) error {
	return func(r *http.Request) error {
		if r.Header.Get("Authorization") == "Bearer "+Token { // else the case is about another one
			r.Header.Set("Authorization", "Bearer "+now())
		}
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
			refuse(http.StatusServiceUnavailable, "busy").write(w)
			return
		}
		s.ServeHTTP(w, r)
	})
}

// limited refuses more than so many requests in a span of time.
func limited(most int, span time.Duration) func(*Service) http.Handler {
	return func(s *Service) http.Handler {
		var mu sync.Mutex
		var since time.Time
		count := 0
		over := func() bool {
			mu.Lock()
			defer mu.Unlock()
			if now := time.Now(); now.Sub(since) >= span {
				since, count = now, 0
			}
			count++
			return count > most
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if over() {
				refuse(http.StatusTooManyRequests, "so many requests").write(w)
				return
			}
			s.ServeHTTP(w, r)
		})
	}
}

// few lets its caller have no more than five teams at a time.
func few(s *Service) http.Handler {
	const most = 5
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if r.Method == http.MethodPost && rec.Code == http.StatusCreated && r.URL.Path == "/teams" && s.drop(most, rec.Header().Get("Location")) {
			refuse(http.StatusConflict, "five teams is all that you may have").write(w)
			return
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// drop removes a team that is one too many, beside somebody's.
func (s *Service) drop(most int, location string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := strconv.Atoi(location[strings.LastIndex(location, "/")+1:])
	if err != nil || len(s.teams) <= 1+most {
		return false
	}
	delete(s.teams, id)
	return true
}

// replicas keep what they have for themselves: a caller gets to the same one with the cookie of its
// answer, and to the next one without.
func replicas(s *Service) http.Handler {
	other, err := New(s.dress)
	if err != nil {
		panic(err) // its twin was made of the same
	}
	all := map[string]http.Handler{"a": s, "b": other}
	var turn atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := ""
		if c, err := r.Cookie("replica"); err == nil {
			name = c.Value
		}
		if all[name] == nil {
			name = []string{"a", "b"}[turn.Add(1)%2]
			w.Header().Add("Set-Cookie", "replica="+name+"; Path=/; HttpOnly")
		}
		all[name].ServeHTTP(w, r)
	})
}

// behind reads from a replica that gets what was written a while later.
func behind(lag time.Duration) func(*Service) http.Handler {
	type write struct {
		at time.Time
		r  *http.Request
	}
	return func(s *Service) http.Handler {
		replica, err := New(s.dress)
		if err != nil {
			panic(err) // its twin was made of the same
		}
		var mu sync.Mutex
		var waiting []write
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			for len(waiting) > 0 && time.Since(waiting[0].at) >= lag {
				replica.ServeHTTP(httptest.NewRecorder(), waiting[0].r)
				waiting = waiting[1:]
			}
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				replica.ServeHTTP(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				refuse(http.StatusBadRequest, err.Error()).write(w)
				return
			}
			again := r.Clone(context.WithoutCancel(r.Context()))
			again.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, r)
			if rec.Code/100 == 2 {
				waiting = append(waiting, write{time.Now(), again})
			}
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}
}

// gateway has no answer from the service now and then, and takes some texts for an attack.
func gateway(s *Service) http.Handler {
	const often = 41
	var count atomic.Int64
	page := func(w http.ResponseWriter, status int) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html><title>%d</title></html>", status)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := count.Add(1); n%often == 0 {
			page(w, []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}[n/often%3])
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			refuse(http.StatusBadRequest, err.Error()).write(w)
			return
		}
		query, _ := url.QueryUnescape(r.URL.RawQuery)
		for _, attack := range []string{"'", "../", "<script", "${"} {
			if strings.Contains(r.URL.Path+"?"+query+"\n"+string(body), attack) {
				page(w, http.StatusForbidden)
				return
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.ServeHTTP(w, r)
	})
}

func listsNotes(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/notes")
}

func slow(pause time.Duration, some func(*http.Request) bool) func(*Service) http.Handler {
	return func(s *Service) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if some(r) {
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
		if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) { // as nginx does: the bytes are others (RFC 9110 §8.8.3.3)
			h.Set("ETag", "W/"+tag)
		}
		w.WriteHeader(rec.Code)
		z := gzip.NewWriter(w)
		_, _ = z.Write(body)
		_ = z.Close()
	})
}
