package contracttest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// manyOperations is a document of n operations that need nothing.
func manyOperations(n int) []byte {
	var doc strings.Builder
	doc.WriteString("openapi: 3.0.3\ninfo: {title: many, version: \"1\"}\npaths:\n")
	for i := range n {
		fmt.Fprintf(&doc, "  /thing%d:\n    get: {operationId: get%d, responses: {\"200\": {description: ok}, \"400\": {description: bad}}}\n", i, i)
	}
	return []byte(doc.String())
}

// Nobody waits for the whole plan: here it goes on only once a request has come.
func TestFirstRequestWhilePlanning(t *testing.T) {
	c, err := contracttest.Parse("many.yaml", manyOperations(40))
	require.NoError(t, err)
	asked := make(chan struct{})
	var once sync.Once
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { close(asked) })
		w.WriteHeader(http.StatusOK)
	})
	planning := false
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Only("*/path"), contracttest.Cases(0),
		contracttest.OnProgress(func(p contracttest.Progress) {
			if p.ToPlan > 0 {
				planning = true
				select {
				case <-asked:
				case <-t.Context().Done():
				}
			}
		}))
	require.NoError(t, err)
	assert.True(t, planning)
	assert.Empty(t, rep.Inconclusive)
}
