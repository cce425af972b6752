package crud_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
	"github.com/dataarts-go/factory/internal/racing"
)

var (
	all       = flag.Bool("all", false, "all dresses and defects; else a sample")
	seeds     = flag.Int("seeds", 1, "how many seeds each dress is tried with")
	firstSeed = flag.Int64("seed", 1, "the first of them")
)

// TestDresses proves that a run has no error to report on a service that
// remembers, however it treats its state; that most clauses are shown all the
// same; that it leaves alone what is somebody's, and leaves nothing behind.
func TestDresses(t *testing.T) {
	for i, name := range slices.Sorted(maps.Keys(crud.Dresses())) {
		if !racing.Take(i, 30) || !*all && i%8 != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for seed := range int64(*seeds) {
				try(t, crud.Dresses()[name], crud.Deployment{}, *firstSeed+seed)
			}
		})
	}
}

// TestDeployments proves the same of the plain service behind what stands before
// services in operation, on a clock that goes on only while all wait.
func TestDeployments(t *testing.T) {
	for i, d := range crud.Deployments() {
		if !racing.Take(i, 16) {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			for seed := range int64(min(*seeds, 5)) {
				synctest.Test(t, func(t *testing.T) { try(t, crud.Dress{}, d, *firstSeed+seed) })
			}
		})
	}
}

func try(t *testing.T, dress crud.Dress, d crud.Deployment, seed int64) {
	t.Helper()
	c, err := contracttest.Parse("crud.yaml", crud.Document(dress))
	require.NoError(t, err)
	s, err := crud.New(dress)
	require.NoError(t, err)
	opts := []contracttest.Option{contracttest.Values("Bearer", crud.Token), contracttest.Seed(seed)}
	if d.Wrap == nil {
		opts = append(opts, contracttest.Peer("Authorization", "Bearer "+crud.Peer))
	}
	h := http.Handler(s)
	if d.Wrap != nil {
		h = d.Wrap(s)
	}
	if d.Prepare != nil {
		opts = append(opts, contracttest.Prepare(d.Prepare(s)))
	}
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), opts...)
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	if dress == (crud.Dress{}) && !d.Lags {
		assert.Empty(t, slices.DeleteFunc(slices.Sorted(maps.Keys(findings(rep))), func(f string) bool { return !ofState(f, "") }), "nor is there a warning of state")
	}
	assert.True(t, s.Untouched(), "what is somebody's is as it was")
	if !d.LocksOut {
		assert.Equal(t, []int{1}, s.Left(), "what the run has made is deleted")
	}
	said := strings.Join(slices.Concat(rep.Warnings, rep.Inconclusive), "\n")
	assert.Equal(t, d.LocksOut, strings.Contains(said, "locked the run out"), "%s", said)
	assert.Less(t, len(s.Left()), 16, "what is needed to the end at most")
	for _, cl := range rep.Coverage.ByClause {
		assert.Equal(t, cl.State == "not_proven", cl.Reason != "", "%s: what is not proven has a reason", cl.Clause)
	}
	shown := rep.Coverage.Clauses - rep.Coverage.NotProven - len(rep.Coverage.Unreached)
	assert.GreaterOrEqual(t, 100*shown, 85*rep.Coverage.Clauses, "clauses that were shown")
	t.Logf("%d of %d clauses shown, %d cases, %d exchanges", shown, rep.Coverage.Clauses, rep.Stats.Cases, rep.Stats.Exchanges)
}

// TestAgain proves that a second run on the same target meets nothing of the
// first, and reports the same, whatever the number of workers.
func TestAgain(t *testing.T) {
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	s, err := crud.New(crud.Dress{})
	require.NoError(t, err)
	var reports [][]string
	for i, workers := range []int{8, 1, 4} {
		if i == 2 && racing.Sampled() {
			break
		}
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Values("Bearer", crud.Token), contracttest.Workers(workers))
		require.NoError(t, err)
		require.True(t, s.Untouched(), "what is somebody's is as it was")
		lines := slices.Concat(rep.Warnings, []string{describe(rep), fmt.Sprint(rep.Stats.Cases, " cases")})
		for _, c := range rep.Coverage.ByClause {
			lines = append(lines, c.Clause+" "+c.State)
		}
		reports = append(reports, lines)
	}
	for _, other := range reports[1:] {
		require.Len(t, other, len(reports[0]))
		for i, line := range reports[0] {
			assert.Equal(t, line, other[i])
		}
	}
}

// TestStoppedWhileMaking proves that what a run was making as it was stopped is deleted, too.
func TestStoppedWhileMaking(t *testing.T) {
	for _, nth := range []int64{1, 12, 150} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
			require.NoError(t, err)
			s, err := crud.New(crud.Dress{})
			require.NoError(t, err)
			var made atomic.Int64
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					if made.Add(1) == nth {
						cancel()
					}
					<-time.After(150 * time.Millisecond)
				}
				s.ServeHTTP(w, r)
			})
			rep, err := contracttest.Run(ctx, c, contracttest.Handler(h), contracttest.Values("Bearer", crud.Token))
			require.NoError(t, err)
			assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "the run was stopped")
			synctest.Wait()
			assert.Equal(t, []int{1}, s.Left(), "after POST %d", nth)
		})
	}
}

// TestOneAtATime proves that what the run has made is changed by one request at a
// time, however many are under way: what others do to it is not to be laid at that one.
func TestOneAtATime(t *testing.T) {
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	s, err := crud.New(crud.Dress{})
	require.NoError(t, err)
	var mu sync.Mutex
	under := map[int]int{} // requests that change a team
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/teams/"))
		if err == nil && slices.Contains(s.Left(), id) && slices.Contains([]string{http.MethodPut, http.MethodPatch, http.MethodDelete}, r.Method) {
			change := func(by int) {
				mu.Lock()
				defer mu.Unlock()
				under[id] += by
				assert.Less(t, under[id], 2, "requests that change a team at the same time")
			}
			change(1)
			defer change(-1)
			runtime.Gosched()
		}
		s.ServeHTTP(w, r)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Values("Bearer", crud.Token), contracttest.Workers(8), contracttest.Only("replaceTeam", "changeTeam", "deleteTeam"),
		contracttest.Skip("lost-update")) // which sends two at once
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
}

// TestSafe proves that a run which is to be safe changes nothing.
func TestSafe(t *testing.T) {
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	s, err := crud.New(crud.Dress{})
	require.NoError(t, err)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Contains(t, []string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
		s.ServeHTTP(w, r)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Values("Bearer", crud.Token), contracttest.Safe())
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Positive(t, rep.Coverage.Both())
	assert.Contains(t, strings.Join(rep.Warnings, "\n"), "createTeam, replaceTeam, changeTeam, deleteTeam, addNote, 3 more: left out, as --safe sends only GET, HEAD and OPTIONS")
}

// TestKeep proves that what was made stays where that is asked for, and is named.
func TestKeep(t *testing.T) {
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	s, err := crud.New(crud.Dress{})
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Values("Bearer", crud.Token), contracttest.Keep(), contracttest.Cases(0))
	require.NoError(t, err)
	left := len(s.Left()) - 1
	assert.Positive(t, left)
	assert.Contains(t, strings.Join(rep.Warnings, "\n"), fmt.Sprintf("%d created by createTeam remain on the target (/teams/", left))
}

// describe lists the findings of a report.
func describe(rep *contracttest.Report) string {
	var b strings.Builder
	for _, f := range rep.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s (expected %s, seen %s)\n  %s\n", f.Severity, f.Check, f.Clause, f.Message, f.Expected, f.Actual, f.Curl)
	}
	return b.String()
}
