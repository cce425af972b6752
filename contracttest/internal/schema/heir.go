package schema

import (
	"maps"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// A schema with a discriminator may list no branches: then the schemas of the document that are made of
// it by allOf may stand for it, and the name says which one does (Swagger 2.0, Schema Object,
// discriminator; OpenAPI 3.0.3, Discriminator Object).

// heirNodes holds the nodes of heirs, and of those that they have inside. They are of no message, so that
// their clauses are nobody's, and are made when they are first asked for.
type heirNodes struct {
	mu    sync.Mutex
	set   *Set // what they have in common, as other nodes are no longer built when they are
	nodes map[unrolledKey]*Node
}

// heirs names the schemas of the document that are made of one by allOf, be it by another one that is,
// and that one.
func (set *Set) heirs(s *openapi3.Schema) []string {
	if set.Document.T.Components == nil {
		return nil
	}
	set.heirsOnce.Do(func() {
		set.heirNames = map[*openapi3.Schema][]string{}
		for _, name := range slices.Sorted(maps.Keys(set.Document.T.Components.Schemas)) {
			set.inherits(name, set.component(name), map[*openapi3.Schema]bool{})
		}
	})
	return set.heirNames[s]
}

// inherits enters a component with all that it is made of.
func (set *Set) inherits(name string, s *openapi3.Schema, seen map[*openapi3.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	set.heirNames[s] = append(set.heirNames[s], name)
	for _, part := range s.AllOf {
		if part.Ref != "" {
			set.inherits(name, part.Value, seen)
		}
	}
}

// component returns a schema of the components, or nil.
func (set *Set) component(name string) *openapi3.Schema {
	if c := set.Document.T.Components; c != nil && c.Schemas[name] != nil {
		return c.Schemas[name].Value
	}
	return nil
}

// azureName is the name that documents of Azure have for an heir.
func azureName(s *openapi3.Schema) string {
	if s == nil {
		return ""
	}
	name, _ := s.Extensions["x-ms-discriminator-value"].(string)
	return name
}

// Heir returns the node of the schema that the discriminator's value names, where that is made of the
// node's; nil where there is none, or where the node is a part of such a schema, which says itself what
// a value has to be.
func (n *Node) Heir(name string) *Node {
	d := n.Schema.Discriminator
	if d == nil || d.PropertyName == "" || len(n.Schema.OneOf)+len(n.Schema.AnyOf) > 0 || n.inherited() {
		return nil
	}
	for _, component := range n.set.heirs(n.Schema) {
		heir := n.set.component(component)
		target, mapped := d.Mapping[name]
		switch {
		case heir == n.Schema:
		case mapped && (target.Ref == components+document.Escape(component) || target.Ref == component),
			!mapped && azureName(heir) == name,
			!mapped && azureName(heir) == "" && slices.Contains(selector{n.Schema}.implicit(heir, component), name):
			return n.set.heirNodes.get(n.set, heir, n.Side())
		}
	}
	return nil
}

// inherited reports whether the node is a part of a schema that is made of it.
func (n *Node) inherited() bool {
	return n.Parent != nil && n.via.keyword == "allOf" && slices.ContainsFunc(n.set.heirs(n.Schema), func(name string) bool {
		return n.set.component(name) == n.Parent.Schema
	})
}

func (h *heirNodes) get(of *Set, s *openapi3.Schema, side Side) *Node {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.set == nil {
		h.set, h.nodes = NewSet(of.Document, of.max, of.Formats), map[unrolledKey]*Node{}
		h.set.heirNodes = h // a value may have heirs in heirs as deep as it likes
	}
	key := unrolledKey{s, side}
	if h.nodes[key] == nil {
		h.nodes[key] = h.set.Build(&openapi3.SchemaRef{Value: s}, Root{Side: side, Path: "body", Add: func(*Clause) {}})
	}
	return h.nodes[key]
}
