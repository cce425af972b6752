package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/report"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	file = "testdata/" + file
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "go test ./contracttest/report -update writes it")
}

func place(line, column int, pointer string) report.Place {
	return report.Place{File: "openapi.yaml", Line: line, Column: column, Pointer: pointer}
}

// kept is the report of a run without a finding.
func kept() *report.Report {
	return &report.Report{
		Version: report.Version, Spec: "openapi.yaml", Target: "http://127.0.0.1:8080", Seed: 1,
		Stats: report.Stats{Operations: 1, Cases: 12, Exchanges: 44, Seconds: 1.25},
		Coverage: report.Coverage{
			Clauses: 2, Kept: 2, Broken: 1, Unreached: []report.Unreached{},
			ByClause: []report.Clause{
				{Clause: "op/path", Text: "no other path than /a", Place: place(3, 5, "/paths/~1a"), State: "kept", Operation: "op"},
				{Clause: "op/query/q/maxLength", Text: "q has at most 3 characters", Place: place(7, 9, "/paths/~1a/get/parameters/0/schema/maxLength"), State: "kept+broken", Operation: "op"},
			},
		},
		Findings: []report.Finding{},
	}
}

// untested is the report of a run that had no time to send a request.
func untested() *report.Report {
	r := kept()
	r.Stats.Cases, r.Stats.Exchanges = 1, 0
	r.Coverage = report.Coverage{Clauses: 1, Unreached: []report.Unreached{{Clause: "op/path", Reason: "the budget ran out"}}}
	return r
}

// broken is the report of a run with findings of every kind.
func broken() *report.Report {
	r := kept()
	r.Stats.Operations, r.Stats.DocumentFaults = 2, 1
	r.Warnings = []string{"the example of q breaks its schema"}
	r.Coverage.ByClause = append(r.Coverage.ByClause,
		report.Clause{Clause: "op/header/h/type", Text: "h is a string", Place: place(9, 9, "/paths/~1a/get/parameters/1/schema/type"), State: "not_proven", Operation: "op"},
		report.Clause{Clause: "put/body/not", Text: "the body keeps not", Place: report.Place{File: "openapi.json", Pointer: "/paths/~1a/put"}, State: "unreached", Operation: "put"},
		report.Clause{Clause: "put/response/status", Text: "no other status than 200", Place: place(20, 7, "/paths/~1a/put/responses"), State: "observed", Operation: "put"},
	)
	r.Operations = []report.Operation{{Operation: "op", Method: "GET", Path: "/a"}, {Operation: "put", Method: "PUT", Path: "/a"}}
	r.Coverage.Clauses, r.Coverage.Observed, r.Coverage.NotProven = 5, 1, 1
	r.Coverage.Unreached = []report.Unreached{{Clause: "put/body/not", Reason: "cases for not are not planned yet"}}
	r.Findings = []report.Finding{
		{
			Operation: "op", Check: "invalid-request-accepted", Severity: report.Error, Clause: "op/query/q/maxLength", Place: place(7, 9, "/p"),
			Message: "an invalid request is accepted with 200 OK; q: want at most 3 characters, got 4", Expected: "400", Actual: "200 OK", Count: 3, Status: 200, Request: "GET /a?q=abcd",
			Case: report.Case{Seed: 1, ID: "op/query/q/maxLength#too-long"}, Curl: "curl -sS -i 'http://127.0.0.1:8080/a?q=abcd'",
		},
		{
			Operation: "put", Check: "response-body-malformed", Severity: report.Error, Clause: "put/response/status", Place: place(20, 7, "/p"),
			Message: "control \x00\x1b[31m characters & <markup> \uFFFF", Expected: "one JSON value", Actual: "it is not JSON: ]]>", Count: 1, Status: 200,
		},
		{
			Operation: "op", Check: "undocumented-status", Severity: report.Warning, Clause: "op/query/q/maxLength", Place: place(7, 9, "/p"),
			Message: "414 URI Too Long is not documented", Expected: "400", Actual: "414 Request URI Too Long", Count: 1, Status: 414, Case: report.Case{Seed: 1, ID: "op/query/q/maxLength#much-too-long"},
		},
		{
			Operation: "other", Check: "server-error", Severity: report.Error, Clause: "other/response/status", Place: report.Place{File: "openapi.json", Pointer: "/x"},
			Message: "500 Internal Server Error in response to a valid request: boom", Expected: "200", Actual: "500 Internal Server Error", Count: 1, Status: 500, Answer: "boom",
		},
	}
	for i := range r.Findings {
		r.Findings[i].ID = report.ID(r.Findings[i])
	}
	return r
}

// known has a baseline of the first two, of which one entry is gone and one is over.
func known(r *report.Report) *report.Report {
	r.Findings[0].Known = &report.Known{Why: "it is <mended> | next week", Line: 2}
	r.Findings[1].Known = &report.Known{Why: "the proxy does it\x1b[31m", Until: "2027-01-31", Line: 3}
	r.Baseline = &report.Baseline{File: "known.txt", Entries: 4, Stale: []report.Stale{
		{Line: 5, Entry: "0123456789 error c op/gone # why", Reason: "the finding is gone: remove the entry"},
		{Line: 6, Entry: "- error c op/a until 2001-01-01 # why", Reason: "its date has passed: fix the finding, or set another date", Warning: true},
	}}
	return r
}

func TestText(t *testing.T) {
	for name, tt := range map[string]struct {
		r    *report.Report
		opts report.TextOptions
	}{
		"kept.txt":          {kept(), report.TextOptions{}},
		"kept-color.txt":    {kept(), report.TextOptions{Color: true}},
		"untested.txt":      {untested(), report.TextOptions{}},
		"broken.txt":        {broken(), report.TextOptions{}},
		"broken-color.txt":  {broken(), report.TextOptions{Color: true}},
		"broken-long.txt":   {many(broken()), report.TextOptions{}},
		"broken-all.txt":    {many(broken()), report.TextOptions{Verbose: true}},
		"broken-known.txt":  {known(broken()), report.TextOptions{}},
		"broken-warned.txt": {warned(broken()), report.TextOptions{}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, report.Text(&b, tt.r, tt.opts))
			golden(t, name, b.Bytes())
		})
	}
}

// many has more to say than fits.
func many(r *report.Report) *report.Report {
	for i := range 60 {
		f := r.Findings[2]
		f.Clause = fmt.Sprintf("op/query/q%d/maxLength", i)
		r.Findings = append(r.Findings, f)
	}
	for i := range 7 {
		name := fmt.Sprintf("put/body/p%d/type", i)
		r.Coverage.Unreached = append(r.Coverage.Unreached, report.Unreached{Clause: name, Reason: "no case was sent for it"})
		r.Coverage.ByClause = append(r.Coverage.ByClause, report.Clause{Clause: name + "/x", State: "not_proven", Operation: "put"})
	}
	return r
}

func warned(r *report.Report) *report.Report {
	r.Findings = r.Findings[2:3]
	return r
}

// Nothing of what a server sends is an order to the terminal.
func TestTextIsPrintable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.Text(&b, broken(), report.TextOptions{}))
	assert.NotContains(t, b.String(), "\x1b")
	assert.NotContains(t, b.String(), "\x00")
}

func TestJSON(t *testing.T) {
	for name, r := range map[string]*report.Report{"kept.json": kept(), "broken.json": broken(), "known.json": known(broken())} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, report.JSON(&b, r))
			golden(t, name, b.Bytes())
			var back report.Report
			require.NoError(t, json.Unmarshal(b.Bytes(), &back))
			assert.Equal(t, r, &back, "what is written is what was there")
		})
	}
}

// The names that scripts depend on, whatever the Go fields are called.
func TestJSONNames(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.JSON(&b, broken()))
	var doc map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &doc))
	for path, want := range map[string]any{
		"version": 1.0, "spec": "openapi.yaml", "target": "http://127.0.0.1:8080", "seed": 1.0,
		"stats/cases": 12.0, "stats/exchanges": 44.0, "stats/seconds": 1.25,
		"coverage/clauses": 5.0, "coverage/kept": 2.0, "coverage/broken": 1.0, "coverage/observed": 1.0, "coverage/not_proven": 1.0,
		"coverage/unreached/0/clause": "put/body/not", "coverage/unreached/0/reason": "cases for not are not planned yet",
		"coverage/by_clause/0/clause": "op/path", "coverage/by_clause/0/state": "kept", "coverage/by_clause/0/place/line": 3.0,
		"findings/0/operation": "op", "findings/0/check": "invalid-request-accepted", "findings/0/severity": "error", "findings/0/clause": "op/query/q/maxLength",
		"findings/0/place/file": "openapi.yaml", "findings/0/place/line": 7.0, "findings/0/place/column": 9.0,
		"findings/0/message": "an invalid request is accepted with 200 OK; q: want at most 3 characters, got 4", "findings/0/status": 200.0, "findings/0/request": "GET /a?q=abcd", "operations/0/method": "GET", "findings/0/expected": "400", "findings/0/actual": "200 OK", "findings/0/count": 3.0,
		"findings/0/case/seed": 1.0, "findings/0/case/id": "op/query/q/maxLength#too-long", "findings/0/curl": "curl -sS -i 'http://127.0.0.1:8080/a?q=abcd'",
	} {
		assert.Equal(t, want, at(doc, path), path)
	}
}

func at(v any, path string) any {
	for step := range strings.SplitSeq(path, "/") {
		switch parent := v.(type) {
		case map[string]any:
			v = parent[step]
		case []any:
			v = parent[0]
		default:
			return nil
		}
	}
	return v
}

func TestJUnit(t *testing.T) {
	for name, r := range map[string]*report.Report{"kept.xml": kept(), "broken.xml": broken(), "known.xml": known(broken())} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, report.JUnit(&b, r))
			golden(t, name, b.Bytes())
			wellFormed(t, b.Bytes())
		})
	}
}

func wellFormed(t *testing.T, data []byte) {
	t.Helper()
	for dec := xml.NewDecoder(bytes.NewReader(data)); ; {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

// What the suites count is what their cases hold, and no error is lost.
func TestJUnitCounts(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.JUnit(&b, broken()))
	type suite struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Classname string     `xml:"classname,attr"`
			Failures  []struct{} `xml:"failure"`
			Skipped   *struct{}  `xml:"skipped"`
		} `xml:"testcase"`
	}
	var all struct {
		suite
		Suites []suite `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &all))
	tests, failures, skipped, messages := 0, 0, 0, 0
	for _, s := range all.Suites {
		failed, left := 0, 0
		for _, c := range s.Cases {
			assert.Equal(t, s.Name, c.Classname)
			if messages += len(c.Failures); len(c.Failures) > 0 {
				failed++
			}
			if c.Skipped != nil {
				left++
			}
		}
		assert.Len(t, s.Cases, s.Tests)
		assert.Equal(t, failed, s.Failures, s.Name)
		assert.Equal(t, left, s.Skipped, s.Name)
		tests, failures, skipped = tests+s.Tests, failures+s.Failures, skipped+s.Skipped
	}
	assert.Equal(t, []int{tests, failures, 0}, []int{all.Tests, all.Failures, all.Errors})
	assert.Equal(t, 2, skipped)
	assert.Equal(t, broken().Errors(), messages, "each error is a failure, that of a clause outside the run too")
}

func TestFailed(t *testing.T) {
	tests := []struct {
		severities []string
		failOn     string
		want       bool
	}{
		{nil, report.Error, false},
		{nil, report.Warning, false},
		{[]string{report.Warning}, report.Error, false},
		{[]string{report.Warning}, report.Warning, true},
		{[]string{report.Error}, report.Error, true},
		{[]string{report.Error}, report.Warning, true},
	}
	for _, tt := range tests {
		r := &report.Report{}
		for _, s := range tt.severities {
			r.Findings = append(r.Findings, report.Finding{Severity: s})
		}
		assert.Equal(t, tt.want, r.Failed(tt.failOn), "%v fail on %s", tt.severities, tt.failOn)
	}
	assert.Equal(t, 3, broken().Errors())
	assert.Equal(t, 1, broken().FindingsWarned())
}

func TestSort(t *testing.T) {
	want := []report.Finding{
		{Severity: report.Error, Place: place(1, 1, ""), Clause: "a", Check: "x"},
		{Severity: report.Error, Place: place(1, 1, ""), Clause: "a", Check: "y"},
		{Severity: report.Error, Place: place(1, 1, ""), Clause: "b", Check: "x"},
		{Severity: report.Error, Place: place(1, 2, ""), Clause: "a"},
		{Severity: report.Error, Place: place(10, 1, ""), Clause: "a"},
		{Severity: report.Error, Place: report.Place{File: "other.yaml"}, Clause: "a"},
		{Severity: report.Warning, Place: place(1, 1, ""), Clause: "a"},
	}
	r := &report.Report{}
	for _, i := range []int{4, 6, 1, 0, 5, 3, 2} {
		r.Findings = append(r.Findings, want[i])
	}
	r.Sort()
	for i := range r.Findings {
		assert.NotEmpty(t, r.Findings[i].Group)
		assert.Regexp(t, `^[0-9a-f]{10}$`, r.Findings[i].ID)
		r.Findings[i].Group, r.Findings[i].ID = "", ""
	}
	assert.Equal(t, want, r.Findings)
}

// What is known fails nothing, whatever fails a run; an entry that has to be mended does.
func TestKnown(t *testing.T) {
	r := known(broken())
	assert.Equal(t, broken().Errors()-2, r.Errors())
	r.Findings = r.Findings[:2]
	assert.True(t, r.Failed(), "an entry is gone")
	r.Baseline.Stale = r.Baseline.Stale[1:]
	assert.False(t, r.Failed(report.Warning))
	assert.Equal(t, report.StatusKept, r.Status())
}

// The page folds what is known, says why, and what of the baseline has to be mended.
func TestKnownInHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, known(broken())))
	page, _, _ := strings.Cut(b.String(), "<script")
	assert.Contains(t, page, "<summary>2 known (known.txt)</summary>")
	assert.Contains(t, page, "it is &lt;mended&gt; | next week")
	assert.Contains(t, page, "(until 2027-01-31)")
	assert.Contains(t, page, "<strong>baseline</strong> known.txt:5: the finding is gone")
	assert.Contains(t, page, "1 cause of 1 error")
}

// Of the clauses that could be tried, so many have to be shown, where nothing kept the run from
// trying them.
func TestMinCoverage(t *testing.T) {
	r := kept()
	r.Findings, r.Inconclusive = nil, nil
	r.Coverage = report.Coverage{Possible: 4, Clauses: 5}
	for _, state := range []string{"kept", "broken", "observed", "not_proven", "unreached"} {
		r.Coverage.ByClause = append(r.Coverage.ByClause, report.Clause{Clause: "a/" + state, State: state})
	}
	assert.InDelta(t, 75, r.Coverage.Share(), 0.001)
	r.MinCoverage = 75
	assert.Equal(t, report.StatusKept, r.Status())
	r.MinCoverage = 80
	assert.Equal(t, report.StatusFindings, r.Status())
	var b bytes.Buffer
	require.NoError(t, report.Text(&b, r, report.TextOptions{}))
	assert.Contains(t, b.String(), "✗ coverage is too low: 75.0 % of the testable clauses are covered, 80 % are required")
	r.Inconclusive = []string{"stopped"}
	assert.Equal(t, report.StatusNoResult, r.Status())
}

// The ID is not that of a place or a severity, but of what is found.
func TestID(t *testing.T) {
	f := broken().Findings[0]
	same := f
	same.Severity, same.Place, same.Message, same.Case.Seed, same.Count = report.Warning, place(99, 1, "/q"), "other words", 2, 9
	assert.Equal(t, report.ID(f), report.ID(same))
	for name, change := range map[string]func(*report.Finding){
		"operation":  func(f *report.Finding) { f.Operation = "other" },
		"check":      func(f *report.Finding) { f.Check = "other" },
		"clause":     func(f *report.Finding) { f.Clause = "other" },
		"status":     func(f *report.Finding) { f.Status = 500 },
		"media type": func(f *report.Finding) { f.MediaType = "text/html" },
	} {
		other := f
		change(&other)
		assert.NotEqual(t, report.ID(f), report.ID(other), name)
	}
}

func TestPlace(t *testing.T) {
	assert.Equal(t, "openapi.yaml:7:9", place(7, 9, "/p").String())
	assert.Equal(t, "openapi.json#/p", report.Place{File: "openapi.json", Pointer: "/p"}.String())
}

type full struct{ left int }

func (w *full) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestFormats(t *testing.T) {
	for name, render := range report.Formats {
		var b bytes.Buffer
		require.NoError(t, render(&b, broken()))
		assert.NotEmpty(t, b.String(), name)
		for room := 0; room < b.Len(); room += max(1, b.Len()/7) {
			assert.ErrorContains(t, render(&full{room}, broken()), "disk full", "%s: a report that is not written whole is an error", name)
		}
	}
	assert.Len(t, report.Formats, 10)
}
