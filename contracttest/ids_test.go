package contracttest_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestManyIDs proves that a target on which many IDs exist raises no alarm for
// those that do not.
func TestManyIDs(t *testing.T) {
	for _, schema := range []string{"{type: integer, minimum: 1}", "{type: integer, minimum: 1, maximum: 9999}"} {
		contract, err := contracttest.Parse("users.yaml", []byte(`
openapi: 3.0.3
info: {title: Users, version: "1"}
paths:
  /users/{id}:
    get:
      operationId: read
      parameters: [{name: id, in: path, required: true, schema: `+schema+`}]
      responses: {"200": {description: there}, "400": {description: bad}, "404": {description: unknown}}
`))
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.PathValue("id"))
			switch {
			case err != nil || n < 1 || strconv.Itoa(n) != r.PathValue("id") || schema[len(schema)-2] == '9' && n > 9999:
				w.WriteHeader(http.StatusBadRequest)
			case n > 6000:
				w.WriteHeader(http.StatusNotFound)
			}
		})
		rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(mux), contracttest.Skip("allow-header"))
		require.NoError(t, err)
		assert.Empty(t, rep.Findings, "%s", describe(rep))
	}
}
