package value

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// recursive is a document whose body is a oneOf of so many branches, of which the
// last three have the whole inside.
func recursive(t *testing.T, branches int) *contract.Node {
	t.Helper()
	var b strings.Builder
	b.WriteString(`openapi: 3.0.3
info: {title: a, version: "1"}
paths: {/a: {post: {operationId: a, requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/P"}}}}, responses: {"200": {description: a}}}}}
components:
  schemas:
    P:
      oneOf:
`)
	for i := range branches - 3 {
		fmt.Fprintf(&b, "        - {type: object, required: [p%[1]d], properties: {p%[1]d: {type: string}}}\n", i)
	}
	b.WriteString(`        - {type: object, required: [and], properties: {and: {type: array, items: {$ref: "#/components/schemas/P"}}}}
        - {type: object, required: [or], properties: {or: {type: array, items: {$ref: "#/components/schemas/P"}}}}
        - {type: object, required: [not], properties: {not: {$ref: "#/components/schemas/P"}}}
`)
	c, err := contract.Parse("recursive.yaml", []byte(b.String()))
	require.NoError(t, err)
	return c.Operations[0].Body.Media[0].Node
}

// A value of a branch is found without a search in those branches that exclude it.
func TestSearchByBranch(t *testing.T) {
	n := recursive(t, 19)
	for i, branch := range n.OneOf {
		m := &Maker{left: maxSteps}
		found := false
		for g := range m.values([]*contract.Node{n, branch}, 1) {
			found = true
			assert.NoError(t, branch.Validates(g.V))
			break
		}
		assert.True(t, found, "branch %d", i)
		assert.Less(t, maxSteps-m.left, 20, "steps for branch %d", i)
	}
}

// Branches that exclude one another leave the search enough steps for those after them.
func TestSearchPastBranchesAlike(t *testing.T) {
	var props []string
	for i := range 60 {
		props = append(props, fmt.Sprintf("p%d: {type: string, minLength: 1}", i))
	}
	like := "{type: object, additionalProperties: false, required: [name], properties: {name: {type: string}, " + strings.Join(props, ", ") + "}}"
	c, err := contract.Parse("alike.yaml", []byte(`openapi: 3.0.3
info: {title: a, version: "1"}
paths: {/a: {post: {operationId: a, requestBody: {required: true, content: {application/json: {schema: {oneOf: [
  `+strings.Repeat(like+",\n  ", 8)+`{type: object, additionalProperties: false, required: [code], properties: {code: {type: string}}}
]}}}}, responses: {"200": {description: a}}}}}
`))
	require.NoError(t, err)
	g, err := (&Maker{}).Good(c.Operations[0].Body.Media[0].Node)
	require.NoError(t, err)
	assert.Contains(t, g.V, "code")
}

// However many ways there are to choose among branches, no more are looked at than there are steps.
func TestSearchEnds(t *testing.T) {
	branch := func(i int) string { return fmt.Sprintf("{type: string, minLength: %d}", i) }
	one := "{anyOf: [" + branch(1) + ", " + branch(2) + ", " + branch(3) + ", " + branch(4) + ", " + branch(5) + "]}"
	c, err := contract.Parse("many.yaml", []byte(`openapi: 3.0.3
info: {title: a, version: "1"}
paths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {allOf: [`+strings.Repeat(one+", ", 7)+one+`]}}}}, responses: {"200": {description: a}}}}}
`))
	require.NoError(t, err)
	m, looked := &Maker{left: maxSteps}, 0
	m.expand([]*contract.Node{c.Operations[0].Body.Media[0].Node}, asked{}, func(asked) bool {
		looked++
		m.left--
		return true
	})
	assert.LessOrEqual(t, looked, maxSteps)
	assert.Greater(t, looked, maxSteps/4)
}

// A part that no text fits is null where it may be, and takes no steps from what is around it.
func TestSearchWhereNoTextFits(t *testing.T) {
	schema := `{type: object, required: [time], properties: {time: {type: string, nullable: true, maxLength: 7, pattern: '^[0-9]{2}:[0-9]{2}:[0-9]{2}$'}}}`
	want := any(map[string]any{"time": nil})
	for range 4 {
		schema = "{type: object, required: [a], properties: {a: {oneOf: [" + schema + strings.Repeat(", {type: array, maxItems: 0}", 4) + "]}}}"
		want = map[string]any{"a": want}
	}
	c, err := contract.Parse("null.yaml", []byte(`openapi: 3.0.3
info: {title: a, version: "1"}
paths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: `+schema+`}}}, responses: {"200": {description: a}}}}}
`))
	require.NoError(t, err)
	g, err := (&Maker{}).Good(c.Operations[0].Body.Media[0].Node)
	require.NoError(t, err)
	assert.Equal(t, want, g.V)
}
