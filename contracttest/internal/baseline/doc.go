// Package baseline reads and writes the file of known findings, and holds a report
// against it. A line is
//
//	ID severity check clause [status] [until DATE] # why
//
// so that the file merges in git. The ID is what counts; the rest is for people,
// and says what was there once a finding is gone. A line with - for the ID
// stands for all findings of its check and clause, with the * and ** of --skip.
// A line for a warning never stands for an error.
//
//	known, err := baseline.Parse("known.txt", data)
//	known.Apply(report, baseline.Run{Checks: checks, Clauses: clauses, State: state, Today: time.Now()})
package baseline
