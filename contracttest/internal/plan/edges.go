package plan

import (
	"iter"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Edge is a value that keeps a schema, at an edge of one clause at or below it.
type Edge struct {
	Clause *contract.Clause
	Label  string // unique among those of the clause
	Value  any
}

// Edges yields values of a schema, each at an edge of one of its clauses: what those get who send
// them, not those who are sent. Nothing says that a value exists anywhere.
func Edges(m *value.Maker, root *contract.Node, in value.Place) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		good, err := m.Good(root)
		if err != nil {
			return
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
			put := func(c *contract.Clause, label string, leaf any) {
				if stopped || c == nil || count[c] >= most(way) {
					return
				}
				v, _, err := place(m, root, good.V, way, leaf, false)
				if err == nil && m.Takes(root, value.Plain(v)) {
					count[c]++
					stopped = !yield(Edge{c, label, value.Plain(v)})
				}
			}
			for _, v := range m.Keep(n, local, in) {
				put(v.Clause, v.Label, v.V)
			}
			if n != root && n.About() == schema.Member && n.PropName != "" {
				c := n.Parent.Clause("optional/" + n.PropName)
				put(c, "absent", value.Absent{})
				put(c, "present", local.V)
			}
		})
	}
}

// Put returns a value of a schema with another one put where a node below it has its own.
func Put(m *value.Maker, root *contract.Node, v any, n *contract.Node, leaf any) (any, error) {
	out, _, err := place(m, root, v, chain(root, n), leaf, false)
	return out, err
}
