package contract

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// Why a receiver may take what is not quite right.
const (
	leaveNoType      = "RFC 9110 §8.3: a receiver may guess the type of a body that has no Content-Type"
	leaveRepeated    = "RFC 9110 §5.2: what a repeated line of a single-valued header means is not defined"
	leaveCoding      = "RFC 9110 §8.4: a receiver may answer 415 to a content coding that it does not know, but need not"
	leaveRepeatedKey = "the document does not say what a repeated query parameter or cookie means"
	leaveEmptyBody   = "RFC 9110 §8.6: content of no bytes and no content look alike, and an empty text is a value of the schema"
	leaveEmptyText   = "OpenAPI 3.0.3, Parameter Object, allowEmptyValue: without it an empty value need not be taken"
	leaveEmptyValue  = "OpenAPI 3.0.3, Style Examples: form writes an empty value in the same way, which a receiver may take for an absent one"
	leaveBare        = "OpenAPI 3.0.3, Style Values: what the name of a deepObject means without brackets is not defined"
	// A server that sends such a Content-Type breaks RFC 9110 §5.6.6.
	leaveTypeParameters = "RFC 9110 §2.4: a recipient may attempt to recover from a parameter of a media type that is malformed"
	leaveTypes          = "RFC 9110 §8.3: recipients often take the last of several media types, which the document has"
	leaveCharset        = "RFC 8259 §11: the media type has no charset parameter, and one has no effect on a receiver that goes by the RFC"
	leaveType           = "RFC 9110 §2.4: a recipient may attempt to recover from a media type that is malformed, and the document takes all"
	leaveContent        = "RFC 9110 §9.3.1, §9.3.5: the content of GET, HEAD and DELETE has no defined semantics, a receiver may ignore it"
	leaveAssumed        = "Swagger 2.0, Operation Object, consumes: the document names no media type"
	leaveEscape         = "RFC 3986 §2.4: what a percent sign means that begins no escape is not defined"
)

func (op *Operation) checkParam(p *Param, m *taken) []Violation {
	var broken []Violation
	name, in := p.Spec.Name, p.Spec.In
	values := m.Values(in, name)
	times := len(values)
	if p.Single != nil && times > 1 {
		leave := leaveRepeatedKey
		if in == openapi3.ParameterInHeader {
			leave = leaveRepeated
		}
		broken = append(broken, Violation{Clause: p.Single, Message: name + " is given " + schema.Count(times, "time"), Leave: leave})
	}
	if in == openapi3.ParameterInQuery && p.Style != nil && times > 1 && !repeats(p.Spec) {
		broken = append(broken, Violation{Clause: p.Style, Message: name + " is given " + schema.Count(times, "time"), Leave: leaveRepeatedKey})
	}
	if p.Style != nil && times > 0 && p.Spec.Style == openapi3.SerializationDeepObject {
		broken = append(broken, Violation{Clause: p.Style, Message: name + " is given without brackets", Leave: leaveBare})
	}
	if in == openapi3.ParameterInQuery && times == 1 && values[0] == "" && p.Spec.AllowEmptyValue {
		return broken
	}
	got := p.read(m)
	if !got.Found {
		withheld := m.r.Sanitized && (in == openapi3.ParameterInCookie || in == openapi3.ParameterInHeader && wire.Withheld(name))
		if p.Spec.Required && times == 0 && !withheld {
			broken = append(broken, Violation{Clause: p.Presence, Message: name + " is missing"})
		}
		return broken
	}
	if in == openapi3.ParameterInQuery && got.Value == "" {
		got.Leave = cmp.Or(got.Leave, leaveEmptyText)
	}
	at := p.Syntax
	if got.NotInStyle {
		at = p.Style
	}
	found := judge(p.Node, got, name, at)
	for i, v := range found {
		if p.undefined(v, got) {
			found[i].Leave = cmp.Or(v.Leave, codec.LeaveInNested)
		}
		if in == openapi3.ParameterInQuery && times == 1 && values[0] == "" && got.Bad != nil && p.media == "" && !p.Spec.Required {
			found[i].Leave = cmp.Or(v.Leave, leaveEmptyValue)
		}
	}
	return append(broken, found...)
}

// undefined reports whether a violation is of a list or an object inside another, for which the style of
// the parameter has no form: what is wrong in it is there for one receiver, and not for another.
func (p *Param) undefined(v Violation, got codec.Reading) bool {
	switch {
	case p.media != "":
		return false
	case got.Bad != nil:
		return len(got.Bad) > 0 && p.Node.Composite(got.Bad)
	}
	return codec.Nested(got.Leave) && p.Node.Speaks(v.Clause, got.At)
}

// TakesEmpty reports whether a parameter may be sent as an empty text: one of a query need not be taken so
// (leaveEmptyText).
func (p *Param) TakesEmpty() bool {
	return p.Spec.In != openapi3.ParameterInQuery || p.Spec.AllowEmptyValue
}

// read reads a parameter as its schema and style have it.
func (p *Param) read(m *taken) codec.Reading {
	sm, err := p.Spec.SerializationMethod()
	if err != nil && p.media == "" {
		return codec.Reading{}
	}
	c := codec.Parameter{Name: p.Spec.Name, In: p.Spec.In, Media: p.media, Node: p.Node, Other: p.op.claims, Encodings: p.encodings(), Delimiter: codec.DelimiterOf(p.Spec.Extensions)}
	if err == nil {
		c.Style, c.Explode = sm.Style, sm.Explode
	}
	return c.Read(&m.Message)
}

// encodings are those of the fields of a form in the querystring.
func (p *Param) encodings() map[string]*openapi3.Encoding {
	if m := p.Spec.Content[p.media]; m != nil {
		return m.Encoding
	}
	return nil
}

// Querystring writes a value of a parameter that is the whole of a query.
func (p *Param) Querystring(v any) string {
	return codec.WriteQuerystring(p.media, p.Node, p.encodings(), v)
}

// claims reports whether a query parameter of its own has the name.
func (op *Operation) claims(name string) bool {
	return slices.ContainsFunc(op.Params, func(p *Param) bool { return p.Spec.In == openapi3.ParameterInQuery && p.Spec.Name == name }) ||
		op.credential(openapi3.ParameterInQuery, name)
}

// repeats reports whether the style of a parameter repeats its name.
func repeats(p *openapi3.Parameter) bool {
	sm, err := p.SerializationMethod()
	return err == nil && sm.Explode
}

// judge returns the clauses that what was read breaks. written is the one about how the
// whole is written, nil where there is none.
func judge(n *Node, got codec.Reading, subject string, written *Clause) []Violation {
	switch {
	case got.Bad != nil:
		return []Violation{n.Unreadable(got.Bad, subject, got.Why, got.Spare, written)}
	case got.Leave == "":
		return n.Check(got.Value, subject)
	}
	if broken := n.Check(got.Value, subject); len(broken) > 0 {
		return broken
	}
	return []Violation{n.ReadOtherwise(got.At, subject, got.Leave)}
}

// leaveEmpty says why a receiver may take an absent body for an empty one: where
// the request has a Content-Type under which no bytes at all are a value, or
// none, and may be taken for application/octet-stream.
func (op *Operation) leaveEmpty(r *wire.Request) string {
	label, leave := r.Get("Content-Type"), leaveEmptyBody
	if strings.TrimSpace(label) == "" {
		label, leave = octetStream, leaveEmptyUnnamed
	}
	if m, err := op.Body.media(label); err != nil || !m.TakesEmpty(label) {
		return ""
	}
	return leave
}

// media returns the documented media type of a body with a label.
func (b *Body) media(label string) (*Media, error) {
	key, err := b.types.Select(label)
	if err != nil {
		return nil, err
	}
	return b.Media[slices.IndexFunc(b.Media, func(m *Media) bool { return m.Key == key })], nil
}

// takesAll reports whether a body may have any media type.
func (b *Body) takesAll() bool {
	return slices.ContainsFunc(b.Media, func(m *Media) bool { return m.Key == "*/*" })
}

// takesLast reports whether a body may have the media type that is the last of a list which is well
// formed.
func (b *Body) takesLast(list string) bool {
	for _, label := range slices.Backward(mediatype.List(list)) {
		if _, err := mediatype.Parse(label); err == nil {
			_, err = b.media(label)
			return err == nil
		}
	}
	return false
}

// BodyValue returns the value that the body of a request stands for, as Check would read it, and
// its schema; false where there is none, or none is described.
func (op *Operation) BodyValue(r *wire.Request) (any, *Node, bool) {
	if op.Body == nil || len(r.Body) == 0 {
		return nil, nil, false
	}
	label := r.Get("Content-Type")
	m, err := op.Body.media(label)
	if err != nil || m.Node == nil {
		return nil, nil, false
	}
	body, ok := op.plain(r)
	if !ok {
		return nil, nil, false
	}
	syntax := m.Syntax
	if syntax == nil {
		syntax = op.Body.MediaType
	}
	got, _ := m.read(body, message{syntax: syntax, called: "the body", label: label, request: true})
	return got.Value, m.Node, got.Found && got.Bad == nil
}

// VisitRequest calls f for each schema that holds of a value in a request that keeps the contract,
// with that value, and returns the other clauses that are about it.
func (op *Operation) VisitRequest(r *wire.Request, f func(n *Node, v any)) []*Clause {
	visit := func(n *Node, got codec.Reading) {
		if n != nil && got.Found && got.Bad == nil {
			n.Visit(got.Value, func(n *Node, v any, _ []string) bool {
				f(n, v)
				return true
			})
		}
	}
	about := []*Clause{op.PathClause, op.MethodClause, op.AuthClause}
	values, _ := op.values(r)
	m := take(r, values)
	for _, p := range op.Params {
		got := p.read(m)
		if got.Found == p.Spec.Required {
			about = append(about, p.Presence)
		}
		if got.Found {
			about = append(about, p.Single, p.Syntax, p.Style)
			visit(p.Node, got)
		}
	}
	if op.Body == nil || r.Unseen {
		return about
	}
	if (len(r.Body) > 0) == op.Body.Spec.Required {
		about = append(about, op.Body.Presence)
	}
	label := r.Get("Content-Type")
	if media, err := op.Body.media(label); err == nil && len(r.Body) > 0 {
		about = append(about, op.Body.MediaType, media.Syntax)
		body, _ := op.plain(r)
		got, _ := media.read(body, message{called: "the body", label: label, request: true})
		if got.Found && got.Bad == nil && media.Node != nil {
			got.eachOf(func(v any) { visit(media.Node, codec.Reading{Value: v, Found: true}) })
		}
	}
	return about
}

// checkBody returns the clauses of the body that a request breaks.
func (op *Operation) checkBody(r *wire.Request) []Violation {
	broken := op.judgeBody(r)
	switch op.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		broken = slices.Clone(broken)
		for i := range broken {
			broken[i].Leave = cmp.Or(broken[i].Leave, leaveContent)
		}
	}
	return broken
}

// SaysCoding reports whether a parameter says in which content coding the body is: more depends on
// it than its own value.
func (p *Param) SaysCoding() bool {
	return p.Spec.In == openapi3.ParameterInHeader && strings.EqualFold(p.Spec.Name, "Content-Encoding")
}

// codingParam is the parameter that says in which content coding a body is; nil where the document
// has none.
func (op *Operation) codingParam() *Param {
	i := slices.IndexFunc(op.Params, (*Param).SaysCoding)
	if i < 0 {
		return nil
	}
	return op.Params[i]
}

// Coding returns the content coding in which the document has the body of a request sent, by the
// value that the request has of a parameter for it; empty where that is none.
func (op *Operation) Coding(r *wire.Request) string {
	coding := r.Get("Content-Encoding")
	if !wire.Encodes(coding) {
		return ""
	}
	if p := op.codingParam(); p == nil || p.Node.Validates(coding) != nil {
		return ""
	}
	return coding
}

// saysOtherwise reports whether the document has other content codings than one.
func (op *Operation) saysOtherwise(coding string) bool {
	p := op.codingParam()
	return p != nil && p.Node.Validates(coding) != nil
}

// decode returns a body without its content coding, where the document has one. Of any other nobody
// can tell what a receiver makes.
func (op *Operation) decode(coding string, body []byte) ([]byte, error) {
	if op.codingParam() == nil || !wire.Encodes(coding) {
		return nil, wire.ErrUndecodable
	}
	return wire.Decode(coding, body) //nolint:wrapcheck // the caller says of what
}

// plain is the body of a request without the content coding that the document has; false where
// nobody can tell.
func (op *Operation) plain(r *wire.Request) ([]byte, bool) {
	coding := strings.ToLower(r.Get("Content-Encoding"))
	if coding == "" || coding == "identity" || r.Coding != "" {
		return r.Body, true
	}
	body, err := op.decode(coding, r.Body)
	return body, err == nil
}

func (op *Operation) judgeBody(r *wire.Request) []Violation {
	if op.Body == nil {
		return nil // OpenAPI does not say what becomes of a body that is not documented
	}
	if len(r.Body) == 0 && !r.Unseen {
		if op.Body.Spec.Required {
			return []Violation{{Clause: op.Body.Presence, Message: "the body is missing", Leave: op.leaveEmpty(r)}}
		}
		return nil
	}
	var broken []Violation
	body := r.Body
	if coding := strings.ToLower(r.Get("Content-Encoding")); coding != "" && coding != "identity" && r.Coding == "" {
		plain, err := op.decode(coding, r.Body)
		switch {
		case err == nil:
			body = plain
		case op.saysOtherwise(coding): // which its parameter is judged by
			return nil
		case errors.Is(err, wire.ErrUndecodable):
			broken = append(broken, Violation{Clause: op.Body.MediaType, Message: "the body has the content coding " + coding, Leave: leaveCoding})
		default:
			return append(broken, Violation{Clause: op.Body.MediaType, Message: "the body is said to be in the content coding " + coding + ", but is not: " + err.Error()})
		}
	}
	types := r.Values("Content-Type")
	switch {
	case len(types) == 0 && r.Unseen:
		return broken // there may be no body
	case len(types) == 0, len(types) == 1 && strings.TrimSpace(types[0]) == "":
		return append(broken, Violation{Clause: op.Body.MediaType, Message: "the body has no Content-Type", Leave: leaveNoType})
	case len(types) > 1:
		return append(broken, Violation{Clause: op.Body.MediaType, Message: "there are several Content-Type lines", Leave: leaveRepeated})
	}
	media, err := op.Body.media(types[0])
	if err != nil {
		v := Violation{Clause: op.Body.MediaType, Message: err.Error()}
		name, _, _ := strings.Cut(types[0], ";")
		t, malformed := mediatype.Parse(types[0])
		if malformed != nil || t.JSON() && t.Params["charset"] != "" {
			media, err = op.Body.media(name)
		}
		switch {
		case err != nil:
			if malformed != nil && op.Body.takesAll() {
				v.Leave = leaveType
			}
			if malformed != nil && op.Body.takesLast(types[0]) {
				v.Leave = leaveTypes
			}
			if op.Body.Spec.Extensions[document.AssumedMedia] != nil {
				v.Leave = leaveAssumed
			}
			return append(broken, v)
		case malformed != nil:
			v.Leave = leaveTypeParameters
		case strings.Contains(strings.ToLower(media.Key), "charset"):
			return append(broken, v)
		default:
			v.Leave = leaveCharset
		}
		broken = append(broken, v)
	}
	if r.Unseen {
		return broken
	}
	syntax := media.Syntax
	if syntax == nil { // what a range leaves open is about its media type
		syntax = op.Body.MediaType
	}
	got, unread := media.read(body, message{syntax: syntax, called: "the body", label: types[0], request: true})
	return append(append(broken, unread...), media.judge(got, true)...)
}
