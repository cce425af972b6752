package send

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Handler returns the target that is a handler in this process. It sees each
// request as net/http's server would hand it over, and its answer is treated as
// that server would: the header is fixed by the first write, a missing
// Content-Type is sniffed, a body is cut where none may be.
func Handler(h http.Handler) Target { return &inProcess{handler: h} }

type inProcess struct {
	handler http.Handler

	mu   sync.Mutex
	idle []chan<- job // goroutines that have served, and wait to serve again: their stacks have grown already
	open bool         // whether they are to wait
}

// job is a request for the handler.
type job struct {
	w    http.ResponseWriter
	r    *http.Request
	done chan<- error
}

func (*inProcess) String() string           { return "handler" }
func (*inProcess) BasePath() (string, bool) { return "", false }

// Close lets go of what waits. The target can be used again.
func (t *inProcess) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, jobs := range t.idle {
		close(jobs)
	}
	t.idle, t.open = nil, false
}

// start hands a job to a goroutine.
func (t *inProcess) start(j job) {
	t.mu.Lock()
	t.open = true
	var jobs chan<- job
	if last := len(t.idle) - 1; last >= 0 {
		jobs, t.idle = t.idle[last], t.idle[:last]
	}
	t.mu.Unlock()
	if jobs != nil {
		jobs <- j
		return
	}
	queue := make(chan job, 1)
	queue <- j
	go func() {
		for j := range queue {
			t.serve(j)
			if !t.rest(queue) {
				return
			}
		}
	}()
}

// rest enters a goroutine among those that wait, if there is anything to wait
// for: one whose request was given up may come to its end when the run has.
func (t *inProcess) rest(jobs chan<- job) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open {
		t.idle = append(t.idle, jobs)
	}
	return t.open
}

func (t *inProcess) serve(j job) {
	defer func() {
		v := recover()
		switch {
		case v == nil:
			j.done <- nil
		case v == http.ErrAbortHandler: //nolint:errorlint // net/http compares it so
			j.done <- ErrDropped
		default:
			j.done <- fmt.Errorf("%w: %v", ErrPanic, v)
		}
	}()
	t.handler.ServeHTTP(j.w, j.r)
}

var nowhere = &url.URL{Scheme: "http", Host: "handler.invalid"}

func (t *inProcess) Do(ctx context.Context, r *wire.Request, how How) (*wire.Response, error) {
	serving, leave := context.WithCancel(ctx)
	defer leave() // a stream goes on until its reader has gone
	req, identity, err := ready(serving, r, nowhere, how)
	if err != nil {
		return nil, err
	}
	asServed(req)
	full, left := make(chan struct{}), make(chan struct{})
	rec := &recorder{header: http.Header{}, head: r.Method == http.MethodHead, full: full, how: how, leave: sync.OnceFunc(func() { close(left) })}
	start := time.Now()
	done := make(chan error, 1)
	t.start(job{rec, req, done})
	select {
	case err = <-done:
		if err == nil && ctx.Err() != nil { // it came to an end because its time had
			err = ended(ctx)
		}
	case <-ctx.Done():
		err = ended(ctx)
	case <-full:
	case <-left:
		err = errLeft
	}
	resp, err := rec.result(ctx, err, time.Since(start))
	if resp != nil {
		resp.Identity = identity
	}
	return resp, err
}

// ended says why there is no more time.
func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrTimeout
	}
	return fmt.Errorf("stopped: %w", ctx.Err())
}

func (t *inProcess) Raw(ctx context.Context, r *wire.Request, how How) (*wire.Response, error) {
	return t.Do(ctx, r, how)
}

// asServed turns a client's request into one as a server hands it over.
func asServed(req *http.Request) {
	h := req.Header // the request is nobody else's
	for name := range h {
		if http.CanonicalHeaderKey(name) != name {
			h = canonical(h)
			break
		}
	}
	if req.ContentLength > 0 || req.Body != nil && req.ContentLength == 0 {
		h.Set("Content-Length", strconv.FormatInt(req.ContentLength, 10))
	}
	req.Header = h
	req.RequestURI = req.URL.RequestURI()
	req.URL.Scheme, req.URL.Host = "", ""
	req.RemoteAddr = "192.0.2.1:1234" // RFC 5737: an address that is nobody's
	if req.Body == nil {
		req.Body = http.NoBody
	}
	req.GetBody = nil
}

// canonical joins what is the same field in other letter cases.
func canonical(header http.Header) http.Header {
	h := make(http.Header, len(header))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		key := http.CanonicalHeaderKey(name)
		h[key] = append(h[key], header[name]...)
	}
	return h
}

// recorder is a ResponseWriter that keeps what a client would receive.
type recorder struct {
	mu      sync.Mutex
	closed  bool
	header  http.Header
	sent    http.Header // as it was when the status was written
	status  int
	body    []byte
	head    bool            // the method has no body, so that what is written goes nowhere
	noBody  bool            // the status has none, so that writing is an error
	written int             // bytes that the handler has tried to write
	taken   int             // bytes of them that a server would have sent
	full    chan<- struct{} // closed when there is more than is read
	how     How
	leave   func()   // ends the reading
	meter   *meter   // of the body, once the header is sent
	stop    []func() // what goes on until the end
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent != nil || r.closed || status < 200 {
		return
	}
	r.status, r.sent = status, r.header.Clone()
	r.noBody = status == http.StatusNoContent || status == http.StatusNotModified
	if r.meter = newMeter(r.sent, r.how); r.meter != nil && r.head {
		r.leave() // there is nothing to wait for
	}
	r.stop = append(r.stop, r.meter.start(r.leave))
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, http.ErrHandlerTimeout
	}
	if r.noBody {
		return 0, http.ErrBodyNotAllowed
	}
	r.written += len(p)
	if n, ok := r.length(); ok && r.written > n {
		return 0, http.ErrContentLength
	}
	if r.taken > MaxBody || r.meter != nil && r.meter.full { // whoever reads has gone
		return 0, http.ErrHandlerTimeout
	}
	r.taken += len(p)
	if r.taken > MaxBody {
		close(r.full)
	}
	kept := r.meter.take(p)
	r.body = append(r.body, kept[:min(len(kept), MaxBody-len(r.body))]...)
	if r.meter != nil && r.meter.full {
		r.leave()
	}
	return len(p), nil
}

// length returns the Content-Length that the handler has set.
func (r *recorder) length() (int, bool) {
	n, err := strconv.Atoi(r.sent.Get("Content-Length"))
	return n, err == nil
}

func (r *recorder) Flush() { r.WriteHeader(http.StatusOK) }

func (r *recorder) result(ctx context.Context, err error, elapsed time.Duration) (*wire.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, stop := range r.stop {
		stop()
	}
	if r.sent == nil {
		if err != nil {
			return nil, err
		}
		r.status, r.sent = http.StatusOK, r.header.Clone()
	}
	if _, typed := r.sent["Content-Type"]; !typed && len(r.body) > 0 && r.sent.Get("Content-Encoding") == "" {
		r.sent.Set("Content-Type", http.DetectContentType(r.body))
	}
	resp := &wire.Response{Status: r.status, Header: r.sent, Elapsed: elapsed}
	if !r.head {
		resp.Body = r.body
	}
	if r.taken > MaxBody && err == nil && !r.head {
		err = ErrTooLarge
	}
	r.meter.finish(ctx, resp, err)
	if r.head {
		return resp, nil
	}
	if n, ok := r.length(); ok && !r.noBody && r.taken < n && err == nil {
		resp.BodyErr = fmt.Errorf("the body ends before its end: %w: %d of %d bytes", io.ErrUnexpectedEOF, r.taken, n)
	}
	return resp, nil
}
