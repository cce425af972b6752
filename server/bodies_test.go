package server_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// withheld sends the head of a request with a body of size bytes, and half of that.
func withheld(t *testing.T, r *running, size int) net.Conn {
	t.Helper()
	conn := r.dial(t)
	_, err := conn.Write([]byte(post(path, "", "Content-Type: "+mediaType, fmt.Sprintf("Content-Length: %d", size)) + strings.Repeat(" ", size/2)))
	require.NoError(t, err)
	return conn
}

// Large bodies take no more memory together than they may: who comes when there is
// no room is told so, and small ones have room at any time.
func TestRoomForBodies(t *testing.T) {
	const size = 64 << 10
	st := store.NewMemory()
	_, err := st.Add(t.Context(), store.Packages(store.Package{ID: "12", ProjectID: project}))
	require.NoError(t, err)
	r := start(t, st, server.WithLimits(server.Limits{BodyBytes: size, BodiesBytes: 2 * size, RequestTimeout: 100 * time.Millisecond}))
	valid := `{"package_ids":["12"]}`
	large := post(path, valid+strings.Repeat(" ", size-len(valid)), "Content-Type: "+mediaType)
	small := post(path, valid, "Content-Type: "+mediaType)

	held := []net.Conn{withheld(t, r, size), withheld(t, r, size)}
	var refused answer
	require.Eventually(t, func() bool {
		refused = r.send(t, large)
		return refused.StatusCode == http.StatusTooManyRequests
	}, 10*time.Second, time.Millisecond, "both are read")
	failure(t, refused, http.StatusTooManyRequests, "APIG.0308")
	assert.Equal(t, "1", refused.Header.Get("Retry-After"))
	assert.Equal(t, http.StatusOK, r.send(t, small).StatusCode)

	for _, conn := range held {
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { return r.send(t, large).StatusCode == http.StatusOK }, 10*time.Second, time.Millisecond, "the room is free again")
}

// Whom nobody knows is refused before the body is read, and so is whose token
// is for another project.
func TestRefusedBeforeTheBody(t *testing.T) {
	for name, tt := range map[string]struct {
		header string
		status int
		code   string
	}{
		"no token":      {"X-A: b", http.StatusUnauthorized, "APIG.0301"},
		"unknown token": {"X-Auth-Token: no-such-token", http.StatusUnauthorized, "APIG.0301"},
		"unknown key": {
			"Authorization: SDK-HMAC-SHA256 Access=NOSUCHKEY, SignedHeaders=x-sdk-date, Signature=" + strings.Repeat("0", 64),
			http.StatusUnauthorized, "APIG.0301",
		},
		"another project's token": {"X-Auth-Token: MIIOTHER", http.StatusForbidden, "APIG.0302"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, store.NewMemory(), server.WithAuth(server.AuthAll, credentials()))
			conn := r.dial(t)
			_, err := conn.Write([]byte(post(path, "", "Content-Type: "+mediaType, "Content-Length: 12000000", tt.header)))
			require.NoError(t, err)
			failure(t, readAnswer(t, bufio.NewReader(conn), http.MethodPost), tt.status, tt.code)
		})
	}
}
