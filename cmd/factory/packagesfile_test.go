package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

func TestPackagesFile(t *testing.T) {
	file, err := parsePackages(strings.NewReader(`
projects:
  - id: 012            # a number is the text that was written
    default_workspace: empty
    workspaces:
      - id: dev
        packages: [{id: 2024-01-01}, {id: "x", state: released}, &a {id: yes, state: cancelled}]
      - id: test
        packages: [*a]
  - id: p
    default_workspace: ~
`))
	require.NoError(t, err)
	assert.Equal(t, []store.Workspace{
		{ProjectID: "012", ID: "empty", Default: true},
		{ProjectID: "012", ID: "dev"},
		{ProjectID: "012", ID: "test"},
	}, file.workspaces())
	var got []store.Package
	for p, err := range file.packages() {
		require.NoError(t, err)
		got = append(got, p)
	}
	assert.Equal(t, []store.Package{
		{ID: "2024-01-01", ProjectID: "012", Workspace: "dev"},
		{ID: "x", ProjectID: "012", Workspace: "dev", State: store.Released},
		{ID: "yes", ProjectID: "012", Workspace: "dev", State: store.Cancelled},
		{ID: "yes", ProjectID: "012", Workspace: "test", State: store.Cancelled},
	}, got)
	for _, err := range file.packages() {
		require.NoError(t, err)
		break // a reader may stop early
	}
}

// The form that the help shows is one that is read.
func TestPackagesFileForm(t *testing.T) {
	file, err := parsePackages(strings.NewReader(packagesFileForm))
	require.NoError(t, err)
	assert.Len(t, file.workspaces(), 2)
}

var badPackagesFiles = []struct{ name, content, want string }{
	{"empty", "", "it is empty, want projects"},
	{"a comment", "# nothing", "it is empty, want projects"},
	{"not YAML", "projects: [", "line 1: did not find expected node content"},
	{"a list", "- id: p", "line 1: did not expect !!seq"},
	{"unknown field", "projects:\n- id: p\n  name: x", `line 3: unknown field "name": want default_workspace, id or workspaces`},
	{"unknown field of a package", "projects:\n- id: p\n  workspaces:\n  - id: w\n    packages:\n    - id: 1\n      status: pending", `line 7: unknown field "status": want id or state`},
	{"two faults", "a: 1\nb: 2", `line 1: unknown field "a": want projects; line 2: unknown field "b": want projects`},
	{"field twice", "projects: []\nprojects: []", `line 2: mapping key "projects" already defined at line 1`},
	{"two documents", "projects: []\n---\nprojects: []", "it holds a second YAML document"},
	{"a broken second document", "projects: []\n---\n[", "did not find expected node content"},
	{"list for a text", "projects:\n- id: [p]", "line 2: want a text"},
	{"null for an id", "projects:\n- id: ~", "project 1 has no id"},
	{"project without id", "projects:\n- workspaces: []", "project 1 has no id"},
	{"workspace without id", "projects:\n- {id: p, workspaces: [{id: w}, {packages: []}]}", `workspace 2 of project "p" has no id`},
	{"package without id", "projects:\n- {id: p, workspaces: [{id: w, packages: [{state: pending}]}]}", `package 1 of workspace "w" of project "p" has no id`},
	{"empty id", "projects:\n- id: ''", "line 2: project: invalid name: it is empty"},
	{"empty default", "projects:\n- id: p\n  default_workspace: ''", "line 3: default workspace: invalid name: it is empty"},
	{"NUL", "projects:\n- id: \"a\\0\"", "line 2: project: invalid name"},
	{"project twice", "projects:\n- id: p\n- id: p", `line 3: project "p" is there twice`},
	{"workspace twice", "projects:\n- id: p\n  workspaces:\n  - id: w\n  - id: w", `line 5: workspace "w" is there twice`},
	{"package twice", "projects:\n- id: p\n  workspaces:\n  - id: w\n    packages:\n    - id: 1\n    - id: '1'", `line 7: package "1" is there twice`},
	{"unknown state", "projects:\n- id: p\n  workspaces:\n  - id: w\n    packages:\n    - id: 1\n      state: done", `line 7: state "done" of package "1": want pending, released or cancelled`},
}

func TestBadPackagesFile(t *testing.T) {
	for _, tt := range badPackagesFiles {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "packages.yaml")
			require.NoError(t, os.WriteFile(name, []byte(tt.content), 0o600))
			// An address that cannot be listened on, in case the file is taken.
			code, stdout, stderr := do(t, "serve", "--listen", "127.0.0.1:99999", "--db", "sqlite:"+filepath.Join(dir, "f.db"), "--packages", name)
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			text, ok := strings.CutPrefix(stderr, "factory: packages file "+name+": ")
			assert.True(t, ok, stderr)
			assert.Contains(t, text, tt.want)
			assert.Equal(t, 1, strings.Count(text, "\n"), text)
			for _, internal := range []string{"main.", "struct", "yaml:", " into ", "in type"} {
				assert.NotContains(t, text, internal)
			}
		})
	}
	code, _, stderr := do(t, "serve", "--db", "sqlite:"+filepath.Join(t.TempDir(), "f.db"), "--packages", "nowhere.yaml")
	assert.Equal(t, 2, code)
	assert.Equal(t, "factory: packages file: open nowhere.yaml: no such file or directory\n", stderr)
}

// Whatever the parser takes, the store takes, and twice is once.
func FuzzPackagesFile(f *testing.F) {
	example, err := os.ReadFile("testdata/packages.yaml")
	require.NoError(f, err)
	f.Add(string(example))
	for _, tt := range badPackagesFiles {
		f.Add(tt.content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		file, err := parsePackages(strings.NewReader(content))
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		s := store.NewMemory()
		for _, w := range file.workspaces() {
			require.NoError(t, s.PutWorkspace(t.Context(), w))
		}
		_, err = s.Add(t.Context(), file.packages())
		require.NoError(t, err)
		added, err := s.Add(t.Context(), file.packages())
		require.NoError(t, err)
		assert.Zero(t, added)
	})
}
