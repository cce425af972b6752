package run

import (
	"net/http"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
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

// Sample is what is kept of exchanges: those with findings, and a few of each
// clause. It is chosen in their order, so that the same run keeps the same.
type Sample struct {
	others, failing int
	bytes, most     int
	byClause        map[clauseUse]int
	byFinding       map[findingKey]int
	exchanges       []report.Exchange
}

// NewSample returns a sample that has no more than so many bytes, of which half is for exchanges
// with findings.
func NewSample(most int) *Sample {
	return &Sample{most: most, byClause: map[clauseUse]int{}, byFinding: map[findingKey]int{}}
}

type clauseUse struct {
	clause string
	breaks bool
}

// wants says whether to keep the exchange of a case that has no finding. It is
// asked in the order of the plan.
func (s *Sample) wants(c *plan.Case) bool { return s.Wants(c.Clause.Name, c.Expect != plan.Accept) }

// Wants says whether to keep an exchange without a finding that is about this, and breaks it or not.
func (s *Sample) Wants(about string, breaks bool) bool {
	use := clauseUse{about, breaks}
	if s.others >= maxOthers || s.byClause[use] >= maxPerClause {
		return false
	}
	s.byClause[use]++
	s.others++
	return true
}

// Misses reports whether there is room for an exchange with one of these findings.
func (s *Sample) Misses(findings []report.Finding) bool {
	return slices.ContainsFunc(findings, func(f report.Finding) bool { return s.byFinding[keyOf(f)] < maxPerFinding && s.failing < maxFailing })
}

// Add keeps an exchange with its findings, if it is wanted anyway or there is
// room for more of them.
func (s *Sample) Add(x *report.Exchange, findings []report.Finding, wanted bool) {
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
	most := s.most
	if len(findings) == 0 {
		most /= 2
	}
	if s.bytes+weight(x) > most {
		return
	}
	s.bytes += weight(x)
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

// All returns what is kept, those with findings first.
func (s *Sample) All() []report.Exchange {
	all := slices.Clone(s.exchanges)
	slices.SortStableFunc(all, func(a, b report.Exchange) int {
		return min(1, len(b.Findings)) - min(1, len(a.Findings))
	})
	return all
}

// shot is the exchange of a case as a report shows it.
func (r *runner) shot(c *plan.Case, x *wire.Exchange) *report.Exchange {
	out := Shot(x, r.curlBase, notMadeUp(append(r.secrets(c.Op, x.Request), r.redacted(c.Op, x)...)), wrongIn(c.Op, c.Expect)...)
	out.Case, out.Operation, out.Clause, out.Breaks, out.Expect, out.Leave = c.ID, c.Op.ID, c.Clause.Name, c.Expect != plan.Accept, Expected[c.Expect], c.Leave
	return out
}

// Shot is an exchange as a report shows it: bounded, and without secrets. base is the scheme and
// the host for its command, wrong names the headers with wrong credentials.
func Shot(x *wire.Exchange, base string, secrets []string, wrong ...string) *report.Exchange {
	masked := secret.Mask(secrets, wrong)
	out := &report.Exchange{
		Method: x.Request.Method, Target: secret.Hide(secret.Clip(x.Request.Target, maxRequestText), secrets),
		Curl: secret.Hide(wire.Curl(x.Request, base, masked), secrets), Started: x.Started,
	}
	for _, f := range x.Request.Header {
		out.Request.Header = append(out.Request.Header, report.Header{Name: f.Name, Value: secret.Hide(secret.Clip(masked(f.Name, f.Value), maxRequestText), secrets)})
	}
	if out.Request.Size = len(x.Request.Body); x.Request.Unseen {
		out.Request.Size = -1
	}
	out.Request.Body = secret.Hide(secret.Clip(string(x.Request.Body), maxRequestText), secrets)
	if x.Err != nil {
		out.Error = secret.Hide(x.Err.Error(), secrets)
	}
	if x.Response == nil {
		return out
	}
	out.Status, out.Elapsed = x.Response.Status, x.Response.Elapsed
	names := make([]string, 0, len(x.Response.Header))
	for name := range x.Response.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range x.Response.Header[name] {
			if secret.IsName(name) && http.CanonicalHeaderKey(name) != "Www-Authenticate" {
				v = secret.Hidden
			}
			out.Response.Header = append(out.Response.Header, report.Header{Name: name, Value: secret.Hide(secret.Clip(v, maxAnswerText), secrets)})
		}
	}
	if out.Response.Size = len(x.Response.Body); x.Response.Unseen {
		out.Response.Size = -1
	}
	plain, _ := judge.Content(x.Response) // as it came where it cannot be decoded
	out.Response.Body = secret.Hide(secret.Clip(string(plain.Body), maxAnswerText), secrets)
	if x.Response.BodyErr != nil {
		out.Error = secret.Hide(x.Response.BodyErr.Error(), secrets)
	}
	return out
}

// Rules describes checks for reports.
func Rules(checks []judge.Check) []report.Rule {
	var all []report.Rule
	for _, c := range checks {
		all = append(all, report.Rule{Name: c.Name, Doc: c.Doc, Severity: c.Severity, Silent: c.Silent, Refs: c.Refs})
	}
	return all
}
