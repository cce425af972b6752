package browsertest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/internal/browsertest"
)

// The harness sees what it is there to see.
func TestHarness(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel=icon href=data:,><title>t</title><button></button><button>named</button><script src=/x.js></script><script>throw new Error("thrown")</script>`))
	}))
	defer srv.Close()
	p := browsertest.Start(t).Open(t, srv.URL+"/", "dark", 800, 600)
	var dark bool
	p.Eval(`matchMedia("(prefers-color-scheme: dark)").matches`, &dark)
	assert.True(t, dark)
	assert.Len(t, p.Unnamed(), 1)
	assert.Len(t, p.Requests(), 2)
	assert.GreaterOrEqual(t, len(p.Errors()), 2, "a script that is not there, and one that throws")
}
