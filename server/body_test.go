package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A body is read to its end, whatever its Content-Length says of it: a handler
// need not be called by net/http, which holds it to that.
func TestBodyLimitRead(t *testing.T) {
	const limit = firstPiece*8 + 10
	for name, body := range map[string]string{
		"nothing": "", "one byte": "x", "some": strings.Repeat("x", 1000),
		"as large as the first piece": strings.Repeat("x", firstPiece), "the limit": strings.Repeat("x", limit),
	} {
		for _, length := range []int64{-1, 0, 1, 999, 1000, 1001, firstPiece - 1, firstPiece, firstPiece + 1, limit} {
			for _, reader := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader,
			} {
				got, err := read(t, limit, length, reader(strings.NewReader(body)))
				require.NoError(t, err, "%s, Content-Length %d", name, length)
				assert.Equal(t, body, string(got), "%s, Content-Length %d", name, length)
			}
		}
	}
}

func TestBodyLimitRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		length int64
		body   io.Reader
		want   int
	}{
		"announced above the limit":    {11, strings.NewReader(""), http.StatusRequestEntityTooLarge},
		"above the limit":              {-1, strings.NewReader("12345678901"), http.StatusRequestEntityTooLarge},
		"more than announced":          {3, strings.NewReader("12345678901"), http.StatusRequestEntityTooLarge},
		"not read to its end":          {-1, iotest.ErrReader(io.ErrUnexpectedEOF), http.StatusBadRequest},
		"announced, and not to be had": {3, iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("123"))), http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, 10, tt.length, tt.body)
			var refused *refusal
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.want, refused.status)
		})
	}
}

func read(t *testing.T, limit, length int64, body io.Reader) ([]byte, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.Body, r.ContentLength = io.NopCloser(body), length
	held := reservation{budget: newBudget(1 << 20)}
	return newBodyLimit(limit).read(echo.New().NewContext(r, httptest.NewRecorder()), &held)
}
