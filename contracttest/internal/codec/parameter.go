package codec

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Why a receiver may read a parameter otherwise.
const (
	leaveDelimiter   = "OpenAPI 3.0.4 §4.8.12.4: what becomes of a delimiter inside a value is not defined"
	leaveNested      = "OpenAPI 3.0.3, Style Values: how a value inside a value is written is not defined"
	leaveInNested    = "OpenAPI 3.0.3, Style Values: how a value inside a value is written is not defined, nor whether a receiver sees what is wrong in it"
	leaveCookieList  = "OpenAPI 3.0.4, Appendix D: how a list or an object is written in a cookie is not defined"
	leaveEmptyList   = "OpenAPI 3.0.3, Style Values: whether an empty value is an empty list is not defined"
	leaveSpread      = "OpenAPI 3.0.3, Style Values: an object spread over the query has no bounds"
	leaveRepeated    = "RFC 9110 §5.2: what a repeated line of a single-valued header means is not defined"
	leaveRepeatedKey = "the document does not say what a repeated query parameter or cookie means"
	leaveEmptyItem   = "RFC 9110 §5.6.1.2: a recipient must ignore empty elements of a list"
	leaveCookieText  = "OpenAPI 3.0.4, Appendix D: whether a cookie is escaped or quoted is not defined"
	leaveBare        = "OpenAPI 3.0.3, Style Values: what the name of a deepObject means without brackets is not defined"
)

// LeaveInNested is why what is wrong in a list or an object inside another breaks nothing.
const LeaveInNested = leaveInNested

// Nested reports whether a reason is that no form of a list or an object inside another is defined.
func Nested(leave string) bool { return leave == leaveNested }

// Querystring is where a parameter stands that is the whole of a query (OpenAPI 3.2.0, Parameter
// Object, in).
const Querystring = "querystring"

// styleCookie is the style of OpenAPI 3.2 in which a cookie is not escaped, and a list repeats it.
const styleCookie = "cookie"

// Parameter says how a value travels outside of a body.
type Parameter struct {
	Name string
	In   string // path, query, querystring, header or cookie
	// Style and Explode are those of OpenAPI, already defaulted.
	Style   string
	Explode bool
	// Delimiter separates the items of a list, where it is another one than the style has.
	Delimiter string
	Media     string // the media type that describes it; empty where a style does
	Node      *schema.Node
	// Encodings are those of the fields of a form in the querystring.
	Encodings map[string]*openapi3.Encoding
	// Other reports whether a name in the query is that of another parameter; nil
	// where there is none.
	Other func(name string) bool
}

// Message is what the parameters of a request are read from, taken apart once for all
// of them.
type Message struct {
	Path  map[string]string // escaped, by the names in the template
	Query []wire.Param
	// Raw is the query as it was sent.
	Raw     string
	Cookies []wire.Param
	Header  func(name string) []string
}

// Values returns all values of a parameter, as they were sent.
func (m *Message) Values(in, name string) []string {
	switch in {
	case openapi3.ParameterInPath:
		if raw, ok := m.Path[name]; ok {
			return []string{raw}
		}
	case openapi3.ParameterInQuery:
		return Named(m.Query, name)
	case Querystring:
		if m.Raw != "" {
			return []string{m.Raw}
		}
	case openapi3.ParameterInCookie:
		return Named(m.Cookies, name)
	case openapi3.ParameterInHeader:
		return m.Header(name)
	}
	return nil
}

// Named returns the values of the pairs of a name.
func Named(pairs []wire.Param, name string) []string {
	var values []string
	for _, p := range pairs {
		if p.Name == name {
			values = append(values, p.Value)
		}
	}
	return values
}

// Read reads the parameter.
func (p Parameter) Read(m *Message) Reading {
	nodes := schema.Nodes{p.Node}
	values := m.Values(p.In, p.Name)
	t := text{name: p.Name, in: p.In, style: p.Style, explode: p.Explode, delimiter: p.Delimiter}
	if p.Media != "" {
		if len(values) == 0 {
			return Reading{}
		}
		if p.In == Querystring && FormOf(p.Media, p.Node) == URLEncoded {
			return ReadForm(p.Node, p.Encodings, values[0])
		}
		raw := t.first(values)
		got := readAs(p.Media, p.Node, t.plain(raw))
		if got.Bad != nil && p.In == openapi3.ParameterInCookie {
			// A cookie holds neither quotes nor commas (RFC 6265 §4.1.1): JSON stands escaped in it.
			if escaped := readAs(p.Media, p.Node, wire.Unescape(raw, false)); escaped.Bad == nil {
				return escaped
			}
		}
		return got
	}
	if t.spread() {
		if got := p.readSpread(nodes, m.Query); got.Found && (len(values) == 0 || got.Bad == nil && nodes.Keeps(got.Value)) {
			return got
		}
	}
	if len(values) == 0 {
		return Reading{}
	}
	if p.In == openapi3.ParameterInCookie && p.Style != styleCookie {
		return t.readCookie(nodes, values)
	}
	return t.read(nodes, values)
}

// readCookie reads a cookie as it stands, else without the quotes around it (RFC 6265 §4.1.1), else without
// escapes, by which alone it can hold a blank, a comma or a semicolon.
func (t text) readCookie(nodes schema.Nodes, values []string) Reading {
	return best(nodes, func(yield func(Reading) bool) {
		if !yield(t.read(nodes, values)) {
			return
		}
		for _, bare := range []func(string) string{unquoted, func(text string) string { return wire.Unescape(text, false) }} {
			texts := make([]string, len(values))
			for i, v := range values {
				texts[i] = bare(v)
			}
			if slices.Equal(texts, values) {
				continue
			}
			got := t.read(nodes, texts)
			got.Leave = cmp.Or(got.Leave, leaveCookieText)
			if !yield(got) {
				return
			}
		}
	})
}

func unquoted(text string) string {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}

// ReadHeader reads the lines of a header field of a response or of a part, in the style
// simple, or as the media type that describes it (OpenAPI 3.0.3, Header Object).
func ReadHeader(node *schema.Node, media string, explode bool, delimiter string, lines []string) Reading {
	t := text{in: openapi3.ParameterInHeader, style: openapi3.SerializationSimple, explode: explode, delimiter: delimiter, strict: true}
	if media != "" {
		return readAs(media, node, t.first(lines))
	}
	return t.read(schema.Nodes{node}, lines)
}

// WriteHeader writes a value as ReadHeader reads it.
func WriteHeader(node *schema.Node, media string, explode bool, delimiter string, v any) (string, error) {
	if media != "" && FormOf(media, node) == JSON {
		text, err := WriteJSON(v)
		return InASCII(string(text)), err
	}
	return Style{Name: openapi3.SerializationSimple, Explode: explode, Delimiter: delimiter}.Header(v), nil
}

// DelimiterOf returns what the items of a list are separated by, of the extensions of a
// parameter, a header or an encoding; it is empty where the style says it.
func DelimiterOf(extensions map[string]any) string {
	text, _ := extensions[document.Delimiter].(string)
	return text
}

// WriteQuerystring writes a value as the whole of a query. One that is JSON is its text already.
func WriteQuerystring(media string, node *schema.Node, encodings map[string]*openapi3.Encoding, v any) string {
	if members, isObject := v.(map[string]any); isObject && FormOf(media, node) == URLEncoded {
		return string(WriteForm(encodings, members))
	}
	return escapeSegment(WriteText(v))
}

// readSpread reads an object whose members are query parameters of their own, or whose
// names stand in brackets (deepObject).
func (p Parameter) readSpread(nodes schema.Nodes, query []wire.Param) Reading {
	if p.Style == openapi3.SerializationDeepObject {
		return readDeep(nodes, p.Name, query)
	}
	all := nodes.Alternatives()
	// A name that one alternative speaks of is a member of the object in all of them.
	speaks := func(name string) bool {
		return slices.ContainsFunc(all, func(a schema.Alternative) bool { return a.Speaks(name) })
	}
	return best(nodes, func(yield func(Reading) bool) {
		for _, a := range all {
			if !slices.Contains(a.Shapes(), schema.Object) {
				continue
			}
			open := a.Open()
			fields := map[string][]string{}
			for _, pair := range query {
				if speaks(pair.Name) || open && (p.Other == nil || !p.Other(pair.Name)) {
					fields[pair.Name] = append(fields[pair.Name], wire.Unescape(pair.Value, true))
				}
			}
			if len(fields) == 0 {
				continue
			}
			got := readFields(a, fields)
			if open {
				got.Leave = cmp.Or(got.Leave, leaveSpread)
			}
			if !yield(got) {
				return
			}
		}
	})
}

// text reads the value of one parameter or form field.
type text struct {
	name    string
	in      string
	style   string
	explode bool
	// delimiter separates the items of a list, where it is another one than the style has.
	delimiter string
	// strict is set where nobody has to recover from what the sender must not write.
	strict bool
}

// spread reports whether the members of an object have names of their own in the query.
func (t text) spread() bool {
	return t.in == openapi3.ParameterInQuery && (t.style == openapi3.SerializationDeepObject || t.style == openapi3.SerializationForm && t.explode)
}

func (t text) plain(raw string) string {
	if t.in == openapi3.ParameterInHeader || t.in == openapi3.ParameterInCookie {
		return raw // nothing says that they are escaped
	}
	return wire.Unescape(raw, t.in == openapi3.ParameterInQuery)
}

func (t text) first(values []string) string {
	if t.in == openapi3.ParameterInHeader {
		return strings.Trim(values[0], " \t")
	}
	return values[0]
}

// read reads a value in each shape that the schemas may have.
func (t text) read(nodes schema.Nodes, values []string) Reading {
	raw := t.first(values)
	return best(nodes, func(yield func(Reading) bool) {
		scalar := false
		for _, a := range nodes.Alternatives() {
			for _, shape := range a.Shapes() {
				var got Reading
				switch {
				case shape == schema.Array:
					got = t.list(nodes, a, raw, values)
				case shape == schema.Object && t.spread():
					continue // its members have names of their own
				case shape == schema.Object:
					got = t.object(a, raw)
				case scalar:
					continue // it was read by all alternatives at once
				default:
					scalar = true
					got = t.scalar(nodes, raw)
				}
				if !yield(got) {
					return
				}
			}
		}
	})
}

// cut takes the prefix of the styles label and matrix off.
func (t text) cut(raw string) (rest string, ok bool) {
	switch t.style {
	case openapi3.SerializationLabel:
		return strings.CutPrefix(raw, ".")
	case openapi3.SerializationMatrix:
		if rest, ok = strings.CutPrefix(raw, ";"+t.name+"="); ok {
			return rest, true
		}
		return "", raw == ";"+t.name
	}
	return raw, true
}

func (t text) scalar(nodes schema.Nodes, raw string) Reading {
	rest, ok := t.cut(raw)
	if !ok {
		return notInStyle()
	}
	return readText(nodes, t.plain(rest))
}

// delimiters of lists that are written as one text, as they are sent and as they are meant.
func (t text) delimiters() (sent []string, meant string) {
	switch {
	case t.delimiter != "" && t.in == openapi3.ParameterInHeader:
		return []string{t.delimiter}, t.delimiter
	case t.delimiter == " " && t.in == openapi3.ParameterInPath:
		return []string{"%20", " "}, " "
	case t.delimiter == "\t":
		return []string{"%09", "\t"}, "\t"
	case t.delimiter == " ", t.style == openapi3.SerializationSpaceDelimited:
		return []string{"%20", "+", " "}, " "
	case t.delimiter == "|", t.style == openapi3.SerializationPipeDelimited:
		return []string{"|", "%7C", "%7c"}, "|"
	}
	switch t.style {
	case openapi3.SerializationLabel:
		if t.explode {
			return []string{"."}, "."
		}
	case openapi3.SerializationMatrix:
		if t.explode {
			return []string{";" + t.name + "="}, ";" + t.name + "="
		}
	}
	return []string{","}, ","
}

func split(raw string, delimiters []string) []string {
	for _, d := range delimiters[1:] {
		raw = strings.ReplaceAll(raw, d, delimiters[0])
	}
	return strings.Split(raw, delimiters[0])
}

// list reads a list: of several values where the style repeats the name, else of one that
// is taken apart.
func (t text) list(nodes schema.Nodes, a schema.Alternative, raw string, values []string) Reading {
	repeated := t.explode && (t.in == openapi3.ParameterInQuery || t.in == openapi3.ParameterInCookie)
	leave := ""
	var pieces []string
	sent, meant := t.delimiters()
	switch {
	case repeated:
		pieces = values
	case t.in == openapi3.ParameterInHeader:
		for _, piece := range strings.Split(strings.Join(values, meant), meant) {
			pieces = append(pieces, strings.Trim(piece, " \t"))
		}
		if len(values) > 1 {
			leave = leaveRepeated
		}
	default:
		rest, ok := t.cut(raw)
		if !ok {
			return notInStyle()
		}
		pieces = split(rest, sent)
	}
	if t.in == openapi3.ParameterInCookie && len(pieces) > 1 && t.style != styleCookie {
		leave = leaveCookieList
	}
	if len(pieces) == 1 && pieces[0] == "" {
		if nodes.Keeps([]any{}) {
			return Reading{Value: []any{}, Found: true, Leave: leaveEmptyList}
		}
		leave = leaveEmptyList
	}
	got := readItems(a, pieces, t.plain)
	if t.in == openapi3.ParameterInHeader && !t.strict && (got.Bad != nil || !nodes.Keeps(got.Value)) {
		if full := slices.DeleteFunc(slices.Clone(pieces), func(piece string) bool { return piece == "" }); len(full) < len(pieces) && len(full) > 0 {
			got, leave = readItems(a, full, t.plain), cmp.Or(leave, leaveEmptyItem)
		}
	}
	got.Leave = cmp.Or(got.Leave, leave)
	if repeated || t.in == openapi3.ParameterInHeader || t.in == openapi3.ParameterInCookie {
		return got
	}
	// A delimiter that is escaped is none; but receivers that decode first take it for one.
	loose := strings.Split(t.plain(strings.Join(pieces, sent[0])), meant)
	if len(loose) == len(pieces) {
		return got
	}
	good := func(r Reading) bool { return r.Bad == nil && nodes.Keeps(r.Value) }
	if other := readItems(a, loose, func(piece string) string { return piece }); !good(got) && good(other) {
		got = other
	}
	got.Leave = cmp.Or(got.Leave, leaveDelimiter)
	return got
}

// object reads an object that is written as one text.
func (t text) object(a schema.Alternative, raw string) Reading {
	sent, equals := []string{","}, ","
	var rest string
	var ok bool
	switch {
	case t.style == openapi3.SerializationMatrix && t.explode:
		rest, ok = strings.CutPrefix(raw, ";")
		sent, equals = []string{";"}, "="
	case t.style == openapi3.SerializationLabel && t.explode:
		rest, ok = t.cut(raw)
		sent, equals = []string{"."}, "="
	default:
		rest, ok = t.cut(raw)
		if t.style == openapi3.SerializationSimple && t.explode {
			equals = "="
		} else {
			sent, _ = t.delimiters()
		}
	}
	if !ok {
		return notInStyle()
	}
	pieces := split(rest, sent)
	if t.in == openapi3.ParameterInHeader {
		for i := range pieces {
			pieces[i] = strings.Trim(pieces[i], " \t")
		}
	}
	fields := map[string][]string{}
	switch {
	case equals == "=":
		for _, piece := range pieces {
			name, v, ok := strings.Cut(piece, "=")
			if !ok {
				return notInStyle()
			}
			fields[t.plain(name)] = []string{t.plain(v)}
		}
	case len(pieces)%2 != 0:
		return notInStyle()
	default:
		for i := 0; i < len(pieces); i += 2 {
			fields[t.plain(pieces[i])] = []string{t.plain(pieces[i+1])}
		}
	}
	got := readFields(a, fields)
	if t.in == openapi3.ParameterInCookie {
		got.Leave = cmp.Or(got.Leave, leaveCookieList)
	}
	return got
}

// Style says how a parameter's value becomes text: the OpenAPI style and
// explode of the parameter, already defaulted.
type Style struct {
	Name    string // matrix, label, form, simple, spaceDelimited, pipeDelimited, deepObject
	Explode bool
	// Delimiter separates the items of a list, where it is another one than the style has.
	Delimiter string
	// AllowReserved sends the characters that RFC 3986 reserves as they are,
	// but for those that end a query parameter.
	AllowReserved bool
}

// PathSegment writes a value into a path in the styles simple, label and
// matrix, escaped.
func (s Style) PathSegment(name string, v any) string {
	prefix, sep := "", ","
	switch s.Name {
	case "label":
		prefix = "."
		if s.Explode {
			sep = "."
		}
	case "matrix":
		prefix = ";" + url.PathEscape(name) + "="
		if s.Explode {
			sep = prefix
		}
	}
	if s.Delimiter != "" && s.Delimiter != "," { // which stands between items as it is
		sep = escapeSegment(s.Delimiter)
	}
	switch v := v.(type) {
	case []any:
		return prefix + strings.Join(escaped(v, escapeSegment), sep)
	case map[string]any:
		if s.Explode {
			pairs := members(v, "=", escapeSegment)
			switch s.Name {
			case "label":
				return "." + strings.Join(pairs, ".")
			case "matrix":
				return ";" + strings.Join(pairs, ";")
			}
			return strings.Join(pairs, ",")
		}
		return prefix + strings.Join(members(v, ",", escapeSegment), ",")
	default:
		text := escapeSegment(WriteText(v))
		if text == "" && s.Name == "matrix" {
			return strings.TrimSuffix(prefix, "=") // RFC 6570 §3.2.7
		}
		return prefix + text
	}
}

// escapeSegment escapes all but what RFC 3986 leaves unreserved, so that no
// delimiter of a style or of the path is mistaken.
func escapeSegment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// Query writes a value as the pairs of a query or of a urlencoded form,
// escaped.
func (s Style) Query(name string, v any) []string {
	key := escapeSegment(name)
	sep := ","
	switch s.Name {
	case "spaceDelimited":
		sep = "%20"
	case "pipeDelimited":
		sep = "%7C"
	}
	if s.Delimiter != "" && s.Delimiter != "," { // which stands between items as it is
		sep = escapeSegment(s.Delimiter)
	}
	switch v := v.(type) {
	case []any:
		values := escaped(v, escapeSegment)
		if !s.Explode {
			return []string{key + "=" + strings.Join(values, sep)}
		}
		for i := range values {
			values[i] = key + "=" + values[i]
		}
		return values
	case map[string]any:
		if s.Name == "deepObject" {
			return deep(key, v)
		}
		if s.Explode {
			return members(v, "=", escapeSegment)
		}
		return []string{key + "=" + strings.Join(members(v, sep, escapeSegment), sep)}
	default:
		return []string{key + "=" + s.escapeValue(WriteText(v))}
	}
}

// escapeValue escapes a value that stands alone in a query.
func (s Style) escapeValue(text string) string {
	escaped := escapeSegment(text)
	if !s.AllowReserved {
		return escaped
	}
	for _, c := range "/?:@!$'()*," { // a semicolon parts pairs for some readers
		escaped = strings.ReplaceAll(escaped, fmt.Sprintf("%%%02X", c), string(c))
	}
	return escaped
}

// Cookies writes a value as the pairs of a Cookie header. What a cookie cannot
// hold as it is (RFC 6265 §4.1.1) is escaped.
func (s Style) Cookies(name string, v any) []string {
	plain := func(text string) string {
		if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\";\\", r) }) {
			return escapeSegment(text)
		}
		return text
	}
	switch v := v.(type) {
	case []any:
		values := escaped(v, plain)
		if !s.Explode {
			return []string{name + "=" + strings.Join(values, ",")}
		}
		for i := range values {
			values[i] = name + "=" + values[i]
		}
		return values
	case map[string]any:
		if s.Explode {
			return members(v, "=", plain)
		}
		return []string{name + "=" + strings.Join(members(v, ",", plain), ",")}
	default:
		return []string{name + "=" + plain(WriteText(v))}
	}
}

func deep(prefix string, v any) []string {
	var pairs []string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, deep(prefix+"%5B"+escapeSegment(name)+"%5D", v[name])...)
		}
	case []any:
		for _, e := range v {
			pairs = append(pairs, deep(prefix, e)...)
		}
	default:
		pairs = append(pairs, prefix+"="+escapeSegment(WriteText(v)))
	}
	return pairs
}

// Header writes a value in the style simple, as headers carry it.
func (s Style) Header(v any) string {
	as := func(text string) string { return text }
	switch v := v.(type) {
	case []any:
		return strings.Join(escaped(v, as), cmp.Or(s.Delimiter, ","))
	case map[string]any:
		if s.Explode {
			return strings.Join(members(v, "=", as), ",")
		}
		return strings.Join(members(v, ",", as), ",")
	default:
		return WriteText(v)
	}
}

func escaped(items []any, escape func(string) string) []string {
	out := make([]string, len(items))
	for i, v := range items {
		out[i] = escape(WriteText(v))
	}
	return out
}

func members(v map[string]any, sep string, escape func(string) string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		out = append(out, escape(name)+sep+escape(WriteText(v[name])))
	}
	return out
}
