package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
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
	// Packages is how many IDs a request may have, with those given twice. It is a
	// limit of this server: the document has none.
	Packages int
	// BodiesBytes is the memory that all requests may take at a time, what the garbage
	// collector has not freed yet included. Half of it is for bodies, as they arrive, and with
	// HTTP/2 for the requests themselves: a caller may hold half of what is left of it, and
	// is answered with 429 beyond that. The other half is for what large bodies are decoded to;
	// these wait for each other.
	BodiesBytes int64
	Connections int // at a time; others wait to be accepted
	// ConnectionsPerAddress is how many of them one address may have (with IPv6, one
	// network of 64 bits); further ones are closed.
	ConnectionsPerAddress int
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
		BodiesBytes:    512 << 20,
		Connections:    16_384,
		Packages:       100_000,
		// More than any caller but a proxy has, and so few that their memory is small.
		ConnectionsPerAddress: 1024,
	}
}

// bodiesPerBody is how many times one body has to fit into BodiesBytes, so that
// it can be read at all: half of that is for bodies, of which one caller has a
// third. leastBodies is enough for a request of HTTP/2.
const (
	bodiesPerBody = 2 * 3 * (overhead + 1)
	leastBodies   = 8 << 20
)

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
			orDefault(&l.BodiesBytes, max(byDefault.BodiesBytes, bodiesPerBody*l.BodyBytes), "bytes of all bodies"),
			orDefault(&l.Connections, byDefault.Connections, "connections"),
			orDefault(&l.Packages, byDefault.Packages, "packages"),
			orDefault(&l.ConnectionsPerAddress, byDefault.ConnectionsPerAddress, "connections of one address"),
		} {
			if err != nil {
				return err
			}
		}
		if l.WriteTimeout <= l.ReadTimeout+l.RequestTimeout {
			return fmt.Errorf("write timeout is %v, want more than the read and request timeouts, %v",
				l.WriteTimeout, l.ReadTimeout+l.RequestTimeout)
		}
		if l.BodiesBytes < leastBodies || l.BodiesBytes/bodiesPerBody < l.BodyBytes {
			return fmt.Errorf("bytes of all bodies are %d, want at least %d, and %d times those of one, %d",
				l.BodiesBytes, leastBodies, bodiesPerBody, l.BodyBytes)
		}
		s.limits = l
		return nil
	}
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
