package run

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

// pool sends the cases of one stage, several at once. A worker that waits long
// for an answer is replaced, so that answers which never come are waited for at
// the same time. Of an operation no more are waited for than may be late: its
// other cases have to see what becomes of these. A single worker is not
// replaced: the user wants one request at a time.
type pool struct {
	r        *runner
	cases    []*plan.Case
	outcomes []outcome
	keep     []bool

	workers sync.WaitGroup
	mu      sync.Mutex
	freed   *sync.Cond                    // an operation can go on, or has to be left
	left    []int                         // cases that nobody has begun with
	aside   map[*contract.Operation][]int // cases that wait for their operation
	waiting int                           // cases in aside
	slow    map[*contract.Operation]int   // answers that take long
	slowAll int
	busy    map[*job]bool
}

// job is a case that is under way.
type job struct {
	op    *contract.Operation
	since time.Time
	slow  bool // it may be late; its worker has been replaced
}

// attempts sends the cases of one stage, and returns what came of each.
func (r *runner) attempts(ctx context.Context, cases []*plan.Case) []outcome {
	outcomes := make([]outcome, len(cases))
	l := newLanes(r)
	defer l.wait()
	r.attempted(ctx, l, cases, outcomes)
	return outcomes
}

// attempted sends cases, and enters what came of each. It waits for all but those of slow
// operations, which have their lanes.
func (r *runner) attempted(ctx context.Context, l *lanes, cases []*plan.Case, outcomes []outcome) {
	p := &pool{
		r: r, cases: cases, outcomes: outcomes, keep: make([]bool, len(cases)),
		aside: map[*contract.Operation][]int{}, slow: map[*contract.Operation]int{}, busy: map[*job]bool{},
	}
	p.freed = sync.NewCond(&p.mu)
	for i, c := range cases {
		p.keep[i] = r.sample.wants(c)
		if r.waits(c.Op) {
			l.do(c.Op, func() { outcomes[i] = r.attempt(ctx, c, p.keep[i]) })
		} else {
			p.left = append(p.left, i)
		}
	}
	for range min(r.opts.Workers, len(p.left)) {
		p.workers.Go(func() { p.work(ctx) })
	}
	if r.opts.Workers == 1 {
		p.workers.Wait()
		return
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(max(r.opts.Timeout/(4*partOfTimeout), time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.relieve(ctx)
			case <-done:
				return
			}
		}
	}()
	p.workers.Wait()
	close(done)
}

// work sends cases until there are no more, or until another worker has taken
// over.
func (p *pool) work(ctx context.Context) {
	j := &job{}
	for {
		i, ok := p.take(j)
		if !ok {
			return
		}
		p.outcomes[i] = p.r.attempt(ctx, p.cases[i], p.keep[i])
		if p.finish(j) {
			return
		}
	}
}

// take chooses the next case.
func (p *pool) take(j *job) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.waiting == 0 && len(p.left) == 0 {
			return 0, false
		}
		if most := p.r.load.bound(); most == 0 || len(p.busy) < most {
			if i, ok := p.choose(); ok {
				j.op, j.since, j.slow = p.cases[i].Op, time.Now(), false
				p.busy[j] = true
				return i, true
			}
			if p.waiting == 0 {
				return 0, false
			}
		}
		p.freed.Wait()
	}
}

// choose finds a case of an operation that can go on.
func (p *pool) choose() (int, bool) {
	for op, indices := range p.aside {
		if !p.blocked(op) {
			i := indices[0]
			if p.aside[op] = indices[1:]; len(indices) == 1 {
				delete(p.aside, op)
			}
			p.waiting--
			return i, true
		}
	}
	for len(p.left) > 0 {
		i := p.left[0]
		p.left = p.left[1:]
		op := p.cases[i].Op
		if !p.blocked(op) && len(p.aside[op]) == 0 {
			return i, true
		}
		p.aside[op] = append(p.aside[op], i)
		p.waiting++
	}
	return 0, false
}

// blocked reports whether the next answer of an operation has to wait for those
// that may be late: of it, or of a target that has never answered.
func (p *pool) blocked(op *contract.Operation) bool {
	if p.slowAll > 0 && !p.r.answered.Load() && int(p.r.hung.Load())+p.slowAll >= maxHung {
		return true
	}
	slow := p.slow[op]
	if slow == 0 {
		return false
	}
	late := int(p.r.states.of(op).late.Load())
	return late < maxEndless && late+slow >= maxEndless
}

// finish notes that a case is done, and reports whether its worker has been
// replaced.
func (p *pool) finish(j *job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, j)
	if j.slow {
		p.slowAll--
		p.slow[j.op]--
	}
	if j.slow || p.r.load.bound() > 0 {
		p.freed.Broadcast()
	}
	return j.slow
}

// relieve replaces those who wait long.
func (p *pool) relieve(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for j := range p.busy {
		st := p.r.states.of(j.op)
		if j.slow || p.slowAll == replacements*p.r.opts.Workers || time.Since(j.since) < max(p.r.opts.Timeout/partOfTimeout, 2*st.alone) {
			continue
		}
		j.slow = true
		p.slowAll++
		p.slow[j.op]++
		p.workers.Go(func() { p.work(ctx) })
	}
}
