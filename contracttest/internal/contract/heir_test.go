package contract_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHeirsInAnswers holds an answer against the schema that it names itself: in OpenAPI 3.0 that decides. What a request
// names may be read as what all have in common, OpenAPI 3.1 calls the name a hint, and no schema is named by a name that
// the document does not have.
func TestHeirsInAnswers(t *testing.T) {
	for _, tt := range []struct {
		version, body string
		broken, left  bool
	}{
		{"3.0.3", `{"kind":"Dog","bark":"loud"}`, false, false},
		{"3.0.3", `{"kind":"Dog","bark":1}`, true, false},
		{"3.0.3", `{"kind":"Dog"}`, true, false},
		{"3.0.3", `{"kind":"Cow"}`, true, true},
		{"3.0.3", `{"kind":"Dog","bark":"loud","id":"1"}`, true, true}, // a format, which leaves it open
		{"3.1.0", `{"kind":"Dog","bark":1}`, true, true},
	} {
		op := parse(t, `
openapi: `+tt.version+`
info: {title: a, version: "1"}
paths: {/pets: {put: {operationId: put, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}}}}
components:
  schemas:
    Pet: {type: object, discriminator: {propertyName: kind}, required: [kind], properties: {kind: {type: string}}}
    Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {required: [bark], properties: {bark: {type: string}, id: {type: string, format: uuid}}}]}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}]}
`).Operations[0]
		r := op.Response(200)
		got := r.CheckBody(r.Media[0], response(t, "HTTP/1.1 200\nContent-Type: application/json\n\n"+tt.body))
		if !tt.broken {
			assert.Empty(t, got, tt.body)
			continue
		}
		require.Len(t, got, 1, tt.body)
		assert.Equal(t, "put/response/200/body/discriminator", got[0].Clause.Name)
		assert.Equal(t, tt.left, got[0].Leave != "", "%s %s: %s", tt.version, tt.body, got[0].Message)
		if !tt.left {
			assert.Contains(t, got[0].Message, "bark: ")
		}
		asked := op.CheckRequest(request(t, "PUT /pets\nContent-Type: application/json\n\n"+tt.body))
		if assert.Len(t, asked, 1, tt.body) {
			assert.NotEmpty(t, asked[0].Leave, tt.body)
		}
	}
}
