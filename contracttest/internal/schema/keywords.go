package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

func (n *Node) clause(keyword, field, text string) *Clause {
	c := &Clause{
		Name: n.root.Operation + "/" + n.Path + "/" + keyword, Operation: n.root.Operation, Side: n.Side(),
		Keyword: keyword, Text: text, Place: document.At(n.Schema.Origin, n.Pointer, field), Value: n.value,
		Narrowed: n.narrowed(),
	}
	if n.quiet {
		return c
	}
	n.Clauses.put(keyword, c)
	n.set.count++
	n.root.Add(c)
	return c
}

// narrowed says why what the schema takes may be refused: what it describes, or what it is a
// part of, is defined elsewhere, as a JSON Patch is, of which each operation has members of its own;
// or it is meant for the other side.
func (n *Node) narrowed() string {
	for m, i := n, 0; m != nil && i < 2; m, i = m.Parent, i+1 {
		if strings.Contains(m.Schema.Description, "RFC ") {
			return leaveDescription
		}
		if m.meantForOther() {
			return leaveBesideRef
		}
	}
	return ""
}

// keywords makes the clauses of the schema's own keywords, in a fixed order.
// What stands inside other schemas (items, prefixItems, then, …) is clauses of
// their nodes.
func (n *Node) keywords() {
	if n.quiet {
		return
	}
	if always := n.Schema.Always; always != nil {
		if !*always {
			n.clause("false", "", n.Subject+" is not there: nothing is valid")
		}
		return
	}
	n.typeClause()
	n.ofValues()
	n.ofStrings()
	n.ofNumbers()
	n.ofArrays()
	n.ofObjects()
	n.ofComposition()
	n.ofAnnotations()
}

func (n *Node) is(format string, args ...any) string {
	return n.Subject + " " + fmt.Sprintf(format, args...)
}

func (n *Node) typeClause() {
	if types := n.Types(); len(types) > 0 {
		n.clause("type", "type", n.is("is %s", article(strings.Join(types, " or "))))
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

func (n *Node) ofValues() {
	if len(n.Schema.Enum) > 0 {
		field := "enum"
		if document.IsNullConst(n.Schema) {
			field = "const" // of null
		}
		n.clause("enum", field, n.is("is one of %s", listed(n.Schema.Enum)))
	}
	if n.Schema.Const != nil {
		n.clause("const", "const", n.is("is %s", listed([]any{n.Schema.Const})))
	}
}

func (n *Node) ofStrings() {
	s := n.Schema
	if s.MinLength > 0 {
		n.clause("minLength", "minLength", n.is("has at least %s", plural(s.MinLength, "character")))
	}
	if s.MaxLength != nil {
		n.clause("maxLength", "maxLength", n.is("has at most %s", plural(*s.MaxLength, "character")))
	}
	if s.Pattern != "" {
		c := n.clause("pattern", "pattern", n.is("matches %s", s.Pattern))
		if _, err := pattern.Compile(s.Pattern); err != nil {
			c.Unplanned = "the pattern cannot be used: " + err.Error()
		}
	}
	if s.Format != "" {
		c := n.clause("format", "format", n.is("has the format %s", s.Format))
		if c.Unplanned, c.Vacuous = n.unchecked(); n.set.contradicts(s) {
			c.Unplanned = "no text is known that has both the format and the pattern"
			n.set.Document.Warn(c.Place, "format ignored: no text is known that has both the format %s and the pattern %s", s.Format, s.Pattern)
		}
	}
}

func (n *Node) ofNumbers() {
	s := n.Schema
	if s.Min != nil {
		word := "at least"
		if s.ExclusiveMin.IsTrue() {
			word = "more than"
		}
		n.clause("minimum", "minimum", n.is("is %s %v", word, n.number("minimum", *s.Min)))
	}
	if s.Max != nil {
		word := "at most"
		if s.ExclusiveMax.IsTrue() {
			word = "less than"
		}
		n.clause("maximum", "maximum", n.is("is %s %v", word, n.number("maximum", *s.Max)))
	}
	if v := s.ExclusiveMin.Value; v != nil {
		n.clause("exclusiveMinimum", "exclusiveMinimum", n.is("is more than %v", n.number("exclusiveMinimum", *v)))
	}
	if v := s.ExclusiveMax.Value; v != nil {
		n.clause("exclusiveMaximum", "exclusiveMaximum", n.is("is less than %v", n.number("exclusiveMaximum", *v)))
	}
	if s.MultipleOf != nil {
		n.clause("multipleOf", "multipleOf", n.is("is a multiple of %v", *s.MultipleOf))
	}
}

// number is what a keyword says, to the last digit.
func (n *Node) number(keyword string, v float64) any {
	if exact, ok := n.Exactly(keyword); ok {
		return exact
	}
	return v
}

func (n *Node) ofArrays() {
	s := n.Schema
	if s.MinItems > 0 {
		n.clause("minItems", "minItems", n.is("has at least %s", plural(s.MinItems, "item")))
	}
	if s.MaxItems != nil {
		n.clause("maxItems", "maxItems", n.is("has at most %s", plural(*s.MaxItems, "item")))
	}
	if s.UniqueItems {
		n.clause("uniqueItems", "uniqueItems", n.is("has no item twice"))
	}
	if s.Contains != nil {
		least := uint64(1)
		if s.MinContains != nil {
			least = *s.MinContains
		}
		c := n.clause("contains", "contains", n.is("has at least %s of the kind that it has to contain", plural(least, "item")))
		if least == 0 {
			c.Unplanned, c.Vacuous = "minContains is 0: contains asks for nothing (JSON Schema Validation §6.4.5)", true
		}
		if s.MaxContains != nil {
			n.clause("maxContains", "maxContains", n.is("has at most %s of the kind that it has to contain", plural(*s.MaxContains, "item")))
		}
	}
	if has := s.UnevaluatedItems.Has; has != nil && !*has {
		n.clause("unevaluatedItems", "unevaluatedItems", n.is("has no other items than those that some schema describes"))
	}
}

func (n *Node) ofObjects() {
	s := n.Schema
	if s.MinProps > 0 {
		n.clause("minProperties", "minProperties", n.is("has at least %s", plural(s.MinProps, "property")))
	}
	if s.MaxProps != nil {
		n.clause("maxProperties", "maxProperties", n.is("has at most %s", plural(*s.MaxProps, "property")))
	}
	if has := s.AdditionalProperties.Has; has != nil && !*has {
		n.clause("additionalProperties", "additionalProperties", n.is("has no other properties than those documented"))
	} else if n.mayHaveMore() && s.Extensions[document.FormFields] == nil {
		n.clause("additionalProperties", "additionalProperties", n.is("may have further properties")).Permits = true
	}
	if s.PropertyNames != nil {
		n.clause("propertyNames", "propertyNames", n.is("has only properties whose names are valid"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentRequired)) {
		if others := s.DependentRequired[name]; len(others) > 0 {
			c := n.clause("dependentRequired/"+name, "dependentRequired", n.is("has %s where it has %s", strings.Join(others, " and "), name))
			c.Name = fmt.Sprintf("%s/%s/%s/dependentRequired", n.root.Operation, n.Path, document.Escape(name))
			c.Keyword = "dependentRequired"
		}
	}
	if has := s.UnevaluatedProperties.Has; has != nil && !*has {
		n.clause("unevaluatedProperties", "unevaluatedProperties", n.is("has no other properties than those that some schema describes"))
	}
}

// mayHaveMore reports whether a request may have properties in the object that
// the document does not name, as far as one schema can say.
func (n *Node) mayHaveMore() bool {
	s := n.Schema
	return n.Side() == RequestSide && n.Allows("object") && (s.Type != nil || len(s.Properties) > 0) &&
		s.AdditionalProperties.Schema == nil && len(s.AllOf)+len(s.OneOf)+len(s.AnyOf) == 0 &&
		s.UnevaluatedProperties.Has == nil && s.UnevaluatedProperties.Schema == nil
}

func (n *Node) ofComposition() {
	s := n.Schema
	if len(s.OneOf) > 0 {
		n.clause("oneOf", "oneOf", n.is("is valid against exactly one of %s", plural(uint64(len(s.OneOf)), "schema")))
	}
	if len(s.AnyOf) > 0 {
		n.clause("anyOf", "anyOf", n.is("is valid against at least one of %s", plural(uint64(len(s.AnyOf)), "schema")))
	}
	if s.Not != nil {
		n.clause("not", "not", n.is("is not valid against the schema of not"))
	}
	if d := s.Discriminator; d != nil && d.PropertyName != "" {
		n.clause("discriminator", "discriminator", n.is("names its schema in %s", d.PropertyName))
	}
	if s.DynamicRef != "" {
		n.clause("$dynamicRef", "", n.is("keeps what %s refers to", s.DynamicRef)).Unplanned = "a $dynamicRef is not followed: kin-openapi does not resolve it"
	}
}

// ofAnnotations names the keywords that tell a reader something, but refuse no
// value (JSON Schema Validation §8.1).
func (n *Node) ofAnnotations() {
	s := n.Schema
	for _, a := range []struct {
		keyword string
		has     bool
	}{
		{"contentEncoding", s.ContentEncoding != ""}, {"contentMediaType", s.ContentMediaType != ""}, {"contentSchema", s.ContentSchema != nil},
	} {
		switch {
		case !a.has:
		case n.root.Content && holdsJSON(s): // which an encoding is not beside
			n.clause(a.keyword, a.keyword, n.is("holds JSON that keeps its %s", a.keyword))
		default:
			n.clause(a.keyword, a.keyword, n.is("has the %s that is documented", a.keyword)).Unplanned = "an annotation, which refuses no value (JSON Schema Validation §8.1)"
		}
	}
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

func plural(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "y") {
		what = strings.TrimSuffix(what, "y") + "ie"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// listed writes values as JSON, the first few of them.
func listed(values []any) string {
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

// Exactly returns a bound of the node's schema to the last digit, where the double in the
// schema is another.
func (n *Node) Exactly(keyword string) (json.Number, bool) {
	return n.set.Document.Exactly(n.Schema, keyword)
}

// Count writes a number with what it counts, in the plural where it is not one.
func Count(n int, what string) string { return plural(uint64(max(n, 0)), what) }
