package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// TextOptions shape the text rendering. The zero value is plain and brief.
type TextOptions struct {
	Color   bool // ANSI colours
	Verbose bool // list every clause that was not kept, broken or observed
}

const (
	maxListed   = 5  // clauses listed under a heading of the summary
	maxFindings = 50 // findings shown
)

// Text writes the report for people: the findings, then a summary that ends
// with the clauses kept, broken and unreached.
func Text(w io.Writer, r *Report, opts TextOptions) error {
	p := &printer{opts: opts}
	p.line("%s  %s → %s, seed %d", p.bold("contracttest"), r.Spec, r.Target, r.Seed)
	for _, warning := range r.Warnings {
		p.line("%s %s", p.yellow("note:"), warning)
	}
	for i, f := range r.Findings {
		if i == maxFindings {
			p.line("\n… and %d more findings: the JSON report has them all", len(r.Findings)-i)
			break
		}
		p.finding(f)
	}
	if len(r.Findings) > 0 {
		p.line("")
	}
	p.line("%d operation%s, %d case%s, %d exchange%s in %.1f s",
		r.Stats.Operations, plural(r.Stats.Operations), r.Stats.Cases, plural(r.Stats.Cases),
		r.Stats.Exchanges, plural(r.Stats.Exchanges), r.Stats.Seconds)
	if n := r.Stats.DocumentFaults; n > 0 {
		p.line("%s", p.yellow(fmt.Sprintf("%d fault%s of the document did not keep it from being used", n, plural(n))))
	}
	p.verdict(r)
	p.list("not proven", notProven(r), opts.Verbose)
	unreached := make([]string, 0, len(r.Coverage.Unreached))
	for _, u := range r.Coverage.Unreached {
		unreached = append(unreached, u.Clause+": "+u.Reason)
	}
	p.list("unreached", unreached, opts.Verbose)
	c := r.Coverage
	p.line("%d clause%s: %d kept, %d broken on purpose, %d observed in responses, %d not proven, %d unreached",
		c.Clauses, plural(c.Clauses), c.Kept, c.Broken, c.Observed, c.NotProven, len(c.Unreached))
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("text report: %w", err)
	}
	return nil
}

func notProven(r *Report) []string {
	var names []string
	for _, c := range r.Coverage.ByClause {
		if c.State == "not_proven" {
			names = append(names, c.Clause)
		}
	}
	return names
}

type printer struct {
	b    strings.Builder
	opts TextOptions
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func (p *printer) paint(code, s string) string {
	if !p.opts.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) bold(s string) string   { return p.paint("1", s) }
func (p *printer) red(s string) string    { return p.paint("31;1", s) }
func (p *printer) green(s string) string  { return p.paint("32;1", s) }
func (p *printer) yellow(s string) string { return p.paint("33;1", s) }

func (p *printer) finding(f Finding) {
	word := p.red("ERROR")
	if f.Severity == Warning {
		word = p.yellow("WARNING")
	}
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(" (%d times)", f.Count)
	}
	p.line("")
	p.line("%s %s: %s (check %s)%s", word, f.Place, p.bold(f.Clause), f.Check, times)
	p.line("  %s", printable(f.Message))
	p.line("  expected  %s", printable(f.Expected))
	p.line("  seen      %s", printable(f.Actual))
	if f.Case.ID != "" {
		p.line("  again     contracttest run --only '%s' --seed %d …", f.Case.ID, f.Case.Seed)
	}
	if f.Curl != "" {
		p.line("  curl      %s", strings.TrimPrefix(f.Curl, "curl "))
	}
}

// printable replaces what a terminal would obey instead of show: a part of a
// message is what a server has sent.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

func (p *printer) verdict(r *Report) {
	errors, warnings := r.Errors(), r.FindingsWarned()
	switch {
	case r.Stats.Exchanges == 0 && len(r.Findings) == 0:
		p.line("%s", p.yellow("nothing is tested: no request was sent"))
	case errors > 0:
		p.line("%s %d error%s, %d warning%s", p.red("the contract is broken:"), errors, plural(errors), warnings, plural(warnings))
	case warnings > 0:
		p.line("%s %d warning%s", p.green("the contract is kept,"), warnings, plural(warnings))
	default:
		p.line("%s", p.green("the contract is kept: no finding"))
	}
}

func (p *printer) list(heading string, items []string, all bool) {
	for i, item := range items {
		if i == maxListed && !all {
			p.line("  %-10s … and %d more", heading, len(items)-i)
			return
		}
		p.line("  %-10s %s", heading, item)
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
