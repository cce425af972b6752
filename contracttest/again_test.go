package contracttest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

// TestAgain proves that what is found is found again by its case and check alone.
func TestAgain(t *testing.T) {
	for i, d := range catalogue {
		if i%18 != 0 || !racing.Take(i/18, 5) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			h := d.wrap(correct(t))
			rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), known(contracttest.Cases(5))...)
			require.NoError(t, err)
			for _, f := range rep.Findings {
				if f.Check != "not-repeatable" && len(about(rep, "not-repeatable")) > 0 {
					continue // it is not found each time
				}
				again, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), known(contracttest.Cases(5), contracttest.Only("case:"+f.Case.ID, "check:"+f.Check))...)
				require.NoError(t, err, f.Case.ID)
				assert.True(t, slices.ContainsFunc(again.Findings, func(other contracttest.Finding) bool { return other.ID == f.ID }), "%s %s\n%s\n%s", f.ID, f.Message, f.Case.ID, describe(again))
			}
		})
	}
}
