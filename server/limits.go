package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Limits bound what a caller may take of the server. What is 0 has the value of
// DefaultLimits.
type Limits struct {
	HeaderTimeout time.Duration // to send the headers of a request
	ReadTimeout   time.Duration // to send a request
	// RequestTimeout is how long carrying out a request may take, once it is
	// read: then it is answered with 504. It may have been carried out.
	RequestTimeout time.Duration
	// WriteTimeout is from the end of the headers to the end of the answer:
	// more than the two above.
	WriteTimeout time.Duration
	IdleTimeout  time.Duration // between requests on a connection
	HeaderBytes  int           // all headers of a request
	BodyBytes    int64         // the body of a request
	BodiesBytes  int64         // all bodies above 32 KiB that are under way; others wait to be read
	Connections  int           // at a time; others wait to be accepted
	// Packages is how many IDs a request may have, with those given twice. It is a
	// limit of this server: the document has none.
	Packages int
}

// DefaultLimits returns the limits of a server that is not told otherwise. What
// the vendor's gateway bounds is bounded alike: headers of 128 KB and a body of
// 12 MB (api-gateway, error APIG.0201), which has to come at 1.7 Mbit/s.
func DefaultLimits() Limits {
	return Limits{
		HeaderTimeout:  10 * time.Second,
		ReadTimeout:    time.Minute,
		RequestTimeout: 30 * time.Second,
		WriteTimeout:   2 * time.Minute,
		IdleTimeout:    2 * time.Minute,
		HeaderBytes:    128 << 10,
		BodyBytes:      12 << 20,
		BodiesBytes:    256 << 20,
		Connections:    16_384,
		Packages:       100_000,
	}
}

// WithLimits sets the limits.
func WithLimits(l Limits) Option {
	return func(s *Server) error {
		byDefault := DefaultLimits()
		for _, err := range []error{
			orDefault(&l.HeaderTimeout, byDefault.HeaderTimeout, "header timeout"),
			orDefault(&l.ReadTimeout, byDefault.ReadTimeout, "read timeout"),
			orDefault(&l.RequestTimeout, byDefault.RequestTimeout, "request timeout"),
			orDefault(&l.WriteTimeout, byDefault.WriteTimeout, "write timeout"),
			orDefault(&l.IdleTimeout, byDefault.IdleTimeout, "idle timeout"),
			orDefault(&l.HeaderBytes, byDefault.HeaderBytes, "bytes of headers"),
			orDefault(&l.BodyBytes, byDefault.BodyBytes, "bytes of the body"),
			orDefault(&l.BodiesBytes, max(byDefault.BodiesBytes, l.BodyBytes), "bytes of all bodies"),
			orDefault(&l.Connections, byDefault.Connections, "connections"),
			orDefault(&l.Packages, byDefault.Packages, "packages"),
		} {
			if err != nil {
				return err
			}
		}
		if l.WriteTimeout <= l.ReadTimeout+l.RequestTimeout {
			return fmt.Errorf("write timeout is %v, want more than the read and request timeouts, %v",
				l.WriteTimeout, l.ReadTimeout+l.RequestTimeout)
		}
		if l.BodiesBytes < l.BodyBytes {
			return fmt.Errorf("bytes of all bodies are %d, want at least those of one, %d", l.BodiesBytes, l.BodyBytes)
		}
		s.limits = l
		return nil
	}
}

// bodies bounds the memory that large bodies take together: who has no room yet is
// read later.
type bodies struct {
	room *semaphore.Weighted
	most int64 // of one
	wait time.Duration
}

func newBodies(l Limits) *bodies {
	return &bodies{semaphore.NewWeighted(l.BodiesBytes), l.BodyBytes, l.RequestTimeout}
}

// acquire waits until there is room for the body of a request, which release gives
// back. Small ones need none: they are bounded by the number of connections.
func (b *bodies) acquire(r *http.Request) (release func(), err error) {
	size := r.ContentLength
	switch {
	case 0 <= size && size < announced || size > b.most: // what is too large is not read
		return func() {}, nil
	case size < 0:
		size = b.most
	}
	if !b.room.TryAcquire(size) {
		ctx, stop := context.WithTimeout(r.Context(), b.wait)
		defer stop()
		if err := b.room.Acquire(ctx, size); err != nil {
			return nil, fmt.Errorf("%w: no room for the body: %w", &refusal{
				status: http.StatusTooManyRequests, code: codeThrottled, text: textThrottled, header: http.Header{"Retry-After": {"1"}},
			}, err)
		}
	}
	return func() { b.room.Release(size) }, nil
}

func orDefault[T int | int64 | time.Duration](limit *T, byDefault T, name string) error {
	if *limit == 0 {
		*limit = byDefault
	}
	if *limit < 0 {
		return fmt.Errorf("%s: limit is %v, want more than 0", name, *limit)
	}
	return nil
}

// inTime returns err, or that the time is up where that is what led to it.
func inTime(ctx context.Context, err error) error {
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", &refusal{
			status: http.StatusGatewayTimeout, code: codeTimeout, text: textTimeout,
		}, err)
	}
	return err
}

// timeLimit is a context that ends at a deadline, or with its parent. It sets
// its timer when somebody waits for the end, as the stores on disk do: what is
// over before costs none.
type timeLimit struct {
	context.Context           // the parent
	deadline        time.Time // of the limit itself

	mu    sync.Mutex
	timed context.Context // with the timer; nil: nobody has waited
	stop  context.CancelFunc
	over  bool
}

func newTimeLimit(parent context.Context, limit time.Duration) *timeLimit {
	return &timeLimit{Context: parent, deadline: time.Now().Add(limit)}
}

// end ends the context, and releases its timer.
func (t *timeLimit) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if t.stop != nil {
		t.stop()
	}
}

// Deadline is the parent's, if that is earlier.
func (t *timeLimit) Deadline() (time.Time, bool) {
	if deadline, ok := t.Context.Deadline(); ok && deadline.Before(t.deadline) {
		return deadline, true
	}
	return t.deadline, true
}

// Done sets the timer.
func (t *timeLimit) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timed == nil {
		t.timed, t.stop = context.WithDeadline(t.Context, t.deadline)
		if t.over {
			t.stop()
		}
	}
	return t.timed.Done()
}

// Err is that of the timer, or what it would be.
func (t *timeLimit) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timed != nil {
		return t.timed.Err()
	}
	if err := t.Context.Err(); err != nil {
		return err
	}
	switch {
	case t.over:
		return context.Canceled
	case !time.Now().Before(t.deadline):
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Value lets contexts that are made from this one find the one with the timer,
// so that they need no goroutine to be told of its end.
func (t *timeLimit) Value(key any) any {
	t.mu.Lock()
	timed := t.timed
	t.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return t.Context.Value(key)
}
