package contract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// What stands beside a $ref is ignored in older drafts of JSON Schema, wherever a document of 3.1 names one.
func TestOldDialects(t *testing.T) {
	const (
		old = "$schema: 'http://json-schema.org/draft-07/schema#'"
		now = "$schema: 'https://json-schema.org/draft/2020-12/schema'"
	)
	for _, tt := range []struct {
		name, top, schema, more string
		want                    []string
	}{
		{"none is named", "", "{properties: {a: {$ref: '#/components/schemas/A', maximum: 3}}}", "", []string{"op/body/a/allOf/0/maximum"}},
		{"in the schema", "", "{" + old + ", properties: {a: {$ref: '#/components/schemas/A', maximum: 3}}}", "", []string{}},
		{"draft-04", "", "{" + strings.Replace(old, "07", "04", 1) + ", properties: {a: {$ref: '#/components/schemas/A', maximum: 3}}}", "", []string{}},
		{"draft-06", "", "{" + strings.Replace(old, "07/schema#", "06/schema", 1) + ", properties: {a: {$ref: '#/components/schemas/A', maximum: 3}}}", "", []string{}},
		{"2020-12", "", "{" + now + ", properties: {a: {$ref: '#/components/schemas/A', maximum: 3}}}", "", []string{"op/body/a/allOf/0/maximum"}},
		{"of the document", "jsonSchemaDialect: http://json-schema.org/draft-07/schema#\n", "{properties: {a: {$ref: '#/components/schemas/A', maximum: 3, description: It.}}}", "", []string{}},
		{"of the document, but not of the schema", "jsonSchemaDialect: http://json-schema.org/draft-07/schema#\n", "{" + now + ", properties: {a: {$ref: '#/components/schemas/A', maximum: 3}}}", "", []string{"op/body/a/allOf/0/maximum"}},
		{"an unevaluated property", "", "{" + old + ", $ref: '#/components/schemas/O', unevaluatedProperties: false}", "    O: {" + old + ", allOf: [{$ref: '#/components/schemas/P', unevaluatedProperties: false}]}\n    P: {type: object}\n", []string{}},
		{"in a component", "", "{properties: {a: {$ref: '#/components/schemas/Z'}}}", "    Z: {" + old + ", allOf: [{$ref: '#/components/schemas/A', maximum: 3}]}\n", []string{}},
		{"below a component", "", "{properties: {a: {$ref: '#/components/schemas/Z/$defs/a'}}}", "    Z: {" + old + ", $defs: {a: {allOf: [{$ref: '#/components/schemas/A', maximum: 3}]}}}\n", []string{}},
		{"beside a reference to one", "", "{properties: {a: {$ref: '#/components/schemas/Z/properties/a', maximum: 3}}}", "    Z: {" + old + ", properties: {a: {$ref: '#/components/schemas/A', maximum: 2}}}\n", []string{"op/body/a/allOf/0/maximum"}},
		{"in a file", "", "{properties: {a: {$ref: 'old.json#/definitions/a'}}}", "", []string{}},
		{"the part of the target remains", "", "{" + old + ", properties: {a: {$ref: '#/components/schemas/B', description: It.}}}", "", []string{"op/body/a/allOf/0/maximum"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "doc.yaml")
			require.NoError(t, os.WriteFile(file, []byte(strings.Replace(head, "3.0.3", "3.1.0", 1)+tt.top+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: `+tt.schema+`}}}
      responses: {"200": {description: Done.}}
components:
  schemas:
    A: {type: integer}
    B: {allOf: [{maximum: 3}]}
`+tt.more), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "old.json"),
				[]byte(`{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"allOf": [{"$ref": "#/definitions/b", "maximum": 3}]}, "b": {"type": "integer"}}}`), 0o600))
			c, err := contract.Load(file)
			require.NoError(t, err)
			assert.Empty(t, c.Warnings)
			assert.Equal(t, tt.want, broken(c.Operations[0].CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+`{"a":4}`))))
		})
	}
}

// A list of schemas in items, which was the tuple before 2020-12, is read as one in each version, and
// dependencies as what they became where an older dialect is named.
func TestTuples(t *testing.T) {
	const pair = "{type: object, properties: {a: {type: array, items: [{type: string}, {$ref: 'REF'}], additionalItems: {type: boolean}}}"
	v3 := func(version, schema string) string {
		return "openapi: " + version + "\ninfo: {title: t, version: '1'}\npaths: {/a: {post: {operationId: op, requestBody: {content: {application/json: {schema: " +
			strings.Replace(schema, "REF", "#/components/schemas/A", 1) + "}}}, responses: {'200': {description: Done.}}}}}\ncomponents: {schemas: {A: {type: integer}}}\n"
	}
	v2 := "swagger: '2.0'\ninfo: {title: t, version: '1'}\nconsumes: [application/json]\npaths: {/a: {post: {operationId: op, parameters: [{name: b, in: body, schema: " +
		strings.Replace(pair, "REF", "#/definitions/A", 1) + "}}], responses: {'200': {description: Done.}}}}}\ndefinitions: {A: {type: integer}}\n"
	const told = "items is a list of schemas"
	for _, tt := range []struct {
		name, document string
		warnings       int
		bodies         map[string][]string
	}{
		{"3.0", v3("3.0.3", pair+"}"), 1, map[string][]string{`{"a":["x",1,true]}`: {}, `{"a":["x"]}`: {}, `{"a":[1]}`: {"op/body/a/prefixItems/0/type"}, `{"a":["x","y"]}`: {"op/body/a/prefixItems/1/type"}, `{"a":["x",1,2]}`: {"op/body/a/items/type"}}},
		{"3.1", v3("3.1.0", pair+"}"), 1, map[string][]string{`{"a":["x",1,true]}`: {}, `{"a":["x","y"]}`: {"op/body/a/prefixItems/1/type"}}},
		{"2.0", v2, 1, map[string][]string{`{"a":["x",1,true]}`: {}, `{"a":["x","y"]}`: {"op/body/a/prefixItems/1/type"}}},
		{"draft-07", v3("3.1.0", "{$schema: 'http://json-schema.org/draft-07/schema#', dependencies: {b: [c], d: {required: [e]}}, "+pair[1:]+"}"), 0, map[string][]string{
			`{"a":["x",1,true]}`: {}, `{"a":["x",1,2]}`: {"op/body/a/items/type"}, `{"b":1}`: {"op/body/b/dependentRequired"}, `{"d":1,"c":2}`: {"op/body/dependentSchemas/d/e/required"}, `{"b":1,"c":2}`: {},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := contract.Parse("doc.yaml", []byte(tt.document))
			require.NoError(t, err)
			assert.Equal(t, tt.warnings, strings.Count(strings.Join(c.Warnings, "\n"), told), "%v", c.Warnings)
			for body, want := range tt.bodies {
				assert.Equal(t, want, broken(c.Operations[0].CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+body))), body)
			}
		})
	}
}
