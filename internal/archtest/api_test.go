package archtest

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestAPI holds the exported names of the packages that users import against
// what was agreed: a change of these files needs a line in CHANGELOG.md.
func TestAPI(t *testing.T) {
	for _, dir := range []string{"client", "contracttest", "contracttest/config", "contracttest/report", "server", "server/servertest", "server/store", "server/store/storetest"} {
		t.Run(dir, func(t *testing.T) {
			golden := filepath.Join("testdata", "api", strings.ReplaceAll(dir, "/", "-")+".txt")
			got := exported(t, filepath.Join("../..", dir))
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o750))
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got, "the exported API has changed: if that is meant, say so in CHANGELOG.md and run go test ./internal/archtest -update")
		})
	}
}

// exported prints the exported declarations of a package without comments and
// bodies, in order of their text.
func exported(t *testing.T, dir string) string {
	t.Helper()
	fset := token.NewFileSet()
	var decls []string
	files, err := fs.Glob(os.DirFS(dir), "*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, 0)
		require.NoError(t, err)
		ast.FileExports(file)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				if f.Body = nil; !ofExported(f) {
					continue
				}
			}
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
				continue
			}
			var b bytes.Buffer
			require.NoError(t, printer.Fprint(&b, fset, decl))
			decls = append(decls, b.String())
		}
	}
	slices.Sort(decls)
	return strings.Join(decls, "\n") + "\n"
}

// ofExported reports whether a function is none of an unexported type's.
func ofExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	name, ok := typ.(*ast.Ident)
	return ok && name.IsExported()
}
