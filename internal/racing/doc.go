// Package racing tells tests how much of their largest tables to run. Under the
// race detector a table of hundreds of servers takes minutes and shows no other
// races than a part of it does: such tests then take every so many-th row, and so
// they do with go test -short. Otherwise they take all.
//
//	for i, row := range rows {
//		if !racing.Take(i, 10) {
//			continue
//		}
//		…
//	}
package racing

import "testing"

// Sampled reports whether the largest tables of tests are run in part.
func Sampled() bool { return Enabled || testing.Short() }

// Take reports whether row i of a large table is to be run: every row, or where
// tables are run in part one in so many.
func Take(i, oneIn int) bool { return !Sampled() || i%oneIn == 0 }
