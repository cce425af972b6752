package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// storeError is a failure of the store, which is no fault of the caller's.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// outageInterval is how often the log has a line of a store that fails.
const outageInterval = time.Minute

// outage tells the log of a store that fails: of the first request at once, and of
// those that follow how many they are, in one line for each outageInterval. When that
// has passed without a failure, the next one is a first one again.
type outage struct {
	log *slog.Logger

	mu    sync.Mutex
	timer *time.Timer // runs while failures are counted; else nil
	n     int         // failures that the log does not have yet
	last  error       // of them
}

// failed notes that a request has failed with err.
func (o *outage) failed(ctx context.Context, requestID string, err error) {
	attrs := []slog.Attr{slog.String("request_id", requestID), slog.Any("error", err)}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.timer != nil {
		o.n, o.last = o.n+1, err
		o.log.LogAttrs(ctx, slog.LevelDebug, "request failed", attrs...)
		return
	}
	o.log.LogAttrs(ctx, slog.LevelError, "request failed", attrs...)
	o.timer = time.AfterFunc(outageInterval, func() { //nolint:contextcheck // a line is of many requests
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.tell() {
			o.timer.Reset(outageInterval)
		} else {
			o.timer = nil
		}
	})
}

// tell logs how many failures there were since, and reports whether there were any.
// The caller holds the lock.
func (o *outage) tell() bool {
	if o.n == 0 {
		return false
	}
	o.log.LogAttrs(context.Background(), slog.LevelError, "requests failed",
		slog.Int("count", o.n), slog.Any("error", o.last))
	o.n, o.last = 0, nil
	return true
}

// end logs what there is left, when the server ends.
func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tell()
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
}
