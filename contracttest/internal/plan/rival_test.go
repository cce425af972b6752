package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// A path that is one of two templates is a request for the more concrete one
// alone: nothing is said of the other by it.
func TestPathOfAnotherTemplate(t *testing.T) {
	c, err := contract.Parse("users.yaml", []byte(`openapi: 3.0.3
info: {title: users, version: "1"}
paths:
  /users/{id}:
    get:
      operationId: getUser
      parameters: [{name: id, in: path, required: true, schema: {type: string, enum: [you, me]}}]
      responses: {"200": {description: ok}, "404": {description: none}}
    delete: {operationId: deleteUser, parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {"204": {description: ok}}}
  /users/me:
    get: {operationId: getMe, responses: {"200": {description: ok}}}
`))
	require.NoError(t, err)
	p := plan.Make(c, plan.Options{Random: 20})
	sent := map[string]int{}
	for _, k := range p.Cases {
		sent[k.Op.ID+" "+k.Request.Method+" "+k.Request.Target]++
		assert.False(t, k.Op.ID != "getMe" && k.Expect != plan.RefusePath && k.Request.Path() == "/users/me", "%s", k.ID)
	}
	assert.NotZero(t, sent["getUser GET /users/you"])
	assert.NotZero(t, sent["getMe GET /users/me"])
	assert.Zero(t, sent["getMe DELETE /users/me"], "it is documented for the other template")
	assert.NotZero(t, sent["getMe PUT /users/me"])
}
