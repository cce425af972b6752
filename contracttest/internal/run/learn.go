package run

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
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
	maxRounds  = 3  // a value may lead to an answer that has another
	maxSources = 8  // operations that are asked for the value of one parameter
	maxLearned = 3  // values that are tried for one parameter
	maxLooked  = 5  // levels of an answer that are looked into
	maxAsked   = 64 // operations that are asked for values in all
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
	for _, s := range l.sources(op, p) {
		x := l.answer(ctx, s.op)
		if x == nil {
			continue
		}
		for _, v := range s.values(x) {
			if l.works(ctx, op, p, v) {
				if takes(op) && consumes(op, p) {
					l.fixtures[op] = &fixture{base: plan.Base(s.op, l.opts), of: s, param: p.Spec.Name, first: v}
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

// source is an operation whose answer may have a value, and how to find it
// there.
type source struct {
	op     *contract.Operation
	values func(*wire.Exchange) []string
}

// sources lists where a parameter's value may come from, the surest first.
func (l *learner) sources(op *contract.Operation, p *contract.Param) []source {
	var linked, above, elsewhere []source
	before, _, _ := strings.Cut(op.Path, "/{"+p.Spec.Name+"}")
	for _, s := range l.r.contract.Operations {
		if s == op || takes(s) || consumes(op, p) && s.Method != http.MethodPost {
			continue
		}
		for _, expr := range links(s, op, p) {
			linked = append(linked, source{s, func(x *wire.Exchange) []string { return evaluate(expr, x) }})
		}
		switch {
		case s.Path == before || s.Path == before+"/":
			above = append(above, source{s, func(x *wire.Exchange) []string {
				return slices.Concat(located(x, op, p.Spec.Name), within(x, p.Spec.Name, "id"))
			}})
		case !strings.Contains(s.Path, "{") && rank(s.Method) == 0 && mentions(s, p.Spec.Name):
			elsewhere = append(elsewhere, source{s, func(x *wire.Exchange) []string { return within(x, p.Spec.Name) }})
		}
	}
	all := slices.Concat(linked, above, elsewhere)
	return all[:min(len(all), maxSources)]
}

// consumes reports whether an operation changes or removes what a parameter
// names. It gets what the run has made itself: what a list or an answer names may
// be somebody's.
func consumes(op *contract.Operation, p *contract.Param) bool {
	switch op.Method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		return strings.LastIndexByte(op.Path, '{') == strings.Index(op.Path, "{"+p.Spec.Name+"}")
	}
	return false
}

// links lists the expressions that the responses of one operation have for a
// parameter of another.
func links(from, to *contract.Operation, p *contract.Param) []string {
	var all []string
	for _, resp := range from.Responses {
		for _, name := range slices.Sorted(maps.Keys(resp.Spec.Links)) {
			ref := resp.Spec.Links[name]
			if ref == nil || ref.Value == nil || !leads(ref.Value, to) {
				continue
			}
			for _, key := range []string{p.Spec.Name, p.Spec.In + "." + p.Spec.Name} {
				if expr, ok := ref.Value.Parameters[key].(string); ok {
					all = append(all, expr)
				}
			}
		}
	}
	return all
}

func leads(link *openapi3.Link, to *contract.Operation) bool {
	if link.OperationID != "" {
		return link.OperationID == to.ID
	}
	pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(to.Path)
	return strings.HasSuffix(link.OperationRef, "#/paths/"+pointer+"/"+strings.ToLower(to.Method))
}

// evaluate reads a runtime expression (OpenAPI 3.0.3, Link Object).
func evaluate(expr string, x *wire.Exchange) []string {
	if body, ok := strings.CutPrefix(expr, "$response.body"); ok {
		v, ok := decoded(x)
		if !ok {
			return nil
		}
		for step := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(body, "#"), "/"), "/") {
			if step == "" {
				continue
			}
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			switch inner := v.(type) {
			case map[string]any:
				v = inner[name]
			case []any:
				v = nil
				if name == "0" && len(inner) > 0 {
					v = inner[0]
				}
			default:
				v = nil
			}
		}
		return scalar(v)
	}
	if name, ok := strings.CutPrefix(expr, "$response.header."); ok {
		return scalar(x.Response.Header.Get(name))
	}
	return nil
}

// located reads a parameter out of the Location of what was created.
func located(x *wire.Exchange, op *contract.Operation, name string) []string {
	u, err := url.Parse(x.Response.Header.Get("Location"))
	if err != nil || u.Path == "" {
		return nil
	}
	path := u.EscapedPath()
	for {
		if values, ok := op.Match(path); ok {
			v, err := url.PathUnescape(values[name])
			if err != nil {
				return nil
			}
			return scalar(v)
		}
		// The path may stand under that of the server.
		next := strings.IndexByte(strings.TrimPrefix(path, "/"), '/')
		if next < 0 {
			return nil
		}
		path = path[next+1:]
	}
}

// within lists the values of properties with one of the names, as near the top
// as there are any.
func within(x *wire.Exchange, names ...string) []string {
	v, ok := decoded(x)
	if !ok {
		return nil
	}
	level := []any{v}
	for range maxLooked {
		var found []string
		var next []any
		for _, v := range level {
			switch v := v.(type) {
			case map[string]any:
				for _, name := range names {
					for _, key := range slices.Sorted(maps.Keys(v)) {
						if plainName(key) == plainName(name) {
							found = append(found, scalar(v[key])...)
						}
					}
				}
				for _, key := range slices.Sorted(maps.Keys(v)) {
					next = append(next, v[key])
				}
			case []any:
				next = append(next, v[:min(len(v), maxLearned)]...)
			}
		}
		if len(found) > 0 {
			return found[:min(len(found), maxLearned)]
		}
		level = next
	}
	return nil
}

// plainName makes bookId, book_id and BookID the same name.
func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// mentions reports whether a success of the operation may have a property of a
// name.
func mentions(op *contract.Operation, name string) bool {
	found := false
	for _, resp := range op.Responses {
		if resp.Key[0] != '2' {
			continue
		}
		for _, m := range resp.Media {
			m.Node.Walk(func(n *contract.Node) { found = found || n.PropName != "" && plainName(n.PropName) == plainName(name) })
		}
	}
	return found
}

func decoded(x *wire.Exchange) (v any, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(x.Response.Body))
	dec.UseNumber()
	return v, dec.Decode(&v) == nil
}

// scalar is a value as parameters carry it, if it can be one.
func scalar(v any) []string {
	switch v := v.(type) {
	case string:
		if v != "" && len(v) <= 512 {
			return []string{v}
		}
	case json.Number:
		return []string{v.String()}
	}
	return nil
}
