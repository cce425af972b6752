package document_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

const head2 = "swagger: \"2.0\"\ninfo: {title: a, version: \"1\"}\n"

// conversions are documents of Swagger 2.0, each with what it is in OpenAPI 3.0. The last
// column says what openapi2conv, the second opinion, makes of it instead; it is empty where it
// makes the same.
var conversions = []struct{ name, swagger, openapi, conv string }{
	{
		"a parameter's fields are its schema",
		"paths: {/a: {get: {parameters: [{name: q, in: query, description: d, required: true, type: string, maxLength: 3, enum: [a, b], default: a}], " + done + "}}}",
		"paths: {/a: {get: {parameters: [{name: q, in: query, description: d, required: true, schema: {type: string, maxLength: 3, enum: [a, b], default: a}}], " + done + "}}}",
		"",
	},
	{
		"lists",
		"paths: {/a: {get: {parameters: [{name: c, in: query, type: array, items: {type: string}}, {name: m, in: query, type: array, items: {type: string}, collectionFormat: multi}, {name: s, in: query, type: array, items: {type: string}, collectionFormat: ssv}, {name: p, in: query, type: array, items: {type: string}, collectionFormat: pipes}], " + done + "}}}",
		"paths: {/a: {get: {parameters: [{name: c, in: query, explode: false, schema: {type: array, items: {type: string}}}, {name: m, in: query, explode: true, schema: {type: array, items: {type: string}}}, {name: s, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {type: string}}}, {name: p, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: string}}}], " + done + "}}}",
		"a list without a collectionFormat is exploded, though the default is csv",
	},
	{
		"lists that OpenAPI 3.0 has no style for",
		"paths: {'/a/{i}': {get: {parameters: [{name: i, in: path, required: true, type: array, items: {type: string}, collectionFormat: pipes}, {name: t, in: query, type: array, items: {type: string}, collectionFormat: tsv}], " + done + "}}}",
		"paths: {'/a/{i}': {get: {parameters: [{name: i, in: path, required: true, schema: {type: array, items: {type: string}}, x-contracttest-delimiter: '|'}, {name: t, in: query, explode: false, schema: {type: array, items: {type: string}}, x-contracttest-delimiter: \"\\t\"}], " + done + "}}}",
		"the delimiter is lost",
	},
	{
		"a body",
		"consumes: [application/json, application/xml]\npaths: {/a: {post: {parameters: [{name: b, in: body, description: d, required: true, schema: {$ref: '#/definitions/A'}}], " + done + "}}}\ndefinitions: {A: {type: object}}",
		"paths: {/a: {post: {requestBody: {description: d, required: true, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}, application/xml: {schema: {$ref: '#/components/schemas/A'}}}}, " + done + "}}}\ncomponents: {schemas: {A: {type: object}}}",
		"an extension for the parameter's name",
	},
	{
		"a body of which nobody says what it is",
		"paths: {/a: {post: {parameters: [{name: b, in: body, schema: {type: string}}], " + done + "}}}",
		"paths: {/a: {post: {requestBody: {x-contracttest-assumed-media-type: true, content: {application/json: {schema: {type: string}}}}, " + done + "}}}",
		"nothing marks that the media type is assumed",
	},
	{
		"a shared parameter",
		"paths: {/a: {parameters: [{$ref: '#/parameters/q'}, {$ref: '#/parameters/b'}], put: {consumes: [text/plain], " + done + "}}}\nparameters: {q: {name: q, in: query, type: integer}, b: {name: b, in: body, schema: {type: string}}}",
		"paths: {/a: {parameters: [{name: q, in: query, schema: {type: integer}}], put: {requestBody: {content: {text/plain: {schema: {type: string}}}}, " + done + "}}}",
		"the shared body is one of application/json",
	},
	{
		"a form",
		"paths: {/a: {post: {consumes: [multipart/form-data, application/x-www-form-urlencoded], parameters: [{name: a, in: formData, type: integer, maximum: 3, required: true, description: d}, {name: l, in: formData, type: array, items: {type: string}}], " + done + "}}}",
		"paths: {/a: {post: {requestBody: {required: true, content: {multipart/form-data: &m {schema: {type: object, x-contracttest-form-fields: true, required: [a], properties: {a: {type: integer, maximum: 3, description: d}, l: {type: array, items: {type: string}}}}, encoding: {l: {explode: false, x-contracttest-delimiter: ','}}}, application/x-www-form-urlencoded: *m}}, " + done + "}}}",
		"how lists are written is lost",
	},
	{
		"a file",
		"consumes: [application/json]\nproduces: [image/png]\npaths: {/a: {post: {parameters: [{name: f, in: formData, type: file}], responses: {'200': {description: Done., schema: {type: file}}}}}}",
		"paths: {/a: {post: {requestBody: {x-contracttest-assumed-media-type: true, content: {multipart/form-data: {schema: {type: object, x-contracttest-form-fields: true, properties: {f: {type: string, format: binary}}}}}}, responses: {'200': {description: Done., content: {image/png: {schema: {type: string, format: binary}}}}}}}}",
		"the form is one of application/json, and the answer has the type file",
	},
	{
		"responses",
		"produces: [application/json]\npaths: {/a: {get: {responses: {'200': {description: Done., schema: {type: string}, headers: {X-A: {type: integer, description: d}}, examples: {application/json: b}}, '400': {$ref: '#/responses/bad'}}}}}\nresponses: {bad: {description: Bad., schema: {type: integer}}}",
		"paths: {/a: {get: {responses: {'200': {description: Done., headers: {X-A: {description: d, schema: {type: integer}}}, content: {application/json: {schema: {type: string}, example: b}}}, '400': {description: Bad., content: {application/json: {schema: {type: integer}}}}}}}}",
		"the shared response is a reference",
	},
	{
		"an answer of which nobody says what it is",
		"paths: {/a: {get: {responses: {'200': {description: Done., schema: {type: string}}}}}}",
		"paths: {/a: {get: {responses: {'200': {description: Done., content: {'*/*': {schema: {type: string}}}}}}}}",
		"application/json is required, of which the document says nothing",
	},
	{
		"schemas",
		"paths: {/a: {get: {" + done + "}}}\ndefinitions:\n  A: {type: object, discriminator: k, required: [k], properties: {k: {type: string}, n: {type: string, x-nullable: true}, t: {type: [string, 'null']}}}\n  B: {allOf: [{$ref: '#/definitions/A'}, {type: object, properties: {a: {$ref: '#/definitions/A', x-nullable: true}}}]}",
		"paths: {/a: {get: {" + done + "}}}\ncomponents: {schemas: {A: {type: object, discriminator: {propertyName: k}, required: [k], properties: {k: {type: string}, n: {type: string, nullable: true}, t: {type: string, nullable: true}}}, B: {allOf: [{$ref: '#/components/schemas/A'}, {type: object, properties: {a: {nullable: true, allOf: [{$ref: '#/components/schemas/A'}]}}}]}}}",
		"it keeps x-nullable beside a reference, where it is ignored, and the type null",
	},
	{
		"readOnly beside a reference",
		"paths: {/a: {get: {" + done + "}}}\ndefinitions:\n  A: {type: string}\n  B: {type: object, properties: {a: {$ref: '#/definitions/A', readOnly: true, description: d}}}",
		"paths: {/a: {get: {" + done + "}}}\ncomponents: {schemas: {A: {type: string}, B: {type: object, properties: {a: {$ref: '#/components/schemas/A', readOnly: true}}}}}",
		"it goes with all that stands beside a reference",
	},
	{
		"a reference into a response",
		"paths: {/a: {get: {responses: {'200': {description: Done., schema: {$ref: '#/responses/r/schema'}}}}}}\nresponses: {r: {description: R., schema: {type: string}}}",
		"paths: {/a: {get: {responses: {'200': {description: Done., content: {'*/*': {schema: {$ref: '#/components/schemas/schema'}}}}}}}}\ncomponents: {schemas: {schema: {type: string}}}",
		"the reference leads nowhere any more",
	},
	{
		"where it is",
		"host: example.com\nbasePath: /v1/\nschemes: [https, http]\npaths: {/a: {get: {" + done + "}}}",
		"servers: [{url: 'https://example.com/v1'}, {url: 'http://example.com/v1'}]\npaths: {/a: {get: {" + done + "}}}",
		"the slash at the end stays",
	},
	{
		"under a path of the same host",
		"basePath: /v1\nschemes: [https]\npaths: {/a: {get: {" + done + "}}}",
		"servers: [{url: /v1}]\npaths: {/a: {get: {" + done + "}}}",
		"",
	},
	{
		"credentials",
		"securityDefinitions: {b: {type: basic}, k: {type: apiKey, in: header, name: X-K}, o: {type: oauth2, flow: accessCode, authorizationUrl: 'https://example.com/a', tokenUrl: 'https://example.com/t', scopes: {r: read}}, c: {type: oauth2, flow: application, tokenUrl: 'https://example.com/t', scopes: {}}}\nsecurity: [{b: []}]\npaths: {/a: {get: {" + done + "}}}",
		"components: {securitySchemes: {b: {type: http, scheme: basic}, k: {type: apiKey, in: header, name: X-K}, o: {type: oauth2, flows: {authorizationCode: {authorizationUrl: 'https://example.com/a', tokenUrl: 'https://example.com/t', scopes: {r: read}}}}, c: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://example.com/t', scopes: {}}}}}}\nsecurity: [{b: []}]\npaths: {/a: {get: {" + done + "}}}",
		"",
	},
	{
		"examples of vendors",
		"consumes: [application/json]\npaths: {/a: {post: {parameters: [{name: q, in: query, type: string, x-example: c}, {name: b, in: body, schema: {type: string}, x-examples: {application/json: d}}], " + done + "}}}",
		"paths: {/a: {post: {parameters: [{name: q, in: query, example: c, schema: {type: string}}], requestBody: {content: {application/json: {example: d, schema: {type: string}}}}, " + done + "}}}",
		"they stay extensions",
	},
}

// asJSON returns a loaded document as values.
func asJSON(t *testing.T, doc any) map[string]any {
	t.Helper()
	data, err := json.Marshal(doc)
	require.NoError(t, err)
	var v map[string]any
	require.NoError(t, json.Unmarshal(data, &v))
	for _, name := range []string{"openapi", "components"} {
		if m, isMap := v[name].(map[string]any); !isMap || len(m) == 0 {
			delete(v, name)
		}
	}
	return v
}

// A document of Swagger 2.0 is read as one of OpenAPI 3.0 that says the same.
func TestSwagger(t *testing.T) {
	for _, tt := range conversions {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, head2+tt.swagger)
			assert.Empty(t, d.Warnings())
			want := asJSON(t, parse(t, head+tt.openapi).T)
			assert.Equal(t, want, asJSON(t, d.T))

			var values any
			require.NoError(t, yaml.Unmarshal([]byte(head2+tt.swagger), &values))
			text, err := json.Marshal(values)
			require.NoError(t, err)
			var other openapi2.T
			require.NoError(t, json.Unmarshal(text, &other))
			conv, err := openapi2conv.ToV3(&other)
			if tt.conv == "" {
				require.NoError(t, err)
				assert.Equal(t, want, asJSON(t, conv))
			} else if err == nil {
				assert.NotEqual(t, want, asJSON(t, conv), "openapi2conv now makes the same: take the reason out of the table and of docs/documents.md")
			}
		})
	}
}

// What is made of a document has the places of the document as it was written, whichever
// file that is in.
func TestPlacesOfSwagger(t *testing.T) {
	d, dir := load(t, "main.yaml", map[string]string{
		"main.yaml": head2 + `paths:
  /a:
    post:
      consumes: [multipart/form-data]
      parameters:
        - name: f
          in: formData
          type: string
          maxLength: 3
      ` + done + `
  /b:
    $ref: parts/b.json
  /c:
    put:
      parameters:
        - $ref: '#/parameters/body'
      responses:
        "200": {description: Done., schema: {$ref: 'parts/b.json#/definitions/B'}}
parameters:
  body: {name: b, in: body, schema: {$ref: '#/definitions/A'}}
definitions:
  A:
    type: string
    default: 1
`,
		"parts/b.json": "{\n\t\"get\": {\"parameters\": [{\"name\": \"q\", \"in\": \"query\", \"type\": \"integer\"}],\n\t\t\"responses\": {\"200\": {\"description\": \"\\ud83d\\ude00\"}}},\n" +
			"\t\"definitions\": {\"B\": {\"discriminator\": \"k\", \"type\": \"object\", \"default\": 2,\n\t\t\"properties\": {\"c\": {\"$ref\": \"#/definitions/C\"}}}, \"C\": {\"type\": \"integer\"}}\n}",
	})
	file := dir + "/parts/b.json"
	for _, tt := range []struct{ pointer, place, written string }{
		{"/paths/~1a/post/requestBody/content/multipart~1form-data/schema/properties/f/maxLength", "/main.yaml:11:11", "/paths/~1a/post/parameters/0/maxLength"},
		{"/paths/~1a/post/requestBody", "/main.yaml:8:11", "/paths/~1a/post/parameters/0"},
		{"/paths/~1a/post/responses/200", "/main.yaml:12:19", "/paths/~1a/post/responses/200"},
		{"/paths/~1b/get/parameters/0/schema/type", "/parts/b.json:2:54", file + "#/get/parameters/0/type"},
		{"/paths/~1c/put/requestBody/content/application~1json/schema", "/main.yaml:22:29", "/parameters/body/schema"},
		{"/components/schemas/A/default", "/main.yaml:26:5", "/definitions/A/default"},
		{"/components/schemas/B/default", "/parts/b.json:4:64", file + "#/definitions/B/default"},
		{"/components/schemas/B/discriminator/propertyName", "/parts/b.json:4:41", file + "#/definitions/B/discriminator"},
		{"/components/schemas/C/type", "/parts/b.json:5:60", file + "#/definitions/C/type"},
		{"/paths/~1c/put/nothing", "/main.yaml:16:5", "/paths/~1c/put/nothing"},
	} {
		t.Run(tt.pointer, func(t *testing.T) {
			place := document.Place{Pointer: tt.pointer}
			d.Locate([]*document.Place{&place})
			assert.Equal(t, tt.place, strings.TrimPrefix(place.String(), dir))
			assert.Equal(t, tt.written, place.Pointer)
		})
	}
	assert.Contains(t, d.Text([]*document.Place{{File: file}}), file)
}

// What is wrong with a document of Swagger 2.0 is a warning at its place.
func TestFaultsOfSwagger(t *testing.T) {
	for _, tt := range []struct{ name, document, want string }{
		{"a reference that leads nowhere", "paths: {/a: {get: {parameters: [{$ref: '#/parameters/none'}], " + done + "}}}", `doc.yaml:3:40: reference "#/parameters/none" ignored: target not found`},
		{"a schema that is not there", "paths: {/a: {get: {responses: {'200': {description: d, schema: {$ref: '#/definitions/none'}}}}}}", `doc.yaml:3:71: reference "#/definitions/none" ignored: target not found`},
		{"a file that is not there", "paths: {/a: {get: {responses: {'200': {$ref: 'none.yaml#/a'}, default: {description: d}}}}}", `doc.yaml:3:46: reference "none.yaml#/a" ignored: file cannot be read`},
		{"definitions that are none", "paths: {/a: {get: {" + done + "}}}\ndefinitions: [1]", "doc.yaml:4:14: expected an object; value ignored"},
		{"a keyword of OpenAPI 3.0", "paths: {/a: {get: {" + done + "}}}\ndefinitions: {A: {oneOf: [{type: string}]}}", "doc.yaml:4:19: Swagger 2.0 has no keyword oneOf; read as in OpenAPI 3.0"},
		{"a parameter without a type", "paths: {/a: {get: {parameters: [{name: q, in: query}], " + done + "}}}", `doc.yaml:3:33: "q" has no type; any text is sent`},
		{"an unknown collectionFormat", "paths: {/a: {get: {parameters: [{name: q, in: header, type: array, items: {type: string}, collectionFormat: multi}], " + done + "}}}", `doc.yaml:3:91: collectionFormat "multi" is not one of Swagger 2.0 here; read as csv`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, head2+tt.document)
			d.Locate(nil)
			assert.Contains(t, d.Warnings(), tt.want)
		})
	}
}
