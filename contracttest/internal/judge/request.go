package judge

import (
	"fmt"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// Sent is the finding of a request of the target to a callback or webhook that breaks a clause.
func Sent(v contract.Violation) Finding {
	f := Finding{Check: RequestInvalid, Severity: Error, Clause: v.Clause, Message: "the target sends a request that breaks the contract: " + v.Message, Actual: v.Message}
	if v.Clause != nil {
		f.Expected = v.Clause.Text
	}
	return f.left(v.Leave)
}

func requestInvalid(e *Exchange) []Finding {
	if !e.Recorded || e.Response == nil {
		return nil
	}
	accepted := e.Response.Status/100 == 2
	if e.Expect == plan.RefuseMethod {
		if accepted || e.Leave != "" {
			return nil // undocumented-method says it, or the method is no fault
		}
		return []Finding{{Clause: e.Clause, Severity: Warning, Message: "the request has the method " + e.Request.Method, Expected: e.Clause.Text, Actual: e.Request.Method}}
	}
	var found []Finding
	for _, v := range e.Broken {
		if accepted && v.Clause == e.Clause {
			continue // invalid-request-accepted says it
		}
		f := Finding{Clause: v.Clause, Severity: Warning, Message: fmt.Sprintf("the request breaks the contract: %s", v.Message), Actual: v.Message}
		if v.Clause != nil {
			f.Expected = v.Clause.Text
		}
		found = append(found, f)
	}
	return found
}
