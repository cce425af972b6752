package judge

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Severity says whether the contract is broken, or whether the document and
// the RFCs leave it to the receiver.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one broken clause in one exchange.
type Finding struct {
	Check    string
	Severity Severity
	Clause   *contract.Clause
	Message  string // what is wrong, in one line
	Expected string
	Actual   string
	Leave    string // the sentence that leaves it to the receiver; empty where none does
}

// left returns the finding as a warning, with the sentence that leaves it open;
// as it is where there is no such sentence.
func (f Finding) left(sentence string) Finding {
	if sentence != "" {
		f.Severity = Warning
		f.Message += " (" + sentence + ")"
		f.Leave = sentence
	}
	return f
}

// Check is a named rule.
type Check struct {
	Name     string // stable: flags and baselines name it
	Doc      string // what it catches
	Severity string // when it is but a warning; empty: never
	Silent   string // when it stays silent
	Refs     string // where the rule stands
	run      func(*Exchange) []Finding
}

// OwnCheck is a check of the user: find says what is wrong with an answer that the operation
// has to give, a sentence for each.
func OwnCheck(name, doc string, severity Severity, find func(*Exchange) []string) Check {
	c := Check{Name: name, Doc: doc, Refs: "a check of the user's"}
	if severity == Warning {
		c.Severity = "always a warning"
	}
	c.run = func(e *Exchange) []Finding {
		if e.Response == nil || !e.ours() {
			return nil
		}
		var all []Finding
		for _, message := range find(e) {
			all = append(all, Finding{Severity: severity, Message: message, Expected: doc, Actual: strings.TrimSpace(fmt.Sprint(e.Response.Status, " ", http.StatusText(e.Response.Status)))})
		}
		return all
	}
	return c
}

// Exchange is what the checks look at.
type Exchange struct {
	*wire.Exchange
	Op     *contract.Operation
	Clause *contract.Clause // what the request is about
	Expect plan.Expect
	// Must is set where a request that keeps the contract has to be accepted:
	// every value in it is known to exist, or need not.
	Must  bool
	Wants string // the one media type that the request asks for
	// Nowhere is set where a value in the path may not exist on the target.
	Nowhere    bool
	Base       bool // the valid request that the others differ from
	Leave      string
	Credential bool
	// Authorized is set where a request with the credential of the run was
	// accepted.
	Authorized bool
	// Broken says which clauses the request breaks, where that is known from the
	// bytes alone (recorded exchanges).
	Broken []contract.Violation
	// Recorded is set where the request was not planned: a request that breaks
	// the contract is then worth a finding of its own.
	Recorded bool
	// Secrets are values that must not come back: the credentials sent.
	Secrets []string
	// Own are checks of the user, beside those of the registry.
	Own []Check
	// MaxTime is how long an answer may take; 0 is without a bound.
	MaxTime time.Duration

	documented *contract.Response
	media      *contract.Media
	disguised  []string // the secrets in the spellings in which they are looked for
	judged     bool
	violations []contract.Violation // of the body
}

// Documented returns what the operation documents for the status; nil where
// nothing, and for requests that are not the operation's.
func (e *Exchange) Documented() *contract.Response {
	if e.documented == nil && e.Response != nil && e.ours() {
		e.documented = e.Op.Response(e.Response.Status)
	}
	return e.documented
}

// ours reports whether the request is one that the operation has to answer, not
// one for a method or path that the document does not know.
func (e *Exchange) ours() bool {
	return e.Expect != plan.RefuseMethod && e.Expect != plan.RefusePath
}

// Judge runs the checks over an exchange.
func Judge(e *Exchange, skip func(check string) bool) []Finding {
	var all []Finding
	for _, checks := range [][]Check{Checks, e.Own} {
		for i := range checks {
			c := &checks[i]
			if skip != nil && skip(c.Name) {
				continue
			}
			for _, f := range c.run(e) {
				f.Check = c.Name
				if f.Severity == "" {
					f.Severity = Error
				}
				if f.Clause == nil {
					f.Clause = e.Op.StatusClause
				}
				all = append(all, f)
			}
		}
	}
	if len(all) > 0 && e.Op.Ambiguous(e.Request.Path()) {
		for i, f := range all {
			if f.Severity == Error && !slices.Contains(OfAny, f.Check) {
				all[i].Severity = Warning
				all[i].Message += " (" + leaveTemplates + ")"
			}
		}
	}
	return all
}

// leaveTemplates is why an answer may be that of another operation.
const leaveTemplates = "OpenAPI 3.0.3, Paths Object: the path matches two templates, and nothing says which of them counts"

// OfAny are the checks about what no operation may do, whatever it is asked.
var OfAny = []string{"connection", "server-error", "response-framing", "error-leak", Slow, "not-repeatable"}

// Recorded makes what the checks look at of an exchange that nobody planned:
// the operation is found by method and path, and whether the request keeps the
// contract is read off its bytes. It is nil for a path that the document does
// not have.
func Recorded(c *contract.Contract, x *wire.Exchange) *Exchange {
	op, known := c.Find(x.Request.Method, x.Request.Target)
	if op == nil {
		if !known {
			return nil
		}
		op = c.At(x.Request.Target)[0]
		return &Exchange{Exchange: x, Op: op, Clause: op.MethodClause, Expect: plan.RefuseMethod, Leave: plan.LeaveMethod(op, x.Request.Method), Recorded: true, Secrets: Secrets(op, x.Request)}
	}
	e := &Exchange{Exchange: x, Op: op, Clause: op.PathClause, Expect: plan.Accept, Recorded: true, Broken: op.CheckRequest(x.Request)}
	e.Secrets = Secrets(op, x.Request)
	for _, v := range e.Broken {
		// A clause that must be kept counts for more than one left to the receiver.
		if e.Expect == plan.Accept || e.Leave != "" && v.Leave == "" {
			e.Expect, e.Clause, e.Leave = plan.Refuse, v.Clause, v.Leave
		}
	}
	if e.Expect == plan.Accept && x.Request.Written && lacksAll(op, x.Request) {
		e.Expect, e.Clause = plan.RefuseCredential, op.AuthClause
	}
	return e
}

// Secrets lists the credentials that a request carries.
func Secrets(op *contract.Operation, r *wire.Request) []string {
	var all []string
	add := func(v string) {
		if len(v) >= 6 { // shorter ones turn up by chance
			all = append(all, v)
		}
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		for _, v := range r.Values(name) {
			for _, secret := range InAuthorization(v) {
				add(secret)
			}
		}
	}
	if op.Contract.Doc.Components == nil {
		return all
	}
	schemes := op.Contract.Doc.Components.SecuritySchemes
	for _, name := range slices.Sorted(maps.Keys(schemes)) {
		if ref := schemes[name]; ref != nil && ref.Value != nil && ref.Value.Type == "apiKey" {
			add(carried(r, ref.Value.In, ref.Value.Name))
		}
	}
	return all
}

// InAuthorization lists what is secret in a value of Authorization: all of it
// but the name of its scheme, which stands in challenges too (RFC 9110 §11.4),
// and of Basic what it is made of (RFC 7617 §2).
func InAuthorization(v string) []string {
	scheme, secret, ok := strings.Cut(v, " ")
	secret = strings.TrimSpace(secret)
	switch {
	case !ok && slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, v) }):
		return nil
	case !ok:
		return []string{v}
	case !strings.EqualFold(scheme, "Basic"):
		return []string{secret}
	}
	plain, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return []string{secret}
	}
	_, password, _ := strings.Cut(string(plain), ":")
	if strings.Trim(password, "abcdefghijklmnopqrstuvwxyz") == "" {
		return []string{secret} // a word that any text may have
	}
	return []string{secret, password}
}

// schemes are the names that a challenge and a credential have in common.
var schemes = []string{"Basic", "Bearer", "Digest", "DPoP", "HOBA", "Mutual", "Negotiate", "NTLM", "Token"}

// carried returns the value of a header, query parameter or cookie.
func carried(r *wire.Request, in, name string) string {
	switch in {
	case openapi3.ParameterInQuery:
		for pair := range strings.SplitSeq(r.RawQuery(), "&") {
			if key, v, _ := strings.Cut(pair, "="); key == name {
				if plain, err := url.QueryUnescape(v); err == nil {
					return plain
				}
			}
		}
	case openapi3.ParameterInCookie:
		cookies, err := http.ParseCookie(r.Get("Cookie"))
		for _, c := range cookies {
			if err == nil && c.Name == name {
				return c.Value
			}
		}
	case openapi3.ParameterInHeader:
		return r.Get(name)
	}
	return ""
}

func status(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprint(code)
}

// severity is Warning where the receiver may choose.
func (e *Exchange) severity() Severity {
	if e.Leave != "" {
		return Warning
	}
	return Error
}

// because ends a message with the reason why it is but a warning.
func (e *Exchange) because() string {
	if e.Leave == "" {
		return ""
	}
	return " (" + e.Leave + ")"
}

// clip shortens text from the target for a message, on one line.
func clip(b []byte) string {
	const most = 160
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "\uFFFD")), " ")
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
