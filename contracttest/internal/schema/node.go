package schema

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// Node is a schema at one place of a message: the same component used twice is
// two nodes, since a receiver can get each wrong on its own.
type Node struct {
	Schema  *openapi3.Schema
	Path    string // as in clause names, without the operation: body/package_ids/items
	Pointer string // of the schema in the document
	Subject string // what the node is called in messages: package_ids[]
	Name    string // the last name that a person gave to the value: package_ids for its items too

	Parent   *Node
	PropName string // set in a child of Props
	// Key is the pattern of a child of PatternProps, and the property on which a
	// child of DependentSchemas depends.
	Key string
	*Parts

	// Recursive is set where the schema already stands twice above this node:
	// its children are not unrolled again.
	Recursive bool
	// Shared is set where the document unrolls to so many clauses that a schema
	// which was met before is not unrolled again: it is the node of the first
	// time. Of this node there is one clause, then: the first that it has.
	Shared *Node

	Required map[string]bool // nil where nothing is
	Clauses  Clauses

	via   *applicator // by which the node hangs on its parent; nil at the root
	set   *Set
	root  *Root
	value string // what Clause.Value is for the node's clauses
	// ignored is what the document says of the value beside a $ref, where it is ignored.
	ignored document.Ignored
	// heeds is set where the schema, or one inside, says what is no matter of the validator.
	heeds bool
	// quiet is set where what the schema says is no assertion about the value: in
	// not, if, contains and propertyNames. Then the keyword has the only clause.
	quiet bool
}

// Parts are the nodes of the schemas inside a schema. Most schemas have none, and share one: half of
// what a document takes in memory is nodes.
type Parts struct {
	Props      []*Node // in order of their names
	Items      *Node
	Additional *Node
	AllOf      []*Node
	OneOf      []*Node
	AnyOf      []*Node
	Not        *Node

	// Of JSON Schema 2020-12, in documents of OpenAPI 3.1.
	PrefixItems      []*Node
	PatternProps     []*Node // in order of their patterns
	DependentSchemas []*Node // in order of their properties
	PropertyNames    *Node
	Contains         *Node
	If, Then, Else   *Node
	UnevaluatedProps *Node
	UnevaluatedItems *Node

	children []*Node
}

var noParts = &Parts{}

// Clauses are those of a node, in the order of their keywords.
type Clauses []OfKeyword

// OfKeyword is a clause and what it is called in its node: required/NAME and optional/NAME for
// properties.
type OfKeyword struct {
	Key string
	*Clause
}

func (cs Clauses) at(keyword string) (int, bool) {
	return slices.BinarySearchFunc(cs, keyword, func(c OfKeyword, keyword string) int { return strings.Compare(c.Key, keyword) })
}

func (cs *Clauses) put(keyword string, c *Clause) {
	i, there := cs.at(keyword)
	if there {
		(*cs)[i].Clause = c
		return
	}
	*cs = slices.Insert(*cs, i, OfKeyword{keyword, c})
}

// Clause returns the node's clause for a keyword, or nil.
func (n *Node) Clause(keyword string) *Clause {
	if i, there := n.Clauses.at(keyword); there {
		return n.Clauses[i].Clause
	}
	return nil
}

// Side tells whether the node is part of a request or of a response.
func (n *Node) Side() Side { return n.root.Side }

// Whole returns the node that has the children of the schema, where n has
// none: the one further up that n repeats, or the first of the schema.
func (n *Node) Whole() *Node {
	if n.Shared != nil {
		return n.Shared
	}
	if n.Recursive {
		for up := n.Parent; up != nil; up = up.Parent {
			if up.Schema == n.Schema && !up.Recursive {
				return up
			}
		}
	}
	return n
}

// unrolled returns the node of the same message that has the children of the schema.
func (n *Node) unrolled() *Node {
	if n.Shared != nil {
		return n
	}
	return n.Whole()
}

// Prop returns the node of a property, looked for in allOf too, or nil.
func (n *Node) Prop(name string) *Node {
	for _, p := range n.Props {
		if p.PropName == name {
			return p
		}
	}
	for _, a := range n.AllOf {
		if p := a.Prop(name); p != nil {
			return p
		}
	}
	return nil
}

// Requires reports whether an object has to have a property, as the schema or a part of its
// allOf says.
func (n *Node) Requires(name string) bool {
	return n.Required[name] || slices.ContainsFunc(n.AllOf, func(a *Node) bool { return a.Requires(name) })
}

// Members returns the properties that the schema and the parts of its allOf name, each
// once, in the order of their names.
func (n *Node) Members() []*Node {
	all := slices.Clone(n.Props)
	for _, a := range n.AllOf {
		all = append(all, a.Members()...)
	}
	slices.SortStableFunc(all, func(a, b *Node) int { return strings.Compare(a.PropName, b.PropName) })
	return slices.CompactFunc(all, func(a, b *Node) bool { return a.PropName == b.PropName })
}

// Types returns the JSON types that the schema allows; none where it does not
// say. "null" is among them where the schema is nullable.
func (n *Node) Types() []string {
	if n.Schema.Type == nil {
		return nil
	}
	types := slices.Clone(n.Schema.Type.Slice())
	if n.addsNull() && !slices.Contains(types, "null") {
		types = append(types, "null")
	}
	return types
}

// addsNull reports whether the schema takes null beside its types (OpenAPI 3.0).
func (n *Node) addsNull() bool { return n.Schema.Nullable && !n.set.Document.Version31() }

// Allows reports whether the schema's type keyword lets a JSON type pass.
func (n *Node) Allows(typ string) bool {
	types := n.Schema.Type.Slice()
	return len(types) == 0 || slices.Contains(types, typ) || typ == "integer" && slices.Contains(types, "number") || typ == "null" && n.addsNull()
}

// Lost reports whether the schema refers to what is not there: nobody can tell which
// values it takes.
func (n *Node) Lost() bool { return document.LostReference(n.Schema) }

// TakesAll reports whether the schema plainly takes every value of a JSON type:
// it says nothing but, perhaps, which types.
func (n *Node) TakesAll(typ string) bool {
	s := *n.Schema
	s.Type, s.Nullable = nil, false
	return n.Allows(typ) && s.Always == nil && s.IsEmpty() && s.If == nil && len(s.DependentRequired) == 0
}

// maxNodes bounds how far the schemas of one message are unrolled: beyond it,
// those that were met before are shared.
const maxNodes = 2_000

// unrolledKey tells apart who keeps the clauses of a schema: a request is
// planned, a response is not.
type unrolledKey struct {
	schema *openapi3.Schema
	side   Side
}

// Root is where the schema of a message's part stands.
type Root struct {
	Operation string // its ID: clause names begin with it
	Side      Side
	Path      string // as in clause names, without the operation
	Pointer   string // in the document
	Subject   string // what the value is called in messages
	Name      string // the name that a person gave to the value; empty for a body
	// OfItems is set where the schema is of the items of a sequence (itemSchema): the value is the
	// list of them.
	OfItems bool
	// Content is set where a text that holds JSON, as contentMediaType says, is judged by that and
	// by its contentSchema. Of texts in JSON they are annotations.
	Content bool
	// Add takes each clause that the schema has, in order.
	Add func(*Clause)

	// Whether some node says what is no matter of the validator, and whether some node says
	// it of null alone. Most messages have neither, and are not gone through for it.
	hints, nulls bool
}

// Build makes the tree of nodes of a schema. ref may be nil: nothing is said of the
// value then.
func (set *Set) Build(ref *openapi3.SchemaRef, root Root) *Node {
	b := &builder{set: set, root: &root}
	if root.OfItems {
		ref = &openapi3.SchemaRef{Value: &openapi3.Schema{Type: &openapi3.Types{"array"}, Items: ref}}
	}
	return b.build(ref, Node{Path: root.Path, Pointer: root.Pointer, Subject: root.Subject, Name: root.Name})
}

type builder struct {
	set   *Set
	root  *Root
	stack []*openapi3.Schema
	count int
	quiet int // how many of the schemas above are no assertions
}

func (b *builder) build(ref *openapi3.SchemaRef, n Node) *Node {
	node := &n
	n.set, n.root, n.quiet = b.set, b.root, b.quiet > 0
	n.Schema, n.Parts = &openapi3.Schema{}, noParts
	if ref != nil && ref.Value != nil {
		n.Schema, n.ignored = ref.Value, b.set.Document.IgnoredBeside(ref)
		n.Pointer = document.Target(ref.Ref, n.Pointer)
	}
	node.heeds = node.hinting()
	b.root.hints = b.root.hints || node.heeds
	if n.value == "" {
		n.value = b.root.Operation + "/" + n.Path
	}
	depth := 0
	for _, s := range b.stack {
		if s == n.Schema {
			depth++
		}
	}
	b.count++
	key := unrolledKey{n.Schema, b.root.Side}
	first := b.set.unrolled[key]
	if first != nil && (b.set.Full() || b.count > maxNodes) {
		n.Shared = first
		node.sharedClause()
		b.hasNulls(node)
		return node
	}
	if depth >= 2 {
		n.Recursive, n.heeds = true, true // what is above may still say it
		return node
	}
	b.stack = append(b.stack, n.Schema)
	defer func() { b.stack = b.stack[:len(b.stack)-1] }()

	if first == nil && b.quiet == 0 {
		b.set.unrolled[key] = node
	}
	if !node.listOfItems() { // which says nothing that the document does
		node.keywords()
	}
	if len(n.Schema.Required) > 0 {
		n.Required = make(map[string]bool, len(n.Schema.Required))
	}
	for _, name := range n.Schema.Required {
		n.Required[name] = true
	}
	for i := range applicators {
		b.apply(&applicators[i], node)
		if applicators[i].named {
			node.undescribed()
		}
	}
	b.hasNulls(node)
	node.heeds = node.heeds || slices.ContainsFunc(node.children, func(c *Node) bool { return c.heeds })
	return node
}

// hasNulls notes whether a node says of null what is no matter of the validator.
func (b *builder) hasNulls(n *Node) {
	if n.doubtfulNull() {
		b.root.nulls, n.heeds = true, true
	}
}

// listOfItems reports whether a node is of the list of a sequence's items.
func (n *Node) listOfItems() bool { return n.root.OfItems && n.Parent == nil }

// apply makes the nodes of the subschemas that a keyword of a schema has.
func (b *builder) apply(via *applicator, node *Node) {
	var children []*Node
	via.each(node.Schema, func(sub subschema) {
		child := Node{Parent: node, via: via, Key: sub.key, Name: node.Name, Subject: node.Subject, value: node.value}
		way := sub.step()
		step := "/" + via.keyword + way
		switch {
		case node.listOfItems():
			child.Pointer = node.Pointer
		case sub.ref == nil || sub.ref.Value == nil || sub.ref.Ref == "":
			child.Pointer = node.Pointer + step
		}
		switch {
		case via.named:
			child.PropName, child.Name, child.Subject = sub.key, sub.key, join(node.Subject, sub.key)
			step = way
		case via.about == Item:
			child.Subject += "[]"
		case via.about != Itself:
			child.Subject = join(node.Subject, "*")
		}
		child.follow(step)
		// What a request should not carry has no clauses of its own there.
		silent := via.force == Indirect || via.named && b.root.Side == RequestSide && sub.ref != nil && forOther(sub.ref.Value, RequestSide)
		if silent {
			b.quiet++
		}
		built := b.build(sub.ref, child)
		if silent {
			b.quiet--
		}
		switch {
		case via.named:
			built.quiet = node.quiet
			built.presence()
		case via.about == Member && b.set.Document.Version31(): // in 3.0 only what has a name of its own is write only
			built.oneSided(ResponseSide)
		}
		children = append(children, built)
	})
	if len(children) > 0 {
		if node.Parts == noParts {
			node.Parts = &Parts{}
		}
		via.hang(node, children)
		node.children = append(node.children, children...)
	}
}

// follow sets where a node is that is a step away from its parent.
func (n *Node) follow(step string) {
	up, operation := n.Parent, n.Parent.root.Operation
	if n.via.about != Itself {
		n.value = up.value + step
	}
	if len(n.value) == len(operation)+1+len(up.Path)+len(step) { // then it is what Path is behind: there are many of them
		n.Path = n.value[len(operation)+1:]
		return
	}
	n.Path = up.Path + step
}

// presence makes the clause that a property is there, may be absent, or is for the other
// side alone.
func (n *Node) presence() {
	name, parent := n.PropName, n.Parent
	keyword, text := "optional", "may be absent"
	switch {
	case n.oneSided(RequestSide), n.oneSided(ResponseSide):
		return
	case parent.Required[name]:
		keyword, text = "required", "is present"
	case n.Side() == ResponseSide:
		return // who answers may leave it out; nobody can break that
	case parent.requiredAround(name):
		return // the schema around has the clause
	}
	c := parent.clause(keyword+"/"+name, "required", n.Subject+" "+text)
	c.Name = n.root.Operation + "/" + n.Path + "/" + keyword
	c.Keyword, c.Permits, c.Value = keyword, keyword == "optional", n.value
	c.Narrowed = cmp.Or(c.Narrowed, n.narrowed())
	if c.Permits {
		s := parent.Schema
		c.Place = document.At(s.Origin, parent.Pointer, "properties")
		if o := n.Schema.Origin; o != nil && o.Key != nil && s.Properties[name].Ref == "" {
			c.Place = document.At(o, parent.Pointer+"/properties/"+document.Escape(name), "")
		}
	}
}

// oneSided makes the clause that what is for the other side alone is not in the message of a side, and
// reports whether it is the node's.
func (n *Node) oneSided(side Side) bool {
	if n.Side() != side || !forOther(n.Schema, side) {
		return false
	}
	if side == RequestSide {
		n.clause("readOnly", "readOnly", n.Subject+" is not in a request")
	} else {
		n.clause("writeOnly", "writeOnly", n.Subject+" is not in a response")
	}
	return true
}

// requiredAround reports whether another schema about the same value requires a property:
// {required: [id], allOf: [{properties: {id: …}}]} does not let id be absent.
func (n *Node) requiredAround(name string) bool {
	required := false
	for {
		inside := n.Parent != nil && n.via.about == Itself
		if inside || len(n.Schema.AllOf) > 0 {
			inPlaceSchemas(n.Schema, false, func(part *openapi3.Schema) { required = required || slices.Contains(part.Required, name) })
		}
		if required || !inside {
			return required
		}
		n = n.Parent
		required = slices.Contains(n.Schema.Required, name)
	}
}

// undescribed makes the clauses of properties that are required, but described elsewhere
// or nowhere.
func (n *Node) undescribed() {
	for _, name := range slices.Sorted(maps.Keys(n.Required)) {
		if slices.ContainsFunc(n.Props, func(p *Node) bool { return p.PropName == name }) {
			continue
		}
		c := n.clause("required/"+name, "required", join(n.Subject, name)+" is present")
		c.Name, c.Keyword = n.root.Operation+"/"+n.Path+"/"+document.Escape(name)+"/required", "required"
		c.Value = n.value + "/" + document.Escape(name)
	}
}

func join(parent, name string) string {
	switch {
	case parent == "" || parent == Body || parent == ResponseBody:
		return name
	default:
		return parent + "." + name
	}
}

// What the root of a message's body is called.
const (
	Body         = "the body"
	ResponseBody = "the response body"
)
