package server

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// A database that is away is told of at once, and then once a minute with the number
// of requests that have failed.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		o := outage{log: slog.New(slog.NewTextHandler(&log, nil))}
		lines := func() []string {
			o.mu.Lock() // under which it is written
			defer o.mu.Unlock()
			return strings.Split(strings.TrimSpace(log.String()), "\n")
		}
		away := &storeError{errors.New("connection refused")}
		for range 1000 {
			o.failed(t.Context(), "id", away)
		}
		assert.Len(t, lines(), 1)
		assert.Contains(t, lines()[0], `msg="request failed" request_id=id error="connection refused"`)

		time.Sleep(outageInterval + 1)
		synctest.Wait()
		assert.Len(t, lines(), 2)
		assert.Contains(t, lines()[1], `msg="requests failed" count=999 error="connection refused"`)

		o.failed(t.Context(), "id", errors.New("still away"))
		time.Sleep(outageInterval)
		synctest.Wait()
		assert.Len(t, lines(), 3)
		assert.Contains(t, lines()[2], `count=1 error="still away"`)

		time.Sleep(2 * outageInterval) // with no failure
		synctest.Wait()
		o.failed(t.Context(), "next", away)
		assert.Len(t, lines(), 4)
		assert.Contains(t, lines()[3], "request_id=next")

		o.failed(t.Context(), "id", away)
		o.end()
		assert.Len(t, lines(), 5, "what is left is told at the end")
		time.Sleep(2 * outageInterval)
		synctest.Wait()
		assert.Len(t, lines(), 5)
		o.end()
		assert.Len(t, lines(), 5)
	})
}
