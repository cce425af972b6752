package judge_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

var update = flag.Bool("update", false, "write docs/checks.md")

const docsHead = `# Checks

Written by ` + "`go test ./contracttest/internal/judge -run TestDocs -update`" + ` from the checks' own declarations.

A finding is an **error** where the contract is broken, and a **warning** where the document and the
RFCs leave it to the server. Errors make the exit status 1, warnings only with ` + "`--fail-on warning`" + `.
Every check is switched off by its name, ` + "`--skip NAME`" + `, or run alone, ` + "`--only NAME`" + `.

`

const leaveHead = `
## What is left to the server

A case that a server may take or refuse is sent all the same: it may still answer 500, leak or hang.
But whether it is taken is a warning at most, with one of these reasons. So is what no sentence forbids in
an answer.

| the document or the RFC | reason |
|---|---|
`

// TestDocs keeps docs/checks.md as the checks, and the rules about what is left
// to the receiver, are declared.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	for _, c := range judge.All() {
		require.NotEmpty(t, c.Doc, c.Name)
		require.NotEmpty(t, c.Refs, c.Name)
		severity := "error"
		if c.Severity != "" {
			severity += "; " + c.Severity
		}
		fmt.Fprintf(&b, "## `%s`\n\n%s\n\n- Severity: %s.\n", c.Name, c.Doc, severity)
		if c.Silent != "" {
			fmt.Fprintf(&b, "- Silent: %s\n", c.Silent)
		}
		fmt.Fprintf(&b, "- Rule: %s.\n- Off: `--skip %s`\n\n", c.Refs, c.Name)
	}
	b.WriteString(strings.TrimPrefix(leaveHead, "\n"))
	for _, reason := range left(t) {
		where, why, ok := strings.Cut(reason, ": ")
		if !ok {
			where, why = "", reason
		}
		fmt.Fprintf(&b, "| %s | %s |\n", where, why)
	}
	const file = "../../../docs/checks.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(text), b.String(), "run the test with -update")
}

// left lists the constants that say why something is left to the receiver.
func left(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, room := range []string{"schema", "codec", "contract", "value", "plan", "judge"} {
		files, err := filepath.Glob("../" + room + "/*.go")
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			require.NoError(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok {
					return true
				}
				for i, name := range spec.Names {
					if !strings.HasPrefix(name.Name, "leave") || i >= len(spec.Values) {
						continue
					}
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						text, err := strconv.Unquote(lit.Value)
						require.NoError(t, err)
						all = append(all, text)
					}
				}
				return true
			})
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
