package schema

import (
	"maps"
	"slices"
	"strconv"
)

// Children returns the nodes of the schemas inside a node's schema, in the order of the
// document.
func (n *Node) Children() []*Node { return n.children }

// Walk calls f for n and every node below it, parents first.
func (n *Node) Walk(f func(*Node)) {
	if n == nil {
		return
	}
	f(n)
	for _, c := range n.children {
		c.Walk(f)
	}
}

// About tells which part of the value of its parent a node is about.
func (n *Node) About() About { return n.via.about }

// InPlace returns the nodes of schemas that are about the same value as n and say
// something of it wherever they apply.
func (n *Node) InPlace() Nodes {
	var all Nodes
	for _, c := range n.children {
		if c.via.about == Itself && c.via.force != Indirect {
			all = append(all, c)
		}
	}
	return all
}

// Listed returns the values that the schema, or a part of it that is about the same value, names
// in an enumeration; none where there is none.
func (n *Node) Listed() []any {
	all := slices.Clone(n.Schema.Enum)
	for _, part := range n.InPlace() {
		all = append(all, part.Listed()...)
	}
	return all
}

// AppliesTo reports whether a schema about the same value as its parent holds of a
// value: a branch if it is valid against it, the others if their condition holds.
func (n *Node) AppliesTo(v any) bool {
	up := n.Parent
	switch {
	case n.via.force == Always:
		return true
	case n.via.force == Branch:
		return n.Validates(v) == nil
	case n == up.Then:
		return up.If.Validates(v) == nil
	case n == up.Else:
		return up.If.Validates(v) != nil
	}
	members, _ := v.(map[string]any)
	_, there := members[n.Key]
	return there
}

// Visit walks through a value and the schemas that hold of it, together. It calls f for
// each schema that applies to the value or to one inside it, with the way to that one; where
// f returns false, the schema is not looked into. Nor is one that is shared: its clauses are
// those of another message.
func (n *Node) Visit(v any, f func(n *Node, v any, path []string) bool) {
	Nodes{n}.visit(v, nil, f, func(*Node) bool { return true })
}

// visit does not look into a part of the value where no schema is one that matters.
func (ns Nodes) visit(v any, path []string, f func(*Node, any, []string) bool, matters func(*Node) bool) {
	var a Alternative
	for _, n := range ns {
		a.apply(n, v, path, f)
	}
	below := func(nodes Nodes, v any, step string) {
		if slices.ContainsFunc(nodes, matters) {
			nodes.visit(v, append(path[:len(path):len(path)], step), f, matters)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			below(a.Member(name), v[name], name)
		}
	case []any:
		for i, item := range v {
			below(a.Item(i), item, strconv.Itoa(i))
		}
	}
}

// apply adds a schema, and those that it is composed of and that apply to the value.
func (a *Alternative) apply(n *Node, v any, path []string, f func(*Node, any, []string) bool) {
	whole := n.unrolled()
	if slices.Contains(a.Nodes, whole) || !f(n, v, path) {
		return
	}
	a.Nodes = append(a.Nodes, whole)
	for _, c := range whole.InPlace() {
		if c.AppliesTo(v) {
			a.apply(c, v, path, f)
		}
	}
}

// Of returns the schemas that hold of a value that is there.
func (ns Nodes) Of(v any) Alternative {
	var a Alternative
	for _, n := range ns {
		a.apply(n.Whole(), v, nil, func(*Node, any, []string) bool { return true })
	}
	return a
}

// Via returns the keyword by which a node hangs on its parent.
func (n *Node) Via() string { return n.via.keyword }

// Force tells when the part of a value that a node is about has to be valid against it.
func (n *Node) Force() Force { return n.via.force }

// Patterned reports whether a node is about the members whose names match its Key.
func (n *Node) Patterned() bool { return n.via.about == Member && !n.via.named && n.Key != "" }

// FirstItem returns the index of the first item of a list that a node is about, be it behind the last
// one, and whether it is about all that follow too.
func (n *Node) FirstItem(list []any) (index int, further bool) {
	up := n.Parent
	if i := slices.Index(up.PrefixItems, n); i >= 0 {
		return i, false
	}
	if index = len(up.PrefixItems); n != up.UnevaluatedItems {
		return index, true
	}
	all := Nodes{up}.inPlace()
	for _, same := range all {
		index = max(index, len(same.PrefixItems))
	}
	for index < len(list) && slices.ContainsFunc(all, func(same *Node) bool { return same.Contains != nil && same.Contains.Validates(list[index]) == nil }) {
		index++
	}
	return index, true
}

// inPlace returns the nodes and all that may say something of the same value.
func (ns Nodes) inPlace() Nodes {
	all := slices.Clone(ns)
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].InPlace()...)
	}
	return all
}

// InList reports whether a node is about an item of a list, or about something inside one.
func (n *Node) InList() bool {
	for ; n.Parent != nil; n = n.Parent {
		if n.via.about == Item {
			return true
		}
	}
	return false
}

// EachItem reports whether a node is about all items, or all from some index on.
func (n *Node) EachItem() bool {
	if n.Parent == nil || n.via.about != Item || n.via.force != Always {
		return false
	}
	_, further := n.FirstItem(nil)
	return further
}

// Element returns the schema that the i-th item is held against, or nil.
func (n *Node) Element(i int) *Node {
	if nodes := (Alternative{Nodes: Nodes{n}}).Item(i); len(nodes) > 0 {
		return nodes[0]
	}
	return nil
}

// Properties returns the nodes of the members that the schema describes by their names, in
// order.
func (n *Node) Properties() Nodes { return n.Props }

// Branches returns the schemas of oneOf, then those of anyOf.
func (n *Node) Branches() Nodes { return slices.Concat(n.OneOf, n.AnyOf) }

// Beside returns the other branches that a value may be valid against as well: those of the
// same anyOf.
func (n *Node) Beside() Nodes {
	if n.Parent == nil || !slices.Contains(n.Parent.AnyOf, n) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(n.Parent.AnyOf), func(other *Node) bool { return other == n })
}

// Conditional reports whether a schema says something of some values only, whatever their
// type.
func (n *Node) Conditional() bool {
	return n.If != nil || len(n.DependentSchemas)+len(n.Schema.DependentRequired) > 0 || n.Contains != nil
}

// SpeaksOf reports whether the schema itself says what members, or what items, have to be.
func (n *Node) SpeaksOf(part About) bool {
	return slices.ContainsFunc(n.children, func(c *Node) bool { return c.via.about == part && c.via.force == Always })
}
