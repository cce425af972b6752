package contract

import (
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Shows reports whether an example of one of the operation's responses has the
// text: whoever answers so says nothing that the document does not.
func (op *Operation) Shows(text string) bool {
	op.examplesOnce.Do(func() {
		for _, r := range op.Responses {
			for _, m := range r.Media {
				op.addExamples(m.Spec.Example, m.Spec.Examples)
				op.addSchemaExamples(m.Node)
			}
			for _, h := range r.Headers {
				op.addExamples(h.Spec.Example, h.Spec.Examples)
				op.addSchemaExamples(h.Node)
			}
		}
	})
	for _, example := range op.examples {
		if strings.Contains(example, text) {
			return true
		}
	}
	return false
}

func (op *Operation) addSchemaExamples(n *Node) {
	n.Walk(func(n *Node) {
		for _, v := range append([]any{n.Schema.Example, n.Schema.Default, n.Schema.Const, n.Schema.Examples}, n.Schema.Enum...) {
			op.addTexts(v)
		}
	})
}

func (op *Operation) addExamples(one any, more openapi3.Examples) {
	op.addTexts(one)
	for _, ref := range more {
		if ref != nil && ref.Value != nil {
			op.addTexts(ref.Value.Value)
		}
	}
}

// addTexts notes the strings of a value.
func (op *Operation) addTexts(v any) {
	switch v := v.(type) {
	case string:
		op.examples = append(op.examples, v)
	case []any:
		for _, item := range v {
			op.addTexts(item)
		}
	case map[string]any:
		for _, member := range v {
			op.addTexts(member)
		}
	}
}
