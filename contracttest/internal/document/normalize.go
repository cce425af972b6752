package document

import (
	"encoding/json"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

// normalize writes down in each schema what the loader has lost or put elsewhere,
// so that whoever reads schemas finds them as the document has them.
func (d *Document) normalize() {
	d.parts = takeInventory(d.T, d.source)
	d.dropLaterKeywords()
	d.dropBeside()
	d.ignored = map[*openapi3.SchemaRef]Ignored{}
	for _, ref := range d.parts.refs {
		lift(ref)
		d.noteIgnored(ref)
	}
	for _, h := range d.parts.heads {
		d.describeOnce(h)
	}
	for _, h := range d.parts.holders {
		d.sharpenField(h.origin, "example", h.example)
		for _, e := range h.examples {
			if e != nil && e.Value != nil {
				d.sharpenField(e.Value.Origin, "value", &e.Value.Value)
			}
		}
	}
	for _, s := range d.parts.schemas {
		d.restore(s.schema)
		d.sharpen(s.schema)
		d.dropEnum(s.schema, s.pointer)
		d.dropPattern(s.schema, s.pointer)
		d.cut(s.schema, nil)
		d.OneSided = d.OneSided || s.schema.ReadOnly || s.schema.WriteOnly
	}
}

// describeOnce takes the content out of a header that has a schema too.
func (d *Document) describeOnce(h header) {
	if len(h.Content) > 0 && h.Schema != nil {
		d.Warn(At(h.Origin, h.pointer, "content"), bothDescribed, "header", h.name)
		h.Content = nil
	}
}

// lift puts unevaluatedProperties and unevaluatedItems where they look at all
// that stands around them. kin-openapi makes of the keywords next to a $ref one
// more part of the allOf of what is referred to, in which they see nothing of it.
func lift(ref *openapi3.SchemaRef) {
	parts := ref.Value.AllOf
	if ref.Ref == "" || len(parts) == 0 {
		return
	}
	last := parts[len(parts)-1]
	if last.Ref != "" || last.Value == nil {
		return
	}
	move := func(keyword string, to, from *openapi3.BoolSchema) {
		if (from.Has != nil || from.Schema != nil) && to.Has == nil && to.Schema == nil && beside(ref, keyword) {
			*to, *from = *from, openapi3.BoolSchema{}
		}
	}
	move("unevaluatedProperties", &ref.Value.UnevaluatedProperties, &last.Value.UnevaluatedProperties)
	move("unevaluatedItems", &ref.Value.UnevaluatedItems, &last.Value.UnevaluatedItems)
}

// beside reports whether a keyword stands next to a $ref. What the reference
// leads to is then a copy, made for this place.
func beside(ref *openapi3.SchemaRef, keyword string) bool {
	_, there := siblings(ref)[keyword]
	return there
}

// siblings are what stands beside a $ref, and that.
func siblings(ref *openapi3.SchemaRef) map[string]any {
	all, _ := ref.MarshalYAML()
	members, _ := all.(map[string]any)
	return members
}

// Ignored is what stands beside a $ref in OpenAPI 3.0, and is true: it says nothing there (3.0.3,
// Reference Object: "any properties added SHALL be ignored"), though many a generator means it.
type Ignored struct{ Nullable, ReadOnly, WriteOnly bool }

// noteIgnored notes what is ignored beside a $ref.
func (d *Document) noteIgnored(ref *openapi3.SchemaRef) {
	if d.Version31() || ref.Ref == "" {
		return
	}
	beside := siblings(ref)
	i := Ignored{beside["nullable"] == true, beside["readOnly"] == true, beside["writeOnly"] == true}
	if i != (Ignored{}) {
		d.ignored[ref] = i
	}
}

// IgnoredBeside is what is ignored beside a $ref.
func (d *Document) IgnoredBeside(ref *openapi3.SchemaRef) Ignored { return d.ignored[ref] }

// restore writes down what kin-openapi takes for nothing: a const that is null, as
// an enum of it.
func (d *Document) restore(s *openapi3.Schema) {
	if d.Version31() && s.Const == nil && len(s.Enum) == 0 && hasConst(s) {
		s.Enum = []any{nil}
	}
}

// dropEnum leaves out an enumeration without a value of the schema's type, which nothing is valid
// by: mostly it was meant for the items of the array.
func (d *Document) dropEnum(s *openapi3.Schema, pointer string) {
	if len(s.Enum) == 0 || s.Type == nil || len(s.Type.Slice()) == 0 || IsNullConst(s) {
		return
	}
	for _, v := range s.Enum {
		typ := "" // which fits, as nothing is known of it
		switch v.(type) {
		case nil:
			typ = "null"
		case string:
			typ = "string"
		case bool:
			typ = "boolean"
		case float64, json.Number:
			typ = "number"
		case []any:
			typ = "array"
		case map[string]any:
			typ = "object"
		}
		if typ == "" || s.Type.Includes(typ) || typ == "null" && s.Nullable || typ == "number" && s.Type.Includes("integer") {
			return
		}
	}
	d.Warn(At(s.Origin, pointer, "enum"), "enum ignored: none of its values is of the type %s", strings.Join(s.Type.Slice(), " or "))
	s.Enum = nil
}

// dropPattern leaves out a pattern that no text matches, for where its anchors are: mostly it was
// written as in a program, with slashes around it.
func (d *Document) dropPattern(s *openapi3.Schema, pointer string) {
	p, err := pattern.Compile(s.Pattern)
	if err != nil || !p.Never() {
		return
	}
	d.Warn(At(s.Origin, pointer, "pattern"), "pattern ignored: no text matches %s, in which a ^ or a $ is in the midst", clipped(s.Pattern))
	s.Pattern = ""
}

// IsNullConst reports whether the enum of a schema is what its const of null was
// written as.
func IsNullConst(s *openapi3.Schema) bool {
	if s.Const != nil || len(s.Enum) != 1 || s.Enum[0] != nil {
		return false
	}
	return hasConst(s)
}

// hasConst reports whether the document gives the schema a const, be it null.
func hasConst(s *openapi3.Schema) bool {
	if s.Origin == nil {
		return s.Const != nil
	}
	_, there := s.Origin.Fields.Lookup("const")
	return there
}

// LostReference reports whether a schema refers to what is not there: nobody can
// tell which values it takes.
func LostReference(s *openapi3.Schema) bool { return s.Extensions[lostReference] != nil }
