package crud_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

var seeds = flag.Int("seeds", 1, "how many seeds each dress is tried with")

// TestDresses proves that a run has no error to report on a service that
// remembers, however it treats its state; that it leaves alone what is
// somebody's, and leaves nothing behind.
func TestDresses(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(crud.Dresses())) {
		t.Run(name, func(t *testing.T) {
			d := crud.Dresses()[name]
			c, err := contracttest.Parse("crud.yaml", crud.Document(d))
			require.NoError(t, err)
			for seed := range int64(*seeds) {
				s, err := crud.New(d)
				require.NoError(t, err)
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Values("Bearer", crud.Token), contracttest.Seed(seed+1))
				require.NoError(t, err)
				assert.Zero(t, rep.Errors(), "%s", describe(rep))
				assert.True(t, s.Untouched(), "what is somebody's is as it was")
				shown := rep.Coverage.Clauses - rep.Coverage.NotProven - len(rep.Coverage.Unreached)
				assert.Equal(t, []int{1}, s.Left(), "what the run has made is deleted")
				assert.GreaterOrEqual(t, 100*shown, 85*rep.Coverage.Clauses, "clauses that were shown")
				t.Logf("%d of %d clauses shown, %d cases, %d exchanges, left: %d", shown, rep.Coverage.Clauses, rep.Stats.Cases, rep.Stats.Exchanges, len(s.Left()))
				if testing.Verbose() {
					for _, c := range rep.Coverage.ByClause {
						if c.State == "not_proven" || c.State == "unreached" {
							t.Log(c.State, c.Clause)
						}
					}
				}
			}
		})
	}
}

// describe lists the findings of a report.
func describe(rep *contracttest.Report) string {
	var b strings.Builder
	for _, f := range rep.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s (expected %s, seen %s)\n  %s\n", f.Severity, f.Check, f.Clause, f.Message, f.Expected, f.Actual, f.Curl)
	}
	return b.String()
}
