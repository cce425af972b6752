package run

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// answer is what is kept of a response to weigh it.
type answer struct {
	status   int
	kind     string // media type
	location string
}

func answerOf(x *wire.Exchange) answer {
	if x.Response == nil {
		return answer{}
	}
	kind, _, err := mime.ParseMediaType(x.Response.Header.Get("Content-Type"))
	if err != nil {
		kind = x.Response.Header.Get("Content-Type")
	}
	return answer{x.Response.Status, kind, x.Response.Header.Get("Location")}
}

func (a answer) class() int { return a.status / 100 }

func (a answer) String() string {
	if a.status == 0 {
		return "no answer"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)))
}

// refuses reports whether a control was refused: a control that gets no answer
// or a 5xx is no refusal, it takes no finding back and makes none.
func (a answer) refuses() bool { return a.class() == 4 }

// conclude enters what came of some cases, in their order.
func (r *runner) conclude(ctx context.Context, cases []*plan.Case, outcomes []outcome) {
	var probes map[*plan.Case]*probe
	var others map[*plan.Case]others
	var both sync.WaitGroup
	both.Go(func() { probes = r.probes(ctx, cases, outcomes) })
	both.Go(func() { others = r.others(ctx, cases, outcomes) })
	both.Wait()
	for i, c := range cases {
		r.concludeOne(ctx, c, outcomes[i], probes[c], others[c])
	}
}

// others are answers that the one to a case is held against; nil are those that were not
// asked for beforehand.
type others struct {
	second *answer // to the same request
	base   *answer // to the valid one, where the case is refused that has to be accepted
	plain  *answer // to it in its plain form, where a fault is not noticed in another
}

// others sends, beside each other, what the answers to some cases are held against in any
// case: the valid request, and the request once more that is the first with a finding which
// has to come again.
func (r *runner) others(ctx context.Context, cases []*plan.Case, outcomes []outcome) map[*plan.Case]others {
	all := make([]others, len(cases))
	seen := map[findingKey]bool{}
	g := &errgroup.Group{}
	g.SetLimit(r.workers())
	ask := func(c *plan.Case, to **answer) {
		*to = &answer{}
		into := *to
		g.Go(func() error { *into = answerOf(r.send(ctx, c)); return nil })
	}
	for i, c := range cases {
		o := &outcomes[i]
		if o.skipped != "" || c.Base == nil || c.Expect != plan.Accept && c.Expect != plan.Refuse || len(c.Parts()) > 0 || // which may be reduced
			c.Expect == plan.Accept && (r.doubtful(c) || r.assumes(c, o)) {
			continue
		}
		if needsBase(c, o) {
			ask(c.Base, &all[i].base)
		}
		if plain := plainOf(c); plain != nil && blamesForm(c, o) {
			ask(plain, &all[i].plain)
		}
		again := false
		for _, f := range o.findings {
			if key := keyOf(f); r.wantsSecond(f) && !seen[key] {
				seen[key], again = true, true
			}
		}
		if again && !r.usesUp(c, o) {
			ask(c, &all[i].second)
		}
	}
	_ = g.Wait() // none fails
	byCase := map[*plan.Case]others{}
	for i, c := range cases {
		byCase[c] = all[i]
	}
	return byCase
}

// needsBase reports whether the valid request is needed to tell what a refusal means.
func needsBase(c *plan.Case, o *outcome) bool {
	return c.Expect == plan.Accept && o.must && o.class() == 4 && c.Base != nil
}

// wantsSecond reports whether a finding is one that a second answer has to confirm.
func (r *runner) wantsSecond(f report.Finding) bool {
	return f.Severity == report.Error && slices.Contains(comesAgain, f.Check) && !r.confirmed[keyOf(f)]
}

// usesUp reports whether a request has taken away what it needs, and cannot be sent again as
// it was.
func (r *runner) usesUp(c *plan.Case, o *outcome) bool {
	return takes(c.Op) && o.accepted && !r.states.of(c.Op).renews()
}

// concludeOne enters the outcome of a case: what of it the evidence bears.
func (r *runner) concludeOne(ctx context.Context, c *plan.Case, o outcome, p *probe, known others) {
	if o.skipped != "" {
		r.states.of(c.Op).skipped[c.Clause] = o.skipped
		if o.cut {
			r.leftOut(c, o.skipped)
		}
		return
	}
	r.states.of(c.Op).note(c, &o)
	small, least := r.reduce(ctx, c, &o, p)
	if small != c {
		known = others{}
	}
	r.weigh(ctx, small, least, known)
	clean := true
	for _, f := range least.findings {
		r.enter(f)
		clean = clean && f.Severity == report.Warning
	}
	r.sample.Add(least.shot, least.findings, least.wanted)
	r.cover(small, least, clean)
}

// weigh holds what an answer seems to show against other answers: a refusal
// against one to the request without what the case changes, a path or a method
// that is served against one that nobody can know, and both against the answer
// to the same request once more.
func (r *runner) weigh(ctx context.Context, c *plan.Case, o *outcome, known others) {
	if r.states.of(c.Op).closed && o.refusesCaller() {
		o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool {
			return f.Check == judge.ValidRefused || f.Check == judge.UndocumentedStatus && f.Severity == report.Error
		})
	}
	switch c.Expect {
	case plan.Accept:
		if r.doubtful(c) || r.assumes(c, o) {
			o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool { return f.Check == judge.ValidRefused })
			break
		}
		if c.Base == nil && len(c.Assumes) > 0 {
			r.setAside(c, o)
			break
		}
		if c.Base == nil && r.usedUp(c, o) {
			o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool { return f.Check == judge.ValidRefused })
			break
		}
		if needsBase(c, o) && r.answer(ctx, c.Base, known.base).refuses() {
			r.changed(c, o)
		}
		if drops(o.findings, judge.ValidRefused) && slices.ContainsFunc(c.Without, func(without func() *wire.Request) bool {
			other := *c
			other.Request = without()
			return other.Request != nil && answerOf(r.send(ctx, &other)).refuses()
		}) { // it is not this clause
			o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool { return f.Check == judge.ValidRefused })
		}
		r.blameTogether(ctx, c, o)
	case plan.RefusePath, plan.RefuseMethod:
		if drops(o.findings, besideThePoint...) && r.unremarkable(ctx, c, o.answer) {
			o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool { return slices.Contains(besideThePoint, f.Check) })
		}
	case plan.Refuse:
		r.blameForm(ctx, c, o, known.plain)
	case plan.RefuseCredential:
	}
	r.again(ctx, c, o, known.second)
}

// usedUp notes that a valid request is refused for a value which the user has given
// and which may be used up: an earlier run may have deleted what it names, or acted
// on it. What can be read is there.
func (r *runner) usedUp(c *plan.Case, o *outcome) bool {
	if c.Op.Response(o.status) == nil {
		return false
	}
	consumed := r.world.Consumed(c.Op.Method, c.Op)
	for _, p := range c.Op.Params {
		if p.Spec.In != openapi3.ParameterInPath || len(r.opts.knownOf(c.Op)[p.Spec.Name]) == 0 {
			continue
		}
		before, _, _ := strings.Cut(c.Op.Path, "{"+p.Spec.Name+"}")
		read := r.world.Reader(c.Op, p)
		gone := (o.status == http.StatusNotFound || o.status == http.StatusGone) && (read == nil || !r.states.of(read).accepted)
		deleted := gone && r.world.At(http.MethodDelete, before+"{"+p.Spec.Name+"}") != nil
		if deleted || p == consumed && o.status == http.StatusConflict {
			r.states.of(c.Op).usedUp = p
			return true
		}
	}
	return false
}

// setAside keeps back that a valid request is refused which has examples of the
// document for identifiers: nothing says that they exist on the target.
func (r *runner) setAside(c *plan.Case, o *outcome) {
	o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool {
		if f.Check != judge.ValidRefused {
			return false
		}
		r.states.of(c.Op).aside = append(r.states.of(c.Op).aside, f)
		return true
	})
}

// takeUp enters what was set aside of an operation where made-up identifiers of
// the same kind turned out to be accepted, so that the refused ones need not
// exist either.
func (r *runner) takeUp(st *state) {
	base := r.plan.base(st.op)
	if len(st.aside) == 0 || base == nil {
		return
	}
	for _, node := range base.Assumes {
		if !st.taken[node] {
			return
		}
	}
	for _, f := range st.aside {
		r.enter(f)
	}
}

// doubtful reports whether a request has a made-up text that may be the name of
// something, and no such text has been accepted.
func (r *runner) doubtful(c *plan.Case) bool {
	return slices.ContainsFunc(c.Doubts, func(node string) bool { return !r.states.of(c.Op).taken[node] })
}

// assumes reports whether a case has an example of the document that is refused as
// something that there is not: nothing says that it exists, unless made-up values
// of its kind are accepted.
func (r *runner) assumes(c *plan.Case, o *outcome) bool {
	if c.Phase != plan.Examples || o.class() != 4 || c.Op.Response(o.status) == nil {
		return false
	}
	switch o.status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone:
		return true
	}
	st := r.states.of(c.Op)
	return slices.ContainsFunc(c.Assumes, func(node string) bool { return !st.taken[node] && !st.free[node] })
}

// blameTogether makes it a warning that a valid request is refused for parameters of which each is accepted
// beside others: those that exclude each other, one that needs another, or at least one of several.
func (r *runner) blameTogether(ctx context.Context, c *plan.Case, o *outcome) {
	at := slices.IndexFunc(o.findings, func(f report.Finding) bool { return f.Check == judge.ValidRefused && f.Severity == report.Error })
	if at < 0 || o.status != http.StatusBadRequest && o.status != http.StatusUnprocessableEntity {
		return
	}
	apart, sentence := c.Apart()
	if len(apart) == 0 {
		return
	}
	for _, requests := range apart {
		if !slices.ContainsFunc(requests, func(request *wire.Request) bool {
			other := *c
			other.Request = request
			return accepted(c.Op, r.send(ctx, &other))
		}) {
			return
		}
	}
	f := &o.findings[at]
	f.Severity, f.Leave = report.Warning, sentence
	f.Message += " (" + sentence + ")"
}

// blameForm lays it at the form of a request that its fault is not noticed,
// where the same request in its plain form is refused: a server that drops
// chunked bodies has one fault, not one for each clause.
func (r *runner) blameForm(ctx context.Context, c *plan.Case, o *outcome, known *answer) {
	plain := plainOf(c)
	if plain == nil || !blamesForm(c, o) || !r.answer(ctx, plain, known).refuses() {
		return
	}
	for i, f := range o.findings {
		if f.Check == judge.InvalidAccepted {
			o.findings[i].Clause, o.findings[i].Place = c.Op.MessageClause.Name, Place(r.contract, c.Op.MessageClause)
			o.findings[i].Message += " (the same request in its plain form is refused)"
		}
	}
}

// blamesForm reports whether it may be the form of a request for which its fault is not noticed.
func blamesForm(c *plan.Case, o *outcome) bool {
	return c.Expect == plan.Refuse && drops(o.findings, judge.InvalidAccepted)
}

// plainOf is a case in its plain form; nil where it has no other.
func plainOf(c *plan.Case) *plan.Case {
	plain := *c
	switch {
	case c.Plain != nil:
		plain.Request = c.Plain
	case c.Request.Chunked:
		plain.Request = c.Request.Clone()
		plain.Request.Chunked = false
	default:
		return nil
	}
	return &plain
}

// besideThePoint are the checks that say nothing of a path or a method where a
// stranger is answered alike.
var besideThePoint = []string{judge.UndocumentedPath, judge.UndocumentedMethod, judge.Redirect}

// comesAgain are the checks that say that a request is refused, or accepted.
// The others are about an answer, which is wrong if it is given once.
var comesAgain = []string{
	judge.ValidRefused, judge.InvalidAccepted, judge.UndocumentedPath, judge.UndocumentedMethod, judge.SecurityIgnored,
}

func drops(findings []report.Finding, checks ...string) bool {
	return slices.ContainsFunc(findings, func(f report.Finding) bool { return slices.Contains(checks, f.Check) })
}

// answer is the one to a case that is known, or what it is answered with now.
func (r *runner) answer(ctx context.Context, c *plan.Case, known *answer) answer {
	if known != nil {
		return *known
	}
	return answerOf(r.send(ctx, c))
}

// again sends a request once more, unless that has been done, before it is reported that it
// is accepted or refused: what does not come again is a warning that says so.
func (r *runner) again(ctx context.Context, c *plan.Case, o *outcome, second *answer) {
	if r.usesUp(c, o) {
		return
	}
	for i, f := range o.findings {
		if !r.wantsSecond(f) {
			continue
		}
		a := r.answer(ctx, c, second)
		second = &a
		if second.class() == o.class() || r.over(ctx) {
			r.confirmed[keyOf(f)] = true
			continue
		}
		o.findings[i].Severity = report.Warning
		o.findings[i].Message += fmt.Sprintf("; sent again, it returned %s", second)
	}
}

// strange is what a stranger is asked for: a path of this many segments, by this
// method.
type strange struct {
	method   string
	segments int
}

// unremarkable reports whether a request for a path or by a method that the
// document does not have is answered as any is, or is sent to the documented
// spelling of its path.
func (r *runner) unremarkable(ctx context.Context, c *plan.Case, a answer) bool {
	if a.class() == 3 && c.Expect == plan.RefusePath && r.documented(a.location) {
		return true
	}
	if c.Expect == plan.RefuseMethod && !hidesRefusal(c) && success(c.Op, a) && a.kind != "text/html" {
		return false // it is served as the documented method is; a page may be what everybody gets who asks for nothing else
	}
	for _, segments := range []int{1, r.depth(c)} {
		other := r.stranger(ctx, c, segments)
		if other.status == a.status && other.kind == a.kind {
			return true
		}
	}
	return false
}

// hidesRefusal reports whether an answer that looks like a success may be a refusal all the same:
// that to OPTIONS says what may be asked, and that to HEAD has no body to refuse in.
func hidesRefusal(c *plan.Case) bool {
	return c.Request.Method == http.MethodOptions || c.Request.Method == http.MethodHead && !c.Op.Refuses()
}

// success reports whether an answer looks like a documented one of the
// operation.
func success(op *contract.Operation, a answer) bool {
	r := op.Response(a.status)
	if r == nil {
		return false
	}
	if a.kind == "" || r.NoBody != nil {
		return a.kind == "" && r.NoBody != nil
	}
	_, err := r.Select(a.kind)
	return err == nil
}

// nowhere is a segment that no path has.
const nowhere = "x-8c1f2e7a"

// documented reports whether a Location leads to a path of the document.
func (r *runner) documented(location string) bool {
	u, err := url.Parse(location)
	if err != nil || u.Path == "" {
		return false
	}
	path := strings.TrimPrefix(u.EscapedPath(), r.plan.opts.BasePath)
	return len(r.contract.At(path)) > 0
}

// changed decides what it means that not only a case is refused, but now also
// the valid request that it differs from, which was accepted before. Where the
// request had been accepted twice, its values are not used up by it, and if
// nothing else has changed the target, then its refusal is no state but a fault
// that an earlier request has set off.
func (r *runner) changed(c *plan.Case, o *outcome) {
	o.findings = slices.DeleteFunc(o.findings, func(f report.Finding) bool { return f.Check == judge.ValidRefused })
	st := r.states.of(c.Op)
	if o.status == http.StatusConflict && c.Op.Response(o.status) != nil {
		return // with what other requests have made (RFC 9110 §15.5.10)
	}
	if r.credential.lost.Load() != nil || !st.repeatable.Load() || st.lost || r.selection.SkipsCheck(judge.ValidRefused) || r.othersChange(c.Op) {
		return
	}
	st.lost = true
	base := c.Base
	e := &judge.Exchange{
		Exchange: &wire.Exchange{Request: r.withRunHeaders(base)}, Op: c.Op, Clause: base.Clause, Secrets: r.secrets(c.Op, base.Request),
	}
	r.enter(r.finding(e, judge.RefusedSince(e, c.ID, strconv.Itoa(o.status)), base.ID))
}

// othersChange reports whether another operation may have changed the target.
func (r *runner) othersChange(op *contract.Operation) bool {
	return slices.ContainsFunc(r.states, func(other *state) bool {
		return other.accepted && other.op != op && rank(other.op) > reading
	})
}

// cover enters what a case has shown of the clauses of its request.
func (r *runner) cover(c *plan.Case, o *outcome, clean bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case c.Expect == plan.Accept && o.accepted && clean:
		r.account.Kept(append(c.Keeps, c.Clause)...)
	case c.Expect != plan.Accept && o.refused && (r.states.of(c.Op).accepted || c.Expect == plan.RefuseCredential):
		r.account.Broken(c.Clause)
	default:
		clauses := slices.Concat(c.Keeps, []*contract.Clause{c.Clause})
		r.account.Tried(clauses...)
		for _, cl := range clauses {
			if r.tried[cl] == nil {
				r.tried[cl] = tally{}
			}
			r.tried[cl][o.answer.String()]++
		}
	}
}
