package contracttest_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestFraming proves that what a server writes after the end of an answer is
// found, though the answer itself is right.
func TestFraming(t *testing.T) {
	next := correct(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, req)
				resp := rec.Result()
				resp.ContentLength, resp.Request = int64(rec.Body.Len()), req
				resp.Close = true
				_ = resp.Write(conn)
				_, _ = io.WriteString(conn, "more")
			}()
		}
	}()
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.URL("http://"+listener.Addr().String()), known()...)
	require.NoError(t, err)
	for _, f := range rep.Findings {
		again, err := contracttest.Run(t.Context(), load(t), contracttest.URL("http://"+listener.Addr().String()), known(contracttest.Only("case:"+f.Case.ID))...)
		require.NoError(t, err)
		assert.True(t, slices.ContainsFunc(again.Findings, func(other contracttest.Finding) bool { return other.ID == f.ID }), "%s by itself: %s", f.Case.ID, describe(again))
	}
	require.NoError(t, listener.Close())
	<-done
	require.Len(t, rep.Findings, 3, "one for each status: %s", describe(rep))
	for _, f := range rep.Findings {
		assert.Equal(t, "response-framing", f.Check)
	}
}
