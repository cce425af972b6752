// Package plan turns a contract into cases: for each clause of a request the
// requests that keep it at its edges and the one that breaks it alone, then the
// documented examples, then random combinations of both. Every case says what
// it is for, and that has been confirmed on the bytes that are sent.
//
//	for _, c := range plan.Make(contract, plan.Options{Seed: 1}).Cases {
//		fmt.Println(c.ID, c.Request.Target)
//		// listPets/query/limit/maximum#above /pets?limit=101
//	}
//
// A plan is the same for the same document, values and seed. plan.go has the order; message.go plans
// the parts of a request, written.go, syntax.go, label.go and forms.go how they are written,
// credentials.go who sends it, around.go what is beside the documented paths, methods and media types.
package plan
