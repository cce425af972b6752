package traffic

import (
	"cmp"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/coverage"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/report"
)

// What an account keeps at most.
const (
	maxFindings = 4 << 20 // bytes of findings: an answer may have any status and media type
	maxKept     = 4 << 20 // bytes of exchanges
)

// Account is what all exchanges so far come to. It is safe for concurrent use, and bounded
// whatever passes.
type Account struct {
	contract *contract.Contract
	target   string // the base URL, or what else the exchanges are of
	words    []string

	mu       sync.Mutex
	began    time.Time
	findings []report.Finding
	index    map[findingKey]int
	bytes    int // of them
	more     int // findings for which there was no room
	judged   int
	unseen   int
	seen     map[*contract.Operation]bool
	coverage coverage.Account
	sample   *run.Sample
}

type findingKey struct{ id, severity string }

func newAccount(c *contract.Contract, target string, words []string) *Account {
	return &Account{
		contract: c, target: target, words: words, began: time.Now(), index: map[findingKey]int{}, seen: map[*contract.Operation]bool{},
		coverage: coverage.Account{}, sample: run.NewSample(maxKept),
	}
}

// add enters an exchange; name says where it is recorded, if it is.
func (a *Account) add(x *examined, name string) {
	e := x.of
	if e == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.judged++
	a.seen[e.Op] = true
	if e.Request.Unseen || e.Response != nil && e.Response.Unseen {
		a.unseen++
	}
	for _, f := range x.findings {
		f.Case.ID = name
		key := findingKey{f.ID, f.Severity}
		i, ok := a.index[key]
		switch {
		case ok:
			a.findings[i].Count++
		case a.bytes+weight(&f) <= maxFindings:
			a.bytes += weight(&f)
			a.index[key] = len(a.findings)
			a.findings = append(a.findings, f)
		default:
			a.more++
		}
	}
	a.cover(e)
	a.keep(x, name)
}

// weight is about how many bytes a finding takes.
func weight(f *report.Finding) int {
	const fields = 512
	return fields + len(f.Message) + len(f.Expected) + len(f.Actual) + len(f.MediaType) + len(f.Request) + len(f.Answer) + len(f.Case.ID)
}

// cover enters what an exchange shows of the clauses.
func (a *Account) cover(e *judge.Exchange) {
	if e.Response == nil || e.Expect == plan.RefuseMethod {
		if e.Response != nil && e.Refuses() {
			a.coverage.Broken(e.Clause)
		}
		return
	}
	switch {
	case e.Expect == plan.Accept && judge.Accepts(e.Op, e.Response.Status):
		a.coverage.Request(e.Op, e.Request)
	case len(e.Broken) == 1 && e.Refuses():
		a.coverage.Broken(e.Broken[0].Clause)
	}
	if plain, err := judge.Content(e.Response); err == nil {
		a.coverage.Response(e.Op, plain)
	}
}

// keep keeps the exchange for the reports, if it shows something new.
func (a *Account) keep(x *examined, name string) {
	e := x.of
	about := e.Op.StatusClause.Name
	if e.Response != nil {
		about = e.Op.ID + " " + strconv.Itoa(e.Response.Status)
	}
	wanted := len(x.findings) == 0 && a.sample.Wants(about, len(e.Broken) > 0)
	if !wanted && !a.sample.Misses(x.findings) {
		return
	}
	shown := run.Shot(e.Exchange, base(a.target), secret.InExchange(e, a.words))
	shown.Case, shown.Operation, shown.Clause, shown.Leave = name, e.Op.ID, e.Op.StatusClause.Name, e.Leave
	if e.Clause != nil {
		shown.Clause = e.Clause.Name
	}
	shown.Breaks, shown.Expect = e.Expect != plan.Accept, run.Expected[e.Expect]
	a.sample.Add(shown, x.findings, wanted)
}

// base is the scheme and the host of the target, as a command has it.
func base(target string) string {
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	return "http://HOST"
}

// report is what there is at the moment.
func (a *Account) report(counts *counts) *report.Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.contract
	rep := &report.Report{
		Version: report.Version, Spec: c.File, Target: cmp.Or(a.target, "others"), Tool: run.ToolVersion(), Findings: append([]report.Finding{}, a.findings...),
		Traffic: &report.Traffic{
			Judged: a.judged, Unseen: a.unseen, Outside: int(counts.outside.Load()), Upgraded: int(counts.upgraded.Load()), Refused: int(counts.refused.Load()), Unjudged: int(counts.unjudged.Load()),
		},
		Stats: report.Stats{
			Operations: len(a.seen), Exchanges: a.judged, Started: a.began.UTC().Format(time.RFC3339), Seconds: time.Since(a.began).Seconds(), DocumentFaults: c.Faults(),
		},
		Exchanges: a.sample.All(), Sources: c.Sources, Rules: run.Rules(judge.Checks), Warnings: append([]string{}, c.Warnings...),
	}
	rep.Coverage = run.Covered(c, a.coverage, run.Why{
		Chosen: func(*contract.Clause) bool { return true },
		Beyond: (*contract.Clause).Unjudged,
		Untried: func(cl *contract.Clause) string {
			switch {
			case cl.Unjudged():
				return cl.Unplanned
			case cl.Side == contract.ResponseSide:
				return report.NoResponse
			}
			return "no request had it"
		},
	})
	for _, u := range c.Undriven {
		rep.Coverage.Unreached = append(rep.Coverage.Unreached, report.Unreached{Clause: u.Name, Reason: u.Reason})
	}
	for _, op := range c.Operations {
		if a.seen[op] {
			rep.Operations = append(rep.Operations, report.Operation{Operation: op.ID, Method: op.Method, Path: op.Path})
		}
	}
	if a.judged == 0 {
		rep.Inconclusive = append(rep.Inconclusive, "no exchange was judged, so nothing is known")
	}
	if a.more > 0 {
		rep.Warnings = append(rep.Warnings, "there are more findings than are kept: those that came last are left out")
	}
	rep.Sort()
	return rep
}
