package contract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// What a document is not valid in, kin-openapi says, but it looks at a schema
// again wherever it is referred to. Each schema is handed to it once here, without
// those inside it, and the rest of the document without its schemas.

// inspector goes through the schemas of a document, each once.
type inspector struct {
	c    *Contract
	seen map[*openapi3.Schema]bool
	put  []func() // back what was taken out
	opts []openapi3.ValidationOption
}

var nothing = &openapi3.SchemaRef{Value: &openapi3.Schema{}}

// inspect warns of what the document is not valid in. None of it keeps the rest
// from being used: what cannot be planned or judged for it is reported by clause.
func (c *Contract) inspect() {
	in := &inspector{c: c, seen: map[*openapi3.Schema]bool{}, opts: []openapi3.ValidationOption{
		openapi3.EnableMultiError(), openapi3.SetRegexCompiler(compilesStrictly), openapi3.DisableExamplesValidation(),
	}}
	if c.Doc.IsOpenAPI31OrLater() {
		in.opts = append(in.opts, openapi3.IsOpenAPI31OrLater())
	}
	in.document()
	for _, e := range parts(c.validity(in.opts)) {
		c.warnOnce(Place{Pointer: scope(e)}, e)
	}
	for _, put := range in.put {
		put()
	}
}

func (c *Contract) validity(opts []openapi3.ValidationOption) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("whether the document is valid cannot be said: %v", v)
		}
	}()
	return c.Doc.Validate(context.Background(), opts...)
}

func (c *Contract) warnOnce(place Place, err error) {
	text := oneLine(err.Error())
	if strings.HasSuffix(text, "extra sibling fields: [pathItems]") && c.Doc.IsOpenAPI31OrLater() {
		return // OpenAPI 3.1 has them, which the loader does not know
	}
	if !slices.ContainsFunc(c.faults, func(w warning) bool { return w.text == text && w.place.Pointer == place.Pointer }) {
		c.warn(place, "%s", text)
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (in *inspector) document() {
	doc := in.c.Doc
	if all := doc.Components; all != nil {
		for _, name := range sorted(all.Schemas) {
			in.schema(all.Schemas[name], "/components/schemas/"+escape(name))
		}
		schemas := all.Schemas
		all.Schemas = nil
		in.put = append(in.put, func() { all.Schemas = schemas })
		for _, name := range sorted(all.Parameters) {
			in.parameter(all.Parameters[name], "/components/parameters/"+escape(name))
		}
		in.headers(all.Headers, "/components/headers/")
		for _, name := range sorted(all.RequestBodies) {
			in.body(all.RequestBodies[name], "/components/requestBodies/"+escape(name))
		}
		for _, name := range sorted(all.Responses) {
			in.response(all.Responses[name], "/components/responses/"+escape(name))
		}
		in.callbacks(all.Callbacks, "/components/callbacks/")
	}
	for _, path := range sorted(doc.Paths.Map()) {
		in.pathItem(doc.Paths.Value(path), "/paths/"+escape(path))
	}
	for _, name := range sorted(doc.Webhooks) {
		in.pathItem(doc.Webhooks[name], "/webhooks/"+escape(name))
	}
}

func (in *inspector) pathItem(item *openapi3.PathItem, pointer string) {
	if item == nil {
		return
	}
	in.parameters(item.Parameters, pointer)
	operations := item.Operations()
	for _, method := range sorted(operations) {
		op, pointer := operations[method], pointer+"/"+strings.ToLower(method)
		in.parameters(op.Parameters, pointer)
		in.body(op.RequestBody, pointer+"/requestBody")
		for _, status := range sorted(op.Responses.Map()) {
			in.response(op.Responses.Value(status), pointer+"/responses/"+escape(status))
		}
		in.callbacks(op.Callbacks, pointer+"/callbacks/")
	}
}

func (in *inspector) callbacks(all openapi3.Callbacks, pointer string) {
	for _, name := range sorted(all) {
		if ref := all[name]; ref != nil && ref.Value != nil && ref.Ref == "" {
			for _, expr := range sorted(ref.Value.Map()) {
				in.pathItem(ref.Value.Value(expr), pointer+escape(name)+"/"+escape(expr))
			}
		}
	}
}

func (in *inspector) parameters(all openapi3.Parameters, pointer string) {
	for i, ref := range all {
		in.parameter(ref, pointer+"/parameters/"+strconv.Itoa(i))
	}
}

func (in *inspector) parameter(ref *openapi3.ParameterRef, pointer string) {
	if ref == nil || ref.Value == nil || ref.Ref != "" {
		return
	}
	p := ref.Value
	in.c.sharpenField(p.Origin, "example", &p.Example)
	in.examples(p.Schema, p.Example, p.Examples, pointer)
	in.take(&p.Schema, pointer+"/schema")
	in.content(p.Content, pointer)
}

func (in *inspector) headers(all openapi3.Headers, pointer string) {
	for _, name := range sorted(all) {
		if ref := all[name]; ref != nil && ref.Value != nil && ref.Ref == "" {
			in.c.sharpenField(ref.Value.Origin, "example", &ref.Value.Example)
			in.examples(ref.Value.Schema, ref.Value.Example, ref.Value.Examples, pointer+escape(name))
			in.take(&ref.Value.Schema, pointer+escape(name)+"/schema")
			in.content(ref.Value.Content, pointer+escape(name))
		}
	}
}

func (in *inspector) body(ref *openapi3.RequestBodyRef, pointer string) {
	if ref != nil && ref.Value != nil && ref.Ref == "" {
		in.content(ref.Value.Content, pointer)
	}
}

func (in *inspector) response(ref *openapi3.ResponseRef, pointer string) {
	if ref != nil && ref.Value != nil && ref.Ref == "" {
		in.headers(ref.Value.Headers, pointer+"/headers/")
		in.content(ref.Value.Content, pointer)
	}
}

func (in *inspector) content(content openapi3.Content, pointer string) {
	for _, key := range sorted(content) {
		if m := content[key]; m != nil {
			pointer := pointer + "/content/" + escape(key)
			in.c.sharpenField(m.Origin, "example", &m.Example)
			in.examples(m.Schema, m.Example, m.Examples, pointer)
			in.take(&m.Schema, pointer+"/schema")
		}
	}
}

// take inspects a schema and puts nothing in its place for the time being.
func (in *inspector) take(ref **openapi3.SchemaRef, pointer string) {
	old := *ref
	if old == nil || old == nothing {
		return
	}
	in.schema(old, pointer)
	if old.Value != nil { // what leads nowhere is told of
		*ref = nothing
		in.put = append(in.put, func() { *ref = old })
	}
}

func (in *inspector) examples(ref *openapi3.SchemaRef, example any, named openapi3.Examples, pointer string) {
	if ref == nil || ref.Value == nil {
		return
	}
	in.c.sharpen(ref.Value)
	in.example(ref.Value, example, pointer, "example")
	for _, name := range sorted(named) {
		if e := named[name]; e != nil && e.Value != nil {
			in.c.sharpenField(e.Value.Origin, "value", &e.Value.Value)
			in.example(ref.Value, e.Value.Value, pointer+"/examples/"+escape(name), "value")
		}
	}
}

// example warns of a value that its own schema refuses, be it in a request or in
// a response.
func (in *inspector) example(s *openapi3.Schema, v any, pointer, field string) {
	if v == nil {
		return
	}
	err := in.c.keeps(RequestSide, s, v)
	if err == nil || in.c.keeps(ResponseSide, s, v) == nil {
		return
	}
	reason := err
	if in.c.compiled(s) == nil {
		all := flatten(s.VisitJSON(v, visit(RequestSide, openapi3.MultiErrors())...))
		if se, ok := errors.AsType[*openapi3.SchemaError](all[0]); ok && se.Reason != "" {
			reason = errors.New(where("", se.JSONPointer()) + ": " + se.Reason)
			if len(se.JSONPointer()) == 0 {
				reason = errors.New(se.Reason)
			}
		}
	}
	in.c.warnOnce(Place{Pointer: pointer + "/" + field}, fmt.Errorf("the %s breaks its schema: %w", cmp.Or(map[string]string{"value": "example"}[field], field), reason))
}

// schema inspects a schema and those inside it.
func (in *inspector) schema(ref *openapi3.SchemaRef, pointer string) {
	if ref != nil && ref.Value == nil {
		in.c.warn(Place{Pointer: pointer}, "the reference %q leads nowhere", clipped(ref.Ref))
	}
	if ref == nil || ref.Value == nil || in.seen[ref.Value] {
		return
	}
	s := ref.Value
	in.seen[s] = true
	in.c.sharpen(s)
	pointer = target(ref.Ref, pointer)
	in.example(s, s.Example, pointer, "example")
	in.example(s, s.Default, pointer, "default")
	alone := *s
	alone.Example, alone.Default = nil, nil
	one := func(child **openapi3.SchemaRef, step string) {
		if ref := *child; ref != nil {
			in.schema(ref, pointer+step)
			if ref.Value != nil {
				*child = nothing
			}
		}
	}
	list := func(children *openapi3.SchemaRefs, step string) {
		*children = slices.Clone(*children)
		for i := range *children {
			one(&(*children)[i], step+strconv.Itoa(i))
		}
	}
	all := func(children *openapi3.Schemas, step string) {
		*children = maps.Clone(*children)
		for _, name := range sorted(*children) {
			child := (*children)[name]
			one(&child, step+escape(name))
			(*children)[name] = child
		}
	}
	all(&alone.Properties, "/properties/")
	all(&alone.PatternProperties, "/patternProperties/")
	all(&alone.DependentSchemas, "/dependentSchemas/")
	list(&alone.AllOf, "/allOf/")
	list(&alone.OneOf, "/oneOf/")
	list(&alone.AnyOf, "/anyOf/")
	list(&alone.PrefixItems, "/prefixItems/")
	one(&alone.Items, "/items")
	one(&alone.Not, "/not")
	one(&alone.If, "/if")
	one(&alone.Then, "/then")
	one(&alone.Else, "/else")
	one(&alone.Contains, "/contains")
	one(&alone.PropertyNames, "/propertyNames")
	one(&alone.AdditionalProperties.Schema, "/additionalProperties")
	one(&alone.UnevaluatedItems.Schema, "/unevaluatedItems")
	one(&alone.UnevaluatedProperties.Schema, "/unevaluatedProperties")
	if err := alone.Validate(context.Background(), in.opts...); err != nil {
		for _, e := range parts(err) {
			in.c.warnOnce(Place{Pointer: pointer}, e)
		}
	}
}
