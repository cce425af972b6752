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

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// readBody returns a middleware that replaces the body by one that has been
// read, so that whatever follows can read it at no risk; it refuses one above
// limit, of which it reads one byte too many at most.
func readBody(limit int64) echo.MiddlewareFunc {
	tooLarge := &refusal{
		status: http.StatusRequestEntityTooLarge,
		code:   codeTooLarge,
		text:   fmt.Sprintf("%s: it may have %d bytes at most.", textTooLarge, limit),
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength > limit {
				return tooLarge
			}
			var data []byte
			if r.Body != nil && r.Body != http.NoBody {
				var err error
				// The server's own writer: it is told to close the connection.
				data, err = io.ReadAll(http.MaxBytesReader(c.Response().Writer, r.Body, limit))
				if _, over := errors.AsType[*http.MaxBytesError](err); over {
					return tooLarge
				}
				if err != nil {
					return invalid("body", "it could not be read to its end")
				}
			}
			r = r.WithContext(r.Context()) // a shallow copy: the caller's stays as it is
			r.Body, r.ContentLength = newBody(data), int64(len(data))
			c.SetRequest(r)
			return next(c)
		}
	}
}

// body is a request body that has been read.
type body struct {
	*bytes.Reader
	data []byte
}

func newBody(data []byte) io.ReadCloser {
	if len(data) == 0 {
		return http.NoBody
	}
	return &body{bytes.NewReader(data), data}
}

func (*body) Close() error { return nil }

// validate refuses requests that o forbids. It leaves the validated value on
// the request's body, where the generated handler looks for it.
func (o *operation) validate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		for _, name := range o.onceHeaders {
			if len(r.Header.Values(name)) > 1 {
				return invalid(name+" in header", "it must not be sent more than once")
			}
		}
		if b, ok := r.Body.(*body); ok {
			mediaType, refused := o.mediaType(r.Header)
			if refused != nil {
				return refused
			}
			if err := wellformed.JSON(b.data); err != nil {
				return invalid("body", "it "+err.Error())
			}
			// kin-openapi knows the type by the very words of the document.
			r.Header = maps.Clone(r.Header)
			r.Header["Content-Type"] = []string{mediaType}
		}
		params, err := pathParams(c)
		if err != nil {
			return err
		}
		if err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
			Request:    r,
			PathParams: params,
			Route:      o.route,
			Options:    o.options,
		}); err != nil {
			return violation(err)
		}
		return next(c)
	}
}

// mediaType returns the documented media type as which a body with this header
// is to be read.
func (o *operation) mediaType(h http.Header) (string, *refusal) {
	if o.mediaTypes == nil {
		return "", invalid("body", "this operation has none")
	}
	for _, coding := range h.Values("Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return "", invalid("Content-Encoding in header", "content codings are not supported")
		}
	}
	values := h.Values("Content-Type")
	if len(values) > 1 {
		return "", invalid("Content-Type in header", "it must not be sent more than once")
	}
	mediaType, err := o.mediaTypes.Select(h.Get("Content-Type"))
	if errors.Is(err, mediatype.ErrMissing) {
		return "", invalid("Content-Type in header", "it is mandatory with a body")
	}
	if err != nil {
		return "", invalid("Content-Type in header", err.Error())
	}
	return mediaType, nil
}

// pathParams returns the decoded path parameters. Echo leaves them encoded
// where the path has an encoded form of its own, as with %2F.
func pathParams(c echo.Context) (map[string]string, error) {
	names, values := c.ParamNames(), c.ParamValues()
	params := make(map[string]string, len(names))
	encoded := c.Request().URL.RawPath != ""
	for i, name := range names {
		value := values[i]
		if encoded {
			var err error
			if value, err = url.PathUnescape(value); err != nil {
				return nil, invalid(name+" in path", "it is not a valid URI component")
			}
		}
		params[name] = value
	}
	return params, nil
}
