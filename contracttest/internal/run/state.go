package run

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// How often an operation may hang, or answer without an end, before the rest of
// it is left; and how often a target may hang that has never answered.
const (
	maxEndless = 2
	maxHung    = 8
)

// state is what a run knows of one operation.
type state struct {
	op      *contract.Operation
	fixture *fixture // what its requests may change; nil where they consume nothing
	// Path parameters of what the run has made have other values in the plan than
	// on the target.
	planned    func() map[string]string // nil as long as nothing is planned
	actual     map[string]string
	references []reference       // to what the target has named
	decoy      decoy             // an account that requests with a wrong password name
	keys       []*contract.Param // headers that have another value with each request
	codings    bool              // the document says which content codings it is asked for
	uniques    *uniques          // texts that are made new for each request; nil where there are none

	valid    answer              // to its valid request
	closed   bool                // its credential is refused, or there is none
	usedUp   *contract.Param     // has a value of the user's for which that is refused
	left     string              // why nothing more of it is sent
	judged   int                 // cases
	reduced  int                 // requests for which a smaller one was looked for
	known    int                 // requests that were sent again without what may not exist
	same     answer              // to all cases of its own method and path
	varied   bool                // unless they differ
	faults   map[findingKey]bool // errors in them
	accepted bool                // its valid request was accepted
	alone    time.Duration       // how long the second time took
	lost     bool                // a finding says that it is refused since
	free     map[string]bool     // nodes whose values need not exist
	taken    map[string]bool     // nodes for which a made-up value was accepted, if it may exist by chance
	verdicts map[string]bool     // properties of its answers that say that a request was carried out
	aside    []report.Finding    // that its valid request is refused, as examples need not exist
	skipped  map[*contract.Clause]string

	spoiling lock      // who looks whether it is spoilt
	sound    time.Time // when the valid request was sent that showed last that it is not

	apart       atomic.Bool // each request has what it refers to for itself
	repeatable  atomic.Bool // its valid request was accepted a second time, too
	spoilt      atomic.Bool // it fails since some request
	good        atomic.Pointer[good]
	renewed     atomic.Bool  // another credential was tried before it had accepted one
	loses       atomic.Bool  // the last request that was lost or refused for the load was so again
	late, large atomic.Int32 // answers that did not come to an end
	took, sent  atomic.Int64 // nanoseconds of all its requests, and how many these are
	done        atomic.Int64 // cases that were sent
	repeated    atomic.Bool  // its requests were sent again and again
	borne       atomic.Int32 // answers that took no longer among others, of a slow operation
}

// renews reports whether what the operation consumes is made anew for each
// request.
func (s *state) renews() bool { return s.fixture != nil && s.fixture.maker != nil }

// states holds the state of every operation, by its index.
type states []*state

func newStates(c *contract.Contract, w *world.World) states {
	all := make(states, len(c.Operations))
	for i, op := range c.Operations {
		codings := slices.ContainsFunc(op.Params, func(p *contract.Param) bool {
			return p.Spec.In == openapi3.ParameterInHeader && strings.EqualFold(p.Spec.Name, "Accept-Encoding")
		})
		all[i] = &state{op: op, codings: codings, faults: map[findingKey]bool{}, free: counted(op, w), taken: map[string]bool{}, verdicts: map[string]bool{}, skipped: map[*contract.Clause]string{}}
	}
	return all
}

// counted lists the nodes of an operation's requests whose numbers say how much there is of
// something. Where a request refers to something, there may be less of that than the document
// allows to ask for; where it has several numbers, one may be a limit of another, as an interval is
// of a timeout; and those in a list may have to add up to something. No schema says that.
func counted(op *contract.Operation, w *world.World) map[string]bool {
	nodes, numbers := map[string]bool{}, map[string]bool{}
	refers := false
	look := func(n *contract.Node) {
		n.Walk(func(n *contract.Node) {
			switch {
			case n.PropName != "id" && plan.Identifies(n.Name), n.Name != "" && w.Has(n.Name):
				refers = true
			case value.Counts(n) && !n.InList():
				nodes[n.Path] = true
			}
			if value.Measures(n) {
				numbers[n.Name] = true
			}
		})
	}
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInQuery {
			look(p.Node)
		}
	}
	if op.Body != nil {
		for _, m := range op.Body.Media {
			look(m.Node)
		}
	}
	if refers || len(numbers) > 1 {
		clear(nodes)
	}
	return nodes
}

func (s states) of(op *contract.Operation) *state { return s[op.Index] }

// note notes what a case was answered with.
func (s *state) note(c *plan.Case, o *outcome) {
	s.judged++
	if c.Expect == plan.RefusePath || c.Expect == plan.RefuseMethod {
		return
	}
	if s.same == (answer{}) {
		s.same = o.answer
	}
	s.varied = s.varied || o.answer != s.same
	for _, f := range o.findings {
		if f.Severity != report.Error || f.Check == judge.ValidRefused || s.faults[keyOf(f)] {
			continue
		}
		s.varied = s.varied || s.judged > 1 // else it is what is wrong with every answer
		s.faults[keyOf(f)] = true
	}
}

// fruitless says why more cases of an operation are not worth sending: its valid
// request is refused, and so is everything else in the same way. It is empty
// where they are.
func (s *state) fruitless() string {
	const enough = 16
	if s.accepted || s.varied || s.judged < enough {
		return ""
	}
	return fmt.Sprintf("its valid request was never accepted, and every response was %s", s.same)
}

// slow reports whether the operation takes its time when nothing else is asked.
func (s *state) slow() bool { return s.alone > 200*time.Millisecond }

// surelySlow is how long the first answer of an operation takes that is slow, whatever else was
// asked at the time.
const surelySlow = time.Second

// endless says why no more cases of the operation are sent; it is empty where
// there is no such reason.
func (s *state) endless() string {
	switch {
	case s.late.Load() >= maxEndless:
		return fmt.Sprintf("the operation timed out %d times", maxEndless)
	case s.late.Load()+s.large.Load() >= maxEndless:
		return fmt.Sprintf("the operation returned an endless response %d times", maxEndless)
	}
	return ""
}

// takes reports whether an operation takes away what others need: all its cases
// are sent when nothing else is left to be done.
func takes(op *contract.Operation) bool { return rank(op) >= taking }

// The ranks of operations, by what they may do to the others.
const (
	reading = iota
	changing
	taking // away a resource
	ending // what lets the run in
)

// rank puts first what changes nothing.
func rank(op *contract.Operation) int {
	switch {
	case world.Safe(op.Method):
		return reading
	case world.Ends(op):
		return ending
	case op.Method == http.MethodDelete:
		return taking
	}
	return changing
}

// readsOnly reports whether an operation changes nothing.
func readsOnly(op *contract.Operation) bool { return rank(op) == reading }

// heavy reports whether an operation has so many clauses that it may take long to plan.
func heavy(op *contract.Operation) bool {
	const many = 1000
	n := 0
	for _, c := range op.Clauses {
		if c.Side == contract.RequestSide {
			n++
		}
	}
	return n > many
}

func some(ops []*contract.Operation, which func(*contract.Operation) bool) []*contract.Operation {
	return slices.DeleteFunc(slices.Clone(ops), func(op *contract.Operation) bool { return !which(op) })
}

// wave is the operations of which all cases are sent before those of the next:
// first what takes nothing away, then what does and, one by one, what may end
// the run's own session.
type wave []*contract.Operation

func waves(ops []*contract.Operation) []wave {
	var ordinary, takers wave
	var endings []wave
	light := func(op *contract.Operation) bool { return !heavy(op) }
	for _, op := range slices.Concat(some(ops, light), some(ops, heavy)) { // nobody has to wait for what is heavy
		switch {
		case !takes(op):
			ordinary = append(ordinary, op)
		case rank(op) == taking:
			takers = append(takers, op)
		default:
			endings = append(endings, wave{op})
		}
	}
	return append([]wave{ordinary, takers}, endings...)
}

// takes reports whether the operations of the wave take something away.
func (w wave) takes() bool { return len(w) > 0 && takes(w[0]) }

// ends reports whether the operation of the wave may end the run's session.
func (w wave) ends() bool { return len(w) > 0 && rank(w[0]) == ending }
