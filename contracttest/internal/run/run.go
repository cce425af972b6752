package run

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dataarts-go/factory/contracttest/internal/amend"
	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/coverage"
	"github.com/dataarts-go/factory/contracttest/internal/match"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/unique"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Run plans the contract, sends every case to the target and judges the answers.
// The error is nil whatever was found; it says why the run could not be done.
func Run(ctx context.Context, c *contract.Contract, target send.Target, opts Options) (rep *report.Report, err error) {
	sel, err := Select(ctx, c, &opts)
	if err != nil {
		return nil, err
	}
	for _, s := range opts.Severities {
		if !matchesAny(s.Check, opts.checkNames()) {
			return nil, fmt.Errorf("severity: no check matches %q%s", s.Check, match.Nearest(s.Check, slices.Values(opts.checkNames())))
		}
	}
	defer target.Close()
	if sel.idle != "" {
		return opts.nothing(c, sel, target.String()), nil
	}
	if err := opts.identify(c, target); err != nil {
		return nil, err
	}
	defer func() { rep, err = opts.after(ctx, rep, err) }()
	given, err := opts.before(ctx)
	if err != nil {
		return nil, err
	}
	parts, err := opts.obtain(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := opts.place(c); err != nil {
		return nil, fmt.Errorf("%w%s", err, given)
	}
	taker, err := opts.receive(ctx, c)
	if err != nil {
		return nil, err
	}
	defer taker.close()
	w := world.New(c)
	r := &runner{
		receiver: taker,
		contract: c, opts: &opts, selection: sel, target: target, curlBase: curlBase(target), account: coverage.Account{}, tried: map[*contract.Clause]tally{},
		states: newStates(c, w), index: map[findingKey]int{}, confirmed: map[findingKey]bool{}, verdicts: map[string]bool{}, strangers: map[strange]answer{}, sample: NewSample(maxShown),
		world: w, token: unique.New(), renewal: renewal{parts: parts}, load: load{limited: map[*contract.Operation]bool{}},
	}
	w.Marked(r.token.In)
	return r.run(ctx)
}

type runner struct {
	receiver  *receiver // nil where nothing is received
	contract  *contract.Contract
	opts      *Options
	selection *Selection
	target    send.Target
	curlBase  string
	load      load

	world      *world.World
	token      *unique.Token
	standIns   sync.Map // by standIn: it was sent with what the run has made
	plan       *planned
	states     states
	account    coverage.Account
	tried      map[*contract.Clause]tally
	report     *report.Report
	index      map[findingKey]int  // of report.Findings
	confirmed  map[findingKey]bool // findings whose request has been sent again
	verdicts   map[string]bool     // properties of answers of 200 that say that a request was carried out
	strangers  map[strange]answer  // to paths that nobody can know
	sample     *Sample
	reached    bool // the target has taken a connection
	wrongPlace bool // the document's paths are not where the run looks for them
	checked    bool // how the run is set up, by the answers to the valid requests

	singles  []*single                         // what there is but one of, as it was before the run
	makers   map[string]*maker                 // of what chains are about, by path template
	onChains map[*chain.Chain][]report.Finding // in the answers to their steps
	chained  map[chained]bool                  // what chains have been tried for
	baseMu   sync.Mutex
	bases    map[*contract.Operation]*plan.Case // valid requests of chains
	stuck    map[stuckAt]bool

	journal journal
	refused atomic.Int32 // connections in a row
	dead    atomic.Bool
	silent  atomic.Bool // dead as it answers nothing, not as it takes no connections

	credential credential
	renewal    renewal
	session    session
	room       room
	learned    map[*contract.Operation]map[string][]string // values of paths
	locked     bool                                        // out, after wrong credentials
	left       left                                        // planned cases that were not sent as the run ended

	hung      atomic.Int32 // answers of any operation that were late
	answered  atomic.Bool  // whether an answer came to its end
	exchanges atomic.Int64
	bounded   atomic.Int64 // of them those that MaxRequests bounds
	spent     atomic.Bool  // there may be no more
	starting  sync.Once    // waits for the target to become ready
	stop      context.CancelCauseFunc

	mu       sync.Mutex // guards what follows, and account, index and the findings while cases are sent
	spoiled  []func()   // enter what has spoilt the target
	answers  amend.Answers
	progress Progress
	untried  []*chain.Chain
	began    time.Time
}

// Why a run ends before its time, as it was told to.
var (
	errBudget      = errors.New("the budget ran out")
	errMaxRequests = errors.New("the maximum number of requests was reached")
	errFailFast    = errors.New("an error ends the run")
	errReset       = errors.New("the target could not be put back")
)

func (r *runner) run(ctx context.Context) (*report.Report, error) {
	start := time.Now()
	r.began = start
	if r.opts.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.opts.Budget, errBudget)
		defer cancel()
	}
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	if r.load.auto = r.opts.RateAuto; r.opts.Rate > 0 {
		r.load.limiter = rate.NewLimiter(rate.Limit(r.opts.Rate), 1)
	}
	for _, st := range r.states {
		st.uniques, st.keys = newUniques(r.world, st.op, r.token), keysOf(st.op)
	}
	cleaned := false
	defer func() {
		if !cleaned { // it could not be done to its end
			r.putBack(ctx)
			r.deleteAll(ctx, nil)
		}
	}()
	defer func() {
		r.stop(nil)
		r.plan.wait()
	}()
	r.remember(ctx)
	r.prepare(ctx)
	if id := r.selection.unknownCase(r.plan); id != "" && ctx.Err() == nil && !r.hasAsk(id) && !r.hasChain(id) {
		return nil, fmt.Errorf("no case of a plan with seed %d and %d random cases matches %q", r.opts.Seed, r.opts.Random, id)
	}
	r.report = &report.Report{
		Version: report.Version, Tool: ToolVersion(), Spec: r.contract.File, Target: r.whole(), Seed: r.opts.Seed,
		Warnings: slices.Clone(r.contract.Warnings), Findings: []report.Finding{}, Shard: r.selection.shard, Since: r.selection.since,
	}
	late, cancel := graceful(ctx)
	defer cancel()
	all := waves(r.plan.ops)
	ordinary, endings := all[:2], all[2:]
	for _, w := range ordinary {
		if err := r.wave(ctx, late, w); err != nil {
			return nil, err
		}
	}
	r.deleteUnused(ctx)
	r.reset(ctx)
	r.chains(ctx)
	r.putBack(ctx) // while the run is let in
	r.accuse(ctx, late, slices.Concat(ordinary...), false)
	if len(endings) > 0 {
		r.deleteAll(ctx, func(res *world.Resource) bool { // and then nobody is let in
			return slices.ContainsFunc(endings, func(w wave) bool { return r.states.of(w[0]).uses(res, r.room.bounded()) })
		})
		r.reset(ctx)
	}
	for _, w := range endings {
		if err := r.wave(ctx, late, w); err != nil {
			return nil, err
		}
		r.accuse(ctx, late, w, false)
	}
	r.postMortem(late)
	for _, enter := range r.spoiled {
		enter()
	}
	r.await(late)
	r.cleanup(ctx)
	cleaned = true
	if ctx.Err() != nil && !asTold(ctx) && r.exchanges.Load() == 0 {
		return nil, fmt.Errorf("stopped: %w", context.Cause(ctx))
	}
	r.plan.wait()
	r.ended(ctx)
	r.finish(start)
	return r.report, nil
}

// prepare finds out what there is on the target, and begins to plan with it.
func (r *runner) prepare(ctx context.Context) {
	before := r.session.begun()
	opts := r.discover(ctx, r.opts.plan(r.opts.Base(r.contract, r.target), r.selection))
	if r.session.begun() != before { // what was learned may be where the session does not lead
		r.unlearn()
		opts = r.discover(ctx, r.opts.plan(r.opts.Base(r.contract, r.target), r.selection))
	}
	p := newPlan(ctx, r.contract, opts, filter{r.opts, r.selection, r.world}).begin(r.planning)
	r.plan = p
	for _, op := range p.ops {
		r.states.of(op).planned = sync.OnceValue(func() map[string]string {
			if base := p.base(op); base != nil {
				return world.Values(op, base.Request.Target, r.base(op))
			}
			return nil
		})
	}
}

// wave sends the cases of a wave, and what is asked of its operations beside them.
func (r *runner) wave(ctx, late context.Context, w wave) error {
	if w.takes() {
		r.accuse(ctx, late, w, true)
	}
	if err := r.stages(ctx, late, w); err != nil {
		return err
	}
	if w.ends() {
		r.hasEnded(ctx, w[0])
	}
	if r.wrongPlace || r.credential.ended.Load() {
		return nil
	}
	changing := some(w, func(op *contract.Operation) bool { return !readsOnly(op) })
	r.enterFramed(ctx, r.framing(ctx, changing, newGate(r.workers())))
	r.askAgain(ctx, w)
	return nil
}

// stage is cases that are sent, and what came of each.
type stage struct {
	cases    []*plan.Case
	outcomes []outcome
}

// stages sends the cases of one stage after the other, and concludes what came
// of them in the order of the plan, so that the report does not depend on who
// answered first. What is sent before the valid request is concluded after it:
// what a refusal shows depends on that. Nobody waits for slow operations that
// change nothing: they are concluded at the end.
func (r *runner) stages(ctx, late context.Context, w wave) error {
	var basics, early, slow []stage
	valid := false
	conclude := func(all ...stage) {
		for _, s := range all {
			r.conclude(late, s.cases, s.outcomes)
		}
	}
	// What is sent for the sake of others alone has shown all that it shows once it is learned.
	chosen := func(s stage) (out stage) {
		for i, c := range s.cases {
			if r.selection.judges(c) {
				out.cases, out.outcomes = append(out.cases, c), append(out.outcomes, s.outcomes[i])
			}
		}
		return out
	}
	beside := newLanes(r)
	defer beside.wait()
	again := newLanes(r) // valid requests
	defer again.wait()
	for cases := range r.joined(r.plan.stages(w)) {
		if valid && cases[0].Phase != plan.Basics {
			again.wait()
			if !r.checkSetup(ctx) {
				return nil
			}
			conclude(basics...)
			conclude(early...)
			basics, early = nil, nil
		}
		if cases = r.worthwhile(cases); len(cases) == 0 {
			continue
		}
		if valid && cases[0].Phase != plan.Basics {
			var long []*plan.Case
			if cases, long = r.long(cases); len(long) > 0 {
				s := stage{long, make([]outcome, len(long))}
				r.attempted(ctx, beside, s.cases, s.outcomes)
				slow = append(slow, s)
			}
			if len(cases) == 0 {
				continue
			}
		}
		s := stage{cases, r.attempts(ctx, cases)}
		r.noteTaken(s.cases, s.outcomes)
		first := cases[0]
		if first.Phase == plan.Basics && first.Expect == plan.Accept {
			valid = true
			if err := unreachable(s.outcomes); err != nil && !r.reached {
				return err
			}
			r.reached = true // what is out of reach from now on is a finding
			r.learn(ctx, again, cases, s.outcomes)
		}
		switch {
		case !valid:
			early = append(early, s)
		case first.Phase == plan.Basics:
			basics = append(basics, chosen(s))
		default:
			conclude(s)
		}
	}
	again.wait()
	beside.wait()
	if valid && !r.checkSetup(ctx) {
		return nil
	}
	conclude(basics...)
	conclude(early...)
	var all stage
	for _, s := range slow {
		all.cases, all.outcomes = append(all.cases, s.cases...), append(all.outcomes, s.outcomes...)
	}
	r.noteTaken(all.cases, all.outcomes)
	conclude(all)
	return nil
}

// long tells the cases of slow operations that change nothing from the others.
func (r *runner) long(cases []*plan.Case) (others, long []*plan.Case) {
	for _, c := range cases {
		if readsOnly(c.Op) && r.waits(c.Op) && r.states.of(c.Op).accepted {
			long = append(long, c)
		} else {
			others = append(others, c)
		}
	}
	return others, long
}

// joined makes one stage of those that follow each other and change nothing: their cases
// need not wait for the last one of the stage before. What has not accepted its valid request
// may turn out to be fruitless with each stage.
func (r *runner) joined(stages iter.Seq[[]*plan.Case]) iter.Seq[[]*plan.Case] {
	joins := func(c *plan.Case) bool {
		return c.Phase != plan.Basics && rank(c.Op) == reading && r.states.of(c.Op).accepted
	}
	return func(yield func([]*plan.Case) bool) {
		var held []*plan.Case
		for cases := range stages {
			more := !slices.ContainsFunc(cases, func(c *plan.Case) bool { return !joins(c) })
			if more && len(held)+len(cases) <= batch {
				held = append(held, cases...)
				continue
			}
			if len(held) > 0 && !yield(held) {
				return
			}
			if held = nil; more {
				held = cases
			} else if !yield(cases) {
				return
			}
		}
		if len(held) > 0 {
			yield(held)
		}
	}
}

// unreachable returns why no case got a connection; nil where one did.
func unreachable(outcomes []outcome) error {
	var last error
	for i := range outcomes {
		if !errors.Is(outcomes[i].err, send.ErrRefused) {
			return nil
		}
		last = outcomes[i].err
	}
	return last
}
