package contracttest_test

import (
	"encoding/json"
	"io"
	"math"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// dishes is a document of which one path is an instance of another, by other
// methods.
const dishes = `
openapi: 3.0.3
info: {title: dishes, version: "1"}
paths:
  /dishes/new:
    post:
      operationId: addDish
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, maxLength: 20}}}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "415": {description: no JSON}}
  /plates/all/new:
    post:
      operationId: addPlate
      responses: {"204": {description: added}}
  /dishes/{name}:
    get:
      operationId: readDish
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}}
`

// kitchen keeps the document above with the routes of net/http, which serve HEAD
// wherever they serve GET, and has a page for every path that it does not know.
func kitchen() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<title>Dishes</title>")
	})
	mux.HandleFunc("POST /dishes/new", func(w http.ResponseWriter, r *http.Request) {
		kinds := r.Header.Values("Content-Type")
		kind, params, err := mime.ParseMediaType(strings.Join(kinds, ", "))
		charset := strings.ToLower(params["charset"])
		if err != nil || kind != "application/json" || charset != "" && charset != "utf-8" {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		body, err := io.ReadAll(r.Body)
		members, _ := parsed(body).(map[string]any)
		name, ok := members["name"].(string)
		if err != nil || !ok || len([]rune(name)) > 20 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /plates/all/new", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /dishes/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"name": r.PathValue("name")})
	})
	return mux
}

// search refuses an absent body.
func search(w http.ResponseWriter, r *http.Request) {
	kinds := r.Header.Values("Content-Type")
	kind, params, err := mime.ParseMediaType(strings.Join(kinds, ", "))
	charset := strings.ToLower(params["charset"])
	body, unread := io.ReadAll(r.Body)
	members, isObject := parsed(body).(map[string]any)
	most, given := members["max"]
	number, isNumber := most.(float64)
	isInteger := !given || isNumber && number == math.Trunc(number)
	positive := func(name string) bool {
		all := r.URL.Query()[name]
		n, err := strconv.Atoi(strings.Join(all, ","))
		return len(all) == 0 || err == nil && n > 0
	}
	switch {
	case r.URL.EscapedPath() != "/search":
		http.NotFound(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case len(body) > 0 && (err != nil || kind != "application/json" || charset != "" && charset != "utf-8"):
		w.WriteHeader(http.StatusUnsupportedMediaType)
	case unread != nil || !isObject || !isInteger || !positive("page") || !positive("size"):
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// TestOrdinary has a row for each ordinary way of a service that was once taken
// for a fault of it.
func TestOrdinary(t *testing.T) {
	tests := []struct {
		name, spec string
		h          http.Handler
		errors     []string // clauses that it does break
	}{
		{name: "a path that another template has too", spec: dishes, h: kitchen()},
		{
			name: "a file of which parts may be asked for", spec: `
openapi: 3.0.3
info: {title: files, version: "1"}
paths:
  /robots.txt:
    get:
      operationId: robots
      responses: {"200": {description: the file, content: {text/plain: {schema: {type: string}}}}}
`, h: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.EscapedPath() != "/robots.txt":
					http.NotFound(w, r)
				case r.Method != http.MethodGet && r.Method != http.MethodHead:
					w.Header().Set("Allow", "GET, HEAD")
					w.WriteHeader(http.StatusMethodNotAllowed)
				default:
					http.ServeContent(w, r, "robots.txt", time.Unix(1e9, 0), strings.NewReader("User-agent: *\nAllow: /\n"))
				}
			}),
		},
		{
			name: "a body that the document forgets to require", errors: []string{"search/body/optional"}, spec: `
openapi: 3.0.3
info: {title: search, version: "1"}
paths:
  /search:
    post:
      operationId: search
      parameters:
      - {name: page, in: query, schema: {type: integer, minimum: 1}, example: 1}
      - {name: size, in: query, schema: {type: integer, minimum: 1}, example: 10}
      - {name: X-Trace, in: header, schema: {type: string}}
      requestBody: {content: {application/json: {schema: {type: object, properties: {max: {type: integer}}}}}}
      responses: {"204": {description: found}, "400": {description: bad}, "415": {description: no JSON}}
`, h: http.HandlerFunc(search),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.h)
			defer srv.Close()
			c, err := contracttest.Parse("ordinary.yaml", []byte(tt.spec))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL))
			require.NoError(t, err)
			var clauses []string
			for _, f := range rep.Findings {
				if f.Severity == "error" {
					clauses = append(clauses, f.Clause)
				}
			}
			assert.Equal(t, tt.errors, clauses, "%s", describe(rep))
		})
	}
}
