package contracttest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// things is a small document; what is expected of its server depends on the
// responses that it has.
func things(t *testing.T, responses, more string) *contracttest.Contract {
	t.Helper()
	c, err := contracttest.Parse("things.yaml", []byte(fmt.Sprintf(`
openapi: 3.0.3
info: {title: Things, version: "1"}
paths:
  /things/{id}:
    post:
      operationId: use
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, maxLength: 20%s}}
        - {name: n, in: query, schema: {type: integer, minimum: 1, maximum: 9}}
      responses: {"200": {description: used}%s}
components:
  securitySchemes: {Key: {type: apiKey, in: header, name: X-Key}}
`, more, responses)))
	require.NoError(t, err)
	return c
}

// thing serves the document: what breaks it is answered with one status, an
// unknown ID with another.
type thing struct {
	refusal, unknown int
	known            func(id string) bool
	before           func(w http.ResponseWriter, r *http.Request) bool // has answered
}

func (h thing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/things/")
	if !ok || rest == "" || strings.ContainsAny(rest, "/;") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if h.before != nil && h.before(w, r) {
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/things/")
	q := r.URL.Query()
	n, err := strconv.Atoi(q.Get("n"))
	if len([]rune(id)) > 20 || len(q["n"]) > 1 || q.Has("n") && (err != nil || n < 1 || n > 9 || q.Get("n") != strconv.Itoa(n)) {
		w.WriteHeader(h.refusal)
		return
	}
	if h.known != nil && !h.known(id) {
		w.WriteHeader(h.unknown)
	}
}

func only(ids ...string) func(string) bool {
	return func(id string) bool { return slices.Contains(ids, id) }
}

// answers makes a handler that answers some requests with a status.
func answers(status int, when func(*http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if when(r) {
			w.WriteHeader(status)
			return true
		}
		return false
	}
}

func always(*http.Request) bool { return true }

// once makes of a set of IDs those that have not been used before.
func once() func(string) bool {
	var mu sync.Mutex
	used := map[string]bool{}
	return func(id string) bool {
		mu.Lock()
		defer mu.Unlock()
		if used[id] {
			return false
		}
		used[id] = true
		return true
	}
}

// TestExpected proves what is expected in answer to which request, and what is
// no alarm.
func TestExpected(t *testing.T) {
	const documented = `, "400": {description: bad}, "404": {description: unknown}`
	invalid := func(r *http.Request) bool { return r.URL.Query().Get("n") == "10" }
	tests := []struct {
		name      string
		responses string
		more      string // of the schema of the ID
		server    thing
		values    []string
		want      []string // check and severity of the findings
		state     string   // of use/query/n/maximum
	}{
		{name: "kept", responses: documented, server: thing{refusal: 400}, state: "kept+broken"},
		{name: "unknown values are not proven", responses: documented, server: thing{refusal: 400, unknown: 404, known: only("real")}, state: "not_proven"},
		{name: "values that the user gives have to be accepted", responses: documented, values: []string{"real"},
			server: thing{refusal: 400, unknown: 404, known: only("real")}, state: "kept+broken"},
		{name: "and are a finding where they are not", responses: documented, values: []string{"gone"},
			server: thing{refusal: 400, unknown: 404, known: only("real")}, want: []string{"valid-request-refused error"}, state: "not_proven"},
		{name: "examples of the document are not used up", responses: documented, more: ", example: real",
			server: thing{refusal: 400, unknown: 404, known: only("real")}, state: "not_proven"},
		{name: "a valid request refused", responses: documented, values: []string{"real"},
			server: thing{refusal: 400, unknown: 404, known: only("real"), before: answers(400, func(r *http.Request) bool { return r.URL.Query().Get("n") == "9" })},
			want:   []string{"valid-request-refused error"}},
		{name: "what worked and is refused from then on is state", responses: documented, values: []string{"real"},
			server: thing{refusal: 400, unknown: 404, known: once()}},
		{name: "an undocumented 404 for an unknown value in the path", responses: `, "400": {description: bad}`,
			server: thing{refusal: 400, unknown: 404, known: only("real")}, want: []string{"undocumented-status warning"}},
		{name: "no 4xx is documented", server: thing{refusal: 422}, want: []string{"undocumented-status warning"}},
		{name: "another 4xx is documented", responses: documented, server: thing{refusal: 422}, want: []string{"undocumented-status error", "undocumented-status warning"}},
		{name: "the default documents all", responses: `, default: {description: other}`, server: thing{refusal: 422}},
		{name: "a range documents all in it", responses: `, 4XX: {description: other}`, server: thing{refusal: 418}},
		{name: "an invalid request accepted", responses: documented, server: thing{refusal: 400, before: answers(200, invalid)}, want: []string{"invalid-request-accepted error"}},
		{name: "an invalid request redirected", responses: documented + `, "302": {description: elsewhere}`,
			server: thing{refusal: 400, before: answers(302, invalid)}, want: []string{"invalid-request-accepted error"}},
		{name: "an invalid request and a documented 500", responses: documented + `, "500": {description: fault}`,
			server: thing{refusal: 400, before: answers(500, invalid)}, want: []string{"server-error error"}},
		{name: "414 of HTTP itself", responses: documented,
			server: thing{refusal: 400, before: answers(414, func(r *http.Request) bool { return len(r.URL.EscapedPath()) > 200 })},
			want:   []string{"undocumented-status warning", "valid-request-refused warning"}},
		{name: "429 at times", responses: documented, server: thing{refusal: 400, before: answers(429, func(r *http.Request) bool { return r.URL.Query().Get("n") == "1" })},
			want: []string{"undocumented-status warning"}},
		{name: "a method that is not known", responses: documented, server: thing{refusal: 400}},
		{name: "nothing but 404", responses: documented, server: thing{before: answers(404, always)}, state: "not_proven"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var opts []contracttest.Option
			if tt.values != nil {
				opts = append(opts, contracttest.Values("id", tt.values...))
			}
			rep, err := contracttest.Run(t.Context(), things(t, tt.responses, tt.more), contracttest.Handler(tt.server), opts...)
			require.NoError(t, err)
			var got []string
			for _, f := range rep.Findings {
				got = append(got, f.Check+" "+f.Severity)
			}
			slices.Sort(got)
			assert.Equal(t, tt.want, slices.Compact(got), "%s", describe(rep))
			for _, c := range rep.Coverage.ByClause {
				if tt.state != "" && c.Clause == "use/query/n/maximum" {
					assert.Equal(t, tt.state, c.State)
				}
			}
		})
	}
}
