package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"go/format"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

var (
	//go:embed gotest/findings.go.tmpl
	goTestText string

	goTest = template.Must(template.New("findings").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(goTestText))
)

// GoTest writes the findings as a test in Go that needs net/http alone: it sends the request of
// each again, and fails where the answer is as it was. A finding that one request does not show,
// or of which the report does not have the whole, is named in a comment. Known ones are left out.
func GoTest(w io.Writer, r *Report) error {
	data := goTestData{Spec: oneComment(r.Spec), Base: "http://127.0.0.1:8080"}
	if u, err := url.Parse(r.Target); err == nil && u.Host != "" {
		data.Base = u.Scheme + "://" + u.Host
	}
	for _, f := range r.Findings {
		if f.Known != nil {
			continue
		}
		one, why := goFindingOf(r, f)
		if why != "" {
			data.Left = append(data.Left, goLeft{f.ID, oneComment(fmt.Sprintf("%s: %s", f.Clause, f.Message)), why})
			continue
		}
		data.Findings = append(data.Findings, one)
	}
	var b bytes.Buffer
	if err := goTest.Execute(&b, data); err != nil {
		return fmt.Errorf("go report: %w", err)
	}
	text, err := format.Source(b.Bytes())
	if err != nil {
		return fmt.Errorf("go report: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("go report: %w", err)
	}
	return nil
}

type (
	goTestData struct {
		Spec, Base string
		Findings   []goFinding
		Left       []goLeft
	}
	goFinding struct {
		ID, Check, Clause, Message, Expected string
		Method, Target, Body                 string
		Warning                              bool
		Header                               []Header
		Secrets                              []string // names of headers whose values are left to the environment
		Status                               int
		Compare                              string // what of the answer has to be another one
		Name, Was                            string
	}
	goLeft struct{ ID, What, Why string }
)

// What of an answer a test looks at.
const (
	goStatus = "status" // whatever else
	goHeader = "header" // the header Name has the value Was
	goBody   = "body"   // a body of the same shape
)

var (
	byStatus = map[string]string{
		checkConnection: goStatus, checkUndocumentedStatus: goStatus, "redirect": goStatus,
		checkServerError: "failure", checkValidRefused: "refusal",
		checkInvalidAccepted: "success", checkUndocumentedMethod: "success", checkUndocumentedPath: "success", checkSecurityIgnored: "success",
	}
	byBody = []string{checkSchema, checkMalformed, "response-body-unexpected", "response-body-missing", checkErrorLeak}
	// byValue are keywords of which the shape of a body says nothing.
	byValue = []string{
		"maxLength", "minLength", "enum", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "minItems", "maxItems", "uniqueItems",
	}
)

// goFindingOf says how a finding is shown again, or why it is not.
func goFindingOf(r *Report, f Finding) (one goFinding, why string) {
	i := slices.IndexFunc(r.Exchanges, func(x Exchange) bool {
		return x.Case == f.Case.ID && x.Status == f.Status && slices.ContainsFunc(x.Findings, func(o Found) bool { return o.Check == f.Check && o.Clause == f.Clause })
	})
	if i < 0 {
		return one, "it takes more than one request"
	}
	x := r.Exchanges[i]
	one = goFinding{
		ID: f.ID, Check: f.Check, Warning: f.Severity == Warning, Clause: readable(f.Clause), Message: readable(f.Message), Expected: readable(f.Expected),
		Method: x.Method, Target: x.Target, Body: x.Request.Body, Status: x.Status,
	}
	keyword := f.Clause[strings.LastIndexByte(f.Clause, '/')+1:]
	switch {
	case byStatus[f.Check] == "success" && f.Status >= http.StatusMultipleChoices:
		one.Compare = goStatus
	case byStatus[f.Check] != "":
		one.Compare = byStatus[f.Check]
	case f.Check == checkMediaType:
		one.Compare, one.Name = goHeader, "Content-Type"
	case f.Check == checkAllowHeader:
		one.Compare, one.Name = goHeader, "Allow"
	case slices.Contains(byBody, f.Check) && slices.Contains(byValue, keyword):
		return one, "it is about a value of the response"
	case slices.Contains(byBody, f.Check):
		one.Compare, one.Was = goBody, x.Response.Body
		if len(x.Response.Body) != x.Response.Size {
			return one, "its response is too long"
		}
	default:
		return one, "one response alone does not show it"
	}
	for _, h := range x.Response.Header {
		if strings.EqualFold(h.Name, one.Name) && one.Was == "" {
			one.Was = h.Value
		}
	}
	for _, h := range x.Request.Header {
		switch name := strings.ToLower(h.Name); {
		case name == "content-length", name == "connection", name == "transfer-encoding":
		case !isToken(h.Name) || strings.ContainsAny(h.Value, "\r\n\x00"):
			return one, "net/http does not send its header"
		case strings.Contains(h.Value, masked), h.Value == "$"+strings.ToUpper(strings.ReplaceAll(h.Name, "-", "_")):
			if f.Check == checkSecurityIgnored {
				return one, "its request has a wrong credential, made of a secret"
			}
			one.Secrets = append(one.Secrets, h.Name)
		default:
			one.Header = append(one.Header, h)
		}
	}
	switch {
	case len(x.Request.Body) != x.Request.Size:
		return one, "its request is too long, or has a secret"
	case strings.Contains(x.Target, masked):
		return one, "its request has a secret"
	case !isToken(x.Method) || !strings.HasPrefix(x.Target, "/") || strings.HasPrefix(x.Target, "//") ||
		strings.ContainsFunc(x.Target, func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }):
		return one, "net/http does not send its request line"
	}
	return one, ""
}

// masked stands for a secret in reports.
const masked = "***"

// isToken reports whether net/http takes a name of a method or header.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// oneComment is a text that does not end its line.
func oneComment(s string) string {
	return cmp.Or(strings.Join(strings.Fields(readable(s)), " "), "-")
}
