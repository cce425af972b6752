package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// TextOptions shape the text rendering. The zero value is plain, brief and as wide
// as a wide terminal.
type TextOptions struct {
	Color   bool // ANSI colours
	Verbose bool // every finding, and every clause that was not kept, broken or observed
	// Width is that of the terminal, in cells; 0 where there is none.
	Width int
	// Repeat is the command that sends the case of a finding again by its ID, which comes
	// behind it; empty where there is no JSON report that it could read.
	Repeat string
	// Words replace those that a finding is shown with.
	Words Words
}

// Words are what a finding is shown with.
type Words struct{ Error, Warning, Expected, Actual string }

// What a text has at most that is not verbose.
const (
	maxLines      = 100
	maxCauses     = 10 // groups of findings, of which each has a title of maxTitleLines
	maxTitleLines = 2
	maxRowsText   = 20 // operations in the table
	maxNotes      = 6  // of which each has maxNote lines
	maxNote       = 3
	maxGaps       = 4  // lines of a summary about clauses of which nothing is shown
	maxFindings   = 50 // findings shown where they are not grouped
	maxCurl       = 3  // lines of a command, and one more for each further one; longer ones are left to the HTML report
)

const (
	wide   = 200 // cells of a line where no width is known
	narrow = 40  // no line is shorter for want of room
)

// Text writes the report for people: the verdict, the causes of the findings in their
// rank, a table by operation, what was shown of the clauses, and the verdict once more.
func Text(w io.Writer, r *Report, opts TextOptions) error {
	asRead := r
	r = r.laidOut()
	p := newPrinter(opts)
	p.wrapped(p.bold("contracttest")+"  ", strings.Repeat(" ", 14), printable(r.about()), maxNote)
	switch {
	case r.Saved != "":
		p.wrapped("document  ", strings.Repeat(" ", 10), "saved as "+printable(r.Saved)+"; line numbers refer to that file", maxNote)
	case r != asRead:
		p.line("document  is on one line; line numbers refer to the output of jq .")
	}
	if r.Config != "" {
		p.wrapped("settings  ", strings.Repeat(" ", 10), printable(r.Config), maxNote)
	}
	if len(r.Severities) > 0 {
		p.wrapped("severity  ", strings.Repeat(" ", 10), printable(r.severities()), maxNote)
	}
	if scope := r.scope(); scope != "" {
		p.wrapped("tested    ", strings.Repeat(" ", 10), printable(scope), maxNote)
	}
	p.verdict(r)
	p.alarms(r)
	p.stale(r)
	end := newPrinter(opts)
	end.known(r)
	end.table(r)
	end.legend(r)
	end.notes(r)
	end.summary(r)
	end.verdict(r)
	p.causes(r, maxLines-p.lines-end.lines)
	p.b.WriteString(end.b.String())
	return p.write(w)
}

// about says what was held against what.
func (r *Report) about() string {
	if r.Traffic != nil {
		return fmt.Sprintf("%s and the traffic of %s", r.Spec, r.Target)
	}
	return fmt.Sprintf("%s → %s, seed %d", r.Spec, r.Target, r.Seed)
}

// amount says how much was done.
func (r *Report) amount() string {
	if r.Traffic != nil {
		return fmt.Sprintf("%s, of %d operation%s in %.1f s", r.Traffic, r.Stats.Operations, plural(r.Stats.Operations), r.Stats.Seconds)
	}
	return fmt.Sprintf("%d operation%s, %d case%s planned, %d exchange%s in %.1f s",
		r.Stats.Operations, plural(r.Stats.Operations), r.Stats.Cases, plural(r.Stats.Cases),
		r.Stats.Exchanges, plural(r.Stats.Exchanges), r.Stats.Seconds)
}

// TextFindings writes the findings alone, by clause, and the warnings.
func TextFindings(w io.Writer, r *Report, opts TextOptions) error {
	r = r.laidOut()
	p := newPrinter(opts)
	p.alarms(r)
	p.notes(r)
	p.findings(r)
	return p.write(w)
}

type printer struct {
	b     strings.Builder
	lines int
	opts  TextOptions
	room  int // cells of a line
}

func newPrinter(opts TextOptions) *printer {
	if opts.Words == (Words{}) {
		opts.Words = Words{"ERROR", "WARNING", "expected", "seen"}
	}
	room := wide
	if opts.Width > 0 {
		room = max(opts.Width, narrow)
	}
	return &printer{opts: opts, room: room}
}

func (p *printer) write(w io.Writer) error {
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("text report: %w", err)
	}
	return nil
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format+"\n", args...)
	p.lines++
}

// quoted writes one line of something quoted, clipped, behind a label.
func (p *printer) quoted(label, s string) {
	p.line("    %-9s %s", label, clip(printable(oneLine(s)), p.room-14))
}

// wrapped writes a text in lines, behind a head that the others are indented by; no more
// than so many of them unless the text is verbose.
func (p *printer) wrapped(head, blank, text string, most int) {
	if p.opts.Verbose {
		most = len(text) + 1
	}
	for i, line := range limited(text, p.room-columns(blank), most) {
		if i > 0 {
			head = blank
		}
		p.line("%s%s", head, line)
	}
}

// limited is a text in lines, so many at most: the last one is clipped.
func limited(text string, room, most int) []string {
	lines := wrap(text, room)
	if len(lines) > most {
		lines = append(lines[:most-1], clip(lines[most-1]+" …", room))
	}
	return lines
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

// alarms writes what is to be known before the findings: why they do not tell all.
func (p *printer) alarms(r *Report) {
	p.noted("not proven: ", p.red, r.alarms())
}

// legend explains what stands in requests for a text that differs from run to run, or is secret.
func (p *printer) legend(r *Report) {
	shown := func(sign string) bool {
		return slices.ContainsFunc(r.Findings, func(f Finding) bool { return strings.Contains(f.Request+f.Curl+f.Answer, sign) })
	}
	var all []string
	if shown("unique0") {
		all = append(all, "unique00 stands for a text that is new in each run")
	}
	if shown("***") {
		all = append(all, "*** hides a credential")
	}
	var made []string
	for _, f := range r.Findings {
		made = append(made, f.StandIns...)
	}
	slices.Sort(made)
	if made = slices.Compact(made); len(made) > 0 {
		const most = 3
		names, more := strings.Join(made[:min(len(made), most)], ", "), ""
		if len(made) > most {
			more = fmt.Sprintf(" and %d more", len(made)-most)
		}
		all = append(all, names+more+" in a path: what the run has made, under another identifier each time")
	}
	if len(all) > 0 {
		p.wrapped("", "", strings.Join(all, "; "), maxNote)
	}
}

func (p *printer) notes(r *Report) {
	if n := r.Stats.DocumentFaults; n > 0 {
		p.line("%s", p.yellow(fmt.Sprintf("%d fault%s in the document; the rest of it was tested", n, plural(n))))
	}
	p.noted("note: ", p.yellow, r.Warnings)
}

func (p *printer) noted(head string, paint func(string) string, all []string) {
	for n, note := range all {
		if n == maxNotes && !p.opts.Verbose {
			p.line("%s%d more: --verbose shows them", paint(head), len(all)-n)
			break
		}
		p.wrapped(paint(head), strings.Repeat(" ", len(head)), printable(note), maxNote)
	}
}

// scope says which part of the operations is tested; it is empty where all are that were chosen.
func (r *Report) scope() string {
	var all []string
	if s := r.Since; s != nil {
		all = append(all, fmt.Sprintf("changed since %s: %d of %d operations", s.Document, len(s.Changed), s.Of))
	}
	if r.Shard != nil {
		all = append(all, fmt.Sprintf("shard %s: %d of %d operations", r.Shard, len(r.Operations), len(r.Shard.Operations)))
	}
	return strings.Join(all, "; ")
}

// severities says which checks have another severity than their own.
func (r *Report) severities() string {
	all := make([]string, len(r.Severities))
	for i, s := range r.Severities {
		all[i] = fmt.Sprintf("findings of %s are %ss", s.Check, s.Severity)
	}
	return strings.Join(all, ", ") + ", as configured"
}

// stale writes the entries of the baseline that have to be mended.
func (p *printer) stale(r *Report) {
	fail, warn := r.stale()
	if len(fail) > 0 {
		p.noted("baseline: ", p.red, texts(r.Baseline.File, fail))
	}
	if len(warn) > 0 {
		p.noted("baseline: ", p.yellow, texts(r.Baseline.File, warn))
	}
}

// texts says what is wrong with entries of a baseline.
func texts(file string, entries []Stale) []string {
	all := make([]string, len(entries))
	for i, s := range entries {
		all[i] = fmt.Sprintf("%s:%d: %s: %s", file, s.Line, s.Reason, s.Entry)
	}
	return all
}

// known writes the findings that fail nothing, one in a line.
func (p *printer) known(r *Report) {
	all := r.known()
	if len(all) == 0 {
		return
	}
	p.line("%s", p.bold(fmt.Sprintf("%d known finding%s (%s)", len(all), plural(len(all)), printable(r.Baseline.File))))
	for i, f := range all {
		if i == maxCauses && !p.opts.Verbose {
			p.line("%s", p.dim(fmt.Sprintf("    %d more: --verbose shows them", len(all)-i)))
			break
		}
		why := f.Known.Why
		if f.Known.Until != "" {
			why += " (until " + f.Known.Until + ")"
		}
		p.line("%s", clip(fmt.Sprintf("    %s %-7s %s %s: %s", f.ID, f.Severity, f.Check, printable(f.Clause), printable(oneLine(why))), p.room))
	}
	p.line("")
}

// findings writes them by clause.
func (p *printer) findings(r *Report) {
	shown := 0
	for _, group := range byClause(r.Findings) {
		if left := len(r.Findings) - shown; shown >= maxFindings && !p.opts.Verbose {
			p.line("\n… and %d more finding%s: --verbose shows them all", left, plural(left))
			break
		}
		p.line("")
		p.heading(r, group[0])
		for _, f := range group {
			p.finding(r, f)
		}
		shown += len(group)
	}
	if len(r.Findings) > 0 {
		p.line("")
	}
}

// heading writes where a clause stands, its operation, and the line that it stands in.
func (p *printer) heading(r *Report, f Finding) {
	name := r.called(f.Operation)
	if f.Clause != "" && name != f.Operation {
		name += "  " + f.Clause
	} else if f.Clause != "" {
		name = f.Clause
	}
	place := printable(r.placeOf(f)) + ": "
	p.line("%s%s", clip(place, p.room-12), p.bold(clip(printable(name), max(p.room-columns(place), 12))))
	line, ok := r.line(f.Place)
	if !ok {
		return
	}
	number := strconv.Itoa(f.Place.Line)
	e := excerptOf(line, f.Place.Column, p.room-len(number)-5)
	p.line("%s %s", p.dim("  "+number+" |"), e.text)
	p.line("%s %s%s", p.dim("  "+strings.Repeat(" ", len(number))+" |"), strings.Repeat(" ", e.start), p.red(strings.Repeat("^", e.end-e.start)))
}

// placeOf is where the clause of a finding stands, in the file that was saved where one was.
func (r *Report) placeOf(f Finding) string {
	at := f.Place
	if r.Saved != "" && at.File == r.Spec {
		at.File = r.Saved
	}
	return at.String()
}

func (p *printer) finding(r *Report, f Finding) {
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(", %d times", f.Count)
	}
	word := p.opts.Words.Error
	if f.Severity == Warning {
		word = p.opts.Words.Warning
	}
	text := fmt.Sprintf("%s (%s%s)", printable(f.Message), f.Check, times)
	p.wrapped("  "+p.severity(f.Severity)+" ", strings.Repeat(" ", len(word)+3), text, len(text))
	p.evidence(r, f)
}

// evidence writes what a finding is shown with: what was sent, expected and seen, and how to
// send it again.
func (p *printer) evidence(r *Report, f Finding) {
	if f.Request != "" {
		p.quoted("request", f.Request)
	}
	if about := r.tried(f.Case); about != "" {
		p.quoted("case", about)
	}
	if f.Expected != "" {
		p.quoted(p.opts.Words.Expected, f.Expected)
	}
	if seen := f.Actual; seen != "" {
		if seen == statusText(f.Status) && f.Answer != "" {
			seen += ": " + f.Answer
		}
		p.quoted(p.opts.Words.Actual, seen)
	}
	if f.Curl != "" {
		var lines []string
		fits, most := true, maxCurl-1
		for command := range strings.SplitSeq(f.Curl, "\n") { // those of a sequence
			broken, ok := shellLines(printable(command), p.room-14)
			if len(lines) > 0 {
				broken[0] = "  " + broken[0]
			}
			lines, fits, most = append(lines, broken...), fits && ok, most+1
		}
		if fits && len(lines) <= most {
			p.command("curl", lines)
		}
	}
	byID := false
	switch {
	case f.Case.ID != "" && r.Traffic != nil:
		p.quoted("exchange", f.Case.ID)
	case f.Case.ID != "":
		again := r.again(f.Case)
		if byID = p.opts.Repeat != "" && f.ID != ""; byID {
			again = p.opts.Repeat + " " + f.ID
		}
		lines, _ := shellLines(again, p.room-14)
		p.command("rerun", lines)
	}
	if f.ID != "" && !byID {
		p.quoted("finding", f.ID)
	}
}

// tried says what the request of a case is about: the rule that it keeps or breaks, and how.
func (r *Report) tried(c Case) string {
	name, label, ok := strings.Cut(c.ID, "#")
	if !ok || label == "base" || strings.Contains(name, "/response/") { // of a sequence: its title says it
		return ""
	}
	for _, clause := range r.Coverage.ByClause {
		if clause.Clause == name && clause.Text != "" {
			return strings.ReplaceAll(label, "-", " ") + " (" + clause.Text + ")"
		}
	}
	return ""
}

// command writes a command that can be copied.
func (p *printer) command(label string, lines []string) {
	for i, line := range lines {
		switch {
		case i == 0:
			p.line("    %-9s %s", label, line)
		case strings.HasPrefix(line, " "):
			p.line("             %s", line)
		default:
			p.line("%s", line) // it goes on within a word
		}
	}
}

// again is the command that sends one case alone, or the options that do where a test
// does.
func (r *Report) again(c Case) string {
	command := r.Command
	switch {
	case command == "" && !strings.Contains(r.Target, "://"):
		return fmt.Sprintf("contracttest.Only(%q), contracttest.Seed(%d)", c.ID, c.Seed)
	case command == "":
		command = "contracttest run --spec " + Quote(r.Spec) + " --target " + Quote(r.Target)
	}
	return fmt.Sprintf("%s --only %s --seed %d", command, Quote(c.ID), c.Seed)
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
	p.wrapped("", "", r.amount(), maxNote)
	p.gaps(r)
	p.wrapped("", "", r.Coverage.String(), maxNote)
}

// String says how many clauses there are, and what was shown of them.
func (c *Coverage) String() string {
	both := ""
	switch n := c.Both(); n {
	case 0:
	case 1:
		both = " (1 is in both counts)"
	default:
		both = fmt.Sprintf(" (%d are in both counts)", n)
	}
	return fmt.Sprintf("%d clause%s: %d kept, %d refused as they should be%s, %d observed in responses, %d not proven, %d never tried",
		c.Clauses, plural(c.Clauses), c.Kept, c.Broken, both, c.Observed, c.NotProven, len(c.Unreached))
}

func (p *printer) verdict(r *Report) {
	text, grave := verdict(r)
	paint, sign := p.green, "✓"
	switch grave {
	case Error:
		paint, sign = p.red, "✗"
	case Warning:
		paint, sign = p.yellow, "!"
	}
	for i, line := range wrap(text, p.room-2) {
		if i > 0 {
			sign = " "
		}
		p.line("%s", paint(sign+" "+line))
	}
}

// verdict is the first and the last word on the run, and how grave it is.
func verdict(r *Report) (text, severity string) {
	warnings := r.found(Warning)
	if known := len(r.known()); known > 0 {
		warnings += fmt.Sprintf(", %d known finding%s", known, plural(known))
	}
	stale, _ := r.stale()
	missing := "; not everything could be tested"
	if r.HookFailed {
		missing = "; a hook has failed"
	}
	switch {
	case r.Void:
		return "nothing is proven: the run is not set up correctly for the target", Error
	case r.Idle != "":
		return "nothing to test: " + r.Idle, ""
	case r.Stats.Exchanges == 0 && len(r.Findings) == 0:
		if r.Traffic != nil {
			return "nothing was tested: no exchange was judged", Warning
		}
		return "nothing was tested: no request was sent", Warning
	case r.Errors() > 0 && len(r.Inconclusive) > 0:
		return "the contract is broken: " + r.found(Error) + ", " + warnings + missing + r.unaccepted(), Error
	case r.Errors() > 0:
		return "the contract is broken: " + r.found(Error) + ", " + warnings + r.unaccepted(), Error
	case r.HookFailed:
		return "no result: no error was found, " + warnings + missing, Error
	case len(r.Inconclusive) > 0:
		return "no result: no error was found, but not everything could be tested; " + warnings, Warning
	case r.tooLittle():
		return fmt.Sprintf("coverage is too low: %.1f %% of the testable clauses are covered, %v %% are required; no error was found, %s", r.Coverage.Share(), r.MinCoverage, warnings), Error
	case len(stale) > 0:
		return fmt.Sprintf("the baseline needs an update in %d of its entries; no error was found, %s", len(stale), warnings), Error
	case slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Known != nil && f.Severity == Error }):
		return "no new error, " + warnings + r.unaccepted(), ""
	case len(r.Findings) > 0:
		return "the contract is kept, " + warnings + r.unaccepted(), ""
	}
	return "the contract is kept: no finding" + r.unaccepted(), ""
}

// unaccepted says of how many operations the run knows little, as no valid request succeeded.
func (r *Report) unaccepted() string {
	if len(r.Unproven) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of %d operations never accepted a valid request", len(r.Unproven), r.Stats.Operations)
}

// found counts the findings of a severity, and their causes where these are fewer.
func (r *Report) found(severity string) string {
	n, causes := r.count(severity), 0
	for _, g := range r.groups() {
		if g.Severity == severity {
			causes++
		}
	}
	text := fmt.Sprintf("%d %s%s", n, severity, plural(n))
	if causes > 0 && causes < n {
		text += fmt.Sprintf(" from %d cause%s", causes, plural(causes))
	}
	return text
}

func (p *printer) gaps(r *Report) {
	all := gaps(r)
	for i, g := range all {
		if i == maxGaps && !p.opts.Verbose {
			clauses := 0
			for _, g := range all[i:] {
				clauses += len(g.clauses)
			}
			rest := fmt.Sprintf("%d clause%s for %d other reason%s: --verbose lists them", clauses, plural(clauses), len(all)-i, plural(len(all)-i))
			p.line("  %-11s  %s", "", clip(rest, p.room-15))
			return
		}
		room := p.room - 15
		if !p.opts.Verbose {
			p.line("  %-11s  %s", g.state, clip(g.line(room), room))
			continue
		}
		p.line("  %-11s  %s, %s", g.state, g.count(), printable(g.what))
		for _, name := range g.clauses {
			p.line("               %s", printable(name))
		}
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
