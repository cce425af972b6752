package judge

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// The checks that need more than one answer: see package run.
const (
	Redirect           = "redirect"
	InvalidAccepted    = "invalid-request-accepted"
	UndocumentedMethod = "undocumented-method"
	UndocumentedPath   = "undocumented-path"
	SecurityIgnored    = "security-ignored"
	UndocumentedStatus = "undocumented-status"
)

// RequestInvalid names the check of a request that nobody has planned.
const RequestInvalid = "request-invalid"

// Accepts reports whether a status is a success of the operation: a 2xx, or a
// 3xx that the document has by its number or its range. A redirect that only a
// default covers is neither acceptance nor refusal.
func Accepts(op *contract.Operation, status int) bool {
	if status/100 != 3 {
		return status/100 == 2
	}
	r := op.Response(status)
	return r != nil && r.Key != "default"
}

// Refuses reports whether the answer refuses the request for what the case is
// about. A refused caller (401, 403, 429) says nothing of the rest of the
// request, neither does a resource that is not there, nor a server that has
// failed.
func (e *Exchange) Refuses() bool {
	if e.Response == nil {
		return false
	}
	code := e.Response.Status
	if e.Expect == plan.RefuseMethod && code == http.StatusNotImplemented {
		return true
	}
	if code/100 != 4 {
		return false
	}
	switch {
	case e.Expect == plan.RefuseCredential:
		return code != http.StatusTooManyRequests
	case code == http.StatusTooManyRequests, isCallers(code) && !e.Credential:
		return false
	case e.Expect == plan.RefuseMethod, e.Expect == plan.RefusePath, slices.Contains(e.byHTTP(), code):
		return true
	case (code == http.StatusNotFound || code == http.StatusGone) && strings.Contains(e.Op.Path, "{") && !e.aboutPath():
		return false // the resource may be gone
	}
	return !e.Op.Refuses() || e.Documented() != nil
}

// isCallers reports whether a status refuses the caller, not the request.
func isCallers(code int) bool {
	return code == http.StatusUnauthorized || code == http.StatusForbidden
}

// aboutPath reports whether the case is about a value in the path.
func (e *Exchange) aboutPath() bool {
	return e.Clause != nil && strings.HasPrefix(strings.TrimPrefix(e.Clause.Name, e.Op.ID+"/"), "path")
}
