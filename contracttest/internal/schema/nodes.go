package schema

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// Nodes are schemas that hold of one value at once: what several places of a
// document say of it.
type Nodes []*Node

// Keeps reports whether a value is valid against all of them.
func (ns Nodes) Keeps(v any) bool {
	return !slices.ContainsFunc(ns, func(n *Node) bool { return n.Validates(v) != nil })
}

// Alternative is one way in which a value may be valid: of each keyword that leaves
// a choice, one is taken. It is known before there is a value, which is what makes
// reading one possible: with oneOf of a list of integers and a list of strings, "1,2" is
// read both ways, and the validator says which is meant.
type Alternative struct {
	Nodes     Nodes // without their composition, which is among them
	contained Nodes // what some item has to be
}

// maxAlternatives bounds the combinations of choices that are looked at.
const maxAlternatives = 256

// Alternatives returns the ways in which a value may be valid, in the order of the
// document.
func (ns Nodes) Alternatives() []Alternative {
	var all []Alternative
	expand(ns, Alternative{}, func(a Alternative) bool {
		all = append(all, a)
		return len(all) < maxAlternatives
	})
	return all
}

// expand calls f for each alternative of the nodes beside what was chosen before.
// It returns false when f did.
func expand(todo Nodes, chosen Alternative, f func(Alternative) bool) bool {
	for len(todo) > 0 {
		n := todo[0].Whole()
		todo = todo[1:]
		if slices.Contains(chosen.Nodes, n) {
			continue
		}
		chosen.Nodes = append(chosen.Nodes[:len(chosen.Nodes):len(chosen.Nodes)], n)
		todo = slices.Concat(todo, n.AllOf)
		if choices := n.choices(); len(choices) > 0 {
			return choose(choices, todo, chosen, f)
		}
	}
	return f(chosen)
}

func choose(choices [][]Alternative, todo Nodes, chosen Alternative, f func(Alternative) bool) bool {
	if len(choices) == 0 {
		return expand(todo, chosen, f)
	}
	for _, c := range choices[0] {
		with := chosen
		with.contained = slices.Concat(chosen.contained, c.contained)
		if !choose(choices[1:], slices.Concat(todo, c.Nodes), with, f) {
			return false
		}
	}
	return true
}

// choices returns, for each keyword of a node that leaves a choice, what may be
// chosen.
func (n *Node) choices() [][]Alternative {
	var all [][]Alternative
	for _, branches := range []Nodes{n.OneOf, n.AnyOf} {
		var list []Alternative
		for _, b := range branches {
			list = append(list, Alternative{Nodes: Nodes{b}})
		}
		if len(list) > 0 {
			all = append(all, list)
		}
	}
	if len(n.AnyOf) > 1 { // a value may be valid against several
		all[len(all)-1] = append(all[len(all)-1], Alternative{Nodes: n.AnyOf})
	}
	if n.If != nil && (n.Then != nil || n.Else != nil) {
		all = append(all, []Alternative{{Nodes: present(n.If, n.Then)}, {Nodes: present(n.Else)}})
	}
	for _, d := range n.DependentSchemas {
		all = append(all, []Alternative{{Nodes: Nodes{d}}, {}}) // of two readings that are wrong the one that says more
	}
	if n.Contains != nil {
		all = append(all, []Alternative{{}, {contained: Nodes{n.Contains}}})
	}
	return all
}

func present(nodes ...*Node) Nodes {
	return slices.DeleteFunc(nodes, func(n *Node) bool { return n == nil })
}

// Types returns the JSON types that all of the chosen schemas allow.
func (a Alternative) Types() []string {
	types := AllTypes
	for _, n := range a.Nodes {
		types = slices.DeleteFunc(slices.Clone(types), func(typ string) bool { return !n.Allows(typ) })
	}
	return types
}

// Shape is how a value is made of texts.
type Shape int

// The shapes, the most composed first.
const (
	Array Shape = iota
	Object
	Scalar
)

// Shapes lists what a text may be taken apart into, the most composed first.
func (a Alternative) Shapes() []Shape {
	types := a.Types()
	if len(types) == len(AllTypes) { // no schema says
		switch {
		case len(a.Names()) > 0:
			return []Shape{Object}
		case slices.ContainsFunc(a.Nodes, func(n *Node) bool { return n.Items != nil || len(n.PrefixItems) > 0 || n.Contains != nil }):
			return []Shape{Array}
		}
		return []Shape{Scalar}
	}
	var all []Shape
	for _, shape := range []Shape{Array, Object, Scalar} {
		if slices.ContainsFunc(types, func(typ string) bool { return shapeOf(typ) == shape }) {
			all = append(all, shape)
		}
	}
	if len(all) == 0 {
		return []Shape{Scalar}
	}
	return all
}

func shapeOf(typ string) Shape {
	switch typ {
	case "array":
		return Array
	case "object":
		return Object
	}
	return Scalar
}

// Names lists the members that the schemas name, in order: as properties, as
// required, or as those that something depends on.
func (a Alternative) Names() []string {
	names := map[string]bool{}
	for _, n := range a.Nodes {
		for _, p := range n.Props {
			names[p.PropName] = true
		}
		for name := range n.Required {
			names[name] = true
		}
		for _, name := range n.dependents() {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// dependents are the members that dependentSchemas and dependentRequired name.
func (n *Node) dependents() []string {
	var names []string
	for _, d := range n.DependentSchemas {
		names = append(names, d.Key)
	}
	for name, needed := range n.Schema.DependentRequired {
		names = append(append(names, name), needed...)
	}
	return names
}

// Speaks reports whether a schema says by its name, or by a pattern of names, what a
// member is.
func (a Alternative) Speaks(name string) bool {
	return slices.ContainsFunc(a.Nodes, func(n *Node) bool {
		return n.Required[name] || len(n.named(name)) > 0 || slices.Contains(n.dependents(), name)
	})
}

// Open reports whether a schema says that an object may have members that it does not
// name.
func (a Alternative) Open() bool {
	says := func(b openapi3.BoolSchema) bool { return b.Schema != nil || b.Has != nil && *b.Has }
	return slices.ContainsFunc(a.Nodes, func(n *Node) bool {
		return says(n.Schema.AdditionalProperties) || says(n.Schema.UnevaluatedProperties)
	})
}

// Member returns the schemas that a member is held against.
func (a Alternative) Member(name string) Nodes {
	var all, rest Nodes
	for _, n := range a.Nodes {
		all = append(all, n.members(name)...)
		rest = append(rest, present(n.UnevaluatedProps)...)
	}
	if len(all) == 0 {
		return rest
	}
	return all
}

// Item returns the schemas that the i-th item is held against.
func (a Alternative) Item(i int) Nodes {
	if all := a.evaluated(i); len(all) > 0 {
		return all
	}
	var rest Nodes
	for _, n := range a.Nodes {
		rest = append(rest, present(n.UnevaluatedItems)...)
	}
	return rest
}

// evaluated returns those of them that unevaluatedItems leaves the item to.
func (a Alternative) evaluated(i int) Nodes {
	var all Nodes
	for _, n := range a.Nodes {
		switch {
		case i < len(n.PrefixItems):
			all = append(all, n.PrefixItems[i])
		case n.Items != nil:
			all = append(all, n.Items)
		}
	}
	return all
}

// Containing returns what has to hold of the i-th item if it is one that the list has to contain, as
// contains says, which may be one of the chosen schemas'; none where nothing says so. Of such an
// item unevaluatedItems says nothing (JSON Schema Core 2020-12 §11.2).
func (a Alternative) Containing(i int, contains ...*Node) Nodes {
	if len(contains)+len(a.contained) == 0 {
		return nil
	}
	return slices.Concat(a.evaluated(i), contains, a.contained)
}

// OneSided reports whether a member is for the other side of an exchange alone: a request
// should not have what is readOnly, nor a response what is writeOnly.
func (a Alternative) OneSided(name string) bool {
	return slices.ContainsFunc(a.Member(name), func(n *Node) bool { return forOther(n.Schema, n.Side()) })
}

// Allows reports whether an object may have a member, as far as its name goes: a schema
// that allows no other members than those it speaks of has to speak of it.
func (a Alternative) Allows(name string) bool {
	return !slices.ContainsFunc(a.Nodes, func(n *Node) bool {
		closed := n.Schema.AdditionalProperties.Has
		return closed != nil && !*closed && len(n.named(name)) == 0
	})
}

// members returns the schemas by which a schema itself speaks of a member: those of
// its name and of the patterns that match it, else that of all others.
func (n *Node) members(name string) Nodes {
	if all := n.named(name); len(all) > 0 {
		return all
	}
	return present(n.Additional)
}

func (n *Node) named(name string) Nodes {
	var all Nodes
	for _, p := range n.Props {
		if p.PropName == name {
			all = append(all, p)
		}
	}
	return append(all, n.patterned(name)...)
}

func (n *Node) patterned(name string) Nodes {
	var all Nodes
	for _, p := range n.PatternProps {
		if matches(p.Key, name) {
			all = append(all, p)
		}
	}
	return all
}

// matches reports whether a pattern of names matches one. A pattern that cannot be read
// matches all.
func matches(expr, name string) bool {
	re, err := leniently(expr)
	return err == nil && re.MatchString(name)
}

// Types returns the JSON types that a value may have, in any of its alternatives.
func (ns Nodes) Types() []string {
	allowed := map[string]bool{}
	for _, a := range ns.Alternatives() {
		for _, typ := range a.Types() {
			allowed[typ] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(AllTypes), func(typ string) bool { return !allowed[typ] })
}

// Shapes returns the shapes that a value may have, in any of its alternatives, the most
// composed first.
func (ns Nodes) Shapes() []Shape {
	var all []Shape
	for _, a := range ns.Alternatives() {
		all = append(all, a.Shapes()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Member returns the schemas by which some alternative speaks of a member.
func (ns Nodes) Member(name string) Nodes {
	return ns.any(func(a Alternative) Nodes { return a.Member(name) })
}

// Item returns the schemas by which some alternative speaks of an item.
func (ns Nodes) Item(i int) Nodes {
	return ns.any(func(a Alternative) Nodes { return a.Item(i) })
}

// any returns what some alternative has, each once.
func (ns Nodes) any(of func(Alternative) Nodes) Nodes {
	var all Nodes
	for _, a := range ns.Alternatives() {
		for _, n := range of(a) {
			if !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}
