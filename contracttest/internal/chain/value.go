package chain

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// Node is the schema of an operation's JSON body; nil where it has none.
func Node(op *contract.Operation) *contract.Node {
	if op == nil || op.Body == nil {
		return nil
	}
	for _, m := range op.Body.Media {
		if m.Form == codec.JSON && m.Node != nil {
			return m.Node
		}
	}
	return nil
}

// prop is the schema of a property in an operation's JSON body; nil where it is not
// described.
func prop(op *contract.Operation, name string) *contract.Node {
	n := Node(op)
	if n == nil {
		return nil
	}
	return n.Prop(name)
}

// isMergePatch reports whether the body of an operation is a merge patch (RFC 7396).
func isMergePatch(op *contract.Operation) bool {
	return op != nil && op.Body != nil && slices.ContainsFunc(op.Body.Media, func(m *contract.Media) bool { return strings.HasPrefix(m.Key, "application/merge-patch+json") })
}

// Other makes another value of a node than one: one that nobody has by chance, where
// there is a choice. Of a list or an object it is one with another item or member.
func Other(n *contract.Node, v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return !v, n.Validates(!v) == nil
	case []any:
		if strings.HasSuffix(world.Plain(n.PropName), "ids") {
			return nil, false // of what there is, perhaps
		}
		return otherList(n, v)
	case map[string]any:
		for _, name := range sortedKeys(v) {
			if m := n.Prop(name); m != nil && !strings.HasSuffix(world.Plain(name), "id") {
				if w, ok := Other(m, v[name]); ok && n.Validates(with(v, name, w)) == nil {
					return with(v, name, w), true
				}
			}
		}
		return nil, false
	}
	for _, e := range n.Listed() {
		if e != nil && !same(normal(e), normal(v)) && n.Validates(e) == nil {
			return e, true
		}
	}
	o, ok := value.Other(n, v)
	if !ok {
		return nil, false
	}
	o = value.Plain(o)
	return o, !same(normal(o), normal(v)) && n.Validates(o) == nil
}

// edge is a value at which what is stored and what was sent often part.
type edge struct {
	label string
	v     any
}

// Of the edges that the engine makes for the clauses of a property, those that are told from
// each other by what is stored; and others that no clause speaks of: what fits in 32 bits and
// not in 16, or in 64 and not in 32, more digits than a float of 32 bits has; a text of no
// characters, of signs that mean something elsewhere, of other letters than ASCII, and one
// longer than the 255 characters that columns often have.
var (
	telling   = []string{"greatest", "least", "null", "longest", "longest-in-four-byte-characters", "fraction"}
	otherwise = []edge{
		{"zero", json.Number("0")}, {"negative", json.Number("-3")}, {"above-16-bits", json.Number("2147483647")}, {"above-32-bits", json.Number("8589934595")},
		{"many-digits", json.Number("0.12345678901")},
		{"empty", ""}, {"quotes", `it's "x" \y`}, {"markup", "<b>a</b> &amp; b"}, {"long", strings.Repeat("long ", 59) + "text"},
	}
	// Of a map, names that are often taken for something else: a path, another letter case.
	memberNames = []struct {
		label string
		names []string
	}{{"several-names", []string{"a", "b", "c"}}, {"name-with-dot", []string{"a.b"}}, {"name-in-capitals", []string{"AbC"}}, {"name-of-other-letters", []string{"größe"}}}
	// Of each format, what is often stored as another: a day that few years have, one before the
	// first of many clocks, a day that is another one in UTC.
	moments = map[string][]string{
		"date":      {"2000-02-29", "1969-12-31", "9999-12-31"},
		"date-time": {"2000-02-29T23:30:00-05:30", "1969-12-31T12:00:00Z"},
	}
	letters = []rune("Zoë Łódź Straße 東京 — 😀 ñ")
)

// edges lists values of a property, of the kind that it has in the valid request.
func edges(n *contract.Node, now any) []edge {
	var all []edge
	add := func(label string, v any) {
		v = normal(value.Plain(v))
		if !slices.ContainsFunc(all, func(e edge) bool { return same(e.v, v) }) && !same(v, normal(now)) && n.Validates(v) == nil {
			all = append(all, edge{label, v})
		}
	}
	switch now := now.(type) {
	case []any:
		add("no-items", []any{})
		if w, ok := otherList(n, now); ok && len(now) > 0 {
			if other, isList := w.([]any); isList && len(other) > 0 {
				add("two-items", []any{other[0], now[0]}) // not in their order
				add("one-item-twice", []any{other[0], other[0]})
			}
		}
		if list, ok := manyItems(n, now); ok {
			add("many-items", list)
		}
	case map[string]any:
		for _, name := range sortedKeys(now) {
			if m := n.Prop(name); m != nil && !isComposed(now[name]) {
				for _, e := range edges(m, now[name]) {
					add(name+"-"+e.label, with(now, name, e.v))
				}
			}
		}
		all = all[:min(len(all), maxChanged)]
		for _, e := range memberNames {
			if m, ok := mapOf(n, e.names); ok {
				add(e.label, m)
			}
		}
	default:
		scalarEdges(n, now, add)
	}
	return all
}

// scalarEdges adds the values of a property that is neither a list nor an object.
func scalarEdges(n *contract.Node, now any, add func(label string, v any)) {
	_, isText := now.(string)
	_, isNumber := now.(json.Number)
	if len(n.Listed()) > 0 || !isText && !isNumber {
		if n.Validates(nil) == nil {
			add("null", nil)
		}
		return
	}
	for _, v := range (&value.Maker{}).Keep(n, value.Good{V: now}, value.InBody) {
		if slices.Contains(telling, v.Label) && v.Leave == "" {
			add(v.Label, v.V)
		}
	}
	for _, text := range moments[n.Schema.Format] {
		add("at-"+text, text)
	}
	for _, e := range otherwise {
		if _, text := e.v.(string); text == isText && (!text || n.Schema.Format == "" && n.Schema.Pattern == "") {
			add(e.label, e.v)
		}
	}
	for length := len(letters); isText && n.Schema.Format == "" && length > 1; length /= 2 {
		if text := string(letters[:length]); n.Validates(text) == nil {
			add("other-letters", text)
			break
		}
	}
}

func otherList(n *contract.Node, list []any) (any, bool) {
	if len(list) > 0 && n.Element(0) != nil {
		if w, ok := Other(n.Element(0), list[0]); ok {
			all := slices.Clone(list)
			if all[0] = w; n.Validates(all) == nil {
				return all, true
			}
		}
	}
	if less := list[:max(len(list)-1, 0)]; len(list) > 0 && n.Validates(less) == nil {
		return less, true
	}
	return nil, false
}

// manyItems makes a list of more items than pages mostly have, as far as the schema allows, each
// another where there is a choice.
func manyItems(n *contract.Node, list []any) (any, bool) {
	const many = 101
	count := many
	if most := n.Schema.MaxItems; most != nil {
		count = int(min(*most, many))
	}
	item := n.Element(0)
	if len(list) == 0 || item == nil || count <= len(list) || isComposed(list[0]) {
		return nil, false
	}
	all := make([]any, count)
	for i := range all {
		all[i] = normal((&value.Maker{}).Distinct(item, list[0], i))
	}
	return all, true
}

// several adds to an object what makes it one of two members at least, as far as its schema
// describes some.
func several(n *contract.Node, now map[string]any) map[string]any {
	all := map[string]any{}
	if more, ok := mapOf(n, []string{"a", "b"}); ok {
		all, _ = more.(map[string]any)
	}
	maps.Copy(all, now)
	for _, m := range n.Members() {
		if _, there := all[m.PropName]; there {
			continue
		}
		if g, err := (&value.Maker{}).Good(m); err == nil && !m.Schema.ReadOnly && len(all) < maxChanged && n.Validates(with(all, m.PropName, value.Plain(g.V))) == nil {
			all[m.PropName] = normal(value.Plain(g.V))
		}
	}
	if n.Validates(all) != nil {
		return nil
	}
	return all
}

// mapOf makes a map with names, of a schema that says what the value of any has to be.
func mapOf(n *contract.Node, names []string) (any, bool) {
	nodes := schema.Alternative{Nodes: schema.Nodes{n}}.Member(names[0])
	if len(nodes) != 1 || nodes[0].PropName != "" {
		return nil, false
	}
	other := nodes[0]
	g, err := (&value.Maker{}).Good(other)
	if err != nil {
		return nil, false
	}
	all := map[string]any{}
	for i, name := range names {
		all[name] = normal(value.Plain((&value.Maker{}).Distinct(other, value.Plain(g.V), i)))
	}
	return all, true
}

// with is an object with another member.
func with(members map[string]any, name string, v any) map[string]any {
	all := maps.Clone(members)
	all[name] = v
	return all
}

func isComposed(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// longAgo are times that no server sets by itself.
var longAgo = []string{"2001-02-03T04:05:06Z", "2001-02-03"}

// unlikely makes another value than one that the server has set: a time soon after that may be
// what it sets next.
func unlikely(n *contract.Node, v any) (any, bool) {
	for _, text := range longAgo {
		if _, isText := v.(string); isText && n.Schema.Format != "" && n.Validates(text) == nil {
			return text, true
		}
	}
	return Other(n, v)
}

// normal is a value as it is decoded from JSON.
func normal(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return v
	}
	return decode(text)
}

// readOnlyOf lists the properties that the server alone sets, as the document has it.
func readOnlyOf(n *contract.Node) []string {
	var all []string
	for _, p := range n.Members() {
		if p.Schema.ReadOnly {
			all = append(all, p.PropName)
		}
	}
	return all
}

// KeyOf is the header by which a target tells a request from one that is sent again;
// empty where the document has none.
func KeyOf(op *contract.Operation) string {
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInHeader && strings.Contains(world.Plain(p.Spec.Name), "idempotency") {
			return p.Spec.Name
		}
	}
	return ""
}
