package contracttest

import (
	"net/http"
)

// Transport returns a RoundTripper that carries requests out through base
// (http.DefaultTransport if nil) and judges each exchange. onFinding, which may be nil, is called
// for every finding, and must be safe for concurrent use: before the caller has the last byte of the
// response, or when he closes its body. What passes is what would have passed without it, and
// exchanges on paths that the document does not have are passed on unjudged. With [Enforce] a
// request that breaks the contract is not sent, and a response that does is not handed on: the
// error of either is a [*RefusedError].
func Transport(c *Contract, base http.RoundTripper, onFinding func(Finding), opts ...TrafficOption) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return newWatcher(c, append([]TrafficOption{OnFinding(onFinding)}, opts...)).Transport(base)
}
