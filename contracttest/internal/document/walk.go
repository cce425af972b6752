package document

import (
	"maps"
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

// holder is what has a schema, and examples of it: a parameter, a header or a
// media type.
type holder struct {
	schema   **openapi3.SchemaRef
	example  *any
	examples openapi3.Examples
	origin   *openapi3.Origin
	pointer  string
}

// inventory lists the parts of a document, each once, however often it is
// referred to. Components come first, so that pointers lead there.
type inventory struct {
	holders []holder
	schemas []located             // before those inside them
	refs    []*openapi3.SchemaRef // to these schemas, or that are these schemas
	lost    map[string]string     // references that lead nowhere, by their pointers
	seen    map[any]bool
}

func takeInventory(doc *openapi3.T) *inventory {
	v := &inventory{lost: map[string]string{}, seen: map[any]bool{}}
	if all := doc.Components; all != nil {
		v.components(all, "/components")
	}
	for _, path := range sorted(doc.Paths.Map()) {
		v.pathItem(doc.Paths.Value(path), "/paths/"+Escape(path))
	}
	for _, name := range sorted(doc.Webhooks) {
		v.pathItem(doc.Webhooks[name], "/webhooks/"+Escape(name))
	}
	return v
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// first reports whether a part has not been seen before.
func (v *inventory) first(part any) bool {
	before := v.seen[part]
	v.seen[part] = true
	return !before
}

func (v *inventory) components(all *openapi3.Components, pointer string) {
	for _, name := range sorted(all.Schemas) {
		v.schema(all.Schemas[name], pointer+"/schemas/"+Escape(name))
	}
	for _, name := range sorted(all.Parameters) {
		v.parameter(all.Parameters[name], pointer+"/parameters/"+Escape(name))
	}
	v.headers(all.Headers, pointer+"/headers/")
	for _, name := range sorted(all.RequestBodies) {
		v.body(all.RequestBodies[name], pointer+"/requestBodies/"+Escape(name))
	}
	for _, name := range sorted(all.Responses) {
		v.response(all.Responses[name], pointer+"/responses/"+Escape(name))
	}
	v.callbacks(all.Callbacks, pointer+"/callbacks/")
}

func (v *inventory) pathItem(item *openapi3.PathItem, pointer string) {
	if item == nil {
		return
	}
	pointer = Target(item.Ref, pointer)
	v.parameters(item.Parameters, pointer)
	operations := item.Operations()
	for _, method := range sorted(operations) {
		op, pointer := operations[method], pointer+"/"+strings.ToLower(method)
		v.parameters(op.Parameters, pointer)
		v.body(op.RequestBody, pointer+"/requestBody")
		for _, status := range sorted(op.Responses.Map()) {
			v.response(op.Responses.Value(status), pointer+"/responses/"+Escape(status))
		}
		v.callbacks(op.Callbacks, pointer+"/callbacks/")
	}
}

func (v *inventory) callbacks(all openapi3.Callbacks, pointer string) {
	for _, name := range sorted(all) {
		ref := all[name]
		if ref == nil || ref.Value == nil || !v.first(ref.Value) {
			continue
		}
		pointer := Target(ref.Ref, pointer+Escape(name))
		for _, expr := range sorted(ref.Value.Map()) {
			v.pathItem(ref.Value.Value(expr), pointer+"/"+Escape(expr))
		}
	}
}

func (v *inventory) parameters(all openapi3.Parameters, pointer string) {
	for i, ref := range all {
		v.parameter(ref, pointer+"/parameters/"+strconv.Itoa(i))
	}
}

func (v *inventory) parameter(ref *openapi3.ParameterRef, pointer string) {
	if ref == nil || ref.Value == nil || !v.first(ref.Value) {
		return
	}
	pointer = Target(ref.Ref, pointer)
	p := ref.Value
	v.hold(holder{&p.Schema, &p.Example, p.Examples, p.Origin, pointer})
	v.content(p.Content, pointer)
}

func (v *inventory) headers(all openapi3.Headers, pointer string) {
	for _, name := range sorted(all) {
		ref := all[name]
		if ref == nil || ref.Value == nil || !v.first(ref.Value) {
			continue
		}
		pointer := Target(ref.Ref, pointer+Escape(name))
		h := ref.Value
		v.hold(holder{&h.Schema, &h.Example, h.Examples, h.Origin, pointer})
		v.content(h.Content, pointer)
	}
}

func (v *inventory) body(ref *openapi3.RequestBodyRef, pointer string) {
	if ref != nil && ref.Value != nil && v.first(ref.Value) {
		v.content(ref.Value.Content, Target(ref.Ref, pointer))
	}
}

func (v *inventory) response(ref *openapi3.ResponseRef, pointer string) {
	if ref != nil && ref.Value != nil && v.first(ref.Value) {
		pointer = Target(ref.Ref, pointer)
		v.headers(ref.Value.Headers, pointer+"/headers/")
		v.content(ref.Value.Content, pointer)
	}
}

func (v *inventory) content(content openapi3.Content, pointer string) {
	for _, key := range sorted(content) {
		m := content[key]
		if m == nil {
			continue
		}
		pointer := pointer + "/content/" + Escape(key)
		v.hold(holder{&m.Schema, &m.Example, m.Examples, m.Origin, pointer})
		for _, name := range sorted(m.Encoding) {
			if e := m.Encoding[name]; e != nil {
				v.headers(e.Headers, pointer+"/encoding/"+Escape(name)+"/headers/")
			}
		}
	}
}

func (v *inventory) hold(h holder) {
	v.holders = append(v.holders, h)
	v.schema(*h.schema, h.pointer+"/schema")
}

func (v *inventory) schema(ref *openapi3.SchemaRef, pointer string) {
	switch {
	case ref == nil:
		return
	case ref.Value == nil:
		v.lost[pointer] = ref.Ref
		return
	}
	v.refs = append(v.refs, ref)
	if !v.first(ref.Value) {
		return
	}
	pointer = Target(ref.Ref, pointer)
	v.schemas = append(v.schemas, located{ref.Value, pointer})
	eachChild(ref.Value, func(step string, child **openapi3.SchemaRef) { v.schema(*child, pointer+step) })
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
// rest of its pointer. f may replace the reference.
func eachChild(s *openapi3.Schema, f func(step string, child **openapi3.SchemaRef)) {
	one := func(step string, child **openapi3.SchemaRef) {
		if *child != nil {
			f(step, child)
		}
	}
	v := reflect.ValueOf(s).Elem()
	for _, field := range childFields {
		keyword, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch at := v.FieldByIndex(field.Index).Addr().Interface().(type) {
		case **openapi3.SchemaRef:
			one("/"+keyword, at)
		case *openapi3.BoolSchema:
			one("/"+keyword, &at.Schema)
		case *openapi3.SchemaRefs:
			for i := range *at {
				one("/"+keyword+"/"+strconv.Itoa(i), &(*at)[i])
			}
		case *openapi3.Schemas:
			for _, name := range sorted(*at) {
				child := (*at)[name]
				one("/"+keyword+"/"+Escape(name), &child)
				if child != (*at)[name] {
					(*at)[name] = child
				}
			}
		}
	}
}
