package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
)

// fairListener bounds what the connections of one address take: it closes those
// that are too many, and with TLS lets them take turns at the processors.
type fairListener struct {
	net.Listener
	most int // connections of one address
	tls  bool
	// trusted are proxies, whose connections are those of many callers.
	trusted proxies

	mu sync.Mutex
	by map[netip.Addr]*peer
}

// peer is an address that has connections.
type peer struct {
	connections int
	turns       chan struct{} // has one for each that is taken
	refusing    chan struct{} // has one for each request that is being refused
}

func newFairListener(listener net.Listener, most int, tls bool, trusted proxies) *fairListener {
	return &fairListener{Listener: listener, most: most, tls: tls, trusted: trusted, by: map[netip.Addr]*peer{}}
}

// Accept waits for a connection of an address that may have one more.
func (l *fairListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		ip := addressOf(conn.RemoteAddr().String())
		from := networkOf(ip)
		if p := l.add(from, l.trusted.trust(ip)); p != nil {
			fair := &fairConn{Conn: conn, peer: p, plain: !l.tls, removed: sync.OnceFunc(func() { l.remove(from) })}
			fair.free.Store(!l.tls)
			return fair, nil
		}
		_ = conn.Close()
	}
}

// add returns nil if there are too many connections from there, unless that is a
// trusted proxy.
func (l *fairListener) add(from netip.Addr, trusted bool) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.by[from]
	if p == nil {
		p = &peer{turns: make(chan struct{}, runtime.GOMAXPROCS(0)), refusing: make(chan struct{}, maxRefusing)}
		l.by[from] = p
	}
	if p.connections >= l.most && !trusted {
		return nil
	}
	p.connections++
	return p
}

func (l *fairListener) remove(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.by[from]
	if p.connections--; p.connections == 0 {
		delete(l.by, from)
	}
}

// fairConn is a connection that is counted until it is closed.
//
// With TLS it takes turns with the others of its address: what it has read it
// returns when one of them is free, which it gives back when it writes or is asked to
// read again. What lies between takes nothing but processor time, a millisecond in a
// handshake, and no longer than that however slowly the other side sends. So
// the goroutines that wait for a processor are no more than a few of each address,
// and a request of another one has not thousands before it.
//
// This holds for HTTP/2, where requests are carried out by goroutines of their own. A connection
// of HTTP/1.1 is freed of it with its first request.
type fairConn struct {
	net.Conn
	peer    *peer
	removed func() // from its listener

	free atomic.Bool // takes no turns
	turn atomic.Bool // has its turn

	plain  bool // without TLS: what is read is what the caller has sent
	length lengthSearch
}

// connKey is where the context of a request has its connection.
type connKey struct{}

// withConn adds the connection to the context of its requests.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	return context.WithValue(ctx, connKey{}, conn)
}

// connOf returns the connection of a request, and nil in process.
func connOf(r *http.Request) *fairConn {
	conn, _ := r.Context().Value(connKey{}).(*fairConn)
	return conn
}

// Read reads, and waits for its turn.
func (c *fairConn) Read(p []byte) (int, error) {
	if c.free.Load() {
		n, err := c.Conn.Read(p)
		if c.plain {
			c.length.look(p[:n])
		}
		return n, err
	}
	c.endTurn()
	n, err := c.Conn.Read(p)
	if n > 0 && !c.free.Load() {
		c.peer.turns <- struct{}{}
		c.turn.Store(true)
		// Those that are woken by what is read go first. Otherwise one connection after the
		// other would be read for a whole time slice, and hundreds of goroutines come before
		// whoever is next.
		runtime.Gosched()
		if c.free.Load() { // by now: nothing else would end it
			c.endTurn()
		}
	}
	return n, err
}

// Write writes, and ends the turn, as the one who answers has done what is expensive. It
// may be the last that is done for what was read: net/http sends GOAWAY to a caller that
// breaks the rules of HTTP/2, and keeps the connection for a second without reading on.
func (c *fairConn) Write(p []byte) (int, error) {
	c.endTurn()
	return c.Conn.Write(p)
}

// Close closes the connection.
func (c *fairConn) Close() error {
	c.release()
	c.removed()
	return c.Conn.Close()
}

// release frees the connection of taking turns.
func (c *fairConn) release() {
	c.free.Store(true)
	c.endTurn()
}

func (c *fairConn) endTurn() {
	if c.turn.CompareAndSwap(true, false) {
		<-c.peer.turns
	}
}

// lengthSearch looks for the name of Content-Length in what a connection reads, until
// it is found.
type lengthSearch struct {
	matched int // letters, at the end of what was looked at
	found   atomic.Bool
}

func (s *lengthSearch) look(data []byte) {
	const name = "content-length"
	if s.found.Load() {
		return
	}
	for _, c := range data {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		switch c {
		case name[s.matched]:
			s.matched++
		case name[0]: // which is nowhere else in it
			s.matched = 1
		default:
			s.matched = 0
		}
		if s.matched == len(name) {
			s.found.Store(true)
			return
		}
	}
}

// endsConnection reports whether the connection of a request is to be closed after
// the answer. RFC 9112 §6.1 demands that for one with both Transfer-Encoding
// and Content-Length, which may be an attempt to smuggle another request past a proxy.
// net/http drops the latter, so that it is looked for in what the connection has
// read: now or in a request before. Where that is not seen, as with TLS, each
// request in chunks ends its connection.
func endsConnection(r *http.Request) bool {
	if r.ProtoMajor != 1 || len(r.TransferEncoding) == 0 {
		return false
	}
	conn := connOf(r)
	return conn == nil || !conn.plain || conn.length.found.Load()
}
