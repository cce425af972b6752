package value

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Maker makes values. Its zero value knows no value that exists on the target.
// It is not safe for concurrent use.
type Maker struct {
	// Known holds values that exist on the target, by the name of the parameter
	// or property that they are for.
	Known map[string][]string

	made map[*contract.Node]made
}

// made is what has been found out of a node before.
type made struct {
	good Good
	err  error
}

// Good is a value that keeps every clause of its schema.
type Good struct {
	V any
	// Unknown lists the nodes for which a value was made up that may not exist
	// on the target: a valid request that carries one may still be refused.
	Unknown []string
}

// Absent stands for a property or parameter that is left out.
type Absent struct{}

const maxDepth = 24

// Good makes a value for a node: of known values where there are any, else of
// the document's examples, else made up. The error says why none could be made.
func (m *Maker) Good(n *contract.Node) (Good, error) { return m.good(n, 0) }

func (m *Maker) good(n *contract.Node, depth int) (Good, error) {
	if n.Shared != nil {
		n = n.Shared
	}
	if before, ok := m.made[n]; ok {
		return before.good, before.err
	}
	g, err := m.search(n, depth)
	if m.made == nil {
		m.made = map[*contract.Node]made{}
	}
	m.made[n] = made{g, err}
	return g, err
}

func (m *Maker) search(n *contract.Node, depth int) (Good, error) {
	if n.Recursive || depth > maxDepth {
		return Good{}, fmt.Errorf("%s: the schema refers to itself without an end", n.Subject)
	}
	var last error
	for _, way := range []func(*contract.Node, int) (Good, error){m.known, m.example, m.composed, m.madeUp} {
		g, err := way(n, depth)
		if err == nil && g.V != (Absent{}) {
			if err = n.Validates(plain(g.V)); err == nil {
				return g, nil
			}
			err = fmt.Errorf("%s: no value found that keeps the schema", n.Subject)
		}
		if err != nil {
			last = err
		}
	}
	if last == nil {
		last = fmt.Errorf("%s: no value found that keeps the schema", n.Subject)
	}
	return Good{}, last
}

// known takes a value that exists on the target. A list takes all of them.
func (m *Maker) known(n *contract.Node, _ int) (Good, error) {
	for _, v := range m.KnownFor(n) {
		if n.Validates(plain(v)) == nil {
			return Good{V: v}, nil
		}
	}
	pool := m.Known[n.Name]
	if len(pool) == 0 || n.Items == nil {
		return Good{V: Absent{}}, nil
	}
	var items []any
	for _, v := range m.KnownFor(n.Items) {
		if n.Schema.MaxItems != nil && uint64(len(items)) == *n.Schema.MaxItems {
			break
		}
		items = append(items, v)
	}
	if len(items) == 0 {
		return Good{V: Absent{}}, nil
	}
	return Good{V: items}, nil
}

// KnownFor returns the values that exist on the target for a scalar node, as
// JSON values of its type, in the order they were given.
func (m *Maker) KnownFor(n *contract.Node) []any {
	if n.Items != nil || len(n.Props) > 0 {
		return nil
	}
	var values []any
	for _, text := range m.Known[n.Name] {
		switch {
		case n.Allows("string"):
			values = append(values, text)
		case n.Allows("boolean") && (text == "true" || text == "false"):
			values = append(values, text == "true")
		case n.Allows("integer"):
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				values = append(values, json.Number(text))
			}
		}
	}
	return values
}

// example takes what the document itself gives.
func (m *Maker) example(n *contract.Node, _ int) (Good, error) {
	s := n.Schema
	candidates := make([]any, 0, 4)
	for _, v := range append([]any{s.Example, s.Default, s.Const}, s.Examples...) {
		if v != nil {
			candidates = append(candidates, v)
		}
	}
	if len(s.Enum) > 0 {
		candidates = append(candidates, s.Enum...)
	}
	for _, v := range candidates {
		if n.Validates(plain(v)) == nil {
			return Good{V: v}, nil
		}
	}
	return Good{V: Absent{}}, nil
}

// composed makes a value through allOf, oneOf or anyOf: the parts of allOf
// together, and the first branch that works.
func (m *Maker) composed(n *contract.Node, depth int) (Good, error) {
	for _, group := range [][]*contract.Node{n.OneOf, n.AnyOf} {
		for _, branch := range group {
			g, err := m.good(branch, depth+1)
			if err != nil {
				continue
			}
			if len(n.Props)+len(n.AllOf) > 0 {
				if own, err := m.object(n, depth); err == nil {
					g = merge(own, g)
				}
			}
			if n.Validates(plain(g.V)) == nil {
				return g, nil
			}
		}
	}
	if len(n.AllOf) == 0 {
		return Good{V: Absent{}}, nil
	}
	whole := together(n)
	for _, way := range []func(*contract.Node, int) (Good, error){m.example, m.madeUp} {
		if g, err := way(whole, depth); err == nil && g.V != (Absent{}) && n.Validates(plain(g.V)) == nil {
			return g, nil
		}
	}
	all := Good{V: Absent{}}
	for _, part := range n.AllOf {
		g, err := m.good(part, depth+1)
		if err != nil {
			return Good{}, err
		}
		all = merge(all, g)
	}
	if len(n.Props) > 0 {
		own, err := m.object(n, depth)
		if err != nil {
			return Good{}, err
		}
		all = merge(all, own)
	}
	return all, nil
}

// together returns a node that asks for all that n and the parts of its allOf
// ask for, as far as values are made by it: the narrowest bounds, the union of
// the properties.
func together(n *contract.Node) *contract.Node {
	all, s := *n, *n.Schema
	all.Schema, all.AllOf = &s, nil
	all.Required = maps.Clone(n.Required)
	s.AllOf = nil
	for _, part := range n.AllOf {
		if part.Shared != nil {
			part = part.Shared
		}
		if len(part.AllOf) > 0 {
			part = together(part)
		}
		p := part.Schema
		s.Type, s.Items = cmp.Or(s.Type, p.Type), cmp.Or(s.Items, p.Items)
		s.Pattern, s.Format = cmp.Or(s.Pattern, p.Pattern), cmp.Or(s.Format, p.Format)
		s.MinLength, s.MinItems, s.MinProps = max(s.MinLength, p.MinLength), max(s.MinItems, p.MinItems), max(s.MinProps, p.MinProps)
		s.MaxLength, s.MaxItems, s.MaxProps = least(s.MaxLength, p.MaxLength), least(s.MaxItems, p.MaxItems), least(s.MaxProps, p.MaxProps)
		s.Max, s.MultipleOf = least(s.Max, p.Max), cmp.Or(s.MultipleOf, p.MultipleOf)
		if s.Min == nil || p.Min != nil && *p.Min > *s.Min {
			s.Min = p.Min
		}
		s.ExclusiveMin, s.ExclusiveMax = either(s.ExclusiveMin, p.ExclusiveMin), either(s.ExclusiveMax, p.ExclusiveMax)
		s.UniqueItems = s.UniqueItems || p.UniqueItems
		if len(s.Enum) == 0 {
			s.Enum = p.Enum
		}
		if s.Example == nil {
			s.Example = p.Example
		}
		if s.Default == nil {
			s.Default = p.Default
		}
		all.Props = slices.Concat(all.Props, part.Props)
		all.Items, all.Additional = cmp.Or(all.Items, part.Items), cmp.Or(all.Additional, part.Additional)
		all.OneOf, all.AnyOf = slices.Concat(all.OneOf, part.OneOf), slices.Concat(all.AnyOf, part.AnyOf)
		maps.Copy(all.Required, part.Required)
	}
	return &all
}

func least[T cmp.Ordered](a, b *T) *T {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func either(a, b openapi3.ExclusiveBound) openapi3.ExclusiveBound {
	if a.IsSet() {
		return a
	}
	return b
}

// merge lays the members of b over those of a; where they are no objects, b
// stands.
func merge(a, b Good) Good {
	ma, okA := a.V.(map[string]any)
	mb, okB := b.V.(map[string]any)
	if !okA || !okB {
		return b
	}
	both := maps.Clone(ma)
	maps.Copy(both, mb)
	return Good{V: both, Unknown: append(slices.Clone(a.Unknown), b.Unknown...)}
}

func (m *Maker) madeUp(n *contract.Node, depth int) (Good, error) {
	s := n.Schema
	for _, typ := range kinds(n) {
		switch typ {
		case "boolean":
			return Good{V: true}, nil
		case "string":
			text, err := String(n)
			if err != nil {
				return Good{}, err
			}
			return Good{V: text, Unknown: []string{n.Path}}, nil
		case "integer", "number":
			return Good{V: number(n), Unknown: []string{n.Path}}, nil
		case "array":
			return m.array(n, depth)
		case "object":
			return m.object(n, depth)
		case "null":
			return Good{V: nil}, nil
		}
	}
	if s.Type == nil {
		return Good{V: map[string]any{}}, nil
	}
	return Good{}, fmt.Errorf("%s: type %v is not known", n.Subject, s.Type.Slice())
}

// kinds returns the types to try: those documented, else those that the other
// keywords are about.
func kinds(n *contract.Node) []string {
	s := n.Schema
	if types := n.Types(); len(types) > 0 {
		return types
	}
	switch {
	case len(s.Properties) > 0 || len(s.Required) > 0 || s.MinProps > 0:
		return []string{"object"}
	case s.Items != nil || s.MinItems > 0:
		return []string{"array"}
	case s.MinLength > 0 || s.MaxLength != nil || s.Pattern != "" || s.Format != "":
		return []string{"string"}
	case s.Min != nil || s.Max != nil || s.MultipleOf != nil:
		return []string{"number"}
	}
	return nil
}

func (m *Maker) array(n *contract.Node, depth int) (Good, error) {
	count := max(1, int(min(n.Schema.MinItems, maxCount)))
	if n.Schema.MaxItems != nil && *n.Schema.MaxItems == 0 {
		count = 0
	}
	if n.Items == nil {
		items := make([]any, count)
		for i := range items {
			items[i] = json.Number(strconv.Itoa(i))
		}
		return Good{V: items}, nil
	}
	g, err := m.good(n.Items, depth+1)
	if err != nil {
		if n.Schema.MinItems == 0 {
			return Good{V: []any{}}, nil
		}
		return Good{}, err
	}
	items := make([]any, count)
	for i := range items {
		items[i] = g.V
		if i > 0 && n.Schema.UniqueItems {
			items[i] = Distinct(n.Items, g.V, i)
		}
	}
	return Good{V: items, Unknown: g.Unknown}, nil
}

// object makes the required properties, and of the others those whose values
// are known.
func (m *Maker) object(n *contract.Node, depth int) (Good, error) {
	members := map[string]any{}
	var unknown []string
	for _, p := range n.Props {
		if p.Schema.ReadOnly {
			continue // a request does not carry it (OpenAPI 3.0.3, Schema Object, readOnly)
		}
		g, err := m.good(p, depth+1)
		switch {
		case n.Required[p.PropName] && err != nil:
			return Good{}, err
		case n.Required[p.PropName], err == nil && len(g.Unknown) == 0 && !empty(g.V):
			members[p.PropName] = g.V
			unknown = append(unknown, g.Unknown...)
		}
	}
	for name := range n.Required {
		if _, ok := members[name]; !ok && n.Prop(name) == nil {
			members[name] = "a"
			unknown = append(unknown, n.Path)
		}
	}
	for i := 0; uint64(len(members)) < n.Schema.MinProps && i < maxCount; i++ {
		members[fmt.Sprintf("extra%d", i+1)] = m.extra(n, depth)
	}
	slices.Sort(unknown)
	return Good{V: members, Unknown: unknown}, nil
}

// extra makes the value of a property that the schema does not name.
func (m *Maker) extra(n *contract.Node, depth int) any {
	if n.Additional != nil {
		if g, err := m.good(n.Additional, depth+1); err == nil {
			return g.V
		}
	}
	return "a"
}

// empty reports whether a value says nothing, so that an optional property
// that has it need not be there.
func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// number makes a number within the bounds of the schema.
func number(n *contract.Node) json.Number {
	lo, hi, step := bounds(n)
	v := 1.0
	if v < lo || v > hi {
		v = lo
		if math.IsInf(lo, -1) {
			v = hi
		}
	}
	if step > 0 {
		v = math.Ceil(v/step) * step
		if v > hi {
			v = math.Floor(hi/step) * step
		}
	}
	return Number(v)
}

// bounds returns the least and the greatest value and the step that the
// schema allows, infinite and 0 where it does not say. Exclusive bounds of
// integers are moved by one, those of numbers by a little.
func bounds(n *contract.Node) (lo, hi, step float64) {
	s := n.Schema
	lo, hi = math.Inf(-1), math.Inf(1)
	if s.Min != nil {
		lo = *s.Min
	}
	if s.Max != nil {
		hi = *s.Max
	}
	little := 1.0
	if s.MultipleOf != nil {
		little = *s.MultipleOf
	} else if !s.Type.Is("integer") {
		little = 0.5
	}
	if s.ExclusiveMin.IsTrue() {
		lo += little
	}
	if s.ExclusiveMax.IsTrue() {
		hi -= little
	}
	if v := s.ExclusiveMin.Value; v != nil {
		lo = max(lo, *v+little)
	}
	if v := s.ExclusiveMax.Value; v != nil {
		hi = min(hi, *v-little)
	}
	if s.MultipleOf != nil {
		step = *s.MultipleOf
	}
	return lo, hi, step
}

// Number writes a number without an exponent where it has no fraction.
func Number(v float64) json.Number {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return json.Number(strconv.FormatInt(int64(v), 10))
	}
	return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
}

// Distinct returns a value like v that differs from it: the i-th of a row.
func Distinct(n *contract.Node, v any, i int) any {
	switch v := v.(type) {
	case string:
		c := v + strconv.Itoa(i)
		if n.Validates(c) == nil {
			return c
		}
		if r := []rune(v); len(r) > 0 {
			suffix := strconv.Itoa(i)
			if c := string(r[:max(0, len(r)-len(suffix))]) + suffix; n.Validates(c) == nil {
				return c
			}
		}
	case json.Number:
		if f, err := v.Float64(); err == nil {
			step := 1.0
			if n.Schema.MultipleOf != nil {
				step = *n.Schema.MultipleOf
			}
			return Number(f + float64(i)*step)
		}
	case float64:
		return v + float64(i)
	}
	if i < len(n.Schema.Enum) {
		return n.Schema.Enum[i]
	}
	return v
}

// plain returns a value as a JSON decoder would: raw JSON decoded.
func plain(v any) any {
	switch v := v.(type) {
	case json.RawMessage:
		var out any
		dec := json.NewDecoder(strings.NewReader(string(v)))
		dec.UseNumber()
		if dec.Decode(&out) != nil {
			return nil
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	}
	return v
}
