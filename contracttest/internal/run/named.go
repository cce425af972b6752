package run

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/unique"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// namer returns who makes what has a name that the client chooses; nil where no request for
// that can be made. Whether the target takes it shows when it is asked.
func (l *learner) namer(ctx context.Context, k *chain.Kind) *maker {
	op := k.Make
	if l.r.selection.skips(op) || l.r.selection.skips(k.Read) {
		return nil
	}
	l.refer(ctx, op)
	m := &maker{r: l.r, param: k.Param.Spec.Name, base: plan.Base(op, l.opts), read: leastAsked(plan.Base(k.Read, l.opts))}
	if m.base == nil || m.read == nil {
		return nil
	}
	if m.from = world.Values(op, m.base.Request.Target, l.r.base(op)); m.from == nil {
		return nil
	}
	return m
}

// chosen returns who makes by PUT what a parameter of an operation names, where no POST makes it
// and the target has made one; nil where there is none. It has to be possible to delete it again.
func (l *learner) chosen(ctx context.Context, op *contract.Operation, p *contract.Param) *maker {
	item := itemOf(op, p)
	kinds := chain.Kinds(l.r.contract, l.r.world)
	i := slices.IndexFunc(kinds, func(k *chain.Kind) bool { return k.Chosen() && k.Item == item && k.Delete != nil })
	if i < 0 || l.r.opts.unsafe(kinds[i].Make) || l.r.selection.skips(kinds[i].Make) || l.r.stopped(ctx, kinds[i].Make) != "" || rank(kinds[i].Make) == ending {
		return nil
	}
	k := kinds[i]
	var parent *fixture
	if k.Parent != nil && len(l.r.opts.knownOf(k.Make)[k.Parent.Param.Spec.Name]) == 0 {
		of := l.maker(ctx, k.Make, k.Parent.Param)
		if of == nil {
			return nil
		}
		parent = &fixture{r: l.r, op: k.Make, param: k.Parent.Param, maker: of}
		if values := parent.lend(ctx); values != nil {
			l.keep(k.Make, values)
			l.note(k.Make, k.Parent.Param, of.base.Op)
		}
	}
	m := l.namer(ctx, k)
	if m == nil {
		return nil
	}
	if m.kind, m.parent = k, parent; m.make(ctx) == nil {
		return nil
	}
	return m
}

// makeNamed makes a resource under a new name and returns the values of its path parameters.
func (m *maker) makeNamed(ctx context.Context) map[string]string {
	var above map[string]string
	if m.parent != nil {
		if above = m.parent.lend(ctx); above == nil {
			return nil
		}
	}
	values := m.name(m.kind, above)
	if values == nil || !m.unused(ctx, values) {
		return nil
	}
	op := m.base.Op
	c := withTarget(m.base, world.Bind(op, m.base.Request.Target, m.r.base(op), m.from, values))
	x := m.r.anew(ctx, c, m.r.withRunHeaders(c), func(req *wire.Request) *wire.Exchange {
		return m.r.exchangeOf(ctx, c, m.r.keyed(m.base, req), m.r.target.Do)
	})
	if !accepted(op, x) || !m.readable(ctx, values, x) {
		return nil
	}
	m.keepInMind(values)
	return values
}

// makesNew reports whether the target makes what a PUT names that is not there.
func (r *runner) makesNew(ctx context.Context, k *chain.Kind) bool {
	if r.stopped(ctx, k.Make) != "" || rank(k.Make) == ending {
		return false
	}
	above := r.above(ctx, k)
	if k.Parent != nil && above == nil {
		return false
	}
	_, made := actor{r: r}.Make(ctx, k, above, chain.Edit{})
	return made != nil
}

// Name returns the values of a resource under a new name, which has the token of the run.
func (a actor) Name(k *chain.Kind, above map[string]string) map[string]string {
	m := a.r.makers[k.Item]
	if m == nil {
		return nil
	}
	return m.name(k, above)
}

func (m *maker) name(k *chain.Kind, above map[string]string) map[string]string {
	suffix, n := m.r.token.Next()
	uuid, numbers := m.r.token.Identifiers()
	names := append([]string{suffix}, unique.Candidates(m.from[m.param], suffix, n, true)...)
	of := func(name string) map[string]string {
		values := map[string]string{m.param: name}
		maps.Copy(values, above)
		return values
	}
	good := func(name string) bool {
		return !strings.ContainsAny(name, "/\\") && k.Param.Node.Validates(name) == nil
	}
	for _, name := range append(names, uuid) {
		if len(m.r.token.In(name)) > 0 && good(name) {
			return of(name)
		}
	}
	for _, name := range numbers {
		if k.Param.Node.Validates(json.Number(name)) == nil {
			return of(name)
		}
	}
	if name := m.r.token.Like(m.from[m.param], good); name != "" {
		return of(name)
	}
	return nil
}

// unused reports whether a GET answers that there is nothing under a name, or shows what the
// run itself has made under another: then nobody else can lose by a PUT.
func (m *maker) unused(ctx context.Context, values map[string]string) bool {
	op, target := m.read.Op, m.read.Request.Target
	base := m.r.base(op)
	c := withTarget(m.read, world.Bind(op, target, base, world.Values(op, target, base), values))
	x := m.r.exchange(ctx, op, m.r.withRunHeaders(c), m.r.target.Do)
	if !accepted(op, x) {
		return isGone(x)
	}
	own := m.r.token.In(values[m.param])
	return slices.ContainsFunc(m.r.token.In(string(x.Response.Body)), func(found string) bool { return !slices.Contains(own, found) })
}

// ownName reports whether an operation's path ends with a name that the run has chosen.
func (r *runner) ownName(op *contract.Operation, values map[string]string) bool {
	p := r.world.Consumed(op.Method, op)
	return p != nil && strings.HasSuffix(op.Template(), "{"+p.Spec.Name+"}") && len(r.token.In(values[p.Spec.Name])) > 0
}
