package run

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// way is one in which a target takes requests.
type way func(context.Context, *wire.Request, func(*http.Request) error) (*wire.Response, error)

// send carries the request of a case to the target.
func (r *runner) send(ctx context.Context, c *plan.Case) *wire.Exchange {
	return r.exchange(ctx, c.Op, r.withRunHeaders(c), r.target.Do)
}

// withRunHeaders is the request of a case with the headers of the run.
func (r *runner) withRunHeaders(c *plan.Case) *wire.Request {
	if len(r.opts.Headers) == 0 {
		return c.Request
	}
	req := c.Request.Clone()
	added := map[string]bool{}
	for _, h := range r.opts.Headers {
		name, value := strings.ToLower(h.Name), h.Value
		own := slices.Contains(c.Own, name)
		switch {
		case own && c.Alter != nil:
			value = c.Alter(value)
		case own:
			continue
		case name == "cookie" && req.Get(h.Name) != "": // there is one line of them (RFC 6265 §5.4)
			req.Set(h.Name, req.Get(h.Name)+"; "+value)
			continue
		case !added[name] && req.Get(h.Name) != "":
			continue
		}
		added[name] = true
		req.Add(h.Name, value)
	}
	return req
}

// exchange sends a request of an operation by one of the target's ways.
func (r *runner) exchange(ctx context.Context, op *contract.Operation, req *wire.Request, do way) *wire.Exchange {
	x := &wire.Exchange{Request: req}
	if r.limiter != nil {
		if err := r.limiter.Wait(ctx); err != nil {
			x.Err = err
			return x
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	r.exchanges.Add(1)
	x.Response, x.Err = do(ctx, req, r.opts.Prepare)
	switch err := failure(x); {
	case errors.Is(err, send.ErrTimeout):
		r.states.of(op).late.Add(1)
		r.hung.Add(1)
	case errors.Is(err, send.ErrTooLarge):
		r.states.of(op).large.Add(1)
	case err == nil:
		r.answered.Store(true)
	}
	return x
}

// failure says why an exchange did not come to its end; it is nil where it did.
func failure(x *wire.Exchange) error {
	if x.Response != nil {
		return x.Response.BodyErr
	}
	return x.Err
}

// secrets lists what must not come back, nor be shown.
func (r *runner) secrets(op *contract.Operation, req *wire.Request) []string {
	all := judge.Secrets(op, req)
	for _, h := range r.opts.Headers {
		if isSecretName(h.Name) && h.Value != "" {
			all = append(all, h.Value)
		}
	}
	return all
}

// accepted reports whether the answer is a success: a 2xx, or a redirect that
// the document has.
func accepted(op *contract.Operation, x *wire.Exchange) bool {
	if x.Response == nil {
		return false
	}
	class := x.Response.Status / 100
	return class == 2 || class == 3 && op.Response(x.Response.Status) != nil
}
