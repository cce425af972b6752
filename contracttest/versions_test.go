package contracttest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestVersionsInBodies proves that a change is found which is accepted with a version that the resource
// no longer has, and that nothing is taken for such a version that is data, or refused for another reason.
func TestVersionsInBodies(t *testing.T) {
	const document = `
  /pages:
    post: {operationId: addPage, requestBody: ` + isNamed + `, responses: {"201": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "415": {description: bad}}}
  /pages/{id}:
    parameters: ` + byID + `
    get: {operationId: getPage, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}}
    METHOD:
      operationId: changePage
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, minLength: 1, maxLength: 40}, version: {type: integer, minimum: 1, description: WORDS}, text: {type: string, maxLength: 40}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "404": {description: none}, "409": {description: refused}, "415": {description: bad}}
`
	const words = "It has to be the current one."
	for name, tt := range map[string]struct {
		method, words string
		heeds, data   bool
		want          string
	}{
		"it is heeded":                 {"put", words, true, false, ""},
		"it is heeded by PATCH":        {"patch", words, true, false, ""},
		"it is ignored":                {"put", words, false, false, "PUT /pages/{id} accepts a change with a version in its body that the resource no longer has"},
		"it is ignored by PATCH":       {"patch", words, false, false, "PATCH /pages/{id} accepts a change with a version in its body that the resource no longer has"},
		"nothing says what it is for":  {"put", "A number.", false, false, ""},
		"it is what who sends it says": {"put", words, false, true, ""},
	} {
		var mu sync.Mutex
		all := map[string]map[string]any{}
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			v := all[strings.TrimPrefix(r.URL.Path, "/pages/")]
			if r.Method == http.MethodGet && v != nil {
				answerJSON(w, http.StatusOK, v)
				return
			}
			var sent struct {
				Name    string
				Version int
				Text    *string
			}
			if v == nil && r.URL.Path != "/pages" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			if json.NewDecoder(r.Body).Decode(&sent) != nil || sent.Name == "" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			switch {
			case v == nil:
				id := fmt.Sprint("p", len(all))
				v = map[string]any{"id": id, "name": sent.Name, "version": 1}
				all[id] = v
				answerJSON(w, http.StatusCreated, v)
				return
			case tt.heeds && sent.Version != 0 && sent.Version != v["version"]:
				w.WriteHeader(http.StatusConflict)
				return
			}
			v = maps.Clone(v)
			v["name"] = sent.Name
			if v["version"] = v["version"].(int) + 1; tt.data && sent.Version != 0 {
				v["version"] = sent.Version
			}
			if sent.Text != nil {
				v["text"] = *sent.Text
			}
			all[v["id"].(string)] = v
			answerJSON(w, http.StatusOK, v)
		})
		c := parse(t, strings.NewReplacer("METHOD", tt.method, "WORDS", tt.words).Replace(document))
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Cases(0), contracttest.Settle(time.Millisecond), contracttest.Only("check:lost-update"))
		require.NoError(t, err, name)
		if tt.want == "" {
			assert.Empty(t, rep.Findings, "%s: %s", name, describe(rep))
		} else if assert.Len(t, rep.Findings, 1, "%s: %s", name, describe(rep)) {
			assert.Equal(t, "warning "+tt.want, rep.Findings[0].Severity+" "+rep.Findings[0].Message)
		}
	}
}
