package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// applicators are the fields in which a node of a schema holds the schemas of a keyword.
var applicators = map[string]bool{
	"Props": true, "PrefixItems": true, "Items": true, "Additional": true, "AllOf": true, "OneOf": true, "AnyOf": true, "Not": true,
	"PatternProps": true, "DependentSchemas": true, "PropertyNames": true, "Contains": true, "If": true, "Then": true, "Else": true,
	"UnevaluatedProps": true, "UnevaluatedItems": true,
}

// TestApplicators proves that the keywords which apply subschemas are known to package
// schema alone: what others need to know of them, they ask it.
func TestApplicators(t *testing.T) {
	root := filepath.FromSlash("../../contracttest/internal")
	may := map[string]string{
		"document": "it resolves and mends the schemas of the loader, before there are nodes",
		"schema":   "it has the table",
		"value":    "a search for a value chooses what each keyword leaves open",
		"world":    "it looks for the names of components in the schemas of the loader",
		"run":      "a reference may stand in a list",
	}
	seen := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, err)
		pkg, _, _ := strings.Cut(filepath.ToSlash(dir), "/")
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		require.NoError(t, err)
		for _, found := range named(fset, file) {
			seen[pkg] = true
			assert.NotEmpty(t, may[pkg], "%s: ask package schema", found)
		}
		return nil
	}))
	for pkg := range may {
		assert.True(t, seen[pkg], "%s names no applicator any more: take it off the list", pkg)
	}
}

// named lists where a file names applicators of something that is no package.
func named(fset *token.FileSet, file *ast.File) []string {
	imported := map[string]bool{}
	for _, i := range file.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		imported[path[strings.LastIndexByte(path, '/')+1:]] = true
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || !applicators[sel.Sel.Name] {
			return true
		}
		if of, ok := sel.X.(*ast.Ident); ok && imported[of.Name] {
			return true
		}
		all = append(all, fmt.Sprintf("%s names %s", fset.Position(sel.Pos()), sel.Sel.Name))
		return true
	})
	return all
}
