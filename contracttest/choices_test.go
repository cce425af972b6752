package contracttest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

// tasks is a document of resources that are in one of several states.
const tasks = `
  /tasks:
    get:
      operationId: listTasks
      parameters: [{name: status, in: query, schema: {type: string, enum: [open, started, blocked, done, archived]}}]
      responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Stored"}}}}}, "400": {description: bad}}
    post:
      operationId: addTask
      requestBody: &task {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Task"}}}}
      responses: {"201": &one {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Stored"}}}}, "400": {description: bad}, "415": {description: type}}
  /tasks/{taskId}:
    parameters: [{name: taskId, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {operationId: getTask, responses: {"200": *one, "400": {description: bad}, "404": {description: none}}}
    put: {operationId: replaceTask, requestBody: *task, responses: {"200": *one, "400": {description: bad}, "404": {description: none}, "409": {description: not now}, "415": {description: type}}}
    patch:
      operationId: changeTask
      requestBody: {required: true, content: {application/merge-patch+json: {schema: {type: object, minProperties: 1, properties: {title: {type: string, minLength: 1, maxLength: 60}, status: {$ref: "#/components/schemas/Status"}}}}}}
      responses: {"200": *one, "400": {description: bad}, "404": {description: none}, "409": {description: not now}, "415": {description: type}}
    delete: {operationId: removeTask, responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: none}, "409": {description: not now}}}
components:
  schemas:
    Status: {type: string, enum: [open, started, blocked, done, archived]}
    Task: {type: object, required: [title, status], properties: {title: {type: string, minLength: 1, maxLength: 60}, note: {type: string, maxLength: 60}, status: {$ref: "#/components/schemas/Status"}}}
    Stored: {allOf: [{$ref: "#/components/schemas/Task"}, {type: object, required: [id], properties: {id: {type: string, format: uuid}}}]}
`

// told is what a service is asked, and what it has of that now.
type told struct {
	*http.Request
	sent, now map[string]any
}

// altered is a service that answers some requests otherwise: by is false for all others.
func altered(inner http.Handler, by func(http.ResponseWriter, told) bool) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		asked := told{Request: r}
		_ = json.Unmarshal(body, &asked.sent)
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, httptest.NewRequestWithContext(r.Context(), http.MethodGet, r.URL.Path, nil))
		if rec.Code == http.StatusOK {
			_ = json.Unmarshal(rec.Body.Bytes(), &asked.now)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if by == nil || !by(w, asked) {
			inner.ServeHTTP(w, r)
		}
	})
}

// TestEachChoice proves that what is wrong with one value of an enumeration alone is found, whichever
// it is, and nothing where some are refused.
func TestEachChoice(t *testing.T) {
	asItIs := func(w http.ResponseWriter, r told) bool {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
		} else {
			answerJSON(w, http.StatusOK, r.now)
		}
		return true
	}
	var each []string
	for _, id := range []string{"removeTask/response/status#deleted-still-there", "replaceTask/response/status#put-not-stored", "changeTask/response/status#patch-partial", "addTask/response/status#created-differs", "listTasks/response/status#filter-ignored"} {
		each = append(each, "case:"+id+"/status/each")
	}
	for i, tt := range []struct {
		name string
		by   func(http.ResponseWriter, told) bool
		want string // a sequence that finds it; empty where nothing is to be found
	}{
		{"correct", nil, ""},
		{"some are refused", func(w http.ResponseWriter, r told) bool {
			if r.now["status"] == "archived" && r.Method != http.MethodGet && r.Method != http.MethodHead || r.now["title"] != nil && r.sent["status"] == "blocked" {
				w.WriteHeader(http.StatusConflict)
				return true
			}
			return false
		}, ""},
		{"what is archived stays", func(w http.ResponseWriter, r told) bool {
			return r.Method == http.MethodDelete && r.now["status"] == "archived" && asItIs(w, r)
		}, "removeTask/response/status#deleted-still-there/status/each"},
		{"blocked is not replaced", func(w http.ResponseWriter, r told) bool {
			return r.Method == http.MethodPut && r.now["status"] == "blocked" && asItIs(w, r)
		}, "replaceTask/response/status#put-not-stored/status/each-before"},
		{"done is not put", func(w http.ResponseWriter, r told) bool {
			return r.Method == http.MethodPut && r.sent["status"] == "done" && r.now["title"] != nil && asItIs(w, r)
		}, "replaceTask/response/status#put-not-stored/status/each"},
		{"done is not changed", func(w http.ResponseWriter, r told) bool {
			return r.Method == http.MethodPatch && r.now["status"] == "done" && asItIs(w, r)
		}, "changeTask/response/status#patch-partial/status/each-before"},
		{"archived is not patched", func(w http.ResponseWriter, r told) bool {
			return r.Method == http.MethodPatch && r.sent["status"] == "archived" && r.now["title"] != nil && asItIs(w, r)
		}, "changeTask/response/status#patch-partial/status/each"},
		{"blocked is created without a note", func(w http.ResponseWriter, r told) bool {
			if r.Method == http.MethodGet && r.now["status"] == "blocked" && strings.HasPrefix(r.URL.Path, "/tasks/") {
				delete(r.now, "note")
				return asItIs(w, r)
			}
			return false
		}, "addTask/response/status#created-differs/status/each"},
		{"done is not listed by that", func(w http.ResponseWriter, r told) bool {
			if r.Method == http.MethodGet && r.URL.Query().Get("status") == "done" {
				answerJSON(w, http.StatusOK, []any{})
				return true
			}
			return false
		}, "listTasks/response/status#filter-ignored/status/each"},
	} {
		sequences := each
		if tt.want != "" {
			sequences = []string{"case:" + tt.want}
		}
		if !racing.Take(i, 3) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, rep := choicesFound(t, tasks, tt.by, sequences...)
			if tt.want == "" {
				assert.Empty(t, found, "%s", describe(rep))
			} else {
				assert.Equal(t, []string{tt.want}, found)
			}
		})
	}
}

// TestEachChoiceOfBranch proves the same of an enumeration that is written in a part of the schema, as
// frameworks do beside a default, or where it may be null.
func TestEachChoiceOfBranch(t *testing.T) {
	wrong := func(w http.ResponseWriter, r told) bool {
		switch {
		case r.Method == http.MethodDelete && r.now["status"] == "archived":
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodGet && r.URL.Query().Get("status") != "":
			answerJSON(w, http.StatusOK, []any{})
		case r.Method == http.MethodPatch && r.now["title"] != nil && r.sent["status"] != nil:
			answerJSON(w, http.StatusOK, r.now)
		default:
			return false
		}
		return true
	}
	ids := []string{"changeTask/response/status#patch-partial/status", "listTasks/response/status#filter-ignored/status", "removeTask/response/status#deleted-still-there/status/each"}
	var sequences []string
	for _, id := range ids {
		sequences = append(sequences, "case:"+id)
	}
	const ref = `{$ref: "#/components/schemas/Status"}`
	for i, tt := range []struct{ name, status string }{
		{"branch with null", `{anyOf: [` + ref + `, {type: string, nullable: true, enum: [null]}]}`},
		{"allOf with default", `{allOf: [` + ref + `], default: open}`},
		{"allOf, nullable", `{allOf: [` + ref + `], nullable: true}`},
		{"allOf in oneOf", `{oneOf: [{allOf: [` + ref + `]}], description: how far it is}`},
	} {
		if !racing.Take(i, 2) {
			continue
		}
		document := strings.ReplaceAll(tasks, `status: `+ref, `status: `+tt.status)
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, rep := choicesFound(t, document, wrong, sequences...)
			assert.ElementsMatch(t, ids, found, "%s", describe(rep))
			found, rep = choicesFound(t, document, nil, sequences...)
			assert.Empty(t, found, "%s", describe(rep))
		})
	}
}

// choicesFound are those of some sequences that find something of a service of tasks.
func choicesFound(t *testing.T, document string, by func(http.ResponseWriter, told) bool, sequences ...string) ([]string, *contracttest.Report) {
	t.Helper()
	c := parse(t, document)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(altered(contracttest.Mock(c), by)), contracttest.Cases(0), contracttest.Settle(time.Millisecond),
		contracttest.Only(sequences...))
	require.NoError(t, err)
	var found []string
	for _, f := range rep.Findings {
		found = append(found, f.Case.ID)
	}
	return found, rep
}
