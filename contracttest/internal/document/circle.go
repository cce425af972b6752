package document

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// circular reports whether a reference of a file leads from one to the next without end. The trees of
// files are kept in trees.
func (s *source) circular(ref, file string, trees map[string]*yaml.Node) bool {
	for range maxBehind {
		u, err := url.Parse(ref)
		if err != nil {
			return false
		}
		if u.Scheme != "" || u.Host != "" || u.Path != "" {
			file = s.fileOf(u, file)
		}
		root, known := trees[file]
		if !known {
			root, _ = parseTree(s.text(file))
			trees[file] = root
		}
		if root == nil {
			return false
		}
		to := root
		if fragment := u.EscapedFragment(); fragment != "" {
			to = nodeAt(root, fragment)
		}
		if to == nil {
			return false
		}
		if ref = scalar(to, "$ref"); ref == "" {
			return false
		}
	}
	return true
}

// cut breaks the circles in which a schema contains itself by allOf, oneOf, anyOf,
// not or the like, without a step into the value:
//
//	A: {allOf: [{$ref: '#/components/schemas/A'}], type: object}
//
// Whoever validates would go round them without end. The branch that closes a
// circle says nothing that the schema does not say already, so it is left out,
// with a warning.
func (d *Document) cut(s *openapi3.Schema, above []*openapi3.Schema) {
	if s == nil || d.acyclic[s] {
		return
	}
	above = append(above, s)
	closes := func(ref *openapi3.SchemaRef) bool {
		if ref == nil || ref.Value == nil {
			return false
		}
		if slices.Contains(above, ref.Value) {
			d.Warn(At(ref.Origin, strings.TrimPrefix(ref.Ref, "#"), ""), "circular schema: reference ignored")
			return true
		}
		d.cut(ref.Value, above)
		return false
	}
	// A schema next to a $ref may share its lists with the one that is referred to.
	s.AllOf = slices.DeleteFunc(slices.Clone(s.AllOf), closes)
	s.OneOf = slices.DeleteFunc(slices.Clone(s.OneOf), closes)
	s.AnyOf = slices.DeleteFunc(slices.Clone(s.AnyOf), closes)
	for _, ref := range []**openapi3.SchemaRef{&s.Not, &s.If, &s.Then, &s.Else} {
		if closes(*ref) {
			*ref = nil
		}
	}
	maps.DeleteFunc(s.DependentSchemas, func(_ string, ref *openapi3.SchemaRef) bool { return closes(ref) })
	d.acyclic[s] = true
}
