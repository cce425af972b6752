package contract_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// A document in JSON has places too, be it on one line or on many.
func TestPlacesInJSON(t *testing.T) {
	const lines = `{
  "openapi": "3.0.3", "info": {"title": "a", "version": "1"},
  "paths": {"/a/{id}": {"get": {
    "parameters": [
      {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "maxLength": 3}},
      {"$ref": "#/components/parameters/q"}],
    "responses": {"200": {"description": "ok"}}}}},
  "components": {"parameters": {"q": {"name": "q", "in": "query",
    "schema": {"type": "integer"}}}}
}`
	c, err := contract.Parse("a.json", []byte(lines))
	require.NoError(t, err)
	places := map[string]string{}
	for _, cl := range c.Clauses {
		places[cl.Name] = fmt.Sprintf("%s:%d:%d", cl.Place.File, cl.Place.Line, cl.Place.Column)
	}
	assert.Equal(t, "a.json:3:13", places["GET_a_id/path"])
	assert.Equal(t, "a.json:5:36", places["GET_a_id/path/id/required"])
	assert.Equal(t, "a.json:5:83", places["GET_a_id/path/id/maxLength"])
	assert.Equal(t, "a.json:9:16", places["GET_a_id/query/q/type"])
	// What is not written down is where it would be.
	assert.Equal(t, "a.json:8:33", places["GET_a_id/query/q/optional"])
}
