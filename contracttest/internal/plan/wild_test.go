package plan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// What documents have that others write, and no valid request was made of: each operation has
// one, and a case for each clause.
func TestInTheWild(t *testing.T) {
	const email = `{type: string, format: email, pattern: '^[a-z]+@corp\.test$'}`
	for _, tt := range []struct{ name, path, operation, request string }{
		{
			"all JSON with a suffix", "/a",
			`requestBody: {required: true, content: {application/*+json: {schema: {type: object, required: [n], properties: {n: {type: integer}}}}}}`,
			"application/x-unknown+json",
		},
		{
			"JSON beside all with a suffix", "/a",
			`requestBody: {required: true, content: {application/*+json: {schema: {type: integer}}, application/json: {schema: {type: integer}}}}`,
			"application/json",
		},
		{
			"a pattern in the path that takes nothing", "/a/{p}",
			`parameters: [{name: p, in: path, required: true, schema: {type: string, pattern: '[\s\S]*', minLength: 0, maxLength: 50}}]`, "",
		},
		{
			"a pattern of capital letters beside a format", "/a",
			`parameters: [{name: p, in: query, required: true, schema: {type: string, format: uuid, pattern: '^[{(]?[0-9A-F]{8}[-]?([0-9A-F]{4}[-]?){3}[0-9A-F]{12}[)}]?$'}}]`, "",
		},
		{
			"an object in the query whose first property is a list of objects", "/a",
			`parameters: [{name: p, in: query, required: true, schema: {type: object, properties: {all: {type: array, items: {type: object, properties: {n: {type: integer}}}}, age: {type: integer}, name: {type: string}}}}]`, "",
		},
		{
			"an object whose properties take long to find", "/a",
			`requestBody: {required: true, content: {application/json: {schema: {type: object, required: [a, b, c, d, e, f], properties: {a: ` + email + `, b: ` + email + `, c: ` + email +
				`, d: ` + email + `, e: ` + email + `, f: ` + email + `}}}}}`, "",
		},
		{
			"an enumeration of the items beside the array", "/a",
			`parameters: [{name: p, in: query, required: true, schema: {type: array, items: {type: string}, enum: [a, b]}}]`, "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, "paths: {'"+tt.path+"': {post: {operationId: o, "+tt.operation+", responses: {'200': {description: a}, '400': {description: b}}}}}")
			p := plan.Operation(c.Operations[0], plan.Options{Seed: 1})
			require.NotEmpty(t, p.Cases, "%v", p.Unreached)
			if tt.request != "" {
				assert.Equal(t, tt.request, p.Cases[0].Request.Get("Content-Type"))
			}
			for clause, why := range p.Unreached {
				if !strings.Contains(clause.Name, "/p/all/") && !strings.HasSuffix(clause.Name, "/style") { // how it is written nobody says
					assert.Empty(t, why.Text, clause.Name)
				}
			}
		})
	}
}
