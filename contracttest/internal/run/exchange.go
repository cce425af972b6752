package run

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// way is one in which a target takes requests.
type way func(context.Context, *wire.Request, send.How) (*wire.Response, error)

// send carries the request of a case to the target.
func (r *runner) send(ctx context.Context, c *plan.Case) *wire.Exchange {
	return r.sendBy(withCase(ctx, c), c, r.target.Do)
}

// withTarget is a case with another target of its request.
func withTarget(c *plan.Case, target string) *plan.Case {
	other := *c
	other.Request = c.Request.Clone()
	other.Request.Target = target
	return &other
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

// withOwnHeaders is a case with a wrong credential, or none, without those headers of the run that the
// document does not ask for: one of them may be a credential as well, as the cookie of a login is
// where the document has a token. It is nil where there are none.
func (r *runner) withOwnHeaders(c *plan.Case) *plan.Case {
	if c.Expect != plan.RefuseCredential {
		return nil
	}
	others := r.besides(c)
	if len(others) == 0 {
		return nil
	}
	bare := *c
	bare.Request = c.Request.Clone()
	for _, h := range r.opts.Headers {
		if c.Alter != nil && slices.Contains(c.Own, strings.ToLower(h.Name)) {
			bare.Request.Add(h.Name, c.Alter(h.Value))
		}
	}
	bare.Own, bare.Alter = slices.Concat(others, c.Own), nil
	return &bare
}

// besides are the headers of the run that a case with a wrong credential, or none, says nothing of.
func (r *runner) besides(c *plan.Case) []string {
	var names []string
	for _, h := range r.opts.Headers {
		if name := strings.ToLower(h.Name); !slices.Contains(c.Own, name) {
			names = append(names, name)
		}
	}
	return names
}

// needsHeaders reports whether the good credential is refused as well without the other headers of
// the run, as one that names the tenant: that such a request is refused says nothing of a wrong
// credential. It does where the run has no other credential than these headers.
func (r *runner) needsHeaders(ctx context.Context, c *plan.Case) bool {
	given := slices.ContainsFunc(slices.Concat(plan.Credentials(c.Op, r.plan.opts)...), func(s plan.Credential) bool {
		return s.Given || s.In == openapi3.ParameterInHeader && slices.ContainsFunc(r.opts.Headers, func(h Header) bool { return strings.EqualFold(h.Name, s.Name) })
	})
	if !given || c.Base == nil {
		return false
	}
	good := *c.Base
	good.Own = slices.Concat(good.Own, r.besides(c))
	return !accepted(c.Op, r.send(ctx, &good))
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
	all := append(judge.Secrets(op, req), r.renewal.secrets()...)
	for _, h := range slices.Concat(r.opts.Headers, r.opts.Peer) {
		if secret.IsName(h.Name) && h.Value != "" {
			all = append(all, h.Value)
		}
	}
	return all
}

// accepted reports whether the answer is a success.
func accepted(op *contract.Operation, x *wire.Exchange) bool {
	return x.Response != nil && judge.Accepts(op, x.Response.Status)
}

// unsent reports whether a request was not sent as there is nothing that it could be about.
func unsent(x *wire.Exchange) bool {
	return errors.Is(x.Err, errSomebodys) || errors.Is(x.Err, errUsedUp) || errors.Is(x.Err, errSilent)
}
