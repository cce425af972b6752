package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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

	// ErrUnauthorized: the service or IAM does not accept the credentials. It
	// stands for the status 401, and for the codes of the API gateway that come
	// with it (0301, 0303, 0305 and 0307 of APIG and APIGW) with any status.
	ErrUnauthorized = errors.New("client: unauthorized")

	// ErrForbidden: the credentials are accepted, and have no permission. It
	// stands for the status 403, for the codes of the API gateway that come with
	// it (0302, 0304, 0306, 0310, 0401, 0402 and 0802) with any status, and for
	// DLF.6888, which comes with 400 (dataartsstudio_02_0313).
	ErrForbidden = errors.New("client: forbidden")

	// ErrThrottled: there are too many requests at the time. It stands for the
	// status 429 and for the code 0308 of the API gateway; Error.RetryAfter says
	// how long to wait, if the service does.
	ErrThrottled = errors.New("client: throttled")

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

// Codes of the API gateway without their prefix, by the status that is
// documented for them (opentelekomcloud-docs/api-gateway, error_codes).
var (
	unauthorizedCodes = []string{"0301", "0303", "0305", "0307"}
	forbiddenCodes    = []string{"0302", "0304", "0306", "0310", "0401", "0402", "0802"}
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
	// Location is where a redirect (3xx) points to, without its query, fragment
	// and password, which can be secret; empty if the answer does not say.
	// Redirects are not followed.
	Location string

	request  string // method and URL
	cause    error  // why the body could not be read in full; nil if it could
	repeated bool   // an earlier request for the same packages is in doubt
	ofIAM    bool   // it refuses a token, and nothing else was asked for

	date time.Time     // of the answer, if it is to a signed request
	skew time.Duration // how much later it is than the signature, 0 if that does not matter
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
	if e.Location != "" {
		b.WriteString(": the redirect to " + e.Location + " is not followed")
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	if e.skew != 0 {
		b.WriteString("; the request was signed " + e.skewText())
	}
	if e.repeated {
		b.WriteString("; an earlier request may have cancelled the packages")
	}
	return strings.Map(printable, b.String())
}

// skewText says how far the signature's time is from the service's.
func (e *Error) skewText() string {
	side := "before"
	if e.skew < 0 {
		side = "after"
	}
	return e.skew.Abs().String() + " " + side + " the time of the service, which allows 15 minutes: check this machine's clock"
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
	case ErrUnauthorized:
		return e.HTTPStatus == http.StatusUnauthorized || e.isGatewayCode(unauthorizedCodes...)
	case ErrForbidden:
		return e.HTTPStatus == http.StatusForbidden || e.Code == "DLF.6888" ||
			e.isGatewayCode(forbiddenCodes...)
	case ErrThrottled:
		return e.HTTPStatus == http.StatusTooManyRequests || e.isGatewayCode("0308")
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
	return e.HTTPStatus >= http.StatusInternalServerError && !e.ofIAM && !e.isGatewayCode(unauthorizedCodes...) &&
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
func (e *Error) ofGateway() bool { return e.gatewayNumber() != "" }

// gatewayNumber is what follows the prefix of a code of the API gateway.
func (e *Error) gatewayNumber() string {
	number, ok := strings.CutPrefix(e.Code, "APIG.")
	if !ok {
		number, _ = strings.CutPrefix(e.Code, "APIGW.")
	}
	if number == e.Code {
		return ""
	}
	return number
}

func (e *Error) isGatewayCode(numbers ...string) bool {
	return slices.Contains(numbers, e.gatewayNumber())
}

// doubt is an error after which the packages may or may not be cancelled.
type doubt struct{ err error }

func (d doubt) Error() string      { return d.err.Error() + "; the packages may or may not be cancelled" }
func (d doubt) Unwrap() error      { return d.err }
func (doubt) Is(target error) bool { return target == ErrInDoubt }

// nothingSentError is an error after which no package is cancelled, since there was
// no connection.
type nothingSentError struct{ err error }

func (e nothingSentError) Error() string { return e.err.Error() + "; nothing was sent" }
func (e nothingSentError) Unwrap() error { return e.err }

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
	if resp.StatusCode/100 == 3 {
		e.Location = clean(redirectTarget(resp.Header.Get("Location")))
	}
	body, err := readErrorBody(req.Context(), resp, clean)
	e.cause = err
	e.Code, e.Message = clean(value(body.ErrorCode)), clean(withoutCanonicalRequest(value(body.ErrorMsg)))
	if e.Message == "" {
		e.Message = clean(body.iamMessage())
	}
	if e.RequestID == "" {
		e.RequestID = clean(value(body.RequestID))
	}
	if errors.Is(e, ErrUnauthorized) {
		e.date, e.skew = skewOf(req, resp)
	}
	return e
}

// redirectTarget is a Location as it may be shown.
func redirectTarget(location string) string {
	const longest = 2048
	if len(location) > longest {
		location = location[:longest] + "…"
	}
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	if u.RawQuery != "" {
		u.RawQuery = redacted
	}
	u.Fragment, u.RawFragment = "", ""
	return u.Redacted()
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
