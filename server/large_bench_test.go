package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/pgtest"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// large is how many packages a request may have.
var large = server.DefaultLimits().Packages

// BenchmarkBesideLarge cancels two packages at a time, each of which was pending, one
// request after the other, while another client sends one body after the other of
// 100,000 IDs of which the last is unknown. It reports the latency of the former, and
// how many of the latter were answered meanwhile.
func BenchmarkBesideLarge(b *testing.B) {
	for name, dsn := range map[string]func(b *testing.B) string{
		"sqlite":   func(b *testing.B) string { b.Helper(); return "sqlite:" + filepath.Join(b.TempDir(), "factory.db") },
		"postgres": func(b *testing.B) string { b.Helper(); return pgtest.Start(b).NewDatabase(b) },
	} {
		b.Run(name, func(b *testing.B) {
			s, err := store.Open(b.Context(), dsn(b))
			require.NoError(b, err)
			defer func() { require.NoError(b, s.Close()) }()
			for _, beside := range []bool{false, true} {
				b.Run(fmt.Sprintf("beside=%v", beside), func(b *testing.B) { besideLarge(b, s, beside) })
			}
		})
	}
}

func besideLarge(b *testing.B, s store.Store, beside bool) {
	b.Helper()
	handler, err := server.New(s, server.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(b, err)
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- handler.Serve(ctx, listener) }()
	url := "http://" + listener.Addr().String() + path

	ids := make([]string, large)
	for i := range ids {
		ids[i] = "large-" + strconv.Itoa(i)
	}
	addPending(b, s, ids[:large-1])
	answered := make(chan int, 1)
	if beside {
		body := `{"package_ids":["` + strings.Join(ids, `","`) + `"]}`
		go func() {
			n := 0
			for ctx.Err() == nil {
				if cancelled(ctx, url, body) == http.StatusBadRequest {
					n++
				}
			}
			answered <- n
		}()
	}

	var fresh []string
	var took []time.Duration
	for round := 0; b.Loop(); round++ {
		if len(fresh) == 0 {
			for i := range 10_000 {
				fresh = append(fresh, fmt.Sprintf("%d-%d-%d", time.Now().UnixNano(), round, i))
			}
			addPending(b, s, fresh)
		}
		body := `{"package_ids":["` + fresh[0] + `","` + fresh[1] + `"]}`
		fresh = fresh[2:]
		start := time.Now()
		require.Equal(b, http.StatusOK, cancelled(ctx, url, body))
		took = append(took, time.Since(start))
	}
	stop()
	require.NoError(b, <-served)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(0, "ns/op")
	if beside {
		b.ReportMetric(float64(<-answered), "large")
	}
}

func addPending(b *testing.B, s store.Store, ids []string) {
	b.Helper()
	packages := make([]store.Package, len(ids))
	for i, id := range ids {
		packages[i] = store.Package{ID: id, ProjectID: project}
	}
	_, err := s.Add(b.Context(), store.Packages(packages...))
	require.NoError(b, err)
}

// cancelled sends a request on a connection that is kept, and returns the status of the
// answer; 0 is none.
func cancelled(ctx context.Context, url, body string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", mediaType)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}
