package run

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// How far values are looked for.
const (
	maxRounds = 3  // a value may lead to an answer that has another
	maxAsked  = 64 // operations that are asked for values in all
)

// learner finds values for path parameters in the answers of other operations:
// where a link of the document leads, in the Location of what was created, and
// under the parameter's own name. It asks one operation at a time, in the order
// of the document, before anything else is sent, so that a run does not depend
// on its workers.
//
// A value counts only where the operation that it is for has accepted it: then
// whoever refuses it later cannot say that it does not exist.
type learner struct {
	r       *runner
	opts    plan.Options
	asked   map[*contract.Operation]*wire.Exchange // nil where the answer is no success
	learned map[*contract.Operation]map[string][]string
	// fixtures are used when all is learned: what is taken away until then is not.
	fixtures map[*contract.Operation]*fixture
}

// discover returns the values by operation and parameter.
func (r *runner) discover(ctx context.Context, opts plan.Options) map[*contract.Operation]map[string][]string {
	l := &learner{r: r, opts: opts, asked: map[*contract.Operation]*wire.Exchange{}, learned: map[*contract.Operation]map[string][]string{}, fixtures: map[*contract.Operation]*fixture{}}
	defer func() {
		for op, f := range l.fixtures {
			r.states.of(op).fixture = f
		}
	}()
	l.opts.Learned = l.learned
	var ops []*contract.Operation
	for _, op := range r.contract.Operations {
		if strings.Contains(op.Path, "{") && slices.ContainsFunc(op.Clauses, r.selection.Clause) {
			ops = append(ops, op)
		}
	}
	slices.SortStableFunc(ops, func(a, b *contract.Operation) int { return cmp.Compare(rank(a.Method), rank(b.Method)) })
	for range maxRounds {
		found := false
		for _, op := range ops {
			for _, p := range l.lacking(op) {
				if ctx.Err() != nil || len(l.asked) > maxAsked || l.r.hung.Load() > 0 {
					return l.learned
				}
				found = l.find(ctx, op, p) || found
			}
		}
		if !found {
			break
		}
	}
	return l.learned
}

// lacking lists the path parameters for which nobody has given a value.
func (l *learner) lacking(op *contract.Operation) []*contract.Param {
	base := plan.Base(op, l.opts)
	if base == nil {
		return nil
	}
	var all []*contract.Param
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInPath && slices.Contains(base.Unknown, p.Node.Path) {
			all = append(all, p)
		}
	}
	return all
}

// find looks for a value of one parameter.
func (l *learner) find(ctx context.Context, op *contract.Operation, p *contract.Param) bool {
	sources, consumed := l.r.world.Sources(op, p), l.r.world.Consumed(op.Method, op) == p
	if consumed {
		sources = l.r.world.Producers(op, p)
	}
	for _, s := range sources {
		x := l.answer(ctx, s.Operation)
		if x == nil {
			continue
		}
		for _, v := range s.Values(x) {
			if l.works(ctx, op, p, v) {
				if takes(op) && consumed {
					l.fixtures[op] = &fixture{base: plan.Base(s.Operation, l.opts), of: s, param: p.Spec.Name, first: v}
				}
				return true
			}
		}
	}
	return false
}

// works tries a value, and keeps it if it is accepted. What takes away is not
// tried: that another operation on the same path accepts it has to do.
func (l *learner) works(ctx context.Context, op *contract.Operation, p *contract.Param, v string) bool {
	tried := op
	if takes(op) {
		if tried = l.reader(op); tried == nil {
			return false
		}
	}
	before := l.learned[tried]
	with := maps.Clone(before)
	if with == nil {
		with = map[string][]string{}
	}
	with[p.Spec.Name] = []string{v}
	l.learned[tried] = with
	base := plan.Base(tried, l.opts)
	ok := base != nil && !slices.Contains(base.Unknown, p.Node.Path)
	if ok && len(l.lacking(tried)) == 0 { // else its other parameters come first or later
		ok = l.exists(ctx, tried, base, with)
	}
	if !ok || tried != op {
		l.learned[tried] = before
	}
	if ok && tried != op {
		if l.learned[op] == nil {
			l.learned[op] = map[string][]string{}
		}
		l.learned[op][p.Spec.Name] = []string{v}
	}
	return ok
}

// exists sends the valid request with a value in it. A value that is refused as
// if the request broke the contract exists all the same, if it can be read.
func (l *learner) exists(ctx context.Context, op *contract.Operation, base *plan.Case, values map[string][]string) bool {
	x := l.r.send(ctx, base)
	if accepted(op, x) {
		return true
	}
	read := l.reader(op)
	if read == nil || read == op || x.Response == nil || x.Response.Status != http.StatusBadRequest {
		return false
	}
	before := l.learned[read]
	defer func() { l.learned[read] = before }()
	l.learned[read] = values
	c := plan.Base(read, l.opts)
	return c != nil && accepted(read, l.r.send(ctx, c))
}

// reader returns the GET on the path of an operation, or nil.
func (l *learner) reader(op *contract.Operation) *contract.Operation {
	all := l.r.contract.Operations
	i := slices.IndexFunc(all, func(o *contract.Operation) bool { return o.Path == op.Path && o.Method == http.MethodGet })
	if i < 0 {
		return nil
	}
	return all[i]
}

// answer sends the valid request of an operation, once, and returns the
// exchange if it was a success.
func (l *learner) answer(ctx context.Context, op *contract.Operation) *wire.Exchange {
	if x, ok := l.asked[op]; ok {
		return x
	}
	base := plan.Base(op, l.opts)
	if base == nil || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" {
		return nil
	}
	if len(l.lacking(op)) > 0 {
		return nil // perhaps in the next round
	}
	x := l.r.send(ctx, base)
	if errors.Is(x.Err, send.ErrRefused) || !accepted(op, x) {
		x = nil
	}
	l.asked[op] = x
	return x
}
