package contracttest_test

import (
	"math"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

// parcels is a document with much that is optional.
const parcels = `
  /parcels:
    get:
      operationId: listParcels
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1}}
        - {name: after, in: query, schema: {type: string, enum: [a, b]}}
        - {name: sort, in: query, schema: {type: string, enum: [up, down]}}
        - {name: sent, in: query, schema: {type: boolean}}
        - {name: from, in: query, schema: {type: string, format: date}}
        - {name: heavy, in: query, schema: {type: boolean}}
        - {name: express, in: query, schema: {type: boolean}}
      responses: {"200": {description: some}, "400": {description: bad}}
    post:
      operationId: sendParcel
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [to]
              properties:
                to: {type: string}
                weight: {type: integer}
                note: {type: string}
                express: {type: boolean}
                insured: {type: boolean}
                height: {type: integer}
                width: {type: integer}
                day: {type: string, format: date}
                labels: {type: array, items: {type: string}, minItems: 1}
      responses: {"204": {description: sent}, "400": {description: bad}, "415": {description: no JSON}}
`

// parcel is a body of the document above; ok is false for what breaks it.
type parcel map[string]any

func (p parcel) ok() bool {
	text := func(name string) bool { _, ok := p[name].(string); return ok || p[name] == nil && !p.has(name) }
	_, to := p["to"].(string)
	for _, name := range []string{"weight", "height", "width"} {
		if n, isNumber := p[name].(float64); p.has(name) && (!isNumber || n != math.Trunc(n)) {
			return false
		}
	}
	for _, name := range []string{"express", "insured"} {
		if _, isBool := p[name].(bool); p.has(name) && !isBool {
			return false
		}
	}
	if day, _ := p["day"].(string); p.has("day") {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return false
		}
	}
	if labels, isList := p["labels"].([]any); p.has("labels") {
		if !isList || len(labels) == 0 {
			return false
		}
		for _, l := range labels {
			if _, isText := l.(string); !isText {
				return false
			}
		}
	}
	return to && text("note") && text("to")
}

func (p parcel) has(name string) bool { _, ok := p[name]; return ok }

func (p parcel) list(name string) []any { l, _ := p[name].([]any); return l }

func (p parcel) text(name string) string { s, _ := p[name].(string); return s }

// post answers by status where it is not 0, and keeps the document otherwise.
func post(query, body func(get func(string) string, p parcel) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.EscapedPath() != "/parcels":
			w.WriteHeader(http.StatusNotFound)
			return
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			q := r.URL.Query()
			status := http.StatusOK
			for _, known := range []struct {
				name string
				ok   func(string) bool
			}{
				{"limit", func(s string) bool {
					n, err := strconv.ParseFloat(s, 64)
					return err == nil && n >= 1 && n == float64(int64(n))
				}},
				{"after", func(s string) bool { return s == "a" || s == "b" }},
				{"sort", func(s string) bool { return s == "up" || s == "down" }},
				{"sent", func(s string) bool { return s == "true" || s == "false" }},
				{"from", func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }},
				{"heavy", func(s string) bool { return s == "true" || s == "false" }},
				{"express", func(s string) bool { return s == "true" || s == "false" }},
			} {
				if q.Has(known.name) && (!known.ok(q.Get(known.name)) || len(q[known.name]) > 1) {
					status = http.StatusBadRequest
				}
			}
			if query != nil && status == http.StatusOK {
				status = max(query(q.Get, nil), status)
			}
			w.WriteHeader(status)
			return
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", "GET, HEAD, POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		status := http.StatusNoContent
		if !parcel(members).ok() {
			status = http.StatusBadRequest
		} else if body != nil {
			status = max(body(nil, members), status)
		}
		w.WriteHeader(status)
	})
}

// TestSearch proves that what only several things at once show, or a value at a common limit,
// is found, and is reduced to the fewest of them.
func TestSearch(t *testing.T) {
	type ask = func(get func(string) string, p parcel) int
	when := func(status int, is func(p parcel) bool) ask {
		return func(_ func(string) string, p parcel) int {
			if is(p) {
				return status
			}
			return 0
		}
	}
	for i, tt := range []struct {
		name        string
		query, body ask
		check       string
		curl        string // of the finding
		says        string // its message
	}{
		{name: "correct"},
		{
			name: "two parameters together, and one left out", query: func(get func(string) string, _ parcel) int {
				if get("limit") != "" && get("from") != "" && get("after") == "" {
					return 500
				}
				return 0
			},
			check: "server-error", says: "; it takes all of limit-present, after-absent, from-present", curl: `/parcels?limit=1&sort=up&sent=true&from=2024-02-29&heavy=true&express=true'`,
		},
		{
			name: "two members together", body: when(400, func(p parcel) bool { return p.has("height") && p.has("width") && !p.has("note") }),
			check: "valid-request-refused", says: "; it takes all of height-present, width-present", curl: `'{"express":true,"height":1,"insured":true,"to":"abcdefgh","width":1}'`,
		},
		{
			name: "256 characters", body: when(500, func(p parcel) bool { n := utf8.RuneCountInString(p.text("note")); return n > 255 && n < 1000 }),
			check: "server-error", curl: `'{"express":true,"insured":true,"note":"abc`,
		},
		{
			name: "101 items", body: when(500, func(p parcel) bool { return len(p.list("labels")) == 101 }),
			check: "server-error", curl: `'{"express":true,"insured":true,"labels":["abcdefgh","abc`,
		},
		{
			name: "an empty item", body: when(400, func(p parcel) bool {
				l := p.list("labels")
				return len(l) == 3 && l[1] == ""
			}),
			check: "valid-request-refused", curl: `'{"express":true,"insured":true,"labels":["abcdefgh","","abcdefgh"],"to":"abcdefgh"}'`,
		},
		{
			name: "65536", body: when(500, func(p parcel) bool { return p["weight"] == 65536.0 }),
			check: "server-error", curl: `'{"express":true,"insured":true,"to":"abcdefgh","weight":65536}'`,
		},
		{
			name: "a leap day of a century", body: when(500, func(p parcel) bool { return p.text("day") == "2000-02-29" }),
			check: "server-error", curl: `'{"day":"2000-02-29","express":true,"insured":true,"to":"abcdefgh"}'`,
		},
	} {
		if !racing.Take(i, 5) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(post(tt.query, tt.body))
			defer srv.Close()
			for seed := range int64(3) {
				rep, err := contracttest.Run(t.Context(), parse(t, parcels), contracttest.URL(srv.URL), contracttest.Seed(seed+1), contracttest.Timeout(time.Minute))
				require.NoError(t, err)
				var errors []string
				for _, f := range rep.Findings {
					if f.Severity == "error" {
						errors = append(errors, f.Check)
						assert.Contains(t, f.Curl, tt.curl)
						assert.Contains(t, f.Message, tt.says)
					}
				}
				if tt.check == "" {
					assert.Empty(t, errors, "%s", describe(rep))
				} else {
					assert.Equal(t, []string{tt.check}, errors, "seed %d: %s", seed, describe(rep))
				}
			}
		})
	}
}

// TestParametersTogether proves that it is a warning, with the sentence that leaves it open, where parameters
// are refused together of which each is accepted otherwise: no document can say so. A value that is never
// accepted stays an error.
func TestParametersTogether(t *testing.T) {
	has := func(get func(string) string, names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return get(name) == "" })
	}
	for _, tt := range []struct {
		name    string
		refuses func(get func(string) string) bool
		errors  []string // clauses
		silent  bool     // there is no warning either
	}{
		{name: "two that the valid request has not", refuses: func(get func(string) string) bool { return has(get, "limit", "after") && has(get, "limit", "from") }},
		{name: "one that the valid request has, and one that it has not", refuses: func(get func(string) string) bool { return has(get, "sort", "limit") }},
		{name: "two that the valid request would have", refuses: func(get func(string) string) bool { return has(get, "sort", "heavy") }},
		{name: "one that needs another, which the valid request has", refuses: func(get func(string) string) bool { return has(get, "sort") && !has(get, "sent") }},
		{name: "one that needs another, which the valid request has not", refuses: func(get func(string) string) bool { return has(get, "limit") && !has(get, "from") }},
		{name: "at least one", refuses: func(get func(string) string) bool { return !has(get, "sort") && !has(get, "heavy") }},
		{name: "a value beside another", refuses: func(get func(string) string) bool { return get("sort") == "down" && get("heavy") == "false" }},
		{
			name: "a value that is never accepted", refuses: func(get func(string) string) bool { return get("sort") == "down" },
			errors: []string{"listParcels/query/sort/enum"}, silent: true,
		},
		{
			name: "a parameter that is never accepted", refuses: func(get func(string) string) bool { return has(get, "limit") },
			errors: []string{"listParcels/query/limit/optional"}, silent: true,
		},
		{
			name: "a parameter that is always needed", refuses: func(get func(string) string) bool { return !has(get, "sort") },
			errors: []string{"listParcels/query/sort/optional"}, silent: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := post(func(get func(string) string, _ parcel) int {
				if tt.refuses(get) {
					return http.StatusBadRequest
				}
				return 0
			}, nil)
			rep, err := contracttest.Run(t.Context(), parse(t, parcels), contracttest.Handler(h), contracttest.Only("listParcels"))
			require.NoError(t, err)
			var errors []string
			told := false
			for _, f := range rep.Findings {
				if f.Severity == "error" {
					errors = append(errors, f.Clause)
				} else if f.Check == "valid-request-refused" {
					told = true
					assert.Contains(t, f.Leave, "Parameter Object")
				}
			}
			assert.Equal(t, tt.errors, slices.Compact(errors), "%s", describe(rep))
			assert.Equal(t, !tt.silent, told, "%s", describe(rep))
		})
	}
}

// TestFormForJSON proves that a server is found out which binds a form where the document has
// JSON alone, although it looks at the Content-Type.
func TestFormForJSON(t *testing.T) {
	for _, tt := range []struct{ kind, id string }{
		{"application/x-www-form-urlencoded", "sendParcel/body/media-type#values-in-a-form"},
		{"multipart/form-data", "sendParcel/body/media-type#values-in-parts"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			next := post(nil, nil)
			rep, err := contracttest.Run(t.Context(), parse(t, parcels), contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
				if r.Method == http.MethodPost && r.URL.EscapedPath() == "/parcels" && err == nil && kind == tt.kind {
					status := http.StatusNoContent
					if r.FormValue("to") == "" {
						status = http.StatusBadRequest
					}
					w.WriteHeader(status)
					return
				}
				next.ServeHTTP(w, r)
			})))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				if f.Severity == "error" {
					found = append(found, f.Check+" "+f.Case.ID)
				}
			}
			assert.Equal(t, []string{"invalid-request-accepted " + tt.id}, found, "%s", describe(rep))
		})
	}
}
