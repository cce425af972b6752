package document_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

const (
	head   = "openapi: 3.0.3\ninfo: {title: a, version: \"1\"}\n"
	head31 = "openapi: 3.1.0\ninfo: {title: a, version: \"1\"}\n"
	done   = "responses: {\"200\": {description: Done.}}"
)

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, document, message string }{
		{"nothing", "", "doc.yaml: not an OpenAPI document: it is empty"},
		{"a schema", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}`, "doc.yaml: not an OpenAPI document: it is a JSON Schema; the field openapi is missing"},
		{"a page", "<!DOCTYPE html>\n<html><body>API</body></html>", "doc.yaml: not an OpenAPI document, but an HTML page: name the document itself, as in https://HOST/openapi.json"},
		{"another document", "name: a", "doc.yaml: not an OpenAPI document: the field openapi is missing"},
		{"not YAML", "openapi: [", "doc.yaml:1:1: cannot be loaded: "},
		{"a list", "- a", "doc.yaml: not an OpenAPI document: the root must be an object"},
		{"Swagger 1.2", "swaggerVersion: \"1.2\"\napis: []", "doc.yaml: not an OpenAPI document: the field openapi is missing"},
		{"an unknown Swagger", "swagger: \"3.0\"\ninfo: {title: a, version: \"1\"}\npaths: {}", "doc.yaml: Swagger 3.0 document: only 2.0 is read of Swagger"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := document.Parse("doc.yaml", []byte(tt.document))
			var fault *document.Error
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, "doc.yaml", fault.File)
			assert.True(t, strings.HasPrefix(err.Error(), tt.message), "%s", err)
			assert.NotContains(t, err.Error(), "\n", "a message is one line")
		})
	}
}

func TestLoadRefusesFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	_, err := document.Load(missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.Equal(t, missing+": no such file", err.Error())

	dir := t.TempDir()
	_, err = document.Load(dir)
	require.ErrorContains(t, err, dir+": cannot be read: ")
}

// Faults of a document that keep the loader from reading any of it are warnings,
// each at its place, and the rest is a contract.
func TestMended(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{
			"a parameter that leads nowhere", "paths:\n  /a:\n    get:\n      parameters:\n        - $ref: '#/components/parameters/none'\n      " + done,
			`doc.yaml:7:17: reference "#/components/parameters/none" ignored: target not found`,
		},
		{
			"a schema that leads nowhere", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {$ref: '#/x'}}\n      " + done,
			`doc.yaml:7:47: reference "#/x" ignored: target not found`,
		},
		{
			"a circle of references", "paths: {/a: {get: {" + done + "}}}\ncomponents:\n  schemas:\n    a: {$ref: '#/components/schemas/b'}\n    b: {$ref: '#/components/schemas/a'}",
			`doc.yaml:6:5: reference "#/components/schemas/b" ignored: circular, it leads back to itself`,
		},
		{
			"a file that is not there", "paths:\n  /a:\n    get:\n      responses: {'200': {$ref: 'none.yaml#/a'}, default: {description: b}}",
			`doc.yaml:6:33: reference "none.yaml#/a" ignored: file cannot be read`,
		},
		{
			"another host", "paths:\n  /a:\n    get:\n      responses: {'200': {$ref: 'https://example.com/a.yaml#/a'}, default: {description: b}}",
			`doc.yaml:6:33: reference "https://example.com/a.yaml#/a" ignored: remote files are not fetched: --fetch example.com allows it`,
		},
		{
			"a reference to something else", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {$ref: '#/components/responses/r'}}\n      " + done +
				"\ncomponents: {responses: {r: {description: b}}}",
			`doc.yaml:7:47: reference "#/components/responses/r" ignored: cannot be resolved`,
		},
		{
			"a discriminator that leads nowhere", "paths:\n  /a:\n    get:\n      " + done + "\ncomponents:\n  schemas:\n    A: {oneOf: [{type: object}], discriminator: {propertyName: a, mapping: {b: 'none.yaml#/b', c: A}}}",
			`doc.yaml:9:80: reference "none.yaml#/b" ignored: file cannot be read`,
		},
		{
			"a reference in the place of a map", "paths:\n  /a:\n    get:\n      responses: {'200': {description: a, content: {$ref: '#/x-content'}}}\nx-content: {application/json: {schema: {type: string}}}",
			`doc.yaml:6:59: no reference may stand here; read as what "#/x-content" leads to`,
		},
		{
			"one that leads to another", "paths:\n  /a:\n    get:\n      responses: {'200': {description: a, content: {$ref: '#/x-a'}}}\nx-a: {$ref: '#/x-b'}\nx-b: {application/json: {schema: {type: string}}}",
			`doc.yaml:7:13: no reference may stand here; read as what "#/x-b" leads to`,
		},
		{
			"one to what it is in", "paths: {/a: {get: {" + done + "}}}\ncomponents:\n  schemas:\n    A: {properties: {$ref: '#/components/schemas/A'}}",
			`doc.yaml:6:28: expected an object; value ignored`,
		},
		{
			"two that lead into one another", "paths: {/a: {get: {" + done + "}}}\ncomponents:\n  schemas:\n    A: {properties: {$ref: '#/components/schemas/B'}}\n    B: {properties: {$ref: '#/components/schemas/A'}}",
			`doc.yaml:7:28: expected an object; value ignored`,
		},
		{
			"a number for a text", "paths:\n  /a:\n    get:\n      summary: 1.0\n      " + done,
			`doc.yaml:6:16: 1.0 is read as the string "1.0"`,
		},
		{
			"required that is no list", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string, required: true}}\n      " + done,
			"doc.yaml:7:65: expected an array; value ignored",
		},
		{
			"a number as text", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string, maxLength: '3'}}\n      " + done,
			`doc.yaml:7:66: "3" is read as a number`,
		},
		{
			"text for a number", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string, maxLength: three}}\n      " + done,
			"doc.yaml:7:66: expected a number; value ignored",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := document.Parse("doc.yaml", []byte(head+tt.document))
			require.NoError(t, err)
			assert.Equal(t, 1, d.T.Paths.Len())
			d.Locate(nil)
			assert.Contains(t, d.Warnings(), tt.want)
		})
	}
}

// What YAML 1.2 allows, but its parser does not.
func TestYAML(t *testing.T) {
	const rest = head + "paths: {/a: {get: {" + done + "}}}\n"
	for name, text := range map[string]string{
		"version":                   "%YAML 1.2\n---\n" + rest,
		"version below a comment":   "# ours\n%YAML 1.2\r\n---\n" + rest,
		"line of tabs":              strings.Replace(rest, "\n", "\n\t\n  \t\r\n", 1),
		"comment behind a tab":      strings.Replace(rest, "\n", "\n\t# ours\n", 1),
		"tabs at the end of a line": strings.ReplaceAll(rest, "\n", "\t\n"),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := document.Parse("doc.yaml", []byte(text))
			require.NoError(t, err)
			assert.Equal(t, 1, d.T.Paths.Len())
			assert.Empty(t, d.Warnings())
		})
	}
}

// An enumeration that no value of the type is in would refuse everything, and so would a pattern
// that no text matches.
func TestNothingIsValid(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"of the items", "{type: array, items: {type: string}, enum: [a, b]}", "doc.yaml:7:77: enum ignored: none of its values is of the type array"},
		{"of numbers", "{type: string, enum: [1, 2]}", "doc.yaml:7:55: enum ignored: none of its values is of the type string"},
		{"of two types", "{type: string, enum: [1, a]}", ""},
		{"of integers", "{type: number, enum: [1, 2]}", ""},
		{"of fractions", "{type: integer, enum: [1.0]}", ""},
		{"of null, which the type is not", "{type: string, nullable: true, enum: [null]}", ""},
		{"of dates", "{type: string, enum: [2020-01-01]}", ""},
		{"without a type", "{enum: [1, a]}", ""},
		{"a pattern as in a program", "{type: string, pattern: '/^[a-z]+$/i'}", "doc.yaml:7:55: pattern ignored: no text matches /^[a-z]+$/i, in which a ^ or a $ is in the midst"},
		{"a pattern of slashes", "{type: string, pattern: '/[a-z]+/'}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := document.Parse("doc.yaml", []byte(head+"paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: "+tt.schema+"}\n      "+done))
			require.NoError(t, err)
			d.Locate(nil)
			if tt.want == "" {
				assert.Empty(t, d.Warnings())
			} else {
				assert.Equal(t, []string{tt.want}, d.Warnings())
			}
		})
	}
}

// An empty URL is one.
func TestEmptyURLOfServer(t *testing.T) {
	for servers, faulty := range map[string]bool{"[{url: ''}]": false, "[{description: a}]": true} {
		d, err := document.Parse("doc.yaml", []byte(head+"servers: "+servers+"\npaths:\n  /a:\n    get:\n      "+done))
		require.NoError(t, err)
		d.Locate(nil)
		assert.Equal(t, faulty, len(d.Warnings()) > 0, "%s: %v", servers, d.Warnings())
	}
}

// What is not read of a document is a warning at its place.
func TestDocumentAsAWhole(t *testing.T) {
	const path = `{"get": {"responses": {"200": {"description": "ok"}}}}`
	for _, tt := range []struct{ name, document, want string }{
		{"a name twice", `{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": ` + path + `,` + "\n" + `"/a": ` + path + `}}`, "a.json:1:72: duplicate key; only one value is used"},
		{"a later version", `{"openapi": "3.3.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": ` + path + `}}`, "a.json:1:2: OpenAPI 3.3.0 is not supported; read as OpenAPI 3."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := document.Parse("a.json", []byte(tt.document))
			require.NoError(t, err)
			d.Locate(nil)
			require.Len(t, d.Warnings(), 1)
			assert.Contains(t, d.Warnings()[0], tt.want)
		})
	}
}

// Places are those of the document as it was written, whatever the loader has read in
// its place, and whatever characters names have.
func TestPlacesAreThoseOfTheText(t *testing.T) {
	const text = `{"openapi": "3.1.0", "info": {"title": "a", "version": 1}, "paths": {"/a#b": {"get": {"responses": {"200": {"description": "ok"}}}}},
  "components": {"schemas": {"A": {
    "const": null, "default": 1,
    "properties": {"#": {"type": "integer", "default": 9007199254740993}}}}}}`
	for name, text := range map[string]string{"mended": text, "as it is": strings.Replace(text, "1}", `"1"}`, 1)} {
		t.Run(name, func(t *testing.T) {
			d := parse(t, text)
			places := map[string]document.Place{}
			for _, pointer := range []string{"/paths/~1a#b/get", "/components/schemas/A/default", "/components/schemas/A/properties/#/default"} {
				places[pointer] = document.Place{Pointer: pointer}
			}
			a := d.T.Components.Schemas["A"].Value
			at := document.At(a.Origin, "/components/schemas/A", "default")
			all := []*document.Place{&at}
			for e := range d.Examples() {
				p := places[e.Place.Pointer]
				all = append(all, &p)
			}
			path := places["/paths/~1a#b/get"]
			all = append(all, &path)
			d.Locate(all)
			got := make([]string, len(all))
			for i, p := range all {
				got[i] = p.String()
			}
			column := strings.Index(text, `"get"`) + 1
			assert.Equal(t, []string{"doc.yaml:3:20", "doc.yaml:3:20", "doc.yaml:4:45", fmt.Sprintf("doc.yaml:1:%d", column)}, got)
		})
	}
}

// Whatever the bytes, there is a document or a reason why there is none.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		head + onePath, head2 + conversions[2].swagger, head2 + conversions[6].swagger, head2 + conversions[10].swagger, head31 + onePath + "components: {schemas: {A: {$id: a, $ref: '#b'}, B: {$anchor: b, $dynamicRef: '#c'}}}",
		"x: &x {<<: *x}\n" + head + onePath, head + "paths: {/a: {get: {parameters: [{$ref: '#/components/parameters/none'}], " + done + "}}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := document.Parse("doc.yaml", data)
		if err != nil {
			var fault *document.Error
			require.ErrorAs(t, err, &fault)
			return
		}
		for range d.Examples() {
		}
		d.Locate(nil)
		d.Warnings()
		d.Forget()
	})
}

// What came with OpenAPI 3.2 is no fault of a document, and stands where it is written.
func TestOpenAPI32(t *testing.T) {
	d := parse(t, `openapi: 3.2.0
$self: https://example.com/api.yaml
info: {title: a, version: "1"}
servers: [{url: /v1, name: main}]
tags: [{name: a, summary: A, kind: nav}, {name: b, parent: a}]
paths:
  /a:
    query:
      parameters:
        - {name: q, in: querystring, content: {application/json: {schema: {type: integer}}}}
        - {name: c, in: cookie, style: cookie, schema: {type: string}}
      responses:
        "200": {summary: Done., content: {application/json: {$ref: '#/components/mediaTypes/A'}}}
        "400": {$ref: 'https://example.com/api.yaml#/components/responses/B'}
    additionalOperations: {COPY: {responses: {"200": {}}}}
    post:
      requestBody:
        content:
          multipart/mixed: {itemSchema: {type: string}, prefixEncoding: [{contentType: text/plain}], itemEncoding: {contentType: text/plain}}
          multipart/form-data: {schema: {type: object}, encoding: {a: {contentType: multipart/mixed, itemEncoding: {contentType: text/plain}}}}
      responses: {"200": {}}
components:
  mediaTypes:
    A:
      schema:
        type: object
        xml: {nodeType: element}
      examples: {one: {dataValue: {a: 1}, serializedValue: '{"a":1}'}, two: {serializedValue: '{}'}}
  responses: {B: {content: {application/json: {schema: {type: string}}}}}
  securitySchemes:
    s: {type: oauth2, deprecated: true, oauth2MetadataUrl: 'https://example.com/m', flows: {deviceAuthorization: {deviceAuthorizationUrl: 'https://example.com/d', tokenUrl: 'https://example.com/t', scopes: {}}}}
  schemas:
    S: {discriminator: {propertyName: k, defaultMapping: T}, anyOf: [{$ref: '#/components/schemas/T'}]}
    T: {type: object}
`)
	assert.Empty(t, d.Warnings())
	item := d.T.Paths.Value("/a")
	assert.Equal(t, "Done.", *item.Query.Responses.Value("200").Value.Description)
	assert.True(t, item.Query.Responses.Value("400").Value.Content["application/json"].Schema.Value.Type.Is("string"))
	media := item.Query.Responses.Value("200").Value.Content["application/json"]
	assert.Equal(t, map[string]any{"a": 1.0}, media.Examples["one"].Value.Value)
	place := document.Place{Pointer: "/paths/~1a/query/responses/200/content/application~1json/schema/type"}
	d.Locate([]*document.Place{&place})
	assert.Equal(t, "doc.yaml:26:9", place.String())
	assert.Equal(t, "/components/mediaTypes/A/schema/type", place.Pointer)
}

// A bound beyond what a double holds is exact wherever the document is from: a value at
// the bound would else break it.
func TestNumbersAreExact(t *testing.T) {
	const text = `{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {},
  "components": {"schemas": {"A": {"type": "integer", "maximum": 9223372036854775807}}}}`
	for _, file := range []string{"doc.json", "/specs/doc.json", "http://127.0.0.1:8080/openapi.json", "https://api.example/a%20b/openapi?v=1"} {
		t.Run(file, func(t *testing.T) {
			d, err := document.Parse(file, []byte(text))
			require.NoError(t, err)
			got, ok := d.Exactly(d.T.Components.Schemas["A"].Value, "maximum")
			assert.True(t, ok)
			assert.EqualValues(t, "9223372036854775807", got)
		})
	}
}
