package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Expect is what the contract expects in answer to a case.
type Expect int

// The expectations.
const (
	// Accept: the request keeps the contract, so a documented success; a
	// documented refusal only where a value may not exist on the target.
	Accept Expect = iota
	// Refuse: the request breaks one clause, so a documented status of the 400s.
	Refuse
	// RefuseMethod: the method is not documented for the path: 405 with Allow, 404
	// or 501.
	RefuseMethod
	// RefusePath: the path is not documented: any status of the 400s.
	RefusePath
	// RefuseCredential: 401 or 403.
	RefuseCredential
)

// Phase is when a case is sent: all of one phase before any of the next.
type Phase int

// The phases, in order.
const (
	Basics Phase = iota // what later phases are compared with
	Clauses
	Examples
	Random
)

// Case is one request to send, and what it is for.
type Case struct {
	ID      string // clause and label: CancelFactoryPackages/body/package_ids/items/type#same-as-number
	Phase   Phase
	Op      *contract.Operation
	Request *wire.Request
	// Clause is the one that the case keeps at an edge, or breaks alone.
	Clause *contract.Clause
	Expect Expect
	// Keeps lists further clauses that are kept if the case is accepted.
	Keeps []*contract.Clause
	// Leave says why a receiver may do otherwise; then a finding is a warning.
	Leave string
	// Open is set where the case can also be read to break the contract, so that its refusal shows
	// nothing: a path with %0A behind a number.
	Open bool
	// Unknown lists the nodes whose values may not exist on the target.
	Unknown []string
	// Assumes lists, in a base and in examples, the nodes whose values are the document's examples:
	// nothing says that they exist on the target.
	Assumes []string
	// Doubts lists nodes with a made-up text that may be the name of something: its
	// refusal shows nothing unless such a text is accepted elsewhere.
	Doubts []string
	// Probe is the node for which the case has an arbitrary value: if it is
	// accepted, values of that node need not exist.
	Probe string
	// Credential is set where the case changes or omits a credential.
	Credential bool
	// Anonymous is set where the case has no credential at all.
	Anonymous bool
	// Own lists the headers that the case sets, changes or omits itself, in
	// lower case: no header of the run is added under these names.
	Own []string
	// Wants is the one media type that the case asks for in its Accept.
	Wants string
	// Alter changes the credential that the run adds in the header of Own; without
	// such a header the case is not sent.
	Alter func(string) string
	// Plain is the request in its usual form, where the case breaks its clause in
	// another one: chunked, with a header besides.
	Plain *wire.Request
	// Without makes the requests without what the case does to its clause, where it
	// differs from the base in other things as well; each is nil where there is none.
	Without []func() *wire.Request
	// Base is the valid request that the case differs from in one thing; nil in
	// the base itself.
	Base *Case
	// several is what the case is made of, where it does several things to the base.
	several *several
	apart   func() [][]*wire.Request
}

// Plan is what to send.
type Plan struct {
	Cases []*Case
	// Unreached says for each request clause without a case why it has none.
	Unreached map[*contract.Clause]Reason
}

// Options shape a plan.
type Options struct {
	Known map[string][]string // values that exist on the target, by name
	// At holds those of one operation alone, by the path of a node in it: body/customer/id.
	At     map[*contract.Operation]map[string][]string
	Seed   int64
	Random int // random cases per operation
	// BasePath is what the document's paths are under on the target. The one of
	// the document's first server stands for each operation's own.
	BasePath string
	// Thin makes, of the cases that keep a clause and of those that break it, the
	// first only, and none of several faults and forms at once.
	Thin bool
	// Want tells which clauses to make cases for; nil means all. What says whether a made-up value
	// is accepted (Probe) is planned in any case, as others are judged by it.
	Want func(*contract.Clause) bool
	// Learned holds further values that exist on the target, for one operation
	// each. Where Known has some of the name, they are of no account.
	Learned map[*contract.Operation]map[string][]string
	// Doubtful names those that may be of something else: a request that carries one may be
	// refused.
	Doubtful map[*contract.Operation]map[string]bool
	// Whole names the operations whose valid request has a body that the document does
	// not require: without it it is refused.
	Whole map[*contract.Operation]bool
	// Bare names the operations whose valid request has nothing but what is required: with what
	// is known besides it is refused.
	Bare map[*contract.Operation]bool
	// Shown names the operations whose valid request has a body that holds something, though the
	// document does not ask for it: without it it is refused.
	Shown map[*contract.Operation]bool
	// Absent holds values of path parameters that name nothing on the target, by
	// operation and name: what it consumes there must not be what an example names.
	// Where Known or Learned have some of the name, they are of no account.
	Absent map[*contract.Operation]map[string]string
	// Filled are the operations whose target wants what the document both requires and makes
	// readOnly: their requests have it.
	Filled map[*contract.Operation]bool
}

// of returns the options for one operation.
func (o Options) of(op *contract.Operation) Options {
	if learned := o.Learned[op]; len(learned) > 0 {
		known := maps.Clone(learned)
		maps.Copy(known, o.Known)
		o.Known = known
	}
	if at := o.At[op]; len(at) > 0 {
		known := maps.Clone(o.Known)
		if known == nil {
			known = map[string][]string{}
		}
		for path, values := range at {
			known["/"+path] = values
		}
		o.Known = known
	}
	return o
}

// Given are the values that are known for an operation, by their names alone.
func Given(known map[string][]string, at map[*contract.Operation]map[string][]string, op *contract.Operation) map[string][]string {
	if len(at[op]) == 0 {
		return known
	}
	all := maps.Clone(known)
	if all == nil {
		all = map[string][]string{}
	}
	for path, values := range at[op] {
		name := path[strings.LastIndexByte(path, '/')+1:]
		all[name] = slices.Concat(values, all[name])
	}
	return all
}

// Base plans the valid request of an operation that the others differ from; nil
// where none is made.
func Base(op *contract.Operation, opts Options) *Case {
	var base *Case
	pl := newPlanner(endless, op, opts, func(c *Case) { base = c })
	pl.guarded(func() { pl.start() })
	return base
}

// Make plans a contract.
func Make(c *contract.Contract, opts Options) *Plan {
	p := &Plan{Unreached: map[*contract.Clause]Reason{}}
	for _, op := range c.Operations {
		part := Operation(op, opts)
		p.Cases = append(p.Cases, part.Cases...)
		maps.Copy(p.Unreached, part.Unreached)
	}
	slices.SortStableFunc(p.Cases, byPhase)
	return p
}

// Operation plans one operation of a contract. What comes of it does not depend
// on the others, nor on when it is planned.
func Operation(op *contract.Operation, opts Options) *Plan {
	p := &Plan{}
	p.Unreached = each(endless, op, opts, func(c *Case) { p.Cases = append(p.Cases, c) })
	slices.SortStableFunc(p.Cases, byPhase)
	return p
}

// Each hands over the cases of an operation one by one, so that not all have to
// be held, and not sorted by phase; the base is the first. It returns why clauses
// have no case: where ctx ends before the operation is planned, that.
func Each(ctx context.Context, op *contract.Operation, opts Options, f func(*Case)) (unreached map[*contract.Clause]Reason) {
	return each(ctx.Err, op, opts, f)
}

// endless is when planning is stopped that nobody has to wait for.
func endless() error { return nil }

func each(stopped func() error, op *contract.Operation, opts Options, f func(*Case)) map[*contract.Clause]Reason {
	if opts.Want != nil && !slices.ContainsFunc(op.Clauses, opts.Want) {
		return nil
	}
	pl := newPlanner(stopped, op, opts, f)
	pl.guarded(pl.run)
	defer pl.forget()
	return pl.unreached()
}

// forget drops what nobody needs when the operation is planned: its cases hold the planner.
func (pl *planner) forget() {
	pl.checker, pl.reasons, pl.ids, pl.planned, pl.kept, pl.broken = nil, nil, nil, nil, nil, nil
	pl.recent, pl.keeps, pl.breaks, pl.options, pl.limits = nil, nil, nil, nil, nil
}

func newPlanner(stopped func() error, op *contract.Operation, opts Options, f func(*Case)) *planner {
	opts = opts.of(op)
	return &planner{
		maker:   &value.Maker{Known: opts.Known, Doubtful: opts.Doubtful[op], Thin: opts.Thin, Filled: opts.Filled[op], Stopped: stopped},
		stopped: stopped, each: f, op: op, opts: opts, checker: op.NewChecker(),
		reasons: map[*contract.Clause]string{}, ids: map[string]bool{}, planned: map[*contract.Clause]bool{},
		kept: map[*contract.Clause]bool{}, broken: map[*contract.Clause]bool{},
	}
}

func byPhase(a, b *Case) int { return int(a.Phase) - int(b.Phase) }

type planner struct {
	stopped func() error // not nil when there is no more time
	each    func(*Case)
	handing bool   // each is under way
	failed  Reason // why planning ended before it was done
	count   int    // of cases
	op      *contract.Operation
	opts    Options
	maker   *value.Maker
	checker *contract.Checker
	base    draft
	first   *Case
	reasons map[*contract.Clause]string // why a case for the clause failed
	ids     map[string]bool             // that cases have
	planned map[*contract.Clause]bool
	kept    map[*contract.Clause]bool // has a case that keeps it
	broken  map[*contract.Clause]bool
	recent  []*Case  // the last ones, of one clause
	keeps   []change // what random cases choose from
	breaks  []change
	options []change  // that send an optional property of the body, or leave it out
	limits  []limited // what is at common limits
	again   bool      // only what has no case yet is planned
}

// change is one thing to do to a draft.
type change struct {
	clause  *contract.Clause
	label   string
	node    *contract.Node
	leave   string // why a receiver may refuse what it makes
	site    string // two changes of one site, or of one inside the other, do not go together
	apply   func(*value.Maker, draft) (draft, error)
	touches *contract.Param
	doubt   string               // the node of a made-up text that may be a name
	made    []string             // the nodes whose values it makes up
	size    int                  // of its value, about
	without func() *wire.Request // the request without it, where its place is not in the base
	has     []*contract.Clause   // that require what is in its value
}

// start plans the base, and reports whether there is one.
func (pl *planner) start() bool {
	base, err := pl.makeBase()
	if err != nil {
		pl.failed = noBase(err.Error())
		return false
	}
	pl.base = base
	first := pl.newCase(Basics, pl.op.PathClause, "base", Accept)
	first.Keeps, first.Assumes = pl.keptByBase(), pl.assumed()
	if !pl.confirmed(first, base) {
		if !pl.ended() {
			pl.failed = noBase(pl.reasons[pl.op.PathClause])
		}
		return false
	}
	pl.first = first
	pl.add(first)
	return true
}

func noBase(why string) Reason { return Reason{NoBase, "no valid request can be built: " + why} }

func (pl *planner) run() {
	if !pl.start() {
		return
	}
	for _, plan := range []func(){pl.params, pl.body, pl.forms, pl.inOtherForms, pl.methods, pl.paths, pl.security, pl.examples, pl.search, pl.random} {
		if pl.ended() {
			return
		}
		plan()
	}
}

// makeBase makes the valid request that the others differ from in one thing:
// what is required, and of the rest what is known to exist.
func (pl *planner) makeBase() (draft, error) {
	d := draft{op: pl.op, base: pl.basePath(), ranges: rangesOf(pl.op), params: map[*contract.Param]value.Good{}, auth: pl.firstGranted()}
	for _, p := range pl.op.Params {
		g, err := pl.goodParam(p)
		switch {
		case p.Spec.Required && err != nil:
			return d, err
		case p.Spec.Required, err == nil && saysVersion(p, pl.op), err == nil && len(g.Unknown) == 0 && !p.Credential && !p.SaysCoding() && !asksForChange(p) && !switches(p, pl.op.Method) && !pl.opts.Bare[pl.op]:
			d.params[p] = g
		}
	}
	if pl.op.Body == nil {
		return d, nil
	}
	d.heads = pl.goodHeads()
	var reason error
	for _, m := range pl.op.Body.Media {
		g, err := pl.goodBody(m)
		if err != nil {
			reason = err
			continue
		}
		if !pl.op.Body.Spec.Required && (len(g.Unknown) > 0 || pl.opts.Bare[pl.op]) && !pl.opts.Whole[pl.op] {
			continue
		}
		if pl.opts.Bare[pl.op] {
			g = bare(m, g)
		}
		if pl.opts.Shown[pl.op] && m.Node != nil {
			g = pl.visible(m.Node, g)
		}
		if _, _, err := d.encode(m, g.V); err != nil {
			reason = err
			continue
		}
		return d.withBody(m, g), nil
	}
	if pl.op.Body.Spec.Required {
		if reason == nil {
			reason = errors.New("the body has no media type")
		}
		return d, reason
	}
	return d, nil
}

// saysVersion reports whether a header says which version a request is about, and the document has a
// status for a request without it: it need not be there for the parameter alone.
func saysVersion(p *contract.Param, op *contract.Operation) bool {
	without := op.Response(http.StatusPreconditionRequired)
	return p.Spec.In == openapi3.ParameterInHeader && strings.EqualFold(p.Spec.Name, "If-Match") && without != nil && without.Key != "default"
}

// switches reports whether a parameter turns on something that a request of a method does not do by
// itself, and of which the document shows no use: ?validateOnly=true makes nothing, ?force=true loses
// more. The ordinary request is that without it.
func switches(p *contract.Param, method string) bool {
	if p.Spec.In != openapi3.ParameterInQuery || p.Node == nil || p.Node.Schema == nil || method == http.MethodGet || method == http.MethodHead {
		return false
	}
	s := p.Node.Schema
	return s.Type.Is("boolean") && s.Default == nil && s.Example == nil && len(s.Examples) == 0 && s.Enum == nil && s.Const == nil &&
		p.Spec.Example == nil && len(p.Spec.Examples) == 0
}

// asksForChange reports whether a header makes an answer depend on what is there: a PUT with
// If-None-Match: * makes something once.
func asksForChange(p *contract.Param) bool {
	return p.Spec.In == openapi3.ParameterInHeader && slices.ContainsFunc([]string{"If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"}, func(name string) bool {
		return strings.EqualFold(p.Spec.Name, name)
	})
}

// goodParam makes a parameter's value: of known values, else of the
// parameter's own examples, else as its schema says.
func (pl *planner) goodParam(p *contract.Param) (value.Good, error) {
	g, err := pl.maker.Good(p.Node)
	if p.Syntax == nil && err == nil {
		g = pl.flat(p.Node, g)
	}
	if len(pl.maker.Given(p.Node)) > 0 && err == nil {
		return g, nil
	}
	if p.Syntax == nil && err == nil {
		g = pl.sendable(p, g)
	}
	if text, ok := pl.opts.Absent[pl.op][p.Spec.Name]; ok && p.Spec.In == openapi3.ParameterInPath {
		maker := &value.Maker{Known: map[string][]string{p.Node.Name: {text}}}
		for _, v := range maker.KnownFor(p.Node) {
			return value.Good{V: v, Unknown: []string{p.Node.Path}}, nil
		}
	}
	candidates := []any{p.Spec.Example}
	for _, name := range sortedKeys(p.Spec.Examples) {
		if e := p.Spec.Examples[name]; e != nil && e.Value != nil {
			candidates = append(candidates, e.Value.Value)
		}
	}
	if p.SaysCoding() {
		candidates = append(candidates, wire.Codings[0].Name)
	}
	for _, v := range candidates {
		if v != nil && p.Node.Validates(v) == nil && (v != "" || p.TakesEmpty()) {
			return value.Good{V: v}, nil
		}
	}
	return g, err
}

// sendable returns a good value that can be sent in the place of a parameter: the plainest text
// of a pattern is often none at all, which no path has and no query need have. It is the one that is
// given where the schema has no other.
func (pl *planner) sendable(p *contract.Param, g value.Good) value.Good {
	travels := func(v any) bool { return value.Travels(v, places[p.Spec.In]) && (v != "" || p.TakesEmpty()) }
	if g.V != "" || travels(g.V) {
		return g
	}
	const most = 12
	for _, other := range pl.maker.Others(p.Node, most) {
		if travels(other.V) {
			return other
		}
	}
	return g
}

// goodHeads makes the headers of the parts of multipart bodies.
func (pl *planner) goodHeads() map[*contract.PartHeader]value.Good {
	heads := map[*contract.PartHeader]value.Good{}
	for _, m := range pl.op.Body.Media {
		for _, h := range m.PartHeaders() {
			if h.Spec.Example != nil && h.Node.Validates(h.Spec.Example) == nil {
				heads[h] = value.Good{V: h.Spec.Example}
			} else if g, err := pl.maker.Good(h.Node); err == nil {
				heads[h] = g
			}
		}
	}
	return heads
}

// goodBody makes a body in the same way.
func (pl *planner) goodBody(m *contract.Media) (value.Good, error) {
	if g, ok := pl.patch(m); ok {
		return g, nil
	}
	if m.Node == nil {
		return value.Good{V: "a"}, nil
	}
	g, err := pl.maker.Good(m.Node)
	if err == nil && (m.Form == codec.URLEncoded || m.Form == codec.Multipart) {
		g = pl.visibleFields(m, pl.visible(m.Node, g))
	}
	if err == nil && (len(g.Unknown) == 0 && !emptyObject(g.V) || pl.maker.Filled) {
		return g, nil
	}
	for _, e := range mediaExamples(m.Spec) {
		if m.Node.Validates(e.v) == nil {
			return value.Good{V: e.v}, nil
		}
	}
	return g, err
}

// bare leaves out of an object what may be left out.
func bare(m *contract.Media, g value.Good) value.Good {
	members, ok := g.V.(map[string]any)
	if !ok || m.Node == nil {
		return g
	}
	for _, name := range sortedKeys(members) {
		less := clone(members)
		delete(less, name)
		if prop := m.Node.Prop(name); !m.Node.Required[name] && m.Node.Keeps(less) {
			members = less
			if prop != nil {
				g.Unknown = outside(g.Unknown, prop.Path)
			}
		}
	}
	return value.Good{V: members, Unknown: g.Unknown}
}

// visible returns a good value that shows where it is written as text: an object
// without a member is no text at all there, as is p of {age, name}, both optional,
// in a query. It is the one that is given where the schema has no other.
func (pl *planner) visible(n *contract.Node, g value.Good) value.Good {
	return pl.other(n, g, func(members map[string]any) bool { return len(members) > 0 })
}

// flat returns a good value that shows and, if there is one, has no lists and objects in an
// object: how these are written there is not defined.
func (pl *planner) flat(n *contract.Node, g value.Good) value.Good {
	return pl.other(n, pl.visible(n, g), func(members map[string]any) bool {
		for _, v := range members {
			if !scalar(v) {
				return false
			}
		}
		return len(members) > 0
	})
}

// other returns a good object that fits, where the given value is one that does not and there is
// one that does.
func (pl *planner) other(n *contract.Node, g value.Good, fits func(map[string]any) bool) value.Good {
	members, ok := g.V.(map[string]any)
	if !ok || fits(members) {
		return g
	}
	const most = 24
	for _, other := range pl.maker.Others(n, most) {
		if members, ok := other.V.(map[string]any); ok && fits(members) {
			return other
		}
	}
	return g
}

// visibleFields gives those fields of a form a member that are objects, and written in
// a style that shows nothing of one without.
func (pl *planner) visibleFields(m *contract.Media, g value.Good) value.Good {
	members, _ := g.V.(map[string]any)
	for _, name := range sortedKeys(members) {
		field := m.Node.Prop(name)
		if _, isObject := members[name].(map[string]any); field == nil || !isObject || m.Form != codec.URLEncoded || codec.WrittenAsJSON(m.Spec.Encoding[name], members[name]) {
			continue
		}
		shown := pl.flat(field, value.Good{V: members[name]})
		members = maps.Clone(members)
		members[name] = shown.V
		g = value.Good{V: members, Unknown: slices.Concat(g.Unknown, shown.Unknown)}
	}
	return g
}

func emptyObject(v any) bool {
	members, ok := v.(map[string]any)
	return ok && len(members) == 0
}

type example struct {
	name string
	v    any
}

func mediaExamples(m *openapi3.MediaType) []example {
	var all []example
	if m.Example != nil {
		all = append(all, example{"example", m.Example})
	}
	for _, name := range sortedKeys(m.Examples) {
		if e := m.Examples[name]; e != nil && e.Value != nil && e.Value.Value != nil {
			all = append(all, example{name, e.Value.Value})
		}
	}
	return all
}

func (pl *planner) keptByBase() []*contract.Clause {
	kept := []*contract.Clause{pl.op.PathClause, pl.op.MethodClause}
	if pl.op.AuthClause != nil {
		kept = append(kept, pl.op.AuthClause)
	}
	for _, p := range pl.op.Params {
		if _, ok := pl.base.params[p]; ok {
			if p.Spec.Required {
				kept = append(kept, p.Presence)
			}
			if p.Single != nil {
				kept = append(kept, p.Single)
			}
			kept = append(kept, keptAt(p.Node, pl.base.params[p].V)...)
		}
	}
	if m := pl.base.media; m != nil {
		kept = append(kept, pl.op.Body.MediaType)
		if pl.op.Body.Spec.Required {
			kept = append(kept, pl.op.Body.Presence)
		}
		if m.Syntax != nil {
			kept = append(kept, m.Syntax)
		}
		if m.Node != nil {
			kept = append(kept, keptAt(m.Node, pl.base.body.V)...)
		}
	}
	return kept
}

// keptAt lists the clauses that a value keeps by being what it is: its type,
// its required properties, and so on below it.
func keptAt(n *contract.Node, v any) []*contract.Clause {
	var kept []*contract.Clause
	add := func(c *contract.Clause) {
		if c != nil && !slices.Contains(kept, c) {
			kept = append(kept, c)
		}
	}
	n.Visit(value.Plain(v), func(n *contract.Node, v any, _ []string) bool {
		for _, kw := range []string{"type", "oneOf", "anyOf"} {
			add(n.Clause(kw))
		}
		if members, ok := v.(map[string]any); ok {
			for _, name := range sortedKeys(members) {
				add(n.Clause("required/" + name))
			}
			if c := n.Clause("additionalProperties"); c != nil && !c.Permits {
				add(c)
			}
		}
		return true
	})
	return kept
}

// newCase starts a case; its request is made when it is confirmed.
func (pl *planner) newCase(phase Phase, c *contract.Clause, label string, expect Expect) *Case {
	first := c.Name + "#" + label
	id := first
	for n := 2; pl.ids[id]; n++ {
		id = fmt.Sprintf("%s~%d", first, n)
	}
	return &Case{ID: id, Phase: phase, Op: pl.op, Clause: c, Expect: expect, Base: pl.first}
}

func (pl *planner) add(c *Case) {
	if pl.opts.Want != nil && c.Base != nil && c.Probe == "" && !pl.opts.Want(c.Clause) {
		return
	}
	pl.ids[c.ID] = true
	pl.planned[c.Clause] = true
	if c.Expect == Accept {
		pl.kept[c.Clause] = true
	} else {
		pl.broken[c.Clause] = true
	}
	for _, k := range c.Keeps {
		pl.planned[k] = true
	}
	if len(pl.recent) > 0 && pl.recent[0].Clause != c.Clause {
		pl.recent = pl.recent[:0]
	}
	pl.recent = append(pl.recent, c)
	pl.count++
	pl.handing = true
	pl.each(c)
	pl.handing = false
}

// enough reports whether a thin plan, or one that is gone through again, has
// such a case for the clause.
func (pl *planner) enough(c *contract.Clause, expect Expect) bool {
	return (pl.opts.Thin || pl.again) && (expect == Accept && pl.kept[c] || expect != Accept && pl.broken[c])
}

// confirmed writes the draft and asks the contract whether the case does what
// its label says.
func (pl *planner) confirmed(c *Case, d draft) bool {
	r, err := d.request()
	if err != nil {
		pl.reasons[c.Clause] = err.Error()
		return false
	}
	c.Request = r
	if c.Unknown == nil {
		c.Unknown = d.unknown()
	}
	c.apart = pl.apart(c, d)
	return pl.labelled(c)
}

// labelled reports whether the contract's own judgement of the request is the
// label of the case.
func (pl *planner) labelled(c *Case) bool {
	if pl.ended() || pl.enough(c.Clause, c.Expect) {
		return false
	}
	c.Request.Coding = pl.op.Coding(c.Request)
	plain := pl.asDocumented(c.Request)
	if rival := pl.op.Rival(plain.Target); rival != nil {
		pl.reasons[c.Clause] = "the path of the request is also one of " + rival.Path
		return false
	}
	broken := pl.checker.CheckRequest(plain)
	if pl.maker.Filled {
		broken = slices.DeleteFunc(slices.Clone(broken), func(v contract.Violation) bool { return v.Clause != nil && v.Clause.Keyword == "readOnly" })
	}
	if c.Expect == Accept {
		return pl.keepsAll(c, broken)
	}
	return pl.breaksOne(c, broken)
}

// keepsAll reports whether a request that is meant to keep its clause does, and breaks no other:
// all that it breaks is left to the receiver.
func (pl *planner) keepsAll(c *Case, broken []contract.Violation) bool {
	if c.Leave == "" && pl.ownSize(c) {
		c.Leave = leaveLarge
	}
	c.Leave = cmp.Or(c.Leave, c.Clause.Narrowed)
	for _, v := range broken {
		if v.Leave == "" {
			pl.reasons[c.Clause] = "a request meant to keep the clause breaks " + v.Clause.Name
			return false
		}
		if c.Leave == "" && c.Base != nil && c.Base.Leave != v.Leave {
			// It proves nothing: whoever refuses it may read it otherwise.
			pl.reasons[c.Clause] = "a request meant to keep the clause can be read in another way: " + v.Leave
			return false
		}
		c.Open = c.Open || c.Leave != "" && c.Base != nil && c.Base.Leave != v.Leave
		c.Leave = v.Leave
	}
	return true
}

// breaksOne reports whether a request that is meant to break its clause does, and breaks no other
// beside those of the same value.
func (pl *planner) breaksOne(c *Case, broken []contract.Violation) bool {
	if len(broken) == 0 {
		pl.reasons[c.Clause] = "a request meant to break the clause keeps the contract"
		return false
	}
	leave, unread, certain := "", false, false
	for _, v := range broken {
		about := v.About(c.Clause)
		switch {
		case c.Base != nil && v.Leave != "" && v.Leave == c.Base.Leave && !about:
			leave = v.Leave // as of every request of the operation
			continue
		case about:
			leave, unread = cmp.Or(v.Leave, leave), unread || v.Syntax
			continue
		case v.Leave == "":
			certain = true
		}
		if !sameValue(v.Clause, c.Clause) {
			name := "another clause"
			if v.Clause != nil {
				name = v.Clause.Name
			}
			pl.reasons[c.Clause] = "a request meant to break the clause breaks " + name + " too"
			return false
		}
	}
	if unread && certain { // NaN for an object is none, whatever JSON a receiver reads
		leave = ""
	}
	c.Leave = cmp.Or(c.Leave, leave)
	return slices.ContainsFunc(broken, func(v contract.Violation) bool { return v.About(c.Clause) })
}

// ownSize reports whether the body of a case is as large as it is because the
// planner made it so: the document sets no such bound.
func (pl *planner) ownSize(c *Case) bool {
	if len(c.Request.Body) < longValue || c.Base == nil || len(c.Base.Request.Body) >= longValue {
		return false
	}
	return !slices.Contains([]string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}, c.Clause.Keyword)
}

func (pl *planner) basePath() string {
	if pl.opts.BasePath == pl.op.Contract.BasePath {
		return pl.op.BasePath
	}
	return pl.opts.BasePath
}

// asDocumented takes the target's base path off a request.
func (pl *planner) asDocumented(r *wire.Request) *wire.Request {
	base := pl.basePath()
	if base == "" {
		return r
	}
	plain := *r
	plain.Target = strings.TrimPrefix(r.Target, base)
	return &plain
}

// sameValue reports whether two clauses are about one value or what is inside
// it, so that a value which breaks one may break the other: a number breaks the
// type and the pattern of a string at once.
//
// The parts of allOf, and other schemas of one value, are about that value too.
func sameValue(a, b *contract.Clause) bool {
	if a == nil || b == nil {
		return false
	}
	return nodeOf(a) == nodeOf(b) || strings.HasPrefix(nodeOf(a), nodeOf(b)+"/") || strings.HasPrefix(nodeOf(b), nodeOf(a)+"/")
}

// nodeOf names the value that a clause is about.
func nodeOf(c *contract.Clause) string {
	if c.Value != "" {
		return c.Value
	}
	return c.Name[:strings.LastIndexByte(c.Name, '/')]
}

// unreached says why clauses of the operation have no case, or none that shows
// anything.
func (pl *planner) unreached() map[*contract.Clause]Reason {
	all := map[*contract.Clause]Reason{}
	for _, c := range pl.op.Clauses {
		switch {
		case c.Side == contract.ResponseSide || pl.planned[c] && !c.Unjudged():
		case c.Unplanned != "":
			all[c] = Reason{Untestable, c.Unplanned}
		default:
			all[c] = cmp.Or(pl.failed, Reason{NoValue, cmp.Or(pl.reasons[c], "no case was found for it")})
		}
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
