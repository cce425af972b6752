package run

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// errSafe is why a request is not sent that may change something.
var errSafe = errors.New("--safe sends GET, HEAD and OPTIONS alone")

// leavesOut reports whether a run that is to be safe does not send a request.
func (o *Options) leavesOut(req *wire.Request) bool {
	return o.Safe && (!asksOnly(req.Method) || changes(req))
}

// asksOnly reports whether a method is one of those that a safe run sends.
func asksOnly(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// unsafe reports whether an operation is left out by a run that is to be safe.
func (o *Options) unsafe(op *contract.Operation) bool { return o.Safe && !asksOnly(op.Method) }

// unsafeOps warns of the operations that a safe run does not try.
func (r *runner) unsafeOps(ops map[*contract.Operation]bool) []string {
	var names []string
	for _, op := range r.contract.Operations {
		if ops[op] && r.opts.unsafe(op) {
			names = append(names, op.ID)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: left out, as %s", strings.Join(someOf(names), ", "), errSafe)}
}
