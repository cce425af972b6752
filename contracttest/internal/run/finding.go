package run

import (
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/match"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Expected says in words what the contract expects in return.
var Expected = map[plan.Expect]string{
	plan.Accept: "a documented success", plan.Refuse: "a documented refusal", plan.RefuseMethod: "405, 404 or 501",
	plan.RefusePath: "a refusal", plan.RefuseCredential: "401 or 403",
}

// Place is where a clause stands in the document.
func Place(c *contract.Contract, cl *contract.Clause) report.Place {
	if cl == nil {
		return report.Place{File: c.File}
	}
	p := report.Place{File: cl.Place.File, Line: cl.Place.Line, Column: cl.Place.Column, Pointer: cl.Place.Pointer}
	if p.File == "" {
		p.File = c.File
	}
	return p
}

// Finding makes a finding for reports of one of the judge's: without secrets,
// and with a curl command where base, the scheme and the host, is given.
func Finding(e *judge.Exchange, f judge.Finding, base, name string) report.Finding {
	secrets := notMadeUp(e.Secrets)
	out := report.Finding{
		Operation: e.Op.ID, Check: f.Check, Severity: string(f.Severity), Place: Place(e.Op.Contract, f.Clause),
		Message: secret.Hide(f.Message, secrets), Expected: secret.Hide(f.Expected, secrets), Actual: secret.Hide(f.Actual, secrets), Count: 1,
		Case: report.Case{ID: name}, Leave: f.Leave, Request: inShort(e.Request, secrets),
	}
	if e.Response != nil {
		a := answerOf(e.Exchange)
		out.Status, out.MediaType, out.Answer = a.status, a.kind, glimpse(string(e.Response.Body), secrets)
	}
	if f.Clause != nil {
		out.Clause = f.Clause.Name
	}
	if base != "" {
		out.Curl = secret.Hide(wire.Curl(e.Request, base, secret.Mask(secrets, wrongIn(e.Op, e.Expect))), secrets)
	}
	return out
}

// maxGlimpse is how many bytes of a body a finding has: enough to read what a server
// says.
const maxGlimpse = 400

// glimpse is the beginning of a body without secrets. A secret must not be cut before
// it is looked for.
func glimpse(body string, secrets []string) string {
	return secret.Clip(secret.Hide(secret.Clip(body, maxRequestText), secrets), maxGlimpse)
}

// inShort is a request in one line: its method, target and the beginning of its body.
func inShort(r *wire.Request, secrets []string) string {
	line := r.Method + " " + glimpse(r.Target, secrets)
	if len(r.Body) > 0 {
		line += " " + glimpse(string(r.Body), secrets)
	}
	return line
}

// noHost stands for the host of a target that has none.
const noHost = "http://HOST"

// curlBase is the scheme and the host of curl commands.
func curlBase(target send.Target) string {
	scheme, rest, ok := strings.Cut(target.String(), "://")
	if !ok {
		return noHost
	}
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// findingKey is the identity of a finding: more of the same are a count. One in an
// answer of another status or media type is not the same.
type findingKey struct {
	operation, check, severity, clause string
	status                             int
	kind                               string
}

func keyOf(f report.Finding) findingKey {
	return findingKey{f.Operation, f.Check, f.Severity, f.Clause, f.Status, f.MediaType}
}

// enter adds a finding, or counts it where the same was found before. Of an operation that is only
// sent requests for the sake of others, the run that is about it tells.
func (r *runner) enter(f report.Finding) {
	if !r.selection.has(f.Operation) {
		return
	}
	f.Case.Seed = r.opts.Seed
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.index[keyOf(f)]; ok {
		r.report.Findings[i].Count++
		return
	}
	r.index[keyOf(f)] = len(r.report.Findings)
	r.report.Findings = append(r.report.Findings, f)
	if r.opts.FailFast && r.fails(f) {
		r.stop(errFailFast)
	}
}

// fails reports whether a finding fails the run.
func (r *runner) fails(f report.Finding) bool {
	for _, s := range r.opts.Severities {
		if match.Name(s.Check, f.Check) {
			f.Severity = s.Severity
		}
	}
	f.ID = report.ID(f)
	return (f.Severity == report.Error || slices.Contains(r.opts.FailOn, report.Warning)) && (r.opts.Baseline == nil || !r.opts.Baseline.Has(f))
}
