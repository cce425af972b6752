package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

func TestPackagesRun(t *testing.T) {
	var r packagesRun
	at := func(project, workspace, id string, state store.State) store.Package {
		return store.Package{ID: id, ProjectID: project, Workspace: workspace, State: state}
	}
	for range 2 { // it is used again
		for _, p := range []store.Package{
			at("q", "w", "1", ""), at("p", "w", "2", store.Released), at("p", "w", "10", ""), at("p", "v", "9", store.Pending),
			at("p", "w", "10", store.Cancelled), at("q", "w", "", ""), at("p", "w", "2", store.Pending),
		} {
			r.append(p)
		}
		assert.Equal(t, len("12109102")+7*16, r.size())
		var all []store.Package
		for packages := range r.take(3) {
			assert.LessOrEqual(t, len(packages), 3)
			all = append(all, packages...)
		}
		assert.Equal(t, []store.Package{
			at("p", "v", "9", store.Pending), at("p", "w", "10", ""), at("p", "w", "10", store.Cancelled),
			at("p", "w", "2", store.Released), at("p", "w", "2", store.Pending), at("q", "w", "", ""), at("q", "w", "1", ""),
		}, all)
		assert.Zero(t, r.size())
	}
}

// Of two with the same ID the first one counts, however many transactions and runs
// there are between them.
func TestAdderKeepsTheFirst(t *testing.T) {
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "f.db"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, st.Close()) }()
	a := &adder{ctx: t.Context(), store: st}
	const n = addedAtOnce + 1
	for i := range 2 * n {
		state := store.Released
		if i >= n {
			state = store.Pending
		}
		require.NoError(t, a.pkg(store.Package{ID: fmt.Sprint(i % n), ProjectID: "p", Workspace: "w", State: state}))
		if i == n/2 || i == n+n/2 {
			require.NoError(t, a.flush())
		}
	}
	require.NoError(t, a.flush())
	assert.Equal(t, 2*n, a.given)
	assert.Equal(t, n, a.added)
	for p, err := range st.List(t.Context(), "p", "w") {
		require.NoError(t, err)
		require.Equal(t, store.Released, p.State, p.ID)
	}
}
