// Package report holds what a run found: one value, and its renderings, one
// file for each format. A rendering adds nothing that is not in the value.
package report
