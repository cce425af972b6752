package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/server"
)

// A request is counted as what it was for, and what its caller chose is not told.
func TestObserver(t *testing.T) {
	var seen []server.Observation
	h := newHandler(t, newMemory(t), io.Discard, server.WithAuth(server.AuthAll, users()),
		server.WithObserver(func(o server.Observation) {
			o.Duration = 0
			seen = append(seen, o)
		}))
	for _, tt := range []struct {
		method, target string
		want           server.Observation
	}{
		{"POST", path, server.Observation{Operation: "CancelFactoryPackages", Status: 401}},
		{"GET", path, server.Observation{Operation: "none", Status: 404}},
		{"GET", "/nowhere", server.Observation{Operation: "none", Status: 404}},
		{"GET", "/docs", server.Observation{Operation: "none", Status: 404}},
		{"GET", "/readyz", server.Observation{Operation: "probe", Status: 200}},
		{"HEAD", "/healthz", server.Observation{Operation: "probe", Status: 200}},
		{"POST", "/v3/auth/tokens", server.Observation{Operation: "iam", Status: 400}},
		{"GET", "/v3/auth/tokens", server.Observation{Operation: "iam", Status: 404}},
		{"GET", "/", server.Observation{Operation: "page", Status: 200}},
		{"HEAD", "/openapi.json", server.Observation{Operation: "page", Status: 200}},
		{"GET", "/docs/swagger-ui.css", server.Observation{Operation: "page", Status: 200}},
		{"GET", "/docs/nothing", server.Observation{Operation: "page", Status: 404}},
	} {
		seen = nil
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), tt.method, tt.target, http.NoBody))
		assert.Equal(t, []server.Observation{tt.want}, seen, "%s %s", tt.method, tt.target)
	}
}

// Where nobody gives out tokens, there is no such path.
func TestObserverWithoutUsers(t *testing.T) {
	var operation string
	h := newHandler(t, newMemory(t), io.Discard, server.WithObserver(func(o server.Observation) { operation = o.Operation }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/v3/auth/tokens", http.NoBody))
	assert.Equal(t, "none", operation)
}
