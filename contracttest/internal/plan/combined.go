package plan

import (
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// The faults to repeat, by label, the one that servers overlook most first.
var (
	wrongTypes  = []string{"same-as-number", "as-string", "as-number", "number", "word"}
	wrongShapes = []string{"item-alone", "in-array", "empty-array"}
)

// variation is a way in which a request is valid but not like the base.
type variation struct {
	label  string
	change func(*wire.Request)
}

// combined repeats the faults that servers overlook most in requests that are
// valid in other ways than the base: what is checked in one form of a request
// may go unchecked in another.
func (pl *planner) combined(m *contract.Media, d draft, breaks []change) {
	name, _, hasParams := strings.Cut(m.Label(), ";")
	spread := []variation{
		{"chunked", func(r *wire.Request) { r.Chunked = true }},
		{"with-accept", func(r *wire.Request) { r.Set("Accept", "*/*") }},
	}
	if hasParams {
		spread = append(spread, variation{"without-parameters", func(r *wire.Request) { r.Set("Content-Type", name) }})
	}
	for _, v := range spread {
		pl.raw(m.Syntax, "not-json-"+v.label, Refuse, "", d, func(r *wire.Request) {
			r.Body = []byte("not json")
			v.change(r)
		})
	}
	spread = append(
		spread,
		variation{"indented", func(r *wire.Request) { r.Body = []byte(indented(string(r.Body))) }},
		variation{"escaped-names", func(r *wire.Request) { r.Body = []byte(escaped(string(r.Body), true, false)) }},
	)
	isItem := func(ch change) bool { return ch.node.EachItem() }
	isScalar := func(ch change) bool { return !ch.node.SpeaksOf(schema.Item) && !ch.node.SpeaksOf(schema.Member) }
	isList := func(ch change) bool { return ch.node.SpeaksOf(schema.Item) }
	for _, f := range []struct {
		labels []string
		at     []func(change) bool
	}{
		{wrongTypes, []func(change) bool{isItem, isScalar}},
		{wrongShapes, []func(change) bool{isList, isScalar}},
	} {
		ch, ok := foremost(breaks, f.labels, f.at)
		if !ok {
			continue
		}
		bad, err := ch.apply(pl.maker, d)
		if err != nil {
			continue
		}
		for _, v := range spread {
			pl.repeat(ch, v.label, bad, v.change)
		}
		if more, ok := strayed(bad.body.V); ok {
			pl.repeat(ch, "with-unknown-property", bad.withBody(m, more), nil)
		}
		pl.inLists(ch, m, d)
	}
}

// foremost returns the change at the best place, and there the one with the
// label that stands first.
func foremost(breaks []change, labels []string, places []func(change) bool) (change, bool) {
	for _, at := range places {
		for _, label := range labels {
			if i := slices.IndexFunc(breaks, func(ch change) bool { return ch.label == label && at(ch) }); i >= 0 {
				return breaks[i], true
			}
		}
	}
	return change{}, false
}

// repeat adds the fault in another request, if it is still the only one, and
// reports whether it is.
func (pl *planner) repeat(ch change, label string, d draft, vary func(*wire.Request)) bool {
	if pl.opts.Thin {
		return false
	}
	r, err := d.request()
	if err != nil {
		return false
	}
	c := pl.newCase(Clauses, ch.clause, ch.label+"-"+label, Refuse)
	if vary != nil {
		c.Plain = r.Clone()
		vary(r)
	}
	c.Request, c.Unknown = r, d.unknown()
	pl.own(c, ch.touches)
	if !pl.labelled(c) || !pl.alone(c) || pl.repeats(c) {
		return false
	}
	pl.add(c)
	return true
}

// alone reports whether the request breaks nothing but what stands at the node
// of its clause.
func (pl *planner) alone(c *Case) bool {
	for _, v := range pl.checker.CheckRequest(pl.asDocumented(c.Request)) {
		if v.Clause == nil || nodeOf(v.Clause) != nodeOf(c.Clause) {
			return false
		}
	}
	return true
}

// inLists puts the bad item at several places of lists of several lengths.
func (pl *planner) inLists(ch change, m *contract.Media, d draft) {
	if !ch.node.EachItem() {
		return
	}
	list := ch.node.Parent
	good, err := reach(pl.maker, list, chain(m.Node, list), d.body.V)
	if err != nil {
		return
	}
	items, ok := good.V.([]any)
	if !ok || len(items) == 0 {
		return
	}
	first := func(int) any { return items[0] }
	item := func(i int) any {
		if list.Schema.UniqueItems && i >= len(items) {
			return pl.maker.Distinct(ch.node, items[0], i)
		}
		return items[i%len(items)]
	}
	for _, l := range []struct {
		label  string
		length int
		bad    func(i int) bool
		item   func(i int) any
	}{
		{"in-list-of-one", 1, func(int) bool { return true }, item},
		{"third-of-four", 4, func(i int) bool { return i == 2 }, item},
		{"last-of-ten", 10, func(i int) bool { return i == 9 }, item},
		{"last-of-7000", 7000, func(i int) bool { return i == 6999 }, item},
		{"after-repeated", 3, func(i int) bool { return i == 2 }, first},
		{"all-of-three", 3, func(int) bool { return true }, item},
	} {
		var values []any
		for i := range l.length {
			v := l.item(i)
			if l.bad(i) {
				if v, ok = pl.spoilt(ch, v); !ok {
					break
				}
			}
			values = append(values, v)
		}
		if len(values) < l.length {
			continue
		}
		v, made, err := place(pl.maker, m.Node, d.body.V, chain(m.Node, list), values, false)
		if err != nil {
			continue
		}
		pl.repeat(ch, l.label, d.withBody(m, value.Good{V: v, Unknown: slices.Concat(d.body.Unknown, made)}), nil)
	}
}

// spoilt makes of a good value the same fault.
func (pl *planner) spoilt(ch change, good any) (any, bool) {
	for _, v := range pl.maker.Break(ch.node, value.Good{V: good}, value.InBody) {
		if v.Clause == ch.clause && v.Label == ch.label {
			return v.V, true
		}
	}
	return nil, false
}
