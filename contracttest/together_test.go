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

// seats is a document of what two properties together name.
const seats = `
  /seats:
    post:
      operationId: addSeat
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Seat"}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {$ref: "#/components/schemas/Seat"}}}}, "400": {description: refused}, "409": {description: there is one}}
  /seats/{seatId}:
    parameters: [{name: seatId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getSeat, responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Seat"}}}}, "404": {description: none}}}
    patch:
      operationId: changeSeat
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {hall: {type: string, enum: [north, south]}, label: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Seat"}}}}, "400": {description: refused}, "404": {description: none}, "409": {description: there is one}}
components:
  schemas:
    Seat: {type: object, required: [hall, label], properties: {id: {type: integer, readOnly: true}, hall: {type: string, enum: [north, south]}, label: {type: string, minLength: 1, maxLength: 60}}}
`

// theatre serves the document; unchecked is whether a change may make two of one.
type theatre struct {
	unchecked bool
	mu        sync.Mutex
	all       map[int]box
}

func (s *theatre) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent box
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		maps.DeleteFunc(sent, func(name string, _ any) bool { return name != "hall" && name != "label" })
	}
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/seats/"))
	was, status := s.all[id], http.StatusOK
	switch {
	case r.URL.Path == "/seats":
		id, status = len(s.all)+1, http.StatusCreated
	case was == nil:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	next := box{"id": id}
	maps.Copy(next, was)
	maps.Copy(next, sent)
	for other, v := range s.all {
		if other != id && sent != nil && v["hall"] == next["hall"] && v["label"] == next["label"] && (was == nil || !s.unchecked) {
			w.WriteHeader(http.StatusConflict)
			return
		}
	}
	s.all[id] = next
	answerJSON(w, status, next)
}

// TestUniqueTogether proves that what has to be unique with another property alone may be changed to the
// value of another resource, and that a change which makes two of one is found.
func TestUniqueTogether(t *testing.T) {
	for _, unchecked := range []bool{false, true} {
		c := parse(t, seats)
		h := contracttest.Middleware(c, contracttest.Enforce())(&theatre{unchecked: unchecked, all: map[int]box{}})
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Cases(0), contracttest.Settle(time.Millisecond), contracttest.Only("case:changeSeat/response/status#conflict-ignored/label"))
		require.NoError(t, err)
		found := slices.Contains(about(rep, "conflict-ignored"), "warning changeSeat/response/status")
		assert.Equal(t, unchecked, found, "%s", describe(rep))
	}
}
