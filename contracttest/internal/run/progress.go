package run

import (
	"slices"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Progress is how far a run has come.
type Progress struct {
	Planned, ToPlan       int           // operations; both are 0 as soon as cases are sent
	Done, Total           int           // cases
	Sequences, OfSequence int           // of the checks on state; the second is 0 until all cases are done
	Findings              int           // so far, repetitions left out
	Left                  time.Duration // about; 0 where nobody can say
}

// How many requests follow the cases of an operation, and a sequence has, about: for the time
// that is left nobody counts them.
const (
	requestsAgain = 2*repeats + 2*together
	requestsChain = 8
	chainsOfKind  = 30
	each          = 16 // so many steps it is told how far the run has come
	enoughOf      = 20 // of so many cases one has to be done before anybody can say
)

// planning tells how far the plan has come.
func (r *runner) planning(planned, of int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opts.Progress != nil && planned%each == 0 && r.progress.Done == 0 {
		r.opts.Progress(Progress{Planned: planned, ToPlan: of})
	}
}

// caseDone notes that a case of an operation has been sent.
func (r *runner) caseDone(op *contract.Operation) {
	r.states.of(op).done.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Done++
	r.tell(r.progress.Done)
}

// chainDone notes that a chain has been tried.
func (r *runner) chainDone(c *chain.Chain) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.untried, c); i >= 0 { // else it is tried again
		r.untried = slices.Delete(r.untried, i, i+1)
		r.progress.Sequences++
	}
	r.tell(r.progress.Sequences)
}

// tell tells each so many how far the run has come.
func (r *runner) tell(n int) {
	if r.opts.Progress == nil || n%each != 0 {
		return
	}
	p := r.progress
	p.Total, p.Findings, p.Left = max(r.plan.total(), p.Done), len(r.report.Findings), r.timeLeft()
	r.opts.Progress(p)
}

// timeLeft is about how long the run still takes: what is left to be asked of each
// operation takes as long as what was asked of it, several at once.
func (r *runner) timeLeft() time.Duration {
	var took, sent float64
	for _, st := range r.states {
		took, sent = took+float64(st.took.Load()), sent+float64(st.sent.Load())
	}
	if sent == 0 || r.progress.Done*enoughOf < r.plan.total() {
		return 0
	}
	each := func(op *contract.Operation) float64 { // nanoseconds of an answer
		if n := float64(r.states.of(op).sent.Load()); n > 0 {
			return float64(r.states.of(op).took.Load()) / n
		}
		return took / sent
	}
	workers := float64(r.workers())
	var done, left float64
	for _, st := range r.states {
		pt := r.plan.known(st.op)
		if pt == nil {
			continue
		}
		n, cases := float64(st.sent.Load()), float64(st.done.Load())
		more := max(0, float64(pt.total)-cases) * max(1, n/max(1, cases))
		if !st.repeated.Load() {
			more += requestsAgain
		}
		beside := workers
		if st.slow() {
			beside = float64(r.lanes(st.op))
		}
		done, left = done+n*each(st.op)/beside, left+more*each(st.op)/beside
	}
	if r.progress.OfSequence == 0 {
		left += float64(len(r.makers)) * chainsOfKind * requestsChain * took / sent / workers
	}
	for _, c := range r.untried {
		beside := workers
		if c.Alone {
			beside = 1
		}
		for _, op := range c.Ops {
			left += requestsChain / float64(len(c.Ops)) * each(op) / beside
		}
	}
	return time.Duration(float64(time.Since(r.began)) * left / done)
}
