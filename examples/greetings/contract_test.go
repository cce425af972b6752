package greetings_test

import (
	"testing"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/examples/greetings"
)

func TestContract(t *testing.T) {
	contract, err := contracttest.Load("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	contracttest.Test(t, contract, contracttest.Handler(greetings.Handler()))
}
