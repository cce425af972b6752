package plan

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Why a receiver may read what is written in another way.
const (
	leaveBrackets = "RFC 3986 §3.4: brackets belong escaped in a query, but most send and take them as they are"
	leavePlus     = "WHATWG URL §5.1 reads a plus as a blank, RFC 3986 does not"
	leaveBareName = "WHATWG URL §5.1: a name without an equals sign has the empty value; not every reader takes it"
	leaveAnyBytes = "RFC 2046 §4.5.1: application/octet-stream is any bytes, and another label of a part says no more than what is in it"
	leaveFilename = "RFC 7578 §4.2: a part that is a file should have a filename, but need not"
)

// reservedOnly is a text with reserved characters, all of which may stand in a
// query as they are and part nothing there (RFC 3986 §3.4).
var reservedOnly = regexp.MustCompile(`^[\w.~-]*[!$'()*,:@/?][\w.~!$'()*,:@/?-]*$`)

// octets are bytes that are no text.
const octets = "\x00\xff\x80\r\n\xfe\x1a\x00"

// written plans how a parameter is written: its style, its JSON, and what the
// document allows of empty values and reserved characters.
func (pl *planner) written(p *contract.Param, good value.Good) {
	keep := func(c *contract.Clause, label, raw, leave string) { pl.spelt(p, good, c, label, raw, Accept, leave) }
	refuse := func(c *contract.Clause, label, raw string) { pl.spelt(p, good, c, label, raw, Refuse, "") }
	if c := p.Syntax; c != nil {
		pl.contentSyntax(p, good)
	}
	if c := p.Empty; c != nil {
		keep(c, "empty", "", "")
		pl.bareName(p, good)
	}
	if c := p.Node.Clause("type"); c != nil && p.Spec.In == openapi3.ParameterInHeader && p.Syntax == nil && p.Node.Validates("\u6570") == nil {
		pl.spelt(p, value.Good{V: "\u6570", Unknown: []string{p.Node.Path}}, c, "beyond-ascii", "\u6570", Accept, leaveObsText)
	}
	if c := p.Reserved; c != nil {
		pl.reasons[c] = "no text with reserved characters keeps the schema"
		for _, odd := range []sample{
			{"slash", "a/b"}, {"question-mark", "a?b"}, {"colon", "a:b"}, {"at", "a@b"}, {"separators", "a!$'()*,:@/?b"}, {"separators-in-a-segment", "a!$&'()*+,;=:@b"},
		} {
			if strings.ContainsAny(odd.text, map[bool]string{true: "/?", false: "&"}[p.Spec.In == openapi3.ParameterInPath]) {
				continue // which part the path, or the query
			}
			if p.Node.Validates(odd.text) == nil {
				pl.spelt(p, value.Good{V: odd.text, Unknown: []string{p.Node.Path}}, c, odd.label, odd.text, Accept, "")
			}
		}
		if text, ok := good.V.(string); ok && reservedOnly.MatchString(text) && p.Spec.In != openapi3.ParameterInPath {
			keep(c, "good", text, "")
		}
	}
	c := p.Style
	if c == nil {
		return
	}
	pl.keep(change{clause: c, label: "good", site: p.Node.Path, touches: p, apply: func(_ *value.Maker, d draft) (draft, error) { return d.withParam(p, good), nil }}, false, p.Node)
	st, err := style(p.Spec)
	if err != nil {
		return
	}
	pl.otherStyles(p, good, st, keep, refuse)
}

// otherStyles plans what other styles make of the good value, where that says
// nothing in the documented one, and other spellings of the documented one.
func (pl *planner) otherStyles(p *contract.Param, good value.Good, st codec.Style,
	keep func(c *contract.Clause, label, raw, leave string), refuse func(c *contract.Clause, label, raw string),
) {
	switch p.Spec.In {
	case openapi3.ParameterInPath:
		plain := codec.Style{Name: openapi3.SerializationSimple, Explode: st.Explode}.PathSegment(p.Spec.Name, good.V)
		if st.Name != openapi3.SerializationSimple {
			refuse(p.Style, "without-prefix", plain)
			refuse(p.Style, "other-prefix", "!"+plain)
		}
		if st.Name == openapi3.SerializationMatrix {
			refuse(p.Style, "other-name", ";x-unknown="+plain)
		}
		if _, isObject := good.V.(map[string]any); isObject {
			refuse(p.Style, "name-alone", "a")
		}
	case openapi3.ParameterInQuery, openapi3.ParameterInHeader:
		members, isObject := good.V.(map[string]any)
		switch {
		case isObject && st.Name == openapi3.SerializationDeepObject:
			pl.rawBrackets(p, good)
		case isObject && len(members) > 0 && !(st.Explode && p.Spec.In == openapi3.ParameterInQuery):
			refuse(p.Style, "name-alone", "a")
			refuse(p.Style, "one-piece-too-many", rawOf(p, st, good.V)+",a")
		}
	}
	items, isList := good.V.([]any)
	item := p.Node.Element(1)
	if !isList || len(items) == 0 || item == nil {
		return
	}
	twice := []any{items[0], items[len(items)-1]}
	if p.Node.Schema.UniqueItems && len(items) < 2 {
		twice[1] = pl.maker.Distinct(item, items[0], 1)
	}
	if p.Node.Validates(twice) != nil {
		return
	}
	raw := rawOf(p, st, twice)
	switch {
	case st.Name == openapi3.SerializationSpaceDelimited && !st.Explode:
		keep(p.Style, "plus-as-blank", strings.ReplaceAll(raw, "%20", "+"), leavePlus)
	case p.Spec.In == openapi3.ParameterInHeader && st.Delimiter == "":
		keep(p.Style, "blank-after-comma", strings.ReplaceAll(raw, ",", ", "), "")
		keep(p.Style, "blanks-around-comma", strings.ReplaceAll(raw, ",", "\t, "), "")
	}
}

// rawOf is what is sent after the name of a parameter, in one text.
func rawOf(p *contract.Param, st codec.Style, v any) string {
	if p.Spec.In == openapi3.ParameterInHeader {
		return st.Header(v)
	}
	pairs := st.Query(p.Spec.Name, v)
	if len(pairs) == 0 {
		return ""
	}
	_, raw, _ := strings.Cut(strings.Join(pairs, "&"), "=")
	return raw
}

// spelt plans a parameter that is written by hand.
func (pl *planner) spelt(p *contract.Param, good value.Good, c *contract.Clause, label, raw string, expect Expect, leave string) {
	d := pl.base.withParam(p, good).withSpelling(p, raw)
	k := pl.newCase(Clauses, c, label, expect)
	k.Leave = leave
	pl.own(k, p)
	if pl.confirmed(k, d) {
		pl.add(k)
	}
}

// contentSyntax plans the text of a parameter that is JSON.
func (pl *planner) contentSyntax(p *contract.Param, good value.Good) {
	text, err := codec.WriteJSON(good.V)
	if err != nil {
		pl.reasons[p.Syntax] = err.Error()
		return
	}
	send := func(s string) string {
		if p.Spec.In == openapi3.ParameterInHeader || p.Spec.In == openapi3.ParameterInCookie {
			return codec.InASCII(s)
		}
		return codec.Style{Name: openapi3.SerializationSimple}.PathSegment("", s)
	}
	plain := string(text)
	for _, k := range []struct {
		label, text string
		expect      Expect
	}{
		{"good", plain, Accept},
		{"white-space", " " + indentedOneLine(plain) + " ", Accept},
		{"escaped", escaped(plain, true, true), Accept},
		{"not-json", "not json", Refuse},
		{"truncated", plain[:len(plain)-1], Refuse},
		{"trailing-bytes", plain + " x", Refuse},
		{"second-value", plain + plain, Refuse},
		{"single-quotes", strings.ReplaceAll(plain, `"`, "'"), Refuse},
		{"duplicate-name", duplicateName(good.V, plain), Refuse},
	} {
		if k.text != "" {
			pl.spelt(p, good, p.Syntax, k.label, send(k.text), k.expect, "")
		}
	}
}

func indentedOneLine(text string) string {
	return strings.NewReplacer(`":`, `" : `, `,"`, ` , "`).Replace(text)
}

func duplicateName(v any, text string) string {
	name, member, ok := firstMember(v)
	if !ok {
		return ""
	}
	return "{" + name + ":" + member + "," + text[1:]
}

// bareName sends the name of a parameter that may be empty without an equals
// sign.
func (pl *planner) bareName(p *contract.Param, good value.Good) {
	pl.reworded(p, good, p.Empty, "name-alone", leaveBareName, func(target string) string {
		return strings.Replace(target, codec.Style{}.Query(p.Spec.Name, "")[0], strings.TrimSuffix(codec.Style{}.Query(p.Spec.Name, "")[0], "="), 1)
	}, "")
}

// rawBrackets sends the brackets of a deepObject as they are.
func (pl *planner) rawBrackets(p *contract.Param, good value.Good) {
	d := pl.base.withParam(p, good)
	r, err := d.request()
	if err != nil {
		return
	}
	k := pl.newCase(Clauses, p.Style, "brackets-as-they-are", Accept)
	k.Leave, k.Unknown = leaveBrackets, d.unknown()
	pl.deepTwice(p, good, r)
	r.Target = strings.NewReplacer("%5B", "[", "%5D", "]").Replace(r.Target)
	k.Request = r
	pl.sent(k)
}

// deepTwice gives a property of a deepObject twice, and the name without
// brackets beside it.
func (pl *planner) deepTwice(p *contract.Param, good value.Good, r *wire.Request) {
	members, _ := good.V.(map[string]any)
	add := func(c *contract.Clause, label, pair string) {
		if c != nil {
			k := pl.newCase(Clauses, c, label, Refuse)
			k.Request = r.Clone()
			addQuery(k.Request, pair)
			pl.sent(k)
		}
	}
	add(p.Style, "without-brackets", codec.Style{Name: "form"}.Query(p.Spec.Name, "5")[0])
	for _, name := range sortedKeys(members)[:min(1, len(members))] {
		pairs := codec.Style{Name: openapi3.SerializationDeepObject}.Query(p.Spec.Name, map[string]any{name: members[name]})
		if prop := p.Node.Prop(name); prop != nil && len(pairs) > 0 { // what is empty has none
			add(prop.Clause("type"), "twice", pairs[0])
		}
	}
}

// reworded plans a request whose target is changed after it was written.
func (pl *planner) reworded(p *contract.Param, good value.Good, c *contract.Clause, label, leave string, change func(string) string, raw string) {
	d := pl.base.withParam(p, good).withSpelling(p, raw)
	r, err := d.request()
	if err != nil {
		return
	}
	r.Target = change(r.Target)
	k := pl.newCase(Clauses, c, label, Accept)
	k.Request, k.Leave, k.Unknown = r, leave, d.unknown()
	pl.sent(k)
}

// travelsIn says how the values inside a body travel: as JSON, or as texts.
func travelsIn(m *contract.Media) func(*contract.Node) value.Place {
	if m.Form == codec.JSON || m.Form == codec.YAML || m.Form == codec.Sequence {
		return everywhere(value.InBody)
	}
	return func(n *contract.Node) value.Place {
		if m.Form != codec.Multipart {
			return value.InQuery
		}
		for ; n != m.Node && n != nil; n = n.Parent {
			if n.PropName != "" && n.Parent == m.Node && m.Part(n.PropName).JSON {
				return value.InBody
			}
		}
		return value.InQuery
	}
}

// parts plans the bytes of a multipart body: its boundaries, and how each part
// is labelled.
func (pl *planner) parts(m *contract.Media, d draft) {
	good, label, err := d.encode(m, d.body.V)
	if err != nil {
		return
	}
	text := string(good)
	raw := func(name, body, contentType string, expect Expect) {
		pl.raw(m.Syntax, name, expect, "", d, func(r *wire.Request) {
			r.Body = []byte(body)
			r.Set("Content-Type", contentType)
		})
	}
	plain := strings.TrimSuffix(label, "; boundary="+codec.Boundary)
	last := "\r\n--" + codec.Boundary + "--\r\n"
	raw("quoted-boundary", text, plain+`; boundary="`+codec.Boundary+`"`, Accept)
	raw("other-boundary", strings.ReplaceAll(text, codec.Boundary, "a.b'c+d_e,f-/:=?"), plain+`; boundary="a.b'c+d_e,f-/:=?"`, Accept)
	raw("upper-case-type", text, strings.ToUpper(plain)+"; boundary="+codec.Boundary, Accept)
	raw("preamble", "a preamble\r\n"+text, label, Accept)
	raw("epilogue", text+"an epilogue\r\n", label, Accept)
	raw("no-final-line-break", strings.TrimSuffix(text, "\r\n"), label, Accept)
	raw("disposition-in-other-case", strings.ReplaceAll(text, "Content-Disposition", "content-disposition"), label, Accept)
	raw("no-boundary", text, plain, Refuse)
	raw("wrong-boundary", text, plain+"; boundary=x-unknown", Refuse)
	raw("not-multipart", "not multipart", label, Refuse)
	if whole, ok := strings.CutSuffix(text, last); ok {
		raw("no-closing-boundary", whole, label, Refuse)
		if whole != "" {
			raw("truncated", whole[:len(whole)-1], label, Refuse)
		}
		if i := strings.LastIndex(whole, "--"+codec.Boundary); i >= 0 {
			raw("ends-in-a-header", whole[:i+len("--"+codec.Boundary)]+"\r\nContent-Dis", label, Refuse)
		}
		raw("part-without-name", whole+"\r\n--"+codec.Boundary+"\r\nContent-Disposition: form-data\r\n\r\na"+last, label, Refuse)
	}
	members, _ := d.body.V.(map[string]any)
	for _, name := range sortedKeys(members) {
		pl.part(m, d, name)
	}
	for _, h := range m.PartHeaders() {
		pl.partHeader(m, d, h)
	}
}

// partHeader plans a header of a part: absent, and its schema.
func (pl *planner) partHeader(m *contract.Media, d draft, h *contract.PartHeader) {
	good, ok := d.heads[h]
	if !ok {
		return
	}
	members, ok := d.body.V.(map[string]any)
	if !ok || members[h.Part] == nil {
		if g, err := pl.withPart(m, d, h.Part); err == nil {
			d = d.withBody(m, g)
		}
	}
	c := pl.newCase(Clauses, h.Presence, "absent", Accept)
	if h.Spec.Required {
		c.Expect = Refuse
	}
	if pl.confirmed(c, d.withHead(h, value.Good{V: value.Absent{}})) {
		pl.add(c)
	}
	pl.schema(carrier{h.Node, good, everywhere(value.InHeader), nil, func(d draft) (value.Good, bool) {
		g, ok := d.heads[h]
		return g, ok
	}, func(other draft, g value.Good) draft { return other.withBody(m, d.body).withHead(h, g) }})
}

// withPart returns the body of a draft with one more part.
func (pl *planner) withPart(m *contract.Media, d draft, name string) (value.Good, error) {
	members, ok := d.body.V.(map[string]any)
	prop := m.Node.Prop(name)
	if !ok || prop == nil {
		return d.body, contract.ErrNotWritten
	}
	g, err := pl.maker.Good(prop)
	if err != nil {
		return d.body, err
	}
	members = maps.Clone(members)
	members[name] = g.V
	return value.Good{V: members, Unknown: slices.Concat(d.body.Unknown, g.Unknown)}, nil
}

// part plans the labels of one part.
func (pl *planner) part(m *contract.Media, d draft, name string) {
	p := m.Part(name)
	leave := ""
	if slices.ContainsFunc(p.ContentTypes, func(one string) bool { return strings.EqualFold(one, "application/octet-stream") }) {
		leave = leaveAnyBytes
	}
	relabel := func(c *contract.Clause, label, contentType string, expect Expect) {
		if c == nil {
			return
		}
		why := ""
		if expect == Refuse {
			why = leave
		}
		pl.raw(c, label, expect, why, d, func(r *wire.Request) { r.Body = withPartType(r.Body, name, contentType) })
	}
	for i, one := range p.ContentTypes {
		relabel(p.Clause, fmt.Sprintf("type-%d", i+1), codec.Concrete(one), Accept)
	}
	relabel(p.Clause, "other-type", "application/x-unknown", Refuse)
	relabel(p.Clause, "text", "text/plain", Refuse)
	relabel(p.Clause, "no-type", "", Refuse)
	if p.JSON {
		for _, odd := range []sample{{"not-json", "not json"}, {"truncated", "{"}, {"trailing-bytes", `{} x`}} {
			pl.raw(m.Syntax, odd.label+"-in-"+name, Refuse, "", d, func(r *wire.Request) { r.Body = withPartBody(r.Body, name, odd.text) })
		}
	}
	if prop := m.Node.Prop(name); prop != nil && prop.Clause("type") != nil {
		pl.raw(prop.Clause("type"), "twice", Refuse, "", d, func(r *wire.Request) { r.Body = withPartTwice(r.Body, name) })
	}
	if p.File {
		pl.raw(m.Syntax, "bytes-in-"+name, Accept, "", d, func(r *wire.Request) { r.Body = withPartBody(r.Body, name, octets) })
		pl.raw(m.Syntax, "no-filename-of-"+name, Accept, leaveFilename, d, func(r *wire.Request) {
			r.Body = bytes.ReplaceAll(r.Body, []byte(`filename="file.bin"; name="`+name+`"`), []byte(`name="`+name+`"`))
		})
		pl.raw(m.Syntax, "odd-filename-of-"+name, Accept, "", d, func(r *wire.Request) {
			r.Body = bytes.ReplaceAll(r.Body, []byte(`filename="file.bin"; name="`+name+`"`), []byte(`name="`+name+`"; filename="a b;c'd.tar.gz"`))
		})
	}
}

// fields plans the pairs of a urlencoded form: each given twice, written with a
// bad escape, and the whole in other spellings of the same.
func (pl *planner) fields(m *contract.Media, d draft) {
	good, _, err := d.encode(m, d.body.V)
	members, ok := d.body.V.(map[string]any)
	if err != nil || !ok || len(members) == 0 {
		return
	}
	text := string(good)
	whole := m.Node.Clause("type")
	raw := func(c *contract.Clause, label, body string, expect Expect) {
		if c != nil {
			pl.raw(c, label, expect, "", d, func(r *wire.Request) { r.Body = []byte(body) })
		}
	}
	pairs := strings.Split(text, "&")
	slices.Reverse(pairs)
	raw(whole, "other-order", strings.Join(pairs, "&"), Accept)
	for _, name := range sortedKeys(members) {
		prop := m.Node.Prop(name)
		if prop == nil {
			continue
		}
		switch v := members[name].(type) {
		case []any, map[string]any:
		default:
			c := prop.Clause("type")
			pair := codec.Style{Name: "form", Explode: true}.Query(name, v)[0]
			raw(c, "twice", text+"&"+pair, Refuse)
			raw(c, "bad-escape", strings.Replace(text, pair, pair+"%zz", 1), Refuse)
			raw(c, "bare-percent-sign", strings.Replace(text, pair, pair+"%", 1), Refuse)
		}
	}
	for _, prop := range m.Node.Properties() {
		_, there := members[prop.PropName]
		c := prop.Clause("type")
		g, err := pl.maker.Good(prop)
		if there || c == nil || err != nil {
			continue
		}
		switch g.V.(type) {
		case []any, map[string]any:
		default:
			pair := codec.Style{Name: "form", Explode: true}.Query(prop.PropName, g.V)[0]
			raw(c, "twice", text+"&"+pair+"&"+pair, Refuse)
		}
	}
}

// withPartBody replaces the content of a part.
func withPartBody(body []byte, name, content string) []byte {
	at := bytes.Index(body, []byte(`name="`+name+`"`))
	if at < 0 {
		return body
	}
	start := at + bytes.Index(body[at:], []byte("\r\n\r\n")) + 4
	end := start + bytes.Index(body[start:], []byte("\r\n--"+codec.Boundary))
	if end < start || start < at+4 {
		return body
	}
	return slices.Concat(body[:start], []byte(content), body[end:])
}

// withPartTwice repeats a part.
func withPartTwice(body []byte, name string) []byte {
	at := bytes.Index(body, []byte(`name="`+name+`"`))
	if at < 0 {
		return body
	}
	start := bytes.LastIndex(body[:at], []byte("--"+codec.Boundary))
	end := at + bytes.Index(body[at:], []byte("--"+codec.Boundary))
	if start < 0 || end < at {
		return body
	}
	return slices.Concat(body[:end], body[start:end], body[end:])
}

// withPartType replaces the Content-Type of a part; an empty one is left out.
func withPartType(body []byte, name, contentType string) []byte {
	marker := []byte(`name="` + name + `"`)
	at := bytes.Index(body, marker)
	if at < 0 {
		return body
	}
	start := bytes.LastIndex(body[:at], []byte(codec.Boundary)) + len(codec.Boundary) + 2
	end := at + bytes.Index(body[at:], []byte("\r\n\r\n"))
	if start < 2 || end < at {
		return body
	}
	var lines [][]byte
	for _, line := range bytes.Split(body[start:end], []byte("\r\n")) {
		if !bytes.HasPrefix(line, []byte("Content-Type:")) {
			lines = append(lines, line)
		}
	}
	if contentType != "" {
		lines = append(lines, []byte("Content-Type: "+contentType))
	}
	out := append([]byte{}, body[:start]...)
	out = append(out, bytes.Join(lines, []byte("\r\n"))...)
	return append(out, body[end:]...)
}
