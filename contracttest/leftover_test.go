package contracttest_test

import (
	"fmt"
	"net/http"
	urlpath "path"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestNothingStaysOfOtherSpellings proves that what a service makes under another spelling of a
// path is deleted at the end, as all that the run has made.
func TestNothingStaysOfOtherSpellings(t *testing.T) {
	c := parse(t, `
  /teams:
    post:
      operationId: addTeam
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}}}
      responses:
        "201": {description: made, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string}}}}}}
        "400": {description: bad}
        "415": {description: no JSON}
  /teams/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    delete:
      operationId: dropTeam
      responses: {"204": {description: gone}, "404": {description: not there}}
`)
	var mu sync.Mutex
	teams, other, next := map[string]bool{}, 0, 0
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		at := strings.ToLower(urlpath.Clean(r.URL.Path))
		id, below := strings.CutPrefix(at, "/teams/")
		switch {
		case at == "/teams" && r.Method == http.MethodPost:
			m, ok := ofJSON(w, r)
			if _, isText := m["name"].(string); !ok || !isText {
				if ok {
					w.WriteHeader(http.StatusBadRequest)
				}
				return
			}
			next++
			id := fmt.Sprint("t", next)
			teams[id] = true
			if r.URL.EscapedPath() != "/teams" {
				other++
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, `{"id": %q}`, id)
		case below && r.Method == http.MethodDelete && teams[id]:
			delete(teams, id)
			w.WriteHeader(http.StatusNoContent)
		case at == "/teams":
			w.Header().Set("Allow", "POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
		case below && r.Method != http.MethodDelete:
			w.Header().Set("Allow", "DELETE")
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Greater(t, other, 3, "spellings")
	assert.Empty(t, teams)
}
