package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/report"
)

// before does what is to be done before anything is sent, and takes the values that it gives. What
// the settings give counts before these. The text names them, for the error of one that the
// document does not have.
func (o *Options) before(ctx context.Context) (text string, err error) {
	if o.Before == nil {
		return "", nil
	}
	values, err := o.Before(ctx)
	if err != nil {
		return "", fmt.Errorf("before: %s", o.withoutSecrets(err, nil)) // the text alone: what is wrapped has the secrets
	}
	return o.take("before", o.Known, values), nil
}

// take enters values of a hook but those that the settings give.
func (o *Options) take(hook string, known, values map[string][]string) (text string) {
	if o.hooked == nil {
		o.hooked = map[string]bool{}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if o.hooked[name] || known[name] == nil && !slices.ContainsFunc(o.Obtained, func(b Obtained) bool { return b.For == ForValue && b.Name == name }) {
			known[name], o.hooked[name] = values[name], true
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; " + hook + " has given values for " + strings.Join(names, ", ")
}

// reset puts the target back, between phases, when no request is under way. What the run has made is
// gone then: it learns anew what there is, and plans with that, as at its beginning. That it
// cannot ends the run.
func (r *runner) reset(ctx context.Context) {
	if r.opts.Reset == nil || r.over(ctx) || r.wrongPlace || r.credential.ended.Load() {
		return
	}
	fail := func(text string) {
		r.report.Inconclusive, r.report.HookFailed = append(r.report.Inconclusive, "reset: "+text), true
		r.stop(errReset)
	}
	before := r.plan
	before.wait() // it reads what is going to be other
	values, err := r.opts.Reset(ctx)
	if err != nil {
		fail(r.opts.withoutSecrets(err, r.renewal.secrets()))
		return
	}
	known := maps.Clone(r.opts.whole)
	text := r.opts.take("reset", known, values)
	r.opts.Known = known
	if err := r.opts.place(r.contract); err != nil {
		fail(err.Error() + text)
		return
	}
	r.world.Forget()
	made := map[*contract.Operation]bool{} // what a fixture is made for
	for _, st := range r.states {
		made[st.op] = st.renews()
	}
	r.unlearn()
	r.plan, r.bases = nil, nil
	r.prepare(ctx)
	if r.over(ctx) {
		r.plan.wait()
		r.plan = before
		return
	}
	for _, st := range r.states {
		if made[st.op] && !st.renews() {
			fail("the target is not in its earlier state: what " + st.op.Title() + " needs can no longer be created")
			return
		}
		base := r.plan.base(st.op)
		if !st.repeatable.Load() || rank(st.op) > reading || base == nil || r.stopped(ctx, st.op) != "" {
			continue
		}
		if x := r.send(ctx, base); !accepted(st.op, x) && ctx.Err() == nil {
			fail(fmt.Sprintf("the target is not in its earlier state: the valid request of %s, accepted before, now returns %s", st.op.Title(), answerOf(x)))
			return
		}
	}
}

// unlearn forgets what of the target requests are about.
func (r *runner) unlearn() {
	for _, st := range r.states {
		st.fixture, st.actual, st.references = nil, nil, nil
	}
}

// after does what is to be done at the end, also where the run or what is done before it has failed.
// Where it fails itself, the run is no pass, and what was found is reported all the same.
func (o *Options) after(ctx context.Context, rep *report.Report, err error) (*report.Report, error) {
	if o.After == nil {
		return rep, err
	}
	failed := o.After(context.WithoutCancel(ctx))
	if failed == nil {
		return rep, err
	}
	text := "after: " + o.withoutSecrets(failed, nil)
	if err != nil {
		return rep, fmt.Errorf("%w; %s", err, text)
	}
	if rep == nil {
		return nil, errors.New(text)
	}
	rep.Inconclusive, rep.HookFailed = append(rep.Inconclusive, text), true
	return rep, nil
}
