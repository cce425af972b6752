package codec

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// Why a receiver may read a text otherwise than the document's schema would have it:
// OpenAPI leaves the conversion of texts to the implementation (OpenAPI 3.1.1,
// Appendix B).
const (
	leaveNumberText  = "OpenAPI 3.1.1 Appendix B: which texts are read as a number is up to the implementation"
	leaveBooleanText = "OpenAPI 3.1.1 Appendix B: which texts are read as a boolean is up to the implementation"
	leaveNullText    = "OpenAPI 3.1.1 Appendix B: how null is written outside of JSON is not defined"
	leaveBlanks      = "OpenAPI 3.1.1 Appendix B: whether white space around a number or boolean is read over is up to the implementation"
)

// booleanWords are texts that readers take for a boolean: those of Go, YAML 1.1 and HTML
// forms.
var booleanWords = map[string]bool{
	"true": true, "t": true, "1": true, "yes": true, "y": true, "on": true,
	"false": false, "f": false, "0": false, "no": false, "n": false, "off": false,
}

// candidate is a value that a text may stand for.
type candidate struct {
	v     any
	leave string // why not every receiver takes the text for it
}

// candidates lists the values of some types that a text may stand for, the surest first.
func candidates(allowed []string, text string) []candidate {
	var sure, maybe []candidate
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
		if text == "true" || text == "false" {
			sure = append(sure, candidate{v: text == "true"})
		} else if v, ok := booleanWords[strings.ToLower(strings.Trim(text, " \t\r\n"))]; ok {
			maybe = append(maybe, candidate{v, leaveBooleanText})
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

// inOtherBase matches an integer as many languages write it in base 16, 8 or 2.
var inOtherBase = regexp.MustCompile(`^[+-]?0(?i:x[0-9a-f]{1,32}|o[0-7]{1,32}|b[01]{1,64})$`)

// grouped matches an integer whose digits are parted, as many languages write it.
var grouped = regexp.MustCompile(`^[+-]?[0-9]+(_[0-9]+)+$`)

// looseNumber returns the number that readers find in texts which JSON does not
// allow: a sign, leading zeros, a point at an end, another base, parted digits. It is empty where
// there is none.
func looseNumber(text string) string {
	if inOtherBase.MatchString(text) {
		if n, ok := new(big.Int).SetString(text, 0); ok {
			return n.String()
		}
	}
	if grouped.MatchString(text) {
		text = strings.ReplaceAll(text, "_", "")
	}
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

// readText reads a text as one value that is neither a list nor an object: the surest
// one that is valid, else the surest one. Where the text stands for no value of the types
// that are allowed, the reading is bad.
func readText(nodes schema.Nodes, text string) Reading {
	if len(nodes) == 0 {
		return Reading{Value: text, Found: true}
	}
	all := candidates(nodes.Types(), text)
	if len(all) == 0 {
		return unreadable("")
	}
	chosen := all[0]
	if len(all) > 1 {
		if i := slices.IndexFunc(all, func(c candidate) bool { return nodes.Keeps(c.v) }); i >= 0 {
			chosen = all[i]
		}
	}
	return Reading{Value: chosen.v, Found: true, Leave: chosen.leave}
}

// readNested reads a text inside a list or an object. Lists and objects in there have no
// defined form: the JSON of them is one.
func readNested(nodes schema.Nodes, text string) Reading {
	got := readText(nodes, text)
	if len(nodes) == 0 || got.Bad == nil && nodes.Keeps(got.Value) {
		return got
	}
	if json := readJSON(text); json.Bad == nil {
		switch json.Value.(type) {
		case []any, map[string]any:
			json.Leave = leaveNested
			return json
		}
	}
	return got
}

// WriteText writes a scalar value as parameters carry it, and as JSON what has no
// defined form there: a list or an object inside another.
func WriteText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case json.RawMessage:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		text, err := WriteJSON(v)
		if err != nil {
			return ""
		}
		return string(text)
	default:
		return fmt.Sprint(v)
	}
}
