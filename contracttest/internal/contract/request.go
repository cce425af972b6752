package contract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// Violation is one clause that a message breaks.
type Violation struct {
	Clause  *Clause
	Message string // which part, what was wanted, what was there; no secret
	// Leave says why the document and the RFCs leave it to the receiver whether
	// it takes the message all the same; empty where it must not.
	Leave string
	// Syntax is set where the bytes cannot be read at all.
	Syntax bool
}

// filterOptions judge strictly, change nothing and collect every error.
var filterOptions = &openapi3filter.Options{
	MultiError: true, SkipSettingDefaults: true, IncludeResponseStatus: true,
	AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
}

// Why a receiver may take what is not quite right.
const (
	leaveNoType      = "RFC 9110 §8.3: a receiver may guess the type of a body that has no Content-Type"
	leaveRepeated    = "RFC 9110 §5.2: what a repeated line of a single-valued header means is not defined"
	leaveCoding      = "RFC 9110 §8.4: a receiver may answer 415 to a content coding that it does not know, but need not"
	leaveDuplicate   = "RFC 8259 §4: names within an object should be unique, receivers differ"
	leaveBOM         = "RFC 8259 §8.1: a receiver may ignore a byte-order mark"
	leaveSurrogate   = "RFC 8259 §8.2: what a receiver makes of half a surrogate pair is unpredictable"
	leaveDepth       = "RFC 8259 §9: a receiver may limit the depth of nesting"
	leaveRepeatedKey = "the document does not say what a repeated query parameter or cookie means"
)

var leaveJSON = map[wellformed.Fault]string{
	wellformed.DuplicateName: leaveDuplicate,
	wellformed.ByteOrderMark: leaveBOM,
	wellformed.LoneSurrogate: leaveSurrogate,
	wellformed.TooDeep:       leaveDepth,
}

func (op *Operation) input(r *wire.Request, path map[string]string) (*openapi3filter.RequestValidationInput, error) {
	params := make(map[string]string, len(path))
	for name, escaped := range path {
		value, err := url.PathUnescape(escaped)
		if err != nil {
			return nil, err
		}
		params[name] = value
	}
	h := make(http.Header, len(r.Header))
	for _, f := range r.Header {
		h.Add(f.Name, f.Value)
	}
	query, err := url.ParseQuery(r.RawQuery())
	if err != nil {
		return nil, err
	}
	return &openapi3filter.RequestValidationInput{
		Request:     &http.Request{Method: r.Method, URL: &url.URL{Path: r.Path(), RawQuery: r.RawQuery()}, Header: h},
		PathParams:  params,
		QueryParams: query,
		Route:       &routers.Route{Spec: op.Contract.Doc, Operation: op.Spec, PathItem: op.PathItem, Method: op.Method, Path: op.Path},
		Options:     filterOptions,
	}, nil
}

func (op *Operation) checkParam(p *Param, r *wire.Request, input *openapi3filter.RequestValidationInput) []Violation {
	var broken []Violation
	if p.Single != nil {
		if n := occurrences(p.Spec, r, input); n > 1 {
			leave := leaveRepeatedKey
			if p.Spec.In == openapi3.ParameterInHeader {
				leave = leaveRepeated
			}
			broken = append(broken, Violation{Clause: p.Single, Message: p.Spec.Name + " is given " + count(uint64(n), "time"), Leave: leave})
		}
	}
	err := openapi3filter.ValidateParameter(context.Background(), input, p.Spec)
	if err == nil {
		return broken
	}
	switch {
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return append(broken, Violation{Clause: p.Presence, Message: p.Spec.Name + " is missing"})
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		clause := p.Node.Clause("type")
		if clause == nil {
			clause = p.Presence
		}
		return append(broken, Violation{Clause: clause, Message: p.Spec.Name + " is empty"})
	}
	return append(broken, p.Node.violations(err, p.Spec.Name)...)
}

func occurrences(p *openapi3.Parameter, r *wire.Request, input *openapi3filter.RequestValidationInput) int {
	switch p.In {
	case openapi3.ParameterInHeader:
		return len(r.Values(p.Name))
	case openapi3.ParameterInQuery:
		return len(input.QueryParams[p.Name])
	case openapi3.ParameterInCookie:
		n := 0
		for _, c := range input.Request.Cookies() {
			if c.Name == p.Name {
				n++
			}
		}
		return n
	}
	return 1
}

func (op *Operation) checkBody(r *wire.Request, input *openapi3filter.RequestValidationInput) []Violation {
	if op.Body == nil {
		return nil // OpenAPI does not say what becomes of a body that is not documented
	}
	if len(r.Body) == 0 {
		if op.Body.Spec.Required {
			return []Violation{{Clause: op.Body.Presence, Message: "the body is missing"}}
		}
		return nil
	}
	var broken []Violation
	if coding := r.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		broken = append(broken, Violation{Clause: op.Body.MediaType, Message: "the body has the content coding " + coding, Leave: leaveCoding})
	}
	types := r.Values("Content-Type")
	switch {
	case len(types) == 0, len(types) == 1 && strings.TrimSpace(types[0]) == "":
		return append(broken, Violation{Clause: op.Body.MediaType, Message: "the body has no Content-Type", Leave: leaveNoType})
	case len(types) > 1:
		return append(broken, Violation{Clause: op.Body.MediaType, Message: "there are several Content-Type lines", Leave: leaveRepeated})
	}
	key, err := mediatype.Select(slices.Collect(maps.Keys(op.Body.Spec.Content)), types[0])
	if err != nil {
		return append(broken, Violation{Clause: op.Body.MediaType, Message: err.Error()})
	}
	i := slices.IndexFunc(op.Body.Media, func(m *Media) bool { return m.Key == key })
	media := op.Body.Media[i]
	if media.Syntax != nil {
		if err := wellformed.JSON(r.Body); err != nil {
			v := Violation{Clause: media.Syntax, Message: "the body " + err.Error(), Syntax: true}
			if fault, ok := errors.AsType[*wellformed.Error](err); ok {
				v.Leave = leaveJSON[fault.Fault]
			}
			return append(broken, v)
		}
	}
	if media.Node == nil || media.Syntax != nil && media.Node.keptBy(r.Body) {
		return broken
	}
	input.Request.Header.Set("Content-Type", asDocumented(key, types[0]))
	input.Request.Body = io.NopCloser(bytes.NewReader(r.Body))
	input.Request.ContentLength = int64(len(r.Body))
	err = openapi3filter.ValidateRequestBody(context.Background(), input, op.Body.Spec)
	return append(broken, media.Node.violations(err, "")...)
}
