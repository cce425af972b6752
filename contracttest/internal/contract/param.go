package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// Why a receiver may read a parameter otherwise.
const (
	leaveEmptyText  = "OpenAPI 3.0.3, Parameter Object, allowEmptyValue: without it an empty value need not be taken"
	leaveDelimiter  = "OpenAPI 3.0.4 §4.8.12.4: what becomes of a delimiter inside a value is not defined"
	leaveNested     = "OpenAPI 3.0.3, Style Values: how a value inside a value is written is not defined"
	leaveCookieList = "OpenAPI 3.0.4, Appendix D: how a list or an object is written in a cookie is not defined"
	leaveEmptyList  = "OpenAPI 3.0.3, Style Values: whether an empty value is an empty list is not defined"
	leaveSpread     = "OpenAPI 3.0.3, Style Values: an object spread over the query has no bounds"
)

// reading is what a text, or several, stand for.
type reading struct {
	v     any
	found bool
	leave string   // why not every receiver reads it so
	at    []string // where that is
	bad   []string // where a text stands for no value of its schema; not nil then
	why   string   // of bad, where there is more to say
	spare string   // why some read what is bad all the same
}

// left notes why a part is read in another way by some, if nothing was noted
// before.
func (r *reading) left(why string, at ...string) {
	if r.leave == "" && why != "" {
		r.leave, r.at = why, at
	}
}

func unreadable(why string, at ...string) reading {
	return reading{found: true, bad: append([]string{}, at...), why: why}
}

// taken is a request, taken apart once for all its parameters.
type taken struct {
	r       *wire.Request
	path    map[string]string // escaped
	query   []wire.Param
	cookies []wire.Param
	pairs   map[string]string // of the query, for a checker; nil where a name is written in several ways
}

// named returns the values of the pairs of a name.
func named(pairs []wire.Param, name string) []string {
	var values []string
	for _, p := range pairs {
		if p.Name == name {
			values = append(values, p.Value)
		}
	}
	return values
}

// occurrences is how often a parameter is given.
func (m *taken) occurrences(p *openapi3.Parameter) int {
	switch p.In {
	case openapi3.ParameterInHeader:
		return len(m.r.Values(p.Name))
	case openapi3.ParameterInQuery:
		return len(named(m.query, p.Name))
	case openapi3.ParameterInCookie:
		return len(named(m.cookies, p.Name))
	}
	return 1
}

// readParam reads a parameter as its schema and style have it.
func (op *Operation) readParam(p *Param, m *taken) reading {
	raw, plus, present := m.raw(p.Spec)
	if len(p.Spec.Content) > 0 {
		if !present {
			return reading{}
		}
		return readContent(wire.Unescape(raw, plus))
	}
	sm, err := p.Spec.SerializationMethod()
	if err != nil {
		return reading{}
	}
	s := p.Node.Schema
	t := text{c: op.Contract, name: p.Spec.Name, style: sm.Style, explode: sm.Explode, plus: plus, in: p.Spec.In}
	if p.Spec.In == openapi3.ParameterInQuery && (sm.Style == "deepObject" || sm.Style == "form" && sm.Explode) && slices.Contains(shapes(s), "object") {
		if got := op.readSpread(p, m, t, s); got.found && (!present || got.bad == nil && op.Contract.verdict(s, got.v)) {
			return got
		}
	}
	if !present {
		return reading{}
	}
	return t.shaped(s, raw, m.values(p.Spec))
}

// shaped reads a value as the first of the shapes that its schema may have in
// which it keeps the schema, else as the first of them. raw is the first value
// of several that are given.
func (t text) shaped(s *openapi3.Schema, raw string, values []string) reading {
	var first reading
	for _, shape := range shapes(s) {
		var got reading
		switch {
		case shape == "array":
			got = t.list(s, raw, values)
		case shape == "object" && t.in == openapi3.ParameterInQuery && (t.style == "deepObject" || t.style == "form" && t.explode):
			continue // its properties have names of their own
		case shape == "object":
			got = t.object(s, raw)
		default:
			got = t.scalar(s, raw)
		}
		if got.bad == nil && t.c.verdict(s, got.v) {
			return got
		}
		if !first.found {
			first = got
		}
	}
	return first
}

// raw returns the first value of a parameter as it was sent, and whether a plus
// in it stands for a blank.
func (m *taken) raw(p *openapi3.Parameter) (raw string, plus, present bool) {
	switch p.In {
	case openapi3.ParameterInPath:
		raw, present = m.path[p.Name]
		return raw, false, present
	case openapi3.ParameterInHeader:
		lines := m.r.Values(p.Name)
		if len(lines) == 0 {
			return "", false, false
		}
		return strings.Trim(lines[0], " \t"), false, true
	}
	values := m.values(p)
	if len(values) == 0 {
		return "", false, false
	}
	return values[0], p.In == openapi3.ParameterInQuery, true
}

// values returns all values of a parameter, as they were sent.
func (m *taken) values(p *openapi3.Parameter) []string {
	switch p.In {
	case openapi3.ParameterInQuery:
		return named(m.query, p.Name)
	case openapi3.ParameterInCookie:
		return named(m.cookies, p.Name)
	case openapi3.ParameterInHeader:
		return m.r.Values(p.Name)
	}
	return nil
}

// readContent reads a parameter that is described by a media type: JSON is the
// one that OpenAPI speaks of.
func readContent(text string) reading {
	if err := wellformed.JSON([]byte(text)); err != nil {
		got := unreadable("it " + err.Error())
		if fault, ok := errors.AsType[*wellformed.Error](err); ok {
			got.spare = leaveJSON[fault.Fault]
		}
		return got
	}
	v, err := decodeJSON([]byte(text))
	if err != nil {
		return unreadable("it is no JSON value")
	}
	return reading{v: v, found: true}
}

func decodeJSON(data []byte) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err
}

// shapes lists what a text may be taken apart into under a schema, the most
// composed first.
func shapes(s *openapi3.Schema) []string {
	allowed := types(s)
	if len(allowed) == len(allTypes) { // nothing is said
		switch {
		case len(properties(s)) > 0:
			return []string{"object"}
		case items(s) != nil:
			return []string{"array"}
		}
		return []string{"scalar"}
	}
	var all []string
	for _, t := range allowed {
		shape := t
		if t != "array" && t != "object" {
			shape = "scalar"
		}
		if !slices.Contains(all, shape) {
			all = append(all, shape)
		}
	}
	slices.Sort(all) // array, object, scalar
	if len(all) == 0 {
		return []string{"scalar"}
	}
	return all
}

// each calls f for a schema and those that it is composed of.
func eachPart(s *openapi3.Schema, depth int, f func(*openapi3.Schema)) {
	if s == nil || depth > maxDepth {
		return
	}
	f(s)
	for _, group := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, ref := range group {
			if ref != nil {
				eachPart(ref.Value, depth+1, f)
			}
		}
	}
}

// items returns the schema of a list's items, nil where none is documented.
func items(s *openapi3.Schema) *openapi3.Schema {
	var found *openapi3.Schema
	eachPart(s, 0, func(part *openapi3.Schema) {
		if found == nil && part.Items != nil {
			found = part.Items.Value
		}
	})
	return found
}

// properties returns the schemas of an object's properties by name, several
// where parts of it describe one.
func properties(s *openapi3.Schema) map[string][]*openapi3.Schema {
	all := map[string][]*openapi3.Schema{}
	eachPart(s, 0, func(part *openapi3.Schema) {
		for name, ref := range part.Properties {
			if ref != nil && ref.Value != nil {
				all[name] = append(all[name], ref.Value)
			}
		}
	})
	return all
}

// additional returns the schema of what properties do not name, nil where none
// is documented.
func additional(s *openapi3.Schema) *openapi3.Schema {
	var found *openapi3.Schema
	eachPart(s, 0, func(part *openapi3.Schema) {
		if found == nil && part.AdditionalProperties.Schema != nil {
			found = part.AdditionalProperties.Schema.Value
		}
	})
	return found
}

// open reports whether a schema says that an object may have properties that it
// does not name.
func open(s *openapi3.Schema) bool {
	is := false
	eachPart(s, 0, func(part *openapi3.Schema) {
		has := part.AdditionalProperties.Has
		is = is || part.AdditionalProperties.Schema != nil || has != nil && *has
	})
	return is
}

// text reads the value of one parameter or form field.
type text struct {
	c       *Contract
	name    string
	in      string
	style   string
	explode bool
	plus    bool
}

func (t text) plain(raw string) string {
	if t.in == openapi3.ParameterInHeader || t.in == openapi3.ParameterInCookie {
		return raw // nothing says that they are escaped
	}
	return wire.Unescape(raw, t.plus)
}

// cut takes the prefix of the styles label and matrix off.
func (t text) cut(raw string) (rest string, ok bool) {
	switch t.style {
	case "label":
		return strings.CutPrefix(raw, ".")
	case "matrix":
		if rest, ok = strings.CutPrefix(raw, ";"+t.name+"="); ok {
			return rest, true
		}
		return "", raw == ";"+t.name
	}
	return raw, true
}

const notInStyle = "it is not written in the documented style"

func (t text) scalar(s *openapi3.Schema, raw string) reading {
	rest, ok := t.cut(raw)
	if !ok {
		return unreadable(notInStyle)
	}
	got, ok := t.c.readText(s, t.plain(rest))
	if !ok {
		return unreadable("")
	}
	return reading{v: got.v, found: true, leave: got.leave}
}

// delimiters of lists that are written as one text, as they are sent and as
// they are meant.
func (t text) delimiters() (sent []string, meant string) {
	switch t.style {
	case "spaceDelimited":
		return []string{"%20", "+", " "}, " "
	case "pipeDelimited":
		return []string{"|", "%7C", "%7c"}, "|"
	case "label":
		if t.explode {
			return []string{"."}, "."
		}
	case "matrix":
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

// list reads a list: of several values where the style repeats the name, else
// of one that is taken apart.
func (t text) list(s *openapi3.Schema, raw string, values []string) reading {
	repeated := t.explode && (t.in == openapi3.ParameterInQuery || t.in == openapi3.ParameterInCookie)
	leave := ""
	var pieces []string
	sent, meant := t.delimiters()
	switch {
	case repeated:
		pieces = values
		if t.in == openapi3.ParameterInCookie && len(values) > 1 {
			leave = leaveCookieList
		}
	case t.in == openapi3.ParameterInHeader:
		for _, piece := range strings.Split(strings.Join(values, ","), ",") {
			pieces = append(pieces, strings.Trim(piece, " \t"))
		}
		if len(values) > 1 {
			leave = leaveRepeated
		}
	default:
		rest, ok := t.cut(raw)
		if !ok {
			return unreadable(notInStyle)
		}
		pieces = split(rest, sent)
		if t.in == openapi3.ParameterInCookie && len(pieces) > 1 {
			leave = leaveCookieList
		}
	}
	if len(pieces) == 1 && pieces[0] == "" {
		if t.c.verdict(s, []any{}) {
			return reading{v: []any{}, found: true, leave: leaveEmptyList}
		}
		leave = leaveEmptyList
	}
	got := t.items(s, pieces, t.plain)
	got.leave = either(got.leave, leave)
	if repeated || t.in == openapi3.ParameterInHeader || t.in == openapi3.ParameterInCookie {
		return got
	}
	// A delimiter that is escaped is none; but receivers that decode first take it for one.
	loose := strings.Split(t.plain(strings.Join(pieces, sent[0])), meant)
	if len(loose) == len(pieces) {
		return got
	}
	other := t.items(s, loose, func(piece string) string { return piece })
	good := func(r reading) bool { return r.bad == nil && t.c.verdict(s, r.v) }
	if !good(got) && good(other) {
		got = other
	}
	got.leave = either(got.leave, leaveDelimiter)
	return got
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (t text) items(s *openapi3.Schema, pieces []string, plain func(string) string) reading {
	item := items(s)
	list := make([]any, len(pieces))
	got := reading{found: true}
	for i, piece := range pieces {
		v, leave, ok := t.c.readNested(item, plain(piece))
		if !ok {
			return unreadable("", strconv.Itoa(i))
		}
		list[i] = v
		got.left(leave, strconv.Itoa(i))
	}
	got.v = list
	return got
}

// readNested reads a text inside a list or an object. Lists and objects in
// there have no defined form: the JSON of them is one.
func (c *Contract) readNested(s *openapi3.Schema, text string) (v any, leave string, ok bool) {
	if s == nil {
		return text, "", true
	}
	if got, ok := c.readText(s, text); ok {
		return got.v, got.leave, true
	}
	if got := readContent(text); got.bad == nil {
		switch got.v.(type) {
		case []any, map[string]any:
			return got.v, leaveNested, true
		}
	}
	return nil, "", false
}

// object reads an object that is written as one text.
func (t text) object(s *openapi3.Schema, raw string) reading {
	sent, equals := []string{","}, ","
	var rest string
	var ok bool
	switch {
	case t.style == "matrix" && t.explode:
		rest, ok = strings.CutPrefix(raw, ";")
		sent, equals = []string{";"}, "="
	case t.style == "label" && t.explode:
		rest, ok = t.cut(raw)
		sent, equals = []string{"."}, "="
	default:
		rest, ok = t.cut(raw)
		if t.style == "simple" && t.explode {
			equals = "="
		} else {
			sent, _ = t.delimiters()
		}
	}
	if !ok {
		return unreadable(notInStyle)
	}
	fields := map[string][]string{}
	pieces := split(rest, sent)
	if t.in == openapi3.ParameterInHeader {
		for i := range pieces {
			pieces[i] = strings.Trim(pieces[i], " \t")
		}
	}
	if equals == "=" {
		for _, piece := range pieces {
			name, v, ok := strings.Cut(piece, "=")
			if !ok {
				return unreadable(notInStyle)
			}
			fields[t.plain(name)] = []string{t.plain(v)}
		}
	} else {
		if len(pieces)%2 != 0 {
			return unreadable(notInStyle)
		}
		for i := 0; i < len(pieces); i += 2 {
			fields[t.plain(pieces[i])] = []string{t.plain(pieces[i+1])}
		}
	}
	got := t.c.readFields(s, fields)
	if t.in == openapi3.ParameterInCookie {
		got.leave = either(got.leave, leaveCookieList)
	}
	return got
}

// readFields reads an object of which every property is one text or several.
func (c *Contract) readFields(s *openapi3.Schema, fields map[string][]string) reading {
	members := make(map[string]any, len(fields))
	got := reading{found: true, v: members}
	documented, rest := properties(s), additional(s)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		schemas := documented[name]
		if len(schemas) == 0 {
			schemas = []*openapi3.Schema{rest}
		}
		v, leave, ok := c.readField(schemas, fields[name])
		if !ok {
			return unreadable("", name)
		}
		members[name] = v
		got.left(leave, name)
	}
	return got
}

// readField reads one property by the first of its schemas that it keeps.
func (c *Contract) readField(schemas []*openapi3.Schema, texts []string) (v any, leave string, ok bool) {
	for _, s := range schemas {
		var got any
		var why string
		read := true
		if s != nil && slices.Equal(shapes(s), []string{"array"}) || s == nil && len(texts) > 1 {
			list := make([]any, len(texts))
			for i, text := range texts {
				item, w, itemOK := c.readNested(items(s), text)
				list[i], why, read = item, either(why, w), read && itemOK
			}
			got = list
		} else {
			got, why, read = c.readNested(s, texts[0])
			if len(texts) > 1 {
				why = either(why, leaveRepeatedKey)
			}
		}
		if !read {
			continue
		}
		if s == nil || c.verdict(s, got) {
			return got, why, true
		}
		if !ok {
			v, leave, ok = got, why, true
		}
	}
	return v, leave, ok
}

// readSpread reads an object whose properties are query parameters of their
// own, or whose names stand in brackets (deepObject).
func (op *Operation) readSpread(p *Param, m *taken, t text, s *openapi3.Schema) reading {
	if t.style == "deepObject" {
		return op.Contract.readDeep(s, p.Spec.Name, m.query)
	}
	documented, takesAny := properties(s), open(s)
	fields := map[string][]string{}
	for _, pair := range m.query {
		if len(documented[pair.Name]) > 0 || takesAny && !op.claims(pair.Name) {
			fields[pair.Name] = append(fields[pair.Name], wire.Unescape(pair.Value, true))
		}
	}
	if len(fields) == 0 {
		return reading{}
	}
	got := op.Contract.readFields(s, fields)
	if takesAny {
		got.leave = either(got.leave, leaveSpread)
	}
	return got
}

// claims reports whether a query parameter of its own has the name.
func (op *Operation) claims(name string) bool {
	return slices.ContainsFunc(op.Params, func(p *Param) bool { return p.Spec.In == openapi3.ParameterInQuery && p.Spec.Name == name }) ||
		op.credential(openapi3.ParameterInQuery, name)
}

// readDeep reads an object in the style deepObject.
func (c *Contract) readDeep(s *openapi3.Schema, name string, pairs []wire.Param) reading {
	root := branch{}
	deep := false
	for _, pair := range pairs {
		rest, ok := strings.CutPrefix(pair.Name, name+"[")
		if !ok || !strings.HasSuffix(rest, "]") {
			continue
		}
		keys := strings.Split(strings.TrimSuffix(rest, "]"), "][")
		deep = deep || len(keys) > 1
		root.put(keys, wire.Unescape(pair.Value, true))
	}
	if len(root.members) == 0 {
		return reading{}
	}
	got := c.readBranch(s, &root)
	if deep {
		got.leave = either(got.leave, leaveNested)
	}
	return got
}

// branch is an object in brackets: texts, or further names.
type branch struct {
	texts   []string
	members map[string]*branch
}

func (b *branch) put(keys []string, v string) {
	if len(keys) == 0 || len(keys) == 1 && keys[0] == "" { // name[] is an item
		b.texts = append(b.texts, v)
		return
	}
	if b.members == nil {
		b.members = map[string]*branch{}
	}
	next := b.members[keys[0]]
	if next == nil {
		next = &branch{}
		b.members[keys[0]] = next
	}
	next.put(keys[1:], v)
}

func (c *Contract) readBranch(s *openapi3.Schema, b *branch) reading {
	got := reading{found: true}
	if b.members == nil {
		v, leave, ok := c.readField([]*openapi3.Schema{s}, b.texts)
		if !ok {
			return unreadable("")
		}
		if len(b.texts) > 1 {
			leave = either(leave, leaveNested)
		}
		got.v, got.leave = v, leave
		return got
	}
	if s != nil && slices.Equal(shapes(s), []string{"array"}) { // name[0], name[1]
		list := make([]any, 0, len(b.members))
		for i := range len(b.members) {
			member := b.members[strconv.Itoa(i)]
			if member == nil {
				return unreadable("")
			}
			item := c.readBranch(items(s), member)
			if item.bad != nil {
				return unreadable(item.why, append([]string{strconv.Itoa(i)}, item.bad...)...)
			}
			list = append(list, item.v)
		}
		got.v, got.leave = list, leaveNested
		return got
	}
	members := make(map[string]any, len(b.members))
	documented, rest := properties(s), additional(s)
	for _, name := range slices.Sorted(maps.Keys(b.members)) {
		schema := rest
		if all := documented[name]; len(all) > 0 {
			schema = all[0]
		}
		member := c.readBranch(schema, b.members[name])
		if member.bad != nil {
			return unreadable(member.why, append([]string{name}, member.bad...)...)
		}
		members[name] = member.v
		got.left(member.leave, append([]string{name}, member.at...)...)
	}
	got.v = members
	return got
}
