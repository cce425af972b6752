package crosssite

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIsLocal(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "127.0.0.1:9090", "[::1]:9090", "[::1]", "localhost:9090", "LocalHost", "192.0.2.7:1"} {
		assert.True(t, IsLocal(host), host)
	}
	for _, host := range []string{"", "evil.example", "evil.example:9090", "127.0.0.1.evil.example", "localhost.evil.example:9090", "[evil]", ":9090"} {
		assert.False(t, IsLocal(host), host)
	}
}

func TestProtect(t *testing.T) {
	h := http.Header{}
	Protect(h, "default-src 'none'")
	assert.Equal(t, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'", h.Get("Content-Security-Policy"))
	assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
}
