package contracttest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/coverage"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// ErrUnreachable is returned by Run for a target that takes no connection.
var ErrUnreachable = send.ErrRefused

// Run plans the contract, sends every case to the target and judges the
// answers. The error is nil whatever was found; it says why the run could not
// be done.
func Run(ctx context.Context, c *Contract, target Target, opts ...Option) (*Report, error) {
	cfg, flt, err := c.selection(opts)
	if err != nil {
		return nil, err
	}
	if err := checkValues(c.c, cfg.known); err != nil {
		return nil, err
	}
	if target.err != nil {
		return nil, target.err
	}
	if target.t == nil {
		return nil, errors.New("no target: want contracttest.Handler or contracttest.URL")
	}
	r := &runner{
		contract: c, cfg: cfg, filter: flt, target: target.t, account: coverage.Account{}, base: c.c.BasePath,
		skipped: map[*contract.Clause]string{}, free: map[string]bool{}, index: map[findingKey]int{},
		sample:   sample{byClause: map[clauseUse]int{}, byFinding: map[findingKey]int{}},
		accepted: map[*contract.Operation]bool{}, lasting: map[*contract.Operation]bool{}, latched: map[*contract.Operation]bool{}, endless: map[*contract.Operation]*endings{},
	}
	defer target.t.Close()
	return r.run(ctx)
}

type runner struct {
	contract *Contract
	cfg      *config
	filter   *filter
	target   send.Target
	base     string
	limiter  *rate.Limiter
	account  coverage.Account
	plan     *planned
	report   *Report

	skipped   map[*contract.Clause]string  // why a planned case was not sent
	free      map[string]bool              // nodes whose values need not exist, by operation and path
	accepted  map[*contract.Operation]bool // whether the valid request was accepted
	lasting   map[*contract.Operation]bool // whether it was accepted a second time too
	latched   map[*contract.Operation]bool // whether it was found to be refused since
	endless   map[*contract.Operation]*endings
	hung      atomic.Int32 // answers of any operation that were late
	answered  atomic.Bool  // whether an answer came to its end
	index     map[findingKey]int
	sample    sample
	exchanges atomic.Int64
	reached   bool

	mu   sync.Mutex // guards done, and account while cases are sent
	done int
}

// findingKey is the identity of a finding: more of the same are a count.
type findingKey struct{ operation, check, severity, clause string }

// endings counts answers that did not come to an end.
type endings struct{ late, large atomic.Int32 }

// How often an operation may hang, or answer without an end, before the rest of
// it is left; and how often a target may hang that has never answered.
const (
	maxEndless = 2
	maxHung    = 8
)

func (r *runner) run(ctx context.Context) (*Report, error) {
	start := time.Now()
	if r.cfg.budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.cfg.budget, errBudget)
		defer cancel()
	}
	if r.cfg.rate > 0 {
		r.limiter = rate.NewLimiter(rate.Limit(r.cfg.rate), 1)
	}
	if path, ok := r.target.BasePath(); ok {
		r.base = path
	}
	if r.cfg.basePath != nil {
		r.base = *r.cfg.basePath
	}
	for _, op := range r.contract.c.Operations {
		r.endless[op] = &endings{}
	}
	opts := plan.Options{Known: r.cfg.known, Seed: r.cfg.seed, Random: r.cfg.random, BasePath: r.base, Want: r.filter.clause}
	opts.Learned = r.discover(ctx, opts)
	r.plan = makePlan(ctx, r.contract.c, opts, func(c *plan.Case) bool { return r.filter.caseID(c.ID) })
	if id := r.filter.unknownCase(r.plan); id != "" && ctx.Err() == nil {
		return nil, fmt.Errorf("%q names no case of its clause in a plan with the seed %d and %d random cases", id, r.cfg.seed, r.cfg.random)
	}
	r.report = &Report{
		Version: report.Version, Spec: r.contract.c.File, Target: r.target.String(), Seed: r.cfg.seed,
		Warnings: slices.Clone(r.contract.c.Warnings), Findings: []Finding{},
	}
	for _, taking := range []bool{false, true} {
		if err := r.stages(ctx, taking); err != nil {
			return nil, err
		}
		if !r.filter.oneCase() {
			r.framing(ctx, taking)
			if !r.filter.skipCheck(judge.NotRepeatable.Name) {
				r.repeat(ctx, taking)
			}
		}
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errBudget) {
		return nil, fmt.Errorf("stopped: %w", context.Cause(ctx))
	}
	r.finish(time.Since(start))
	return r.report, nil
}

var errBudget = errors.New("the budget ran out")

// outcome is what came of a case, without the body of the response: a run holds
// no more bodies than it has workers.
type outcome struct {
	skipped  string // why it was not sent
	err      error  // why there was no response
	status   int    // 0: no response
	accepted bool   // a documented success
	must     bool
	findings []Finding
	shot     *report.Exchange // what a report shows of it, nil where it is not to be kept
	wanted   bool             // the report has it whatever came of it
}

func (o outcome) class() int { return o.status / 100 }

// stages sends the cases of one stage after the other, and enters what came of
// them in the order of the plan, so that the report does not depend on who
// answered first. What is sent before the valid request is entered after it: what
// a refusal shows depends on that.
func (r *runner) stages(ctx context.Context, taking bool) error {
	type sent struct {
		cases    []*plan.Case
		outcomes []outcome
	}
	var early []sent
	valid := false
	enter := func(all ...sent) {
		for _, s := range all {
			for i, c := range s.cases {
				r.conclude(ctx, c, s.outcomes[i])
			}
		}
	}
	for cases := range r.plan.stages(taking) {
		s := sent{cases, r.attempts(ctx, cases)}
		first := cases[0]
		if first.Phase == plan.Basics && first.Expect == plan.Accept {
			valid = true
			if err := unreachable(s.outcomes); err != nil && !r.reached {
				return err
			}
			r.reached = true // what is out of reach from now on is a finding
			r.learn(ctx, cases, s.outcomes)
		}
		switch {
		case !valid:
			early = append(early, s)
			continue
		case first.Phase != plan.Basics:
			enter(early...)
			early = nil
		}
		enter(s)
	}
	enter(early...)
	return nil
}

// attempt sends a case and judges the answer, unless there is a reason not to.
func (r *runner) attempt(ctx context.Context, c *plan.Case, keep bool) outcome {
	reason := r.stopped(ctx, c.Op)
	if c.Alter != nil && !slices.ContainsFunc(r.cfg.headers, func(h header) bool { return slices.Contains(c.Own, strings.ToLower(h.name)) }) {
		reason = "the run gives no credential (--header 'NAME: VALUE')"
	}
	if reason != "" {
		return outcome{skipped: reason}
	}
	defer r.progress()
	x := r.send(ctx, c)
	o := r.judge(ctx, c, x)
	if o.skipped == "" && (keep || len(o.findings) > 0) {
		o.shot, o.wanted = r.shot(c, x), keep
	}
	return o
}

func (r *runner) progress() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.cfg.progress != nil && r.done%16 == 0 {
		r.cfg.progress(Progress{Done: r.done, Total: r.plan.total, Findings: len(r.report.Findings)})
	}
}

func unreachable(outcomes []outcome) error {
	var last error
	for _, o := range outcomes {
		if !errors.Is(o.err, send.ErrRefused) {
			return nil
		}
		last = o.err
	}
	return last
}

// stopped says why no more cases of an operation are sent.
func (r *runner) stopped(ctx context.Context, op *contract.Operation) string {
	if ctx.Err() != nil {
		return context.Cause(ctx).Error()
	}
	switch of := r.endless[op]; {
	case of.late.Load() >= maxEndless:
		return fmt.Sprintf("the operation gave no answer in time %d times", maxEndless)
	case of.late.Load()+of.large.Load() >= maxEndless:
		return fmt.Sprintf("the operation gave an answer without an end %d times", maxEndless)
	case !r.answered.Load() && r.hung.Load() >= maxHung:
		return fmt.Sprintf("the target gave no answer in time %d times, and no other", maxHung)
	}
	return ""
}

// send carries one case to the target.
func (r *runner) send(ctx context.Context, c *plan.Case) *wire.Exchange {
	return r.exchange(ctx, c.Op, r.dressed(c))
}

// dressed is the case's request with the headers of the run.
func (r *runner) dressed(c *plan.Case) *wire.Request {
	if len(r.cfg.headers) == 0 {
		return c.Request
	}
	req := c.Request.Clone()
	added := map[string]bool{}
	for _, h := range r.cfg.headers {
		name := strings.ToLower(h.name)
		own := slices.Contains(c.Own, name)
		switch {
		case own && c.Alter != nil:
			h.value = c.Alter(h.value)
		case own:
			continue
		case name == "cookie" && req.Get(h.name) != "": // there is one line of them (RFC 6265 §5.4)
			req.Set(h.name, req.Get(h.name)+"; "+h.value)
			continue
		case !added[name] && req.Get(h.name) != "":
			continue
		}
		added[name] = true
		req.Add(h.name, h.value)
	}
	return req
}

func (r *runner) exchange(ctx context.Context, op *contract.Operation, req *wire.Request) *wire.Exchange {
	return r.exchangeBy(ctx, op, req, r.target.Do)
}

// exchangeBy sends a request by one of the target's ways.
func (r *runner) exchangeBy(ctx context.Context, op *contract.Operation, req *wire.Request,
	do func(context.Context, *wire.Request, func(*http.Request) error) (*wire.Response, error),
) *wire.Exchange {
	x := &wire.Exchange{Request: req}
	if r.limiter != nil {
		if err := r.limiter.Wait(ctx); err != nil {
			x.Err = err
			return x
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.timeout)
	defer cancel()
	r.exchanges.Add(1)
	x.Response, x.Err = do(ctx, req, r.cfg.prepare)
	err := x.Err
	if x.Response != nil {
		err = x.Response.BodyErr
	}
	switch {
	case errors.Is(err, send.ErrTimeout):
		r.endless[op].late.Add(1)
		r.hung.Add(1)
	case errors.Is(err, send.ErrTooLarge):
		r.endless[op].large.Add(1)
	case err == nil:
		r.answered.Store(true)
	}
	return x
}

// learn takes from the first phase what the later ones are judged by: whether
// the valid request is accepted, and for which nodes any value is.
func (r *runner) learn(ctx context.Context, cases []*plan.Case, outcomes []outcome) {
	for i, c := range cases {
		if !outcomes[i].accepted {
			continue
		}
		if c.Base == nil {
			r.accepted[c.Op] = true
			r.lasting[c.Op] = r.endless[c.Op].late.Load() == 0 && r.stillAccepted(ctx, c)
		}
		if c.Probe != "" {
			r.free[c.Op.ID+" "+c.Probe] = true
		}
	}
}

// must reports whether a case has to be accepted: every value in it is known to
// exist or need not, and the request that it differs from was accepted. A
// credential that is not known need not exist where the document asks for none:
// it may be refused as such (401, 403), which the judge allows.
func (r *runner) must(c *plan.Case) bool {
	for _, node := range c.Unknown {
		optional := c.Op.AuthClause == nil && slices.ContainsFunc(c.Op.Params, func(p *contract.Param) bool {
			return p.Credential && p.Node.Path == node
		})
		if !optional && !r.free[c.Op.ID+" "+node] {
			return false
		}
	}
	return c.Base == nil || r.accepted[c.Op]
}

// admitted reports whether the run's credential is one that the operation takes:
// its valid request was accepted, or that of another which asks for the same.
func (r *runner) admitted(op *contract.Operation) bool {
	if r.accepted[op] {
		return true
	}
	if op.AuthClause == nil || !takes(op) { // only these are sent before their valid request
		return false
	}
	wanted := op.Requirements()
	for other, ok := range r.accepted {
		if ok && reflect.DeepEqual(other.Requirements(), wanted) {
			return true
		}
	}
	return false
}

// judge runs the checks over the answer to a case. It is safe for concurrent
// use.
func (r *runner) judge(ctx context.Context, c *plan.Case, x *wire.Exchange) outcome {
	if x.Err != nil && ctx.Err() != nil {
		return outcome{skipped: context.Cause(ctx).Error()}
	}
	e := &judge.Exchange{
		Exchange: x, Op: c.Op, Clause: c.Clause, Expect: c.Expect, Leave: c.Leave, Credential: c.Credential, Wants: c.Wants, Must: r.must(c), Base: c.Base == nil,
		Authorized: r.admitted(c.Op), MaxTime: r.cfg.maxTime,
		Nowhere: slices.ContainsFunc(c.Unknown, func(node string) bool { return strings.HasPrefix(node, "path/") }),
		Secrets: r.secrets(c.Op, x.Request),
	}
	o := outcome{err: x.Err, must: e.Must}
	for _, f := range judge.Judge(e, r.filter.skipCheck) {
		o.findings = append(o.findings, r.contract.finding(e, f, r.curlBase(), c.ID))
	}
	if x.Response == nil {
		return o
	}
	o.status, o.accepted = x.Response.Status, accepted(c.Op, x)
	if c.Expect != plan.RefuseMethod && c.Expect != plan.RefusePath {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.account.Response(c.Op, x.Response)
	}
	return o
}

// conclude enters the outcome of a case.
func (r *runner) conclude(ctx context.Context, c *plan.Case, o outcome) {
	if o.skipped != "" {
		r.skipped[c.Clause] = o.skipped
		return
	}
	if o.must && c.Expect == plan.Accept && o.class() == 4 && c.Base != nil && !r.stillAccepted(ctx, c.Base) {
		r.changed(c, &o)
	}
	clean := true
	for _, f := range o.findings {
		r.enter(f)
		clean = clean && f.Severity == report.Warning
	}
	r.sample.add(o.shot, o.findings, o.wanted)
	r.cover(c, o, clean)
}

// accepted reports whether the answer is a success: a 2xx, or a redirect that
// the document has.
func accepted(op *contract.Operation, x *wire.Exchange) bool {
	if x.Response == nil {
		return false
	}
	class := x.Response.Status / 100
	return class == 2 || class == 3 && op.Response(x.Response.Status) != nil
}

// stillAccepted sends a request that was accepted once more.
func (r *runner) stillAccepted(ctx context.Context, c *plan.Case) bool {
	return accepted(c.Op, r.send(ctx, c))
}

// changed decides what it means that not only a case is refused, but now also
// the valid request that it differs from, which was accepted before. Where the
// request had been accepted twice, its values are not used up by it, and if
// nothing else has changed the target, then its refusal is no state but a fault
// that an earlier request has set off.
func (r *runner) changed(c *plan.Case, o *outcome) {
	o.findings = slices.DeleteFunc(o.findings, func(f Finding) bool { return f.Check == judge.ValidRefused })
	if !r.lasting[c.Op] || r.latched[c.Op] || r.filter.skipCheck(judge.ValidRefused) || r.others(c.Op) {
		return
	}
	r.latched[c.Op] = true
	base := c.Base
	e := &judge.Exchange{
		Exchange: &wire.Exchange{Request: r.dressed(base)}, Op: c.Op, Clause: base.Clause, Secrets: r.secrets(c.Op, base.Request),
	}
	r.enter(r.contract.finding(e, judge.Finding{
		Check: judge.ValidRefused, Severity: judge.Error, Clause: base.Clause,
		Message:  fmt.Sprintf("the valid request that was accepted again and again is refused since about %s", c.ID),
		Expected: "the same answer to the same request", Actual: strconv.Itoa(o.status),
	}, r.curlBase(), base.ID))
}

// others reports whether another operation may have changed the target.
func (r *runner) others(op *contract.Operation) bool {
	for other, ok := range r.accepted {
		if ok && other != op && rank(other.Method) > 0 {
			return true
		}
	}
	return false
}

func (r *runner) curlBase() string {
	base := r.target.String()
	scheme, rest, ok := strings.Cut(base, "://")
	if !ok {
		return "http://HOST"
	}
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// secrets lists what must not come back, nor be shown.
func (r *runner) secrets(op *contract.Operation, req *wire.Request) []string {
	all := judge.Secrets(op, req)
	for _, h := range r.cfg.headers {
		if isSecretName(h.name) && h.value != "" {
			all = append(all, h.value)
		}
	}
	return all
}

// enter adds a finding, or counts it where the same was found before.
func (r *runner) enter(f Finding) {
	f.Case.Seed = r.cfg.seed
	key := findingKey{f.Operation, f.Check, f.Severity, f.Clause}
	if i, ok := r.index[key]; ok {
		r.report.Findings[i].Count++
		return
	}
	r.index[key] = len(r.report.Findings)
	r.report.Findings = append(r.report.Findings, f)
}

// cover enters what a case has shown of the clauses of its request.
func (r *runner) cover(c *plan.Case, o outcome, clean bool) {
	switch {
	case c.Expect == plan.Accept && o.accepted && clean:
		r.account.Kept(append(c.Keeps, c.Clause)...)
	case c.Expect != plan.Accept && o.class() == 4 && (r.accepted[c.Op] || c.Expect == plan.RefuseCredential):
		r.account.Broken(c.Clause)
	default:
		r.account.Tried(append(c.Keeps, c.Clause)...)
	}
}
