package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/report"
)

// How far a request is reduced.
const (
	maxReduced = 12 // requests of an operation
	maxSmaller = 32 // smaller ones that are tried of each
	maxKnown   = 24 // requests of an operation that are tried without what may not exist
)

// probes sends, of the requests that may be refused for a value which does not exist, what
// is left of each without what is not known to exist. They are many, and say nothing to each
// other: they are sent beside each other, before what came of the cases is concluded.
func (r *runner) probes(ctx context.Context, cases []*plan.Case, outcomes []outcome) map[*plan.Case]*probe {
	all := map[*plan.Case]*probe{}
	g := &errgroup.Group{}
	g.SetLimit(r.workers())
	for i, c := range cases {
		st := r.states.of(c.Op)
		o := &outcomes[i]
		if o.skipped != "" || !excused(c, o) || !st.accepted || st.reduced >= maxReduced || st.known >= maxKnown || r.stopped(ctx, c.Op) != "" {
			continue
		}
		parts := c.Parts()
		p := &probe{}
		for i := range parts {
			if r.known(c.Op, parts[i]) {
				p.parts = append(p.parts, i)
			}
		}
		if len(p.parts) == len(parts) || len(p.parts) == 0 {
			continue
		}
		if p.c = c.Some(p.parts); p.c == nil {
			continue
		}
		st.known++
		all[c] = p
		g.Go(func() error { p.send(ctx, r); return nil })
	}
	_ = g.Wait() // none fails
	return all
}

// excused reports whether a request that keeps the contract was refused, and need not have been
// accepted.
func excused(c *plan.Case, o *outcome) bool {
	return c.Expect == plan.Accept && o.class() == 4 && !drops(o.findings, judge.ValidRefused)
}

// probe is some of what a request does to the valid one, and what came of it alone.
type probe struct {
	parts []int
	c     *plan.Case
	o     outcome
}

func (p *probe) send(ctx context.Context, r *runner) {
	x := r.ask(ctx, p.c, r.target.Do)
	p.o = r.judge(ctx, p.c, x)
	p.o.shot = r.shot(p.c, x)
}

// reduce looks, in a request that does several things to the valid one and has an error, for
// the fewest of them that have the same. It returns that case and what came of it: the same
// where there is none. What a probe was made of has no error but what that shows.
func (r *runner) reduce(ctx context.Context, c *plan.Case, o *outcome, p *probe) (*plan.Case, *outcome) {
	st := r.states.of(c.Op)
	if p == nil && (len(o.findings) == 0 || excused(c, o)) || !st.accepted || st.reduced >= maxReduced {
		return c, o
	}
	all := c.Parts()
	if len(all) == 0 || r.stopped(ctx, c.Op) != "" {
		return c, o
	}
	s := &reduction{r: r, whole: c, all: all, parts: make([]int, len(all)), c: c, o: o}
	for i := range s.parts {
		s.parts[i] = i
	}
	if p != nil && !s.keeps(p) || p == nil && !s.failed(o) {
		return c, o
	}
	st.reduced++
	s.halve(ctx)
	s.explain()
	return s.c, s.o
}

// known reports whether what a part needs to exist is known to.
func (r *runner) known(op *contract.Operation, p plan.Part) bool {
	st := r.states.of(op)
	return !slices.ContainsFunc(p.Unknown, func(node string) bool { return !st.free[node] }) &&
		!slices.ContainsFunc(p.Doubts, func(node string) bool { return !st.taken[node] })
}

// reduction is a case that is being reduced.
type reduction struct {
	r      *runner
	whole  *plan.Case
	all    []plan.Part
	sought findingKey // the error
	tries  int
	parts  []int // that are left
	c      *plan.Case
	o      *outcome
}

// failed reports whether an outcome has an error that no other case has shown: the one that is
// looked for or, as long as that is not known, any, which it is from then on. Lost connections
// are not looked into: to lose them takes long.
func (s *reduction) failed(o *outcome) bool {
	for _, f := range o.findings {
		key := keyOf(f)
		if slices.Contains(comesAgain, f.Check) {
			key = findingKey{check: f.Check} // of another clause with each part
		}
		_, known := s.r.index[key]
		if f.Severity == report.Error && f.Check != judge.Connection && !known && (s.sought == findingKey{} || s.sought == key) {
			s.sought = key
			return true
		}
	}
	return false
}

// fails tries some of the parts, and keeps them where the same check fails.
func (s *reduction) fails(ctx context.Context, parts []int) bool {
	if s.tries++; s.tries > maxSmaller || s.r.over(ctx) || len(parts) == 0 && s.whole.Expect == plan.Accept {
		return false
	}
	p := &probe{parts: parts, c: s.whole.Some(parts)}
	if p.c == nil {
		return false
	}
	p.send(ctx, s.r)
	return s.keeps(p)
}

// keeps goes on with what a probe was made of, where that has the error.
func (s *reduction) keeps(p *probe) bool {
	if p.o.skipped != "" || !s.failed(&p.o) {
		return false
	}
	s.parts, s.c, s.o = p.parts, p.c, &p.o
	return true
}

// halve leaves out one half after the other, then smaller pieces, until nothing more can be
// left out.
func (s *reduction) halve(ctx context.Context) {
	if s.whole.Expect != plan.Accept && s.fails(ctx, nil) {
		return // it is the fault alone
	}
	for size := len(s.parts) / 2; size > 0; {
		before := len(s.parts)
		for at := 0; at < len(s.parts) && len(s.parts) > 1; {
			piece := slices.Clone(s.parts[at:min(at+size, len(s.parts))])
			if s.fails(ctx, piece) {
				break
			}
			if rest := slices.DeleteFunc(slices.Clone(s.parts), func(i int) bool { return slices.Contains(piece, i) }); len(rest) > size && s.fails(ctx, rest) {
				continue // what is at this place now has not been tried
			}
			at += size
		}
		if len(s.parts) == before {
			size /= 2
		}
		size = min(size, len(s.parts)/2)
	}
}

// explain names what it takes, where that is several things.
func (s *reduction) explain() {
	if len(s.parts) < 2 {
		return
	}
	var names []string
	for _, i := range s.parts {
		names = append(names, s.all[i].Label)
	}
	for i := range s.o.findings {
		if s.o.findings[i].Check == s.sought.check {
			s.o.findings[i].Message += fmt.Sprintf("; it takes all of %s", strings.Join(someOf(names), ", "))
		}
	}
}
