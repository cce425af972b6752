package traffic

import (
	"errors"
	"net/http"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Transport returns base, watched.
func (w *Watcher) Transport(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if !w.wants(methodOf(req), req.URL.RequestURI()) {
			return base.RoundTrip(req) //nolint:wrapcheck // it passes as it is
		}
		return w.roundTrip(base, req)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func methodOf(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}

// overhear returns the request that is passed on, whose body is seen as it is sent, and its length.
func (w *Watcher) overhear(req *http.Request, sent *body) (out *http.Request, length int64) {
	length = req.ContentLength
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		sent.end()
		return req, length
	case req.GetBody != nil && length <= int64(w.opts.Bound):
		if again, err := req.GetBody(); err == nil {
			_, _ = sent.ahead(again) // what cannot be read again is not seen
			_ = again.Close()
		}
		return req, length
	case length == 0:
		length = -1 // it is not known
	}
	out = req.WithContext(req.Context()) // a RoundTripper leaves its argument alone
	if w.opts.Enforce && length <= int64(w.opts.Bound) {
		out.Body, _ = sent.ahead(req.Body) // an error is one of whoever reads on
	} else {
		out.Body = &reader{ReadCloser: req.Body, to: sent}
	}
	return out, length
}

func (w *Watcher) roundTrip(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	x := &wire.Exchange{Request: requestOf(req), Started: time.Now()}
	sent, got := w.body(), w.body()
	free := func() {
		sent.free()
		got.free()
	}
	out, length := w.overhear(req, sent)
	x.Request.Chunked = out != req && length < 0
	asked := func() *wire.Request {
		data, known := sent.seen(length, x.Request.Get("Content-Type"))
		return withBody(x.Request, data, known)
	}
	if w.opts.Enforce {
		if no := w.refusalOf(asked()); no != nil {
			w.refuse(no)
			free()
			if req.Body != nil {
				return nil, errors.Join(no, req.Body.Close())
			}
			return nil, no
		}
	}
	resp, err := base.RoundTrip(out)
	if err != nil {
		free()
		return resp, err //nolint:wrapcheck // it passes as it is
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		w.counts.upgraded.Add(1)
		free()
		return resp, nil
	}
	x.Response = &wire.Response{Status: resp.StatusCode, Header: resp.Header.Clone(), Unseen: true}
	judged := func(fault error) *wire.Exchange {
		asked()
		data, known := got.seen(resp.ContentLength, resp.Header.Get("Content-Type"))
		switch {
		case known:
			x.Response.Unseen, x.Response.Body = false, data
		case fault != nil && req.Context().Err() == nil && data != nil:
			x.Response.Unseen, x.Response.Body, x.Response.BodyErr = false, data, fault
		}
		x.Response.Elapsed = time.Since(x.Started)
		return x
	}
	if resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0 {
		got.end()
		w.later(judged(nil), free)
		return resp, nil
	}
	if !w.opts.Enforce {
		resp.Body = &reader{ReadCloser: resp.Body, to: got, done: func(fault error) { w.later(judged(fault), free) }}
		return resp, nil
	}
	var fault error
	if !streams(resp.Header.Get("Content-Type")) && resp.ContentLength <= int64(w.opts.Bound) {
		resp.Body, fault = got.ahead(resp.Body)
	}
	found := w.examine(judged(fault))
	defer free()
	if no := found.refusal(http.StatusBadGateway); no != nil {
		w.refuse(no)
		return nil, errors.Join(no, resp.Body.Close())
	}
	w.note(found)
	return resp, nil
}
