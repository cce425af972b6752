package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const pair = `Two pairs.

-- a/request.http --
POST /x HTTP/1.1
Content-Type: application/json

{}
-- a/response.http --
HTTP/1.1 200 OK

-- a/verdict --
# a comment
  check-a   Op/clause

check-b Op/clause
-- b-request --
GET /y
-- b-response --
HTTP/1.1 204 No Content
`

func TestParseTxtar(t *testing.T) {
	pairs, err := wire.ParseTxtar("f.txtar", []byte(pair))
	require.NoError(t, err)
	require.Len(t, pairs, 2)

	assert.Equal(t, "f.txtar:a", pairs[0].Name)
	assert.Equal(t, "Two pairs.", pairs[0].About)
	assert.Equal(t, "/x", pairs[0].Request.Target)
	assert.Equal(t, "{}", string(pairs[0].Request.Body), "the line end that closes the file is no part of the message")
	assert.Equal(t, 200, pairs[0].Response.Status)
	assert.Equal(t, []string{"check-a Op/clause", "check-b Op/clause"}, pairs[0].Verdict)

	assert.Equal(t, "f.txtar:b", pairs[1].Name)
	assert.Equal(t, "GET", pairs[1].Request.Method)
	assert.Equal(t, 204, pairs[1].Response.Status)
	assert.Nil(t, pairs[1].Verdict, "nothing is expected of it")
}

func TestParseTxtarEmptyVerdict(t *testing.T) {
	pairs, err := wire.ParseTxtar("f", []byte("-- request --\nGET /\n-- response --\nHTTP/1.1 200\n-- verdict --\n"))
	require.NoError(t, err)
	require.Len(t, pairs, 1)
	assert.Equal(t, "f", pairs[0].Name)
	assert.Equal(t, []string{}, pairs[0].Verdict)
}

func TestParseTxtarRefuses(t *testing.T) {
	tests := []struct{ name, text, message string }{
		{"no file", "only words\n", "no pair"},
		{"unknown file", "-- readme --\n", `file "readme" is neither`},
		{"no response", "-- request --\nGET /\n", "needs a request and a response"},
		{"no request", "-- a/response --\nHTTP/1.1 200\n", "f:a: a pair needs"},
		{"verdict alone", "-- verdict --\nkept\n", "needs a request and a response"},
		{"bad request", "-- request --\nGET\n-- response --\nHTTP/1.1 200\n", "f: request: malformed request line"},
		{"bad response", "-- b/request --\nGET /\n-- b/response --\nok\n", "f:b: response: malformed status line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wire.ParseTxtar("f", []byte(tt.text))
			require.ErrorContains(t, err, tt.message)
		})
	}
}

func FuzzParseTxtar(f *testing.F) {
	f.Add([]byte(pair))
	f.Add([]byte("-- request --\nGET /\n-- response --\nHTTP/1.1 200\n-- verdict --\nkept\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pairs, err := wire.ParseTxtar("f", data)
		if err != nil {
			return
		}
		require.NotEmpty(t, pairs)
		for _, p := range pairs {
			require.NotNil(t, p.Request)
			require.NotNil(t, p.Response)
			require.True(t, strings.HasPrefix(p.Name, "f"))
			require.False(t, slices.ContainsFunc(p.Verdict, func(line string) bool { return line == "" || strings.Contains(line, "  ") }))
		}
	})
}
