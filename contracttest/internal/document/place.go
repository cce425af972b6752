package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Place is where something stands in a document.
type Place struct {
	File         string
	Pointer      string // JSON pointer, the file before its # where it is not the root document
	Line, Column int    // from 1; 0 where unknown
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File + "#" + p.Pointer
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// At returns the place of a field of an object whose origin and pointer are
// given, or that of the object where the field has no place of its own. An empty
// field stands for the object.
func At(o *openapi3.Origin, pointer, field string) Place {
	p := Place{Pointer: pointer}
	if field != "" {
		p.Pointer += "/" + Escape(field)
	}
	if o == nil {
		return p
	}
	loc := o.Key
	if own, ok := o.Fields.Lookup(field); ok && field != "" {
		loc = &own
	} else if items := o.Sequences[field]; len(items) > 0 {
		loc = &items[0]
	}
	if loc != nil {
		p.File, p.Line, p.Column = loc.File, loc.Line, loc.Column
	}
	return p
}

// Target returns the pointer that a reference leads to, or the pointer of the
// place itself where there is no reference.
func Target(ref, pointer string) string {
	if ref == "" {
		return pointer
	}
	return strings.TrimPrefix(ref, "#")
}

// Escape makes a name one segment of a JSON pointer (RFC 6901 §3).
func Escape(name string) string { return pointerEscapes.Replace(name) }

// OperationPointer is where a path item has the operation of a method (OpenAPI 3.2.0, Path Item
// Object: those without a field of their own are in additionalOperations, by their exact name).
func OperationPointer(method string) string {
	if slices.Contains(openapi3.PathItemMethods(), method) {
		return "/" + strings.ToLower(method)
	}
	return "/additionalOperations/" + Escape(method)
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")
