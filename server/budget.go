package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/dataarts-go/factory/internal/wellformed"
)

// overhead is how many bytes of memory are counted for each byte held: the
// collector lets the heap double before it frees anything.
const overhead = 2

// budget is the memory that requests may hold together, by caller. It counts
// what has arrived, not what is announced.
//
// A caller may hold at most half of what is then still free: alone a third of
// the budget, beside another that holds a third two ninths, and so on. So no
// caller, and no handful of them, can keep a small request of another one out.
type budget struct {
	mu   sync.Mutex
	free int64
	held map[netip.Addr]int64
}

func newBudget(bytes int64) *budget {
	return &budget{free: bytes, held: map[netip.Addr]int64{}}
}

// take reports whether n more bytes were taken for who.
func (b *budget) take(who netip.Addr, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := b.held[who] + n
	if held > (b.free-n)/2 {
		return false
	}
	b.free -= n
	b.held[who] = held
	return true
}

// give returns n bytes of who.
func (b *budget) give(who netip.Addr, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	if b.held[who] -= n; b.held[who] == 0 {
		delete(b.held, who)
	}
}

// reservation is what one request holds of the budget.
type reservation struct {
	budget *budget
	who    netip.Addr
	bytes  int64
}

// reservation returns one of a request, which holds nothing yet.
func (s *Server) reservation(r *http.Request) reservation {
	return reservation{budget: s.budget, who: networkOf(s.proxies.caller(r))}
}

// grow takes memory for n more bytes, or returns a refusal.
func (r *reservation) grow(n int64) error {
	n *= overhead
	if !r.budget.take(r.who, n) {
		return errNoMemory
	}
	r.bytes += n
	return nil
}

// release returns all of it.
func (r *reservation) release() {
	if r.bytes != 0 {
		r.budget.give(r.who, r.bytes)
		r.bytes = 0
	}
}

// errNoMemory refuses a request whose caller holds as much memory as it may.
var errNoMemory = &refusal{
	status: http.StatusTooManyRequests, code: codeThrottled, text: textThrottled, header: http.Header{"Retry-After": {"1"}},
}

// largeBody is from how many bytes on a body may have to wait to be decoded.
const largeBody = 32 << 10

// reserveValue takes memory for what data is decoded to, until release is called:
// for a small body of what its caller may hold, for a large one of what all have.
func (s *Server) reserveValue(ctx context.Context, data []byte, held *reservation) (release func(), err error) {
	weight := wellformed.Weight(data)
	if len(data) < largeBody {
		return func() {}, held.grow(weight)
	}
	return s.values.acquire(ctx, weight)
}

// values bounds the memory of what large bodies are decoded to, which may be
// many times that of the body. Each takes processor time and not the caller's,
// so that they wait for each other rather than being refused.
type values struct {
	room *semaphore.Weighted
	most int64 // of room
	wait time.Duration
}

func newValues(bytes int64, wait time.Duration) *values {
	return &values{semaphore.NewWeighted(bytes), bytes, wait}
}

// acquire waits until there is room for a value of weight bytes.
func (v *values) acquire(ctx context.Context, weight int64) (release func(), err error) {
	weight *= overhead
	if weight > v.most {
		return nil, &refusal{
			status: http.StatusRequestEntityTooLarge, code: codeTooLarge,
			text: textTooLarge + ": it has too many values.",
		}
	}
	if !v.room.TryAcquire(weight) {
		ctx, stop := context.WithTimeout(ctx, v.wait)
		defer stop()
		if err := v.room.Acquire(ctx, weight); err != nil {
			return nil, fmt.Errorf("%w: no memory for the values of the body: %w", errNoMemory, err)
		}
	}
	return func() { v.room.Release(weight) }, nil
}
