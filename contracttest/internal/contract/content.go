package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// Form says how a value becomes the bytes of a body.
type Form int

// The forms.
const (
	Opaque     Form = iota // nothing says how
	JSON                   // one JSON value
	URLEncoded             // pairs (application/x-www-form-urlencoded)
	Multipart              // parts (multipart/form-data)
	Text                   // the value is a string in UTF-8
	Bytes                  // the value is the bytes
	XML                    // one document of XML
)

// formOf returns the form of a documented media type or range.
func formOf(key string, schema *openapi3.SchemaRef) Form {
	key, _, _ = strings.Cut(key, ",")
	t, err := mediatype.Parse(key)
	if err != nil {
		return Opaque
	}
	var s *openapi3.Schema
	if schema != nil {
		s = schema.Value
	}
	takesString := s == nil || takesText(s, 0)
	switch name := t.Type + "/" + t.Subtype; {
	case t.JSON(), name == "*/*" && !isBytes(s), name == "application/*" && !isBytes(s):
		return JSON
	case name == "application/x-www-form-urlencoded":
		return URLEncoded
	case name == "multipart/form-data":
		return Multipart
	case isXML(t, s):
		return XML
	case !takesString:
		return Opaque
	case t.Type == "text":
		return Text
	case s != nil && !slices.Equal(types(s), []string{"string"}):
		return Opaque
	}
	return Bytes
}

// isBytes reports whether a schema describes bytes that are no text.
func isBytes(s *openapi3.Schema) bool {
	return s != nil && s.Type.Is("string") && (s.Format == "binary" || s.ContentEncoding == "" && s.ContentMediaType != "")
}

// Part is what the document says of one part of a multipart body beside its
// schema.
type Part struct {
	ContentTypes []string // that the part may have; empty where the document does not say
	Clause       *Clause  // of them; nil where the document does not say
	File         bool     // it is sent as a file
	JSON         bool     // its value is sent as JSON
	Headers      []*PartHeader
}

// Part returns what is said of the part of a multipart body with this name.
func (m *Media) Part(name string) Part {
	p := m.parts[name]
	var s *openapi3.Schema
	if m.Spec.Schema != nil && m.Spec.Schema.Value != nil {
		if all := properties(m.Spec.Schema.Value)[name]; len(all) > 0 {
			s = all[0]
		}
	}
	if s != nil && slices.Equal(shapes(s), []string{"array"}) {
		s = items(s)
	}
	p.File = isBytes(s)
	switch {
	case len(p.ContentTypes) > 0:
		p.JSON = isJSON(p.ContentTypes[0])
	case s != nil && !p.File:
		p.JSON = !slices.Contains(shapes(s), "scalar") // OpenAPI 3.0.3, Encoding Object, contentType
	}
	return p
}

// buildParts makes the clauses about the parts of a multipart body.
func (op *Operation) buildParts(m *Media, name, pointer string, side Side) {
	if m.Form != Multipart {
		return
	}
	for _, prop := range slices.Sorted(maps.Keys(m.Spec.Encoding)) {
		enc := m.Spec.Encoding[prop]
		if enc == nil {
			continue
		}
		if m.parts == nil {
			m.parts = map[string]Part{}
		}
		part := Part{}
		if side == RequestSide {
			part.Headers = op.buildPartHeaders(name, prop, pointer+"/encoding/"+escape(prop), enc.Headers)
		}
		if enc.ContentType == "" {
			m.parts[prop] = part
			continue
		}
		c := op.clause(name+"/"+escape(prop)+"/content-type", fmt.Sprintf("the part %s is %s", prop, enc.ContentType),
			at(enc.Origin, pointer+"/encoding/"+escape(prop), "contentType"))
		c.Side = side
		var list []string
		for one := range strings.SplitSeq(enc.ContentType, ",") {
			list = append(list, strings.TrimSpace(one))
		}
		part.ContentTypes, part.Clause = list, c
		m.parts[prop] = part
	}
}

// Why a receiver may read a body otherwise.
const (
	leaveFormEscape = "the form encoding of WHATWG URL §5.1 has no errors: what a bad escape means is up to the receiver"
	leavePartType   = "RFC 7578 §4.4: the Content-Type of a part is optional, and receivers differ in what they make of it"
)

// readBody reads a body in a documented form. The violations are those that
// reading alone shows; where there is one, there is no value.
func (op *Operation) readBody(m *Media, body []byte, label string) (reading, []Violation) {
	form := m.Form
	if strings.Contains(m.Key, "*") && !(m.Node != nil && isBytes(m.Node.Schema)) {
		form = formOf(label, m.Spec.Schema)
	}
	switch form {
	case JSON:
		if err := wellformed.JSON(body); err != nil {
			v := Violation{Clause: op.syntaxOf(m), Message: "the body " + err.Error(), Syntax: true}
			if fault, ok := errors.AsType[*wellformed.Error](err); ok {
				v.Leave = leaveJSON[fault.Fault]
			}
			return reading{}, []Violation{v}
		}
		if m.Node == nil {
			return reading{}, nil
		}
		v, err := decodeJSON(body)
		if err != nil {
			return reading{}, []Violation{{Clause: op.syntaxOf(m), Message: "the body is no JSON value", Syntax: true}}
		}
		return reading{v: v, found: true}, nil
	case URLEncoded:
		return op.readURLEncoded(m, string(body)), nil
	case Multipart:
		return op.readMultipart(m, body, label)
	case XML:
		return op.readXML(m, body, op.syntaxOf(m))
	case Text, Bytes:
		if m.Node != nil && m.Node.Schema.ContentEncoding == "" {
			return reading{v: string(body), found: true}, nil
		}
	}
	return reading{}, nil
}

// syntaxOf returns the clause about the bytes of a body; what a range leaves
// open is about its media type.
func (op *Operation) syntaxOf(m *Media) *Clause {
	if m.Syntax != nil {
		return m.Syntax
	}
	return op.Body.MediaType
}

// readURLEncoded reads a form: each property as its encoding has it, by default
// repeated for the items of a list.
func (op *Operation) readURLEncoded(m *Media, body string) reading {
	if m.Node == nil {
		return reading{}
	}
	pairs := wire.Params(body)
	s, c := m.Node.Schema, op.Contract
	members := map[string]any{}
	got := reading{v: members, found: true}
	if !wire.WellEscaped(body) {
		got.leave = leaveFormEscape
	}
	documented, rest := properties(s), additional(s)
	done := map[string]bool{}
	for _, pair := range pairs {
		name := pair.Name
		if base, _, ok := strings.Cut(name, "["); ok && len(documented[name]) == 0 && len(documented[base]) > 0 {
			name = base
		}
		if done[name] {
			continue
		}
		done[name] = true
		schemas := documented[name]
		if len(schemas) == 0 {
			schemas = []*openapi3.Schema{rest}
		}
		one := c.readFormField(name, schemas, m.Spec.Encoding[name], pairs)
		if one.bad != nil {
			bad := unreadable(one.why, append([]string{name}, one.bad...)...)
			bad.spare = one.spare
			return bad
		}
		if one.found {
			members[name] = one.v
			got.left(one.leave, append([]string{name}, one.at...)...)
		}
	}
	return got
}

// FieldIsJSON reports whether a field of a urlencoded form is one JSON value: its
// encoding says so, and names no style, beside which a contentType is ignored
// (OpenAPI 3.1.1, Encoding Object).
func FieldIsJSON(enc *openapi3.Encoding) bool {
	return enc != nil && enc.Style == "" && enc.Explode == nil && !enc.AllowReserved && isJSON(enc.ContentType)
}

// readJSONField reads the one value of a field that is JSON.
func readJSONField(values []string) reading {
	if len(values) != 1 {
		return unreadable("is given more than once")
	}
	dec := json.NewDecoder(strings.NewReader(wire.Unescape(values[0], true)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return unreadable("is no JSON value")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return unreadable("is more than one JSON value")
	}
	return reading{v: v, found: true}
}

func (c *Contract) readFormField(name string, schemas []*openapi3.Schema, enc *openapi3.Encoding, pairs []wire.Param) reading {
	sm := enc.SerializationMethod()
	values := named(pairs, name)
	if FieldIsJSON(enc) && len(values) > 0 {
		return readJSONField(values)
	}
	var first reading
	for _, s := range schemas {
		t := text{c: c, name: name, in: openapi3.ParameterInQuery, style: sm.Style, explode: sm.Explode, plus: true}
		var got reading
		switch {
		case len(values) == 0:
			got = c.readDeep(s, name, pairs)
			if sm.Style != openapi3.SerializationDeepObject {
				got.leave = either(got.leave, leaveNested)
			}
		case s == nil, sm.Explode && sm.Style != openapi3.SerializationDeepObject:
			plain := make([]string, len(values))
			for i, v := range values {
				plain[i] = wire.Unescape(v, true)
			}
			v, leave, ok := c.readField([]*openapi3.Schema{s}, plain)
			got = reading{v: v, leave: leave, found: true}
			if !ok {
				got = unreadable("")
			}
		case slices.Equal(shapes(s), []string{"array"}):
			got = t.list(s, values[0], values)
		case slices.Equal(shapes(s), []string{"object"}):
			if got = t.object(s, values[0]); sm.Style == openapi3.SerializationDeepObject {
				got = unreadable(notInStyle)
				got.spare = leaveBare
			}
		default:
			got = t.scalar(s, values[0])
		}
		if got.found && got.bad == nil && (s == nil || c.verdict(s, got.v)) {
			return got
		}
		if !first.found {
			first = got
		}
	}
	return first
}

// maxParts bounds the parts of a multipart body.
const maxParts = 10_000

func (op *Operation) readMultipart(m *Media, body []byte, label string) (reading, []Violation) {
	broken := func(format string, args ...any) []Violation {
		return []Violation{{Clause: op.syntaxOf(m), Message: "the body " + fmt.Sprintf(format, args...), Syntax: true}}
	}
	_, params, err := mime.ParseMediaType(label)
	if err != nil || params["boundary"] == "" {
		return reading{}, broken("has no boundary in its Content-Type (RFC 2046 §5.1.1)")
	}
	texts, parts := map[string][]any{}, []string{}
	var found []Violation
	leave := ""
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return reading{}, broken("is no multipart body (RFC 2046 §5.1): %v", err)
		}
		name := part.FormName()
		if name == "" {
			return reading{}, broken("has a part without a name (RFC 7578 §4.2)")
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return reading{}, broken("ends inside the part %s: %v", name, err)
		}
		v, why, bad := op.readPart(m, name, part.Header.Get("Content-Type"), data)
		found = append(found, bad...)
		found = append(found, op.checkPartHeaders(m.Part(name), part.Header)...)
		leave = either(leave, why)
		if _, ok := texts[name]; !ok {
			parts = append(parts, name)
		}
		texts[name] = append(texts[name], v)
	}
	if len(parts) == 0 && m.Node != nil && len(body) > 0 && !bytes.Contains(body, []byte("--"+params["boundary"])) {
		return reading{}, broken("has no part between boundaries (RFC 2046 §5.1.1)")
	}
	if m.Node == nil {
		return reading{}, found
	}
	got := op.partsRead(m, parts, texts)
	got.leave = either(got.leave, leave)
	return got, found
}

// rawText is a part that is read as its schema has it.
type rawText string

func (op *Operation) readPart(m *Media, name, contentType string, data []byte) (v any, leave string, broken []Violation) {
	p := m.Part(name)
	if len(p.ContentTypes) > 0 {
		label := contentType
		if label == "" {
			label = "text/plain" // RFC 7578 §4.4
		}
		if _, err := mediatype.Select(p.ContentTypes, label); err != nil {
			why := ""
			if contentType == "" {
				why = leavePartType
			}
			broken = append(broken, Violation{Clause: p.Clause, Message: fmt.Sprintf("the part %s: %s", name, err), Leave: why})
		}
	}
	t, err := mediatype.Parse(contentType)
	if err != nil {
		t = mediatype.Type{Type: "text", Subtype: "plain"}
	}
	switch {
	case p.File:
		return string(data), "", broken
	case p.JSON || t.JSON():
		if err := wellformed.JSON(data); err != nil {
			return rawText(data), leave, append(broken, Violation{Clause: op.syntaxOf(m), Message: fmt.Sprintf("the part %s %s", name, err)})
		}
		v, err := decodeJSON(data)
		if err != nil {
			return rawText(data), leave, broken
		}
		if !t.JSON() || !p.JSON {
			leave = leavePartType
		}
		return v, leave, broken
	}
	return rawText(data), "", broken
}

func (op *Operation) partsRead(m *Media, names []string, values map[string][]any) reading {
	s, c := m.Node.Schema, op.Contract
	documented, rest := properties(s), additional(s)
	members := map[string]any{}
	got := reading{v: members, found: true}
	for _, name := range names {
		schemas := documented[name]
		if len(schemas) == 0 {
			schemas = []*openapi3.Schema{rest}
		}
		ok := false
		for _, schema := range schemas {
			v, leave, read := c.partValue(schema, values[name])
			if !read {
				continue
			}
			if good := schema == nil || c.verdict(schema, v); good || !ok {
				members[name], ok = v, true
				got.left(leave, name)
				if good {
					break
				}
			}
		}
		if !ok {
			return unreadable("", name)
		}
	}
	return got
}

func (c *Contract) partValue(s *openapi3.Schema, parts []any) (v any, leave string, ok bool) {
	one := func(s *openapi3.Schema, v any) (any, string, bool) {
		if text, isText := v.(rawText); isText {
			return c.readNested(s, string(text))
		}
		return v, "", true
	}
	if s == nil && len(parts) == 1 || s != nil && !slices.Equal(shapes(s), []string{"array"}) {
		v, leave, ok = one(s, parts[0])
		if len(parts) > 1 {
			leave = either(leave, leaveRepeatedKey)
		}
		return v, leave, ok
	}
	if list, whole := parts[0].([]any); whole && len(parts) == 1 {
		return list, leaveNested, true
	}
	list := make([]any, len(parts))
	for i, part := range parts {
		item, why, itemOK := one(items(s), part)
		if !itemOK {
			return nil, "", false
		}
		list[i], leave = item, either(leave, why)
	}
	return list, leave, true
}
