package run

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// filter says which of the cases that can be planned are sent.
type filter struct {
	opts      *Options
	selection *Selection
	world     *world.World
}

func (f filter) wants(c *plan.Case) bool {
	return f.selection.needs(c) && !f.opts.leavesOut(c.Request)
}

// spares reports whether a case is left out as whoever carries it out may lose what
// the run has not made: by a method that the document does not have, or on a path
// above that of a resource.
func (f filter) spares(c *plan.Case) bool {
	switch method := c.Request.Method; c.Expect {
	case plan.RefuseMethod:
		return f.world.Loses(method, c.Op, f.opts.knownOf(c.Op))
	case plan.RefusePath:
		return world.Destroys(method) && above(c.Request.Path(), c.Base.Request.Path())
	}
	return false
}

// above reports whether one path leads to what another is in.
func above(one, other string) bool {
	clean := func(p string) string {
		if plain, err := url.PathUnescape(p); err == nil {
			p = plain
		}
		return strings.TrimSuffix(path.Clean(p), "/") + "/"
	}
	one, other = clean(one), clean(other)
	return one != other && strings.HasPrefix(other, one)
}

// errSafe is why a request is not sent that may change something.
var errSafe = errors.New("--safe sends only GET, HEAD and OPTIONS")

// leavesOut reports whether a run that is to be safe does not send a request.
func (o *Options) leavesOut(req *wire.Request) bool {
	return o.Safe && (!asksOnly(req.Method) || changes(req))
}

// asksOnly reports whether a method is one of those that a safe run sends.
func asksOnly(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// unsafe reports whether an operation is left out by a run that is to be safe.
func (o *Options) unsafe(op *contract.Operation) bool { return o.Safe && !asksOnly(op.Method) }

// unsafeOps warns of the operations that a safe run does not try.
func (r *runner) unsafeOps(ops map[*contract.Operation]bool) []string {
	var names []string
	for _, op := range r.contract.Operations {
		if ops[op] && r.opts.unsafe(op) {
			names = append(names, op.Title())
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: left out, as %s", strings.Join(someOf(names), ", "), errSafe)}
}

// sparedOps warns of the operations of which cases are left out that might lose
// what the run has not made.
func (r *runner) sparedOps(ops map[*contract.Operation]bool) []string {
	var names []string
	for _, op := range r.contract.Operations {
		if pt := r.plan.known(op); ops[op] && pt != nil && pt.spares {
			names = append(names, op.Title())
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{strings.Join(someOf(names), ", ") + ": PUT, PATCH, DELETE and similar methods are not sent to paths that do not document them: a server that carries one out could lose data"}
}
