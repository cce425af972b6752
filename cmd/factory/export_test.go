package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

// What is exported and served again is the same, whatever the names are.
func TestExportRoundTrip(t *testing.T) {
	odd := []string{
		"'", `"`, `\`, "a: b", "- a", "*a", "&a", "#", "", "null", "~", "012", "1e3", "true", " ", " a ", "a\tb", "a\nb", "a\r\nb", "\x01", "\x7f",
		"\u0085", "\u2028", "\ufeff", "\uFFFD", "\uFFFE", "项目", "📦", "\U0010FFFF", "e\u0301", "{", "[", "%", "|", "<script>",
	}
	from := store.NewMemory()
	for i, name := range odd {
		if name == "" {
			continue
		}
		require.NoError(t, from.PutWorkspace(t.Context(), store.Workspace{ProjectID: name, ID: name, Default: i%2 == 0}))
		_, err := from.Add(t.Context(), store.Packages(
			store.Package{ID: name, ProjectID: name, Workspace: name, State: store.Released},
			store.Package{ID: name, ProjectID: "p", Workspace: "w", State: store.Cancelled},
		))
		require.NoError(t, err)
	}
	want := exported(t, from, "yaml")
	for _, format := range []string{"yaml", "json"} {
		text := exported(t, from, format)
		file, err := parsePackages(strings.NewReader(text))
		require.NoError(t, err, text)
		to := store.NewMemory()
		for _, w := range file.workspaces() {
			require.NoError(t, to.PutWorkspace(t.Context(), w))
		}
		_, err = to.Add(t.Context(), file.packages())
		require.NoError(t, err)
		assert.Equal(t, want, exported(t, to, "yaml"), format)
	}
	assert.True(t, json.Valid([]byte(exported(t, from, "json"))))
	assert.True(t, json.Valid([]byte(exported(t, store.NewMemory(), "json"))))
	assert.Equal(t, "projects: []\n", exported(t, store.NewMemory(), "yaml"))
}

func exported(t *testing.T, s store.Store, format string) string {
	t.Helper()
	var workspaces []store.Workspace
	for w, err := range s.Workspaces(t.Context()) {
		require.NoError(t, err)
		workspaces = append(workspaces, w)
	}
	var b strings.Builder
	require.NoError(t, export(&b, exporters[format], workspaces, func(w store.Workspace) iter.Seq2[store.Package, error] {
		return s.List(t.Context(), w.ProjectID, w.ID)
	}))
	return b.String()
}

// counter is a writer that keeps nothing but how much memory was in use.
type counter struct {
	lines int
	most  uint64
}

func (c *counter) Write(p []byte) (int, error) {
	if c.lines%20_000 < strings.Count(string(p), "\n") {
		runtime.GC()
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		c.most = max(c.most, now.HeapAlloc)
	}
	c.lines += strings.Count(string(p), "\n")
	return len(p), nil
}

// A hundred thousand packages are not in memory at once.
func TestExportBounded(t *testing.T) {
	const n = 100_000
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "f.db")
	s, err := store.Open(t.Context(), dsn)
	require.NoError(t, err)
	_, err = s.Add(t.Context(), func(yield func(store.Package, error) bool) {
		for i := range n {
			if !yield(store.Package{ID: fmt.Sprintf("package-%060d", i), ProjectID: "p"}, nil) {
				return
			}
		}
	})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	out := &counter{}
	require.Equal(t, 0, Do(t.Context(), []string{"packages", "export", "--db", dsn}, strings.NewReader(""), out, out))
	assert.Equal(t, n+6, out.lines)
	const bound = 4 << 20 // the IDs alone are 7 MB
	assert.Less(t, out.most, before.HeapAlloc+bound)
}
