package crud_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

// TestWaiting proves how far a run waits for several answers at once, on a clock that goes on
// only while all wait: one operation that only reads, with 44 ms an answer, and the whole
// service with 20 ms.
func TestWaiting(t *testing.T) {
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	takes := func(each time.Duration, workers int, opts ...contracttest.Option) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			s, err := crud.New(crud.Dress{})
			require.NoError(t, err)
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(each)
				s.ServeHTTP(w, r)
			})
			began := time.Now()
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), append(opts, contracttest.Values("Bearer", crud.Token), contracttest.Workers(workers))...)
			took = time.Since(began)
			require.NoError(t, err)
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.Greater(t, rep.Stats.Exchanges, 300)
		})
		return took
	}
	read := []contracttest.Option{contracttest.Only("listTeams"), contracttest.Skip("listTeams/security/**"), contracttest.Safe()}
	few, many := takes(44*time.Millisecond, 4, read...), takes(44*time.Millisecond, 16, read...)
	assert.LessOrEqual(t, 3*many, few, "%s with 16 workers, %s with 4", many, few)
	whole := func() time.Duration { return takes(20*time.Millisecond, 16) }
	assert.Less(t, min(whole(), whole()), 40*time.Second, "the better of two: who waits for whom is chance")
}
