package plan

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

const gaveUp = "a fault of contracttest itself ended the planning of the operation: "

// GaveUp reports whether the reason for which a clause has no case is a fault of
// the planner, not of the document.
func GaveUp(reason string) bool { return strings.HasPrefix(reason, gaveUp) }

// guarded plans so that a panic ends the planning of this operation, and not the
// run: its clauses say so. A panic of who takes the cases is none of ours.
func (pl *planner) guarded(do func()) {
	defer func() {
		if pl.handing {
			return
		}
		if v := recover(); v != nil {
			pl.failed = fmt.Sprintf("%s%v%s", gaveUp, v, panicked())
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
