// Package racing tells tests whether the race detector is on. Under it a table
// of hundreds of servers takes minutes and shows no other races than a part of
// it does: such tests then take every so many-th row. Without it they take all.
package racing

// Take reports whether row i of a large table is to be run: every row, or under
// the race detector one in so many.
func Take(i, oneIn int) bool { return !Enabled || i%oneIn == 0 }
