package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/racing"
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
		streamed := store.NewMemory()
		a := &adder{ctx: t.Context(), store: streamed}
		require.NoError(t, a.file("-", strings.NewReader(text)), text)
		assert.Equal(t, want, exported(t, streamed, "yaml"), format)
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
	if c.lines%(manyPackages/5) < strings.Count(string(p), "\n") {
		c.most = max(c.most, inUse())
	}
	c.lines += strings.Count(string(p), "\n")
	return len(p), nil
}

// bounded is how much memory a command may take above what was there before.
// The IDs of the hundred thousand packages alone are 7 MB.
const bounded = 4 << 20

// manyPackages is how many there are: fewer under the race detector, which takes ten
// times as long.
var manyPackages = func() int {
	if racing.Enabled {
		return 10_000
	}
	return 100_000
}()

func manyID(i int) string { return fmt.Sprintf("package-%060d", i) }

func inUse() uint64 {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return now.HeapAlloc
}

// manyReader is a packages file that is made as it is read, and keeps how much
// memory was in use.
type manyReader struct {
	head, tail, separator string
	item                  func(id string) string
	next                  int
	rest                  string
	most                  uint64
}

func (r *manyReader) Read(p []byte) (int, error) {
	for r.rest == "" {
		switch {
		case r.next > manyPackages:
			return 0, io.EOF
		case r.next == manyPackages:
			r.rest = r.tail
		case r.next == 0:
			r.rest = r.head + r.item(manyID(0))
		default:
			r.rest = r.separator + r.item(manyID(r.next))
		}
		if r.next%(manyPackages/5) == 0 {
			r.most = max(r.most, inUse())
		}
		r.next++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// A hundred thousand packages are not in memory at once, neither when they are
// read nor when they are written; what is added is, as far as it is sorted at once.
func TestBoundedMemory(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "f.db")
	in := &manyReader{
		head: "projects:\n  - id: p\n    default_workspace: w\n    workspaces:\n      - id: w\n        packages:\n", separator: "\n", tail: "\n",
		item: func(id string) string { return `          - {id: "` + id + `", state: pending}` },
	}
	before := inUse()
	out := &counter{}
	require.Equal(t, 0, Do(t.Context(), []string{"packages", "add", "--db", dsn, "--file", "-"}, in, out, out))
	assert.NotZero(t, in.most)
	assert.Less(t, in.most, before+sortedAtOnce*5/4+bounded, "with the room that a slice grows by")
	for lines, args := range map[int][]string{
		manyPackages + 6: {"packages", "export", "--db", dsn},
		manyPackages + 1: {"packages", "list", "--project", "p", "--db", dsn},
	} {
		before := inUse()
		out := &counter{}
		require.Equal(t, 0, Do(t.Context(), args, strings.NewReader(""), out, out))
		assert.Equal(t, lines, out.lines)
		assert.NotZero(t, out.most)
		assert.Less(t, out.most, before+bounded, args)
	}

	in = &manyReader{
		head: `{"projects":[{"id":"p","workspaces":[{"id":"w","packages":[`, separator: ",", tail: "]}]}]}",
		item: func(id string) string { return `{"id":"` + id + `","state":"released"}` },
	}
	before = inUse()
	sink := new(countingSink)
	require.NoError(t, streamPackages(in, sink))
	assert.Equal(t, manyPackages, int(*sink))
	assert.Less(t, in.most, before+bounded)
}

// countingSink counts the packages.
type countingSink int

func (*countingSink) workspace(store.Workspace) error { return nil }

func (s *countingSink) pkg(store.Package) error {
	*s++
	return nil
}
