package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// admit is the one middleware of an operation: it asks who is calling and whether
// the project is theirs, reads the body, validates the request, and bounds the time that all
// of it takes from then on. Who is known by headers alone is asked before the
// body is read: it takes no memory for those who may do nothing. It is one and not four since
// Echo puts the middlewares of a route together anew for each request, and each
// would copy the request once more.
func (s *Server) admit(o *operation) echo.MiddlewareFunc {
	limit := newBodyLimit(s.limits.BodyBytes)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			theirs := c.Request()
			signed := s.auth.signed(theirs)
			var who *holder
			if !signed {
				var refused *refusal
				if who, refused = s.auth.caller(theirs, nil); refused != nil {
					return refused
				}
				if err := permitted(c, who); err != nil {
					return err
				}
			} else if refused := s.auth.refusedKey(theirs); refused != nil {
				return refused
			}
			held := s.reservation(theirs)
			defer held.release()
			data, err := limit.read(c, &held)
			if err != nil {
				return err
			}
			if signed {
				var refused *refusal
				if who, refused = s.auth.caller(theirs, data); refused != nil {
					return refused
				}
				if err := s.checkHeaders(c); err != nil {
					return err
				}
				if err := permitted(c, who); err != nil {
					return err
				}
			}
			release, err := s.reserveValue(theirs.Context(), data, &held)
			if err != nil {
				return err
			}
			defer release()
			ctx := newTimeLimit(theirs.Context(), s.limits.RequestTimeout)
			defer ctx.end()
			defer c.SetRequest(theirs)   // even after a panic, with the caller's context
			r := theirs.WithContext(ctx) // a shallow copy: the caller's stays as it is
			c.SetRequest(r)
			return inTime(ctx, o.admitted(c, r, data, next))
		}
	}
}

// permitted refuses a caller whose project is not that of the path.
func permitted(c echo.Context, who *holder) error {
	if who == nil {
		return nil // nobody is asked
	}
	params := paramMaps.Get().(map[string]string) //nolint:forcetypeassert // nothing else is put there
	defer giveBack(params)
	if err := pathParams(c, params); err != nil {
		return err
	}
	if !who.owns(params["project_id"]) {
		return &refusal{status: http.StatusForbidden, code: codeForbidden, text: textForbidden}
	}
	return nil
}

// admitted hands a request on if the document allows it. Its body has been read.
func (o *operation) admitted(c echo.Context, r *http.Request, data []byte, next echo.HandlerFunc) error {
	params := paramMaps.Get().(map[string]string) //nolint:forcetypeassert // nothing else is put there
	err := pathParams(c, params)
	if err == nil {
		err = o.validate(r, params, data)
	}
	giveBack(params)
	if err != nil {
		return err
	}
	return next(c)
}

// paramMaps are used again: kin-openapi wants a map for each request.
var paramMaps = sync.Pool{New: func() any { return map[string]string{} }}

// giveBack is for a map at which nobody looks any more.
func giveBack(params map[string]string) {
	clear(params)
	paramMaps.Put(params)
}

// bodyLimit bounds the body of a request.
type bodyLimit struct {
	bytes    int64
	tooLarge *refusal
}

func newBodyLimit(limit int64) *bodyLimit {
	return &bodyLimit{limit, &refusal{
		status: http.StatusRequestEntityTooLarge,
		code:   codeTooLarge,
		text:   fmt.Sprintf("%s: it may have %d bytes at most.", textTooLarge, limit),
	}}
}

// firstPiece is at most how much memory a body gets before any of it has
// arrived. Beyond that it grows as the body does.
const firstPiece = 4 << 10

// read returns the body, and refuses one above the limit, of which it reads one
// byte too many at most. What it takes is held until the end of the request.
func (l *bodyLimit) read(c echo.Context, held *reservation) ([]byte, error) {
	r := c.Request()
	if r.ContentLength > l.bytes {
		return nil, l.tooLarge
	}
	if !r.ProtoAtLeast(1, 1) && r.Method == http.MethodPost && r.Header["Content-Length"] == nil {
		// RFC 1945 §8.3 has this for it: net/http takes what follows for no body at all,
		// and what was sent in chunks, which HTTP/1.0 does not know, would be confirmed unread.
		return nil, invalid("body", "with HTTP/1.0 its Content-Length is mandatory")
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	// The server's own writer: it is told to close the connection.
	body := http.MaxBytesReader(c.Response().Writer, r.Body, l.bytes)
	data, err := l.readAll(body, r.ContentLength, held)
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, l.tooLarge
	}
	if _, refused := errors.AsType[*refusal](err); refused {
		return nil, err
	}
	if err != nil {
		return nil, invalid("body", "it could not be read to its end")
	}
	return data, nil
}

// readAll reads body to its end. Its length is what is announced, or less than
// 0; whatever it is, no more memory is taken than twice what has arrived, beside
// the first piece.
func (l *bodyLimit) readAll(body io.Reader, length int64, held *reservation) ([]byte, error) {
	whole := length + 1 // one more, to see the end
	size := min(whole, firstPiece)
	if length < 0 {
		size = bytes.MinRead
	}
	var data []byte
	for {
		if err := held.grow(size - int64(cap(data))); err != nil {
			return nil, err
		}
		data = append(make([]byte, 0, size), data...)
		for len(data) < cap(data) {
			n, err := body.Read(data[len(data):cap(data)])
			data = data[:len(data)+n]
			if errors.Is(err, io.EOF) {
				return data, nil
			}
			if err != nil {
				return nil, err
			}
		}
		size = min(max(2*size, bytes.MinRead), l.bytes+1)
		if int64(cap(data)) < whole {
			size = min(size, whole)
		}
	}
}

// validate refuses a request that o forbids. Its body is data; what of that was
// validated is left on the request, where the generated handler looks for it.
func (o *operation) validate(r *http.Request, params map[string]string, data []byte) error {
	held := o.holds(r, params)
	if !held {
		for _, h := range o.onceHeaders {
			if len(r.Header[h.key]) > 1 {
				return invalid(h.name+" in header", "it must not be sent more than once")
			}
		}
	}
	r.Body, r.ContentLength = http.NoBody, int64(len(data))
	if len(data) == 0 {
		return o.rules(r, params, o.options)
	}
	mediaType, refused := o.mediaType(r.Header)
	if refused != nil {
		return refused
	}
	if r.Header["Content-Type"][0] != mediaType { // there is one
		// What follows knows the type by the very words of the document.
		r.Header = maps.Clone(r.Header)
		r.Header["Content-Type"] = []string{mediaType}
	}
	schema, isJSON := o.json[mediaType]
	if !isJSON {
		r.Body = io.NopCloser(bytes.NewReader(data))
		return o.rules(r, params, o.options)
	}
	value, err := wellformed.Decode(data)
	if err != nil {
		return malformed(err)
	}
	if !held {
		if err := o.rules(r, params, o.bodiless); err != nil {
			return err
		}
	}
	if schema != nil {
		if err := schema.VisitJSON(value, o.visit...); err != nil {
			return violation(&openapi3filter.RequestError{RequestBody: o.route.Operation.RequestBody.Value, Err: err})
		}
	}
	b := &validatedBody{value: value}
	b.Reset(data)
	r.Body = b
	return nil
}

// holds reports whether the parameters are known to be as documented. Where
// they are not, rules says what is wrong, if anything is. It spares a good
// request what ValidateParameter finds out anew each time: how the value is
// decoded, which for a plain one is not at all.
func (o *operation) holds(r *http.Request, params map[string]string) bool {
	for i := range o.plain {
		p := &o.plain[i]
		var value string
		if p.inPath {
			if value = params[p.name]; value == "" {
				return false
			}
		} else {
			values := r.Header[p.name]
			if len(values) == 0 && !p.required {
				continue
			}
			if len(values) != 1 {
				return false
			}
			value = values[0]
		}
		if p.schema.VisitJSONString(value) != nil {
			return false
		}
	}
	return o.allPlain
}

// rules has kin-openapi hold a request against the document.
func (o *operation) rules(r *http.Request, params map[string]string, options *openapi3filter.Options) error {
	err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: o.route, Options: options,
	})
	if err != nil {
		return violation(err)
	}
	return nil
}

// validatedBody is a body of which the value is known, as kin-openapi leaves
// it with KeepValidatedValue.
type validatedBody struct {
	bytes.Reader
	value any
}

func (*validatedBody) Close() error { return nil }

// ValidatedValue is what the generated handler asks for.
func (b *validatedBody) ValidatedValue() any { return b.value }

// mediaType returns the documented media type as which a body with this header
// is to be read.
func (o *operation) mediaType(h http.Header) (string, *refusal) {
	if o.mediaTypes == nil {
		return "", invalid("body", "this operation has none")
	}
	for _, coding := range h["Content-Encoding"] {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return "", invalid("Content-Encoding in header", "content codings are not supported")
		}
	}
	labels := h["Content-Type"]
	if len(labels) > 1 {
		return "", invalid("Content-Type in header", "it must not be sent more than once")
	}
	mediaType, err := o.mediaTypes.Select(strings.Join(labels, "")) // of one or none
	if errors.Is(err, mediatype.ErrMissing) {
		return "", invalid("Content-Type in header", "it is mandatory with a body")
	}
	if err != nil {
		return "", invalid("Content-Type in header", err.Error())
	}
	return mediaType, nil
}

// pathParams adds the decoded path parameters to params. Echo leaves them
// encoded where the path has an encoded form of its own, as with %2F.
func pathParams(c echo.Context, params map[string]string) error {
	values := c.ParamValues()
	encoded := c.Request().URL.RawPath != ""
	for i, name := range c.ParamNames() {
		value := values[i]
		if encoded {
			var err error
			if value, err = url.PathUnescape(value); err != nil {
				return invalid(name+" in path", "it is not a valid URI component")
			}
		}
		params[name] = value
	}
	return nil
}
