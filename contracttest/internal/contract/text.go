package contract

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Why a receiver may read a text otherwise than the document's schema would
// have it: OpenAPI leaves the conversion of texts to the implementation
// (OpenAPI 3.1.1, Appendix B).
const (
	leaveNumberText  = "OpenAPI 3.1.1 Appendix B: which texts are read as a number is up to the implementation"
	leaveBooleanText = "OpenAPI 3.1.1 Appendix B: which texts are read as a boolean is up to the implementation"
	leaveNullText    = "OpenAPI 3.1.1 Appendix B: how null is written outside of JSON is not defined"
	leaveBlanks      = "OpenAPI 3.1.1 Appendix B: whether white space around a number or boolean is read over is up to the implementation"
)

var allTypes = []string{"array", "object", "string", "integer", "number", "boolean", "null"}

// types returns the JSON types that a schema lets pass, composition included.
func types(s *openapi3.Schema) []string { return typesOf(s, 0) }

func typesOf(s *openapi3.Schema, depth int) []string {
	own := allTypes
	if s == nil || depth > maxDepth {
		return own
	}
	if s.Type != nil {
		own = s.Type.Slice()
		if slices.Contains(own, "number") && !slices.Contains(own, "integer") {
			own = append(slices.Clone(own), "integer")
		}
		if s.Nullable && !slices.Contains(own, "null") {
			own = append(slices.Clone(own), "null")
		}
	}
	for _, part := range s.AllOf {
		own = common(own, typesOf(part.Value, depth+1))
	}
	for _, group := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if len(group) == 0 {
			continue
		}
		var either []string
		for _, branch := range group {
			either = append(either, typesOf(branch.Value, depth+1)...)
		}
		own = common(own, either)
	}
	return own
}

func common(a, b []string) []string {
	var both []string
	for _, t := range a {
		if slices.Contains(b, t) {
			both = append(both, t)
		}
	}
	return both
}

// candidate is a value that a text may stand for.
type candidate struct {
	v     any
	leave string // why not every receiver takes the text for it
}

// readings lists the values that a text may stand for under a schema, the
// surest first.
func readings(s *openapi3.Schema, text string) []candidate {
	var sure, maybe []candidate
	allowed := types(s)
	if slices.Contains(allowed, "integer") {
		switch trimmed := strings.Trim(text, " \t\r\n"); {
		case number(text):
			c := candidate{v: json.Number(text)}
			if strings.ContainsAny(text, ".eE") && !slices.Contains(allowed, "number") {
				// Whether 1.0 is an integer is one question (JSON Schema: yes), how a text is read another.
				c.leave = leaveNumberText
				maybe = append(maybe, c)
			} else {
				sure = append(sure, c)
			}
		case trimmed != text && number(trimmed):
			maybe = append(maybe, candidate{json.Number(trimmed), leaveBlanks})
		case looseNumber(text) != "":
			maybe = append(maybe, candidate{json.Number(looseNumber(text)), leaveNumberText})
		}
	}
	if slices.Contains(allowed, "boolean") {
		switch lower := strings.ToLower(strings.Trim(text, " \t\r\n")); {
		case text == "true" || text == "false":
			sure = append(sure, candidate{v: text == "true"})
		case lower == "true" || lower == "t" || lower == "1":
			maybe = append(maybe, candidate{true, leaveBooleanText})
		case lower == "false" || lower == "f" || lower == "0":
			maybe = append(maybe, candidate{false, leaveBooleanText})
		}
	}
	if slices.Contains(allowed, "string") {
		sure = append(sure, candidate{v: text})
	}
	if slices.Contains(allowed, "null") && (text == "" || text == "null") {
		maybe = append(maybe, candidate{nil, leaveNullText})
	}
	return append(sure, maybe...)
}

// number reports whether a text is a number as JSON writes it.
func number(text string) bool {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	if text == "" || text[0] != '-' && !digit(text[0]) || !digit(text[len(text)-1]) { // JSON may have white space around
		return false
	}
	return json.Valid([]byte(text))
}

// looseNumber returns the number that readers find in texts which JSON does not
// allow: a sign, leading zeros, a point at an end. It is empty where there is
// none.
func looseNumber(text string) string {
	sign := ""
	rest := strings.TrimPrefix(text, "+")
	if len(rest) == len(text) && strings.HasPrefix(rest, "-") {
		sign, rest = "-", rest[1:]
	}
	if rest == "" || strings.ContainsAny(rest[:1], "+-") {
		return ""
	}
	rest = strings.TrimLeft(rest, "0")
	if rest == "" || rest[0] < '0' || rest[0] > '9' {
		rest = "0" + rest
	}
	rest = strings.TrimSuffix(rest, ".")
	if !number(sign+rest) || !strings.ContainsAny(text, "0123456789") {
		return ""
	}
	return sign + rest
}

// readText reads a text as the schema has it: the surest value that keeps the
// schema, else the surest one. ok is false for a text that stands for no value
// of the schema's types.
func (c *Contract) readText(s *openapi3.Schema, text string) (value candidate, ok bool) {
	all := readings(s, text)
	if len(all) == 1 {
		return all[0], true
	}
	for _, r := range all {
		if c.verdict(s, r.v) {
			return r, true
		}
	}
	if len(all) == 0 {
		return candidate{}, false
	}
	return all[0], true
}

// verdict reports whether a value keeps a schema of a request.
func (c *Contract) verdict(s *openapi3.Schema, v any) bool { return c.keeps(RequestSide, s, v) == nil }
