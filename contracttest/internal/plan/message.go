package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
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
		pl.schema(inParam(p, good))
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
		if _, there := pl.base.params[p]; there && !p.Spec.Required && !saysVersion(p, pl.op) {
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
	} else if saysVersion(p, pl.op) {
		c.Leave = leaveUnconditional
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
		addQuery(r, codec.Style{Name: "form"}.Query(p.Spec.Name, good.V)[0])
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
	for _, required := range ch.has { // which no case of its own keeps
		if !pl.planned[required] && required != c.Clause {
			c.Keeps = append(c.Keeps, required)
		}
	}
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
		case m.Form == codec.YAML:
			pl.yaml(m, d)
		case m.Form == codec.URLEncoded && m.Node != nil:
			pl.fields(m, d)
		case m.Form == codec.Bytes:
			pl.bytes(m, d)
		}
		before := len(pl.breaks)
		if m.Node != nil {
			pl.schema(inBody(m, good))
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
		c := inBody(m, good)
		c.get = func(draft) (value.Good, bool) { return good, true }
		pl.schema(c)
	}
}

// sequence plans items that are no JSON.
func (pl *planner) sequence(m *contract.Media, d draft) {
	good, _, err := d.encode(m, d.body.V)
	if err != nil {
		return
	}
	if strings.HasPrefix(m.Key, "multipart/") {
		pl.raw(m.Syntax, "not-multipart", Refuse, "", d, func(r *wire.Request) { r.Body = []byte("not multipart") })
		pl.raw(m.Syntax, "truncated", Refuse, "", d, func(r *wire.Request) { r.Body = good[:len(good)-len("\r\n--"+codec.Boundary+"--\r\n")] })
		return
	}
	sign := "" // before each item
	if strings.HasPrefix(string(good), "\x1e") {
		sign = "\x1e"
	}
	for _, v := range []sample{
		{"last-item-open", string(good) + sign + "{\n"}, {"first-item-not-json", sign + "x-unknown\n" + string(good)},
	} {
		pl.raw(m.Syntax, v.label, Refuse, "", d, func(r *wire.Request) { r.Body = []byte(v.text) })
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
