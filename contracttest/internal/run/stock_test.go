package run

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestStockEnds proves that nobody waits for a resource beyond the end of the run.
func TestStockEnds(t *testing.T) {
	one := func() int { return 1 }
	s := newStock(one, one, func() func() { return func() {} }, func(context.Context) map[string]string { return map[string]string{"id": "7"} })
	ctx, cancel := context.WithCancel(t.Context())
	held := s.take(ctx)
	assert.Equal(t, map[string]string{"id": "7"}, held)
	waited := make(chan map[string]string)
	go func() { waited <- s.take(ctx) }()
	cancel()
	assert.Nil(t, <-waited)
	s.giveBack(held)
	assert.Equal(t, held, s.take(t.Context()), "what was given back is there for the next")
}
