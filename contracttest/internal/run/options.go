package run

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/baseline"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/obtain"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
)

// Options shape a run. See the options of package contracttest.
type Options struct {
	Known   map[string][]string
	at      map[*contract.Operation]map[string][]string // those of Known that are for one operation, by the path of a node in it
	whole   map[string][]string                         // all of them, by the names that were given
	hooked  map[string]bool                             // the names of those that Before or Reset has given
	Headers []Header
	// Obtained is what Known, Headers and Peer have besides, when it is got.
	Obtained []Obtained
	OAuth2   *obtain.Grant // gives it the tokens of the document's schemes; nil where none does
	User     *obtain.User  // gives the run's own credentials; nil where none does
	Secure   *tls.Config   // of a login that is not at the target; nil is the usual way
	Seed     int64
	Random   int
	Workers  int
	// CredentialTries is how many wrong credentials are sent in a row.
	CredentialTries int
	Rate            float64 // 0: no bound
	RateAuto        bool    // the target's limit is found by its answers
	Timeout         time.Duration
	Settle          time.Duration // how long what was done may take to show
	Peer            []Header      // the credential of another user
	MaxTime         time.Duration
	OperationTime   time.Duration // 0: no bound
	Budget          time.Duration
	BasePath        *string // nil: as target and document say
	Only            []string
	Skip            []string
	Since           *contract.Contract // only what says something else is tested; nil: all
	Shard           Shard              // the part of the operations that is tested
	Checks          []judge.Check      // of the user, beside those of the registry
	Redact          []string           // names of headers, parameters and properties whose values no report shows
	MaxRequests     int                // 0: no bound
	FailFast        bool               // the first error ends the run
	MinCoverage     float64            // of the clauses that could be tried, in percent
	Keep            bool               // what the run has made is not deleted at its end
	Safe            bool               // only requests of safe methods are sent
	Receive         string             // the address on which requests of the target are received; empty: none
	ReceiveURL      string             // at which the target reaches it; empty: as it is
	ReceiveTLS      *tls.Config        // with which it is received; nil: without TLS
	How             send.How           // requests are sent, and their answers read
	Baseline        *baseline.Baseline // known findings; nil where there are none
	StaleWarns      bool               // entries of Baseline that have to be mended fail nothing
	UpdateBaseline  bool               // Baseline is what it should be afterwards
	FailOn          []string           // what fails the run beside errors
	Severities      []Severity         // the last one that matches counts
	// Before is done before anything is sent, and gives values; Reset puts the target back between the
	// phases of a run, and may give others; After is done at the end, whatever came of the run. Nil
	// where nothing is.
	Before func(context.Context) (map[string][]string, error)
	Reset  func(context.Context) (map[string][]string, error)
	After  func(context.Context) error
	// Restart brings the target back after it has died; nil where nothing does.
	Restart  func(context.Context) error
	Progress func(Progress)
}

// Severity is what the findings of checks are, whatever they are by themselves.
type Severity struct{ Check, Severity string }

// Shard is one part of so many; the zero value is none.
type Shard struct{ Number, Of int }

// Header is one that is sent with every request.
type Header struct{ Name, Value string }

// knownOf are the values that are known for an operation, by their names alone.
func (o *Options) knownOf(op *contract.Operation) map[string][]string {
	return plan.Given(o.Known, o.at, op)
}

// checks are all that a run makes.
func (o *Options) checks() []judge.Check { return slices.Concat(judge.All(), o.Checks) }

func (o *Options) checkNames() []string {
	var all []string
	for _, c := range o.checks() {
		all = append(all, c.Name)
	}
	return all
}

// Base is the path that the document's paths are under on the target, which may
// be nil.
func (o *Options) Base(c *contract.Contract, target send.Target) string {
	if o.BasePath != nil {
		return *o.BasePath
	}
	if target != nil {
		if path, ok := target.BasePath(); ok {
			return path
		}
	}
	return c.BasePath
}

// plan returns the options of the planner.
func (o *Options) plan(base string, sel *Selection) plan.Options {
	return plan.Options{Known: o.Known, At: o.at, Seed: o.Seed, Random: o.Random, BasePath: base, Want: sel.Clause}
}

// given reports whether the run sends one of the headers, named in lower case.
func (o *Options) given(names []string) bool {
	for _, h := range o.Headers {
		for _, name := range names {
			if strings.EqualFold(h.Name, name) {
				return true
			}
		}
	}
	return false
}
