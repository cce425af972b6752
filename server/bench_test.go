package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// benchmark sends the same request to a handler over and over.
func benchmark(b *testing.B, s store.Store, body string, status int) {
	b.Helper()
	handler, err := server.New(s, server.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(b, err)
	header := http.Header{"Content-Type": {mediaType}}
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, path, io.NopCloser(strings.NewReader(body)))
		req.Header = header
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if w.Code != status {
			b.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
}

// The packages are pending at the first request only: what is measured is the
// request and the look-up, not the disk.
func BenchmarkCancel(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		s := store.NewMemory()
		fill(b, s)
		benchmark(b, s, document, http.StatusOK)
	})
	b.Run("sqlite", func(b *testing.B) { benchmark(b, newStore(b), document, http.StatusOK) })
}

func BenchmarkRefuse(b *testing.B) {
	s := store.NewMemory()
	fill(b, s)
	for name, body := range map[string]string{
		"syntax": `{"package_ids":["12"`,
		"type":   `{"package_ids":["12",13]}`,
	} {
		b.Run(name, func(b *testing.B) { benchmark(b, s, body, http.StatusBadRequest) })
	}
}
