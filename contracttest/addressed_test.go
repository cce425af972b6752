package contracttest_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// cellar is of things that no answer gives an identifier of, but an address.
const cellar = `
  /v1/shelves:
    get: {operationId: listShelves, responses: {"200": {description: all, content: {application/json: {schema: {type: object, properties: {shelves: {type: array, items: {type: object}}}}}}}}}
    post:
      operationId: addShelf
      parameters: [{name: validateOnly, in: query, schema: {type: boolean}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [theme], properties: {theme: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "415": {description: refused}}
  /v1/shelves/{shelf}:
    parameters: [{name: shelf, in: path, required: true, schema: {type: string}}]
    get: {operationId: getShelf, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}}
    patch:
      operationId: changeShelf
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {theme: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}, "415": {description: refused}}
    delete: {operationId: removeShelf, responses: {"204": {description: gone}, "404": {description: none}}}
  /v1/shelves/{shelf}:seal:
    parameters: [{name: shelf, in: path, required: true, schema: {type: string}}]
    post: {operationId: sealShelf, responses: {"200": {description: it, content: {application/json: {schema: {type: object, properties: {sealed: {type: boolean}}}}}}, "404": {description: none}}}
  /v1/shelves/{shelf}/jars:
    parameters: [{name: shelf, in: path, required: true, schema: {type: string}}]
    get: {operationId: listJars, responses: {"200": {description: all, content: {application/json: {schema: {type: object, properties: {jars: {type: array, items: {type: object}}}}}}}, "404": {description: none}}}
    post:
      operationId: addJar
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [label], properties: {label: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}, "415": {description: refused}}
  /v1/shelves/{shelf}/jars/{jar}:
    parameters: [{name: shelf, in: path, required: true, schema: {type: string}}, {name: jar, in: path, required: true, schema: {type: string}}]
    get: {operationId: getJar, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}}
    delete: {operationId: removeJar, responses: {"204": {description: gone}, "404": {description: none}}}
`

// cellarer keeps shelves and jars, and says of each by its path alone where it is.
type cellarer struct {
	defect  string
	address func(path string) (string, any) // a member that says it
	mu      sync.Mutex
	made    int
	all     map[string]map[string]any // by path
}

func (s *cellarer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	below, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	parts := strings.Split(below, "/")
	seals := false
	if len(parts) == 2 {
		parts[1], seals = strings.CutSuffix(parts[1], ":seal")
	}
	path := strings.Join(parts, "/")
	isList := len(parts) == 1 || len(parts) == 3
	allowed := map[bool]string{true: "GET, HEAD, POST", false: "DELETE, GET, HEAD, PATCH"}[isList]
	switch {
	case len(parts) == 4:
		allowed = "DELETE, GET, HEAD"
	case seals:
		allowed = "POST"
	}
	switch {
	case !ok || strings.Contains(r.URL.RawPath, "%2F") || parts[0] != "shelves" || len(parts) > 4 || len(parts) > 2 && parts[2] != "jars":
		w.WriteHeader(http.StatusNotFound)
	case !slices.Contains(strings.Split(allowed, ", "), r.Method):
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusMethodNotAllowed)
	case len(parts) > 2 && s.all[strings.Join(parts[:2], "/")] == nil, !isList && s.all[path] == nil:
		w.WriteHeader(http.StatusNotFound)
	case isList && r.Method == http.MethodPost:
		s.add(w, r, path, map[bool]string{true: "theme", false: "label"}[len(parts) == 1])
	case isList:
		s.list(w, path, parts[len(parts)-1])
	case seals:
		if s.defect != "sealing is forgotten" {
			s.all[path]["sealed"] = true
		}
		shown := maps.Clone(s.all[path])
		shown["sealed"] = true
		answerJSON(w, http.StatusOK, shown)
	case r.Method == http.MethodPatch:
		if members, ok := ofJSON(w, r); ok {
			s.change(w, path, members)
		}
	case r.Method == http.MethodDelete:
		if s.defect != "nothing is removed" {
			maps.DeleteFunc(s.all, func(at string, _ map[string]any) bool { return at == path || strings.HasPrefix(at, path+"/") })
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		answerJSON(w, http.StatusOK, s.all[path])
	}
}

func (s *cellarer) add(w http.ResponseWriter, r *http.Request, path, name string) {
	text, ok := sentText(w, r, name, 60)
	if !ok {
		return
	}
	only := r.URL.Query().Get("validateOnly")
	if r.URL.Query().Has("validateOnly") && only != "true" && only != "false" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.made++
	at := fmt.Sprintf("%s/n%d", path, s.made)
	member, v := s.address(at)
	made := map[string]any{name: text, member: v, "sealed": false}
	if only != "true" {
		s.all[at] = made
	}
	answerJSON(w, http.StatusOK, made)
}

func (s *cellarer) change(w http.ResponseWriter, path string, members map[string]any) {
	if text, isText := members["theme"].(string); isText && text != "" && len([]rune(text)) <= 60 {
		if s.defect != "a change is forgotten" {
			s.all[path]["theme"] = text
		}
	} else if _, there := members["theme"]; there {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answerJSON(w, http.StatusOK, s.all[path])
}

func (s *cellarer) list(w http.ResponseWriter, path, name string) {
	list := []map[string]any{}
	for _, at := range slices.Sorted(maps.Keys(s.all)) {
		ofOther := s.defect == "jars of other shelves" && name == "jars" && strings.Contains(at, "/jars/")
		if rest, below := strings.CutPrefix(at, path+"/"); below && !strings.Contains(rest, "/") || ofOther {
			list = append(list, s.all[at])
		}
	}
	answerJSON(w, http.StatusOK, map[string]any{name: list})
}

// TestAddressed proves that what has no identifier in any answer, but an address of itself, is known
// by that; that an action of Google's form is sent to what the run has made; and that what an optional
// switch prevents is made all the same.
func TestAddressed(t *testing.T) {
	forms := map[string]func(string) (string, any){
		"resource name": func(path string) (string, any) { return "name", path },
		"HAL": func(path string) (string, any) {
			return "_links", map[string]any{"self": map[string]any{"href": "http://cellar.example/v1/" + path + "{?view}"}}
		},
		"list of links": func(path string) (string, any) {
			return "links", []any{map[string]any{"rel": "up", "href": "/v1"}, map[string]any{"rel": "self", "href": "/v1/" + path}}
		},
		"link of JSON:API": func(path string) (string, any) { return "links", map[string]any{"self": "/v1/" + path} },
		"JSON-LD":          func(path string) (string, any) { return "@id", "/v1/" + path },
	}
	for _, of := range []struct{ form, defect, want string }{
		{form: "resource name"}, {form: "HAL"}, {form: "list of links"}, {form: "link of JSON:API"}, {form: "JSON-LD"},
		{"resource name", "sealing is forgotten", "sealShelf"},
		{"HAL", "nothing is removed", "removeShelf"},
		{"list of links", "a change is forgotten", "changeShelf"},
		{"JSON-LD", "jars of other shelves", "listJars"},
	} {
		if testing.Short() && of.form != "resource name" {
			continue
		}
		t.Run(of.form+", "+of.defect, func(t *testing.T) {
			s := &cellarer{defect: of.defect, address: forms[of.form], all: map[string]map[string]any{}}
			rep, err := contracttest.Run(t.Context(), parse(t, cellar), contracttest.Handler(s), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				found = append(found, f.Severity+" "+f.Case.ID)
			}
			if of.defect == "" {
				assert.Zero(t, rep.Errors(), "%s", found)
				assert.Empty(t, rep.Unproven)
				assert.Empty(t, s.all, "nothing stays")
				return
			}
			assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, of.want+"/response/status#") }), "%s", found)
		})
	}
}
