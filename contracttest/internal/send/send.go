package send

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// MaxBody is how many bytes of a response body are read.
const MaxBody = 8 << 20

// Errors of an exchange.
var (
	ErrTimeout  = errors.New("no complete response in time")
	ErrTooLarge = fmt.Errorf("the response body has more than %d bytes", MaxBody)
	ErrPanic    = errors.New("the handler panicked")
	ErrDropped  = errors.New("the connection was closed without a response")
	ErrRefused  = errors.New("the target cannot be reached")
)

// Target takes requests. Its Do is safe for concurrent use.
type Target interface {
	// Do sends one request. The error says why there was no response at all.
	//
	// A request without an Accept-Encoding goes out with "identity", as one
	// without that field leaves the coding of the response to the server (RFC
	// 9110 §12.5.3). That is done here and not in the plan, so that cases and the
	// curl lines in reports stay short; Response.Identity says so. Where the document speaks of the
	// field, "identity" may be none of its values: How says so.
	Do(ctx context.Context, r *wire.Request, how How) (*wire.Response, error)
	// Raw sends one request on a connection of its own and reads the answer byte
	// by byte: Response.Faults names what breaks RFC 9112, which net/http's
	// client passes over. Where there are no such bytes to see (a handler in this
	// process, a proxy, a server that speaks HTTP/2 alone) it is Do.
	Raw(ctx context.Context, r *wire.Request, how How) (*wire.Response, error)
	// BasePath is the escaped path that the document's paths are under; ok is
	// false where the target leaves that to the document.
	BasePath() (path string, ok bool)
	String() string
	Close()
}

// bareAddress is a host, perhaps with port and path, that lacks only a scheme.
var bareAddress = regexp.MustCompile(`^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?:/[^?#@]*)?$`)

// ParseURL returns the target behind a base URL, which is asked over TLS as secure says; nil is
// the usual way.
func ParseURL(raw string, secure *tls.Config) (Target, error) {
	if bareAddress.MatchString(raw) {
		return nil, fmt.Errorf("target %q has no scheme: want http://%[1]s or https://%[1]s", raw)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("target %q: remove what follows the path: a base URL has no query", u.Redacted())
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("target %q: want http://HOST[:PORT][/PATH] or https://…", u.Redacted())
	}
	if secure == nil {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport := &http.Transport{
		TLSClientConfig:        secure.Clone(),
		Proxy:                  http.ProxyFromEnvironment,
		DisableCompression:     true, // what was sent is what is judged
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
	fresh := transport.Clone()
	fresh.DisableKeepAlives = true
	hop := transport.Clone()
	hop.ForceAttemptHTTP2, hop.TLSNextProto = false, map[string]func(string, *tls.Conn) http.RoundTripper{}
	hop.TLSClientConfig = secure.Clone()
	hop.TLSClientConfig.NextProtos = []string{"http/1.1"}
	return &remote{base: u, transport: transport, fresh: fresh, hop: hop, tls: secure}, nil
}

type remote struct {
	base      *url.URL
	transport *http.Transport
	fresh     *http.Transport // a connection for each request
	hop       *http.Transport // HTTP/1.1 alone
	tls       *tls.Config     // of connections that no transport makes

	answered  atomic.Bool
	rejecting sync.Once
	rejected  error // why a connection is not wanted; nil where it is, or nobody knows
}

func (t *remote) String() string { return t.base.String() }
func (t *remote) Close() {
	t.transport.CloseIdleConnections()
	t.hop.CloseIdleConnections()
}

func (t *remote) BasePath() (string, bool) {
	return strings.TrimRight(t.base.EscapedPath(), "/"), t.base.Path != ""
}

func (t *remote) Do(ctx context.Context, r *wire.Request, how How) (*wire.Response, error) {
	via := t.transport
	switch {
	case r.Method == http.MethodHead:
		// A server that serves HEAD as GET may go on with a stream that nobody sees, and take no
		// other request on the connection.
		via = t.fresh
	case slices.ContainsFunc(r.Header, func(f wire.Field) bool { return slices.Contains(hopByHop, strings.ToLower(f.Name)) }):
		via = t.hop
	}
	resp, stale, err := t.do(ctx, via, r, how)
	if stale {
		resp, _, err = t.do(ctx, t.fresh, r, how)
	}
	if err == nil {
		t.answered.Store(true)
	} else if ctx.Err() == nil && t.base.Scheme == "https" && !t.answered.Load() {
		if alert := t.rejection(ctx); alert != nil {
			return nil, classify(ctx, alert)
		}
	}
	return resp, err
}

// rejectionTime is how long a target may take to end a connection that it does not want.
const rejectionTime = 2 * time.Second

// rejection is the alert by which a target ends a connection as soon as it stands: in TLS 1.3
// the client learns only then that its certificate is missing, and may have written its request
// to a closed connection by then. It is looked for once, without a request.
func (t *remote) rejection(ctx context.Context) error {
	t.rejecting.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rejectionTime)
		defer cancel()
		conn, err := t.dial(ctx)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(rejectionTime))
		if _, err := conn.Read(make([]byte, 1)); isAlert(err) {
			t.rejected = err
		}
	})
	return t.rejected
}

// hopByHop are the fields that are of one connection, which HTTP/2 does not have
// (RFC 9113 §8.2.2).
var hopByHop = []string{"connection", "proxy-connection", "keep-alive", "upgrade", "te", "transfer-encoding"}

// do sends a request through one of the transports. It is stale where there was
// no byte of an answer on a connection that had been used before: either side
// may close an idle one at any time (RFC 9112 §9.5), so that this says nothing
// about the request.
func (t *remote) do(ctx context.Context, via *http.Transport, r *wire.Request, how How) (out *wire.Response, stale bool, err error) {
	var reused, answered atomic.Bool
	leaving, leave := context.WithCancel(ctx)
	defer leave()
	traced := httptrace.WithClientTrace(leaving, &httptrace.ClientTrace{
		GotConn:              func(c httptrace.GotConnInfo) { reused.Store(c.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	})
	req, identity, err := ready(traced, r, t.base, how)
	if err != nil {
		return nil, false, err
	}
	start := time.Now()
	resp, err := via.RoundTrip(req)
	if err != nil {
		return nil, reused.Load() && !answered.Load() && ctx.Err() == nil, classify(ctx, err)
	}
	defer resp.Body.Close()
	out = &wire.Response{Status: resp.StatusCode, Header: resp.Header, Identity: identity}
	m := newMeter(resp.Header, how)
	stop := m.start(leave)
	defer stop()
	out.Body, err = m.read(nil, resp.Body)
	m.finish(ctx, out, err)
	out.Elapsed = time.Since(start)
	return out, false, nil
}

// ready makes the request for net/http, after Prepare has had the last word on
// it, and tells whether it asks for no content coding although r does not say.
func ready(ctx context.Context, r *wire.Request, base *url.URL, how How) (req *http.Request, identity bool, err error) {
	if req, err = r.HTTP(ctx, base); err != nil {
		return nil, false, err
	}
	const name, value = "Accept-Encoding", "identity"
	added := len(r.Values(name)) == 0 && !how.AnyCoding
	if added {
		req.Header[name] = []string{value}
	}
	if how.Prepare != nil {
		if err := how.Prepare(req); err != nil {
			return nil, false, fmt.Errorf("prepare: %w", err)
		}
	}
	asked := req.Header[name]
	return req, added && len(asked) == 1 && asked[0] == value, nil
}

// cut keeps the start of a body that is too large, for people to look at.
func cut(body []byte) []byte {
	const shown = 4 << 10
	return append([]byte(nil), body[:shown]...)
}

// classify names what went wrong with a connection.
func classify(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w", ErrTimeout)
	case ctx.Err() != nil:
		return fmt.Errorf("stopped: %w", ctx.Err())
	case isUntrusted(err):
		return fmt.Errorf("%w: %w; --cacert FILE names the authority that has signed its certificate", ErrRefused, err)
	case isAlert(err):
		return fmt.Errorf("%w: %w; --cert FILE --key FILE are the client's certificate, where it asks for one", ErrRefused, err)
	case speaksPlainHTTP(err):
		return fmt.Errorf("%w: it does not speak TLS: use http:// in place of https://", ErrRefused)
	case errors.Is(err, syscall.ECONNREFUSED), isDial(err):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the body ends before its end: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), closedIdle(err):
		return fmt.Errorf("%w: %w", ErrDropped, err)
	}
	return fmt.Errorf("not HTTP: %w", err)
}

// closedIdle reports whether the connection was closed before the request went
// out on it. net/http exports no name for that.
func closedIdle(err error) bool {
	return strings.Contains(err.Error(), "server closed idle connection")
}

func isUntrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// speaksPlainHTTP reports whether what was asked over TLS has answered without.
func speaksPlainHTTP(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok || errors.Is(err, http.ErrSchemeMismatch)
}

// isAlert reports whether the other side has ended TLS with an alert, as for want of a certificate.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
