package contract

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// A number of the document is a double once it is loaded, which 2⁵³+1 and the
// greatest number of 64 bits are not: what is planned at such a bound would be
// off by one or more. The digits are read again where a text has so many.

// position is where the key of a number stands.
type position struct {
	file         string
	line, column int
}

var (
	manyDigits = regexp.MustCompile(`\d{16}`)
	longNumber = regexp.MustCompile(`[-+.\deE]*\d{16}[-+.\deE]*`)
)

// maxReread is how long a document of JSON may be that is read as YAML, which
// takes many times as long, for the sake of such numbers and of a const that is
// null.
const maxReread = 1 << 20

var nullConst = regexp.MustCompile(`"const"\s*:\s*null`)

func hasInexact(data []byte) bool {
	return slices.ContainsFunc(longNumber.FindAll(data, -1), func(text []byte) bool { return inexact(string(text)) })
}

// readExact notes the numbers of a file that a double does not hold.
func (c *Contract) readExact(file string, data []byte) {
	if !manyDigits.Match(data) {
		return
	}
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) != 1 {
		return
	}
	c.noteExact(file, doc.Content[0])
}

func (c *Contract) noteExact(file string, n *yaml.Node) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			key := n.Content[i-1]
			if isInexact(child) || slices.Contains(valued, key.Value) && slices.ContainsFunc(child.Content, holdsInexact) {
				if c.exact == nil {
					c.exact = map[position]any{}
				}
				c.exact[position{file, key.Line, key.Column}] = exactValue(child)
			}
		}
		c.noteExact(file, child)
	}
}

// valued are the fields that hold a value of any kind.
var valued = []string{"enum", "const", "default", "example", "value"}

func isInexact(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag != "!!str" && inexact(n.Value)
}

func holdsInexact(n *yaml.Node) bool {
	return isInexact(n) || slices.ContainsFunc(n.Content, holdsInexact)
}

// exactValue returns a value as the loader has it, but for the numbers that a
// double does not hold.
func exactValue(n *yaml.Node) any {
	switch n = resolved(n); {
	case n.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = exactValue(n.Content[i+1])
		}
		return m
	case n.Kind == yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i, item := range n.Content {
			l[i] = exactValue(item)
		}
		return l
	case isInexact(n):
		return json.Number(n.Value)
	}
	var v any
	if n.Tag == "!!timestamp" || n.Decode(&v) != nil {
		return n.Value
	}
	if f, err := strconv.ParseFloat(n.Value, 64); err == nil && (n.Tag == "!!int" || n.Tag == "!!float") {
		return f
	}
	return v
}

// inexact reports whether a text is a number of JSON that the shortest text for
// its double does not say.
func inexact(text string) bool {
	if !manyDigits.MatchString(text) || !number(text) {
		return false
	}
	v, ok := new(big.Rat).SetString(text)
	f, err := strconv.ParseFloat(text, 64)
	short, ok2 := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && ok2 && err == nil && short.Cmp(v) != 0
}

// exactly returns a number of a schema to the last digit, where the double that
// kin-openapi has is another.
func (c *Contract) exactly(s *openapi3.Schema, keyword string) (json.Number, bool) {
	v, _ := c.exactAt(s.Origin, keyword)
	number, ok := v.(json.Number)
	return number, ok
}

// exactAt returns the value of a field to the last digit, where what was loaded
// is another.
func (c *Contract) exactAt(o *openapi3.Origin, field string) (any, bool) {
	if len(c.exact) == 0 || o == nil {
		return nil, false
	}
	at, ok := o.Fields.Lookup(field)
	if !ok {
		return nil, false
	}
	v, ok := c.exact[position{at.File, at.Line, at.Column}]
	return v, ok
}

// Exactly returns a bound of the node's schema to the last digit, where the
// double in the schema is another.
func (n *Node) Exactly(keyword string) (json.Number, bool) {
	return n.op.Contract.exactly(n.Schema, keyword)
}

// sharpen replaces the values of a schema that a double does not hold.
func (c *Contract) sharpen(s *openapi3.Schema) {
	for keyword, v := range map[string]*any{"example": &s.Example, "default": &s.Default, "const": &s.Const} {
		c.sharpenField(s.Origin, keyword, v)
	}
	// The validator for OpenAPI 3.0 compares with doubles alone.
	if all, ok := c.exactAt(s.Origin, "enum"); ok && c.Doc.IsOpenAPI31OrLater() {
		if list, ok := all.([]any); ok && len(list) == len(s.Enum) {
			s.Enum = list
		}
	}
}

func (c *Contract) sharpenField(o *openapi3.Origin, field string, v *any) {
	if exact, ok := c.exactAt(o, field); ok && *v != nil {
		*v = exact
	}
}

// beyond returns the keyword of a bound that a number is beyond, though the
// doubles next to both do not say so; empty where there is none.
func (n *Node) beyond(v json.Number) string {
	for _, keyword := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		text, ok := n.Exactly(keyword)
		if !ok {
			continue
		}
		bound, ok1 := new(big.Rat).SetString(string(text))
		given, ok2 := new(big.Rat).SetString(string(v))
		if !ok1 || !ok2 {
			continue
		}
		way := given.Cmp(bound)
		s := n.Schema
		switch keyword {
		case "minimum":
			ok = way > 0 || way == 0 && !s.ExclusiveMin.IsTrue()
		case "maximum":
			ok = way < 0 || way == 0 && !s.ExclusiveMax.IsTrue()
		case "exclusiveMinimum":
			ok = way > 0
		default:
			ok = way < 0
		}
		if !ok {
			return keyword
		}
	}
	return ""
}
