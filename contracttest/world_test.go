package contracttest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	urlpath "path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// orders is a document of a resource with a state: what was cancelled cannot be
// cancelled again.
const orders = `
  /orders:
    get:
      operationId: listOrders
      responses: {"200": {description: all, content: {application/json: {schema: {type: object}}}}}
    post:
      operationId: placeOrder
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [reference], properties: {reference: {type: string, minLength: 1, maxLength: 30%s}}}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "409": {description: taken}, "415": {description: type}}
  /orders/{orderId}:
    parameters: [{name: orderId, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9]{1,12}$'}, example: old}]
    get:
      operationId: getOrder
      responses: {"200": {description: there, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "404": {description: unknown}}
    delete:
      operationId: removeOrder
      responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: unknown}}
  /orders/{orderId}/cancel:
    parameters: [{name: orderId, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9]{1,12}$'}, example: old}]
    post:
      operationId: cancelOrder
      responses: {"204": {description: cancelled}, "400": {description: bad}, "404": {description: unknown}, "409": {description: it is cancelled already}}
`

// orderDesk serves the document. The order "old" is somebody's.
type orderDesk struct {
	mux     *http.ServeMux
	places  bool              // orders can be placed
	valid   func(string) bool // a reference; nil: all
	mu      sync.Mutex
	there   map[string]string // reference by identifier
	done    map[string]bool
	last    int
	touched []string // requests that would have changed what is somebody's
}

func newOrderDesk() *orderDesk {
	d := &orderDesk{mux: http.NewServeMux(), places: true, there: map[string]string{"old": "old"}, done: map[string]bool{}}
	d.mux.HandleFunc("POST /orders", d.place)
	d.mux.HandleFunc("GET /orders", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[{"id":"old"}]}`)
	})
	for _, m := range []string{"GET", "DELETE"} {
		d.mux.HandleFunc(m+" /orders/{id}", d.one)
	}
	d.mux.HandleFunc("POST /orders/{id}/cancel", d.one)
	return d
}

func (d *orderDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/orders/old") && !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, r.Method) {
		d.touched = append(d.touched, r.Method+" "+r.URL.Path)
	}
	d.mux.ServeHTTP(w, r)
}

func (d *orderDesk) place(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	body, _ := parsed(text).(map[string]any)
	reference, ok := body["reference"].(string)
	switch {
	case !d.places:
		w.WriteHeader(http.StatusNotFound)
		return
	case !isJSON(r):
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	case !ok || reference == "" || len([]rune(reference)) > 30, d.valid != nil && !d.valid(reference):
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, other := range d.there {
		if other == reference && d.valid == nil {
			w.WriteHeader(http.StatusConflict)
			return
		}
	}
	d.last++
	id := fmt.Sprintf("o%d", d.last)
	d.there[id] = reference
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"id": id})
}

func (d *orderDesk) one(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	_, there := d.there[id]
	switch {
	case len(id) > 12 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "":
		w.WriteHeader(http.StatusBadRequest)
	case !there:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "cancelled": d.done[id]})
	case r.Method == http.MethodDelete:
		delete(d.there, id)
		w.WriteHeader(http.StatusNoContent)
	case d.done[id]:
		w.WriteHeader(http.StatusConflict)
	default:
		d.done[id] = true
		w.WriteHeader(http.StatusNoContent)
	}
}

// TestConsumes proves that what a run changes, deletes or acts on is its own, and
// that what can be done once is done to a new one each time.
func TestConsumes(t *testing.T) {
	c := parse(t, fmt.Sprintf(orders, ""))
	d := newOrderDesk()
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Skip("allow-header"))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, d.touched, "it is somebody's")
	assert.Equal(t, map[string]string{"old": "old"}, d.there, "what was made is deleted")
	for _, cl := range rep.Coverage.ByClause {
		if slices.Contains([]string{"removeOrder/path/orderId/pattern", "cancelOrder/path/orderId/pattern", "getOrder/path/orderId/pattern"}, cl.Clause) {
			assert.Contains(t, cl.State, "broken", cl.Clause)
		}
		if cl.Clause == "cancelOrder/message" || cl.Clause == "placeOrder/message" {
			assert.Contains(t, cl.State, "kept", cl.Clause)
		}
	}
}

// TestNothingToConsume proves that where nothing is made, what is sent names
// nothing: an example of the document least of all.
func TestNothingToConsume(t *testing.T) {
	c := parse(t, fmt.Sprintf(orders, ""))
	d := newOrderDesk()
	d.places = false
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Only("removeOrder", "cancelOrder", "getOrder"))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, d.touched, "it is somebody's")
	assert.Contains(t, strings.Join(rep.Warnings, "\n"), "--value")

	rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Only("cancelOrder"), contracttest.Values("orderId", "old"))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.NotEmpty(t, d.touched, "the user gives it")
}

// TestGivenIsUsedUp proves that a second run with the same value says that the first
// one has used it up, and blames nobody for it.
func TestGivenIsUsedUp(t *testing.T) {
	c := parse(t, fmt.Sprintf(orders, ""))
	for _, only := range [][]string{{"removeOrder"}, {"cancelOrder"}, {"removeOrder", "cancelOrder", "getOrder"}} {
		d := newOrderDesk()
		d.places = false
		d.there["mine"] = "mine"
		for i := range 2 {
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Only(only...), contracttest.Values("orderId", "mine"))
			require.NoError(t, err)
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.Empty(t, rep.Inconclusive)
			gone := strings.Contains(strings.Join(rep.Warnings, "\n"), "give another orderId (--value orderId=VALUE): the given one is gone or used up")
			assert.Equal(t, i > 0, gone, "%v: %s", only, strings.Join(rep.Warnings, "\n"))
			assert.Equal(t, i > 0, len(rep.Unproven) > 0)
		}
	}
}

// TestOnlyExampleIsTaken proves that a new text is not insisted on where the
// document's example is the one that is taken.
func TestOnlyExampleIsTaken(t *testing.T) {
	c := parse(t, fmt.Sprintf(orders, ", example: PROMO"))
	d := newOrderDesk()
	d.valid = func(reference string) bool { return reference == "PROMO" }
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Only("placeOrder"), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Empty(t, about(rep, "server-error"))
	for _, cl := range rep.Coverage.ByClause {
		if cl.Clause == "placeOrder/message" {
			assert.Contains(t, cl.State, "kept")
		}
	}
}

// TestThereByChance proves that a made-up value which happens to exist does not
// say that all do.
func TestThereByChance(t *testing.T) {
	c := parse(t, `
  /items:
    get:
      operationId: listItems
      responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {type: string}}}}}}
  /items/{name}:
    get:
      operationId: getItem
      parameters: [{name: name, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9]+$'}}]
      responses: {"200": {description: there}, "400": {description: bad}, "404": {description: unknown}}
`)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `["a1","b2"]`)
	})
	mux.HandleFunc("GET /items/{name}", func(w http.ResponseWriter, r *http.Request) {
		switch name := r.PathValue("name"); {
		case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "":
			w.WriteHeader(http.StatusBadRequest)
		case name != "a1" && name != "b2":
			w.WriteHeader(http.StatusNotFound)
		}
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	for _, cl := range rep.Coverage.ByClause {
		if cl.Clause == "getItem/path/name/pattern" {
			assert.Equal(t, "kept+broken", cl.State)
		}
	}
}

// TestCollections proves that a method which the document does not have, and whoever
// carries it out may delete or replace what somebody has, is not tried on what is no
// resource of the run's own: a collection, what is above one, or what has no identifier.
func TestCollections(t *testing.T) {
	const item = `[{name: id, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9]{1,12}$'}, example: old}]`
	made := `responses: {"201": {description: made, content: {application/json: {schema: {type: object}}}}, "404": {description: unknown}}`
	there := `responses: {"200": {description: there, content: {application/json: {schema: {type: object}}}}, "404": {description: unknown}}`
	c := parse(t, `
  /api/things:
    get: {operationId: listThings, `+there+`}
    post: {operationId: addThing, `+made+`}
  /api/things/{id}:
    parameters: `+item+`
    get: {operationId: getThing, `+there+`}
    put: {operationId: putThing, `+there+`}
    delete: {operationId: removeThing, `+there+`}
  /api/things/{id}/parts:
    parameters: `+item+`
    post: {operationId: addPart, `+made+`}
  /api/things/{id}/parts/{part}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}, {name: part, in: path, required: true, schema: {type: string}}]
    get: {operationId: getPart, `+there+`}
  /api/projects/{id}/tasks:
    parameters: `+item+`
    get: {operationId: listTasks, `+there+`}
    post: {operationId: addTask, `+made+`}
  /api/settings:
    get: {operationId: getSettings, `+there+`}
  /api/sections/{section}:
    parameters: [{name: section, in: path, required: true, schema: {type: string, enum: [old, new]}}]
    get: {operationId: getSection, `+there+`}
  /api/packages:
    post: {operationId: listPackages, `+there+`}
  /api/sessions/current:
    delete: {operationId: logOut, `+there+`}
  /api/merge:
    post: {operationId: merge, `+there+`}
`)
	var mu sync.Mutex
	own, makes := map[string]bool{}, true
	seen := map[string]bool{} // methods on paths, those of the run's own as {own}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		segments := strings.Split(strings.Trim(urlpath.Clean(r.URL.Path), "/"), "/")
		w.Header().Set("Content-Type", "application/json")
		status := http.StatusOK
		for i, s := range segments {
			if own[s] {
				segments[i] = "{own}"
			}
		}
		at := "/" + strings.Join(segments, "/")
		seen[r.Method+" "+at] = true
		if len(segments) > 2 && segments[1] == "things" && segments[2] != "{own}" && segments[2] != "old" {
			status = http.StatusNotFound
		}
		switch {
		case r.Method == http.MethodGet && at == "/api/things":
			_, _ = io.WriteString(w, `{"data":[{"id":"old"}]}`)
			return
		case r.Method == http.MethodPost && strings.HasSuffix(at, "/parts"):
			status = http.StatusCreated
		case r.Method == http.MethodPost && at == "/api/things" && !makes:
			status = http.StatusBadRequest
		case r.Method == http.MethodPost && at == "/api/things":
			id := fmt.Sprint("o", len(own))
			own[id], status = true, http.StatusCreated
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"id":%q}`, id)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "{}")
	})
	for _, opts := range [][]contracttest.Option{nil, {contracttest.Values("id", "old")}, {contracttest.Cases(1)}} {
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), append(opts, contracttest.Settle(20*time.Millisecond))...)
		require.NoError(t, err)
		for _, m := range []string{"PUT", "PATCH", "DELETE", "PURGE"} {
			for _, at := range []string{
				"/", "/api", "/api/things", "/api/projects", "/api/projects/old", "/api/projects/old/tasks", "/api/things/old/parts", "/api/things/1/parts", "/api/settings", "/api/sections", "/api/sections/old",
				"/api/sections/new", "/api/packages", "/api/sessions",
			} {
				assert.False(t, seen[m+" "+at], "%s %s", m, at)
			}
			assert.Contains(t, seen, m+" /api/merge", "an action")
		}
		assert.Contains(t, seen, "UNKNOWN /api/things")
		assert.Contains(t, strings.Join(rep.Warnings, "\n"), "are not sent to paths that do not document them")
		makes = opts == nil // the last time what is there is somebody's
	}
	assert.Contains(t, seen, "PATCH /api/things/{own}")
	assert.Contains(t, seen, "DELETE /api/things/{own}/parts")
}

// TestOneAlone proves that the one thing which the run could make stays until the last request
// about it is sent, and that a documented 403 of who may not is blamed on nobody.
func TestOneAlone(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: things, version: "1"}
security: [{key: []}]
paths:
  /things:
    post:
      operationId: make
      responses: {"201": {description: made, headers: {Location: {schema: {type: string}}}}, "401": {description: who}, "403": {description: one has to do}}
  /things/{thingId}:
    parameters: [{name: thingId, in: path, required: true, schema: {type: string, pattern: '^t-[a-z]{8}$'}}]
    get:
      operationId: look
      responses: {"204": {description: there}, "400": {description: bad}, "401": {description: who}, "404": {description: unknown}}
    delete:
      operationId: remove
      responses: {"204": {description: gone}, "400": {description: bad}, "401": {description: who}, "404": {description: unknown}}
  /cache:
    put:
      operationId: clear
      responses: {"204": {description: cleared}, "401": {description: who}, "403": {description: for administrators}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
`
	c, err := contracttest.Parse("things.yaml", []byte(document))
	require.NoError(t, err)
	const thing = "/things/t-abcdefgh"
	var mu sync.Mutex
	made, gone := false, false
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		path := r.URL.Path
		_, isThing := strings.CutPrefix(path, "/things/t-")
		allowed := map[string]string{"/things": "POST", "/cache": "PUT"}[path]
		if isThing {
			allowed = "GET, HEAD, DELETE"
		}
		status := http.StatusNotFound
		switch {
		case allowed == "":
		case !slices.Contains(strings.Split(allowed, ", "), r.Method):
			w.Header().Set("Allow", allowed)
			status = http.StatusMethodNotAllowed
		case len(r.Header.Values("X-Key")) != 1 || r.Header.Get("X-Key") != "the-good-key":
			status = http.StatusUnauthorized
		case path == "/things" && !made:
			made = true
			w.Header().Set("Location", thing)
			status = http.StatusCreated
		case path == "/things", path == "/cache":
			status = http.StatusForbidden
		case path == thing && !gone:
			gone = r.Method == http.MethodDelete
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Values("key", "the-good-key"))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, rep.Inconclusive)
	var unproven []string
	for _, u := range rep.Unproven {
		unproven = append(unproven, u.Operation)
	}
	assert.NotContains(t, unproven, "look")
}
