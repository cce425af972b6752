package document_test

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// load writes files into a directory and loads the first.
func load(t *testing.T, main string, files map[string]string, opts ...document.Option) (d *document.Document, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	d, err := document.Load(filepath.Join(dir, main), opts...)
	require.NoError(t, err)
	return d, dir
}

const pets = `components:
  schemas:
    Pet:
      oneOf: [{$ref: cat.yaml}, {$ref: './parts/dog.yaml#/Dog'}, {$ref: '#/components/schemas/Bird'}]
      discriminator: {propertyName: kind, mapping: {c: ./cat.yaml, d: parts/dog.yaml#/Dog, b: Bird, e: '#/components/schemas/Bird'}}
    Bird: {type: object}
`

// The values of a mapping lead where the branches lead, however either is written.
func TestMappingOfFiles(t *testing.T) {
	d, _ := load(t, "main.yaml", map[string]string{
		"main.yaml": head + onePath + pets, "cat.yaml": "type: object\n", "parts/dog.yaml": "Dog: {type: object}\n",
	})
	assert.Empty(t, d.Warnings())
	pet := d.T.Components.Schemas["Pet"].Value
	mapping := pet.Discriminator.Mapping
	assert.Equal(t, pet.OneOf[0].Ref, mapping["c"].Ref)
	assert.Equal(t, pet.OneOf[1].Ref, mapping["d"].Ref)
	assert.Equal(t, pet.OneOf[2].Ref, mapping["b"].Ref)
	assert.Equal(t, pet.OneOf[2].Ref, mapping["e"].Ref)
}

// A reference in another file is relative to that file, and so is its place.
func TestPlacesInOtherFilesOfOtherFiles(t *testing.T) {
	d, dir := load(t, "main.json", map[string]string{
		"main.json":    `{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": {"parameters": [{"$ref": "parts/q.json#/Q"}], "responses": {"200": {"description": "ok"}}}}}}`,
		"parts/q.json": "{\n  \"Q\": {\"name\": \"q\", \"in\": \"query\", \"schema\": {\"$ref\": \"#/S\"}},\n  \"S\": {\"type\": \"array\",\n    \"items\": {\"$ref\": \"more/i.json#/I\"}, \"example\": 1}\n}",
		"parts/more/i.json": `{
  "I": {"type": "object", "properties": {"up": {"$ref": "../q.json#/S"}}}
}`,
	})
	q := d.T.Paths.Value("/a").Get.Parameters[0]
	items := q.Value.Schema.Value.Items
	file := filepath.ToSlash(filepath.Join(dir, "parts"))
	assert.Equal(t, file+"/q.json#/Q", q.Ref)
	assert.Equal(t, file+"/q.json#/S", q.Value.Schema.Ref)
	assert.Equal(t, file+"/more/i.json#/I", items.Ref)
	assert.Equal(t, file+"/q.json#/S", items.Value.Properties["up"].Ref)
	examples := slices.Collect(d.Examples())
	require.NotEmpty(t, examples)
	place := examples[0].Place
	d.Locate([]*document.Place{&place})
	assert.Equal(t, document.Place{File: file + "/q.json", Pointer: file + "/q.json#/S/example", Line: 4, Column: 42}, place)
}

// What is a value in another file has no references, whatever it looks like.
func TestValuesInOtherFile(t *testing.T) {
	d, _ := load(t, "main.yaml", map[string]string{
		"main.yaml": head + onePath + "components:\n  schemas:\n    A: {$ref: 'other.yaml#/components/schemas/A'}\n    B: {$ref: 'other.yaml#/components/schemas/gone'}\n",
		"other.yaml": `components:
  schemas:
    A:
      type: object
      example: {a: {$ref: '#/none'}}
      default: {$ref: '#/none'}
      properties:
        a: {type: object, enum: [{$ref: '#/none'}]}
        example: {$ref: '#/there'}
there: {type: integer}
`,
	})
	require.Len(t, d.Warnings(), 1) // of B
	a := d.T.Components.Schemas["A"].Value
	assert.Equal(t, map[string]any{"a": map[string]any{"$ref": "#/none"}}, a.Example)
	assert.True(t, a.Properties["example"].Value.Type.Is("integer"))
}

// What another file lacks is said once, at its place; what does not need it is tested.
func TestMissingPartInOtherFile(t *testing.T) {
	for name, tt := range map[string]struct {
		ref, other, warning string
	}{
		"of the document":   {"other.yaml#/components/schemas/Gone", "", `main.yaml:6:15: reference "other.yaml#/components/schemas/Gone" ignored: target not found`},
		"of the other file": {"other.yaml#/components/schemas/There", "{$ref: '#/components/schemas/Gone'}", `other.yaml:3:36: reference "#/components/schemas/Gone" ignored: target not found`},
		"of a third file":   {"other.yaml#/components/schemas/There", "{$ref: 'third.yaml#/Gone'}", `other.yaml:3:36: reference "third.yaml#/Gone" ignored: target not found`},
		"no such file":      {"other.yaml#/components/schemas/There", "{$ref: none.yaml}", `other.yaml:3:36: reference "none.yaml" ignored: file cannot be read`},
		"no YAML":           {"other.yaml#/components/schemas/There", "{$ref: bad.yaml}", `other.yaml:3:36: reference "bad.yaml" ignored: file cannot be read`},
	} {
		check := func(t *testing.T, opts ...document.Option) {
			d, _ := load(t, "main.yaml", map[string]string{
				"main.yaml":  head + onePath + "components:\n  schemas:\n    A: {$ref: '" + tt.ref + "'}\n    B: {$ref: 'other.yaml#/components/schemas/Well'}\n",
				"other.yaml": "components:\n  schemas:\n    There: {properties: {a: " + cmp.Or(tt.other, "{}") + "}}\n    Well: {type: integer}\n",
				"third.yaml": "Other: {type: string}\n",
				"bad.yaml":   "a: [\n",
			}, opts...)
			require.Len(t, d.Warnings(), 1)
			assert.Regexp(t, "/"+regexp.QuoteMeta(tt.warning)+"$", d.Warnings()[0])
			assert.True(t, d.T.Components.Schemas["B"].Value.Type.Is("integer"))
		}
		t.Run(name, func(t *testing.T) { check(t) })
		t.Run(name+", with an overlay", func(t *testing.T) {
			o, err := overlay(t, overlayHead+"  - {target: $.info, update: {title: b}}\n")
			require.NoError(t, err)
			check(t, document.Overlaid(o))
		})
	}
}

// A reference may stand where OpenAPI has none: in the place of a map, of a list, of an operation or of all components.
// What it leads to has references of its own, which are relative to where they stand.
func TestReferencesForWholes(t *testing.T) {
	parts := map[string]string{
		"parts/paths.yaml": `/pets/{id}:
  parameters: [{$ref: 'more.yaml#/parameters/0'}]
  get: {operationId: read, responses: {'200': {$ref: 'more.yaml#/responses/ok'}}}
`,
		"parts/more.yaml": `parameters: [{name: id, in: path, required: true, schema: {$ref: '#/schemas/Key'}}]
responses: {ok: {description: ok, content: {application/json: {schema: {$ref: '#/schemas/Pet'}}}}}
content: {application/json: {schema: {$ref: '#/schemas/Pet'}, examples: {one: {value: {name: a}}}}}
schemas:
  Pet: {type: object, properties: {name: {$ref: '#/schemas/Name'}}}
  Name: {type: string, maxLength: 7}
  Key: {type: string, maxLength: 9}
get: {operationId: read, parameters: [{$ref: '#/parameters/0'}], responses: {'200': {$ref: '#/responses/ok'}}}
properties: {name: {$ref: '#/schemas/Name'}}
all: {responses: {ok: {$ref: '#/responses/ok'}}, schemas: {Other: {$ref: '#/schemas/Key'}}}
`,
	}
	for name, text := range map[string]string{
		"paths":                "paths: {$ref: parts/paths.yaml}",
		"an operation":         "paths: {'/pets/{id}': {get: {$ref: 'parts/more.yaml#/get'}}}",
		"parameters of a path": "paths: {'/pets/{id}': {parameters: {$ref: 'parts/more.yaml#/parameters'}, get: {responses: {'200': {$ref: 'parts/more.yaml#/responses/ok'}}}}}",
		"parameters, content":  "paths: {'/pets/{id}': {get: {parameters: {$ref: 'parts/more.yaml#/parameters'}, responses: {'200': {description: ok, content: {$ref: 'parts/more.yaml#/content'}}}}}}",
		"a media type":         "paths: {'/pets/{id}': {get: {parameters: {$ref: 'parts/more.yaml#/parameters'}, responses: {'200': {description: ok, content: {application/json: {$ref: 'parts/more.yaml#/content/application~1json'}}}}}}}",
		"schemas":              "paths: {'/pets/{id}': {get: {parameters: [{name: id, in: path, required: true, schema: {$ref: '#/components/schemas/Key'}}], responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}}}}\ncomponents: {schemas: {$ref: 'parts/more.yaml#/schemas'}}",
		"components":           "paths: {'/pets/{id}': {get: {parameters: [{$ref: 'parts/more.yaml#/parameters/0'}], responses: {'200': {$ref: '#/components/responses/ok'}}}}}\ncomponents: {$ref: 'parts/more.yaml#/all'}",
		"properties":           "paths: {'/pets/{id}': {get: {parameters: {$ref: 'parts/more.yaml#/parameters'}, responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {$ref: 'parts/more.yaml#/properties'}}}}}}}}}",
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"main.yaml": head + text + "\n"}
			maps.Copy(files, parts)
			d, _ := load(t, "main.yaml", files)
			item := d.T.Paths.Value("/pets/{id}")
			require.NotNil(t, item)
			require.NotEmpty(t, d.Warnings())
			for _, w := range d.Warnings() {
				assert.Contains(t, w, "no reference may stand here; read as what \"parts/")
			}
			key := append(item.Parameters, item.Get.Parameters...)[0].Value.Schema.Value
			assert.EqualValues(t, 9, *key.MaxLength)
			pet := item.Get.Responses.Value("200").Value.Content["application/json"].Schema.Value
			assert.EqualValues(t, 7, *pet.Properties["name"].Value.MaxLength)
		})
	}
}
