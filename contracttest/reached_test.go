package contracttest_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// keeper is a service that keeps objects with a name, as a mux has their paths.
type keeper struct {
	mu   sync.Mutex
	all  map[string]map[string]any
	last int
}

// at answers a request about the object that its path names, as long as that is in one of some
// states; none of them stands for any.
func (s *keeper) at(do func(w http.ResponseWriter, r *http.Request, v map[string]any), states ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		v := s.all[r.PathValue("id")]
		for _, state := range states {
			if v != nil && v["state"] == state {
				do(w, r, v)
				return
			}
		}
		switch {
		case v == nil, v["state"] == "deleted" && len(states) == 0:
			answerJSON(w, http.StatusNotFound, map[string]any{"error": "unknown"})
		case len(states) > 0:
			answerJSON(w, http.StatusConflict, map[string]any{"error": "not now"})
		default:
			do(w, r, v)
		}
	}
}

// added makes an object of what is sent; it returns nil where that is none.
func (s *keeper) added(w http.ResponseWriter, r *http.Request) map[string]any {
	sent, ok := ofJSON(w, r)
	if !ok {
		return nil
	}
	name, isText := sent["name"].(string)
	if n := len([]rune(name)); !isText || n < 1 || n > 40 {
		w.WriteHeader(http.StatusBadRequest)
		return nil
	}
	s.last++
	v := map[string]any{"id": strconv.Itoa(s.last), "name": name, "state": "open"}
	s.all[v["id"].(string)] = v
	return v
}

func (s *keeper) add(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.added(w, r); v != nil {
		answerJSON(w, http.StatusCreated, v)
	}
}

func shown(w http.ResponseWriter, _ *http.Request, v map[string]any) {
	answerJSON(w, http.StatusOK, v)
}

func becomes(state string) func(http.ResponseWriter, *http.Request, map[string]any) {
	return func(w http.ResponseWriter, _ *http.Request, v map[string]any) {
		if v["state"] = state; state == "deleted" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answerJSON(w, http.StatusOK, v)
	}
}

const (
	byID    = `[{name: id, in: path, required: true, schema: {type: string}}]`
	isThing = `{description: it, content: {application/json: {schema: {type: object, required: [id, name, state], properties: {id: {type: string}, name: {type: string}, state: {type: string}}}}}}`
	isNamed = `{required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, minLength: 1, maxLength: 40}}}}}}`
	refused = `"400": {description: refused}, "415": {description: refused}, "404": {description: none}, "409": {description: not now}`
)

// TestReached proves that the valid requests of a service are accepted that are so for whoever
// knows what has to be done before.
func TestReached(t *testing.T) {
	for _, tt := range []struct {
		name, paths string
		serve       func(*http.ServeMux, *keeper)
	}{
		{
			"what was deleted is restored", `
  /notes:
    post: {operationId: addNote, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /notes/{id}:
    parameters: ` + byID + `
    get: {operationId: getNote, responses: {"200": ` + isThing + `, ` + refused + `}}
    delete: {operationId: deleteNote, responses: {"204": {description: gone}, ` + refused + `}}
  /notes/{id}/restore:
    parameters: ` + byID + `
    post: {operationId: restoreNote, responses: {"200": ` + isThing + `, ` + refused + `}}
`, func(mux *http.ServeMux, s *keeper) {
				mux.HandleFunc("POST /notes", s.add)
				mux.HandleFunc("GET /notes/{id}", s.at(shown))
				mux.HandleFunc("DELETE /notes/{id}", s.at(becomes("deleted")))
				mux.HandleFunc("POST /notes/{id}/restore", s.at(becomes("open"), "deleted"))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mux := http.NewServeMux()
			tt.serve(mux, &keeper{all: map[string]map[string]any{}})
			rep, err := contracttest.Run(t.Context(), parse(t, tt.paths), contracttest.Handler(mux), contracttest.Cases(0))
			require.NoError(t, err)
			assert.Empty(t, rep.Unproven)
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
		})
	}
}
