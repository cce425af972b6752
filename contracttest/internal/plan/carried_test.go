package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// The clause of a schema is kept and broken wherever its value travels.
func TestCarried(t *testing.T) {
	const answers = "responses: {'200': {description: a}, '400': {description: b}}"
	const query = "paths: {/a: {get: {operationId: o, parameters: [{name: p, in: query, required: true, explode: false, schema: {type: array, items: {type: integer}, not: {items: {maximum: 2}}}}], "
	for _, tt := range []struct{ name, document, clause string }{
		{"text", "paths: {/a: {post: {operationId: o, requestBody: {required: true, content: {text/plain: {schema: {type: integer, minimum: 3}}}}, " + answers + "}}}", "o/body/minimum"},
		{"JSON in a cookie", "paths: {/a: {get: {operationId: o, parameters: [{name: p, in: cookie, required: true, content: {application/json: {schema: {type: array, items: {type: integer, minimum: 3}}}}}], " + answers + "}}}", "o/cookie/p/items/minimum"},
		{"not, of items", query + answers + "}}}", "o/query/p/not"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plan.Operation(parse(t, tt.document).Operations[0], plan.Options{Seed: 1})
			expected := map[plan.Expect]bool{}
			for _, c := range p.Cases {
				if c.Clause.Name == tt.clause {
					expected[c.Expect] = true
				}
			}
			assert.Equal(t, map[plan.Expect]bool{plan.Accept: true, plan.Refuse: true}, expected, "%v", p.Unreached)
		})
	}
}

// What is inside a branch of one part of allOf is planned with what the parts around it
// require: the expression that stands beside the pattern.
func TestInBranchOfPart(t *testing.T) {
	const schema = `{type: object, required: [e], allOf: [{properties: {e: {type: string}}}, {oneOf: [
		{type: object, required: [a], properties: {a: {type: string, maxLength: 3}}},
		{type: object, required: [b], properties: {b: {type: string, maxLength: 3}}}]}]}`
	p := plan.Operation(parse(t, "paths: {/a: {post: {operationId: o, requestBody: {required: true, content: {application/json: {schema: {oneOf: [{type: string}, "+schema+"]}}}}, responses: {'200': {description: a}, '400': {description: b}}}}}").Operations[0], plan.Options{Seed: 1})
	expected := map[string]map[plan.Expect]bool{}
	for _, c := range p.Cases {
		if expected[c.Clause.Name] == nil {
			expected[c.Clause.Name] = map[plan.Expect]bool{}
		}
		expected[c.Clause.Name][c.Expect] = true
	}
	for _, clause := range []string{"0/a/maxLength", "0/a/type", "1/b/maxLength", "1/b/type"} {
		assert.Equal(t, map[plan.Expect]bool{plan.Accept: true, plan.Refuse: true}, expected["o/body/oneOf/1/allOf/1/oneOf/"+clause], "%s: %v", clause, p.Unreached)
	}
}
