package plan_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// A panic ends the planning of one operation, and its clauses say so.
func TestPanicWhilePlanning(t *testing.T) {
	op := load(t, ours).Operations[0]
	calls := 0
	opts := plan.Options{Want: func(*contract.Clause) bool {
		if calls++; calls > 20 {
			panic("at a loss")
		}
		return true
	}}
	cases := 0
	unreached := plan.Each(context.Background(), op, opts, func(*plan.Case) { cases++ })
	assert.NotZero(t, cases)
	require.NotEmpty(t, unreached)
	for clause, reason := range unreached {
		assert.Equal(t, plan.GaveUp, reason.Why, "%s: %s", clause.Name, reason)
		assert.Contains(t, reason.Text, "at a loss (guard_test.go:")
	}
	assert.PanicsWithValue(t, "of the caller", func() {
		plan.Each(context.Background(), op, plan.Options{}, func(*plan.Case) { panic("of the caller") })
	})
}

// Once there is no more time nothing is made: what remains is gone through without
// a value or a judgement.
func TestNothingIsMadeWhenStopped(t *testing.T) {
	op := load(t, ours).Operations[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	unreached := plan.Each(ctx, op, plan.Options{Random: 10}, func(*plan.Case) { assert.Fail(t, "a case was made") })
	require.NotEmpty(t, unreached)
	for clause, reason := range unreached {
		assert.Equal(t, plan.Late, reason.Why, "%s: %s", clause.Name, reason)
	}
}

// A context that ends while an operation is planned ends the planning there.
func TestStoppedWhilePlanning(t *testing.T) {
	op := load(t, ours).Operations[0]
	for _, random := range []int{0, 2500} { // with so many, it ends among the random ones
		ctx, cancel := context.WithCancel(t.Context())
		cases, before := 0, 0
		unreached := plan.Each(ctx, op, plan.Options{Random: random}, func(c *plan.Case) {
			if cases++; cases == 5 && random == 0 || c.Phase == plan.Random && before == 0 {
				before = cases
				cancel()
			}
		})
		assert.NotZero(t, before)
		assert.Less(t, cases-before, 1200, "nothing but what was made already")
		if random == 0 {
			require.NotEmpty(t, unreached)
		}
		for clause, reason := range unreached {
			assert.Equal(t, plan.Late, reason.Why, "%s: %s", clause.Name, reason)
		}
		cancel()
	}
}
