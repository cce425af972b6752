package document

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

// kin-openapi says what is not valid in a document, but looks at a schema again
// wherever it is referred to, which takes minutes in documents of many references.
// Here it gets each schema once, without those inside it, and the rest of the
// document without its schemas.

// anySchema stands for a schema that is checked elsewhere.
var anySchema = &openapi3.SchemaRef{Value: &openapi3.Schema{}}

// check warns of what the document is not valid in. None of it keeps the rest
// from being used.
func (d *Document) check() {
	opts := []openapi3.ValidationOption{
		openapi3.EnableMultiError(), openapi3.SetRegexCompiler(compilePattern), openapi3.DisableExamplesValidation(),
	}
	if d.Version31() {
		opts = append(opts, openapi3.IsOpenAPI31OrLater())
	}
	trees := map[string]*yaml.Node{}
	for _, l := range d.parts.lost {
		fault := notFound
		if d.source.circular(l.ref.Ref, l.at.file, trees) {
			fault = circular
		}
		d.Warn(Place{Pointer: l.at.pointer}, "reference %q ignored: %s", clipped(l.ref.Ref), fault)
	}
	for _, s := range d.parts.schemas {
		for _, e := range parts(alone(s.schema).Validate(context.Background(), opts...)) {
			d.warnOf(Place{Pointer: s.pointer}, e)
		}
	}
	for _, e := range parts(d.checkRest(opts)) {
		d.warnOf(Place{Pointer: scope(e)}, e)
	}
}

// alone returns a copy of a schema in which every schema inside is one that takes
// anything.
func alone(s *openapi3.Schema) *openapi3.Schema {
	c := *s
	c.Example, c.Default = nil, nil
	v := reflect.ValueOf(&c).Elem()
	for _, field := range childFields {
		switch at := v.FieldByIndex(field.Index).Addr().Interface().(type) {
		case *openapi3.SchemaRefs:
			*at = slices.Clone(*at)
		case *openapi3.Schemas:
			*at = maps.Clone(*at)
		}
	}
	eachChild(&c, func(child **openapi3.SchemaRef, _ ...string) {
		if (*child).Value != nil {
			*child = anySchema
		}
	})
	return &c
}

// checkRest validates the document with its schemas taken out.
func (d *Document) checkRest(opts []openapi3.ValidationOption) (err error) {
	if all := d.T.Components; all != nil {
		schemas := all.Schemas
		all.Schemas = nil
		defer func() { all.Schemas = schemas }()
	}
	for _, h := range d.parts.holders {
		if old := *h.schema; old != nil && old.Value != nil {
			*h.schema = anySchema
			defer func() { *h.schema = old }()
		}
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the document could not be validated: %v", v)
		}
	}()
	return d.T.Validate(context.Background(), opts...)
}

// compilePattern refuses patterns that are left out of what is judged.
func compilePattern(expr string) (openapi3.RegexMatcher, error) {
	p, err := pattern.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("pattern ignored: %w", err)
	}
	return p, nil
}

// emptyURL is what the loader says of a server whose URL is empty, which is a relative reference like
// others (RFC 3986 §4.2), and of one that has none.
const emptyURL = "invalid servers: value of url must be a non-empty string"

// hasURLs reports whether each server has a URL.
func (d *Document) hasURLs() bool {
	return !slices.ContainsFunc(d.T.Servers, func(s *openapi3.Server) bool {
		if s.URL != "" || s.Origin == nil {
			return false
		}
		_, has := s.Origin.Fields.Lookup("url")
		return !has
	})
}

// warnOf adds a warning of an error.
func (d *Document) warnOf(place Place, err error) {
	if _, ok := errors.AsType[*openapi3.PathParametersError](err); ok {
		return // which they are says whoever reads the templates
	}
	text := OneLine(err.Error())
	if strings.HasSuffix(text, "extra sibling fields: [pathItems]") && d.Version31() {
		return // OpenAPI 3.1 has them, which the loader does not know
	}
	if d.Version32() && knownToLater(text) || text == emptyURL && d.hasURLs() {
		return
	}
	d.Warn(place, "%s", text)
}

func parts(err error) []error {
	if multi, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // one layer at a time
		var all []error
		for _, e := range multi {
			all = append(all, parts(e)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// sections are the fields of the components, by what the loader calls what is in
// them.
var sections = map[string]string{
	"schema": "schemas", "parameter": "parameters", "request body": "requestBodies", "response": "responses", "header": "headers",
	"security scheme": "securitySchemes", "example": "examples", "link": "links", "callback": "callbacks",
}

// scope returns the pointer of the part of the document that a fault is in.
func scope(err error) string {
	pointer := ""
	if e, ok := errors.AsType[*openapi3.PathValidationError](err); ok {
		pointer = "/paths/" + Escape(e.Path)
		if o, ok := errors.AsType[*openapi3.OperationValidationError](err); ok {
			pointer += OperationPointer(o.Method)
		}
	} else if e, ok := errors.AsType[*openapi3.ComponentValidationError](err); ok {
		pointer = "/components/" + sections[e.Section] + "/" + Escape(e.Name)
	}
	return pointer
}
