package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// outcome is what came of a case, without the body of the response: a run holds
// no more bodies than it has workers.
type outcome struct {
	skipped  string // why it was not sent
	cut      bool   // as the run had ended
	err      error  // why there was no response
	answer          // status 0: no response
	took     time.Duration
	accepted bool // a documented success
	refused  bool // for what the case is about
	must     bool // it had to be accepted, if it keeps the contract
	findings []report.Finding
	shot     *report.Exchange // what a report shows of it, nil where it is not to be kept
	wanted   bool             // the report has it whatever came of it
}

// worthwhile leaves out the cases of operations that have answered everything in
// the same way.
func (r *runner) worthwhile(cases []*plan.Case) []*plan.Case {
	var some []*plan.Case
	for _, c := range cases {
		st := r.states.of(c.Op)
		reason := st.fruitless()
		if reason == "" || c.Phase == plan.Basics {
			some = append(some, c)
		} else if st.skipped[c.Clause] == "" {
			st.skipped[c.Clause] = reason
		}
	}
	return some
}

// attempt sends a case and judges the answer, unless there is a reason not to.
func (r *runner) attempt(ctx context.Context, c *plan.Case, keep bool) outcome {
	reason := r.stopped(ctx, c.Op)
	if reason == "" && r.credential.ended.Load() && !c.Anonymous {
		reason = endedReason
	}
	if c.Alter != nil && !r.opts.given(c.Own) {
		reason = "the run gives no credential (--header 'NAME: VALUE')"
	}
	if reason != "" {
		return outcome{skipped: reason, cut: r.over(ctx)}
	}
	defer r.caseDone(c.Op)
	x := r.ask(ctx, c, r.target.Do)
	if other := r.withOwnHeaders(c); other != nil && accepted(c.Op, x) {
		if bare := r.ask(ctx, other, r.target.Do); (answerOf(bare).refusesCaller() || answerOf(bare).class() == 3) && !r.needsHeaders(ctx, c) {
			x = bare
		}
	}
	if lost := r.credential.lost.Load(); lost != nil && !c.Credential && answerOf(x).refusesCaller() {
		return outcome{skipped: *lost, cut: true}
	}
	switch {
	case r.credential.ended.Load() && !c.Credential && answerOf(x).refusesCaller():
		return outcome{skipped: endedReason}
	case r.dead.Load() && x.Response == nil:
		return outcome{skipped: r.whyDead(), cut: true}
	case r.spoils(ctx, c, x):
		return outcome{skipped: spoiltReason}
	}
	o := r.judge(ctx, c, x)
	if o.skipped == "" && (keep || len(o.findings) > 0) {
		o.shot, o.wanted = r.shot(c, x), keep
	}
	return o
}

// halted says why no more cases of any operation are sent.
func (r *runner) halted(ctx context.Context) string {
	if ctx.Err() != nil {
		return reasonOf(ctx)
	}
	if lost := r.credential.lost.Load(); lost != nil {
		return *lost
	}
	switch {
	case r.dead.Load():
		return r.whyDead()
	case r.locked:
		return lockedReason
	}
	return ""
}

// stopped says why no more cases of an operation are sent.
func (r *runner) stopped(ctx context.Context, op *contract.Operation) string {
	if reason := r.halted(ctx); reason != "" {
		return reason
	}
	if r.opts.unsafe(op) {
		return errSafe.Error()
	}
	st := r.states.of(op)
	if st.spoilt.Load() {
		return spoiltReason
	}
	if reason := cmp.Or(st.left, st.endless()); reason != "" {
		return reason
	}
	if most := r.opts.OperationTime; most > 0 && time.Duration(st.took.Load()) >= most {
		return fmt.Sprintf("its requests used up the %s allowed for one operation (--operation-time)", most)
	}
	if !r.answered.Load() && r.hung.Load() >= maxHung {
		return fmt.Sprintf("all %d requests timed out", maxHung)
	}
	return ""
}

// judge runs the checks over the answer to a case. It is safe for concurrent
// use.
func (r *runner) judge(ctx context.Context, c *plan.Case, x *wire.Exchange) outcome {
	if x.Err != nil && ctx.Err() != nil {
		return outcome{skipped: reasonOf(ctx), cut: true}
	}
	if unsent(x) || errors.Is(x.Err, errSafe) {
		return outcome{skipped: x.Err.Error()}
	}
	e := r.seen(c, x)
	o := outcome{err: x.Err, must: e.Must}
	found := judge.Judge(e, r.selection.SkipsCheck)
	for _, f := range found {
		o.findings = append(o.findings, r.finding(e, f, c.ID))
	}
	if x.Response == nil {
		return o
	}
	o.answer, o.accepted, o.refused = answerOf(x), accepted(c.Op, x), e.Refuses()
	o.took = x.Response.Elapsed
	plain, err := judge.Content(x.Response)
	if err != nil {
		return o
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readVerdict(c, plain, &o)
	if c.Expect != plan.RefuseMethod && c.Expect != plan.RefusePath {
		r.account.Response(c.Op, plain)
		r.noteAnswer(c.Op, x, plain, found)
	}
	return o
}

// readVerdict reads from an answer of 200 whether it refuses the request in its body, where the
// document has no status for that: as another answer says there that its request was carried out.
func (r *runner) readVerdict(c *plan.Case, plain *wire.Response, o *outcome) {
	if c.Op.Refuses() {
		return
	}
	said := judge.VerdictsOf(c.Request, plain)
	switch c.Expect {
	case plan.Accept:
		for _, name := range said.Yes {
			r.verdicts[name] = true
			r.states.of(c.Op).verdicts[name] = true
		}
	case plan.Refuse, plan.RefuseCredential, plan.RefuseMethod, plan.RefusePath:
		own := r.states.of(c.Op).verdicts
		if slices.ContainsFunc(said.No, func(name string) bool { return r.verdicts[name] }) || slices.ContainsFunc(said.Other, func(name string) bool { return own[name] }) {
			o.accepted, o.refused = false, true
			o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool {
				return slices.Contains([]string{judge.InvalidAccepted, judge.SecurityIgnored, judge.UndocumentedMethod, judge.UndocumentedPath}, f.Check)
			})
		}
	}
}

// noteAnswer remembers what an answer looks like, of which the document may be told: not of one
// that endangers.
func (r *runner) noteAnswer(op *contract.Operation, x *wire.Exchange, plain *wire.Response, found []judge.Finding) {
	if x.Request.Method == http.MethodHead || x.Response.BodyErr != nil || x.Response.Status >= http.StatusInternalServerError ||
		slices.ContainsFunc(found, func(f judge.Finding) bool {
			return f.Severity != judge.Warning && slices.Contains(judge.Endangers, f.Check)
		}) {
		return
	}
	r.answers.Add(op, answerOf(x).kind, plain)
}

// seen is the answer to a case as the checks look at it.
func (r *runner) seen(c *plan.Case, x *wire.Exchange) *judge.Exchange {
	return &judge.Exchange{
		Exchange: x, Op: c.Op, Clause: c.Clause, Expect: c.Expect, Leave: c.Leave, Credential: c.Credential, Wants: c.Wants, Must: r.must(c), Base: c.Base == nil,
		Authorized: r.admitted(c.Op), MaxTime: r.opts.MaxTime,
		Nowhere: slices.ContainsFunc(c.Unknown, func(node string) bool { return strings.HasPrefix(node, "path/") }),
		Secrets: r.secrets(c.Op, x.Request), Own: r.opts.Checks,
	}
}

// must reports whether a case has to be accepted: every value in it is known to
// exist or need not, and the request that it differs from was accepted. A
// credential that is not known need not exist where the document asks for none:
// it may be refused as such (401, 403), which the judge allows.
func (r *runner) must(c *plan.Case) bool {
	st := r.states.of(c.Op)
	for _, node := range c.Unknown {
		optional := c.Op.AuthClause == nil && slices.ContainsFunc(c.Op.Params, func(p *contract.Param) bool {
			return p.Credential && p.Node.Path == node
		})
		if !optional && !st.free[node] {
			return false
		}
	}
	if st.fixture != nil {
		if at := st.fixture.disagrees(c); at != "" && !st.taken["body"+at] {
			return false // it may have to be the one in the path
		}
	}
	return !c.Open && (c.Base == nil || st.accepted)
}

// admitted reports whether the run's credential is one that the operation takes:
// its valid request was accepted, or that of another which asks for the same.
func (r *runner) admitted(op *contract.Operation) bool {
	if r.states.of(op).accepted {
		return true
	}
	if op.AuthClause == nil || !takes(op) { // only these are sent before their valid request
		return false
	}
	wanted := op.Requirements()
	return slices.ContainsFunc(r.states, func(other *state) bool {
		return other.accepted && reflect.DeepEqual(other.op.Requirements(), wanted)
	})
}

// noteTaken notes the nodes for which a made-up value was accepted.
func (r *runner) noteTaken(cases []*plan.Case, outcomes []outcome) {
	for i, c := range cases {
		if outcomes[i].accepted && c.Expect == plan.Accept {
			for _, node := range slices.Concat(c.Unknown, c.Doubts) {
				if !r.mayHaveMade(c.Op, node) {
					r.states.of(c.Op).taken[node] = true
				}
			}
			if f := r.states.of(c.Op).fixture; f != nil {
				if at := f.disagrees(c); at != "" {
					r.states.of(c.Op).taken["body"+at] = true
				}
			}
		}
	}
}

// mayHaveMade reports whether what a node of an operation's path names may be there since the run
// has put it there itself: a PUT with a made-up name makes it.
func (r *runner) mayHaveMade(op *contract.Operation, node string) bool {
	return op.Method != http.MethodPut && slices.ContainsFunc(op.Params, func(p *contract.Param) bool {
		return p.Spec.In == openapi3.ParameterInPath && p.Node.Path == node && r.world.At(http.MethodPut, itemOf(op, p)) != nil && len(r.world.Producers(op, p)) == 0
	})
}

// learn takes from the first phase what the later ones are judged by: whether
// the valid request is accepted, and for which nodes any value is. Nobody waits for the second
// answer of what changes nothing and took long the first time: again is where that is asked for.
func (r *runner) learn(ctx context.Context, again *lanes, cases []*plan.Case, outcomes []outcome) {
	for i, c := range cases {
		st := r.states.of(c.Op)
		if c.Base == nil {
			st.valid = outcomes[i].answer
		}
		if !outcomes[i].accepted {
			continue
		}
		if c.Base == nil {
			st.accepted = true
			switch took := outcomes[i].took; {
			case st.late.Load() > 0:
			case readsOnly(c.Op) && took > surelySlow && r.opts.Workers > 1:
				st.alone = took
				again.do(c.Op, func() { st.repeatable.Store(accepted(c.Op, r.send(ctx, c))) })
			default:
				st.repeatable.Store(r.stillAccepted(ctx, c))
			}
		}
		if c.Probe != "" && r.takesAny(ctx, c) {
			st.free[c.Probe] = true
		}
	}
}

// takesAny reports whether another value is accepted in the place of one in a path
// that need not exist: that one may be there by chance, as b2 beside a1.
func (r *runner) takesAny(ctx context.Context, c *plan.Case) bool {
	name, inPath := strings.CutPrefix(c.Probe, "path/")
	i := slices.IndexFunc(c.Op.Params, func(p *contract.Param) bool { return p.Spec.In == "path" && p.Spec.Name == name })
	if !inPath || i < 0 {
		return true
	}
	base := r.base(c.Op)
	values := world.Values(c.Op, c.Request.Target, base)
	node := c.Op.Params[i].Node
	for _, v := range (&value.Maker{Known: map[string][]string{node.Name: {values[name]}}}).KnownFor(node) {
		if other, ok := value.Other(node, v); ok {
			target := world.Bind(c.Op, c.Request.Target, base, values, map[string]string{name: codec.WriteText(value.Plain(other))})
			return accepted(c.Op, r.send(ctx, withTarget(c, target)))
		}
	}
	return true
}

// stillAccepted sends a request that was accepted once more.
func (r *runner) stillAccepted(ctx context.Context, c *plan.Case) bool {
	x := r.send(ctx, c)
	if x.Response != nil {
		r.states.of(c.Op).alone = x.Response.Elapsed
	}
	return accepted(c.Op, x)
}
