package plan

import (
	"strings"
	"unicode"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// longValue is the length of the longest text where the document sets no limit.
const longValue = 64 << 10

// strayValues are what a property that the document does not name may hold.
var strayValues = []sample{
	{"false", "false"}, {"zero", "0"}, {"exponent", "1e2"}, {"empty-string", `""`}, {"empty-list", "[]"}, {"empty-object", "{}"},
	{"long-string", `"` + value.Letters(longValue) + `"`},
}

// strayNames are names that mean something to programs, not to the document.
var strayNames = []string{"$ref", "constructor", "id", "class", "type", "length", "toString", "_id", "@type", "0", "null", "true"}

// strays plans properties that the document does not name, where it allows
// them, in the body of an operation.
func (pl *planner) strays(m *contract.Media, d draft) {
	c := m.Node.Clause("additionalProperties")
	text, _, err := d.encode(m, d.body.V)
	if c == nil || !c.Permits || err != nil {
		return
	}
	beside := pl.beside(d, string(text))
	if beside == nil {
		return
	}
	keep := func(label, member string) {
		pl.raw(c, label, Accept, "", d, func(r *wire.Request) { r.Body = []byte(beside(member)) })
	}
	for _, v := range strayValues {
		keep("extra-"+v.label, `"`+strayName+`":`+v.text)
	}
	names := strayNames
	for _, p := range pl.op.Params {
		names = append(names, p.Spec.Name)
	}
	for _, name := range names {
		if key, err := codec.WriteJSON(name); err == nil && m.Node.Prop(name) == nil {
			keep("extra-called-"+name, string(key)+":1")
		}
	}
	members, _ := d.body.V.(map[string]any)
	for _, name := range sortedKeys(members) {
		for _, twin := range twins(name) {
			key, err := codec.WriteJSON(twin.name)
			if err != nil || m.Node.Prop(twin.name) != nil {
				continue
			}
			v := "1"
			if _, isNumber := members[name].(string); !isNumber {
				v = `"a"`
			}
			// A receiver that takes the two for one reads a value of the wrong type.
			keep("extra-"+twin.label+"-"+name, string(key)+":"+v)
		}
	}
}

type twin struct{ label, name string }

// twins are a property's name in the spellings of other languages, which are
// other names (RFC 8259 §4).
func twins(name string) []twin {
	words := strings.FieldsFunc(splitHumps(name), func(r rune) bool { return r == '_' || r == '-' || r == ' ' || r == '.' })
	if len(words) == 0 {
		return nil
	}
	for i := range words {
		words[i] = strings.ToLower(words[i])
	}
	title := make([]string, len(words))
	for i, w := range words {
		title[i] = capitalised(w)
	}
	number := name + "s"
	if strings.HasSuffix(name, "s") {
		number = strings.TrimSuffix(name, "s")
	}
	all := []twin{
		{"camel-case", words[0] + strings.Join(title[1:], "")},
		{"pascal-case", strings.Join(title, "")},
		{"snake-case", strings.Join(words, "_")},
		{"kebab-case", strings.Join(words, "-")},
		{"train-case", strings.Join(title, "_")},
		{"capitalised", capitalised(name)},
		{"run-together", strings.Join(words, "")},
		{"other-number", number},
		{"blank-after", name + " "},
	}
	seen := map[string]bool{name: true}
	var different []twin
	for _, t := range all {
		if t.name != "" && !seen[t.name] {
			seen[t.name] = true
			different = append(different, t)
		}
	}
	return different
}

func capitalised(word string) string {
	if word == "" {
		return word
	}
	r := []rune(word)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// splitHumps puts an underscore before each capital that follows a small letter.
func splitHumps(name string) string {
	var b strings.Builder
	last := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte('_')
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}
