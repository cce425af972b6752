package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/internal/crosssite"
	"github.com/dataarts-go/factory/server/store"
)

//go:embed admin.html
var adminText string

var adminPage = template.Must(template.New("admin").Funcs(template.FuncMap{"sign": sign}).Parse(adminText))

// sign tells a state from others where its colour does not.
func sign(s store.State) string {
	return map[store.State]string{store.Pending: "◷", store.Released: "✓", store.Cancelled: "✕"}[s]
}

// How much of the packages the page shows, how many workspaces and packages it
// looks at for them, and how long. The server waits no longer than 10 s for the
// whole page.
const (
	maxRows   = 1000
	maxLooked = 200_000
	maxSearch = 5 * time.Second
)

// pingTimeout is how long the store has to answer, as for /readyz.
const pingTimeout = 2 * time.Second

// adminQuery is what the page is asked for: texts that a name has to contain, and the column that
// the rows are in order of, with a minus sign before it where the last is first.
type adminQuery struct{ Project, Workspace, ID, State, Sort string }

// link is the address of the page for a query.
func (q adminQuery) link() string {
	v := url.Values{}
	for name, text := range map[string]string{"project": q.Project, "workspace": q.Workspace, "id": q.ID, "state": q.State, "sort": q.Sort} {
		if text != "" {
			v.Set(name, text)
		}
	}
	return "/?" + v.Encode()
}

// count is how many packages of a state match what else is asked for.
type count struct {
	State  store.State
	Sign   string
	Count  int
	Chosen bool
	Link   string // to these alone, or to all again
}

// column is one of the table's.
type column struct{ Name, Link, Sorted, Arrow string }

// columns are what the rows can be in order of.
var columns = []struct {
	name string
	of   func(store.Package) string
}{
	{"project", func(p store.Package) string { return p.ProjectID }},
	{"workspace", func(p store.Package) string { return p.Workspace }},
	{"package", func(p store.Package) string { return p.ID }},
	{"state", func(p store.Package) string { return string(p.State) }},
}

// columns are those of the page, each with a link that sorts by it, or the other way round.
func (q adminQuery) columns() []column {
	var all []column
	for _, c := range columns {
		out, by := column{Name: c.name}, q
		switch by.Sort = c.name; q.Sort {
		case c.name:
			out.Sorted, out.Arrow, by.Sort = "ascending", " ▲", "-"+c.name
		case "-" + c.name:
			out.Sorted, out.Arrow = "descending", " ▼"
		}
		out.Link = by.link()
		all = append(all, out)
	}
	return all
}

// order compares packages as the query asks; nil where the order of the store will do.
func (q adminQuery) order() func(a, b store.Package) int {
	name, back := strings.CutPrefix(q.Sort, "-")
	for _, c := range columns {
		if c.name == name {
			return func(a, b store.Package) int {
				if back {
					a, b = b, a
				}
				return natural(c.of(a), c.of(b))
			}
		}
	}
	return nil
}

// natural compares names, and numbers as such.
func natural(a, b string) int {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	if digits(a) && digits(b) {
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	}
	return cmp.Compare(a, b)
}

// admin serves a page with the state of the store and its packages.
func admin(st store.Store, started time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !crosssite.IsLocal(r.Host) {
			http.Error(w, "ask for this page by an IP address or as localhost", http.StatusMisdirectedRequest)
			return
		}
		q := r.URL.Query()
		data := struct {
			Query           adminQuery
			Problem         string
			Took            time.Duration
			Since           string
			States          []store.State
			Counts          []count
			Columns         []column
			Packages        []store.Package
			Shown, Matching int
			More            bool
		}{
			Query: adminQuery{q.Get("project"), q.Get("workspace"), q.Get("id"), q.Get("state"), q.Get("sort")}, Since: started.UTC().Format(time.DateTime) + " UTC",
			States: []store.State{store.Pending, store.Released, store.Cancelled},
		}
		start := time.Now()
		if err := ping(r.Context(), st); err != nil {
			data.Problem = err.Error()
		} else {
			data.Took = time.Since(start).Round(time.Microsecond)
			found, err := matching(r.Context(), st, data.Query)
			if err != nil {
				data.Problem = err.Error()
			}
			data.Packages, data.Matching, data.More = found.shown, found.matching, found.more
			for _, s := range data.States {
				to := data.Query
				if to.State = string(s); data.Query.State == string(s) {
					to.State = ""
				}
				data.Counts = append(data.Counts, count{s, sign(s), found.byState[s], data.Query.State == string(s), to.link()})
			}
		}
		data.Shown, data.Columns = len(data.Packages), data.Query.columns()
		var b bytes.Buffer
		if err := adminPage.Execute(&b, data); err != nil {
			http.Error(w, "the page cannot be made", http.StatusInternalServerError)
			return
		}
		crosssite.Protect(w.Header(), "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(b.Bytes())
	})
}

func ping(ctx context.Context, st store.Store) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return st.Ping(ctx)
}

// found is what matches a query.
type found struct {
	shown    []store.Package // the first of them
	matching int
	byState  map[store.State]int // of whatever state is asked for
	more     bool                // there may be more
}

// matching looks for the packages that match.
func matching(ctx context.Context, st store.Store, q adminQuery) (*found, error) {
	ctx, cancel := context.WithTimeout(ctx, maxSearch)
	defer cancel()
	out, order := &found{byState: map[store.State]int{}}, q.order()
	var workspaces []store.Workspace
	looked := 0
	for ws, err := range st.Workspaces(ctx) {
		if err != nil {
			return out, err
		}
		if looked++; looked > maxLooked {
			out.more = true
			break
		}
		if strings.Contains(ws.ProjectID, q.Project) && strings.Contains(ws.ID, q.Workspace) {
			workspaces = append(workspaces, ws)
		}
	}
	defer out.sort(order)
	looked = 0
	for _, ws := range workspaces {
		for p, err := range st.List(ctx, ws.ProjectID, ws.ID) {
			if err != nil {
				out.more = true
				return out, err
			}
			if looked++; looked > maxLooked {
				out.more = true
				return out, nil
			}
			if !strings.Contains(p.ID, q.ID) {
				continue
			}
			if out.byState[p.State]++; q.State != "" && string(p.State) != q.State {
				continue
			}
			if out.matching++; order != nil || len(out.shown) < maxRows {
				out.shown = append(out.shown, p)
			}
			if len(out.shown) >= 2*maxRows {
				out.sort(order)
			}
		}
	}
	return out, nil
}

// sort puts those that are shown in order, and leaves out what is behind the last row.
func (f *found) sort(order func(a, b store.Package) int) {
	if order == nil {
		return
	}
	slices.SortStableFunc(f.shown, order)
	f.shown = f.shown[:min(len(f.shown), maxRows)]
}

// onLoopback completes an address without a host: what is served there is not
// for everyone.
func onLoopback(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && host == "" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
