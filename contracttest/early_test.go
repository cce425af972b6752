package contracttest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// Nobody waits for the whole plan: here a part of it is made only once a request has come.
func TestFirstRequestWhilePlanning(t *testing.T) {
	const doc = `
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /slow:
    put:
      operationId: slow
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {code: {type: string, format: slow}}}}}}
      responses: {"200": {description: ok}, "400": {description: bad}}
  /quick:
    get: {operationId: quick, responses: {"200": {description: ok}}}
`
	asked, planning := make(chan struct{}), false
	c, err := contracttest.Parse("a.yaml", []byte(doc), contracttest.Format("slow", func(text string) bool {
		if planning {
			select {
			case <-asked:
			case <-t.Context().Done():
			}
		}
		return strings.HasPrefix(text, "s")
	}, "s1"))
	require.NoError(t, err)
	planning = true
	var once sync.Once
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { close(asked) })
		w.WriteHeader(http.StatusOK)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Cases(0), contracttest.Only("slow", "quick/path"))
	require.NoError(t, err)
	assert.NotZero(t, rep.Stats.Cases)
}
