package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"github.com/dataarts-go/factory/gen"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// gateway is what the codes of the API gateway begin with.
const gateway = "APIG."

// Error codes and texts of the vendor. DLF codes are those of DataArts
// (dataartsstudio_02_0313, 02_0205 and FAQ 03_0404), APIG codes those of the
// API gateway in front of it (api-gateway, error_codes; devg-apisign,
// api-sign-errorcode).
const (
	codeTaskNotFound = "DLF.0810"
	textTaskNotFound = "Task does not exist."

	codeWorkspaceNotFound = "DLF.0819"
	textWorkspaceNotFound = "Workspace does not exists"

	codeInvalidParameter = "DLF.3051"
	textInvalidParameter = "The request parameter is invalid"

	codeNoSuchAPI = "APIG.0101"
	textNoSuchAPI = "The API does not exist or has not been published in the environment."

	codeTooLarge = "APIG.0201"
	textTooLarge = "Request entity too large"

	codeTimeout = "APIG.0203"
	textTimeout = "Backend timeout."

	codeNoBackend = "APIG.0202"
	textNoBackend = "Backend unavailable"

	codeUnavailable = "APIG.0613"
	textUnavailable = "The IAM service is currently unavailable."

	codeThrottled = "APIG.0308"
	textThrottled = "The throttling threshold has been reached."

	codeUnauthorised = "APIG.0301"
	textUnauthorised = "Incorrect IAM authentication information: "

	codeForbidden = "APIG.0302"
	textForbidden = "The IAM user is not authorized to access the API."

	codeInternal = "APIG.0601"
	textInternal = "Internal server error."
)

// refusal is an error that is answered as it says.
type refusal struct {
	status     int
	code, text string
	header     http.Header // what the answer has beside
	// rule is what of the document a request breaks, for statistics: no part of it
	// is the caller's choice.
	rule string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.status, r.code, r.text) }

// invalid refuses a request that the document forbids: which part of it, and
// what is wrong with it.
func invalid(part, how string) *refusal {
	how = strings.TrimRight(how, ". \n")
	return &refusal{
		status: http.StatusBadRequest,
		code:   codeInvalidParameter,
		text:   fmt.Sprintf("%s: %s: %s.", textInvalidParameter, part, how),
		rule:   part,
	}
}

// refusalOf returns how err is answered. Whatever is not known to be the
// caller's fault is ours, and tells the caller nothing more.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	// Of the generated code and Echo's binder, whose texts name Go types.
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Code < http.StatusInternalServerError {
		return &refusal{status: http.StatusBadRequest, code: codeInvalidParameter, text: textInvalidParameter + "."}
	}
	return &refusal{status: http.StatusInternalServerError, code: codeInternal, text: textInternal}
}

// violation puts an error of kin-openapi into our words. The error's own text
// quotes the value, which may be a token; the reasons used here do not.
func violation(err error) *refusal {
	part, pointer, how := "request", "", "is not as documented"
	if e, ok := errors.AsType[*openapi3filter.RequestError](err); ok {
		switch {
		case e.Parameter != nil:
			part = e.Parameter.Name + " in " + e.Parameter.In
		case e.RequestBody != nil:
			part = "body"
		}
	}
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		pointer, how = excerpt(strings.Join(e.JSONPointer(), "/")), excerpt(e.Reason)
	} else if e, ok := errors.AsType[*openapi3filter.ParseError](err); ok {
		how = e.Reason
	} else if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		how = openapi3filter.ErrInvalidRequired.Error()
	} else if errors.Is(err, openapi3filter.ErrInvalidEmptyValue) {
		how = openapi3filter.ErrInvalidEmptyValue.Error()
	}
	rule := part
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		rule += ": " + e.SchemaField
	}
	if pointer != "" {
		if part == "body" {
			part = pointer
		} else {
			part += " at " + pointer
		}
	}
	r := invalid(part, how)
	r.rule = rule
	return r
}

// malformed refuses a body that is not one JSON value.
func malformed(err error) *refusal {
	if e, ok := errors.AsType[*wellformed.Error](err); ok {
		short := *e
		short.Pointer = excerpt(e.Pointer)
		err = &short
	}
	return invalid("body", "it "+err.Error())
}

// excerpt shortens what an error quotes of a request.
func excerpt(s string) string {
	const limit = 200
	return truncate(strings.ToValidUTF8(s, "\uFFFD"), limit)
}

// errorBody returns the documented error, whose text has at most limit
// characters and is valid UTF-8.
func errorBody(code, text string, limit int) gen.ErrorResponse {
	text = truncate(strings.ToValidUTF8(text, "\uFFFD"), limit)
	return gen.ErrorResponse{ErrorCode: &code, ErrorMsg: &text}
}

// gatewayError is the error of the API gateway, which says which request it was.
type gatewayError struct {
	gen.ErrorResponse
	RequestID string `json:"request_id"`
}

// truncate shortens valid UTF-8 to limit characters. One outside the basic
// plane counts as two, as it does for validators that count UTF-16 code units.
func truncate(s string, limit int) string {
	const ellipsis = '…'
	if len(s) <= limit {
		return s
	}
	units, cut := 0, 0 // cut: where an ellipsis still fits
	for i, r := range s {
		n := 1
		if r > 0xFFFF {
			n = 2
		}
		if units+n > limit {
			return s[:cut] + string(ellipsis)
		}
		units += n
		if units < limit {
			cut = i + utf8.RuneLen(r)
		}
	}
	return s
}
