package report_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/report"
)

// Whatever is found, the text is short, and no line of it is wider than the terminal.
func TestTextFits(t *testing.T) {
	reports := map[string]*report.Report{"made up": many(broken())}
	for name := range important {
		reports[name] = recorded(t, name)
	}
	long := recorded(t, "fuego-gourmet")
	long.Spec = "https://" + strings.Repeat("long.example/", 40)
	for i := range long.Findings {
		long.Findings[i].Place.File = long.Spec
	}
	long.Inconclusive = slices.Repeat([]string{strings.Repeat("words and more words ", 90)}, 30)
	reports["a long address"] = long
	for name, r := range reports {
		for _, width := range []int{0, 60, 80, 120, 200} {
			t.Run(fmt.Sprint(name, " ", width), func(t *testing.T) {
				var b strings.Builder
				require.NoError(t, report.Text(&b, r, report.TextOptions{Width: width}))
				lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
				assert.LessOrEqual(t, len(lines), 100)
				most := width
				if most == 0 {
					most = 200
				}
				for _, line := range lines {
					assert.LessOrEqual(t, utf8.RuneCountInString(line), most, "%s", line)
				}
				_, last, _ := strings.Cut(b.String()[strings.LastIndex(b.String(), "\n✗ "):], "✗ ")
				assert.True(t, strings.HasPrefix(last, "the contract is broken: "), "the verdict is the last word: %s", last)
				for i, g := range r.Groups {
					assert.Equal(t, i < 10 && g.Severity == report.Error, strings.Contains(b.String(), fmt.Sprintf("\n%2d. ✗ ", i+1)), "the first ten")
				}
			})
		}
	}
}

// A command that is broken into lines is the same to a shell.
func TestTextCommandsCanBePasted(t *testing.T) {
	for _, id := range []string{"op/path#base", "op/query/it's/maxLength#" + strings.Repeat("very-long-'quoted'-", 12), `op/header/$HOME "x" \ y#z`} {
		for _, width := range []int{60, 100, 0} {
			r := small()
			r.Command = `printf '%s|' --spec 'a b.yaml' --header "A: $NOTHING"`
			r.Findings[0].Case.ID = id
			r.Sort()
			var b strings.Builder
			require.NoError(t, report.Text(&b, r, report.TextOptions{Width: width}))
			_, command, _ := strings.Cut(b.String(), "    rerun     ")
			command, _, _ = strings.Cut(command, " 7\n")
			out, err := exec.CommandContext(t.Context(), "sh", "-c", command+" 7").Output()
			require.NoError(t, err, command)
			assert.Equal(t, "--spec|a b.yaml|--header|A: |--only|"+id+"|--seed|7|", string(out), command)
		}
	}
}

// The commands of a sequence stand below each other, and a comment ends with its line.
func TestTextSequenceCanBePasted(t *testing.T) {
	for _, width := range []int{34, 60, 0} {
		r := small()
		r.Findings[0].Curl = "id=$(printf '%s' 'a#b') # 201\nprintf '%s|' \"$id\" 'c # d' # 404"
		r.Sort()
		var b strings.Builder
		require.NoError(t, report.Text(&b, r, report.TextOptions{Width: width}))
		_, commands, ok := strings.Cut(b.String(), "    curl      ")
		require.True(t, ok, b.String())
		commands, _, _ = strings.Cut(commands, "    rerun  ")
		out, err := exec.CommandContext(t.Context(), "sh", "-c", commands).Output()
		require.NoError(t, err, commands)
		assert.Equal(t, "a#b|c # d|", string(out), commands)
	}
}

// The verdict says what a run has found, and whether it could find everything.
func TestVerdict(t *testing.T) {
	for want, change := range map[string]func(*report.Report){
		"✓ the contract is kept: no finding":                                              func(r *report.Report) { r.Findings = nil },
		"✓ the contract is kept, 1 warning":                                               func(r *report.Report) { r.Findings[0].Severity = report.Warning },
		"✗ the contract is broken: 1 error, 0 warnings":                                   func(*report.Report) {},
		"✗ the contract is broken: 3 errors from 1 cause, 0 warnings":                     func(r *report.Report) { r.Findings = slices.Repeat(r.Findings, 3) },
		"✗ the contract is broken: 1 error, 0 warnings; not everything could be tested":   func(r *report.Report) { r.Inconclusive = []string{"it died"} },
		"! no result: no error was found, but not everything could be tested; 0 warnings": func(r *report.Report) { r.Findings, r.Inconclusive = nil, []string{"it died"} },
		"✗ the contract is broken: 1 error, 0 warnings; a hook has failed":                func(r *report.Report) { r.Inconclusive, r.HookFailed = []string{"after: no"}, true },
		"✗ no result: no error was found, 0 warnings; a hook has failed":                  func(r *report.Report) { r.Findings, r.Inconclusive, r.HookFailed = nil, []string{"after: no"}, true },
		"! nothing was tested: no request was sent":                                       func(r *report.Report) { r.Findings, r.Stats.Exchanges = nil, 0 },
		"✗ nothing is proven: the run is not set up correctly for the target":             func(r *report.Report) { r.Void = true },
	} {
		r := small()
		change(r)
		r.Sort()
		var b strings.Builder
		require.NoError(t, report.Text(&b, r, report.TextOptions{}))
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		assert.Equal(t, want, lines[1], "the first line")
		assert.Equal(t, want, lines[len(lines)-1], "the last line")
	}
}

// On a narrow terminal a title takes a second line, and above the causes stands of which kinds
// they are.
func TestTextTitles(t *testing.T) {
	r := recorded(t, "express-openapi-validator")
	var b strings.Builder
	require.NoError(t, report.Text(&b, r, report.TextOptions{Width: 80}))
	assert.Contains(t, b.String(), "8 causes of 23 errors\n    2 server failures · 1 security problem · 2 wrong responses")
	assert.Contains(t, b.String(), " 1. ✗ Valid requests fail with 500 Internal Server Error: “/response must have\n      required property 'code'”\n")
}
