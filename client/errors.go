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
	"time"

	"github.com/dataarts-go/factory/gen"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/signing"
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

	// ErrInDoubt: the packages may be cancelled or not. The request was sent,
	// and no answer came, or one that leaves it open: a 5xx, but for a 503 of
	// the API gateway, which stands before the service. It also holds for
	// whatever becomes of a repetition ([RetryPolicy], InDoubt); a "task not
	// found" is then not an [ErrTaskNotFound], since the first request may have
	// cancelled the packages.
	ErrInDoubt = errors.New("client: the packages may or may not be cancelled")

	// ErrNotSent: the packages were left alone, since an earlier request of the
	// same [Client.CancelAll] met what would have met this one as well.
	ErrNotSent = errors.New("client: not sent")

	// ErrNoCredentials: [FromEnv] found none. Nothing was sent.
	ErrNoCredentials = errors.New("client: no credentials in the environment")
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
	// RetryAfter is how long the service asks to wait; 0 if it does not.
	RetryAfter time.Duration

	request  string // method and URL
	cause    error  // why the body could not be read in full; nil if it could
	repeated bool   // an earlier request for the same packages is in doubt
	ofIAM    bool   // it refuses a token, and nothing else was asked for
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
	if e.repeated {
		b.WriteString("; an earlier request may have cancelled the packages")
	}
	return strings.Map(printable, b.String())
}

func printable(r rune) rune {
	if strconv.IsPrint(r) {
		return r
	}
	return ' '
}

// Is reports whether the answer is one that target stands for.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrTaskNotFound:
		return e.noTask() && !e.repeated
	case ErrWorkspaceNotFound:
		return e.Code == "DLF.0819" || e.Code == "DLF.20819"
	case ErrInDoubt:
		return e.inDoubt()
	}
	return false
}

func (e *Error) noTask() bool { return e.Code == "DLF.0810" || e.Code == "DLF.20810" }

// inDoubt reports whether the service may have done what it was asked for.
func (e *Error) inDoubt() bool {
	if e.repeated {
		return true
	}
	return e.HTTPStatus >= http.StatusInternalServerError && !e.ofIAM && !e.refusesProof() &&
		!(e.HTTPStatus == http.StatusServiceUnavailable && e.ofGateway())
}

// repeatable reports whether an answer in doubt is one that passes.
func (e *Error) repeatable() bool {
	switch e.HTTPStatus {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// ofGateway reports whether the API gateway answered, and not the service: the
// codes of the gateway product and of the one for cloud services differ in
// their prefix.
func (e *Error) ofGateway() bool {
	return strings.HasPrefix(e.Code, "APIG.") || strings.HasPrefix(e.Code, "APIGW.")
}

// refusesProof reports whether the answer refuses who sent the request, and so
// comes before the service: by its status, or by one of the gateway's codes for
// IAM's word on a signature or token (0301) and for a token that must be
// updated (0307), whatever the status.
func (e *Error) refusesProof() bool {
	if e.HTTPStatus == http.StatusUnauthorized {
		return true
	}
	_, number, _ := strings.Cut(e.Code, ".")
	return e.ofGateway() && (number == "0301" || number == "0307")
}

// doubt is an error after which the packages may or may not be cancelled.
type doubt struct{ err error }

func (d doubt) Error() string      { return d.err.Error() + "; the packages may or may not be cancelled" }
func (d doubt) Unwrap() error      { return d.err }
func (doubt) Is(target error) bool { return target == ErrInDoubt }

// Unwrap returns why the answer's body could not be read as the documented
// error: it is not JSON, ends early, is too large. It is nil for a body that
// could be read.
func (e *Error) Unwrap() error { return e.cause }

// maxErrorBody bounds what is read of an error's body. The longest one that
// the contract allows takes less, unless its text is written in \u escapes
// throughout.
const maxErrorBody = 64 << 10

// newError describes resp, an answer to req that is not a 2xx. What it repeats
// of the request's secrets is blanked out.
func newError(req *http.Request, resp *http.Response, secrets ...string) *Error {
	clean := redactor(req.Header, secrets...)
	e := &Error{
		HTTPStatus: resp.StatusCode,
		RequestID:  clean(resp.Header.Get("X-Request-Id")),
		RetryAfter: retryAfter(resp.Header),
		request:    req.Method + " " + req.URL.Redacted(),
	}
	body, err := readErrorBody(req.Context(), resp, clean)
	if err != nil && resp.StatusCode/100 == 3 {
		err = fmt.Errorf("redirects are not followed: %w", err)
	}
	e.cause = err
	e.Code, e.Message = clean(value(body.ErrorCode)), clean(withoutCanonicalRequest(value(body.ErrorMsg)))
	if e.Message == "" {
		e.Message = clean(body.iamMessage())
	}
	if e.RequestID == "" {
		e.RequestID = clean(value(body.RequestID))
	}
	return e
}

// withoutCanonicalRequest cuts off what the gateway adds to the message that a
// signature is wrong: the request as it was signed, with its headers.
func withoutCanonicalRequest(message string) string {
	before, _, found := strings.Cut(message, "canonicalRequest:")
	if found {
		return before + "canonicalRequest:" + redacted
	}
	return message
}

// errorBody is the body of an error: the documented fields, the one that the
// gateway adds, and the one in which IAM has all of its own.
type errorBody struct {
	gen.ErrorResponse
	RequestID *string         `json:"request_id"`
	IAM       json.RawMessage `json:"error"`
}

// iamMessage is the text of an error of IAM; others use the member differently.
func (b errorBody) iamMessage() string {
	var iam struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(b.IAM, &iam) != nil {
		return ""
	}
	return iam.Message
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
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// A member of the wrong type does not keep the others from being read.
		return value(body), rephrased{wrongType(wrong), err}
	}
	switch {
	case err != nil:
		err = fmt.Errorf("decode body: %w", err)
	case body == nil:
		err = errors.New("body is null, want an object")
	}
	return value(body), err
}

// wrongType says in words of JSON what encoding/json says in those of Go.
func wrongType(err *json.UnmarshalTypeError) string {
	if err.Field == "" {
		return "body is of type " + err.Value + ", want an object"
	}
	member := err.Field[strings.LastIndexByte(err.Field, '.')+1:]
	return member + " is of type " + err.Value + ", want a string"
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
func redactor(request http.Header, more ...string) func(string) string {
	// Anything shorter is a stand-in, and taking it out would garble the text.
	const shortest = 8
	authorization := request.Get("Authorization")
	access, signature := signing.Parts(authorization)
	var pairs []string
	for _, secret := range append(more, request.Get(tokenHeader), request.Get(signing.SecurityTokenHeader), authorization, access, signature) {
		if len(secret) >= shortest {
			pairs = append(pairs, secret, redacted)
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

// redactError blanks out the secrets of a request in the text of err, where
// net/http quotes an answer that is not HTTP.
func redactError(request http.Header, err error, more ...string) error {
	text := err.Error()
	if clean := redactor(request, more...)(text); clean != text {
		return rephrased{clean, err}
	}
	return err
}

// rephrased is an error with another text.
type rephrased struct {
	text string
	err  error
}

func (e rephrased) Error() string { return e.text }
func (e rephrased) Unwrap() error { return e.err }
