package routers_test

import (
	"net/http"
	"testing"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/examples/routers"
)

func TestContract(t *testing.T) {
	contract, err := contracttest.Load("../greetings/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, handler := range map[string]http.Handler{"chi": routers.Chi(), "echo": routers.Echo()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contracttest.Test(t, contract, contracttest.Handler(handler))
		})
	}
}
