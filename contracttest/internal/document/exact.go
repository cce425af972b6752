package document

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

var longNumber = regexp.MustCompile(`[-+.\deE]*\d{16}[-+.\deE]*`)

// manyDigits are more than every double holds.
const manyDigits = 16

// hasManyDigits looks at a sixteenth of a text that has few digits: it is a whole document.
func hasManyDigits[T string | []byte](text T) bool {
	for end := manyDigits - 1; end < len(text); {
		at := end
		for at > end-manyDigits && text[at] >= '0' && text[at] <= '9' {
			at--
		}
		if at == end-manyDigits {
			return true
		}
		end = at + manyDigits
	}
	return false
}

// maxReread is how long a document of JSON may be that is read as YAML, which
// takes many times as long, for the sake of such numbers and of a const that is
// null.
const maxReread = 1 << 20

var nullConst = regexp.MustCompile(`"const"\s*:\s*null`)

func hasInexact(data []byte) bool {
	return slices.ContainsFunc(longNumber.FindAll(data, -1), func(text []byte) bool { return inexact(string(text)) })
}

// readExact notes the numbers of a file that a double does not hold.
func (d *Document) readExact(file string, data []byte) {
	if !hasManyDigits(data) {
		return
	}
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) != 1 {
		return
	}
	d.noteExact(file, doc.Content[0])
}

func (d *Document) noteExact(file string, n *yaml.Node) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			key := n.Content[i-1]
			if isInexact(child) || slices.Contains(valued, key.Value) && slices.ContainsFunc(child.Content, holdsInexact) {
				if d.exact == nil {
					d.exact = map[position]any{}
				}
				d.exact[position{file, key.Line, key.Column}] = exactValue(child)
			}
		}
		d.noteExact(file, child)
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
	if !hasManyDigits(text) || text[0] == '"' || !json.Valid([]byte(text)) {
		return false
	}
	v, ok := new(big.Rat).SetString(text)
	f, err := strconv.ParseFloat(text, 64)
	short, ok2 := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && ok2 && err == nil && short.Cmp(v) != 0
}

// Exactly returns a number of a schema to the last digit, where the double that
// kin-openapi has is another.
func (d *Document) Exactly(s *openapi3.Schema, keyword string) (json.Number, bool) {
	v, _ := d.ExactAt(s.Origin, keyword)
	number, ok := v.(json.Number)
	return number, ok
}

// ExactAt returns the value of a field to the last digit, where what was loaded
// is another.
func (d *Document) ExactAt(o *openapi3.Origin, field string) (any, bool) {
	if len(d.exact) == 0 || o == nil {
		return nil, false
	}
	at, ok := o.Fields.Lookup(field)
	if !ok {
		return nil, false
	}
	v, ok := d.exact[position{at.File, at.Line, at.Column}]
	return v, ok
}

// sharpen replaces the values of a schema that a double does not hold.
func (d *Document) sharpen(s *openapi3.Schema) {
	for keyword, v := range map[string]*any{"example": &s.Example, "default": &s.Default, "const": &s.Const} {
		d.sharpenField(s.Origin, keyword, v)
	}
	if all, ok := d.ExactAt(s.Origin, "enum"); ok {
		if list, ok := all.([]any); ok && len(list) == len(s.Enum) {
			s.Enum = list
		}
	}
}

func (d *Document) sharpenField(o *openapi3.Origin, field string, v *any) {
	if exact, ok := d.ExactAt(o, field); ok && *v != nil {
		*v = exact
	}
}
