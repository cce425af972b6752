package contracttest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
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
	"github.com/dataarts-go/factory/internal/racing"
)

// boxes is a document of resources with lists, maps, times and fractions.
const boxes = `
openapi: 3.0.3
info: {title: Boxes, version: "1"}
paths:
  /boxes:
    get:
      operationId: listBoxes
      parameters:
        - {name: page, in: query, schema: {type: integer, minimum: 1, maximum: 1000}}
        - {name: size, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: color, in: query, schema: {type: string, enum: [red, blue]}}
      responses:
        "200": {description: a page, content: {application/json: {schema: {type: object, properties: {items: {type: array, items: {$ref: "#/components/schemas/Box"}}}}}}}
        "400": {description: refused}
    post:
      operationId: addBox
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Box"}}}}
      responses:
        "201": {description: added, content: {application/json: {schema: {$ref: "#/components/schemas/Box"}}}}
        "400": {description: refused}
  /boxes/{boxId}:
    parameters: [{name: boxId, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getBox
      responses:
        "200": {description: the box, content: {application/json: {schema: {$ref: "#/components/schemas/Box"}}}}
        "404": {description: none}
    patch:
      operationId: changeBox
      requestBody: {required: true, content: {application/merge-patch+json: {schema: {$ref: "#/components/schemas/Box"}}}}
      responses:
        "200": {description: the box, content: {application/json: {schema: {$ref: "#/components/schemas/Box"}}}}
        "400": {description: refused}
        "404": {description: none}
components:
  schemas:
    Box:
      type: object
      properties:
        id: {type: string, readOnly: true}
        color: {type: string, enum: [red, blue]}
        labels: {type: array, maxItems: 150, items: {type: string}}
        marks: {type: object, additionalProperties: {type: string, nullable: true}}
        packed: {type: string, format: date-time}
        due: {type: string, format: date}
        weight: {type: number, minimum: 0, maximum: 1}
        text: {type: string, maxLength: 400}
`

type box = map[string]any

// storage keeps boxes, of each what store makes of it.
type storage struct {
	mu    sync.Mutex
	all   map[string]box
	order []string
	store func(box) // nil: as it is sent, and PATCH replaces the map
}

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, one := strings.CutPrefix(r.URL.Path, "/boxes/")
	var sent box
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	switch was := s.all[id]; {
	case r.Method == http.MethodPost && !one:
		sent["id"] = fmt.Sprintf("box-%d", len(s.order))
		if s.store != nil {
			s.store(sent)
		}
		s.order = append(s.order, sent["id"].(string))
		s.all[sent["id"].(string)] = sent
		answerJSON(w, http.StatusCreated, sent)
	case !one: // a page of 20, by its number
		var list []box
		for _, id := range s.order {
			if color := r.URL.Query().Get("color"); color == "" || s.all[id]["color"] == color {
				list = append(list, s.all[id])
			}
		}
		number := func(name string, none int) int {
			if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
				return n
			}
			return none
		}
		size := number("size", 20)
		from := min(len(list), (number("page", 1)-1)*size)
		answerJSON(w, http.StatusOK, box{"items": append([]box{}, list[from:min(len(list), from+size)]...)})
	case was == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodPatch:
		next := patchedBox(was, sent)
		if marks, ok := sent["marks"].(box); ok && s.store == nil {
			next["marks"] = patchedBox(box{}, marks)
		}
		next["id"] = id
		if s.store != nil {
			s.store(next)
		}
		s.all[id] = next
		answerJSON(w, http.StatusOK, next)
	default:
		answerJSON(w, http.StatusOK, was)
	}
}

func patchedBox(was, by box) box {
	next := maps.Clone(was)
	for name, v := range by {
		inner, isObject := v.(box)
		before, _ := was[name].(box)
		switch {
		case v == nil:
			delete(next, name)
		case isObject:
			next[name] = patchedBox(before, inner)
			if before == nil {
				next[name] = patchedBox(box{}, inner)
			}
		default:
			next[name] = v
		}
	}
	return next
}

// TestStoredAtEdges proves that what a service makes of lists, maps, times, fractions and
// signs is found, and nothing of one that stores them as they are sent.
func TestStoredAtEdges(t *testing.T) {
	text := func(b box, name string) string { v, _ := b[name].(string); return v }
	for i, tt := range []struct {
		name  string
		store func(box)
		wrong string // the property that is told of
	}{
		{name: "correct", store: func(box) {}},
		{name: "times in UTC", store: func(b box) {
			if at, err := time.Parse(time.RFC3339, text(b, "packed")); err == nil {
				b["packed"] = at.UTC().Format(time.RFC3339Nano)
			}
		}},
		{"100 labels at most", func(b box) {
			if l, ok := b["labels"].([]any); ok {
				b["labels"] = l[:min(len(l), 100)]
			}
		}, "labels"},
		{"names in small letters", func(b box) {
			if m, ok := b["marks"].(box); ok {
				for _, name := range slices.Collect(maps.Keys(m)) {
					v := m[name]
					delete(m, name)
					m[strings.ToLower(name)] = v
				}
			}
		}, "marks"},
		{"a time without its zone", func(b box) {
			if at, err := time.Parse(time.RFC3339, text(b, "packed")); err == nil {
				b["packed"] = at.Format("2006-01-02T15:04:05") + "Z"
			}
		}, "packed"},
		{"a float of 32 bits", func(b box) {
			if f, ok := b["weight"].(float64); ok {
				b["weight"] = math.Round(f*1e8) / 1e8
			}
		}, "weight"},
		{"escaped markup", func(b box) {
			if v := text(b, "text"); v != "" {
				b["text"] = strings.ReplaceAll(v, "<", "&lt;")
			}
		}, "text"},
		{"PATCH replaces the map", nil, "marks"},
	} {
		if !racing.Take(i, 4) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := contracttest.Parse("boxes.yaml", []byte(boxes))
			require.NoError(t, err)
			s := &storage{all: map[string]box{}, store: tt.store}
			handler := contracttest.Middleware(c, contracttest.Enforce())(s)
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(handler), contracttest.Cases(0), contracttest.Settle(time.Millisecond),
				contracttest.Only("check:created-differs"), contracttest.Only("check:patch-partial"), contracttest.Only("check:filter-ignored"), contracttest.Only("check:not-listed"))
			require.NoError(t, err)
			var told []string
			for _, f := range rep.Findings {
				if slices.Contains([]string{"created-differs", "patch-partial", "filter-ignored", "not-listed"}, f.Check) {
					told = append(told, f.Message)
				}
			}
			if tt.wrong == "" {
				assert.Empty(t, told, "%s", describe(rep))
				return
			}
			require.NotEmpty(t, told, "%s", describe(rep))
			for _, message := range told {
				assert.Contains(t, message, tt.wrong)
			}
		})
	}
}
