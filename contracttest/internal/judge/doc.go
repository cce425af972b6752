// Package judge turns an exchange into findings. It is the same for exchanges
// that were planned, recorded, mocked or overheard.
//
//	for _, f := range judge.Judge(judge.Recorded(contract, exchange), nil) {
//		fmt.Println(f.Severity, f.Check, f.Clause, f.Message)
//	}
//
// Each file beside judge.go and request.go holds checks of one kind: status.go those of statuses
// and of what is accepted, body.go those of bodies and headers, framing.go, encoding.go and
// negotiation.go those of HTTP, leak.go those of what an answer gives away. What only several requests show
// is declared in sequence.go, and found by package chain. To add a check, write it in the file of its kind
// and enter it in registry.go, with its name, severity and source: docs/checks.md is
// written from there.
package judge
