package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxSourceLine is how many bytes a line of a document may have on average. JSON with longer
// lines was not written for people, and is shown indented.
const maxSourceLine = 500

// laidOut is the report with such documents indented, and with the places of its findings
// and clauses in them. It is the report itself where there is none. The value keeps the
// places of the document as it was read.
func (r *Report) laidOut() *Report {
	texts := map[string]string{}
	for name, text := range r.Sources {
		if indented, ok := indent(text); ok {
			texts[name] = indented
		}
	}
	if len(texts) == 0 {
		return r
	}
	wanted := map[string]map[string]Place{}
	for name := range texts {
		wanted[name] = map[string]Place{}
	}
	for _, p := range r.places() {
		if pointers := wanted[p.File]; pointers != nil {
			pointers[p.Pointer] = Place{File: p.File, Line: 1, Column: 1, Pointer: p.Pointer}
		}
	}
	for name, text := range texts {
		locate(text, wanted[name])
	}
	out := *r
	out.Findings, out.Coverage.ByClause, out.Sources = slices.Clone(r.Findings), slices.Clone(r.Coverage.ByClause), map[string]string{}
	for name, text := range r.Sources {
		if indented, ok := texts[name]; ok {
			text = indented
		}
		out.Sources[name] = text
	}
	for _, p := range out.places() {
		if pointers := wanted[p.File]; pointers != nil {
			*p = pointers[p.Pointer]
		}
	}
	return &out
}

// places are those of the findings and of the clauses.
func (r *Report) places() []*Place {
	all := make([]*Place, 0, len(r.Findings)+len(r.Coverage.ByClause))
	for i := range r.Findings {
		all = append(all, &r.Findings[i].Place)
	}
	for i := range r.Coverage.ByClause {
		all = append(all, &r.Coverage.ByClause[i].Place)
	}
	return all
}

// Document is the document as reports show it: what was read, and indented where it is JSON
// on one line. Empty where the report does not have it.
func (r *Report) Document() string {
	if indented, ok := indent(r.Sources[r.Spec]); ok {
		return indented
	}
	return r.Sources[r.Spec]
}

// indent writes JSON with a line for each member, in its order, if it has hardly any lines.
func indent(text string) (string, bool) {
	if len(text) <= maxSourceLine*(strings.Count(text, "\n")+1) {
		return text, false
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(strings.TrimPrefix(text, "\ufeff")), "", "  "); err != nil {
		return text, false // YAML
	}
	return strings.TrimRight(b.String(), " \t\r\n") + "\n", true
}

// locate fills in where in indented JSON the values of pointers are: a member at its name.
func locate(text string, places map[string]Place) {
	type level struct {
		pointer string
		index   int // of the next element; -1 in an object
	}
	var levels []level
	at := func(pointer string, line, column int) {
		if p, ok := places[pointer]; ok && p.Line == 1 {
			p.Line, p.Column = line, column
			places[pointer] = p
		}
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		rest := strings.TrimLeft(line, " ")
		column := len(line) - len(rest) + 1
		rest = strings.TrimRight(rest, ",\r\n")
		if rest == "}" || rest == "]" {
			levels = levels[:len(levels)-1]
			continue
		}
		pointer := ""
		if len(levels) > 0 {
			in := &levels[len(levels)-1]
			if in.index < 0 {
				name := stringAt(rest)
				rest = strings.TrimPrefix(rest[len(name):], ": ")
				plain := ""
				if json.Unmarshal([]byte(name), &plain) != nil {
					plain = strings.Trim(name, `"`)
				}
				pointer = in.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(plain)
			} else {
				pointer = in.pointer + "/" + strconv.Itoa(in.index)
				in.index++
			}
		}
		at(pointer, number, column)
		switch rest {
		case "{":
			levels = append(levels, level{pointer, -1})
		case "[":
			levels = append(levels, level{pointer, 0})
		}
	}
}

// stringAt is the JSON string that a text begins with.
func stringAt(text string) string {
	for i := 1; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch r {
		case '\\':
			n = 2
		case '"':
			return text[:i+1]
		}
		i += n
	}
	return text
}
