package judge

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
)

func connection(e *Exchange) []Finding {
	if e.Err == nil {
		return nil
	}
	return []Finding{{Message: e.Err.Error(), Expected: "an HTTP response", Actual: e.Err.Error()}}
}

func serverError(e *Exchange) []Finding {
	if e.Response == nil || e.Response.Status < 500 {
		return nil
	}
	code := e.Response.Status
	if code == http.StatusNotImplemented && e.Expect == plan.RefuseMethod {
		return nil
	}
	f := Finding{
		Message:  fmt.Sprintf("%s in response to %s: %s", status(code), e.request(), clip(e.Response.Body)),
		Expected: e.expected(), Actual: status(code),
	}
	if e.Documented() != nil && e.Expect == plan.Accept && code != http.StatusInternalServerError {
		f.Severity = Warning
	}
	return []Finding{f}
}

// request says in a few words what kind of request it was.
func (e *Exchange) request() string {
	switch {
	case e.Expect == plan.Accept && e.Request.Unseen:
		return "a request whose body is not known"
	case e.Expect == plan.Accept:
		return "a valid request"
	case e.Clause != nil:
		return "a request that breaks: " + e.Clause.Text
	}
	return "the request"
}

// expected says which answers would have been right.
func (e *Exchange) expected() string {
	switch e.Expect {
	case plan.RefuseMethod:
		return "405 with an Allow header, or 404, or 501"
	case plan.RefusePath:
		return "404"
	case plan.RefuseCredential:
		return "401 or 403"
	case plan.Refuse:
		var codes []string
		for _, r := range e.Op.Responses {
			if r.Key[0] == '4' || r.Key == "default" {
				codes = append(codes, named(r.Key))
			}
		}
		if len(codes) == 0 {
			return "a 4xx status"
		}
		return oneOf(codes)
	}
	var codes []string
	for _, r := range e.Op.Responses {
		if r.Key[0] != '4' && r.Key[0] != '5' {
			codes = append(codes, named(r.Key))
		}
	}
	return oneOf(codes)
}

// named is what people call a key of the responses.
func named(key string) string {
	if key == "default" {
		return "the default response"
	}
	return key
}

// statuses says which statuses the document has.
func (e *Exchange) statuses() string {
	codes := make([]string, len(e.Op.Responses))
	for i, r := range e.Op.Responses {
		codes[i] = named(r.Key)
	}
	if len(codes) == 0 {
		return "a documented status; there is none"
	}
	return "a documented status: " + oneOf(codes)
}

// oneOf lists what may be.
func oneOf(codes []string) string {
	last := max(len(codes)-1, 0)
	if last == 0 {
		return strings.Join(codes, "")
	}
	return strings.Join(codes[:last], ", ") + " or " + codes[last]
}

// leaveElsewhere is why a path that the document does not have may lead elsewhere, as where a
// server cuts the slash off the end of any path.
const leaveElsewhere = "OpenAPI 3.0.3, Paths Object: nothing is said of paths that a document does not list"

// leaveLogin is why who lacks a credential may be sent to where one is got.
const leaveLogin = "RFC 9110 §11.4: a server should answer 401 to a credential that is missing or wrong, and may lead to a login instead"

// leadsToLogin reports whether an answer sends who lacks a credential elsewhere.
func (e *Exchange) leadsToLogin() bool {
	switch e.Response.Status {
	case http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect:
		return e.Expect == plan.RefuseCredential || e.Op.AuthClause != nil && !e.Authorized
	}
	return false
}

func redirect(e *Exchange) []Finding {
	if e.Response == nil || e.Response.Status/100 != 3 || e.Documented() != nil {
		return nil
	}
	if e.Expect == plan.RefusePath && e.Leave != "" {
		return nil // sent to the spelling that the document has
	}
	if e.Recorded && e.Response.Status == http.StatusNotModified && (e.Request.Get("If-None-Match") != "" || e.Request.Get("If-Modified-Since") != "") {
		return nil // what a client has already, it asks for so (RFC 9110 §15.4.5)
	}
	f := Finding{
		Message:  fmt.Sprintf("%s to %q", status(e.Response.Status), clip([]byte(e.Response.Header.Get("Location")))),
		Expected: e.expected(), Actual: status(e.Response.Status),
	}
	switch {
	case e.Expect == plan.RefusePath:
		f = f.left(leaveElsewhere)
	case e.Leave != "": // as a server leads from a slash at the end, escaped or not, to the path without
		f = f.left(e.Leave)
	case e.leadsToLogin():
		f = f.left(leaveLogin)
	}
	return []Finding{f}
}

// byHTTP lists the refusals that HTTP itself defines for what a clause is
// about.
func (e *Exchange) byHTTP() []int {
	codes := []int{http.StatusTooManyRequests}
	if e.Clause == nil {
		return codes
	}
	body := e.Op.Body
	switch e.Clause.Part {
	case schema.InBody:
		switch {
		case body != nil && e.Clause == body.Presence:
			codes = append(codes, http.StatusUnsupportedMediaType, http.StatusLengthRequired)
		case body != nil && e.Clause == body.MediaType:
			codes = append(codes, http.StatusUnsupportedMediaType, http.StatusNotAcceptable, http.StatusLengthRequired, http.StatusRequestEntityTooLarge)
		default:
			codes = append(codes, http.StatusRequestEntityTooLarge)
		}
	case schema.InHeader:
		codes = append(codes, http.StatusRequestHeaderFieldsTooLarge)
	case schema.InPath:
		codes = append(codes, http.StatusNotFound, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge)
	case schema.InQuery:
		// Many servers bound the request line and the header fields together, and say 431 of both.
		codes = append(codes, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge)
	}
	return codes
}

// leavePart is why a part of what is documented may be the answer.
const leavePart = "RFC 9110 §14.2: a server may answer a request for a range with 206, which the document need not list"

// leaveUnnamed is why an answer may be one that the document has under a name like OK.
const leaveUnnamed = "OpenAPI 3.0.3, Responses Object: a response is named by its status, default or a range, and one of the document is not"

// leaveFilter is why what is fine by the document may be refused by what stands before the service.
const leaveFilter = "RFC 9110 §15.5.4: a request may be forbidden for reasons unrelated to the credentials, as by a filter that takes a text for an attack"

// filtered reports whether a page says 403 of a request that differs from a valid one, where the
// operation has no pages and no 403: it is not the operation that answers.
func (e *Exchange) filtered() bool {
	if e.Response.Status != http.StatusForbidden || e.Base || e.Documented() != nil {
		return false
	}
	isPage := func(text string) bool {
		t, err := mediatype.Parse(text)
		return err == nil && t.Type+"/"+t.Subtype == "text/html"
	}
	return isPage(e.Response.Header.Get("Content-Type")) && !slices.ContainsFunc(e.Op.Responses, func(r *contract.Response) bool {
		return slices.ContainsFunc(r.Media, func(m *contract.Media) bool { return isPage(m.Key) })
	})
}

func undocumentedStatus(e *Exchange) []Finding {
	if e.Response == nil || !e.ours() || e.Documented() != nil || len(e.Op.Responses) == 0 {
		return nil
	}
	code := e.Response.Status
	refusal := code/100 == 4
	switch {
	case code/100 == 5, code/100 == 3:
		return nil // server-error and redirect say it
	case e.notAcceptable():
		return nil
	case refusal && e.lacksCredential() && (code != http.StatusUnauthorized || e.Op.AuthClause == nil):
		return nil
	}
	f := Finding{
		Message:  fmt.Sprintf("%s is not documented, in response to %s", status(code), e.request()),
		Expected: e.statuses(), Actual: status(code),
	}
	switch {
	case code == http.StatusPartialContent && e.Request.Get("Range") != "":
		return []Finding{f.left(leavePart)}
	case e.filtered():
		return []Finding{f.left(leaveFilter)}
	case e.Op.Unnamed:
		return []Finding{f.left(leaveUnnamed)}
	}
	// A resource that need not exist is looked for before a request for it is read, or after.
	nowhere := code == http.StatusNotFound && e.Nowhere
	if refusal && (nowhere || e.Request.Unseen || e.lacksCredential() || !e.Op.Refuses() && !(e.Expect == plan.Accept && e.Must) || slices.Contains(e.byHTTP(), code) || e.Leave != "") {
		f.Severity = Warning
	}
	return []Finding{f}
}

// notAcceptable reports whether the answer is what RFC 9110 §15.5.7 has for a request that
// accepts no media type of it, whatever else is wrong with that request.
func (e *Exchange) notAcceptable() bool {
	return e.Response.Status == http.StatusNotAcceptable && (e.Leave == plan.LeaveAccept || e.acceptsNone())
}

// acceptsNone reports whether the Accept of a request takes no media type that the document
// has for a success.
func (e *Exchange) acceptsNone() bool {
	lines := e.Request.Values("Accept")
	if len(lines) == 0 {
		return false
	}
	var ranges []mediatype.Type
	for _, text := range mediatype.List(strings.Join(lines, ", ")) {
		t, err := mediatype.Parse(text)
		if err != nil {
			return false
		}
		if q, err := strconv.ParseFloat(cmp.Or(t.Params["q"], "1"), 64); err != nil {
			return false
		} else if q > 0 {
			delete(t.Params, "q")
			ranges = append(ranges, t)
		}
	}
	documented := false
	for _, r := range e.Op.Responses {
		if r.Key != "default" && !strings.HasPrefix(r.Key, "2") {
			continue
		}
		for _, m := range r.Media {
			got, err := mediatype.Parse(m.Key)
			if err != nil || strings.Contains(m.Key, "*") || slices.ContainsFunc(ranges, func(t mediatype.Type) bool { return t.Accepts(got) }) {
				return false
			}
			documented = true
		}
	}
	return documented
}

// lacksCredential reports whether the answer is the usual one to a credential
// that is missing, made up or changed.
func (e *Exchange) lacksCredential() bool {
	if code := e.Response.Status; code != http.StatusUnauthorized && code != http.StatusForbidden {
		return false
	}
	return e.Credential || e.Op.AuthClause != nil && !e.Authorized
}

// takesPart reports whether a request takes away a part of what its path identifies, which may
// have none: DELETE /people/{id}/sessions, DELETE /people/{id}/keys/{kind} with its few kinds.
func (e *Exchange) takesPart() bool {
	if e.Op.Method != http.MethodDelete || !strings.Contains(e.Op.Path, "{") {
		return false
	}
	return !strings.HasSuffix(e.Op.Template(), "}") || slices.ContainsFunc(e.Op.Params, func(p *contract.Param) bool {
		return strings.HasSuffix(e.Op.Template(), "/{"+p.Spec.Name+"}") && p.Node != nil && len(p.Node.Schema.Enum) > 0
	})
}

func validRefused(e *Exchange) []Finding {
	if e.Response == nil || e.Expect != plan.Accept || !e.Must || e.Response.Status/100 != 4 {
		return nil
	}
	code := e.Response.Status
	if code == http.StatusTooManyRequests || e.lacksCredential() || e.notAcceptable() || e.expected() == "" { // nothing but refusals is documented
		return nil
	}
	switch code {
	case http.StatusNotFound, http.StatusGone:
		// That other made-up values were accepted may be chance, as where identifiers are counted.
		if doc := e.Documented(); (e.Nowhere || e.takesPart()) && doc != nil && doc.Key != "default" {
			return nil
		}
	case http.StatusPreconditionFailed:
		if slices.ContainsFunc(e.Request.Header, func(f wire.Field) bool { return len(f.Name) > 3 && strings.EqualFold(f.Name[:3], "If-") }) {
			return nil // what the request itself asks for (RFC 9110 §15.5.13)
		}
	case http.StatusConflict, http.StatusForbidden: // the state of the target, or what who asks may do (RFC 9110 §15.5.4, §15.5.10)
		if e.Documented() != nil {
			return nil
		}
	}
	if e.Base {
		return []Finding{{
			Clause: e.Clause,
			Message: fmt.Sprintf("the valid request that all others are made from is refused with %s: %s; if its values do not exist on the target, give others (--value NAME=VALUE)",
				status(code), clip(e.Response.Body)),
			Expected: e.expected(), Actual: status(code),
		}}
	}
	severity := e.severity()
	switch code {
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		severity = Warning // a receiver may have bounds (RFC 9110 §15.5.14, §15.5.15, RFC 6585 §5)
	}
	f := Finding{
		Clause: e.Clause, Severity: severity,
		Message:  fmt.Sprintf("a valid request (%s) is refused with %s: %s%s", e.Clause.Text, status(code), clip(e.Response.Body), e.because()),
		Expected: e.expected(), Actual: status(code), Leave: e.Leave,
	}
	if e.Leave == "" && e.filtered() {
		f = f.left(leaveFilter)
	}
	return []Finding{f}
}

func invalidAccepted(e *Exchange) []Finding {
	if e.Response == nil || e.Expect != plan.Refuse || !Accepts(e.Op, e.Response.Status) {
		return nil
	}
	what := "broken: " + e.Clause.Text
	for _, v := range e.Broken {
		if v.Clause == e.Clause {
			what = v.Message
			break
		}
	}
	f := Finding{
		Clause: e.Clause, Severity: e.severity(),
		Message:  fmt.Sprintf("an invalid request is accepted with %s; %s%s", status(e.Response.Status), what, e.because()),
		Expected: e.expected(), Actual: status(e.Response.Status), Leave: e.Leave,
	}
	if e.Leave == "" && e.Response.Status == http.StatusSeeOther {
		return []Finding{f.left(leaveIndirect)}
	}
	return []Finding{f}
}

// leaveIndirect is why nobody knows whether a request was accepted that is answered with a way to
// something else: a form that shows what is wrong with it, or what was made of it.
const leaveIndirect = "RFC 9110 §15.4.4: the other resource is an indirect response to the request, which may be that it is refused"

func undocumentedMethod(e *Exchange) []Finding {
	if e.Response == nil || e.Expect != plan.RefuseMethod {
		return nil
	}
	code := e.Response.Status
	if e.Leave != "" && code/100 == 2 || code/100 == 3 || code/100 == 5 {
		return nil
	}
	switch code {
	case http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden:
		return nil
	}
	f := Finding{
		Clause: e.Clause, Message: fmt.Sprintf("%s %s returns %s", e.Request.Method, e.Op.Path, status(code)),
		Expected: e.expected(), Actual: status(code),
	}
	if code/100 == 4 {
		f.Severity = Warning
	}
	return []Finding{f}
}

func allowHeader(e *Exchange) []Finding {
	if e.Response == nil || e.Response.Status != http.StatusMethodNotAllowed {
		return nil
	}
	if e.Expect != plan.RefuseMethod {
		return nil
	}
	values := e.Response.Header.Values("Allow")
	allowed := map[string]bool{}
	for _, m := range strings.Split(strings.Join(values, ","), ",") {
		allowed[strings.TrimSpace(m)] = true
	}
	want := make([]string, 0, 4)
	for _, op := range e.Op.Contract.Operations {
		if op.Path == e.Op.Path && op.BasePath == e.Op.BasePath { // a server of its own is another resource
			want = append(want, op.Method)
		}
	}
	slices.Sort(want)
	f := Finding{Clause: e.Clause, Expected: "Allow: " + strings.Join(want, ", "), Actual: "Allow: " + clip([]byte(strings.Join(values, ", ")))}
	switch {
	case len(values) == 0:
		f.Message, f.Actual = "405 without an Allow header", "no Allow header"
		return []Finding{f}
	case slices.ContainsFunc(want, func(m string) bool { return !allowed[m] }):
		f.Message = "Allow does not list every documented method"
		return []Finding{f}
	case allowed[e.Request.Method]:
		f.Message = "Allow lists the method that is refused"
		return []Finding{f}
	}
	return nil
}

func undocumentedPath(e *Exchange) []Finding {
	if e.Response == nil || e.Expect != plan.RefusePath || e.Response.Status/100 != 2 {
		return nil
	}
	return []Finding{{
		Clause: e.Clause, Severity: e.severity(),
		Message:  fmt.Sprintf("%s %s returns %s%s", e.Request.Method, clip([]byte(e.Request.Path())), status(e.Response.Status), e.because()),
		Expected: e.expected(), Actual: status(e.Response.Status), Leave: e.Leave,
	}}
}

func securityIgnored(e *Exchange) []Finding {
	if e.Response == nil || e.Expect != plan.RefuseCredential || e.Response.Status/100 != 2 {
		return nil
	}
	return []Finding{{
		Clause: e.Clause, Message: "a request without a valid credential is accepted with " + status(e.Response.Status),
		Expected: e.expected(), Actual: status(e.Response.Status),
	}}
}
