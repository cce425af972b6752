package routers_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/examples/routers"
)

// Real traffic of either is judged as it passes, and what breaks the contract is refused.
func TestMiddleware(t *testing.T) {
	contract, err := contracttest.Load("../greetings/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var records bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&records, nil))

	judge := contracttest.Middleware(contract, contracttest.Log(logger), contracttest.Enforce())
	onChi := routers.Chi(judge)
	onEcho := routers.Echo(judge)

	for name, handler := range map[string]http.Handler{"chi": onChi, "echo": onEcho} {
		for target, want := range map[string]int{"/greetings/Ada?times=2": http.StatusOK, "/greetings/Ada?times=9": http.StatusBadRequest, "/elsewhere": http.StatusNotFound} {
			records.Reset()
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, target, nil))
			if rec.Code != want {
				t.Errorf("%s: %s is answered with %d, want %d", name, target, rec.Code, want)
			}
			refused := rec.Header().Get("Contract-Violation") != ""
			if refused != (want == http.StatusBadRequest) || refused != (records.Len() > 0) {
				t.Errorf("%s: %s is refused: %v, and said: %s", name, target, refused, records.String())
			}
		}
	}
}
