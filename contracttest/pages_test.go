package contracttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
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

// journal is a document of a list in pages, and of what two users see of it.
const journal = `
  /entries:
    get:
      operationId: listEntries
      parameters: [{name: page, in: query, schema: {type: integer, minimum: 1, default: 1}}, {name: per_page, in: query, schema: {type: integer, minimum: 1, maximum: 50, default: 20}}, {name: q, in: query, schema: {type: string, maxLength: 80}}]
      responses: {"200": {description: a page, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "401": {description: who}}
    post:
      operationId: addEntry
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 80}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "401": {description: who}}
  /entries/count:
    get: {operationId: countEntries, responses: {"200": {description: how many, content: {application/json: {schema: {type: object}}}}, "401": {description: who}}}
  /entries/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getEntry, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "401": {description: who}, "404": {description: none}}}
security: [{user: []}]
components: {securitySchemes: {user: {type: http, scheme: bearer}}}
`

type entry struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	owner string
}

// page is what an entry's list answers with.
type page struct {
	number, size int
	q            string
	user         string
	all, items   []entry
	header       http.Header // of the response
}

// diary keeps the entries of two users. Tell changes a page, and see what a user may see.
type diary struct {
	tell func(p page, body map[string]any)
	see  func(what, user string, e entry) bool
	mu   sync.Mutex
	all  []entry
}

func (d *diary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	user, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if user != "ada" && user != "bob" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	of := func(what, q string) []entry {
		all := []entry{}
		for _, e := range d.all {
			if (e.owner == user || d.see != nil && d.see(what, user, e)) && strings.Contains(strings.ToLower(e.Title), strings.ToLower(q)) {
				all = append(all, e)
			}
		}
		return all
	}
	q := r.URL.Query()
	switch id := strings.TrimPrefix(r.URL.Path, "/entries/"); {
	case r.URL.Path == "/entries" && r.Method == http.MethodPost:
		var e entry
		if json.NewDecoder(r.Body).Decode(&e) != nil || e.Title == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		e.ID, e.owner = fmt.Sprint("e", len(d.all)), user
		d.all = append(d.all, e)
		answerJSON(w, http.StatusCreated, e)
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Path == "/entries":
		p := page{number: 1, size: 20, q: q.Get("q"), user: user, header: w.Header()}
		if n, err := strconv.Atoi(q.Get("page")); err == nil {
			p.number = n
		}
		if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
			p.size = n
		}
		what := "list"
		if p.q != "" {
			what = "search"
		}
		p.all = of(what, p.q)
		from := min((p.number-1)*p.size, len(p.all))
		p.items = p.all[from:min(from+p.size, len(p.all))]
		body := map[string]any{"items": p.items}
		if d.tell != nil {
			d.tell(p, body)
		}
		answerJSON(w, http.StatusOK, body)
	case id == "count":
		answerJSON(w, http.StatusOK, map[string]any{"total": len(of("count", ""))})
	default:
		for _, e := range of("entry", "") {
			if e.ID == id {
				answerJSON(w, http.StatusOK, e)
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestPagesTell proves that what pages say of each other is held against them, and that each size is
// heeded.
func TestPagesTell(t *testing.T) {
	var sequences []string
	for _, id := range []string{"page-broken/follows", "page-broken/sizes", "list-differs/total", "list-differs/total/page", "list-differs/total/pages"} {
		sequences = append(sequences, "case:listEntries/response/status#"+id)
	}
	more := func(p page) bool { return p.number*p.size < len(p.all) }
	lastAgain := func(p page, body map[string]any) {
		if last := (len(p.all)-1)/p.size + 1; p.number > last && last > 0 {
			body["items"] = p.all[(last-1)*p.size:]
		}
	}
	cut := func(p page, body map[string]any) { // as the document says nothing of pages
		body["items"], body["total"] = p.all[:min(3, len(p.all))], len(p.all)
	}
	whole := func(more int) func(page, map[string]any) {
		return func(p page, body map[string]any) { body["items"], body["total"] = p.all, len(p.all)+more }
	}
	for i, tt := range []struct {
		name string
		tell func(p page, body map[string]any)
		want string
	}{
		{"no words of it", nil, ""},
		{"in one", whole(0), ""},
		{"in one: one too many", whole(1), "list-differs/total/pages"},
		{"in one: the first alone", cut, ""},
		{"the number of the page, and as that of all", func(p page, body map[string]any) {
			body["count"], body["total"] = len(p.items), len(p.items)
		}, "list-differs/total/page"},
		{"all of it", func(p page, body map[string]any) {
			body["total"], body["has_more"], body["last"] = len(p.all), more(p), !more(p)
		}, ""},
		{"the number of the page", func(p page, body map[string]any) { body["count"] = len(p.items) }, ""},
		{"the last page again, and the number of all", func(p page, body map[string]any) {
			lastAgain(p, body)
			body["total"] = len(p.all)
		}, ""},
		{"the last page again", lastAgain, "page-broken/follows"},
		{"there is always more", func(_ page, body map[string]any) { body["has_more"] = true }, "page-broken/follows"},
		{"there is never more", func(_ page, body map[string]any) { body["meta"] = map[string]any{"hasNextPage": false} }, "page-broken/follows"},
		{"each is the last", func(_ page, body map[string]any) { body["last"] = true }, "page-broken/follows"},
		{"one too many", func(p page, body map[string]any) { body["total"] = len(p.all) + 1 }, "list-differs/total/pages"},
		{"all of it in a header", func(p page, _ map[string]any) {
			p.header.Set("X-Pagination", fmt.Sprintf(`{"total":%d,"hasNext":%t}`, len(p.all), more(p)))
			from := (p.number - 1) * p.size
			p.header.Set("Content-Range", fmt.Sprintf("items %d-%d/%d", from, from+len(p.items)-1, len(p.all)))
		}, ""},
		{"the number of all is not known", func(p page, _ map[string]any) { p.header.Set("Content-Range", "items 0-1/*") }, ""},
		{"one too many in JSON of a header", func(p page, _ map[string]any) {
			p.header.Set("X-Pagination", fmt.Sprintf(`{"TotalCount":%d}`, len(p.all)+1))
		}, "list-differs/total/pages"},
		{"the page in Content-Range", func(p page, _ map[string]any) {
			p.header.Set("Content-Range", fmt.Sprintf("items 0-%d/%d", len(p.items)-1, len(p.items)))
		}, "list-differs/total/page"},
		{"a header says that there is never more", func(p page, _ map[string]any) { p.header.Set("X-Pagination", `{"hasNext":false}`) }, "page-broken/follows"},
		{"four are taken for all", func(p page, body map[string]any) {
			if p.size == 4 {
				body["items"] = p.all
			}
		}, "page-broken/sizes"},
	} {
		if !racing.Take(i, 3) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			document, only := journal, sequences
			if strings.HasPrefix(tt.name, "in one") {
				document = regexp.MustCompile(`\{name: (page|per_page),[^}]*\}\}, `).ReplaceAllString(document, "")
				only = []string{"check:list-differs"}
			}
			rep, err := contracttest.Run(t.Context(), parse(t, document), contracttest.Handler(&diary{tell: tt.tell}), contracttest.Values("user", "ada"), contracttest.Cases(0),
				contracttest.Settle(time.Millisecond), contracttest.Only(only...))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				_, at, _ := strings.Cut(f.Case.ID, "#")
				found = append(found, at)
				assert.Equal(t, "warning", f.Severity, "%s", f.Case.ID)
			}
			if tt.want == "" {
				assert.Empty(t, found, "%s", describe(rep))
			} else {
				assert.Contains(t, found, tt.want)
			}
		})
	}
}

// TestPagesAtRest proves that what lies at the border of two pages is found to be left out or repeated though somebody else has
// made it, where the list stays as it is meanwhile, and that nobody is blamed for one that does not.
func TestPagesAtRest(t *testing.T) {
	from := func(p page, at int) []entry { return p.all[min(at, len(p.all)):min(at+p.size, len(p.all))] }
	reads := 0
	for i, tt := range []struct {
		name string
		tell func(p page, body map[string]any)
		want string
	}{
		{"as it should be", nil, ""},
		{"each page but the first begins one late", func(p page, body map[string]any) {
			if p.number > 1 {
				body["items"] = from(p, (p.number-1)*p.size+1)
			}
		}, "the pages of GET /entries leave out an entry of the whole list"},
		{"each page but the first begins one early", func(p page, body map[string]any) {
			if p.number > 1 {
				body["items"] = from(p, (p.number-1)*p.size-1)
			}
		}, "the pages of GET /entries list the same resource twice"},
		{"newest first", func(p page, body map[string]any) {
			slices.Reverse(p.all)
			body["items"] = from(p, (p.number-1)*p.size)
		}, ""},
		{"no page after the fourth", func(p page, body map[string]any) {
			if p.number > 4 {
				body["items"] = []entry{}
			}
		}, ""},
		{"somebody deletes the first now and then", func(p page, body map[string]any) {
			reads++
			gone := min(reads/3, 40)
			p.all = p.all[gone:]
			body["items"] = from(p, (p.number-1)*p.size)
		}, ""},
		{"in another order each time", func(p page, body map[string]any) {
			reads++
			at := reads % len(p.all)
			p.all = slices.Concat(p.all[at:], p.all[:at])
			body["items"] = from(p, (p.number-1)*p.size)
		}, ""},
	} {
		if !racing.Take(i, 3) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			d := &diary{tell: tt.tell}
			for n := range 150 {
				d.all = append(d.all, entry{ID: fmt.Sprint("e", n), Title: fmt.Sprint("of yesterday ", n), owner: "ada"})
			}
			rep, err := contracttest.Run(t.Context(), parse(t, journal), contracttest.Handler(d), contracttest.Values("user", "ada"), contracttest.Cases(0),
				contracttest.Settle(time.Millisecond), contracttest.Only("check:page-broken"))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				found = append(found, f.Severity+" "+f.Message)
			}
			if tt.want == "" {
				assert.Empty(t, found, "%s", describe(rep))
			} else {
				assert.Equal(t, []string{"warning " + tt.want}, found)
			}
		})
	}
}

// TestSeenIndirectly proves that another user is found who sees something by a search or a number,
// though he can neither read nor list it.
func TestSeenIndirectly(t *testing.T) {
	for i, tt := range []struct {
		see  string
		want string
	}{
		{"", ""},
		{"search", "error listEntries/response/status#object-shared/q"},
		{"count", "warning countEntries/response/status#object-shared/total"},
	} {
		if !racing.Take(i, 2) {
			continue
		}
		t.Run(tt.see, func(t *testing.T) {
			t.Parallel()
			d := &diary{see: func(what, _ string, _ entry) bool { return what == tt.see }}
			rep, err := contracttest.Run(t.Context(), parse(t, journal), contracttest.Handler(d), contracttest.Values("user", "ada"), contracttest.Peer("Authorization", "Bearer bob"),
				contracttest.Cases(0), contracttest.Settle(time.Millisecond), contracttest.Only("check:object-shared"))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				found = append(found, f.Severity+" "+f.Case.ID)
			}
			if tt.want == "" {
				assert.Empty(t, found, "%s", describe(rep))
			} else {
				assert.Equal(t, []string{tt.want}, found)
			}
		})
	}
}

// coins is a document of a list whose pages begin after an entry.
const coins = `
  /coins:
    get:
      operationId: listCoins
      parameters: [{name: %s, in: query, schema: {type: string}}, {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50, default: 20}}]
      responses: {"200": {description: a page, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}}
    post:
      operationId: addCoin
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 80}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}}
  /coins/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getCoin, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}}
`

// TestPagesAfterAnEntry proves that pages are read which begin after the entry that a request names,
// though none says so, and that nobody is blamed whose parameter means something else.
func TestPagesAfterAnEntry(t *testing.T) {
	after := func(all []entry, id string) int {
		return slices.IndexFunc(all, func(e entry) bool { return e.ID == id }) + 1
	}
	for i, tt := range []struct {
		name, param string
		from        func(all []entry, after string) int // where a page begins; below 0 for what is refused
		silent      bool                                // nothing says that there is more
		want        string
	}{
		{"all", "starting_after", after, false, ""},
		{"all, and no word of it", "after_id", after, true, ""},
		{"all, by since_id", "since_id", after, false, ""},
		{"an opaque value", "after", func(_ []entry, id string) int { return -len(id) }, false, ""},
		{"an opaque value that is not heeded", "after", func([]entry, string) int { return 0 }, false, ""},
		{"newer ones", "since_id", func(all []entry, id string) int { return max(0, after(all, id)-2) }, true, ""},
		{"one is left out", "starting_after", func(all []entry, id string) int { return after(all, id) + min(1, len(id)) }, false, "the pages of GET /coins leave out entries of the whole list"},
		{"one is left out, and no word of it", "after", func(all []entry, id string) int { return after(all, id) + min(1, len(id)) }, true, "the pages of GET /coins leave out entries of the whole list"},
		{"one comes twice", "starting_after", func(all []entry, id string) int { return max(0, after(all, id)-1) }, false, "the pages of GET /coins"},
	} {
		if !racing.Take(i, 3) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var all []entry
			var mu sync.Mutex
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				id := strings.TrimPrefix(r.URL.Path, "/coins/")
				at := after(all, id) - 1
				var e entry
				switch {
				case r.URL.Path == "/coins" && r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&e) == nil && e.Title != "":
					e.ID = fmt.Sprint("c", len(all))
					all = append(all, e)
					answerJSON(w, http.StatusCreated, e)
				case r.URL.Path == "/coins" && r.Method == http.MethodGet:
					from := tt.from(all, r.URL.Query().Get(tt.param))
					if from < 0 {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
					size, err := strconv.Atoi(r.URL.Query().Get("limit"))
					if err != nil {
						size = 20
					}
					from = min(from, len(all))
					to := min(from+size, len(all))
					page := map[string]any{"items": append([]entry{}, all[from:to]...)}
					if !tt.silent {
						page["has_more"] = to < len(all)
					}
					answerJSON(w, http.StatusOK, page)
				case at >= 0:
					answerJSON(w, http.StatusOK, all[at])
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			})
			rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(coins, tt.param)), contracttest.Handler(h), contracttest.Cases(0), contracttest.Settle(time.Millisecond),
				contracttest.Only("case:listCoins/response/status#page-broken/by-1", "case:listCoins/response/status#page-broken/by-2", "case:listCoins/response/status#page-broken/follows"))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				found = append(found, f.Message)
			}
			if tt.want == "" {
				assert.Empty(t, found)
			} else {
				assert.Contains(t, strings.Join(found, "\n"), tt.want)
			}
		})
	}
}
