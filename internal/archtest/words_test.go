package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWords proves that the words which docs/architecture.md retires do not come back in
// what people read: the documentation, the reports and the messages of the commands.
func TestWords(t *testing.T) {
	architecture, err := os.ReadFile("../../docs/architecture.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(architecture), "| not | but |\n|---|---|\n")
	require.True(t, ok)
	var retired []string
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			retired = append(retired, strings.TrimSpace(cells[1]))
		}
	}
	require.NotEmpty(t, retired)
	look := func(where, text string) {
		for _, word := range retired {
			assert.NotContains(t, strings.ReplaceAll(text, "`"+word+"`", ""), word, "%s", where)
		}
	}
	for _, pattern := range []string{"README.md", "docs/*.md", "contracttest/report/html/*"} {
		files, err := filepath.Glob("../../" + pattern)
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			switch filepath.Base(file) {
			case "architecture.md":
				data = []byte(strings.ReplaceAll(string(data), table, ""))
			case "page.js":
				data = []byte(strings.ReplaceAll(string(data), `"unreached"`, "")) // a value of JSON
			}
			look(file, string(data))
		}
	}
	for _, dir := range []string{"contracttest/report", "contracttest/internal/run", "cmd/contracttest"} {
		files, err := filepath.Glob("../../" + dir + "/*.go")
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(tree, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				if text != "unreached" && !strings.HasPrefix(text, "json:") { // a value of JSON, and its name
					look(file, text)
				}
				return true
			})
		}
	}
}
