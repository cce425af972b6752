package contract

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// Response is a documented response of an operation.
type Response struct {
	Key       string // 200, 4XX, default
	Spec      *openapi3.Response
	NoBody    *Clause // set where no content is documented
	MediaType *Clause // set where content is documented
	Media     []*Media
	Headers   []*Header
	op        *Operation
}

// Header is a documented response header.
type Header struct {
	Name     string
	Spec     *openapi3.Header
	Presence *Clause // nil where the header may be absent
	Node     *Node
	route    *routers.Route // to a response that documents this header alone
}

func (op *Operation) buildResponses(pointer string) {
	responses := op.Spec.Responses
	keys := slices.Sorted(maps.Keys(responses.Map()))
	statuses := strings.Join(keys, ", ")
	op.StatusClause = op.clause("response/status", "no other status than "+statuses, at(op.Spec.Origin, pointer, "responses"))
	op.StatusClause.Side = ResponseSide
	for _, key := range keys {
		ref := responses.Value(key)
		if ref == nil || ref.Value == nil {
			continue
		}
		spec := ref.Value
		pointer := target(ref.Ref, pointer+"/responses/"+escape(key))
		r := &Response{Key: key, Spec: spec, op: op}
		path := "response/" + escape(key)
		complete(spec.Content)
		for _, name := range slices.Sorted(maps.Keys(spec.Headers)) {
			r.addHeader(name, spec.Headers[name], path, pointer)
		}
		if len(spec.Content) == 0 {
			r.NoBody = op.clause(path+"/no-body", key+" has no body", at(spec.Origin, pointer, ""))
			r.NoBody.Side = ResponseSide
		} else {
			media := mediaKeys(spec.Content)
			place := at(spec.Content[media[0]].Origin, pointer+"/content/"+escape(media[0]), "")
			r.MediaType = op.clause(path+"/media-type", key+" is "+strings.Join(media, " or "), place)
			r.MediaType.Side = ResponseSide
			r.Media = op.buildMedia(spec.Content, ResponseSide, path+"/body", pointer, responseSubject)
		}
		op.Responses = append(op.Responses, r)
	}
}

func (r *Response) addHeader(name string, ref *openapi3.HeaderRef, path, pointer string) {
	if ref == nil || ref.Value == nil || strings.EqualFold(name, "Content-Type") {
		return // OpenAPI 3.0.3, Response Object, headers: Content-Type is ignored
	}
	spec := ref.Value
	pointer = target(ref.Ref, pointer+"/headers/"+escape(name))
	h := &Header{Name: name, Spec: spec}
	path += "/header/" + escape(name)
	if spec.Required {
		h.Presence = r.op.clause(path+"/required", name+" is present", at(spec.Origin, pointer, "required"))
		h.Presence.Side = ResponseSide
	}
	b := &nodeBuilder{op: r.op, side: ResponseSide}
	h.Node = b.build(spec.Schema, Node{Path: path, Pointer: pointer + "/schema", Subject: name, Name: name})
	h.Node.Walk(func(n *Node) {
		for _, c := range n.Clauses { // kin-openapi records no origin for a header's schema
			if c.Place.Line == 0 {
				header := at(spec.Origin, pointer, "schema")
				c.Place.File, c.Place.Line, c.Place.Column = header.File, header.Line, header.Column
			}
		}
	})
	op := &openapi3.Operation{Responses: openapi3.NewResponses(openapi3.WithStatus(http.StatusOK, &openapi3.ResponseRef{
		Value: &openapi3.Response{Headers: openapi3.Headers{name: ref}},
	}))}
	h.route = &routers.Route{Spec: r.op.Contract.Doc, Operation: op, PathItem: r.op.PathItem, Method: r.op.Method}
	r.Headers = append(r.Headers, h)
}

// Response returns what the operation documents for a status: the status
// itself, its range, or the default. It is nil for an undocumented status.
func (op *Operation) Response(status int) *Response {
	for _, key := range []string{fmt.Sprint(status), fmt.Sprintf("%dXX", status/100), "default"} {
		for _, r := range op.Responses {
			if strings.EqualFold(r.Key, key) {
				return r
			}
		}
	}
	return nil
}

// Refuses reports whether the operation documents any refusal: a status of the
// 400s, their range, or a default.
func (op *Operation) Refuses() bool {
	return slices.ContainsFunc(op.Responses, func(r *Response) bool { return r.Key[0] == '4' || r.Key == "default" })
}

// Select returns the documented media type that a response is labelled with.
func (r *Response) Select(contentType string) (*Media, error) {
	key, err := mediatype.Select(mediaKeys(r.Spec.Content), contentType)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.Media, func(m *Media) bool { return m.Key == key })
	return r.Media[i], nil
}

// CheckHeaders returns the clauses about headers that a response breaks, each
// header judged on its own.
func (r *Response) CheckHeaders(resp *wire.Response) []Violation {
	var broken []Violation
	for _, h := range r.Headers {
		values := resp.Header.Values(h.Name)
		if len(values) == 0 {
			if h.Presence != nil {
				broken = append(broken, Violation{Clause: h.Presence, Message: "header " + h.Name + " is missing"})
			}
			continue
		}
		err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: &http.Request{Method: r.op.Method}, Route: h.route},
			Status:                 http.StatusOK, Header: resp.Header, Options: filterOptions,
		})
		broken = append(broken, h.Node.violations(err, "header "+h.Name)...)
	}
	return broken
}

// CheckBody returns the clauses that the body breaks, read as the documented
// media type m.
func (r *Response) CheckBody(m *Media, resp *wire.Response) []Violation {
	if isJSON(m.Key) {
		if err := wellformed.JSON(resp.Body); err != nil {
			return []Violation{{Clause: m.Syntax, Message: "the response body " + err.Error(), Syntax: true}}
		}
	}
	if m.Node == nil {
		return nil
	}
	if m.Syntax != nil {
		return m.Node.Check(decoded(resp.Body), "")
	}
	label := asDocumented(m.Key, resp.Header.Get("Content-Type"))
	key := m.Key
	switch t, err := mediatype.Parse(label); {
	case err != nil:
	case t.Type == "text" && t.JSON():
		key, label = "application/json", "application/json" // which kin-openapi knows
	case t.Type == "text":
		if !takesText(m.Spec.Schema.Value, 0) {
			return nil // the document does not say how a text is to be read as that
		}
		return m.Node.Check(string(resp.Body), "")
	case !t.JSON() && openapi3filter.RegisteredBodyDecoder(t.Type+"/"+t.Subtype) == nil:
		return nil // XML, images, streams: no schema of JSON says what they are
	}
	header := http.Header{"Content-Type": {label}}
	op := &openapi3.Operation{Responses: openapi3.NewResponses(openapi3.WithStatus(http.StatusOK, &openapi3.ResponseRef{
		Value: &openapi3.Response{Content: openapi3.Content{key: m.Spec}},
	}))}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: &http.Request{Method: r.op.Method},
			Route:   &routers.Route{Spec: r.op.Contract.Doc, Operation: op, PathItem: r.op.PathItem, Method: r.op.Method},
		},
		Status: http.StatusOK, Header: header, Body: io.NopCloser(bytes.NewReader(resp.Body)), Options: filterOptions,
	})
	return m.Node.violations(err, "")
}

// maxDepth bounds how far composed schemas are looked into, which may be
// recursive.
const maxDepth = 16

// takesText reports whether a schema can take a string.
func takesText(s *openapi3.Schema, depth int) bool {
	if s == nil || depth > maxDepth {
		return true
	}
	if types := s.Type.Slice(); len(types) > 0 && !slices.Contains(types, openapi3.TypeString) {
		return false
	}
	takes := func(ref *openapi3.SchemaRef) bool { return ref == nil || takesText(ref.Value, depth+1) }
	return !slices.ContainsFunc(s.AllOf, func(ref *openapi3.SchemaRef) bool { return !takes(ref) }) &&
		(len(s.OneOf) == 0 || slices.ContainsFunc(s.OneOf, takes)) &&
		(len(s.AnyOf) == 0 || slices.ContainsFunc(s.AnyOf, takes))
}

// asDocumented returns the spelling of a media type that kin-openapi finds: it
// looks for the documented key to the letter. A range keeps what was sent, and
// of a multipart body the boundary is needed to read it.
func asDocumented(key, got string) string {
	if strings.Contains(key, "*") {
		return got
	}
	if t, err := mediatype.Parse(got); err == nil && t.Params["boundary"] != "" {
		return mime.FormatMediaType(t.Type+"/"+t.Subtype, t.Params)
	}
	return key
}

func isJSON(key string) bool {
	t, err := mediatype.Parse(key)
	return err == nil && t.JSON()
}
