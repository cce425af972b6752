package contracttest

import (
	"net/http"
)

// Transport returns a RoundTripper that carries requests out through base
// (http.DefaultTransport if nil) and judges each exchange. onFinding is called
// for every finding, from the goroutine of the request, before its caller sees
// the response; it must be safe for concurrent use. Exchanges on paths that the
// document does not have are passed on unjudged, and bodies of more than 8 MiB
// are judged as cut short.
func Transport(c *Contract, base http.RoundTripper, onFinding func(Finding)) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{c, base, onFinding}
}

type transport struct {
	contract  *Contract
	base      http.RoundTripper
	onFinding func(Finding)
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	// The body is read before it is sent, so the request that goes out is a copy:
	// a RoundTripper must leave its argument alone.
	out := req.Clone(req.Context())
	sent, err := drain(&out.Body)
	if err != nil {
		return nil, err
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return resp, err
	}
	judged := req.Clone(req.Context())
	judged.Body = http.NoBody
	x, err := NewExchange(judged, resp)
	if err != nil {
		return resp, nil //nolint:nilerr // the judge's trouble is not the caller's
	}
	if len(sent) > 0 {
		x.x.Request.Body = sent
	}
	findings, err := t.contract.Judge(x)
	if err != nil {
		return resp, nil //nolint:nilerr // not a path of the document
	}
	for _, f := range findings {
		t.onFinding(f)
	}
	return resp, nil
}
