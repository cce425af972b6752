package contracttest_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// canned is a handler that always answers the same.
func canned(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const amendable = `openapi: %s
info: {title: a, version: "1"}
paths:
  /a:
    get:
      operationId: get
      parameters: [{name: q, in: query, schema: {type: string, enum: [one, two]}}]
      responses:
        "200": {description: ok, content: {application/json: {schema: %s}}}
        "400": {description: bad}
%s`

// amendments are services that differ from their documents. left are the errors that no change
// of the document would mend, or that none should.
var amendments = []struct {
	name, document string
	handler        http.Handler
	left           []string
}{
	{"status", fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), byQuery(canned(200, "application/json", `{}`), canned(404, "text/plain", "no such a")), []string{"valid-request-refused get/query/q/enum"}},
	{"media-type", fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), byQuery(canned(200, "application/json", `{}`), canned(200, "text/csv", "a,b\n")), nil},
	{"null", fmt.Sprintf(amendable, "3.0.3", "{type: array, items: {type: string}}", ""), byQuery(canned(200, "application/json", `null`), nil), nil},
	{
		"null-of-property", fmt.Sprintf(amendable, "3.1.0", "{type: object, properties: {b: {type: string}, c: {$ref: '#/components/schemas/C'}}}", "components: {schemas: {C: {type: object}}}\n"),
		byQuery(canned(200, "application/json", `{"b": "b", "c": {}}`), canned(200, "application/json", `{"b": null, "c": null}`)), nil,
	},
	{
		"null-of-reference", fmt.Sprintf(amendable, "3.0.3", "{type: object, properties: {c: {$ref: '#/components/schemas/C'}}}", "components: {schemas: {C: {type: object}}}\n"),
		byQuery(canned(200, "application/json", `{"c": {}}`), canned(200, "application/json", `{"c": null}`)), nil,
	},
	{
		"properties", fmt.Sprintf(amendable, "3.0.3", "{type: object, required: [b, c], additionalProperties: false, properties: {b: {type: string}, c: {type: string}}}", ""),
		byQuery(canned(200, "application/json", `{"b": "b", "d": [1, 2.5]}`), canned(200, "application/json", `{"b": "b", "d": [], "e": {"f": null}}`)), nil,
	},
	{
		"names-of-a-map", fmt.Sprintf(amendable, "3.0.3", "{type: object, additionalProperties: false, properties: {a: {type: integer}}}", ""),
		byQuery(canned(200, "application/json", `{"a": 1}`), canned(200, "application/json", "{"+strings.Join(numbered(`"n%d": 1`, 70), ", ")+"}")), nil,
	},
	{
		"bounds", fmt.Sprintf(amendable, "3.0.3", "{type: object, properties: {b: {type: string, enum: [x]}, c: {type: integer, minimum: 3, exclusiveMinimum: true}, d: {type: string, format: date, maxLength: 2}}}", ""),
		byQuery(canned(200, "application/json", `{"b": "x", "c": 4, "d": "yesterday"}`), canned(200, "application/json", `{"b": "y", "c": 3, "d": "today"}`)), nil,
	},
	{"another-type", fmt.Sprintf(amendable, "3.0.3", "{type: array, items: {type: string}}", ""), byQuery(canned(200, "application/json", `{"items": ["a"]}`), nil), nil},
	{"two-types", fmt.Sprintf(amendable, "3.0.3", "{type: object, properties: {b: {type: string, minLength: 1}}}", ""), byQuery(canned(200, "application/json", `{"b": "x"}`), canned(200, "application/json", `{"b": 7}`)), nil},
	{"branches", fmt.Sprintf(amendable, "3.0.3", "{oneOf: [{type: integer}, {type: boolean}]}", ""), byQuery(canned(200, "application/json", `1`), canned(200, "application/json", `"one"`)), nil},
	{"header", strings.Replace(fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), "{description: ok, ", "{description: ok, headers: {X-Count: {required: true, schema: {type: integer}}}, ", 1), byQuery(canned(200, "application/json", `{}`), nil), nil},
	{"body", fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), byQuery(canned(200, "", ""), nil), nil},
	{"security", fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="a"`)
		w.WriteHeader(http.StatusUnauthorized)
	}), nil},
	{"component-of-requests", shared, http.HandlerFunc(sharedHandler), nil},
	{"request", narrowed, http.HandlerFunc(narrowedHandler), nil},
	{"sometimes-refused", strings.Replace(narrowed, "properties: {name: {}}", "required: [name], properties: {name: {type: string}}", 1), http.HandlerFunc(sometimesHandler), []string{"valid-request-refused add/body/additionalProperties"}},
	{"default", fmt.Sprintf(strings.Replace(amendable, `"400": {description: bad}`, "default: {description: wrong, content: {application/json: {schema: {type: object, required: [code]}}}}", 1), "3.0.3", "{type: object}", ""),
		byQuery(canned(200, "application/json", `{}`), canned(201, "application/json", `{"id": 1}`)), nil},
	{"never", fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), byQuery(canned(200, "application/json", `{}`), canned(404, "text/plain", "goroutine 1 [running]:\nmain.main()\n\t/srv/app/main.go:12 +0x1d\n")), []string{
		"error-leak get/response/status", "undocumented-status get/response/status", "valid-request-refused get/query/q/enum",
	}},
	{"later", strings.Replace(fmt.Sprintf(amendable, "3.2.0", "{type: object, properties: {b: {$ref: '#/components/schemas/B'}}}", "components: {schemas: {B: {type: object, required: [c]}}, mediaTypes: {M: {schema: {}}}}\n"), "description: ok", "summary: fine, description: ok", 1),
		byQuery(canned(200, "application/json", `{"b": null}`), canned(202, "application/json", `{"b": {"d": 1}}`)), nil},
	{"old", strings.NewReplacer("openapi: 3.0.3", "swagger: '2.0'", "schema: {type: string, enum: [one, two]}", "type: string, enum: [one, two]", "content: {application/json: {schema: {type: object}}}", "schema: {type: array}").Replace(fmt.Sprintf(amendable, "3.0.3", "{type: object}", "")),
		byQuery(canned(200, "application/json", `{}`), nil), []string{"response-schema get/response/200/body/type"}},
	{"failure", fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), byQuery(canned(200, "application/json", `{}`), canned(500, "application/json", `{}`)), []string{"server-error get/response/status"}},
	{"unchecked", fmt.Sprintf(amendable, "3.0.3", "{type: object}", ""), canned(200, "application/json", `{}`), []string{"invalid-request-accepted get/query/q/enum"}},
}

// byQuery answers otherwise where the query has q=two, if that is given, and refuses what is no
// value of q.
func byQuery(usual, two http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query()["q"]; {
		case len(q) == 0 || slices.Equal(q, []string{"one"}):
			usual(w, r)
		case slices.Equal(q, []string{"two"}) && two == nil:
			usual(w, r)
		case slices.Equal(q, []string{"two"}):
			two(w, r)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
}

func numbered(format string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

const shared = `openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /a:
    post:
      operationId: add
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}
      responses:
        "201": {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}
        "400": {description: bad}
components:
  schemas:
    A: {type: object, required: [name, secret], properties: {name: {type: string, maxLength: 9}, secret: {type: string, maxLength: 9}, of: {$ref: '#/components/schemas/Of'}}}
    Of: {type: object, required: [b], properties: {b: {type: string, maxLength: 9}}}
`

// short reports whether a member is a short text, or absent where it may be.
func short(members map[string]any, name string, optional bool) bool {
	text, ok := members[name].(string)
	_, there := members[name]
	return ok && len([]rune(text)) <= 9 || optional && !there
}

// sharedHandler never shows the secret, and shows null for what a part of a is of.
func sharedHandler(w http.ResponseWriter, r *http.Request) {
	members, ok := ofJSON(w, r)
	if !ok {
		return
	}
	if of, there := members["of"]; there {
		if of, isObject := of.(map[string]any); !isObject || !short(of, "b", false) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	if !short(members, "name", false) || !short(members, "secret", false) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	canned(201, "application/json", `{"name": "n", "of": {"b": null}}`)(w, r)
}

const narrowed = `openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /a:
    post:
      operationId: add
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}
      responses:
        "201": {description: made, content: {application/json: {schema: {allOf: [{$ref: '#/components/schemas/A'}, {type: object, properties: {id: {type: integer}}}]}}}}
        "400": {description: bad}
components:
  schemas:
    A: {type: object, properties: {name: {}}}
`

// narrowedHandler takes nothing beside a name.
func narrowedHandler(w http.ResponseWriter, r *http.Request) {
	members, ok := ofJSON(w, r)
	if !ok {
		return
	}
	delete(members, "name")
	if len(members) > 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	canned(201, "application/json", `{"id": 1}`)(w, r)
}

// sometimesHandler takes what is beside a name but what is nearly called so, as Go's JSON does.
func sometimesHandler(w http.ResponseWriter, r *http.Request) {
	members, ok := ofJSON(w, r)
	if !ok {
		return
	}
	name := ""
	for key, value := range members {
		_, ok := value.(string)
		if !strings.EqualFold(key, "name") {
			continue
		}
		if name = key; !ok {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	if name == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	canned(201, "application/json", `{"id": 1, "name": "a"}`)(w, r)
}

var toolVersion = regexp.MustCompile(`(?m)^  version: .*$`)

// An overlay has what would mend the errors of its report: with it, those are left that only the
// service can mend, and nothing else is wrong.
func TestOverlays(t *testing.T) {
	for _, tt := range amendments {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join("testdata", "overlays", tt.name+".yaml")
			test := func(opts ...contracttest.LoadOption) *contracttest.Report {
				c, err := contracttest.Parse("openapi.yaml", []byte(tt.document), opts...)
				require.NoError(t, err)
				mux := http.NewServeMux() // which knows what to do with other methods and paths
				mux.Handle(map[bool]string{true: "POST /a", false: "GET /a"}[strings.Contains(tt.document, "post:")], tt.handler)
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Cases(5))
				require.NoError(t, err)
				return rep
			}
			var b strings.Builder
			require.NoError(t, report.Overlay(&b, test()))
			got := toolVersion.ReplaceAllString(b.String(), "  version: \"1\"")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)

			var left []string
			for _, f := range test(contracttest.Overlay(file)).Findings {
				if f.Severity == report.Error {
					left = append(left, f.Check+" "+f.Clause)
				}
			}
			slices.Sort(left)
			assert.Equal(t, tt.left, slices.Compact(left))
		})
	}
}
