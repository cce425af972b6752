package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
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
	// Recursive is set where the schema already stands twice above this node:
	// its children are not unrolled again.
	Recursive bool
	// Shared is set where the document unrolls to so many clauses that a schema
	// which was met before is not unrolled again: it is the node of the first
	// time. Of this node there is one clause, then: the first that it has.
	Shared *Node

	Required map[string]bool
	Clauses  map[string]*Clause // by keyword; required/NAME and optional/NAME for properties

	op   *Operation
	side Side
}

// Clause returns the node's clause for a keyword, or nil.
func (n *Node) Clause(keyword string) *Clause { return n.Clauses[keyword] }

// Operation returns the operation whose message the node is part of.
func (n *Node) Operation() *Operation { return n.op }

// Validates returns nil if a JSON value keeps every clause at and below the
// node, read as part of a request or of a response as the node is. The error
// says no more than that: a text for every branch tried would cost most of the
// time of a plan.
func (n *Node) Validates(v any) error {
	return n.Schema.VisitJSON(v, n.op.Contract.visit(n.side, openapi3.FailFast())...)
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
	if n.Schema.Nullable && !slices.Contains(types, "null") {
		types = append(types, "null")
	}
	return types
}

// Allows reports whether the schema's type keyword lets a JSON type pass.
func (n *Node) Allows(typ string) bool {
	types := n.Types()
	return len(types) == 0 || slices.Contains(types, typ) || typ == "integer" && slices.Contains(types, "number")
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
	all := slices.Concat(n.Props, n.AllOf, n.OneOf, n.AnyOf)
	for _, c := range []*Node{n.Items, n.Additional, n.Not} {
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
}

func (b *nodeBuilder) build(ref *openapi3.SchemaRef, n Node) *Node {
	n.op, n.side = b.op, b.side
	n.Schema = &openapi3.Schema{}
	if ref != nil && ref.Value != nil {
		n.Schema = ref.Value
		b.op.Contract.cut(n.Schema, nil)
		n.Pointer = target(ref.Ref, n.Pointer)
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

	if first == nil {
		b.op.Contract.unrolled[key] = node
	}
	s := n.Schema
	node.keywords()
	for _, name := range s.Required {
		n.Required[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		child := b.build(s.Properties[name], Node{
			Parent: node, PropName: name, Name: name, Subject: join(n.Subject, name),
			Path: n.Path + "/" + escape(name), Pointer: n.Pointer + "/properties/" + escape(name),
		})
		node.Props = append(node.Props, child)
		kw, text := "optional", "may be absent"
		switch {
		case child.Schema.ReadOnly && b.side == RequestSide:
			child.clause("readOnly", "readOnly", child.Subject+" is not in a request").Unplanned = "cases for readOnly are not planned yet"
			continue // required is about responses alone (OpenAPI 3.0.3, Schema Object, readOnly)
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
		c.Keyword, c.Permits = kw, kw == "optional"
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
		}
	}
	if s.Items != nil {
		node.Items = b.child(s.Items, node, "/items", "/items", n.Subject+"[]")
	}
	if s.AdditionalProperties.Schema != nil {
		node.Additional = b.child(s.AdditionalProperties.Schema, node, "/additionalProperties", "/additionalProperties", join(n.Subject, "*"))
	}
	branches := func(keyword string, refs openapi3.SchemaRefs) (nodes []*Node) {
		for i, ref := range refs {
			step := fmt.Sprintf("/%s/%d", keyword, i)
			nodes = append(nodes, b.child(ref, node, step, step, n.Subject))
		}
		return nodes
	}
	node.AllOf = branches("allOf", s.AllOf)
	node.OneOf = branches("oneOf", s.OneOf)
	node.AnyOf = branches("anyOf", s.AnyOf)
	if s.Not != nil {
		node.Not = b.child(s.Not, node, "/not", "/not", n.Subject)
	}
	return node
}

func (b *nodeBuilder) child(ref *openapi3.SchemaRef, parent *Node, step, pointer, subject string) *Node {
	return b.build(ref, Node{
		Parent: parent,
		Path:   parent.Path + step, Pointer: parent.Pointer + pointer, Subject: subject, Name: parent.Name,
	})
}

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

func (n *Node) clause(keyword, field, text string) *Clause {
	c := &Clause{
		Name: n.op.ID + "/" + n.Path + "/" + keyword, Operation: n.op, Side: n.side,
		Keyword: keyword, Text: text, Place: at(n.Schema.Origin, n.Pointer, field),
	}
	n.Clauses[keyword] = c
	n.op.Clauses = append(n.op.Clauses, c)
	n.op.Contract.count++
	return c
}

// unplanned lists the keywords that are judged by kin-openapi but for which no
// case is made.
var unplanned = map[string]string{
	"not": "not", "discriminator": "discriminator", "const": "const", "prefixItems": "prefixItems", "contains": "contains",
	"patternProperties": "patternProperties", "dependentSchemas": "dependentSchemas", "propertyNames": "propertyNames",
	"unevaluatedItems": "unevaluatedItems", "unevaluatedProperties": "unevaluatedProperties", "if": "if/then/else",
	"dependentRequired": "dependentRequired",
}

// keywords makes the clauses of the schema's own keywords, in a fixed order.
func (n *Node) keywords() {
	s := n.Schema
	is := func(format string, args ...any) string { return n.Subject + " " + fmt.Sprintf(format, args...) }
	n.typeClause()
	if len(s.Enum) > 0 {
		n.clause("enum", "enum", is("is one of %s", list(s.Enum)))
	}
	if s.MinLength > 0 {
		n.clause("minLength", "minLength", is("has at least %s", count(s.MinLength, "character")))
	}
	if s.MaxLength != nil {
		n.clause("maxLength", "maxLength", is("has at most %s", count(*s.MaxLength, "character")))
	}
	if s.Pattern != "" {
		n.clause("pattern", "pattern", is("matches %s", s.Pattern))
	}
	if s.Format != "" {
		n.clause("format", "format", is("has the format %s", s.Format))
	}
	if s.Min != nil {
		word := "at least"
		if s.ExclusiveMin.IsTrue() {
			word = "more than"
		}
		n.clause("minimum", "minimum", is("is %s %v", word, *s.Min))
	}
	if s.Max != nil {
		word := "at most"
		if s.ExclusiveMax.IsTrue() {
			word = "less than"
		}
		n.clause("maximum", "maximum", is("is %s %v", word, *s.Max))
	}
	if v := s.ExclusiveMin.Value; v != nil {
		n.clause("exclusiveMinimum", "exclusiveMinimum", is("is more than %v", *v))
	}
	if v := s.ExclusiveMax.Value; v != nil {
		n.clause("exclusiveMaximum", "exclusiveMaximum", is("is less than %v", *v))
	}
	if s.MultipleOf != nil {
		n.clause("multipleOf", "multipleOf", is("is a multiple of %v", *s.MultipleOf))
	}
	if s.MinItems > 0 {
		n.clause("minItems", "minItems", is("has at least %s", count(s.MinItems, "item")))
	}
	if s.MaxItems != nil {
		n.clause("maxItems", "maxItems", is("has at most %s", count(*s.MaxItems, "item")))
	}
	if s.UniqueItems {
		n.clause("uniqueItems", "uniqueItems", is("has no item twice"))
	}
	if s.MinProps > 0 {
		n.clause("minProperties", "minProperties", is("has at least %s", count(s.MinProps, "property")))
	}
	if s.MaxProps != nil {
		n.clause("maxProperties", "maxProperties", is("has at most %s", count(*s.MaxProps, "property")))
	}
	if n.Allows("object") && (s.Type != nil || len(s.Properties) > 0) && s.AdditionalProperties.Schema == nil {
		if has := s.AdditionalProperties.Has; has != nil && !*has {
			n.clause("additionalProperties", "additionalProperties", is("has no other properties than those documented"))
		} else if n.side == RequestSide && len(s.AllOf)+len(s.OneOf)+len(s.AnyOf) == 0 {
			n.clause("additionalProperties", "additionalProperties", is("may have further properties")).Permits = true
		}
	}
	if len(s.OneOf) > 0 {
		n.clause("oneOf", "oneOf", is("is valid against exactly one of %s", count(uint64(len(s.OneOf)), "schema")))
	}
	if len(s.AnyOf) > 0 {
		n.clause("anyOf", "anyOf", is("is valid against at least one of %s", count(uint64(len(s.AnyOf)), "schema")))
	}
	for _, kw := range n.present() {
		n.clause(kw, kw, is("keeps %s", unplanned[kw])).Unplanned = "cases for " + unplanned[kw] + " are not planned yet"
	}
}

func (n *Node) typeClause() {
	if types := n.Types(); len(types) > 0 {
		n.clause("type", "type", n.Subject+" is "+article(strings.Join(types, " or ")))
	}
}

// sharedClause makes the one clause of a schema that was unrolled before.
func (n *Node) sharedClause() {
	n.typeClause()
	for _, kw := range []struct {
		name string
		has  bool
	}{{"oneOf", len(n.Schema.OneOf) > 0}, {"anyOf", len(n.Schema.AnyOf) > 0}, {"enum", len(n.Schema.Enum) > 0}} {
		if kw.has && len(n.Clauses) == 0 {
			n.clause(kw.name, kw.name, n.Subject+" keeps its "+kw.name)
		}
	}
}

// present returns those of the unplanned keywords that the schema has.
func (n *Node) present() []string {
	s := n.Schema
	has := map[string]bool{
		"not": s.Not != nil, "discriminator": s.Discriminator != nil, "const": s.Const != nil,
		"prefixItems": len(s.PrefixItems) > 0, "contains": s.Contains != nil,
		"patternProperties": len(s.PatternProperties) > 0, "dependentSchemas": len(s.DependentSchemas) > 0,
		"propertyNames":         s.PropertyNames != nil,
		"unevaluatedItems":      s.UnevaluatedItems.Has != nil || s.UnevaluatedItems.Schema != nil,
		"unevaluatedProperties": s.UnevaluatedProperties.Has != nil || s.UnevaluatedProperties.Schema != nil,
		"if":                    s.If != nil, "dependentRequired": len(s.DependentRequired) > 0,
	}
	var found []string
	for _, kw := range slices.Sorted(maps.Keys(has)) {
		if has[kw] {
			found = append(found, kw)
		}
	}
	return found
}

// locate finds the clause that a schema error is about: the schema that failed
// and its keyword, at the place in the message that the path leads to.
func (n *Node) locate(schema *openapi3.Schema, keyword string, path []string) *Clause {
	if n.Schema == schema && len(path) == 0 {
		if c := n.own(keyword); c != nil {
			return c
		}
	}
	if n.Schema == schema && len(path) == 1 && keyword == "required" {
		if c := n.Clauses["required/"+path[0]]; c != nil {
			return c
		}
	}
	for _, group := range [][]*Node{n.AllOf, n.OneOf, n.AnyOf} {
		for _, c := range group {
			if found := c.locate(schema, keyword, path); found != nil {
				return found
			}
		}
	}
	if len(path) == 0 {
		return nil
	}
	for _, p := range n.Props {
		if p.PropName == path[0] {
			if found := p.locate(schema, keyword, path[1:]); found != nil {
				return found
			}
		}
	}
	for _, c := range []*Node{n.Items, n.Additional} {
		if c != nil {
			if found := c.locate(schema, keyword, path[1:]); found != nil {
				return found
			}
		}
	}
	return nil
}

// aliases are the names that kin-openapi gives to what a clause of another
// name says.
var aliases = map[string]string{
	"nullable": "type", "properties": "additionalProperties", "exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum",
}

func (n *Node) own(keyword string) *Clause {
	if c := n.Clauses[keyword]; c != nil {
		return c
	}
	return n.Clauses[aliases[keyword]]
}

func article(s string) string {
	switch {
	case s == "null" || s == "":
		return s
	case strings.ContainsRune("aeiou", rune(s[0])):
		return "an " + s
	default:
		return "a " + s
	}
}

func count(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "y") {
		what = strings.TrimSuffix(what, "y") + "ie"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// list writes values as JSON, the first few of them.
func list(values []any) string {
	const most = 6
	var parts []string
	for i, v := range values {
		if i == most {
			parts = append(parts, fmt.Sprintf("… (%d)", len(values)))
			break
		}
		b, err := json.Marshal(v)
		if err != nil {
			b = fmt.Append(nil, v)
		}
		parts = append(parts, string(b))
	}
	return strings.Join(parts, ", ")
}
