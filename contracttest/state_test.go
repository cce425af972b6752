package contracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestLatched proves that a valid request which is refused from some other
// request on is a finding, though each refusal is a documented one.
func TestLatched(t *testing.T) {
	triggers := map[string]func(*http.Request, []byte) bool{
		"token too long": func(r *http.Request, _ []byte) bool { return len(r.Header.Get("X-Auth-Token")) > 4096 },
		"no JSON":        func(_ *http.Request, b []byte) bool { return len(b) > 0 && !json.Valid(b) },
		"GET":            func(r *http.Request, _ []byte) bool { return r.Method == http.MethodGet },
		"empty list":     func(_ *http.Request, b []byte) bool { return string(b) == `{"package_ids":[]}` },
	}
	for name, trigger := range triggers {
		t.Run(name, func(t *testing.T) {
			var on atomic.Bool
			h := refuse(func(r *http.Request, b []byte) bool {
				if trigger(r, b) {
					on.Store(true)
					return false
				}
				return on.Load() && r.Method == http.MethodPost
			})(correct(t))
			rep := run(t, h, known()...)
			assert.True(t, slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool {
				return f.Severity == "error" && (f.Check == "valid-request-refused" || f.Check == "not-repeatable")
			}), "%s", describe(rep))
		})
	}
}

// TestUsedUp proves that a server which takes each value once, and refuses it
// as documented from then on, has no finding that breaks the contract.
func TestUsedUp(t *testing.T) {
	var used sync.Map
	h := refuse(func(r *http.Request, b []byte) bool {
		for _, id := range list(parsed(b)) {
			if text, ok := id.(string); ok && r.Method == http.MethodPost && json.Valid(b) {
				if _, before := used.LoadOrStore(text, true); before {
					return true
				}
			}
		}
		return false
	})(correct(t))
	rep := run(t, h, contracttest.Values("package_ids", "12"))
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
}

const pets = `
openapi: 3.0.3
info: {title: Pets, version: "1"}
paths:
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
    delete:
      operationId: remove
      responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: unknown}}
    get:
      operationId: read
      responses:
        "200": {description: a pet, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
        "400": {description: bad}
        "404": {description: unknown}
    put:
      operationId: write
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}
      responses: {"200": {description: written}, "400": {description: bad}, "404": {description: unknown}}
components:
  schemas:
    Pet:
      type: object
      required: [name]
      additionalProperties: false
      properties:
        name: {type: string, minLength: 1, maxLength: 20}
        age: {type: integer, minimum: 0}
`

// TestCRUD proves that operations which take away what others need raise no
// alarm, whatever the order in which they are documented.
func TestCRUD(t *testing.T) {
	contract, err := contracttest.Parse("pets.yaml", []byte(pets))
	require.NoError(t, err)
	for range 3 {
		rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(petstore(contract)), contracttest.Values("id", "1", "2"), contracttest.Workers(8))
		require.NoError(t, err)
		assert.Zero(t, rep.Errors(), "%s", describe(rep))
		assert.Positive(t, rep.Coverage.Kept)
	}
}

// petstore keeps the contract above; pets 1 and 2 exist until they are removed.
func petstore(contract *contracttest.Contract) http.Handler {
	var mu sync.Mutex
	there := map[string]bool{"1": true, "2": true}
	mux := http.NewServeMux()
	with := func(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			id := r.PathValue("id")
			var n json.Number
			if json.Unmarshal([]byte(id), &n) != nil || n == "" || id[0] == '-' || id[0] == '0' || !isInteger(id) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			next(w, r, id)
		}
	}
	exists := func(w http.ResponseWriter, id string) bool {
		if !there[id] {
			w.WriteHeader(http.StatusNotFound)
		}
		return there[id]
	}
	mux.HandleFunc("GET /pets/{id}", with(func(w http.ResponseWriter, _ *http.Request, id string) {
		if exists(w, id) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"name":"pet %s"}`, id)
		}
	}))
	mux.HandleFunc("DELETE /pets/{id}", with(func(w http.ResponseWriter, _ *http.Request, id string) {
		if exists(w, id) {
			delete(there, id)
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	mux.HandleFunc("PUT /pets/{id}", with(func(w http.ResponseWriter, r *http.Request, id string) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !validPet(contract, r.Header.Values("Content-Type"), body) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		exists(w, id)
	}))
	return mux
}

func isInteger(s string) bool {
	return !slices.ContainsFunc([]rune(s), func(r rune) bool { return r < '0' || r > '9' })
}

// validPet judges a body with the engine's own reading of the document, by way
// of an exchange that is refused.
func validPet(contract *contracttest.Contract, types []string, body []byte) bool {
	req, err := http.NewRequest(http.MethodPut, "http://pets/pets/1", bytes.NewReader(body)) //nolint:noctx // it is not sent
	if err != nil {
		return false
	}
	req.Header["Content-Type"] = types
	x, err := contracttest.NewExchange(req, &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: http.NoBody})
	if err != nil {
		return false
	}
	findings, err := contract.Judge(x)
	return err == nil && len(findings) == 0 && len(body) > 0
}

// TestTakenByMistake proves that a server which takes away what is there on a
// request that breaks the contract is found out, though it can be taken once: such
// requests come before the valid one.
func TestTakenByMistake(t *testing.T) {
	contract, err := contracttest.Parse("things.yaml", []byte(`
openapi: 3.0.3
info: {title: things, version: "1"}
paths:
  /things/{id}:
    delete:
      operationId: removeThing
      parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
      responses:
        "204": {description: gone}
        "400": {description: broken}
        "404": {description: unknown}
`))
	require.NoError(t, err)
	for name, exact := range map[string]bool{"exact": true, "any": false} {
		t.Run(name, func(t *testing.T) {
			var gone atomic.Bool
			mux := http.NewServeMux()
			mux.HandleFunc("DELETE /things/{id}", func(w http.ResponseWriter, r *http.Request) {
				id, err := strconv.Atoi(r.PathValue("id"))
				switch broken := err != nil || id < 1 || strconv.Itoa(id) != r.PathValue("id"); {
				case broken && exact:
					w.WriteHeader(http.StatusBadRequest)
				case !broken && id != 7 || gone.Swap(true):
					w.WriteHeader(http.StatusNotFound)
				default:
					w.WriteHeader(http.StatusNoContent)
				}
			})
			rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(mux), contracttest.Values("id", "7"))
			require.NoError(t, err)
			accepted := slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool {
				return f.Check == "invalid-request-accepted" && f.Severity == "error"
			})
			assert.Equal(t, !exact, accepted, "%s", describe(rep))
			if exact {
				assert.NotContains(t, describe(rep), "error ", "no finding that breaks the contract")
			}
		})
	}
}

// TestLostReference proves that a server is not blamed for what nobody can tell of
// its document: what a reference that leads nowhere was meant to say.
func TestLostReference(t *testing.T) {
	contract, err := contracttest.Parse("lost.yaml", []byte(`
openapi: 3.0.3
info: {title: lost, version: "1"}
paths:
  /optional:
    post:
      operationId: optional
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {"204": {description: done}, "400": {description: broken}}
  /required:
    post:
      operationId: required
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [lost], properties: {lost: {$ref: '#/components/schemas/Nowhere'}}}}}
      responses: {"204": {description: done}, "400": {description: broken}}
components:
  schemas:
    Thing: {type: object, required: [n], properties: {n: {type: integer}, lost: {$ref: '#/components/schemas/Nowhere'}}}
`))
	require.NoError(t, err)
	require.Len(t, contract.Warnings(), 2)
	rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := map[string]bool{"/optional": true, "/required": true}
		if !allowed[r.URL.Path] || r.URL.RawQuery != "" && !strings.HasPrefix(r.URL.RawQuery, "x-unknown") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		var body map[string]json.RawMessage
		text, _ := io.ReadAll(r.Body)
		labels, n := r.Header.Values("Content-Type"), json.Number("")
		if len(labels) != 1 || !strings.HasPrefix(strings.ToLower(labels[0]), "application/json") || json.Unmarshal(text, &body) != nil || body == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		lost, there := body["lost"]
		wrong := there && !bytes.HasPrefix(lost, []byte(`{"code":`)) // what the lost schema was about
		if r.URL.Path == "/optional" {
			wrong = wrong || json.Unmarshal(body["n"], &n) != nil || strings.ContainsAny(string(n), ".eE") || bytes.HasPrefix(body["n"], []byte(`"`))
		} else {
			wrong = wrong || !there
		}
		if wrong {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})))
	require.NoError(t, err)
	assert.False(t, slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Check == "valid-request-refused" }), "%s", describe(rep))
	assert.Contains(t, fmt.Sprint(rep.Warnings), "required: no valid request was accepted")
}
