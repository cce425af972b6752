package contracttest_test

import (
	"fmt"
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

// works is a document of jobs that are accepted for later, and end by themselves.
const works = `
  /jobs:
    get:
      operationId: listJobs
      parameters:
      - {name: page_size, in: query, schema: {type: integer, minimum: 1, maximum: 50, default: 5}}
      - {name: page_token, in: query, schema: {type: string, pattern: "^[0-9]{1,9}$"}}
      - {name: kind, in: query, schema: {type: string, enum: [sum, report]}}
      responses:
        "200": {description: all, content: {application/json: {schema: {type: object, properties: {jobs: {type: array, items: {type: object}}, next_page_token: {type: string}}}}}}
        "400": {description: refused}
    post:
      operationId: submitJob
      parameters: [{name: Idempotency-Key, in: header, schema: {type: string, minLength: 1, maxLength: 40}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [kind], properties: {kind: {type: string, enum: [sum, report]}, size: {type: integer, minimum: 0, maximum: 9}}}}}}
      responses:
        "202": {description: begun, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}
        "400": {description: refused}
        "409": {description: The key was used for another job.}
        "415": {description: refused}
  /jobs/{jobId}:
    parameters: [{name: jobId, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 999999999}}]
    get: {operationId: getJob, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    delete: {operationId: deleteJob, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}, "409": {description: It has not ended.}}}
`

// foreman is a service of jobs with one way of its own. A job is there once it was looked for
// for the second time, and ends when it was asked for twice more, or others have come since.
type foreman struct {
	way  string
	mu   sync.Mutex
	last int
	all  []*job
	keys map[string]*job
}

type job struct {
	id, asked int
	kind      string
	size      any
	sent      string
	deleted   bool
}

func (f *foreman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ended := func(j *job) bool { return j.asked >= 4 || f.last-j.id >= 8 }
	view := func(j *job) map[string]any {
		return map[string]any{"id": j.id, "kind": j.kind, "size": j.size, "ended": ended(j)}
	}
	rest, below := strings.CutPrefix(r.URL.Path, "/jobs/")
	switch {
	case !below && r.Method == http.MethodPost:
		sent, ok := ofJSON(w, r)
		if !ok {
			return
		}
		kind, _ := sent["kind"].(string)
		size, isNumber := sent["size"].(float64)
		key, body := r.Header.Get("Idempotency-Key"), fmt.Sprint(sent)
		if _, there := sent["size"]; there && (!isNumber || size < 0 || size > 9 || size != float64(int(size))) || kind != "sum" && kind != "report" || len(r.Header.Values("Idempotency-Key")) > 0 && (key == "" || len(key) > 40) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if before := f.keys[key]; before != nil && f.way != "the key is ignored" {
			if before.sent != body && f.way != "the key is good for another" {
				w.WriteHeader(http.StatusConflict)
				return
			}
			answerJSON(w, http.StatusAccepted, view(before))
			return
		}
		f.last++
		j := &job{id: f.last, kind: kind, size: sent["size"], sent: body}
		f.all = append(f.all, j)
		if key != "" {
			f.keys[key] = j
		}
		answerJSON(w, http.StatusAccepted, view(j))
	case !below && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		q := r.URL.Query()
		size, from := 5, 0
		var err error
		if q.Has("page_size") {
			size, err = strconv.Atoi(q.Get("page_size"))
		}
		if err == nil && q.Has("page_token") {
			from, err = strconv.Atoi(q.Get("page_token"))
		}
		kind := q.Get("kind")
		if err != nil || size < 1 || size > 50 || from < 0 || len(q.Get("page_token")) > 9 || q.Has("kind") && kind != "sum" && kind != "report" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		list := []map[string]any{}
		for _, j := range f.all {
			if (!j.deleted || f.way == "what was deleted is listed") && (kind == "" || j.kind == kind || f.way == "the filter is ignored") {
				list = append(list, view(j))
			}
		}
		from = min(from, len(list))
		to := min(from+size, len(list))
		out := map[string]any{"jobs": list[from:to]}
		if to < len(list) {
			if f.way == "a token leaves one out" {
				to++
			}
			out["next_page_token"] = strconv.Itoa(to)
		}
		answerJSON(w, http.StatusOK, out)
	case !below:
		w.Header().Set("Allow", "GET, POST, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		id, err := strconv.Atoi(rest)
		if err != nil || id < 1 || id > 999999999 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		i := slices.IndexFunc(f.all, func(j *job) bool { return j.id == id && !j.deleted })
		if i < 0 || f.way == "nothing is there" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		j := f.all[i]
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			if j.asked++; j.asked < 2 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			answerJSON(w, http.StatusOK, view(j))
		case http.MethodDelete:
			if j.asked++; !ended(j) {
				w.WriteHeader(http.StatusConflict)
				return
			}
			j.deleted = true
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", "GET, HEAD, DELETE")
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}
}

// TestAccepted proves that what is accepted for later, and there a little later, is tried as
// what is made at once.
func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		way   string
		finds []string // by the checks on state
	}{
		{"as it should be", nil},
		{"nothing is there", nil},
		{"the key is ignored", []string{"warning submitJob/response/status"}},
		{"the key is good for another", []string{"warning submitJob/response/status"}},
		{"the filter is ignored", []string{"warning listJobs/response/status"}},
		{"a token leaves one out", []string{"warning listJobs/response/status"}},
		{"what was deleted is listed", []string{"warning listJobs/response/status"}},
	} {
		t.Run(c.way, func(t *testing.T) {
			h := &foreman{way: c.way, keys: map[string]*job{}}
			rep, err := contracttest.Run(t.Context(), parse(t, works), contracttest.Handler(h), contracttest.Cases(0), contracttest.Settle(10*time.Millisecond))
			require.NoError(t, err)
			found := about(rep, "key-ignored", "filter-ignored", "page-broken", "deleted-still-listed", "not-listed", "list-differs", "created-not-found",
				"created-differs", "same-identifier", "deleted-still-there", "deleted-still-usable", "refused-but-done", "unsafe-read")
			assert.Subset(t, found, c.finds, describe(rep))
			if c.finds == nil {
				assert.Empty(t, found, describe(rep))
				assert.Zero(t, rep.Errors(), describe(rep))
			}
		})
	}
}
