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
