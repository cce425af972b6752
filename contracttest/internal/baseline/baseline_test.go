package baseline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/baseline"
	"github.com/dataarts-go/factory/contracttest/report"
)

// finding is an error of the check c on a clause.
func finding(clause string) report.Finding {
	f := report.Finding{Operation: "op", Check: "c", Severity: report.Error, Clause: clause, Status: 500}
	f.ID = report.ID(f)
	return f
}

// ids are those of the findings that tests are about.
var ids = strings.NewReplacer("ID_A", finding("op/a").ID, "ID_B", finding("op/b").ID, "ID_Z", "0123456789")

// run has tried the check c on op/a and op/b; op/out was left out, and op/never is never tried.
func run() baseline.Run {
	return baseline.Run{
		Checks: []string{"c", "d"}, Clauses: []string{"op/a", "op/b", "op/out", "op/never"}, Today: time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC),
		State: func(_, clause string) baseline.State {
			switch clause {
			case "op/out":
				return baseline.LeftOut
			case "op/never":
				return baseline.NotTried
			}
			return baseline.Tried
		},
	}
}

func TestApply(t *testing.T) {
	for name, tt := range map[string]struct {
		file  string
		warn  bool
		known int      // of op/a and op/b, which are found
		stale []string // reasons
		left  int      // entries of which nothing is shown
	}{
		"none":                      {"", false, 0, nil, 0},
		"comments":                  {"\n# one\n   \n\t# two", false, 0, nil, 0},
		"by ID":                     {"ID_A error c op/a 500 # why", false, 1, nil, 0},
		"the rest is for people":    {"ID_A error other somewhere/else # why", false, 1, nil, 0},
		"CRLF, and a mark":          {"\uFEFFID_A error c op/a # why\r\nID_B error c op/b # why\r\n", false, 2, nil, 0},
		"quoted":                    {`ID_A error "c" "op/a" # why # and why not`, false, 1, nil, 0},
		"pattern":                   {"- error * op/** # why", false, 2, nil, 0},
		"pattern with a status":     {"- error c ** 500 # why", false, 2, nil, 0},
		"pattern, other status":     {"- error c op/a 404 # why", false, 0, []string{"gone"}, 0},
		"pattern, other check":      {"- error d op/* # why", false, 0, nil, 1},
		"gone":                      {"ID_Z error c op/a # why", false, 0, []string{"gone"}, 0},
		"gone, a warning":           {"ID_Z error c op/a # why", true, 0, []string{"! gone"}, 0},
		"left out":                  {"ID_Z error c op/out # why", false, 0, nil, 1},
		"never tried":               {"ID_Z error c op/never # why", false, 0, nil, 1},
		"no such clause":            {"ID_Z error c op/other # why", false, 0, []string{"no such clause"}, 0},
		"no such check":             {"- error x** op/a # why", false, 0, []string{"no such check"}, 0},
		"no pattern beside an ID":   {"ID_Z error c op/* # why", false, 0, []string{"no such clause"}, 0},
		"until today":               {"ID_A error c op/a until 2027-01-15 # why", false, 1, nil, 0},
		"until yesterday":           {"ID_A error c op/a 500 until 2027-01-14 # why", false, 0, []string{"date has passed"}, 0},
		"until yesterday, warned":   {"ID_A error c op/a until 2027-01-14 # why", true, 1, []string{"! date has passed"}, 0},
		"over and gone":             {"ID_Z error c op/a until 2027-01-14 # why", false, 0, []string{"gone"}, 0},
		"no reason":                 {"ID_A error c op/a", false, 1, []string{"no reason is given"}, 0},
		"an empty reason":           {"ID_A error c op/a #", true, 1, []string{"no reason is given"}, 0},
		"a reason to come":          {"ID_A error c op/a # TODO: why", true, 1, []string{"no reason is given"}, 0},
		"to do, with a reason":      {"ID_A error c op/a # TODO: mend #41", false, 1, nil, 0},
		"twice":                     {"ID_A error c op/a # why\nID_A error c op/a # why", false, 1, []string{"duplicate of line 1"}, 0},
		"a warning for an error":    {"ID_A warning c op/a # why", false, 0, []string{"now an error"}, 0},
		"an ID and a pattern of it": {"ID_A error c op/a # why\n- error c op/a # all", false, 1, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := baseline.Parse("known.txt", []byte(ids.Replace(tt.file)))
			require.NoError(t, err)
			rep := &report.Report{Findings: []report.Finding{finding("op/a"), finding("op/b")}}
			r := run()
			r.Warn = tt.warn
			b.Apply(rep, r)
			known := 0
			for _, f := range rep.Findings {
				if f.Known != nil {
					known++
					assert.NotEmpty(t, f.Known.Why)
				}
			}
			assert.Equal(t, tt.known, known)
			assert.Equal(t, 2-known, rep.Errors())
			assert.Equal(t, tt.left, rep.Baseline.Untried)
			require.Len(t, rep.Baseline.Stale, len(tt.stale), "%v", rep.Baseline.Stale)
			fails := false
			for i, want := range tt.stale {
				reason, warns := strings.CutPrefix(want, "! ")
				assert.Contains(t, rep.Baseline.Stale[i].Reason, reason)
				assert.Equal(t, warns, rep.Baseline.Stale[i].Warning)
				fails = fails || !warns
			}
			rep.Findings = nil
			assert.Equal(t, fails, rep.Failed(), "what has to be mended fails the run, though nothing is found")
		})
	}
}

func TestParseErrors(t *testing.T) {
	for line, want := range map[string]string{
		"ID_A error c":                                "known.txt:1: 3 fields are too few: want \"ID severity check clause",
		"nonsense error c op/a # why":                 `"nonsense" is not an ID: want the 10 hexadecimal digits`,
		"ID_A fatal c op/a # why":                     `"fatal" is not a severity: want error or warning`,
		"ID_A error c op/a 99 # why":                  `"99" is not a status`,
		"ID_A error c op/a yes # why":                 `"yes" is not a status`,
		"ID_A error c op/a until # why":               "until needs a date",
		"ID_A error c op/a until 2027-13-01":          `"2027-13-01" is not a date`,
		"ID_A error c op/a 500 until 2027-01-01 more": `unexpected "more"`,
		`ID_A error c "op/a # why`:                    "missing closing quotation mark",
		`ID_A error c "op"/a # why`:                   `"/a # why" follows a quotation without a blank`,
		strings.Repeat("x\n", 100):                    "known.txt: and more like it",
	} {
		_, err := baseline.Parse("known.txt", []byte(ids.Replace(line)))
		require.ErrorContains(t, err, want)
		assert.Less(t, strings.Count(err.Error(), "\n"), 11)
	}
	_, err := baseline.Parse("known.txt", make([]byte, 9<<20))
	require.ErrorContains(t, err, "more than the 8388608")
}

func TestUpdate(t *testing.T) {
	for name, tt := range map[string]struct{ before, after string }{
		"a new file": {"", "ID_A error c op/a 500 # TODO: why\nID_B error c op/b 500 # TODO: why\n"},
		"in its place": {
			"# ours\nID_B error c op/b 500 # why\n\n# the end",
			"# ours\nID_A error c op/a 500 # TODO: why\nID_B error c op/b 500 # why\n\n# the end\n",
		},
		"what is gone": {
			"ID_Z error c op/a # gone\n# kept\n- error c ** # all\n- error nothing ** # none\n",
			"# kept\n- error c ** # all\n",
		},
		"what is not tried stays": {
			"- error c op/a # a\nID_Z error c op/out # out\n",
			"- error c op/a # a\nID_B error c op/b 500 # TODO: why\nID_Z error c op/out # out\n",
		},
		"what is over stays": {
			"- error c ** until 2001-01-01 # all\n", "- error c ** until 2001-01-01 # all\n",
		},
		"once": {"ID_A error c op/a # a\nID_A error c op/a # b\n- error c op/b # c\n", "ID_A error c op/a # a\n- error c op/b # c\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := baseline.Parse("known.txt", []byte(ids.Replace(tt.before)))
			require.NoError(t, err)
			rep := &report.Report{Findings: []report.Finding{finding("op/a"), finding("op/b")}}
			b.Apply(rep, run())
			b.Update(rep, run(), false)
			assert.Equal(t, ids.Replace(tt.after), string(b.Text()))
			again, err := baseline.Parse("known.txt", b.Text())
			require.NoError(t, err)
			lines := map[int]bool{}
			for _, f := range rep.Findings {
				if f.Known != nil {
					lines[f.Known.Line] = true
				}
			}
			again.Apply(rep, run())
			again.Update(rep, run(), false)
			assert.Equal(t, string(b.Text()), string(again.Text()), "an update has nothing to add to itself")
			for _, f := range rep.Findings {
				assert.True(t, f.Known == nil || lines[f.Known.Line], "the lines are those of the file that is written")
			}
		})
	}
}

// A warning is entered where warnings fail the run.
func TestUpdateWarnings(t *testing.T) {
	for _, warnings := range []bool{false, true} {
		f := finding("op/a")
		f.Severity = report.Warning
		b, err := baseline.Parse("known.txt", nil)
		require.NoError(t, err)
		rep := &report.Report{Findings: []report.Finding{f}}
		b.Apply(rep, run())
		b.Update(rep, run(), warnings)
		assert.Equal(t, warnings, len(b.Text()) > 0)
	}
}

// Whatever names a clause and a check have, what is written can be read.
func FuzzUpdate(f *testing.F) {
	for _, name := range []string{"op/a", "a b", `"`, "#", " ", "\n", "\xff", "\u2028", "é", "until", ""} {
		f.Add(name, "c", 500)
	}
	f.Fuzz(func(t *testing.T, clause, check string, status int) {
		if status != 0 && (status < 100 || status > 999) {
			status = 500
		}
		found := report.Finding{Operation: "op", Check: check, Severity: report.Error, Clause: clause, Status: status}
		found.ID = report.ID(found)
		b, err := baseline.Parse("known.txt", nil)
		require.NoError(t, err)
		rep := &report.Report{Findings: []report.Finding{found}}
		b.Apply(rep, run())
		b.Update(rep, run(), false)
		again, err := baseline.Parse("known.txt", b.Text())
		require.NoError(t, err, "%q", b.Text())
		rep.Findings[0].Known = nil
		again.Apply(rep, run())
		require.NotNil(t, rep.Findings[0].Known)
	})
}

// No file makes the parser or what follows it fail in another way than by an error.
func FuzzParse(f *testing.F) {
	f.Add(ids.Replace("# ours\nID_A error c op/a 500 until 2027-01-01 # why\n- warning ** \"a b\" # why"))
	f.Add("- error [ [ # why")
	f.Add("\"\\")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := baseline.Parse("known.txt", []byte(text))
		if err != nil {
			return
		}
		rep := &report.Report{Findings: []report.Finding{finding("op/a"), finding("op/b")}}
		b.Apply(rep, run())
		b.Update(rep, run(), true)
		_, err = baseline.Parse("known.txt", b.Text())
		require.NoError(t, err)
	})
}
