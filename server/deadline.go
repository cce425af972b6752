package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// lazyListener accepts connections whose deadlines cost little to move.
type lazyListener struct{ net.Listener }

// Accept waits for a connection.
func (l lazyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newLazyConn(conn), nil
}

// lazyConn is a connection that keeps its deadlines as any other does, but
// seldom moves them. net/http moves them seven times for each request, nearly
// always further away, and each time a timer is stopped and another started: a
// twentieth of the throughput. Here a deadline that is moved further away stays
// where it is until it is over; then it is seen that there is time left.
type lazyConn struct {
	net.Conn
	read, write deadline
}

func newLazyConn(conn net.Conn) *lazyConn {
	return &lazyConn{
		Conn:  conn,
		read:  deadline{apply: conn.SetReadDeadline},
		write: deadline{apply: conn.SetWriteDeadline},
	}
}

// Read reads until the deadline that is wanted.
func (c *lazyConn) Read(p []byte) (int, error) {
	if err := c.read.resume(); err != nil {
		return 0, err
	}
	for {
		n, err := c.Conn.Read(p)
		if err == nil || n > 0 || !c.read.early(err) {
			return n, err
		}
	}
}

// Write writes until the deadline that is wanted.
func (c *lazyConn) Write(p []byte) (written int, err error) {
	if err := c.write.resume(); err != nil {
		return 0, err
	}
	for {
		n, err := c.Conn.Write(p[written:])
		written += n
		if err == nil || !c.write.early(err) {
			return written, err
		}
	}
}

// SetReadDeadline moves the deadline of Read.
func (c *lazyConn) SetReadDeadline(t time.Time) error { return c.read.want(t) }

// SetWriteDeadline moves the deadline of Write.
func (c *lazyConn) SetWriteDeadline(t time.Time) error { return c.write.want(t) }

// SetDeadline moves both.
func (c *lazyConn) SetDeadline(t time.Time) error {
	return errors.Join(c.read.want(t), c.write.want(t))
}

// deadline is one of a connection. The connection itself has the one that is
// wanted, or an earlier one.
type deadline struct {
	apply func(time.Time) error // to the connection

	mu     sync.Mutex
	wanted time.Time // zero: none
	set    time.Time // of the connection, unless it is cut; zero: none
	// cut is whether the connection has a deadline of long ago, with which
	// net/http wakes who waits for bytes.
	cut bool
}

// longAgo is a time before which a deadline is there to cut, not to be waited for.
var longAgo = time.Unix(1<<20, 0)

// want moves the deadline to t; a zero t is none.
func (d *deadline) want(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	switch {
	case t.IsZero() || d.cut: // what the connection has is earlier
		return nil
	case t.Before(longAgo):
		d.cut = true
		return d.apply(t)
	case d.set.IsZero() || t.Before(d.set):
		return d.move(t)
	default:
		return nil
	}
}

// move gives the connection another deadline.
func (d *deadline) move(t time.Time) error {
	d.set, d.cut = t, false
	return d.apply(t)
}

// resume makes a connection that was cut usable again, if that is wanted, with
// the deadline that it had: it is over or early, but not late.
func (d *deadline) resume() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !d.cut || !d.wanted.IsZero() && d.wanted.Before(longAgo):
		return nil
	case d.set.IsZero() || !d.wanted.IsZero() && d.wanted.Before(d.set):
		return d.move(d.wanted)
	default:
		return d.move(d.set)
	}
}

// early reports whether err is that the connection's deadline is over before the
// one that is wanted, and moves it there.
func (d *deadline) early(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.wanted.IsZero() && !time.Now().Before(d.wanted) {
		return false
	}
	return d.move(d.wanted) == nil
}
