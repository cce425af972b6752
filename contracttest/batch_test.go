package contracttest_test

import (
	"encoding/json"
	"fmt"
	"maps"
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

// printed is a document of what one request makes several of.
const printed = `
  /labels:
    get: {operationId: listLabels, responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {type: object}}}}}}}
    post:
      operationId: addLabel
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 40}}}}}}
      responses:
        "201": {description: made, headers: {Location: {required: true, schema: {type: string}}}, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused}
        "415": {description: refused}
  /labels/batch:
    post:
      operationId: addLabels
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [labels]
              properties: {labels: {type: array, minItems: 1, maxItems: 20, items: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 40}}}}}
      responses:
        "200": {description: made, content: {application/json: {schema: {type: object}}}}
        "207": {description: some of them, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused}
        "415": {description: refused}
  /labels/{labelId}:
    parameters: [{name: labelId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getLabel, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    delete: {operationId: removeLabel, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
`

// printer is a service of labels with one way to make several.
type printer struct {
	way string
	mu  sync.Mutex
	n   int
	all map[int]map[string]any
}

func (p *printer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := func(status int, v any) { answerJSON(w, status, v) }
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	last := strings.TrimPrefix(r.URL.Path, "/labels/")
	switch id, err := strconv.Atoi(last); {
	case r.URL.Path == "/labels" && reads:
		list := []map[string]any{}
		for _, id := range slices.Sorted(maps.Keys(p.all)) {
			list = append(list, p.all[id])
		}
		answer(http.StatusOK, list)
	case (r.URL.Path == "/labels" || last == "batch") && r.Method == http.MethodPost:
		if !strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/json") {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		var sent map[string]any
		if json.NewDecoder(r.Body).Decode(&sent) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if last == "batch" {
			p.batch(answer, sent)
			return
		}
		made := p.add(sent)
		if made == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("/labels/%v", made["id"]))
		answer(http.StatusCreated, made)
	case r.URL.Path == "/labels", last == "batch":
		w.Header().Set("Allow", map[bool]string{true: "POST", false: "GET, HEAD, POST"}[last == "batch"])
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !strings.HasPrefix(r.URL.Path, "/labels/") || strings.Contains(last, "/"):
		w.WriteHeader(http.StatusNotFound)
	case err != nil || id < 1:
		w.WriteHeader(http.StatusBadRequest)
	case !reads && r.Method != http.MethodDelete:
		w.Header().Set("Allow", "DELETE, GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case p.all[id] == nil:
		w.WriteHeader(http.StatusNotFound)
	case reads:
		answer(http.StatusOK, p.all[id])
	default:
		delete(p.all, id)
		w.WriteHeader(http.StatusNoContent)
	}
}

// add makes a label; nil where it may not be one.
func (p *printer) add(sent map[string]any) map[string]any {
	title, ok := sent["title"].(string)
	if n := len([]rune(title)); !ok || n < 1 || n > 40 {
		return nil
	}
	for _, other := range p.all {
		if strings.HasPrefix(p.way, "once") && other["title"] == title {
			return nil
		}
	}
	p.n++
	p.all[p.n] = map[string]any{"id": p.n, "title": title}
	return p.all[p.n]
}

func (p *printer) batch(answer func(int, any), sent map[string]any) {
	list, ok := sent["labels"].([]any)
	all := make([]map[string]any, len(list))
	for i, item := range list {
		var isObject bool
		all[i], isObject = item.(map[string]any)
		ok = ok && isObject
	}
	if !ok || len(list) < 1 || len(list) > 20 {
		answer(http.StatusBadRequest, map[string]any{"error": "labels"})
		return
	}
	before := maps.Clone(p.all)
	var made, told []map[string]any
	refused, wrong := false, false
	for i, item := range all {
		title, _ := item["title"].(string)
		wrong = wrong || title == "" || len([]rune(title)) > 40
		m := p.add(item)
		if m == nil {
			refused = true
			told = append(told, map[string]any{"status": 400, "error": "title"})
			continue
		}
		switch p.way {
		case "one is lost":
			if i == 1 {
				delete(p.all, p.n)
			}
		case "one is not made and not told":
			if i == 1 {
				delete(p.all, p.n)
				continue
			}
		}
		made = append(made, m)
		told = append(told, map[string]any{"status": 201, "label": m})
	}
	switch {
	case strings.HasPrefix(p.way, "207"):
		if p.way == "207 that lies" {
			delete(p.all, p.n)
		}
		answer(http.StatusMultiStatus, map[string]any{"results": told})
		return
	case refused:
		if p.way != "refused and made" && (p.way != "once, others are made" || wrong) {
			p.all = before
		}
		answer(http.StatusBadRequest, map[string]any{"error": "title"})
		return
	}
	ids := func() []map[string]any {
		var all []map[string]any
		for _, m := range made {
			all = append(all, map[string]any{"id": m["id"]})
		}
		return all
	}
	switch p.way {
	case "identifiers":
		answer(http.StatusOK, map[string]any{"labels": ids()})
	case "identifiers in disorder":
		all := ids()
		slices.Reverse(all)
		answer(http.StatusOK, map[string]any{"labels": all})
	case "another order":
		all := slices.Clone(made)
		slices.Reverse(all)
		answer(http.StatusOK, map[string]any{"labels": all})
	case "texts are mixed up":
		all := ids()
		for i := range all {
			all[i]["title"] = made[(i+1)%len(made)]["title"]
		}
		answer(http.StatusOK, map[string]any{"labels": all})
	case "a number":
		answer(http.StatusOK, map[string]any{"count": len(made)})
	default:
		answer(http.StatusOK, map[string]any{"labels": made})
	}
}

// TestBatch proves that what a request makes of several resources is looked at, each by itself,
// and that the lawful ways to answer are left alone.
func TestBatch(t *testing.T) {
	for way, want := range map[string]string{
		"":                             "",
		"identifiers":                  "",
		"another order":                "",
		"a number":                     "",
		"207 for some":                 "",
		"one is lost":                  "created-not-found/in-a-batch",
		"207 that lies":                "created-not-found/in-a-batch",
		"one is not made and not told": "not-listed/in-a-batch",
		"identifiers in disorder":      "created-differs/in-a-batch",
		"texts are mixed up":           "created-differs/in-a-batch",
		"refused and made":             "refused-but-done/in-a-batch",
		"once":                         "",
		"once, others are made":        "refused-but-done/in-a-batch/title-is-taken",
	} {
		t.Run(way, func(t *testing.T) {
			p := &printer{way: way, all: map[int]map[string]any{}}
			rep, err := contracttest.Run(t.Context(), parse(t, printed), contracttest.Handler(p), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				if strings.Contains(f.Case.ID, "/response/status#") {
					found = append(found, f.Severity+" "+f.Case.ID)
				}
			}
			if want == "" {
				assert.Empty(t, found)
			} else {
				assert.Contains(t, found, "warning addLabels/response/status#"+want)
			}
		})
	}
}
