package crud_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

// BenchmarkWaiting shows how far a run waits for several answers at once: the whole service
// with 20 ms an answer, and one operation that only reads with 44 ms.
func BenchmarkWaiting(b *testing.B) {
	for _, what := range []struct {
		name string
		each time.Duration
		opts []contracttest.Option
	}{
		{"service", 20 * time.Millisecond, nil},
		{"read", 44 * time.Millisecond, []contracttest.Option{
			contracttest.Only("listTeams"),
		}},
	} {
		for _, workers := range []int{4, 16} {
			b.Run(fmt.Sprintf("%s/workers=%d", what.name, workers), func(b *testing.B) {
				c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
				require.NoError(b, err)
				exchanges := 0
				for b.Loop() {
					s, err := crud.New(crud.Dress{})
					require.NoError(b, err)
					h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						time.Sleep(what.each)
						s.ServeHTTP(w, r)
					})
					opts := append([]contracttest.Option{contracttest.Values("Bearer", crud.Token), contracttest.Workers(workers)}, what.opts...)
					rep, err := contracttest.Run(b.Context(), c, contracttest.Handler(h), opts...)
					require.NoError(b, err)
					exchanges = rep.Stats.Exchanges
				}
				b.ReportMetric(float64(exchanges), "exchanges/run")
			})
		}
	}
}
