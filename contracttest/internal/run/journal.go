package run

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// maxJournal is how many of the last requests are remembered.
const maxJournal = 128

// journal is the last requests of a run in the order in which they were sent: a
// target that fails from some request on is searched there for which it was.
type journal struct {
	mu      sync.Mutex
	clock   int64 // of events: a request goes out, or its answer is there
	entries []*entry
}

// entry is a request that was sent.
type entry struct {
	op           *contract.Operation
	c            *plan.Case // nil where it is of no case
	req          *wire.Request
	began, ended int64 // ended is 0 until then
	status       int   // 0: no answer
	err          error
}

func (j *journal) begin(ctx context.Context, op *contract.Operation, req *wire.Request) *entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.clock++
	e := &entry{op: op, c: caseOf(ctx), req: req, began: j.clock}
	if len(j.entries) == maxJournal {
		j.entries = slices.Delete(j.entries, 0, maxJournal/2)
	}
	j.entries = append(j.entries, e)
	return e
}

func (j *journal) end(e *entry, x *wire.Exchange) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.clock++
	e.ended, e.err = j.clock, x.Err
	if x.Response != nil {
		e.status = x.Response.Status
	}
}

// all returns the entries, as they are now.
func (j *journal) all() []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := make([]entry, len(j.entries))
	for i, e := range j.entries {
		all[i] = *e
	}
	return all
}

// refused reports whether the target took no connection for the request.
func (e entry) refused() bool { return errors.Is(e.err, send.ErrRefused) }

// dropped reports whether the connection was lost under the request.
func (e entry) dropped() bool { return e.status == 0 && e.ended > 0 && !e.refused() }

// name is how reports name the request.
func (e entry) name() string {
	if e.c != nil {
		return e.c.ID
	}
	return e.req.Method + " " + e.op.Path
}

type caseKey struct{}

// withCase notes in a context which case is being sent.
func withCase(ctx context.Context, c *plan.Case) context.Context {
	return context.WithValue(ctx, caseKey{}, c)
}

func caseOf(ctx context.Context) *plan.Case {
	c, _ := ctx.Value(caseKey{}).(*plan.Case)
	return c
}
