package chain

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// Chain is one way to try a check on one kind of resource.
type Chain struct {
	ID    string // of its finding: clause and check
	Check string
	// Alone is set where no other request may change the collection meanwhile, Doubtful where
	// one that does hides nothing. What is found beside others has to be found alone.
	Alone, Doubtful bool
	Kind            *Kind
	Ops             []*contract.Operation // that it needs, the one that it is about first
	act             func(*try)
}

// Clause is the one that the chain's last operation is judged by.
func (c *Chain) Clause() *contract.Clause { return c.Ops[0].StatusClause }

// Settle is how long what was done may take to show.
type Settle struct {
	Most time.Duration
	vain atomic.Int32 // times that so long was waited, and nothing came of it
}

// enough is how often the longest time is waited in vain: what is not there by then is not
// there any more, and the next ones are waited for less.
const (
	enough   = 4
	lessThan = 8
)

func (s *Settle) most() time.Duration {
	if s.vain.Load() >= enough {
		return s.Most / lessThan
	}
	return s.Most
}

// Finding is what the steps of a chain have shown.
type Finding struct {
	*Chain
	Severity judge.Severity
	At       *Step // whose answer is wrong
	Message  string
	Expected string
	Actual   string
	Steps    []*Step // in their order, the one at fault among them
}

// onceMore is what a finding says that did not come again.
const onceMore = "; it did not happen again with new resources"

// Try tries a chain: a finding has to come again on fresh resources, else it is a
// warning that says so. It is nil where there is none. Where a chain looks at several
// things in turn, the second try is about the one at fault alone.
func (c *Chain) Try(ctx context.Context, actor Actor, settle *Settle) *Finding {
	first := c.once(&try{ctx: ctx, actor: actor, settle: settle})
	if first == nil || first.late {
		return first.finding(c)
	}
	// Of several resources, no more are made than it takes. What comes again has all the time to
	// settle, whatever others have waited for in vain.
	for few := min(first.several, 1); few <= first.several; few++ {
		again := c.once(&try{ctx: ctx, actor: actor, settle: &Settle{Most: settle.Most}, alone: first.about, few: few})
		if again != nil && !again.late {
			return again.finding(c)
		}
	}
	f := first.finding(c)
	f.Severity, f.Message = judge.Warning, f.Message+onceMore
	return f
}

func (c *Chain) once(t *try) *verdict {
	t.Kind = c.Kind
	c.act(t)
	if t.silent || t.ctx.Err() != nil || t.found == nil {
		return nil
	}
	t.found.steps, t.found.several = t.steps, t.several
	return t.found
}

// verdict is what one try has shown.
type verdict struct {
	severity                  judge.Severity
	at                        *Step
	message, expected, actual string
	steps                     []*Step
	about                     string // of what was looked at in turn
	several                   int    // resources that it was about; 0 where their number is given
	late                      bool   // it came right, but late
}

func (v *verdict) finding(c *Chain) *Finding {
	if v == nil {
		return nil
	}
	return &Finding{Chain: c, Severity: v.severity, At: v.at, Message: v.message, Expected: v.expected, Actual: v.actual, Steps: v.steps}
}

// try is one time that a chain is tried.
type try struct {
	*Kind
	ctx    context.Context
	actor  Actor
	settle *Settle
	steps  []*Step
	silent bool // an answer left room: nothing is concluded
	found  *verdict

	about string // what is looked at of several things
	alone string // what alone is looked at; empty where all are

	several int // resources that are made
	few     int // so many at most; 0 for no bound
}

// makeAll makes several resources below the same, for more than one page; none where one of them was
// not made.
func (t *try) makeAll() []*resource {
	n := onPages
	if t.few > 0 {
		n = min(n, t.few)
	}
	t.several = n
	r := t.make(Edit{})
	if r == nil {
		return nil
	}
	all := []*resource{r}
	for len(all) < n {
		if all = append(all, t.beside(r, Edit{})); t.over() {
			return nil
		}
	}
	return all
}

// each looks at several things in turn, each with its own steps after those that there are.
func (t *try) each(names []string, look func(name string)) {
	common := len(t.steps)
	for _, name := range names {
		if t.over() {
			return
		}
		if t.alone != "" && t.alone != name {
			continue
		}
		t.about = name
		if look(name); t.found == nil {
			t.steps = t.steps[:common:common]
		}
	}
}

// resource is something that a try has made.
type resource struct {
	kind   *Kind
	up     *resource         // what it was made below; nil where the try has made nothing of that
	values map[string]string // in its own path
	made   *Step
}

// id is the identifier; empty where it has none.
func (r *resource) id() string {
	if r.kind.Part() {
		return ""
	}
	return r.values[r.kind.Param.Spec.Name]
}

// at are the values in the path of an operation that is about a resource, or about what it was made below.
func (r *resource) at(op *contract.Operation) map[string]string {
	all := map[string]string{}
	maps.Copy(all, r.values)
	maps.Copy(all, world.Carried(r.parent(), r.kind.Make.Path, op.Path))
	maps.Copy(all, world.Carried(r.values, r.kind.Item, op.Path))
	return all
}

// asking is a query of a list, with the identifier of what a resource was made below where the list has to be asked
// for that.
func (r *resource) asking(list *contract.Operation, query map[string]string) map[string]string {
	for _, p := range list.Params {
		name := p.Spec.Name
		if p.Spec.In == openapi3.ParameterInQuery && p.Spec.Required && r.up != nil && r.kind.IsParent(name, p.Node) && query[name] == "" {
			with := map[string]string{name: r.up.id()}
			maps.Copy(with, query)
			query = with
		}
	}
	return query
}

// parent are the values in the path of what makes such a resource.
func (r *resource) parent() map[string]string {
	switch {
	case r.up != nil:
		return world.Carried(r.up.values, r.up.kind.Item, r.kind.Make.Path)
	case r.kind.Shallow() && r.made != nil:
		return r.made.Values
	}
	above := maps.Clone(r.values)
	if r.kind.Part() {
		return above
	}
	delete(above, r.kind.Param.Spec.Name)
	return above
}

// blame enters what is wrong with the answer of a step, once.
func (t *try) blame(severity judge.Severity, at *Step, expected, actual, format string, args ...any) {
	if t.found == nil {
		t.found = &verdict{severity: severity, at: at, message: fmt.Sprintf(format, args...), expected: expected, actual: actual, about: t.about}
	}
}

// blameValue enters that a property has another value than it should have.
func (t *try) blameValue(severity judge.Severity, at *Step, name string, want, got any, format string, args ...any) {
	expected, actual := name+": "+show(want), name+": "+show(got)
	t.blame(severity, at, expected, actual, format, args...)
}

// acting is the last step that asks for a change: what comes of it shows in others.
func (t *try) acting() *Step {
	for _, s := range slices.Backward(t.steps) {
		if !world.Safe(s.Request.Method) {
			return s
		}
	}
	return t.steps[len(t.steps)-1]
}

// over reports whether there is nothing more to be done.
func (t *try) over() bool { return t.silent || t.found != nil || t.ctx.Err() != nil }

// above makes what a resource of the kind stands below; nil where that is nothing.
func (t *try) above(k *Kind) *resource {
	if k.Parent == nil {
		return nil
	}
	up := t.makeKind(k.Parent, t.above(k.Parent), Edit{})
	t.silent = t.silent || up == nil
	return up
}

// make makes a resource of the chain's kind; nil where none was made, or nothing can be
// concluded of it.
func (t *try) make(e Edit) *resource { return t.makeKind(t.Kind, t.above(t.Kind), e) }

// beside makes another resource below the same; of a part, one below another.
func (t *try) beside(r *resource, e Edit) *resource {
	if r.kind.Part() {
		return t.makeKind(r.kind, t.above(r.kind), e)
	}
	return t.makeKind(r.kind, r.up, e)
}

// send asks for another resource where one was made, whatever comes of it. It is no step.
func (t *try) send(r *resource, e Edit) (*Step, map[string]string) {
	return t.actor.Make(t.ctx, r.kind, r.parent(), e)
}

func (t *try) makeKind(k *Kind, up *resource, e Edit) *resource {
	if t.over() {
		return nil
	}
	s, made := t.send(&resource{kind: k, up: up}, e)
	if s == nil || !s.ok() || made == nil {
		t.silent = t.silent || s == nil || s.open() || len(e.Set)+len(e.Drop)+len(e.Body)+len(e.Header) == 0 || e.As != Own
		return nil
	}
	t.steps = append(t.steps, s)
	r := &resource{kind: k, up: up, values: made, made: s}
	if t.silent = t.silent || s.open() && !t.appears(r); t.over() {
		return nil
	}
	return r
}

// appears reports whether what a request accepted for later is there by the time that things
// may take to settle. Where nothing reads it, nobody can tell, and what needs no read is tried.
func (t *try) appears(r *resource) bool {
	if r.made.status() != http.StatusAccepted {
		return false
	}
	if r.kind.Read == nil || r.kind.ReadInList {
		return true
	}
	there := func() bool { return t.actor.Do(t.ctx, r.kind.Read, r.at(r.kind.Read), Edit{}).ok() }
	good, _ := t.wait(there)
	return good
}

// attempt asks for a resource below another, as a step, whether or not one is made.
func (t *try) attempt(k *Kind, up *resource, e Edit) (*Step, *resource) {
	if t.silent || t.ctx.Err() != nil {
		t.silent = true
		return &Step{Op: k.Make, Exchange: &wire.Exchange{Request: &wire.Request{}}}, nil
	}
	s, made := t.send(&resource{kind: k, up: up}, e)
	if s == nil {
		s = &Step{Op: k.Make, Exchange: &wire.Exchange{Request: &wire.Request{}}}
	}
	t.steps = append(t.steps, s)
	if made == nil || !s.ok() {
		t.silent = s.open()
		return s, nil
	}
	r := &resource{kind: k, up: up, values: made, made: s}
	t.silent = s.open() && !t.appears(r)
	return s, r
}

// do carries out an operation on a resource, as a step of the chain.
func (t *try) do(op *contract.Operation, r *resource, e Edit) *Step {
	s := t.peek(op, r, e)
	t.steps = append(t.steps, s)
	return s
}

// peek carries out what is no step of the chain: it is only learned from.
func (t *try) peek(op *contract.Operation, r *resource, e Edit) *Step {
	if t.silent || t.ctx.Err() != nil {
		t.silent = true
		return &Step{Op: op, Exchange: &wire.Exchange{Request: &wire.Request{}}}
	}
	if r.kind.ReadInList && op == r.kind.Read {
		return t.entryOf(r, e)
	}
	if op == r.kind.List {
		e.Query = r.asking(op, e.Query)
	}
	s := t.actor.Do(t.ctx, op, r.at(op), e)
	// An answer that is no object is judged as any answer is, and says nothing of state.
	t.silent = t.silent || s.open() || op == r.kind.Read && !e.Head && s.ok() && s.got(r.kind, r.id()) == nil
	return s
}

// first waits before something is looked at again that disappoints.
const firstPause = 2 * time.Millisecond

// await reads until what is read is as it should be, for as long as things may take to
// settle. It reports whether that was so at last, and whether it was late.
func (t *try) await(op *contract.Operation, r *resource, right func(*Step) bool) (s *Step, good, late bool) {
	good, late = t.wait(func() bool {
		s = t.peek(op, r, Edit{})
		return t.silent || right(s)
	})
	t.steps = append(t.steps, s)
	return s, good, late
}

// wait looks again and again until something is right, for as long as things may take to
// settle. It reports whether that was so at last, and whether it was late.
func (t *try) wait(right func() bool) (good, late bool) {
	most, pause := t.settle.most(), firstPause
	for waited := time.Duration(0); ; {
		if right() {
			return true, late
		}
		late = true
		if waited >= most {
			t.settle.vain.Add(1)
			return false, late
		}
		if !sleep(t.ctx, pause) {
			return false, late
		}
		waited += pause
		pause = min(2*pause, max(most-waited, firstPause))
	}
}

// expect reads until what is read is right, for as long as things may take to settle, and enters
// what came right late. It reports whether it is wrong.
func (t *try) expect(op *contract.Operation, r *resource, late string, right func(*Step) bool) (s *Step, wrong bool) {
	s, good, wasLate := t.await(op, r, right)
	if good && wasLate {
		t.settled(late)
	}
	return s, !good && !t.silent
}

// expectValues does so for the properties of a resource; they are nil where nothing more can be
// said of them.
func (t *try) expectValues(r *resource, late string, right func(got map[string]any) bool) (got map[string]any, wrong bool) {
	s, good, wasLate := t.await(r.kind.Read, r, func(s *Step) bool { return !s.ok() || right(s.got(r.kind, r.id())) })
	if t.silent || !s.ok() {
		return nil, false
	}
	if good && wasLate {
		t.settled(late)
		return nil, false
	}
	return s.got(r.kind, r.id()), !good
}

// settled enters that what is read came right, but late.
func (t *try) settled(what string) {
	if t.found == nil && !t.silent {
		t.found = &verdict{
			severity: judge.Warning, at: t.acting(), late: true, message: what + " at first, but a little later it was right",
			expected: "the next response shows the change", actual: "a later response shows it",
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// read reads a resource as a step.
func (t *try) read(r *resource) *Step { return t.do(r.kind.Read, r, Edit{}) }

// readable reports whether a resource can be read, which is no step.
func (t *try) readable(r *resource) bool { return t.peek(r.kind.Read, r, Edit{}).ok() }

// gone reports whether a resource is not there, which is no step.
func (t *try) gone(r *resource) bool { return t.peek(r.kind.Read, r, Edit{}).gone() }

// shown are the properties of a resource that is read without that being a step.
func (t *try) shown(r *resource) map[string]any {
	s := t.peek(r.kind.Read, r, Edit{})
	if !s.ok() {
		t.silent = true
		return nil
	}
	return s.got(r.kind, r.id())
}

// kept are the properties of a new resource that are read as they were sent, twice: of
// them it is known that the target stores what it is sent.
func (t *try) kept(r *resource) map[string]any {
	one, two := t.shown(r), t.shown(r)
	all := map[string]any{}
	for name, v := range r.made.sent() {
		if got, ok := one[name]; ok && same(v, got) && same(two[name], got) {
			all[name] = v
		}
	}
	return all
}

// maxChanged is how many properties are changed one by one.
const maxChanged = 8

// others are Others for the operation of a try.
func (t *try) others(op *contract.Operation) map[string]any { return Others(t.actor, op) }

// Others are other values for the properties in the body of an operation, by name: valid
// ones, as far as each by itself is concerned.
func Others(actor Actor, op *contract.Operation) map[string]any {
	members, fixed := actor.Base(op)
	all := map[string]any{}
	for _, name := range sortedKeys(members) {
		n := prop(op, name)
		if n == nil || fixed[name] || actor.Renewed(op, name) || len(all) == maxChanged {
			continue
		}
		if v, ok := Other(n, members[name]); ok {
			all[name] = v
		}
	}
	return all
}

// listing names some of many.
func listing(names []string) string {
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// unique reports whether a text was made new for one request.
func (t *try) unique(text string) bool { return len(t.actor.Marks(text)) > 0 }
