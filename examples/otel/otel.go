// Package otel shows how a program traces the client's requests with
// OpenTelemetry: a transport around the client's own, and no more. It is in a
// module of its own, so that the client needs no part of OpenTelemetry.
package otel

import (
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataarts-go/factory/client"
)

// NewClient returns a client that makes a span of each request it sends, a
// repeated one included, below the span of the caller's context. The header
// that tells the service of the span comes after the signature, which does not
// cover it.
func NewClient(endpoint, projectID string, provider trace.TracerProvider, opts ...client.Option) (*client.Client, error) {
	httpClient := &http.Client{
		Timeout: time.Minute,
		Transport: otelhttp.NewTransport(http.DefaultTransport.(*http.Transport).Clone(),
			otelhttp.WithTracerProvider(provider), otelhttp.WithPropagators(propagation.TraceContext{})),
	}
	return client.New(endpoint, projectID, append(opts, client.WithHTTPClient(httpClient))...)
}
