package document

import (
	"iter"

	"github.com/getkin/kin-openapi/openapi3"
)

// Example is a value that the document shows for a schema.
type Example struct {
	Schema  *openapi3.Schema
	Keyword string // example or default
	Value   any
	Place   Place
}

// Examples goes through the examples and defaults of the document that have a
// value, each once.
func (d *Document) Examples() iter.Seq[Example] {
	return func(yield func(Example) bool) {
		for _, h := range d.parts.holders {
			if !h.each(yield) {
				return
			}
		}
		for _, s := range d.parts.schemas {
			if !s.each(yield) {
				return
			}
		}
	}
}

// each calls yield for each example of the holder.
func (h holder) each(yield func(Example) bool) bool {
	ref := *h.schema
	if ref == nil || ref.Value == nil {
		return true
	}
	show := func(v any, step string) bool {
		return v == nil || yield(Example{ref.Value, "example", v, Place{Pointer: h.pointer + step}})
	}
	if !show(*h.example, "/example") {
		return false
	}
	for _, name := range sorted(h.examples) {
		if e := h.examples[name]; e != nil && e.Value != nil && !show(e.Value.Value, "/examples/"+Escape(name)+"/value") {
			return false
		}
	}
	return true
}

// each calls yield for the example and the default of a schema.
func (s located) each(yield func(Example) bool) bool {
	show := func(keyword string, v any) bool {
		return v == nil || yield(Example{s.schema, keyword, v, Place{Pointer: s.pointer + "/" + keyword}})
	}
	return show("example", s.schema.Example) && show("default", s.schema.Default)
}
