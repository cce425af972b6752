package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// When a target is taken for dead, and how long it is waited for.
const (
	maxRefused   = 3                     // connections in a row
	refusedPause = 50 * time.Millisecond // between two of them
	maxSuspects  = 24                    // requests that are tried again
	maxListed    = 12                    // of them in a report
	waitAlone    = 3 * time.Second       // for a target that may come back by itself
	waitRestart  = 30 * time.Second      // for one that is brought back
	waitStart    = 10 * time.Second      // for one that answers 503 from the first request on
	pollPause    = 100 * time.Millisecond
)

// deadReason is why no more is sent to a target that takes no connections.
const deadReason = "the target takes no more connections"

// errSilent is why no more is sent to a target that answers nothing any more.
var errSilent = errors.New("the target no longer answers: a request that it answered before timed out, too, when no other was under way")

// listen finds out, after a time-out and while nothing else is under way, whether the target
// answers at all: it is asked what it answered last of another operation. One that was late, too,
// says nothing of the others.
func (r *runner) listen(ctx context.Context, of *contract.Operation) {
	all := r.journal.all()
	slices.Reverse(all)
	i := slices.IndexFunc(all, func(e entry) bool {
		return e.status/100 == 2 && world.Safe(e.req.Method) && e.op != of && r.states.of(e.op).late.Load() == 0
	})
	if i < 0 || r.dead.Load() {
		return
	}
	for range maxAlone {
		if x := r.plainly(ctx, all[i].op, all[i].req); !errors.Is(failure(x), send.ErrTimeout) {
			return
		}
	}
	r.silent.Store(true)
	r.dead.Store(true)
}

// whyDead is why no more is sent to a target that is dead.
func (r *runner) whyDead() string {
	if r.silent.Load() {
		return errSilent.Error()
	}
	return deadReason
}

// spoiltReason is why no more is sent to an operation that fails since some
// other request.
const spoiltReason = "the operation fails since a request that has a finding"

// mourn counts the connections that are refused in a row, and reports whether
// the request may be tried again.
func (r *runner) mourn(x *wire.Exchange) bool {
	if !errors.Is(x.Err, send.ErrRefused) || !r.answered.Load() {
		r.refused.Store(0)
		return false
	}
	if r.refused.Add(1) >= maxRefused {
		r.dead.Store(true)
	}
	return !r.dead.Load()
}

// postMortem finds out which request a target has died of: the last ones are
// tried again, one by one, if it comes back.
func (r *runner) postMortem(ctx context.Context) {
	if !r.dead.Load() || r.silent.Load() || ctx.Err() != nil { // a silent one may only be busy
		return
	}
	suspects := r.suspects()
	names := make([]string, 0, len(suspects))
	for _, e := range suspects {
		names = append(names, e.name())
	}
	r.left.more = "the last requests were " + strings.Join(names[max(0, len(names)-maxListed):], ", ")
	slices.Reverse(suspects)
	slices.SortStableFunc(suspects, func(a, b entry) int { return cmp.Compare(rankOf(a), rankOf(b)) })
	if !r.revive(ctx) {
		r.left.more += "; which of them crashed it is unknown, because it did not come back (with --restart CMD they are sent again one by one)"
		return
	}
	for _, e := range suspects {
		if ctx.Err() != nil {
			return
		}
		x := r.suspected(ctx, e)
		if lost := errors.Is(x.Err, send.ErrDropped) || errors.Is(x.Err, send.ErrRefused); lost || !r.alive(ctx, e.op) {
			r.blame(e, judge.Killed)
			r.left.more += "; it died of " + e.name()
			return
		}
	}
	r.left.more += "; tried again one by one, it died of none of them"
}

// suspected sends one of the last requests again, on a new resource where the one that it was
// about went with the target's memory.
func (r *runner) suspected(ctx context.Context, e entry) *wire.Exchange {
	x := r.plainly(ctx, e.op, e.req)
	f := r.states.of(e.op).fixture
	if !isGone(x) || f == nil || !f.leased() {
		return x
	}
	values := f.produce(ctx)
	if values == nil {
		return x
	}
	req, base := e.req.Clone(), r.base(e.op)
	req.Target = world.Bind(e.op, req.Target, base, world.Values(e.op, req.Target, base), values)
	return r.plainly(ctx, e.op, req)
}

// rankOf puts first the requests whose connection was lost.
func rankOf(e entry) int {
	if e.dropped() || e.ended == 0 {
		return 0
	}
	return 1
}

// suspects lists the last requests that went out before the first of them was
// lost, in the order in which they were sent, each once.
func (r *runner) suspects() []entry {
	all := r.journal.all()
	var answered, lost int64 // when the last was answered, and the first after it was lost
	for _, e := range all {
		if e.status != 0 {
			answered = max(answered, e.ended)
		}
	}
	for _, e := range all {
		if (e.refused() || e.dropped()) && e.ended > answered && (lost == 0 || e.ended < lost) {
			lost = e.ended
		}
	}
	var some []entry
	seen := map[string]bool{}
	for _, e := range slices.Backward(all) {
		if key := e.name() + e.req.Target; e.began < lost && !seen[key] && len(some) < maxSuspects {
			seen[key] = true
			some = append(some, e)
		}
	}
	slices.Reverse(some)
	return some
}

// revive brings the target back, and reports whether it takes connections.
func (r *runner) revive(ctx context.Context) bool {
	wait := waitAlone
	if r.opts.Restart != nil {
		wait = waitRestart
		if err := r.opts.Restart(ctx); err != nil {
			r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("restart: %v", err))
			return false
		}
	}
	op := r.plan.ops[0]
	for end := time.Now().Add(wait); time.Now().Before(end); {
		if r.alive(ctx, op) {
			return true
		}
		if !sleep(ctx, pollPause) {
			return false
		}
	}
	return false
}

// alive reports whether the target takes connections, and goes on to: a request
// may take a moment to kill.
func (r *runner) alive(ctx context.Context, op *contract.Operation) bool {
	for range maxRefused {
		req := &wire.Request{Method: "GET", Target: r.plan.opts.BasePath + "/" + nowhere}
		if x := r.plainly(ctx, op, req); x.Response == nil {
			return false
		}
		if !sleep(ctx, refusedPause) {
			return false
		}
	}
	return true
}

// plainly sends a request without any thought of load or credentials.
func (r *runner) plainly(ctx context.Context, op *contract.Operation, req *wire.Request) *wire.Exchange {
	return r.carry(ctx, op, req, r.target.Do)
}

// blame enters a finding about a request of the journal.
func (r *runner) blame(e entry, finding func(*judge.Exchange) judge.Finding) {
	x := &judge.Exchange{Exchange: &wire.Exchange{Request: e.req}, Op: e.op, Clause: e.op.StatusClause, Secrets: r.secrets(e.op, e.req)}
	name := e.name()
	if e.c != nil {
		x.Clause, x.Expect = e.c.Clause, e.c.Expect
	}
	f := finding(x)
	if !r.selection.SkipsCheck(f.Check) {
		r.enter(r.finding(x, f, name))
	}
}

// spoils looks, where an operation fails whose valid request was accepted,
// whether that fails too: then it is not this request that is to blame, but one
// that was sent before. It reports whether that is so.
func (r *runner) spoils(ctx context.Context, c *plan.Case, x *wire.Exchange) bool {
	st := r.states.of(c.Op)
	if answerOf(x).class() != 5 || !st.accepted || c.Base == nil {
		return false
	}
	came := time.Now()
	st.spoiling.Lock()
	defer st.spoiling.Unlock()
	switch {
	case st.spoilt.Load():
		return true
	case !st.sound.Before(came):
		return false
	}
	var after answer
	for range 2 { // it may be busy
		sent := time.Now()
		if after = answerOf(r.send(ctx, c.Base)); after.class() != 5 {
			st.sound = sent
			return false
		}
	}
	if st.fixture != nil && st.fixture.worksOnAny(ctx, c.Base) {
		return false
	}
	st.spoilt.Store(true)
	suspects := r.spoilers(c.Op)
	if len(suspects) == 0 {
		return false // it is this request
	}
	names := make([]string, 0, len(suspects))
	for _, e := range suspects {
		names = append(names, e.name())
	}
	names = names[max(0, len(names)-maxListed):]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spoiled = append(r.spoiled, func() {
		r.blame(suspects[len(suspects)-1], func(e *judge.Exchange) judge.Finding {
			return judge.Spoilt(e, c.Op, st.valid.String(), after.String(), names)
		})
	})
	return true
}

// spoilers lists the requests that were sent between the last answer of an
// operation that was none of a failed server, and the first that was: those that
// may have changed something, where there are any.
func (r *runner) spoilers(op *contract.Operation) []entry {
	all := r.journal.all()
	var good, bad int64 // when the last good request went out, and when the first bad answer came
	for _, e := range all {
		if e.op == op && e.status/100 == 2 {
			good, bad = e.began, 0
		} else if e.op == op && e.status/100 == 5 && bad == 0 {
			bad = e.ended
		}
	}
	between := slices.DeleteFunc(all, func(e entry) bool {
		valid := e.c != nil && e.c.Base == nil // was accepted before, and did no harm
		return valid || e.ended < good || e.began > bad || e.status/100 == 5 && e.op == op || e.status == 0 || world.Safe(e.req.Method)
	})
	if changed := slices.DeleteFunc(slices.Clone(between), func(e entry) bool { return e.status/100 != 2 }); len(changed) > 0 {
		return changed
	}
	return between
}
