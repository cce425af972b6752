package contracttest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// todos is a document of what no GET reads by itself.
const todos = `
openapi: 3.0.3
info: {title: Todos, version: "1"}
paths:
  /todos:
    get:
      operationId: listTodos
      parameters: [{name: offset, in: query, schema: {type: integer, minimum: 0}}]
      responses: {"200": {description: all, content: {application/json: {schema: {type: object, properties: {todos: {type: array, items: {$ref: "#/components/schemas/Todo"}}}}}}}, "400": {description: refused}}
    post:
      operationId: addTodo
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Todo"}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object, properties: {id: {type: integer}}}}}}, "400": {description: refused}}
  /todos/{todoId}:
    parameters: [{name: todoId, in: path, required: true, schema: {type: integer}}]
    put:
      operationId: replaceTodo
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Todo"}}}}
      responses: {"204": {description: done}, "400": {description: refused}, "404": {description: none}}
    patch:
      operationId: changeTodo
      requestBody: {required: true, content: {application/merge-patch+json: {schema: {type: object, properties: {text: {type: string, minLength: 1, maxLength: 60}, urgent: {type: boolean}, note: {type: string, maxLength: 60}}}}}}
      responses: {"204": {description: done}, "400": {description: refused}, "404": {description: none}}
    delete:
      operationId: removeTodo
      responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}
components:
  schemas:
    Todo:
      type: object
      required: [text]
      properties:
        id: {type: integer, readOnly: true}
        text: {type: string, minLength: 1, maxLength: 60}
        note: {type: string, maxLength: 60}
        urgent: {type: boolean, default: false}
`

// todoList serves the document, with one way of its own.
type todoList struct {
	way  string
	mu   sync.Mutex
	last int
	all  map[int]box
}

func (n *todoList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var sent box
	if r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		maps.DeleteFunc(sent, func(name string, _ any) bool { return !slices.Contains([]string{"text", "note", "urgent"}, name) })
	}
	rest, one := strings.CutPrefix(r.URL.Path, "/todos/")
	id, _ := strconv.Atoi(rest)
	if _, there := sent["urgent"]; sent != nil && !there && r.Method != http.MethodPatch && n.way != "no default" {
		sent["urgent"] = false
	}
	switch {
	case r.URL.Path == "/todos" && r.Method == http.MethodGet:
		answerJSON(w, http.StatusOK, box{"todos": n.list(r)})
	case r.URL.Path == "/todos" && r.Method == http.MethodPost:
		n.last++
		sent["id"] = n.last
		n.all[n.last] = sent
		if n.way == "a new one is never urgent" {
			sent["urgent"] = false
		}
		answerJSON(w, http.StatusCreated, box{"id": n.last})
	case !one || n.all[id] == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		n.change(r.Method, id, sent)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (n *todoList) change(method string, id int, sent box) {
	was := n.all[id]
	switch {
	case method == http.MethodDelete:
		delete(n.all, id)
		return
	case method == http.MethodPatch:
		sent = patchedBox(was, sent)
		if n.way == "PATCH clears the note" && sent["text"] != was["text"] {
			sent["note"] = ""
		}
	case n.way == "PUT keeps the note" && sent["note"] == nil && was["note"] != nil:
		sent["note"] = was["note"]
	}
	sent["id"] = id
	if n.all[id] = sent; n.way == "PUT changes all" && method == http.MethodPut && sent["note"] != nil {
		for _, other := range n.all {
			other["note"] = sent["note"]
		}
	}
}

// list is what a GET shows.
func (n *todoList) list(r *http.Request) []box {
	all := []box{}
	for _, id := range slices.Sorted(maps.Keys(n.all)) {
		shown := maps.Clone(n.all[id])
		if n.way == "the list has no notes" {
			delete(shown, "note")
		}
		all = append(all, shown)
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	all = all[min(from, len(all)):]
	switch n.way {
	case "pages":
		return all[:min(len(all), 5)]
	case "the first alone":
		return all[:min(len(all), 3)]
	case "another list":
		return []box{}
	}
	return all
}

// TestReadInList proves that what no GET reads by itself is looked at in its list: whether it is stored, and
// nothing else is changed. That the list does not have it, or has less of it, says nothing of that.
func TestReadInList(t *testing.T) {
	cases := map[string]string{
		"a new one is never urgent": "addTodo/response/status#created-differs",
		"no default":                "addTodo/response/status#default-ignored/urgent",
		"PUT keeps the note":        "replaceTodo/response/status#put-not-stored/note/left-out",
		"PUT changes all":           "replaceTodo/response/status#neighbour-changed/made-before",
		"PATCH clears the note":     "changeTodo/response/status#patch-partial/text",
	}
	opts := []contracttest.Option{contracttest.Cases(0), contracttest.Settle(time.Millisecond)}
	for _, id := range cases {
		opts = append(opts, contracttest.Only("case:"+id))
	}
	lawful := []string{"", "pages", "the first alone", "another list", "the list has no notes"}
	for _, way := range append(lawful, slices.Sorted(maps.Keys(cases))...) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			c, err := contracttest.Parse("todos.yaml", []byte(todos))
			require.NoError(t, err)
			n := &todoList{way: way, all: map[int]box{}}
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(contracttest.Middleware(c, contracttest.Enforce())(n)), opts...)
			require.NoError(t, err)
			var told, want []string
			for _, f := range rep.Findings {
				told = append(told, f.Severity+" "+f.Case.ID)
			}
			if id := cases[way]; id != "" {
				want = []string{"warning " + id}
			}
			assert.Equal(t, want, told, "%s", describe(rep))
		})
	}
}
