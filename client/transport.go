package client

import (
	"context"
	"net"
	"net/http"
	"time"
)

// defaultHTTPClient is made anew for each Client: what another part of the
// program does to http.DefaultClient or http.DefaultTransport has no effect on
// it. The bounds keep a broken peer from holding a call or its memory.
func defaultHTTPClient() *http.Client {
	const idle = 1000 // as many goroutines may share a client without a new connection for each call
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           idle,
			MaxIdleConnsPerHost:    idle, // there is but one host
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 256 << 10,
		},
	}
}

// peer is the other side as the caller's http.Client reaches it, but a redirect
// is handed over as any other answer. Its time is bounded by the context that
// within returns: the timer of an http.Client costs a goroutine for each request
// where the transport is not net/http's own.
type peer struct {
	*http.Client
	timeout time.Duration // none if it is 0
}

func newPeer(c *http.Client) peer {
	base := c.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	clone := *c
	clone.Transport = noRedirects{base}
	clone.Timeout = 0
	return peer{&clone, c.Timeout}
}

// within returns the context for one request, until its answer has been read.
func (p peer) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, p.timeout)
}

// noRedirects takes the Location off an answer, without which http.Client does
// not follow it. CheckRedirect would come too late: of a Location that is not
// a URL http.Client makes an error, and the status would be lost.
type noRedirects struct{ base http.RoundTripper }

func (t noRedirects) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Header.Del("Location")
	return resp, nil
}

func (t noRedirects) CloseIdleConnections() {
	(&http.Client{Transport: t.base}).CloseIdleConnections()
}
