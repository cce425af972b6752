// Package amend makes of findings the changes of the document that would mend them, as the
// actions of an OpenAPI Overlay:
//
//	var seen amend.Shape
//	seen.Add(value) // of each answer
//	actions, err := amend.Actions(c, rep, answers)
//
// It proposes what answers have shown to be so, at the place where the document says otherwise,
// and nothing that would only hide a fault of the server: a request that should have been refused,
// a status of the 500s, what an answer gives away.
package amend
