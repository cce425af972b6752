package amend

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Shape is what values have in common: the smallest schema that all of them keep, but for bounds
// and formats. It does not depend on their order. The zero value is the shape of none.
type Shape struct {
	types   map[string]bool
	props   map[string]*Shape
	objects int            // that were seen
	has     map[string]int // how many of them have a property
	open    *Shape         // of all members, where there are too many names to list them
	items   *Shape

	scalars map[string]bool // as JSON; nil where there are too many
	many    bool
	deep    bool // what is below is not looked at
}

// Bounds of what a shape remembers.
const (
	maxNames   = 64 // of an object; beyond it, they are taken for keys of a map
	maxDepth   = 12
	maxScalars = 16
	maxScalar  = 64 // bytes
)

// Add takes in a value, in which numbers are json.Number, and says by how many shapes that of
// the whole has grown.
func (s *Shape) Add(v any) int {
	grown := 0
	s.add(v, 0, &grown)
	return grown
}

func (s *Shape) add(v any, depth int, grown *int) {
	if s.types == nil {
		s.types = map[string]bool{}
	}
	s.types[typeOf(v)] = true
	if depth >= maxDepth {
		s.deep = true
		return
	}
	switch v := v.(type) {
	case map[string]any:
		s.objects++
		for name, member := range v {
			before := len(s.props)
			of := s.member(name, 1)
			*grown += max(0, len(s.props)-before)
			of.add(member, depth+1, grown)
		}
	case []any:
		if s.items == nil {
			s.items = &Shape{}
		}
		for _, item := range v {
			s.items.add(item, depth+1, grown)
		}
	default:
		text, err := json.Marshal(v)
		s.note(string(text), err != nil)
	}
}

// member is the shape of a property that n more objects have.
func (s *Shape) member(name string, n int) *Shape {
	if s.open != nil {
		return s.open
	}
	if s.props == nil {
		s.props, s.has = map[string]*Shape{}, map[string]int{}
	}
	if s.props[name] == nil {
		if len(s.props) >= maxNames {
			s.close()
			return s.open
		}
		s.props[name] = &Shape{}
	}
	s.has[name] += n
	return s.props[name]
}

// close forgets the names of the members.
func (s *Shape) close() {
	s.open = s.members()
	s.props, s.has = nil, nil
}

// members is the shape of all members.
func (s *Shape) members() *Shape {
	if s.open != nil {
		return s.open
	}
	all := &Shape{}
	for _, name := range slices.Sorted(maps.Keys(s.props)) {
		all.merge(s.props[name])
	}
	return all
}

func (s *Shape) note(scalar string, no bool) {
	switch {
	case s.many:
		return
	case no, len(scalar) > maxScalar, len(s.scalars) >= maxScalars && !s.scalars[scalar]:
		s.many, s.scalars = true, nil
		return
	case s.scalars == nil:
		s.scalars = map[string]bool{}
	}
	s.scalars[scalar] = true
}

// merge takes in what another shape is of.
func (s *Shape) merge(o *Shape) {
	if o == nil || len(o.types) == 0 {
		return
	}
	if s.types == nil {
		s.types = map[string]bool{}
	}
	maps.Copy(s.types, o.types)
	s.deep = s.deep || o.deep
	if o.many {
		s.many, s.scalars = true, nil
	}
	for scalar := range o.scalars {
		s.note(scalar, false)
	}
	s.objects += o.objects
	if o.open != nil && s.open == nil {
		s.close()
	}
	if o.open != nil {
		s.open.merge(o.open)
	}
	for name, p := range o.props {
		s.member(name, o.has[name]).merge(p)
	}
	if o.items != nil {
		if s.items == nil {
			s.items = &Shape{}
		}
		s.items.merge(o.items)
	}
}

// typeOf is the JSON type of a value; a number without a fraction is an integer (JSON Schema
// 2020-12, Core §4.2.3).
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			return "integer"
		}
		if f, err := v.Float64(); err == nil && f == float64(int64(f)) {
			return "integer"
		}
	}
	return "number"
}

// typesOf are the types of the values, in order, those without null apart from it.
func (s *Shape) typesOf() (types []string, null bool) {
	for _, t := range slices.Sorted(maps.Keys(s.types)) {
		switch {
		case t == "null":
			null = true
		case t == "integer" && s.types["number"]:
		default:
			types = append(types, t)
		}
	}
	return types, null
}

// schema is the smallest that all the values keep.
func (s *Shape) schema(v31 bool) *yaml.Node {
	out := mapping()
	if s == nil {
		return out
	}
	types, null := s.typesOf()
	switch {
	case len(types) == 0 && null && v31:
		put(out, "type", text("null"))
	case len(types) == 0 && null:
		put(out, "nullable", plain("true"))
	case len(types) == 1:
		put(out, "type", s.typed(types, null, v31))
		if null && !v31 {
			put(out, "nullable", plain("true"))
		}
		s.describe(out, types[0], v31)
	case len(types) > 1 && v31:
		put(out, "type", s.typed(types, null, v31))
		for _, t := range types {
			s.describe(out, t, v31)
		}
	case len(types) > 1: // OpenAPI 3.0 has one type
		branches := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i, t := range types {
			branch := mapping()
			put(branch, "type", text(t))
			if i == 0 && null {
				put(branch, "nullable", plain("true"))
			}
			s.describe(branch, t, v31)
			branches.Content = append(branches.Content, branch)
		}
		put(out, "anyOf", branches)
	}
	return out
}

// typed is the keyword type.
func (s *Shape) typed(types []string, null, v31 bool) *yaml.Node {
	if null && v31 {
		types = append(slices.Clone(types), "null")
	}
	if len(types) == 1 {
		return text(types[0])
	}
	return list(types)
}

// describe adds what is said of the values of one type.
func (s *Shape) describe(out *yaml.Node, t string, v31 bool) {
	switch t {
	case "array":
		items := mapping()
		if s.items != nil && !s.deep {
			items = s.items.schema(v31)
		}
		put(out, "items", items)
	case "object":
		if s.open != nil {
			put(out, "additionalProperties", s.open.schema(v31))
			return
		}
		var required []string
		props := mapping()
		for _, name := range slices.Sorted(maps.Keys(s.props)) {
			if s.has[name] == s.objects {
				required = append(required, name)
			}
			put(props, name, s.props[name].schema(v31))
		}
		if len(required) > 0 {
			put(out, "required", list(required))
		}
		if len(props.Content) > 0 {
			put(out, "properties", props)
		}
	}
}

// The nodes that actions are made of.

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func plain(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: s}
	switch _, err := strconv.ParseFloat(s, 64); {
	case s == "true" || s == "false":
		n.Tag = "!!bool"
	case s == "null":
		n.Tag = "!!null"
	case err == nil && strings.ContainsAny(s, ".eE"):
		n.Tag = "!!float"
	case err == nil:
		n.Tag = "!!int"
	}
	return n
}

// scalar is one of JSON.
func scalar(s string) *yaml.Node {
	var v string
	if json.Unmarshal([]byte(s), &v) == nil && s != "null" {
		return text(v)
	}
	return plain(s)
}

func list(texts []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, s := range texts {
		n.Content = append(n.Content, text(s))
	}
	return n
}

// put adds a member, or replaces it.
func put(n *yaml.Node, name string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, text(name), value)
}
