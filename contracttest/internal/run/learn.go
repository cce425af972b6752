package run

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// How far values are looked for.
const (
	maxRounds = 3  // a value may lead to an answer that has another
	maxAsked  = 64 // operations that are asked for values in all
	maxMadeUp = 4  // identifiers that are made up for what is not to exist
	maxLooked = 3  // answers that come too late
)

// learner finds what requests need to be about something: values for path
// parameters in the answers of other operations, and for what an operation
// consumes a resource of the run's own, or an identifier that names nothing. It
// asks one operation at a time, in the order of the document, before anything
// else is sent, so that a run does not depend on its workers.
//
// A value counts only where the operation that it is for has accepted it: then
// whoever refuses it later cannot say that it does not exist.
type learner struct {
	r     *runner
	opts  plan.Options
	asked map[*contract.Operation]*wire.Exchange // nil where the answer is no success
	// refused are the request targets with an example that need not exist, and was refused.
	refused map[*contract.Operation]string
	// makers are those of what stands at a path template; nil where there is none.
	makers map[string]*maker
	// unread are those whose resources were made and could not be read.
	unread map[string]*maker
	// made are the parameters whose values name what the run has made.
	made map[*contract.Operation]map[*contract.Param]bool
	// referred are the operations whose references were looked for, and settled those where it is
	// known what they need.
	referred, settled map[*contract.Operation]bool
	// alone are the answers to GETs that an operation has for itself, by those that gave them.
	alone map[*contract.Operation]map[*contract.Operation]*wire.Exchange
	// opening are the GETs of which it is known whether they answer with something new each time.
	opening map[*contract.Operation]bool
	used    map[string]bool // values with which requests were accepted that may have used them up
	repeats int             // requests for answers of which there were some before
	// ways are what brings what a maker makes into the state in which an operation takes it.
	ways map[*maker]map[*contract.Operation][]step
	// weighed are the operations of which it is known whether their requests are filled.
	weighed map[*contract.Operation]bool
	// embodied are the operations of which it is known whether they need a body.
	embodied map[*contract.Operation]bool
	// heard are the operations whose refusals have been read.
	heard map[*contract.Operation]bool
	// spare are answers to valid requests that were accepted then, and that nothing has been
	// learned from yet: some services make a thing but once.
	spare map[*contract.Operation]*wire.Exchange
	// hung is how many answers had been late before: after a few more nothing is looked for.
	hung int32
	// vain is whether something that was just made has been waited for that never showed.
	vain bool
	// begun is whether the target knew the run as one client before.
	begun bool
}

// discover enters in the options what has been learned, and gives the operations
// their fixtures.
func (r *runner) discover(ctx context.Context, opts plan.Options) plan.Options {
	opts.Learned = map[*contract.Operation]map[string][]string{}
	r.learned = opts.Learned
	opts.Absent = map[*contract.Operation]map[string]string{}
	opts.Doubtful = map[*contract.Operation]map[string]bool{}
	opts.Filled, opts.Whole = map[*contract.Operation]bool{}, map[*contract.Operation]bool{}
	opts.Bare, opts.Shown = map[*contract.Operation]bool{}, map[*contract.Operation]bool{}
	l := &learner{
		r: r, opts: opts, asked: map[*contract.Operation]*wire.Exchange{}, refused: map[*contract.Operation]string{}, makers: map[string]*maker{}, unread: map[string]*maker{}, made: map[*contract.Operation]map[*contract.Param]bool{},
		referred: map[*contract.Operation]bool{}, settled: map[*contract.Operation]bool{}, alone: map[*contract.Operation]map[*contract.Operation]*wire.Exchange{},
		opening: map[*contract.Operation]bool{}, used: map[string]bool{}, ways: map[*maker]map[*contract.Operation][]step{}, weighed: map[*contract.Operation]bool{}, embodied: map[*contract.Operation]bool{},
		heard: map[*contract.Operation]bool{}, spare: map[*contract.Operation]*wire.Exchange{}, hung: r.hung.Load(), begun: r.session.begun(),
	}
	var ops []*contract.Operation
	for _, op := range r.contract.Operations {
		if !slices.ContainsFunc(op.Clauses, r.selection.Clause) {
			continue
		}
		l.refer(ctx, op)
		if strings.Contains(op.Path, "{") {
			ops = append(ops, op)
		}
	}
	l.fill(ctx, func(op *contract.Operation) bool { return !strings.Contains(op.Path, "{") })
	for _, op := range r.contract.Operations {
		if !strings.Contains(op.Path, "{") {
			l.embody(ctx, op)
			l.teach(ctx, op)
		}
	}
	for _, op := range r.contract.Operations {
		if slices.ContainsFunc(op.Clauses, r.selection.Clause) {
			l.account(ctx, op)
		}
	}
	l.read(ctx, ops)
	// What others stand below comes first.
	slices.SortStableFunc(ops, func(a, b *contract.Operation) int {
		return cmp.Compare(strings.Count(a.Path, "{"), strings.Count(b.Path, "{"))
	})
	for _, op := range ops {
		l.own(ctx, op)
	}
	l.fill(ctx, func(*contract.Operation) bool { return true })
	for _, op := range r.contract.Operations {
		l.settle(ctx, op)
		l.embody(ctx, op)
		l.teach(ctx, op)
	}
	for _, op := range ops {
		l.guess(ctx, op)
	}
	l.makeKinds(ctx)
	l.unlock(ctx, ops)
	l.act(ctx, ops)
	for _, op := range r.contract.Operations {
		if slices.ContainsFunc(op.Clauses, r.selection.Clause) {
			l.filter(ctx, op)
		}
	}
	l.standIn()
	l.referTo()
	return opts
}

// standIn plans with other values where the run has made what a parameter names:
// the same ones in each run, so that a second run has the same cases and reports
// the same. What was made is put in their place when a request is sent.
func (l *learner) standIn() {
	for op, params := range l.made {
		st := l.r.states.of(op)
		st.actual = map[string]string{}
		for p, own := range params {
			if !own {
				continue
			}
			learned := l.opts.Learned[op][p.Spec.Name]
			g, err := (&value.Maker{}).Good(p.Node)
			if err != nil || len(learned) == 0 {
				continue
			}
			if v, ok := value.Other(p.Node, g.V); ok {
				st.actual[p.Spec.Name] = learned[0]
				l.opts.Learned[op][p.Spec.Name] = []string{codec.WriteText(value.Plain(v))}
			}
		}
	}
}

// fill finds the operations whose target wants what the document both requires and makes
// readOnly: it refuses the request without, and accepts the one with it. OpenAPI 3.1 does not
// say whether it may be absent; 3.0 says that it may.
func (l *learner) fill(ctx context.Context, of func(*contract.Operation) bool) {
	if !l.r.contract.Doc.IsOpenAPI31OrLater() {
		return
	}
	for _, op := range l.r.contract.Operations {
		if !of(op) || l.weighed[op] || rank(op) == ending || l.ended(ctx) || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" || !withholds(op) {
			continue
		}
		l.weighed[op] = l.needs(ctx, op, l.opts.Filled) // else what it refers to may be known later
	}
}

// needs finds out whether the valid request of an operation needs what an option adds to
// its body: it is refused without, or ends in a failure, and is accepted with it. It reports
// whether either was accepted.
func (l *learner) needs(ctx context.Context, op *contract.Operation, option map[*contract.Operation]bool) bool {
	without := plan.Base(op, l.opts)
	option[op] = true
	with := plan.Base(op, l.opts)
	option[op] = false
	if without == nil || with == nil || bytes.Equal(without.Request.Body, with.Request.Body) {
		return false
	}
	x := l.r.send(ctx, without)
	if a := answerOf(x); a.class() == 5 || a.refuses() && !a.refusesCaller() && a.status != http.StatusTooManyRequests {
		option[op] = accepted(op, l.r.send(ctx, with))
	}
	return option[op] || accepted(op, x)
}

// withholds reports whether a request of the operation leaves something out that is for
// answers alone.
func withholds(op *contract.Operation) bool {
	return slices.ContainsFunc(op.Clauses, func(c *contract.Clause) bool { return c.Keyword == "readOnly" && c.Side == contract.RequestSide })
}

// read looks for values of the parameters that nobody has given one of.
func (l *learner) read(ctx context.Context, ops []*contract.Operation) {
	ops = slices.Clone(ops)
	slices.SortStableFunc(ops, func(a, b *contract.Operation) int { return cmp.Compare(rank(a), rank(b)) })
	for range maxRounds {
		found := false
		for _, op := range ops {
			for _, p := range l.lacking(op, true) {
				if l.ended(ctx) {
					return
				}
				if p != l.r.world.Consumed(op.Method, op) {
					found = l.find(ctx, op, p) || found
				}
			}
		}
		if !found {
			return
		}
	}
}

// embody gives the valid request of an operation the body that the document does not
// require, where the target does: many a document forgets to say so, and then nothing
// else of the operation would be shown.
func (l *learner) embody(ctx context.Context, op *contract.Operation) {
	if op.Body == nil || op.Body.Spec.Required || takes(op) || l.embodied[op] || l.ended(ctx) || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" {
		return
	}
	l.embodied[op] = l.needs(ctx, op, l.opts.Whole) // else what it refers to may be known later
}

func (l *learner) ended(ctx context.Context) bool {
	return ctx.Err() != nil || l.r.session.begun() != l.begun || len(l.asked) > maxAsked || l.r.hung.Load() >= l.hung+maxLooked
}

// lacking lists the path parameters with a value that is made up and, if that is
// asked for, those that have an example of the document: what is learned is better.
func (l *learner) lacking(op *contract.Operation, examples bool) []*contract.Param {
	base := plan.Base(op, l.opts)
	if base == nil {
		return nil
	}
	var all []*contract.Param
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInPath && (slices.Contains(base.Unknown, p.Node.Path) || examples && slices.Contains(base.Assumes, p.Node.Path)) {
			all = append(all, p)
		}
	}
	return all
}

// find looks for a value of one parameter.
func (l *learner) find(ctx context.Context, op *contract.Operation, p *contract.Param) bool {
	for _, s := range l.r.world.Sources(op, p) {
		x := l.answer(ctx, s.Operation)
		if x == nil {
			continue
		}
		for _, v := range s.Values(x) {
			values := world.Values(s.Operation, x.Request.Target, l.r.base(s.Operation))
			if values == nil {
				values = map[string]string{}
			}
			values[p.Spec.Name] = v
			if l.works(ctx, op, p, values, !world.Safe(s.Operation.Method)) {
				l.note(op, p, s.Operation)
				return true
			}
		}
	}
	if len(l.r.world.Producers(op, p)) > 0 {
		return false
	}
	m := l.maker(ctx, op, p)
	if m == nil || m.kind == nil || !l.works(ctx, op, p, m.past[0], true) {
		return false
	}
	l.note(op, p, m.base.Op)
	return true
}

// note enters whether what a parameter names was made by the run: its source
// creates it, or names what is below what the run has made.
func (l *learner) note(op *contract.Operation, p *contract.Param, source *contract.Operation) {
	if l.made[op] == nil {
		l.made[op] = map[*contract.Param]bool{}
	}
	l.made[op][p] = !world.Safe(source.Method)
	for _, above := range source.Params {
		for _, q := range op.Params {
			if q != p && q.Spec.Name == above.Spec.Name && q.Spec.In == openapi3.ParameterInPath {
				l.made[op][q] = l.made[source][above]
			}
		}
	}
}

// works tries values, and keeps them if they are accepted. A request that
// changes what is there is not tried: that it can be read has to do. What was just made may
// take a while to show, unless something else is asked for below it.
func (l *learner) works(ctx context.Context, op *contract.Operation, p *contract.Param, values map[string]string, made bool) bool {
	tried := op
	if !world.Safe(op.Method) && op.Method != http.MethodPost {
		if tried = l.r.world.Reader(op, p); tried == nil {
			return false
		}
	}
	before := l.opts.Learned[tried]
	l.keep(tried, values)
	base := plan.Base(tried, l.opts)
	ok := base != nil && !slices.Contains(base.Unknown, p.Node.Path)
	if ok && len(l.lacking(tried, false)) == 0 { // else its other parameters come first or later
		ok = l.exists(ctx, tried, base, values)
		if made && !l.vain && allOf(tried, values) {
			for _, pause := range settling(http.StatusCreated, false, l.r.opts.Settle)[1:] {
				if ok || !sleep(ctx, pause) {
					break
				}
				ok = l.exists(ctx, tried, base, values)
			}
			l.vain = !ok
		}
	}
	if !ok || tried != op {
		l.opts.Learned[tried] = before
	}
	if ok && tried != op {
		l.keep(op, values)
	}
	return ok
}

// allOf reports whether values are all that the path of an operation has.
func allOf(op *contract.Operation, values map[string]string) bool {
	return !slices.ContainsFunc(op.Params, func(p *contract.Param) bool {
		return p.Spec.In == openapi3.ParameterInPath && values[p.Spec.Name] == ""
	})
}

// keep enters values of an operation's parameters beside those that it has.
func (l *learner) keep(op *contract.Operation, values map[string]string) {
	with := maps.Clone(l.opts.Learned[op])
	if with == nil {
		with = map[string][]string{}
	}
	for _, p := range op.Params {
		if v, ok := values[p.Spec.Name]; ok && p.Spec.In == openapi3.ParameterInPath {
			with[p.Spec.Name] = []string{v}
		}
	}
	l.opts.Learned[op] = with
}

// exists sends the valid request with values in it. One that is refused as if
// the request broke the contract exists all the same, if it can be read.
func (l *learner) exists(ctx context.Context, op *contract.Operation, base *plan.Case, values map[string]string) bool {
	x := l.r.send(ctx, base)
	if accepted(op, x) {
		if l.r.world.Creates(op) && l.asked[op] == nil {
			l.spare[op] = x // there may be no room for another below the same
		}
		return true
	}
	read := l.r.world.At(http.MethodGet, op.Path)
	if read == nil || read == op || x.Response == nil || x.Response.Status != http.StatusBadRequest {
		return false
	}
	before := l.opts.Learned[read]
	defer func() { l.opts.Learned[read] = before }()
	l.keep(read, values)
	c := plan.Base(read, l.opts)
	return c != nil && accepted(read, l.r.send(ctx, c))
}

// answer sends the valid request of an operation, once, and returns the
// exchange if it was a success.
func (l *learner) answer(ctx context.Context, op *contract.Operation) *wire.Exchange {
	if x, ok := l.asked[op]; ok {
		return x
	}
	if l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" {
		return nil
	}
	l.refer(ctx, op)
	base := plan.Base(op, l.opts)
	if base == nil || len(l.lacking(op, false)) > 0 || l.refused[op] == base.Request.Target {
		return nil // perhaps in the next round
	}
	x := l.spare[op]
	if l.spare[op] = nil; x == nil {
		x = l.r.send(ctx, base)
	}
	if errors.Is(x.Err, send.ErrRefused) || !accepted(op, x) {
		if len(l.lacking(op, true)) > 0 {
			l.refused[op] = base.Request.Target
			return nil // an example need not exist, and the next round may know what does
		}
		x = nil
	} else {
		l.join(ctx, op, x)
	}
	l.asked[op] = x
	return x
}

// join looks whether what an answer has made is there only for who sends its cookies.
func (l *learner) join(ctx context.Context, op *contract.Operation, made *wire.Exchange) {
	res := l.r.world.Identify(op, world.Values(op, made.Request.Target, l.r.base(op)), "", made)
	if res == nil {
		return
	}
	read := l.r.world.At(http.MethodGet, res.Item)
	if read == nil || l.r.selection.skips(read) {
		return
	}
	if c := plan.Base(read, l.opts); c != nil {
		base := l.r.base(read)
		c = withTarget(c, world.Bind(read, c.Request.Target, base, world.Values(read, c.Request.Target, base), res.Values))
		l.r.join(ctx, op, made, func(ctx context.Context) *wire.Exchange {
			return l.r.exchange(ctx, read, l.r.withRunHeaders(c), l.r.target.Do)
		})
	}
}

// own gives an operation a fixture, where it consumes something, adds something
// to it, or has the cases of undocumented methods on a path that ends with it.
func (l *learner) own(ctx context.Context, op *contract.Operation) {
	w := l.r.world
	p := w.Consumed(op.Method, op)
	consumes := p != nil
	adds := false
	if p == nil {
		p = w.Parent(op)
		adds = p != nil
	}
	if p == nil && op.MethodClause.Operation == op.ID {
		p = w.Consumed(http.MethodDelete, op)
	}
	if p == nil {
		return
	}
	f := &fixture{r: l.r, op: op, param: p, given: l.r.opts.knownOf(op)[p.Spec.Name], adds: adds, exclusive: op.Method == http.MethodDelete || !consumes && !adds}
	if read := w.Reader(op, p); read != nil {
		f.read = plan.Base(read, l.opts)
	}
	if f.versioned() {
		f.adds = false // in between another would make it an old one
		for _, read := range w.Readers(op, p) {
			if c := leastAsked(plan.Base(read, l.opts)); c != nil {
				f.current = append(f.current, c)
			}
		}
	}
	defer func() { l.r.states.of(op).fixture = f }()
	if len(f.given) > 0 || l.ended(ctx) {
		return
	}
	m := l.maker(ctx, op, p)
	if m != nil && m.base.Op == op {
		m = nil // it makes what it names
	}
	if f.makes(m); f.maker != nil {
		if consumes || adds {
			l.has(f, f.maker.make(ctx))
		}
		return
	}
	if adds {
		f = nil // what it adds to may be somebody's
		return
	}
	l.absent(ctx, f)
	if consumes && f.free != "" {
		l.opts.Absent[op] = map[string]string{p.Spec.Name: f.free}
	}
}

// has gives a fixture its first resource, and lets requests be planned with it.
func (l *learner) has(f *fixture, values map[string]string) {
	switch {
	case values == nil:
		return
	case f.adds:
		f.there.Store(&values)
	case f.exclusive:
		f.fresh.put(values)
	default:
		f.plain.put(values)
	}
	l.keep(f.op, values)
	l.note(f.op, f.param, f.maker.base.Op)
}

// maker finds who makes what a parameter of an operation names.
func (l *learner) maker(ctx context.Context, op *contract.Operation, p *contract.Param) *maker {
	item := itemOf(op, p)
	if m, ok := l.makers[item]; ok {
		return m
	}
	l.makers[item] = nil // until there is one: no resource is made by what needs it
	for _, s := range l.r.world.Producers(op, p) {
		if m := l.makerOf(ctx, s, op, p); m != nil {
			l.makers[item] = m
			return m
		}
	}
	l.makers[item] = l.chosen(ctx, op, p)
	return l.makers[item]
}

// makerOf tries an operation as the maker of what a parameter names.
func (l *learner) makerOf(ctx context.Context, s world.Source, op *contract.Operation, p *contract.Param) *maker {
	producer := s.Operation
	if l.r.selection.skips(producer) || l.r.stopped(ctx, producer) != "" {
		return nil
	}
	l.refer(ctx, producer)
	m := &maker{r: l.r, source: s, param: p.Spec.Name}
	if above := l.r.world.Parent(producer); above != nil && len(l.r.opts.knownOf(producer)[above.Spec.Name]) == 0 {
		if of := l.maker(ctx, producer, above); of != nil {
			m.parent = &fixture{r: l.r, op: producer, param: above, maker: of}
			values := m.parent.lend(ctx)
			if values == nil {
				return nil
			}
			l.keep(producer, values)
			l.note(producer, above, of.base.Op)
		}
	}
	if m.base = plan.Base(producer, l.opts); m.base == nil || len(l.lacking(producer, false)) > 0 {
		return nil
	}
	m.from = world.Values(producer, m.base.Request.Target, l.r.base(producer))
	if read := l.r.world.Reader(op, p); read != nil {
		m.read = plan.Base(read, l.opts)
	}
	if m.parent == nil {
		m.first, l.spare[producer] = l.spare[producer], nil
	}
	values := m.make(ctx)
	if values == nil && !m.unread && m.parent != nil {
		if m.parent.steps = l.way(ctx, m.parent.maker, producer, m.parent.param); len(m.parent.steps) > 0 {
			m.parent.drop()
			values = m.make(ctx)
		}
	}
	if values == nil && !m.unread && len(l.r.states.of(producer).references) > 0 {
		if l.settle(ctx, producer); l.settled[producer] {
			m.base = plan.Base(producer, l.opts)
			values = m.make(ctx)
		}
	}
	if values == nil {
		if m.unread { // which a chain may tell
			l.unread[itemOf(op, p)] = m
		}
		return nil
	}
	return m
}

// makeKinds finds the makers of what chains are about, of what that stands below, and of what stands
// below it.
func (l *learner) makeKinds(ctx context.Context) {
	l.r.makers = l.unread
	kinds := chain.Kinds(l.r.contract, l.r.world)
	wanted := map[*chain.Kind]bool{}
	for _, k := range kinds {
		if l.wants(k, kinds) && !l.r.opts.Safe {
			for up := k; up != nil; up = up.Parent {
				wanted[up] = true
			}
			for _, child := range k.Children {
				wanted[child] = true
			}
		}
	}
	for _, k := range kinds {
		if !wanted[k] {
			continue
		}
		if m := l.kindMaker(ctx, k); m != nil {
			l.r.makers[k.Item] = m
		}
	}
}

// wants reports whether a run is about one of some kinds, or about what it refers to.
func (l *learner) wants(k *chain.Kind, kinds []*chain.Kind) bool {
	about := slices.Concat([]*contract.Operation{k.Make, k.Read, k.List, k.All, k.Put, k.Patch, k.Delete}, k.Actions, k.Views, k.Beside)
	for _, b := range k.Batches {
		about = append(about, b.Op)
	}
	for _, used := range kinds {
		if used.MayBeInUse() && l.mayReferTo(k.Make, used.Make) {
			about = append(about, used.Delete)
		}
	}
	return slices.ContainsFunc(about, func(op *contract.Operation) bool {
		return op != nil && l.r.selection.Clause(op.StatusClause)
	})
}

// mayReferTo reports whether requests of an operation may refer to what another one makes.
func (l *learner) mayReferTo(op, other *contract.Operation) bool {
	return slices.ContainsFunc(l.r.world.References(op), func(ref world.Reference) bool {
		return slices.ContainsFunc(ref.Sources, func(s world.Source) bool { return s.Operation == other })
	})
}

// kindMaker finds the maker of a kind; nil where there is none.
func (l *learner) kindMaker(ctx context.Context, k *chain.Kind) *maker {
	op := cmp.Or(k.Read, k.Delete)
	switch {
	case op == nil:
		return nil
	case k.Part():
		return l.partMaker(ctx, k)
	case k.Chosen():
		return cmp.Or(l.makers[k.Item], l.namer(ctx, k))
	}
	m := l.maker(ctx, op, k.Param)
	if m == nil && k.Parent != nil && k.Parent.Chosen() && l.r.makers[k.Parent.Item] != nil {
		m = l.below(ctx, k)
	}
	return m
}

// partMaker returns who sends what a part is to be, below what the run has made; nil where nobody
// makes that, no request can be made, or what was there before the run could not be put back.
func (l *learner) partMaker(ctx context.Context, k *chain.Kind) *maker {
	if rank(k.Make) == ending || k.Parent != nil && l.r.makers[k.Parent.Item] == nil || l.r.selection.skips(k.Make) || l.r.selection.skips(k.Read) {
		return nil
	}
	l.refer(ctx, k.Make)
	m := &maker{r: l.r, base: plan.Base(k.Make, l.opts)}
	if m.base == nil || k.Single() && !l.r.canPutBack(k, m.base) {
		return nil
	}
	return m
}

// below returns who makes what stands below something that a client names: whether that can be
// made is not known yet.
func (l *learner) below(ctx context.Context, k *chain.Kind) *maker {
	op := k.Make
	if l.r.selection.skips(op) {
		return nil
	}
	l.refer(ctx, op)
	m := &maker{r: l.r, param: k.Param.Spec.Name, base: plan.Base(op, l.opts)}
	sources := l.r.world.Producers(cmp.Or(k.Read, k.Delete), k.Param)
	if m.base == nil || len(sources) == 0 {
		return nil
	}
	m.source, m.from = sources[0], world.Values(op, m.base.Request.Target, l.r.base(op))
	return m
}

// absent looks for an identifier that names nothing: a GET, where there is one,
// answers that. Where it is content with any, and answers them alike, what it answers says
// nothing; where the answers differ, there is something by chance, which is somebody's.
func (l *learner) absent(ctx context.Context, f *fixture) {
	maker := &value.Maker{}
	g, err := maker.Good(f.param.Node)
	if err != nil {
		return
	}
	v, content := g.V, 0
	var tried []string
	var shown []byte // of what was read first, without its identifier
	for range maxMadeUp {
		next, ok := value.Other(f.param.Node, v)
		if !ok {
			break
		}
		v = next
		text := codec.WriteText(value.Plain(v))
		if slices.Contains(tried, text) {
			break // there is no further one
		}
		tried = append(tried, text)
		if f.read == nil {
			f.free = text
			return
		}
		x := f.named(ctx, text)
		switch {
		case refusedAsNothing(x):
			f.free = text
			return
		case f.free == "":
			f.free = text
		}
		if accepted(f.read.Op, x) {
			body := bytes.ReplaceAll(x.Response.Body, []byte(text), nil)
			if shown == nil {
				shown = append([]byte{}, body...)
			} else if !bytes.Equal(shown, body) {
				continue
			}
		}
		if content++; content == 2 {
			f.read = nil // it reads whatever is asked for
			return
		}
	}
	f.free = ""
}

// settling is how long a resource is waited for that is there soon, or has been accepted: the
// pauses before it is looked for again. They are short where that was in vain before.
func settling(status int, vain bool, most time.Duration) []time.Duration {
	pauses := []time.Duration{0, time.Millisecond, 10 * time.Millisecond}
	if status == http.StatusAccepted {
		return append(pauses, 100*time.Millisecond, 400*time.Millisecond, time.Second, 2*time.Second)
	}
	var all time.Duration
	for pause := 100 * time.Millisecond; !vain && all+pause <= most; pause *= 2 {
		pauses, all = append(pauses, pause), all+pause
	}
	return pauses
}
