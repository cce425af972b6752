package plan

import (
	"cmp"
	"encoding/json"
	"iter"
	"maps"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Edge is a value that keeps a schema, at an edge of one clause at or below it.
type Edge struct {
	Clause *contract.Clause
	Label  string // unique among those of the clause
	Value  any
	Leave  string // why who gets it may refuse it
}

// Edges yields values of a schema, each at an edge of one of its clauses: what those get who send
// them, not those who are sent. Nothing says that a value exists anywhere. What differs from base is
// at the edge alone; where base is nil, it is a good value.
func Edges(m *value.Maker, root *contract.Node, base any, in value.Place) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		if base == nil {
			good, err := m.Good(root)
			if err != nil {
				return
			}
			base = good.V
		}
		stopped := false
		root.Walk(func(n *contract.Node) {
			if stopped || len(n.Clauses) == 0 {
				return
			}
			local, err := m.Good(n)
			if err != nil {
				return
			}
			way := chain(root, n)
			count := map[*contract.Clause]int{}
			put := func(c *contract.Clause, label, leave string, leaf any) {
				if stopped || c == nil || count[c] >= most(way) {
					return
				}
				v, _, err := place(m, root, base, way, leaf, false)
				if err == nil && m.Takes(root, value.Plain(v)) {
					count[c]++
					stopped = !yield(Edge{c, label, value.Plain(v), leave})
				}
			}
			for _, v := range m.Keep(n, local, in) {
				put(v.Clause, v.Label, v.Leave, v.V)
			}
			if n != root && n.About() == schema.Member && n.PropName != "" {
				if c := n.Parent.Clause("required/" + n.PropName); c != nil {
					put(c, "present", "", local.V)
				} else {
					put(cmp.Or(n.Clause("type"), n.Clauses[0].Clause), "absent", "", value.Absent{})
				}
			}
			if members, ok := local.V.(map[string]any); ok && in == value.InBody {
				put(n.Clause("type"), "unknown-property", "", with(members, "x-unknown-property", "a"))
				put(n.Clause("type"), "unknown-object", "", with(members, "x-unknown-property", map[string]any{"a": []any{json.Number("1"), "b"}}))
			}
		})
	}
}

// with is an object with one more member.
func with(members map[string]any, name string, v any) map[string]any {
	more := maps.Clone(members)
	more[name] = v
	return more
}

// Full is a value of a schema with all properties that it describes, as far as they may stand beside
// one another.
func Full(m *value.Maker, root *contract.Node) (any, error) {
	good, err := m.Good(root)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the schema
	}
	full, left := good.V, maxFull
	root.Walk(func(n *contract.Node) {
		if n == root || n.About() != schema.Member || n.PropName == "" || n.Force() != schema.Always || left == 0 ||
			n.Schema.WriteOnly && n.Side() == schema.ResponseSide || n.Schema.ReadOnly && n.Side() == schema.RequestSide {
			return
		}
		left--
		local, err := m.Good(n)
		if err != nil {
			return
		}
		if v, _, err := place(m, root, full, chain(root, n), local.V, false); err == nil && m.Takes(root, value.Plain(v)) {
			full = v
		}
	})
	return value.Plain(full), nil
}

// maxFull bounds how many properties are looked at.
const maxFull = 500

// Put returns a value of a schema with another one put where a node below it has its own.
func Put(m *value.Maker, root *contract.Node, v any, n *contract.Node, leaf any) (any, error) {
	out, _, err := place(m, root, v, chain(root, n), leaf, false)
	return out, err
}
