package contracttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const notebook = `
openapi: 3.0.3
info: {title: Notebook, version: "1"}
paths:
  /notes:
    post:
      operationId: addNote
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
      responses:
        "201": {description: added, content: {application/json: {schema: {type: object, properties: {key: {type: string}}}}}}
        "400": {description: refused}
        "415": {description: refused}
  /notes/{noteKey}:
    parameters: [{name: noteKey, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getNote
      responses:
        "200": {description: the note, content: {application/json: {schema: {type: object}}}}
        "404": {description: none}
    delete:
      operationId: deleteNote
      responses:
        "204": {description: gone}
        "404": {description: none}
components:
  schemas:
    Note: {type: object, required: [title], properties: {title: {type: string, maxLength: 60}}}
`

// keepsAll is a service that deletes nothing, though it says so.
func keepsAll() http.Handler {
	var mu sync.Mutex
	all := map[string]map[string]any{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		kind := r.Header.Get("Content-Type")
		if !strings.HasPrefix(strings.ToLower(kind), "application/json") {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		var note map[string]any
		err := json.NewDecoder(r.Body).Decode(&note)
		if title, ok := note["title"].(string); err != nil || !ok || len([]rune(title)) > 60 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		key := fmt.Sprint("k-", len(all))
		all[key] = note
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"key": %q}`, key)
	})
	mux.HandleFunc("GET /notes/{key}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		note := all[r.PathValue("key")]
		if note == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(note)
	})
	mux.HandleFunc("DELETE /notes/{key}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if all[r.PathValue("key")] == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// TestChain proves what a finding of a sequence is good for: it can be planned, run alone,
// and its lines carry it out in a shell.
func TestChain(t *testing.T) {
	const id = "deleteNote/response/status#deleted-still-there"
	srv := httptest.NewServer(keepsAll())
	defer srv.Close()
	c := parse(t, notebook)
	planned := map[string]bool{}
	cases, err := contracttest.Plan(t.Context(), c, contracttest.URL(srv.URL))
	require.NoError(t, err)
	for pc := range cases {
		require.False(t, planned[pc.ID], "%s is planned twice", pc.ID)
		planned[pc.ID] = true
	}
	require.True(t, planned[id])
	var script string
	for _, opts := range [][]contracttest.Option{{contracttest.Workers(1)}, {contracttest.Workers(8)}, {contracttest.Only("case:" + id)}} {
		rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), append(opts, contracttest.Settle(10*time.Millisecond), contracttest.Cases(0), contracttest.Workers(16))...)
		require.NoError(t, err)
		var found []string
		for _, f := range rep.Findings {
			if planned[f.Case.ID] && strings.HasPrefix(f.Check, "deleted-") {
				found = append(found, f.Severity+" "+f.Case.ID)
				assert.Equal(t, "deleteNote/response/status", f.Clause)
				assert.NotContains(t, f.Curl, "k-", "identifiers are passed on")
				if script != "" {
					assert.Equal(t, script, f.Curl, "each run reports the same")
				}
				script = f.Curl
			}
		}
		assert.Equal(t, []string{"error " + id}, found)
	}
	assert.Len(t, strings.Split(script, "\n"), 3, "make, act, look:\n%s", script)
	shell, err := exec.LookPath("bash")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "again.sh")
	require.NoError(t, os.WriteFile(file, []byte("set -e\n"+script+"\n"), 0o600))
	out, err := exec.CommandContext(t.Context(), shell, file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "204 No Content")
	assert.Contains(t, string(out), "200 OK", "it can still be read:\n%s\n%s", script, out)
}

const shelf = `
openapi: 3.0.3
info: {title: Shelf, version: "1"}
paths:
  /jars:
    post:
      operationId: addJar
      requestBody: &jar {required: true, content: {application/json: {schema: {type: object, required: [label], properties: {label: {type: string, maxLength: 60}, size: {type: integer, minimum: 1, maximum: 9}}}}}}
      responses:
        "201": {description: added, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}
        "400": {description: refused}
        "403": {description: there is no room}
        "415": {description: refused}
  /jars/{jarId}:
    parameters: [{name: jarId, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 100000}}]
    get: {operationId: getJar, responses: {"200": {description: the jar, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    put: {operationId: replaceJar, requestBody: *jar, responses: {"204": {description: done}, "400": {description: refused}, "404": {description: none}, "415": {description: refused}}}
    delete: {operationId: removeJar, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
`

// TestFullShelf proves that where nothing more can be made, nothing of somebody else's is
// changed in its place, though its number is one that a run makes up.
func TestFullShelf(t *testing.T) {
	c := parse(t, shelf)
	theirs := map[string]bool{"1": true, "37": true, "137": true, "4711": true}
	for _, room := range []int{1, 2, 3, 8, 40, 90} {
		var mu sync.Mutex
		made, touched := map[string]any{}, []string{}
		mux := http.NewServeMux()
		mux.HandleFunc("POST /jars", func(w http.ResponseWriter, r *http.Request) {
			var jar map[string]any
			mu.Lock()
			defer mu.Unlock()
			switch {
			case json.NewDecoder(r.Body).Decode(&jar) != nil:
				w.WriteHeader(http.StatusBadRequest)
				return
			case room == 0:
				w.WriteHeader(http.StatusForbidden)
				return
			}
			room--
			id := fmt.Sprint(50001 + len(made))
			made[id] = jar
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id": %s}`, id)
		})
		mux.HandleFunc("/jars/{jarId}", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			id := r.PathValue("jarId")
			switch {
			case strings.Trim(id, "0123456789") != "":
				w.WriteHeader(http.StatusBadRequest)
			case made[id] == nil && !theirs[id]:
				w.WriteHeader(http.StatusNotFound)
			case r.Method == http.MethodGet:
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"id": %s, "label": "of %x"}`, id, len(id)+int(id[0]))
			case r.Method != http.MethodPut && r.Method != http.MethodDelete:
				w.Header().Set("Allow", "DELETE, GET, PUT")
				w.WriteHeader(http.StatusMethodNotAllowed)
			case theirs[id]:
				touched = append(touched, r.Method+" "+id)
				w.WriteHeader(http.StatusNoContent)
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		})
		_, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Settle(time.Millisecond), contracttest.Cases(0), contracttest.Only("check:put-*", "check:created-*", "check:deleted-*"))
		require.NoError(t, err)
		assert.Empty(t, touched, "room for %d", len(made))
	}
}

const board = `
openapi: 3.0.3
info: {title: Board, version: "1"}
paths:
  /messages:
    post:
      operationId: post
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [words], properties: {words: {type: string, minLength: 1, maxLength: 200}}}}}}
      responses:
        "201": {description: posted, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}
        "400": {description: refused}
        "415": {description: refused}
  /messages/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 100000}}]
    get: {operationId: read, responses: {"200": {description: the message, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    delete: {operationId: remove, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
`

// TestMarked proves that one resource is told from another where nothing in it has to be
// unique: of a board that gives identifiers again what comes back is told from what is new.
func TestMarked(t *testing.T) {
	for _, revives := range []bool{false, true} {
		var mu sync.Mutex
		all := map[int]string{}
		var lastID int
		var last string
		mux := http.NewServeMux()
		mux.HandleFunc("POST /messages", func(w http.ResponseWriter, r *http.Request) {
			words, ok := sentText(w, r, "words", 200)
			if !ok {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if revives && last != "" && all[lastID] == "" {
				all[lastID], last = last, ""
			}
			id := 1
			for all[id] != "" {
				id++
			}
			all[id] = words
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id": %d}`, id)
		})
		mux.HandleFunc("/messages/{id}", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			id, err := strconv.Atoi(r.PathValue("id"))
			switch {
			case err != nil || id < 1 || id > 100000:
				w.WriteHeader(http.StatusBadRequest)
			case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodDelete:
				w.Header().Set("Allow", "DELETE, GET, HEAD")
				w.WriteHeader(http.StatusMethodNotAllowed)
			case all[id] == "":
				w.WriteHeader(http.StatusNotFound)
			case r.Method == http.MethodDelete:
				lastID, last = id, all[id]
				delete(all, id)
				w.WriteHeader(http.StatusNoContent)
			default:
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "words": all[id]})
			}
		})
		rep, err := contracttest.Run(t.Context(), parse(t, board), contracttest.Handler(mux), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0), contracttest.Workers(16))
		require.NoError(t, err)
		var found []string
		for _, f := range rep.Findings {
			if strings.Contains(f.Case.ID, "/response/status#") {
				found = append(found, f.Severity+" "+f.Case.ID)
			}
		}
		want := []string(nil)
		if revives {
			want = []string{"error remove/response/status#deleted-still-there/comes-back"}
		}
		assert.Equal(t, want, found)
	}
}

const shop = `
openapi: 3.0.3
info: {title: Shop, version: "1"}
paths:
  /orders:
    post:
      operationId: order
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [label], properties: {label: {type: string, minLength: 1, maxLength: 99}}}}}}
      responses:
        "201":
          description: made
          content: {application/json: {schema: {type: object, required: [id, invoice], properties: {id: {type: integer}, invoice: {type: string}}}}}
          links: {invoice: {operationId: invoice, parameters: {number: $response.body#/invoice, order: $response.body#/id}}}
        "400": {description: refused}
        "415": {description: refused}
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 100000}}]
    get: {operationId: read, responses: {"200": {description: the order, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    delete: {operationId: remove, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
  /invoices/{number}:
    parameters: [{name: number, in: path, required: true, schema: {type: string, pattern: "^i-[0-9]+$"}}, {name: order, in: query, schema: {type: integer, minimum: 1}}]
    get: {operationId: invoice, responses: {"200": {description: the invoice, content: {text/plain: {schema: {type: string}}}}, "400": {description: refused}, "404": {description: none}}}
`

// TestLinkBroken proves that a documented link is followed with the values of an answer.
func TestLinkBroken(t *testing.T) {
	for _, off := range []int{0, 1} {
		var mu sync.Mutex
		orders := map[int]string{}
		made := 0
		mux := http.NewServeMux()
		mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
			label, ok := sentText(w, r, "label", 99)
			if !ok {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			made++
			orders[made] = label
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id": %d, "invoice": "i-%d"}`, made, made*7+off)
		})
		mux.HandleFunc("/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			id, err := strconv.Atoi(r.PathValue("id"))
			switch {
			case err != nil || orders[id] == "":
				w.WriteHeader(http.StatusNotFound)
			case r.Method == http.MethodDelete:
				delete(orders, id)
				w.WriteHeader(http.StatusNoContent)
			default:
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "label": orders[id]})
			}
		})
		mux.HandleFunc("GET /invoices/{number}", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			var n int
			if _, err := fmt.Sscanf(r.PathValue("number"), "i-%d", &n); err != nil || n%7 > 0 || orders[n/7] == "" || r.URL.Query().Get("order") != strconv.Itoa(n/7) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, "to be paid")
		})
		rep, err := contracttest.Run(t.Context(), parse(t, shop), contracttest.Handler(mux), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0), contracttest.Only("check:link-broken"))
		require.NoError(t, err)
		var found []string
		for _, f := range rep.Findings {
			found = append(found, f.Severity+" "+f.Case.ID)
		}
		want := []string(nil)
		if off > 0 {
			want = []string{"warning invoice/response/status#link-broken/order/invoice"}
		}
		assert.Equal(t, want, found)
	}
}
