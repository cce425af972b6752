package run

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// session is the cookies by which the target knows that requests are of the same client: where
// several replicas answer, what the run has made may be on one of them, which the cookies lead to
// (RFC 6265 §5.4). Without need none is sent: a request that goes without shows more.
type session struct {
	mu      sync.Mutex
	looked  int // how often it was looked for
	cookies []*http.Cookie
	text    string // what the report says of it
}

// How often a session is looked for, and how often what was made is read each time: a replica that
// has it may answer by chance.
const (
	maxSessions  = 3
	sessionReads = 4
)

// join looks whether what an answer has made is there only for who sends the cookies of that
// answer. Then the run sends them from now on.
func (r *runner) join(ctx context.Context, op *contract.Operation, made *wire.Exchange, read func(context.Context) *wire.Exchange) {
	cookies := r.sessionCookies(made)
	s := &r.session
	s.mu.Lock()
	s.looked++
	needless := len(cookies) == 0 || s.cookies != nil || s.looked > maxSessions
	s.mu.Unlock()
	if needless {
		return
	}
	for range sessionReads {
		switch x := read(ctx); {
		case isGone(x):
			if x = read(context.WithValue(ctx, joining{}, cookies)); x.Response != nil && x.Response.Status/100 == 2 {
				s.enter(op, cookies)
			}
			return
		case x.Response == nil || x.Response.Status/100 != 2:
			return
		}
	}
}

// joining is the key of a context with cookies of which it is not known yet whether they lead to
// what the run has made.
type joining struct{}

// stranger is the key of a context whose request is not of the run's own client.
type stranger struct{}

func (s *session) enter(op *contract.Operation, cookies []*http.Cookie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(cookies))
	for _, c := range cookies {
		names = append(names, c.Name)
	}
	s.cookies = cookies
	s.text = fmt.Sprintf("what %s creates is not found without the cookie %s that its response sets: all requests with the good credential include it", op.Title(), strings.Join(names, ", "))
}

// begun reports whether the run sends the cookies of one.
func (s *session) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cookies != nil
}

// sessionCookies are those that an answer sets and that are neither credentials nor parameters of
// the document.
func (r *runner) sessionCookies(x *wire.Exchange) []*http.Cookie {
	return slices.DeleteFunc(world.Cookies(x), func(c *http.Cookie) bool {
		if c.MaxAge < 0 || c.Value == "" {
			return true
		}
		if r.contract.Doc.Components != nil {
			for _, ref := range r.contract.Doc.Components.SecuritySchemes {
				if ref != nil && ref.Value != nil && ref.Value.In == openapi3.ParameterInCookie && ref.Value.Name == c.Name {
					return true
				}
			}
		}
		return slices.ContainsFunc(r.contract.Operations, func(op *contract.Operation) bool {
			return slices.ContainsFunc(op.Params, func(p *contract.Param) bool {
				return p.Spec.In == openapi3.ParameterInCookie && p.Spec.Name == c.Name
			})
		})
	})
}

// inSession is a request with the cookies of the session, unless it is to be another client's, or
// to show what becomes of one without a good credential.
func (r *runner) inSession(ctx context.Context, req *wire.Request) *wire.Request {
	cookies, _ := ctx.Value(joining{}).([]*http.Cookie)
	if cookies == nil {
		r.session.mu.Lock()
		cookies = r.session.cookies
		r.session.mu.Unlock()
	}
	if c := caseOf(ctx); len(cookies) == 0 || ctx.Value(stranger{}) != nil || c != nil && c.Credential && c.Expect != plan.Accept {
		return req
	}
	req = req.Clone()
	for _, c := range cookies {
		withCookie(req, c.Name, c.Value)
	}
	return req
}
