package main

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/dataarts-go/factory/internal/crosssite"
	"github.com/dataarts-go/factory/server/store"
)

//go:embed admin.html
var adminText string

var adminPage = template.Must(template.New("admin").Parse(adminText))

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

// adminQuery is what the page is asked for: texts that a name has to contain.
type adminQuery struct{ Project, Workspace, ID, State string }

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
			Packages        []store.Package
			Shown, Matching int
			More            bool
		}{
			Query: adminQuery{q.Get("project"), q.Get("workspace"), q.Get("id"), q.Get("state")}, Since: started.UTC().Format(time.DateTime) + " UTC",
			States: []store.State{store.Pending, store.Released, store.Cancelled},
		}
		start := time.Now()
		if err := ping(r.Context(), st); err != nil {
			data.Problem = err.Error()
		} else {
			data.Took = time.Since(start).Round(time.Microsecond)
			data.Packages, data.Matching, data.More, err = matching(r.Context(), st, data.Query)
			if err != nil {
				data.Problem = err.Error()
			}
		}
		data.Shown = len(data.Packages)
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

// matching returns the first packages that match, how many do, and whether there
// may be more.
func matching(ctx context.Context, st store.Store, q adminQuery) (shown []store.Package, n int, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxSearch)
	defer cancel()
	var workspaces []store.Workspace
	looked := 0
	for ws, err := range st.Workspaces(ctx) {
		if err != nil {
			return nil, 0, false, err
		}
		if looked++; looked > maxLooked {
			more = true
			break
		}
		if strings.Contains(ws.ProjectID, q.Project) && strings.Contains(ws.ID, q.Workspace) {
			workspaces = append(workspaces, ws)
		}
	}
	looked = 0
	for _, ws := range workspaces {
		for p, err := range st.List(ctx, ws.ProjectID, ws.ID) {
			if err != nil {
				return shown, n, true, err
			}
			if looked++; looked > maxLooked {
				return shown, n, true, nil
			}
			if !strings.Contains(p.ID, q.ID) || q.State != "" && string(p.State) != q.State {
				continue
			}
			if n++; len(shown) < maxRows {
				shown = append(shown, p)
			}
		}
	}
	return shown, n, more, nil
}

// onLoopback completes an address without a host: what is served there is not
// for everyone.
func onLoopback(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && host == "" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
