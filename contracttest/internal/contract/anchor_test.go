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

const byWay = `
openapi: 3.1.0
info: {title: ways, version: "1"}
paths:
  /a:
    post:
      operationId: way
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                numbers: {$ref: '#/components/schemas/Numbers'}
                words: {$ref: '#/components/schemas/Words'}
                list: {$ref: '#/components/schemas/List'}
                strict: {$ref: '#/components/schemas/Strict'}
                tree: {$ref: '#/components/schemas/Tree'}
      responses: {'204': {description: ok}, '400': {description: bad}}
components:
  schemas:
    List: {$id: list, $defs: {any: {$dynamicAnchor: item}}, type: array, items: {$dynamicRef: '#item'}}
    Numbers: {$id: numbers, $defs: {number: {$dynamicAnchor: item, type: number}}, $ref: list}
    Words: {$id: words, $defs: {word: {$dynamicAnchor: item, type: string}}, allOf: [{$ref: list}]}
    Tree: {$id: tree, $dynamicAnchor: node, type: object, properties: {more: {type: array, items: {$dynamicRef: '#node'}}}}
    Strict: {$id: strict, $dynamicAnchor: node, $ref: tree, unevaluatedProperties: false}
`

// A dynamic reference leads to the anchor of the first resource on the way to it.
func TestReferencesByWay(t *testing.T) {
	c, err := contract.Parse("ways.yaml", []byte(byWay))
	require.NoError(t, err)
	assert.Empty(t, c.Warnings)
	for _, tt := range []struct{ body, want string }{
		{`{"numbers": [1], "words": ["a"], "list": [1, "a"], "strict": {"more": [{"more": []}]}, "tree": {"more": [{"x": 1}]}}`, ""},
		{`{"numbers": ["a"]}`, "way/body/numbers/items/type"},
		{`{"words": ["a", 1]}`, "way/body/words/allOf/0/items/type"},
		{`{"strict": {"x": 1}}`, "way/body/strict/unevaluatedProperties"},
		{`{"strict": {"more": [{"more": [{"x": 1}]}]}}`, "way/body/strict/more/items/unevaluatedProperties"},
		{`{"tree": {"more": [1]}}`, "way/body/tree/more/items/type"},
	} {
		r := &wire.Request{Method: "POST", Target: "/a", Body: []byte(tt.body)}
		r.Set("Content-Type", "application/json")
		got := c.Operations[0].CheckRequest(r)
		if tt.want == "" {
			assert.Empty(t, got, tt.body)
			continue
		}
		require.Len(t, got, 1, tt.body)
		assert.Equal(t, tt.want, got[0].Clause.Name, tt.body)
	}
	for _, cl := range c.Clauses {
		assert.False(t, cl.Unjudged(), cl.Name)
		assert.Positive(t, cl.Place.Line, cl.Name)
	}
}
