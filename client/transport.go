package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ownTransport is the transport of a Client that was given none. It is made
// anew for each one: what another part of the program does to
// http.DefaultTransport has no effect on it. The bounds keep a broken peer from
// holding a call or its memory.
//
// It speaks HTTP/1.1 alone: a single small POST gains nothing by HTTP/2, and
// over HTTP/1.1 it can be told whether any byte of a request was written.
func ownTransport(roots *x509.CertPool) *http.Transport {
	const idle = 1000 // as many goroutines may share a client without a new connection for each call
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &countingConn{Conn: conn}, nil
		},
		OnProxyConnectResponse: proxyAnswer,
		Protocols:              new(http.Protocols),
		MaxIdleConns:           idle,
		MaxIdleConnsPerHost:    idle, // there is but one host
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
	t.Protocols.SetHTTP1(true)
	if roots != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t
}

// attemptTimeout is how long an attempt may take where the program does not
// say.
const attemptTimeout = time.Minute

// proxyError is the answer of a proxy that does not open a way to the service.
type proxyError struct {
	proxy  string
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("proxy %s answered CONNECT with %d %s", e.proxy, e.status, http.StatusText(e.status))
}

// permanent holds for an answer that the same request will get again, such as
// 403 and 407.
func (e *proxyError) permanent() bool {
	return e.status/100 == 4 && e.status != http.StatusRequestTimeout && e.status != http.StatusTooManyRequests
}

func proxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{proxy.Redacted(), answer.StatusCode}
}

// peer is the other side as the caller's http.Client reaches it, but a redirect
// is handed over as any other answer. Its time is bounded by the context that
// within returns: the timer of an http.Client costs a goroutine for each request
// where the transport is not net/http's own.
type peer struct {
	client  *http.Client
	timeout time.Duration // none if it is 0
	own     bool          // the transport is that of ownTransport
	debug   *debugger     // nil without any
}

func newPeer(conf *config) peer {
	if conf.httpClient == nil {
		own := &http.Client{Transport: noRedirects{ownTransport(conf.roots)}}
		return peer{client: own, timeout: attemptTimeout, own: true, debug: conf.debug}
	}
	clone := *conf.httpClient
	if clone.Transport == nil {
		clone.Transport = http.DefaultTransport
	}
	clone.Transport = noRedirects{clone.Transport}
	clone.Timeout = 0
	return peer{client: &clone, timeout: conf.httpClient.Timeout, debug: conf.debug}
}

// within returns the context for one request, until its answer has been read.
func (p peer) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, p.timeout)
}

// Do is send for a request for credentials, whose bodies are secret.
func (p peer) Do(req *http.Request) (*http.Response, error) { return p.send(req, false) }

// send sends a request once: neither net/http nor a redirect repeats it. An
// error is a [*ConnectError] where nothing was sent. The body of req cannot be
// read again afterwards. showBodies is for [WithDebug].
func (p peer) send(req *http.Request, showBodies bool) (*http.Response, error) {
	shown := p.debug.request(req, showBodies)
	d := &delivery{own: p.own}
	resp, err := p.client.Do(d.follow(req)) //nolint:gosec // G704: the program says where to
	if err == nil {
		restoreLocation(resp.Header)
	}
	shown.response(resp, err)
	if err == nil {
		return resp, nil
	}
	if d.nothingSent() {
		return nil, &ConnectError{Permanent: d.isPermanent(req.Context(), err), err: err}
	}
	return nil, err
}

// CloseIdleConnections closes the connections that no request uses.
func (p peer) CloseIdleConnections() { p.client.CloseIdleConnections() }

// hiddenLocation is where noRedirects puts a Location: no name that came over
// the network is in lower case.
const hiddenLocation = "location"

// noRedirects hides the Location of an answer, without which http.Client does
// not follow it. CheckRedirect would come too late: of a Location that is not
// a URL http.Client makes an error, and the status would be lost.
type noRedirects struct{ base http.RoundTripper }

func (t noRedirects) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if location, ok := resp.Header["Location"]; ok {
		delete(resp.Header, "Location")
		resp.Header[hiddenLocation] = location
	}
	return resp, nil
}

func restoreLocation(header http.Header) {
	if location, ok := header[hiddenLocation]; ok { //nolint:staticcheck // SA1008: not canonical on purpose
		delete(header, hiddenLocation)
		header["Location"] = location
	}
}

func (t noRedirects) CloseIdleConnections() {
	(&http.Client{Transport: t.base}).CloseIdleConnections()
}
