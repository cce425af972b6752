package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Why a receiver may take what the document says should not be.
const (
	leaveReadOnly      = "OpenAPI 3.0.3, Schema Object, readOnly: it should not be sent in a request, and nothing says that it is refused"
	leaveWriteOnly     = "OpenAPI 3.0.3, Schema Object, writeOnly: it should not be sent in a response, which is no prohibition (RFC 2119)"
	leaveNullable      = "OpenAPI 3.0.3, Schema Object, nullable: it adds null to the type alone, but some read it as adding null to the whole schema"
	leaveNullable31    = "OpenAPI 3.1.1, Schema Object: it has no nullable, and a document that says so all the same means that of OpenAPI 3.0"
	leaveBesideRef     = "OpenAPI 3.0.3, Reference Object: what stands beside a $ref is ignored, but many a generator means it"
	leaveNull          = "OpenAPI 3.0.3, Schema Object, nullable: whether a schema without a type takes null is read one way and the other"
	leaveDescription   = "the description refers to an RFC, which may ask for more than the schema does"
	leaveHint          = "OpenAPI 3.1.1 §4.8.25: a discriminator is a hint, which does not change whether a value is valid"
	leaveShortcut      = "OpenAPI 3.1.0, Discriminator Object: it may shortcut validation, and the schema that it names takes the value"
	leaveDiscriminator = "OpenAPI 3.0.3, Discriminator Object: without oneOf or anyOf the schemas that a value may name are not listed"
)

func (n *Node) leaveDiscriminator() string {
	switch {
	case n.set.Document.Version31():
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
	return !n.set.Document.Version31() && len(n.Types()) == 0 && !slices.ContainsFunc(n.AllOf, refuses) &&
		(len(n.OneOf) == 0 || slices.ContainsFunc(n.OneOf, (*Node).MayTakeNull)) &&
		(len(n.AnyOf) == 0 || slices.ContainsFunc(n.AnyOf, (*Node).MayTakeNull))
}

// doubtfulNull reports whether some read the schema as refusing null and some as
// taking it.
func (n *Node) doubtfulNull() bool {
	saysSomething := len(n.Clauses) > 0 || len(n.children) > 0
	return saysSomething && !n.Schema.Nullable && !slices.Contains(n.Schema.Enum, nil) && n.MayTakeNull()
}

// leaveAbsent says why a member may be absent although it is required.
func (n *Node) leaveAbsent(path []string) string {
	if slices.ContainsFunc(n.places(path), (*Node).meantForOther) {
		return leaveBesideRef
	}
	return ""
}

// meantForOther reports whether a document says that a value is for the other side alone, where that
// is ignored.
func (n *Node) meantForOther() bool {
	return n.Side() == RequestSide && n.ignored.ReadOnly || n.Side() == ResponseSide && n.ignored.WriteOnly
}

// hinting reports whether the schema itself says what is no matter of the validator.
func (n *Node) hinting() bool {
	return n.Schema.Discriminator != nil || forOther(n.Schema, n.Side()) || n.Side() == RequestSide && n.set.contradicts(n.Schema)
}

// hinted returns what a value breaks of that which is no matter of the validator:
// discriminators, and what is for the other side alone.
func (n *Node) hinted(v any, subject string) []Violation {
	if !n.unrolled().heeds || !n.root.hints && !(n.root.nulls && hasNull(v)) {
		return nil
	}
	var broken []Violation
	Nodes{n}.visit(v, nil, func(m *Node, v any, path []string) bool {
		if m.heeds {
			if h, ok := m.hint(v, where(subject, path)); ok {
				broken = append(broken, h)
			}
		}
		return true
	}, func(m *Node) bool { return m.unrolled().heeds })
	return broken
}

// hasNull reports whether a value is null, or has one inside.
func hasNull(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(v, hasNull)
	case map[string]any:
		for _, member := range v {
			if hasNull(member) {
				return true
			}
		}
	}
	return false
}

func (n *Node) hint(v any, at string) (Violation, bool) {
	for keyword, side := range map[string]string{"readOnly": "a request", "writeOnly": "a response"} {
		if c := n.Clause(keyword); c != nil {
			return n.broken(c, keyword, at+": is in "+side, nil), true
		}
	}
	n = n.unrolled()
	if n.lacksFormat(v) {
		return Violation{Clause: n.Clause("format"), Message: at + ": not of the format " + n.Schema.Format, Leave: leaveContradiction}, true
	}
	if v == nil && n.doubtfulNull() {
		return Violation{Clause: n.nearest(nil), Message: at + ": is null", Leave: leaveNull}, true
	}
	if members, ok := v.(map[string]any); ok {
		if problem, leave := n.discriminated(members); problem != "" {
			return Violation{Clause: n.Clause("discriminator"), Message: at + ": " + problem, Leave: leave}, true
		}
	}
	return Violation{}, false
}

// discriminated says what is wrong with the name that an object gives to its
// schema, and what leaves that open; nothing where there is no discriminator, or no name to choose from.
func (n *Node) discriminated(members map[string]any) (problem, leave string) {
	d := n.Schema.Discriminator
	names := n.Discriminates()
	if d == nil || len(names) == 0 {
		return "", ""
	}
	v, there := members[d.PropertyName]
	name, isText := v.(string)
	_, hasDefault := d.Extensions["defaultMapping"] // OpenAPI 3.2.0, Discriminator Object
	leave = n.leaveDiscriminator()
	switch {
	case hasDefault && (!there || isText && !slices.Contains(names, name)):
		return "", ""
	case !there && len(n.OneOf)+len(n.AnyOf) == 0 && !n.Required[d.PropertyName]:
		return "", ""
	case !there:
		return d.PropertyName + ", which names the schema, is missing", leave
	case !isText:
		return d.PropertyName + ", which names the schema, is no string", leave
	case !slices.Contains(names, name):
		return d.PropertyName + " names no schema", leave
	}
	problem = "it is not valid against the schema that " + d.PropertyName + " names"
	if branch := n.Branch(name); branch != nil {
		if branch.Validates(members) != nil {
			return problem, leave
		}
		return "", ""
	}
	if heir := n.Heir(name); heir != nil && heir.Validates(members) != nil {
		return n.unlike(heir, members, problem, leave)
	}
	return "", ""
}

// unlike says how much it matters that an object breaks the schema that it names itself, which is made of the node's. In
// OpenAPI 3.0 the discriminator is "the name of the property that decides which schema definition validates the structure of the
// model" (OpenAPI 3.0.3, Schema Object, Composition and Inheritance): who answers with the name has to keep it. Who receives
// it may know no more than what all have in common.
func (n *Node) unlike(heir *Node, members map[string]any, problem, leave string) (string, string) {
	if n.Side() != ResponseSide || n.set.Document.Version31() {
		return problem, leave
	}
	for _, v := range heir.Check(members, "") {
		if v.Leave == "" {
			return problem + " (OpenAPI 3.0.3, Schema Object, Composition and Inheritance): " + v.Message, ""
		}
	}
	return problem, leave
}

const components = "#/components/schemas/"

// Discriminates returns the names that the discriminator of the schema takes,
// those of its mapping first; none where it has no discriminator, or the document does not say.
func (n *Node) Discriminates() []string {
	if n.Schema.Discriminator == nil {
		return nil
	}
	known := &n.set.discriminates
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
		heirs := n.set.heirs(n.Schema)
		if len(names) == 0 && len(heirs) < 2 {
			return nil
		}
		for _, name := range heirs {
			names[name] = true
			if azure := azureName(n.set.component(name)); azure != "" {
				names[azure] = true
			}
		}
	}
	mapped := slices.Sorted(maps.Keys(d.Mapping)) // what the document spells out comes first
	maps.DeleteFunc(names, func(name string, _ bool) bool { return slices.Contains(mapped, name) })
	return append(mapped, slices.Sorted(maps.Keys(names))...)
}

// NameDecides reports whether the branch of oneOf that the discriminator's value names
// decides in the place of all: in OpenAPI 3.0, where the name selects the schema (OpenAPI
// 3.0.3, Discriminator Object), that others take the value too is no fault.
func (n *Node) NameDecides() bool { return n.set.nameDecides(n.Schema) }

func (set *Set) nameDecides(s *openapi3.Schema) bool {
	of := selector{s}
	return s.Discriminator != nil && s.Discriminator.PropertyName != "" && len(s.OneOf) > 0 && !set.Document.Version31() &&
		!slices.ContainsFunc(s.OneOf, func(branch *openapi3.SchemaRef) bool { return len(of.namesOf(branch)) == 0 })
}

// selector is a schema with a discriminator.
type selector struct{ schema *openapi3.Schema }

// namesOf returns the names by which a branch is selected: those of the mapping,
// and the one of the component, which stands beside them (OpenAPI 3.0.3,
// Discriminator Object: "implicit or explicit mapping"), and those of the branches of
// a branch that goes by the same property. An inline branch has none, and a file only
// those of the mapping.
func (d selector) namesOf(branch *openapi3.SchemaRef) []string {
	names := d.namesIn(branch, nil)
	slices.Sort(names)
	return slices.Compact(names)
}

func (d selector) namesIn(branch *openapi3.SchemaRef, around []*openapi3.SchemaRef) []string {
	if branch.Ref == "" || len(around) > maxNested {
		return nil
	}
	var names []string
	if _, name, ok := strings.Cut(branch.Ref, components); ok && !strings.Contains(name, "/") {
		names = append(names, d.implicit(branch.Value, name)...)
	}
	for name, target := range d.schema.Discriminator.Mapping {
		if target.Ref == branch.Ref || components+target.Ref == branch.Ref {
			names = append(names, name)
		}
	}
	if inner := branch.Value; inner != nil && inner.Discriminator != nil && inner.Discriminator.PropertyName == d.schema.Discriminator.PropertyName {
		for _, ref := range slices.Concat(inner.OneOf, inner.AnyOf) {
			if !slices.Contains(around, ref) {
				names = append(names, selector{inner}.namesIn(ref, append(around, branch))...)
			}
		}
	}
	return names
}

// implicit is the name of a component, or what the branch itself says of the property where that leaves
// the name out: by both, nothing would be valid.
func (d selector) implicit(branch *openapi3.Schema, name string) []string {
	own := ownNames(branch, d.schema.Discriminator.PropertyName, 0)
	if len(own) == 0 || slices.Contains(own, name) {
		return []string{name}
	}
	return own
}

// ownNames lists the texts that a schema, or a part of its allOf, has for a property; none where it is
// open.
func ownNames(s *openapi3.Schema, property string, depth int) []string {
	if s == nil || depth > maxNested {
		return nil
	}
	var texts []string
	if p := s.Properties[property]; p != nil && p.Value != nil {
		for _, v := range append(slices.Clone(p.Value.Enum), p.Value.Const) {
			if text, ok := v.(string); ok {
				texts = append(texts, text)
			}
		}
	}
	for _, part := range s.AllOf {
		if len(texts) == 0 {
			texts = ownNames(part.Value, property, depth+1)
		}
	}
	return texts
}

// maxNested bounds how deep branches of branches are looked for.
const maxNested = 3

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

// shortcut says why several branches of a oneOf may take a value: its discriminator names one of them.
func (n *Node) shortcut(v any) string {
	members, _ := v.(map[string]any)
	if n == nil || members == nil || n.Schema.Discriminator == nil {
		return ""
	}
	name, _ := members[n.Schema.Discriminator.PropertyName].(string)
	branch := n.Branch(name)
	if branch == nil {
		branch = n.defaultBranch()
	}
	if branch == nil || branch.Validates(members) != nil {
		return ""
	}
	return leaveShortcut
}

// defaultBranch is the branch for a value that names none (OpenAPI 3.2.0, Discriminator Object,
// defaultMapping); nil where there is none.
func (n *Node) defaultBranch() *Node {
	target, _ := n.Schema.Discriminator.Extensions["defaultMapping"].(string)
	for i, ref := range n.Schema.OneOf {
		if i < len(n.OneOf) && ref.Ref != "" && (ref.Ref == target || ref.Ref == components+target) {
			return n.OneOf[i]
		}
	}
	return nil
}
