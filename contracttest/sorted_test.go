package contracttest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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

// plants is a document of resources in a list that takes an order; the parameters are each test's.
const plants = `
openapi: 3.0.3
info: {title: Plants, version: "1"}
paths:
  /plants:
    get:
      operationId: listPlants
      parameters:
        %s
      responses:
        "200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Plant"}}}}}
        "400": {description: refused}
    post:
      operationId: addPlant
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Plant"}}}}
      responses:
        "201": {description: added, content: {application/json: {schema: {$ref: "#/components/schemas/Plant"}}}}
        "400": {description: refused}
  /plants/{plantId}:
    parameters: [{name: plantId, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getPlant
      responses:
        "200": {description: the plant, content: {application/json: {schema: {$ref: "#/components/schemas/Plant"}}}}
        "404": {description: none}
components:
  schemas:
    Plant:
      type: object
      required: [name, height, planted, light]
      properties:
        id: {type: string, readOnly: true}
        name: {type: string, minLength: 1, maxLength: 40}
        height: {type: integer, minimum: 0, maximum: 1000}
        planted: {type: string, format: date-time}
        light: {type: string, enum: [low, medium, high]}
`

type plant struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Height  int    `json:"height"`
	Planted string `json:"planted"`
	Light   string `json:"light"`
}

// garden lists plants as it is asked to.
type garden struct {
	mu  sync.Mutex
	all []plant
	ask func(url.Values) // changes what the list is asked for; nil: nothing
	by  func(name string, a, b plant) int
	// in is whether a plant is in the list; nil: as it should be.
	in func(url.Values, plant) bool
}

func byProperty(name string, a, b plant) int {
	switch name {
	case "name":
		return strings.Compare(a.Name, b.Name)
	case "height":
		return cmp.Compare(a.Height, b.Height)
	case "planted":
		return at(a.Planted).Compare(at(b.Planted))
	case "light":
		return strings.Compare(a.Light, b.Light)
	}
	return 0
}

func at(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}

func (g *garden) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	id, one := strings.CutPrefix(r.URL.Path, "/plants/")
	switch {
	case r.Method == http.MethodPost:
		p := plant{}
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil || p.Name == "" || p.Light == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.ID = fmt.Sprint("p", len(g.all))
		g.all = append(g.all, p)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(p)
	case one:
		if i := slices.IndexFunc(g.all, func(p plant) bool { return p.ID == id }); i >= 0 {
			_ = json.NewEncoder(w).Encode(g.all[i])
			return
		}
		w.WriteHeader(http.StatusNotFound)
	default:
		g.list(w, r.URL.Query())
	}
}

func (g *garden) list(w http.ResponseWriter, q url.Values) {
	if g.ask != nil {
		g.ask(q)
	}
	list := slices.DeleteFunc(slices.Clone(g.all), func(p plant) bool { return g.in != nil && !g.in(q, p) })
	by := cmp.Or(q.Get("sort"), q.Get("order_by"), q.Get("orderBy"))
	down := strings.HasPrefix(by, "-") || strings.HasSuffix(by, "desc") || strings.EqualFold(q.Get("order"), "desc")
	name, _, _ := strings.Cut(strings.TrimLeft(by, "-+"), ":")
	name, _, _ = strings.Cut(name, ",")
	name, _, _ = strings.Cut(name, " ")
	name = strings.TrimSuffix(strings.TrimSuffix(name, "_asc"), "_desc")
	compare := g.by
	if compare == nil {
		compare = byProperty
	}
	slices.SortStableFunc(list, func(a, b plant) int {
		if down {
			a, b = b, a
		}
		return compare(name, a, b)
	})
	_ = json.NewEncoder(w).Encode(append([]plant{}, list...))
}

const signed = `- {name: sort, in: query, schema: {type: string, enum: [name, -name, height, -height, planted, -planted, light, -light]}}`

// TestSorted proves that a list is found that is not in the order that it is asked for, in whatever
// way that is asked, and nothing of one that is, or that does not take it.
func TestSorted(t *testing.T) {
	ascending := func(q url.Values) { q.Set("sort", strings.TrimPrefix(q.Get("sort"), "-")) }
	for i, tt := range []struct {
		name   string
		params string
		garden *garden
		wrong  int // properties that are told of
	}{
		{"correct", signed, &garden{}, 0},
		{"no order", signed, &garden{ask: func(q url.Values) { q.Del("sort") }}, 4},
		{"always ascending", signed, &garden{ask: ascending}, 4},
		{"numbers as texts", signed, &garden{by: func(name string, a, b plant) int {
			if name == "height" {
				return strings.Compare(fmt.Sprint(a.Height), fmt.Sprint(b.Height))
			}
			return byProperty(name, a, b)
		}}, 1},
		{"the wrong way round", signed, &garden{by: func(name string, a, b plant) int { return byProperty(name, b, a) }}, 2},
		{"enumerations in the order of the document", signed, &garden{by: func(name string, a, b plant) int {
			if name == "light" {
				rank := []string{"low", "medium", "high"}
				return slices.Index(rank, a.Light) - slices.Index(rank, b.Light)
			}
			return byProperty(name, a, b)
		}}, 0},
		{"two parameters", `- {name: order_by, in: query, schema: {type: string, enum: [name, height]}}
        - {name: order, in: query, schema: {type: string, enum: [ASC, DESC]}}`, &garden{}, 0},
		{"one of two parameters is ignored", `- {name: order_by, in: query, schema: {type: string, enum: [name, height]}}
        - {name: order, in: query, schema: {type: string, enum: [ASC, DESC]}}`, &garden{ask: func(q url.Values) { q.Del("order") }}, 2},
		{"one of two parameters is ignored, which may be null and has a pattern", `- {name: order_by, in: query, schema: {anyOf: [{type: string, enum: [name, height]}, {type: string, nullable: true, enum: [null]}]}}
        - {name: order, in: query, schema: {type: string, pattern: '^(asc|desc)$'}}`, &garden{ask: func(q url.Values) { q.Del("order") }}, 2},
		{"a colon, ignored", `- {name: sort, in: query, schema: {type: string, enum: ["height:asc", "height:desc"]}}`, &garden{ask: func(q url.Values) { q.Del("sort") }}, 1},
		{"a list of names", `- {name: sort, in: query, schema: {type: array, items: {type: string, enum: [height_asc, height_desc]}}}`, &garden{ask: func(q url.Values) { q.Del("sort") }}, 1},
		{"a pattern", `- {name: orderBy, in: query, schema: {type: string, pattern: '^(name|height) (asc|desc)$'}}`, &garden{ask: func(q url.Values) { q.Del("orderBy") }}, 2},
		{"an example", `- {name: sort, in: query, example: "height,desc", schema: {type: string}}`, &garden{ask: func(q url.Values) { q.Del("sort") }}, 1},
		{"an example of one direction", `- {name: sort, in: query, example: height, schema: {type: string}}`, &garden{ask: func(q url.Values) { q.Del("sort") }}, 0},
	} {
		if !racing.Take(i, 4) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rep := plantsRun(t, tt.params, tt.garden, "sort-ignored")
			told := 0
			for _, f := range rep.Findings {
				if f.Check == "sort-ignored" {
					told += f.Count
					assert.Equal(t, "warning", f.Severity)
				}
			}
			assert.Equal(t, tt.wrong, told, "%s", describe(rep))
		})
	}
}

// TestBounded proves that a list is found that does not heed a bound, and nothing of one that does.
func TestBounded(t *testing.T) {
	const (
		heights = `- {name: min_height, in: query, schema: {type: integer, minimum: 0}}
        - {name: "height[lte]", in: query, schema: {type: integer, minimum: 0}}`
		times = `- {name: from, in: query, schema: {type: string, format: date-time}}
        - {name: planted_to, in: query, schema: {type: string, format: date-time}}`
	)
	// heeds makes a list of what is inside the bounds that are named.
	heeds := func(names ...string) func(url.Values, plant) bool {
		return func(q url.Values, p plant) bool {
			for _, name := range names {
				v := q.Get(name)
				n, _ := strconv.Atoi(v)
				if v != "" && (name == "min_height" && p.Height < n || name == "height[lte]" && p.Height > n || name == "from" && at(p.Planted).Before(at(v)) || name == "planted_to" && at(p.Planted).After(at(v))) {
					return false
				}
			}
			return true
		}
	}
	for i, tt := range []struct {
		name   string
		params string
		in     func(url.Values, plant) bool
		wrong  int
	}{
		{"numbers", heights, heeds("min_height", "height[lte]"), 0},
		{"no lower bound", heights, heeds("height[lte]"), 1},
		{"no upper bound", heights, heeds("min_height"), 1},
		{"without the bound", heights, func(q url.Values, p plant) bool {
			return heeds("min_height", "height[lte]")(q, p) && q.Get("min_height") != fmt.Sprint(p.Height)
		}, 1},
		{"times", times, heeds("from", "planted_to"), 0},
		{"no times", times, heeds(), 2},
		{"the wrong side", times, func(q url.Values, p plant) bool { return len(q) == 0 || !heeds("from", "planted_to")(q, p) }, 2},
	} {
		if !racing.Take(i, 4) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rep := plantsRun(t, tt.params, &garden{in: tt.in}, "filter-ignored")
			told := 0
			for _, f := range rep.Findings {
				if f.Check == "filter-ignored" {
					told += f.Count
					assert.Equal(t, "warning", f.Severity)
				}
			}
			assert.Equal(t, tt.wrong, told, "%s", describe(rep))
		})
	}
}

// plantsRun is the report of a run on a garden, of one check alone.
func plantsRun(t *testing.T, params string, g *garden, check string) *contracttest.Report {
	t.Helper()
	c, err := contracttest.Parse("plants.yaml", fmt.Appendf(nil, plants, params))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(g), contracttest.Cases(0),
		contracttest.Settle(time.Millisecond), contracttest.Only("check:"+check))
	require.NoError(t, err)
	return rep
}
