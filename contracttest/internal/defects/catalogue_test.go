package defects_test

import (
	"flag"
	"fmt"
	"maps"
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
	"github.com/dataarts-go/factory/internal/racing"
)

var (
	update = flag.Bool("update", false, "write the list of rules and that of the defects which survive")
	whole  = flag.Int("whole", 0, "send every case of the document to every so many-th defective server, over HTTP")
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
		contracttest.Values("image", "\x89PNG"),
		contracttest.Values("Bearer", defects.Token),
		contracttest.Values("OAuth", defects.Token),
		contracttest.Values("Basic", defects.User+":"+defects.Password),
		contracttest.Values("Key", defects.Key),
		contracttest.Values("QueryKey", defects.Key),
		contracttest.Values("Session", defects.Session),
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
// whatever the seed, that the catalogue names every rule that it applies, and
// that for each of them a request is sent which breaks it alone: a shop without
// that rule would take it.
func TestShop(t *testing.T) {
	contract := load(t)
	var mu sync.Mutex
	heard, alone := map[string]bool{}, map[string]bool{}
	t.Run("seeds", func(t *testing.T) {
		for seed := range int64(20) {
			if !racing.Take(int(seed-1), 20) {
				continue
			}
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				shop := defects.NewShop("")
				opts := known(contracttest.Seed(seed), contracttest.Timeout(5*time.Second))
				if seed != 1 { // what is repeated is the same for every seed
					opts = append(opts, contracttest.Skip("not-repeatable"))
				} else {
					shop.Hear(func(rule string) {
						mu.Lock()
						defer mu.Unlock()
						heard[rule] = true
					}, func(rules []string) {
						mu.Lock()
						defer mu.Unlock()
						if len(rules) == 1 {
							alone[rules[0]] = true
						}
					})
				}
				rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(shop), opts...)
				require.NoError(t, err)
				assert.Empty(t, rep.Findings, "%s", describe(rep))
			})
		}
	})
	golden(t, "rules.txt", "", heard)
	survived := map[string]bool{}
	for rule := range heard {
		if !alone[rule] {
			survived[rule] = true
		}
	}
	golden(t, "testdata/rules-surviving.txt", "# Rules that no request breaks alone yet. Written by the test with -update.\n", survived)
}

// golden compares a set of names with those in a file.
func golden(t *testing.T, file, head string, names map[string]bool) {
	t.Helper()
	text := head + strings.Join(append(slices.Sorted(maps.Keys(names)), ""), "\n")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), text, "run the test with -update if that is as it should be")
}

// TestCatalogue proves that the engine finds every defect, by the check that is
// meant to. Of the rules that the shop may do without it takes the first of each
// kind: TestShop is about them all.
func TestCatalogue(t *testing.T) {
	contract := load(t)
	var mu sync.Mutex
	survived := map[string]bool{}
	tried, slow, slowest := 0, "", time.Duration(0)
	all := defects.Catalogue()
	require.Greater(t, len(all), 150)
	t.Run("defects", func(t *testing.T) {
		names, kinds := map[string]bool{}, map[string]bool{}
		for i, d := range all {
			name := d.Op + ": " + d.Name
			require.False(t, names[name], "two defects are called %q", name)
			names[name] = true
			require.NotEmpty(t, d.Check, name)
			if *whole > 0 && i%*whole != 0 {
				continue
			}
			if d.Rule != "" && *whole == 0 {
				kind := d.Rule[strings.LastIndexByte(d.Rule, ' '):]
				if kinds[kind] {
					continue
				}
				kinds[kind] = true
			}
			if !racing.Take(i, 150) {
				continue
			}
			tried++
			t.Run(name, func(t *testing.T) {
				if *whole == 0 {
					t.Parallel()
				}
				start := time.Now()
				rep := judged(t, contract, &d)
				mu.Lock()
				defer mu.Unlock()
				if took := time.Since(start); took > slowest {
					slowest, slow = took, name
				}
				if !killed(rep, &d) {
					t.Logf("%s: no finding of %s (warning: %v) among:\n%s", name, d.Check, d.Warning, describe(rep))
					survived[name] = true
				}
			})
		}
	})
	t.Logf("%d of %d defects survive; the slowest run is that of %s, in %s", len(survived), tried, slow, slowest.Round(time.Millisecond))
	if *whole > 0 {
		assert.Empty(t, survived, "defects that survive")
		return
	}
	if !racing.Sampled() {
		golden(t, "testdata/surviving.txt", "# Defects that the engine does not find yet, by operation and name. Written by the test with -update.\n", survived)
	}
}

func killed(rep *contracttest.Report, d *defects.Defect) bool {
	want := report.Error
	if d.Warning {
		want = report.Warning
	}
	return slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Check == d.Check && f.Severity == want })
}

// judged runs the cases of the defect's operation, over HTTP where that makes a
// difference.
func judged(t *testing.T, contract *contracttest.Contract, d *defects.Defect) *contracttest.Report {
	t.Helper()
	opts := known()
	if *whole > 0 {
		opts = append(opts, contracttest.Timeout(5*time.Second)) // the default
	} else {
		opts = append(opts, contracttest.Only(d.Op), contracttest.Cases(0))
	}
	target := contracttest.Handler(d.Server())
	if *whole > 0 || d.Class == "robustness" || d.Class == "state" {
		srv := defects.Listen(d.Server())
		defer srv.Close()
		defer srv.CloseClientConnections()
		target = contracttest.URL(srv.URL)
	}
	rep, err := contracttest.Run(t.Context(), contract, target, opts...)
	require.NoError(t, err)
	return rep
}

// BenchmarkShop runs everything that is planned for the bookshop's document, over
// HTTP.
func BenchmarkShop(b *testing.B) {
	contract := load(b)
	exchanges := 0
	for b.Loop() {
		srv := defects.Listen(defects.NewShop(""))
		rep, err := contracttest.Run(b.Context(), contract, contracttest.URL(srv.URL), known()...)
		require.NoError(b, err)
		exchanges = rep.Stats.Exchanges
		srv.Close()
	}
	b.ReportMetric(float64(exchanges), "exchanges/run")
}
