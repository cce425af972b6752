package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
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
	d.media, d.body = nil, value.Good{}
	return d
}

func (d draft) withBody(m *contract.Media, g value.Good) draft {
	d.media, d.body = m, g
	return d
}

// withHead replaces, adds or (value.Absent) removes a header of a part.
func (d draft) withHead(h *contract.PartHeader, g value.Good) draft {
	d.heads = maps.Clone(d.heads)
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
func style(p *openapi3.Parameter) (wire.Style, error) {
	sm, err := p.SerializationMethod()
	if err != nil {
		return wire.Style{}, fmt.Errorf("parameter %s: %w", p.Name, err)
	}
	return wire.Style{Name: sm.Style, Explode: sm.Explode, AllowReserved: p.AllowReserved}, nil
}

// request writes the draft.
func (d draft) request() (*wire.Request, error) {
	path := d.op.Path
	r := &wire.Request{Method: d.op.Method}
	var query, cookies []string
	for _, p := range d.op.Params {
		g, ok := d.params[p]
		if !ok {
			continue
		}
		v := g.V
		st, err := style(p.Spec)
		if err != nil {
			return nil, err
		}
		if p.Syntax != nil {
			text, err := encodeJSON(v)
			if err != nil {
				return nil, err
			}
			v = string(text)
			if p.Spec.In == openapi3.ParameterInHeader || p.Spec.In == openapi3.ParameterInCookie {
				v = inASCII(string(text))
			}
		}
		if raw, ok := d.spelt[p]; ok {
			switch p.Spec.In {
			case openapi3.ParameterInPath:
				path = strings.ReplaceAll(path, "{"+p.Spec.Name+"}", raw)
			case openapi3.ParameterInQuery:
				query = append(query, wire.Style{}.Query(p.Spec.Name, "")[0]+raw)
			case openapi3.ParameterInHeader:
				r.Add(p.Spec.Name, raw)
			case openapi3.ParameterInCookie:
				cookies = append(cookies, p.Spec.Name+"="+raw)
			}
			continue
		}
		switch p.Spec.In {
		case openapi3.ParameterInPath:
			path = strings.ReplaceAll(path, "{"+p.Spec.Name+"}", st.PathSegment(p.Spec.Name, v))
		case openapi3.ParameterInQuery:
			query = append(query, st.Query(p.Spec.Name, v)...)
		case openapi3.ParameterInHeader:
			r.Add(p.Spec.Name, st.Header(v))
		case openapi3.ParameterInCookie:
			cookies = append(cookies, st.Cookies(p.Spec.Name, v)...)
		}
	}
	r.Target = d.base + path
	if len(query) > 0 {
		r.Target += "?" + strings.Join(query, "&")
	}
	if len(cookies) > 0 {
		r.Add("Cookie", strings.Join(cookies, "; "))
	}
	authorize(r, d.auth, d.params)
	if d.media != nil {
		body, label, err := encode(d.media, d.body.V, d.heads)
		if err != nil {
			return nil, err
		}
		r.Body = body
		r.Set("Content-Type", label)
	}
	return r, nil
}

// inASCII spells what is no ASCII in a JSON text as escapes.
func inASCII(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

var errEncoding = errors.New("bodies of this media type are not made")

// encode writes a value in a documented media type, and returns the label to
// send it with.
func encode(m *contract.Media, v any, heads map[*contract.PartHeader]value.Good) (body []byte, label string, err error) {
	label = labelOf(m)
	switch m.Form {
	case codec.JSON:
		body, err = encodeJSON(v)
		return body, label, err
	case codec.URLEncoded:
		members, ok := v.(map[string]any)
		if !ok {
			return nil, "", fmt.Errorf("%w: %s of a value that is no object", errEncoding, m.Key)
		}
		return encodeForm(m, members), label, nil
	case codec.XML:
		body, err = m.WriteXML(v)
		return body, label, err
	case codec.Multipart:
		return encodeMultipart(m, v, heads, label)
	}
	switch v := v.(type) {
	case string:
		return []byte(v), label, nil
	case nil, []any, map[string]any:
	default:
		if m.Form == codec.Text { // 5, true: as parameters carry it
			return []byte(wire.Text(v)), label, nil
		}
	}
	return nil, "", fmt.Errorf("%w: %s", errEncoding, m.Key)
}

func encodeForm(m *contract.Media, members map[string]any) []byte {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		sm := m.Spec.Encoding[name].SerializationMethod()
		st := wire.Style{Name: sm.Style, Explode: sm.Explode}
		v := members[name]
		if fieldAsJSON(m.Spec.Encoding[name], v) {
			if text, err := encodeJSON(v); err == nil {
				pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(string(text)))
				continue
			}
		}
		if _, isObject := v.(map[string]any); isObject && st.Explode && st.Name != openapi3.SerializationDeepObject {
			st.Name = openapi3.SerializationDeepObject // its properties would be the form's own
		}
		pairs = append(pairs, st.Query(name, v)...)
	}
	return []byte(strings.Join(pairs, "&"))
}

// fieldAsJSON reports whether a value is written as JSON in a field of a form: where
// the document says so, and an object of which it says nothing (OpenAPI 3.0.4 and
// 3.1.1, Encoding Object: the default contentType of an object is application/json).
func fieldAsJSON(enc *openapi3.Encoding, v any) bool {
	_, isObject := v.(map[string]any)
	return codec.FieldIsJSON(enc) || isObject && codec.FieldIsPlain(enc)
}

// labelOf returns the Content-Type that bodies of a documented media type are
// sent with.
func labelOf(m *contract.Media) string {
	if m.Form == codec.Bytes && (m.Key == "*/*" || m.Key == "application/*") {
		return "application/octet-stream"
	}
	return concrete(m.Key)
}

// concrete returns a media type that a range of the document includes.
func concrete(key string) string {
	key = mediatype.List(key)[0]
	switch {
	case key == "*/*", key == "application/*":
		return "application/json"
	case strings.HasPrefix(key, "text/*"):
		return "text/plain"
	case strings.HasPrefix(key, "image/*"):
		return "image/png"
	case strings.Contains(key, "/*+"):
		return strings.Replace(strings.TrimSpace(key), "*", "x-unknown", 1)
	case strings.HasSuffix(key, "/*"):
		return strings.TrimSuffix(key, "*") + "x-unknown"
	}
	return strings.TrimSpace(key)
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// boundary is fixed, so that a plan has the same bytes each time.
const boundary = "contracttest-7MA4YWxkTrZu0gW"

func encodeMultipart(m *contract.Media, v any, heads map[*contract.PartHeader]value.Good, label string) ([]byte, string, error) {
	members, ok := v.(map[string]any)
	if !ok {
		return nil, "", fmt.Errorf("%w: multipart of a value that is no object", errEncoding)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, "", fmt.Errorf("multipart: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		items, isList := members[name].([]any)
		if !isList {
			items = []any{members[name]}
		}
		for _, item := range items {
			if err := writePart(w, m.Part(name), heads, name, item); err != nil {
				return nil, "", err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("multipart: %w", err)
	}
	return b.Bytes(), label + "; boundary=" + boundary, nil
}

// writePart writes one part as RFC 7578 §4.2 to §4.4 and the document say.
func writePart(w *multipart.Writer, p contract.Part, heads map[*contract.PartHeader]value.Good, name string, v any) error {
	h := textproto.MIMEHeader{}
	disposition := map[string]string{"name": name}
	if p.File {
		disposition["filename"] = "file.bin"
		h.Set("Content-Type", "application/octet-stream")
	}
	h.Set("Content-Disposition", formData(disposition))
	text := wire.Text(v)
	_, isObject := v.(map[string]any)
	if p.JSON || isObject {
		encoded, err := encodeJSON(v)
		if err != nil {
			return err
		}
		text = string(encoded)
		h.Set("Content-Type", "application/json")
	}
	if len(p.ContentTypes) > 0 {
		h.Set("Content-Type", concrete(p.ContentTypes[0]))
	}
	for _, head := range p.Headers {
		if g, ok := heads[head]; ok {
			text, err := partHeader(head, g.V)
			if err != nil {
				return err
			}
			h.Set(head.Name, text)
		}
	}
	part, err := w.CreatePart(h)
	if err != nil {
		return fmt.Errorf("multipart: %w", err)
	}
	if _, err := io.WriteString(part, text); err != nil {
		return fmt.Errorf("multipart: %w", err)
	}
	return nil
}

// partHeader writes the header of a part: by its media type, which is JSON, or in the
// style simple.
func partHeader(h *contract.PartHeader, v any) (string, error) {
	if h.Media != "" && codec.FormOf(h.Media, h.Node) == codec.JSON {
		text, err := encodeJSON(v)
		return inASCII(string(text)), err
	}
	return wire.Style{Name: openapi3.SerializationSimple, Explode: h.Explode()}.Header(v), nil
}

var inQuotes = strings.NewReplacer("\n", "%0A", "\r", "%0D", `"`, "%22")

// formData writes a Content-Disposition with quoted values, as browsers do
// (RFC 7578 §4.2, WHATWG HTML §4.10.21.8).
func formData(params map[string]string) string {
	text := "form-data"
	for _, name := range slices.Sorted(maps.Keys(params)) {
		text = fmt.Sprintf(`%s; %s="%s"`, text, name, inQuotes.Replace(params[name]))
	}
	return text
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
	first, further := next.FirstItem()
	last = last && further
	for i := len(items); i <= first; i++ {
		at := next
		if i < len(root.PrefixItems) {
			at = root.PrefixItems[i]
		}
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
