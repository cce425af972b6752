package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// A ConnectError means that no connection took the request, not even its first
// byte: nobody listens, TLS fails, a proxy refuses, or an idle connection was
// closed at the same moment. Nothing was sent by the attempt that it is about.
// It wraps the [*net/url.Error] that says more.
//
// Where errors.Is with [ErrInDoubt] holds as well, an earlier attempt of the
// same call may have cancelled the packages.
type ConnectError struct {
	// Permanent says that another attempt would fail in the same way, so that
	// none was made: the certificate is of an unknown authority, of another
	// host or has expired; the answer to the TLS handshake is not TLS; a proxy
	// refuses with a status of 4xx, such as 403 or 407; a header that the
	// credentials have set cannot be sent. The last two are told apart by the
	// client's own transport alone.
	Permanent bool

	err error
}

func (e *ConnectError) Error() string { return e.err.Error() }
func (e *ConnectError) Unwrap() error { return e.err }

func (e *ConnectError) outcome() outcome {
	if e.Permanent {
		return refused
	}
	return unsent
}

// delivery follows how far one request gets.
type delivery struct {
	own   bool        // the transport is that of ownTransport
	asked atomic.Bool // for a connection

	// With the client's own transport:
	conn   *countingConn // nil before there is one
	before int64         // bytes written to conn before this request

	// With another one:
	begun   atomic.Bool // to write the request to a connection
	hasBody bool
	body    onceBody
}

// follow returns the request to send in place of req.
//
// It has no GetBody. With one, net/http sends the request again by itself, as
// often as an HTTP/2 server answers it with GOAWAY, REFUSED_STREAM or
// PROTOCOL_ERROR, even where the server has read all of it; RFC 9110 §9.2.2
// forbids that for a POST that may have been carried out.
func (d *delivery) follow(req *http.Request) *http.Request {
	trace := &httptrace.ClientTrace{GetConn: func(string) { d.asked.Store(true) }}
	if d.own {
		trace.GotConn = d.gotConn
	} else {
		// HTTP/2 reports the first of them before the first byte, and HTTP/1 the
		// last of each request that it began to write.
		trace.WroteHeaderField = func(string, []string) { d.begun.Store(true) }
		trace.WroteHeaders = func() { d.begun.Store(true) }
		trace.WroteRequest = func(httptrace.WroteRequestInfo) { d.begun.Store(true) }
	}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	req.GetBody = nil
	// Over the client's own transport the bytes that are written are counted, and
	// a body whose type net/http knows is written together with the header.
	if !d.own && req.Body != nil && req.Body != http.NoBody {
		d.hasBody, d.body.ReadCloser = true, req.Body
		req.Body = &d.body
	}
	return req
}

func (d *delivery) gotConn(info httptrace.GotConnInfo) {
	conn := info.Conn
	for {
		wrapped, ok := conn.(interface{ NetConn() net.Conn }) // TLS, also within TLS to a proxy
		if !ok {
			break
		}
		conn = wrapped.NetConn()
	}
	counting, ok := conn.(*countingConn)
	if !ok {
		d.conn, d.before = new(countingConn), -1 // not known: it counts as written
		return
	}
	d.conn, d.before = counting, counting.written.Load()
}

// nothingSent reports, after the request has failed, whether no byte of it was
// written. A transport of the caller's that does not report to httptrace leaves
// the matter open; then it is false. If it is true, none will be written later.
func (d *delivery) nothingSent() bool {
	if d.own {
		return d.conn == nil || d.conn.written.Load() == d.before
	}
	return d.asked.Load() && !d.begun.Load() && (!d.hasBody || d.body.seal())
}

// isPermanent reports whether err, after which nothing was sent, would come
// again.
func (d *delivery) isPermanent(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if d.own && !d.asked.Load() {
		return true // such as a header that cannot be sent
	}
	if proxy, ok := errors.AsType[*proxyError](err); ok {
		return proxy.permanent()
	}
	return errors.Is(err, http.ErrSchemeMismatch) || is[tls.RecordHeaderError](err) || is[*tls.CertificateVerificationError](err) ||
		is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// countingConn counts the bytes of requests that are written to a connection,
// with those that TLS adds.
type countingConn struct {
	net.Conn
	written atomic.Int64
	closing atomic.Bool
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if !c.closing.Load() {
		c.written.Add(int64(n))
	}
	return n, err
}

// SetWriteDeadline notes that the connection is being closed: crypto/tls sets
// one before the alert with which it says so, and over HTTP/1.1 net/http sets
// none.
func (c *countingConn) SetWriteDeadline(t time.Time) error {
	c.closing.Store(true)
	return c.Conn.SetWriteDeadline(t)
}

// onceBody is a request's body that can be sealed as long as nobody has read
// of it: whatever a transport does later, it has no body to send.
type onceBody struct {
	io.ReadCloser
	state atomic.Int32
}

const (
	bodyUnread int32 = iota
	bodyRead
	bodySealed
)

var errSealed = errors.New("the request was given up")

func (b *onceBody) Read(p []byte) (int, error) {
	if !b.state.CompareAndSwap(bodyUnread, bodyRead) && b.state.Load() == bodySealed {
		return 0, errSealed
	}
	return b.ReadCloser.Read(p)
}

// seal reports whether nothing of the body was read, and keeps it so.
func (b *onceBody) seal() bool { return b.state.CompareAndSwap(bodyUnread, bodySealed) }
