package coverage

import (
	"encoding/json"
	"strconv"
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
// of its schema those of the values that are there.
func (a Account) Response(op *contract.Operation, resp *wire.Response) {
	a.observed(op.StatusClause)
	r := op.Response(resp.Status)
	if r == nil {
		return
	}
	a.observed(r.NoBody, r.MediaType)
	for _, h := range r.Headers {
		a.observed(h.Presence)
		if len(resp.Header.Values(h.Name)) > 0 {
			a.value(h.Node, read(h.Node, resp.Header.Get(h.Name)))
		}
	}
	if r.NoBody != nil || len(resp.Body) == 0 {
		return
	}
	m, err := r.Select(resp.Header.Get("Content-Type"))
	if err != nil {
		return
	}
	a.observed(m.Syntax)
	if m.Node == nil {
		return
	}
	var v any = string(resp.Body)
	if m.Syntax != nil {
		var ok bool
		if v, ok = r.Decoded(resp); !ok {
			return
		}
	}
	a.value(m.Node, v)
}

// read returns the text of a header as the number that it is meant to be.
func read(n *contract.Node, text string) any {
	if _, err := strconv.ParseFloat(text, 64); err == nil && !n.Allows("string") {
		return json.Number(text)
	}
	return text
}

// value enters the clauses of a node that say something of a value, and of the
// values inside it.
func (a Account) value(n *contract.Node, v any) {
	for name, c := range n.Clauses {
		if applies(name, v) {
			a.observed(c)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, p := range n.Props {
			if member, ok := v[p.PropName]; ok {
				a.value(p, member)
			}
		}
		if n.Additional != nil {
			for name, member := range v {
				if n.Prop(name) == nil {
					a.value(n.Additional, member)
				}
			}
		}
	case []any:
		if n.Items != nil {
			for _, item := range v {
				a.value(n.Items, item)
			}
		}
	}
	for _, part := range n.AllOf {
		a.value(part, v)
	}
	for _, branches := range [][]*contract.Node{n.OneOf, n.AnyOf} {
		for _, b := range branches {
			if b.Validates(v) == nil {
				a.value(b, v)
			}
		}
	}
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
