package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// credential is what a run knows of the credential that it was given.
type credential struct {
	mu   sync.Mutex
	lost atomic.Pointer[string] // why what follows is not judged
	// ended is set where an operation has done away with it that is meant to.
	ended atomic.Bool
}

// refusesCaller reports whether an answer refuses the caller, not the request.
func (a answer) refusesCaller() bool {
	return a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
}

// leads reports whether an answer may send who has no credential to a login.
func (a answer) leads() bool {
	return a.status == http.StatusFound || a.status == http.StatusSeeOther || a.status == http.StatusTemporaryRedirect
}

// ask sends a case. Where it is refused as if its credential were no longer a
// good one, the valid request shows whether that is so: then the run has lost its
// credential, and nothing more is judged. Otherwise the case is sent again, as
// the credential may have been renewed in between.
func (r *runner) ask(ctx context.Context, c *plan.Case, do way) *wire.Exchange {
	ctx = withCase(ctx, c)
	x := r.sendBy(ctx, c, do)
	if c.Credential || !answerOf(x).refusesCaller() {
		return x
	}
	if rank(c.Op) == ending {
		r.hasEnded(ctx, c.Op)
		return x
	}
	if !r.states.of(c.Op).accepted {
		return x
	}
	r.credential.mu.Lock()
	defer r.credential.mu.Unlock()
	if r.credential.lost.Load() != nil {
		return x
	}
	valid := c
	if c.Base != nil {
		valid = c.Base
	}
	switch a := answerOf(r.send(ctx, valid)); {
	case a.refusesCaller():
		// A renewal may be under way: once more.
		if a = answerOf(r.send(ctx, valid)); a.refusesCaller() && !r.elsewhere(ctx, c.Op) {
			why := fmt.Sprintf("the credential stopped working: the valid request of %s, accepted before, now returns %s; give one that lasts longer, or a fresh one for each request (contracttest.Prepare)", c.Op.Title(), a)
			r.credential.lost.Store(&why)
			return x
		}
	case a.status == 0, a.class() == 5:
		return x
	}
	return r.sendBy(ctx, c, do)
}

// hasEnded looks whether the run is let in nowhere else either: then an operation that may end
// its session has done so, and that is what it is for.
func (r *runner) hasEnded(ctx context.Context, op *contract.Operation) {
	r.credential.mu.Lock()
	defer r.credential.mu.Unlock()
	if r.credential.ended.Load() {
		return
	}
	control := r.goodRequest(op)
	if st := r.states.of(op); control == nil && st.accepted {
		control = r.plan.base(op)
	}
	r.credential.ended.Store(control != nil && answerOf(r.send(ctx, control)).refusesCaller())
}

// endedReason is why an operation is not tried any more that may end a session.
const endedReason = "the run's credential is no longer good since an operation that ends sessions was tried; give a fresh one for each request (contracttest.Prepare)"

// elsewhere reports whether the credential is good for another operation that
// asks for the same: then it is not the credential that is refused.
func (r *runner) elsewhere(ctx context.Context, op *contract.Operation) bool {
	other := r.goodRequest(op)
	return other != nil && other.Op != op && accepted(other.Op, r.send(ctx, other))
}

// entrance is the operations that ask for the same credential.
type entrance struct {
	requirement [][]plan.Credential // alternatives
	ops         []*contract.Operation
	answers     []answer // to their valid requests
}

// closed reports whether all valid requests are refused for who sends them, or sent to a
// login. A 403 or a redirect may be about what a path names, so that it shows nothing where all
// of them name something.
func (e *entrance) closed() bool {
	telling := false
	for i, a := range e.answers {
		if !a.refusesCaller() && (len(e.requirement) == 0 || !a.leads() || e.ops[i].Response(a.status) != nil) {
			return false
		}
		telling = telling || a.status == http.StatusUnauthorized || !strings.Contains(e.ops[i].Path, "{")
	}
	return telling
}

// answersSo reports whether the operations have documented what they refuse their caller
// with: in a document that has security elsewhere, it is of what is in the request, as a
// login's answer to a wrong password.
func (e *entrance) answersSo() bool {
	for i, op := range e.ops {
		if r := op.Response(e.answers[i].status); r == nil || r.Key == "default" {
			return false
		}
	}
	return true
}

// entrances groups the operations whose valid request was answered.
func (r *runner) entrances() []*entrance {
	byKey := map[string]*entrance{}
	var all []*entrance
	for _, st := range r.states {
		if st.valid.status == 0 {
			continue
		}
		var requirement [][]plan.Credential
		if st.op.AuthClause != nil {
			requirement = plan.Credentials(st.op, r.plan.opts)
		}
		key := fmt.Sprint(requirement)
		e := byKey[key]
		if e == nil {
			e = &entrance{requirement: requirement}
			byKey[key] = e
			all = append(all, e)
		}
		e.ops, e.answers = append(e.ops, st.op), append(e.answers, st.valid)
	}
	return all
}

// checkCredentials says of each credential that was never good, or never given,
// what to do about it.
func (r *runner) checkCredentials() {
	all := r.entrances()
	closed := 0
	for _, e := range all {
		if !e.closed() || r.secured() && len(e.requirement) == 0 && e.answersSo() {
			continue
		}
		closed++
		for _, op := range e.ops {
			r.states.of(op).closed = true
		}
		r.report.Inconclusive = append(r.report.Inconclusive, r.closedText(e))
	}
	r.report.Void = closed > 0 && closed == len(all)
}

// closedText says that a credential is refused or missing, and how to give it.
func (r *runner) closedText(e *entrance) string {
	answers := fmt.Sprintf("%s returns %s", e.ops[0].ID, e.answers[0])
	if n := len(e.ops); n > 1 {
		answers = fmt.Sprintf("all %d operations that need it return %s", n, e.answers[0])
	}
	if len(e.requirement) == 0 {
		return r.closedUnnamed(e)
	}
	var names, how []string
	given := r.opts.How.Prepare != nil
	for _, together := range e.requirement {
		for _, c := range together {
			given = given || c.Given || c.In == "header" && r.opts.given([]string{strings.ToLower(c.Name)}) || c.In == "cookie" && r.opts.given([]string{"cookie"})
			if len(how) > 0 && len(names) >= len(e.requirement[0]) {
				continue // the first alternative has to do
			}
			names = append(names, fmt.Sprintf("%q", c.Scheme))
			switch {
			case givesTokens(r.contract, c.Scheme):
				how = append(how, fmt.Sprintf("--oauth2 client_id=ID --oauth2 client_secret=env:SECRET (or username and password), or --header '%s: %sVALUE'", c.Name, c.Prefix))
			case c.In == "header":
				how = append(how, fmt.Sprintf("--header '%s: %sVALUE'", c.Name, c.Prefix))
			default:
				how = append(how, fmt.Sprintf("--value %s=VALUE", c.Scheme))
			}
		}
	}
	text := fmt.Sprintf("no credential was given for the security scheme %s: %s; give one with %s", strings.Join(names, " and "), answers, strings.Join(how, " "))
	if given {
		text = fmt.Sprintf("the credential for the security scheme %s is refused: %s; give a good one with %s", strings.Join(names, " and "), answers, strings.Join(how, " "))
		text += r.withoutPrefix(e)
	}
	return text
}

// withoutPrefix says which header of the run lacks the name of the scheme before its credential, by
// all that the document has for it; empty where none does.
func (r *runner) withoutPrefix(e *entrance) string {
	for _, h := range r.opts.Headers {
		var prefixes []string
		begins := false
		for _, c := range slices.Concat(e.requirement...) {
			if c.In == openapi3.ParameterInHeader && strings.EqualFold(c.Name, h.Name) {
				prefixes = append(prefixes, c.Prefix)
				begins = begins || len(h.Value) >= len(c.Prefix) && strings.EqualFold(h.Value[:len(c.Prefix)], c.Prefix)
			}
		}
		if len(prefixes) > 0 && !begins {
			return fmt.Sprintf("; the %s header that was given does not begin with %q", h.Name, prefixes[0])
		}
	}
	return ""
}

// closedUnnamed is about operations for which the document has no security
// scheme.
func (r *runner) closedUnnamed(e *entrance) string {
	answers := fmt.Sprintf("%s returns %s", e.ops[0].ID, e.answers[0])
	if n := len(e.ops); n > 1 {
		answers = fmt.Sprintf("all %d operations return %s", n, e.answers[0])
	}
	for _, h := range r.opts.Headers {
		if secret.IsName(h.Name) {
			return fmt.Sprintf("the credential in the header %s is refused: %s; give a good one with --header '%s: VALUE'", h.Name, answers, h.Name)
		}
	}
	name := "NAME"
	for _, op := range e.ops {
		for _, p := range op.Params {
			if p.Credential && p.Spec.In == "header" {
				name = p.Spec.Name
			}
		}
	}
	return fmt.Sprintf("the target asks for a credential that the document has no security scheme for: %s; give one with --header '%s: VALUE'", answers, name)
}

// wrong reports whether a case has a credential that a target may count as an
// attempt to guess one. Such cases come last.
func wrong(c *plan.Case) bool {
	if c.Phase == plan.Basics || c.Clause == c.Op.MessageClause {
		return false
	}
	good := c.Expect == plan.Accept && c.Clause == c.Op.AuthClause && c.Leave == ""
	return c.Expect == plan.RefuseCredential || c.Credential && c.Op.AuthClause != nil && !good
}

// accuse sends the cases with wrong credentials: a few, then the good one, so
// that a target which counts them forgets them, or shows that it has locked the
// run out. What takes away the one thing that is there has to be tried before a
// valid request does: early is for that.
func (r *runner) accuse(ctx, late context.Context, w wave, early bool) {
	if r.wrongPlace {
		return
	}
	for _, op := range w {
		once := takes(op) && !r.states.of(op).renews()
		ends := rank(op) == ending
		var cases []*plan.Case
		for _, c := range r.plan.cases(op) {
			if wrong(c) && !(takes(op) && c.Anonymous) && early == (once && c.Expect != plan.Accept && (!ends || c.Leave == "")) {
				cases = append(cases, c)
			}
		}
		control := r.goodRequest(op)
		for len(cases) > 0 {
			n, tries := 0, 0
			for n < len(cases) && (cases[n].Anonymous || tries < max(1, r.opts.CredentialTries)) {
				if !cases[n].Anonymous {
					tries++
				}
				n++
			}
			some := cases[:n]
			cases = cases[n:]
			if reason := r.unwise(some[0]); reason != "" {
				for _, c := range some {
					r.states.of(op).skipped[c.Clause] = reason
				}
				continue
			}
			outcomes := r.attempts(ctx, some)
			if control != nil {
				x := r.send(late, control)
				a := answerOf(x)
				for tries := 0; a.status == http.StatusTooManyRequests && tries < maxPatience && sleep(late, longestPause); tries++ {
					a = answerOf(r.send(late, control)) // a limit on the number of requests is forgotten soon
				}
				turnedAway := slices.ContainsFunc(outcomes, func(o outcome) bool { return o.refusesCaller() })
				closes := turnedAway && errors.Is(failure(x), send.ErrDropped) // what has refused a wrong one in order does not fail for it
				r.locked = a.refusesCaller() || a.status == http.StatusTooManyRequests || closes
				if !r.locked && a.refuses() {
					r.changed(&plan.Case{ID: some[0].ID, Op: control.Op, Base: control, Clause: some[0].Clause}, &outcome{answer: a})
				}
			}
			for i := range some {
				if r.locked && (outcomes[i].refusesCaller() || outcomes[i].status == http.StatusTooManyRequests || outcomes[i].status == 0) {
					outcomes[i].findings = nil
				}
			}
			r.conclude(late, some, outcomes)
		}
	}
}

// lockedReason is why no more is sent to a target that has locked the run out.
const lockedReason = "the target refuses the good credential since wrong ones were sent: it has locked the run out"

// unwise says why a case with a wrong credential is not sent.
func (r *runner) unwise(c *plan.Case) string {
	switch {
	case r.locked:
		return lockedReason
	case r.credential.ended.Load() && !c.Anonymous:
		return endedReason
	case r.opts.CredentialTries == 0 && !c.Anonymous:
		return "no wrong credentials are sent (--credential-tries 0)"
	case r.states.of(c.Op).closed && !c.Anonymous:
		return "no good credential is known"
	}
	return ""
}

// goodRequest returns a valid request with the credential that an operation asks
// for, which was accepted and may be sent again.
func (r *runner) goodRequest(op *contract.Operation) *plan.Case {
	if op.AuthClause == nil {
		return nil
	}
	wanted := fmt.Sprint(plan.Credentials(op, r.plan.opts))
	var best *state
	for _, st := range r.states {
		if !st.repeatable.Load() || st.op.AuthClause == nil || takes(st.op) || fmt.Sprint(plan.Credentials(st.op, r.plan.opts)) != wanted {
			continue
		}
		if best == nil || cmp.Compare(rank(st.op), rank(best.op)) < 0 || st.op == op && rank(st.op) == rank(best.op) {
			best = st
		}
	}
	if best == nil {
		return nil
	}
	return r.plan.base(best.op)
}
