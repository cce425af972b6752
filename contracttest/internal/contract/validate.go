package contract

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Validates returns nil if a JSON value keeps every clause at and below the
// node, read as part of a request or of a response as the node is. The error
// says no more than that: a text for every branch tried would cost most of the
// time of a plan.
func (n *Node) Validates(v any) error {
	if number, ok := v.(json.Number); ok && n.beyond(number) != "" {
		return errBeyond
	}
	return n.op.Contract.keeps(n.side, n.Schema, v)
}

var errBeyond = errors.New("beyond a bound to the last digit")

func (c *Contract) keeps(side Side, s *openapi3.Schema, v any) error {
	if compiled := c.compiled(s); compiled != nil {
		return compiled.Validate(v)
	}
	return s.VisitJSON(v, visit(side, openapi3.FailFast())...)
}

var (
	asRequest = []openapi3.SchemaValidationOption{
		openapi3.VisitAsRequest(), openapi3.SetSchemaRegexCompiler(kinPattern),
		openapi3.WithStringFormatValidators(stringFormats), openapi3.WithNumberFormatValidators(numberFormats),
		openapi3.SetSchemaErrorMessageCustomizer(unworded),
	}
	asResponse = append([]openapi3.SchemaValidationOption{openapi3.VisitAsResponse()}, asRequest[1:]...)
)

// unworded is the text of an error for which kin-openapi would write out the
// schema and the value: that of oneOf asks each of its branches for it, whether
// somebody reads it or not.
func unworded(err *openapi3.SchemaError) string { return cmp.Or(err.Reason, err.SchemaField) }

// visit returns how values are judged by kin-openapi: by everything that the
// document says, formats too. What a receiver may leave unchecked is told
// later, by leaveOf.
func visit(side Side, more openapi3.SchemaValidationOption) []openapi3.SchemaValidationOption {
	opts := asRequest
	if side == ResponseSide {
		opts = asResponse
	}
	return append(opts[:len(opts):len(opts)], more)
}

// compiled returns the schema as the JSON Schema 2020-12 validator that
// kin-openapi uses for documents of OpenAPI 3.1 has it, compiled once (and not
// for each value, as kin-openapi does); nil for other documents, and where the
// schema cannot be compiled.
func (c *Contract) compiled(s *openapi3.Schema) *jsonschema.Schema {
	if !c.Doc.IsOpenAPI31OrLater() {
		return nil
	}
	return c.schemas2020.get(c, s)
}

// schemas2020 holds the schemas of a document of OpenAPI 3.1 as JSON Schema
// 2020-12, each under a URL of its own: an error then names the schema.
type schemas2020 struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	exactly  func(s *openapi3.Schema, keyword string) (json.Number, bool)
	exactAt  func(o *openapi3.Origin, field string) (any, bool)
	ids      map[*openapi3.Schema]int
	all      []*openapi3.Schema
	compiled map[*openapi3.Schema]*jsonschema.Schema
}

const schemeOfSchemas = "mem:///"

func (c *schemas2020) get(in *Contract, s *openapi3.Schema) *jsonschema.Schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	if done, ok := c.compiled[s]; ok {
		return done
	}
	if c.compiler == nil {
		c.compiled, c.ids = map[*openapi3.Schema]*jsonschema.Schema{}, map[*openapi3.Schema]int{}
		c.compiler, c.exactly, c.exactAt = jsonschema.NewCompiler(), in.document.Exactly, in.document.ExactAt
		c.compiler.DefaultDraft(jsonschema.Draft2020)
		c.compiler.UseRegexpEngine(leniently)
		c.compiler.UseLoader(c)
		c.compiler.AssertFormat()
		for _, name := range append([]string{"byte", "int32", "int64", "float"}, keys(formats)...) {
			c.compiler.RegisterFormat(&jsonschema.Format{Name: formatName(name), Validate: func(v any) error { return checkFormat(name, v) }})
		}
	}
	done, err := c.compiler.Compile(c.url(s))
	if err != nil {
		done = nil
	}
	c.compiled[s] = done
	return done
}

func (c *schemas2020) url(s *openapi3.Schema) string {
	id, ok := c.ids[s]
	if !ok {
		id = len(c.all)
		c.ids[s] = id
		c.all = append(c.all, s)
	}
	return schemeOfSchemas + strconv.Itoa(id)
}

// Load returns a schema by its URL, for the compiler.
func (c *schemas2020) Load(url string) (any, error) {
	s, _ := c.lookup(url) // the compiler runs while c is locked
	if s == nil {
		return nil, fmt.Errorf("no schema %s", url)
	}
	return c.document(s), nil
}

// named returns the schema that an error's URL is about, and the keyword whose
// value it is, where that is no schema of its own; nil for another URL.
func (c *schemas2020) named(location string) (s *openapi3.Schema, keyword string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lookup(location)
}

func (c *schemas2020) lookup(location string) (s *openapi3.Schema, keyword string) {
	rest, ours := strings.CutPrefix(location, schemeOfSchemas)
	name, fragment, _ := strings.Cut(rest, "#")
	id, err := strconv.Atoi(name)
	if !ours || err != nil || id < 0 || id >= len(c.all) {
		return nil, ""
	}
	if fragment, err = url.PathUnescape(fragment); err != nil {
		return c.all[id], ""
	}
	keyword, _, _ = strings.Cut(strings.TrimPrefix(fragment, "/"), "/")
	return c.all[id], keyword
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
func (c *schemas2020) document(s *openapi3.Schema) any {
	if s.Always != nil {
		return *s.Always
	}
	doc := map[string]any{}
	ref := func(r *openapi3.SchemaRef) any {
		if r == nil || r.Value == nil {
			return true
		}
		return map[string]any{"$ref": c.url(r.Value)}
	}
	one := func(keyword string, r *openapi3.SchemaRef) {
		if r != nil {
			doc[keyword] = ref(r)
		}
	}
	list := func(keyword string, refs openapi3.SchemaRefs) {
		if len(refs) == 0 {
			return
		}
		all := make([]any, len(refs))
		for i, r := range refs {
			all[i] = ref(r)
		}
		doc[keyword] = all
	}
	keyed := func(keyword string, refs openapi3.Schemas) {
		if len(refs) == 0 {
			return
		}
		all := map[string]any{}
		for name, r := range refs {
			all[name] = ref(r)
		}
		doc[keyword] = all
	}
	either := func(keyword string, has *bool, r *openapi3.SchemaRef) {
		one(keyword, r)
		if has != nil {
			doc[keyword] = *has
		}
	}
	set := func(keyword string, there bool, v any) {
		if there {
			doc[keyword] = v
		}
	}
	names := func(all []string) []any {
		out := make([]any, 0, len(all))
		seen := map[string]bool{}
		for _, name := range all {
			if !seen[name] {
				out = append(out, name)
			}
			seen[name] = true
		}
		return out
	}
	list("allOf", s.AllOf)
	list("anyOf", s.AnyOf)
	list("oneOf", s.OneOf)
	list("prefixItems", s.PrefixItems)
	for keyword, r := range map[string]*openapi3.SchemaRef{
		"not": s.Not, "if": s.If, "then": s.Then, "else": s.Else, "items": s.Items, "contains": s.Contains, "propertyNames": s.PropertyNames,
	} {
		one(keyword, r)
	}
	keyed("properties", s.Properties)
	keyed("patternProperties", s.PatternProperties)
	keyed("dependentSchemas", s.DependentSchemas)
	either("additionalProperties", s.AdditionalProperties.Has, s.AdditionalProperties.Schema)
	either("unevaluatedProperties", s.UnevaluatedProperties.Has, s.UnevaluatedProperties.Schema)
	either("unevaluatedItems", s.UnevaluatedItems.Has, s.UnevaluatedItems.Schema)
	set("type", len(s.Type.Slice()) > 0, names(s.Type.Slice()))
	set("enum", len(s.Enum) > 0, s.Enum)
	set("const", s.Const != nil, s.Const)
	for _, keyword := range []string{"enum", "const"} {
		if exact, ok := c.exactAt(s.Origin, keyword); ok && doc[keyword] != nil {
			doc[keyword] = exact
		}
	}
	set("format", s.Format != "", formatName(s.Format))
	set("pattern", s.Pattern != "", s.Pattern)
	set("required", len(s.Required) > 0, names(s.Required))
	set("uniqueItems", s.UniqueItems, true)
	for keyword, v := range map[string]*float64{
		"minimum": s.Min, "maximum": s.Max, "multipleOf": s.MultipleOf, "exclusiveMinimum": s.ExclusiveMin.Value, "exclusiveMaximum": s.ExclusiveMax.Value,
	} {
		if v == nil {
			continue
		}
		doc[keyword] = *v
		if exact, ok := c.exactly(s, keyword); ok {
			doc[keyword] = exact
		}
	}
	for keyword, v := range map[string]*uint64{
		"minLength": &s.MinLength, "maxLength": s.MaxLength, "minItems": &s.MinItems, "maxItems": s.MaxItems,
		"minProperties": &s.MinProps, "maxProperties": s.MaxProps, "minContains": s.MinContains, "maxContains": s.MaxContains,
	} {
		if v != nil {
			doc[keyword] = *v
		}
	}
	if len(s.DependentRequired) > 0 {
		all := map[string]any{}
		for name, others := range s.DependentRequired {
			all[name] = names(others)
		}
		doc["dependentRequired"] = all
	}
	return doc
}
