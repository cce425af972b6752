package orders_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/orders"
)

// TestAnswersAreNeeded proves that a run takes from any answer what another request needs: the
// flow that a GET opens, a new one for each request where it is for one, a token and the cookie
// that comes with it, an upload, and what the items of a list have for its filters.
func TestAnswersAreNeeded(t *testing.T) {
	c, err := contracttest.Parse("desk.yaml", orders.DeskDocument)
	require.NoError(t, err)
	var before string
	for _, workers := range []int{1, 8} {
		d := orders.NewDesk()
		srv := httptest.NewServer(d)
		defer srv.Close()
		rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Workers(workers), contracttest.Cases(10))
		require.NoError(t, err)
		assert.Zero(t, rep.Errors(), "%s", describe(rep))
		assert.Empty(t, rep.Inconclusive)
		assert.Empty(t, rep.Unproven)
		assert.Equal(t, []string{"credentials_identifier", "ids"}, d.Found())
		if now := describe(rep); before == "" {
			before = now
		} else {
			assert.Equal(t, before, now, "the report depends on the workers")
		}
	}
}

// TestFlowsAreKept proves that nobody is blamed for a flow that is good for several logins: no
// sentence forbids it. Nor is one opened for each request then.
func TestFlowsAreKept(t *testing.T) {
	c, err := contracttest.Parse("desk.yaml", orders.DeskDocument)
	require.NoError(t, err)
	d := orders.NewDesk()
	d.Keeps = true
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Only("login"), contracttest.Cases(10))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, rep.Unproven)
	assert.Less(t, d.Done("GET /self-service/login/api"), 10)
}

// TestOneOperationOfDesk proves that a run which is to test one operation alone has what it needs.
func TestOneOperationOfDesk(t *testing.T) {
	c, err := contracttest.Parse("desk.yaml", orders.DeskDocument)
	require.NoError(t, err)
	for _, op := range []string{"login", "comment", "vote", "fileDocument"} {
		t.Run(op, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(orders.NewDesk()), contracttest.Only(op), contracttest.Cases(1))
			require.NoError(t, err)
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.Empty(t, rep.Unproven)
		})
	}
}

// TestSafeDesk proves that a run which is to change nothing only reads.
func TestSafeDesk(t *testing.T) {
	c, err := contracttest.Parse("desk.yaml", orders.DeskDocument)
	require.NoError(t, err)
	d := orders.NewDesk()
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Safe(), contracttest.Cases(1))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Zero(t, d.Posts(), "requests that may change something")
	assert.Equal(t, []string{"credentials_identifier", "ids"}, d.Found())
	assert.Positive(t, d.Done("GET /self-service/login/flows"))
}

// TestSomebodys proves that a request which may change something does not get what a GET always
// answers with: it may be somebody's. One that changes nothing gets it.
func TestSomebodys(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /account:
    get: {operationId: account, responses: {"200": {description: mine, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string}}}}}}}}
  /closings:
    post:
      operationId: close
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [account_id], properties: {account_id: {type: string, minLength: 1}}}}}}
      responses: {"204": {description: closed}, "400": {description: bad}, "404": {description: unknown}, "415": {description: type}}
  /statement:
    get:
      operationId: statement
      parameters: [{name: account_id, in: query, required: true, schema: {type: string, minLength: 1}}]
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "404": {description: unknown}}
`
	const mine = "account-of-mary"
	var read, touched atomic.Int32
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, _ *http.Request) { answer(w, `{"id":"`+mine+`"}`) })
	mux.HandleFunc("POST /closings", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), mine) {
			touched.Add(1)
		}
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("GET /statement", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("account_id") != mine {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		read.Add(1)
		answer(w, "{}")
	})
	c, err := contracttest.Parse("t.yaml", []byte(document))
	require.NoError(t, err)
	_, err = contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Cases(1))
	require.NoError(t, err)
	assert.Zero(t, touched.Load())
	assert.Positive(t, read.Load())
}
