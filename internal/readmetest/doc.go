// Package readmetest proves that what README.md and docs show is true: their Go is that
// of the examples, and their commands run. It has tests only.
//
// The blocks of a page that are marked with <!-- run --> (or <!-- run: what is
// done otherwise here -->) are one script, which runs in a copy of the
// repository with contracttest and factory on its PATH. A block of commands or of
// Go that is neither run nor part of an example says why: <!-- shown: WHY -->.
//
//	go test ./internal/readmetest -run TestCommands/suite.md
package readmetest
