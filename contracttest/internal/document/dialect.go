package document

import (
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Before 2019-09 JSON Schema ignored what stands beside a $ref ("All other properties in a "$ref"
// object MUST be ignored", draft-07 Core §8.3), as OpenAPI 3.0 does. A document of 3.1 may have such
// schemas: those below a $schema, in a file with one, or all of them (jsonSchemaDialect).
var oldDialect = regexp.MustCompile(`^https?://json-schema\.org/draft-0[3-7]/(hyper-)?schema#?$`)

// isOld reports whether what a pointer of a file leads to is in an old dialect, as long as no $schema
// further inside says otherwise.
func (v *inventory) isOld(file, pointer string) bool {
	if file != "" {
		old, known := v.oldFiles[file]
		if !known {
			old = v.source.isOldFile(file)
			v.oldFiles[file] = old
		}
		return old
	}
	if rest, ok := strings.CutPrefix(pointer, "/components/schemas/"); ok && v.components != nil {
		name, _, _ := strings.Cut(rest, "/")
		if dialect := dialectOf(v.components.Schemas[name]); dialect != "" {
			return oldDialect.MatchString(dialect)
		}
	}
	return v.old
}

// dialectOf returns the $schema of a schema, be it beside a $ref; empty where there is none.
func dialectOf(ref *openapi3.SchemaRef) string {
	switch {
	case ref == nil || ref.Value == nil:
		return ""
	case ref.Ref == "":
		return ref.Value.SchemaDialect
	}
	dialect, _ := siblings(ref)["$schema"].(string)
	return dialect
}

// isOldFile reports whether a file says that its schemas are in an old dialect.
func (s *source) isOldFile(name string) bool {
	root, err := parseTree(s.files[name])
	if err != nil {
		return false
	}
	return oldDialect.MatchString(scalar(root, "$schema")) || oldDialect.MatchString(scalar(root, "jsonSchemaDialect"))
}

// besideOld returns what the loader has made of that which stands beside a $ref of an old dialect: the
// last part of an allOf. It is nil where nothing does that a value is held against.
func besideOld(ref *openapi3.SchemaRef) *openapi3.Schema {
	parts := ref.Value.AllOf
	if len(parts) == 0 {
		return nil
	}
	last := parts[len(parts)-1]
	if last.Ref != "" || last.Value == nil {
		return nil
	}
	there := siblings(ref)
	members, _ := last.MarshalYAML()
	all, _ := members.(map[string]any)
	for keyword := range all {
		if _, ok := there[keyword]; !ok {
			return nil
		}
	}
	return last.Value
}

// dropBeside leaves out what is ignored beside a $ref. The part that the loader has made of it is in the
// schema of the reference, and in those of references to that.
func (d *Document) dropBeside() {
	if !d.Version31() || len(d.parts.oldRefs) == 0 { // the loader leaves it out in 3.0
		return
	}
	ignored := map[*openapi3.Schema]bool{}
	for _, ref := range d.parts.oldRefs {
		if s := besideOld(ref); s != nil {
			ignored[s] = true
		}
	}
	for _, s := range d.parts.schemas {
		s.schema.AllOf = without(s.schema.AllOf, ignored)
	}
}

// without returns the references but for those to some schemas.
func without(refs openapi3.SchemaRefs, some map[*openapi3.Schema]bool) openapi3.SchemaRefs {
	var kept openapi3.SchemaRefs
	for _, ref := range refs {
		if !some[ref.Value] {
			kept = append(kept, ref)
		}
	}
	return kept
}
