package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whether somebody waits or looks, before or after: the end is the same as that
// of a context of the standard library.
func TestTimeLimit(t *testing.T) {
	const limit = time.Minute
	for name, newLimit := range map[string]func(context.Context) (context.Context, func()){
		"ours":         func(c context.Context) (context.Context, func()) { l := newTimeLimit(c, limit); return l, l.end },
		"the standard": func(c context.Context) (context.Context, func()) { return context.WithTimeout(c, limit) },
	} {
		for _, waits := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					type key struct{}
					open := func(ctx context.Context) {
						select {
						case <-ctx.Done():
							t.Fatal("it has ended")
						default:
						}
					}
					// The error comes first: it is there even where nobody has waited.
					closed := func(ctx context.Context, want error) {
						synctest.Wait()
						require.ErrorIs(t, ctx.Err(), want)
						<-ctx.Done()
						require.ErrorIs(t, ctx.Err(), want)
					}
					parent, leave := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
					start := time.Now()
					newOne := func() (context.Context, func()) {
						ctx, end := newLimit(parent)
						if waits {
							open(ctx)
						}
						require.NoError(t, ctx.Err())
						deadline, ok := ctx.Deadline()
						assert.True(t, ok)
						assert.Equal(t, start.Add(limit), deadline)
						assert.Equal(t, "value", ctx.Value(key{}))
						return ctx, end
					}
					late, endLate := newOne()
					defer endLate()
					ended, end := newOne()
					end()
					closed(ended, context.Canceled)
					left, endLeft := newOne()
					defer endLeft()

					time.Sleep(limit - 1) // of the bubble's clock
					require.NoError(t, late.Err())
					leave()
					closed(left, context.Canceled)

					parent, leave = context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
					defer leave()
					start = time.Now()
					late, endLate = newOne()
					defer endLate()
					child, endChild := context.WithCancel(late)
					defer endChild()
					time.Sleep(limit)
					closed(child, context.DeadlineExceeded)
					closed(late, context.DeadlineExceeded)

					early, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					ctx, endEarly := newLimit(early)
					defer endEarly()
					deadline, _ := ctx.Deadline()
					assert.Equal(t, time.Now().Add(time.Second), deadline)
				})
			})
		}
	}
}
