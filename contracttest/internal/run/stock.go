package run

import (
	"context"
	"maps"
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
	begin   func() (end func())                     // is called before, and end once others may have it
	workers func() int
	wanted  func() int // how many requests there are for them

	mu     sync.Mutex
	freed  *sync.Cond
	filled bool
	idle   []map[string]string // values of path parameters
	lent   []map[string]string // the same, of what a request has
	there  int                 // idle, or with a request
	asked  int                 // who waits for one
}

// newStock returns a stock that is filled when the first is taken.
func newStock(workers, wanted func() int, begin func() (end func()), produce func(context.Context) map[string]string) *stock {
	s := &stock{make: produce, begin: begin, workers: workers, wanted: wanted}
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
		g.Go(func() error { s.renew(ctx, nil); return nil })
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
	s.asked++
	defer func() { s.asked-- }()
	for len(s.idle) == 0 {
		if s.there == 0 || ctx.Err() != nil {
			return nil
		}
		s.freed.Wait()
	}
	last := len(s.idle) - 1 // so that it shows soon whether a request uses it up
	values := s.idle[last]
	s.idle = s.idle[:last]
	s.lent = append(s.lent, values)
	return values
}

// giveBack returns a resource that is as it was.
func (s *stock) giveBack(values map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeBack(values)
	s.idle = append(s.idle, values)
	s.freed.Signal()
}

func (s *stock) takeBack(values map[string]string) {
	s.lent = slices.DeleteFunc(s.lent, func(other map[string]string) bool { return maps.Equal(other, values) })
}

// renew makes one in the place of one that was used up; nil is one that is missing.
func (s *stock) renew(ctx context.Context, used map[string]string) {
	end := s.begin()
	defer end()
	s.mu.Lock()
	s.takeBack(used)
	s.mu.Unlock()
	if values := s.make(ctx); values != nil {
		s.giveBack(values)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.there--
	s.freed.Broadcast()
}

// left lists the values of what is idle, or with a request.
func (s *stock) left() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.idle, s.lent)
}

// letGoIdle lets go of all, if nobody has any or waits for one, and returns what that was.
func (s *stock) letGoIdle() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) < s.there || s.asked > 0 {
		return nil
	}
	all := s.idle
	s.idle, s.there, s.filled = nil, 0, false
	return all
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
