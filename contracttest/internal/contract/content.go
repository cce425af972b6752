package contract

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

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
	var nodes schema.Nodes
	if m.Node != nil {
		nodes = schema.Nodes{m.Node}.Member(name)
	}
	shapes := nodes.Shapes()
	if slices.Equal(shapes, []schema.Shape{schema.Array}) {
		nodes = nodes.Item(0)
		shapes = nodes.Shapes()
	}
	p.File = slices.ContainsFunc(nodes, codec.IsBytes)
	switch {
	case len(p.ContentTypes) > 0:
		p.JSON = codec.IsJSON(p.ContentTypes[0])
	case len(nodes) > 0 && !p.File:
		p.JSON = !slices.Contains(shapes, schema.Scalar) // OpenAPI 3.0.3, Encoding Object, contentType
	}
	return p
}

// buildParts makes the clauses about the parts of a multipart body.
func (op *Operation) buildParts(m *Media, name, pointer string, side Side) {
	if m.Form != codec.Multipart {
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
		part.ContentTypes, part.Clause = mediatype.List(enc.ContentType), c
		m.parts[prop] = part
	}
}

// Why a receiver may read a body otherwise.
const (
	leaveNameless = "RFC 7578 §4.2: each part has a name, which binds the sender; a receiver may skip one without"
	leaveRanged   = "OpenAPI 3.0.3, Request Body Object, content: a range of media types does not say how a value is written"
	leavePartType = "RFC 7578 §4.4: the Content-Type of a part is optional, and receivers differ in what they make of it"
	leaveRoot     = "OpenAPI 3.0.3, XML Object: what the root element of a schema without a name is called is not defined"
)

// message is what a body is part of, as far as reading it goes.
type message struct {
	syntax  *Clause // about the bytes
	called  string  // the body, in texts
	label   string  // its Content-Type
	request bool    // a receiver of it may be lenient, of its own a server is not
	open    bool    // what comes after it was not waited for
}

// broken says what is wrong with the bytes.
func (in message) broken(format string, args ...any) []Violation {
	return []Violation{{Clause: in.syntax, Message: in.called + " " + fmt.Sprintf(format, args...), Syntax: true}}
}

// formAs returns the form of a body with a label: where the document has a range, the
// label says it.
func (m *Media) formAs(label string) codec.Form {
	if m.ranged() && m.side == ResponseSide && codec.FramingOf(label) != codec.Whole {
		return codec.Sequence
	}
	if m.ranged() && !codec.IsBytes(m.Node) {
		return codec.FormOf(label, m.Node)
	}
	return m.Form
}

// ranged reports whether the document has a range in place of a media type.
func (m *Media) ranged() bool { return strings.Contains(m.Key, "*") }

// octetStream is the media type of bytes of which nothing is known, which a recipient may
// assume where none is named (RFC 9110 §8.3).
const octetStream = "application/octet-stream"

// TakesEmpty reports whether no bytes at all are a value under a label of the media type:
// an empty text, or a form without fields.
func (m *Media) TakesEmpty(label string) bool {
	var nothing any
	switch m.formAs(label) {
	case codec.Sequence:
		return m.framing != codec.Parts
	case codec.Text, codec.Bytes:
		nothing = ""
	case codec.URLEncoded:
		nothing = map[string]any{}
	default:
		return false
	}
	return m.Node == nil || m.Node.Validates(nothing) == nil
}

// read reads a body. The violations are those that reading alone shows. Where there is
// no value, nothing is found.
func (m *Media) read(body []byte, in message) (reading, []Violation) {
	form := m.formAs(in.label)
	if form == codec.Sequence {
		return m.readSequence(body, in)
	}
	body, known := codec.FromCharset(m.charset(form, in.label), body)
	if !known {
		return reading{}, nil
	}
	one, broken := m.readAs(form, body, in)
	got := reading{Reading: one}
	if in.request && m.ranged() && (form != codec.JSON || m.Node == nil) {
		for i := range broken {
			if broken[i].Syntax {
				broken[i].Leave = cmp.Or(broken[i].Leave, leaveRanged)
			}
		}
	}
	return got, broken
}

// charset is that of a body with a label: the one that it names, else the one that the document has.
// JSON is in UTF-8 whatever its label says (RFC 8259 §8.1), but where the document has another.
func (m *Media) charset(form codec.Form, label string) string {
	charset := ""
	switch form {
	case codec.JSON, codec.Text, codec.XML, codec.YAML:
		if t, err := mediatype.Parse(mediatype.List(m.Key)[0]); err == nil {
			charset = t.Params["charset"]
		}
		if t, err := mediatype.Parse(label); err == nil && form != codec.JSON {
			charset = cmp.Or(t.Params["charset"], charset)
		}
	}
	return charset
}

func (m *Media) readAs(form codec.Form, body []byte, in message) (codec.Reading, []Violation) {
	switch {
	case form == codec.JSON:
		return m.readJSON(body, in)
	case form == codec.XML:
		got, err := codec.ReadXML(m.Node, m.root(), body)
		if err != nil && !errors.Is(err, codec.ErrNotJudged) {
			return got, in.broken("%s", document.OneLine(err.Error()))
		}
		return got, nil
	case form == codec.YAML:
		got, err := codec.ReadYAML(m.Node, body)
		if err != nil {
			return got, in.broken("is no YAML: %s", document.OneLine(err.Error()))
		}
		return got, nil
	case form == codec.Multipart:
		return m.readMultipart(body, in)
	case m.Node == nil:
		return codec.Reading{}, nil
	case form == codec.URLEncoded:
		return codec.ReadForm(m.Node, m.Spec.Encoding, string(body)), nil
	case (form == codec.Text || form == codec.Bytes) && m.Node.Schema.ContentEncoding == "":
		return codec.ReadText(m.Node, body), nil
	}
	return codec.Reading{}, nil // no schema of JSON says what it is
}

func (m *Media) readJSON(body []byte, in message) (codec.Reading, []Violation) {
	v, err := wellformed.Decode(body)
	if err != nil {
		return m.readLoosely(body, err, in)
	}
	return codec.Reading{Value: v, Found: m.Node != nil}, nil
}

// readLoosely reads a body that is not well-formed JSON. Whoever takes it takes a value,
// which is judged where all parsers read the same: {"n": 01,} breaks maximum: 0 whatever
// is thought of its spelling.
func (m *Media) readLoosely(body []byte, err error, in message) (codec.Reading, []Violation) {
	broken := in.broken("%s", err)
	if !in.request {
		return codec.Reading{}, broken
	}
	value, leave := codec.Loosely(body, err)
	broken[0].Leave = leave
	switch {
	case leave == "", m.Node == nil:
	case value.Sure:
		return codec.Reading{Value: value.V, Found: true}, broken
	case value.Type != "" && !m.Node.Allows(value.Type):
		broken = append(broken, m.Node.Unreadable(nil, "", "got "+value.Type, "", nil))
	}
	return codec.Reading{}, broken
}

// root is the root element of a body of XML.
func (m *Media) root() codec.Root { return codec.RootOf(m.Node, m.Spec.Schema.Ref) }

// ErrNotWritten is why a value has no body: nothing says how the media type holds it.
var ErrNotWritten = errors.New("contracttest cannot build bodies of this media type")

// Write writes a value as a body of the media type, and returns the Content-Type to send it
// with. head gives the values of the headers of parts.
func (m *Media) Write(v any, head func(*PartHeader) (any, bool)) (body []byte, label string, err error) {
	if body, label, err = m.write(v, head); err != nil {
		return nil, "", err
	}
	body, err = codec.ToCharset(m.charset(m.Form, label), body)
	return body, label, err
}

// write is Write in UTF-8.
func (m *Media) write(v any, head func(*PartHeader) (any, bool)) (body []byte, label string, err error) {
	label = m.Label()
	members, isObject := v.(map[string]any)
	items, isList := v.([]any)
	switch m.Form {
	case codec.Sequence:
		if isList && len(items) > 0 && m.framing == codec.Parts { // one part at least (RFC 2046 §5.1.1)
			body, err = codec.WriteMixed(items, func(i int) string { return m.partTypeOf(i, items[i]) })
			return body, label + "; boundary=" + codec.Boundary, err
		}
		if !isList || m.framing != codec.Lines && m.framing != codec.Records {
			return nil, "", fmt.Errorf("%w: %s", ErrNotWritten, m.Key)
		}
		body, err = codec.WriteSequence(m.framing, items)
		return body, label, err
	case codec.JSON, codec.YAML:
		body, err = codec.WriteJSON(v)
		return body, label, err
	case codec.XML:
		body, err = codec.WriteXML(m.Node, m.root(), v)
		return body, label, err
	case codec.URLEncoded, codec.Multipart:
		if !isObject {
			return nil, "", fmt.Errorf("%w: %s of a value that is no object", ErrNotWritten, m.Key)
		}
		if m.Form == codec.URLEncoded {
			return codec.WriteForm(m.Spec.Encoding, members), label, nil
		}
		body, err = m.writeParts(members, head)
		return body, label + "; boundary=" + codec.Boundary, err
	}
	switch v := v.(type) {
	case string:
		return []byte(v), label, nil
	case nil, []any, map[string]any:
	default:
		if m.Form == codec.Text { // 5, true: as parameters carry it
			return []byte(codec.WriteText(v)), label, nil
		}
	}
	return nil, "", fmt.Errorf("%w: %s", ErrNotWritten, m.Key)
}

func (m *Media) writeParts(members map[string]any, head func(*PartHeader) (any, bool)) ([]byte, error) {
	var pieces []codec.Piece
	for _, name := range slices.Sorted(maps.Keys(members)) {
		p := m.Part(name)
		piece := codec.Piece{Name: name, File: p.File, JSON: p.JSON, Header: map[string]string{}}
		if len(p.ContentTypes) > 0 {
			piece.Type = codec.Concrete(p.ContentTypes[0])
		}
		for _, h := range p.Headers {
			if v, ok := head(h); ok {
				text, err := codec.WriteHeader(h.Node, h.Media, h.Explode(), "", v)
				if err != nil {
					return nil, err
				}
				piece.Header[h.Name] = text
			}
		}
		items, isList := members[name].([]any)
		joined := codec.Joined(m.Spec.Encoding[name])
		switch {
		case isList && joined != "":
			items = []any{codec.Join(items, joined)}
		case !isList:
			items = []any{members[name]}
		}
		for _, item := range items {
			var err error
			if piece.Value, err = m.pieceOf(name, piece.Type, item, isList); err != nil {
				return nil, err
			}
			pieces = append(pieces, piece)
		}
	}
	return codec.WriteParts(pieces)
}

// pieceOf is what a value is in a part: the text of it where the documented media type is neither JSON nor
// that of a text.
func (m *Media) pieceOf(name, label string, v any, item bool) (any, error) {
	switch v.(type) {
	case []any, map[string]any:
	default:
		return v, nil
	}
	t, err := mediatype.Parse(label)
	switch {
	case label == "", err == nil && t.JSON():
		return v, nil
	case err != nil || !codec.IsXML(t):
		return nil, fmt.Errorf("%w: %s", ErrNotWritten, label)
	}
	nodes := schema.Nodes{m.Node}.Member(name)
	if item {
		nodes = nodes.Item(0)
	}
	return codec.WriteXMLPart(nodes, name, v)
}

// Label is the Content-Type that bodies of the media type are sent with.
func (m *Media) Label() string {
	if m.Form == codec.Bytes && (m.Key == "*/*" || m.Key == "application/*") {
		return octetStream
	}
	return codec.Concrete(m.Key)
}

// judge returns the clauses that what was read of a body breaks.
func (m *Media) judge(got reading, request bool) []Violation {
	switch {
	case m.Node == nil || !got.Found:
		return nil
	case got.each:
		return m.judgeItems(m.Node, got)
	case m.itemized:
		return m.judgeItems(m.Node.Element(0), got)
	case m.Form != codec.XML:
		return judge(m.Node, got.Reading, "", nil)
	}
	// Where the document does not say what the root element is called, a receiver may want
	// another one.
	leave := ""
	if request && !m.root().Named {
		leave = leaveRoot
		got.Leave = cmp.Or(got.Leave, leave)
	}
	if got.Bad != nil {
		leave = cmp.Or(leave, got.Leave)
	}
	broken := judge(m.Node, got.Reading, "", nil)
	for i := range broken {
		if !request && codec.ForReceivers(broken[i].Leave) {
			broken[i].Leave = ""
		}
		broken[i].Leave = cmp.Or(broken[i].Leave, leave)
	}
	return broken
}

// maxParts bounds the parts of a multipart body.
const maxParts = 10_000

func (m *Media) readMultipart(body []byte, in message) (codec.Reading, []Violation) {
	_, params, err := mime.ParseMediaType(in.label)
	if err != nil || params["boundary"] == "" {
		return codec.Reading{}, in.broken("has no boundary in its Content-Type (RFC 2046 §5.1.1)")
	}
	var parts []codec.Part
	var found []Violation
	leave := ""
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return codec.Reading{}, in.broken("is no multipart body (RFC 2046 §5.1): %v", err)
		}
		name := part.FormName()
		if name == "" {
			nameless := in.broken("has a part without a name (RFC 7578 §4.2)")
			if in.request {
				nameless[0].Leave = leaveNameless
			}
			found = append(found, nameless...)
			continue
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return codec.Reading{}, in.broken("ends inside the part %s: %v", name, err)
		}
		v, why, bad := m.readPart(name, part.Header.Get("Content-Type"), data, in)
		found = append(append(found, bad...), checkPartHeaders(m.Part(name), part.Header)...)
		leave = cmp.Or(leave, why)
		text, isText := v.(codec.RawText)
		if joined := codec.Joined(m.Spec.Encoding[name]); isText && joined != "" {
			for item := range strings.SplitSeq(string(text), joined) {
				parts = append(parts, codec.Part{Name: name, Value: codec.RawText(item)})
			}
			continue
		}
		parts = append(parts, codec.Part{Name: name, Value: v})
	}
	if len(parts) == 0 && m.Node != nil && len(body) > 0 && !bytes.Contains(body, []byte("--"+params["boundary"])) {
		return codec.Reading{}, in.broken("has no part between boundaries (RFC 2046 §5.1.1)")
	}
	if m.Node == nil {
		return codec.Reading{}, found
	}
	got := codec.ReadParts(m.Node, parts)
	got.Leave = cmp.Or(got.Leave, leave)
	return got, found
}

func (m *Media) readPart(name, contentType string, data []byte, in message) (v any, leave string, broken []Violation) {
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
		v, err := wellformed.Decode(data)
		if err != nil {
			value, why := codec.Loosely(data, err)
			if !in.request {
				why = ""
			}
			broken = append(broken, Violation{Clause: in.syntax, Message: fmt.Sprintf("the part %s %s", name, err), Leave: why})
			switch {
			case why == "":
				return codec.RawText(data), "", broken
			case value.Sure:
				return value.V, "", broken
			}
			return codec.Spared(why), "", broken
		}
		if !t.JSON() || !p.JSON {
			leave = leavePartType
		}
		return v, leave, broken
	case codec.IsXML(t):
		return codec.RawXML(data), "", broken
	}
	return codec.RawText(data), "", broken
}
