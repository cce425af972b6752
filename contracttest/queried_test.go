package contracttest_test

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

const queried = `
openapi: 3.0.3
info: {title: queries in paths, version: "1"}
components:
  parameters:
    key: {name: key, in: query, required: true, schema: {type: string, pattern: '^[a-z]{3}$'}}
    size: {name: size, in: query, schema: {type: integer, minimum: 1, maximum: 9}}
    lat: {name: lat, in: path, required: true, schema: {type: integer, minimum: -90, maximum: 90}}
    lon: {name: lon, in: path, required: true, schema: {type: integer, minimum: -180, maximum: 180}}
    city: {name: city, in: path, required: true, schema: {type: string, minLength: 2}}
  responses:
    Text: {description: a text, content: {application/json: {schema: {type: string}}}}
    Number: {description: a number, content: {application/json: {schema: {type: integer}}}}
    Bad: {description: bad}
paths:
  /rest?method=list.all:
    get:
      parameters: [{$ref: '#/components/parameters/key'}, {$ref: '#/components/parameters/size'}]
      responses: {"200": {$ref: '#/components/responses/Text'}, "400": {$ref: '#/components/responses/Bad'}}
  /rest?method=list.count:
    get:
      parameters: [{$ref: '#/components/parameters/key'}]
      responses: {"200": {$ref: '#/components/responses/Number'}, "400": {$ref: '#/components/responses/Bad'}}
  /now?lat={lat}&lon={lon}:
    get:
      parameters: [{$ref: '#/components/parameters/lat'}, {$ref: '#/components/parameters/lon'}]
      responses: {"200": {$ref: '#/components/responses/Number'}, "400": {$ref: '#/components/responses/Bad'}}
  /now?city={city}:
    get:
      parameters: [{$ref: '#/components/parameters/city'}]
      responses: {"200": {$ref: '#/components/responses/Text'}, "400": {$ref: '#/components/responses/Bad'}}
`

// querier is a service that looks at the query for what it is asked; its fault is one of it.
type querier struct{ fault string }

func (s querier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	one := func(name string, good func(text string) bool) bool {
		return len(query[name]) == 1 && good(query.Get(name))
	}
	within := func(least, most int) func(string) bool {
		return func(text string) bool {
			n, err := strconv.Atoi(text)
			return err == nil && strconv.Itoa(n) == text && n >= least && n <= most
		}
	}
	key := func(text string) bool {
		return s.fault == "key" || len(text) == 3 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == ""
	}
	answer := ""
	switch method := query.Get("method"); {
	case r.URL.EscapedPath() != "/rest" && r.URL.EscapedPath() != "/now":
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case r.URL.Path == "/rest" && method == "list.all":
		if one("key", key) && (query["size"] == nil || one("size", within(1, 9))) {
			answer = `"a"`
		}
	case r.URL.Path == "/rest" && method == "list.count":
		if answer = "1"; s.fault == "count" {
			answer = `"one"`
		}
		if !one("key", key) {
			answer = ""
		}
	case r.URL.Path == "/now" && query["city"] != nil:
		if one("city", func(text string) bool { return utf8.RuneCountInString(text) > 1 }) {
			answer = `"rain"`
		}
	case r.URL.Path == "/now":
		most := 90
		if s.fault == "lat" {
			most = 1000
		}
		if one("lat", within(-90, most)) && one("lon", within(-180, 180)) {
			answer = "7"
		}
	}
	if answer == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(answer))
}

// TestQueryInPath proves that operations on one path are told apart by the query that the document
// has in it.
func TestQueryInPath(t *testing.T) {
	t.Parallel()
	c, err := contracttest.Parse("asked.yaml", []byte(queried))
	require.NoError(t, err)
	for seed := range 20 {
		if racing.Take(seed, 5) {
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(querier{}), contracttest.Seed(int64(seed)))
			require.NoError(t, err)
			assert.Zero(t, rep.Errors(), "%d: %s", seed, describe(rep))
			assert.Empty(t, rep.Unproven, "%v", rep.Unproven)
		}
	}
	for fault, want := range map[string]string{
		"key":   "GET_rest_method_list_all/query/key/pattern",
		"count": "GET_rest_method_list_count/response/200/body/type",
		"lat":   "GET_now_lat_lat_lon_lon/query/lat/maximum",
	} {
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(querier{fault}), contracttest.Cases(0))
		require.NoError(t, err)
		assert.Contains(t, describe(rep), want, fault)
	}
}

const azure = `
swagger: "2.0"
info: {title: paths of Azure, version: "1"}
consumes: [application/json]
produces: [application/json]
parameters:
  id: {name: id, in: path, required: true, type: string, pattern: '^[a-z]{3}$'}
paths:
  /vms/{id}:
    parameters: [{$ref: '#/parameters/id'}]
    get: {operationId: get, responses: {200: {description: it, schema: {type: object}}, 404: {description: none}}}
x-ms-paths:
  /vms/{id}?op=start:
    parameters: [{$ref: '#/parameters/id'}]
    post: {operationId: start, parameters: [{name: op, in: query, required: true, type: string, enum: [start]}], responses: {202: {description: begun}, 400: {description: bad}, 404: {description: none}}}
  /vms/{id}?op=resize:
    parameters: [{$ref: '#/parameters/id'}]
    post:
      operationId: resize
      parameters:
        - {name: op, in: query, required: true, type: string, enum: [resize]}
        - {name: to, in: body, required: true, schema: {type: object, required: [size], properties: {size: {type: integer, minimum: 1, maximum: 8}}}}
      responses: {200: {description: done, schema: {type: object}}, 400: {description: bad}, 404: {description: none}, 415: {description: no JSON}}
`

// resizer is a service whose actions are told apart by the query; it takes sizes up to most.
func resizer(most float64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, ok := strings.CutPrefix(r.URL.Path, "/vms/")
		switch op := r.URL.Query()["op"]; {
		case !ok || len(id) != 3 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz") != "":
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet, r.Method == http.MethodHead:
			answerJSON(w, http.StatusOK, map[string]any{})
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", "GET, HEAD, POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
		case len(op) == 1 && op[0] == "start":
			w.WriteHeader(http.StatusAccepted)
		case len(op) == 1 && op[0] == "resize":
			sent, ok := ofJSON(w, r)
			if !ok {
				return
			}
			if size, ok := sent["size"].(float64); !ok || size < 1 || size > most || size != math.Trunc(size) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			answerJSON(w, http.StatusOK, map[string]any{})
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
}

// TestAzurePaths proves that the paths of x-ms-paths are tested, which are told apart by the values of
// parameters that are described.
func TestAzurePaths(t *testing.T) {
	t.Parallel()
	c, err := contracttest.Parse("azure.yaml", []byte(azure))
	require.NoError(t, err)
	assert.Empty(t, c.Warnings())
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(resizer(8)))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, rep.Unproven, "%v", rep.Unproven)
	rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(resizer(9)), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Contains(t, describe(rep), "error invalid-request-accepted resize/body/size/maximum")
}
