package judge

import (
	"fmt"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// The findings of several exchanges. What they have in common is that no answer
// alone shows them; package run gathers what does.

// Connection names the check of connections.
const Connection = "connection"

// ServerError names the check of answers that say that the server has failed.
const ServerError = "server-error"

// Killed is the finding of a request after which the target took no connection,
// when it was sent the first time and when it was sent again.
func Killed(e *Exchange) Finding {
	return Finding{
		Check: Connection, Severity: Error, Clause: clauseOf(e),
		Message:  fmt.Sprintf("the target dies of %s: after it no connection is taken, and so again after the target had come back", e.request()),
		Expected: "an HTTP response, and others after it", Actual: "the connection is refused",
	}
}

// Spoilt is the finding of a request after which valid requests of an operation
// fail that worked before it. The answers are those to the valid request, before
// and after; suspects name the requests of which one did it, where that is not
// known.
func Spoilt(e *Exchange, of *contract.Operation, before, after string, suspects []string) Finding {
	message := fmt.Sprintf("after %s, the valid request of %s is answered with %s; it was answered with %s before", e.request(), of.ID, after, before)
	if len(suspects) > 1 {
		message = fmt.Sprintf("since one of these requests, the valid request of %s is answered with %s, which was answered with %s before: %s",
			of.ID, after, before, strings.Join(suspects, ", "))
	}
	return Finding{Check: ServerError, Severity: Error, Clause: clauseOf(e), Message: message, Expected: before, Actual: after}
}

// RefusedSince is the finding of a valid request that was accepted again and
// again, and is refused since about some other case.
func RefusedSince(e *Exchange, since, status string) Finding {
	return Finding{
		Check: ValidRefused, Severity: Error, Clause: e.Clause,
		Message:  "the valid request that was accepted again and again is refused since about " + since,
		Expected: "the same answer to the same request", Actual: status,
	}
}

// Unstable is the finding of a request that is not answered in the same way each
// time; it may be a warning.
func Unstable(e *Exchange, severity Severity, message, expected, actual string) Finding {
	return Finding{Check: NotRepeatable.Name, Severity: severity, Clause: e.Op.StatusClause, Message: message, Expected: expected, Actual: actual}
}

func clauseOf(e *Exchange) *contract.Clause {
	if e.Clause != nil {
		return e.Clause
	}
	return e.Op.StatusClause
}
