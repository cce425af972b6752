package run

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// Requests that are not held are made again as they were.
func TestPlannedAgain(t *testing.T) {
	c, err := contract.Load("../../../openapi.yaml")
	require.NoError(t, err)
	opts := plan.Options{Seed: 7, Random: 20}
	all := filter{&Options{}, &Selection{}, world.New(c)}
	held, again := newPlan(t.Context(), c, opts, all).begin(nil), newPlan(t.Context(), c, opts, all)
	again.held.Store(maxHeld)
	again.begin(nil)
	for _, op := range held.ops {
		pt := again.of(op)
		assert.Nil(t, pt.cases, "there is no room for them")
		assert.Equal(t, held.of(op).total, pt.total)
		assert.Equal(t, held.of(op).unreached, pt.unreached)
	}
	assert.Equal(t, int64(maxHeld), again.held.Load(), "what was held is given back")
	first, second := sent(held), sent(again)
	require.NotEmpty(t, first)
	assert.Equal(t, first, second)
	assert.Len(t, first, held.total())
}

// sent lists the cases of a run in the order of their stages.
func sent(p *planned) []string {
	var all []string
	for _, w := range waves(p.ops) {
		for cases := range p.stages(w) {
			for _, c := range cases {
				all = append(all, c.ID+" "+c.Request.Target+" "+string(c.Request.Body))
			}
		}
	}
	return all
}

func TestPlanStopsWithTheContext(t *testing.T) {
	c, err := contract.Load("../../../openapi.yaml")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := newPlan(ctx, c, plan.Options{}, filter{}).begin(nil)
	for _, op := range p.ops {
		assert.Nil(t, p.of(op))
		assert.Empty(t, p.cases(op))
	}
	assert.Empty(t, sent(p))
}
