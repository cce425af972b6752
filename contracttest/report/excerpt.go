package report

import (
	"slices"
	"strings"
	"unicode"
)

// excerpt is a line of the document and what is meant in it, in cells.
type excerpt struct {
	text       string
	start, end int
}

// excerptOf cuts out of a line what stands at a column (from 1, in characters),
// with as much around it as there is room for (0: all of it).
func excerptOf(line string, column, room int) excerpt {
	all := []rune(printable(strings.TrimRight(strings.ReplaceAll(line, "\t", " "), " \r\n")))
	from := min(max(column, 1)-1, len(all))
	to := from + extent(all, from)
	indent := 0
	for indent < from && unicode.IsSpace(all[indent]) {
		indent++
	}
	first, last := 0, len(all)
	if room > 0 && columns(string(all)) > room {
		// A document may be one line: then what is meant is shown with a little of
		// what stands before it.
		if columns(string(all[:to])) > room {
			first = max(indent, from-room/4)
		}
		last = first
		for n := 0; last < len(all) && n+cells(all[last]) <= room-2; last++ {
			n += cells(all[last])
		}
	}
	e := excerpt{text: string(all[first:last])}
	if first > 0 {
		e.text = "…" + e.text
		e.start = 1
	}
	e.start += columns(string(all[first:min(from, last)]))
	e.end = e.start + max(1, columns(string(all[min(from, last):min(to, last)])))
	if last < len(all) {
		e.text += "…"
	}
	return e
}

// extent is how many characters from there on belong to the entry that begins
// there, in YAML or JSON: up to the comma or bracket that ends it, or to a
// comment.
func extent(line []rune, from int) int {
	flow := from < len(line) && enclosed(line[:from])
	depth := 0
	var quote rune
	i := from
	for ; i < len(line); i++ {
		r := line[i]
		switch {
		case quote != 0:
			if r == '\\' && quote == '"' {
				i++
			} else if r == quote {
				quote = 0
			}
			continue
		case r == '"' || r == '\'' && (i == from || !unicode.IsLetter(line[i-1])):
			quote = r
			continue
		case r == '#' && i > from && unicode.IsSpace(line[i-1]):
			return trimmed(line[from:i])
		}
		if !flow {
			continue
		}
		switch r {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return trimmed(line[from:i])
			}
		case ',':
			if depth == 0 {
				return trimmed(line[from:i])
			}
		}
	}
	n := trimmed(line[from:min(i, len(line))])
	if n > 1 && line[from+n-1] == ',' { // JSON
		n--
	}
	return n
}

// enclosed reports whether a bracket is open at the end of what stands before.
func enclosed(before []rune) bool {
	depth := 0
	for _, r := range before {
		switch r {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
	}
	return depth > 0
}

func trimmed(s []rune) int {
	n := len(s)
	for n > 0 && unicode.IsSpace(s[n-1]) {
		n--
	}
	return n
}

// line returns the line of the document at a place.
func (r *Report) line(p Place) (string, bool) {
	n := 0
	for line := range strings.Lines(r.Sources[p.File]) {
		if n++; n == p.Line {
			return strings.TrimRight(line, "\r\n"), true
		}
	}
	return "", false
}

// byClause groups findings by their clauses, in the order in which these come.
func byClause(findings []Finding) [][]Finding {
	var groups [][]Finding
	index := map[string]int{}
	for _, f := range findings {
		key := f.Clause
		if key == "" {
			key = "\x00" + f.Operation + "\x00" + f.Place.String()
		}
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return slices.Clip(groups)
}
