package report

import (
	"fmt"
	"html"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxAnnotations = 10       // of a severity: GitHub shows no more of a step
	maxRows        = 200      // of a table in a job's summary
	maxCell        = 500      // bytes
	maxMarkdown    = 1 << 20  // what GitHub takes of a step's summary
	maxMessage     = 4 * 1024 // bytes of an annotation
)

// Annotations writes an example of each cause as a workflow command of GitHub, which shows
// it at its line of the document, the gravest first.
func Annotations(w io.Writer, r *Report) error {
	var b strings.Builder
	written := map[string]int{}
	for _, g := range r.groups() {
		f := r.Findings[g.Findings[0]]
		if written[f.Severity]++; written[f.Severity] > maxAnnotations {
			continue
		}
		command := "error"
		if f.Severity == Warning {
			command = "warning"
		}
		text := fmt.Sprintf("%s\nexpected: %s\nseen: %s", f.Message, f.Expected, f.Actual)
		if len(text) > maxMessage {
			text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
		}
		fmt.Fprintf(&b, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", command, property(filepath.ToSlash(f.Place.File)), max(1, f.Place.Line), max(1, f.Place.Column),
			property(f.Clause+" ("+f.Check+")"), commandText(readable(text)))
	}
	if r.Baseline != nil {
		for _, s := range r.Baseline.Stale[:min(len(r.Baseline.Stale), maxAnnotations)] {
			command := map[bool]string{true: "warning", false: "error"}[s.Warning]
			fmt.Fprintf(&b, "::%s file=%s,line=%d,title=%s::%s\n", command, property(filepath.ToSlash(r.Baseline.File)), s.Line, property("baseline"), commandText(readable(s.Reason)))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("annotations: %w", err)
	}
	return nil
}

// commandText escapes the text of a workflow command, property one of its
// properties: no text of a server begins a command of its own.
func commandText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandText(readable(s)))
}

// Markdown writes a summary for a job's page, or a comment on a pull request: the verdict, how
// many findings are new, known and fixed, what was shown of the clauses, the causes in their
// rank, the operations, and the findings.
func Markdown(w io.Writer, r *Report) error {
	var b strings.Builder
	text, _ := verdict(r)
	fmt.Fprintf(&b, "## %s\n\n", cell(strings.ToUpper(text[:1])+text[1:]))
	if r.Traffic != nil {
		fmt.Fprintf(&b, "`%s` and the traffic of `%s`: %s\n\n", code(r.Spec), code(r.Target), r.amount())
	} else {
		fmt.Fprintf(&b, "`%s` against `%s`, seed %d: %d cases planned, %d exchanges in %.1f s\n\n", code(r.Spec), code(r.Target), r.Seed, r.Stats.Cases, r.Stats.Exchanges, r.Stats.Seconds)
	}
	if len(r.Severities) > 0 {
		fmt.Fprintf(&b, "Severities: %s\n\n", cell(r.severities()))
	}
	if scope := r.scope(); scope != "" {
		fmt.Fprintf(&b, "Tested: %s\n\n", cell(scope))
	}
	for _, why := range r.Inconclusive {
		fmt.Fprintf(&b, "Not proven: %s\n\n", cell(why))
	}
	fail, warn := r.stale()
	entries := slices.Concat(fail, warn)
	if r.Baseline != nil {
		fixed := r.Baseline.Removed
		for _, s := range entries {
			if s.Gone {
				fixed++
			}
		}
		fmt.Fprintf(&b, "**%d new error%s**, %d warning%s, %d known, %d fixed (%s)\n\n", r.Errors(), plural(r.Errors()), r.FindingsWarned(), plural(r.FindingsWarned()), len(r.known()), fixed, cell(r.Baseline.File))
	}
	c := r.Coverage
	fmt.Fprintf(&b, "| clauses | kept | refused as they should be | observed | not proven | never tried |\n|---|---|---|---|---|---|\n| %d | %d | %d | %d | %d | %d |\n",
		c.Clauses, c.Kept, c.Broken, c.Observed, c.NotProven, len(c.Unreached))
	groups := r.groups()
	if len(groups) > 0 {
		b.WriteString("\n| | cause | in | times | check |\n|---|---|---|---|---|\n")
	}
	for i, g := range groups {
		if i == maxCauses {
			fmt.Fprintf(&b, "\n… and %d more causes.\n", len(groups)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s |\n", signOf(g.Severity), cell(g.Title), cell(r.touches(g, 120)), g.Exchanges, cell(g.Check))
	}
	if len(entries) > 0 {
		for _, text := range texts(r.Baseline.File, entries) {
			fmt.Fprintf(&b, "\nBaseline: %s\n", cell(text))
		}
	}
	r.operationsTable(&b)
	if len(r.Findings) > 0 {
		fmt.Fprintf(&b, "\n<details><summary>%d finding%s</summary>\n", len(r.Findings), plural(len(r.Findings)))
		b.WriteString("\n| | place | clause | what | expected | seen | check | id |\n|---|---|---|---|---|---|---|---|\n")
	}
	for i, f := range r.Findings {
		what := cell(f.Message)
		if f.Known != nil {
			what = "known: " + cell(f.Known.Why) + ": " + what
		}
		row := fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", signOf(f.Severity), cell(f.Place.String()), cell(f.Clause), what, cell(f.Expected), cell(f.Actual), cell(f.Check), f.ID)
		if i == maxRows || b.Len()+len(row) > maxMarkdown-200 {
			fmt.Fprintf(&b, "\n… and %d more: the other reports have them all.\n", len(r.Findings)-i)
			break
		}
		b.WriteString(row)
	}
	if len(r.Findings) > 0 {
		b.WriteString("\n</details>\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	return nil
}

// operationsTable writes the operations that have findings or clauses which are not proven, the
// worst first.
func (r *Report) operationsTable(b *strings.Builder) {
	rows := slices.DeleteFunc(r.rows(), func(o row) bool { return o.errors+o.warnings+o.notProven == 0 })
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| operation | errors | warnings | kept | refused | not proven | never tried |\n|---|---|---|---|---|---|---|\n")
	for i, o := range rows {
		if i == maxRowsText {
			fmt.Fprintf(b, "\n… and %d more operations.\n", len(rows)-i)
			return
		}
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d | %d |\n", cell(o.name), o.errors, o.warnings, o.kept, o.refused, o.notProven, o.neverTried)
	}
}

func signOf(severity string) string {
	if severity == Warning {
		return "!"
	}
	return "✗"
}

// cell is a text that neither ends a cell nor is markup.
func cell(s string) string {
	if len(s) > maxCell {
		s = strings.ToValidUTF8(s[:maxCell], "") + "…"
	}
	s = html.EscapeString(strings.Join(strings.Fields(readable(s)), " "))
	return strings.NewReplacer("|", "\\|", "`", "&#96;", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "@", "&#64;").Replace(s)
}

func code(s string) string {
	return strings.NewReplacer("`", "'", "\n", " ").Replace(readable(s))
}
