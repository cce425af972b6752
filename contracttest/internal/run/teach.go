package run

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/refusal"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// maxLessons is how many other valid requests of an operation are tried.
const maxLessons = 10

// teach looks, where the valid request of an operation is refused, for one that is not: with
// what is required alone, and with the values that the words of the refusal ask for. A
// service that wants more than its document says is then tested all the same; that other
// values are refused shows in the cases that have them. It is done for what changes nothing
// and for what adds something, unless of values that the user has given: they may be used up.
func (l *learner) teach(ctx context.Context, op *contract.Operation) {
	if l.heard[op] || len(l.heard) >= maxAsked || l.ended(ctx) || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" || l.r.opts.unsafe(op) {
		return
	}
	if !slices.ContainsFunc(op.Clauses, l.r.selection.Clause) || rank(op) > reading && (!l.adds(op) || l.given(op)) {
		return
	}
	base := plan.Base(op, l.opts)
	if base == nil || len(op.Params) == 0 && op.Body == nil || len(l.lacking(op, false)) > 0 {
		return
	}
	l.heard[op] = true
	x := l.r.send(ctx, base)
	if accepted(op, x) {
		l.spare[op] = x
	}
	if !says(x) {
		return
	}
	if l.show(ctx, op, base, x) {
		return
	}
	l.opts.Bare[op] = true
	if bare := plan.Base(op, l.opts); bare == nil || sameRequest(bare, base) {
		l.opts.Bare[op] = false
	} else if y := l.r.send(ctx, bare); accepted(op, y) {
		return
	} else if l.opts.Bare[op] = says(y); l.opts.Bare[op] { // what is said of fewer parts has to be heard first
		base, x = bare, y
	}
	l.opts.Bare[op] = l.listen(ctx, op, base, x) && l.opts.Bare[op]
}

// adds reports whether a request of an operation makes something, or is a POST with a body that neither is
// sent to what it could change nor refers to what it could use up, as POST /search is.
func (l *learner) adds(op *contract.Operation) bool {
	if l.r.world.Creates(op) {
		return true
	}
	return op.Method == http.MethodPost && op.Body != nil && rank(op) == changing && l.r.world.Consumed(op.Method, op) == nil &&
		len(l.r.states.of(op).references) == 0
}

// show tries a body that holds something where one that holds nothing is refused for that, and
// reports whether it was accepted.
func (l *learner) show(ctx context.Context, op *contract.Operation, base *plan.Case, x *wire.Exchange) bool {
	plain, err := judge.Content(x.Response)
	if err != nil || !refusal.Empty(plain.Body) {
		return false
	}
	l.opts.Shown[op] = true
	c := plan.Base(op, l.opts)
	l.opts.Shown[op] = c != nil && !sameRequest(c, base) && accepted(op, l.r.send(ctx, c))
	return l.opts.Shown[op]
}

// listen tries what the words of a refusal ask for, and reports whether that was accepted.
func (l *learner) listen(ctx context.Context, op *contract.Operation, base *plan.Case, x *wire.Exchange) bool {
	first := l.opts.Learned[op]
	tried := map[string]bool{}
	left := maxLessons
	try := func(values map[string][]string) (*plan.Case, *wire.Exchange) {
		before := l.opts.Learned[op]
		with := maps.Clone(before)
		if with == nil {
			with = map[string][]string{}
		}
		maps.Copy(with, values)
		l.opts.Learned[op] = with
		if c := plan.Base(op, l.opts); left > 0 && c != nil && !sameRequest(c, base) {
			left--
			return c, l.r.send(ctx, c)
		}
		l.opts.Learned[op] = before
		return nil, nil
	}
	for left > 0 && !l.ended(ctx) {
		asked := l.lessons(op, base, x)
		all := map[string][]string{}
		for _, one := range asked {
			if !tried[one.name+"="+one.text] && all[one.name] == nil {
				all[one.name] = []string{one.text}
			}
		}
		moved := false
		for _, values := range append([]map[string][]string{all}, oneByOne(asked)...) {
			if len(values) == 0 || len(values) == 1 && !fresh(tried, values) {
				continue
			}
			before := l.opts.Learned[op]
			c, y := try(values)
			switch {
			case c == nil:
			case accepted(op, y):
				return true
			case says(y) && !bytes.Equal(y.Response.Body, x.Response.Body): // one thing is as it should be
				base, x, moved = c, y, true
			default:
				l.opts.Learned[op] = before
			}
			if moved {
				break
			}
		}
		if !moved {
			break
		}
	}
	l.opts.Learned[op] = first
	return false
}

// fresh notes a value that is tried, and reports whether it was not before.
func fresh(tried map[string]bool, values map[string][]string) bool {
	for name, texts := range values {
		key := name + "=" + texts[0]
		if tried[key] {
			return false
		}
		tried[key] = true
	}
	return true
}

// lesson is a text that something may have to be.
type lesson struct{ name, text string }

func oneByOne(asked []lesson) []map[string][]string {
	var all []map[string][]string
	for _, one := range asked {
		all = append(all, map[string][]string{one.name: {one.text}})
	}
	return all
}

// lessons reads from a refusal what the values of a request have to be. Where it names none
// of them, it may be about any that is alone.
func (l *learner) lessons(op *contract.Operation, c *plan.Case, x *wire.Exchange) []lesson {
	plain, err := judge.Content(x.Response)
	if err != nil {
		return nil
	}
	var all []lesson
	subjects := l.subjects(op, c)
	for _, said := range refusal.Remarks(plain.Body) {
		texts := refusal.Texts(said.Text)
		if len(texts) == 0 {
			continue
		}
		about := slices.DeleteFunc(slices.Clone(subjects), func(name string) bool { return !refusal.Names(said.Around, name) })
		if len(about) == 0 {
			about = slices.DeleteFunc(slices.Clone(subjects), func(name string) bool { return !refusal.Means(said.Around, name) })
		}
		if len(about) == 0 && len(subjects) == 1 {
			about = subjects
		}
		for _, name := range about {
			for _, text := range texts {
				if one := (lesson{name, text}); !slices.Contains(all, one) {
					all = append(all, one)
				}
			}
		}
	}
	return all
}

// subjects lists the names of the values in a request that are made up.
func (l *learner) subjects(op *contract.Operation, c *plan.Case) []string {
	var all []string
	add := func(n *contract.Node) {
		n.Walk(func(n *contract.Node) {
			if n.Name != "" && n.Items == nil && len(n.Props) == 0 && len(l.r.opts.knownOf(op)[n.Name]) == 0 && !slices.Contains(all, n.Name) {
				all = append(all, n.Name)
			}
		})
	}
	for _, p := range op.Params {
		if p.Spec.In != openapi3.ParameterInPath && !p.Credential {
			add(p.Node)
		}
	}
	if op.Body == nil || c.Request.Body == nil {
		return all
	}
	for _, m := range op.Body.Media {
		if m.Node != nil {
			add(m.Node)
		}
	}
	return all
}

// given reports whether the user has given a value of an operation's requests.
func (l *learner) given(op *contract.Operation) bool {
	given := func(n *contract.Node) bool {
		found := false
		n.Walk(func(n *contract.Node) { found = found || len(l.r.opts.knownOf(op)[n.Name]) > 0 })
		return found
	}
	return slices.ContainsFunc(op.Params, func(p *contract.Param) bool { return !p.Credential && given(p.Node) }) ||
		op.Body != nil && slices.ContainsFunc(op.Body.Media, func(m *contract.Media) bool { return m.Node != nil && given(m.Node) })
}

// says reports whether an answer refuses a request for what is in it.
func says(x *wire.Exchange) bool {
	if x.Response == nil || x.Response.BodyErr != nil {
		return false
	}
	switch x.Response.Status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

func sameRequest(a, b *plan.Case) bool { return reflect.DeepEqual(a.Request, b.Request) }
