package contracttest

import (
	"log/slog"
	"net/http"

	"github.com/dataarts-go/factory/contracttest/internal/traffic"
)

// TrafficOption shapes how real traffic is judged: see [Middleware] and [Transport].
type TrafficOption func(*traffic.Options)

// OnFinding calls f for every finding, from the goroutine of the exchange: f must be safe for
// concurrent use. What panics in it is recovered.
func OnFinding(f func(Finding)) TrafficOption {
	return func(o *traffic.Options) { o.Found = f }
}

// Log writes every finding to a logger: errors by that level, what is left to the receiver as
// warnings. Where the judge itself fails, it says so there.
func Log(l *slog.Logger) TrafficOption {
	return func(o *traffic.Options) { o.Log = l }
}

// Enforce refuses what breaks the contract, where nothing leaves it to the receiver: a request
// does not reach the handler, and a response does not reach the client. Messages are held for that,
// up to what [Bound] says; of one that is larger, or a stream of events, only the head is judged.
func Enforce() TrafficOption {
	return func(o *traffic.Options) { o.Enforce = true }
}

// Sample is the share of the exchanges that are judged, and refused, from 0 to 1. The others pass
// untouched. The default is all.
func Sample(share float64) TrafficOption {
	return func(o *traffic.Options) { o.Share = share }
}

// Bound is how many bytes of one body are held, 1 MiB by default. All that are held at once have
// no more than eight times as many. What is larger passes, and its exchange is judged without it.
func Bound(bytes int) TrafficOption {
	return func(o *traffic.Options) { o.Bound = max(bytes, 0) }
}

// Hide names words: the value of a header, parameter or property is not shown in findings where its
// name has one of them. Credentials, and what has a name as of a token, a password or a cookie, are
// never shown.
func Hide(words ...string) TrafficOption {
	return func(o *traffic.Options) { o.Redact = append(o.Redact, words...) }
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
	o := traffic.Options{Share: 1, Bound: traffic.DefaultBound}
	for _, opt := range opts {
		opt(&o)
	}
	return traffic.New(c.c, o)
}
