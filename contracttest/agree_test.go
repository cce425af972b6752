package contracttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// agreeing is a service that takes a change of a thing only where the body names the thing
// that the path names.
type agreeing struct {
	name string // of the identifier in path and body
	text bool   // the identifier is a text
	data bool   // the thing is the member data of a body

	mu     sync.Mutex
	last   int
	things map[string]map[string]any
}

// document is that of the service.
func (a *agreeing) document() string {
	id := "{type: integer}"
	if a.text {
		id = "{type: string, minLength: 1}"
	}
	thing := func(required string) string {
		schema := fmt.Sprintf("{type: object, required: %s, properties: {%s: %s, label: {type: string, minLength: 1}, owner: {type: object, properties: {%[2]s: %[3]s}}}}", required, a.name, id)
		if a.data {
			schema = fmt.Sprintf("{type: object, required: [data], properties: {data: %s}}", schema)
		}
		return schema
	}
	return fmt.Sprintf(`
openapi: 3.0.3
info: {title: things, version: "1"}
paths:
  /things:
    post:
      operationId: addThing
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/New'}}}}
      responses:
        "201": {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
        "400": {description: bad}
        "415": {description: no JSON}
  /things/{%[1]s}:
    parameters: [{name: %[1]s, in: path, required: true, schema: %[2]s}]
    get:
      operationId: showThing
      responses:
        "200": {description: there, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
        "404": {description: none}
    put:
      operationId: changeThing
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses:
        "200": {description: changed, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
        "400": {description: bad}
        "404": {description: none}
        "415": {description: no JSON}
components:
  schemas:
    New: %[3]s
    Thing: %[4]s
`, a.name, id, thing("[label]"), thing(fmt.Sprintf("[%s, label]", a.name)))
}

func (a *agreeing) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /things", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		thing, ok := a.read(w, r)
		if !ok {
			return
		}
		a.last++
		thing[a.name] = any(a.last)
		if a.text {
			thing[a.name] = fmt.Sprintf("t-%d", a.last)
		}
		a.things[fmt.Sprint(thing[a.name])] = thing
		a.write(w, http.StatusCreated, thing)
	})
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if thing := a.things[r.PathValue("id")]; thing != nil {
			a.write(w, http.StatusOK, thing)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("PUT /things/{id}", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		id := r.PathValue("id")
		if a.things[id] == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		thing, ok := a.read(w, r)
		if !ok {
			return
		}
		if _, isText := thing[a.name].(string); isText != a.text || fmt.Sprint(thing[a.name]) != id {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a.things[id] = thing
		a.write(w, http.StatusOK, thing)
	})
	return mux
}

// read reads a thing, and answers where it is none.
func (a *agreeing) read(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	members, ok := ofJSON(w, r)
	if !ok {
		return nil, false
	}
	if a.data {
		members, _ = members["data"].(map[string]any)
	}
	label, isText := members["label"].(string)
	owner, owned := members["owner"]
	of, isObject := owner.(map[string]any)
	if !isText || label == "" || owned && !isObject || !a.identifies(members) || !a.identifies(of) {
		w.WriteHeader(http.StatusBadRequest)
		return nil, false
	}
	return members, true
}

// identifies reports whether the identifier in an object is one, or absent.
func (a *agreeing) identifies(members map[string]any) bool {
	v, there := members[a.name]
	if text, isText := v.(string); isText || !there {
		return !there || a.text && text != ""
	}
	number, isNumber := v.(float64)
	_, err := strconv.Atoi(fmt.Sprint(int64(number)))
	return !a.text && isNumber && err == nil && number == float64(int64(number))
}

func (a *agreeing) write(w http.ResponseWriter, status int, thing map[string]any) {
	var body any = thing
	if a.data {
		body = map[string]any{"data": thing}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// A body that names its resource names the one that the path names: where a service wants
// that, its changes are tried all the same, and another identifier may be refused.
func TestBodyAgreesWithPath(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   *agreeing
	}{
		{"a number", &agreeing{name: "id"}},
		{"a text", &agreeing{name: "id", text: true}},
		{"a name of its own", &agreeing{name: "thingId"}},
		{"in data", &agreeing{name: "id", text: true, data: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.of.things = map[string]map[string]any{}
			srv := httptest.NewServer(tt.of.handler())
			defer srv.Close()
			c, err := contracttest.Parse("things.yaml", []byte(tt.of.document()))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL))
			require.NoError(t, err)
			for _, f := range rep.Findings {
				assert.NotEqual(t, "error", f.Severity, "%s", describe(rep))
			}
			refused := 0
			for _, clause := range rep.Coverage.ByClause {
				if strings.HasPrefix(clause.Clause, "changeThing/body") && strings.Contains(clause.State, "broken") {
					refused++
				}
			}
			assert.GreaterOrEqual(t, refused, 3, "the changes are not tried")
		})
	}
}
