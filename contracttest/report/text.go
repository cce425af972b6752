package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// TextOptions shape the text rendering. The zero value is plain, brief and
// clipped nowhere.
type TextOptions struct {
	Color   bool // ANSI colours
	Verbose bool // every finding, and every clause that was not kept, broken or observed
	// Width is that of the terminal, in cells; 0 where there is none.
	Width int
	// Command runs the contract again; the case that a finding is about is added
	// to it. Where it is empty, what it takes is left open.
	Command string
	// Words replace those that a finding is shown with.
	Words Words
}

// Words are what a finding is shown with.
type Words struct{ Error, Warning, Expected, Actual string }

const (
	maxGaps     = 4   // lines of a summary about clauses of which nothing is shown
	maxFindings = 50  // findings shown
	maxLine     = 160 // cells of a line that quotes something, where no width is known
)

// Text writes the report for people: the findings by clause, then a summary of
// at most twelve lines that ends with the clauses kept, broken and unreached.
func Text(w io.Writer, r *Report, opts TextOptions) error {
	p := newPrinter(opts)
	p.line("%s  %s → %s, seed %d", p.bold("contracttest"), printable(r.Spec), printable(r.Target), r.Seed)
	p.findings(r)
	p.summary(r)
	return p.write(w)
}

// TextFindings writes what Text does of the findings alone, and of the warnings.
func TextFindings(w io.Writer, r *Report, opts TextOptions) error {
	p := newPrinter(opts)
	p.findings(r)
	return p.write(w)
}

type printer struct {
	b    strings.Builder
	opts TextOptions
}

func newPrinter(opts TextOptions) *printer {
	if opts.Words == (Words{}) {
		opts.Words = Words{"ERROR", "WARNING", "expected", "seen"}
	}
	return &printer{opts: opts}
}

func (p *printer) write(w io.Writer) error {
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("text report: %w", err)
	}
	return nil
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// quoted writes one line of something quoted, clipped, behind a label.
func (p *printer) quoted(label, s string) {
	room := p.opts.Width
	if room == 0 {
		room = maxLine
	}
	p.line("    %-9s %s", label, clip(printable(s), max(room-14, 20)))
}

func (p *printer) paint(code, s string) string {
	if !p.opts.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) bold(s string) string   { return p.paint("1", s) }
func (p *printer) dim(s string) string    { return p.paint("2", s) }
func (p *printer) red(s string) string    { return p.paint("31;1", s) }
func (p *printer) green(s string) string  { return p.paint("32;1", s) }
func (p *printer) yellow(s string) string { return p.paint("33;1", s) }

func (p *printer) severity(s string) string {
	if s == Warning {
		return p.yellow(p.opts.Words.Warning)
	}
	return p.red(p.opts.Words.Error)
}

func (p *printer) findings(r *Report) {
	for n, warning := range r.notes() {
		for i, line := range wrap(printable(warning), max(p.opts.Width-6, min(p.opts.Width, 20))) {
			head := p.yellow("note:")
			switch {
			case i > 0:
				head = "     "
			case n < len(r.Inconclusive):
				head = p.red("not proven:")
			}
			p.line("%s %s", head, line)
		}
	}
	shown := 0
	for _, group := range byClause(r.Findings) {
		if left := len(r.Findings) - shown; shown >= maxFindings && !p.opts.Verbose {
			p.line("\n… and %d more finding%s: --verbose shows them all", left, plural(left))
			break
		}
		p.line("")
		p.heading(r, group[0])
		for _, f := range group {
			p.finding(f)
		}
		shown += len(group)
	}
	if len(r.Findings) > 0 {
		p.line("")
	}
}

// heading writes where a clause stands, and the line that it stands in.
func (p *printer) heading(r *Report, f Finding) {
	name := f.Clause
	if name == "" {
		name = f.Operation
	}
	p.line("%s: %s", printable(f.Place.String()), p.bold(printable(name)))
	line, ok := r.line(f.Place)
	if !ok {
		return
	}
	number := strconv.Itoa(f.Place.Line)
	room := p.opts.Width
	if room == 0 {
		room = maxLine
	}
	e := excerptOf(line, f.Place.Column, max(room-len(number)-5, 20))
	p.line("%s %s", p.dim("  "+number+" |"), e.text)
	p.line("%s %s%s", p.dim("  "+strings.Repeat(" ", len(number))+" |"), strings.Repeat(" ", e.start), p.red(strings.Repeat("^", e.end-e.start)))
}

func (p *printer) finding(f Finding) {
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(", %d times", f.Count)
	}
	word := p.opts.Words.Error
	if f.Severity == Warning {
		word = p.opts.Words.Warning
	}
	for i, line := range wrap(fmt.Sprintf("%s (%s%s)", printable(f.Message), f.Check, times), max(p.opts.Width-len(word)-3, min(p.opts.Width, 20))) {
		if i == 0 {
			p.line("  %s %s", p.severity(f.Severity), line)
		} else {
			p.line("  %s %s", strings.Repeat(" ", len(word)), line)
		}
	}
	if f.Expected != "" {
		p.quoted(p.opts.Words.Expected, f.Expected)
	}
	if f.Actual != "" {
		p.quoted(p.opts.Words.Actual, f.Actual)
	}
	if f.Curl != "" {
		p.line("    %-9s %s", "repeat", printable(f.Curl))
	}
	if f.Case.ID != "" {
		p.line("    %-9s %s", "again", p.again(f.Case))
	}
}

// again is the command that sends the case of a finding alone.
func (p *printer) again(c Case) string {
	command, rest := p.opts.Command, ""
	if command == "" {
		command, rest = "contracttest run", " …"
	}
	return fmt.Sprintf("%s --only %s --seed %d%s", command, Quote(c.ID), c.Seed, rest)
}

// Quote writes an argument as a shell takes it.
func Quote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(printable(s), "'", `'\''`) + "'"
}

func (p *printer) summary(r *Report) {
	p.line("%d operation%s, %d case%s, %d exchange%s in %.1f s",
		r.Stats.Operations, plural(r.Stats.Operations), r.Stats.Cases, plural(r.Stats.Cases),
		r.Stats.Exchanges, plural(r.Stats.Exchanges), r.Stats.Seconds)
	if n := r.Stats.DocumentFaults; n > 0 {
		p.line("%s", p.yellow(fmt.Sprintf("%d fault%s of the document did not keep it from being used", n, plural(n))))
	}
	p.verdict(r)
	p.gaps(r)
	p.line("%s", countedClauses(r))
}

func countedClauses(r *Report) string {
	c := r.Coverage
	return fmt.Sprintf("%d clause%s: %d kept, %d broken on purpose (%d of them both), %d observed in responses, %d not proven, %d unreached",
		c.Clauses, plural(c.Clauses), c.Kept, c.Broken, c.Both(), c.Observed, c.NotProven, len(c.Unreached))
}

func (p *printer) verdict(r *Report) {
	text, grave := verdict(r)
	switch grave {
	case Error:
		p.line("%s", p.red(text))
	case Warning:
		p.line("%s", p.yellow(text))
	default:
		p.line("%s", p.green(text))
	}
}

// verdict is the last word on the run, and how grave it is.
func verdict(r *Report) (text, severity string) {
	errors, warnings := r.Errors(), r.FindingsWarned()
	switch {
	case r.Void:
		return "nothing is proven: what is wrong is how the run was set up, see above", Error
	case r.Stats.Exchanges == 0 && len(r.Findings) == 0:
		return "nothing is tested: no request was sent", Warning
	case errors > 0:
		return fmt.Sprintf("the contract is broken: %d error%s, %d warning%s", errors, plural(errors), warnings, plural(warnings)), Error
	case len(r.Inconclusive) > 0:
		return fmt.Sprintf("no result: no error, but not all is proven that was to be, %d warning%s", warnings, plural(warnings)), Warning
	case warnings > 0:
		return fmt.Sprintf("the contract is kept, %d warning%s", warnings, plural(warnings)), ""
	default:
		return "the contract is kept: no finding", ""
	}
}

func (p *printer) gaps(r *Report) {
	all := gaps(r)
	for i, g := range all {
		if i == maxGaps && !p.opts.Verbose {
			clauses := 0
			for _, g := range all[i:] {
				clauses += len(g.clauses)
			}
			p.line("  %-10s  %d clause%s for %d other reason%s: --verbose lists them", "", clauses, plural(clauses), len(all)-i, plural(len(all)-i))
			return
		}
		room := max(p.opts.Width-14, min(p.opts.Width, 20))
		if !p.opts.Verbose {
			p.line("  %-10s  %s", g.state, clip(g.line(room), room))
			continue
		}
		p.line("  %-10s  %s, %s", g.state, g.count(), printable(g.what))
		for _, name := range g.clauses {
			p.line("              %s", printable(name))
		}
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
