package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Script is requests as lines for a shell, one after the other: what the answer to one has
// is passed on to the next in a variable.
type Script struct {
	Base string                          // scheme and host
	Mask func(name, value string) string // as for Curl

	steps     []scripted
	variables []string
}

type scripted struct {
	req         *Request
	made, value string // the variable for what the request makes, and its value
	answer      *Response
}

var notInVariables = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// Variable returns the name of a new variable: in the targets of the requests that follow,
// {name} stands for its value.
func (s *Script) Variable(name string) string {
	name = notInVariables.ReplaceAllString(name, "_")
	for n, first := 2, name; slices.Contains(s.variables, name); n++ {
		name = fmt.Sprintf("%s_%d", first, n)
	}
	s.variables = append(s.variables, name)
	return name
}

// Add adds a request. Where it makes something, made is the variable for the value in its
// answer.
func (s *Script) Add(r *Request, made, value string, answer *Response) {
	s.steps = append(s.steps, scripted{r, made, value, answer})
}

// String returns the lines.
func (s *Script) String() string {
	lines := make([]string, 0, len(s.steps))
	tags := map[string]string{} // variables, by entity tag
	for i, step := range s.steps {
		line := Curl(step.req, s.Base, s.Mask)
		for _, name := range s.variables {
			line = strings.ReplaceAll(line, "%7B"+name+"%7D", `'"$`+name+`"'`)
		}
		for tag, name := range tags {
			for _, header := range conditions {
				line = strings.ReplaceAll(line, "'"+header+": "+tag+"'", `"`+header+": $"+name+`"`)
				line = strings.ReplaceAll(line, ", "+tag+"'", `, '"$`+name+`"`)
				line = strings.ReplaceAll(line, "'"+header+": W/"+tag+"'", "'"+header+`: W/'"$`+name+`"`)
			}
		}
		switch tag := step.tag(); {
		case step.made != "":
			line = step.made + "=$(" + step.extract(line) + ")"
		case tag != "" && tags[tag] == "" && slices.ContainsFunc(s.steps[i+1:], func(later scripted) bool { return later.asks(tag) }):
			tags[tag] = s.Variable("etag")
			line = tags[tag] + "=$(" + line + ` | sed -n 's#^[Ee][Tt][Aa][Gg]: *##p' | tr -d '\r')`
		}
		if step.answer != nil {
			line += fmt.Sprintf("  # %d", step.answer.Status)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// conditions are the headers that name an entity tag.
var conditions = []string{"If-Match", "If-None-Match", "If-Range"}

func (s scripted) tag() string {
	if s.answer == nil {
		return ""
	}
	return s.answer.Header.Get("ETag")
}

// asks reports whether the request names an entity tag.
func (s scripted) asks(tag string) bool {
	return slices.ContainsFunc(conditions, func(name string) bool {
		v := s.req.Get(name)
		return v == tag || v == "W/"+tag || strings.HasSuffix(v, ", "+tag)
	})
}

// extract reads a value from an answer: from its Location, or from the property of its
// body that has it.
func (s scripted) extract(line string) string {
	if s.answer == nil {
		return line
	}
	if strings.HasSuffix(strings.TrimSuffix(s.answer.Header.Get("Location"), "/"), "/"+s.value) {
		return line + ` | sed -n 's#^[Ll]ocation:.*/\([^/?]*\).*#\1#p' | tr -d '\r'`
	}
	name := "id"
	var body any
	dec := json.NewDecoder(bytes.NewReader(s.answer.Body))
	dec.UseNumber()
	if dec.Decode(&body) == nil {
		if found, ok := nameOf(body, s.value); ok {
			name = found
		}
	}
	start := quote(fmt.Sprintf(`"%s" *: *"\{0,1\}`, name))
	return strings.Replace(line, "curl -sS -i", "curl -sS", 1) +
		fmt.Sprintf(` | tr '\n' ' ' | grep -o %s'[^",}]*' | head -n 1 | sed s#%s##`, start, start)
}

// nameOf finds the name of a property that has a value.
func nameOf(v any, text string) (string, bool) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if fmt.Sprint(v[name]) == text {
				return name, true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if found, ok := nameOf(v[name], text); ok {
				return found, true
			}
		}
	case []any:
		for _, item := range v {
			if found, ok := nameOf(item, text); ok {
				return found, true
			}
		}
	}
	return "", false
}
