// Package archtest proves which packages import which: the architecture's
// "never" rules, held against what the go command says. It has tests only.
package archtest
