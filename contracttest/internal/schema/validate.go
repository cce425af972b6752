package schema

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/dataarts-go/factory/internal/mediatype"
)

// Validates returns nil if a JSON value keeps every clause at and below the
// node, read as part of a request or of a response as the node is. The error
// says no more than that: a text for every branch tried would cost most of the
// time of a plan.
func (n *Node) Validates(v any) error { return n.compiled().keeps(v) }

var errBroken = errors.New("the value breaks its schema")

// Keeps returns nil if a JSON value is valid against a schema of the document, as one
// side of an exchange has it.
func (set *Set) Keeps(side Side, s *openapi3.Schema, v any) error {
	return set.validators.get(variant{schema: s, side: side}).keeps(v)
}

// compiled is the validator of a node.
func (n *Node) compiled() *compilation {
	return n.set.validators.get(variant{schema: n.Schema, side: n.Side(), content: n.root.Content})
}

func (compiled *compilation) keeps(v any) error {
	if compiled.err != nil {
		return compiled.err
	}
	if !compiled.takes(v) {
		return errBroken
	}
	return nil
}

// takes reports whether a value is valid.
func (compiled *compilation) takes(v any) bool {
	if sure := quickly(compiled.schema, v); sure != unsure {
		return sure == taken
	}
	// What not refuses is valid: the validator ends at the first fault there, and
	// describes none.
	return compiled.not.Validate(v) != nil
}

// Reason says in one line what a value breaks first.
func (set *Set) Reason(s *openapi3.Schema, v any) string {
	compiled := set.validators.get(variant{schema: s, side: RequestSide})
	if compiled.err != nil {
		return compiled.err.Error()
	}
	broken, ok := errors.AsType[*jsonschema.ValidationError](compiled.schema.Validate(v))
	if !ok {
		return ""
	}
	broken = leaf(broken)
	text := broken.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	if len(broken.InstanceLocation) > 0 {
		text = where("", broken.InstanceLocation) + ": " + text
	}
	return text
}

// leaf is what is wrong first.
func leaf(err *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(err.Causes) > 0 {
		err = err.Causes[0]
	}
	return err
}

// validators holds the schemas of a document as JSON Schema 2020-12, each under
// a URL of its own: an error then names the schema. A schema of OpenAPI 3.0 is
// translated, so that one validator judges all documents.
type validators struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	set      *Set
	ids      map[variant]int
	all      []variant
	compiled map[variant]*compilation
	direct   map[*jsonschema.Schema]bool // those in which no reference stands for a schema
}

type compilation struct {
	schema *jsonschema.Schema
	not    *jsonschema.Schema // of schema
	err    error
}

// variant is a schema as one side of an exchange has it. What is required of it
// depends on the side: a request need not have what is readOnly, a response not
// what is writeOnly (OpenAPI 3.0.3, Schema Object; JSON Schema Validation 2020-12
// §9.4 leaves it open).
type variant struct {
	schema *openapi3.Schema
	side   Side
	// exempt lists the names, joined by NUL, that schemas around this one, for the same
	// value, make readOnly or writeOnly.
	exempt string
	// content is set where contentMediaType and contentSchema are assertions.
	content bool
}

const schemeOfSchemas = "mem:///"

func (c *validators) get(key variant) *compilation {
	if !c.set.Document.OneSided {
		key.side = RequestSide
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	done := c.compiled[key]
	if done != nil {
		return done
	}
	if c.compiler == nil {
		c.start()
	}
	done = &compilation{}
	if done.schema, done.err = c.compiler.Compile(c.url(key)); done.err != nil {
		done.err = fmt.Errorf("the schema cannot be compiled: %w", done.err)
	} else {
		done.schema = c.follow(done.schema)
		done.not = &jsonschema.Schema{Location: done.schema.Location, DraftVersion: done.schema.DraftVersion, Not: done.schema}
	}
	c.compiled[key] = done
	return done
}

// follow puts, in place of each reference inside a compiled schema, what it refers to: each
// subschema is written as one, and a branch of oneOf is left twice as fast without it. Whatever a
// validation of the schema may come to is followed before the first one: others that are compiled later
// may have it too, and it must not be written then.
func (c *validators) follow(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil || c.direct[s] {
		return s
	}
	if s.Ref != nil {
		return c.follow(s.Ref)
	}
	c.direct[s] = true
	for _, at := range []**jsonschema.Schema{
		&s.Not, &s.If, &s.Then, &s.Else, &s.Items2020, &s.Contains, &s.PropertyNames, &s.UnevaluatedProperties, &s.UnevaluatedItems, &s.ContentSchema,
	} {
		*at = c.follow(*at)
	}
	for _, all := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		for i := range all {
			all[i] = c.follow(all[i])
		}
	}
	for _, all := range []map[string]*jsonschema.Schema{s.Properties, s.DependentSchemas} {
		for name := range all {
			all[name] = c.follow(all[name])
		}
	}
	for expr := range s.PatternProperties {
		s.PatternProperties[expr] = c.follow(s.PatternProperties[expr])
	}
	if others, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		s.AdditionalProperties = c.follow(others)
	}
	if s.DynamicRef != nil {
		c.follow(s.DynamicRef.Ref) // it stays: which schema it is depends on those around it
	}
	return s
}

func (c *validators) start() {
	c.direct = map[*jsonschema.Schema]bool{}
	c.compiled, c.ids = map[variant]*compilation{}, map[variant]int{}
	c.compiler = jsonschema.NewCompiler()
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.UseRegexpEngine(leniently)
	c.compiler.UseLoader(c)
	c.compiler.AssertFormat()
	c.compiler.AssertContent() // of the schemas that have it written
	for _, name := range slices.Concat(calculated, keys(formats), keys(c.set.Formats)) {
		c.compiler.RegisterFormat(&jsonschema.Format{Name: formatName(name), Validate: func(v any) error { return c.set.check(name, v) }})
	}
}

func (c *validators) url(key variant) string {
	id, ok := c.ids[key]
	if !ok {
		id = len(c.all)
		c.ids[key] = id
		c.all = append(c.all, key)
	}
	return schemeOfSchemas + strconv.Itoa(id)
}

// Load returns a schema by its URL, for the compiler.
func (c *validators) Load(url string) (any, error) {
	key, _, ok := c.lookup(url) // the compiler runs while c is locked
	if !ok {
		return nil, fmt.Errorf("no schema %s", url)
	}
	return c.document(key), nil
}

// named returns the schema that an error's URL is about, and the keyword whose
// value it is, where that is no schema of its own; nil for another URL.
func (c *validators) named(location string) (s *openapi3.Schema, keyword string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key, keyword, _ := c.lookup(location)
	return key.schema, keyword
}

func (c *validators) lookup(location string) (key variant, keyword string, ok bool) {
	rest, ours := strings.CutPrefix(location, schemeOfSchemas)
	name, fragment, _ := strings.Cut(rest, "#")
	id, err := strconv.Atoi(name)
	if !ours || err != nil || id < 0 || id >= len(c.all) {
		return variant{}, "", false
	}
	if fragment, err = url.PathUnescape(fragment); err != nil {
		return c.all[id], "", true
	}
	keyword, _, _ = strings.Cut(strings.TrimPrefix(fragment, "/"), "/")
	return c.all[id], keyword, true
}

// formatName is what a format is called in a document for the validator, which
// has one of its own that cannot be replaced.
func formatName(name string) string {
	if name == "regex" {
		return "ecma-regex"
	}
	return name
}

// document writes a schema in JSON Schema 2020-12, other schemas as references.
func (c *validators) document(key variant) any {
	s := key.schema
	if s.Always != nil {
		return *s.Always
	}
	w := &schemaWriter{c: c, key: key, doc: map[string]any{}}
	w.exempt(s)
	w.applicators(s)
	w.values(s)
	w.bounds(s)
	return w.doc
}

// schemaWriter writes one schema.
type schemaWriter struct {
	c   *validators
	key variant
	doc map[string]any
	// The names that need not be there: for the parts of allOf, which see all that is
	// said of the value, and for branches, which may not apply.
	whole, branch string
}

// exempt finds the names that the side need not have although they are required.
func (w *schemaWriter) exempt(s *openapi3.Schema) {
	w.whole, w.branch = w.key.exempt, w.key.exempt
	if !w.c.set.Document.OneSided {
		return
	}
	names := map[string]bool{}
	inPlaceSchemas(s, true, func(part *openapi3.Schema) {
		for _, name := range part.Required {
			names[name] = true
		}
		for _, others := range part.DependentRequired {
			for _, name := range others {
				names[name] = true
			}
		}
	})
	inherited := strings.Split(w.key.exempt, "\x00")
	list := func(branches bool) string {
		all := slices.Clone(inherited)
		for name := range names {
			if oneSided(s, name, w.key.side, branches) {
				all = append(all, name)
			}
		}
		slices.Sort(all)
		return strings.Join(slices.Compact(all), "\x00")
	}
	w.whole, w.branch = list(true), list(false)
}

// inPlaceSchemas calls f for a schema and those that are about the same value: the
// parts of allOf, and the branches too where they are wanted.
func inPlaceSchemas(s *openapi3.Schema, branches bool, f func(*openapi3.Schema)) {
	seen := map[*openapi3.Schema]bool{}
	var visit func(s *openapi3.Schema)
	visit = func(s *openapi3.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		f(s)
		for _, a := range applicators {
			if a.about == Itself && (a.force == Always || branches && a.force != Indirect) {
				a.each(s, func(sub subschema) {
					if sub.ref != nil {
						visit(sub.ref.Value)
					}
				})
			}
		}
	}
	visit(s)
}

// oneSided reports whether a property is for the other side alone: readOnly is not
// for requests, writeOnly not for responses. One mark is enough, wherever it
// stands (JSON Schema Validation 2020-12 §9.4).
func oneSided(s *openapi3.Schema, name string, side Side, branches bool) bool {
	marked, rest, spoken := false, false, false
	inPlaceSchemas(s, branches, func(part *openapi3.Schema) {
		for _, member := range membersOf(part, name) {
			marked, spoken = marked || forOther(member, side), true
		}
		if others := part.UnevaluatedProperties.Schema; others != nil && others.Value != nil {
			rest = rest || forOther(others.Value, side)
		}
	})
	return marked || rest && !spoken // unevaluatedProperties is for those that nothing else speaks of
}

// forOther reports whether a value is for the other side of an exchange alone.
func forOther(s *openapi3.Schema, side Side) bool {
	marked := false
	inPlaceSchemas(s, true, func(part *openapi3.Schema) {
		marked = marked || side == RequestSide && part.ReadOnly || side == ResponseSide && part.WriteOnly
	})
	return marked
}

// membersOf returns the schemas by which a schema speaks of a member.
func membersOf(s *openapi3.Schema, name string) []*openapi3.Schema {
	var all []*openapi3.Schema
	add := func(ref *openapi3.SchemaRef) {
		if ref != nil && ref.Value != nil {
			all = append(all, ref.Value)
		}
	}
	_, named := s.Properties[name]
	add(s.Properties[name])
	for key, ref := range s.PatternProperties {
		if re, err := leniently(key); err == nil && re.MatchString(name) {
			named = true
			add(ref)
		}
	}
	if !named {
		add(s.AdditionalProperties.Schema)
	}
	return all
}

func (w *schemaWriter) ref(r *openapi3.SchemaRef, exempt string) any {
	if r == nil || r.Value == nil {
		return true
	}
	return map[string]any{"$ref": w.c.url(variant{r.Value, w.key.side, exempt, w.key.content})}
}

func (w *schemaWriter) applicators(s *openapi3.Schema) {
	for _, a := range applicators {
		exempt := ""
		switch {
		case a.about == Itself && a.force == Always:
			exempt = w.whole
		case a.about == Itself:
			exempt = w.branch
		}
		var list []any
		named := map[string]any{}
		a.each(s, func(sub subschema) {
			ref := w.ref(sub.ref, exempt)
			switch sub.held {
			case holdsOne:
				w.doc[a.keyword] = ref
			case holdsList:
				list = append(list, ref)
				w.doc[a.keyword] = list
			case holdsMap:
				named[sub.key] = ref
				w.doc[a.keyword] = named
			}
		})
	}
	for keyword, b := range map[string]openapi3.BoolSchema{
		"additionalProperties": s.AdditionalProperties, "unevaluatedProperties": s.UnevaluatedProperties, "unevaluatedItems": s.UnevaluatedItems,
	} {
		if b.Has != nil {
			w.doc[keyword] = *b.Has
		}
	}
	w.discriminator(s)
}

// discriminator lets the named branch of oneOf decide, where it does.
func (w *schemaWriter) discriminator(s *openapi3.Schema) {
	branches, ok := w.doc["oneOf"].([]any)
	if !ok || !w.c.set.nameDecides(s) {
		return
	}
	for i, ref := range s.OneOf {
		branches[i] = map[string]any{"allOf": []any{branches[i], map[string]any{"properties": map[string]any{
			s.Discriminator.PropertyName: map[string]any{"enum": distinct(selector{s}.namesOf(ref))},
		}}}}
	}
}

// values writes the keywords that compare with values or types.
func (w *schemaWriter) values(s *openapi3.Schema) {
	// A type that does not exist is told as a fault of the document.
	types := slices.DeleteFunc(slices.Clone(s.Type.Slice()), func(name string) bool { return !slices.Contains(AllTypes, name) })
	if len(types) > 0 {
		if s.Nullable && !w.c.set.Document.Version31() {
			types = append(types, "null")
		}
		w.doc["type"] = distinct(types)
	}
	if len(s.Enum) > 0 {
		w.doc["enum"] = s.Enum
	}
	if s.Const != nil {
		w.doc["const"] = s.Const
	}
	for _, keyword := range []string{"enum", "const"} {
		if exact, ok := w.c.set.Document.ExactAt(s.Origin, keyword); ok && w.doc[keyword] != nil {
			w.doc[keyword] = exact
		}
	}
	if s.Format != "" && !w.c.set.contradicts(s) {
		// As a part of its own: the validator looks no further once a format is broken.
		parts, _ := w.doc["allOf"].([]any)
		w.doc["allOf"] = append(parts, map[string]any{"format": formatName(s.Format)})
	}
	if w.key.content && holdsJSON(s) {
		w.doc["contentMediaType"] = "application/json"
		if s.ContentSchema != nil && s.ContentSchema.Value != nil {
			w.doc["contentSchema"] = map[string]any{"$ref": w.c.url(variant{schema: s.ContentSchema.Value, side: w.key.side})}
		}
	}
	if s.Pattern != "" {
		w.doc["pattern"] = s.Pattern
	}
	if s.UniqueItems {
		w.doc["uniqueItems"] = true
	}
	exempt := strings.Split(w.whole, "\x00")
	needed := func(names []string) []any {
		return distinct(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(exempt, name) }))
	}
	if names := needed(s.Required); len(names) > 0 {
		w.doc["required"] = names
	}
	if len(s.DependentRequired) > 0 {
		all := map[string]any{}
		for name, others := range s.DependentRequired {
			all[name] = needed(others)
		}
		w.doc["dependentRequired"] = all
	}
}

// holdsJSON reports whether a text is JSON, as its schema says.
func holdsJSON(s *openapi3.Schema) bool {
	t, err := mediatype.Parse(s.ContentMediaType)
	return err == nil && t.JSON() && s.ContentEncoding == ""
}

// bounds writes the keywords that are numbers, to the last digit.
func (w *schemaWriter) bounds(s *openapi3.Schema) {
	minimum, maximum := "minimum", "maximum"
	number := func(as, keyword string, v *float64) {
		if v == nil {
			return
		}
		w.doc[as] = *v
		if exact, ok := w.c.set.Document.Exactly(s, keyword); ok {
			w.doc[as] = exact
		}
	}
	if s.ExclusiveMin.IsTrue() { // OpenAPI 3.0: it says how minimum is meant
		minimum = "exclusiveMinimum"
	}
	if s.ExclusiveMax.IsTrue() {
		maximum = "exclusiveMaximum"
	}
	number(minimum, "minimum", s.Min)
	number(maximum, "maximum", s.Max)
	number("exclusiveMinimum", "exclusiveMinimum", s.ExclusiveMin.Value)
	number("exclusiveMaximum", "exclusiveMaximum", s.ExclusiveMax.Value)
	if s.MultipleOf != nil && *s.MultipleOf > 0 { // else it is a fault of the document
		number("multipleOf", "multipleOf", s.MultipleOf)
	}
	for keyword, v := range map[string]*uint64{
		"minLength": &s.MinLength, "maxLength": s.MaxLength, "minItems": &s.MinItems, "maxItems": s.MaxItems,
		"minProperties": &s.MinProps, "maxProperties": s.MaxProps, "minContains": s.MinContains, "maxContains": s.MaxContains,
	} {
		if v != nil {
			w.doc[keyword] = *v
		}
	}
}

// distinct returns the different texts of a list, as values of JSON.
func distinct(all []string) []any {
	out := make([]any, 0, len(all))
	for _, text := range all {
		if !slices.Contains(out, any(text)) {
			out = append(out, text)
		}
	}
	return out
}
