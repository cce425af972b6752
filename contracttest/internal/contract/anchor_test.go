package contract_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const byName = `
openapi: 3.1.0
info: {title: names, version: "1"}
paths:
  /a:
    post:
      operationId: named
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [small, tree, part]
              properties:
                small: {$ref: '#small'}
                tree: {$ref: '#/components/schemas/Tree'}
                part: {$ref: 'https://example.com/schemas/part'}
                lists: {$ref: '#/components/schemas/Lists'}
      responses: {'204': {description: ok}, '400': {description: bad}}
components:
  schemas:
    Small: {$anchor: small, type: integer, minimum: 1, maximum: 9}
    Tree:
      $dynamicAnchor: node
      type: object
      required: [n]
      properties: {n: {type: integer}, next: {$dynamicRef: '#node'}}
    Part:
      $id: https://example.com/schemas/part
      type: object
      required: [code]
      properties: {code: {$ref: '#/$defs/code'}}
      $defs: {code: {type: string, pattern: '^[A-Z]{3}$'}}
    Lists:
      type: object
      properties: {one: {$ref: '#/components/schemas/One'}, any: {$dynamicRef: '#item'}}
    One: {$dynamicAnchor: item, type: string}
    Other: {$dynamicAnchor: item, type: integer}
`

// References by name lead where JSON Schema has them lead. Where that depends on the
// way, the clause says that it is not followed.
func TestReferencesByName(t *testing.T) {
	c, err := contract.Parse("names.yaml", []byte(byName))
	require.NoError(t, err)
	assert.Empty(t, c.Warnings)
	op := c.Operations[0]
	for _, tt := range []struct{ body, want string }{
		{`{"small": 9, "tree": {"n": 1, "next": {"n": 2}}, "part": {"code": "ABC"}}`, ""},
		{`{"small": 10, "tree": {"n": 1}, "part": {"code": "ABC"}}`, "named/body/small/maximum"},
		{`{"small": 9, "tree": {"n": 1, "next": {"n": "2"}}, "part": {"code": "ABC"}}`, "named/body/tree/next/n/type"},
		{`{"small": 9, "tree": {"n": 1}, "part": {"code": "abc"}}`, "named/body/part/code/pattern"},
		{`{"small": 9, "tree": {"n": 1}, "part": {"code": "ABC"}, "lists": {"one": 1}}`, "named/body/lists/one/type"},
		{`{"small": 9, "tree": {"n": 1}, "part": {"code": "ABC"}, "lists": {"any": []}}`, ""},
	} {
		r := &wire.Request{Method: "POST", Target: "/a", Body: []byte(tt.body)}
		r.Set("Content-Type", "application/json")
		got := op.CheckRequest(r)
		if tt.want == "" {
			assert.Empty(t, got, tt.body)
			continue
		}
		require.Len(t, got, 1, tt.body)
		assert.Equal(t, tt.want, got[0].Clause.Name, tt.body)
	}
	for _, cl := range c.Clauses {
		switch cl.Name {
		case "named/body/lists/any/$dynamicRef":
			assert.True(t, cl.Unjudged())
		case "named/body/small/maximum":
			assert.Positive(t, cl.Place.Line)
		}
	}
}
