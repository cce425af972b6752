package client_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/client"
)

var stress = flag.Duration("stress", 2*time.Second, "how long TestStress lasts")

// unreliable is IAM and a service that fails one request in five or more:
// drops, 429, 503, and 401 whenever a token has been used so often.
type unreliable struct {
	uses int64 // of a token until it is revoked

	mu                                    sync.Mutex
	generation, used                      int64
	fetches, answered, dropped, throttled atomic.Int64
	gatewayDown, refused                  atomic.Int64
}

func (u *unreliable) iam(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	u.fetches.Add(1)
	u.mu.Lock()
	defer u.mu.Unlock()
	w.Header().Set("X-Subject-Token", tokenNumber(u.generation))
	w.WriteHeader(http.StatusCreated)
}

// accepts reports whether the token is good, and revokes it if this was its
// last use.
func (u *unreliable) accepts(token string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if token != tokenNumber(u.generation) {
		return false
	}
	if u.used++; u.used == u.uses {
		u.generation, u.used = u.generation+1, 0
		return false
	}
	return true
}

func (u *unreliable) serve(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	u.answered.Add(1)
	switch draw := rand.IntN(100); {
	case !u.accepts(r.Header.Get("X-Auth-Token")):
		u.refused.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
	case draw < 6:
		u.dropped.Add(1)
		panic(http.ErrAbortHandler)
	case draw < 12:
		u.throttled.Add(1)
		w.WriteHeader(http.StatusTooManyRequests)
	case draw < 18:
		u.gatewayDown.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"error_code":"APIG.0613"}`)
	}
}

// One client, a thousand goroutines, a service that fails all the time: what was surely
// not carried out is repeated, and a token is fetched once for each time that one was
// revoked.
func TestStress(t *testing.T) {
	const callers, deadline = 1000, 5 * time.Second
	u := &unreliable{uses: 4000}
	iam := httptest.NewServer(http.HandlerFunc(u.iam))
	t.Cleanup(iam.Close)
	c := setup(t, u.serve, client.WithCredentials(client.Password("d", "u", "p")), client.WithIAMEndpoint(iam.URL),
		client.WithRetry(client.RetryPolicy{BaseDelay: 5 * time.Millisecond}))

	var calls, failed, inDoubt, late atomic.Int64
	end := time.Now().Add(*stress)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for time.Now().Before(end) {
				ctx, stop := context.WithTimeout(t.Context(), deadline)
				err := c.CancelFactoryPackages(ctx, fmt.Sprint(i))
				stop()
				calls.Add(1)
				switch {
				case errors.Is(err, client.ErrInDoubt):
					inDoubt.Add(1)
				case errors.Is(err, context.DeadlineExceeded): // which a busy machine decides
					late.Add(1)
				case err != nil:
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d calls, %d failed, %d late and %d in doubt; %d requests: %d dropped, %d throttled, %d gateway down, %d refused; %d tokens",
		calls.Load(), failed.Load(), late.Load(), inDoubt.Load(), u.answered.Load(), u.dropped.Load(), u.throttled.Load(), u.gatewayDown.Load(), u.refused.Load(),
		u.fetches.Load())
	assert.Less(t, failed.Load()*10, calls.Load(), "what was surely not carried out is repeated")

	// The last revocation is noticed by a further call at the latest.
	for range 3 {
		_ = c.CancelFactoryPackages(t.Context(), "last")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	assert.Equal(t, u.generation+1, u.fetches.Load(), "a fetch for the first token and one for each that was revoked")
}
