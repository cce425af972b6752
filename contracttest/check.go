package contracttest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// Check is a rule of one's own. It is selected, reported and known by a baseline as the built-in
// ones are.
type Check struct {
	Name     string // small letters, digits and hyphens; none of the built-in ones has it
	Doc      string // what has to hold, in one sentence
	Severity string // of its findings: "error", or "warning"; empty is error
	// Judge says what is wrong with an answer, a sentence for each finding. It is called for
	// every answer to a request that the operation has to answer, at the same time too.
	Judge func(*Answer) []string
}

// Answer is what a Check looks at.
type Answer struct {
	Operation Operation
	// Valid is set where the request keeps the document, and nothing leaves it open.
	Valid    bool
	Request  *http.Request  // its body can be read
	Response *http.Response // as well
	Body     []byte         // of the response, out of its content coding
}

var checkName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Checks adds rules of one's own to those that the run makes.
func Checks(checks ...Check) Option {
	return func(o *options) error {
		for _, c := range checks {
			switch {
			case !checkName.MatchString(c.Name):
				return fmt.Errorf("check %q: want a name of small letters, digits and hyphens", c.Name)
			case slices.ContainsFunc(slices.Concat(judge.All(), o.checks), func(other judge.Check) bool { return other.Name == c.Name }):
				return fmt.Errorf("check %s: there is one of this name", c.Name)
			case c.Doc == "" || c.Judge == nil:
				return fmt.Errorf("check %s: want a sentence that says what has to hold, and a function", c.Name)
			case c.Severity != "" && c.Severity != string(judge.Error) && c.Severity != string(judge.Warning):
				return fmt.Errorf("check %s: severity: want error or warning, got %q", c.Name, c.Severity)
			}
			o.checks = append(o.checks, judge.OwnCheck(c.Name, c.Doc, judge.Severity(c.Severity), func(e *judge.Exchange) []string {
				return c.Judge(answerOf(e))
			}))
		}
		return nil
	}
}

func answerOf(e *judge.Exchange) *Answer {
	op := e.Op
	a := &Answer{Operation: Operation{ID: op.ID, Method: op.Method, Path: op.Path}, Valid: e.Expect == plan.Accept && e.Leave == ""}
	u, err := url.ParseRequestURI(e.Request.Target)
	if err != nil {
		u = &url.URL{Opaque: e.Request.Target}
	}
	a.Request = &http.Request{
		Method: e.Request.Method, URL: u, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(e.Request.Body)), ContentLength: int64(len(e.Request.Body)),
		RequestURI: e.Request.Target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	for _, f := range e.Request.Header {
		a.Request.Header.Add(f.Name, f.Value)
	}
	plain, err := judge.Content(e.Response)
	if err != nil { // as it came where it cannot be decoded
		plain = e.Response
	}
	a.Body = bytes.Clone(plain.Body)
	a.Response = &http.Response{
		Status: fmt.Sprintf("%d %s", e.Response.Status, http.StatusText(e.Response.Status)), StatusCode: e.Response.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.Response.Header.Clone(), Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)), Request: a.Request,
	}
	return a
}
