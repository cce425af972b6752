package greetings_test

import (
	"net/http"
	"testing"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/examples/greetings"
)

// A rule of one's own is tested beside those of the document.
func TestTraced(t *testing.T) {
	contract, err := contracttest.Load("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own := contracttest.Checks(contracttest.Check{
		Name: "trace-id", Doc: "Every answer has an X-Trace-Id.",
		Judge: func(a *contracttest.Answer) []string {
			if a.Response.Header.Get("X-Trace-Id") == "" {
				return []string{a.Request.Method + " " + a.Operation.Path + " has none"}
			}
			return nil
		},
	})
	traced := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Trace-Id", "1")
		greetings.Handler().ServeHTTP(w, r)
	})
	contracttest.Test(t, contract, contracttest.Handler(traced), own)
}
