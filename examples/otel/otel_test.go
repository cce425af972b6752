package otel

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/dataarts-go/factory/client"
)

const (
	accessKey = "AKEXAMPLE0000000TEST"
	secretKey = "SKexample+/0000000000000000000000000test"
)

// Each attempt is a span below the caller's, the service is told of it, and no
// proof is among what is exported.
func TestSpans(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	var parents []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parents = append(parents, r.Header.Get("Traceparent"))
		if len(parents) == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(srv.Close)
	c, err := NewClient(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505", provider,
		client.WithCredentials(client.AKSK(accessKey, secretKey)), client.WithRetry(client.RetryPolicy{BaseDelay: time.Microsecond}))
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)

	ctx, span := provider.Tracer("program").Start(t.Context(), "cancel what is old")
	require.NoError(t, c.CancelFactoryPackages(ctx, "12"))
	span.End()

	got := spans.GetSpans()
	require.Len(t, got, 3)
	for i, status := range []int{429, 200} {
		assert.Equal(t, span.SpanContext().SpanID(), got[i].Parent.SpanID())
		assert.Contains(t, parents[i], got[i].SpanContext.SpanID().String())
		assert.Contains(t, got[i].Attributes, attribute.Int("http.response.status_code", status))
	}
	for _, s := range got {
		text := fmt.Sprintf("%+v", s)
		assert.NotContains(t, text, accessKey)
		assert.NotContains(t, text, "Signature=")
	}
}
