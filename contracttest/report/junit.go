package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"` // Jenkins wants it
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string         `xml:"name,attr"`
	Classname string         `xml:"classname,attr"`
	Failures  []junitMessage `xml:"failure"`
	Skipped   *junitMessage  `xml:"skipped"`
	Out       string         `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes the report as JUnit XML: a suite for each operation, a test case
// for each clause. Errors are failures, warnings are output; a clause whose findings are
// known, or that was not reached or not proven, is skipped, with the reason.
func JUnit(w io.Writer, r *Report) error {
	reasons := map[string]string{}
	for _, u := range r.Coverage.Unreached {
		reasons[u.Clause] = u.Reason
	}
	findings := map[string][]Finding{}
	for _, f := range r.Findings {
		findings[f.Clause] = append(findings[f.Clause], f)
	}
	stale, _ := r.stale()
	all := junitSuites{Name: "contracttest " + clean(r.Spec), Time: fmt.Sprintf("%.3f", r.Stats.Seconds)}
	index := map[string]int{}
	for _, c := range clauses(r) {
		i, ok := index[c.Operation]
		if !ok {
			i = len(all.Suites)
			index[c.Operation] = i
			all.Suites = append(all.Suites, junitSuite{Name: clean(c.Operation)})
		}
		suite := &all.Suites[i]
		tc := junitCase{
			Name: clean(strings.TrimPrefix(c.Clause, c.Operation+"/")), Classname: clean(c.Operation),
		}
		var out strings.Builder
		known := ""
		for _, f := range findings[c.Clause] {
			text := clean(fmt.Sprintf("%s: %s\nexpected: %s\nseen:     %s\nid:       %s\ncase:     %s\n%s\n", f.Place, f.Message, f.Expected, f.Actual, f.ID, f.Case.ID, f.Curl))
			switch {
			case f.Known != nil:
				known = cmp.Or(known, "known: "+f.Known.Why)
				out.WriteString("known (" + f.Check + "): " + clean(f.Known.Why) + ": " + text)
			case f.Severity == Error:
				tc.Failures = append(tc.Failures, junitMessage{Message: clean(f.Message), Type: f.Check, Text: text})
			default:
				out.WriteString("warning (" + f.Check + "): " + text)
			}
		}
		tc.Out = out.String()
		suite.Tests++
		switch {
		case len(tc.Failures) > 0:
			suite.Failures++
		case known != "":
			tc.Skipped = &junitMessage{Message: clean(known)}
		case c.State == "unreached":
			tc.Skipped = &junitMessage{Message: clean("never tried: " + reasons[c.Clause])}
		case c.State == "not_proven":
			tc.Skipped = &junitMessage{Message: clean("not proven: " + cmp.Or(c.Reason, "tried, but the responses do not decide it"))}
		}
		if tc.Skipped != nil {
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, tc)
	}
	if len(r.Inconclusive) > 0 {
		all.Suites = append(all.Suites, failing("run", "conclusive", "inconclusive", r.Inconclusive))
	}
	if len(stale) > 0 {
		all.Suites = append(all.Suites, failing("baseline", "entries", "stale", texts(r.Baseline.File, stale)))
	}
	for _, s := range all.Suites {
		all.Tests += s.Tests
		all.Failures += s.Failures
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("junit report: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("junit report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("junit report: %w", err)
	}
	return nil
}

// failing is a suite that fails although no clause does: the run is no pass, or the
// baseline has to be mended.
func failing(suite, name, kind string, reasons []string) junitSuite {
	tc := junitCase{Name: name, Classname: suite}
	for _, why := range reasons {
		tc.Failures = append(tc.Failures, junitMessage{Message: clean(why), Type: kind})
	}
	return junitSuite{Name: suite, Tests: 1, Failures: 1, Cases: []junitCase{tc}}
}

// clauses lists those that were tested, and those that only a finding is about
// because the run was restricted to others.
func clauses(r *Report) []Clause {
	all := slices.Clone(r.Coverage.ByClause)
	listed := make(map[string]bool, len(all))
	for _, c := range all {
		listed[c.Clause] = true
	}
	for _, f := range r.Findings {
		if !listed[f.Clause] {
			listed[f.Clause] = true
			all = append(all, Clause{Clause: f.Clause, Place: f.Place, Operation: f.Operation})
		}
	}
	return all
}

// clean drops what XML 1.0 cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 {
			return r
		}
		return '\uFFFD'
	}, s)
}
