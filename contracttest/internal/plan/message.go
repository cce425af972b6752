package plan

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

var places = map[string]value.Place{
	openapi3.ParameterInPath: value.InPath, openapi3.ParameterInQuery: value.InQuery,
	openapi3.ParameterInHeader: value.InHeader, openapi3.ParameterInCookie: value.InCookie, codec.Querystring: value.InQuery,
}

// params plans each parameter: absent, repeated, and its schema.
func (pl *planner) params() {
	pl.withoutOptional()
	for _, p := range pl.op.Params {
		pl.presence(p)
		good, err := pl.goodParam(p)
		if err != nil {
			p.Node.Walk(func(n *contract.Node) { pl.because(n, err.Error()) })
			continue
		}
		if p.Single != nil {
			pl.repeated(p, good)
		}
		pl.written(p, good)
		in := everywhere(places[p.Spec.In])
		if p.Syntax != nil {
			in = everywhere(value.InBody)
		}
		pl.schema(p.Node, good, in, p, func(d draft) (any, bool) {
			g, ok := d.params[p]
			return g.V, ok
		}, func(d draft, v any, unknown []string) draft {
			return d.withParam(p, value.Good{V: v, Unknown: unknown})
		})
	}
}

// because notes why the clauses of a node have no case.
func (pl *planner) because(n *contract.Node, why string) {
	for _, c := range n.Clauses {
		pl.reasons[c.Clause] = why
	}
}

// withoutOptional plans the request without all optional parameters at once.
func (pl *planner) withoutOptional() {
	few, others, first := pl.base, pl.base, (*contract.Param)(nil)
	count := 0
	for _, p := range pl.op.Params {
		if _, there := pl.base.params[p]; there && !p.Spec.Required {
			few = few.withParam(p, value.Good{V: value.Absent{}})
			if first = cmp.Or(first, p); p != first {
				others = others.withParam(p, value.Good{V: value.Absent{}})
			}
			count++
		}
	}
	if count < 2 {
		return
	}
	c := pl.newCase(Clauses, first.Presence, "all-optional-absent", Accept)
	c.Without = []func() *wire.Request{others.written()}
	for _, p := range pl.op.Params {
		if !p.Spec.Required {
			pl.own(c, p)
		}
	}
	if pl.confirmed(c, few) {
		pl.add(c)
	}
}

// everywhere says that a value and all that is inside it travel in one way.
func everywhere(in value.Place) func(*contract.Node) value.Place {
	return func(*contract.Node) value.Place { return in }
}

// presence plans the absent parameter, and the present one where it is
// optional and the base does without.
func (pl *planner) presence(p *contract.Param) {
	_, inBase := pl.base.params[p]
	if p.Spec.In == openapi3.ParameterInPath {
		pl.reasons[p.Presence] = "without its path parameter the request is for another path"
		return
	}
	absent := pl.base.withParam(p, value.Good{V: value.Absent{}})
	c := pl.newCase(Clauses, p.Presence, "absent", Accept)
	if p.Spec.Required {
		c.Expect = Refuse
	}
	pl.own(c, p)
	if pl.confirmed(c, absent) {
		pl.add(c)
	}
	if inBase || p.Spec.Required {
		return
	}
	if g, err := pl.goodParam(p); err == nil {
		c := pl.newCase(Clauses, p.Presence, "present", Accept)
		pl.own(c, p)
		if pl.confirmed(c, pl.base.withParam(p, g)) {
			pl.add(c)
		}
	}
}

// own marks what the case changes itself.
func (pl *planner) own(c *Case, p *contract.Param) {
	if p == nil {
		return
	}
	switch p.Spec.In {
	case openapi3.ParameterInHeader:
		c.Own = append(c.Own, strings.ToLower(p.Spec.Name))
	case openapi3.ParameterInCookie:
		c.Own = append(c.Own, "cookie")
	}
	c.Credential = c.Credential || p.Credential
}

func (pl *planner) repeated(p *contract.Param, good value.Good) {
	r, err := pl.base.withParam(p, good).request()
	if err != nil {
		return
	}
	switch p.Spec.In {
	case openapi3.ParameterInHeader:
		r.Add(p.Spec.Name, r.Get(p.Spec.Name))
		spelt := pl.newCase(Clauses, p.Single, "name-in-other-case", Accept)
		spelt.Request = r.Clone()
		v := r.Get(p.Spec.Name)
		spelt.Request.Del(p.Spec.Name)
		spelt.Request.Add(otherCase(p.Spec.Name), v)
		spelt.Unknown = pl.base.withParam(p, good).unknown()
		pl.own(spelt, p)
		if pl.labelled(spelt) {
			pl.add(spelt)
		}
	case openapi3.ParameterInQuery:
		sep := "&"
		r.Target += sep + codec.Style{Name: "form"}.Query(p.Spec.Name, good.V)[0]
	case openapi3.ParameterInCookie:
		r.Set("Cookie", r.Get("Cookie")+"; "+codec.Style{Name: "form"}.Query(p.Spec.Name, good.V)[0])
	}
	c := pl.newCase(Clauses, p.Single, "twice", Refuse)
	c.Request = r
	pl.own(c, p)
	if pl.labelled(c) {
		pl.add(c)
	}
}

func otherCase(name string) string {
	if up := strings.ToUpper(name); up != name {
		return up
	}
	return strings.ToLower(name)
}

// schema plans the clauses of a value and of all values inside it.
func (pl *planner) schema(root *contract.Node, good value.Good, travels func(*contract.Node) value.Place, p *contract.Param,
	get func(draft) (any, bool), set func(draft, any, []string) draft,
) {
	root.Walk(func(n *contract.Node) {
		way := chain(root, n)
		if len(n.Clauses) == 0 {
			return
		}
		readOnly := func(n *contract.Node) bool { return n.Clause("readOnly") != nil }
		if slices.ContainsFunc(way, readOnly) {
			pl.readOnly(root, n, way, good, p, get, set)
			return
		}
		in, local := travels(n), good
		if n != root {
			var err error
			if local, err = pl.at(n, way, good.V); err != nil {
				pl.because(n, err.Error())
				return
			}
		}
		put := func(leaf any, made []string, last bool) func(*value.Maker, draft) (draft, error) {
			return func(m *value.Maker, d draft) (draft, error) {
				cur, ok := get(d)
				unknown := d.unknownAt(root)
				if !ok {
					cur, unknown = good.V, good.Unknown
				}
				v, more, err := place(m, root, cur, way, leaf, last)
				if err != nil {
					return d, err
				}
				unknown = slices.Concat(outside(unknown, n.Path), more, made)
				slices.Sort(unknown)
				return set(d, v, slices.Compact(unknown)), nil
			}
		}
		// What is around a value may be refused already.
		usual := pl.changed(put(local.V, nil, false))
		around := func() *wire.Request { return nil }
		if len(way) > 1 {
			around = pl.changed(func(m *value.Maker, d draft) (draft, error) {
				up := way[len(way)-2]
				outer, err := pl.at(up, way[:len(way)-1], good.V)
				if err != nil {
					return d, err
				}
				cur, ok := get(d)
				if !ok {
					cur = good.V
				}
				v, _, err := place(m, root, cur, way[:len(way)-1], outer.V, false)
				return set(d, v, nil), err
			})
		}
		most, kept, broken := most(way), map[*contract.Clause]int{}, map[*contract.Clause]int{}
		for _, v := range pl.maker.Keep(n, local, in) {
			if kept[v.Clause] >= most {
				continue
			}
			before := pl.count
			made := []string(nil)
			if !v.Exists {
				made = madeUp(n, local, v.V)
			}
			ch := change{clause: v.Clause, label: v.Label, node: n, leave: v.Leave, site: n.Path, touches: p, apply: put(v.V, made, false), without: usual, made: made}
			if v.Label == "good" {
				ch.without = around
				if p != nil && pl.names(n) {
					ch.doubt = n.Path
				}
			}
			pl.keep(ch, pl.probes(v, p), n)
			kept[v.Clause] += pl.count - before
			if n.Shared != nil && pl.count > before {
				break // the others are cases of the node where the schema was first met
			}
			if n.EachItem() && slices.Contains(atTheEnd, v.Label) {
				last := ch
				last.label, last.apply = v.Label+"-in-last-item", put(v.V, made, true)
				pl.keep(last, false, n)
			}
		}
		pl.searched(root, n, way, local, in, p, put, usual, around)
		if hidden(way) {
			pl.because(n, "another branch of anyOf takes what breaks it")
			return
		}
		for _, v := range pl.maker.Break(n, local, in) {
			if broken[v.Clause] >= most {
				continue
			}
			before := pl.count
			pl.breakWith(change{clause: v.Clause, label: v.Label, node: n, site: n.Path, touches: p, apply: put(v.V, nil, false)})
			broken[v.Clause] += pl.count - before
			if n.Shared != nil && pl.count > before {
				break
			}
			if slices.ContainsFunc(way, (*contract.Node).EachItem) {
				pl.breakWith(change{clause: v.Clause, label: v.Label + "-in-last-item", node: n, site: n.Path, touches: p, apply: put(v.V, nil, true)})
			}
		}
		pl.optional(n, local, in, p, put, usual)
		for _, c := range n.Clauses {
			if pl.reasons[c.Clause] == "" {
				pl.reasons[c.Clause] = "no value that breaks it, or keeps it at an edge, can be sent in its place"
			}
		}
	})
}

// searched notes what cases with several changes may do at a node.
func (pl *planner) searched(root, n *contract.Node, way []*contract.Node, local value.Good, in value.Place, p *contract.Param,
	put func(any, []string, bool) func(*value.Maker, draft) (draft, error), usual, around func() *wire.Request,
) {
	if pl.opts.Random == 0 || pl.opts.Thin || pl.again || depth(n) > maxFaultDepth || most(way) < math.MaxInt || in == value.InPath {
		return // what a path has are names
	}
	if p == nil && (pl.base.media == nil || pl.base.media.Node != root) {
		return
	}
	if p == nil && n != root && n.About() == schema.Member && !n.Parent.Required[n.PropName] && len(pl.options) < 2*maxOptions {
		if c := n.Parent.Clause("optional/" + n.PropName); c != nil {
			ch := change{clause: c, label: n.PropName + "-absent", node: n, site: n.Path, apply: put(value.Absent{}, nil, false), without: usual}
			if !pl.baseHas(way) {
				ch.label, ch.apply, ch.made, ch.without = n.PropName+"-present", put(local.V, local.Unknown, false), local.Unknown, around
			}
			pl.options = append(pl.options, ch)
		}
	}
	if len(pl.limits) == 2*maxLimited || p != nil && p.Credential {
		return
	}
	var all limited
	for _, v := range pl.maker.Limits(n, local, in) {
		if v.Leave != "" {
			continue
		}
		made := []string(nil)
		if !v.Exists {
			made = madeUp(n, local, v.V)
		}
		ch := change{clause: v.Clause, label: n.Name + "-" + v.Label, node: n, site: n.Path, touches: p, apply: put(v.V, made, false), made: made, size: sizeOf(v.V), without: usual}
		if p != nil && pl.names(n) {
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
func (pl *planner) readOnly(root, n *contract.Node, way []*contract.Node, good value.Good, p *contract.Param,
	get func(draft) (any, bool), set func(draft, any, []string) draft,
) {
	c := n.Clause("readOnly")
	g, err := pl.maker.Good(n)
	if err != nil {
		pl.reasons[c] = err.Error()
		return
	}
	put := func(leaf any) func(*value.Maker, draft) (draft, error) {
		return func(m *value.Maker, d draft) (draft, error) {
			cur, ok := get(d)
			if !ok {
				cur = good.V
			}
			v, _, err := place(m, root, cur, way, leaf, false)
			return set(d, v, d.unknownAt(root)), err
		}
	}
	leave := ""
	if pl.maker.Filled {
		leave = leaveRequiredReadOnly
	}
	pl.keep(change{clause: c, label: "absent", leave: leave, site: n.Path, touches: p, apply: put(value.Absent{})}, false, n)
	pl.breakWith(change{clause: c, label: "present", node: n, site: n.Path, touches: p, apply: put(g.V)})
}

// at returns the good value that stands where the way leads in v, or makes one:
// as part of the value around it, so that one part of allOf is made with the
// others.
func (pl *planner) at(n *contract.Node, way []*contract.Node, v any) (value.Good, error) {
	var unknown []string
	for _, step := range way {
		var there bool
		switch {
		case step.About() == schema.Member:
			members, _ := v.(map[string]any)
			v, there = members[step.PropName]
		case step.About() == schema.Item:
			items, _ := v.([]any)
			index, _ := step.FirstItem()
			if there = index < len(items); there {
				v = items[index]
			}
		case step.Force() == schema.Always:
			continue // the same value, seen by another schema
		default:
			if pl.maker.Takes(step, v) && step.AppliesTo(value.Plain(v)) {
				continue
			}
			g, err := pl.maker.Through(step)
			if err != nil {
				return pl.byItself(n)
			}
			v, unknown = g.V, g.Unknown
			continue
		}
		unknown = inside(unknown, step.Path)
		if !there || v == nil {
			g, err := pl.maker.Good(step)
			if err != nil {
				return pl.byItself(n)
			}
			v, unknown = g.V, g.Unknown
		}
	}
	if pl.maker.Takes(n, v) || len(way) > 0 && n.Force() == schema.Condition {
		return value.Good{V: v, Unknown: unknown}, nil
	}
	return pl.byItself(n)
}

// byItself makes a value for the schema by itself. Where it takes none, any will
// do: there are only faults to plan.
func (pl *planner) byItself(n *contract.Node) (value.Good, error) {
	g, err := pl.maker.Good(n)
	if err == nil {
		return g, nil
	}
	pl.because(n, err.Error())
	if errors.Is(err, value.ErrEndless) {
		return g, err
	}
	return value.Good{V: "a"}, nil
}

// optional plans the optional properties of an object: each absent, each
// present, all absent, all present.
func (pl *planner) optional(n *contract.Node, good value.Good, in value.Place, p *contract.Param,
	put func(any, []string, bool) func(*value.Maker, draft) (draft, error), usual func() *wire.Request,
) {
	members, ok := good.V.(map[string]any)
	if !ok {
		return
	}
	few, all := map[string]any{}, map[string]any{}
	var made []string
	for name, v := range members {
		all[name] = v
		if n.Required[name] || n.Prop(name) == nil {
			few[name] = v
		}
	}
	var optional []*contract.Node
	for _, prop := range n.Properties() {
		if n.Required[prop.PropName] || prop.Schema.ReadOnly {
			continue
		}
		optional = append(optional, prop)
		c := n.Clause("optional/" + prop.PropName)
		if _, there := members[prop.PropName]; there {
			less, unknown := clone(members), outside(good.Unknown, prop.Path)
			delete(less, prop.PropName)
			if len(less) == 0 && in != value.InBody {
				unknown = pl.another(n, prop, less) // without a member nothing shows that one is absent
			}
			pl.keep(change{clause: c, label: "absent", site: n.Path, touches: p, without: usual, apply: put(less, unknown, false)}, false, n)
			continue
		}
		g, err := pl.maker.Good(prop)
		if err != nil {
			pl.reasons[c] = err.Error()
			continue
		}
		more := clone(members)
		more[prop.PropName] = g.V
		all[prop.PropName] = g.V
		made = append(made, g.Unknown...)
		pl.keep(change{clause: c, label: "absent", site: n.Path, touches: p, without: usual, apply: put(members, good.Unknown, false)}, false, n)
		pl.keep(change{clause: c, label: "present", site: n.Path, touches: p, without: usual, apply: put(more, slices.Concat(good.Unknown, g.Unknown), false)}, false, n)
	}
	if len(optional) > 1 {
		c := n.Clause("type")
		if c == nil {
			c = n.Clause("optional/" + optional[0].PropName)
		}
		pl.keep(change{clause: c, label: "all-optional-absent", site: n.Path, touches: p, without: usual, apply: put(few, good.Unknown, false)}, false, n)
		pl.keep(change{clause: c, label: "all-optional-present", site: n.Path, touches: p, without: usual, apply: put(all, slices.Concat(good.Unknown, made), false)}, false, n)
	}
}

// another adds a property to an object, another than the one given, and returns the
// nodes whose values may not exist.
func (pl *planner) another(n, but *contract.Node, members map[string]any) []string {
	for _, prop := range n.Properties() {
		if prop == but || prop.Schema.ReadOnly {
			continue
		}
		if g, err := pl.maker.Good(prop); err == nil {
			members[prop.PropName] = g.V
			return g.Unknown
		}
	}
	return nil
}

func clone(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// outside drops the nodes at and below a path.
func outside(nodes []string, path string) []string {
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return n == path || strings.HasPrefix(n, path+"/") })
}

// inside keeps the nodes at and below a path.
func inside(nodes []string, path string) []string {
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return n != path && !strings.HasPrefix(n, path+"/") })
}

// unknownAt lists the made-up values of one message part.
func (d draft) unknownAt(root *contract.Node) []string {
	for p, g := range d.params {
		if p.Node == root {
			return g.Unknown
		}
	}
	return d.body.Unknown
}

// maxRandomSize bounds the requests that random cases are made of: what is large
// takes its time, and has cases of its own.
const maxRandomSize = 8 << 10

// changed returns what writes the valid request with a change, when that is needed.
func (pl *planner) changed(apply func(*value.Maker, draft) (draft, error)) func() *wire.Request {
	return func() *wire.Request {
		d, err := apply(pl.maker.Fork(), pl.base)
		if err != nil {
			return nil
		}
		return d.written()()
	}
}

func (pl *planner) keep(ch change, probe bool, n *contract.Node) {
	if ch.clause == nil || pl.enough(ch.clause, Accept) && !probe {
		return
	}
	d, err := ch.apply(pl.maker, pl.base)
	if err != nil {
		pl.reasons[ch.clause] = err.Error()
		return
	}
	phase := Clauses
	if probe {
		phase = Basics
	}
	c := pl.newCase(phase, ch.clause, ch.label, Accept)
	if probe {
		c.Probe = n.Path
	}
	c.Leave = ch.leave
	c.compare(ch)
	c.doubt(ch)
	pl.own(c, ch.touches)
	if pl.confirmed(c, d) {
		pl.add(c)
		if ch.leave == "" && !pl.again && c.Request.Size() < maxRandomSize {
			pl.keeps = append(pl.keeps, ch)
		}
	}
}

// names reports whether a text in a parameter may be the name of something: of a
// property to sort by, of a filter. Of a made-up one nobody knows whether it is.
func (pl *planner) names(n *contract.Node) bool {
	s := n.Schema
	return n.Allows("string") && s.Format == "" && len(s.Enum) == 0 && s.Const == nil && len(pl.maker.Given(n)) == 0
}

// doubt notes that the case has a value of the change that may be a name.
func (c *Case) doubt(ch change) {
	if ch.doubt != "" {
		c.Doubts = append(c.Doubts, ch.doubt)
	}
}

// compare notes the request without a change.
func (c *Case) compare(ch change) {
	if ch.without != nil {
		c.Without = append(c.Without, ch.without)
	}
}

func (pl *planner) breakWith(ch change) {
	if pl.enough(ch.clause, Refuse) {
		return
	}
	d, err := ch.apply(pl.maker, pl.base)
	if err != nil {
		pl.reasons[ch.clause] = err.Error()
		return
	}
	c := pl.newCase(Clauses, ch.clause, ch.label, Refuse)
	pl.own(c, ch.touches)
	if pl.confirmed(c, d) && !pl.repeats(c) {
		pl.add(c)
		if !pl.again {
			pl.breaks = append(pl.breaks, ch)
		}
	}
}

// repeats reports whether the case before it, for the same clause, sends the
// same bytes: the last item of a list of one is the first.
func (pl *planner) repeats(c *Case) bool {
	cases := pl.recent
	for i := len(cases) - 1; i >= 0 && cases[i].Clause == c.Clause; i-- {
		if cases[i].Request.Target == c.Request.Target && string(cases[i].Request.Body) == string(c.Request.Body) &&
			slices.Equal(cases[i].Request.Header, c.Request.Header) && cases[i].Request.Chunked == c.Request.Chunked {
			return true
		}
	}
	return false
}

// body plans the body: absent, its label, its bytes, its schema, in each media
// type.
func (pl *planner) body() {
	b := pl.op.Body
	if b == nil {
		return
	}
	pl.bodyPresence()
	for _, m := range b.Media {
		good, err := pl.goodBody(m)
		if err == nil {
			_, _, err = pl.base.encode(m, good.V)
		}
		if err != nil {
			pl.failMedia(m, err)
			continue
		}
		d := pl.base.withBody(m, good)
		if m != pl.base.media {
			c := pl.newCase(Clauses, b.MediaType, m.Key, Accept)
			if pl.confirmed(c, d) {
				pl.add(c)
			}
		}
		pl.label(m, d)
		switch {
		case isJSON(m):
			pl.syntax(m, d)
		case m.Form == codec.Multipart:
			pl.parts(m, d)
		case m.Form == codec.Sequence:
			pl.sequence(m, d)
		case m.Form == codec.XML:
			pl.xml(m, d)
		case m.Form == codec.URLEncoded && m.Node != nil:
			pl.fields(m, d)
		case m.Form == codec.Bytes:
			pl.bytes(m, d)
		}
		before := len(pl.breaks)
		if m.Node != nil {
			pl.schema(m.Node, good, travelsIn(m), nil, func(d draft) (any, bool) {
				return d.body.V, d.media == m
			}, func(d draft, v any, unknown []string) draft {
				return d.withBody(m, value.Good{V: v, Unknown: unknown})
			})
		}
		if m.Node != nil && conditional(m.Node) {
			pl.otherWays(m)
		}
		if isJSON(m) && m.Node != nil {
			pl.strays(m, d)
		}
		if isJSON(m) && m == b.Media[0] {
			pl.combined(m, d, pl.breaks[before:])
		}
	}
}

// conditional reports whether a schema has parts that are for some values only,
// which the one that the others differ from may be none of.
func conditional(n *contract.Node) bool {
	found := false
	n.Walk(func(n *contract.Node) {
		found = found || n.Conditional()
	})
	return found
}

// otherWays plans what could not be planned with one good body with others.
func (pl *planner) otherWays(m *contract.Media) {
	pl.again = true
	defer func() { pl.again = false }()
	const most = 12
	for _, good := range pl.maker.Others(m.Node, most) {
		pl.schema(m.Node, good, travelsIn(m), nil, func(draft) (any, bool) {
			return good.V, true
		}, func(d draft, v any, unknown []string) draft {
			return d.withBody(m, value.Good{V: v, Unknown: unknown})
		})
	}
}

// sequence plans items that are no JSON.
func (pl *planner) sequence(m *contract.Media, d draft) {
	good, _, err := d.encode(m, d.body.V)
	if err != nil {
		return
	}
	sign := "" // before each item
	if strings.HasPrefix(string(good), "\x1e") {
		sign = "\x1e"
	}
	for _, v := range []struct{ label, body string }{
		{"last-item-open", string(good) + sign + "{\n"}, {"first-item-not-json", sign + "x-unknown\n" + string(good)},
	} {
		pl.raw(m.Syntax, v.label, Refuse, "", d, func(r *wire.Request) { r.Body = []byte(v.body) })
	}
}

// bytes plans bodies that are no text.
func (pl *planner) bytes(m *contract.Media, d draft) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, v := range []struct {
		label string
		body  []byte
	}{{"every-byte", every}, {"no-utf-8", []byte("\xff\xfe\x80")}, {"nul-alone", []byte{0}}, {"line-feeds", []byte("\r\n\n\r")}} {
		pl.raw(pl.op.Body.MediaType, v.label+"-in-"+m.Key, Accept, "", d, func(r *wire.Request) { r.Body = v.body })
	}
}

// isJSON reports whether the document says that the body is JSON, not that it
// may be.
func isJSON(m *contract.Media) bool { return m.Form == codec.JSON && m.Syntax != nil }

func (pl *planner) failMedia(m *contract.Media, err error) {
	if m.Syntax != nil {
		pl.reasons[m.Syntax] = err.Error()
	}
	m.Node.Walk(func(n *contract.Node) { pl.because(n, err.Error()) })
	pl.reasons[pl.op.Body.MediaType] = err.Error()
	pl.reasons[pl.op.Body.Presence] = err.Error()
}

func (pl *planner) bodyPresence() {
	b := pl.op.Body
	expect := Accept
	if b.Spec.Required {
		expect = Refuse
	}
	absent := pl.base.withoutBody()
	for _, v := range []struct {
		label   string
		labels  bool   // with the documented Content-Type
		other   string // with this one
		empty   bool   // with a Content-Length of 0
		chunked bool
	}{
		{label: "absent"},
		{label: "absent-with-content-type", labels: true},
		{label: "absent-with-other-content-type", other: "application/octet-stream"},
		{label: "empty", labels: true, empty: true},
		{label: "empty-chunked", labels: true, empty: true, chunked: true},
	} {
		r, err := absent.request()
		if err != nil {
			return
		}
		if v.labels && len(b.Media) > 0 {
			r.Set("Content-Type", b.Media[0].Label())
		}
		if v.other != "" {
			r.Set("Content-Type", v.other)
		}
		if v.empty {
			r.Body, r.Chunked = []byte{}, v.chunked
		}
		c := pl.newCase(Clauses, b.Presence, v.label, expect)
		c.Request, c.Unknown = r, absent.unknown()
		c.Own = []string{"content-type"}
		switch {
		case expect != Accept:
		case v.other != "":
			c.Leave = leaveBareType
		case v.chunked && len(b.Media) > 0 && !b.Media[0].TakesEmpty(b.Media[0].Label()):
			c.Leave = leaveChunked
		}
		if pl.labelled(c) {
			pl.add(c)
		}
	}
	if pl.base.media == nil && len(b.Media) > 0 {
		if g, err := pl.goodBody(b.Media[0]); err == nil {
			c := pl.newCase(Clauses, b.Presence, "present", Accept)
			if pl.confirmed(c, pl.base.withBody(b.Media[0], g)) {
				pl.add(c)
			}
		}
	}
}

// raw adds a case whose body or label is written by hand.
func (pl *planner) raw(c *contract.Clause, label string, expect Expect, leave string, d draft, change func(*wire.Request)) {
	if k := pl.byHand(c, label, expect, leave, d, change); k != nil {
		pl.add(k)
	}
}

// byHand makes a case whose body or label is written by hand; nil where none is to
// be added.
func (pl *planner) byHand(c *contract.Clause, label string, expect Expect, leave string, d draft, change func(*wire.Request)) *Case {
	if pl.enough(c, expect) {
		return nil
	}
	r, err := d.request()
	if err != nil {
		pl.reasons[c] = err.Error()
		return nil
	}
	change(r)
	k := pl.newCase(Clauses, c, label, expect)
	k.Request, k.Unknown, k.Leave = r, d.unknown(), leave
	k.Own = []string{"content-type", "content-encoding"}
	if !pl.labelled(k) {
		return nil
	}
	return k
}
