package traffic

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// DefaultBound is how many bytes of one body are held where nothing else is said.
const DefaultBound = 1 << 20

// Options shape a watcher.
type Options struct {
	// Found is called for every finding, concurrently; nil where nobody wants them so.
	Found func(report.Finding)
	// Log has a record for each finding, and one for what the watcher itself gets wrong; may be nil.
	Log     *slog.Logger
	Enforce bool    // what breaks the contract is refused
	Share   float64 // of the exchanges that are judged
	Bound   int     // bytes of one body
	// Keep has an account of all exchanges kept, for reports; Target says of whom they are.
	Keep   bool
	Target string
	// Later is how many exchanges may wait to be judged when they have passed; 0 has each judged
	// before the handler's goroutine goes on.
	Later  int
	Redact []string // words in names whose values are not shown, beside those that are secret anywhere
}

// Watcher judges exchanges as they pass. It is safe for concurrent use.
type Watcher struct {
	contract *contract.Contract
	opts     Options
	room     room
	counts   counts
	account  *Account // nil where none is kept

	waiting, judging chan struct{} // as many as may
	pending          sync.WaitGroup
}

// counts are how many exchanges there were, by what became of them.
type counts struct{ outside, refused, upgraded, unjudged atomic.Int64 }

// New returns a watcher of a contract.
func New(c *contract.Contract, opts Options) *Watcher {
	w := &Watcher{
		contract: c, opts: opts, room: room{bound: together * int64(opts.Bound)},
		waiting: make(chan struct{}, opts.Later), judging: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), //nolint:mnd // the other half passes on what comes
	}
	if opts.Keep {
		w.account = newAccount(c, opts.Target, opts.Redact)
	}
	return w
}

// Wait returns when all that has passed is judged. Nothing may pass any more.
func (w *Watcher) Wait() { w.pending.Wait() }

// Report is what all exchanges so far come to, and Changes how many there were; of a watcher that
// keeps an account.
func (w *Watcher) Report() *report.Report { return w.account.report(&w.counts) }

// Changes is another number where the report is another one.
func (w *Watcher) Changes() int64 {
	w.account.mu.Lock()
	defer w.account.mu.Unlock()
	return int64(w.account.judged) + w.counts.outside.Load() + w.counts.upgraded.Load() + w.counts.unjudged.Load()
}

// Found is how many errors and warnings there are in the report.
func (w *Watcher) Found() (errors, warnings int) {
	w.account.mu.Lock()
	defer w.account.mu.Unlock()
	for _, f := range w.account.findings {
		if f.Severity == report.Error {
			errors++
		}
	}
	return errors, len(w.account.findings) - errors
}

// Enter judges an exchange that took place elsewhere; name says where it is recorded. It is
// false for a path that the document does not have.
func (w *Watcher) Enter(x *wire.Exchange, name string) (found []report.Finding, ok bool) {
	if op, known := w.contract.Find(x.Request.Method, x.Request.Target); op == nil && !known {
		w.counts.outside.Add(1)
		return nil, false
	}
	got := w.examine(x)
	w.enter(got, name)
	return got.findings, true
}

// Held is how many bytes of bodies are held at the moment, and how many were at most.
func (w *Watcher) Held() (now, most int64) { return w.room.held.Load(), w.room.most.Load() }

// wants reports whether an exchange is one to be judged.
func (w *Watcher) wants(method, target string) bool {
	if op, known := w.contract.Find(method, target); op == nil && !known {
		w.counts.outside.Add(1)
		return false
	}
	return w.opts.Share >= 1 || rand.Float64() < w.opts.Share
}

func (w *Watcher) body() *body { return &body{room: &w.room, bound: w.opts.Bound} }

// requestOf is the head of a request, its body unseen.
func requestOf(req *http.Request) *wire.Request {
	r := &wire.Request{Method: req.Method, Target: req.URL.RequestURI(), Unseen: true, Header: make([]wire.Field, 0, len(req.Header))}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, v := range req.Header[name] {
			r.Add(name, v)
		}
	}
	return r
}

// withBody adds the body, where it is known.
func withBody(r *wire.Request, data []byte, known bool) *wire.Request {
	if known {
		r.Unseen = false
		if len(data) > 0 {
			r.Body = data
		}
	}
	return r
}

// refusalOf judges a request before it is passed on; it is nil where nothing keeps it from that.
func (w *Watcher) refusalOf(r *wire.Request) *RefusedError {
	found := w.examined(&wire.Exchange{Request: r, Response: &wire.Response{Status: http.StatusBadRequest}}, func(check string) bool { return check != judge.RequestInvalid })
	if len(found.findings) == 0 || found.of.Leave != "" {
		return nil
	}
	no := &RefusedError{Status: http.StatusBadRequest, Findings: found.findings, found: found}
	if op, _ := w.contract.Find(r.Method, r.Target); op == nil {
		no.Status = http.StatusMethodNotAllowed
		for _, op := range w.contract.At(r.Target) {
			no.allow = append(no.allow, op.Method)
		}
	}
	return no
}

// examined is an exchange with what is found in it.
type examined struct {
	of       *judge.Exchange // nil where it could not be judged
	findings []report.Finding
}

// examine judges an exchange.
func (w *Watcher) examine(x *wire.Exchange) *examined { return w.examined(x, nil) }

func (w *Watcher) examined(x *wire.Exchange, skip func(check string) bool) (out *examined) {
	out = &examined{}
	defer w.recovered()
	e := judge.Recorded(w.contract, x)
	if e == nil {
		return out
	}
	broken := judge.Judge(e, skip)
	out.of = e
	if len(broken) == 0 {
		return out
	}
	shown := *e
	shown.Secrets = secret.InExchange(e, w.opts.Redact)
	for _, f := range broken {
		found := run.Finding(&shown, f, "", "")
		found.ID = report.ID(found)
		out.findings = append(out.findings, found)
	}
	return out
}

// refusal is nil where nothing that is found is an error.
func (x *examined) refusal(status int) *RefusedError {
	errs := slices.DeleteFunc(slices.Clone(x.findings), func(f report.Finding) bool { return f.Severity != report.Error })
	if len(errs) == 0 {
		return nil
	}
	return &RefusedError{Status: status, Findings: errs, found: x}
}

// refuse notes what is refused.
func (w *Watcher) refuse(no *RefusedError) {
	w.counts.refused.Add(1)
	w.note(no.found)
}

// later has an exchange judged, and calls done then.
func (w *Watcher) later(x *wire.Exchange, done func()) {
	judge := func() {
		w.note(w.examine(x))
		done()
	}
	if w.opts.Later == 0 {
		judge()
		return
	}
	select {
	case w.waiting <- struct{}{}:
	default:
		w.counts.unjudged.Add(1)
		done()
		return
	}
	w.pending.Go(func() {
		w.judging <- struct{}{}
		judge()
		<-w.judging
		<-w.waiting
	})
}

// note hands what is found to whoever wants it.
func (w *Watcher) note(x *examined) { w.enter(x, "") }

func (w *Watcher) enter(x *examined, name string) {
	defer w.recovered()
	if w.account != nil {
		w.account.add(x, name)
	}
	for _, f := range x.findings {
		if w.opts.Found != nil {
			w.opts.Found(f)
		}
		if w.opts.Log != nil {
			w.log(f)
		}
	}
}

func (w *Watcher) log(f report.Finding) {
	say := w.opts.Log.Error
	if f.Severity == report.Warning {
		say = w.opts.Log.Warn
	}
	say("the contract is broken", slog.String("id", f.ID), slog.String("check", f.Check), slog.String("clause", f.Clause), slog.String("finding", f.Message),
		slog.String("operation", f.Operation), slog.String("place", f.Place.String()), slog.String("expected", f.Expected), slog.String("request", f.Request))
}

// recovered keeps what goes wrong in the judge, or in whoever is told, from what passes.
func (w *Watcher) recovered() {
	v := recover() //nolint:revive // it is deferred by all who call it
	if v != nil && w.opts.Log != nil {
		w.opts.Log.Error("an exchange could not be judged", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	}
}

// RefusedError is why an exchange did not pass. It is what a client has as the error of its request.
type RefusedError struct {
	Status   int
	Findings []report.Finding

	allow []string
	found *examined
}

func (r *RefusedError) Error() string {
	f := r.Findings[0]
	text := fmt.Sprintf("the contract is broken: %s (%s, check %s)", f.Message, f.Clause, f.Check)
	if more := len(r.Findings) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// write answers a request in the place of whoever should have, as RFC 9457 has it.
func (r *RefusedError) write(w http.ResponseWriter, method string) {
	type violation struct {
		Clause  string `json:"clause"`
		Message string `json:"message"`
	}
	problem := struct {
		Title      string      `json:"title"`
		Status     int         `json:"status"`
		Detail     string      `json:"detail"`
		Violations []violation `json:"violations"`
	}{Title: http.StatusText(r.Status), Status: r.Status, Detail: "the request breaks the contract"}
	if r.Status >= http.StatusInternalServerError {
		problem.Detail = "the response breaks the contract"
	}
	for _, f := range r.Findings {
		problem.Violations = append(problem.Violations, violation{f.Clause, f.Message})
	}
	data, err := json.Marshal(problem)
	if err != nil {
		data = nil // texts are always written
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	h.Set("Contract-Violation", r.Findings[0].Clause)
	if len(r.allow) > 0 {
		h.Set("Allow", strings.Join(r.allow, ", "))
	}
	w.WriteHeader(r.Status)
	if method != http.MethodHead {
		_, _ = w.Write(data) // whoever asked may be gone
	}
}
