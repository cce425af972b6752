package run

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// outcome is what came of a case, without the body of the response: a run holds
// no more bodies than it has workers.
type outcome struct {
	skipped  string // why it was not sent
	err      error  // why there was no response
	status   int    // 0: no response
	accepted bool   // a documented success
	must     bool   // it had to be accepted, if it keeps the contract
	findings []report.Finding
	shot     *report.Exchange // what a report shows of it, nil where it is not to be kept
	wanted   bool             // the report has it whatever came of it
}

func (o *outcome) class() int { return o.status / 100 }

// attempt sends a case and judges the answer, unless there is a reason not to.
func (r *runner) attempt(ctx context.Context, c *plan.Case, keep bool) outcome {
	reason := r.stopped(ctx, c.Op)
	if c.Alter != nil && !r.opts.given(c.Own) {
		reason = "the run gives no credential (--header 'NAME: VALUE')"
	}
	if reason != "" {
		return outcome{skipped: reason}
	}
	defer r.progress()
	x := r.send(ctx, c)
	o := r.judge(ctx, c, x)
	if o.skipped == "" && (keep || len(o.findings) > 0) {
		o.shot, o.wanted = r.shot(c, x), keep
	}
	return o
}

// stopped says why no more cases of an operation are sent.
func (r *runner) stopped(ctx context.Context, op *contract.Operation) string {
	if ctx.Err() != nil {
		return context.Cause(ctx).Error()
	}
	if reason := r.states.of(op).endless(); reason != "" {
		return reason
	}
	if !r.answered.Load() && r.hung.Load() >= maxHung {
		return fmt.Sprintf("the target gave no answer in time %d times, and no other", maxHung)
	}
	return ""
}

// judge runs the checks over the answer to a case. It is safe for concurrent
// use.
func (r *runner) judge(ctx context.Context, c *plan.Case, x *wire.Exchange) outcome {
	if x.Err != nil && ctx.Err() != nil {
		return outcome{skipped: context.Cause(ctx).Error()}
	}
	e := &judge.Exchange{
		Exchange: x, Op: c.Op, Clause: c.Clause, Expect: c.Expect, Leave: c.Leave, Credential: c.Credential, Wants: c.Wants, Must: r.must(c), Base: c.Base == nil,
		Authorized: r.admitted(c.Op), MaxTime: r.opts.MaxTime,
		Nowhere: slices.ContainsFunc(c.Unknown, func(node string) bool { return strings.HasPrefix(node, "path/") }),
		Secrets: r.secrets(c.Op, x.Request),
	}
	o := outcome{err: x.Err, must: e.Must}
	for _, f := range judge.Judge(e, r.selection.SkipsCheck) {
		o.findings = append(o.findings, Finding(e, f, r.curlBase, c.ID))
	}
	if x.Response == nil {
		return o
	}
	o.status, o.accepted = x.Response.Status, accepted(c.Op, x)
	if c.Expect != plan.RefuseMethod && c.Expect != plan.RefusePath {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.account.Response(c.Op, x.Response)
	}
	return o
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
	return c.Base == nil || st.accepted
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

// learn takes from the first phase what the later ones are judged by: whether
// the valid request is accepted, and for which nodes any value is.
func (r *runner) learn(ctx context.Context, cases []*plan.Case, outcomes []outcome) {
	for i, c := range cases {
		if !outcomes[i].accepted {
			continue
		}
		st := r.states.of(c.Op)
		if c.Base == nil {
			st.accepted = true
			st.repeatable = st.late.Load() == 0 && r.stillAccepted(ctx, c)
		}
		if c.Probe != "" {
			st.free[c.Probe] = true
		}
	}
}

// stillAccepted sends a request that was accepted once more.
func (r *runner) stillAccepted(ctx context.Context, c *plan.Case) bool {
	return accepted(c.Op, r.send(ctx, c))
}

// conclude enters the outcome of a case.
func (r *runner) conclude(ctx context.Context, c *plan.Case, o outcome) {
	if o.skipped != "" {
		r.states.of(c.Op).skipped[c.Clause] = o.skipped
		return
	}
	if o.must && c.Expect == plan.Accept && o.class() == 4 && c.Base != nil && !r.stillAccepted(ctx, c.Base) {
		r.changed(c, &o)
	}
	clean := true
	for _, f := range o.findings {
		r.enter(f)
		clean = clean && f.Severity == report.Warning
	}
	r.sample.add(o.shot, o.findings, o.wanted)
	r.cover(c, &o, clean)
}

// changed decides what it means that not only a case is refused, but now also
// the valid request that it differs from, which was accepted before. Where the
// request had been accepted twice, its values are not used up by it, and if
// nothing else has changed the target, then its refusal is no state but a fault
// that an earlier request has set off.
func (r *runner) changed(c *plan.Case, o *outcome) {
	o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool { return f.Check == judge.ValidRefused })
	st := r.states.of(c.Op)
	if !st.repeatable || st.lost || r.selection.SkipsCheck(judge.ValidRefused) || r.othersChange(c.Op) {
		return
	}
	st.lost = true
	base := c.Base
	e := &judge.Exchange{
		Exchange: &wire.Exchange{Request: r.withRunHeaders(base)}, Op: c.Op, Clause: base.Clause, Secrets: r.secrets(c.Op, base.Request),
	}
	r.enter(Finding(e, judge.Finding{
		Check: judge.ValidRefused, Severity: judge.Error, Clause: base.Clause,
		Message:  fmt.Sprintf("the valid request that was accepted again and again is refused since about %s", c.ID),
		Expected: "the same answer to the same request", Actual: strconv.Itoa(o.status),
	}, r.curlBase, base.ID))
}

// othersChange reports whether another operation may have changed the target.
func (r *runner) othersChange(op *contract.Operation) bool {
	return slices.ContainsFunc(r.states, func(other *state) bool {
		return other.accepted && other.op != op && rank(other.op.Method) > 0
	})
}

// cover enters what a case has shown of the clauses of its request.
func (r *runner) cover(c *plan.Case, o *outcome, clean bool) {
	switch {
	case c.Expect == plan.Accept && o.accepted && clean:
		r.account.Kept(append(c.Keeps, c.Clause)...)
	case c.Expect != plan.Accept && o.class() == 4 && (r.states.of(c.Op).accepted || c.Expect == plan.RefuseCredential):
		r.account.Broken(c.Clause)
	default:
		r.account.Tried(append(c.Keeps, c.Clause)...)
	}
}
