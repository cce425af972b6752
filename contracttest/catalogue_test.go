package contracttest_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/defects"
)

var update = flag.Bool("update", false, "write internal/defects/defects.md, and the golden files")

const defectsHead = `# Defects that are found

This page lists the broken servers that the engine is tested on, and the check that finds each.

Written by ` + "`go test ./contracttest -run TestDefectsDoc -update`" + `. Each line is one way to break a contract, a
server that breaks it so, and the check that finds it; tests run them. Of the rules of the bookshop that
are left out ("without …") they run one of each kind, and see of the others that some request breaks
that rule alone. ` + "`make test-defects`" + ` sends everything that is planned to each of the bookshop's, over HTTP and
with the default settings: none survives. A warning is what the document and the RFCs leave to the
server ([checks.md](../../../docs/checks.md)).

The servers that keep their documents have no finding with 20 seeds; requests are repeated with one of
them, since they are the same for each. Everything that is planned for the bookshop is 10,181 exchanges,
which take 1.3 seconds on two cores over HTTP, engine and server together
(` + "`go test ./contracttest/internal/defects -run '^$' -bench BenchmarkShop`" + `); a server that hangs costs
a time-out of the operation, or two where its valid request does.

` + "`go run ./contracttest/internal/defects/bookshop --list`" + ` lists the defects of the bookshop, and
` + "`--defect NAME`" + ` serves it with one.

`

// TestDefectsDoc keeps internal/defects/defects.md as the catalogue is.
func TestDefectsDoc(t *testing.T) {
	var b strings.Builder
	b.WriteString(defectsHead)
	severity := func(warning bool) string {
		if warning {
			return "warning"
		}
		return "error"
	}
	cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
	fmt.Fprintf(&b, "## `openapi.yaml`: %d defects\n\n| defect | check | |\n|---|---|---|\n", len(catalogue))
	for _, d := range catalogue {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", cell(d.name), d.check, severity(d.warn))
	}
	all := defects.Catalogue()
	order := map[string]int{}
	for i, d := range all {
		if _, ok := order[d.Class]; !ok {
			order[d.Class] = i
		}
	}
	slices.SortStableFunc(all, func(a, b defects.Defect) int { return order[a.Class] - order[b.Class] })
	fmt.Fprintf(&b, "\n## The bookshop: %d defects\n\nIts document is `contracttest/internal/defects/bookshop.yaml`.\n", len(all))
	class := ""
	for _, d := range all {
		if d.Class != class {
			class = d.Class
			fmt.Fprintf(&b, "\n### %s\n\n| operation | defect | check | |\n|---|---|---|---|\n", strings.ToUpper(class[:1])+class[1:])
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", d.Op, cell(strings.TrimPrefix(d.Name, "without "+d.Op+" ")), d.Check, severity(d.Warning))
	}
	const file = "internal/defects/defects.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	if string(text) != b.String() {
		t.Error(file + " is not what the catalogue says: run the test with -update")
	}
}
