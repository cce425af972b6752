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

// outOfTime unwinds the planning of an operation: what plans one clause has no
// other way to say that there is no time for the next.
type outOfTime struct{ err error }

const late = "there was no time to plan the operation: "

// Late reports whether the reason for which a clause has no case is that the
// planning of its operation was stopped.
func Late(reason string) bool { return strings.HasPrefix(reason, late) }

// inTime stops the planning where its context has ended.
func (pl *planner) inTime() {
	if err := pl.stopped(); err != nil {
		panic(outOfTime{err})
	}
}

// guarded plans so that a panic ends the planning of this operation, and not the
// run: its clauses say so. A panic of who takes the cases is none of ours.
func (pl *planner) guarded(do func()) {
	defer func() {
		if pl.handing {
			return
		}
		switch v := recover().(type) {
		case nil:
		case outOfTime:
			pl.failed = late + v.err.Error()
		default:
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
