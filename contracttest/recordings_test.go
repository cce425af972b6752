package contracttest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestSanitizedRecording judges what Chromium has recorded: it leaves out cookies and credentials, unless one asks for them.
func TestSanitizedRecording(t *testing.T) {
	c, err := contracttest.Parse("session.yaml", []byte(`
openapi: 3.0.3
info: {title: session, version: "1"}
paths:
  /session:
    get:
      operationId: read
      parameters: [{name: session, in: cookie, required: true, schema: {type: string}}, {name: X-Shop, in: header, required: true, schema: {type: string}}]
      responses: {"204": {description: there, headers: {Set-Cookie: {required: true, schema: {type: string}}, X-Left: {required: true, schema: {type: integer}}}}}
`))
	require.NoError(t, err)
	for _, tt := range []struct {
		creator, request, response string // headers
		want                       []string
	}{
		{"WebInspector", "X-Shop", "X-Left", nil},
		{"WebInspector", "X-Other", "X-Other", []string{"read/header/X-Shop/required", "read/response/204/header/X-Left/required"}},
		{"WebInspector", "Authorization", "X-Left", []string{"read/cookie/session/required", "read/response/204/header/Set-Cookie/required", "read/header/X-Shop/required"}},
		{"Firefox", "X-Shop", "X-Left", []string{"read/cookie/session/required", "read/response/204/header/Set-Cookie/required"}},
	} {
		pairs, err := contracttest.ParseHAR("f.har", fmt.Appendf(nil, `{"log":{"creator":{"name":%q},"entries":[{
			"request":{"method":"GET","url":"https://a.example/session","headers":[{"name":%q,"value":"1"}]},"response":{"status":204,"headers":[{"name":%q,"value":"1"}]}}]}}`, tt.creator, tt.request, tt.response))
		require.NoError(t, err)
		require.Len(t, pairs, 1)
		var clauses []string
		found, err := c.Judge(pairs[0])
		require.NoError(t, err)
		for _, f := range found {
			clauses = append(clauses, f.Clause)
		}
		assert.Equal(t, tt.want, clauses, tt)
	}
}
