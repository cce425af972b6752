package judge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// Why a body that the document does not have is a warning.
const (
	leaveContent  = "OpenAPI 3.0.3, Response Object, content: it lists potential payloads, and nothing forbids another where it is absent"
	leaveNoSchema = "Swagger 2.0, Response Object, schema: without it no content is returned, but many a document just does not describe it"
)

// bodyless reports whether the message cannot have a body whatever the document
// says (RFC 9110 §6.4.1, §15.3.6).
func (e *Exchange) bodyless() bool {
	switch e.Response.Status {
	case http.StatusNoContent, http.StatusResetContent, http.StatusNotModified:
		return true
	}
	return e.Request.Method == http.MethodHead
}

// bodyClause is what a finding about the body is about.
func (e *Exchange) bodyClause() *contract.Clause {
	doc := e.Documented()
	switch {
	case doc == nil:
		return nil
	case doc.NoBody != nil:
		return doc.NoBody
	}
	return doc.MediaType
}

// readAs returns the documented media type that the body is read as; nil where
// there is none to judge, the label is wrong or nobody can look into the body.
func (e *Exchange) readAs() *contract.Media {
	doc := e.Documented()
	if doc == nil || doc.NoBody != nil || e.bodyless() || e.isPart() || len(e.Response.Body) == 0 || e.legible() == nil {
		return nil
	}
	if e.media == nil {
		m, err := doc.Select(e.Response.Header.Get("Content-Type"))
		if err != nil {
			return nil
		}
		e.media = m
	}
	return e.media
}

// isPart reports whether the body is some of the bytes of the content: they need not be
// one JSON value, nor keep a schema (RFC 9110 §15.3.7).
func (e *Exchange) isPart() bool {
	return e.Response.Status == http.StatusPartialContent && e.Request.Get("Range") != "" && strings.HasPrefix(e.Response.Header.Get("Content-Range"), "bytes ")
}

// bodyViolations judges the body once for the two checks that report on it.
func (e *Exchange) bodyViolations(m *contract.Media) []contract.Violation {
	if !e.judged {
		e.judged, e.violations = true, e.Documented().CheckBody(m, e.legible())
	}
	return e.violations
}

// leaveNote is why the content of a redirect need not be what a default has for it, which is
// written with errors in mind.
const leaveNote = "RFC 9110 §15.4: the content of a redirect is usually a short note with the link"

// leaveMalformed is why what is no proper message of HTTP need not be refused as the document says:
// parsers refuse it, in words of their own, before the operation is known.
const leaveMalformed = "RFC 9110 §15.5.1: 400 is for malformed syntax too, which is refused before anybody knows what is asked for"

func responseMediaType(e *Exchange) []Finding {
	if e.Response == nil {
		return nil
	}
	values := e.Response.Header.Values("Content-Type")
	doc := e.Documented()
	if len(values) > 1 {
		f := Finding{Message: "there are several Content-Type headers", Expected: "one Content-Type", Actual: fmt.Sprint(len(values))}
		if doc != nil {
			f.Clause = doc.MediaType
		}
		return []Finding{f}
	}
	label := e.Response.Header.Get("Content-Type")
	if doc == nil || doc.NoBody != nil || e.bodyless() || len(e.Response.Body) == 0 && (!e.Response.Unseen || label == "") {
		return nil
	}
	if _, err := doc.Select(label); err != nil {
		f := Finding{
			Clause: doc.MediaType, Message: fmt.Sprintf("%s: %s: %s", status(e.Response.Status), err, clip(e.text())),
			Expected: doc.MediaType.Text, Actual: "Content-Type: " + label,
		}
		switch {
		case strings.TrimSpace(label) == "":
			f = f.left(doc.Unlabelled())
		case e.Response.Status/100 == 3 && doc.Key == "default":
			f = f.left(leaveNote)
		case e.Response.Status == http.StatusBadRequest && len(e.Request.Values("Content-Type")) > 1:
			f = f.left(leaveMalformed)
		}
		return []Finding{f}
	}
	return e.notWanted(doc)
}

// notWanted tells a success in another media type than the one asked for, which
// RFC 9110 §12.5.1 allows, but the document has the one.
func (e *Exchange) notWanted(doc *contract.Response) []Finding {
	got := e.Response.Header.Get("Content-Type")
	if e.Wants == "" || e.Response.Status/100 != 2 {
		return nil
	}
	if _, err := mediatype.Select([]string{e.Wants}, got); err == nil {
		return nil
	}
	if _, err := doc.Select(e.Wants); err != nil {
		return nil // this response does not have it
	}
	return []Finding{{
		Clause: doc.MediaType, Severity: Warning, Message: fmt.Sprintf("%s is not in the only media type that the request accepts (RFC 9110 §12.5.1)", status(e.Response.Status)),
		Expected: e.Wants, Actual: "Content-Type: " + got,
	}}
}

func bodyUnexpected(e *Exchange) []Finding {
	if e.Response == nil {
		return nil
	}
	doc := e.Documented()
	if doc == nil || doc.NoBody == nil || len(e.Response.Body) == 0 {
		return nil
	}
	f := Finding{
		Clause: doc.NoBody, Message: fmt.Sprintf("%s has a body of %d bytes: %s", status(e.Response.Status), len(e.Response.Body), clip(e.text())),
		Expected: "no body", Actual: fmt.Sprintf("%d bytes", len(e.Response.Body)),
	}
	switch {
	case e.bodyless():
	case e.Op.Contract.Converted:
		f = f.left(leaveNoSchema)
	default:
		f = f.left(leaveContent)
	}
	return []Finding{f}
}

func bodyMissing(e *Exchange) []Finding {
	if e.Response == nil || e.Response.BodyErr != nil || e.Response.Open {
		return nil
	}
	doc := e.Documented()
	if doc == nil || doc.NoBody != nil || e.bodyless() || len(e.Response.Body) > 0 || e.Response.Unseen {
		return nil
	}
	f := Finding{
		Clause: doc.MediaType, Message: status(e.Response.Status) + " has no body",
		Expected: doc.MediaType.Text, Actual: "no body",
	}
	switch empty, leave := doc.Empty(e.Response.Header.Get("Content-Type")); {
	case !empty:
		return []Finding{f}
	case leave != "":
		return []Finding{f.left(leave)}
	}
	return nil
}

func bodyMalformed(e *Exchange) []Finding {
	if e.Response == nil {
		return nil
	}
	if err := e.Response.BodyErr; err != nil {
		message := "the response body cannot be read: " + err.Error()
		return []Finding{{Clause: e.bodyClause(), Message: message, Expected: "a whole body", Actual: message}}
	}
	m := e.readAs()
	if m == nil || m.Syntax == nil {
		return e.looseJSON()
	}
	var found []Finding
	for _, v := range e.bodyViolations(m) {
		if v.Syntax {
			found = append(found, Finding{
				Clause: v.Clause, Message: fmt.Sprintf("%s: %s: %s", status(e.Response.Status), v.Message, clip(e.text())),
				Expected: v.Clause.Text, Actual: v.Message,
			}.left(v.Leave))
		}
	}
	return found
}

// looseJSON judges a body that calls itself JSON where the document does not
// say what is there, as in a 404 for an unknown path.
func (e *Exchange) looseJSON() []Finding {
	if e.Documented() != nil || e.isPart() || len(e.Response.Body) == 0 {
		return nil
	}
	t, err := mediatype.Parse(e.Response.Header.Get("Content-Type"))
	if err != nil || !t.JSON() {
		return nil
	}
	resp := e.legible()
	if resp == nil {
		return nil
	}
	if err := wellformed.JSON(resp.Body); err != nil {
		return []Finding{{
			Severity: Warning, Message: fmt.Sprintf("the Content-Type of %s says JSON, but the body %s: %s", status(e.Response.Status), err, clip(e.text())),
			Expected: "one JSON value", Actual: "the response body " + err.Error(),
		}}
	}
	return nil
}

func responseSchema(e *Exchange) []Finding {
	if e.Response == nil || e.Response.BodyErr != nil {
		return nil
	}
	m := e.readAs()
	if m == nil {
		return nil
	}
	var found []Finding
	for _, v := range e.bodyViolations(m) {
		if v.Syntax {
			continue
		}
		found = append(found, e.violated(v))
	}
	return found
}

// violated is the finding about a clause that the response breaks.
func (e *Exchange) violated(v contract.Violation) Finding {
	f := Finding{Clause: v.Clause, Message: fmt.Sprintf("%s: %s", status(e.Response.Status), v.Message), Actual: v.Message}
	if v.Clause != nil {
		f.Expected = v.Clause.Text
	}
	return f.left(v.Leave)
}

func responseHeader(e *Exchange) []Finding {
	if e.Response == nil {
		return nil
	}
	doc := e.Documented()
	if doc == nil {
		return nil
	}
	var found []Finding
	for _, v := range doc.CheckHeaders(e.Response) {
		found = append(found, e.violated(v))
	}
	for _, h := range doc.Headers {
		n := len(e.Response.Header.Values(h.Name))
		if n < 2 || h.Node.Allows("array") || slices.Contains(listed, http.CanonicalHeaderKey(h.Name)) {
			continue
		}
		f := Finding{
			Clause: h.Node.Clause("type"), Message: fmt.Sprintf("%s: header %s is given %d times (RFC 9110 §5.3)", status(e.Response.Status), h.Name, n),
			Expected: "one " + h.Name, Actual: fmt.Sprint(n),
		}
		if h.Node.Allows("string") && !slices.Contains(singular, http.CanonicalHeaderKey(h.Name)) {
			f.Severity = Warning // it may be defined as a list elsewhere
		}
		found = append(found, f)
	}
	return found
}

// listed are the header fields that are defined as lists, which may be given on
// several lines, and Set-Cookie (RFC 9110 §5.3).
var listed = []string{
	"Accept-Ranges", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Expose-Headers", "Allow", "Alt-Svc",
	"Cache-Control", "Connection", "Content-Encoding", "Content-Language", "Content-Security-Policy", "Link", "Pragma", "Proxy-Authenticate",
	"Server-Timing", "Set-Cookie", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Via", "Warning", "Www-Authenticate",
}

// singular are those that are defined as one value.
var singular = []string{
	"Access-Control-Allow-Origin", "Age", "Content-Disposition", "Content-Location", "Content-Range", "Date", "Etag", "Expires", "Last-Modified",
	"Location", "Retry-After", "Server",
}
