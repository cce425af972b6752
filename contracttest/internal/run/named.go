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
	suffix, n := a.r.token.next()
	uuid, numbers := a.r.token.identifiers()
	names := append([]string{suffix}, candidates(m.from[m.param], suffix, n, true)...)
	of := func(name string) map[string]string {
		values := map[string]string{m.param: name}
		maps.Copy(values, above)
		return values
	}
	for _, name := range append(names, uuid) {
		if a.r.token.shown.MatchString(name) && !strings.ContainsAny(name, "/\\") && k.Param.Node.Validates(name) == nil {
			return of(name)
		}
	}
	for _, name := range numbers {
		if k.Param.Node.Validates(json.Number(name)) == nil {
			return of(name)
		}
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
	own := m.r.token.shown.FindString(strings.ToLower(values[m.param]))
	return slices.ContainsFunc(m.r.token.shown.FindAllString(strings.ToLower(string(x.Response.Body)), -1), func(found string) bool { return found != own })
}

// ownName reports whether an operation's path ends with a name that the run has chosen.
func (r *runner) ownName(op *contract.Operation, values map[string]string) bool {
	p := r.world.Consumed(op.Method, op)
	return p != nil && strings.HasSuffix(op.Template(), "{"+p.Spec.Name+"}") && r.token.shown.MatchString(values[p.Spec.Name])
}
