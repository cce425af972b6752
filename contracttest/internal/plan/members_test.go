package plan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// An object whose properties are all optional has no form in a text while it has no
// member (OpenAPI 3.1.1, Style Examples): the value that all others differ from has
// one, wherever it travels.
func TestObjectOfOptionalProperties(t *testing.T) {
	const schema = "{type: object, properties: {age: {type: integer}, name: {type: string, maxLength: 3}}}"
	for _, where := range []struct{ name, path, operation string }{
		{"deepObject", "/a", "{name: p, in: query, required: true, style: deepObject, explode: true, schema: %s}"},
		{"form, exploded", "/a", "{name: p, in: query, required: true, schema: %s}"},
		{"form", "/a", "{name: p, in: query, required: true, explode: false, schema: %s}"},
		{"spaceDelimited", "/a", "{name: p, in: query, required: true, style: spaceDelimited, explode: false, schema: %s}"},
		{"pipeDelimited", "/a", "{name: p, in: query, required: true, style: pipeDelimited, explode: false, schema: %s}"},
		{"simple", "/a/{p}", "{name: p, in: path, required: true, schema: %s}"},
		{"simple, exploded", "/a/{p}", "{name: p, in: path, required: true, explode: true, schema: %s}"},
		{"label", "/a/{p}", "{name: p, in: path, required: true, style: label, schema: %s}"},
		{"matrix, exploded", "/a/{p}", "{name: p, in: path, required: true, style: matrix, explode: true, schema: %s}"},
		{"header", "/a", "{name: p, in: header, required: true, schema: %s}"},
		{"cookie", "/a", "{name: p, in: cookie, required: true, explode: false, schema: %s}"},
	} {
		t.Run(where.name, func(t *testing.T) {
			c := parse(t, fmt.Sprintf("paths: {'%s': {get: {operationId: o, parameters: [%s], responses: {'200': {description: a}, '400': {description: b}}}}}",
				where.path, fmt.Sprintf(where.operation, schema)))
			complete(t, plan.Operation(c.Operations[0], plan.Options{Seed: 1}), c.Operations[0].Params[0].Node.Path)
		})
	}
	for _, form := range []string{"application/x-www-form-urlencoded", "multipart/form-data"} {
		t.Run(form, func(t *testing.T) {
			c := parse(t, fmt.Sprintf("paths: {/a: {post: {operationId: o, requestBody: {required: true, content: {%s: {schema: %s}}}, responses: {'200': {description: a}, '400': {description: b}}}}}", form, schema))
			complete(t, plan.Operation(c.Operations[0], plan.Options{Seed: 1}), "body")
		})
	}
}

// complete requires cases that keep and that break the clauses of both properties.
func complete(t *testing.T, p *plan.Plan, at string) {
	t.Helper()
	require.NotEmpty(t, p.Cases, "%v", p.Unreached)
	has := map[string]bool{}
	for _, c := range p.Cases {
		has[fmt.Sprintf("%s %v", c.Clause.Name, c.Expect == plan.Accept)] = true
	}
	for _, clause := range []string{"/age/type", "/name/maxLength"} {
		assert.True(t, has["o/"+at+clause+" true"], "%s is kept", clause)
		assert.True(t, has["o/"+at+clause+" false"], "%s is broken", clause)
	}
	for _, clause := range []string{"/age/optional", "/name/optional"} {
		assert.True(t, has["o/"+at+clause+" true"], "%s is kept", clause)
	}
}

// A property without which the others are not valid may be absent with them, or where more of them
// are there.
func TestOptionalThatOthersNeed(t *testing.T) {
	const three = "type: object, properties: {x: {type: integer}, y: {type: integer}, z: {type: integer}}, "
	for _, schema := range []string{
		"minProperties: 2",
		"anyOf: [{required: [x]}, {required: [y, z]}]",
		"maxProperties: 2, anyOf: [{maxProperties: 0}, {required: [x, y], minProperties: 2}], minProperties: 0, example: {x: 1, y: 2}",
	} {
		c := parse(t, "paths: {/a: {post: {operationId: op, requestBody: {required: true, content: {application/json: {schema: {"+three+schema+"}}}}, responses: {'204': {description: a}, '400': {description: b}}}}}")
		for c := range plan.Make(c, plan.Options{}).Unreached {
			assert.NotRegexp(t, "/[xy]/optional$", c.Name, schema)
		}
	}
}
