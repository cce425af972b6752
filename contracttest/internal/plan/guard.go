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

const late = "there was no time to plan the operation: "

// Late reports whether the reason for which a clause has no case is that the
// planning of its operation was stopped.
func Late(reason string) bool { return strings.HasPrefix(reason, late) }

// ended reports whether the context of the planning has ended. From then on no
// value is made and no case is added, so that the rest is gone through at once.
func (pl *planner) ended() bool {
	if pl.failed == "" {
		if err := pl.stopped(); err != nil {
			pl.failed = late + err.Error()
		}
	}
	return pl.failed != ""
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
