package run

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// room is what is known of a target that lets its caller have only so many resources at a time:
// what the run has made and no longer needs is deleted there before more is made.
type room struct {
	one  lock // who deletes
	mu   sync.Mutex
	made int                         // how often there was room again
	vain map[*contract.Operation]int // how often that was of no use
	most map[string]int              // that there may be, by path template
	// under are how many resources had been entered when requests began that are under way: what
	// has been made since may be what they are about.
	under []int
}

// maxVainRoom is how often room is made for an operation to no purpose.
const maxVainRoom = 4

// beginMaking notes that something is under way that may make a resource and use it.
func (r *runner) beginMaking() (end func()) {
	m := &r.room
	since := r.world.Entered()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.under = append(m.under, since)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.under = slices.Delete(m.under, slices.Index(m.under, since), slices.Index(m.under, since)+1)
	}
}

// bounded reports whether the target lets the run have only so many of some resources.
func (m *room) bounded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.most) > 0
}

// cleared reports whether something was deleted to make room: a request may have been about it.
func (m *room) cleared() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.made > 0
}

// said tells of what the target lets the run have only so many.
func (m *room) said() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, item := range slices.Sorted(maps.Keys(m.most)) {
		all = append(all, fmt.Sprintf("no more of %s can be created while there are some: what the run no longer needs is deleted before it creates more", item))
	}
	return all
}

// state is how often there was room again, and how many resources there may be at a path template: 0
// where nobody knows, -1 where an operation is refused for another reason.
func (m *room) state(op *contract.Operation, item string) (made, most int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if most = m.most[item]; most == 0 && m.vain[op] == maxVainRoom {
		most = -1
	}
	return m.made, most
}

// enter notes what came of room where there had been so many resources.
func (m *room) enter(op *contract.Operation, item string, there int, helped bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.most == nil {
		m.most, m.vain = map[string]int{}, map[*contract.Operation]int{}
	}
	switch most := m.most[item]; {
	case helped && (most == 0 || there < most):
		m.most[item] = there
	case most == 0:
		m.vain[op] = min(m.vain[op]+1, maxVainRoom)
	}
}

// roomy sends the request of a case that may make a resource. Where the target refuses the valid
// request, which it has accepted before, there may be too many: it is sent again once there are
// fewer.
func (r *runner) roomy(ctx context.Context, c *plan.Case, send func() *wire.Exchange) *wire.Exchange {
	op, m := c.Op, &r.room
	if op.Method != http.MethodPost || c.Request.Method != http.MethodPost || !r.world.Creates(op) {
		return send()
	}
	item := r.world.ItemPath(op)
	made, most := m.state(op, item)
	if most > 0 && r.livingAt(item) >= most {
		r.makeRoom(ctx, item, made)
		made, most = m.state(op, item)
	}
	x := send()
	for range leases { // others may take what room there is
		there := r.livingAt(item)
		if most < 0 || c.Expect != plan.Accept || there == 0 || !asFull(op, x) {
			return x
		}
		if c.Base != nil && most == 0 { // what it has of its own may be refused
			r.send(ctx, c.Base)
			if now, _ := m.state(op, item); now == made {
				m.enter(op, item, there, false)
				return x
			}
		} else if !r.makeRoom(ctx, item, made) {
			return x
		}
		made, most = m.state(op, item)
		x = send()
		m.enter(op, item, there, accepted(op, x))
		if there <= 2*leases && accepted(op, x) {
			r.load.single.Store(true)
		}
	}
	return x
}

// hasLearned reports whether requests are planned with a resource, and may have no other.
func (r *runner) hasLearned(res *world.Resource) bool {
	return slices.ContainsFunc(r.states, func(st *state) bool {
		if st.renews() && !world.Safe(st.op.Method) {
			return false
		}
		for name, v := range res.Values {
			if slices.Contains(r.learned[st.op][name], v) {
				return true
			}
		}
		return false
	})
}

// asFull reports whether an answer may say that there are too many resources: no status is for that.
func asFull(op *contract.Operation, x *wire.Exchange) bool {
	if x.Response == nil || op.Response(x.Response.Status) == nil {
		return false
	}
	switch x.Response.Status {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInsufficientStorage:
		return true
	}
	return false
}

// full reports whether an answer says so where it is known that there may be but so many.
func (r *runner) full(op *contract.Operation, x *wire.Exchange) bool {
	r.room.mu.Lock()
	defer r.room.mu.Unlock()
	return r.room.most[r.world.ItemPath(op)] > 0 && r.world.Creates(op) && asFull(op, x)
}

func (r *runner) livingAt(item string) int {
	n := 0
	for _, res := range r.world.Living() {
		if res.Item == item {
			n++
		}
	}
	return n
}

// makeRoom deletes what the run has made at a path template and no longer needs, unless somebody
// else has done so since. It reports whether there are fewer now.
func (r *runner) makeRoom(ctx context.Context, item string, since int) bool {
	m := &r.room
	m.one.Lock()
	defer m.one.Unlock()
	m.mu.Lock()
	others, oldest := m.made != since, slices.Min(append(slices.Clone(m.under), r.world.Entered()))
	m.mu.Unlock()
	if others || r.opts.Keep {
		return others
	}
	var idle []map[string]string
	for _, st := range r.states {
		if f := st.fixture; f != nil && f.maker != nil && r.world.ItemPath(f.maker.base.Op) == item {
			idle = slices.Concat(idle, f.plain.letGoIdle(), f.fresh.letGoIdle())
		}
	}
	remover := r.remover(item)
	if remover == nil {
		return false
	}
	all := slices.DeleteFunc(r.world.Living(), func(res *world.Resource) bool {
		let := slices.ContainsFunc(idle, func(values map[string]string) bool { return maps.Equal(values, res.Values) })
		if r.plan == nil { // who uses what is not settled
			return res.Item != item || !let || r.hasLearned(res)
		}
		return res.Item != item || res.Nth() > oldest || r.hasLearned(res) || r.isUsed(res, true)
	})
	before := r.livingAt(item)
	remover.removeAll(context.WithValue(ctx, tidying{}, true), all)
	if r.livingAt(item) >= before {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made++
	return true
}
