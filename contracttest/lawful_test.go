package contracttest_test

import (
	"crypto/sha256"
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

const lawful = `
openapi: 3.0.3
info: {title: groups, version: "1"}
components:
  securitySchemes: {Bearer: {type: http, scheme: bearer}}
  schemas:
    Group:
      type: object
      required: [name]
      properties:
        name: {type: string, maxLength: 60}
        open: {type: boolean}
        owner: {type: string, enum: [ada, bob]}
        saved: {type: integer}
security: [{Bearer: []}]
paths:
  /groups:
    post:
      operationId: create
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Group'}}}}
      responses: {"201": {$ref: '#/components/responses/One'}, "400": {description: bad}, "401": {description: who}, "415": {description: no JSON}}
  /groups/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: read, responses: {"200": {$ref: '#/components/responses/One'}, "400": {description: bad}, "401": {description: who}, "404": {description: none}}}
    put:
      operationId: replace
      parameters: [{name: If-Match, in: header, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Group'}}}}
      responses: {"200": {$ref: '#/components/responses/One'}, "400": {description: bad}, "401": {description: who}, "404": {description: none}, "412": {description: changed}, "415": {description: no JSON}}
    patch:
      operationId: change
      parameters: [{name: If-Match, in: header, schema: {type: string}}]
      requestBody: {required: true, content: {application/merge-patch+json: {schema: {type: object, properties: {open: {type: boolean}, owner: {type: string, enum: [ada, bob]}}}}}}
      responses: {"200": {$ref: '#/components/responses/One'}, "400": {description: bad}, "401": {description: who}, "404": {description: none}, "412": {description: changed}, "415": {description: no JSON}}
  /groups/{id}/join:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    post: {operationId: join, responses: {"204": {description: asked to join}, "400": {description: bad}, "401": {description: who}, "404": {description: none}}}
`

const lawfulAnswers = `  responses:
    One: {description: one, content: {application/json: {schema: {allOf: [{$ref: '#/components/schemas/Group'}, {type: object, required: [id], properties: {id: {type: integer}}}]}}}}
`

// groups is a service that is lawful where it does not do what one might think: saved counts
// its changes whatever a PUT says, whom a group belongs to cannot be changed, and is passed over
// in a PATCH, an ETag is that of what is stored, whoever is asked may join a group that he
// cannot read, and HEAD has no route.
type groups struct {
	mu    sync.Mutex
	all   map[string]map[string]any
	owner map[string]string // by identifier
}

func (g *groups) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	caller, named := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	rest, there := strings.CutPrefix(r.URL.Path, "/groups")
	id, action, acts := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	one := g.all[id]
	method := r.Method
	switch {
	case !named, caller != "ada" && caller != "bob":
		w.WriteHeader(http.StatusUnauthorized)
		return
	case there && acts && action == "join" && method == http.MethodPost && one != nil:
		w.WriteHeader(http.StatusNoContent)
		return
	case !there, acts, rest != "" && one == nil, rest != "" && g.owner[id] != caller, method == http.MethodHead:
		w.WriteHeader(http.StatusNotFound)
		return
	case rest == "" && method != http.MethodPost, rest != "" && method == http.MethodPost, method == http.MethodDelete, method == http.MethodOptions:
		w.Header().Set("Allow", map[bool]string{true: "POST", false: "GET, PUT, PATCH"}[rest == ""])
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	status := http.StatusOK
	if method != http.MethodGet {
		want := "application/json"
		if method == http.MethodPatch {
			want = "application/merge-patch+json"
		}
		if kind, _, _ := strings.Cut(strings.ToLower(r.Header.Get("Content-Type")), ";"); strings.TrimSpace(kind) != want {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		sent, ok := sentGroup(r, method)
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if match := r.Header.Get("If-Match"); match != "" && match != tagOf(one) {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		now := maps.Clone(one)
		if method != http.MethodPatch {
			now = map[string]any{}
		}
		if method == http.MethodPost {
			id, status = fmt.Sprint(100+len(g.all)), http.StatusCreated
			g.owner[id] = caller
		}
		maps.Copy(now, sent)
		now["saved"], now["id"] = 1, json.Number(id)
		if one != nil {
			if now["owner"] = one["owner"]; now["owner"] == nil {
				delete(now, "owner")
			}
			if now["saved"] = one["saved"]; tagOf(now) != tagOf(one) || method == http.MethodPut {
				now["saved"] = one["saved"].(int) + 1
			}
		}
		g.all[id], one = now, now
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", tagOf(one))
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(one)
}

// tagOf is made of what is stored.
func tagOf(one map[string]any) string {
	text, _ := json.Marshal([]any{one["name"], one["open"], one["owner"], one["saved"]})
	return fmt.Sprintf(`"%x"`, sha256.Sum256(text))
}

func sentGroup(r *http.Request, method string) (map[string]any, bool) {
	var sent map[string]any
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	if d.Decode(&sent) != nil || sent == nil || d.More() {
		return nil, false
	}
	for name, v := range sent {
		switch text, isText := v.(string); name {
		case "name":
			if !isText || len([]rune(text)) > 60 {
				return nil, false
			}
		case "owner":
			if text != "ada" && text != "bob" {
				return nil, false
			}
		case "open":
			if _, ok := v.(bool); !ok {
				return nil, false
			}
		case "saved":
			n, ok := v.(json.Number)
			if _, err := n.Float64(); !ok || err != nil || strings.ContainsAny(n.String(), ".eE") {
				return nil, false
			}
			delete(sent, name)
		default:
			delete(sent, name)
		}
	}
	return sent, method == http.MethodPatch || sent["name"] != nil
}

// TestLawfulState proves that no error on state is told of such a service.
func TestLawfulState(t *testing.T) {
	c, err := contracttest.Parse("groups.yaml", []byte(strings.Replace(lawful, "security: [", lawfulAnswers+"security: [", 1)))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(&groups{all: map[string]map[string]any{}, owner: map[string]string{}}),
		contracttest.Values("Bearer", "ada"), contracttest.Peer("Authorization", "Bearer bob"), contracttest.Settle(20*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Contains(t, describe(rep), "object-shared", "that another user may join is said")
}
