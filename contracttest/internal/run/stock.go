package run

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// leases is how many resources there are at most for the requests of an operation that
// have one alone each: so many may be under way. It does not depend on the workers, so
// that as many are made in each run.
const leases = 16

// stock is resources of one kind, each of which a request has for itself: what
// others do to it is not to be laid at that one. They are made before the first
// request, and a new one for each that is used up.
type stock struct {
	make    func(context.Context) map[string]string // nil where it cannot
	workers func() int
	wanted  func() int // how many requests there are for them

	mu     sync.Mutex
	freed  *sync.Cond
	filled bool
	idle   []map[string]string // values of path parameters
	there  int                 // idle, or with a request
}

// newStock returns a stock that is filled when the first is taken.
func newStock(workers, wanted func() int, produce func(context.Context) map[string]string) *stock {
	s := &stock{make: produce, workers: workers, wanted: wanted}
	s.freed = sync.NewCond(&s.mu)
	return s
}

// put adds a resource.
func (s *stock) put(values map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.there++
	s.idle = append(s.idle, values)
}

// take returns the values of a resource that nobody else has, and waits for one;
// nil where none can be made.
func (s *stock) take(ctx context.Context) map[string]string {
	s.mu.Lock()
	missing := 0
	switch {
	case !s.filled:
		n := s.wanted()
		missing = max(1, min(leases, n)) - s.there
		s.filled = n > 0 // else nobody knows yet
	case s.there == 0: // nobody could make one before
		missing = 1
	}
	s.there += max(0, missing)
	s.mu.Unlock()
	g := &errgroup.Group{}
	g.SetLimit(s.workers())
	for range max(0, missing) {
		g.Go(func() error { s.renew(ctx); return nil })
	}
	_ = g.Wait() // none fails
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.freed.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) == 0 {
		if s.there == 0 || ctx.Err() != nil {
			return nil
		}
		s.freed.Wait()
	}
	last := len(s.idle) - 1 // so that it shows soon whether a request uses it up
	values := s.idle[last]
	s.idle = s.idle[:last]
	return values
}

// giveBack returns a resource that is as it was.
func (s *stock) giveBack(values map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, values)
	s.freed.Signal()
}

// renew makes one in the place of one that was used up.
func (s *stock) renew(ctx context.Context) {
	if values := s.make(ctx); values != nil {
		s.giveBack(values)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.there--
	s.freed.Broadcast()
}

// left lists the values of what is idle.
func (s *stock) left() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.idle)
}

// letGo keeps some of what is idle.
func (s *stock) letGo(most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.idle), most)
	s.there -= len(s.idle) - n
	s.idle = s.idle[:n]
	s.filled = s.filled && s.there > 0
}
