package send_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/send"
)

// stream is a handler that writes pieces of a media type, and then goes on with the last of them
// for ever, waits until nobody reads, or ends.
func stream(label, then string, pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", label)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for i := 0; ; i++ {
			if i == len(pieces) && then != "goes on" {
				break
			}
			if _, err := io.WriteString(w, pieces[min(i, len(pieces)-1)]); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
		if then == "stalls" {
			<-r.Context().Done()
		}
	}
}

// A sequence is read to its end, or until it is enough, however it goes on.
func TestSequences(t *testing.T) {
	const events, lines = "text/event-stream", "application/x-ndjson"
	long := strings.Repeat("x", 1<<20)
	boundary := "multipart/mixed; boundary=b"
	tests := []struct {
		name  string
		h     http.HandlerFunc
		items int
		body  string
		open  bool
		err   error
	}{
		{"it ends", stream(events, "ends", "data: 1\n\n"), 2, "data: 1\n\n", false, nil},
		{"it ends with nothing", stream(events, "ends"), 2, "", false, nil},
		{"it goes on", stream(events, "goes on", "data: 1\n\n"), 3, strings.Repeat("data: 1\n\n", 3), true, nil},
		{"it stalls", stream(events, "stalls", "data: 1\n\n", "data: 2"), 2, "data: 1\n\ndata: 2", true, nil},
		{"it stalls before the first item", stream(lines, "stalls"), 2, "", true, nil},
		{"heartbeats are no items", stream(events, "stalls", ": ping\n\n", ": ping\n\n", "event: x\n\n"), 2, ": ping\n\n: ping\n\nevent: x\n\n", true, nil},
		{"lines end in two characters", stream(events, "goes on", "event: a\r\ndata: 1\r\n\r\n"), 2, "event: a\r\ndata: 1\r\n\r\nevent: a\r\ndata: 1\r\n\r", true, nil},
		{"lines", stream(lines, "goes on", "{}\n\n"), 2, "{}\n\n{}\n", true, nil},
		{"a piece has several items", stream(lines, "goes on", "1\n2\n3\n4\n"), 2, "1\n2\n", true, nil},
		{"as many as are wanted", stream(lines, "ends", "1\n", "2\n"), 2, "1\n2\n", true, nil},
		{"records", stream("application/json-seq", "goes on", "\x1e1\n"), 2, "\x1e1\n\x1e1\n\x1e", true, nil},
		{"parts", stream(boundary, "goes on", "--b\r\n\r\nx\r\n"), 2, "--b\r\n\r\nx\r\n--b\r\n\r\nx\r\n--b\r\n", true, nil},
		{"an item has no end", stream(lines, "goes on", long), 2, long[:4<<10], false, send.ErrTooLarge},
		{"a later item has no end", stream(lines, "goes on", "1\n", long), 2, "", true, nil},
		{"no sequence", stream("text/plain", "goes on", long), 2, long[:4<<10], false, send.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			both(t, tt.h, func(t *testing.T, target send.Target) {
				how := send.How{StreamItems: tt.items, StreamTime: 30 * time.Second}
				if strings.Contains(tt.name, "stalls") || strings.Contains(tt.name, "heartbeats") {
					how.StreamTime = 50 * time.Millisecond
				}
				for _, way := range []string{"do", "raw"} {
					do := target.Do
					if way == "raw" {
						do = target.Raw
					}
					resp, err := do(t.Context(), get("GET"), how)
					require.NoError(t, err, way)
					assert.Equal(t, tt.open, resp.Open, way)
					require.ErrorIs(t, resp.BodyErr, tt.err, way)
					assert.Empty(t, resp.Faults, way)
					if tt.name == "a later item has no end" {
						assert.Len(t, resp.Body, send.MaxBody, way)
						continue
					}
					assert.Equal(t, tt.body, string(resp.Body), way)
				}
			})
		})
	}
}

// An exchange that has no more time leaves a sequence as it leaves one that is enough, and
// whoever stops the run is told so.
func TestSequenceOutOfTime(t *testing.T) {
	both(t, stream("text/event-stream", "stalls", "data: 1\n\n"), func(t *testing.T, target send.Target) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		resp, err := target.Do(ctx, get("GET"), send.How{StreamTime: time.Minute})
		require.NoError(t, err)
		assert.True(t, resp.Open)
		require.NoError(t, resp.BodyErr)
	})
	begun := make(chan struct{}, 1)
	both(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		stream("text/event-stream", "stalls", "data: 1\n\n")(w, r)
	}, func(t *testing.T, target send.Target) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-begun
			cancel()
		}()
		resp, err := target.Do(ctx, get("GET"), send.How{StreamTime: time.Minute})
		if err == nil {
			err = resp.BodyErr
		}
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// HEAD of a stream is answered as soon as its header is there, and what follows is sent on
// another connection.
func TestHeadOfSequence(t *testing.T) {
	both(t, stream("text/event-stream", "stalls", "data: 1\n\n"), func(t *testing.T, target send.Target) {
		for range 3 {
			resp, err := target.Do(t.Context(), get("HEAD"), send.How{StreamTime: time.Minute})
			require.NoError(t, err)
			assert.Empty(t, resp.Body)
			assert.NoError(t, resp.BodyErr)
		}
	})
}

// What is left of a server that sends 10 GB is its first items.
func TestSequenceOfGigabytes(t *testing.T) {
	line := fmt.Sprintf("{\"text\": %q}\n", strings.Repeat("x", 64<<10))
	sent := 0
	target := send.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		for sent < 10<<30 {
			n, err := io.WriteString(w, line)
			if sent += n; err != nil {
				assert.ErrorIs(t, err, http.ErrHandlerTimeout)
				return
			}
		}
	}))
	defer target.Close()
	resp, err := target.Do(t.Context(), get("GET"), send.How{StreamTime: time.Minute})
	require.NoError(t, err)
	assert.True(t, resp.Open)
	assert.Len(t, resp.Body, send.StreamItems*len(line))
}
