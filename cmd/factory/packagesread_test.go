package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

// collected is a sink that keeps all it is given.
type collected struct {
	workspaces []store.Workspace
	packages   []store.Package
}

func (c *collected) workspace(w store.Workspace) error {
	c.workspaces = append(c.workspaces, w)
	return nil
}

func (c *collected) pkg(p store.Package) error {
	c.packages = append(c.packages, p)
	return nil
}

var streamedFiles = []string{
	packagesFileForm,
	"projects: []", "projects:", "---\nprojects: ~\n", "\ufeffprojects: []\r\n",
	"projects:\n- id: 012\n  workspaces:\n  # w\n  - id: w # x\n\n    packages:\n    - id: 1\n      state:\n        released\n    - {id: 2,\n       state: pending}\n    -\n      id: 3\n    - \"id\": 4\n  - id: v\n    packages: [{id: 1}, {id: 2}]\n- id: q\n",
	"projects:\n  - id: |\n      p\n      # no comment\n    default_workspace: >-\n      a\n\n      b\n",
	"projects:\n  [{id: p, default_workspace: w}]\n",
	`{"projects": [{"id": 12, "default_workspace": null, "workspaces": [{"id": "w", "packages": [{"id": true}, {"id": "2", "state": "cancelled"}]}]}]}`,
	"\n\n{\"projects\": null}\n", "{}",
	// Items as packages export writes them, and some that only look alike.
	streamedHead + "    - {id: \"1\", state: pending}\n    - {id: \"é, }\", state: released}\n    - {id: \" # x\", state: cancelled}\r\n" +
		"     # a comment\n\n    - {id: \"a\\tb\", state: pending}\n    - {id: \"a\tb\", state: pending}\n    - {id: \"c\", state: pending} # a comment\n" +
		"    - {id: \"\\\"\", state: \"pending\"}\n    - {id: \"d\", state: pending, }\n    - {id: \"e\", state: null}\n    - {id: \"f\", state: pending}",
}

const streamedHead = "projects:\n- id: p\n  workspaces:\n  - id: w\n    packages:\n"

// sameAsWhole fails unless what is read piece by piece is what YAML says.
func sameAsWhole(t *testing.T, content string, got *collected) {
	t.Helper()
	file, err := parsePackages(strings.NewReader(content))
	if err != nil {
		// A package that is there twice is only seen in a file that is read whole.
		require.ErrorContains(t, err, "is there twice", content)
		return
	}
	assert.ElementsMatch(t, file.workspaces(), got.workspaces, content)
	var want []store.Package
	for p, err := range file.packages() {
		require.NoError(t, err)
		want = append(want, p)
	}
	assert.Equal(t, want, got.packages, content)
}

func TestStreamPackages(t *testing.T) {
	example, err := os.ReadFile("testdata/packages.yaml")
	require.NoError(t, err)
	for _, content := range append(slices.Clone(streamedFiles), string(example)) {
		got := &collected{}
		require.NoError(t, streamPackages(strings.NewReader(content), got), content)
		sameAsWhole(t, content, got)
	}
}

// counted counts the transactions that add packages.
type counted struct {
	store.Store
	n int
}

func (c *counted) Add(ctx context.Context, packages iter.Seq2[store.Package, error]) (int, error) {
	c.n++
	return c.Store.Add(ctx, packages)
}

// A transaction waits for the disk, so it has many packages; and of two with the same
// ID the first one counts.
func TestAddManyAtOnce(t *testing.T) {
	st := &counted{Store: store.NewMemory()}
	a := &adder{ctx: t.Context(), store: st}
	var b strings.Builder
	b.WriteString(streamedHead)
	for i := range 25_000 {
		fmt.Fprintf(&b, "    - {id: \"%d\", state: %s}\n", 7*i%24_000, [...]store.State{store.Released, store.Pending}[i/24_000])
	}
	require.NoError(t, a.file("f", strings.NewReader(b.String())))
	assert.Equal(t, 3, st.n)
	assert.Equal(t, 25_000, a.given)
	assert.Equal(t, 24_000, a.added)
	for p, err := range st.List(t.Context(), "p", "w") {
		require.NoError(t, err)
		require.Equal(t, store.Released, p.State, p.ID)
	}
}

// A bad file is refused with its name and line.
func TestAddBadFile(t *testing.T) {
	const head, jsonHead = "projects:\n- id: p\n  workspaces:\n  - id: w\n    packages:\n", "{\"projects\":[{\"id\":\"p\",\"workspaces\":[{\"id\":\"w\",\"packages\":[\n"
	dir := t.TempDir()
	file, db := filepath.Join(dir, "f"), "sqlite:"+filepath.Join(dir, "f.db")
	for content, want := range map[string]string{
		"":                                     "it is empty, want projects",
		"# nothing\n":                          "it is empty, want projects",
		"- id: p":                              "line 1: did not expect !!seq, want fields",
		"projects: x":                          "line 1: did not expect !!str, want a list",
		"a: 1":                                 `line 1: unknown field "a": want projects`,
		"projects: []\nprojects: []":           "line 2: field projects is there twice",
		"projects: []\n---\nprojects: []":      "line 2: it holds a second YAML document",
		"projects: []\n# \xff":                 "line 2: a character that YAML does not allow",
		"projects: []\n# \x01":                 "line 2: a character that YAML does not allow",
		"projects:\n- id: [p]":                 "line 2: want a text",
		"projects:\n- workspaces: []":          "line 2: a project has no id",
		"projects:\n- id: p\n- id: p":          `line 3: project "p" is there twice`,
		"projects:\n- id: p\n   x: 1":          "line 3: mapping values are not allowed",
		"projects:\n- id: p\n # \u2028- id: q": "line 3: a line ends otherwise",
		head + "    - {id: 1}\n    - {id: 1, state: done}\n":  `line 7: state "done" of package "1": want pending`,
		head + "    - {id: 1}\n    - {id: \n":                 "line 7: did not find expected node content",
		head + "    - {id: \"1\", state: pending}\n      x\n": "line 7: it is indented by more than the lines before",
		head + "    - {id: \"1\", state: done}\n":             `line 6: state "done" of package "1": want pending`,
		head + "    - {id: \"\", state: pending}\n":           "line 6: package: invalid name: it is empty",
		head + "    - {id: 1, status: x}\n":                   `line 6: unknown field "status": want id or state`,
		head + "    - {state: pending}\n":                     "line 6: a package has no id",
		head + "    - {id: ''}\n":                             "line 6: package: invalid name: it is empty",
		head + "    - &a {id: 1}\n    - *a\n":                 "line 7: unknown anchor 'a' referenced",
		head + strings.Repeat("    - {id: 1}\n", 3) + "    - {id: " + strings.Repeat("x", maxPiece) + "}\n": "line 9: more than 1048576 bytes in one piece",
		"{":                      "line 1: unexpected EOF",
		"{\"projects\": []}\n{}": "line 2: did not expect {",
		"{\"projects\": [1]}":    "line 1: did not expect 1, want fields",
		jsonHead + "{\"id\":\"1\"},\n{\"state\":1}]}":             `line 3: a package has no id`,
		jsonHead + "{\"id\":\"1\"},\n\n{\"id\" 1}":                `line 4: invalid character '1' after object key`,
		jsonHead + "{\"id\":\"\xff\"}":                            "it is not UTF-8",
		jsonHead + "{\"id\":\"" + strings.Repeat("x", 2*maxPiece): "more than 1048576 bytes in one piece",
	} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		code, stdout, stderr := do(t, "packages", "add", "--db", db, "--file", file)
		assert.Equal(t, 2, code, want)
		assert.Empty(t, stdout, want)
		text, ok := strings.CutPrefix(stderr, "factory: packages file "+file+": ")
		assert.True(t, ok, stderr)
		assert.Contains(t, text, want)
		assert.Less(t, len(text), 300)
	}
}

// What is read piece by piece is never something else than YAML says.
func FuzzStreamPackages(f *testing.F) {
	for _, content := range streamedFiles {
		f.Add(content)
	}
	for _, tt := range badPackagesFiles {
		f.Add(tt.content)
	}
	f.Add("\r\ufeffprojects:")
	f.Fuzz(func(t *testing.T, content string) {
		got := &collected{}
		if err := streamPackages(strings.NewReader(content), got); err != nil {
			assert.NotEmpty(t, err.Error())
		} else if !strings.HasPrefix(strings.TrimLeft(content, "\r\n"), "{") { // JSON has escapes of its own
			sameAsWhole(t, content, got)
		}
	})
}
