package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// gap is clauses of which a run shows nothing, all for one reason.
type gap struct {
	state   string // as people read it
	what    string
	clauses []string
	named   bool   // the clauses say more than the reason does
	unit    string // what the clauses are; empty: clauses
}

// gaps groups what was not proven and what was not reached by the reasons, the
// largest group first. Answers that a server has no reason to give make one
// group, whatever is documented of them.
func gaps(r *Report) []gap {
	var proven gap
	states := map[string]string{}
	never := map[string]string{} // by clause, the status that no answer had
	came := map[string]bool{}    // by operation and status
	for _, c := range r.Coverage.ByClause {
		states[c.Clause] = c.State
		if c.State == "not_proven" {
			name := c.Clause
			if c.Reason != "" {
				name += " (" + c.Reason + ")"
			}
			proven.clauses = append(proven.clauses, name)
		}
		if status, ok := statusOf(c); ok {
			never[c.Clause] = status
			came[c.Operation+" "+status] = came[c.Operation+" "+status] || c.State != "unreached"
		}
	}
	for _, c := range r.Coverage.ByClause {
		if came[c.Operation+" "+never[c.Clause]] {
			delete(never, c.Clause)
		}
	}
	var answers gap
	var statuses []string
	var others []gap
	index := map[string]int{}
	for _, u := range r.Coverage.Unreached {
		if status := never[u.Clause]; status != "" && u.Reason == NoResponse {
			answers.clauses = append(answers.clauses, u.Clause)
			statuses = append(statuses, status)
			continue
		}
		i, ok := index[u.Reason]
		if !ok {
			i = len(others)
			index[u.Reason] = i
			what := u.Reason
			if what == NoResponse {
				what = "never seen in a response"
			}
			others = append(others, gap{state: "never tried", what: what, named: true})
		}
		others[i].clauses = append(others[i].clauses, u.Clause)
	}
	slices.SortStableFunc(others, func(a, b gap) int { return cmp.Compare(len(b.clauses), len(a.clauses)) })
	var all []gap
	if n := len(r.Unproven); n > 0 {
		valid := gap{state: "not proven", unit: "operation", what: "their valid requests were never accepted", named: true}
		for _, u := range r.Unproven {
			valid.clauses = append(valid.clauses, r.called(u.Operation)+" ("+u.Answer+")")
		}
		all = append(all, valid)
	}
	if len(proven.clauses) > 0 {
		proven.state, proven.what, proven.named = "not proven", "tried, but the responses do not decide it", true
		all = append(all, proven)
	}
	if len(answers.clauses) > 0 {
		slices.Sort(statuses)
		answers.state, answers.what = "never tried", "for statuses that an operation never returned: "+strings.Join(slices.Compact(statuses), ", ")
		all = append(all, answers)
	}
	return append(all, others...)
}

// NoResponse is the reason of a clause of a response that no answer had.
const NoResponse = "no response had it"

// statusOf returns the status that a clause is about, if it is of a response.
func statusOf(c Clause) (string, bool) {
	rest, ok := strings.CutPrefix(c.Clause, c.Operation+"/response/")
	if !ok {
		return "", false
	}
	status, _, below := strings.Cut(rest, "/")
	return status, below
}

// count says how many there are.
func (g gap) count() string {
	return fmt.Sprintf("%d %s%s", len(g.clauses), cmp.Or(g.unit, "clause"), plural(len(g.clauses)))
}

// line says it in one line, which names as many clauses as there is room for,
// two if that is not known.
func (g gap) line(room int) string {
	s := g.count()
	if !g.named {
		return s + " " + printable(g.what)
	}
	s += ", " + printable(g.what) + ": "
	for i, name := range g.clauses {
		more := ""
		if left := len(g.clauses) - i - 1; left > 0 {
			more = fmt.Sprintf(" and %d more", left)
		}
		if i == 0 && room > 0 {
			name = clip(printable(name), max(room-columns(s)-columns(more), 20))
		}
		if i > 0 && (room == 0 && i == 2 || room > 0 && columns(s)+2+columns(name)+columns(more) > room) {
			return s + fmt.Sprintf(" and %d more", len(g.clauses)-i)
		}
		if i > 0 {
			s += ", "
		}
		s += printable(name)
	}
	return s
}
