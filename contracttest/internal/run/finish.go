package run

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/coverage"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/report"
)

// finish fills in the report what is known when all has been sent.
func (r *runner) finish(elapsed time.Duration) {
	rep := r.report
	for _, st := range r.states {
		r.takeUp(st)
	}
	rep.Exchanges, rep.Sources, rep.Rules = r.sample.all(), r.contract.Sources, rules()
	rep.Stats = report.Stats{
		Cases: r.plan.total, Exchanges: int(r.exchanges.Load()), Seconds: elapsed.Seconds(),
		DocumentFaults: r.contract.Faults(),
	}
	ops := map[*contract.Operation]bool{}
	rep.Coverage.Unreached = []report.Unreached{}
	for _, cl := range r.contract.Clauses {
		if !r.selection.Clause(cl) {
			continue
		}
		ops[r.contract.OperationOf(cl)] = true
		state := r.account[cl]
		if cl.Unjudged() {
			state = coverage.State{}
		}
		cov := &rep.Coverage
		cov.Clauses++
		for _, n := range []struct {
			holds bool
			count *int
		}{{state.Kept, &cov.Kept}, {state.Broken, &cov.Broken}, {state.Observed, &cov.Observed}, {state.String() == "not_proven", &cov.NotProven}} {
			if n.holds {
				*n.count++
			}
		}
		if state.String() == "unreached" {
			cov.Unreached = append(cov.Unreached, report.Unreached{Clause: cl.Name, Reason: r.reason(cl)})
		}
		cov.ByClause = append(cov.ByClause, report.Clause{
			Clause: cl.Name, Text: cl.Text, Place: Place(r.contract, cl), State: state.String(), Operation: cl.Operation,
			Permits: cl.Permits, Response: cl.Side == contract.ResponseSide,
		})
	}
	if len(r.opts.Only) == 0 {
		for _, u := range r.contract.Undriven {
			rep.Coverage.Unreached = append(rep.Coverage.Unreached, report.Unreached{Clause: u.Name, Reason: u.Reason})
		}
	}
	rep.Stats.Operations = len(ops)
	rep.Warnings = append(rep.Warnings, r.gaveUp(rep.Coverage.Unreached)...)
	rep.Warnings = append(rep.Warnings, r.unproven(ops)...)
	rep.Sort()
}

// gaveUp warns of the operations whose planning ended in a panic.
func (r *runner) gaveUp(unreached []report.Unreached) []string {
	var all []string
	for _, u := range unreached {
		if op, _, _ := strings.Cut(u.Clause, "/"); plan.GaveUp(u.Reason) {
			if w := op + ": " + u.Reason; !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// maxNamed is how many operations a warning names.
const maxNamed = 5

// unproven warns of the operations of which no valid request was accepted, those
// that lack the same in one line.
func (r *runner) unproven(ops map[*contract.Operation]bool) []string {
	names := map[string][]string{}
	var order []string
	for _, op := range r.contract.Operations {
		if !ops[op] || r.states.of(op).accepted || slices.ContainsFunc(r.report.Findings, func(f report.Finding) bool { return f.Operation == op.ID }) {
			continue
		}
		what := lacking(op)
		if names[what] == nil {
			order = append(order, what)
		}
		names[what] = append(names[what], op.ID)
	}
	var all []string
	for _, what := range order {
		of := names[what]
		if more := len(of) - maxNamed; more > 0 {
			of = append(of[:maxNamed:maxNamed], fmt.Sprintf("%d more", more))
		}
		all = append(all, fmt.Sprintf("%s: no valid request was accepted, so little is proven: give %s", strings.Join(of, ", "), what))
	}
	return all
}

// lacking says what the run may have to be told of the target.
func lacking(op *contract.Operation) string {
	values := "values that exist on the target (--value NAME=VALUE)"
	if op.AuthClause != nil {
		return "a credential (--header 'NAME: VALUE') and " + values
	}
	return values
}

func (r *runner) reason(cl *contract.Clause) string {
	pt := r.states.of(r.contract.OperationOf(cl)).plan
	if cl.Unjudged() {
		return cl.Unplanned
	}
	if pt == nil {
		return "the budget ran out before it was planned"
	}
	if reason := pt.unreached[cl]; reason != "" {
		return reason
	}
	if reason := r.states.of(r.contract.OperationOf(cl)).skipped[cl]; reason != "" {
		return reason
	}
	if cl.Side == contract.ResponseSide {
		return "no response had it"
	}
	return "no case was sent for it"
}
