package contracttest

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/report"
)

// reportDir is the variable of the environment that names a directory for the
// reports of each Test.
const reportDir = "CONTRACTTEST_REPORT_DIR"

// Test runs the contract against a target as a subtest for each operation, and
// below it one for each clause: a finding fails the subtest of its clause.
// Warnings are logged. The names can be given to go test -run.
//
// With go test -short there are fewer random cases, and what they alone have found is not told
// to be gone from a baseline. Every kind of report is written
// to the directory that CONTRACTTEST_REPORT_DIR names, relative to that of the test, and
// with go test -artifacts to the test's own; the files are named after the test.
func Test(t *testing.T, c *Contract, target Target, opts ...Option) {
	t.Helper()
	if testing.Short() {
		opts = append([]Option{Cases(shortCases), BaselineStale("warn")}, opts...)
	}
	rep, err := Run(t.Context(), c, target, opts...)
	if err != nil {
		t.Fatalf("contract test: %v", err)
	}
	if dir := os.Getenv(reportDir); dir != "" {
		writeReports(t, dir, rep)
	}
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		writeReports(t, t.ArtifactDir(), rep)
	}
	for _, why := range rep.Inconclusive {
		t.Errorf("contract test: not proven: %s", asOptions(why))
	}
	if rep.Idle != "" {
		t.Log(rep.Idle)
		return
	}
	if rep.Stats.Exchanges == 0 && len(rep.Inconclusive) == 0 {
		t.Error("contract test: no request was sent, so nothing is known: see Only, Skip and Budget")
	}
	if b := rep.Baseline; b != nil {
		for _, s := range b.Stale {
			say := t.Errorf
			if s.Warning {
				say = t.Logf
			}
			say("%s:%d: %s: %s", b.File, s.Line, s.Reason, s.Entry)
		}
	}
	warnings := slices.Contains(rep.FailOn, report.Warning)
	findings := map[string][]Finding{}
	for _, f := range rep.Findings {
		findings[f.Clause] = append(findings[f.Clause], f)
	}
	root := &branch{}
	for _, cl := range rep.Coverage.ByClause {
		here := findings[cl.Clause]
		delete(findings, cl.Clause)
		root.add(strings.Split(cl.Clause, "/"), func(t *testing.T) {
			t.Helper()
			for _, f := range here {
				tell(t, f, f.Severity == report.Error || warnings)
			}
			if cl.State == "unreached" || cl.State == "not_proven" {
				t.Logf("%s: %s", cl.State, asOptions(cl.Text))
			}
		})
	}
	root.run(t)
	for _, elsewhere := range findings { // on clauses that Only or Skip leave out
		for _, f := range elsewhere {
			tell(t, f, true)
		}
	}
	t.Log(rep.Coverage.String())
	if rep.Incomplete != "" {
		t.Log(asOptions(rep.Incomplete))
	}
	for _, w := range rep.Warnings {
		t.Log(asOptions(w))
	}
	if share := rep.Coverage.Share(); share < rep.MinCoverage && len(rep.Inconclusive) == 0 {
		t.Errorf("contract test: coverage is too low: %.1f %% of the testable clauses are covered, %v %% are required", share, rep.MinCoverage)
	}
	if slices.Contains(rep.FailOn, report.FailOnUnproven) {
		for _, u := range rep.Unproven {
			t.Errorf("%s: no valid request was accepted: %s", u.Operation, u.Answer)
		}
	}
}

// tell says what is found. What is known fails nothing.
func tell(t *testing.T, f Finding, fails bool) {
	t.Helper()
	switch {
	case f.Known != nil:
		t.Logf("known (%s): %s", f.Known.Why, explain(f))
	case fails:
		t.Error(explain(f))
	default:
		t.Log(explain(f))
	}
}

// shortCases is how many random cases an operation has with go test -short.
const shortCases = 5

// extensions are those of the reports' files where they are not the format's name.
var extensions = map[string]string{"junit": "xml", "text": "txt", "codequality": "codequality.json", "overlay": "overlay.yaml"}

// writeReports writes the report in every form.
func writeReports(t *testing.T, dir string, rep *Report) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil { //nolint:gosec // whoever runs the tests names it
		t.Errorf("contract test: reports: %v", err)
		return
	}
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, t.Name())
	for format, render := range report.Formats {
		if format == "go" {
			continue // a directory of packages is no place for it
		}
		var b bytes.Buffer
		err := render(&b, rep)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+"."+cmp.Or(extensions[format], format)), b.Bytes(), 0o600) //nolint:gosec // as above
		}
		if err != nil {
			t.Errorf("contract test: report %s: %v", format, err)
		}
	}
}

// explain says in a few lines what is wrong; the whole of long texts is in the
// reports.
func explain(f Finding) string {
	const most = 400 // bytes of a line
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(", %d times", f.Count)
	}
	return fmt.Sprintf("%s: %s (check %s%s)\n  expected  %s\n  seen      %s\n  id        %s\n  case      %s\n  %s",
		f.Place, secret.Clip(asOptions(f.Message), most), f.Check, times, secret.Clip(f.Expected, most), secret.Clip(f.Actual, most), f.ID, f.Case.ID, secret.Clip(f.Curl, 3*most))
}

// withValues are the flags that notes advise with what belongs to them, and what they are called
// in Go.
var withValues = []struct {
	flag *regexp.Regexp
	call string
}{
	{regexp.MustCompile(`--header '([^':]+): ([^']*)'`), `contracttest.Header("$1", "$2")`},
	{regexp.MustCompile(`--value ([\w.\[\]-]+)=([\w-]+)`), `contracttest.Values("$1", "$2")`},
	{regexp.MustCompile(`--credential-tries (\w+)`), `contracttest.CredentialTries($1)`},
	{regexp.MustCompile(`--restart CMD\b`), `contracttest.Restart`},
}

// anyFlag is one by its name.
var anyFlag = regexp.MustCompile(`--[a-z]+(-[a-z]+)*`)

// asOptions puts Go's options in the place of the flags that a note advises: who runs a test of Go
// has no flags.
func asOptions(note string) string {
	for _, o := range withValues {
		note = o.flag.ReplaceAllString(note, o.call)
	}
	return anyFlag.ReplaceAllStringFunc(note, func(flag string) string {
		if s := config.Lookup(flag[2:]); s != nil && s.Go != "" {
			return "contracttest." + s.Go
		}
		return flag
	})
}

// branch is a tree of subtests by the segments of clause names, so that a name
// can be given to -run, which goes by segments.
type branch struct {
	children []*branch
	name     string
	leaf     func(*testing.T)
}

func (b *branch) add(segments []string, leaf func(*testing.T)) {
	if len(segments) == 0 {
		b.leaf = leaf
		return
	}
	i := slices.IndexFunc(b.children, func(c *branch) bool { return c.name == segments[0] })
	if i < 0 {
		i = len(b.children)
		b.children = append(b.children, &branch{name: segments[0]})
	}
	b.children[i].add(segments[1:], leaf)
}

func (b *branch) run(t *testing.T) {
	t.Helper()
	if b.leaf != nil {
		b.leaf(t)
	}
	slices.SortStableFunc(b.children, func(x, y *branch) int { return cmp.Compare(len(x.children), len(y.children)) })
	for _, c := range b.children {
		t.Run(c.name, c.run)
	}
}
