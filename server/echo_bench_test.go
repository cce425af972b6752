package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/gen"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// What our handler costs beside one that only decodes the body, without
// net/http and in turns, so that both meet the same machine; make load
// measures whole servers.
func BenchmarkAgainstEcho(b *testing.B) {
	s := store.NewMemory()
	_, err := s.Add(b.Context(), store.Packages(
		store.Package{ID: "12", ProjectID: project, Workspace: "test"},
		store.Package{ID: "13", ProjectID: project, Workspace: "test"},
	))
	require.NoError(b, err)
	ours, err := server.New(s, server.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(b, err)
	bare := echo.New()
	binder := &echo.DefaultBinder{}
	bare.POST(path, func(c echo.Context) error {
		var body gen.CancelFactoryPackagesRequest
		if err := binder.BindBody(c, &body); err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	})
	template, err := http.NewRequestWithContext(b.Context(), http.MethodPost, path, http.NoBody)
	require.NoError(b, err)
	template.Header.Set("Content-Type", mediaType)
	template.Header.Set("workspace", "test")
	template.Header.Set("X-Auth-Token", strings.Repeat("MIIEvgYJKoZIhvcN", 16))
	timed := func(handler http.Handler) time.Duration {
		const times = 100
		start := time.Now()
		for range times {
			r := template.WithContext(b.Context())
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(document)), int64(len(document))
			w := &statusWriter{header: http.Header{}}
			handler.ServeHTTP(w, r)
			if w.status != http.StatusOK {
				b.Fatalf("status %d", w.status)
			}
		}
		return time.Since(start) / times
	}
	var oursTime, bareTime time.Duration
	n := 0
	for b.Loop() {
		oursTime += timed(ours)
		bareTime += timed(bare)
		n++
	}
	b.ReportMetric(float64(oursTime.Nanoseconds())/float64(n), "ours-ns/request")
	b.ReportMetric(float64(bareTime.Nanoseconds())/float64(n), "bare-ns/request")
	b.ReportMetric(float64(oursTime)/float64(bareTime), "ours/bare")
	b.ReportMetric(0, "ns/op")
}

// statusWriter takes an answer and keeps its status.
type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header         { return w.header }
func (w *statusWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *statusWriter) WriteHeader(status int)      { w.status = status }
