package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// withheld sends the head of a request with a body, and the part of it that is given.
func withheld(t *testing.T, r *running, framing, part string) net.Conn {
	t.Helper()
	conn := r.dial(t)
	_, err := conn.Write([]byte(post(path, "", "Content-Type: "+mediaType, framing) + part))
	require.NoError(t, err)
	return conn
}

// dialFrom connects from another address of this machine.
func (r *running) dialFrom(t *testing.T, ip net.IP) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}}
	conn, err := dialer.DialContext(t.Context(), "tcp", r.address)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skipf("this machine has no address %v", ip)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// What bodies take is counted as it arrives, whatever their framing. A caller whose
// bodies take what it may have is refused at once, and others are served.
func TestRoomForBodies(t *testing.T) {
	const size = 1 << 20
	st := store.NewMemory()
	_, err := st.Add(t.Context(), store.Packages(store.Package{ID: "12", ProjectID: project}))
	require.NoError(t, err)
	valid := `{"package_ids":["12"]}`
	small := post(path, valid, "Content-Type: "+mediaType)
	large := post(path, valid+strings.Repeat(" ", size/2), "Content-Type: "+mediaType)
	half := strings.Repeat(" ", size/2)
	for name, tt := range map[string]struct{ framing, part string }{
		"length":  {fmt.Sprintf("Content-Length: %d", size), half},
		"chunked": {"Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(half), half)},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, st, server.WithLimits(server.Limits{BodyBytes: size, BodiesBytes: 18 * size}))
			var conns []net.Conn
			var refused answer
			require.Eventually(t, func() bool {
				conns = append(conns, withheld(t, r, tt.framing, tt.part))
				refused = r.send(t, large)
				return refused.StatusCode == http.StatusTooManyRequests
			}, 10*time.Second, time.Millisecond, "all of them are read")
			failure(t, refused, http.StatusTooManyRequests, "APIG.0308")
			assert.Equal(t, "1", refused.Header.Get("Retry-After"))

			other := r.dialFrom(t, net.IPv4(127, 0, 0, 2))
			_, err := other.Write([]byte(small))
			require.NoError(t, err)
			success(t, readAnswer(t, bufio.NewReader(other), http.MethodPost))

			for _, conn := range conns {
				require.NoError(t, conn.Close())
			}
			require.Eventually(t, func() bool { return r.send(t, large).StatusCode == http.StatusOK }, 10*time.Second, time.Millisecond, "the memory is free again")
		})
	}
}

// Connections that announce large bodies and send nothing of them keep no other body
// waiting, not even one of their own address.
func TestSilentConnections(t *testing.T) {
	s := newMemory(t)
	r := start(t, s, server.WithLimits(server.Limits{RequestTimeout: time.Second}))
	for range 22 {
		withheld(t, r, "Content-Length: 12000000", "")
		withheld(t, r, "Transfer-Encoding: chunked", "")
	}
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(document), document)
	for range 10 { // until those above have been read
		success(t, r.send(t, request("POST", path, chunked, "Content-Type: "+mediaType, "Transfer-Encoding: chunked")))
	}
}

// What a large body is decoded to may be fifty times its size: it is refused before
// it is, where there is no memory for it.
func TestManyValues(t *testing.T) {
	const size = 1 << 20
	r := start(t, newMemory(t), server.WithLimits(server.Limits{BodyBytes: size, BodiesBytes: 18 * size}))
	many := `{"package_ids":[` + strings.Repeat(`{"a":0},`, size/8-10) + `1]}`
	failure(t, r.send(t, post(path, many, "Content-Type: "+mediaType)), http.StatusRequestEntityTooLarge, "APIG.0201", "too many values")
	few := `{"package_ids":["12"` + strings.Repeat(" ", size-100) + `]}`
	success(t, r.send(t, post(path, few, "Content-Type: "+mediaType)))
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
