package contracttest_test

import (
	"encoding/json"
	"fmt"
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

// tickets is a document in which a ticket has an ID that nobody can guess. What
// is left of it says where the ID can be read.
func tickets(t *testing.T, created, listed, paths string) *contracttest.Contract {
	t.Helper()
	c, err := contracttest.Parse("tickets.yaml", []byte(fmt.Sprintf(`
openapi: 3.0.3
info: {title: Tickets, version: "1"}
paths:
  /tickets:
    post:
      operationId: create
      responses: {"201": {description: made, %s}}
%s
  /tickets/{ticketId}:
    parameters: [{name: ticketId, in: path, required: true, schema: {type: string, pattern: "^t-[0-9]+$"}}]
    get:
      operationId: read
      responses: {"200": {description: there, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "404": {description: unknown}}
    patch:
      operationId: change
      responses: {"204": {description: changed}, "400": {description: bad}, "404": {description: unknown}}
%s
`, created, listed, paths)))
	require.NoError(t, err)
	return c
}

// desk serves the document. The answers hold the ID in the ways that a test
// asks for.
func desk(body string, location bool, broken func(*http.Request) bool, methods ...string) http.Handler {
	var mu sync.Mutex
	made, last := []string{"t-7001"}, 7001
	mux := http.NewServeMux()
	json := func(w http.ResponseWriter, status int, text string) {
		if text != "" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, text)
	}
	mux.HandleFunc("POST /tickets", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		last++
		id := fmt.Sprint("t-", last)
		made = append(made, id)
		if location {
			w.Header().Set("Location", "/tickets/"+id)
		}
		json(w, http.StatusCreated, strings.ReplaceAll(body, "ID", id))
	})
	mux.HandleFunc("GET /tickets", func(w http.ResponseWriter, _ *http.Request) {
		json(w, http.StatusOK, `{"page":1,"tickets":[{"id":"t-7001"}]}`)
	})
	one := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id := r.PathValue("ticketId")
		i := slices.Index(made, id)
		digits := strings.TrimPrefix(id, "t-")
		switch {
		case digits == id || digits == "" || strings.Trim(digits, "0123456789") != "", broken != nil && broken(r):
			json(w, http.StatusBadRequest, "")
		case i < 0:
			json(w, http.StatusNotFound, "")
		case r.Method == http.MethodDelete:
			made = slices.Delete(made, i, i+1)
			json(w, http.StatusNoContent, "")
		case r.Method == http.MethodPatch:
			json(w, http.StatusNoContent, "")
		default:
			json(w, http.StatusOK, "{}")
		}
	}
	for _, method := range append(methods, http.MethodGet, http.MethodPatch) {
		mux.HandleFunc(method+" /tickets/{ticketId}", one)
	}
	return mux
}

// TestLearned proves that values which other operations have answered with are
// used where they are needed, wherever they stand.
func TestLearned(t *testing.T) {
	const object = "content: {application/json: {schema: {type: object}}}"
	list := "    get: {operationId: list, responses: {\"200\": {description: all, " + object + "}}}"
	for _, tt := range []struct {
		name, created, listed string
		server                http.Handler
		proven                bool
	}{
		{"link to the body", object + `, links: {read: {operationId: read, parameters: {ticketId: "$response.body#/made/0/key"}}, change: {operationRef: "#/paths/~1tickets~1{ticketId}/patch", parameters: {path.ticketId: "$response.body#/made/0/key"}}}`, "", desk(`{"made":[{"key":"ID"}]}`, false, nil), true},
		{"link to a header", `headers: {X-Ticket: {schema: {type: string}}}, links: {read: {operationId: read, parameters: {ticketId: $response.header.Location}}}`, "", desk("", false, nil), false},
		{"Location", "headers: {Location: {schema: {type: string}}}", "", desk("", true, nil), true},
		{"property of the same name", object, "", desk(`{"ticket":{"ticket_id":"ID"}}`, false, nil), true},
		{"id of what was created", object, "", desk(`{"id":"ID"}`, false, nil), true},
		{"id in a list is read, and not changed", object, list, desk(`{}`, false, nil), true},
		{"nowhere", object, "", desk(`{"name":"ID"}`, false, nil), false},
		{"of no use", object, "", desk(`{"id":"t-none"}`, false, nil), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), tickets(t, tt.created, tt.listed, ""), contracttest.Handler(tt.server), contracttest.Skip("allow-header", "undocumented-method"))
			require.NoError(t, err)
			assert.Empty(t, rep.Findings, "%s", describe(rep))
			for _, c := range rep.Coverage.ByClause {
				if c.Clause == "read/path/ticketId/type" || c.Clause == "change/path/ticketId/type" {
					proven := tt.proven && (tt.listed == "" || strings.HasPrefix(c.Clause, "read/"))
					assert.Equal(t, proven, strings.HasPrefix(c.State, "kept"), "%s: %s", c.Clause, c.State)
				}
			}
		})
	}
}

// TestLearnedOnce proves that what is learned does not depend on the workers,
// and that what takes a value away leaves it to the others.
func TestLearnedOnce(t *testing.T) {
	remove := `    delete: {operationId: remove, responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: unknown}}}`
	contract := tickets(t, "content: {application/json: {schema: {type: object}}}", "", remove)
	var reports []string
	for _, workers := range []int{1, 8} {
		rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(desk(`{"id":"ID"}`, false, nil, http.MethodDelete)), contracttest.Workers(workers), contracttest.Skip("allow-header", "undocumented-method"))
		require.NoError(t, err)
		assert.Empty(t, rep.Findings, "%s", describe(rep))
		rep.Stats.Seconds, rep.Stats.Started = 0, ""
		for i := range rep.Exchanges {
			rep.Exchanges[i].Started, rep.Exchanges[i].Elapsed = time.Time{}, 0
		}
		text, err := json.Marshal(rep)
		require.NoError(t, err)
		reports = append(reports, string(text))
	}
	assert.Equal(t, reports[0], reports[1])
	assert.Contains(t, reports[0], `"clause":"remove/path/ticketId/type"`)
}

// TestLearnedRefused proves that a learned value is one which a valid request
// has to be accepted with.
func TestLearnedRefused(t *testing.T) {
	contract := tickets(t, "content: {application/json: {schema: {type: object}}}", "", "")
	h := desk(`{"id":"ID"}`, false, func(r *http.Request) bool { return r.Header.Get("Accept-Language") != "" })
	rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(h), contracttest.Skip("allow-header", "undocumented-method"))
	require.NoError(t, err)
	require.NotEmpty(t, rep.Findings)
	for _, f := range rep.Findings {
		assert.Equal(t, "valid-request-refused", f.Check, f.Message)
	}
}

// TestSkippedIsNotAsked proves that an operation which is left out is not asked
// for values either.
func TestSkippedIsNotAsked(t *testing.T) {
	contract := tickets(t, "content: {application/json: {schema: {type: object}}}", "", "")
	next := desk(`{"id":"ID"}`, false, nil)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.False(t, r.Method == http.MethodPost && r.URL.Path == "/tickets", "the operation is asked")
		next.ServeHTTP(w, r)
	})
	_, err := contracttest.Run(t.Context(), contract, contracttest.Handler(h), contracttest.Only("read"), contracttest.Skip("create"))
	require.NoError(t, err)
}
