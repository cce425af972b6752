package value_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Each branch of oneOf has a value, also where what it takes is mostly taken by another as
// well: those of a name, those that differ in one property, those that differ in several.
func TestOverlappingBranches(t *testing.T) {
	const named = `{discriminator: {propertyName: method, mapping: {password: '#/components/schemas/A', passkey: '#/components/schemas/B', code: '#/components/schemas/C'}},
    oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}, {$ref: '#/components/schemas/C'}]}`
	const three = `{oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}, {$ref: '#/components/schemas/C'}]}`
	tests := []struct {
		name, version, schema string
		parts                 [3]string
	}{
		{"named", "3.0.3", named, [3]string{
			`{type: object, required: [method, password], properties: {method: {type: string}, password: {type: string}}}`,
			`{type: object, required: [method], properties: {method: {type: string}, passkey: {type: string}}}`,
			`{type: object, required: [method, csrf], properties: {method: {type: string}, csrf: {type: string}, code: {type: string}}}`,
		}},
		{"named by what they say themselves", "3.0.3", `{discriminator: {propertyName: type}, oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}, {$ref: '#/components/schemas/C'}]}`, [3]string{
			`{type: object, required: [type], properties: {type: {type: string, enum: [ant]}, size: {type: integer}}}`,
			`{type: object, required: [type], properties: {type: {type: string, enum: [bee]}, size: {type: integer}}}`,
			`{allOf: [{type: object, required: [type], properties: {type: {enum: [cat, cow]}}}]}`,
		}},
		{"by one property of several", "3.1.0", three, [3]string{
			`{type: object, required: [kind], properties: {kind: {type: string}, size: {type: integer}}}`,
			`{type: object, required: [kind], properties: {kind: {type: integer}, size: {type: integer}}}`,
			`{type: object, required: [kind], properties: {kind: {type: boolean}, size: {type: integer}}}`,
		}},
		{"by values and a text", "3.1.0", three, [3]string{
			`{type: object, required: [kind], properties: {kind: {enum: [cat, ant]}, name: {type: string}}}`,
			`{type: object, required: [kind], properties: {kind: {enum: [cat, dog, fox]}, name: {type: string}}}`,
			`{type: object, required: [kind], properties: {kind: {enum: [dog, cow]}, name: {type: string}}}`,
		}},
		{"ranges of one number", "3.1.0", three, [3]string{
			`{type: object, required: [n], properties: {n: {type: integer, maximum: 1000}}}`,
			`{type: object, required: [n], properties: {n: {type: integer, minimum: 500, maximum: 2000}}}`,
			`{type: object, required: [n], properties: {n: {type: integer, minimum: 1500}}}`,
		}},
		{"lengths of one text", "3.0.3", three, [3]string{
			`{type: object, required: [n], properties: {n: {type: string, maxLength: 100}}}`,
			`{type: object, required: [n], properties: {n: {type: string, minLength: 50, maxLength: 200}}}`,
			`{type: object, required: [n], properties: {n: {type: string, minLength: 150}}}`,
		}},
		{"several properties at once", "3.1.0", three, [3]string{
			`{type: object, properties: {a: {type: string, maxLength: 30}, b: {type: string, maxLength: 30}}}`,
			`{type: object, required: [a], properties: {a: {type: string}, b: {type: string, minLength: 20}}}`,
			`{type: object, required: [b], properties: {a: {type: string, minLength: 20}, b: {type: string}}}`,
		}},
		{"what is required besides", "3.1.0", three, [3]string{
			`{type: object, required: [a], properties: {a: {type: string}, b: {type: 'null'}, c: {type: 'null'}}}`,
			`{type: object, required: [a, b], properties: {a: {type: string}, b: {type: string}, c: {type: 'null'}}}`,
			`{type: object, required: [a, b, c], properties: {a: {type: string}, b: {type: string}, c: {type: string}}}`,
		}},
		{"properties of the others", "3.0.3", three, [3]string{
			`{type: object, properties: {a: {type: object, properties: {on: {type: boolean}}}}}`,
			`{type: object, properties: {b: {type: string}}}`,
			`{properties: {c: {type: boolean}, d: {type: string}}}`,
		}},
		{"sizes of lists", "3.1.0", three, [3]string{
			`{type: array, items: {type: string}, maxItems: 4}`,
			`{type: array, items: {type: string}, minItems: 3, maxItems: 8}`,
			`{type: array, items: {type: string}, minItems: 7}`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var b strings.Builder
			fmt.Fprintf(&b, "openapi: %s\ninfo: {title: a, version: \"1\"}\npaths:\n  /a: {post: {operationId: a, requestBody: {required: true, content: {application/json: {schema: %s}}}, responses: {\"200\": {description: a}}}}\ncomponents:\n  schemas:\n",
				test.version, test.schema)
			for i, part := range test.parts {
				fmt.Fprintf(&b, "    %c: %s\n", 'A'+i, part)
			}
			c, err := contract.Parse("a.yaml", []byte(b.String()))
			require.NoError(t, err)
			op := c.Operations[0]
			s, m := schema{op: op, root: op.Body.Media[0].Node}, &value.Maker{}
			good, err := m.Good(s.root)
			require.NoError(t, err)
			assert.Empty(t, s.check(t, good.V))
			reached := map[string]string{}
			for _, v := range m.Keep(s.root, good, value.InBody) {
				if v.Clause.Keyword == "oneOf" {
					reached[v.Label] = string(encode(t, v.V))
					assert.Empty(t, s.check(t, v.V), "%s", encode(t, v.V))
				}
			}
			for i, branch := range s.root.OneOf {
				label := fmt.Sprintf("branch-%d", i+1)
				require.Contains(t, reached, label)
				through, err := m.Through(branch)
				require.NoError(t, err)
				assert.Empty(t, s.check(t, through.V), "%s", encode(t, through.V))
				assert.NoError(t, branch.Validates(decoded(t, through.V)))
			}
		})
	}
}
