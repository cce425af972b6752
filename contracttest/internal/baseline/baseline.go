package baseline

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dataarts-go/factory/contracttest/internal/match"
	"github.com/dataarts-go/factory/contracttest/report"
)

// What a file has at most.
const (
	maxBytes  = 8 << 20
	maxErrors = 10 // that are told
)

const grammar = "ID severity check clause [status] [until DATE] # why"

// Todo stands for a reason that is still to be given.
const Todo = "TODO: why"

const (
	anyID = "-"
	until = "until"
	date  = "2006-01-02"
)

// Baseline is a file of known findings.
type Baseline struct {
	File    string
	lines   []string // as they are
	entries []*entry
}

// entry is one line.
type entry struct {
	line                        int // from 0
	id, severity, check, clause string
	status                      int // 0: none
	until                       string
	why                         string

	found   int    // findings that it stands for
	reason  string // why it has to be mended
	gone    bool   // nothing that it stands for is found, or can be
	untried bool
}

// Parse reads a file. Its errors name the line.
func Parse(file string, data []byte) (*Baseline, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%s: %d bytes are more than the %d that are read", file, len(data), maxBytes)
	}
	b := &Baseline{File: file}
	text := strings.TrimSuffix(strings.TrimPrefix(string(data), "\uFEFF"), "\n")
	if text == "" {
		return b, nil
	}
	var wrong []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		b.lines = append(b.lines, line)
		if rest := strings.TrimSpace(line); rest == "" || rest[0] == '#' {
			continue
		}
		e, err := parse(line)
		switch {
		case err != nil && len(wrong) == maxErrors:
			return nil, errors.Join(append(wrong, fmt.Errorf("%s: and more like it", file))...)
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s:%d: %w: want %q", file, i+1, err, grammar))
		default:
			e.line = i
			b.entries = append(b.entries, e)
		}
	}
	return b, errors.Join(wrong...)
}

var wantedID = regexp.MustCompile(`^([0-9a-f]{10}|-)$`)

func parse(line string) (*entry, error) {
	fields, why, err := split(line)
	if err != nil {
		return nil, err
	}
	const fixed = 4
	if len(fields) < fixed {
		return nil, fmt.Errorf("%d fields are too few", len(fields))
	}
	e := &entry{id: fields[0], severity: fields[1], check: fields[2], clause: fields[3], why: why}
	switch {
	case !wantedID.MatchString(e.id):
		return nil, fmt.Errorf("%q is not an ID: want the 10 hexadecimal digits that reports show, or -", e.id)
	case e.severity != report.Error && e.severity != report.Warning:
		return nil, fmt.Errorf("%q is not a severity: want error or warning", e.severity)
	}
	rest := fields[fixed:]
	if len(rest) > 0 && rest[0] != until {
		if e.status, err = strconv.Atoi(rest[0]); err != nil || e.status < 100 || e.status > 999 {
			return nil, fmt.Errorf("%q is not a status", rest[0])
		}
		rest = rest[1:]
	}
	if len(rest) > 0 && rest[0] == until {
		if len(rest) == 1 {
			return nil, errors.New("until needs a date, as in until 2027-01-31")
		}
		if _, err := time.Parse(date, rest[1]); err != nil {
			return nil, fmt.Errorf("%q is not a date, as in until 2027-01-31", rest[1])
		}
		e.until, rest = rest[1], rest[2:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("unexpected %q", rest[0])
	}
	return e, nil
}

// split takes a line apart. A field with a blank or a quotation mark in it is quoted, as
// in Go; what # begins, after a blank, is the reason.
func split(line string) (fields []string, why string, err error) {
	rest := strings.TrimSpace(line)
	for rest != "" {
		if rest[0] == '#' {
			return fields, strings.TrimSpace(rest[1:]), nil
		}
		field := rest
		if rest[0] == '"' {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, "", errors.New("missing closing quotation mark")
			}
			if field, err = strconv.Unquote(quoted); err != nil {
				return nil, "", fmt.Errorf("%s is not quoted well", quoted)
			}
			rest = rest[len(quoted):]
		} else {
			if at := strings.IndexFunc(rest, unicode.IsSpace); at >= 0 {
				field = rest[:at]
			}
			rest = rest[len(field):]
		}
		fields = append(fields, field)
		if trimmed := strings.TrimSpace(rest); trimmed != rest || rest == "" {
			rest = trimmed
			continue
		}
		return nil, "", fmt.Errorf("%q follows a quotation without a blank", rest)
	}
	return fields, "", nil
}

// format writes an entry as parse reads it.
func (e *entry) format() string {
	fields := []string{e.id, e.severity, quoted(e.check), quoted(e.clause)}
	if e.status != 0 {
		fields = append(fields, strconv.Itoa(e.status))
	}
	if e.until != "" {
		fields = append(fields, until, e.until)
	}
	return strings.Join(fields, " ") + " # " + e.why
}

func quoted(field string) string {
	if field == "" || strings.ContainsFunc(field, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar }) || strings.ContainsAny(field[:1], `"#`) {
		return strconv.Quote(field)
	}
	return field
}

// State is what a run knows of a check on a clause.
type State int

// The states of a check on a clause.
const (
	NotTried State = iota // and never is, by this run's settings
	LeftOut               // by the selection, or by an end before its time
	Tried
)

// Run is what a run has tried.
type Run struct {
	Checks, Clauses []string // all that there are
	State           func(check, clause string) State
	Today           time.Time
	// Warn makes what has to be mended a warning, but for reasons that are missing.
	Warn bool

	updating bool // reasons may be missing
}

// Apply marks the findings of a report that are known, and tells which entries have to be
// mended.
func (b *Baseline) Apply(rep *report.Report, run Run) {
	out := &report.Baseline{File: b.File, Entries: len(b.entries)}
	rep.Baseline = out
	first := map[string]int{} // line by ID
	for _, e := range b.entries {
		*e = entry{line: e.line, id: e.id, severity: e.severity, check: e.check, clause: e.clause, status: e.status, until: e.until, why: e.why}
		over := e.over(run.Today)
		graver := false
		for i := range rep.Findings {
			f := &rep.Findings[i]
			if !e.standsFor(f) {
				continue
			}
			if f.Severity == report.Error && e.severity == report.Warning {
				graver = true
				continue
			}
			e.found++
			if (!over || run.Warn) && f.Known == nil {
				f.Known = &report.Known{Why: cmp.Or(e.why, Todo), Until: e.until, Line: e.line + 1}
			}
		}
		line, again := first[e.id]
		if e.id != anyID && !again {
			first[e.id] = e.line + 1
		}
		warn := run.Warn
		if e.id != anyID && again {
			e.reason, e.gone = fmt.Sprintf("duplicate of line %d: remove one of them", line), true
		} else if e.found == 0 && !graver {
			e.missing(run)
		}
		switch {
		case e.gone:
		case over:
			e.reason = "its date has passed: fix the finding, or set another date"
		case graver && e.found == 0:
			e.reason = "the finding is now an error: fix it, or change the entry"
		case (e.why == "" || e.why == Todo) && !run.updating:
			e.reason, warn = "no reason is given: write one in place of # "+Todo, false
		}
		if e.untried {
			out.Untried++
		}
		if e.reason != "" {
			out.Stale = append(out.Stale, report.Stale{Line: e.line + 1, Entry: strings.TrimSpace(b.lines[e.line]), Reason: e.reason, Warning: warn, Gone: e.gone && e.reason == gone})
		}
	}
	rep.Group()
}

func (e *entry) over(today time.Time) bool { return e.until != "" && e.until < today.Format(date) }

// Has reports whether a finding is known.
func (b *Baseline) Has(f report.Finding) bool {
	return slices.ContainsFunc(b.entries, func(e *entry) bool {
		return e.standsFor(&f) && !e.over(time.Now()) && (f.Severity != report.Error || e.severity != report.Warning)
	})
}

// standsFor reports whether an entry is about a finding.
func (e *entry) standsFor(f *report.Finding) bool {
	if e.id != anyID {
		return e.id == f.ID
	}
	return (e.status == 0 || e.status == f.Status) && match.Name(e.check, f.Check) && match.Name(e.clause, f.Clause)
}

// missing says of an entry without a finding whether that is because it is gone.
func (e *entry) missing(run Run) {
	checks, clauses := matching(e, e.check, run.Checks), matching(e, e.clause, run.Clauses)
	if len(checks) == 0 || len(clauses) == 0 {
		what := "clause"
		if len(checks) == 0 {
			what = "check"
		}
		e.gone, e.reason = true, "it matches nothing, because there is no such "+what+": remove it"
		return
	}
	tried := false
	for _, clause := range clauses {
		for _, check := range checks {
			switch run.State(check, clause) {
			case LeftOut: // where it may be
				e.untried = true
				return
			case Tried:
				tried = true
			}
		}
	}
	if !tried {
		e.untried = true
		return
	}
	e.gone, e.reason = true, gone
}

// gone is what is wrong with an entry whose finding was tried.
const gone = "the finding is gone: remove the entry"

func matching(e *entry, pattern string, all []string) []string {
	var some []string
	for _, name := range all {
		if name == pattern || e.id == anyID && match.Name(pattern, name) {
			some = append(some, name)
		}
	}
	return some
}

// Text is the file.
func (b *Baseline) Text() []byte {
	var out bytes.Buffer
	for _, line := range b.lines {
		out.WriteString(line + "\n")
	}
	return out.Bytes()
}

// Update enters each finding that fails the run and is not known, in its place by clause,
// and takes out the entries of what is gone. It marks the findings once more.
func (b *Baseline) Update(rep *report.Report, run Run, warnings bool) {
	findings := slices.DeleteFunc(slices.Clone(rep.Findings), func(f report.Finding) bool {
		return f.Known != nil || f.Severity != report.Error && !warnings
	})
	added, removed := b.change(findings)
	for i := range rep.Findings {
		rep.Findings[i].Known = nil
	}
	run.updating = true
	b.Apply(rep, run)
	rep.Baseline.Added, rep.Baseline.Removed = added, removed
}

// change writes the lines of an update, and says how many they are.
func (b *Baseline) change(findings []report.Finding) (added, removed int) {
	taken := map[int]bool{}
	covered := map[string]bool{}
	for _, e := range b.entries {
		if e.gone {
			taken[e.line], removed = true, removed+1
		}
	}
	at := map[int][]*entry{} // to stand before the lines that are there
	for i := range findings {
		f := &findings[i]
		if covered[f.ID] || slices.ContainsFunc(b.entries, func(e *entry) bool { return !e.gone && e.standsFor(f) }) {
			continue
		}
		covered[f.ID], added = true, added+1
		e := &entry{id: f.ID, severity: f.Severity, check: f.Check, clause: f.Clause, status: f.Status, why: Todo}
		before := len(b.lines)
		if n := slices.IndexFunc(b.entries, func(o *entry) bool { return o.id != anyID && e.order(o) < 0 }); n >= 0 {
			before = b.entries[n].line
		}
		at[before] = append(at[before], e)
	}
	old := slices.DeleteFunc(b.entries, func(e *entry) bool { return e.gone })
	var lines []string
	b.entries = nil
	for i := range len(b.lines) + 1 {
		for _, e := range slices.SortedFunc(slices.Values(at[i]), (*entry).order) {
			e.line = len(lines)
			lines, b.entries = append(lines, e.format()), append(b.entries, e)
		}
		if i < len(b.lines) && !taken[i] {
			if len(old) > 0 && old[0].line == i {
				old[0].line = len(lines)
				b.entries, old = append(b.entries, old[0]), old[1:]
			}
			lines = append(lines, b.lines[i])
		}
	}
	b.lines = lines
	return added, removed
}

func (e *entry) order(o *entry) int {
	return cmp.Or(cmp.Compare(e.clause, o.clause), cmp.Compare(e.check, o.check), cmp.Compare(e.id, o.id))
}
