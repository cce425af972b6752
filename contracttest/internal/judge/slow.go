package judge

import (
	"fmt"
	"time"
)

func responseSlow(e *Exchange) []Finding {
	if e.Response == nil || e.MaxTime <= 0 || e.Response.Open || e.Response.Elapsed <= e.MaxTime {
		return nil
	}
	took := e.Response.Elapsed.Round(time.Millisecond)
	return []Finding{{
		Clause: e.Clause, Message: fmt.Sprintf("%s took %s, the run allows %s", status(e.Response.Status), took, e.MaxTime),
		Expected: "a response within " + e.MaxTime.String(), Actual: took.String(),
	}}
}
