// Package archtest proves which packages import which, the architecture's "never" rules,
// by asking the go command; that each package has a page like this one; what is exported; and that
// words which were given up do not come back. It has tests only.
//
//	go test ./internal/archtest -update // after a change of what is exported
package archtest
