package contracttest

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/dataarts-go/factory/contracttest/internal/proxy"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/traffic"
)

// TrafficOption shapes how real traffic is judged: see [Middleware] and [Transport].
type TrafficOption func(*trafficSettings)

// OnFinding calls f for every finding, from the goroutine of the exchange: f must be safe for
// concurrent use. What panics in it is recovered.
func OnFinding(f func(Finding)) TrafficOption {
	return func(o *trafficSettings) { o.Found = f }
}

// Log writes every finding to a logger: errors by that level, what is left to the receiver as
// warnings. Where the judge itself fails, it says so there.
func Log(l *slog.Logger) TrafficOption {
	return func(o *trafficSettings) { o.Log = l }
}

// Enforce refuses what breaks the contract, where nothing leaves it to the receiver: a request
// does not reach the handler, and a response does not reach the client. Messages are held for that,
// up to what [Bound] says; of one that is larger, or a stream of events, only the head is judged.
func Enforce() TrafficOption {
	return func(o *trafficSettings) { o.Enforce = true }
}

// Sample is the share of the exchanges that are judged, and refused, from 0 to 1. The others pass
// untouched. The default is all.
func Sample(share float64) TrafficOption {
	return func(o *trafficSettings) { o.Share = share }
}

// Bound is how many bytes of one body are held, 1 MiB by default. All that are held at once have
// no more than eight times as many. What is larger passes, and its exchange is judged without it.
func Bound(bytes int) TrafficOption {
	return func(o *trafficSettings) { o.Bound = max(bytes, 0) }
}

// Hide names words: the value of a header, parameter or property is not shown in findings where its
// name has one of them. Credentials, and what has a name as of a token, a password or a cookie, are
// never shown.
func Hide(words ...string) TrafficOption {
	return func(o *trafficSettings) { o.Redact = append(o.Redact, words...) }
}

// Certificates names files (PEM) for the connections of a [Proxy] to its target, as [CACert] and
// [ClientCert] do for a run. Any of them may be empty.
func Certificates(ca, cert, key string) TrafficOption {
	return func(o *trafficSettings) { o.certificates = send.Certificates{CA: ca, Cert: cert, Key: key} }
}

// RefusedError is the error of an exchange that [Enforce] has kept from passing.
type RefusedError = traffic.RefusedError

// Middleware returns what puts the judge around a handler. Each exchange is judged once the
// handler is done with it, and passes as it would without: a body is kept as it is read and
// written, up to what [Bound] says, and whatever the ResponseWriter can do (flush, be hijacked,
// send a file), it still can. Exchanges on paths that the document does not have are passed on
// unjudged, and so is a connection from where on another protocol is spoken. With [Enforce] a request
// that breaks the contract is answered with 400 or 405, and a response that does is replaced by a
// 500, both with a problem in JSON (RFC 9457) that names the clauses, and the first of them in the
// header Contract-Violation.
func Middleware(c *Contract, opts ...TrafficOption) func(http.Handler) http.Handler {
	w := newWatcher(c, opts)
	return func(next http.Handler) http.Handler { return w.Handler(next, http.StatusInternalServerError) }
}

func newWatcher(c *Contract, opts []TrafficOption) *traffic.Watcher {
	return traffic.New(c.c, trafficOptions(opts).Options)
}

// Traffic is what real exchanges of a contract come to: those that pass its middleware, its transport
// or its proxy, and those that are added. It is bounded, whatever passes, and safe for concurrent use.
type Traffic struct{ w *traffic.Watcher }

// NewTraffic returns an account of exchanges with target, a base URL or what else they are of, which
// reports name.
func NewTraffic(c *Contract, target string, opts ...TrafficOption) *Traffic {
	o := trafficOptions(opts)
	o.Keep, o.Target = true, target
	return &Traffic{traffic.New(c.c, o.Options)}
}

// Middleware is what the function of this name returns, with an account.
func (t *Traffic) Middleware(next http.Handler) http.Handler {
	return t.w.Handler(next, http.StatusInternalServerError)
}

// Transport is what the function of this name returns, with an account.
func (t *Traffic) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return t.w.Transport(base)
}

// Add judges a recorded exchange, as [Contract.Judge] does.
func (t *Traffic) Add(x *Exchange) ([]Finding, error) {
	found, ok := t.w.Enter(&x.x, x.name)
	if !ok {
		return nil, fmt.Errorf("%s %s: %w", x.x.Request.Method, x.x.Request.Path(), ErrNotInContract)
	}
	return found, nil
}

// Report is what there is so far, as a report of a run: findings by their causes, and what was shown
// of the clauses.
func (t *Traffic) Report() *Report { return t.w.Report() }

// Page shows the report as it grows, and has each of its renderings. It is served by an address or
// localhost alone, and tells whoever may read it what passes.
func (t *Traffic) Page() http.Handler { return proxy.Page(t.w) }

// Proxy passes requests on to a service, and judges each exchange after it has passed.
type Proxy struct {
	*Traffic

	pass http.Handler
}

// proxyBacklog is how many exchanges wait to be judged: of more at once some are not.
const proxyBacklog = 1024

// NewProxy returns a handler that passes requests on to target, a base URL, and the answers back. With
// [Enforce] a request that breaks the contract is answered with 400 or 405, and an answer that does is
// replaced by a 502. What is spoken after a change of protocol is passed on unjudged, and counted.
func NewProxy(c *Contract, target string, opts ...TrafficOption) (*Proxy, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("target %q: want the base URL of a service, as in http://127.0.0.1:8080", target)
	}
	o := trafficOptions(opts)
	secure, err := o.certificates.Config()
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the setting
	}
	o.Keep, o.Target, o.Later = true, target, proxyBacklog
	w := traffic.New(c.c, o.Options)
	return &Proxy{&Traffic{w}, proxy.New(w, u, secure)}, nil
}

// ServeHTTP passes a request on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.pass.ServeHTTP(w, r) }

// Wait returns when all that has passed is judged. Nothing may be passed on any more.
func (p *Proxy) Wait() { p.w.Wait() }

// trafficSettings are what options of traffic come to.
type trafficSettings struct {
	traffic.Options

	certificates send.Certificates
}

func trafficOptions(opts []TrafficOption) trafficSettings {
	o := trafficSettings{Options: traffic.Options{Share: 1, Bound: traffic.DefaultBound}}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}
