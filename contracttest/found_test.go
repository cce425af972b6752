package contracttest_test

import (
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

const tagging = `
  /posts:
    post:
      operationId: addPost
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}, "400": {description: bad}, "415": {description: bad}}
  /posts/{id}:
    parameters: [&id {name: id, in: path, required: true, schema: {type: integer}}]
    get: &read {operationId: getPost, responses: {"200": {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}, "400": {description: bad}, "404": {description: none}}}
  /posts/{id}/tags:
    parameters: [*id]
    post:
      operationId: tag
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [WHICH], properties: {WHICH: SCHEMA}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Tag'}}}}, "400": {description: bad}, "404": {description: none}, "415": {description: bad}}
  /tags/{id}:
    parameters: [*id]
    get: {operationId: getTag, responses: {"200": {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Tag'}}}}, "400": {description: bad}, "404": {description: none}}}
    delete: {operationId: deleteTag, responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: none}}}
components:
  schemas:
    Thing: {type: object, required: [id, name], properties: {id: {type: integer}, name: {type: string}}}
    Tag: {type: object, required: [id, WHICH], properties: {id: {type: integer}, WHICH: {type: string}}}
`

// blog has posts, and tags that all posts share: adding one that is there answers with that.
type blog struct {
	mu    sync.Mutex
	which string
	only  string // the one tag that is taken; any where it is empty
	posts []string
	tags  []string // empty where it is deleted
}

func (b *blog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	id, err := strconv.Atoi(append(parts, "")[1])
	allow := map[string]string{"posts1": "POST", "posts2": "GET", "tags2": "GET, DELETE", "posts3": "POST"}[parts[0]+strconv.Itoa(len(parts))]
	if len(parts) > 2 && parts[2] != "tags" {
		allow = ""
	}
	all := map[string][]string{"posts": b.posts, "tags": b.tags}[parts[0]]
	switch route := r.Method + " " + parts[0] + strconv.Itoa(len(parts)); {
	case allow == "":
		w.WriteHeader(http.StatusNotFound)
	case !strings.Contains(allow, r.Method):
		notAllowed(w, allow)
	case len(parts) > 1 && err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case len(parts) > 1 && (id < 0 || id >= len(all) || all[id] == ""):
		w.WriteHeader(http.StatusNotFound)
	case route == "POST posts1":
		if name, ok := sentText(w, r, "name", 60); ok {
			b.posts = append(b.posts, name)
			answerJSON(w, http.StatusOK, map[string]any{"id": len(b.posts) - 1, "name": name})
		}
	case route == "GET posts2":
		answerJSON(w, http.StatusOK, map[string]any{"id": id, "name": all[id]})
	case route == "GET tags2":
		answerJSON(w, http.StatusOK, map[string]any{"id": id, b.which: all[id]})
	case route == "DELETE tags2":
		b.tags[id] = ""
		w.WriteHeader(http.StatusNoContent)
	default:
		b.tag(w, r)
	}
}

func (b *blog) tag(w http.ResponseWriter, r *http.Request) {
	name, ok := sentText(w, r, b.which, 60)
	switch at := slices.Index(b.tags, name); {
	case !ok:
	case b.only != "" && name != b.only:
		w.WriteHeader(http.StatusBadRequest)
	default:
		if at < 0 {
			b.tags = append(b.tags, name)
			at = len(b.tags) - 1
		}
		answerJSON(w, http.StatusOK, map[string]any{"id": at, b.which: name})
	}
}

// TestFound proves that what a POST has found, and answered with 200, is not taken for what it has made,
// while what has a text of the run is.
func TestFound(t *testing.T) {
	const text = "{type: string, minLength: 1, maxLength: 60, example: news}"
	for name, tc := range map[string]struct {
		which, schema, only string
		makes               bool
	}{
		"named":         {"name", text, "", true},
		"of other name": {"label2", text, "", true},
		"one alone":     {"label2", text, "news", false},
		"a short one":   {"label2", "{type: string, pattern: '^news$'}", "news", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := &blog{which: tc.which, only: tc.only, tags: []string{"sports", "news"}}
			c := parse(t, strings.NewReplacer("WHICH", tc.which, "SCHEMA", tc.schema).Replace(tagging))
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(b), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
			require.NoError(t, err)
			assert.Equal(t, []string{"sports", "news"}, b.tags[:2])
			for _, f := range rep.Findings {
				assert.NotEqual(t, "error", f.Severity, "%s: %s", f.Check, f.Message)
			}
			assert.Equal(t, tc.makes, len(b.tags) > 2)
			left := slices.DeleteFunc(slices.Clone(b.tags[2:]), func(tag string) bool { return tag == "" })
			assert.Less(t, len(left), 5, "what the run has made is deleted, but for a few that no answer names: %q", left)
		})
	}
}

const signedIn = `
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getUser, responses: {"200": {$ref: '#/components/responses/User'}, "400": {description: bad}, "404": {description: none}}}
    delete: {operationId: deleteUser, responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: none}}}
  PATH:
    post:
      operationId: enter
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, enum: [ada]}}}}}}
      responses: {"STATUS": {$ref: '#/components/responses/User'}, "400": {description: bad}, "415": {description: bad}}
components:
  responses:
    User: {description: who, content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
  schemas:
    User: {type: object, required: [id, name], properties: {id: {type: integer}, name: {type: string}}}
`

// TestSignedIn proves that who has signed in is read and not deleted: no login makes a user.
func TestSignedIn(t *testing.T) {
	for _, path := range []string{"/login", "/auth/session", "/auth/refresh"} {
		for _, status := range []int{http.StatusOK, http.StatusCreated} {
			t.Run(path+strconv.Itoa(status), func(t *testing.T) {
				var mu sync.Mutex
				deleted, read := 0, 0
				mux := http.NewServeMux()
				ada := map[string]any{"id": 4711, "name": "ada"}
				mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
					name, ok := sentText(w, r, "name", 3)
					switch {
					case ok && name == "ada":
						answerJSON(w, status, ada)
					case ok:
						w.WriteHeader(http.StatusBadRequest)
					}
				})
				mux.HandleFunc("/users/{id}", func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					switch id, err := strconv.Atoi(r.PathValue("id")); {
					case err != nil:
						w.WriteHeader(http.StatusBadRequest)
					case id != 4711:
						w.WriteHeader(http.StatusNotFound)
					case r.Method == http.MethodGet:
						read++
						answerJSON(w, http.StatusOK, ada)
					case r.Method == http.MethodDelete:
						deleted++
						w.WriteHeader(http.StatusNoContent)
					default:
						notAllowed(w, "GET, DELETE")
					}
				})
				c := parse(t, strings.NewReplacer("PATH", path, "STATUS", strconv.Itoa(status)).Replace(signedIn))
				_, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
				require.NoError(t, err)
				assert.Positive(t, read)
				assert.Zero(t, deleted)
			})
		}
	}
}
