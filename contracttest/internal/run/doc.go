// Package run sends the cases of a contract to a target and concludes from the
// answers what the target keeps and what it breaks.
//
// A run knows the target by what it has answered: one state for each operation
// holds that. What comes of a case is a value, its outcome; outcomes are
// concluded in the order of the plan, whoever answered first, so that the same
// seed gives the same report with any number of workers. Findings are made by
// package judge alone; this package decides which of them the evidence bears.
package run
