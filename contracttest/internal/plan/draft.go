package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// draft is a request as values, before it is bytes. Drafts are never changed,
// only copied with a change.
type draft struct {
	op     *contract.Operation
	base   string // base path
	ranges []value.Range
	params map[*contract.Param]value.Good
	spelt  map[*contract.Param]string // parameters that are written by hand, as they are sent
	auth   []grant                    // credentials that no parameter carries
	media  *contract.Media            // nil: no body
	body   value.Good
	heads  map[*contract.PartHeader]value.Good // of the parts of a multipart body
	wrote  *writtenBody                        // of all drafts with this body
}

// writtenBody is a body as bytes. Most cases have that of the base: they share it.
type writtenBody struct {
	once  sync.Once
	body  []byte
	label string
	err   error
}

func (d draft) clone() draft {
	d.params = maps.Clone(d.params)
	return d
}

// withParam replaces, adds or (value.Absent) removes a parameter.
func (d draft) withParam(p *contract.Param, g value.Good) draft {
	d = d.clone()
	if g.V == (value.Absent{}) {
		delete(d.params, p)
	} else {
		d.params[p] = g
	}
	return d
}

// withSpelling writes a parameter as it is given, after its name.
func (d draft) withSpelling(p *contract.Param, raw string) draft {
	d = d.clone()
	d.spelt = map[*contract.Param]string{p: raw}
	if _, ok := d.params[p]; !ok {
		d.params[p] = value.Good{V: raw}
	}
	return d
}

func (d draft) withoutBody() draft {
	d.media, d.body, d.wrote = nil, value.Good{}, nil
	return d
}

func (d draft) withBody(m *contract.Media, g value.Good) draft {
	d.media, d.body, d.wrote = m, g, &writtenBody{}
	return d
}

// withHead replaces, adds or (value.Absent) removes a header of a part.
func (d draft) withHead(h *contract.PartHeader, g value.Good) draft {
	d.heads, d.wrote = maps.Clone(d.heads), &writtenBody{}
	if g.V == (value.Absent{}) {
		delete(d.heads, h)
	} else {
		d.heads[h] = g
	}
	return d
}

// written returns what writes the draft when it is needed: nil where that cannot
// be done.
func (d draft) written() func() *wire.Request {
	return func() *wire.Request {
		r, err := d.request()
		if err != nil {
			return nil
		}
		return r
	}
}

// unknown lists the nodes whose values may not exist on the target.
func (d draft) unknown() []string {
	var all []string
	for _, g := range d.params {
		all = append(all, g.Unknown...)
	}
	if d.media != nil {
		all = append(all, d.body.Unknown...)
	}
	all = append(all, d.disordered()...)
	slices.Sort(all)
	return slices.Compact(all)
}

// rangesOf finds the names in an operation's requests that are the ends of ranges.
func rangesOf(op *contract.Operation) []value.Range {
	names := map[string]bool{}
	for _, p := range op.Params {
		names[p.Spec.Name] = true
	}
	if op.Body != nil {
		for _, m := range op.Body.Media {
			m.Node.Walk(func(n *contract.Node) {
				if n.PropName != "" {
					names[n.PropName] = true
				}
			})
		}
	}
	return value.Ranges(sortedKeys(names))
}

// disordered lists the upper ends of ranges that are below their lower ones: a service may
// refuse that, though no document can say so.
func (d draft) disordered() []string {
	if len(d.ranges) == 0 {
		return nil
	}
	var all []string
	check := func(members map[string]any) {
		for _, r := range d.ranges {
			lower, there := members[r.Lower]
			if upper, also := members[r.Upper]; there && also && value.Disordered(lower, upper) {
				all = append(all, r.Lower+"-"+r.Upper)
			}
		}
	}
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			check(v)
			for _, member := range v {
				look(member)
			}
		case []any:
			for _, item := range v {
				look(item)
			}
		}
	}
	params := make(map[string]any, len(d.params))
	for p, g := range d.params {
		params[p.Spec.Name] = g.V
		look(g.V)
	}
	check(params)
	look(d.body.V)
	return all
}

// style returns how a parameter is written, with OpenAPI's defaults.
func style(p *openapi3.Parameter) (codec.Style, error) {
	if p.In == codec.Querystring {
		return codec.Style{}, nil // its media type says it
	}
	sm, err := p.SerializationMethod()
	if err != nil {
		return codec.Style{}, fmt.Errorf("parameter %s: %w", p.Name, err)
	}
	return codec.Style{Name: sm.Style, Explode: sm.Explode, Delimiter: codec.DelimiterOf(p.Extensions), AllowReserved: p.AllowReserved}, nil
}

// target is where the parameters of a request are written.
type target struct {
	path           string
	query, cookies []string
	header         func(name, v string)
}

// request writes the draft.
func (d draft) request() (*wire.Request, error) {
	r := &wire.Request{Method: d.op.Method}
	to := target{path: d.op.Path, query: d.op.Fixed(), header: r.Add}
	for _, p := range d.op.Params {
		g, ok := d.params[p]
		if !ok {
			continue
		}
		st, err := style(p.Spec)
		if err != nil {
			return nil, err
		}
		if raw, ok := d.spelt[p]; ok {
			to.writeRaw(p, raw)
		} else if err := to.write(p, st, g.V); err != nil {
			return nil, err
		}
	}
	r.Target = d.base + to.path
	if len(to.query) > 0 {
		r.Target += "?" + strings.Join(to.query, "&")
	}
	if len(to.cookies) > 0 {
		r.Add("Cookie", strings.Join(to.cookies, "; "))
	}
	authorize(r, d.auth, d.params)
	if d.media != nil {
		w := d.wrote
		w.once.Do(func() {
			w.body, w.label, w.err = d.encode(d.media, d.body.V)
			w.body = slices.Clip(slices.Clone(w.body)) // what is appended to is a copy
		})
		if w.err != nil {
			return nil, w.err
		}
		r.Body = w.body
		r.Set("Content-Type", w.label)
	}
	return r, nil
}

// write writes a parameter in its style.
func (to *target) write(p *contract.Param, st codec.Style, v any) error {
	if p.Syntax != nil {
		text, err := codec.WriteJSON(v)
		if err != nil {
			return err //nolint:wrapcheck // it says what cannot be written
		}
		v = string(text)
		if p.Spec.In == openapi3.ParameterInHeader || p.Spec.In == openapi3.ParameterInCookie {
			v = codec.InASCII(string(text))
		}
	}
	switch p.Spec.In {
	case openapi3.ParameterInPath:
		to.inPath(p, st.PathSegment(p.Spec.Name, v))
	case openapi3.ParameterInQuery:
		to.query = append(to.query, st.Query(p.Spec.Name, v)...)
	case codec.Querystring:
		if text := p.Querystring(v); text != "" {
			to.query = append(to.query, text)
		}
	case openapi3.ParameterInHeader:
		to.header(p.Spec.Name, st.Header(v))
	case openapi3.ParameterInCookie:
		to.cookies = append(to.cookies, st.Cookies(p.Spec.Name, v)...)
	}
	return nil
}

// writeRaw writes a parameter as it is given, behind its name.
func (to *target) writeRaw(p *contract.Param, raw string) {
	switch p.Spec.In {
	case openapi3.ParameterInPath:
		to.inPath(p, raw)
	case openapi3.ParameterInQuery:
		to.query = append(to.query, codec.Style{}.Query(p.Spec.Name, "")[0]+raw)
	case codec.Querystring:
		to.query = append(to.query, raw)
	case openapi3.ParameterInHeader:
		to.header(p.Spec.Name, raw)
	case openapi3.ParameterInCookie:
		to.cookies = append(to.cookies, p.Spec.Name+"="+raw)
	}
}

func (to *target) inPath(p *contract.Param, text string) {
	to.path = strings.ReplaceAll(to.path, "{"+p.Spec.Name+"}", text)
}

// encode writes a value in a documented media type, and returns the label to send it with.
func (d draft) encode(m *contract.Media, v any) (body []byte, label string, err error) {
	return m.Write(v, func(h *contract.PartHeader) (any, bool) {
		g, ok := d.heads[h]
		return g.V, ok
	})
}

// place returns v with leaf put where the chain of nodes leads, which starts
// below root. What is missing on the way is made good. last chooses the last
// item of lists, not the first. The second result lists the nodes of values
// that were made up on the way and may not exist on the target.
func place(m *value.Maker, root *contract.Node, v any, chain []*contract.Node, leaf any, last bool) (any, []string, error) {
	if len(chain) == 0 {
		return leaf, nil, nil
	}
	next := chain[0]
	switch {
	case next.About() == schema.Member:
		members, made, err := asObject(m, root, v)
		if err != nil {
			return nil, nil, err
		}
		name := value.MemberName(next)
		if len(chain) == 1 && leaf == (value.Absent{}) {
			delete(members, name)
			return members, made, nil
		}
		return placeMember(m, members, name, next, chain, leaf, last, made)
	case next.About() == schema.Item:
		return placeItem(m, root, v, chain, leaf, last)
	case next.Force() == schema.Always:
		return place(m, next, v, chain[1:], leaf, last)
	default: // a branch, or a schema that applies to some values
		var made []string
		if !m.Takes(next, v) || !next.AppliesTo(value.Plain(v)) {
			g, err := m.Through(next)
			if err != nil {
				return nil, nil, err
			}
			v, made = g.V, g.Unknown
		}
		out, more, err := place(m, next, v, chain[1:], leaf, last)
		return out, slices.Concat(made, more), err
	}
}

// placeItem puts leaf into a list: in the place that its schema is for.
func placeItem(m *value.Maker, root *contract.Node, v any, chain []*contract.Node, leaf any, last bool) (any, []string, error) {
	next := chain[0]
	items, ok := v.([]any)
	items = slices.Clone(items)
	var made []string
	if !ok {
		if g, err := m.Good(root); err == nil {
			items, made = slices.Clone(asItems(g.V)), g.Unknown
		}
	}
	first, further := next.FirstItem(items)
	last = last && further
	for i := len(items); i <= first; i++ {
		at := cmp.Or(root.Element(i), next)
		g, err := m.Spare(at)
		if err != nil && at != next {
			return nil, nil, err
		}
		items, made = append(items, g.V), append(made, g.Unknown...)
	}
	i := first
	if last {
		i = len(items) - 1
	}
	item, more, err := place(m, next, items[i], chain[1:], leaf, last)
	if err != nil {
		return nil, nil, err
	}
	items[i] = item
	return items, slices.Concat(made, more), nil
}

func asItems(v any) []any {
	items, _ := v.([]any)
	return items
}

func asObject(m *value.Maker, n *contract.Node, v any) (map[string]any, []string, error) {
	if members, ok := v.(map[string]any); ok {
		return maps.Clone(members), nil, nil
	}
	g, err := m.Good(n)
	if err != nil {
		return nil, nil, err
	}
	members, ok := g.V.(map[string]any)
	if !ok {
		return nil, nil, fmt.Errorf("%s: no object is made for the schema", n.Subject)
	}
	return maps.Clone(members), g.Unknown, nil
}

func placeMember(m *value.Maker, members map[string]any, name string, next *contract.Node, chain []*contract.Node, leaf any, last bool, made []string) (any, []string, error) {
	inner, ok := members[name]
	if !ok && len(chain) > 1 {
		g, err := m.Spare(next)
		if err != nil {
			return nil, nil, err
		}
		inner, made = g.V, slices.Concat(made, g.Unknown)
	}
	child, more, err := place(m, next, inner, chain[1:], leaf, last)
	if err != nil {
		return nil, nil, err
	}
	members[name] = child
	return members, slices.Concat(made, more), nil
}

// chain returns the nodes from below root down to n.
func chain(root, n *contract.Node) []*contract.Node {
	var nodes []*contract.Node
	for ; n != root; n = n.Parent {
		nodes = append(nodes, n)
	}
	slices.Reverse(nodes)
	return nodes
}
