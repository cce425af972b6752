package run

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// Planned is what a run would send: the request of a case, or the last one of a chain.
type Planned struct {
	ID             string
	Op             *contract.Operation
	Clause         *contract.Clause
	Method, Target string
	Expect, Leave  string
}

// Plan yields the cases and the chains that Run would try with the same arguments, in
// the order of the operations. What a run learns from answers and what it repeats is not
// among them, and what becomes of a chain depends on whether its resources can be made.
// The target may be nil.
func Plan(ctx context.Context, c *contract.Contract, target send.Target, opts Options) (iter.Seq[Planned], error) {
	sel, err := Select(ctx, c, &opts)
	if err != nil {
		return nil, err
	}
	if err := opts.identify(c, target); err != nil {
		return nil, err
	}
	opts.written()
	if err := opts.place(c); err != nil {
		return nil, err
	}
	w := world.New(c)
	p := newPlan(ctx, c, opts.plan(opts.Base(c, target), sel), filter{&opts, sel, w}).begin(nil)
	r := &runner{contract: c, opts: &opts, selection: sel, world: w, plan: p, states: newStates(c, w)}
	secrets := opts.credentials(c)
	return func(yield func(Planned) bool) {
		for _, op := range p.ops {
			for _, pc := range p.cases(op) {
				if opts.leavesOut(pc.Request) {
					continue // the valid request that others are compared with
				}
				if ctx.Err() != nil || !yield(Planned{pc.ID, op, pc.Clause, pc.Request.Method, secret.Hide(pc.Request.Target, secrets), Expected[pc.Expect], pc.Leave}) {
					return
				}
			}
		}
		if opts.Safe {
			return
		}
		kinds := chain.Kinds(c, w)
		r.fillAll(kinds)
		for _, ch := range r.wantedChains(kinds) {
			op := ch.Ops[0]
			if ctx.Err() != nil || !yield(Planned{ch.ID, op, op.StatusClause, op.Method, op.Path, "after others, none of what " + ch.Check + " tells", ""}) {
				return
			}
		}
	}, nil
}

// planned is the plan of a run. Operations are planned in the background, in the order in which
// they are sent, while requests are: nobody waits for the whole. What a stage is made of does not
// depend on how far that has come.
//
// The requests of a large document are more than memory holds: those of an operation are made when
// they are sent, and again when they are needed once more. A plan is the same each time.
type planned struct {
	ctx    context.Context //nolint:containedctx // of the planning, which goes on behind whoever asks for it
	opts   plan.Options
	filter filter
	ops    []*contract.Operation // that are to be tested
	parts  map[*contract.Operation]*part

	workers sync.WaitGroup
	held    atomic.Int64 // bytes of requests
}

// part is the plan of an operation. All but its base is set once ready is closed.
type part struct {
	op        *contract.Operation
	ready     chan struct{}
	late      atomic.Bool  // the run had ended before it was ready
	cases     []*plan.Case // nil where they are made again
	unreached map[*contract.Clause]plan.Reason
	total     int
	spares    bool // cases are left out that might lose what is not the run's own

	once sync.Once
	base *plan.Case
}

// maxHeld is how many bytes of requests are held.
const maxHeld = 256 << 20

// newPlan lists the operations to plan.
func newPlan(ctx context.Context, c *contract.Contract, opts plan.Options, f filter) *planned {
	p := &planned{ctx: ctx, opts: opts, filter: f, parts: map[*contract.Operation]*part{}}
	for _, op := range c.Operations {
		if opts.Want == nil || slices.ContainsFunc(op.Clauses, opts.Want) {
			p.ops = append(p.ops, op)
			p.parts[op] = &part{op: op, ready: make(chan struct{})}
		}
	}
	return p
}

// begin plans the operations, several at once, and holds what fits. Those that the context leaves
// no time for are not planned. After each it calls told, unless that is nil, with how many have been
// planned.
func (p *planned) begin(told func(planned, of int)) *planned {
	var next, done atomic.Int64
	order := p.order()
	for range runtime.GOMAXPROCS(0) {
		p.workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(order)) && p.ctx.Err() == nil; i = next.Add(1) - 1 {
				p.plan(p.parts[order[i]])
				if n := int(done.Add(1)); told != nil {
					told(n, len(order))
				}
			}
		})
	}
	return p
}

// order is that in which operations are needed.
func (p *planned) order() []*contract.Operation {
	var all []*contract.Operation
	for _, w := range waves(p.ops) {
		slices.SortStableFunc(w, func(a, b *contract.Operation) int { return rank(a) - rank(b) })
		all = append(all, w...)
	}
	return all
}

// wait waits until all is planned, or the context has ended.
func (p *planned) wait() { p.workers.Wait() }

// known returns the plan of an operation; nil as long as there is none, or where it came too late.
func (p *planned) known(op *contract.Operation) *part {
	pt := p.parts[op]
	if pt == nil || pt.late.Load() {
		return nil // the run leaves it out
	}
	select {
	case <-pt.ready:
		return pt
	default:
		return nil
	}
}

// of waits for the plan of an operation; nil where there was no time for it.
func (p *planned) of(op *contract.Operation) *part {
	if pt := p.parts[op]; pt != nil {
		select {
		case <-pt.ready:
		case <-p.ctx.Done():
			if p.known(op) == nil {
				pt.late.Store(true) // it may be planned in a moment, but its cases are not sent
			}
		}
	}
	return p.known(op)
}

// total is how many cases there are, as far as is known.
func (p *planned) total() int {
	n := 0
	for _, op := range p.ops {
		if pt := p.known(op); pt != nil {
			n += pt.total
		}
	}
	return n
}

// atLeast is how many cases of an operation there are, or many, if there are so many. A whole
// operation always has them, so that nobody waits for its plan.
func (p *planned) atLeast(op *contract.Operation, many int) int {
	if p.filter.selection.whole() {
		return many
	}
	if pt := p.of(op); pt != nil {
		return pt.total
	}
	return 0
}

// base returns the valid request of an operation; nil where there is none. It does not wait for
// the rest of the plan.
func (p *planned) base(op *contract.Operation) *plan.Case {
	pt := p.parts[op]
	if pt == nil {
		return nil
	}
	pt.once.Do(func() { pt.base = plan.Base(op, p.opts) })
	return pt.base
}

func (p *planned) plan(pt *part) {
	defer close(pt.ready)
	var size int64
	holds := true
	k := picker{filter: p.filter}
	add := func(c *plan.Case) {
		if p.filter.spares(c) {
			pt.spares = true
			return
		}
		pt.total++
		if c.Base == nil {
			pt.once.Do(func() { pt.base = c })
		}
		if holds {
			pt.cases = append(pt.cases, c)
			n := footprint(c)
			size += n
			if p.held.Add(n) > maxHeld {
				p.held.Add(-size)
				holds, pt.cases = false, nil
			}
		}
	}
	pt.unreached = plan.Each(p.ctx, pt.op, p.opts, func(c *plan.Case) {
		if k.picks(c) {
			add(c)
		}
	})
	for _, c := range k.needed() {
		add(c)
	}
	inOrder(pt.cases)
}

// picker picks the cases of an operation that are sent: those that are chosen, and of the others
// those that say whether a value is accepted which these have and which may not exist.
type picker struct {
	filter  filter
	unknown map[string]bool // nodes of such values
	probes  []*plan.Case    // that are not chosen
}

func (k *picker) picks(c *plan.Case) bool {
	switch {
	case c.Base == nil:
		return true
	case !k.filter.wants(c):
		return false
	case !k.filter.selection.judges(c):
		k.probes = append(k.probes, c)
		return false
	}
	if c.Expect == plan.Accept && !k.filter.selection.whole() {
		if k.unknown == nil {
			k.unknown = map[string]bool{}
		}
		for _, node := range slices.Concat(c.Unknown, c.Doubts) {
			k.unknown[node] = true
		}
	}
	return true
}

// needed are the probes that tell of what the picked cases have, once all of these are known.
func (k *picker) needed() []*plan.Case {
	return slices.DeleteFunc(k.probes, func(c *plan.Case) bool { return !k.unknown[c.Probe] })
}

// footprint is about how many bytes a case takes.
func footprint(c *plan.Case) int64 {
	n := 512 + len(c.ID) + len(c.Request.Target) + len(c.Request.Body)
	for _, f := range c.Request.Header {
		n += 32 + len(f.Value)
	}
	return int64(n)
}

// cases returns an operation's cases in the order of their phases.
func (p *planned) cases(op *contract.Operation) []*plan.Case {
	pt := p.of(op)
	if pt == nil {
		return nil // it was not planned: the run had ended, or it leaves the operation out
	}
	if pt.cases != nil || pt.total == 0 {
		return pt.cases
	}
	k := picker{filter: p.filter}
	all := slices.DeleteFunc(plan.Operation(op, p.opts).Cases, func(c *plan.Case) bool { return !k.picks(c) })
	all = slices.DeleteFunc(append(all, k.needed()...), p.filter.spares)
	inOrder(all)
	return all
}

func inOrder(cases []*plan.Case) {
	slices.SortStableFunc(cases, func(a, b *plan.Case) int { return int(a.Phase) - int(b.Phase) })
}

// batch is how many cases a stage has at least, if there are so many: workers
// that wait for the last one of a stage do nothing.
const batch = 2048

// stages divides the plan of a wave into cases that may be sent at once: by phase,
// then by what they may do to others. The valid requests come first, and what else others are
// compared with just before these. Of the cases for clauses the first of each comes before its
// variants, so that a run which is cut short has found the most it could. Wrong credentials are not among them. Before a valid request takes
// something away, those without a credential, and then those that break the contract,
// are to show that they do not: afterwards it may be gone, and they are refused for
// that. Where it may end the run's session, what is sent for other methods and paths
// comes before it too.
func (p *planned) stages(w wave) iter.Seq[[]*plan.Case] {
	takes, ends := w.takes(), w.ends()
	bare := func(c *plan.Case, _ bool) bool {
		return takes && c.Expect == plan.RefuseCredential && c.Anonymous
	}
	bad := func(c *plan.Case, _ bool) bool {
		return takes && (c.Expect == plan.Refuse || ends && c.Expect != plan.Accept) && c.Phase == plan.Clauses && !wrong(c)
	}
	ranks := []int{reading, changing}
	if takes {
		ranks = []int{rank(w[0])}
	}
	of := func(phase plan.Phase, firsts ...bool) func(*plan.Case, bool) bool {
		return func(c *plan.Case, first bool) bool {
			return c.Phase == phase && !wrong(c) && !bad(c, first) && (len(firsts) == 0 || slices.Contains(firsts, first))
		}
	}
	return func(yield func([]*plan.Case) bool) {
		if takes && (!p.batches(w, ranks[0], bare, yield) || !p.batches(w, ranks[0], bad, yield)) {
			return
		}
		for _, rank := range ranks {
			if !p.bases(w, rank, yield) {
				return
			}
		}
		firsts := of(plan.Clauses, true)
		compared := func(c *plan.Case, first bool) bool { return c.Phase == plan.Basics || firsts(c, first) }
		for _, wanted := range []func(*plan.Case, bool) bool{compared, of(plan.Clauses, false), of(plan.Examples), of(plan.Random)} {
			for _, rank := range ranks {
				if !p.batches(w, rank, wanted, yield) {
					return
				}
			}
		}
	}
}

// firstBatch is how many valid requests are sent before more of them are made.
const firstBatch = 256

// bases yields the valid requests of a wave's operations of one rank, which do not wait for the
// plans.
func (p *planned) bases(w wave, r int, yield func([]*plan.Case) bool) bool {
	var some []*plan.Case
	for _, op := range w {
		if rank(op) != r {
			continue
		}
		if p.ctx.Err() != nil && p.known(op) == nil {
			continue // there was no time to plan it
		}
		if c := p.base(op); c != nil {
			some = append(some, c)
		}
		if len(some) == firstBatch {
			if !yield(some) {
				return false
			}
			some = nil
		}
	}
	return len(some) == 0 || yield(some)
}

// batches yields some of the cases of a wave's operations of one rank. Those that change nothing take
// turns by operation, so that a slow one does not hold up the others; the rest
// comes operation by operation. A case is told whether it is the first that keeps
// its clause, or that breaks it. What those of a batch are compared with comes before it.
func (p *planned) batches(w wave, r int, wanted func(c *plan.Case, first bool) bool, yield func([]*plan.Case) bool) bool {
	type use struct {
		clause *contract.Clause
		expect plan.Expect
	}
	var compared []*plan.Case
	var groups [][]*plan.Case
	n := 0
	flush := func() bool {
		first, some := compared, slices.Concat(groups...)
		if r == reading {
			some = inTurns(groups)
		}
		compared, groups, n = nil, nil, 0
		return (len(first) == 0 || yield(first)) && (len(some) == 0 || yield(some))
	}
	for _, op := range w {
		if rank(op) != r {
			continue
		}
		if heavy(op) && !flush() { // what is there need not wait for its plan
			return false
		}
		var some []*plan.Case
		seen := map[use]bool{}
		for _, c := range p.cases(op) {
			if c.Phase == plan.Basics {
				if c.Base != nil && wanted(c, true) { // the valid request has been sent
					compared = append(compared, c)
				}
				continue
			}
			u := use{c.Clause, c.Expect}
			if wanted(c, !seen[u]) {
				some = append(some, c)
			}
			seen[u] = seen[u] || c.Phase == plan.Clauses
		}
		groups, n = append(groups, some), n+len(some)
		if n >= batch && !flush() {
			return false
		}
	}
	return flush()
}

// inTurns takes one of each group, then the next of each.
func inTurns(groups [][]*plan.Case) []*plan.Case {
	var all []*plan.Case
	for i := 0; ; i++ {
		n := len(all)
		for _, g := range groups {
			if i < len(g) {
				all = append(all, g[i])
			}
		}
		if len(all) == n {
			return all
		}
	}
}
