// Package defects is the catalogue of the ways to break a contract that the
// engine has to find: a second document beside the repository's own, a server
// that keeps it, and what can be wrong with that server.
//
//	for _, d := range defects.Catalogue() {
//		handler := d.Server() // a run against it has a finding of d.Check
//	}
package defects
