package run

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
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
		return r.exchangeOf(ctx, c, r.states.of(op).fixture.upToDate(ctx, c, r.keyed(c, req), values), r.target.Do)
	})
}

// produce makes a resource in the state in which the operation takes it.
func (f *fixture) produce(ctx context.Context) map[string]string {
	return f.maker.makeWith(ctx, f.steps)
}

// makeWith makes a resource, and brings it into a state.
func (m *maker) makeWith(ctx context.Context, steps []step) map[string]string {
	values := m.make(ctx)
	for _, s := range steps {
		if values == nil || !accepted(s.c.Op, s.send(ctx, m.r, values)) {
			return nil
		}
	}
	return values
}

// restores reports whether the operation takes what was deleted.
func (f *fixture) restores() bool {
	return f != nil && f.maker != nil && slices.ContainsFunc(f.steps, func(s step) bool { return s.c.Op.Method == http.MethodDelete })
}

// How many requests bring a resource into a state at most, and how many operations on it are
// tried for that.
const (
	maxSteps = 3
	maxWays  = 12
	// How many states one operation may lead to.
	maxStates = 6
)

// unlock finds, for what takes a resource in some states only, as a shipment that has to be
// paid before, what brings it there: other operations on it. A payment that is added to an invoice
// takes one that was sent in the same way.
func (l *learner) unlock(ctx context.Context, ops []*contract.Operation) {
	for _, op := range ops {
		f := l.r.states.of(op).fixture
		if f == nil || f.maker == nil || l.on(op) != f.param || l.r.selection.skips(op) || l.r.opts.unsafe(op) {
			continue
		}
		if f.steps = l.way(ctx, f.maker, op, f.param); len(f.steps) > 0 {
			f.plain.letGo(0)
			f.fresh.letGo(0)
			f.drop()
		} else if f.maker.source.Joins(op, f.param) {
			l.doubt(op, f.param.Spec.Name, true) // nobody has put it there
		}
	}
}

// on returns the parameter that names what an operation consumes or adds to; nil where there is none.
func (l *learner) on(op *contract.Operation) *contract.Param {
	return cmp.Or(l.r.world.Consumed(op.Method, op), l.r.world.Parent(op))
}

// way returns what has to be done to a resource before an operation takes it.
func (l *learner) way(ctx context.Context, m *maker, op *contract.Operation, p *contract.Param) []step {
	if !m.depends(op, p) || rank(op) == ending || l.ended(ctx) || l.opens(ctx, m, op, nil) {
		return nil
	}
	if _, known := l.ways[m]; !known {
		l.ways[m] = l.findWays(ctx, m, itemOf(op, p))
	}
	return l.ways[m][op]
}

// act carries out actions on what the run makes for that: those whose answers name what other
// operations read, and those after which there is something to read.
func (l *learner) act(ctx context.Context, ops []*contract.Operation) {
	for _, op := range ops {
		if !world.Safe(op.Method) {
			continue
		}
		for _, p := range l.lacking(op, true) {
			if !slices.ContainsFunc(l.r.world.Results(op, p), func(s world.Source) bool { return l.result(ctx, op, p, s) }) {
				l.reach(ctx, op, p)
			}
		}
	}
}

func (l *learner) result(ctx context.Context, op *contract.Operation, p *contract.Param, s world.Source) bool {
	action := s.Operation
	on := l.r.world.Consumed(action.Method, action)
	base := plan.Base(action, l.opts)
	if base == nil || l.ended(ctx) || l.r.selection.skips(action) || l.r.opts.unsafe(action) {
		return false
	}
	m := l.maker(ctx, action, on)
	if m == nil {
		return false
	}
	values := m.makeWith(ctx, l.way(ctx, m, action, on))
	if values == nil {
		return false
	}
	x := l.r.step(base).send(ctx, l.r, values)
	if !accepted(action, x) {
		return false
	}
	for _, v := range s.Values(x) {
		if l.works(ctx, op, p, map[string]string{p.Spec.Name: v}, false) {
			l.note(op, p, action)
			return true
		}
	}
	return false
}

// reach makes what an operation reads, and brings it into the states that others lead to until
// it is read: a vote takes a poll that was opened, and the reason of a maintenance one that was begun.
func (l *learner) reach(ctx context.Context, op *contract.Operation, p *contract.Param) {
	item := itemOf(op, p)
	m := l.makers[item]
	if m == nil {
		return
	}
	for i, steps := range append([][]step{nil}, l.reachable(ctx, item)...) {
		if i > maxWays || l.ended(ctx) {
			return
		}
		if values := m.makeWith(ctx, steps); values != nil && l.works(ctx, op, p, values, false) {
			l.note(op, p, m.base.Op)
			return
		}
	}
}

// findWays finds for each operation on a kind of resource what has to be done to one before.
func (l *learner) findWays(ctx context.Context, m *maker, item string) map[*contract.Operation][]step {
	ways := map[*contract.Operation][]step{}
	var open, locked []*contract.Operation
	var deletes *contract.Operation // last of all: POST /notes/{id}/restore takes what was deleted
	for _, op := range l.changing(item) {
		p := l.on(op)
		if l.r.selection.skips(op) || l.r.opts.unsafe(op) || len(open)+len(locked) == maxWays {
			continue
		}
		l.refer(ctx, op)
		switch {
		case m.depends(op, p) && !l.opens(ctx, m, op, nil):
			locked = append(locked, op)
		case op.Method != http.MethodDelete:
			open, ways[op] = append(open, op), nil
		default:
			deletes = op
		}
	}
	for found := true; found; {
		found = false
		locked = slices.DeleteFunc(locked, func(op *contract.Operation) bool {
			for _, via := range append(slices.Clip(open), deletes) {
				if via == nil || via == deletes && op.Method != http.MethodPost {
					continue
				}
				for _, steps := range l.through(ctx, ways, via) {
					if !l.opens(ctx, m, op, steps) {
						continue
					}
					if ways[op], found = steps, true; op.Method != http.MethodDelete {
						open = append(open, op)
					}
					return true
				}
			}
			return false
		})
	}
	return ways
}

// changing lists the operations on what stands at a path template: those that consume it, then
// those that add to it.
func (l *learner) changing(item string) []*contract.Operation {
	var consuming, adding []*contract.Operation
	for _, op := range l.r.contract.Operations {
		switch p := l.on(op); {
		case p == nil || itemOf(op, p) != item:
		case p == l.r.world.Consumed(op.Method, op):
			consuming = append(consuming, op)
		default:
			adding = append(adding, op)
		}
	}
	return append(consuming, adding...)
}

// through lists what brings a resource into the states that an operation on it may lead to: one for
// its valid request, and one for each value of an enumeration or a boolean in the body.
func (l *learner) through(ctx context.Context, ways map[*contract.Operation][]step, via *contract.Operation) [][]step {
	base := plan.Base(via, l.opts)
	if base == nil || len(ways[via]) == maxSteps || l.ended(ctx) {
		return nil
	}
	cases := []*plan.Case{base}
	add := func(name, v string) {
		before := l.opts.Learned[via]
		l.learn(via, name, v)
		c := plan.Base(via, l.opts)
		l.opts.Learned[via] = before
		if c != nil && len(cases) < maxStates && !slices.ContainsFunc(cases, func(other *plan.Case) bool { return bytes.Equal(other.Request.Body, c.Request.Body) }) {
			cases = append(cases, c)
		}
	}
	if n := chain.Node(via); n != nil {
		for _, m := range n.Members() {
			for _, v := range m.Schema.Enum {
				add(m.PropName, codec.WriteText(v))
			}
			if m.Allows("boolean") {
				add(m.PropName, "true")
				add(m.PropName, "false")
			}
		}
	}
	var all [][]step
	for _, c := range cases {
		all = append(all, append(slices.Clone(ways[via]), l.r.step(c)))
	}
	return all
}

// inState tries an operation with what it refers to in other states, as a payment of an invoice
// that has to be sent before.
func (l *learner) inState(ctx context.Context, op *contract.Operation, try func() bool) bool {
	st := l.r.states.of(op)
	learned, refs := l.opts.Learned[op], st.references
	for _, source := range l.sources(op, func(ref reference) bool { return ref.from.Operation.Method == http.MethodPost }) {
		for _, steps := range l.reachable(ctx, l.r.world.ItemPath(source)) {
			st.references = slices.Clone(refs)
			for i, ref := range refs {
				if ref.from.Operation == source {
					st.references[i].steps = steps
				}
			}
			if l.renew(ctx, op, source) && try() {
				return true
			}
		}
	}
	l.opts.Learned[op], st.references = learned, refs
	return false
}

// reachable lists what brings a new resource into each of the states that operations on it lead
// to.
func (l *learner) reachable(ctx context.Context, item string) [][]step {
	var all [][]step
	for _, via := range l.changing(item) {
		m := l.maker(ctx, via, l.on(via))
		if m == nil {
			return nil
		}
		if _, known := l.ways[m]; !known {
			l.ways[m] = l.findWays(ctx, m, item)
		}
		if _, open := l.ways[m][via]; open && via.Method != http.MethodDelete {
			all = append(all, l.through(ctx, l.ways[m], via)...)
		}
	}
	return all
}

// bring does to what an answer names what has to be done before a request may refer to it.
func (r *runner) bring(ctx context.Context, ref reference, x *wire.Exchange) bool {
	return !slices.ContainsFunc(ref.steps, func(s step) bool {
		op := s.c.Op
		on := cmp.Or(r.world.Consumed(op.Method, op), r.world.Parent(op))
		return !accepted(op, s.send(ctx, r, map[string]string{on.Spec.Name: ref.read(x)}))
	})
}

// itemOf is the path template of what a parameter of an operation names.
func itemOf(op *contract.Operation, p *contract.Param) string {
	before, _, _ := strings.Cut(op.Path, "{"+p.Spec.Name+"}")
	return before + "{" + p.Spec.Name + "}"
}

// depends reports whether the document has an answer for what is in the wrong state, or is not
// yet where the path has it.
func (m *maker) depends(op *contract.Operation, p *contract.Param) bool {
	wrong := ofState
	if m.source.Joins(op, p) {
		wrong = append(slices.Clip(wrong), http.StatusNotFound)
	}
	return slices.ContainsFunc(wrong, func(status int) bool {
		r := op.Response(status)
		return r != nil && r.Key != "default"
	})
}

// ofState are the statuses of what is refused as something is in the wrong state.
var ofState = []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusLocked}

// wrongState reports whether an answer may say that something is in the wrong state.
func wrongState(x *wire.Exchange) bool {
	return x != nil && x.Response != nil && slices.Contains(ofState, x.Response.Status)
}

// opens reports whether an operation takes a resource that was just made and brought into a
// state.
func (l *learner) opens(ctx context.Context, m *maker, op *contract.Operation, steps []step) bool {
	base := plan.Base(op, l.opts)
	if base == nil {
		return false
	}
	values := m.makeWith(ctx, steps)
	return values != nil && accepted(op, l.r.step(base).send(ctx, l.r, values))
}

// upToDate puts what is so of a resource now in a request about it, where the case has what the
// valid request has: its identifier in the body, and its version in If-Match and in the body.
func (f *fixture) upToDate(ctx context.Context, c *plan.Case, req *wire.Request, values map[string]string) *wire.Request {
	if f != nil {
		req = f.agreed(c, req)
	}
	if f == nil || values == nil {
		return req
	}
	for _, read := range f.current {
		target := f.r.base(read.Op) + read.Op.Path
		for name, v := range values {
			target = strings.ReplaceAll(target, "{"+name+"}", codec.Style{}.PathSegment(name, v))
		}
		x := f.r.exchange(ctx, read.Op, f.r.withRunHeaders(withTarget(read, target)), f.r.target.Do)
		if !accepted(read.Op, x) {
			continue
		}
		if sent := withVersion(c, req, x); sent != nil {
			return sent
		}
	}
	return req
}

// withVersion is a request with the version that a read has just shown; nil where that shows none
// that the request has.
func withVersion(c *plan.Case, req *wire.Request, x *wire.Exchange) *wire.Request {
	base := c
	if c.Base != nil {
		base = c.Base
	}
	sent, found := req.Clone(), false
	if tag := x.Response.Header.Get("ETag"); tag != "" && req.Get("If-Match") != "" && req.Get("If-Match") == base.Request.Get("If-Match") {
		sent.Set("If-Match", tag)
		found = true
	}
	first := map[string]string{}
	for _, s := range scalars(base.Request.Body) {
		first[s.name] = s.value
	}
	sent.Body = inJSON(req.Body, func(s scalar) (string, bool) {
		if !slices.Contains(chain.Versions, world.Plain(s.name)) || first[s.name] != s.value {
			return "", false
		}
		for _, now := range scalars(x.Response.Body) {
			if now.name == s.name && !now.item {
				found = true
				return now.value, true
			}
		}
		return "", false
	})
	if !found {
		return nil
	}
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
			m.Node.Walk(func(n *contract.Node) { found = found || slices.Contains(chain.Versions, world.Plain(n.PropName)) })
		}
	}
	return found
}
