package contract

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Why a receiver may take what the document says should not be.
const (
	leaveReadOnly      = "OpenAPI 3.0.3, Schema Object, readOnly: it should not be sent in a request, and nothing says that it is refused"
	leaveWriteOnly     = "OpenAPI 3.0.3, Schema Object, writeOnly: it should not be sent in a response, which is no prohibition (RFC 2119)"
	leaveNullable      = "OpenAPI 3.0.3, Schema Object, nullable: it adds null to the type alone, but some read it as adding null to the whole schema"
	leaveNull          = "OpenAPI 3.0.3, Schema Object, nullable: whether a schema without a type takes null is read one way and the other"
	leaveHint          = "OpenAPI 3.1.1 §4.8.25: a discriminator is a hint, which does not change whether a value is valid"
	leaveDiscriminator = "OpenAPI 3.0.3, Discriminator Object: without oneOf or anyOf the schemas that a value may name are not listed"
)

func (n *Node) leaveDiscriminator() string {
	switch {
	case n.op.Contract.Doc.IsOpenAPI31OrLater():
		return leaveHint
	case len(n.OneOf)+len(n.AnyOf) == 0:
		return leaveDiscriminator
	}
	return ""
}

// MayTakeNull reports whether a schema of OpenAPI 3.0 may be read to take null,
// by having no type.
func (n *Node) MayTakeNull() bool {
	refuses := func(part *Node) bool { return !part.MayTakeNull() }
	return !n.op.Contract.Doc.IsOpenAPI31OrLater() && len(n.Types()) == 0 && !slices.ContainsFunc(n.AllOf, refuses) &&
		(len(n.OneOf) == 0 || slices.ContainsFunc(n.OneOf, (*Node).MayTakeNull)) &&
		(len(n.AnyOf) == 0 || slices.ContainsFunc(n.AnyOf, (*Node).MayTakeNull))
}

// doubtfulNull reports whether some read the schema as refusing null and some as
// taking it.
func (n *Node) doubtfulNull() bool {
	saysSomething := len(n.Clauses) > 0 || len(n.children()) > 0
	return saysSomething && !n.Schema.Nullable && n.MayTakeNull()
}

// hinted returns what a value breaks of that which is no matter of the validator:
// discriminators, and what is for the other side alone.
func (n *Node) hinted(v any, path []string, subject string) []Violation {
	if !n.hints && !n.Recursive {
		return nil
	}
	if n.Recursive {
		n = n.Whole()
	}
	var broken []Violation
	below := func(child *Node, v any, step string) {
		broken = append(broken, child.hinted(v, append(path[:len(path):len(path)], step), subject)...)
	}
	for _, part := range n.AllOf {
		broken = append(broken, part.hinted(v, path, subject)...)
	}
	for _, branch := range slices.Concat(n.OneOf, n.AnyOf) {
		// Most often there is nothing, and no need to know whether the branch is meant.
		if below := branch.hinted(v, path, subject); len(below) > 0 && branch.Validates(v) == nil {
			broken = append(broken, below...)
		}
	}
	switch v := v.(type) {
	case nil:
		if n.doubtfulNull() {
			broken = append(broken, Violation{Clause: n.nearest(nil), Message: where(subject, path) + ": is null", Leave: leaveNull})
		}
	case []any:
		for i, item := range v {
			switch {
			case i < len(n.PrefixItems):
				below(n.PrefixItems[i], item, strconv.Itoa(i))
			case n.Items != nil:
				below(n.Items, item, strconv.Itoa(i))
			}
		}
	case map[string]any:
		if problem := n.discriminated(v); problem != "" {
			broken = append(broken, n.broken(n.Clause("discriminator"), "discriminator", where(subject, path)+": "+problem, nil))
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			child := n.Additional
			for _, p := range n.Props {
				if p.PropName == name {
					child = p
				}
			}
			if child == nil {
				continue
			}
			for keyword, side := range map[string]string{"readOnly": "is in a request", "writeOnly": "is in a response"} {
				if c := child.Clause(keyword); c != nil {
					broken = append(broken, child.broken(c, keyword, where(subject, append(path[:len(path):len(path)], name))+": "+side, nil))
				}
			}
			below(child, v[name], name)
		}
	}
	return broken
}

// discriminated says what is wrong with the name that an object gives to its
// schema; nothing where there is no discriminator, or no name to choose from.
func (n *Node) discriminated(members map[string]any) string {
	d := n.Schema.Discriminator
	names := n.Discriminates()
	if d == nil || len(names) == 0 {
		return ""
	}
	v, there := members[d.PropertyName]
	name, isText := v.(string)
	switch {
	case !there && len(n.OneOf)+len(n.AnyOf) == 0 && !n.Required[d.PropertyName]:
		return ""
	case !there:
		return d.PropertyName + ", which names the schema, is missing"
	case !isText:
		return d.PropertyName + ", which names the schema, is no string"
	case !slices.Contains(names, name):
		return d.PropertyName + " names no schema"
	}
	if branch := n.Branch(name); branch != nil && branch.Validates(members) != nil {
		return "it is not valid against the schema that " + d.PropertyName + " names"
	}
	return ""
}

const components = "#/components/schemas/"

// Discriminates returns the names that the discriminator of the schema takes,
// in order; none where it has no discriminator, or the document does not say.
func (n *Node) Discriminates() []string {
	if n.Schema.Discriminator == nil {
		return nil
	}
	known := &n.op.Contract.discriminates
	if names, ok := known.Load(n.Schema); ok {
		return names.([]string) //nolint:forcetypeassert // nothing else is stored
	}
	names := slices.Clip(n.names())
	known.Store(n.Schema, names)
	return names
}

func (n *Node) names() []string {
	d := n.Schema.Discriminator
	if d.PropertyName == "" {
		return nil
	}
	names := map[string]bool{}
	for name := range d.Mapping {
		names[name] = true
	}
	branches := slices.Concat(n.Schema.OneOf, n.Schema.AnyOf)
	of := selector{n.Schema}
	for _, ref := range branches {
		implicit := of.namesOf(ref)
		if len(implicit) == 0 {
			return nil // a branch without a name: the value may be one of it
		}
		for _, name := range implicit {
			names[name] = true
		}
	}
	if len(branches) == 0 {
		heirs := n.op.Contract.heirs(n.Schema)
		if len(names) == 0 && len(heirs) < 2 {
			return nil
		}
		for _, name := range heirs {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// selector is a schema with a discriminator.
type selector struct{ schema *openapi3.Schema }

// namesOf returns the names by which a branch is selected: those of the mapping,
// and the one of the component, which stands beside them (OpenAPI 3.0.3,
// Discriminator Object: "implicit or explicit mapping"). An inline branch has none.
func (d selector) namesOf(branch *openapi3.SchemaRef) []string {
	if branch.Ref == "" {
		return nil
	}
	names := []string{branch.Ref[strings.LastIndexByte(branch.Ref, '/')+1:]}
	for name, target := range d.schema.Discriminator.Mapping {
		if target.Ref == branch.Ref || components+target.Ref == branch.Ref {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Branch returns the branch of oneOf or anyOf that the discriminator's value
// names, or nil.
func (n *Node) Branch(name string) *Node {
	if n.Schema.Discriminator == nil {
		return nil
	}
	of := selector{n.Schema}
	for i, ref := range n.Schema.OneOf {
		if i < len(n.OneOf) && slices.Contains(of.namesOf(ref), name) {
			return n.OneOf[i]
		}
	}
	for i, ref := range n.Schema.AnyOf {
		if i < len(n.AnyOf) && slices.Contains(of.namesOf(ref), name) {
			return n.AnyOf[i]
		}
	}
	return nil
}

// heirs names the schemas of the document that are made of one by allOf, and
// that one.
func (c *Contract) heirs(s *openapi3.Schema) []string {
	if c.Doc.Components == nil {
		return nil
	}
	c.heirsOnce.Do(func() {
		c.heirNames = map[*openapi3.Schema][]string{}
		for _, name := range slices.Sorted(maps.Keys(c.Doc.Components.Schemas)) {
			ref := c.Doc.Components.Schemas[name]
			if ref == nil || ref.Value == nil {
				continue
			}
			c.heirNames[ref.Value] = append(c.heirNames[ref.Value], name)
			for _, part := range ref.Value.AllOf {
				if part.Ref != "" {
					c.heirNames[part.Value] = append(c.heirNames[part.Value], name)
				}
			}
		}
	})
	return c.heirNames[s]
}
