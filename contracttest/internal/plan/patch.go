package plan

import (
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// patch makes a patch of what the resource is, as the document shows it: its schema alone says
// little of which patches can be applied. ok is false for a body that is none, or that is made as
// others are.
func (pl *planner) patch(m *contract.Media) (g value.Good, ok bool) {
	kind := m.Patches()
	if kind == contract.NoPatch || kind == contract.MergePatch && m.Node != nil && m.Node.SpeaksOf(schema.Member) {
		return g, false
	}
	n, required := pl.op.Changeable()
	if n == nil {
		return pl.unsurePatch(m, kind)
	}
	good, err := pl.maker.Good(n)
	if err != nil {
		return pl.unsurePatch(m, kind)
	}
	v := any(map[string]any{n.PropName: good.V})
	if kind == contract.JSONPatch {
		op := "add" // which replaces what is there (RFC 6902 §4.1)
		if required {
			op = "replace"
		}
		v = []any{map[string]any{"op": op, "path": "/" + document.Escape(n.PropName), "value": good.V}}
	}
	if m.Node != nil && m.Node.Validates(value.Plain(v)) != nil {
		return pl.unsurePatch(m, kind)
	}
	return value.Good{V: v}, true
}

// unsurePatch makes a JSON Patch of its schema: whether it can be applied nobody knows.
func (pl *planner) unsurePatch(m *contract.Media, kind contract.Patch) (g value.Good, ok bool) {
	if kind != contract.JSONPatch || m.Node == nil {
		return g, false
	}
	for _, e := range mediaExamples(m.Spec) {
		if m.Node.Validates(e.v) == nil {
			return value.Good{V: e.v}, true
		}
	}
	g, err := pl.maker.Good(m.Node)
	if err != nil {
		return g, false
	}
	g.Unknown = append(g.Unknown, m.Node.Path)
	return g, true
}
