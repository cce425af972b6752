package world

import (
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// facts are what the successes of an operation are about and have. They are gathered once for each operation: the sources of
// each parameter are looked for among all of them, and a document may have a thousand, with large answers.
type facts struct {
	about    []string          // plain names of resources
	names    map[string]bool   // plain names of properties
	examples map[string]string // the first property that has a text as its example
}

// factsOf returns a function that gathers the facts of an operation when it is first called.
func factsOf(op *contract.Operation) func() facts {
	return sync.OnceValue(func() facts {
		f := facts{about: about(op), names: map[string]bool{}, examples: map[string]string{}}
		properties(op, func(n *contract.Node) {
			f.names[Plain(n.PropName)] = true
			if n.Schema == nil {
				return
			}
			if text, ok := n.Schema.Example.(string); ok && f.examples[text] == "" {
				f.examples[text] = n.PropName
			}
		})
		return f
	})
}

// about lists the plain names of the resources that a success of an operation is about.
func (w *World) about(op *contract.Operation) []string { return w.facts[op]().about }

// mentions reports whether a success of the operation may have a property of a name.
func (w *World) mentions(op *contract.Operation, name string) bool {
	return w.facts[op]().names[Plain(name)]
}

// exampleOf returns the property of a success of the operation that has the
// example of a parameter; a text of a few characters is no coincidence.
func (w *World) exampleOf(op *contract.Operation, p *contract.Param) string {
	const few = 4
	text, ok := p.Spec.Example.(string)
	if !ok && p.Node.Schema != nil {
		text, ok = p.Node.Schema.Example.(string)
	}
	if !ok || len(text) < few {
		return ""
	}
	return w.facts[op]().examples[text]
}

// about lists the plain names of the resources that a success of an operation
// is about: the schemas that it answers with, and the collection of its path.
func about(op *contract.Operation) []string {
	names := []string{Singular(lastSegment(op.Path))}
	for _, r := range op.Responses {
		if r.Key[0] != '2' || r.Spec.Content == nil {
			continue
		}
		for _, m := range r.Spec.Content {
			if m == nil || m.Schema == nil {
				continue
			}
			ref := m.Schema.Ref
			if s := m.Schema.Value; ref == "" && s != nil && s.Items != nil {
				ref = s.Items.Ref
			}
			if ref != "" {
				names = append(names, schemaName(ref))
			}
		}
	}
	return names
}
