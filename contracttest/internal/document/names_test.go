package document_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

func parse(t testing.TB, text string) *document.Document {
	t.Helper()
	d, err := document.Parse("doc.yaml", []byte(text))
	require.NoError(t, err)
	d.Locate(nil)
	return d
}

const onePath = "paths: {/a: {get: {" + done + "}}}\n"

// property returns a property of the schema A.
func property(t testing.TB, d *document.Document, name string) *openapi3.SchemaRef {
	t.Helper()
	ref := d.T.Components.Schemas["A"].Value.Properties[name]
	require.NotNil(t, ref)
	return ref
}

// References by name lead where JSON Schema has them lead (Core 2020-12 §8.2): an
// $id changes the base of those inside it.
func TestReferencesByName(t *testing.T) {
	for _, tt := range []struct{ name, schemas, want string }{
		{"an $anchor", "A: {properties: {p: {$ref: '#b'}}}\nB: {$anchor: b, title: target}", ""},
		{"an $id", "A: {properties: {p: {$ref: 'https://example.com/b'}}}\nB: {$id: 'https://example.com/b', title: target}", ""},
		{"relative to an $id", "A: {$id: 'https://example.com/s/a', properties: {p: {$ref: b}}}\nB: {$id: 'https://example.com/s/b', title: target}", ""},
		{"up from an $id", "A: {$id: 'https://example.com/s/a', properties: {p: {$ref: ../b}}}\nB: {$id: 'https://example.com/b', title: target}", ""},
		{"a relative $id", "A: {properties: {p: {$ref: schemas/b}}}\nB: {$id: schemas/b, title: target}", ""},
		{"an $id inside another", "A: {$id: 'https://example.com/a/', properties: {p: {$ref: b}}, $defs: {B: {$id: b, title: target}}}", ""},
		{"an $anchor of another resource", "A: {properties: {p: {$ref: 'https://example.com/b#c'}}}\nB: {$id: 'https://example.com/b', $defs: {C: {$anchor: c, title: target}}}\nC: {$anchor: c}", ""},
		{"one of two of a name", "A: {$id: 'https://example.com/a', properties: {p: {$ref: '#c'}}, $defs: {C: {$anchor: c, title: target}}}\nC: {$anchor: c}", ""},
		{"a pointer inside an $id", "A: {$id: 'https://example.com/a', properties: {p: {$ref: '#/$defs/B'}}, $defs: {B: {title: target}}}", ""},
		{"an anchor as older drafts write it", "A: {properties: {p: {$ref: '#b'}}}\nB: {$id: '#b', title: target}", ""},
		{"the document's own name", "A: {properties: {p: {$ref: 'doc.yaml#/components/schemas/B'}}}\nB: {$anchor: b, title: target}", ""},
		{
			"a pointer from the root of the document, inside an $id", "A: {$id: 'https://example.com/a', properties: {p: {$ref: '#/components/schemas/B'}}}\nB: {title: target}",
			`doc.yaml:6:62: reference "#/components/schemas/B" is read from the root of the document: the schema with the $id around it has no such part`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, head31+onePath+"components:\n  schemas:\n    "+indented(tt.schemas))
			ref := property(t, d, "p")
			require.NotNil(t, ref.Value)
			assert.Equal(t, "target", ref.Value.Title)
			if tt.want == "" {
				assert.Empty(t, d.Warnings())
			} else {
				assert.Equal(t, []string{tt.want}, d.Warnings())
			}
		})
	}
}

// What stands next to a $ref counts in OpenAPI 3.1 (JSON Schema Core 2020-12
// §8.2.3.1), and is ignored in 3.0 (OpenAPI 3.0.3, Reference Object).
func TestNextToAReference(t *testing.T) {
	const schemas = onePath + "components: {schemas: {A: {properties: {p: {$ref: '#/components/schemas/B', maxLength: 3}}}, B: {type: string, minLength: 1}}}"
	later, earlier := property(t, parse(t, head31+schemas), "p").Value, property(t, parse(t, head+schemas), "p").Value
	for _, s := range []*openapi3.Schema{later, earlier} {
		assert.EqualValues(t, 1, s.MinLength)
	}
	require.Error(t, later.VisitJSON("long"))
	assert.NoError(t, earlier.VisitJSON("long"))
}
