package contracttest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// A document may refer to a host that is named, and a note says what was fetched.
func TestFetch(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("Name: {type: string, maxLength: 3}"))
	}))
	defer srv.Close()
	doc := []byte("openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {/a: {get: {operationId: a, parameters: [{name: q, in: query, schema: {$ref: '" +
		srv.URL + "/parts.yaml#/Name'}}], responses: {'200': {description: Done.}}}}}")
	named := func(c *contracttest.Contract) (names []string) {
		for _, cl := range c.Clauses() {
			names = append(names, cl.Name)
		}
		return names
	}

	c, err := contracttest.Parse("a.yaml", doc, contracttest.Fetch(strings.TrimPrefix(srv.URL, "http://")))
	require.NoError(t, err)
	assert.Contains(t, named(c), "a/query/q/maxLength")
	assert.Equal(t, []string{"a.yaml: fetched 1 file that the document refers to, 1 KiB: " + srv.URL + "/parts.yaml"}, c.Warnings())

	c, err = contracttest.Parse("a.yaml", doc)
	require.NoError(t, err)
	assert.NotContains(t, named(c), "a/query/q/maxLength")
	require.Len(t, c.Warnings(), 1)
	assert.Contains(t, c.Warnings()[0], "remote files are not fetched: --fetch 127.0.0.1:")

	for _, host := range []string{"", "http://example.com", "example.com/a", "user@example.com", "a b"} {
		_, err = contracttest.Parse("a.yaml", doc, contracttest.Fetch(host))
		require.ErrorContains(t, err, "is not a host", host)
	}
}
