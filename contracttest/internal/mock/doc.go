// Package mock answers requests as a document says a server does: it refuses those that
// break a clause, and answers the others with documented examples, or with values made from
// the schemas. Every answer is judged before it is sent: one that breaks its own document is
// not.
//
//	m := mock.New(contract, mock.Options{Seed: 1})
//	http.ListenAndServe("127.0.0.1:0", m)
//
// Which operation makes or takes a resource is what package world knows of the document.
package mock
