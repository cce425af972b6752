package run

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// How long the end of a run may take that deletes what the run has made, how
// often an operation may refuse to, and how much of what stays is named.
const (
	cleanupTime  = 30 * time.Second
	maxRefusals  = 3
	maxLeftNamed = 3
)

// note enters what an answered request has made of the resources of the run, of which there had
// been so many before it was sent.
func (r *runner) note(op *contract.Operation, x *wire.Exchange, before int) {
	if x.Response == nil || x.Response.Status/100 != 2 || world.Safe(x.Request.Method) {
		return
	}
	r.noteSet(op, x)
	base := r.base(op)
	values := world.Values(op, x.Request.Target, base)
	if values == nil && x.Response.Status == http.StatusCreated {
		values = world.Respelt(op, x.Request.Target, base)
	}
	if values == nil {
		return
	}
	switch x.Request.Method {
	case http.MethodPost:
		if op.Method != http.MethodPost {
			return
		}
		if made := r.world.Identify(op, values, r.owner(x.Request), x); made != nil {
			r.world.Enter(made)
		} else if f := r.states.of(op).fixture; f.restores() { // it is there again
			r.world.Enter(&world.Resource{Producer: f.maker.base.Op, Item: itemOf(op, f.param), Values: values, Owner: r.owner(x.Request)})
		}
	case http.MethodDelete:
		if !r.ofPeer(x.Request) { // for whom it may not be there: that it is not is no refusal then
			r.world.Settle(op.Path, values, world.Deleted, before)
		}
	case http.MethodPut:
		if x.Response.Status == http.StatusCreated && strings.HasSuffix(op.Template(), "}") {
			r.world.Enter(&world.Resource{Producer: op, Item: op.Path, Values: values, Owner: r.owner(x.Request)})
			return
		}
		// What has a name of the run is its own, whatever the status of what made it.
		if r.world.Settle(op.Path, values, world.Changed, before) == nil && r.ownName(op, values) {
			r.world.Enter(&world.Resource{Producer: op, Item: op.Path, Values: values, Owner: r.owner(x.Request)})
		}
	case http.MethodPatch:
		r.world.Settle(op.Path, values, world.Changed, before)
	}
}

// ofPeer reports whether a request is another user's.
func (r *runner) ofPeer(req *wire.Request) bool {
	return slices.ContainsFunc(r.opts.Peer, func(h Header) bool { return req.Get(h.Name) == h.Value && !slices.Contains(r.opts.Headers, h) })
}

// owner names the credential of a request: the header that carries it.
func (r *runner) owner(req *wire.Request) string {
	for _, f := range req.Header {
		if secret.IsName(f.Name) {
			return f.Name
		}
	}
	return ""
}

// cleanup deletes what the run has made, the newest first, where the document has
// an operation for it, and says what stays.
func (r *runner) cleanup(ctx context.Context) {
	r.putBack(ctx)
	r.deleteAll(ctx, nil)
	r.sayWhatStays()
	r.sayWhatChanged()
}

// deleteUnused deletes what the run has made and no longer needs: a target may lock
// it out before its end.
func (r *runner) deleteUnused(ctx context.Context) {
	for _, st := range r.states {
		if st.fixture != nil {
			st.fixture.letGo()
		}
	}
	r.deleteAll(ctx, r.inUse)
}

// inUse reports whether requests that are still to be sent may be about a
// resource.
func (r *runner) inUse(res *world.Resource) bool { return r.isUsed(res, r.room.bounded()) }

func (r *runner) isUsed(res *world.Resource, tight bool) bool {
	return slices.ContainsFunc(r.states, func(st *state) bool { return st.uses(res, tight) }) ||
		slices.ContainsFunc(r.world.LivingBelow(res), func(below *world.Resource) bool { return r.isUsed(below, tight) })
}

// uses reports whether requests of the operation are about a resource, or refer to it. Where there
// is little room, what can be made again is not kept.
func (s *state) uses(res *world.Resource, tight bool) bool {
	if s.refersTo(res) {
		return true
	}
	if !strings.HasPrefix(s.op.Path, res.Item) {
		return false
	}
	has := func(values map[string]string) bool {
		for name, v := range res.Values {
			if values[name] != v {
				return false
			}
		}
		return true
	}
	left := []map[string]string{nil}
	if s.fixture != nil {
		left = s.fixture.left()
	}
	again := tight && s.renews() && !world.Safe(s.op.Method)
	return slices.ContainsFunc(left, func(own map[string]string) bool {
		both := maps.Clone(own)
		if both == nil {
			both = map[string]string{}
		}
		maps.Copy(both, s.actual)
		return has(own) || !again && (has(s.actual) || has(both))
	})
}

// tidying marks the context of requests that delete what the run has made: no bound keeps
// them back.
type tidying struct{}

// deleteAll deletes the resources of one kind after those of another, several at once.
// Those that are to be spared stay.
func (r *runner) deleteAll(ctx context.Context, spare func(*world.Resource) bool) {
	if r.opts.Keep || r.dead.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), tidying{}, true), cleanupTime)
	defer cancel()
	all := r.world.Living()
	if spare != nil {
		all = slices.DeleteFunc(all, spare)
	}
	kinds := byKind(all)
	removers := make([]*remover, len(kinds))
	for i, of := range kinds {
		if removers[i] = r.remover(of[0].Item); removers[i] != nil {
			removers[i].removeAll(ctx, of)
		}
	}
	// What was of another kind may have needed them, or the newest were not at their end yet.
	for i, of := range kinds {
		m := removers[i]
		if m == nil || !m.refused {
			continue
		}
		m.refusals = 0
		slices.Reverse(of)
		m.removeAll(ctx, slices.DeleteFunc(of, func(res *world.Resource) bool { return r.world.Life(res) == world.Deleted }))
	}
}

func (m *remover) removeAll(ctx context.Context, all []*world.Resource) {
	g := &errgroup.Group{}
	g.SetLimit(m.r.opts.Workers)
	for _, res := range all {
		g.Go(func() error { m.remove(ctx, res); return nil })
	}
	_ = g.Wait() // nothing fails
}

// byKind divides resources by their path template. What stands below others comes before
// them, and so does what was first made after them: it may need them.
func byKind(newestFirst []*world.Resource) [][]*world.Resource {
	of := map[string][]*world.Resource{}
	var items []string
	for _, res := range slices.Backward(newestFirst) {
		if of[res.Item] == nil {
			items = append(items, res.Item)
		}
		of[res.Item] = append(of[res.Item], res)
	}
	slices.Reverse(items)
	slices.SortStableFunc(items, func(a, b string) int { return strings.Count(b, "{") - strings.Count(a, "{") })
	all := make([][]*world.Resource, 0, len(items))
	for _, item := range items {
		slices.Reverse(of[item])
		all = append(all, of[item])
	}
	return all
}

// remover deletes the resources of one path template.
type remover struct {
	r    *runner
	base *plan.Case
	from map[string]string

	mu       sync.Mutex
	refusals int  // in a row
	refused  bool // at any time
}

// remover returns who deletes what is at a path template; nil where nobody does,
// or the run leaves the operation out.
func (r *runner) remover(item string) *remover {
	op := r.world.At(http.MethodDelete, item)
	if op == nil || r.selection.skips(op) {
		return nil
	}
	opts := r.opts.plan(r.opts.Base(r.contract, r.target), r.selection)
	opts.Want = nil
	base := plan.Base(op, opts)
	if base == nil {
		return nil
	}
	return &remover{r: r, base: base, from: world.Values(op, base.Request.Target, r.base(op))}
}

func (m *remover) remove(ctx context.Context, res *world.Resource) {
	m.mu.Lock()
	enough := m.refusals >= maxRefusals
	m.mu.Unlock()
	if enough || ctx.Err() != nil {
		return
	}
	op := m.base.Op
	c := withTarget(m.base, world.Bind(op, m.base.Request.Target, m.r.base(op), m.from, res.Values))
	req := m.r.states.of(op).fixture.upToDate(ctx, c, m.r.withRunHeaders(c), res.Values)
	x := m.r.exchange(ctx, op, req, m.r.target.Do)
	m.mu.Lock()
	defer m.mu.Unlock()
	if refusedAsNothing(x) && isGone(x) || accepted(op, x) {
		m.refusals = 0
		m.r.world.Settle(res.Item, res.Values, world.Deleted, m.r.world.Entered())
		return
	}
	m.refusals++
	m.refused = true
}

// sayWhatStays warns of what the run leaves on the target, by who made it. Where
// nothing could have deleted it, how much it is has to do: what its identifiers
// are differs from run to run.
func (r *runner) sayWhatStays() {
	left := map[*contract.Operation][]string{}
	for _, res := range r.world.Living() {
		left[res.Producer] = append(left[res.Producer], res.Path())
	}
	for _, op := range r.contract.Operations {
		paths := left[op]
		if len(paths) == 0 {
			continue
		}
		named := strings.Join(paths[:min(len(paths), maxLeftNamed)], ", ")
		if len(paths) > maxLeftNamed {
			named += ", …"
		}
		why := fmt.Sprintf(" (%s): the target refuses to delete them", named)
		switch {
		case r.opts.Keep:
			why = fmt.Sprintf(" (%s), because of --keep", named)
		case r.world.At(http.MethodDelete, r.world.ItemPath(op)) == nil:
			why = ": no operation of the document deletes them"
		case r.dead.Load():
			why = fmt.Sprintf(" (%s): they were not deleted, since %s", named, r.whyDead())
		}
		r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("%d created by %s remain on the target%s", len(paths), op.Title(), why))
	}
}
