package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// causes writes the groups of findings, errors first, in so many lines: as many as there is
// room for with their example, the others without. Beside errors a minor one has one line.
func (p *printer) causes(r *Report, most int) {
	all := r.groups()
	if len(all) == 0 {
		return
	}
	shown := all
	if !p.opts.Verbose {
		shown = all[:min(len(all), maxCauses)]
	}
	const brief = maxTitleLines + 1
	left := most - brief*len(shown) - 13 // headings, blank lines and what is said of the rest
	for _, severity := range []string{Error, Warning} {
		n, heading, kinds := r.counted(severity)
		if n == 0 {
			continue
		}
		p.line("")
		printed := 0
		for i, g := range shown {
			if g.Severity != severity {
				continue
			}
			if printed == 0 {
				p.line("%s", p.bold(heading))
				if n > 1 {
					p.wrapped("    ", "    ", kinds, maxNote)
				}
			}
			printed++
			switch {
			case p.opts.Verbose:
				p.line("")
				p.cause(r, i+1, g)
				for _, f := range g.Findings {
					p.heading(r, r.Findings[f])
					p.finding(r, r.Findings[f])
				}
				continue
			case severity == Warning && g.Kind == KindDetail && r.Errors() > 0:
				p.short(r, i+1, g)
				continue
			}
			block := newPrinter(p.opts)
			block.line("")
			block.cause(r, i+1, g)
			block.heading(r, r.Findings[g.Findings[0]])
			block.evidence(r, r.Findings[g.Findings[0]])
			if block.lines-brief > left {
				if left > 0 {
					p.line("")
				}
				left = 0 // the rest is brief, so that the page does not change back and forth
				p.cause(r, i+1, g)
				continue
			}
			left -= block.lines - brief
			p.b.WriteString(block.b.String())
			p.lines += block.lines
		}
		switch rest := n - printed; {
		case printed == 0:
			p.line("%s: --verbose shows them", p.bold(heading))
		case rest > 0:
			p.line("    … and %d more cause%s: --verbose shows them all", rest, plural(rest))
		}
	}
	p.line("")
}

// counted says how many causes there are of findings of a severity, and of which kinds.
func (r *Report) counted(severity string) (n int, heading, kinds string) {
	count := map[string]int{}
	for _, g := range r.groups() {
		if g.Severity == severity {
			n++
			count[g.Kind]++
		}
	}
	findings := r.count(severity)
	heading = fmt.Sprintf("%d cause%s of %d %s%s", n, plural(n), findings, severity, plural(findings))
	var all []string
	for _, k := range []struct{ kind, one, more string }{
		{KindCrash, "server failure", "server failures"},
		{KindAccess, "security problem", "security problems"},
		{KindAnswer, "wrong response", "wrong responses"},
		{KindAccepted, "invalid request accepted", "invalid requests accepted"},
		{KindRefused, "valid request refused", "valid requests refused"},
		{KindDetail, "minor", "minor"},
	} {
		switch c := count[k.kind]; c {
		case 0:
		case 1:
			all = append(all, "1 "+k.one)
		default:
			all = append(all, fmt.Sprintf("%d %s", c, k.more))
		}
	}
	return n, heading, strings.Join(all, " · ")
}

// cause writes what a group is about, and what it touches.
func (p *printer) cause(r *Report, n int, g Group) {
	paint := p.red
	if g.Severity == Warning {
		paint = p.yellow
	}
	head := fmt.Sprintf("%2d. %s ", n, signOf(g.Severity))
	for i, line := range limited(printable(g.Title), p.room-columns(head), maxTitleLines) {
		if i == 0 {
			p.line("%s%s", paint(head), p.bold(line))
		} else {
			p.line("%s%s", strings.Repeat(" ", columns(head)), p.bold(line))
		}
	}
	about := fmt.Sprintf(" · seen %d time%s · %s", g.Exchanges, plural(g.Exchanges), g.Check)
	p.line("      %s", p.dim(r.touches(g, p.room-6-columns(about))+about))
}

// short writes a group in one line.
func (p *printer) short(r *Report, n int, g Group) {
	head := fmt.Sprintf("%2d. ! ", n)
	times := fmt.Sprintf(", seen %d time%s", g.Exchanges, plural(g.Exchanges))
	about := "  " + r.touches(g, max(p.room-columns(head+g.Title+times)-2, 24)) + times
	p.line("%s%s%s", p.yellow(head), clip(printable(g.Title), p.room-columns(head)-columns(about)), p.dim(about))
}

// touches names the operations of a group in so many cells.
func (r *Report) touches(g Group, room int) string {
	if len(g.Operations) == 1 {
		return clip(printable(r.called(g.Operations[0])), room)
	}
	text := fmt.Sprintf("%d operations", len(g.Operations))
	for i, op := range g.Operations {
		name, more := printable(r.called(op)), ""
		if i == 0 {
			name = ": " + name
		} else {
			name = ", " + name
		}
		if rest := len(g.Operations) - i - 1; rest > 0 {
			more = fmt.Sprintf(" and %d more", rest)
		}
		if columns(text+name+more) > room {
			if i > 0 {
				text += fmt.Sprintf(" and %d more", len(g.Operations)-i)
			}
			break
		}
		text += name
	}
	return clip(text, room)
}

// called is how people call an operation: by its method and path, where they are known.
func (r *Report) called(operation string) string {
	for _, op := range r.Operations {
		if op.Operation == operation {
			return op.Method + " " + op.Path
		}
	}
	return operation
}

// row is what a run has shown of an operation.
type row struct {
	operation, name                               string
	clauses, kept, refused, notProven, neverTried int
	shown                                         int // kept, refused or observed
	errors, warnings                              int
	grave                                         int // 1 where an error of it is a failure or a matter of security
}

// rows are the operations, the worst first.
func (r *Report) rows() []row {
	index := map[string]int{}
	var all []row
	of := func(operation string) *row {
		i, ok := index[operation]
		if !ok {
			i = len(all)
			index[operation] = i
			all = append(all, row{operation: operation, name: r.called(operation)})
		}
		return &all[i]
	}
	for _, op := range r.Operations {
		of(op.Operation)
	}
	for _, c := range r.Coverage.ByClause {
		o := of(c.Operation)
		o.clauses++
		switch c.State {
		case "kept+broken":
			o.kept++
			o.refused++
		case "kept":
			o.kept++
		case "broken":
			o.refused++
		case "not_proven":
			o.notProven++
		case "unreached":
			o.neverTried++
		}
	}
	for _, f := range r.Findings {
		switch o := of(f.Operation); {
		case f.Known != nil:
		case f.Severity == Error:
			o.errors++
		default:
			o.warnings++
		}
	}
	for _, g := range r.groups() {
		if g.Severity == Error && (g.Kind == KindCrash || g.Kind == KindAccess) {
			for _, op := range g.Operations {
				of(op).grave = 1
			}
		}
	}
	for i := range all {
		all[i].shown = all[i].clauses - all[i].notProven - all[i].neverTried
	}
	slices.SortStableFunc(all, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.grave, a.grave), cmp.Compare(b.errors, a.errors), cmp.Compare(b.warnings, a.warnings), cmp.Compare(b.notProven+b.neverTried, a.notProven+a.neverTried))
	})
	return all
}

// maxName is how many cells the table gives to the name of an operation, and bar to the
// bar behind it, where the terminal is wide.
const (
	maxName = 60
	bar     = 20
)

// table writes the operations that have findings, clauses which are not proven, or nothing
// shown at all, the worst first.
func (p *printer) table(r *Report) {
	rows := slices.DeleteFunc(r.rows(), func(o row) bool { return o.errors+o.warnings+o.notProven == 0 && (o.shown > 0 || o.clauses == 0) })
	if len(rows) == 0 {
		return
	}
	all := len(rows)
	if !p.opts.Verbose {
		rows = rows[:min(all, maxRowsText)]
	}
	const numbers = 4*10 + 2*13
	name := 0
	for _, o := range rows {
		name = max(name, columns(printable(o.name)))
	}
	name = max(min(name, maxName, p.room-numbers-2), 9)
	barred := p.room >= name+numbers+bar+4
	if p.room < name+numbers { // there is no room for numbers
		return
	}
	head := "operation"
	if more := all - len(rows); more > 0 {
		head = fmt.Sprintf("worst %d of %d", len(rows), all)
	}
	head = fmt.Sprintf("%s%10s%10s%10s%10s%13s%13s", pad(clip(head, name), name), "errors", "warnings", "kept", "refused", "not proven", "never tried")
	if barred {
		head += "  tested"
	}
	p.line("%s", p.bold(head))
	for _, o := range rows {
		errors := fmt.Sprintf("%10d", o.errors)
		if o.errors > 0 {
			errors = p.red(errors)
		}
		line := fmt.Sprintf("%s%s%10d%10d%10d%13d%13d", pad(clip(printable(o.name), name), name), errors, o.warnings, o.kept, o.refused, o.notProven, o.neverTried)
		if barred && o.clauses > 0 {
			shown := bar * o.shown / o.clauses
			tried := bar * (o.shown + o.notProven) / o.clauses
			line += "  " + p.green(strings.Repeat("█", shown)) + p.yellow(strings.Repeat("▒", tried-shown)) + p.dim(strings.Repeat("░", bar-tried))
		}
		p.line("%s", line)
	}
	explained := "kept: clauses whose valid requests are accepted; refused: clauses whose invalid requests are refused, as they should be"
	if all > len(rows) {
		explained += "; --verbose shows all operations"
	}
	p.wrapped("", "", explained, maxNote)
	p.line("")
}

// pad fills a text with blanks to so many cells.
func pad(s string, room int) string { return s + strings.Repeat(" ", max(room-columns(s), 0)) }
