package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/report"
)

// mostUnaccepted is the share of operations, in percent, that may be without a valid request
// that was accepted before the file of the service has to say why.
const mostUnaccepted = 15

// outcome is a run beside what the file says of the service.
type outcome struct {
	measured Measured
	found    map[string]int // causes by verdict
	fresh    []Cause        // that the file does not have, as open
	problems []string
}

// compare holds a report against the file. at is where the service was.
func (s *Service) compare(rep *report.Report, at *running) outcome {
	o := outcome{
		measured: Measured{rep.Stats.Operations, len(rep.Unproven), rep.Stats.Exchanges, math.Round(10*rep.Stats.Seconds) / 10},
		found:    map[string]int{},
	}
	seen := make([]bool, len(s.Causes))
	for i, c := range s.Causes {
		seen[i] = slices.ContainsFunc(rep.Groups, func(g report.Group) bool { return g.ID == c.ID })
	}
	for _, g := range rep.Groups {
		if g.Severity != report.Error {
			continue // what is left open is nobody's fault
		}
		i := slices.IndexFunc(s.Causes, func(c Cause) bool { return c.ID == g.ID })
		for j, c := range s.Causes {
			if i < 0 && !seen[j] && c.like(g) {
				i = j
			}
		}
		if i >= 0 {
			seen[i] = true
			o.found[s.Causes[i].Verdict]++
			continue
		}
		f := rep.Findings[g.Findings[0]]
		o.found[Open]++
		o.fresh = append(o.fresh, Cause{ID: g.ID, Title: g.Title, Verdict: Open, Request: at.anywhere(f.Curl), Answer: at.anywhere(answerOf(f))})
		o.differ("not in the file: %s: %s\n    %s\n    %s", g.ID, g.Title, f.Message, f.Curl)
	}
	for i, c := range s.Causes {
		switch {
		case seen[i] || c.Varies != "":
		case c.Verdict == True:
			o.differ("true, and no longer found: %s: %s", c.ID, c.Title)
		default:
			o.differ("%s, and no longer found, so take it out: %s: %s", c.Verdict, c.ID, c.Title)
		}
	}
	switch many := 100*o.measured.Unaccepted > mostUnaccepted*o.measured.Operations; {
	case many && s.Unaccepted == "":
		names := make([]string, 0, len(rep.Unproven))
		for _, u := range rep.Unproven {
			names = append(names, fmt.Sprintf("%s (%s)", u.Operation, u.Answer))
		}
		o.differ("%d of %d operations without a valid request that was accepted, and the file does not say why: %s",
			o.measured.Unaccepted, o.measured.Operations, strings.Join(names, ", "))
	case !many && s.Unaccepted != "":
		o.differ("the file says why operations have no accepted request, and they have")
	}
	if rep.Void || rep.Stats.Exchanges == 0 {
		o.differ("the run says nothing: %s", strings.Join(rep.Inconclusive, "; "))
	}
	return o
}

// like reports whether the cause is a group all the same that has another ID: what is made of
// several, as a run happens to meet them, has the one of the first.
func (c *Cause) like(g report.Group) bool {
	return strings.HasPrefix(c.ID, g.Check+"-") && c.Title == g.Title
}

func (o *outcome) differ(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

// answerOf is the beginning of the answer of a finding, in one line.
func answerOf(f report.Finding) string {
	const most = 200
	text := cmp.Or(f.Actual, "none")
	if f.Status != 0 {
		text = fmt.Sprintf("%d %s", f.Status, cmp.Or(f.Answer, f.Actual))
	}
	text = strings.Map(func(r rune) rune {
		if r != utf8.RuneError && unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// update takes what a run was like into the file: new causes as open ones.
func (s *Service) update(o outcome) {
	s.Measured = o.measured
	s.Causes = append(s.Causes, o.fresh...)
}
