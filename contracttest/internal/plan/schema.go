package plan

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// carrier is a part of a request that a schema is about: a parameter, a body, the header of a
// part.
type carrier struct {
	root    *contract.Node
	good    value.Good                       // a valid value
	travels func(*contract.Node) value.Place // how what is inside it does
	param   *contract.Param                  // nil where it is none
	get     func(draft) (value.Good, bool)
	set     func(draft, value.Good) draft
}

// inParam is a parameter as a carrier.
func inParam(p *contract.Param, good value.Good) carrier {
	in := places[p.Spec.In]
	if p.Syntax != nil {
		in = value.InBody
	}
	return carrier{p.Node, good, everywhere(in), p, func(d draft) (value.Good, bool) {
		g, ok := d.params[p]
		return g, ok
	}, func(d draft, g value.Good) draft { return d.withParam(p, g) }}
}

// inBody is a body as a carrier.
func inBody(m *contract.Media, good value.Good) carrier {
	return carrier{m.Node, good, travelsIn(m), nil, func(d draft) (value.Good, bool) {
		return d.body, d.media == m
	}, func(d draft, g value.Good) draft { return d.withBody(m, g) }}
}

// position is a node in a carrier, and the value that stands there where the rest is good.
type position struct {
	carrier
	n     *contract.Node
	way   []*contract.Node // from below the root down to the node
	local value.Good
	in    value.Place
	// The valid request with the value, and with what is around it: these may be refused already.
	usual, around func() *wire.Request
}

// put puts a value in the place of the one that is there; last chooses the last item of a list.
// made lists the nodes in it whose values may not exist on the target.
func (at *position) put(leaf any, made []string, last bool) func(*value.Maker, draft) (draft, error) {
	return func(m *value.Maker, d draft) (draft, error) {
		g, ok := at.get(d)
		if !ok {
			g = at.good
		}
		v, more, err := place(m, at.root, g.V, at.way, leaf, last)
		if err != nil {
			return d, err
		}
		unknown := slices.Concat(outside(g.Unknown, at.n.Path), more, made)
		slices.Sort(unknown)
		return at.set(d, value.Good{V: v, Unknown: slices.Compact(unknown)}), nil
	}
}

// change puts a value there, for a clause.
func (at *position) change(c *contract.Clause, label string, leaf any, made []string) change {
	var has []*contract.Clause
	members, _ := leaf.(map[string]any)
	for _, name := range sortedKeys(members) {
		if required := at.n.Clause("required/" + name); required != nil {
			has = append(has, required)
		}
	}
	return change{clause: c, label: label, node: at.n, site: at.n.Path, touches: at.param, apply: at.put(leaf, made, false), without: at.usual, made: made, has: has}
}

// variant puts a value there that keeps a clause.
func (at *position) variant(v value.Variant) change {
	made := []string(nil)
	if !v.Exists {
		made = madeUp(at.n, at.local, v.V)
	}
	ch := at.change(v.Clause, v.Label, v.V, made)
	ch.leave = v.Leave
	return ch
}

// schema plans the clauses of a value and of all values inside it.
func (pl *planner) schema(c carrier) {
	c.root.Walk(func(n *contract.Node) {
		if len(n.Clauses) == 0 {
			return
		}
		at := &position{carrier: c, n: n, way: chain(c.root, n), local: c.good, in: c.travels(n)}
		if slices.ContainsFunc(at.way, func(n *contract.Node) bool { return n.Clause("readOnly") != nil }) {
			pl.readOnly(at)
			return
		}
		if n != c.root {
			var err error
			if at.local, err = reach(pl.maker, n, at.way, c.good.V); errors.Is(err, value.ErrEndless) {
				pl.because(n, err.Error())
				return
			} else if err != nil { // any will do where the schema takes none: there are only faults to plan
				pl.because(n, err.Error())
				at.local = value.Good{V: "a"}
			}
		}
		at.usual, at.around = pl.changed(at.put(at.local.V, nil, false)), pl.around(at)
		pl.keepAll(at)
		pl.searched(at)
		if hidden(at.way) {
			pl.because(n, "another branch of anyOf takes what breaks it")
			pl.optional(at)
			pl.required(at)
			return
		}
		pl.breakAll(at)
		pl.optional(at)
		for _, c := range n.Clauses {
			if pl.reasons[c.Clause] == "" {
				pl.reasons[c.Clause] = "no value that breaks it, or keeps it at an edge, can be sent in its place"
			}
		}
	})
}

// around writes the valid request with what is around a position.
func (pl *planner) around(at *position) func() *wire.Request {
	if len(at.way) < 2 {
		return func() *wire.Request { return nil }
	}
	up := &position{carrier: at.carrier, n: at.way[len(at.way)-2], way: at.way[:len(at.way)-1]}
	return pl.changed(func(m *value.Maker, d draft) (draft, error) {
		outer, err := reach(m, up.n, up.way, at.good.V)
		if err != nil {
			return d, err
		}
		return up.put(outer.V, nil, false)(m, d)
	})
}

// keepAll plans the values at a position that keep its clauses: those at the edges, and the good one
// for a clause of which no edge fits into what is around it.
func (pl *planner) keepAll(at *position) {
	bound, kept := most(at.way), map[*contract.Clause]int{}
	variants := pl.maker.Keep(at.n, at.local, at.in)
	for _, v := range variants {
		if kept[v.Clause] < bound {
			kept[v.Clause] += pl.keepAt(at, v)
		}
		if at.n.Shared != nil && kept[v.Clause] > 0 {
			return // the others are cases of the node where the schema was first met
		}
	}
	for _, v := range variants {
		if kept[v.Clause] == 0 {
			kept[v.Clause]++
			pl.keepAt(at, value.Variant{Clause: v.Clause, Label: "good", V: at.local.V, Exists: len(at.local.Unknown) == 0})
		}
	}
}

// keepAt plans a value at a position that keeps a clause, and returns in how many cases.
func (pl *planner) keepAt(at *position, v value.Variant) int {
	before := pl.count
	ch := at.variant(v)
	if v.Label == "good" {
		ch.without = at.around
		if at.param != nil && pl.names(at.n) {
			ch.doubt = at.n.Path
		}
	}
	pl.keep(ch, pl.probes(v, at.param), at.n)
	if at.n.Shared == nil && at.n.EachItem() && slices.Contains(atTheEnd, v.Label) {
		last := ch
		last.label, last.apply = v.Label+"-in-last-item", at.put(v.V, ch.made, true)
		pl.keep(last, false, at.n)
	}
	return pl.count - before
}

// breakAll plans the values at a position that break its clauses.
func (pl *planner) breakAll(at *position) {
	bound, broken := most(at.way), map[*contract.Clause]int{}
	inList := slices.ContainsFunc(at.way, (*contract.Node).EachItem)
	for _, v := range pl.maker.Break(at.n, at.local, at.in) {
		if broken[v.Clause] >= bound {
			continue
		}
		before := pl.count
		ch := at.change(v.Clause, v.Label, v.V, nil)
		pl.breakWith(ch)
		broken[v.Clause] += pl.count - before
		if at.n.Shared != nil && pl.count > before {
			break
		}
		if inList {
			ch.label, ch.apply = v.Label+"-in-last-item", at.put(v.V, nil, true)
			pl.breakWith(ch)
		}
	}
}

// searched notes what cases with several changes may do at a position.
func (pl *planner) searched(at *position) {
	n := at.n
	if pl.opts.Random == 0 || pl.opts.Thin || pl.again || depth(n) > maxFaultDepth || most(at.way) < math.MaxInt || at.in == value.InPath {
		return // what a path has are names
	}
	if at.param == nil && (pl.base.media == nil || pl.base.media.Node != at.root) {
		return
	}
	if at.param == nil && n != at.root && n.About() == schema.Member && !n.Parent.Required[n.PropName] && len(pl.options) < 2*maxOptions {
		if c := n.Parent.Clause("optional/" + n.PropName); c != nil {
			ch := at.change(c, n.PropName+"-absent", value.Absent{}, nil)
			if !pl.baseHas(at.way) {
				ch = at.change(c, n.PropName+"-present", at.local.V, at.local.Unknown)
				ch.without = at.around
			}
			pl.options = append(pl.options, ch)
		}
	}
	if len(pl.limits) == 2*maxLimited || at.param != nil && at.param.Credential {
		return
	}
	var all limited
	for _, v := range pl.maker.Limits(n, at.local, at.in) {
		if v.Leave != "" {
			continue
		}
		ch := at.variant(v)
		ch.label, ch.size = n.Name+"-"+v.Label, sizeOf(v.V)
		if at.param != nil && pl.names(n) {
			ch.doubt = n.Path
		}
		all = append(all, ch)
	}
	if len(all) > 0 {
		pl.limits = append(pl.limits, all)
	}
}

// sizeOf is about how many bytes a value takes.
func sizeOf(v any) int {
	text, err := json.Marshal(value.Plain(v))
	if err != nil {
		return 0
	}
	return len(text)
}

// baseHas reports whether the body of the base has what a way leads to.
func (pl *planner) baseHas(way []*contract.Node) bool {
	v := pl.base.body.V
	for _, step := range way {
		switch step.About() {
		case schema.Member:
			members, _ := v.(map[string]any)
			inner, there := members[value.MemberName(step)]
			if !there {
				return false
			}
			v = inner
		case schema.Item:
			items, _ := v.([]any)
			if len(items) == 0 {
				return false
			}
			v = items[0]
		}
	}
	return true
}

// probes reports whether the acceptance of a value says that values of its node
// need not exist. A small number in a path may exist by chance, where the
// document says that others do not.
func (pl *planner) probes(v value.Variant, p *contract.Param) bool {
	if !v.Stranger {
		return false
	}
	n, isNumber := v.V.(json.Number)
	if !isNumber || p == nil || p.Spec.In != openapi3.ParameterInPath || pl.op.Response(http.StatusNotFound) == nil {
		return true
	}
	f, err := n.Float64()
	return err == nil && math.Abs(f) >= value.Rare
}

// madeUp lists the nodes whose values may not exist on the target where v stands
// at a node: of a list or an object, those of what is inside it.
func madeUp(n *contract.Node, good value.Good, v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		return good.Unknown
	case []any:
		item := n.Element(max(len(v)-1, 0))
		if len(v) == 0 || item == nil || len(item.Schema.Enum) > 0 || item.Schema.Type.Is("boolean") {
			return good.Unknown
		}
		if _, object := v[0].(map[string]any); object {
			return good.Unknown
		}
		return append(slices.Clone(good.Unknown), item.Path)
	}
	return []string{n.Path}
}

// most bounds the cases that keep or break a clause inside a branch of oneOf or
// anyOf: there may be dozens of branches that are much alike.
func most(way []*contract.Node) int {
	bound := math.MaxInt
	for _, n := range way {
		switch i := slices.Index(n.Parent.Branches(), n); {
		case i == 0:
			bound = min(bound, 3)
		case i > 0:
			return 1
		}
	}
	return bound
}

// hidden reports whether what the way leads to is inside a value of which
// another branch of an anyOf takes every one that has its type: then no fault
// there is one of the whole.
func hidden(way []*contract.Node) bool {
	typ := "" // of the value that the next schema up is about, seen from inside it
	for _, n := range slices.Backward(way) {
		switch {
		case n.About() == schema.Member:
			typ = "object"
		case n.About() == schema.Item:
			typ = "array"
		case typ != "" && slices.ContainsFunc(n.Beside(), func(other *contract.Node) bool { return other.TakesAll(typ) }):
			return true
		}
	}
	return false
}

// atTheEnd are odd strings that are sent as the last item of a list too: what is
// said of a bad item is mostly said of the last one.
var atTheEnd = []string{"quotes", "backslash", "line-feed", "markup"}

const leaveRequiredReadOnly = "JSON Schema Validation 2020-12 §9.4: readOnly is an annotation, which does not say that a property need not be there although it is required"

// readOnly plans a property that a request should not carry: absent, and there.
func (pl *planner) readOnly(at *position) {
	c := at.n.Clause("readOnly")
	g, err := pl.maker.Good(at.n)
	if err != nil {
		pl.reasons[c] = err.Error()
		return
	}
	absent := at.change(c, "absent", value.Absent{}, nil)
	if pl.maker.Filled {
		absent.leave = leaveRequiredReadOnly
	}
	pl.keep(absent, false, at.n)
	pl.breakWith(at.change(c, "present", g.V, nil))
}

// reach returns the good value of a node that stands where a way leads in v, or makes one: as part
// of the value around it, so that one part of allOf is made with the others.
func reach(m *value.Maker, n *contract.Node, way []*contract.Node, v any) (value.Good, error) {
	var unknown []string
	for _, step := range way {
		var there bool
		switch {
		case step.About() == schema.Member:
			members, _ := v.(map[string]any)
			v, there = members[step.PropName]
		case step.About() == schema.Item:
			items, _ := v.([]any)
			index, _ := step.FirstItem(items)
			if there = index < len(items); there {
				v = items[index]
			}
		case step.Force() == schema.Always:
			continue // the same value, seen by another schema
		default:
			if m.Takes(step, v) && step.AppliesTo(value.Plain(v)) {
				continue
			}
			g, err := m.Through(step)
			if err != nil {
				return m.Good(n) //nolint:wrapcheck // it names the schema
			}
			v, unknown = g.V, g.Unknown
			continue
		}
		unknown = inside(unknown, step.Path)
		if !there || v == nil {
			g, err := m.Good(step)
			if err != nil {
				return m.Good(n) //nolint:wrapcheck // it names the schema
			}
			v, unknown = g.V, g.Unknown
		}
	}
	if m.Takes(n, v) || len(way) > 0 && n.Force() == schema.Condition {
		return value.Good{V: v, Unknown: unknown}, nil
	}
	return m.Good(n) //nolint:wrapcheck // it names the schema
}

// optional plans the optional properties of an object: each absent, each
// present, all absent, all present.
func (pl *planner) optional(at *position) {
	members, ok := at.local.V.(map[string]any)
	if !ok {
		return
	}
	n, good := at.n, at.local
	keep := func(c *contract.Clause, label string, members map[string]any, unknown ...string) {
		pl.keep(at.change(c, label, members, unknown), false, n)
	}
	few, all := map[string]any{}, map[string]any{}
	var made []string
	for name, v := range members {
		all[name] = v
		if n.Required[name] || n.Prop(name) == nil {
			few[name] = v
		}
	}
	var first *contract.Clause
	var needed []*contract.Node
	count := 0
	for _, prop := range n.Properties() {
		if n.Required[prop.PropName] || prop.Schema.ReadOnly {
			continue
		}
		c := n.Clause("optional/" + prop.PropName)
		if count++; count == 1 {
			first = c
		}
		if _, there := members[prop.PropName]; there {
			less, unknown := clone(members), outside(good.Unknown, prop.Path)
			delete(less, prop.PropName)
			if len(less) == 0 && at.in != value.InBody {
				unknown = pl.another(n, prop, less) // without a member nothing shows that one is absent
			}
			if keep(c, "absent", less, unknown...); !pl.planned[c] {
				needed = append(needed, prop)
			}
			continue
		}
		g, err := pl.maker.Good(prop)
		if err != nil {
			pl.reasons[c] = err.Error()
			continue
		}
		more := clone(members)
		more[prop.PropName], all[prop.PropName] = g.V, g.V
		made = append(made, g.Unknown...)
		keep(c, "absent", members, good.Unknown...)
		keep(c, "present", more, slices.Concat(good.Unknown, g.Unknown)...)
	}
	for _, prop := range needed { // by one that is there, or instead of one that is not
		c, less := n.Clause("optional/"+prop.PropName), clone(all)
		if len(few) > 0 || at.in == value.InBody {
			keep(c, "absent-with-others", few, good.Unknown...)
		}
		if delete(less, prop.PropName); !pl.planned[c] {
			keep(c, "absent-beside-others", less, outside(slices.Concat(good.Unknown, made), prop.Path)...)
		}
	}
	if count > 1 {
		c := cmp.Or(n.Clause("type"), first)
		keep(c, "all-optional-absent", few, good.Unknown...)
		keep(c, "all-optional-present", all, slices.Concat(good.Unknown, made)...)
	}
}

// required plans an object with the properties that it has to have, where one without them breaks
// nothing.
func (pl *planner) required(at *position) {
	members, _ := at.local.V.(map[string]any)
	for _, name := range sortedKeys(members) {
		pl.keep(at.change(at.n.Clause("required/"+name), "good", members, at.local.Unknown), false, at.n)
	}
}

// another adds a property to an object, another than the one given and, if there is one, of a
// single value, and returns the nodes whose values may not exist.
func (pl *planner) another(n, but *contract.Node, members map[string]any) []string {
	var found *contract.Node
	var unknown []string
	for _, prop := range n.Properties() {
		if prop == but || prop.Schema.ReadOnly {
			continue
		}
		g, err := pl.maker.Good(prop)
		if err != nil || found != nil && !scalar(g.V) {
			continue
		}
		if found != nil {
			delete(members, found.PropName)
		}
		found, unknown, members[prop.PropName] = prop, g.Unknown, g.V
		if scalar(g.V) {
			break
		}
	}
	return unknown
}

func scalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}
