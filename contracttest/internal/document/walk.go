package document

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// located is a schema and its pointer.
type located struct {
	schema  *openapi3.Schema
	pointer string
}

// lost is a reference that leads nowhere, as far as the loader knows.
type lost struct {
	ref *openapi3.SchemaRef
	at  location
}

// holder is what has a schema, and examples of it: a parameter, a header or a
// media type.
type holder struct {
	schema   **openapi3.SchemaRef
	example  *any
	examples openapi3.Examples
	origin   *openapi3.Origin
	pointer  string
}

// header is a header and its place.
type header struct {
	*openapi3.Header
	name, pointer string
}

// location is where a part of the document stands.
type location struct {
	file    string // that the references inside are relative to; empty for the document itself
	pointer string // as in Place
	old     bool   // in a dialect that ignores what stands beside a $ref
}

// in returns the location of a part of the part.
func (l location) in(steps ...string) location {
	for _, step := range steps {
		l.pointer += "/" + Escape(step)
	}
	return l
}

func (l location) item(i int) location { return l.in(strconv.Itoa(i)) }

// inventory lists the parts of a document, each once, however often it is
// referred to. Components come first, so that pointers lead there. References are
// completed on the way: those in other files are made relative to the document.
type inventory struct {
	source     *source
	components *openapi3.Components // of the document; may be nil
	holders    []holder
	heads      []header
	schemas    []located             // before those inside them
	refs       []*openapi3.SchemaRef // to these schemas, or that are these schemas
	lost       []lost                // references that the loader has not followed
	oldRefs    []*openapi3.SchemaRef // in a dialect that ignores what stands beside them
	old        bool                  // all schemas are in one, where none is named
	oldFiles   map[string]bool
	seen       map[any]bool
}

func takeInventory(doc *openapi3.T, s *source) *inventory {
	v := &inventory{source: s, components: doc.Components, oldFiles: map[string]bool{}, seen: map[any]bool{}}
	v.old = oldDialect.MatchString(doc.JSONSchemaDialect)
	root := location{old: v.old}
	if doc.Components != nil {
		v.ofComponents(doc.Components, root.in("components"))
	}
	for _, path := range sorted(doc.Paths.Map()) {
		v.pathItem(doc.Paths.Value(path), root.in("paths", path))
	}
	for _, name := range sorted(doc.Webhooks) {
		v.pathItem(doc.Webhooks[name], root.in("webhooks", name))
	}
	v.find(doc)
	return v
}

// maxFound bounds the references that are followed one by one.
const maxFound = 100

// find follows the references of the document itself that the loader has not: those
// below the content of a header.
func (v *inventory) find(doc *openapi3.T) {
	missing := v.lost
	v.lost = nil
	for i, l := range missing {
		if l.at.file == "" && i < maxFound {
			v.source.resolve(doc, l.ref)
		}
		v.schema(l.ref, l.at) // which notes what is still lost
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// first reports whether a part has not been seen before.
func (v *inventory) first(part any) bool {
	before := v.seen[part]
	v.seen[part] = true
	return !before
}

// reference is what all kinds of references of the loader have.
type reference interface {
	RefString() string
	RefPath() *url.URL // of the file in which the target stands
}

// follow returns where the target of a reference stands, which may be none, and
// completes the reference.
func (v *inventory) follow(ref reference, text *string, at location) location {
	if *text == "" {
		return at
	}
	if v.first(ref) {
		*text = v.source.complete(*text, at.file)
	}
	to := location{pointer: Target(*text, at.pointer), file: at.file}
	if path := ref.RefPath(); path != nil {
		to.file = v.source.name(pathOf(v.source.whole(path)))
	}
	to.old = v.isOld(to.file, to.pointer)
	return to
}

func (v *inventory) ofComponents(all *openapi3.Components, at location) {
	for _, name := range sorted(all.Schemas) {
		v.schema(all.Schemas[name], at.in("schemas", name))
	}
	for _, name := range sorted(all.Parameters) {
		v.parameter(all.Parameters[name], at.in("parameters", name))
	}
	v.headers(all.Headers, at.in("headers"))
	for _, name := range sorted(all.RequestBodies) {
		v.body(all.RequestBodies[name], at.in("requestBodies", name))
	}
	for _, name := range sorted(all.Responses) {
		v.response(all.Responses[name], at.in("responses", name))
	}
	v.callbacks(all.Callbacks, at.in("callbacks"))
}

func (v *inventory) pathItem(item *openapi3.PathItem, at location) {
	if item == nil {
		return
	}
	if item.Ref != "" && v.first(item) {
		item.Ref = v.source.complete(item.Ref, at.file)
		at.pointer = Target(item.Ref, at.pointer)
		at.file, _ = v.source.split(at.pointer)
		at.old = v.isOld(at.file, at.pointer)
	}
	v.parameters(item.Parameters, at)
	operations := item.Operations()
	for _, method := range sorted(operations) {
		op, at := operations[method], at
		at.pointer += OperationPointer(method)
		v.parameters(op.Parameters, at)
		v.body(op.RequestBody, at.in("requestBody"))
		for _, status := range sorted(op.Responses.Map()) {
			v.response(op.Responses.Value(status), at.in("responses", status))
		}
		v.callbacks(op.Callbacks, at.in("callbacks"))
	}
}

func (v *inventory) callbacks(all openapi3.Callbacks, at location) {
	for _, name := range sorted(all) {
		ref := all[name]
		if ref == nil || ref.Value == nil {
			continue
		}
		at := v.follow(ref, &ref.Ref, at.in(name))
		if !v.first(ref.Value) {
			continue
		}
		for _, expr := range sorted(ref.Value.Map()) {
			v.pathItem(ref.Value.Value(expr), at.in(expr))
		}
	}
}

func (v *inventory) parameters(all openapi3.Parameters, at location) {
	for i, ref := range all {
		v.parameter(ref, at.in("parameters").item(i))
	}
}

func (v *inventory) parameter(ref *openapi3.ParameterRef, at location) {
	if ref == nil || ref.Value == nil {
		return
	}
	at = v.follow(ref, &ref.Ref, at)
	if p := ref.Value; v.first(p) {
		v.hold(holder{&p.Schema, &p.Example, p.Examples, p.Origin, at.pointer}, at)
		v.content(p.Content, at)
	}
}

func (v *inventory) headers(all openapi3.Headers, at location) {
	for _, name := range sorted(all) {
		ref := all[name]
		if ref == nil || ref.Value == nil {
			continue
		}
		at := v.follow(ref, &ref.Ref, at.in(name))
		if h := ref.Value; v.first(h) {
			v.hold(holder{&h.Schema, &h.Example, h.Examples, h.Origin, at.pointer}, at)
			v.heads = append(v.heads, header{h, name, at.pointer})
			v.content(h.Content, at)
		}
	}
}

func (v *inventory) body(ref *openapi3.RequestBodyRef, at location) {
	if ref == nil || ref.Value == nil {
		return
	}
	at = v.follow(ref, &ref.Ref, at)
	if v.first(ref.Value) {
		v.content(ref.Value.Content, at)
	}
}

func (v *inventory) response(ref *openapi3.ResponseRef, at location) {
	if ref == nil || ref.Value == nil {
		return
	}
	at = v.follow(ref, &ref.Ref, at)
	if v.first(ref.Value) {
		v.headers(ref.Value.Headers, at.in("headers"))
		v.content(ref.Value.Content, at)
	}
}

func (v *inventory) content(content openapi3.Content, at location) {
	for _, key := range sorted(content) {
		m := content[key]
		if m == nil {
			continue
		}
		at := at.in("content", key)
		v.hold(holder{&m.Schema, &m.Example, m.Examples, m.Origin, at.pointer}, at)
		v.schema(m.ItemSchema, at.in("itemSchema"))
		for _, name := range sorted(m.Encoding) {
			if e := m.Encoding[name]; e != nil {
				v.resolve(e.Headers)
				v.headers(e.Headers, at.in("encoding", name, "headers"))
			}
		}
	}
}

// resolve follows the references of the headers of a multipart part, which the
// loader does not.
func (v *inventory) resolve(headers openapi3.Headers) {
	for _, ref := range headers {
		if ref == nil || ref.Value != nil || v.components == nil {
			continue
		}
		name, ok := strings.CutPrefix(ref.Ref, "#/components/headers/")
		if to := v.components.Headers[name]; ok && to != nil {
			ref.Value = to.Value
		}
	}
}

func (v *inventory) hold(h holder, at location) {
	v.holders = append(v.holders, h)
	v.schema(*h.schema, at.in("schema"))
}

func (v *inventory) schema(ref *openapi3.SchemaRef, at location) {
	switch {
	case ref == nil:
		return
	case ref.Value == nil:
		v.lost = append(v.lost, lost{ref, at})
		return
	}
	v.refs = append(v.refs, ref)
	if dialect := dialectOf(ref); dialect != "" {
		at.old = oldDialect.MatchString(dialect)
	}
	if at.old && ref.Ref != "" {
		v.oldRefs = append(v.oldRefs, ref)
	}
	at = v.follow(ref, &ref.Ref, at)
	if s := ref.Value; v.first(s) {
		v.schemas = append(v.schemas, located{s, at.pointer})
		v.mapping(s.Discriminator, at)
		eachChild(s, func(child **openapi3.SchemaRef, steps ...string) { v.schema(*child, at.in(steps...)) })
	}
}

// mapping completes the references of a discriminator, and writes the names of
// schemas as references (OpenAPI 3.0.3, Discriminator Object, mapping).
func (v *inventory) mapping(d *openapi3.Discriminator, at location) {
	if d == nil || !v.first(d) {
		return
	}
	for _, value := range sorted(d.Mapping) {
		to := d.Mapping[value]
		if to.Ref = v.mapped(to.Ref, at.file); to.Ref != d.Mapping[value].Ref {
			d.Mapping[value] = to
		}
	}
}

// mapped returns the reference that a value of a mapping stands for. A text that
// may be a name or a file is taken for the name.
func (v *inventory) mapped(to, from string) string {
	switch {
	case v.components != nil && v.components.Schemas[to] != nil:
		return "#/components/schemas/" + Escape(to)
	case strings.ContainsAny(to, "#/."):
		return v.source.complete(to, from)
	}
	return to
}

// childFields are the fields of a schema that hold schemas.
var childFields = func() []reflect.StructField {
	var fields []reflect.StructField
	for f := range reflect.TypeFor[openapi3.Schema]().Fields() {
		switch f.Type {
		case reflect.TypeFor[*openapi3.SchemaRef](), reflect.TypeFor[openapi3.SchemaRefs](), reflect.TypeFor[openapi3.Schemas](), reflect.TypeFor[openapi3.BoolSchema]():
			fields = append(fields, f)
		}
	}
	return fields
}()

// eachChild calls f for each reference inside a schema that is not nil, with the
// steps of its pointer from there. f may replace the reference.
func eachChild(s *openapi3.Schema, f func(child **openapi3.SchemaRef, steps ...string)) {
	one := func(child **openapi3.SchemaRef, steps ...string) {
		if *child != nil {
			f(child, steps...)
		}
	}
	v := reflect.ValueOf(s).Elem()
	for _, field := range childFields {
		keyword := keywordOf(field)
		switch at := v.FieldByIndex(field.Index).Addr().Interface().(type) {
		case **openapi3.SchemaRef:
			one(at, keyword)
		case *openapi3.BoolSchema:
			one(&at.Schema, keyword)
		case *openapi3.SchemaRefs:
			for i := range *at {
				one(&(*at)[i], keyword, strconv.Itoa(i))
			}
		case *openapi3.Schemas:
			for _, name := range sorted(*at) {
				child := (*at)[name]
				one(&child, keyword, name)
				if child != (*at)[name] {
					(*at)[name] = child
				}
			}
		}
	}
}
