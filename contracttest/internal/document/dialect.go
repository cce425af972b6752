package document

import (
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
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

// tuple marks a schema whose items were a list of schemas, which is no keyword that its version lacks.
const tuple = "x-contracttest-tuple"

// renew writes keywords of old dialects as those that they became in 2019-09 and 2020-12. Items that are
// a list of schemas cannot mean anything else, whatever the dialect.
func (m *mender) renew(n *yaml.Node, pointer string) {
	if items := member(n, "items"); items != nil && items.Kind == yaml.SequenceNode && member(n, "prefixItems") == nil {
		if !m.old {
			m.warn(keyOf(n, "items"), pointer+"/items", "items is a list of schemas; read as prefixItems of OpenAPI 3.1")
		}
		keyOf(n, "items").Value = "prefixItems"
		if key := keyOf(n, "additionalItems"); key != nil {
			key.Value = "items"
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: tuple}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	key, all := keyOf(n, "dependencies"), member(n, "dependencies")
	if !m.old || all == nil || all.Kind != yaml.MappingNode {
		return
	}
	remove(n, "dependencies")
	add := func(keyword string, kind yaml.Kind) {
		some := &yaml.Node{Kind: yaml.MappingNode, Line: all.Line, Column: all.Column}
		for name, value := range pairs(all) {
			if value.Kind == kind {
				some.Content = append(some.Content, name, value)
			}
		}
		if member(n, keyword) == nil && len(some.Content) > 0 {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: keyword, Line: key.Line, Column: key.Column}, some)
		}
	}
	add("dependentRequired", yaml.SequenceNode)
	add("dependentSchemas", yaml.MappingNode)
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
