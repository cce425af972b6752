package contracttest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// A request in a report names the same resource in every run, and the response has the identifier
// that was sent: the report says so, or they seem not to belong together.
func TestStandIns(t *testing.T) {
	const document = `openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /things:
    post:
      operationId: addThing
      responses: {"201": {description: made, content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}}
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, pattern: "^t-[0-9a-f]{8}$"}}]
    get: {operationId: getThing, responses: {"200": {description: it}, "400": {description: refused}, "404": {description: none}}}
    patch: {operationId: changeThing, responses: {"200": {description: changed}, "400": {description: refused}, "404": {description: none}}}
`
	var mu sync.Mutex
	made := map[string]bool{}
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id, below := strings.CutPrefix(r.URL.Path, "/things/")
		switch {
		case r.URL.Path == "/things" && r.Method == http.MethodPost:
			id = fmt.Sprintf("t-%08x", 0xc0ffee00+len(made))
			made[id] = true
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id":%q}`, id)
		case !below || !made[id]:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPatch:
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, id+" is broken")
		case r.Method == http.MethodGet:
		default:
			w.Header().Set("Allow", "GET, PATCH")
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
	c, err := contracttest.Parse("openapi.yaml", []byte(document))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(service))
	require.NoError(t, err)
	found := false
	for _, f := range rep.Findings {
		if f.Operation != "changeThing" || f.Check != "server-error" {
			continue
		}
		found = true
		require.Len(t, f.StandIns, 1, f.Request)
		assert.Contains(t, f.Request, "/things/"+f.StandIns[0])
		assert.Contains(t, f.Answer, "t-c0ffee")
	}
	assert.True(t, found)
	var text bytes.Buffer
	require.NoError(t, report.Text(&text, rep, report.TextOptions{}))
	assert.Contains(t, text.String(), "what the run has made, under another identifier each time")
}

// Methods that may destroy something are sent with an identifier that nobody has. Those of GET are
// sent as they are shown.
func TestStandInsOfOneMethod(t *testing.T) {
	c := parse(t, `
  /greetings/{name}:
    get:
      operationId: greet
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: a greeting, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}
`)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		answerJSON(w, http.StatusOK, "hello")
	})), contracttest.Cases(0))
	require.NoError(t, err)
	require.NotEmpty(t, rep.Findings)
	for _, f := range rep.Findings {
		assert.Empty(t, f.StandIns, f.Request)
	}
}
