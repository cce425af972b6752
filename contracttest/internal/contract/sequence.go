package contract

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// leaveSequence is why a schema of a sequence breaks nothing.
const leaveSequence = "OpenAPI 3.0 and 3.1 do not say whether the schema of a sequence speaks of the whole or of an item, as itemSchema of 3.2 does; neither fits"

// readSequence reads a body of items. What is said of the items is held against the list of
// them. A schema without that is of the whole in OpenAPI 3.2, and of either before.
func (m *Media) readSequence(body []byte, in message) (reading, []Violation) {
	framing := m.framing
	if m.ranged() {
		framing = codec.FramingOf(in.label)
	}
	items, err := codec.ReadSequence(framing, in.label, body, !in.open)
	var broken []Violation
	if err != nil {
		broken = in.broken("%s", err)
		if in.request {
			broken[0].Leave = codec.Spares(err)
		}
	}
	whole := reading{Reading: codec.Reading{Value: items, Found: true}}
	switch {
	case m.Node == nil:
		return reading{}, broken
	case m.itemized:
		m.readTexts(items)
		broken = append(broken, m.checkPartTypes(in.label, body)...)
		if m.Whole != nil && err == nil && !in.open {
			broken = append(broken, judge(m.Whole, whole.Reading, "", nil)...)
		}
		return whole, broken
	case err != nil, len(items) == 0 && in.open:
		return reading{}, broken
	}
	return m.either(framing, items, string(body), in.open), broken
}

// either finds out of what a schema speaks that is not said to be of the items: of their list,
// of the text, of each item, or of what the data of each event holds. Of several the one is
// taken that fits.
func (m *Media) either(framing codec.Framing, items []any, text string, open bool) reading {
	fits := func(v any) bool { return m.Node.Validates(v) == nil }
	list := reading{Reading: codec.Reading{Value: items, Found: true}}
	switch {
	case open && (m.Node.Allows("array") || m.Node.Allows("string")):
		return reading{} // nobody has seen the whole
	case open:
	case fits(items), m.op.Contract.document.Version32() && !m.Node.Allows("string"):
		return list
	case fits(text):
		return reading{Reading: codec.Reading{Value: text, Found: true}}
	}
	ways := [][]any{items}
	if framing == codec.Events {
		if values, ok := ofData(items, codec.DecodeJSON); ok {
			ways = append(ways, values)
		}
		texts, _ := ofData(items, func(data []byte) (any, error) { return string(data), nil })
		ways = append(ways, texts)
	}
	each := func(values []any) reading {
		return reading{Reading: codec.Reading{Value: values, Found: true}, each: true}
	}
	for _, values := range ways {
		if !slices.ContainsFunc(values, func(v any) bool { return !fits(v) }) {
			return each(values)
		}
	}
	return each(ways[min(1, len(ways)-1)])
}

// ofData reads the data of each event.
func ofData(events []any, read func(data []byte) (any, error)) ([]any, bool) {
	values := make([]any, len(events))
	for i, e := range events {
		event, _ := e.(map[string]any)
		data, _ := event["data"].(string)
		v, err := read([]byte(data))
		if err != nil {
			return nil, false
		}
		values[i] = v
	}
	return values, true
}

// reading is what was read of a body.
type reading struct {
	codec.Reading
	each bool // Value is a list, and the schema is of each of its items
}

// eachOf calls f for the values that a schema of the body speaks of.
func (r reading) eachOf(f func(v any)) {
	items, isList := r.Value.([]any)
	if !r.each || !isList {
		f(r.Value)
		return
	}
	for _, v := range items {
		f(v)
	}
}

// judgeItems judges the items of a sequence, each by itself. Of each clause the first violation
// is told: what is wrong in one item is wrong in most, and how many of them come depends on the
// clock. Where nothing says for sure that the schema is of the items, they break nothing.
func (m *Media) judgeItems(n *Node, got reading) []Violation {
	var broken []Violation
	seen := map[*Clause]bool{}
	items, _ := got.Value.([]any)
	for i, v := range items {
		for _, b := range n.Check(v, fmt.Sprintf("item %d", i+1)) {
			if got.each {
				b.Leave = leaveSequence
			}
			if !seen[b.Clause] {
				seen[b.Clause] = true
				broken = append(broken, b)
			}
		}
	}
	return broken
}

// buildOrdered makes the clauses about the parts of a multipart body that are told apart by their position (OpenAPI 3.2.0,
// Encoding Object, Encoding By Position).
func (op *Operation) buildOrdered(m *Media, name, pointer string) {
	if m.framing != codec.Parts || m.Form != codec.Sequence {
		return
	}
	build := func(encoding any, field, path, subject string) Part {
		said, _ := encoding.(map[string]any)
		text, _ := said["contentType"].(string)
		if text == "" {
			return Part{}
		}
		c := op.clause(name+"/"+path+"/content-type", subject+" is "+text, at(m.Spec.Origin, pointer, field))
		c.Side = m.side
		return Part{ContentTypes: mediatype.List(text), Clause: c}
	}
	prefix, _ := m.Spec.Extensions[document.PrefixEncoding].([]any)
	for i, encoding := range prefix {
		m.ordered = append(m.ordered, build(encoding, "prefixEncoding", fmt.Sprintf("prefixEncoding/%d", i), fmt.Sprintf("part %d", i+1)))
	}
	m.rest = build(m.Spec.Extensions[document.ItemEncoding], "itemEncoding", "itemEncoding", "each further part")
}

// readTexts reads the parts that are texts, and no value of their schema may be one, as what the text stands for.
func (m *Media) readTexts(items []any) {
	if m.framing != codec.Parts {
		return
	}
	for i, v := range items {
		text, isText := v.(string)
		node := m.Node.Element(i)
		if !isText || node == nil || node.Allows("string") {
			continue
		}
		if got := codec.ReadText(node, []byte(text)); got.Found && got.Bad == nil {
			items[i] = got.Value
		}
	}
}

// position returns what is said of a part by its position.
func (m *Media) position(i int) Part {
	if i < len(m.ordered) {
		return m.ordered[i]
	}
	return m.rest
}

// partTypeOf is the media type that a part is sent with: the one that is documented, else the usual one of what it is
// (OpenAPI 3.2.0, Encoding Object, contentType).
func (m *Media) partTypeOf(i int, v any) string {
	if types := m.position(i).ContentTypes; len(types) > 0 {
		return codec.Concrete(types[0])
	}
	switch v.(type) {
	case []any, map[string]any:
		return "application/json"
	}
	if node := m.Node.Element(i); codec.IsBytes(node) {
		return octetStream
	}
	return "text/plain"
}

// checkPartTypes returns the clauses about the media types of parts that a body breaks, each once.
func (m *Media) checkPartTypes(label string, body []byte) []Violation {
	if len(m.ordered) == 0 && m.rest.Clause == nil {
		return nil
	}
	var broken []Violation
	seen := map[*Clause]bool{}
	for i, kind := range codec.PartTypes(label, body) {
		p := m.position(i)
		if p.Clause == nil || seen[p.Clause] {
			continue
		}
		// A part without a Content-Type is text (RFC 2046 §5.1).
		if _, err := mediatype.Select(p.ContentTypes, cmp.Or(kind, "text/plain")); err != nil {
			seen[p.Clause] = true
			broken = append(broken, Violation{Clause: p.Clause, Message: fmt.Sprintf("part %d: %s", i+1, err)})
		}
	}
	return broken
}
