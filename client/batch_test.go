package client_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// factory cancels packages, all that a request names or none.
type factory struct {
	missing func(id string) bool
	before  func(w http.ResponseWriter, ids []string) bool // true if it has answered

	mu        sync.Mutex
	requests  [][]string
	cancelled map[string]int
}

func (f *factory) handler(t *testing.T) http.HandlerFunc {
	t.Helper()
	f.cancelled = map[string]int{}
	return func(w http.ResponseWriter, r *http.Request) {
		ids := packageIDs(t, r)
		f.mu.Lock()
		f.requests = append(f.requests, ids)
		f.mu.Unlock()
		if f.before != nil && f.before(w, ids) {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.missing != nil && slices.ContainsFunc(ids, f.missing) {
			refuseWith(w, `{"error_code":"DLF.20810","error_msg":"Task does not exist."}`)
			return
		}
		for _, id := range ids {
			f.cancelled[id]++
		}
	}
}

// numbers are the IDs from 0 up to n.
func numbers(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	return ids
}

// collect returns the results, of which there is one for each ID.
func collect(t *testing.T, results iter.Seq2[string, error]) map[string]error {
	t.Helper()
	all := map[string]error{}
	for id, err := range results {
		_, twice := all[id]
		assert.Falsef(t, twice, "a second result of %s", id)
		all[id] = err
	}
	return all
}

func TestCancelAll(t *testing.T) {
	never := func(string) bool { return false }
	tests := []struct {
		name    string
		ids     []string
		opts    []client.BatchOption
		missing func(string) bool
		want    int // requests
	}{
		{"nothing", nil, nil, never, 0},
		{"one", numbers(1), nil, never, 1},
		{"a full request", numbers(100), nil, never, 1},
		{"one more", numbers(101), nil, never, 2},
		{"many", numbers(1234), nil, never, 13},
		{"smaller requests", numbers(10), []client.BatchOption{client.ChunkSize(3), client.Concurrency(1)}, never, 4},
		{"options that say nothing", numbers(150), []client.BatchOption{client.ChunkSize(0), client.Concurrency(-1)}, never, 2},
		{"repeated", append(numbers(10), numbers(20)...), []client.BatchOption{client.ChunkSize(20)}, never, 1},
		{"one is missing", numbers(64), nil, func(id string) bool { return id == "17" }, 13},
		{"one of one is missing", numbers(1), nil, func(id string) bool { return id == "0" }, 1},
		{"all are missing", numbers(8), nil, func(string) bool { return true }, 15},
		{"every seventh is missing", numbers(300), nil, func(id string) bool { return strings.HasSuffix(id, "7") }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &factory{missing: tt.missing}
			c := setup(t, f.handler(t))
			got := collect(t, c.CancelAll(t.Context(), slices.Values(tt.ids), tt.opts...))
			for _, id := range tt.ids {
				err, ok := got[id]
				require.True(t, ok, id)
				if tt.missing(id) {
					require.ErrorIs(t, err, client.ErrTaskNotFound, id)
					assert.Zero(t, f.cancelled[id])
				} else {
					require.NoError(t, err, id)
					assert.Equal(t, 1, f.cancelled[id])
				}
			}
			if tt.want > 0 || len(tt.ids) == 0 {
				assert.Len(t, f.requests, tt.want)
			}
			assert.Len(t, got, len(slices.Compact(slices.Sorted(slices.Values(tt.ids)))))
		})
	}
}

// Whatever is missing, exactly that is found, and all else is cancelled.
func TestCancelAllFindsWhatIsMissing(t *testing.T) {
	draw := rand.New(rand.NewPCG(5, 5))
	for range 30 {
		missing := map[string]bool{}
		n, gaps := 1+draw.IntN(250), draw.IntN(20)
		for range gaps {
			missing[strconv.Itoa(draw.IntN(n))] = true
		}
		f := &factory{missing: func(id string) bool { return missing[id] }}
		c := setup(t, f.handler(t))
		got := collect(t, c.CancelAll(t.Context(), slices.Values(numbers(n)), client.ChunkSize(1+draw.IntN(100)), client.Concurrency(1+draw.IntN(5))))
		require.Len(t, got, n)
		for id, err := range got {
			require.Equal(t, missing[id], errors.Is(err, client.ErrTaskNotFound), id)
			require.Equal(t, missing[id], f.cancelled[id] == 0, id)
		}
	}
}

// No more requests are under way than were allowed, and no fewer than that.
func TestCancelAllConcurrency(t *testing.T) {
	const concurrency = 3
	var mu sync.Mutex
	underWay, most := 0, 0
	full := make(chan struct{})
	f := &factory{before: func(http.ResponseWriter, []string) bool {
		mu.Lock()
		underWay++
		most = max(most, underWay)
		if underWay == concurrency {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full
		mu.Lock()
		underWay--
		mu.Unlock()
		return false
	}}
	c := setup(t, f.handler(t))
	got := collect(t, c.CancelAll(t.Context(), slices.Values(numbers(50)), client.ChunkSize(2), client.Concurrency(concurrency)))
	assert.Len(t, got, 50)
	assert.Equal(t, concurrency, most)
}

// What every request would meet ends the job, and the rest is left alone.
func TestCancelAllEnds(t *testing.T) {
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		ends   bool
		is     error
	}{
		{"credentials are refused", func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }, true, nil},
		{"no permission", func(w http.ResponseWriter) { refuseWith(w, `{"error_code":"DLF.6888"}`) }, true, nil},
		{"no workspace", func(w http.ResponseWriter) { refuseWith(w, `{"error_code":"DLF.0819"}`) }, true, client.ErrWorkspaceNotFound},
		{"a request that the gateway refuses", func(w http.ResponseWriter) { refuseWith(w, `{"error_code":"APIG.0106"}`) }, true, nil},
		{"throttled for ever", func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }, true, nil},
		{"in doubt", func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, false, client.ErrInDoubt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &factory{before: func(w http.ResponseWriter, ids []string) bool {
				if ids[0] != "4" {
					return false
				}
				tt.answer(w)
				return true
			}}
			c := setup(t, f.handler(t))
			got := collect(t, c.CancelAll(t.Context(), slices.Values(numbers(10)), client.ChunkSize(2), client.Concurrency(1)))
			require.Len(t, got, 10)
			for _, id := range numbers(10) {
				err := got[id]
				switch {
				case id < "4", id > "5" && !tt.ends:
					require.NoError(t, err, id)
				case id > "5":
					require.ErrorIs(t, err, client.ErrNotSent, id)
					require.ErrorAs(t, err, new(*client.Error))
				default:
					require.NotErrorIs(t, err, client.ErrNotSent, id)
					require.ErrorAs(t, err, new(*client.Error))
				}
				if tt.is != nil && err != nil {
					require.ErrorIs(t, err, tt.is, id)
				}
			}
		})
	}
	t.Run("unreachable", func(t *testing.T) {
		requests := 0
		c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: unreachable(&requests)}))
		got := collect(t, c.CancelAll(t.Context(), slices.Values(numbers(1000)), client.Concurrency(1)))
		assert.Len(t, got, 1000)
		assert.Equal(t, 4, requests)
	})
}

// After a request in doubt a missing package is in doubt as well: it may be
// missing because that request cancelled it.
func TestCancelAllInDoubt(t *testing.T) {
	var once sync.Once
	f := &factory{}
	f.missing = func(id string) bool { return f.cancelled[id] > 0 || id == "3" }
	f.before = func(w http.ResponseWriter, _ []string) (answered bool) {
		once.Do(func() {
			// The service cancels 0 and 1, and its answer is lost.
			f.mu.Lock()
			defer f.mu.Unlock()
			f.cancelled["0"]++
			f.cancelled["1"]++
			w.WriteHeader(http.StatusBadGateway)
			answered = true
		})
		return answered
	}
	c := setup(t, f.handler(t), client.WithRetry(client.RetryPolicy{BaseDelay: time.Microsecond, InDoubt: true}))
	got := collect(t, c.CancelAll(t.Context(), slices.Values(numbers(5))))
	for _, id := range []string{"2", "4"} {
		require.NoError(t, got[id])
		assert.Equal(t, 1, f.cancelled[id])
	}
	for _, id := range []string{"0", "1", "3"} {
		require.ErrorIs(t, got[id], client.ErrInDoubt)
		require.NotErrorIs(t, got[id], client.ErrTaskNotFound)
	}
}

// Leaving the loop ends the job: what is under way is cut short, and CancelAll
// returns when it has ended.
func TestCancelAllIsLeft(t *testing.T) {
	for name, leave := range map[string]func(iter.Seq2[string, error]){
		"break": func(results iter.Seq2[string, error]) {
			for _, err := range results {
				assert.NoError(t, err)
				break
			}
		},
		"panic": func(results iter.Seq2[string, error]) {
			defer func() { _ = recover() }()
			for id, err := range results {
				panic(fmt.Sprint(id, err))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := setup(t, func(_ http.ResponseWriter, r *http.Request) {
				if ids := packageIDs(t, r); ids[0] != "0" {
					<-r.Context().Done()
				}
			})
			taken := 0
			leave(c.CancelAll(t.Context(), func(yield func(string) bool) {
				for _, id := range numbers(100) {
					taken++
					if !yield(id) {
						return
					}
				}
			}, client.ChunkSize(1), client.Concurrency(3)))
			assert.LessOrEqual(t, taken, 5)
		})
	}
}

// When the context ends, no more is taken from the sequence, and what was
// taken has a result.
func TestCancelAllContext(t *testing.T) {
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	f := &factory{before: func(_ http.ResponseWriter, ids []string) bool {
		if ids[0] == "4" {
			cancel(reason)
		}
		return false
	}}
	c := setup(t, f.handler(t))
	var taken []string
	endless := func(yield func(string) bool) {
		for i := 0; yield(strconv.Itoa(i)); i++ {
			taken = append(taken, strconv.Itoa(i))
		}
	}
	got := collect(t, c.CancelAll(ctx, endless, client.ChunkSize(2), client.Concurrency(1)))
	assert.GreaterOrEqual(t, len(got), len(taken))
	for id, err := range got {
		if id < "4" && len(id) == 1 {
			assert.NoError(t, err)
		} else if err != nil {
			assert.ErrorIs(t, err, context.Canceled)
			assert.ErrorIs(t, err, reason)
		}
	}
	assert.True(t, slices.ContainsFunc(slices.Collect(maps.Values(got)), func(err error) bool { return errors.Is(err, client.ErrNotSent) }))
}

func TestCancelAllRefusesOtherEncodings(t *testing.T) {
	f := &factory{}
	c := setup(t, f.handler(t))
	got := collect(t, c.CancelAll(t.Context(), slices.Values([]string{"1", "\xff", "2"})))
	require.ErrorContains(t, got["\xff"], `"\xff" is not valid UTF-8`)
	delete(got, "\xff")
	assert.Equal(t, map[string]error{"1": nil, "2": nil}, got)
	assert.Equal(t, [][]string{{"1", "2"}}, f.requests)

	for id, err := range c.CancelAll(t.Context(), slices.Values([]string{"\xff", "3"})) {
		require.Error(t, err, id)
		break
	}
	assert.Len(t, f.requests, 1)
}

func ExampleClient_CancelAll() {
	srv := service()
	defer srv.Close()

	c, err := client.New(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505")
	if err != nil {
		fmt.Println(err)
		return
	}
	cancelled := 0
	for id, err := range c.CancelAll(context.Background(), slices.Values([]string{"12", "13", "99", "14"})) {
		if err != nil {
			fmt.Println(id, errors.Is(err, client.ErrTaskNotFound))
			continue
		}
		cancelled++
	}
	fmt.Println(cancelled, "cancelled")
	// Output:
	// 99 true
	// 3 cancelled
}
