package contracttest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// BenchmarkRun measures a whole run against the correct server in process:
// planning, sending, judging. exchanges/s is the figure to look at.
func BenchmarkRun(b *testing.B) {
	contract := load(b)
	h := contracttest.Handler(correct(b))
	exchanges := 0
	for b.Loop() {
		rep, err := contracttest.Run(b.Context(), contract, h, known(contracttest.Cases(1000))...)
		require.NoError(b, err)
		exchanges += rep.Stats.Exchanges
	}
	b.ReportMetric(float64(exchanges)/b.Elapsed().Seconds(), "exchanges/s")
}
