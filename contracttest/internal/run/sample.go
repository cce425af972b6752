package run

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// How much of a run's exchanges is kept for its reports.
const (
	maxPerFinding  = 3        // exchanges of one finding
	maxPerClause   = 2        // others that keep a clause, and others that break it
	maxFailing     = 2000     // in all, with findings
	maxOthers      = 4000     // in all, without
	maxShown       = 64 << 20 // bytes in all
	maxRequestText = 4 << 10
	maxAnswerText  = 8 << 10
)

// sample is what is kept of the exchanges: those with findings, and a few of each
// clause. It is chosen in the order of the plan, so that the same run keeps the same.
type sample struct {
	others, failing int
	bytes           int
	byClause        map[clauseUse]int
	byFinding       map[findingKey]int
	exchanges       []report.Exchange
}

func newSample() *sample {
	return &sample{byClause: map[clauseUse]int{}, byFinding: map[findingKey]int{}}
}

type clauseUse struct {
	clause string
	breaks bool
}

// wants says whether to keep the exchange of a case that has no finding. It is
// asked in the order of the plan.
func (s *sample) wants(c *plan.Case) bool {
	use := clauseUse{c.Clause.Name, c.Expect != plan.Accept}
	if s.others >= maxOthers || s.byClause[use] >= maxPerClause {
		return false
	}
	s.byClause[use]++
	s.others++
	return true
}

// add keeps an exchange with its findings, if it is wanted anyway or there is
// room for more of them.
func (s *sample) add(x *report.Exchange, findings []report.Finding, wanted bool) {
	if x == nil {
		return
	}
	fresh := wanted
	for _, f := range findings {
		key := keyOf(f)
		if s.byFinding[key] < maxPerFinding && s.failing < maxFailing {
			fresh = true
		}
		s.byFinding[key]++
		x.Findings = append(x.Findings, report.Found{Check: f.Check, Severity: f.Severity, Clause: f.Clause, Message: f.Message})
	}
	if !fresh {
		return
	}
	if s.bytes += weight(x); s.bytes > maxShown {
		return
	}
	if len(findings) > 0 {
		s.failing++
	}
	s.exchanges = append(s.exchanges, *x)
}

// weight is about how many bytes an exchange takes in a report.
func weight(x *report.Exchange) int {
	n := len(x.Target) + len(x.Curl) + len(x.Request.Body) + len(x.Response.Body)
	for _, h := range slices.Concat(x.Request.Header, x.Response.Header) {
		n += len(h.Name) + len(h.Value)
	}
	return n
}

// all returns what is kept, those with findings first.
func (s *sample) all() []report.Exchange {
	slices.SortStableFunc(s.exchanges, func(a, b report.Exchange) int {
		return min(1, len(b.Findings)) - min(1, len(a.Findings))
	})
	return s.exchanges
}

// shot is an exchange as a report shows it: bounded, and without secrets.
func (r *runner) shot(c *plan.Case, x *wire.Exchange) *report.Exchange {
	secrets := append(r.secrets(c.Op, x.Request), r.redacted(c.Op, x)...)
	masked := mask(secrets)
	out := &report.Exchange{
		Case: c.ID, Operation: c.Op.ID, Clause: c.Clause.Name, Breaks: c.Expect != plan.Accept, Expect: Expected[c.Expect], Leave: c.Leave,
		Method: x.Request.Method, Target: hide(Clip(x.Request.Target, maxRequestText), secrets),
		Curl: hide(wire.Curl(x.Request, r.curlBase, masked), secrets),
	}
	for _, f := range x.Request.Header {
		out.Request.Header = append(out.Request.Header, report.Header{Name: f.Name, Value: hide(Clip(masked(f.Name, f.Value), maxRequestText), secrets)})
	}
	out.Request.Size = len(x.Request.Body)
	out.Request.Body = hide(Clip(string(x.Request.Body), maxRequestText), secrets)
	if x.Err != nil {
		out.Error = hide(x.Err.Error(), secrets)
	}
	if x.Response == nil {
		return out
	}
	out.Status = x.Response.Status
	names := make([]string, 0, len(x.Response.Header))
	for name := range x.Response.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range x.Response.Header[name] {
			if isSecretName(name) && http.CanonicalHeaderKey(name) != "Www-Authenticate" {
				v = hidden
			}
			out.Response.Header = append(out.Response.Header, report.Header{Name: name, Value: hide(Clip(v, maxAnswerText), secrets)})
		}
	}
	out.Response.Size = len(x.Response.Body)
	plain, _ := judge.Content(x.Response) // as it came where it cannot be decoded
	out.Response.Body = hide(Clip(string(plain.Body), maxAnswerText), secrets)
	if x.Response.BodyErr != nil {
		out.Error = hide(x.Response.BodyErr.Error(), secrets)
	}
	return out
}

// Clip cuts a text, between characters where it is UTF-8.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + cutMark
}

// rules describes the checks for reports.
func rules(checks []judge.Check) []report.Rule {
	var all []report.Rule
	for _, c := range checks {
		all = append(all, report.Rule{Name: c.Name, Doc: c.Doc, Severity: c.Severity, Silent: c.Silent, Refs: c.Refs})
	}
	return all
}
