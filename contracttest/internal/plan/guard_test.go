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

// TestVersionIsSaid proves that no valid request without If-Match is held against an operation that has 428
// for it, however few of its optional parts it has.
func TestVersionIsSaid(t *testing.T) {
	op := parse(t, `paths: {/a: {put: {operationId: o,
  parameters: [{name: If-Match, in: header, schema: {type: string}}, {name: q, in: query, schema: {type: string}}],
  requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {b: {type: string}, c: {type: string}}}}}},
  responses: {'200': {description: a}, '428': {description: b}}}}}`).Operations[0]
	together := 0
	for _, c := range plan.Operation(op, plan.Options{Seed: 1, Random: 40}).Cases {
		if len(c.Parts()) > 1 {
			together++
		}
		if c.Expect == plan.Accept && len(c.Request.Values("If-Match")) == 0 {
			assert.NotEmpty(t, c.Leave, c.ID)
		}
	}
	assert.NotZero(t, together)
}
