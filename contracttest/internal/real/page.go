package main

import (
	"fmt"
	"strings"
)

const pageHead = `# On services that nobody here wrote

This page shows what contracttest finds in public services and in samples of frameworks, and what a person says of it.

Written by ` + "`go test ./contracttest/internal/real -run TestPage -update`" + ` from the files in
[contracttest/internal/real/testdata](../contracttest/internal/real/testdata): one for each service, with where it comes from, its
commands, and each cause that a run reports.

<!-- shown: it builds all the services, from a directory of checkouts, and takes half an hour -->
` + "```sh" + `
REAL_CHECKOUTS=~/checkouts make real
REAL_CHECKOUTS=~/checkouts make real SERVICE=petstore-echo,keto-read
` + "```" + `

It builds and starts each service, tests it, and fails where a cause of errors is not in the file, or where one in the file is
gone. REAL_CHECKOUTS is a directory with git repositories as OWNER/NAME; what is in none of them is skipped, and said to be.

- A **cause** is what one change in the service or in its document would mend; a run reports it for all operations together.
- **True** is a cause for which the file has the sentence of the document or of an RFC that is broken, with the request and the
  answer. **Open** is one that nobody has judged, or where the sentences can be read both ways; it counts as false. **False** is
  a false alarm, with what is wrong here.
- Warnings are not judged: they are what the document and the RFCs leave open.
- The seconds are those of one run, with the planning of requests and without the build, on two cores that others used too.

`

// page is docs/real.md.
func page(services []*Service) string {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("| service | operations | without an accepted request | exchanges | seconds | true | open | false |\n|---|---|---|---|---|---|---|---|\n")
	var sum Measured
	all := map[string]int{}
	for _, s := range services {
		m, n := s.Measured, map[string]int{}
		for _, c := range s.Causes {
			n[c.Verdict]++
			all[c.Verdict]++
		}
		fmt.Fprintf(&b, "| [%s](../%s/%s.yaml) | %d | %d | %d | %.1f | %d | %d | %d |\n", s.Title, files, s.Name,
			m.Operations, m.Unaccepted, m.Exchanges, m.Seconds, n[True], n[Open], n[False])
		sum = Measured{sum.Operations + m.Operations, sum.Unaccepted + m.Unaccepted, sum.Exchanges + m.Exchanges, sum.Seconds + m.Seconds}
	}
	fmt.Fprintf(&b, "| all | %d | %d | %d | %.1f | %d | %d | %d |\n\n", sum.Operations, sum.Unaccepted, sum.Exchanges, sum.Seconds, all[True], all[Open], all[False])
	if n := all[True] + all[Open] + all[False]; n > 0 {
		fmt.Fprintf(&b, "Of %d causes %.1f %% are true.\n", n, 100*float64(all[True])/float64(n))
	}
	beside(&b, services)
	statements(&b, services)
	notes(&b, services, "Defects worth telling", func(s *Service) string { return s.Notes })
	notes(&b, services, "Operations without an accepted request", func(s *Service) string { return s.Unaccepted })
	for _, verdict := range []string{False, Open} {
		if all[verdict] == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## Causes that are %s\n\n| service | cause | why |\n|---|---|---|\n", verdict)
		for _, s := range services {
			for _, c := range s.Causes {
				if c.Verdict == verdict {
					fmt.Fprintf(&b, "| %s | %s | %s |\n", s.Title, cell(c.Title), cell(c.Why))
				}
			}
		}
	}
	b.WriteString("\n## Where they come from\n\n| service | source |\n|---|---|\n")
	for _, s := range services {
		fmt.Fprintf(&b, "| %s | %s |\n", s.Title, s.source())
	}
	return b.String()
}

// besideHead is what stands above the table of another tool.
const besideHead = `
## Beside Schemathesis

[Schemathesis](https://schemathesis.io) at the same services, with the same credentials, all its phases and its default checks:

<!-- shown: it needs what make real needs, and Python -->
` + "```sh" + `
go run ./contracttest/internal/real -schemathesis
` + "```" + `

This is %s with --seed 1 --max-examples 20 --workers 2. Its failures were put together by hand, more coarsely than ours
are by the report: a check and a status make a cause, and what is wrong with one answer in several ways is one. So the numbers
of true causes cannot be compared one by one; how many are false can. What each tool leaves to the server is not counted.

| service | true, ours | false or open | seconds | true, Schemathesis | false or open | seconds |
|---|---|---|---|---|---|---|
`

// beside writes what Schemathesis finds of the services.
func beside(b *strings.Builder, services []*Service) {
	fmt.Fprintf(b, besideHead, strings.Replace(schemathesis, "==", " ", 1))
	var sum [6]float64
	for _, s := range services {
		if s.Schemathesis == nil || len(s.Schemathesis.Causes) == 0 {
			continue
		}
		row := [6]float64{2: s.Measured.Seconds, 5: s.Schemathesis.Seconds}
		for _, c := range s.Causes {
			row[at(c.Verdict)]++
		}
		for _, c := range s.Schemathesis.Causes {
			row[3+at(c.Verdict)]++
		}
		fmt.Fprintf(b, "| %s | %.0f | %.0f | %.1f | %.0f | %.0f | %.1f |\n", s.Title, row[0], row[1], row[2], row[3], row[4], row[5])
		for i, v := range row {
			sum[i] += v
		}
	}
	fmt.Fprintf(b, "| all of these | %.0f | %.0f | %.1f | %.0f | %.0f | %.1f |\n", sum[0], sum[1], sum[2], sum[3], sum[4], sum[5])
}

// statementsHead is what stands above the table of statements.
const statementsHead = `
Statements of the services in Go that are reached beyond those of their start, in their own packages and those of their framework:

<!-- shown: it needs what make real needs, and Python -->
` + "```sh" + `
go run ./contracttest/internal/real -cover
` + "```" + `

| service | all | ours | Schemathesis | ours alone | Schemathesis alone |
|---|---|---|---|---|---|
`

// statements writes which statements of the services are reached.
func statements(b *strings.Builder, services []*Service) {
	b.WriteString(statementsHead)
	for _, s := range services {
		if n := s.Statements; n != nil {
			fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d |\n", s.Title, n.All, n.Ours, n.Theirs, n.OnlyOurs, n.OnlyTheirs)
		}
	}
}

// at is the column of a verdict.
func at(verdict string) int {
	if verdict == True {
		return 0
	}
	return 1
}

// notes writes what the services' files say of something, if one does.
func notes(b *strings.Builder, services []*Service, title string, of func(*Service) string) {
	first := true
	for _, s := range services {
		note := strings.TrimSpace(of(s))
		if note == "" {
			continue
		}
		if first {
			fmt.Fprintf(b, "\n## %s\n\n", title)
			first = false
		}
		fmt.Fprintf(b, "- **%s**: %s\n", s.Title, strings.Join(strings.Fields(note), " "))
	}
}

// cell is a text as a cell of a table has it.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}
