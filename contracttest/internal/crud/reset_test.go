package crud_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

// A target that is put back between the phases of a run has forgotten all that the run has made, and
// gives its identifiers again: the report is the same, and what is made afterwards is deleted.
func TestReset(t *testing.T) {
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	bad := errors.New("the database is gone")
	run := func(reset func(next *atomic.Pointer[crud.Service]) error) (*contracttest.Report, *crud.Service, int) {
		var service atomic.Pointer[crud.Service]
		start := func() {
			s, err := crud.New(crud.Dress{}, crud.Defects()[2])
			require.NoError(t, err)
			service.Store(s)
		}
		start()
		resets := 0
		opts := []contracttest.Option{contracttest.Values("Bearer", crud.Token), contracttest.Cases(5), contracttest.Settle(100 * time.Millisecond), contracttest.Only("createTeam", "getTeam", "deleteTeam")}
		if reset != nil {
			opts = append(opts, contracttest.Reset(func(context.Context) (map[string][]string, error) {
				resets++
				start()
				return nil, reset(&service)
			}))
		}
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { service.Load().ServeHTTP(w, r) })), opts...)
		require.NoError(t, err)
		return rep, service.Load(), resets
	}
	text := func(rep *contracttest.Report) string {
		var b strings.Builder
		for _, f := range rep.Findings {
			fmt.Fprintln(&b, f.ID, f.Severity, f.Check, f.Clause, f.Status, f.Count)
		}
		clauses, err := json.MarshalIndent(rep.Operations, "", " ")
		require.NoError(t, err)
		return b.String() + string(clauses)
	}
	want, s, _ := run(nil)
	left := s.Left()
	got, s, resets := run(func(*atomic.Pointer[crud.Service]) error { return nil })
	assert.Equal(t, 1, resets)
	require.NotEmpty(t, got.Findings)
	assert.Equal(t, text(want), text(got))
	assert.Empty(t, got.Inconclusive)
	assert.Len(t, s.Left(), len(left))
	assert.True(t, s.Untouched())

	got, _, _ = run(func(*atomic.Pointer[crud.Service]) error { return bad })
	assert.Contains(t, got.Inconclusive, "reset: the database is gone")
	got, _, _ = run(func(service *atomic.Pointer[crud.Service]) error {
		s, err := crud.New(crud.Dress{})
		s.Admits = func(string) bool { return false }
		service.Store(s)
		return err
	})
	assert.NotEmpty(t, got.Inconclusive)
	assert.Zero(t, got.Errors(), "what comes of the reset is not the service's fault")
}
