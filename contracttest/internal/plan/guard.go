package plan

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// Why is the kind of a reason.
type Why int

// The kinds of reasons for which a clause has no case.
const (
	NoValue    Why = iota // nothing that can be sent keeps it at an edge, or breaks it
	NoBase                // no valid request can be built that a case could differ from
	Untestable            // the clause is such that no request shows anything of it
	Late                  // the planning of its operation was stopped
	GaveUp                // a fault of the planner, not of the document
)

// Reason says why a clause has no case, as
// {NoBase, "no valid request can be built: the body has no media type"}.
type Reason struct {
	Why  Why
	Text string
}

func (r Reason) String() string { return r.Text }

// ended reports whether the context of the planning has ended. From then on no
// value is made and no case is added, so that the rest is gone through at once.
func (pl *planner) ended() bool {
	if pl.failed == (Reason{}) {
		if err := pl.stopped(); err != nil {
			pl.failed = Reason{Late, "there was no time to plan the operation: " + err.Error()}
		}
	}
	return pl.failed != Reason{}
}

// guarded plans so that a panic ends the planning of this operation, and not the
// run: its clauses say so. A panic in the callback that takes the cases is not
// recovered.
func (pl *planner) guarded(do func()) {
	defer func() {
		if pl.handing {
			return
		}
		if v := recover(); v != nil {
			pl.failed = Reason{GaveUp, fmt.Sprintf("a fault of contracttest itself ended the planning of the operation: %v%s", v, panicked())}
		}
	}()
	do()
}

// panicked says where the panic came from that is being recovered from.
func panicked() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	unwinding := false
	for {
		f, more := frames.Next()
		ours := !strings.HasPrefix(f.Function, "runtime.")
		if unwinding && ours {
			return fmt.Sprintf(" (%s:%d)", path.Base(f.File), f.Line)
		}
		unwinding = unwinding || f.Function == "runtime.gopanic"
		if !more {
			return ""
		}
	}
}
