package contracttest

import (
	"context"
	"sync"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// When a worker is replaced that waits for an answer: after this part of the
// time-out, and how many at most for each that there is.
const (
	partOfTimeout = 4
	replacements  = 2
)

// crew sends the cases of one stage, several at once. Whoever waits long for an
// answer is replaced, so that answers which never come are waited for at the same
// time. Of an operation no more are waited for than may be late: its other cases
// have to see what becomes of these. A single worker is not replaced: somebody
// wants one request at a time.
type crew struct {
	r        *runner
	cases    []*plan.Case
	outcomes []outcome
	keep     []bool

	workers sync.WaitGroup
	mu      sync.Mutex
	freed   *sync.Cond // an operation can go on, or has to be left
	next    int
	put     map[*contract.Operation][]int // aside
	aside   int
	slow    map[*contract.Operation]int // answers that are waited for
	busy    map[*job]bool
	waiting int
}

// job is a case that is under way.
type job struct {
	op    *contract.Operation
	since time.Time
	slow  bool
}

// attempts sends the cases of one stage, and returns what came of each.
func (r *runner) attempts(ctx context.Context, cases []*plan.Case) []outcome {
	c := &crew{
		r: r, cases: cases, outcomes: make([]outcome, len(cases)), keep: make([]bool, len(cases)),
		put: map[*contract.Operation][]int{}, slow: map[*contract.Operation]int{}, busy: map[*job]bool{},
	}
	c.freed = sync.NewCond(&c.mu)
	for i, k := range cases {
		c.keep[i] = r.sample.wants(k)
	}
	for range min(r.cfg.workers, len(cases)) {
		c.workers.Go(func() { c.work(ctx) })
	}
	if r.cfg.workers == 1 {
		c.workers.Wait()
		return c.outcomes
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(max(r.cfg.timeout/(4*partOfTimeout), time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.relieve(ctx)
			case <-done:
				return
			}
		}
	}()
	c.workers.Wait()
	close(done)
	return c.outcomes
}

// work sends cases until there are no more, or until another worker has taken
// over.
func (c *crew) work(ctx context.Context) {
	j := &job{}
	for {
		i, ok := c.take(j)
		if !ok {
			return
		}
		c.outcomes[i] = c.r.attempt(ctx, c.cases[i], c.keep[i])
		if c.finish(j) {
			return
		}
	}
}

// take chooses the next case.
func (c *crew) take(j *job) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		i, ok := c.choose()
		if ok {
			j.op, j.since, j.slow = c.cases[i].Op, time.Now(), false
			c.busy[j] = true
			return i, true
		}
		if c.aside == 0 {
			return 0, false
		}
		c.freed.Wait()
	}
}

// choose finds a case of an operation that can go on.
func (c *crew) choose() (int, bool) {
	for op, indices := range c.put {
		if !c.blocked(op) {
			i := indices[0]
			if c.put[op] = indices[1:]; len(indices) == 1 {
				delete(c.put, op)
			}
			c.aside--
			return i, true
		}
	}
	for ; c.next < len(c.cases); c.next++ {
		op := c.cases[c.next].Op
		if !c.blocked(op) && len(c.put[op]) == 0 {
			c.next++
			return c.next - 1, true
		}
		c.put[op] = append(c.put[op], c.next)
		c.aside++
	}
	return 0, false
}

// blocked reports whether the next answer of an operation has to wait for those
// that may be late: of it, or of a target that has never answered.
func (c *crew) blocked(op *contract.Operation) bool {
	if c.waiting > 0 && !c.r.answered.Load() && int(c.r.hung.Load())+c.waiting >= maxHung {
		return true
	}
	slow := c.slow[op]
	if slow == 0 {
		return false
	}
	late := int(c.r.endless[op].late.Load())
	return late < maxEndless && late+slow >= maxEndless
}

// finish enters that a case is done, and reports whether its worker has been
// replaced.
func (c *crew) finish(j *job) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, j)
	if !j.slow {
		return false
	}
	c.waiting--
	c.slow[j.op]--
	c.freed.Broadcast()
	return true
}

// relieve replaces those who wait long.
func (c *crew) relieve(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for j := range c.busy {
		if j.slow || c.waiting == replacements*c.r.cfg.workers || time.Since(j.since) < c.r.cfg.timeout/partOfTimeout {
			continue
		}
		j.slow = true
		c.waiting++
		c.slow[j.op]++
		c.workers.Go(func() { c.work(ctx) })
	}
}
