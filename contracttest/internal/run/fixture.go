package run

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// errSomebodys is why a request is not sent that would change what is not the
// run's own.
var errSomebodys = errors.New("it could change data that the run did not create: give a value that may be used up (--value NAME=VALUE)")

// fixture is what the requests of an operation work on that consume: a resource
// of the run's own, made anew when it is gone. Where nobody makes one, they have
// what the user has given, or an identifier that names nothing.
type fixture struct {
	r         *runner
	op        *contract.Operation
	param     *contract.Param
	given     []string
	maker     *maker       // nil where nothing is made
	free      string       // an identifier that names nothing; empty where there is none
	read      *plan.Case   // reads what the parameter names; nil where nothing does
	current   []*plan.Case // read which version of something requests are about, the nearest first
	steps     []step       // that bring what is made into the state in which the operation takes it
	adds      bool         // requests add to the resource, and may share it
	exclusive bool         // an accepted request uses the resource up

	plain, fresh *stock // of what requests have alone, and of what none was accepted for before

	mu    lock
	there atomic.Pointer[map[string]string] // the values of what requests share; nil where there is none yet
	done  []map[string]string               // of what requests were accepted for, the last ones: one may have what no other may
	used  atomic.Bool                       // a request was accepted
	vain  atomic.Int32                      // how often another resource was taken, and nothing came of it
	gone  atomic.Int32                      // the same, where a resource seemed to be there no more
	spent atomic.Bool                       // it turned out that an accepted request uses a resource up
}

// makes sets who makes the resources of a fixture.
func (f *fixture) makes(m *maker) {
	if f.maker = m; m != nil {
		wanted := func() int {
			if f.r.plan == nil {
				return 0 // while learning one is enough
			}
			return f.r.plan.atLeast(f.op, leases)
		}
		f.plain, f.fresh = newStock(f.r.workers, wanted, f.r.beginMaking, f.produce), newStock(f.r.workers, wanted, f.r.beginMaking, f.produce)
	}
}

// leased reports whether an operation's own requests have a resource alone each.
func (f *fixture) leased() bool { return f.maker != nil && !f.adds && !world.Safe(f.op.Method) }

// maxVain is how often a request that is refused on a used resource is sent
// again with a new one to no purpose.
const maxVain = 3

// sendBy carries the request of a case to the target by one of its ways: with a
// resource of the run's own, where it consumes one.
func (r *runner) sendBy(ctx context.Context, c *plan.Case, do way) *wire.Exchange {
	planned := r.withRunHeaders(c)
	f := r.states.of(c.Op).fixture
	return r.anew(ctx, c, planned, func(req *wire.Request) *wire.Exchange {
		var x *wire.Exchange
		req = r.keyed(c, req)
		switch {
		case f != nil && changes(c.Request):
			x = f.send(ctx, c, req, do)
		case c.Expect == plan.RefuseMethod && world.Destroys(c.Request.Method) && r.world.Consumed(c.Request.Method, c.Op) != nil:
			x = &wire.Exchange{Err: errSomebodys} // what this adds to, or reads
		default:
			x = r.exchangeOf(ctx, c, r.bound(c.Op, req, nil), do)
		}
		r.standsIn(c.Op, planned, x.Request)
		x.Sent, x.Request = x.Request, planned // reports name the same identifier in every run
		return x
	})
}

// changes reports whether a request may change something, by its method or by
// the one that a header names instead.
func changes(req *wire.Request) bool {
	return !world.Safe(req.Method) || req.Get("X-HTTP-Method-Override") != "" || req.Get("X-Method-Override") != "" || req.Get("X-HTTP-Method") != ""
}

// send sends a request with what it may change.
func (f *fixture) send(ctx context.Context, c *plan.Case, planned *wire.Request, do way) *wire.Exchange {
	other := c.Request.Method != c.Op.Method
	share := f.maker == nil || f.adds && !other
	fresh := f.exclusive || f.spent.Load() || other
	x, before := f.try(ctx, c, planned, do, share, fresh)
	lost := f.maker != nil && isGone(x)
	if c.Expect != plan.Accept || !before && !lost || x.Response == nil || !stateful(x.Response.Status) {
		return x
	}
	tried, most := &f.vain, int32(maxVain)
	if isGone(x) { // whatever others are refused for
		tried, most = &f.gone, leases // which may all be under way
	}
	if tried.Add(1) > most {
		return x
	}
	// It may be refused for what was done to the resource before, or the target may have
	// removed that in the meantime: it was made some time ago.
	f.drop()
	again, _ := f.try(ctx, c, planned, do, share, fresh || before)
	for range maxVain { // others were made at the same time
		if !lost || !isGone(again) {
			break
		}
		f.drop()
		again, _ = f.try(ctx, c, planned, do, share, fresh || before)
	}
	if accepted(c.Op, again) {
		tried.Add(-1)
		f.spent.Store(f.spent.Load() || before)
	}
	return again
}

// isGone reports whether what a request was about is not there.
func isGone(x *wire.Exchange) bool {
	return x.Response != nil && (x.Response.Status == http.StatusNotFound || x.Response.Status == http.StatusGone)
}

// maxPast is how many resources of a kind are kept in mind that were made last.
const maxPast = 16

// worksOnAny reports whether the valid request is accepted on another resource of
// the run: then the target is not spoilt, but one is in the way of another, as
// where two would have the same unique value.
func (f *fixture) worksOnAny(ctx context.Context, base *plan.Case) bool {
	if f.maker == nil {
		return false
	}
	f.maker.mu.Lock()
	past := slices.Clone(f.maker.past)
	f.maker.mu.Unlock()
	f.mu.Lock()
	past = append(past, f.done...)
	f.mu.Unlock()
	slices.Reverse(past)
	return slices.ContainsFunc(past, func(values map[string]string) bool {
		return accepted(f.op, f.r.anew(ctx, base, f.r.withRunHeaders(base), func(req *wire.Request) *wire.Exchange {
			return f.r.exchangeOf(ctx, base, f.r.bound(f.op, req, values), f.r.target.Do)
		}))
	})
}

// stateful reports whether a status may be about the state of what a request
// works on.
func stateful(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusUnsupportedMediaType, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

// try sends a request once: with what others have too, or with a resource that it
// has alone, a fresh one where an accepted request uses it up. It reports whether the
// resource may have been used before.
func (f *fixture) try(ctx context.Context, c *plan.Case, planned *wire.Request, do way, share, fresh bool) (x *wire.Exchange, before bool) {
	from := f.plain
	if fresh {
		from = f.fresh
	}
	var values map[string]string
	if share {
		values = f.lend(ctx)
	} else {
		values = from.take(ctx)
	}
	req := f.r.bound(f.op, planned, values)
	about := f.about(ctx, req, values)
	if about == somebodys {
		x = &wire.Exchange{Request: req, Err: errSomebodys}
	} else {
		before = f.used.Load() && (share || !fresh)
		x = f.r.exchangeOf(ctx, c, f.upToDate(ctx, c, req, values), do)
	}
	done := about == ours && x.Response != nil && x.Response.Status/100 == 2
	if done && (share || !fresh) {
		f.used.Store(true)
	}
	if done {
		f.remember(values)
	}
	switch {
	case share || values == nil:
	case about != somebodys && (done && fresh || x.Response == nil || c.Expect == plan.Accept && isGone(x)):
		from.renew(ctx, values) // it is the next one that is taken
	default:
		from.giveBack(values)
	}
	return x, before
}

// remember keeps in mind what requests were accepted for, each once.
func (f *fixture) remember(values map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = slices.DeleteFunc(f.done, func(other map[string]string) bool { return maps.Equal(other, values) })
	f.done = append(f.done[max(0, len(f.done)-2*leases+1):], values)
}

// lend returns the values of a resource that requests share, and makes one where
// there is none; nil where nobody can.
func (f *fixture) lend(ctx context.Context) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if there := f.there.Load(); there != nil {
		return *there
	}
	var values map[string]string
	switch {
	case f.maker != nil:
		end := f.r.beginMaking()
		defer end()
		values = f.produce(ctx)
	case f.free != "":
		values = map[string]string{f.param.Spec.Name: f.free}
	}
	if values != nil {
		f.there.Store(&values)
	}
	return values
}

// left lists the values of the resources that requests may still be sent with.
func (f *fixture) left() []map[string]string {
	all := []map[string]string{nil} // nothing is shared
	if there := f.there.Load(); there != nil {
		all[0] = *there
	}
	if f.maker != nil {
		all = slices.Concat(all, f.plain.left(), f.fresh.left())
	}
	return all
}

// letGo keeps what wrong credentials are to be tried on.
func (f *fixture) letGo() {
	const most = 2
	if f.maker == nil {
		return
	}
	plain, fresh := most, 0
	switch {
	case f.r.room.bounded():
		plain = 0
		f.drop()
	case !f.leased():
		plain = 0
	case f.exclusive || f.spent.Load():
		plain, fresh = 0, most
	}
	f.plain.letGo(plain)
	f.fresh.letGo(fresh)
}

// drop lets go of the resource that is shared.
func (f *fixture) drop() { f.there.Store(nil) }

// bound puts what is on the target in the place of what the plan was made with.
func (r *runner) bound(op *contract.Operation, made *wire.Request, values map[string]string) *wire.Request {
	st := r.states.of(op)
	if len(st.actual) > 0 {
		all := maps.Clone(st.actual)
		maps.Copy(all, values)
		values = all
	}
	if len(values) == 0 {
		return made
	}
	var planned map[string]string
	if st.planned != nil {
		planned = st.planned()
	}
	target := world.Bind(op, made.Target, r.base(op), planned, values)
	if target == made.Target {
		return made
	}
	req := made.Clone()
	req.Target = target
	return req
}

// standIn is a value that a plan has in the path of an operation, for requests of one method.
type standIn struct{ operation, method, value string }

// standsIn notes which values in the path of a request as reports show it were sent as others.
func (r *runner) standsIn(op *contract.Operation, shown, sent *wire.Request) {
	if sent == nil || shown == nil || sent.Target == shown.Target {
		return
	}
	actual := world.Values(op, sent.Target, r.base(op))
	for name, v := range world.Values(op, shown.Target, r.base(op)) {
		if was, ok := actual[name]; ok && was != v {
			r.standIns.Store(standIn{op.ID, shown.Method, v}, true)
		}
	}
}

// showStandIns says of each finding which identifiers in its request are not those that were
// sent: its answer may have these.
func (r *runner) showStandIns() {
	for i := range r.report.Findings {
		f := &r.report.Findings[i]
		method, target, _ := strings.Cut(f.Request, " ")
		target, _, _ = strings.Cut(target, " ")
		target, _, _ = strings.Cut(target, "?")
		for segment := range strings.SplitSeq(target, "/") {
			if text, err := url.PathUnescape(segment); err == nil {
				if _, ok := r.standIns.Load(standIn{f.Operation, method, text}); ok && !slices.Contains(f.StandIns, text) {
					f.StandIns = append(f.StandIns, text)
				}
			}
		}
	}
}

// ownership is whose it is what a request names.
type ownership int

const (
	ours      ownership = iota // the run has made it, or the user has given it
	nobodys                    // there is nothing
	somebodys                  // there may be something
)

// about tells whose it is what a request names. What cannot be read may be the
// run's own in another spelling, if the document does not have it as an example.
func (f *fixture) about(ctx context.Context, req *wire.Request, values map[string]string) ownership {
	named := world.Values(f.op, req.Target, f.r.base(f.op))
	id := named[f.param.Spec.Name]
	own := id == values[f.param.Spec.Name] || slices.Contains(f.given, id)
	for name, v := range values { // what it stands below too
		own = own && named[name] == v
	}
	switch {
	case named == nil, own: // a path that is not the documented one
		return ours
	case f.read != nil:
		return f.aboutAt(ctx, req, values)
	case exampleOf(f.param, id):
		return somebodys
	}
	return ours
}

// exampleOf reports whether a value is one that the document has as an example.
func exampleOf(p *contract.Param, text string) bool {
	all := []any{p.Spec.Example, p.Node.Schema.Example, p.Node.Schema.Default}
	for _, e := range p.Spec.Examples {
		if e != nil && e.Value != nil {
			all = append(all, e.Value.Value)
		}
	}
	return slices.ContainsFunc(all, func(v any) bool { return v != nil && codec.WriteText(v) == text })
}

// named reads what an identifier names.
func (f *fixture) named(ctx context.Context, id string) *wire.Exchange {
	base := f.r.base(f.read.Op)
	from := world.Values(f.read.Op, f.read.Request.Target, base)
	return f.look(ctx, world.Bind(f.read.Op, f.read.Request.Target, base, from, map[string]string{f.param.Spec.Name: id}))
}

// aboutAt reads what a request names: the run's own in another spelling is read
// as it is in its own.
func (f *fixture) aboutAt(ctx context.Context, req *wire.Request, values map[string]string) ownership {
	at := func(req *wire.Request) string {
		base := f.r.base(f.op)
		path := strings.TrimPrefix(req.Path(), base)
		segments := strings.Split(path, "/")
		n := min(strings.Count(f.read.Op.Template(), "/")+1, len(segments))
		target := f.r.base(f.read.Op) + strings.Join(segments[:n], "/") + strings.TrimPrefix(f.read.Op.Path, f.read.Op.Template())
		if q := f.read.Request.RawQuery(); q != "" {
			target += "?" + q
		}
		return target
	}
	x := f.look(ctx, at(req))
	switch {
	case refusedAsNothing(x):
		return nobodys
	case !accepted(f.read.Op, x) || values == nil || f.maker == nil:
		return somebodys
	}
	path := f.op.Path
	for name, v := range values {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(v))
	}
	own := f.look(ctx, at(&wire.Request{Target: f.r.base(f.op) + path}))
	if accepted(f.read.Op, own) && bytes.Equal(own.Response.Body, x.Response.Body) {
		return ours
	}
	return somebodys
}

func (f *fixture) look(ctx context.Context, target string) *wire.Exchange {
	return f.r.exchange(ctx, f.read.Op, f.r.withRunHeaders(withTarget(f.read, target)), f.r.target.Do)
}

// refusedAsNothing reports whether an answer says that there is nothing: a 404,
// or that what was asked for is no identifier. 401, 403 and 429 say nothing.
func refusedAsNothing(x *wire.Exchange) bool {
	if x.Response == nil {
		return false
	}
	switch x.Response.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	}
	return x.Response.Status/100 == 4
}

// maker makes resources by an operation that creates them, each below a parent
// of the run's own where it stands below something.
type maker struct {
	r      *runner
	source world.Source
	param  string
	base   *plan.Case        // the valid request of the operation
	parent *fixture          // nil where it stands below nothing, or below what is given
	from   map[string]string // the path parameters of the valid request
	read   *plan.Case        // nil where what was made cannot be read
	kind   *chain.Kind       // of what has a name that the run chooses; nil where the target does

	mu     sync.Mutex
	first  *wire.Exchange      // one that was made while learning; nil where none was
	past   []map[string]string // the last ones that were made
	unread bool                // one was made and could not be read
}

// takeFirst returns the one that was made while learning, once.
func (m *maker) takeFirst() *wire.Exchange {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.first
	m.first = nil
	return x
}

// make makes a resource and returns the values of its path parameters; nil where
// none was made, or it cannot be read.
func (m *maker) make(ctx context.Context) map[string]string {
	if m.kind != nil {
		return m.makeNamed(ctx)
	}
	op := m.base.Op
	base := m.r.base(op)
	x, c := m.takeFirst(), m.base
	for tries := 0; x == nil || tries == 1 && m.parent != nil && (isGone(x) || isTaken(c, x)); tries++ {
		if c = m.base; m.parent != nil {
			lend := m.parent.lend
			if tries > 0 { // the target may have removed it, or it has no room for another
				lend = m.parent.another
			}
			above := lend(ctx)
			if above == nil {
				return nil
			}
			c = withTarget(c, world.Bind(op, c.Request.Target, base, m.from, above))
		}
		x = m.r.anew(ctx, c, m.r.withRunHeaders(c), func(req *wire.Request) *wire.Exchange {
			return m.r.exchangeOf(ctx, c, m.r.keyed(m.base, req), m.r.target.Do)
		})
	}
	if !accepted(op, x) {
		return nil
	}
	values := world.Values(op, c.Request.Target, base)
	if values == nil || m.source.Relation == world.Shallow { // what it was made below is not in its path
		values = map[string]string{}
	}
	for _, v := range m.source.Values(x) {
		values[m.param] = v
		if m.read == nil || m.readable(ctx, values, x) {
			m.keepInMind(values)
			return values
		}
		m.mu.Lock()
		m.unread = true
		m.mu.Unlock()
	}
	return nil
}

// another returns the values of a new resource: one that requests share from now on, or one for a
// single request where it had to be brought into a state, which the next request may end.
func (f *fixture) another(ctx context.Context) map[string]string {
	f.drop()
	if len(f.steps) == 0 {
		return f.lend(ctx)
	}
	end := f.r.beginMaking()
	defer end()
	return f.produce(ctx)
}

// keepInMind notes what was made, as one of the last.
func (m *maker) keepInMind(values map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.past = append(m.past[max(0, len(m.past)-maxPast+1):], values)
}

// readable waits until what was made can be read: a little, or as long as things may take to
// show, if nothing that was made before has been waited for in vain.
func (m *maker) readable(ctx context.Context, values map[string]string, made *wire.Exchange) bool {
	op, target := m.read.Op, m.read.Request.Target
	base := m.r.base(op)
	c := withTarget(m.read, world.Bind(op, target, base, world.Values(op, target, base), values))
	read := func(ctx context.Context) *wire.Exchange {
		return m.r.exchange(ctx, op, m.r.withRunHeaders(c), m.r.target.Do)
	}
	m.r.join(ctx, m.base.Op, made, read)
	m.mu.Lock()
	pauses := settling(made.Response.Status, m.unread, m.r.opts.Settle)
	m.mu.Unlock()
	for _, pause := range pauses {
		if !sleep(ctx, pause) {
			return false
		}
		if accepted(op, read(ctx)) {
			return true
		}
	}
	return false
}

// base is what the paths of an operation are under on the target.
func (r *runner) base(op *contract.Operation) string {
	if base := r.opts.Base(r.contract, r.target); base != r.contract.BasePath {
		return base
	}
	return op.BasePath
}
