package run

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// framing reads a few answers of each operation byte by byte: what net/http's
// client forgives shows there.
func (r *runner) framing(ctx context.Context, ops []*contract.Operation, gate gate) []*framed {
	var all []*framed
	for _, op := range ops {
		all = append(all, framedOf(op, r.plan.cases(op))...)
	}
	all = slices.DeleteFunc(all, func(f *framed) bool { return !r.selection.sends(f.c) })
	var g sync.WaitGroup
	for _, f := range all {
		read := func() {
			if r.stopped(ctx, f.c.Op) == "" {
				f.x = r.ask(ctx, f.c, r.target.Raw)
			}
		}
		if r.beside(f.c.Op) {
			g.Go(func() { r.through(gate, f.c.Op, read) })
			continue
		}
		g.Wait()
		read()
	}
	g.Wait()
	return all
}

// enterFramed enters what is wrong with answers that were read byte by byte.
func (r *runner) enterFramed(ctx context.Context, all []*framed) {
	for _, f := range all {
		if r.over(ctx) {
			return
		}
		if f.x != nil {
			r.framed(ctx, f.c, f.x)
		}
	}
}

// framed is a case whose answer is read byte by byte.
type framed struct {
	c *plan.Case
	x *wire.Exchange // nil where it was not sent
}

// framedOf chooses from the cases of an operation: the valid request, one that is
// refused, HEAD.
func framedOf(op *contract.Operation, cases []*plan.Case) []*framed {
	var some [3]*plan.Case
	for _, c := range cases {
		switch {
		case c.Base == nil:
			some[0] = c
			if op.Method == http.MethodGet {
				head := *c
				head.ID, head.Base, head.Request = askID(op, "head"), c, c.Request.Clone()
				head.Request.Method = http.MethodHead
				some[2] = &head
			}
		case some[1] == nil && c.Expect == plan.Refuse && c.Leave == "" && !wrong(c):
			some[1] = c
		case c.Request.Method == http.MethodHead:
			some[2] = c
		}
	}
	var all []*framed
	for _, c := range some {
		if c != nil {
			all = append(all, &framed{c: c})
		}
	}
	return all
}

// framed enters what is wrong with an answer that was read byte by byte.
func (r *runner) framed(ctx context.Context, c *plan.Case, x *wire.Exchange) {
	var found []report.Finding
	o := r.judge(ctx, c, x)
	if !r.selection.SkipsCheck(judge.NotRepeatable.Name) && c.Base == nil && o.class() == 4 && o.status != http.StatusTooManyRequests && r.states.of(c.Op).repeatable.Load() && r.stillAccepted(ctx, c) {
		found = append(found, r.unstable(c, x.Request, fmt.Sprintf("an accepted request is refused with %d on a connection of its own", o.status),
			"the same response on every connection", strconv.Itoa(o.status), judge.Error))
	}
	for _, f := range o.findings {
		// Whether HEAD has to be served, the document does not say; where it must
		// not be, its case has been weighed.
		if f.Check == judge.Framing || !slices.Contains(comesAgain, f.Check) && c.Request.Method != http.MethodHead {
			r.enter(f)
			found = append(found, f)
		}
	}
	if len(found) > 0 {
		r.sample.Add(r.shot(c, x), found, false)
	}
}

// beside reports whether the requests of an operation do nothing to those of
// others, which may be sent at the same time: they change nothing, make something,
// or change what is their own.
func (r *runner) beside(op *contract.Operation) bool {
	return rank(op) == reading || r.states.of(op).renews() || r.world.Creates(op)
}

// How often a request is repeated, and how many of them at once.
const (
	repeats  = 48
	together = 16
)

// askAgain asks for more answers to the requests of a wave: the same request must get the
// same again, and what a client asks for in another way has to fit the usual answer. The
// same ones are sent again between others of every kind, one that is refused between valid
// ones, in a row and at once. Operations that do nothing to each other are asked beside each
// other: those that change nothing, and those that make something or change what is their
// own. Nobody waits for slow ones that change nothing.
func (r *runner) askAgain(ctx context.Context, w wave) {
	isLong := func(op *contract.Operation) bool { return readsOnly(op) && r.waits(op) }
	var asking, making, one, long []*round
	oneCase := r.selection.oneCase() && !r.selection.asksForCheck(judge.NotRepeatable.Name) // is sent once, not a hundred times
	if !oneCase && !r.selection.SkipsCheck(judge.NotRepeatable.Name) {
		for _, op := range w {
			if r.states.of(op).fruitless() != "" {
				continue
			}
			rd := roundOf(op, r.plan.cases(op))
			switch {
			case rd == nil:
			case isLong(op):
				long = append(long, rd)
			case readsOnly(op):
				asking = append(asking, rd)
			case r.beside(op):
				making = append(making, rd)
			default:
				one = append(one, rd)
			}
		}
	}
	ask := func(ops wave, rounds []*round) (enter func()) {
		var negotiated []*negotiation
		var read []*framed
		var beside sync.WaitGroup
		g := newGate(r.workers())
		beside.Go(func() { negotiated = r.negotiations(ctx, ops, g) })
		beside.Go(func() { read = r.framing(ctx, some(ops, readsOnly), g) })
		r.asked(ctx, rounds, g)
		beside.Wait()
		return func() {
			r.enterSteady(ctx, rounds)
			r.enterFramed(ctx, read)
			r.enterNegotiated(negotiated)
		}
	}
	var late sync.WaitGroup
	var enterLong func()
	late.Go(func() { enterLong = ask(some(w, isLong), long) })
	for _, rd := range one {
		r.asked(ctx, []*round{rd}, newGate(r.workers()))
	}
	r.enterSteady(ctx, one)
	ask(some(w, func(op *contract.Operation) bool { return !isLong(op) }), asking)()
	r.asked(ctx, making, newGate(r.workers()))
	r.enterSteady(ctx, making)
	late.Wait()
	enterLong()
}

// gate lets so many do something at once.
type gate chan struct{}

func newGate(n int) gate { return make(gate, n) }

func (g gate) do(what func()) {
	g <- struct{}{}
	defer func() { <-g }()
	what()
}

// through does something for an operation when there is room for it, or at once where the
// operation is slow: it would hold up the others.
func (r *runner) through(g gate, op *contract.Operation, what func()) {
	if r.waits(op) {
		what()
	} else {
		g.do(what)
	}
}

// round is what is sent again and again of an operation: its valid request, one
// that is refused, and others between them.
type round struct {
	op     *contract.Operation
	all    []*repeated
	others []*plan.Case
}

// roundOf chooses from the cases of an operation; it is nil where there is no
// valid request.
func roundOf(op *contract.Operation, cases []*plan.Case) *round {
	var base, broken *plan.Case
	var callers, others []*plan.Case
	kinds := map[string]bool{}
	for _, c := range cases {
		if c.Base == nil {
			base = c
			continue
		}
		if wrong(c) {
			continue
		}
		if broken == nil && c.Expect == plan.Refuse && c.Leave == "" {
			broken = c
		}
		kind := fmt.Sprint(c.Expect)
		switch {
		case c.Expect != plan.Accept:
			kind += c.Clause.Name + c.Request.Method
		case c.Clause == op.MessageClause && ofCaller(c):
			kind = c.ID
		}
		if c.Leave != "" || kinds[kind] {
			continue
		}
		kinds[kind] = true
		if kind == c.ID {
			callers = append(callers, c)
		} else {
			others = append(others, c)
		}
	}
	if base == nil {
		return nil
	}
	rd := &round{op: op, others: append(callers, others...)}
	for _, c := range []*plan.Case{base, broken} {
		if c != nil {
			rd.all = append(rd.all, &repeated{c: c})
		}
	}
	return rd
}

// ofCaller reports whether a request differs in what tells one caller from
// another.
func ofCaller(c *plan.Case) bool {
	return slices.ContainsFunc([]string{"Accept-Language", "Cookie", "Forwarded", "User-Agent", "X-Forwarded-For", "X-Real-IP"}, func(name string) bool {
		return c.Request.Get(name) != "" && c.Base.Request.Get(name) == ""
	})
}

// reply is what is compared of the answers to a repeated request.
type reply struct {
	shape   string
	status  int
	success bool // documented
	refused bool // as documented
	limited bool // a target may have a limit: 429, or what it answers where there are too many resources, or the run has deleted some
	request *wire.Request
	outcome outcome
}

// repeated is a case that is sent again and again.
type repeated struct {
	c       *plan.Case
	replies []reply
}

func (r *runner) reply(ctx context.Context, c *plan.Case) reply {
	x := r.ask(ctx, c, r.target.Do)
	if unsent(x) {
		return reply{}
	}
	a := reply{shape: shape(x), request: x.Request}
	if x.Response != nil {
		documented := c.Op.Response(x.Response.Status) != nil
		a.status = x.Response.Status
		a.success = documented && x.Response.Status/100 < 4
		a.refused = documented && x.Response.Status/100 == 4
		a.limited = x.Response.Status == http.StatusTooManyRequests || r.full(c.Op, x) ||
			a.refused && r.worksOnMade(c.Op) && (a.status == http.StatusConflict || r.room.cleared() && (a.status == http.StatusNotFound || a.status == http.StatusGone))
	}
	a.outcome = r.judge(ctx, c, x)
	return a
}

// asked sends the cases of some operations again and again, other requests between,
// then those of each at once, and once more when all is quiet again: being busy is
// no state. For slow ones nobody is quiet, and many of those that change nothing are under way at once anyway.
func (r *runner) asked(ctx context.Context, rounds []*round, gate gate) {
	isSlow := func(rd *round) bool { return r.waits(rd.op) }
	inOrder := func(rd *round) bool { return rank(rd.op) > reading && !r.states.of(rd.op).renews() }
	slices.SortStableFunc(rounds, func(a, b *round) int { // what takes long begins first
		switch long := func(rd *round) bool { return isSlow(rd) || inOrder(rd) }; {
		case long(a) == long(b):
			return 0
		case long(a):
			return -1
		}
		return 1
	})
	many := &errgroup.Group{}
	many.SetLimit(r.workers())
	var slow sync.WaitGroup
	burst := newGate(1)
	for _, rd := range rounds {
		turns := rd.turns(ctx, r)
		switch {
		case inOrder(rd):
			many.Go(func() error {
				for _, do := range turns {
					gate.do(do)
				}
				return nil
			})
		case isSlow(rd):
			slow.Go(func() {
				l := newLanes(r)
				for _, do := range turns {
					l.do(rd.op, do)
				}
				l.wait()
				if !readsOnly(rd.op) {
					burst.do(func() { r.together(ctx, rd) })
				}
				r.oneMore(ctx, rd)
			})
		default:
			for _, do := range turns {
				many.Go(func() error { gate.do(do); return nil })
			}
		}
	}
	_ = many.Wait() // none fails
	slow.Wait()
	for _, rd := range rounds {
		if inOrder(rd) || !isSlow(rd) {
			r.together(ctx, rd)
		}
	}
	for _, rd := range rounds {
		if inOrder(rd) || !isSlow(rd) {
			r.oneMore(ctx, rd)
		}
	}
}

// enterSteady enters what of the answers to some rounds is not as it was.
func (r *runner) enterSteady(ctx context.Context, rounds []*round) {
	for _, rd := range rounds {
		for _, one := range rd.all {
			if r.over(ctx) || r.stopped(ctx, rd.op) != "" {
				break
			}
			r.steady(one)
		}
	}
}

// turns lists what is sent of a round, in its order.
func (rd *round) turns(ctx context.Context, r *runner) []func() {
	var all []func()
	add := func(do func()) {
		all = append(all, func() {
			if r.stopped(ctx, rd.op) == "" {
				do()
			}
		})
	}
	for _, one := range rd.all {
		one.replies = make([]reply, repeats)
	}
	for i := range repeats {
		add(func() { rd.all[0].replies[i] = r.reply(ctx, rd.all[0].c) })
		if i%2 == 0 {
			continue
		}
		if len(rd.others) > 0 {
			add(func() { r.send(ctx, rd.others[i/2%len(rd.others)]) })
		}
		for _, one := range rd.all[1:] { // right before the valid one
			add(func() { one.replies[i] = r.reply(ctx, one.c) })
		}
	}
	return all
}

// together sends each of the requests of a round many times at once.
func (r *runner) together(ctx context.Context, rd *round) {
	for _, one := range rd.all {
		if r.stopped(ctx, rd.op) != "" {
			return
		}
		at := make([]reply, together)
		g := &errgroup.Group{}
		if most := r.load.bound(); most > 0 {
			g.SetLimit(most)
		}
		for i := range at {
			g.Go(func() error { at[i] = r.reply(ctx, one.c); return nil })
		}
		_ = g.Wait() // none fails
		one.replies = append(one.replies, at...)
	}
}

// oneMore sends each of the requests of a round once more.
func (r *runner) oneMore(ctx context.Context, rd *round) {
	var all sync.WaitGroup
	for _, one := range rd.all {
		all.Go(func() {
			if r.stopped(ctx, rd.op) == "" {
				one.replies = append(one.replies, r.reply(ctx, one.c))
			}
		})
	}
	all.Wait()
}

// steady enters what of the answers to the same request is not as the others.
func (r *runner) steady(one *repeated) {
	c := one.c
	seen := slices.DeleteFunc(one.replies, func(a reply) bool { return a.limited || a.request == nil })
	if len(seen) == 0 {
		return
	}
	turns, odd, successes := 0, 0, true
	for i := range seen {
		for _, f := range seen[i].outcome.findings {
			if !slices.Contains(comesAgain, f.Check) { // said below, if it is not the target's state
				r.enter(f)
			}
		}
		if i > 0 && seen[i].shape != seen[i-1].shape {
			turns++
		}
		successes = successes && seen[i].success
		if odd == 0 && seen[i].shape != seen[0].shape {
			odd = i
		}
	}
	if turns == 0 {
		return
	}
	if turns == 1 && !seen[0].refused && seen[len(seen)-1].refused && (!r.states.of(c.Op).repeatable.Load() || r.othersChange(c.Op)) {
		return // what worked and is refused from then on is state
	}
	if successes && r.worksOnMade(c.Op) {
		return // others change what it works on, it may use it up, and that may change by itself (RFC 9110 §15.5.10)
	}
	severity := judge.Error
	if successes && seen[0].status != seen[odd].status {
		severity = judge.Warning // one may be under way, and then be done
	}
	r.unstable(c, seen[odd].request, fmt.Sprintf("the same request returns %s, and again %s", seen[0].shape, seen[odd].shape),
		seen[0].shape, seen[odd].shape, severity)
}

// worksOnMade reports whether requests of an operation are about what the run has made.
func (r *runner) worksOnMade(op *contract.Operation) bool {
	return r.states.of(op).renews() || r.refersToMade(op)
}

// refersToMade reports whether requests of an operation refer beside their path to what the run
// has made, which they share.
func (r *runner) refersToMade(op *contract.Operation) bool {
	return slices.ContainsFunc(r.states.of(op).references, func(ref reference) bool { return !ref.each && !world.Safe(ref.from.Operation.Method) })
}

// unstable enters that the same request is not answered in the same way.
func (r *runner) unstable(c *plan.Case, req *wire.Request, message, expected, actual string, severity judge.Severity) report.Finding {
	e := &judge.Exchange{Exchange: &wire.Exchange{Request: req}, Op: c.Op, Clause: c.Clause, Secrets: r.secrets(c.Op, req)}
	f := r.finding(e, judge.Unstable(e, severity, message, expected, actual), c.ID)
	r.enter(f)
	return f
}

// shape is what must not change from one answer to the same request to the
// next.
func shape(x *wire.Exchange) string {
	if x.Response == nil {
		return "no response"
	}
	s := fmt.Sprintf("%d %s", x.Response.Status, x.Response.Label())
	if len(x.Response.Body) == 0 && !x.Response.Open && x.Request.Method != http.MethodHead {
		s += " without a body"
	}
	return strings.TrimSpace(s)
}
