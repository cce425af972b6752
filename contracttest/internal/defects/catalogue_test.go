package defects_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/defects"
	"github.com/dataarts-go/factory/contracttest/report"
)

var (
	update = flag.Bool("update", false, "write the list of rules and that of the defects which survive")
	whole  = flag.Bool("whole", false, "send every case of the document to every defective server, over HTTP")
)

func load(t testing.TB) *contracttest.Contract {
	t.Helper()
	contract, err := contracttest.Parse("bookshop.yaml", defects.Document)
	require.NoError(t, err)
	return contract
}

// known is what somebody has to say of the shop who tests it.
func known(more ...contracttest.Option) []contracttest.Option {
	return append([]contracttest.Option{
		contracttest.Values("bookId", defects.Books...),
		contracttest.Header("Authorization", "Bearer "+defects.Token),
		contracttest.Header("X-Api-Key", defects.Key),
		contracttest.Header("Cookie", "session="+defects.Session),
		contracttest.Timeout(time.Second),
	}, more...)
}

func describe(rep *contracttest.Report) string {
	var b strings.Builder
	for _, f := range rep.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s (%d) %s\n", f.Severity, f.Check, f.Clause, f.Message, f.Count, f.Case.ID)
	}
	return b.String()
}

// TestShop proves that the shop which keeps its document has no finding,
// whatever the seed, and that the catalogue names every rule that it applies.
func TestShop(t *testing.T) {
	contract := load(t)
	var mu sync.Mutex
	heard := map[string]bool{}
	t.Run("seeds", func(t *testing.T) {
		for seed := range int64(20) {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				shop := defects.NewShop("")
				shop.Rules(func(rule string) {
					mu.Lock()
					defer mu.Unlock()
					heard[rule] = true
				})
				rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(shop), known(contracttest.Seed(seed), contracttest.Timeout(5*time.Second))...)
				require.NoError(t, err)
				assert.Empty(t, rep.Findings, "%s", describe(rep))
			})
		}
	})
	var rules []string
	for rule := range heard {
		rules = append(rules, rule+"\n")
	}
	slices.Sort(rules)
	text := strings.Join(rules, "")
	if *update {
		require.NoError(t, os.WriteFile("rules.txt", []byte(text), 0o600))
	}
	want, err := os.ReadFile("rules.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), text, "the shop applies other rules than those listed: run the test with -update")
}

// surviving reads the defects that the engine does not find yet.
func surviving(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("testdata/surviving.txt")
	require.NoError(t, err)
	all := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all[line] = true
		}
	}
	return all
}

const survivingHead = `# Defects that the engine does not find yet, by operation and name. Written by the test with -update.
`

// TestCatalogue proves that the engine finds every defect, by the check that is
// meant to.
func TestCatalogue(t *testing.T) {
	contract := load(t)
	expected := surviving(t)
	var mu sync.Mutex
	survived := []string{}
	all := defects.Catalogue()
	require.Greater(t, len(all), 150)
	t.Run("defects", func(t *testing.T) {
		names := map[string]bool{}
		for _, d := range all {
			name := d.Op + ": " + d.Name
			require.False(t, names[name], "two defects are called %q", name)
			names[name] = true
			require.NotEmpty(t, d.Check, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				rep := judged(t, contract, &d)
				if killed(rep, &d) {
					if expected[name] {
						t.Log("is found now: run the test with -update")
					}
					return
				}
				mu.Lock()
				survived = append(survived, name+"\n")
				mu.Unlock()
				if !expected[name] && !*update {
					t.Errorf("no finding of %s (warning: %v) among:\n%s", d.Check, d.Warning, describe(rep))
				}
			})
		}
	})
	slices.Sort(survived)
	t.Logf("%d of %d defects are found", len(all)-len(survived), len(all))
	if *update {
		require.NoError(t, os.WriteFile("testdata/surviving.txt", []byte(survivingHead+strings.Join(survived, "")), 0o600))
	}
}

func killed(rep *contracttest.Report, d *defects.Defect) bool {
	want := report.Error
	if d.Warning {
		want = report.Warning
	}
	return slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Check == d.Check && f.Severity == want })
}

// judged runs the cases of the defect's operation. Where the defect is a rule
// that is left out, a connection adds nothing.
func judged(t *testing.T, contract *contracttest.Contract, d *defects.Defect) *contracttest.Report {
	t.Helper()
	opts := known()
	if !*whole {
		opts = append(opts, contracttest.Only(d.Op))
	}
	target := contracttest.Handler(d.Server())
	if d.Wrap != nil || *whole {
		srv := defects.Listen(d.Server())
		defer srv.Close()
		defer srv.CloseClientConnections()
		target = contracttest.URL(srv.URL)
	}
	rep, err := contracttest.Run(t.Context(), contract, target, opts...)
	require.NoError(t, err)
	return rep
}
