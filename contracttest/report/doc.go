// Package report holds what a run found: one value, and its renderings, one
// file for each format. A rendering adds nothing that is not in the value.
//
//	err := report.Text(os.Stdout, rep, report.TextOptions{})
//	err = report.Formats["sarif"](file, rep)
//
// Findings that one change would mend are one [Group]: group.go says which these are and which come
// first, title.go what they are called.
package report
