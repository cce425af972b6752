package contract

import (
	"fmt"
	"maps"
	"slices"

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

	Parent     *Node
	Props      []*Node // in order of their names
	PropName   string  // set in a child of Props
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
	// Key is the pattern of a child of PatternProps, and the property on which a
	// child of DependentSchemas depends.
	Key string

	// Recursive is set where the schema already stands twice above this node:
	// its children are not unrolled again.
	Recursive bool
	// Shared is set where the document unrolls to so many clauses that a schema
	// which was met before is not unrolled again: it is the node of the first
	// time. Of this node there is one clause, then: the first that it has.
	Shared *Node

	Required map[string]bool
	Clauses  map[string]*Clause // by keyword; required/NAME and optional/NAME for properties

	op    *Operation
	side  Side
	value string // what Clause.Value is for the node's clauses
	// quiet is set where what the schema says is no assertion about the value: in
	// not, if, contains and propertyNames. Then the keyword has the only clause.
	quiet bool
	// hints is set where the node or one below it says what kin-openapi does not
	// judge.
	hints bool
}

// Clause returns the node's clause for a keyword, or nil.
func (n *Node) Clause(keyword string) *Clause { return n.Clauses[keyword] }

// Operation returns the operation whose message the node is part of.
func (n *Node) Operation() *Operation { return n.op }

// Side tells whether the node is part of a request or of a response.
func (n *Node) Side() Side { return n.side }

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

// Types returns the JSON types that the schema allows; none where it does not
// say. "null" is among them where the schema is nullable.
func (n *Node) Types() []string {
	if n.Schema.Type == nil {
		return nil
	}
	types := slices.Clone(n.Schema.Type.Slice())
	if n.Schema.Nullable && !slices.Contains(types, "null") && !n.op.Contract.Doc.IsOpenAPI31OrLater() {
		types = append(types, "null")
	}
	return types
}

// Allows reports whether the schema's type keyword lets a JSON type pass.
func (n *Node) Allows(typ string) bool {
	types := n.Types()
	return len(types) == 0 || slices.Contains(types, typ) || typ == "integer" && slices.Contains(types, "number")
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

// Walk calls f for n and every node below it, parents first.
func (n *Node) Walk(f func(*Node)) {
	if n == nil {
		return
	}
	f(n)
	for _, c := range n.children() {
		c.Walk(f)
	}
}

func (n *Node) children() []*Node {
	all := slices.Concat(n.Props, n.PrefixItems, n.PatternProps, n.AllOf, n.OneOf, n.AnyOf, n.DependentSchemas)
	for _, c := range []*Node{n.Items, n.Additional, n.Not, n.PropertyNames, n.Contains, n.If, n.Then, n.Else, n.UnevaluatedProps, n.UnevaluatedItems} {
		if c != nil {
			all = append(all, c)
		}
	}
	return all
}

// Names are those of the document's parameters, of the properties of its bodies
// and of its security schemes: what values can be given for.
func (c *Contract) Names() map[string]bool {
	names := map[string]bool{}
	add := func(n *Node) { names[n.Name] = true }
	for _, op := range c.Operations {
		for _, p := range op.Params {
			names[p.Spec.Name] = true
			p.Node.Walk(add)
		}
		if op.Body != nil {
			for _, m := range op.Body.Media {
				m.Node.Walk(add)
			}
		}
		for _, r := range op.Responses {
			for _, m := range r.Media {
				m.Node.Walk(add)
			}
		}
	}
	if c.Doc.Components != nil {
		for name, ref := range c.Doc.Components.SecuritySchemes {
			names[name] = true
			if ref != nil && ref.Value != nil && ref.Value.Type == "apiKey" {
				names[ref.Value.Name] = true
			}
		}
	}
	delete(names, "")
	return names
}

// InPlace returns the nodes of schemas that are about the same value as n and
// say something of it wherever they apply.
func (n *Node) InPlace() []*Node {
	all := slices.Concat(n.AllOf, n.OneOf, n.AnyOf, n.DependentSchemas)
	for _, c := range []*Node{n.Then, n.Else} {
		if c != nil {
			all = append(all, c)
		}
	}
	return all
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

type nodeBuilder struct {
	op    *Operation
	side  Side
	stack []*openapi3.Schema
	count int
	quiet int // how many of the schemas above are no assertions
}

func (b *nodeBuilder) build(ref *openapi3.SchemaRef, n Node) *Node {
	n.op, n.side, n.quiet = b.op, b.side, b.quiet > 0
	n.Schema = &openapi3.Schema{}
	if ref != nil && ref.Value != nil {
		n.Schema = ref.Value
		n.Pointer = target(ref.Ref, n.Pointer)
	}
	if n.value == "" {
		n.value = b.op.ID + "/" + n.Path
	}
	n.Clauses = map[string]*Clause{}
	n.Required = map[string]bool{}
	node := &n
	depth := 0
	for _, s := range b.stack {
		if s == n.Schema {
			depth++
		}
	}
	b.count++
	key := unrolledKey{n.Schema, b.side}
	first := b.op.Contract.unrolled[key]
	if first != nil && (b.op.Contract.many() || b.count > maxNodes) {
		n.Shared = first
		node.sharedClause()
		return node
	}
	if depth >= 2 {
		n.Recursive = true
		return node
	}
	b.stack = append(b.stack, n.Schema)
	defer func() { b.stack = b.stack[:len(b.stack)-1] }()

	if first == nil && b.quiet == 0 {
		b.op.Contract.unrolled[key] = node
	}
	s := n.Schema
	node.keywords()
	for _, name := range s.Required {
		n.Required[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		ref := s.Properties[name]
		// What a request should not carry has no clauses of its own there.
		unsent := b.side == RequestSide && ref != nil && ref.Value != nil && ref.Value.ReadOnly
		if unsent {
			b.quiet++
		}
		child := b.build(s.Properties[name], Node{
			Parent: node, PropName: name, Name: name, Subject: join(n.Subject, name), value: n.value + "/" + escape(name),
			Path: n.Path + "/" + escape(name), Pointer: n.Pointer + "/properties/" + escape(name),
		})
		node.Props = append(node.Props, child)
		if unsent {
			b.quiet--
			child.quiet = node.quiet
		}
		kw, text := "optional", "may be absent"
		switch {
		case child.Schema.ReadOnly && b.side == RequestSide:
			child.clause("readOnly", "readOnly", child.Subject+" is not in a request")
			if !n.Required[name] || !b.op.Contract.Doc.IsOpenAPI31OrLater() {
				continue // required is about responses alone (OpenAPI 3.0.3, Schema Object, readOnly)
			}
			kw, text = "required", "is present"
		case child.Schema.WriteOnly && b.side == ResponseSide:
			child.clause("writeOnly", "writeOnly", child.Subject+" is not in a response")
			continue
		case n.Required[name]:
			kw, text = "required", "is present"
		case b.side == ResponseSide:
			continue // who answers may leave it out; nobody can break that
		}
		c := node.clause(kw+"/"+name, "required", fmt.Sprintf("%s %s", child.Subject, text))
		c.Name = fmt.Sprintf("%s/%s/%s", b.op.ID, child.Path, kw)
		c.Keyword, c.Permits, c.Value = kw, kw == "optional", child.value
		if kw == "optional" {
			c.Place = at(s.Origin, n.Pointer, "properties")
			if o := child.Schema.Origin; o != nil && o.Key != nil && s.Properties[name].Ref == "" {
				c.Place = at(o, n.Pointer+"/properties/"+escape(name), "")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Required)) {
		if s.Properties[name] == nil { // required, but described elsewhere or nowhere
			c := node.clause("required/"+name, "required", join(n.Subject, name)+" is present")
			c.Name, c.Keyword = fmt.Sprintf("%s/%s/%s/required", b.op.ID, n.Path, escape(name)), "required"
			c.Value = n.value + "/" + escape(name)
		}
	}
	b.applicators(node)
	node.hints = s.Discriminator != nil || s.ReadOnly || s.WriteOnly || node.doubtfulNull() || slices.ContainsFunc(node.children(), func(c *Node) bool { return c.hints || c.Recursive || c.Shared != nil })
	return node
}

// applicators makes the nodes of the schemas inside a schema, but for its
// properties.
func (b *nodeBuilder) applicators(node *Node) {
	s := node.Schema
	at := func(keyword, step, subject string, ref *openapi3.SchemaRef) *Node {
		if ref == nil {
			return nil
		}
		value := node.value
		if !slices.Contains(inPlace, keyword) {
			value += "/" + keyword + step
		}
		return b.build(ref, Node{
			Parent: node, Path: node.Path + "/" + keyword + step, Pointer: node.Pointer + "/" + keyword + step,
			Subject: subject, Name: node.Name, value: value,
		})
	}
	quiet := func(keyword string, ref *openapi3.SchemaRef) *Node {
		b.quiet++
		defer func() { b.quiet-- }()
		return at(keyword, "", node.Subject, ref)
	}
	many := func(keyword, subject string, refs openapi3.SchemaRefs) (nodes []*Node) {
		for i, ref := range refs {
			nodes = append(nodes, at(keyword, fmt.Sprintf("/%d", i), subject, ref))
		}
		return nodes
	}
	keyed := func(keyword, subject string, refs openapi3.Schemas) (nodes []*Node) {
		for _, key := range slices.Sorted(maps.Keys(refs)) {
			child := at(keyword, "/"+escape(key), subject, refs[key])
			child.Key = key
			nodes = append(nodes, child)
		}
		return nodes
	}
	item, member := node.Subject+"[]", join(node.Subject, "*")
	node.PrefixItems = many("prefixItems", item, s.PrefixItems)
	node.Items = at("items", "", item, s.Items)
	node.UnevaluatedItems = at("unevaluatedItems", "", item, s.UnevaluatedItems.Schema)
	node.PatternProps = keyed("patternProperties", member, s.PatternProperties)
	node.Additional = at("additionalProperties", "", member, s.AdditionalProperties.Schema)
	node.UnevaluatedProps = at("unevaluatedProperties", "", member, s.UnevaluatedProperties.Schema)
	node.AllOf = many("allOf", node.Subject, s.AllOf)
	node.OneOf = many("oneOf", node.Subject, s.OneOf)
	node.AnyOf = many("anyOf", node.Subject, s.AnyOf)
	if s.If != nil { // without it the others say nothing (JSON Schema Core §10.2.2)
		node.If = quiet("if", s.If)
		node.Then = at("then", "", node.Subject, s.Then)
		node.Else = at("else", "", node.Subject, s.Else)
	}
	node.DependentSchemas = keyed("dependentSchemas", node.Subject, s.DependentSchemas)
	node.Not = quiet("not", s.Not)
	node.Contains = quiet("contains", s.Contains)
	node.PropertyNames = quiet("propertyNames", s.PropertyNames)
}

// inPlace are the keywords whose schemas are about the value itself.
var inPlace = []string{"allOf", "oneOf", "anyOf", "not", "if", "then", "else", "dependentSchemas"}

func join(parent, name string) string {
	switch {
	case parent == "" || parent == bodySubject || parent == responseSubject:
		return name
	default:
		return parent + "." + name
	}
}

// What the root of a message's body is called.
const (
	bodySubject     = "the body"
	responseSubject = "the response body"
)
