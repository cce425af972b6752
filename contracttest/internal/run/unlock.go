package run

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// step is a request that brings a resource into the state in which an operation takes it.
type step struct {
	c    *plan.Case
	from map[string]string // the path parameters of its request
}

func (r *runner) step(c *plan.Case) step {
	return step{c, world.Values(c.Op, c.Request.Target, r.base(c.Op))}
}

// send sends the request about a resource.
func (s step) send(ctx context.Context, r *runner, values map[string]string) *wire.Exchange {
	op := s.c.Op
	c := withTarget(s.c, world.Bind(op, s.c.Request.Target, r.base(op), s.from, values))
	return r.anew(ctx, c, r.withRunHeaders(c), func(req *wire.Request) *wire.Exchange {
		return r.exchange(ctx, op, r.states.of(op).fixture.upToDate(ctx, c, r.keyed(c, req), values), r.target.Do)
	})
}

// produce makes a resource in the state in which the operation takes it.
func (f *fixture) produce(ctx context.Context) map[string]string {
	values := f.maker.make(ctx)
	for _, s := range f.steps {
		if values == nil || !accepted(s.c.Op, s.send(ctx, f.r, values)) {
			return nil
		}
	}
	return values
}

// maxSteps is how many requests bring a resource into a state at most.
const maxSteps = 3

// unlock finds, for what takes a resource in some states only, as a shipment that has to be
// paid before, what brings it there: other operations on it.
func (l *learner) unlock(ctx context.Context, ops []*contract.Operation) {
	var open, locked []*contract.Operation
	for _, op := range ops {
		f := l.r.states.of(op).fixture
		if f == nil || f.maker == nil || l.r.world.Consumed(op.Method, op) != f.param || l.ended(ctx) || l.r.selection.skips(op) || l.r.opts.unsafe(op) {
			continue
		}
		if depends(op) && !l.opens(ctx, op) {
			locked = append(locked, op)
		} else if op.Method != http.MethodDelete {
			open = append(open, op)
		}
	}
	for range maxSteps {
		before := len(locked)
		locked = slices.DeleteFunc(locked, func(op *contract.Operation) bool {
			f := l.r.states.of(op).fixture
			for _, other := range open {
				of := l.r.states.of(other).fixture
				base := plan.Base(other, l.opts)
				if other == op || of.maker != f.maker || base == nil || len(of.steps) == maxSteps {
					continue
				}
				f.steps = append(slices.Clone(of.steps), l.r.step(base))
				if l.opens(ctx, op) {
					f.there = nil
					open = append(open, op)
					return true
				}
			}
			f.steps = nil
			return false
		})
		if len(locked) == before {
			return
		}
	}
}

// depends reports whether the document has an answer for what is in the wrong state.
func depends(op *contract.Operation) bool {
	return slices.ContainsFunc([]int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusLocked}, func(status int) bool {
		r := op.Response(status)
		return r != nil && r.Key != "default"
	})
}

// opens reports whether an operation takes a resource that was just made for it.
func (l *learner) opens(ctx context.Context, op *contract.Operation) bool {
	base := plan.Base(op, l.opts)
	if base == nil {
		return false
	}
	values := l.r.states.of(op).fixture.produce(ctx)
	return values != nil && accepted(op, l.r.step(base).send(ctx, l.r, values))
}

// versions are how properties are named that have to be what the resource has at the time.
var versions = []string{"version", "revision", "rev", "etag", "lockversion", "rowversion", "resourceversion"}

// upToDate puts the version that a resource has now in a request about it, in If-Match and
// in its body, where the case has that of the valid request.
func (f *fixture) upToDate(ctx context.Context, c *plan.Case, req *wire.Request, values map[string]string) *wire.Request {
	if f == nil || f.read == nil || values == nil || !f.versioned() {
		return req
	}
	target := f.r.base(f.read.Op) + f.read.Op.Path
	for name, v := range values {
		target = strings.ReplaceAll(target, "{"+name+"}", codec.Style{}.PathSegment(name, v))
	}
	x := f.look(ctx, target)
	if !accepted(f.read.Op, x) {
		return req
	}
	base := c
	if c.Base != nil {
		base = c.Base
	}
	sent := req.Clone()
	if tag := x.Response.Header.Get("ETag"); tag != "" && req.Get("If-Match") != "" && req.Get("If-Match") == base.Request.Get("If-Match") {
		sent.Set("If-Match", tag)
	}
	first := map[string]string{}
	for _, s := range scalars(base.Request.Body) {
		first[s.name] = s.value
	}
	sent.Body = inJSON(req.Body, func(name, v string) (string, bool) {
		if !slices.Contains(versions, world.Plain(name)) || first[name] != v {
			return "", false
		}
		for _, now := range scalars(x.Response.Body) {
			if now.name == name && !now.item {
				return now.value, true
			}
		}
		return "", false
	})
	return sent
}

// versioned reports whether requests of the operation say which version of a resource they
// are about.
func (f *fixture) versioned() bool {
	for _, p := range f.op.Params {
		if p.Spec.In == openapi3.ParameterInHeader && strings.EqualFold(p.Spec.Name, "If-Match") {
			return true
		}
	}
	found := false
	if f.op.Body != nil {
		for _, m := range f.op.Body.Media {
			m.Node.Walk(func(n *contract.Node) { found = found || slices.Contains(versions, world.Plain(n.PropName)) })
		}
	}
	return found
}
