package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/gen"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// Errors to look for with [errors.Is].
var (
	// ErrNoPackages: no package IDs were given. Nothing was sent.
	ErrNoPackages = errors.New("client: no package IDs given")

	// ErrTaskNotFound: a package does not exist in the project and workspace.
	// It stands for the codes DLF.0810 and DLF.20810, the one in the vendor's
	// English pages and the other in its Chinese ones (dataartsstudio_02_0205).
	ErrTaskNotFound = errors.New("client: task not found")

	// ErrWorkspaceNotFound: the workspace does not exist, or none was given and
	// the project has no default one. It stands for the codes DLF.0819 and
	// DLF.20819 of the vendor's older and newer services.
	ErrWorkspaceNotFound = errors.New("client: workspace not found")
)

// An Error is an answer with another status than 2xx. It comes from the
// service, or from a gateway or proxy on the way to it.
type Error struct {
	// Code is the answer's error_code, such as DLF.0810 (from the service) or
	// APIG.0301 (from its gateway); empty if the answer has none.
	Code string
	// Message is the answer's error_msg; empty if the answer has none. It is
	// for people: the same code comes with several texts.
	Message string
	// HTTPStatus is the status code.
	HTTPStatus int
	// RequestID names the request to the vendor's support: the header
	// X-Request-Id, else request_id of the body; empty if there is neither.
	RequestID string

	request string // method and URL
	cause   error  // why the body could not be read in full; nil if it could
}

// Error returns a line such as
//
//	POST https://host/path: 400 DLF.0810: Task does not exist. (request 8a4d…)
//
// It is safe to print: without line breaks and control characters, whatever
// the answer holds.
func (e *Error) Error() string {
	var b strings.Builder
	if e.request != "" {
		b.WriteString(e.request + ": ")
	}
	b.WriteString(strconv.Itoa(e.HTTPStatus))
	if what := e.Code; what != "" {
		b.WriteString(" " + what)
	} else if what := http.StatusText(e.HTTPStatus); what != "" {
		b.WriteString(" " + what)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return strings.Map(printable, b.String())
}

func printable(r rune) rune {
	if strconv.IsPrint(r) {
		return r
	}
	return ' '
}

// Is reports whether the answer's code is one that target stands for.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrTaskNotFound:
		return e.Code == "DLF.0810" || e.Code == "DLF.20810"
	case ErrWorkspaceNotFound:
		return e.Code == "DLF.0819" || e.Code == "DLF.20819"
	}
	return false
}

// Unwrap returns why the answer's body could not be read as the documented
// error: it is not JSON, ends early, is too large. It is nil for a body that
// could be read.
func (e *Error) Unwrap() error { return e.cause }

// maxErrorBody bounds what is read of an error's body. The longest one that
// the contract allows takes less, unless its text is written in \u escapes
// throughout.
const maxErrorBody = 64 << 10

// newError describes resp, an answer to req that is not a 2xx.
func newError(req *http.Request, resp *http.Response) *Error {
	clean := redactor(req.Header)
	e := &Error{
		HTTPStatus: resp.StatusCode,
		RequestID:  clean(resp.Header.Get("X-Request-Id")),
		request:    req.Method + " " + req.URL.Redacted(),
	}
	body, err := readErrorBody(req.Context(), resp, clean)
	if err != nil && resp.StatusCode/100 == 3 {
		err = fmt.Errorf("redirects are not followed: %w", err)
	}
	e.cause = err
	e.Code, e.Message = clean(value(body.ErrorCode)), clean(value(body.ErrorMsg))
	if e.RequestID == "" {
		e.RequestID = clean(value(body.RequestID))
	}
	return e
}

// errorBody is the body of an error: the documented fields, and the one that
// the gateway adds.
type errorBody struct {
	gen.ErrorResponse
	RequestID *string `json:"request_id"`
}

// readErrorBody returns what can be read of the body; an error says why that
// is not all of it.
func readErrorBody(ctx context.Context, resp *http.Response, clean func(string) string) (errorBody, error) {
	if resp.ContentLength == 0 {
		return errorBody{}, errors.New("body is empty")
	}
	// A body of another type is not waited for.
	if _, err := mediatype.Select([]string{"application/json"}, clean(resp.Header.Get("Content-Type"))); err != nil {
		return errorBody{}, err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody+1))
	switch {
	case err != nil:
		return errorBody{}, fmt.Errorf("read body: %w", withContext(ctx, err))
	case len(data) == 0:
		return errorBody{}, errors.New("body is empty")
	case len(data) > maxErrorBody:
		return errorBody{}, fmt.Errorf("body is larger than %d KiB", maxErrorBody>>10)
	}
	var body *errorBody
	err = json.Unmarshal(data, &body)
	switch {
	case err != nil:
		err = fmt.Errorf("decode body: %w", err)
	case body == nil:
		err = errors.New("body is null, want an object")
	}
	// A member of the wrong type does not keep the others from being read.
	return value(body), err
}

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// redactor returns a function that blanks out the secrets of a request in a
// text of its answer: proxies and servers under test repeat what they got.
func redactor(request http.Header) func(string) string {
	// Anything shorter is a stand-in, and taking it out would garble the text.
	const shortest = 8
	var pairs []string
	for _, name := range []string{tokenHeader, "Authorization"} {
		if secret := request.Get(name); len(secret) >= shortest {
			pairs = append(pairs, secret, redacted)
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

// redactError blanks out the secrets of a request in the text of err, where
// net/http quotes an answer that is not HTTP.
func redactError(request http.Header, err error) error {
	text := err.Error()
	if clean := redactor(request)(text); clean != text {
		return redactedError{clean, err}
	}
	return err
}

type redactedError struct {
	text string
	err  error
}

func (e redactedError) Error() string { return e.text }
func (e redactedError) Unwrap() error { return e.err }
