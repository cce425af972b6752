package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

const (
	project   = "b384b9e9ab9b4ee8994c8633aabc9505"
	workspace = "development"
	other     = "test" // a workspace that is not the default one
)

// Run tests what every store promises. open returns a new, empty store for
// each call; Run closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s store.Store)
	}{
		{"cancel", testCancel},
		{"cancel without ids", testCancelNothing},
		{"cancel where there is no workspace", testCancelNowhere},
		{"cancel stays in its workspace and project", testIsolation},
		{"cancel many", testMany},
		{"cancel concurrently", func(t *testing.T, s store.Store) { testConcurrently(t, s) }},
		{"odd names", testOddNames},
		{"names that no store holds", testUnholdableNames},
		{"default workspace", testDefaultWorkspace},
		{"add", testAdd},
		{"add all or none", testAddRefused},
		{"list", testList},
		{"workspaces", testWorkspaces},
		{"context", testContext},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			tt.run(t, s)
		})
	}
}

// RunDurable tests what a store promises beyond Run if its database outlives
// it. newDatabase returns a function that opens stores on one new database.
func RunDurable(t *testing.T, newDatabase func(t *testing.T) (open func(t *testing.T) store.Store)) {
	t.Run("reopen", func(t *testing.T) {
		open := newDatabase(t)
		s := open(t)
		fill(t, s)
		require.NoError(t, s.Cancel(t.Context(), project, "", []string{"12"}))
		before := list(t, s, "")
		require.NoError(t, s.Close())

		s = open(t)
		assert.Equal(t, before, list(t, s, ""))
		var unknown *store.UnknownPackageError
		require.ErrorAs(t, s.Cancel(t.Context(), project, other, []string{"12", "13"}), &unknown)
		require.NoError(t, s.Close())
	})
	t.Run("several stores on one database", func(t *testing.T) {
		open := newDatabase(t)
		stores := []store.Store{open(t), open(t), open(t)}
		testConcurrently(t, stores...)
		for _, s := range stores {
			require.NoError(t, s.Close())
		}
	})
}

// fill adds the packages that most tests start from.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	require.NoError(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: project, ID: workspace, Default: true}))
	n, err := s.Add(t.Context(), store.Packages(
		store.Package{ID: "12", ProjectID: project, Workspace: workspace},
		store.Package{ID: "13", ProjectID: project, Workspace: workspace, State: store.Pending},
		store.Package{ID: "14", ProjectID: project, Workspace: workspace, State: store.Released},
		store.Package{ID: "15", ProjectID: project, Workspace: workspace, State: store.Cancelled},
		store.Package{ID: "12", ProjectID: project, Workspace: other},
		store.Package{ID: "12", ProjectID: "another project", Workspace: workspace},
	))
	require.NoError(t, err)
	require.Equal(t, 6, n)
}

// list returns "id state" of the packages of project.
func list(t *testing.T, s store.Store, workspace string) []string {
	t.Helper()
	return listOf(t, s, project, workspace)
}

func listOf(t *testing.T, s store.Store, project, workspace string) []string {
	t.Helper()
	var got []string
	for p, err := range s.List(context.WithoutCancel(t.Context()), project, workspace) {
		require.NoError(t, err)
		assert.Equal(t, project, p.ProjectID)
		if workspace != "" {
			assert.Equal(t, workspace, p.Workspace)
		}
		got = append(got, p.ID+" "+string(p.State))
	}
	return got
}

var filled = []string{"12 pending", "13 pending", "14 released", "15 cancelled"}

func testCancel(t *testing.T, s store.Store) {
	fill(t, s)
	steps := []struct {
		name     string
		ids      []string
		unknown  string // the ID that the error names
		released string
		want     []string
	}{
		{name: "an unknown one among them", ids: []string{"12", "99", "13"}, unknown: "99", want: filled},
		{name: "only an unknown one", ids: []string{"99"}, unknown: "99", want: filled},
		{name: "a released one among them", ids: []string{"12", "14", "13"}, released: "14", want: filled},
		{
			name: "an unknown one goes before a released one",
			ids:  []string{"14", "99"}, unknown: "99", want: filled,
		},
		{
			name: "one, given twice",
			ids:  []string{"12", "12"},
			want: []string{"12 cancelled", "13 pending", "14 released", "15 cancelled"},
		},
		{
			name: "one again, and another",
			ids:  []string{"12", "13", "15"},
			want: []string{"12 cancelled", "13 cancelled", "14 released", "15 cancelled"},
		},
		{
			name: "all again",
			ids:  []string{"15", "13", "12"},
			want: []string{"12 cancelled", "13 cancelled", "14 released", "15 cancelled"},
		},
		{
			name: "a cancelled one with an unknown one",
			ids:  []string{"12", "1"}, unknown: "1",
			want: []string{"12 cancelled", "13 cancelled", "14 released", "15 cancelled"},
		},
	}
	for _, step := range steps {
		given := slices.Clone(step.ids)
		err := s.Cancel(t.Context(), project, workspace, given)
		assert.Equal(t, step.ids, given, "%s: the caller's list was changed", step.name)
		switch {
		case step.unknown != "":
			var e *store.UnknownPackageError
			require.ErrorAs(t, err, &e, step.name)
			assert.Equal(t, step.unknown, e.ID, step.name)
			assert.ErrorContains(t, err, step.unknown)
		case step.released != "":
			var e *store.ReleasedPackageError
			require.ErrorAs(t, err, &e, step.name)
			assert.Equal(t, step.released, e.ID, step.name)
			assert.ErrorContains(t, err, step.released)
		default:
			require.NoError(t, err, step.name)
		}
		assert.Equal(t, step.want, list(t, s, ""), step.name)
	}
}

func testCancelNothing(t *testing.T, s store.Store) {
	fill(t, s)
	for _, ids := range [][]string{nil, {}} {
		for _, w := range []string{"", workspace, other} {
			require.NoError(t, s.Cancel(t.Context(), project, w, ids))
		}
	}
	assert.Equal(t, filled, list(t, s, ""))
}

func testCancelNowhere(t *testing.T, s store.Store) {
	fill(t, s)
	tests := []struct {
		name, project, workspace string
		want                     error
	}{
		{"unknown project", "nowhere", "", store.ErrNoDefaultWorkspace},
		{"unknown project with a workspace", "nowhere", workspace, store.ErrUnknownWorkspace},
		{"no default workspace", "another project", "", store.ErrNoDefaultWorkspace},
		{"unknown workspace", project, "nowhere", store.ErrUnknownWorkspace},
		{"workspace in another letter case", project, strings.ToUpper(workspace), store.ErrUnknownWorkspace},
		{"workspace of another project", "another project", other, store.ErrUnknownWorkspace},
		{"no project", "", "", store.ErrNoDefaultWorkspace},
		{"no project with a workspace", "", workspace, store.ErrUnknownWorkspace},
		{"SQL in the project", "' OR 1=1 --", "", store.ErrNoDefaultWorkspace},
		{"SQL in the workspace", project, "' OR '1'='1", store.ErrUnknownWorkspace},
		{"a pattern", project, "%", store.ErrUnknownWorkspace},
		{"NUL in the project", project + "\x00", "", store.ErrNoDefaultWorkspace},
		{"NUL in the workspace", project, workspace + "\x00", store.ErrUnknownWorkspace},
		{"no UTF-8 in the project", "\xff", workspace, store.ErrUnknownWorkspace},
		{"no UTF-8 in the workspace", project, "\xff", store.ErrUnknownWorkspace},
		{"a very long workspace", project, strings.Repeat("w", 1<<20), store.ErrUnknownWorkspace},
	}
	for _, tt := range tests {
		for _, ids := range [][]string{nil, {"12"}, {"99"}, {""}} {
			require.ErrorIs(t, s.Cancel(t.Context(), tt.project, tt.workspace, ids), tt.want, "%s %q", tt.name, ids)
		}
		for _, err := range s.List(t.Context(), tt.project, tt.workspace) {
			require.ErrorIs(t, err, tt.want, tt.name)
		}
	}
	assert.Equal(t, filled, list(t, s, ""))
}

func testIsolation(t *testing.T, s store.Store) {
	fill(t, s)
	require.NoError(t, s.Cancel(t.Context(), project, other, []string{"12"}))
	assert.Equal(t, []string{"12 cancelled"}, list(t, s, other))
	assert.Equal(t, filled, list(t, s, workspace))
	assert.Equal(t, []string{"12 pending"}, listOf(t, s, "another project", workspace))

	var unknown *store.UnknownPackageError
	require.ErrorAs(t, s.Cancel(t.Context(), project, other, []string{"13"}), &unknown,
		"a package of another workspace does not exist here")
	assert.Equal(t, filled, list(t, s, workspace))
}

func testMany(t *testing.T, s store.Store) {
	const (
		asked  = 100_000
		stored = 33_000 // more than the variables that SQLite takes in a statement
	)
	ids := make([]string, asked)
	var packages []store.Package
	for i := range ids {
		ids[i] = fmt.Sprintf("package-%07d", i)
		if i < stored {
			packages = append(packages, store.Package{ID: ids[i], ProjectID: project})
		}
	}
	added, err := s.Add(t.Context(), store.Packages(packages...))
	require.NoError(t, err)
	require.Equal(t, stored, added)
	count := func() map[store.State]int {
		states := map[store.State]int{}
		for p, err := range s.List(t.Context(), project, "") {
			require.NoError(t, err)
			states[p.State]++
		}
		return states
	}

	var unknown *store.UnknownPackageError
	require.ErrorAs(t, s.Cancel(t.Context(), project, "", ids), &unknown)
	assert.Equal(t, map[store.State]int{store.Pending: stored}, count())

	existing := append(slices.Clone(ids[:stored]), ids[:stored]...) // each twice
	require.NoError(t, s.Cancel(t.Context(), project, "", existing))
	assert.Equal(t, map[store.State]int{store.Cancelled: stored}, count())
}

// testConcurrently cancels overlapping groups through several stores on one
// database. A group that holds an unknown ID must leave no trace.
func testConcurrently(t *testing.T, stores ...store.Store) {
	const groups, rounds = 12, 3
	id := func(g int) string { return fmt.Sprintf("%02d", g%groups) }
	var packages []store.Package
	for g := range groups {
		packages = append(packages,
			store.Package{ID: id(g), ProjectID: project},
			store.Package{ID: "untouched " + id(g), ProjectID: project})
	}
	_, err := stores[0].Add(t.Context(), store.Packages(packages...))
	require.NoError(t, err)

	var wg sync.WaitGroup
	errs := make(chan error, 2*groups*rounds)
	for g := range groups {
		s := stores[g%len(stores)]
		wg.Go(func() {
			for range rounds {
				errs <- s.Cancel(t.Context(), project, "", []string{id(g), id(g + 1), id(g + 2)})
				err := s.Cancel(t.Context(), project, "", []string{"untouched " + id(g), id(g), "unknown"})
				if _, ok := errors.AsType[*store.UnknownPackageError](err); !ok {
					errs <- fmt.Errorf("cancelling an unknown package: %w", err)
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		assert.NoError(t, err)
	}
	for _, p := range list(t, stores[len(stores)-1], "") {
		if strings.HasPrefix(p, "untouched") {
			assert.Contains(t, p, "pending")
		} else {
			assert.Contains(t, p, "cancelled")
		}
	}
}

// oddNames are names that every store holds, and tells apart.
var oddNames = []string{
	"'", `"`, "`", `\`, "a'b", `a"b`, `a\'b`, "''", "'; DROP TABLE package; --", "' OR '1'='1", "$1", "?", ":id", "@id",
	"%", "_", "a%", "a_b", "*", "NULL", "null", "0", "00", "0x10", "1e3", "-1", "12.0", " ", " a", "a ", "a\tb", "a\nb", "a\r\nb",
	"\x01", "\x7f", "é", "e\u0301", "É", "ß", "SS", "项目", "📦", "\u200b", "\u202e", "\uFFFD", "\U0010FFFF", "a/b", "a\\u0000b",
	`{"id":"x"}`, `["x"]`, "<script>", strings.Repeat("x", store.MaxNameBytes), strings.Repeat("项", store.MaxNameBytes/3),
}

func testOddNames(t *testing.T, s store.Store) {
	var packages []store.Package
	for _, name := range oddNames {
		require.NoError(t, store.CheckName(name))
		packages = append(packages,
			store.Package{ID: name, ProjectID: project, Workspace: "w"},
			store.Package{ID: "id", ProjectID: name, Workspace: name})
	}
	added, err := s.Add(t.Context(), store.Packages(packages...))
	require.NoError(t, err)
	require.Equal(t, len(packages), added, "two names were taken for one")

	names := slices.Sorted(slices.Values(oddNames))
	want := make([]string, len(names))
	for i, name := range names {
		want[i] = name + " pending"
	}
	require.Equal(t, want, list(t, s, "w"))

	for i, name := range names {
		require.NoError(t, s.Cancel(t.Context(), project, "w", []string{name}), "%q", name)
		want[i] = name + " cancelled"
		require.Equal(t, want, list(t, s, "w"), "%q", name)
		require.NoError(t, s.Cancel(t.Context(), name, name, []string{"id"}), "%q", name)
		require.Equal(t, []string{"id cancelled"}, listOf(t, s, name, name), "%q", name)
	}
}

// unholdableNames are names that CheckName refuses.
var unholdableNames = []string{
	"", "\x00", "12\x00", "\x0012", "\xff", "a\xc3", "\xed\xa0\x80",
	strings.Repeat("x", store.MaxNameBytes+1), strings.Repeat("12", 1<<19),
}

func testUnholdableNames(t *testing.T, s store.Store) {
	fill(t, s)
	for _, name := range unholdableNames {
		var unknown *store.UnknownPackageError
		require.ErrorAs(t, s.Cancel(t.Context(), project, "", []string{"12", name}), &unknown, "%.20q", name)
		assert.Equal(t, name, unknown.ID)
		assert.Less(t, len(unknown.Error()), 1000)

		for what, p := range map[string]store.Package{
			"package":   {ID: name, ProjectID: project, Workspace: workspace},
			"project":   {ID: "1", ProjectID: name, Workspace: workspace},
			"workspace": {ID: "1", ProjectID: project, Workspace: name},
		} {
			if what == "workspace" && name == "" {
				continue // means the default one
			}
			added, err := s.Add(t.Context(), store.Packages(store.Package{ID: "1", ProjectID: project}, p))
			require.ErrorIs(t, err, store.ErrInvalidName, "%s %.20q", what, name)
			assert.ErrorContains(t, err, what)
			assert.Zero(t, added)
		}
		require.ErrorIs(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: name, ID: "w"}), store.ErrInvalidName)
		require.ErrorIs(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: project, ID: name}), store.ErrInvalidName)
	}
	assert.Equal(t, filled, list(t, s, ""))
}

func testDefaultWorkspace(t *testing.T, s store.Store) {
	put := func(id string, isDefault bool) {
		t.Helper()
		require.NoError(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: project, ID: id, Default: isDefault}))
	}
	cancel := func() error { return s.Cancel(t.Context(), project, "", nil) }
	put("a", false)
	require.ErrorIs(t, cancel(), store.ErrNoDefaultWorkspace)
	put("b", true)
	require.NoError(t, cancel())
	_, err := s.Add(t.Context(), store.Packages(store.Package{ID: "1", ProjectID: project}))
	require.NoError(t, err)
	assert.Equal(t, []string{"1 pending"}, list(t, s, "b"), "not the default workspace")

	put("b", false)
	put("a", false)
	assert.Equal(t, []string{"1 pending"}, list(t, s, ""), "the default changed unasked")
	put("a", true)
	assert.Empty(t, list(t, s, ""))
	assert.Equal(t, []string{"1 pending"}, list(t, s, "b"), "its packages must stay")
}

func testAdd(t *testing.T, s store.Store) {
	add := func(packages ...store.Package) int {
		t.Helper()
		n, err := s.Add(t.Context(), store.Packages(packages...))
		require.NoError(t, err)
		return n
	}
	assert.Equal(t, 0, add())
	assert.Equal(t, 2, add(
		store.Package{ID: "1", ProjectID: project},
		store.Package{ID: "1", ProjectID: project},
		store.Package{ID: "2", ProjectID: project, State: store.Released},
	))
	assert.Equal(t, []string{"1 pending", "2 released"}, list(t, s, store.DefaultWorkspace))
	require.NoError(t, s.Cancel(t.Context(), project, "", []string{"1"}))
	assert.Equal(t, 1, add(
		store.Package{ID: "1", ProjectID: project, State: store.Pending},
		store.Package{ID: "2", ProjectID: project, Workspace: store.DefaultWorkspace, State: store.Cancelled},
		store.Package{ID: "3", ProjectID: project, State: store.Cancelled},
	))
	assert.Equal(t, []string{"1 cancelled", "2 released", "3 cancelled"}, list(t, s, ""), "one that exists keeps its state")

	assert.Equal(t, 3, add(
		store.Package{ID: "6", ProjectID: project, State: store.Cancelled},
		store.Package{ID: "5", ProjectID: project, State: store.Released},
		store.Package{ID: "4", ProjectID: project},
		store.Package{ID: "5", ProjectID: project},
		store.Package{ID: "6", ProjectID: project, State: store.Released},
	))
	assert.Equal(t, []string{"1 cancelled", "2 released", "3 cancelled", "4 pending", "5 released", "6 cancelled"}, list(t, s, ""),
		"of two the first one counts")

	assert.Equal(t, 1, add(store.Package{ID: "1", ProjectID: "p", Workspace: "w"}))
	require.ErrorIs(t, s.Cancel(t.Context(), "p", "", nil), store.ErrNoDefaultWorkspace,
		"naming a workspace must not make it the default one")
}

func testAddRefused(t *testing.T, s store.Store) {
	fill(t, s)
	failure := errors.New("the file ends here")
	good := store.Package{ID: "new", ProjectID: project}
	n, err := s.Add(t.Context(), func(yield func(store.Package, error) bool) {
		_ = yield(good, nil) && yield(store.Package{}, failure)
	})
	require.ErrorIs(t, err, failure)
	assert.Zero(t, n)

	_, err = s.Add(t.Context(), store.Packages(good, store.Package{ID: "x", ProjectID: project, State: "done"}))
	require.ErrorIs(t, err, store.ErrInvalidState)
	assert.ErrorContains(t, err, `"done"`)
	assert.Equal(t, filled, list(t, s, ""))
}

func testList(t *testing.T, s store.Store) {
	fill(t, s)
	var first store.Package
	for p, err := range s.List(t.Context(), project, "") {
		require.NoError(t, err)
		first = p
		break
	}
	assert.Equal(t, store.Package{ID: "12", ProjectID: project, Workspace: workspace, State: store.Pending}, first)
	require.NoError(t, s.Cancel(t.Context(), project, "", []string{"13"}), "a list left early holds something up")
}

func testWorkspaces(t *testing.T, s store.Store) {
	for w, err := range s.Workspaces(t.Context()) {
		t.Fatalf("an empty store has the workspace %v, %v", w, err)
	}
	fill(t, s)
	require.NoError(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: "Z", ID: "é", Default: true}))
	var got []store.Workspace
	for w, err := range s.Workspaces(t.Context()) {
		require.NoError(t, err)
		got = append(got, w)
	}
	assert.Equal(t, []store.Workspace{
		{ProjectID: "Z", ID: "é", Default: true},
		{ProjectID: "another project", ID: workspace},
		{ProjectID: project, ID: workspace, Default: true},
		{ProjectID: project, ID: other},
	}, got, "want them in the order of their bytes")
	for _, err := range s.Workspaces(t.Context()) {
		require.NoError(t, err)
		break
	}
	require.NoError(t, s.Cancel(t.Context(), project, "", []string{"12"}), "a list left early holds something up")
}

func testContext(t *testing.T, s store.Store) {
	fill(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Cancel(ctx, project, "", []string{"12"}), context.Canceled)
	require.ErrorIs(t, s.Cancel(ctx, project, "", nil), context.Canceled)
	require.NoError(t, s.Ping(t.Context()))
	require.ErrorIs(t, s.Ping(ctx), context.Canceled)
	require.ErrorIs(t, s.PutWorkspace(ctx, store.Workspace{ProjectID: project, ID: "new"}), context.Canceled)
	_, err := s.Add(ctx, store.Packages(store.Package{ID: "new", ProjectID: project}))
	require.ErrorIs(t, err, context.Canceled)
	for _, err := range s.List(ctx, project, "") {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Workspaces(ctx) {
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Equal(t, filled, list(t, s, ""))
}
