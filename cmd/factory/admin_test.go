package main

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

func askAdmin(t *testing.T, st store.Store, host string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	req.Host = host
	rec := httptest.NewRecorder()
	admin(st, time.Now()).ServeHTTP(rec, req)
	return rec
}

// A site whose name leads to this address is not shown the packages.
func TestAdminHost(t *testing.T) {
	st := store.NewMemory()
	_, err := st.Add(t.Context(), store.Packages(store.Package{ID: "12", ProjectID: "p"}))
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "127.0.0.1:9090", "[::1]:9090", "[::1]", "localhost:9090", "LocalHost", "192.0.2.7:1"} {
		rec := askAdmin(t, st, host)
		assert.Equal(t, http.StatusOK, rec.Code, host)
		assert.Contains(t, rec.Body.String(), ">12</td>", host)
		assert.Contains(t, rec.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
	for _, host := range []string{"", "evil.example", "evil.example:9090", "127.0.0.1.evil.example", "localhost.evil.example:9090", "[evil]", ":9090"} {
		rec := askAdmin(t, st, host)
		assert.Equal(t, http.StatusMisdirectedRequest, rec.Code, host)
		assert.NotContains(t, rec.Body.String(), "12", host)
	}
}

// The page counts the packages of each state, whichever is chosen, and sorts by any column.
func TestAdminCountsAndSorts(t *testing.T) {
	st := store.NewMemory()
	add := func(id, workspace string, state store.State) {
		_, err := st.Add(t.Context(), store.Packages(store.Package{ID: id, ProjectID: "p", Workspace: workspace, State: state}))
		require.NoError(t, err)
	}
	add("9", "b", store.Pending)
	add("10", "a", store.Released)
	add("x", "c", store.Pending)
	ask := func(query string) (ids []string, page string) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, http.NoBody)
		req.Host = "localhost"
		rec := httptest.NewRecorder()
		admin(st, time.Now()).ServeHTTP(rec, req)
		for _, m := range regexp.MustCompile(`data-label="package">([^<]*)<`).FindAllStringSubmatch(rec.Body.String(), -1) {
			ids = append(ids, m[1])
		}
		return ids, rec.Body.String()
	}
	for query, want := range map[string][]string{
		"sort=package":               {"9", "10", "x"},
		"sort=-package":              {"x", "10", "9"},
		"sort=workspace":             {"10", "9", "x"},
		"sort=-state":                {"10", "9", "x"},
		"sort=package&state=pending": {"9", "x"},
		"sort=nothing&id=1":          {"10"},
	} {
		ids, _ := ask(query)
		assert.Equal(t, want, ids, query)
	}
	_, page := ask("state=pending&sort=package")
	for _, part := range []string{
		`href="/?sort=package" aria-current="true">◷ 2 pending</a>`, `href="/?sort=package&amp;state=released">✓ 1 released</a>`, `>✕ 0 cancelled</a>`,
		`aria-sort="ascending"><a href="/?sort=-package&amp;state=pending">package ▲</a>`, `class="state pending">◷ pending</td>`,
	} {
		assert.Contains(t, page, part)
	}
}

// stuck is a store of which one method answers only when it need not any more.
type stuck struct {
	store.Store
	ping, workspaces, list bool
}

func (s stuck) Ping(ctx context.Context) error {
	if s.ping {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.Ping(ctx)
}

func (s stuck) Workspaces(ctx context.Context) iter.Seq2[store.Workspace, error] {
	if s.workspaces {
		return func(yield func(store.Workspace, error) bool) {
			<-ctx.Done()
			yield(store.Workspace{}, ctx.Err())
		}
	}
	return s.Store.Workspaces(ctx)
}

func (s stuck) List(ctx context.Context, project, workspace string) iter.Seq2[store.Package, error] {
	if s.list {
		return func(yield func(store.Package, error) bool) {
			<-ctx.Done()
			yield(store.Package{}, ctx.Err())
		}
	}
	return s.Store.List(ctx, project, workspace)
}

// A store that does not answer is told of in time.
func TestAdminIsBounded(t *testing.T) {
	for name, st := range map[string]stuck{"ping": {ping: true}, "workspaces": {workspaces: true}, "list": {list: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st.Store = store.NewMemory()
				_, err := st.Add(t.Context(), store.Packages(store.Package{ID: "12", ProjectID: "p"}))
				require.NoError(t, err)
				start := time.Now()
				rec := askAdmin(t, st, "localhost")
				want := maxSearch
				if st.ping {
					want = pingTimeout
				}
				assert.Equal(t, want, time.Since(start), "on the clock of the test")
				assert.Contains(t, rec.Body.String(), context.DeadlineExceeded.Error())
			})
		})
	}
}
