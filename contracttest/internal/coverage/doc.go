// Package coverage keeps account of what a run has shown of each clause.
package coverage
