package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// chains tries what several requests show of state. Those that only look at what they
// have made themselves are tried beside each other, and then those that look at a list that
// others have a part in. Those that others would mislead come last, one by one, and so do
// those that have found something beside others: what was deleted may be taken for still
// there where its identifier was given to what another has made meanwhile. These are tried
// until they find it again, as some faults come now and then.
func (r *runner) chains(ctx context.Context) {
	if r.opts.Safe || r.wrongPlace || r.credential.ended.Load() || r.dead.Load() {
		return
	}
	kinds := r.made()
	r.stuck = map[stuckAt]bool{}
	makes := map[*chain.Kind]bool{nil: true}
	for _, k := range kinds { // parents come before their children
		makes[k] = makes[k.Parent] && (!k.Chosen() || r.makesNew(ctx, k)) && !(k.Single() && r.showsLate(ctx, k))
	}
	kinds = slices.DeleteFunc(kinds, func(k *chain.Kind) bool { return !makes[k] })
	for _, k := range kinds {
		r.fill(ctx, k)
	}
	all := r.wantedChains(kinds)
	r.onChains = map[*chain.Chain][]report.Finding{}
	if len(all) == 0 {
		return
	}
	r.untried, r.progress.OfSequence = slices.Clone(all), len(all)
	found := make([]*chain.Finding, len(all))
	settle := &chain.Settle{Most: r.opts.Settle}
	why := make([]string, len(all))
	try := func(i int) {
		defer r.chainDone(all[i])
		if why[i] = r.unchainable(ctx, all[i]); why[i] == "" {
			found[i] = all[i].Try(ctx, actor{r, all[i]}, settle)
		}
	}
	left, most := len(r.world.Living()), crowd
	if r.room.bounded() { // each has what room there is
		most = 1
	}
	tidy := func(wait func() error) {
		if len(r.world.Living())-left < most || ctx.Err() != nil {
			return
		}
		_ = wait() // none fails
		r.deleteAll(ctx, r.inUse)
		left = len(r.world.Living())
	}
	beside := func(lists bool, of func(*chain.Chain) bool) {
		var quick, slow []int
		for i, c := range all {
			switch {
			case !of(c):
			case slices.ContainsFunc(c.Ops, r.waits):
				slow = append(slow, i)
			default:
				quick = append(quick, i)
			}
		}
		var both sync.WaitGroup
		some := func(chains []int, limit int, tidies bool) {
			both.Go(func() {
				g := &errgroup.Group{}
				g.SetLimit(limit)
				for _, i := range chains {
					if tidies {
						tidy(g.Wait)
					}
					g.Go(func() error { try(i); return nil })
				}
				_ = g.Wait() // none fails
			})
		}
		some(slow, r.load.atMost(max(r.opts.Workers, firstWaiting)), false)
		some(quick, r.workers(), (lists || most == 1) && len(slow) == 0) // what slow ones have made is in use
		both.Wait()
		r.deleteAll(ctx, r.inUse)
		left = len(r.world.Living())
	}
	beside(false, func(c *chain.Chain) bool { return !c.Alone && !c.Doubtful })
	beside(true, func(c *chain.Chain) bool { return c.Doubtful })
	for i, c := range all {
		tidy(func() error { return nil })
		if c.Alone {
			try(i)
			continue
		}
		for tries, before := 0, found[i]; before != nil && tries < maxTries && (tries == 0 || found[i] == nil); tries++ {
			try(i)
		}
	}
	r.deleteAll(ctx, r.inUse)
	r.sayUntried(why)
	r.chained = map[chained]bool{}
	for i, f := range found {
		if why[i] == "" {
			for _, op := range all[i].Ops {
				r.chained[chained{all[i].Check, op.StatusClause.Name}] = true
			}
		}
		for _, of := range r.onChains[all[i]] {
			r.enter(of)
		}
		if f != nil {
			r.enterChain(f)
		}
	}
}

// crowd is how many resources may be made by sequences that look at lists before those are
// deleted: a longer list is not read to its end.
const crowd = 60

// maxTries is how often a sequence is tried alone that has found something beside others.
const maxTries = 3

// stuckAt is a property of an operation's body that takes no other value than the one that it
// has in the valid request.
type stuckAt struct {
	op   *contract.Operation
	name string
}

// made are the kinds of resources that the run can make.
func (r *runner) made() []*chain.Kind {
	return slices.DeleteFunc(chain.Kinds(r.contract, r.world), func(k *chain.Kind) bool { return r.makers[k.Item] == nil })
}

// fillAll is fill where nothing is sent.
func (r *runner) fillAll(kinds []*chain.Kind) {
	for _, k := range kinds {
		for _, op := range k.Bodies() {
			if full := r.fullest(r.chainBase(op)); full != nil {
				r.setBase(op, full)
			}
		}
	}
}

// wantedChains are those of the selection about some kinds, in the order of the plan; walks
// come after all others.
func (r *runner) wantedChains(kinds []*chain.Kind) []*chain.Chain {
	all := chain.Plan(kinds, actor{r: r})
	if r.opts.Budget > 0 {
		all = append(all, chain.Walks(kinds, actor{r: r}, r.opts.Seed)...)
	}
	return slices.DeleteFunc(all, func(c *chain.Chain) bool { return !r.wantsChain(c) })
}

// wantsChain reports whether a chain is chosen. One that is named is, whatever the checks: a finding
// of another may come of its answers.
func (r *runner) wantsChain(c *chain.Chain) bool {
	return (r.selection.oneCase() || !r.selection.SkipsCheck(c.Check)) && r.selection.Case(c.ID) && r.selection.Clause(c.Clause()) &&
		!slices.ContainsFunc(c.Ops, r.selection.skips)
}

// hasChain reports whether a chain has an ID.
func (r *runner) hasChain(id string) bool {
	kinds := r.made()
	r.fillAll(kinds)
	defer func() { r.bases = nil }() // whether the target takes them is not known yet
	return slices.ContainsFunc(r.wantedChains(kinds), func(c *chain.Chain) bool { return c.ID == id })
}

// unchainable says why a chain is not tried: an operation that it needs is no longer sent
// requests, or ends the session. It is empty where it is.
func (r *runner) unchainable(ctx context.Context, c *chain.Chain) string {
	if reason := r.halted(ctx); reason != "" {
		return reason
	}
	for _, op := range c.Ops {
		if reason := r.stopped(ctx, op); reason != "" {
			return op.Title() + ": " + reason
		}
		if rank(op) == ending {
			return op.Title() + " may end the session"
		}
	}
	return ""
}

// sayUntried warns of the chains that were not tried, by the reason.
func (r *runner) sayUntried(why []string) {
	counts := map[string]int{}
	var order []string
	for _, reason := range why {
		if reason == "" {
			continue
		}
		if counts[reason]++; counts[reason] == 1 {
			order = append(order, reason)
		}
	}
	for _, reason := range order {
		r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("%d sequences of the checks on state were not run: %s", counts[reason], reason))
	}
}

// enterChain enters a finding of a chain.
func (r *runner) enterChain(f *chain.Finding) {
	if r.selection.SkipsCheck(f.Check) {
		return
	}
	e := &judge.Exchange{Exchange: f.At.Exchange, Op: f.At.Op, Clause: f.At.Op.StatusClause}
	for _, s := range f.Steps {
		e.Secrets = append(e.Secrets, r.secrets(s.Op, s.Request)...)
		e.Secrets = append(e.Secrets, r.redacted(s.Op, s.Exchange)...)
	}
	shown := *f.At.Exchange
	r.standsIn(f.At.Op, f.At.Shown, f.At.Request)
	shown.Request = f.At.Shown
	e.Exchange = &shown
	out := r.finding(e, judge.OfSequence(e, f.Check, f.Severity, f.Message, f.Expected, f.Actual), f.ID)
	out.Curl = r.script(f.Steps, e.Secrets)
	r.enter(out)
}

// script writes steps as lines for a shell that pass on what was made.
func (r *runner) script(steps []*chain.Step, secrets []string) string {
	script := wire.Script{Base: r.curlBase, Mask: secret.Mask(secrets, nil)}
	names := map[string]string{} // of variables, by what they stand in the place of
	key := func(path, name, v string) string {
		before, _, _ := strings.Cut(path, "{"+name+"}")
		return world.Unnamed(before) + "=" + v
	}
	for _, s := range steps {
		if s.Shown == nil {
			continue
		}
		req := s.Shown
		if base := r.chainBase(s.Op); base != nil {
			from := world.Values(s.Op, base.Request.Target, r.base(s.Op))
			to := map[string]string{}
			for name, v := range s.Values {
				if variable := names[key(s.Op.Path, name, v)]; variable != "" {
					to[name] = "{" + variable + "}"
				}
			}
			req = req.Clone()
			req.Target = world.Bind(s.Op, req.Target, r.base(s.Op), from, to)
		}
		if len(s.Refers) > 0 {
			req = req.Clone()
			req.Body = inJSON(req.Body, func(v scalar) (string, bool) {
				variable := names[s.Refers[v.name]+"="+v.value]
				return "%7B" + variable + "%7D", variable != ""
			})
		}
		made, value := "", ""
		for name, v := range s.Made {
			at := key(s.Item, name, v)
			if s.Item != s.Op.Path && strings.HasSuffix(strings.TrimSuffix(s.Item, "/"), "{"+name+"}") && names[at] == "" {
				made, value = script.Variable(name), v
				names[at] = made
			}
		}
		script.Add(req, made, value, s.Response)
	}
	return secret.Hide(r.token.Number(script.String()), secrets)
}

// actor carries out the steps of a chain.
type actor struct {
	r *runner
	c *chain.Chain // nil while chains are planned
}

// Peer reports whether there is another user.
func (a actor) Peer() bool { return len(a.r.opts.Peer) > 0 }

// Marks are the tokens of the run in a text, each with its number.
func (a actor) Marks(text string) []string {
	return a.r.token.In(text)
}

// Renewed reports whether a property has another text in each request.
func (a actor) Renewed(op *contract.Operation, name string) bool {
	u, n := a.r.states.of(op).uniques, chain.Node(op)
	return u != nil && n != nil && u.wanted(name) && n.Prop(name) != nil && len(n.Prop(name).Listed()) == 0
}

// Fresh returns the properties in the body of an operation's valid request, with texts that no
// other request has, and what it refers to.
func (a actor) Fresh(ctx context.Context, op *contract.Operation) map[string]any {
	c := a.r.chainBase(op)
	if c == nil {
		return nil
	}
	req := c.Request
	if u := a.r.states.of(op).uniques; u != nil && !u.off.Load() {
		req, _ = u.fresh(req, textsOf(req), a.r.opts.knownOf(op), u.alike.Load())
	}
	if bound, err := a.r.refers(ctx, c, req, nil); err == nil {
		req = bound
	}
	return chain.Members(req.Body)
}

// Another makes another thing that a property of an operation's body may refer to, and returns its
// identifier.
func (a actor) Another(ctx context.Context, op *contract.Operation, name string) any {
	ref, ok := a.reference(op, name)
	if !ok {
		return nil
	}
	v := ref.read(a.r.newFor(ctx, ref))
	if members, _ := a.Base(op); v != "" {
		if _, isNumber := members[name].(json.Number); isNumber {
			return json.Number(v)
		}
		return v
	}
	return nil
}

// Refers returns the operation that makes what a property of an operation's body refers to.
func (a actor) Refers(op *contract.Operation, name string) *contract.Operation {
	if ref, ok := a.reference(op, name); ok {
		return ref.from.Operation
	}
	return nil
}

// reference is what a property of an operation's body refers to, if it is something that the run makes.
func (a actor) reference(op *contract.Operation, name string) (reference, bool) {
	refs := a.r.states.of(op).references
	i := slices.IndexFunc(refs, func(ref reference) bool {
		return ref.key == name && ref.in == "" && !world.Safe(ref.from.Operation.Method)
	})
	if i < 0 {
		return reference{}, false
	}
	return refs[i], true
}

// Own notes that the run has made a resource, which it deletes in the end.
func (a actor) Own(k *chain.Kind, values map[string]string) {
	values = maps.Clone(values)
	maps.DeleteFunc(values, func(name, _ string) bool { return !strings.Contains(k.Item, "{"+name+"}") })
	a.r.world.Enter(&world.Resource{Producer: k.Make, Item: k.Item, Values: values})
}

// Before lists the actions that bring a new resource into the state in which an operation takes
// it.
func (a actor) Before(op *contract.Operation) []*contract.Operation {
	var all []*contract.Operation
	if f := a.r.states.of(op).fixture; f != nil {
		for _, s := range f.steps {
			all = append(all, s.c.Op)
		}
	}
	return all
}

// Base returns the properties in the body of an operation's valid request, and those that
// are no matter of choice: what the user has given, what they refer to, a version.
func (a actor) Base(op *contract.Operation) (members map[string]any, fixed map[string]bool) {
	c := a.r.chainBase(op)
	if c == nil {
		return nil, nil
	}
	members = chain.Members(c.Request.Body)
	fixed = map[string]bool{}
	repeated := ""
	if f := a.r.states.of(op).fixture; f != nil {
		repeated, _ = f.repeated(c)
	}
	for name := range members {
		fixed[name] = repeated == "/"+name || a.r.stuck[stuckAt{op, name}] || len(a.r.opts.knownOf(op)[name]) > 0 || slices.Contains(chain.Versions, world.Plain(name)) || strings.HasSuffix(world.Plain(name), "id") ||
			slices.ContainsFunc(a.r.states.of(op).references, func(ref reference) bool { return ref.key == name })
	}
	return members, fixed
}

// Broken lists cases of an operation that have to be refused: one for each property of
// its body, one for its media type, and one without a credential.
func (a actor) Broken(op *contract.Operation) []*plan.Case {
	const most = 10
	var all []*plan.Case
	seen := map[string]bool{}
	for _, c := range a.r.chainCases(op) {
		about := ""
		switch {
		case c.Leave != "" || c.Phase != plan.Clauses || len(all) == most || c.Base == nil:
		case c.Anonymous && c.Expect == plan.RefuseCredential:
			about = "credential"
		case c.Expect != plan.Refuse || wrong(c) || len(c.Request.Body) == 0:
		case op.Body != nil && c.Clause == op.Body.MediaType:
			about = "media type"
		case strings.HasPrefix(c.Clause.Name, op.ID+"/body/") && chain.Members(c.Request.Body) != nil:
			rest, _, _ := strings.Cut(strings.TrimPrefix(c.Clause.Name, op.ID+"/body/"), "/")
			about = "body/" + rest
		}
		if about != "" && !seen[about] {
			seen[about] = true
			all = append(all, c)
		}
	}
	return all
}

// Located are the values of the path that the Location of an answer leads to, as an
// operation has it; nil where it leads elsewhere.
func (a actor) Located(op *contract.Operation, s *chain.Step) map[string]string {
	u, err := url.Parse(s.Response.Header.Get("Location"))
	if err != nil || u.Path == "" {
		return nil
	}
	return world.Values(op, u.EscapedPath(), a.r.base(op))
}

// Make sends the valid request that makes a resource.
func (a actor) Make(ctx context.Context, k *chain.Kind, above map[string]string, e chain.Edit) (*chain.Step, map[string]string) {
	m := a.r.makers[k.Item]
	if m == nil || m.base.Op != k.Make && !a.r.world.Creates(m.base.Op) { // a POST that searches names what is there
		return nil, nil
	}
	if k.Chosen() {
		if above = a.Name(k, above); above == nil || !m.unused(ctx, above) {
			return nil, nil
		}
	}
	s := a.Do(ctx, m.base.Op, above, e)
	if !accepted(m.base.Op, s.Exchange) {
		return s, nil
	}
	if k.Single() {
		return s, map[string]string{}
	}
	if k.Part() {
		return s, above
	}
	if k.Chosen() {
		s.Made, s.Item = above, k.Item
		return s, above
	}
	found := m.source.Values(s.Exchange)
	if len(found) == 0 {
		return s, nil
	}
	s.Values = world.Values(m.base.Op, s.Request.Target, a.r.base(m.base.Op))
	s.Made, s.Item = world.Carried(s.Values, m.base.Op.Path, k.Item), k.Item
	s.Made[m.param] = found[0]
	return s, s.Made
}

// Do sends the valid request of an operation, or another case of it, about a resource.
func (a actor) Do(ctx context.Context, op *contract.Operation, values map[string]string, e chain.Edit) *chain.Step {
	r := a.r
	base := r.chainBase(op)
	s := &chain.Step{Op: op, Values: values, Caller: e.As, Refers: e.Refers, Exchange: &wire.Exchange{Request: &wire.Request{Method: op.Method, Target: op.Path}}}
	c := e.Case
	if c == nil {
		c = base
	}
	if e.As == chain.Nobody {
		if i := slices.IndexFunc(r.chainCases(op), func(c *plan.Case) bool { return c.Anonymous }); i >= 0 {
			c = r.chainCases(op)[i]
		}
	}
	if base == nil || c == nil {
		return s
	}
	from := world.Values(op, base.Request.Target, r.base(op))
	edited := withTarget(c, world.Bind(op, c.Request.Target, r.base(op), from, values))
	edited.Base = base
	edit(edited.Request, base.Request, e)
	unbound := withTarget(c, c.Request.Target)
	edit(unbound.Request, base.Request, chain.Edit{Query: e.Query, Head: e.Head})
	req := edited.Request
	if e.As != chain.Nobody {
		req = r.withRunHeaders(edited)
	}
	if e.As != chain.Own {
		ctx = context.WithValue(ctx, stranger{}, true)
	}
	if e.As == chain.Peer {
		req = req.Clone()
		for _, h := range r.opts.Peer {
			req.Set(h.Name, h.Value)
		}
	}
	fixed, chosen := r.fixedOf(op), false
	stays := maps.Clone(e.Query)
	for name, v := range e.Set {
		if _, ok := a.reference(op, name); ok {
			if stays == nil {
				stays = map[string]string{}
			}
			stays[name] = fmt.Sprint(v)
		}
		if text, ok := v.(string); ok && !e.Renew {
			fixed[name], chosen = append(slices.Clone(fixed[name]), text), true
		}
	}
	st := r.states.of(op)
	for range maxOthers409 {
		sent, shown := req, req
		if u := st.uniques; u != nil && !u.off.Load() && e.Body == nil && len(req.Body) > 0 {
			sent, _ = u.fresh(req, textsOf(base.Request), fixed, u.alike.Load())
			shown = sent
		}
		if _, own := e.Header[chain.KeyOf(op)]; !own {
			sent = r.keyed(edited, sent)
			shown = shown.Clone()
			for _, p := range st.keys { // which of the lines have the same is what they are about
				if key := sent.Get(p.Spec.Name); key != "" {
					shown.Set(p.Spec.Name, key)
				}
			}
		}
		sent, err := r.refers(ctx, edited, sent, stays)
		if err != nil {
			s.Exchange.Err = err
			break
		}
		if _, own := e.Header["If-Match"]; !own {
			sent = st.fixture.upToDate(ctx, edited, sent, values)
		}
		x := r.exchange(ctx, op, sent, r.target.Do)
		s.Exchange = &wire.Exchange{Request: sent, Response: x.Response, Err: x.Err, Started: x.Started}
		s.Shown = shown.Clone()
		s.Shown.Target = unbound.Request.Target            // reports name the same identifier in every run
		if names := a.chosen(op, values); len(names) > 0 { // which the mark of the run does, too
			s.Shown.Target = world.Bind(op, s.Shown.Target, r.base(op), from, names)
			if st.fixture != nil {
				shown.Target = sent.Target
				s.Shown.Body = st.fixture.agreed(edited, shown).Body
			}
		}
		if x.Response == nil || x.Response.Status != http.StatusConflict || chosen || e.Case != nil || len(sent.Body) == 0 {
			break // other texts would change nothing
		}
		if st.uniques != nil && isTaken(edited, x) {
			st.uniques.teach()
		}
	}
	if e.As == chain.Own && e.Case == nil && len(e.Header) == 0 && !e.Head && a.c != nil {
		r.judgeStep(op, s, a.c)
	}
	return s
}

// chosen are those of the values in the path of an operation that the run has chosen for the chain's resources.
func (a actor) chosen(op *contract.Operation, values map[string]string) map[string]string {
	if a.c == nil {
		return nil
	}
	names := map[string]string{}
	for k := a.c.Kind; k != nil; k = k.Parent {
		if k.Chosen() && strings.HasPrefix(op.Path, k.Item) && values[k.Param.Spec.Name] != "" {
			names[k.Param.Spec.Name] = values[k.Param.Spec.Name]
		}
	}
	return names
}

// judgeStep enters what is wrong with the answer to a step, whatever was done before it.
func (r *runner) judgeStep(op *contract.Operation, s *chain.Step, c *chain.Chain) {
	e := &judge.Exchange{
		Exchange: &wire.Exchange{Request: s.Shown, Response: s.Response, Err: s.Err}, Op: op, Clause: op.StatusClause, Nowhere: true,
		Authorized: r.admitted(op), MaxTime: r.opts.MaxTime, Secrets: r.secrets(op, s.Request), Own: r.opts.Checks,
	}
	var found []report.Finding
	judged := judge.Judge(e, r.selection.SkipsCheck)
	for _, f := range judged {
		if !slices.Contains(comesAgain, f.Check) {
			found = append(found, r.finding(e, f, c.ID))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Response != nil {
		r.account.Response(op, s.Response)
		r.noteAnswer(op, e.Exchange, s.Response, judged)
	}
	r.onChains[c] = append(r.onChains[c], found...)
}

// edit changes a request as a chain wants it.
func edit(req, base *wire.Request, e chain.Edit) {
	if e.Head {
		req.Method = http.MethodHead
	}
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		req.Set(name, e.Header[name])
	}
	if len(e.Query) > 0 {
		path, query, _ := strings.Cut(req.Target, "?")
		var pairs []string
		for pair := range strings.SplitSeq(query, "&") {
			name, _, _ := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(name); pair != "" && (err != nil || e.Query[plain] == "") {
				pairs = append(pairs, pair)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e.Query)) {
			pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(e.Query[name]))
		}
		req.Target = path + "?" + strings.Join(pairs, "&")
	}
	if e.Body != nil {
		req.Body = e.Body
		return
	}
	members, first := chain.Members(req.Body), chain.Members(base.Body)
	if members == nil || e.Case == nil && len(e.Set)+len(e.Drop)+len(e.Keep) == 0 {
		return
	}
	if e.Only {
		members = map[string]any{}
	}
	if e.Case != nil && e.Case.Base != nil { // it lacks what the valid request of the plan does
		planned := chain.Members(e.Case.Base.Request.Body)
		for name, v := range first {
			_, there := members[name]
			if _, of := planned[name]; planned != nil && !of && !there && !strings.Contains(e.Case.Clause.Name+"/", "/"+name+"/") {
				members[name] = v
			}
		}
	}
	for _, name := range e.Keep {
		members[name] = first[name]
	}
	for name, v := range e.Set {
		now, there := members[name]
		if text, err := json.Marshal(now); e.Case != nil && (!there || err != nil || !sameJSON(text, first[name])) {
			continue // what the case is about
		}
		members[name] = v
	}
	for _, name := range e.Drop {
		delete(members, name)
	}
	if body, err := json.Marshal(members); err == nil {
		req.Body = body
	}
}

func sameJSON(text []byte, v any) bool {
	other, err := json.Marshal(v)
	return err == nil && bytes.Equal(text, other)
}

// chainBase is the valid request of an operation for chains; nil where none is made.
func (r *runner) chainBase(op *contract.Operation) *plan.Case {
	r.baseMu.Lock()
	c, known := r.bases[op]
	r.baseMu.Unlock()
	if known {
		return c
	}
	opts := r.plan.opts
	opts.Want = nil
	c = leastAsked(plan.Base(op, opts))
	r.setBase(op, c)
	return c
}

func (r *runner) setBase(op *contract.Operation, c *plan.Case) {
	r.baseMu.Lock()
	defer r.baseMu.Unlock()
	if r.bases == nil {
		r.bases = map[*contract.Operation]*plan.Case{}
	}
	r.bases[op] = c
}

// chainCases are the cases of an operation, of all its clauses though the run may be about
// some alone.
func (r *runner) chainCases(op *contract.Operation) []*plan.Case {
	if len(r.opts.Only) == 0 {
		return r.plan.cases(op)
	}
	opts := r.plan.opts
	opts.Want = nil
	return plan.Operation(op, opts).Cases
}

// fill gives the requests that make and change a kind of resource a body with all that it
// may have, where the target takes that: what is never sent is never lost. Then it finds out
// which properties may be changed.
func (r *runner) fill(ctx context.Context, k *chain.Kind) {
	a := actor{r: r}
	above := r.above(ctx, k)
	if k.Parent != nil && above == nil {
		return // what it would stand below is not the run's own
	}
	var values map[string]string
	send := func(op *contract.Operation, e chain.Edit) (s *chain.Step) {
		if op == k.Make && k.Part() && op.Method == http.MethodPost {
			above = r.above(ctx, k) // a second one may be refused
		}
		if op == k.Make {
			var made map[string]string
			if s, made = a.Make(ctx, k, above, e); made != nil {
				values = made
			}
		} else {
			if values == nil {
				_, values = a.Make(ctx, k, above, chain.Edit{})
			}
			if values != nil {
				s = a.Do(ctx, op, values, e)
			}
		}
		return s
	}
	taken := func(op *contract.Operation, s *chain.Step) bool { return s != nil && accepted(op, s.Exchange) }
	refused := func(s *chain.Step) bool {
		return s != nil && s.Response != nil && s.Response.Status/100 == 4 && s.Response.Status != http.StatusTooManyRequests
	}
	for _, op := range k.Bodies() {
		base := r.chainBase(op)
		if full := r.fullest(base); full != nil {
			if r.setBase(op, full); !taken(op, send(op, chain.Edit{})) {
				r.setBase(op, base)
			}
		}
		if op == k.Make {
			r.marked(k, func() bool { return taken(op, send(op, chain.Edit{})) })
		}
		set := chain.Others(a, op)
		if len(set) == 0 || !refused(send(op, chain.Edit{Set: set})) {
			continue
		}
		// A rule that no document speaks of may stand against one of the other values.
		for _, name := range slices.Sorted(maps.Keys(set)) {
			if len(set) == 1 || refused(send(op, chain.Edit{Set: map[string]any{name: set[name]}})) {
				r.stuck[stuckAt{op, name}] = true
			}
		}
	}
}

// marked chooses a text of a kind of resource to be another each time, where none has to be:
// one that the target takes so.
func (r *runner) marked(k *chain.Kind, taken func() bool) {
	base, u := r.chainBase(k.Make), r.states.of(k.Make).uniques
	if base == nil || u == nil || u.off.Load() {
		return
	}
	members, fixed := actor{r: r}.Base(k.Make)
	node := chain.Node(k.Make)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		_, isText := members[name].(string)
		if node == nil || node.Prop(name) == nil || !isText || len(node.Prop(name).Listed()) > 0 {
			continue
		}
		if u.wanted(name) {
			return
		}
		if s := node.Prop(name).Schema; s.Format == "" && s.Pattern == "" && !fixed[name] {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if u.mark = name; !taken() {
			u.mark = ""
			continue
		}
		for _, op := range []*contract.Operation{k.Put, k.Patch} {
			if op != nil && r.states.of(op).uniques != nil {
				r.states.of(op).uniques.mark = name
			}
		}
		return
	}
}

// above makes what a kind of resource stands below.
func (r *runner) above(ctx context.Context, k *chain.Kind) map[string]string {
	if k.Parent == nil {
		return nil
	}
	above := r.above(ctx, k.Parent)
	if k.Parent.Parent != nil && above == nil {
		return nil
	}
	_, values := actor{r: r}.Make(ctx, k.Parent, above, chain.Edit{})
	if values == nil {
		return nil
	}
	return world.Carried(values, k.Parent.Item, k.Make.Path)
}

// fullest is the valid request of an operation with all properties in its body that a value
// can be made for; nil where it has them, or no object.
func (r *runner) fullest(base *plan.Case) *plan.Case {
	if base == nil {
		return nil
	}
	members := chain.Members(base.Request.Body)
	n := chain.Node(base.Op)
	if members == nil || n == nil {
		return nil
	}
	full := withTarget(base, base.Request.Target)
	more := false
	for _, p := range r.states.of(base.Op).keys {
		if g, err := (&value.Maker{Known: r.opts.knownOf(base.Op)}).Good(p.Node); err == nil && base.Request.Get(p.Spec.Name) == "" {
			if text, ok := value.Plain(g.V).(string); ok {
				full.Request.Set(p.Spec.Name, text)
				more = true
			}
		}
	}
	for _, m := range n.Members() {
		now, there := members[m.PropName]
		telling := there && now != nil && (m.Schema.Default == nil || fmt.Sprint(now) != fmt.Sprint(m.Schema.Default))
		if telling || m.Schema.ReadOnly || strings.HasSuffix(world.Plain(m.PropName), "id") || slices.Contains(chain.Versions, world.Plain(m.PropName)) {
			continue
		}
		g, err := (&value.Maker{Known: r.opts.knownOf(base.Op)}).Good(m)
		if err != nil {
			continue
		}
		if v := value.Plain(g.V); v != nil {
			if d := m.Schema.Default; d != nil { // which would be there if it was not stored
				if o, ok := chain.Other(m, d); ok {
					v = o
				}
			}
			members[m.PropName] = v
			body, err := json.Marshal(members)
			before := full.Request.Body
			if full.Request.Body = body; err != nil || len(full.Op.CheckRequest(full.Request)) > 0 {
				full.Request.Body = before
				if delete(members, m.PropName); there {
					members[m.PropName] = now
				}
				continue
			}
			more = true
		}
	}
	if !more {
		return nil
	}
	return full
}

// leastAsked is the valid request of a read without what it may leave out: a filter, or a
// choice of properties, would hide what is looked for.
func leastAsked(c *plan.Case) *plan.Case {
	if c == nil || !world.Safe(c.Op.Method) {
		return c
	}
	least := withTarget(c, c.Request.Target)
	path, query, _ := strings.Cut(c.Request.Target, "?")
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		raw, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(raw)
		if err != nil || !slices.ContainsFunc(c.Op.Params, func(p *contract.Param) bool {
			return p.Spec.In == openapi3.ParameterInQuery && !p.Spec.Required && !p.Credential && (name == p.Spec.Name || strings.HasPrefix(name, p.Spec.Name+"["))
		}) {
			kept = append(kept, pair)
		}
	}
	least.Request.Target = path
	if query = strings.Join(kept, "&"); query != "" {
		least.Request.Target += "?" + query
	}
	for _, p := range c.Op.Params {
		if p.Spec.In == openapi3.ParameterInHeader && !p.Spec.Required && !p.Credential {
			least.Request.Del(p.Spec.Name)
		}
	}
	if len(c.Op.CheckRequest(least.Request)) > 0 {
		return c // they are needed after all
	}
	return least
}
