// Package value makes JSON values for a schema of the contract: good ones, the
// good ones at the edges of each clause, and those that break one clause and
// keep the others as far as the schema allows. It sends nothing and knows no
// HTTP; whether a value does what it is made for is confirmed by the plan, on
// the bytes that are sent.
//
//	var maker value.Maker
//	good, err := maker.Good(node) // {"name": "a", "age": 1}
//	for _, v := range maker.Break(node, good, value.InBody) {
//		fmt.Println(v.Label, v.V) // {"name": "a", "age": -1}
//	}
//
// A value that several schemas have to accept at once is searched for in solve.go. What a keyword's
// edges are is said in keep.go, and what breaks it in break.go.
package value
