package contract

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
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
	types     *mediatype.Set // of Media
	selected  selections
}

// selections remember as what labels are read: a server has few of them, and a
// run asks several times about each answer.
type selections struct {
	mu  sync.Mutex
	all map[string]selection
}

type selection struct {
	media *Media
	err   error
}

// maxSelections is how many labels of a response are remembered.
const maxSelections = 64

func (s *selections) of(label string, find func() selection) selection {
	s.mu.Lock()
	defer s.mu.Unlock()
	got, ok := s.all[label]
	if !ok {
		got = find()
		if s.all == nil {
			s.all = map[string]selection{}
		}
		if len(s.all) < maxSelections {
			s.all[label] = got
		}
	}
	return got
}

// Header is a documented response header.
type Header struct {
	Name     string
	Spec     *openapi3.Header
	Presence *Clause // nil where the header may be absent
	Node     *Node
	media    string // that describes it; empty where the style simple does
}

// statusKey is how responses are called (OpenAPI 3.0.3, Responses Object).
var statusKey = regexp.MustCompile(`^([1-9][0-9][0-9]|[1-5][Xx][Xx]|default)$`)

func (op *Operation) buildResponses(pointer string) {
	responses := op.Spec.Responses
	keys := slices.Sorted(maps.Keys(responses.Map()))
	keys = slices.DeleteFunc(keys, func(key string) bool {
		named := statusKey.MatchString(key)
		if !named {
			op.Unnamed = true
			op.Contract.document.Warn(Place{Pointer: pointer + "/responses/" + escape(key)}, "response %q is not a status; ignored", key)
		}
		return !named
	})
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
		op.Contract.complete(spec.Content, pointer)
		r := &Response{Key: key, Spec: spec, op: op, types: op.Contract.typesOf(mediaKeys(spec.Content))}
		path := "response/" + escape(key)
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
			r.Media = op.buildMedia(spec.Content, ResponseSide, path+"/body", pointer, schema.ResponseBody)
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
	d := r.op.Contract.describe(spec.Schema, spec.Content, pointer)
	h.media = d.media
	h.Node = d.node(r.op, pointer, schema.Root{Side: ResponseSide, Path: path, Subject: name, Name: name})
	h.Node.Walk(func(n *Node) {
		for _, c := range n.Clauses { // kin-openapi records no origin for a header's schema
			if c.Place.Line == 0 {
				header := at(spec.Origin, pointer, strings.Split(d.step, "/")[1])
				c.Place.File, c.Place.Line, c.Place.Column = header.File, header.Line, header.Column
			}
		}
	})
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
	got := r.selected.of(contentType, func() selection {
		key, err := r.types.Select(contentType)
		if err != nil {
			return selection{err: err}
		}
		return selection{media: r.Media[slices.IndexFunc(r.Media, func(m *Media) bool { return m.Key == key })]}
	})
	return got.media, got.err
}

// leaveUnlabelled is why a body needs no label where bytes of any kind are documented.
const leaveUnlabelled = "RFC 9110 §8.3: a recipient may assume application/octet-stream, which is documented"

// Unlabelled returns what leaves open whether a body without a Content-Type is a documented
// one; it is empty where nothing does.
func (r *Response) Unlabelled() string {
	if _, err := r.types.Select(octetStream); err != nil {
		return ""
	}
	return leaveUnlabelled
}

// Why a response without a body may be one of no bytes.
const (
	leaveEmptyUnnamed = "RFC 9110 §8.3: without a Content-Type nothing says what no bytes are, and an empty text is a value of the schema"
	leaveEmptyFile    = "OpenAPI 3.0.3, Data Types, binary: the schema takes no bytes, and nothing here says whether the media type does"
)

// Empty reports whether no bytes at all are a body of the response under this
// Content-Type, as they are of text/plain. Where that is not certain, leave is
// what leaves it open.
func (r *Response) Empty(contentType string) (empty bool, leave string) {
	if strings.TrimSpace(contentType) == "" {
		return slices.ContainsFunc(r.Media, func(m *Media) bool { return m.TakesEmpty(octetStream) }), leaveEmptyUnnamed
	}
	m, err := r.Select(contentType)
	if err != nil || !m.TakesEmpty(contentType) {
		return false, ""
	}
	t, err := mediatype.Parse(contentType)
	if err == nil && m.formAs(contentType) == codec.Bytes && t.Type != "text" && t.Type+"/"+t.Subtype != octetStream {
		leave = leaveEmptyFile
	}
	return true, leave
}

// CheckHeaders returns the clauses about headers that a response breaks, each
// header judged on its own.
func (r *Response) CheckHeaders(resp *wire.Response) []Violation {
	var broken []Violation
	for _, h := range r.Headers {
		broken = append(broken, h.Check(resp)...)
	}
	return broken
}

// Check returns the clauses about the header that a response breaks.
func (h *Header) Check(resp *wire.Response) []Violation {
	values := resp.Header.Values(h.Name)
	if len(values) == 0 {
		if h.Presence != nil && !(resp.Sanitized && wire.Withheld(h.Name)) {
			return []Violation{{Clause: h.Presence, Message: "header " + h.Name + " is missing"}}
		}
		return nil
	}
	got := h.read(values)
	if !got.Found {
		return nil
	}
	broken := judge(h.Node, got, "header "+h.Name, nil)
	if len(broken) > 0 && h.inJSON(values) { // read in its style, it breaks now this keyword and now that
		broken = judge(h.Node, codec.Reading{Found: true, Bad: []string{}, Why: "is JSON, which a header is by content alone and not by a schema"}, "header "+h.Name, nil)
	}
	if leave := h.leave(values); leave != "" {
		for i := range broken {
			broken[i].Leave = cmp.Or(broken[i].Leave, leave)
		}
	}
	return broken
}

// Why what the document says of a header may not be what a server sends.
const (
	leaveHTTPDate  = "RFC 9110 §5.6.7: the value of this header is an HTTP-date, whatever the document says"
	leaveEntityTag = "RFC 9110 §8.8.3: an entity tag is quoted, and what is inside keeps the schema"
)

// leave says why a header may break its schema: HTTP itself says how it is written.
func (h *Header) leave(values []string) string {
	if len(values) != 1 {
		return ""
	}
	switch http.CanonicalHeaderKey(h.Name) {
	case "Date", "Expires", "Last-Modified":
		if _, err := http.ParseTime(values[0]); err == nil {
			return leaveHTTPDate
		}
	case "Etag":
		tag := strings.TrimPrefix(values[0], "W/")
		if bare := strings.Trim(tag, `"`); tag == `"`+bare+`"` {
			if got := h.read([]string{bare}); got.Found && len(judge(h.Node, got, "", nil)) == 0 {
				return leaveEntityTag
			}
		}
	}
	return ""
}

// inJSON reports whether a header has its value as JSON, although the document has a style for it.
func (h *Header) inJSON(lines []string) bool {
	got := codec.ReadHeader(h.Node, "application/json", h.explode(), "", lines)
	return h.media == "" && got.Found && len(judge(h.Node, got, "", nil)) == 0
}

// Write writes a value as Check reads it.
func (h *Header) Write(v any) (string, error) {
	return codec.WriteHeader(h.Node, h.media, h.explode(), codec.DelimiterOf(h.Spec.Extensions), v)
}

func (h *Header) explode() bool { return h.Spec.Explode != nil && *h.Spec.Explode }

func (h *Header) read(lines []string) codec.Reading {
	got := codec.ReadHeader(h.Node, h.media, h.explode(), codec.DelimiterOf(h.Spec.Extensions), lines)
	if h.media != "" {
		got.Spare = "" // what a receiver may take is not what a server may send
	}
	return got
}

// CheckBody returns the clauses that the body breaks, read as the documented media type m.
func (r *Response) CheckBody(m *Media, resp *wire.Response) []Violation {
	got, unread := r.read(m, resp)
	return append(unread, m.judge(got, false)...)
}

func (r *Response) read(m *Media, resp *wire.Response) (reading, []Violation) {
	label := resp.Header.Get("Content-Type")
	in := message{syntax: m.Syntax, called: "the response body", label: label, open: resp.Open}
	if in.syntax == nil { // a range does not say what it is, its label does
		in.syntax = r.MediaType
	}
	if m.formAs(label) != codec.JSON {
		return m.read(resp.Body, in)
	}
	got := r.op.Contract.answers.read(resp.Body)
	value := reading{Reading: codec.Reading{Value: got.v, Found: got.ok && m.Node != nil}}
	if got.err == nil {
		return value, nil
	}
	broken := in.broken("%s", got.err)
	if fault, ok := errors.AsType[*wellformed.Error](got.err); ok && fault.Fault == wellformed.LoneSurrogate {
		// It is in the grammar: the value is judged all the same, with U+FFFD in its place.
		broken[0].Leave = codec.LeaveSurrogate
		return value, broken
	}
	return reading{}, broken
}

// Visit calls f for each schema that holds of a value in the response, with that value:
// of its headers, and of its body. What cannot be read is not visited.
func (r *Response) Visit(resp *wire.Response, f func(n *Node, v any)) {
	visit := func(n *Node, got codec.Reading) {
		if n != nil && got.Found && got.Bad == nil {
			n.Visit(got.Value, func(n *Node, v any, _ []string) bool {
				f(n, v)
				return true
			})
		}
	}
	for _, h := range r.Headers {
		if lines := resp.Header.Values(h.Name); len(lines) > 0 {
			visit(h.Node, h.read(lines))
		}
	}
	if m, err := r.Select(resp.Header.Get("Content-Type")); err == nil && len(resp.Body) > 0 {
		got, _ := r.read(m, resp)
		got.eachOf(func(v any) {
			visit(m.Node, codec.Reading{Value: v, Found: got.Found, Bad: got.Bad})
		})
		if !resp.Open {
			visit(m.Whole, got.Reading)
		}
	}
}

// Decoded returns the JSON value of a body, numbers as json.Number; nil and false
// where no decoder makes one of it.
func (r *Response) Decoded(resp *wire.Response) (v any, ok bool) {
	got := r.op.Contract.answers.read(resp.Body)
	return got.v, got.ok
}

// jsonBody is what the bytes of a body are as JSON.
type jsonBody struct {
	v   any   // nobody may change it
	ok  bool  // whether there is a value
	err error // how the bytes are not one well-formed value
}

// jsonBodies remember what bodies are: a server answers most requests of a run
// with a few of them.
type jsonBodies struct {
	mu  sync.Mutex
	all map[string]jsonBody
}

// How many bodies are remembered, and up to which length.
const (
	maxBodies     = 1024
	maxBodyLength = 4 << 10
)

func (b *jsonBodies) read(body []byte) jsonBody {
	short := len(body) <= maxBodyLength
	if short {
		b.mu.Lock()
		got, ok := b.all[string(body)]
		b.mu.Unlock()
		if ok {
			return got
		}
	}
	var got jsonBody
	if got.v, got.err = wellformed.Decode(body); got.err == nil {
		got.ok = true
	} else if v, err := codec.DecodeJSON(body); err == nil { // a value, though not a well-formed one
		got.v, got.ok = v, true
	}
	if short {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.all == nil || len(b.all) >= maxBodies {
			b.all = map[string]jsonBody{}
		}
		b.all[string(body)] = got
	}
	return got
}
