package client

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// lease is a token or a set of keys that a service gave out for a while.
type lease[T any] struct {
	value            func() T  // a function, as in tokenCredentials
	renewal, expires time.Time // when the next one is fetched, and when this one is no longer accepted
}

// newLease returns the lease of a value that is valid for life from now on, and
// is to be renewed margin before its end.
func newLease[T any](value T, now time.Time, life, margin time.Duration) *lease[T] {
	return &lease[T]{
		value:   func() T { return value },
		renewal: now.Add(life - margin),
		expires: now.Add(life),
	}
}

// renewalPause is how long a lease that is still valid is used after an attempt
// to renew it has failed, until the next attempt: a service that hangs must not
// hold up every call.
const renewalPause = 30 * time.Second

// renewing keeps the last lease that fetch returned, and fetches the next one
// before it expires. However many callers ask, one fetch is under way.
type renewing[T any] struct {
	fetch   func(ctx context.Context) (*lease[T], error)
	fetches singleflight.Group

	mu      sync.Mutex
	last    *lease[T] // nil before the first one, and after a refusal
	waiting int       // how many calls wait for a fetch
	abort   func()    // ends the fetch that is under way
}

// get returns a value that is valid.
func (r *renewing[T]) get(ctx context.Context) (T, error) {
	last := r.current()
	if last != nil && time.Now().Before(last.renewal) {
		return last.value(), nil
	}
	next, err := r.wait(ctx)
	switch {
	case err == nil:
		return next.value(), nil
	case last != nil && ctx.Err() == nil && time.Now().Before(last.expires):
		return last.value(), nil
	}
	return *new(T), err
}

// drop forgets the value that was refused, unless a newer one has come since.
func (r *renewing[T]) drop(refused func(T) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last != nil && refused(r.last.value()) {
		r.last = nil
	}
}

func (r *renewing[T]) current() *lease[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// wait returns the lease of the fetch that is under way, or begins one. The
// fetch does not end with the call that began it, but with the last one that
// waits for it.
func (r *renewing[T]) wait(ctx context.Context) (*lease[T], error) {
	r.mu.Lock()
	r.waiting++
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.waiting--; r.waiting == 0 && r.abort != nil {
			r.abort()
		}
	}()
	fetched := r.fetches.DoChan("", func() (any, error) { return r.renew(ctx) })
	select {
	case result := <-fetched:
		next, _ := result.Val.(*lease[T])
		return next, result.Err
	case <-ctx.Done():
		return nil, withContext(ctx, context.Cause(ctx))
	}
}

// renew fetches the next lease, with the values of ctx but not its end.
func (r *renewing[T]) renew(ctx context.Context) (*lease[T], error) {
	last := r.current()
	if last != nil && time.Now().Before(last.renewal) {
		return last, nil // of a fetch that ended just before
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r.mu.Lock()
	if r.abort = cancel; r.waiting == 0 {
		cancel() // they have left before it began
	}
	r.mu.Unlock()
	next, err := r.fetch(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.abort = nil
	switch {
	case err == nil:
		r.last = next
	case last != nil && r.last == last && ctx.Err() == nil:
		later := *last
		if later.renewal = time.Now().Add(renewalPause); later.expires.Before(later.renewal) {
			later.renewal = later.expires
		}
		r.last = &later
	}
	return next, err
}
