package coverage

import (
	"encoding/json"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// State is what a run has shown of one clause.
type State struct {
	Kept     bool // a request that keeps it at an edge was accepted
	Broken   bool // a request that breaks it alone was refused
	Observed bool // a response in which it applies was seen
	Tried    bool // a case was sent, but the answer shows nothing
}

// String names the state as reports do.
func (s State) String() string {
	switch {
	case s.Kept && s.Broken:
		return "kept+broken"
	case s.Kept:
		return "kept"
	case s.Broken:
		return "broken"
	case s.Observed:
		return "observed"
	case s.Tried:
		return "not_proven"
	}
	return "unreached"
}

// Account holds the states of a contract's clauses. It is not safe for
// concurrent use: exchanges are entered in the order of their cases.
type Account map[*contract.Clause]State

// Kept enters an accepted request that keeps the clauses.
func (a Account) Kept(clauses ...*contract.Clause) {
	a.enter(clauses, func(s *State) { s.Kept = true })
}

// Broken enters a refused request that breaks the clause.
func (a Account) Broken(clauses ...*contract.Clause) {
	a.enter(clauses, func(s *State) { s.Broken = true })
}

// Tried enters a case whose answer shows nothing.
func (a Account) Tried(clauses ...*contract.Clause) {
	a.enter(clauses, func(s *State) { s.Tried = true })
}

func (a Account) observed(clauses ...*contract.Clause) {
	a.enter(clauses, func(s *State) { s.Observed = true })
}

func (a Account) enter(clauses []*contract.Clause, change func(*State)) {
	for _, c := range clauses {
		if c == nil {
			continue
		}
		s := a[c]
		change(&s)
		a[c] = s
	}
}

// Response enters which clauses apply in a response: its status, its label, and
// of its schemas those that hold of the values that are there. What cannot be read, and
// so not be judged, is not observed.
func (a Account) Response(op *contract.Operation, resp *wire.Response) {
	a.observed(op.StatusClause)
	r := op.Response(resp.Status)
	if r == nil {
		return
	}
	a.observed(r.NoBody, r.MediaType)
	for _, h := range r.Headers {
		a.observed(h.Presence)
	}
	if m, err := r.Select(resp.Header.Get("Content-Type")); err == nil && r.NoBody == nil && len(resp.Body) > 0 {
		a.observed(m.Syntax)
	}
	r.Visit(resp, a.applied)
}

// Inbound enters which clauses apply in a request that the target has sent.
func (a Account) Inbound(in *contract.Inbound, r *wire.Request) {
	in.Visit(r, a.observed, a.applied)
}

// applied enters those of a schema that holds of a value.
func (a Account) applied(n *contract.Node, v any) {
	for _, c := range n.Clauses {
		if applies(c.Key, v) {
			a.observed(c.Clause)
		}
	}
}

// Request enters an accepted request that keeps the contract, and that nobody has planned: every
// clause that says something of it is kept.
func (a Account) Request(op *contract.Operation, r *wire.Request) {
	a.Kept(op.VisitRequest(r, func(n *contract.Node, v any) {
		for _, c := range n.Clauses {
			if applies(c.Key, v) {
				a.Kept(c.Clause)
			}
		}
	})...)
}

// applies reports whether a keyword says anything of a value of this type.
func applies(keyword string, v any) bool {
	keyword, _, _ = strings.Cut(keyword, "/")
	switch keyword {
	case "minLength", "maxLength", "pattern", "format":
		_, ok := v.(string)
		return ok || keyword == "format"
	case "minItems", "maxItems", "uniqueItems":
		_, ok := v.([]any)
		return ok
	case "required", "optional", "additionalProperties", "minProperties", "maxProperties":
		_, ok := v.(map[string]any)
		return ok
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		_, ok := v.(json.Number)
		return ok
	}
	return true
}
