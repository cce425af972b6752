package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version is that of the JSON form. Fields are only ever added.
const Version = 1

// Report is the outcome of a run.
type Report struct {
	Version int    `json:"version"`
	Spec    string `json:"spec"`   // the document, as it was named
	Target  string `json:"target"` // the base URL, or "handler"
	Seed    int64  `json:"seed"`
	// Command runs the contract again, without secrets; the case that a finding is about can
	// be added to it. Empty where no command did.
	Command string `json:"command,omitempty"`
	// Args are the arguments of Command for contracttest repeat, with env:VARIABLE for secrets.
	Args []string `json:"args,omitempty"`
	// Config is the file of settings that was read; empty where there is none.
	Config string `json:"config,omitempty"`
	// Saved is the file in which the document was saved as reports show it; empty where it
	// was not.
	Saved    string    `json:"saved,omitempty"`
	Tool     string    `json:"tool,omitempty"` // the version of what has made the report
	Stats    Stats     `json:"stats"`
	Coverage Coverage  `json:"coverage"`
	Findings []Finding `json:"findings"` // in order of place, check and severity
	// Groups are the findings' causes, the gravest first: what one change in the server or
	// the document would mend. Group makes them.
	Groups []Group `json:"groups,omitempty"`
	// Operations are those that were tested, in the order of the document.
	Operations []Operation `json:"operations,omitempty"`
	// Warnings are faults of the document that did not keep it from being used,
	// and what kept the run from being complete.
	Warnings []string `json:"warnings,omitempty"`
	// Inconclusive says why the run is not a pass although no finding fails it: an
	// operation of which nothing was sent, a credential that was refused.
	Inconclusive []string `json:"inconclusive,omitempty"`
	// Void is set where the answers say nothing about the target, as a credential or
	// the base path is wrong. Then findings do not count.
	Void bool `json:"void,omitempty"`
	// HookFailed is set where what is to be done between the phases of the run or after it has
	// failed: then the status is StatusNoResult, whatever is found, as nobody knows what the
	// target is left in.
	HookFailed bool `json:"hook_failed,omitempty"`
	// Incomplete says why the run ended before all was sent; empty where it did not.
	Incomplete string `json:"incomplete,omitempty"`
	// Idle says why there was nothing to do, which is a pass; empty where there was something.
	Idle string `json:"idle,omitempty"`
	// Traffic is set where nothing was sent, but exchanges of others were judged.
	Traffic *Traffic `json:"traffic,omitempty"`
	// Since is set where only what has changed was tested.
	Since *Since `json:"since,omitempty"`
	// Shard is which part of the operations was tested; nil where it was not a part.
	Shard *Shard `json:"shard,omitempty"`
	// Unproven are the operations whose valid request was never accepted.
	Unproven []Unproven `json:"unproven,omitempty"`
	// Severities are those that the run has given to checks. The last one that matches counts.
	Severities []Severity `json:"severities,omitempty"`
	// MinCoverage is how many of the clauses that could be tried have to be shown, in percent.
	MinCoverage float64 `json:"min_coverage,omitempty"`
	// FailOn is what fails the run beside errors: see Failed. JSON does not have it.
	FailOn []string `json:"-"`
	// Baseline is what came of the file of known findings; nil where there is none.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Exchanges are some of the run's: those with findings first, then a few that keep
	// and that break each clause. JSON does not have them.
	Exchanges []Exchange `json:"-"`
	// Amendments makes the changes of the document that would mend the findings. JSON does not
	// have them.
	Amendments func(*Report) ([]Amendment, error) `json:"-"`
	// Rules describe the checks. JSON does not have them.
	Rules []Rule `json:"-"`
	// Sources are the document's files by the names that places have, where they are
	// not too large. JSON does not have them.
	Sources map[string]string `json:"-"`
}

// Exchange is a request and the answer to it as reports show them: bounded, and
// with *** for what is secret.
type Exchange struct {
	Case      string // the ID of the case
	Operation string
	Clause    string // that the request keeps at an edge, or breaks alone
	Breaks    bool
	Expect    string // what the contract expects in return, in words
	Leave     string // why the receiver may do otherwise; empty where it may not

	Method, Target string
	Request        Message
	Status         int // 0: no response
	Response       Message
	Error          string // why there is no response, or no end of it
	Curl           string
	Findings       []Found
	Started        time.Time     // zero where it is not known
	Elapsed        time.Duration // until the end of the response
}

// Message is the header and the body of a request or a response.
type Message struct {
	Header []Header
	Body   string // as bytes, cut where it is long
	Size   int    // of the whole body, in bytes; negative where the body is not known
}

// Header is one line of a header.
type Header struct{ Name, Value string }

// Found is a finding in an exchange.
type Found struct{ Check, Severity, Clause, Message string }

// Unproven is an operation whose valid request was never accepted.
type Unproven struct {
	Operation string `json:"operation"`
	Answer    string `json:"answer"` // to the valid request: a status, or why there is none
}

// Operation is one that was tested.
type Operation struct {
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
}

// Traffic says what became of the exchanges of others.
type Traffic struct {
	Judged   int `json:"judged"`
	Outside  int `json:"outside,omitempty"`  // on paths that the document does not have
	Upgraded int `json:"upgraded,omitempty"` // from where on another protocol was spoken
	Refused  int `json:"refused,omitempty"`  // of those that were judged
	Unseen   int `json:"unseen,omitempty"`   // of those that were judged, with a body that is not known
	Unjudged int `json:"unjudged,omitempty"` // for want of time
}

func (t *Traffic) String() string {
	parts := []string{fmt.Sprintf("%d exchange%s of others judged", t.Judged, plural(t.Judged))}
	for _, more := range []struct {
		n    int
		what string
	}{
		{t.Refused, "refused"}, {t.Unseen, "with a body that is not known"}, {t.Outside, "on paths that the document does not have"},
		{t.Upgraded, "in another protocol"}, {t.Unjudged, "not judged, as there were too many at once"},
	} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", more.n, more.what))
		}
	}
	return strings.Join(parts, ", ")
}

// Since is what has changed since another version of the document.
type Since struct {
	Document string   `json:"document"`
	Changed  []string `json:"changed"` // operations, in the order of the document
	Of       int      `json:"of"`      // operations that were chosen
}

// Shard is one part of so many, from 1.
type Shard struct {
	Number int `json:"number"`
	Of     int `json:"of"`
	// Operations are those of all parts, in the order of the document.
	Operations []string `json:"operations"`
}

func (s *Shard) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// Stats says how much was done.
type Stats struct {
	Operations int `json:"operations"`
	Cases      int `json:"cases"`     // requests planned
	Exchanges  int `json:"exchanges"` // requests sent, repetitions included
	// DocumentFaults counts what the document is not valid in; the first of them
	// are among the warnings.
	DocumentFaults int     `json:"document_faults"`
	Started        string  `json:"started,omitempty"` // RFC 3339
	Seconds        float64 `json:"seconds"`
}

// Coverage says what was shown of the clauses. A clause is counted in every
// column that holds for it: one that was kept and broken is in both.
type Coverage struct {
	Clauses   int `json:"clauses"`
	Kept      int `json:"kept"`
	Broken    int `json:"broken"`
	Observed  int `json:"observed"`
	NotProven int `json:"not_proven"`
	// Possible are the clauses that could be tried: no run has a request for the others, or
	// they are of answers that never came.
	Possible  int         `json:"possible,omitempty"`
	Unreached []Unreached `json:"unreached"`
	ByClause  []Clause    `json:"by_clause"`
}

// Share is how many of the clauses that could be tried are shown, in percent.
func (c *Coverage) Share() float64 {
	if c.Possible == 0 {
		return 0
	}
	shown := 0
	for _, cl := range c.ByClause {
		if cl.State != "not_proven" && cl.State != "unreached" {
			shown++
		}
	}
	return 100 * float64(shown) / float64(c.Possible)
}

// Both counts the clauses that were kept and broken: they are in both columns.
func (c *Coverage) Both() int {
	n := 0
	for _, cl := range c.ByClause {
		if cl.State == "kept+broken" {
			n++
		}
	}
	return n
}

// Unreached is a clause that no case was sent for, and why.
type Unreached struct {
	Clause string `json:"clause"`
	Reason string `json:"reason"`
}

// Clause is what was shown of one clause.
type Clause struct {
	Clause string `json:"clause"`
	Text   string `json:"text"`
	Place  Place  `json:"place"`
	// State is kept+broken, kept, broken, observed, not_proven or unreached.
	State string `json:"state"`
	// Operation is the operation's name in the clause's.
	Operation string `json:"operation"`
	// Reason says why it is not proven: which answers its requests had.
	Reason string `json:"reason,omitempty"`
	// Permits is set for what allows something: no request breaks it.
	Permits bool `json:"permits,omitempty"`
	// Response is set for what the responder keeps, not for what it checks.
	Response bool `json:"response,omitempty"`
}

// Place is where a clause stands in the document.
type Place struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1; 0 where unknown
	Column  int    `json:"column"` // from 1; 0 where unknown
	Pointer string `json:"pointer,omitempty"`
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File + "#" + p.Pointer
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Finding is one broken clause, found in one exchange or in several.
type Finding struct {
	// ID is the same in every run that finds the same, whatever its seed: it is made of the
	// operation, check, clause, status and media type.
	ID        string `json:"id"`
	Operation string `json:"operation"`
	Check     string `json:"check"`
	Severity  string `json:"severity"` // error or warning
	Clause    string `json:"clause"`
	Place     Place  `json:"place"`
	Message   string `json:"message"`
	Expected  string `json:"expected"`
	Actual    string `json:"actual"`
	Count     int    `json:"count"` // exchanges in which it was found
	Case      Case   `json:"case"`  // the first of them
	Curl      string `json:"curl"`  // sends its request again; secrets left out
	// Status and MediaType are those of the answer; 0 where there was none. Findings
	// that differ in them are two.
	Status    int    `json:"status,omitempty"`
	MediaType string `json:"media_type,omitempty"`
	// Request is the request in one line, and Answer the beginning of the answer's body:
	// bounded, and without secrets.
	Request string `json:"request,omitempty"`
	Answer  string `json:"answer,omitempty"`
	// StandIns are the identifiers in the path of Request that stand for those of resources
	// which the run has made. They are the same in each run; Answer has those that were sent.
	StandIns []string `json:"stand_ins,omitempty"`
	// Leave is the sentence that leaves it to the receiver; empty where none does.
	Leave string `json:"leave,omitempty"`
	Group string `json:"group,omitempty"` // the ID of its group; empty where it is known
	// Known is set by a baseline: such a finding fails nothing.
	Known *Known `json:"known,omitempty"`
}

// Severity is what the findings of a check are, whatever they are by themselves.
type Severity struct {
	Check    string `json:"check"` // in which * stands for any text
	Severity string `json:"severity"`
}

// Known says why a finding fails nothing.
type Known struct {
	Why   string `json:"why"`
	Until string `json:"until,omitempty"` // the last day, as in 2027-01-31
	Line  int    `json:"line"`            // of the baseline, from 1
}

// Baseline is what came of a file of known findings.
type Baseline struct {
	File    string `json:"file"`
	Entries int    `json:"entries"`
	Untried int    `json:"untried"` // entries that this run shows nothing of
	// Added and Removed are what an update has written and taken out.
	Added   int     `json:"added,omitempty"`
	Removed int     `json:"removed,omitempty"`
	Stale   []Stale `json:"stale,omitempty"` // entries that have to be mended, in their order
}

// Stale is an entry of a baseline that has to be mended.
type Stale struct {
	Line    int    `json:"line"` // from 1
	Entry   string `json:"entry"`
	Reason  string `json:"reason"`
	Warning bool   `json:"warning,omitempty"` // it fails nothing
	Gone    bool   `json:"gone,omitempty"`    // its finding was tried and is not there
}

// Case names the request of a finding, so that it can be repeated.
type Case struct {
	Seed int64  `json:"seed"`
	ID   string `json:"id"`
}

// Severities of findings.
const (
	Error   = "error"
	Warning = "warning"
)

// ID makes the ID of a finding. It does not have its severity, as what is not seen again is
// a warning.
func ID(f Finding) string {
	const digits = 10
	return f.fingerprint()[:digits]
}

func (f *Finding) fingerprint() string {
	sum := sha256.Sum256([]byte(key(f.Operation, f.Check, f.Clause, strconv.Itoa(f.Status), f.MediaType)))
	return hex.EncodeToString(sum[:16])
}

// Errors counts the findings that break the contract, without those that are known.
func (r *Report) Errors() int { return r.count(Error) }

// FindingsWarned counts the findings that the document and the RFCs leave to
// the receiver, without those that are known.
func (r *Report) FindingsWarned() int { return r.count(Warning) }

func (r *Report) count(severity string) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == severity && f.Known == nil {
			n++
		}
	}
	return n
}

// known are the findings that fail nothing.
func (r *Report) known() []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Known == nil })
}

// stale are the entries of the baseline that have to be mended; those that are warnings
// apart.
func (r *Report) stale() (fail, warn []Stale) {
	if r.Baseline == nil {
		return nil, nil
	}
	for _, s := range r.Baseline.Stale {
		if s.Warning {
			warn = append(warn, s)
		} else {
			fail = append(fail, s)
		}
	}
	return fail, warn
}

// FailOnUnproven makes a report fail where the valid request of an operation was
// never accepted. See Failed.
const FailOnUnproven = "unproven"

// tooLittle reports whether fewer clauses are shown than have to be, though all was sent. Of a
// shard alone nobody can say that.
func (r *Report) tooLittle() bool {
	return r.Shard == nil && r.Idle == "" && len(r.Inconclusive) == 0 && r.Coverage.Share() < r.MinCoverage
}

// Failed reports whether there is an error that is not known, an entry of the baseline
// that has to be mended, less shown than MinCoverage, or what else failOn names: Warning, FailOnUnproven.
func (r *Report) Failed(failOn ...string) bool {
	stale, _ := r.stale()
	return r.Errors() > 0 || len(stale) > 0 || r.tooLittle() ||
		r.FindingsWarned() > 0 && slices.Contains(failOn, Warning) ||
		len(r.Unproven) > 0 && slices.Contains(failOn, FailOnUnproven)
}

// The exit statuses of a run.
const (
	StatusKept     = 0
	StatusFindings = 1
	StatusNoResult = 2 // the run could not be done, or proves nothing
)

// Status is the exit status of a run with this report: StatusFindings where it
// has failed, StatusNoResult where nothing is found but the run is inconclusive,
// where whatever is found says nothing, or a hook has failed.
func (r *Report) Status(failOn ...string) int {
	switch {
	case r.Void, r.HookFailed:
		return StatusNoResult
	case r.Failed(failOn...):
		return StatusFindings
	case len(r.Inconclusive) > 0:
		return StatusNoResult
	}
	return StatusKept
}

// alarms lists what is to be read before the findings, the gravest first.
func (r *Report) alarms() []string {
	all := slices.Clone(r.Inconclusive)
	if r.Incomplete != "" {
		all = append(all, r.Incomplete)
	}
	return all
}

// Sort puts the findings in their order, errors first, then by place, gives them their IDs,
// and groups them.
func (r *Report) Sort() {
	for i := range r.Findings {
		r.Findings[i].ID = ID(r.Findings[i])
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column),
			cmp.Compare(a.Clause, b.Clause), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Status, b.Status), cmp.Compare(a.MediaType, b.MediaType),
		)
	})
	r.Group()
}

// Formats are the renderings, by the name that --report takes.
var Formats = map[string]func(io.Writer, *Report) error{
	"text":  func(w io.Writer, r *Report) error { return Text(w, r, TextOptions{}) },
	"json":  JSON,
	"junit": JUnit,
	"html":  HTML,
	"sarif": SARIF,
	"har":   HAR,
	"md":    Markdown,
	"go":    GoTest,

	"overlay":     Overlay,
	"codequality": CodeQuality,
}
