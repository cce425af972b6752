package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/dataarts-go/factory/"

// The libraries that only the serving side, or only the engine, may bring in.
const (
	echo    = "github.com/labstack/echo/..."
	openAPI = "github.com/getkin/kin-openapi/..."
	sqlite  = "modernc.org/sqlite/..."
	pgx     = "github.com/jackc/pgx/..."
	goose   = "github.com/pressly/goose/..."
	metrics = "github.com/prometheus/..."
)

// rule forbids packages of this module to link others, be it through a third.
// A name that ends in /... stands for a package and all below it.
type rule struct {
	from, never []string
	why         string
}

var rules = []rule{
	{
		from:  []string{module + "contracttest/...", module + "cmd/contracttest/..."},
		never: []string{module + "client/...", module + "server/...", module + "gen/..."},
		why:   "the engine knows no API",
	},
	{
		from:  []string{module + "client/...", module + "gen"},
		never: []string{module + "server/...", module + "gen/server/...", module + "contracttest/...", echo, openAPI, sqlite, pgx, goose, metrics},
		why:   "who imports the client does not link a server",
	},
	{
		from:  []string{module + "contracttest/...", module + "cmd/contracttest/..."},
		never: []string{echo, sqlite, pgx, goose, metrics},
		why:   "the engine needs no server and no database",
	},
	{
		from:  []string{module + "server/..."},
		never: []string{module + "contracttest/...", module + "client/...", metrics},
		why:   "the server is judged by the engine, and does not know it",
	},
	{
		from:  []string{module + "internal/..."},
		never: []string{module + "client/...", module + "server/...", module + "contracttest/..."},
		why:   "what two packages share imports neither",
	},
}

// stages are the rooms of the engine in the order of its flow; none imports a
// later one. The wire and the patterns are below the flow: HTTP messages and
// regular expressions, whatever they are for.
var stages = [][]string{{"wire", "pattern", "match"}, {"document"}, {"schema"}, {"codec"}, {"contract"}, {"world"}, {"value"}, {"plan"}, {"send"}, {"judge"}, {"secret", "refusal", "unique"}, {"chain"}, {"mock"}, {"coverage", "baseline", "amend"}, {"run"}, {"traffic"}, {"proxy"}}

// listed is what the go command says of a package. Deps leaves out what only
// its tests import.
type listed struct {
	ImportPath, Name, Dir string
	Deps                  []string
}

func TestImportDirections(t *testing.T) {
	packages := list(t)
	for _, v := range violations(slices.Concat(rules, flow()), packages) {
		t.Error(v)
	}
	for _, want := range []string{"client", "server", "contracttest", "cmd/factory", "cmd/contracttest", "gen", "gen/server"} {
		assert.True(t, slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == module+want }),
			"no package %s: the rules above name packages that are not there", want)
	}
	for _, room := range slices.Concat(stages...) {
		assert.True(t, slices.ContainsFunc(packages, func(p listed) bool { return within(p.ImportPath, stage(room)) }),
			"no package %s: name the stages of the flow as they are", stage(room))
	}
}

// Whoever opens a folder reads in its doc.go what it is for, with an example.
func TestPagesOfPackages(t *testing.T) {
	for _, p := range list(t) {
		if p.Name == "main" || strings.Contains(p.ImportPath, "/examples/") {
			continue // its usage is its page, and an example is one itself
		}
		page, err := os.ReadFile(filepath.Join(p.Dir, "doc.go"))
		if !assert.NoError(t, err, "%s needs a doc.go", p.ImportPath) {
			continue
		}
		about, _, _ := bytes.Cut(page, []byte("\npackage "))
		assert.Contains(t, string(about), "// Package "+p.Name+" ", p.ImportPath)
		assert.Contains(t, string(about), "\n//\n//\t", "%s: the page has no example", p.ImportPath)
	}
}

// Who imports the client gets little with it: packages outside the standard
// library, which has no dot in the first element of its paths, are few.
func TestClientIsSmall(t *testing.T) {
	const most = 15
	packages := list(t)
	i := slices.IndexFunc(packages, func(p listed) bool { return p.ImportPath == module+"client" })
	require.GreaterOrEqual(t, i, 0)
	var outside []string
	for _, dep := range packages[i].Deps {
		if host, _, _ := strings.Cut(dep, "/"); strings.Contains(host, ".") {
			outside = append(outside, dep)
		}
	}
	assert.NotEmpty(t, outside)
	assert.LessOrEqual(t, len(outside)+1, most, "%q", outside)
}

// Each rule must be able to fail.
func TestViolationsAreReported(t *testing.T) {
	tests := []struct{ from, to string }{
		{"contracttest", module + "client"},
		{"contracttest/internal/judge", module + "server"},
		{"contracttest/report", module + "gen"},
		{"cmd/contracttest", module + "gen/server"},
		{"client", module + "server/store"},
		{"client", module + "gen/server"},
		{"client", "github.com/labstack/echo/v4"},
		{"client", "github.com/getkin/kin-openapi/openapi3"},
		{"gen", "github.com/getkin/kin-openapi/openapi3"},
		{"client", "modernc.org/sqlite"},
		{"client", "github.com/jackc/pgx/v5/stdlib"},
		{"client", "github.com/pressly/goose/v3"},
		{"server/servertest", "github.com/prometheus/client_golang/prometheus"},
		{"contracttest", "github.com/jackc/pgx/v5"},
		{"server/store", module + "contracttest"},
		{"server", module + "client"},
		{"internal/mediatype", module + "contracttest/report"},
		{"contracttest/internal/document", stage("schema")},
		{"contracttest/internal/schema", stage("codec")},
		{"contracttest/internal/codec", stage("contract")},
		{"contracttest/internal/contract", stage("world")},
		{"contracttest/internal/world", stage("run")},
		{"contracttest/internal/plan", stage("judge")},
		{"contracttest/internal/judge", stage("coverage")},
	}
	all := slices.Concat(rules, flow())
	for _, tt := range tests {
		t.Run(tt.from+" imports "+tt.to, func(t *testing.T) {
			got := violations(all, []listed{{ImportPath: module + tt.from, Deps: []string{"net/http", tt.to}}})
			require.Len(t, got, 1)
			assert.Contains(t, got[0], module+tt.from+" links "+tt.to)
		})
	}
}

func TestAllowedImportsAreNotReported(t *testing.T) {
	allowed := []listed{
		{ImportPath: module + "client", Deps: []string{module + "gen", module + "internal/mediatype"}},
		{ImportPath: module + "server", Deps: []string{module + "gen/server", module + "server/store", "github.com/labstack/echo/v4"}},
		{ImportPath: module + "contracttest", Deps: []string{"github.com/getkin/kin-openapi/openapi3", stage("judge")}},
		{ImportPath: stage("judge"), Deps: []string{stage("wire"), stage("contract")}},
		{ImportPath: module + "clientele", Deps: []string{module + "server"}},
	}
	assert.Empty(t, violations(slices.Concat(rules, flow()), allowed))
}

// flow makes a rule of each stage of the engine.
func flow() []rule {
	var made []rule
	for i, rooms := range stages[:len(stages)-1] {
		made = append(made, rule{
			from:  all(rooms),
			never: all(slices.Concat(stages[i+1:]...)),
			why:   "the flow of the engine has no way back",
		})
	}
	return made
}

func stage(room string) string { return module + "contracttest/internal/" + room }

func all(rooms []string) []string {
	patterns := make([]string, len(rooms))
	for i, room := range rooms {
		patterns[i] = stage(room) + "/..."
	}
	return patterns
}

// violations returns a sentence for each package and each import of it that a
// rule forbids.
func violations(rules []rule, packages []listed) []string {
	var found []string
	for _, r := range rules {
		for _, p := range packages {
			if !matches(r.from, p.ImportPath) {
				continue
			}
			for _, dep := range p.Deps {
				if matches(r.never, dep) {
					found = append(found, fmt.Sprintf("%s links %s: %s (go list -deps %[1]s)", p.ImportPath, dep, r.why))
				}
			}
		}
	}
	return found
}

func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
			return within(path, tree)
		}
		return path == pattern
	})
}

func within(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

func list(t *testing.T) []listed {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Dir,Deps", "./...")
	cmd.Dir, cmd.Stderr = "../..", &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go list: %s", &stderr)

	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages = append(packages, p)
	}
}
