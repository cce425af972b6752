package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// grace is how long a run that has been stopped may take to send again what it
// has found: what is not sent again would be in doubt.
const grace = 2 * time.Second

// graceful returns a context that ends some time after ctx does.
func graceful(ctx context.Context) (late context.Context, cancel context.CancelFunc) {
	late, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, func() { end(context.Cause(ctx)) })
	})
	return late, func() {
		stop()
		end(context.Canceled)
	}
}

// reasonOf says why a context has ended.
func reasonOf(ctx context.Context) string {
	switch cause := context.Cause(ctx); {
	case asTold(ctx):
		return cause.Error()
	case errors.Is(cause, context.DeadlineExceeded):
		return "the run was out of time"
	default:
		return "the run was stopped"
	}
}

// asTold reports whether a run has ended before its time as its options say.
func asTold(ctx context.Context) bool {
	cause := context.Cause(ctx)
	return errors.Is(cause, errBudget) || errors.Is(cause, errMaxRequests) || errors.Is(cause, errFailFast) || errors.Is(cause, errReset)
}

// left counts the planned cases that were not sent as the run ended before them.
type left struct {
	all     int
	clauses int // of them for clauses, and not to search for more
	why     string
	more    string // what is known of the reason
}

// leftOut notes a case that was not sent as the run had ended.
func (r *runner) leftOut(c *plan.Case, why string) {
	r.left.all++
	if c.Phase <= plan.Clauses {
		r.left.clauses++
	}
	if r.left.why == "" {
		r.left.why = why
	}
}

// over reports whether nothing more can be learned from the target.
func (r *runner) over(ctx context.Context) bool {
	return ctx.Err() != nil || r.spent.Load() || r.credential.lost.Load() != nil || r.dead.Load()
}

// ended says what was left out as the run ended early.
func (r *runner) ended(ctx context.Context) {
	if ctx.Err() == nil && r.left.all == 0 {
		return
	}
	why := r.left.why
	if why == "" && ctx.Err() != nil {
		why = reasonOf(ctx)
	}
	r.left.why = why
	text := fmt.Sprintf("incomplete: %d of %d cases were not sent: %s", r.left.all, r.plan.total(), why)
	unplanned := 0
	for _, st := range r.states {
		if r.plan.known(st.op) == nil && slices.ContainsFunc(st.op.Clauses, r.selection.Clause) {
			unplanned++
		}
	}
	if unplanned > 0 {
		text += fmt.Sprintf("; %d operations were not planned", unplanned)
	}
	if r.left.more != "" {
		text += "; " + r.left.more
	}
	if r.left.clauses+unplanned > 0 {
		r.report.Inconclusive = append(r.report.Inconclusive, text)
	} else {
		r.report.Incomplete = text
	}
}
