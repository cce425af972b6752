package schema

import (
	"maps"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// About tells which part of a value a subschema speaks of.
type About int

// The parts of a value.
const (
	Itself About = iota // the value that the schema around it speaks of (JSON Schema Core 2020-12 §10.2)
	Member              // a member of an object (§10.3.2)
	Item                // an item of an array (§10.3.1)
	Name                // the names of an object's members (§10.3.2.4)
)

// Force tells when a part of a value has to be valid against a subschema.
type Force int

// The forces.
const (
	Always Force = iota
	// Branch: the value has to be valid against one of several (oneOf, anyOf).
	Branch
	// Condition: where a condition holds (then, else, dependentSchemas).
	Condition
	// Indirect: what the subschema says is no assertion about the part (not, if,
	// contains, propertyNames). The keyword itself is the only clause.
	Indirect
)

// applicator is a keyword that applies subschemas to a value or its parts. The table of
// them is the one place that knows which keywords do.
type applicator struct {
	keyword string
	about   About
	force   Force
	named   bool // each subschema is for the one member that it is called by
	// each calls f for the subschemas of the keyword in a schema, in a fixed order.
	each func(s *openapi3.Schema, f func(subschema))
	// hang stores the nodes of the subschemas in the node of the schema.
	hang func(n *Node, children []*Node)
}

// subschema is one of the schemas that an applicator has.
type subschema struct {
	held  holding
	index int    // in a list
	key   string // the name, pattern or property that it stands under in a map
	ref   *openapi3.SchemaRef
}

// holding is how a keyword holds its subschemas.
type holding int

// The ways.
const (
	holdsOne  holding = iota // as its value
	holdsList                // in a list
	holdsMap                 // in a map
)

// step is the way to the subschema below the keyword, as in a pointer: /NAME or /INDEX, or
// empty.
func (sub subschema) step() string {
	switch sub.held {
	case holdsList:
		return "/" + strconv.Itoa(sub.index)
	case holdsMap:
		return "/" + document.Escape(sub.key)
	}
	return ""
}

// applicators are in the order in which nodes are built.
var applicators = []applicator{
	{"properties", Member, Always, true, keyed(func(s *openapi3.Schema) openapi3.Schemas { return s.Properties }), func(n *Node, c []*Node) { n.Props = c }},
	{"prefixItems", Item, Always, false, list(func(s *openapi3.Schema) openapi3.SchemaRefs { return s.PrefixItems }), func(n *Node, c []*Node) { n.PrefixItems = c }},
	{"items", Item, Always, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.Items }), func(n *Node, c []*Node) { n.Items = c[0] }},
	{"unevaluatedItems", Item, Always, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.UnevaluatedItems.Schema }), func(n *Node, c []*Node) { n.UnevaluatedItems = c[0] }},
	{"patternProperties", Member, Always, false, keyed(func(s *openapi3.Schema) openapi3.Schemas { return s.PatternProperties }), func(n *Node, c []*Node) { n.PatternProps = c }},
	{"additionalProperties", Member, Always, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.AdditionalProperties.Schema }), func(n *Node, c []*Node) { n.Additional = c[0] }},
	{"unevaluatedProperties", Member, Always, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.UnevaluatedProperties.Schema }), func(n *Node, c []*Node) { n.UnevaluatedProps = c[0] }},
	{"allOf", Itself, Always, false, list(func(s *openapi3.Schema) openapi3.SchemaRefs { return s.AllOf }), func(n *Node, c []*Node) { n.AllOf = c }},
	{"oneOf", Itself, Branch, false, list(func(s *openapi3.Schema) openapi3.SchemaRefs { return s.OneOf }), func(n *Node, c []*Node) { n.OneOf = c }},
	{"anyOf", Itself, Branch, false, list(func(s *openapi3.Schema) openapi3.SchemaRefs { return s.AnyOf }), func(n *Node, c []*Node) { n.AnyOf = c }},
	{"if", Itself, Indirect, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.If }), func(n *Node, c []*Node) { n.If = c[0] }},
	// Without if, then and else say nothing (JSON Schema Core 2020-12 §10.2.2).
	{"then", Itself, Condition, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return given(s.If != nil, s.Then) }), func(n *Node, c []*Node) { n.Then = c[0] }},
	{"else", Itself, Condition, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return given(s.If != nil, s.Else) }), func(n *Node, c []*Node) { n.Else = c[0] }},
	{"dependentSchemas", Itself, Condition, false, keyed(func(s *openapi3.Schema) openapi3.Schemas { return s.DependentSchemas }), func(n *Node, c []*Node) { n.DependentSchemas = c }},
	{"not", Itself, Indirect, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.Not }), func(n *Node, c []*Node) { n.Not = c[0] }},
	{"contains", Item, Indirect, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.Contains }), func(n *Node, c []*Node) { n.Contains = c[0] }},
	{"propertyNames", Name, Indirect, false, one(func(s *openapi3.Schema) *openapi3.SchemaRef { return s.PropertyNames }), func(n *Node, c []*Node) { n.PropertyNames = c[0] }},
}

func one(get func(*openapi3.Schema) *openapi3.SchemaRef) func(*openapi3.Schema, func(subschema)) {
	return func(s *openapi3.Schema, f func(subschema)) {
		if ref := get(s); ref != nil {
			f(subschema{ref: ref})
		}
	}
}

func list(get func(*openapi3.Schema) openapi3.SchemaRefs) func(*openapi3.Schema, func(subschema)) {
	return func(s *openapi3.Schema, f func(subschema)) {
		for i, ref := range get(s) {
			f(subschema{held: holdsList, index: i, ref: ref})
		}
	}
}

func keyed(get func(*openapi3.Schema) openapi3.Schemas) func(*openapi3.Schema, func(subschema)) {
	return func(s *openapi3.Schema, f func(subschema)) {
		all := get(s)
		for _, key := range slices.Sorted(maps.Keys(all)) {
			f(subschema{held: holdsMap, key: key, ref: all[key]})
		}
	}
}

func given(holds bool, ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	if !holds {
		return nil
	}
	return ref
}
