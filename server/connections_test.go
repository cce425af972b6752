package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNetworkOf(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80":                    "192.0.2.1",
		"[::ffff:192.0.2.1]:80":           "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80":       "2001:db8:1:2::",
		"[fe80::1%eth0]:80":               "fe80::",
		"@":                               "invalid IP",
		"":                                "invalid IP",
		"192.0.2.1":                       "192.0.2.1",
		"factory.example:80":              "invalid IP",
		"[2001:db8:1:2:ffff:ffff::1]:443": "2001:db8:1:2::",
	} {
		assert.Equal(t, want, networkOf(addressOf(remote)).String(), remote)
	}
}

// A caller may have half of what is left: however many there are, there is some
// for the next one.
func TestBudget(t *testing.T) {
	const all = 1 << 20
	b := newBudget(all)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }
	fill := func(who netip.Addr) (taken int64) {
		for b.take(who, 16) {
			taken += 16
		}
		return taken
	}
	left := int64(all)
	for i := range 10 {
		taken := fill(address(i))
		assert.InDelta(t, left/3, taken, 32, "caller %d", i)
		left -= taken
	}
	assert.Equal(t, left, b.free)
	assert.False(t, b.take(address(0), 16), "the first has none left")
	assert.True(t, b.take(address(11), 16), "a new one has")

	r := reservation{budget: b, who: address(12)}
	require.NoError(t, r.grow(100))
	require.ErrorIs(t, r.grow(all), errNoMemory)
	assert.Equal(t, int64(100*overhead), r.bytes)
	r.release()
	r.release()
	assert.Equal(t, left-16, b.free)
	assert.NotContains(t, b.held, address(12))
}

// pipes is a listener of connections in memory.
type pipes struct {
	net.Listener
	next chan net.Conn
}

func (p *pipes) Accept() (net.Conn, error) {
	conn, open := <-p.next
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// remoteConn has the address of a caller.
type remoteConn struct {
	net.Conn
	from string
}

func (c remoteConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

// connect connects from an address, and returns the other side.
func (p *pipes) connect(from string) net.Conn {
	near, far := net.Pipe()
	p.next <- remoteConn{near, from}
	return far
}

func TestConnectionsOfOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{next: make(chan net.Conn, 10)}
		l := newFairListener(p, 2, false, nil)
		accept := func(want string) net.Conn {
			t.Helper()
			conn, err := l.Accept()
			require.NoError(t, err)
			assert.Equal(t, want, conn.RemoteAddr().String())
			return conn
		}
		for _, from := range []string{"192.0.2.1:1", "192.0.2.1:2"} {
			defer p.connect(from).Close()
		}
		first, second := accept("192.0.2.1:1"), accept("192.0.2.1:2")
		third := p.connect("192.0.2.1:3")
		defer p.connect("192.0.2.2:4").Close()
		other := accept("192.0.2.2:4")
		_, err := third.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "the third is closed")

		require.NoError(t, first.Close())
		_ = first.Close() // which counts once
		defer p.connect("192.0.2.1:5").Close()
		fifth := accept("192.0.2.1:5")
		for _, conn := range []net.Conn{second, other, fifth} {
			require.NoError(t, conn.Close())
		}
		assert.Empty(t, l.by)
		close(p.next)
		_, err = l.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

// turns returns connections of one address that take turns, and their other sides.
func turns(t *testing.T, n int) (near []*fairConn, far []net.Conn, who *peer) {
	t.Helper()
	p := &pipes{next: make(chan net.Conn, n)}
	l := newFairListener(p, n, true, nil)
	for range n {
		far = append(far, p.connect("192.0.2.1:1"))
		conn, err := l.Accept()
		require.NoError(t, err)
		near = append(near, conn.(*fairConn))
	}
	return near, far, near[0].peer
}

// No more connections of an address have something to do at a time than there are
// processors; whoever waits for bytes, is closed or is released keeps none waiting.
func TestTurns(t *testing.T) {
	n := runtime.GOMAXPROCS(0)
	for name, end := range map[string]func(c *fairConn){
		"reads on":    func(c *fairConn) { go func() { _, _ = c.Read(make([]byte, 1)) }() },
		"is closed":   func(c *fairConn) { _ = c.Close() },
		"is released": func(c *fairConn) { c.release() },
		"writes":      func(c *fairConn) { go func() { _, _ = c.Write([]byte("x")) }() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far, who := turns(t, n+1)
				read := make(chan *fairConn, n+1)
				for i, c := range near { // as in a handshake
					go func() { _, _ = c.Write([]byte("x")) }()
					_, err := far[i].Read(make([]byte, 1))
					require.NoError(t, err)
				}
				for i, c := range near {
					go func() { _, _ = far[i].Write([]byte("x")) }()
					go func() {
						_, _ = c.Read(make([]byte, 1))
						read <- c
					}()
				}
				synctest.Wait()
				require.Len(t, read, n)
				end(<-read)
				synctest.Wait()
				require.Len(t, read, n, "it is the turn of the next one")
				for _, c := range near {
					_ = c.Close()
				}
				for _, c := range far {
					_ = c.Close()
				}
				synctest.Wait()
				assert.Empty(t, who.turns)
			})
		})
	}
}

// slowWriter is an answer that is not sent before sent is closed.
type slowWriter struct {
	*httptest.ResponseRecorder
	begun chan<- struct{}
	sent  <-chan struct{}
}

func (w slowWriter) Flush() {
	w.begun <- struct{}{}
	<-w.sent
}

// Of the requests of an address for which there is no memory a few are answered at a time,
// so that their goroutines are not all woken at once. One whose caller has gone is not
// answered at all.
func TestRefusalsOfOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, router := &Server{}, echo.New()
		near, far, _ := turns(t, 2)
		begun, sent := make(chan struct{}, 3*maxRefusing), make(chan struct{})
		ctx, leave := context.WithCancel(context.Background())
		var refused sync.WaitGroup
		for i := range 3 * maxRefusing {
			ctx := ctx
			if i < maxRefusing {
				ctx = context.Background()
			}
			r := httptest.NewRequestWithContext(withConn(ctx, near[i%2]), http.MethodPost, "/", http.NoBody)
			refused.Go(func() {
				_ = s.refuseStream(router.NewContext(r, slowWriter{httptest.NewRecorder(), begun, sent}))
			})
			synctest.Wait()
		}
		assert.Len(t, begun, maxRefusing)
		assert.EqualValues(t, 3*maxRefusing, s.refused.Load())
		leave()
		synctest.Wait()
		assert.EqualValues(t, maxRefusing, s.refused.Load())
		close(sent)
		refused.Wait()
		assert.Len(t, begun, maxRefusing)
		assert.Zero(t, s.refused.Load())
		for i := range near {
			require.NoError(t, near[i].Close())
			require.NoError(t, far[i].Close())
		}
	})
}

// One that is closed while it waits for its turn does not keep it.
func TestTurnOfAClosedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := runtime.GOMAXPROCS(0)
		near, far, who := turns(t, n+1)
		var done sync.WaitGroup
		for i, c := range near {
			done.Go(func() { _, _ = far[i].Write([]byte("x")) })
			done.Go(func() { _, _ = c.Read(make([]byte, 1)) })
		}
		synctest.Wait()
		for _, c := range near {
			_ = c.Close()
		}
		done.Wait()
		assert.Empty(t, who.turns)
		for _, c := range far {
			_ = c.Close()
		}
	})
}

// The context of a request has the connection below TLS.
func TestConnOf(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn := &fairConn{Conn: near, peer: &peer{turns: make(chan struct{}, 1)}, removed: func() {}}
	defer conn.Close()
	for _, c := range []net.Conn{conn, tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS12})} {
		ctx := withConn(t.Context(), c)
		assert.Same(t, conn, ctx.Value(connKey{}))
	}
}

func TestLengthSearch(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "Content-Length": true, "content-LENGTH: 5": true, "Content_Length: 5": false,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n": true, "ConContent-Length": true, "Content-Content-Length": true, "Content-Lengt": false,
	} {
		for size := 1; size <= 20; size++ { // of what is read at once
			var s lengthSearch
			for rest := []byte(text); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				s.look(rest[:min(size, len(rest))])
			}
			assert.Equal(t, want, s.found.Load(), "%q in pieces of %d", text, size)
		}
	}
}

// A trusted proxy has the connections of many callers.
func TestConnectionsOfAProxy(t *testing.T) {
	p := &pipes{next: make(chan net.Conn, 10)}
	l := newFairListener(p, 1, false, proxies{netip.MustParsePrefix("192.0.2.0/24")})
	for _, from := range []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "198.51.100.1:1"} {
		defer p.connect(from).Close()
		conn, err := l.Accept()
		require.NoError(t, err)
		defer conn.Close()
		assert.Equal(t, from, conn.RemoteAddr().String())
	}
	another := p.connect("198.51.100.1:2")
	close(p.next)
	_, err := l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = another.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
