package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// maxShown is how many lines a section of the comparison has, unless it is
// verbose.
const maxShown = 20

// text writes the comparison for people: what breaks, what came, went and
// changed, and the sum of it.
func (c *comparison) text(w io.Writer, verbose, color bool) error {
	t := &diffText{verbose: verbose, color: color}
	t.line("%s  %s → %s", t.paint("1", "contracttest diff"), c.before.name, c.after.name)
	rep := c.report()
	if err := report.TextFindings(&t.b, rep, report.TextOptions{
		Color: color, Verbose: verbose, Width: width(w), Words: report.Words{Error: "BREAKS", Warning: "MAY BREAK", Expected: "before", Actual: "now"},
	}); err != nil {
		return err //nolint:wrapcheck // nothing fails to be written to memory
	}
	rows := make([][3]string, 0, len(c.came))
	for _, cl := range c.came {
		rows = append(rows, row(cl, cl.Text))
	}
	t.section("32", "+", rows)
	rows = rows[:0]
	for _, cl := range c.went {
		rows = append(rows, row(cl, cl.Text))
	}
	t.section("31", "-", rows)
	rows = rows[:0]
	for _, ch := range c.changed {
		rows = append(rows, row(ch.after, ch.before.Text+" → "+ch.after.Text))
	}
	t.section("33", "~", rows)
	t.line("")
	t.line("%s: %d added, %d removed, %d changed, %d unchanged", count(len(c.states), "clause"), len(c.came), len(c.went), len(c.changed),
		len(c.states)-len(c.came)-len(c.went)-len(c.changed))
	errs, warnings := rep.Errors(), rep.FindingsWarned()
	switch {
	case errs > 0 && warnings > 0:
		t.line("%s %s, and by %d more they may", t.paint("31;1", "clients break by"), count(errs, "change"), warnings)
	case errs > 0:
		t.line("%s %s", t.paint("31;1", "clients break by"), count(errs, "change"))
	case warnings > 0:
		t.line("%s %s", t.paint("33;1", "clients may break by"), count(warnings, "change"))
	default:
		t.line("%s", t.paint("32;1", "no client breaks"))
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

func row(cl contracttest.Clause, text string) [3]string {
	return [3]string{cl.Place.String(), cl.Name, text}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type diffText struct {
	b              strings.Builder
	verbose, color bool
}

func (t *diffText) line(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

func (t *diffText) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *diffText) limited(n int, show func(int)) {
	for i := range n {
		if i == maxShown && !t.verbose {
			t.line("  … and %d more (--verbose lists them)", n-i)
			return
		}
		show(i)
	}
}

// section writes aligned rows behind a sign.
func (t *diffText) section(color, sign string, rows [][3]string) {
	if len(rows) == 0 {
		return
	}
	t.line("")
	shown := rows
	if !t.verbose && len(rows) > maxShown {
		shown = rows[:maxShown]
	}
	var widths [2]int
	for _, r := range shown {
		for i := range widths {
			widths[i] = max(widths[i], len(r[i]))
		}
	}
	t.limited(len(rows), func(i int) {
		r := rows[i]
		t.line("%s %-*s  %-*s  %s", t.paint(color, sign), widths[0], r[0], widths[1], r[1], printable(r[2]))
	})
}

// printable replaces what a terminal would obey instead of show.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}
