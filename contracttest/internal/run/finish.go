package run

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/amend"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/coverage"
	"github.com/dataarts-go/factory/contracttest/internal/match"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/report"
)

// finish fills in the report what is known when all has been sent.
func (r *runner) finish(start time.Time) {
	rep := r.report
	for _, st := range r.states {
		r.takeUp(st)
	}
	rep.Exchanges, rep.Sources, rep.Rules = r.sample.All(), r.contract.Sources, Rules(r.opts.checks())
	rep.Amendments = func(rep *report.Report) ([]report.Amendment, error) {
		return amend.Actions(r.contract, rep, &amend.Run{
			Answers: r.answers,
			Refused: func(cl *contract.Clause) bool { return !r.account[cl].Kept && r.tried[cl].refused() },
			Hidden: func(name string) bool {
				return secret.IsName(name) || slices.ContainsFunc(r.opts.Redact, func(n string) bool { return strings.EqualFold(n, name) })
			},
		})
	}
	rep.FailOn, rep.MinCoverage = r.opts.FailOn, r.opts.MinCoverage
	rep.Stats = report.Stats{
		Cases: r.plan.total(), Exchanges: int(r.exchanges.Load()),
		Started: start.UTC().Format(time.RFC3339), Seconds: time.Since(start).Seconds(),
		DocumentFaults: r.contract.Faults(),
	}
	ops := map[*contract.Operation]bool{}
	for _, cl := range r.contract.Clauses {
		if r.selection.Clause(cl) {
			ops[r.contract.OperationOf(cl)] = true
		}
	}
	rep.Coverage = Covered(r.contract, r.account, Why{
		Chosen: r.selection.Clause, Untried: r.reason, Unproven: func(cl *contract.Clause) string { return r.tried[cl].String() }, Beyond: r.beyondReach,
	})
	r.received()
	if len(r.opts.Only) == 0 {
		for _, u := range r.contract.Undriven {
			rep.Coverage.Unreached = append(rep.Coverage.Unreached, report.Unreached{Clause: u.Name, Reason: u.Reason})
		}
	}
	for _, op := range r.contract.Operations {
		if ops[op] {
			rep.Operations = append(rep.Operations, report.Operation{Operation: op.ID, Method: op.Method, Path: op.Path})
		}
	}
	rep.Stats.Operations = len(ops)
	rep.Warnings = append(rep.Warnings, r.gaveUp(ops)...)
	if r.locked {
		rep.Warnings = append(rep.Warnings, lockedReason+", and the rest of them is left out (--credential-tries N sends fewer in a row)")
	}
	if text := r.session.text; text != "" {
		rep.Warnings = append(rep.Warnings, text)
	}
	rep.Warnings = append(rep.Warnings, r.room.said()...)
	r.untested(ops)
	rep.Warnings = append(rep.Warnings, r.unsafeOps(ops)...)
	rep.Warnings = append(rep.Warnings, r.sparedOps(ops)...)
	rep.Warnings = append(rep.Warnings, r.filledOps(ops)...)
	rep.Warnings = append(rep.Warnings, r.unproven(ops)...)
	r.vain(ops)
	rep.Warnings = append(rep.Warnings, r.shared(ops)...)
	r.showStandIns()
	r.hideToken()
	r.setSeverities()
	rep.Sort()
	r.applyBaseline()
}

// Why says what is to be said of clauses of which nothing is shown.
type Why struct {
	Chosen   func(*contract.Clause) bool   // it is one of those that count
	Untried  func(*contract.Clause) string // why it was never tried
	Unproven func(*contract.Clause) string // why it is not proven
	Beyond   func(*contract.Clause) bool   // it could not have been tried
}

// Covered is an account as reports have it.
func Covered(c *contract.Contract, account coverage.Account, why Why) report.Coverage {
	cov := report.Coverage{Unreached: []report.Unreached{}}
	for _, cl := range c.Clauses {
		if !why.Chosen(cl) {
			continue
		}
		state := account[cl]
		if cl.Unjudged() {
			state = coverage.State{}
		}
		shown := report.Clause{
			Clause: cl.Name, Text: cl.Text, Place: Place(c, cl), State: state.String(), Operation: cl.Operation,
			Permits: cl.Permits, Response: cl.Side == contract.ResponseSide,
		}
		untried := shown.State == "unreached"
		for _, n := range []struct {
			holds bool
			count *int
		}{{true, &cov.Clauses}, {state.Kept, &cov.Kept}, {state.Broken, &cov.Broken}, {state.Observed, &cov.Observed}, {shown.State == "not_proven", &cov.NotProven}, {!untried || !why.Beyond(cl), &cov.Possible}} {
			if n.holds {
				*n.count++
			}
		}
		if untried {
			cov.Unreached = append(cov.Unreached, report.Unreached{Clause: cl.Name, Reason: why.Untried(cl)})
		}
		if shown.State == "not_proven" {
			shown.Reason = why.Unproven(cl)
		}
		cov.ByClause = append(cov.ByClause, shown)
	}
	return cov
}

// setSeverities makes the findings of checks what the run says that they are.
func (r *runner) setSeverities() {
	rep := r.report
	for _, s := range r.opts.Severities {
		for i := range rep.Findings {
			if f := &rep.Findings[i]; match.Name(s.Check, f.Check) {
				f.Severity = s.Severity
			}
		}
		rep.Severities = append(rep.Severities, report.Severity{Check: s.Check, Severity: s.Severity})
	}
}

// module is the path of the module that this package is of.
const module = "github.com/dataarts-go/factory"

// ToolVersion is that of the module in the program that is running.
func ToolVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}

// tally counts the answers to the cases of a clause that have shown nothing of it.
type tally map[string]int

// String says which they were, the most frequent first.
func (t tally) String() string {
	all, n := slices.Sorted(maps.Keys(t)), 0
	for _, answer := range all {
		n += t[answer]
	}
	slices.SortStableFunc(all, func(a, b string) int { return t[b] - t[a] })
	switch {
	case n == 0:
		return ""
	case n == 1:
		return all[0] + " to the one request"
	case len(all) == 1:
		return fmt.Sprintf("%s to all %d requests", all[0], n)
	}
	return fmt.Sprintf("%s to %d of %d requests, %s to %d", all[0], t[all[0]], n, all[1], t[all[1]])
}

// refused reports whether there were answers, and all were refusals.
func (t tally) refused() bool {
	for answer := range t {
		if !strings.HasPrefix(answer, "4") {
			return false
		}
	}
	return len(t) > 0
}

// filledOps says which operations are sent what is required and readOnly.
func (r *runner) filledOps(ops map[*contract.Operation]bool) []string {
	var all []string
	for what, names := range r.grouped(ops, func(op *contract.Operation) string {
		if !r.plan.opts.Filled[op] {
			return ""
		}
		return "requests without the properties that are required and readOnly are refused, which OpenAPI 3.1 leaves open: all requests include them"
	}) {
		all = append(all, names+": "+what)
	}
	return all
}

// gaveUp warns of the operations whose planning ended in a panic.
func (r *runner) gaveUp(ops map[*contract.Operation]bool) []string {
	var all []string
	for reason, names := range r.grouped(ops, func(op *contract.Operation) string {
		if pt := r.plan.known(op); pt != nil {
			for _, reason := range maps.All(pt.unreached) {
				if reason.Why == plan.GaveUp {
					return reason.Text
				}
			}
		}
		return ""
	}) {
		all = append(all, names+": "+reason)
	}
	return all
}

// untested says of which operations nothing was sent that was to be, and why.
func (r *runner) untested(ops map[*contract.Operation]bool) {
	if r.wrongPlace {
		return
	}
	why := func(op *contract.Operation) string {
		st := r.states.of(op)
		pt := r.plan.known(op)
		if st.judged > 0 || pt == nil || r.opts.unsafe(op) {
			return "" // or the run ended before it was planned, which is said
		}
		for _, cl := range op.Clauses {
			planned := pt.unreached[cl].Text
			if reason := cmp.Or(planned, st.skipped[cl]); reason != "" && (pt.total == 0 || planned == "") {
				return reason
			}
		}
		return "no case was planned"
	}
	for reason, names := range r.grouped(ops, why) {
		if r.left.all > 0 && reason == r.left.why || reason == lockedReason {
			continue // said for all cases
		}
		r.report.Inconclusive = append(r.report.Inconclusive, fmt.Sprintf("%s: nothing was sent: %s", names, reason))
	}
}

// grouped yields what is to be said of operations with the names of those of
// which it is said.
func (r *runner) grouped(ops map[*contract.Operation]bool, say func(*contract.Operation) string) iter.Seq2[string, string] {
	names := map[string][]string{}
	var order []string
	for _, op := range r.contract.Operations {
		if !ops[op] {
			continue
		}
		what := say(op)
		if what == "" {
			continue
		}
		if names[what] == nil {
			order = append(order, what)
		}
		names[what] = append(names[what], op.Title())
	}
	return func(yield func(string, string) bool) {
		for _, what := range order {
			if !yield(what, strings.Join(someOf(names[what]), ", ")) {
				return
			}
		}
	}
}

// maxNamed is how many operations a warning names.
const maxNamed = 5

// unproven lists the operations of which no valid request was accepted, and
// warns of those of which nothing else is said, those that lack the same in one
// line.
func (r *runner) unproven(ops map[*contract.Operation]bool) []string {
	for _, op := range r.contract.Operations {
		if st := r.states.of(op); ops[op] && !st.accepted {
			answer := st.valid.String()
			if st.judged == 0 {
				answer = "not sent"
			}
			r.report.Unproven = append(r.report.Unproven, report.Unproven{Operation: op.ID, Answer: answer})
		}
	}
	var all []string
	for what, names := range r.grouped(ops, func(op *contract.Operation) string {
		st := r.states.of(op)
		if st.accepted || st.closed || st.judged == 0 || slices.ContainsFunc(r.report.Findings, func(f report.Finding) bool { return f.Operation == op.ID }) {
			return ""
		}
		return fmt.Sprintf("no valid request was accepted (%s), so little is proven: give %s", st.valid, r.lacking(op))
	}) {
		all = append(all, names+": "+what)
	}
	return all
}

// vain says that a run has proven nothing, as no operation accepted a valid request: the document
// may be that of another API, and refuses nothing that another one does not. A part of the
// operations may lack what the others have, and a case alone has no valid request beside it.
func (r *runner) vain(ops map[*contract.Operation]bool) {
	if len(r.opts.Only) > 0 || r.opts.Shard.Of > 0 || r.opts.Since != nil || len(r.report.Inconclusive) > 0 {
		return
	}
	var first *contract.Operation
	for _, op := range r.contract.Operations {
		switch st := r.states.of(op); {
		case !ops[op]:
		case st.accepted || !slices.ContainsFunc(op.Responses, func(a *contract.Response) bool { return strings.HasPrefix(a.Key, "2") }):
			return
		case st.judged > 0 && first == nil:
			first = op
		}
	}
	if first != nil {
		r.report.Inconclusive = append(r.report.Inconclusive, fmt.Sprintf(
			"nothing is proven: no operation accepted a valid request (that of %s returns %s). The document may be that of another API, the base path may be wrong, or the run needs %s",
			first.Endpoint(), r.states.of(first).valid, r.lacking(first)))
	}
}

// shared warns of the operations that delete what the user has given: their cases
// share it, and what the first one deletes that is accepted, the others lack.
func (r *runner) shared(ops map[*contract.Operation]bool) []string {
	var all []string
	for _, op := range r.contract.Operations {
		st := r.states.of(op)
		if f := st.fixture; !ops[op] || !st.accepted || !takes(op) || f == nil || f.maker != nil || len(f.given) == 0 {
			continue
		}
		n := 0
		for _, cl := range op.Clauses {
			if r.selection.Clause(cl) && r.account[cl].String() == "not_proven" {
				n++
			}
		}
		if n > 0 {
			all = append(all, fmt.Sprintf("%s: all its requests share the given %s, because no operation creates one, and it is used up: %d of its clauses are not proven", op.Title(), st.fixture.param.Spec.Name, n))
		}
	}
	return all
}

// someOf is a list of names that is cut where there are many.
func someOf(names []string) []string {
	if more := len(names) - maxNamed; more > 0 {
		return append(names[:maxNamed:maxNamed], fmt.Sprintf("%d more", more))
	}
	return names
}

// lacking says what the run may have to be told of the target.
func (r *runner) lacking(op *contract.Operation) string {
	if p := r.states.of(op).usedUp; p != nil {
		return fmt.Sprintf("another %s (--value %s=VALUE): the given one is gone or used up, perhaps by an earlier run, since a run may delete what is given", p.Spec.Name, p.Spec.Name)
	}
	values := "values that exist on the target (--value NAME=VALUE)"
	if f := r.states.of(op).fixture; f != nil && f.maker == nil && len(f.given) == 0 && r.world.Consumed(op.Method, op) == f.param {
		values = fmt.Sprintf("a value of %s that may be used up (--value %s=VALUE): %s", f.param.Spec.Name, f.param.Spec.Name, r.notMade(op, f.param))
	}
	if op.AuthClause != nil {
		return "a credential (--header 'NAME: VALUE') and " + values
	}
	return values
}

// notMade says why the run has made nothing that a parameter may name.
func (r *runner) notMade(op *contract.Operation, p *contract.Param) string {
	var tried []string
	for _, s := range r.world.Producers(op, p) {
		tried = append(tried, fmt.Sprintf("%s (%s)", s.Operation.ID, r.states.of(s.Operation).valid))
	}
	if len(tried) == 0 {
		return "no operation creates one"
	}
	return "none could be created by " + strings.Join(someOf(tried), ", ")
}

// beyondReach reports whether no run could have tried a clause that was not: no value is made for
// it, or it is of an answer that never came.
func (r *runner) beyondReach(cl *contract.Clause) bool {
	pt := r.plan.known(r.contract.OperationOf(cl))
	if cl.Unjudged() {
		return true
	}
	if pt == nil || r.opts.unsafe(r.contract.OperationOf(cl)) {
		return false
	}
	_, unplanned := pt.unreached[cl]
	return unplanned || r.reason(cl) == report.NoResponse
}

func (r *runner) reason(cl *contract.Clause) string {
	pt := r.plan.known(r.contract.OperationOf(cl))
	if cl.Unjudged() {
		return cl.Unplanned
	}
	if pt == nil {
		return r.left.why + " before it was planned"
	}
	if reason, unreached := pt.unreached[cl]; unreached {
		return reason.Text
	}
	st := r.states.of(r.contract.OperationOf(cl))
	if reason := cmp.Or(st.left, st.skipped[cl]); reason != "" {
		return reason
	}
	if r.opts.unsafe(r.contract.OperationOf(cl)) {
		return errSafe.Error()
	}
	if cl.Side == contract.ResponseSide {
		return report.NoResponse
	}
	return "no case was sent for it"
}
