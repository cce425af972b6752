package value

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// Place says where a value travels, as that bounds what can be sent.
type Place int

// The places.
const (
	InBody   Place = iota // JSON: any value
	InPath                // text, not empty, not a dot segment
	InQuery               // text
	InHeader              // text: visible ASCII, blanks inside
	InCookie              // text: visible ASCII without separators
)

// Variant is a value made for a clause: to keep it at an edge, or to break it.
type Variant struct {
	Clause *contract.Clause
	Label  string // unique among the variants of the clause
	V      any    // may be Absent, or json.RawMessage for a number in a given spelling
	// Exists is set where the value exists on the target: the label of a known
	// value, a list of known values, or a value that need not exist.
	Exists bool
	// Stranger is set where the value names nothing on the target but by chance: whether
	// it is accepted shows whether values of the node have to exist.
	Stranger bool
	// Leave says why a receiver may refuse the value.
	Leave string
}

// Why a receiver may refuse what JSON allows.
const (
	leaveRange        = "RFC 8259 §6: a receiver may bound the range of numbers"
	leaveNegativeZero = "RFC 8259 §6: the grammar has -0, and nothing says which number it is: a receiver may take it for a fraction, or for none without a sign"
	leavePrototype    = "RFC 8259 §9: a receiver may limit the contents of strings, names among them, and many refuse __proto__ for what JavaScript does with it"
	leaveDepth        = "RFC 8259 §9: a receiver may limit the depth of nesting"
	// Of a format that is nowhere defined, no made-up value can be told to have it.
	leaveUnknownFormat = "OpenAPI 3.0.3, Data Types: the document has a format that it does not define, and the value may not have it"
)

// Keep makes the values at the edges of the node's clauses. good is a value
// that is known to work.
func (m *Maker) Keep(n *contract.Node, good Good, in Place) []Variant {
	if m.stopped() != nil {
		return nil
	}
	k := &keeper{m: m, n: n, good: good, in: in, labels: map[string]bool{}, count: map[*contract.Clause]int{}}
	if slices.Contains(n.Types(), "null") && in == InBody {
		k.add(n.Clause("type"), "null", nil, false)
	}
	for _, g := range m.goods(n, good) {
		k.good = g
		switch v := g.V.(type) {
		case string:
			k.strings()
		case json.Number, float64, int:
			k.numbers()
		case bool:
			k.booleans()
		case []any:
			k.arrays(v)
		case map[string]any:
			k.objects(v)
		}
	}
	k.good = good
	if c := n.Clause("enum"); c != nil {
		for i, v := range n.Schema.Enum {
			if i == maxCount {
				break
			}
			k.add(c, fmt.Sprintf("value-%d", i+1), v, true)
		}
	}
	k.branches()
	k.rest()
	return k.out
}

// branches goes through each branch of oneOf and anyOf, and each name that the
// discriminator takes.
func (k *keeper) branches() {
	through := func(c *contract.Clause, label string, branches ...*contract.Node) {
		k.m.left = maxSteps
		for g := range k.m.values(append([]*contract.Node{k.n}, branches...), 1) {
			k.add(c, label, g.V, len(g.Unknown) == 0)
			return
		}
	}
	for _, group := range []struct {
		keyword string
		nodes   []*contract.Node
	}{{"oneOf", k.n.OneOf}, {"anyOf", k.n.AnyOf}} {
		for i, branch := range group.nodes[:min(len(group.nodes), maxOptions)] {
			through(k.n.Clause(group.keyword), fmt.Sprintf("branch-%d", i+1), branch)
		}
	}
	if len(k.n.AnyOf) > 1 {
		through(k.n.Clause("anyOf"), "all-branches", k.n.AnyOf...)
	}
	for i, name := range k.n.Discriminates() {
		branch := k.n.Branch(name)
		if branch == nil {
			branch = k.n.Heir(name)
		}
		if branch != nil && i < maxOptions {
			through(k.n.Clause("discriminator"), "names-"+name, branch)
		}
	}
}

// rest keeps with the good value what nothing else keeps.
func (k *keeper) rest() {
	kept := map[*contract.Clause]bool{}
	for _, v := range k.out {
		kept[v.Clause] = true
	}
	for _, c := range k.n.Clauses {
		if c.Permits || kept[c.Clause] || c.Key == "readOnly" || strings.HasPrefix(c.Key, "required/") {
			continue
		}
		k.add(c.Clause, "good", k.good.V, len(k.good.Unknown) == 0)
	}
}

type keeper struct {
	m    *Maker
	n    *contract.Node
	good Good
	in   Place
	out  []Variant

	labels map[string]bool // clause and label of those that are there
	count  map[*contract.Clause]int
}

// few is how many values keep a clause where one is wanted: the first may be none
// that can be sent.
const few = 3

// add notes a value for a clause, if the schema has the clause and the value
// keeps the schema.
func (k *keeper) add(c *contract.Clause, label string, v any, exists bool) {
	k.addLeft(c, label, v, exists, "")
}

// addLeft notes a value that a receiver may refuse.
func (k *keeper) addLeft(c *contract.Clause, label string, v any, exists bool, leave string) {
	if c == nil || k.m.Thin && k.count[c] == few || !k.n.Keeps(Plain(v)) || !Travels(v, k.in) {
		return
	}
	k.count[c]++
	if _, isText := v.(string); isText && leave == "" && !exists && !k.n.FormatIsDefined() {
		leave = leaveUnknownFormat
	}
	id := c.Name + "#" + label
	for k.labels[id] {
		label = fmt.Sprintf("%s-%s", label, basic(v))
		id = c.Name + "#" + label
	}
	k.labels[id] = true
	k.out = append(k.out, Variant{Clause: c, Label: label, V: v, Exists: exists, Leave: leave})
}

// Travels reports whether a text can be sent in its place and comes out there
// as it went in.
func Travels(v any, in Place) bool {
	text, ok := v.(string)
	if !ok || in == InBody {
		return true
	}
	switch in {
	case InPath:
		return text != "" && text != "." && text != ".." && !strings.ContainsAny(text, "/\x00")
	case InHeader:
		return text == strings.Trim(text, " \t") && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
	case InCookie:
		return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`",;\`, r) })
	}
	return true
}

// Strings that receivers get wrong though nothing forbids them.
var oddities = []struct{ label, text string }{
	{"empty", ""},
	{"one-character", "a"},
	{"blank", " "},
	{"blanks-around", " a "},
	{"digits", "123456789012345678901234567890"},
	{"leading-zeros", "0012"},
	{"negative-number", "-1"},
	{"exponent", "1e3"},
	{"decimal", "12.5"},
	{"byte-order-mark", "\ufeff12"},
	{"word-null", "null"},
	{"word-true", "true"},
	{"quotes", `a'b"c` + "`d"},
	{"sql", `1' OR '1'='1`},
	{"markup", `<b>&amp;</b>`},
	{"percent", "100%25 %zz"},
	{"separators", "a,b;c|d&e=f#g?h"},
	{"backslash", `a\nb\`},
	{"template", "{{7*7}}${7*7}"},
	{"slash", "a/b"},
	{"dots", "../../a"},
	{"line-feed", "a\nb"},
	{"tab", "a\tb"},
	{"nul", "a\x00b"},
	{"combining", "e\u0301"},
	{"right-to-left", "\u05d0\u05d1\u05d2"},
	{"astral", "\U0001F600"},
	{"cjk", "\u6570\u636e"},
	{"zero-width", "a\u200bb"},
	{"noncharacter", "a\uffff"},
	{"delete", "a\x7f"},
	{"format-directives", "%s%n%d"},
}

func (k *keeper) strings() {
	s, n := k.n.Schema, k.n
	known := k.m.KnownFor(n)
	ofLength := func(want int) (string, bool) {
		for _, v := range known {
			if text, ok := v.(string); ok && len([]rune(text)) == want {
				return text, true
			}
		}
		if s.Pattern != "" {
			text, _ := matching(s.Pattern, want)
			return text, false
		}
		return Letters(want), false
	}
	length := func(c *contract.Clause, label string, want uint64) {
		if c != nil && want <= maxText {
			text, exists := ofLength(int(want))
			k.add(c, label, text, exists)
		}
	}
	length(n.Clause("minLength"), "shortest", s.MinLength)
	if s.MaxLength != nil {
		length(n.Clause("maxLength"), "longest", *s.MaxLength)
		if *s.MaxLength > s.MinLength+1 {
			length(n.Clause("maxLength"), "longest-but-one", *s.MaxLength-1)
		}
		if *s.MaxLength > 0 && *s.MaxLength <= maxText {
			// Length is counted in characters (JSON Schema Validation §6.3.1).
			k.add(n.Clause("maxLength"), "longest-in-two-byte-characters", strings.Repeat("\u00e9", int(*s.MaxLength)), false)
			k.add(n.Clause("maxLength"), "longest-in-four-byte-characters", strings.Repeat("\U0001F600", int(*s.MaxLength)), false)
		}
	}
	c := n.Clause("type")
	if c == nil {
		return
	}
	if s.Format != "" || s.Pattern != "" || len(s.Enum) > 0 {
		k.add(c, "good", k.good.V, len(k.good.Unknown) == 0)
	}
	k.other(c)
	for _, v := range ofFormat[s.Format] {
		k.add(n.Clause("format"), v.label, v.text, false)
	}
	for i, v := range known {
		if i == 16 {
			break
		}
		k.add(c, fmt.Sprintf("known-%d", i+1), v, true)
	}
	for _, o := range oddities {
		k.add(c, o.label, o.text, false)
	}
	if s.MaxLength == nil {
		longest := longText
		if k.in != InBody {
			longest = 2 << 10 // servers bound request lines and header fields (RFC 9110 §2.3)
		}
		k.add(c, "long", Letters(longest), false)
	}
}

// ofFormat are values of a format that receivers do not expect.
var ofFormat = map[string][]struct{ label, text string }{
	"date-time": {
		{"offset", "2024-02-29T12:34:56+02:00"}, {"negative-offset", "2024-02-29T12:34:56-11:30"}, {"fraction", "2024-02-29T12:34:56.789Z"},
		{"long-fraction", "2024-02-29T12:34:56.123456789Z"}, {"start-of-time", "1970-01-01T00:00:00Z"},
	},
	"date":  {{"leap-day", "2024-02-29"}, {"last-day", "9999-12-31"}},
	"uuid":  {{"upper-case", "123E4567-E89B-42D3-A456-426614174000"}, {"version-7", "018f4e5c-7b2a-7c3d-9e4f-5a6b7c8d9e0f"}},
	"email": {{"tag", "some.one+tag@example.com"}, {"subdomain", "a@b.example.com"}},
	"uri":   {{"query-and-fragment", "https://example.com:8443/a/b?c=d&e=f#g"}, {"other-scheme", "urn:isbn:9780141036144"}},
	"ipv6":  {{"full", "2001:0db8:0000:0000:0000:0000:0000:0001"}},
}

// other adds the value that shows whether values of the node have to exist.
func (k *keeper) other(c *contract.Clause) {
	before := len(k.out)
	if v, ok := Other(k.n, k.good.V); ok {
		k.add(c, "other", v, false)
	}
	if v, ok := OtherFraction(k.n, k.good.V); ok {
		k.add(c, "other-fraction", v, false)
	}
	for i := range k.out[before:] {
		k.out[before+i].Stranger = c.Keyword == "type"
	}
}

func (k *keeper) numbers() {
	n := k.n
	r := ranged([]*contract.Node{n}, false)
	for _, e := range []struct {
		keywords []string
		label    string
		v        *big.Rat
	}{{[]string{"minimum", "exclusiveMinimum"}, "least", r.least()}, {[]string{"maximum", "exclusiveMaximum"}, "greatest", r.greatest()}} {
		for _, kw := range e.keywords {
			if e.v != nil {
				k.add(n.Clause(kw), e.label, decimal(e.v), false)
			}
		}
	}
	k.add(n.Clause("multipleOf"), "good", k.good.V, len(k.good.Unknown) == 0)
	for _, v := range schema.IntegerEdges(n.Schema.Format) {
		k.add(n.Clause("format"), "number "+v, json.Number(v), false)
	}
	c := n.Clause("type")
	k.other(c)
	for _, v := range []string{"0", "-1", "2147483647", "2147483648", "9007199254740993"} {
		k.add(c, "number "+v, json.Number(v), false)
	}
	if k.in == InBody {
		k.addLeft(c, "negative-zero", json.Number("-0"), false, leaveNegativeZero)
	}
	if !n.Schema.Type.Is("integer") {
		k.add(c, "fraction", json.Number("0.5"), false)
		k.add(c, "small", json.Number("1e-7"), false)
	}
	for i, v := range k.m.KnownFor(n) {
		k.add(c, fmt.Sprintf("known-%d", i+1), v, true)
	}
}

func (k *keeper) booleans() {
	k.add(k.n.Clause("type"), "true", true, true)
	k.add(k.n.Clause("type"), "false", false, true)
}

func (k *keeper) arrays(good []any) {
	s, n := k.n.Schema, k.n
	exists := len(k.good.Unknown) == 0
	ofLength := func(want uint64) []any {
		items := make([]any, want)
		for i := range items {
			switch {
			case i < len(good):
				items[i] = good[i]
			case len(good) == 0:
				items[i] = json.Number(strconv.Itoa(i))
			case i < len(n.PrefixItems) || len(n.PrefixItems) > 0 && n.Items != nil:
				items[i] = k.itemAt(i)
			case s.UniqueItems && n.Items != nil:
				items[i] = k.m.Distinct(n.Items, good[0], i)
				if text, ok := items[i].(string); ok && text == good[0] {
					return nil // there are no more, and to look for each again takes long
				}
			case s.UniqueItems:
				items[i] = json.Number(strconv.Itoa(1000 + i))
			default:
				items[i] = good[i%len(good)]
			}
		}
		return items
	}
	size := func(c *contract.Clause, label string, want uint64) {
		if c != nil && want <= maxCount {
			known := exists && (!s.UniqueItems || want <= uint64(len(good)))
			if items := ofLength(want); items != nil {
				k.add(c, label, items, known)
			}
		}
	}
	size(n.Clause("minItems"), "fewest", s.MinItems)
	if s.MaxItems != nil {
		size(n.Clause("maxItems"), "most", *s.MaxItems)
	}
	c := n.Clause("type")
	size(c, "one", 1)
	size(c, "none", 0)
	size(c, "two", 2)
	size(c, "three", 3)
	size(c, "four", 4)
	if s.MaxItems == nil {
		size(c, "many", many(good))
		if k.in == InBody && len(good) > 0 && scalar(good[0]) && shallow(n) {
			k.add(c, "more-than-1000", ofLength(maxCount+1), exists)
			k.add(c, "5000", ofLength(5*maxCount), exists)
			k.add(c, "20000", ofLength(20*maxCount), exists)
		}
	}
	if len(good) > 0 && !s.UniqueItems {
		k.add(c, "repeated", []any{good[0], good[0]}, exists)
		if len(good) > 1 {
			reversed := slices.Clone(good)
			slices.Reverse(reversed)
			k.add(c, "reversed", reversed, exists)
		}
	}
	k.add(n.Clause("uniqueItems"), "good", k.good.V, exists)
}

// maxBytes is about how many bytes a list of many items has.
const maxBytes = 1 << 20

// many is how many items of a kind are sent where no number is too large.
func many(good []any) uint64 {
	if len(good) == 0 {
		return maxCount
	}
	text, err := json.Marshal(Plain(good[0]))
	if err != nil {
		return maxCount
	}
	return min(maxCount, max(10, maxBytes/uint64(len(text)+1)))
}

// itemAt makes the item at a place of a list whose first items are described
// one by one.
func (k *keeper) itemAt(i int) any {
	for _, n := range itemNodes([]*contract.Node{k.n}, i) {
		if g, err := k.m.Good(n); err == nil {
			return g.V
		}
	}
	return json.Number(strconv.Itoa(i))
}

func (k *keeper) objects(good map[string]any) {
	n := k.n
	exists := len(k.good.Unknown) == 0
	with := func(name string, v any) map[string]any {
		out := make(map[string]any, len(good)+1)
		for key, e := range good {
			out[key] = e
		}
		out[name] = v
		return out
	}
	if c := n.Clause("additionalProperties"); c != nil && c.Permits {
		for _, extra := range []struct {
			label, name string
			v           any
			leave       string
		}{
			{"string", "x-unknown-property", "a", ""},
			{"null", "x-unknown-property", nil, ""},
			{"object", "x-unknown-property", map[string]any{"a": []any{json.Number("1"), "b"}}, ""},
			{"empty-name", "", "a", ""},
			{"odd-name", "a b/c~d\"\u00e9", "a", ""},
			{"prototype", "__proto__", map[string]any{"a": true}, leavePrototype},
		} {
			k.addLeft(c, "extra-"+extra.label, with(extra.name, extra.v), exists, extra.leave)
		}
		if n.Parent == nil && k.in == InBody {
			k.strays(c, with, exists)
		}
		for _, p := range n.Props {
			if v, ok := good[p.PropName]; ok {
				if name := swapCase(p.PropName); name != p.PropName && n.Prop(name) == nil {
					// A receiver that mixes the two up would read the wrong one.
					k.add(c, "extra-letter-case-"+p.PropName, with(name, wrongFor(v)), exists)
				}
			}
		}
	}
	if n.Additional != nil {
		if g, err := k.m.Good(n.Additional); err == nil {
			k.add(n.Clause("type"), "additional-property", with(otherName(n), g.V), exists && len(g.Unknown) == 0)
		}
	}
	if c := n.Clause("propertyNames"); c != nil {
		for name := range otherNames([]*contract.Node{n}) {
			if nodes, may := memberNodes([]*contract.Node{n}, name); may && len(nodes) == 0 {
				k.add(c, "other-name", with(name, "a"), exists)
				break
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Schema.DependentRequired)) {
		c := n.Clause("dependentRequired/" + name)
		o := &object{m: k.m, a: asked{nodes: []*contract.Node{n}}, hi: -1, members: with("", nil)}
		delete(o.members, "")
		k.m.left = maxSteps
		if o.add(name) {
			k.m.finish(o, func(g Good) bool {
				k.add(c, "with-what-depends", g.V, exists && len(g.Unknown) == 0)
				return false
			})
		}
	}
	k.add(n.Clause("minProperties"), "good", good, exists)
	k.add(n.Clause("maxProperties"), "good", good, exists)
	if most := n.Schema.MaxProps; most != nil && *most <= maxCount {
		full := &object{m: k.m, a: asked{nodes: []*contract.Node{n}}, lo: int(*most), hi: -1, members: with("", nil)}
		delete(full.members, "")
		k.m.left = maxSteps
		full.fill(optional(full.a, nil))
		k.add(n.Clause("maxProperties"), "most", full.members, exists && len(full.unknown) == 0)
	}
	k.add(n.Clause("type"), "good", good, exists)
}

// strays are properties that the schema does not name, of a kind that breaks
// receivers which read more than they are asked to. One object of a body stands
// for those inside it.
func (k *keeper) strays(c *contract.Clause, with func(string, any) map[string]any, exists bool) {
	const name = "x-unknown-property"
	for _, extra := range []struct {
		label, name, leave string
		v                  any
	}{
		{"number", name, "", json.Number("1")},
		{"fraction", name, "", json.Number("0.1")},
		{"negative-zero", name, "", json.Number("-0")},
		{"long-integer", name, "", json.Number("1234567890123456789012345")},
		{"beyond-double", name, leaveRange, json.Number("1e400")},
		{"boolean", name, "", true},
		{"list", name, "", []any{"a", nil, []any{}}},
		{"nested-20", name, "", nested(20)},
		{"nested-100", name, leaveDepth, nested(100)},
		{"long-name", Letters(300), "", "a"},
		{"name-with-dots", "a.b..c", "", "a"},
		{"name-with-dollar", "$where", "", "a"},
		{"name-with-nul", "a\x00b", "", "a"},
		{"name-with-brackets", "a[b][]", "", "a"},
	} {
		k.addLeft(c, "extra-"+extra.label, with(extra.name, extra.v), exists, extra.leave)
	}
	for _, count := range []int{50, maxCount} {
		many := with(name, "a")
		for i := range count {
			many[fmt.Sprintf("%s-%d", name, i+1)] = "a"
		}
		k.add(c, fmt.Sprintf("extra-%d", count), many, exists)
	}
}

// nested makes lists and objects inside one another.
func nested(depth int) any {
	var v any = "a"
	for i := range depth {
		if v = []any{v}; i%2 == 1 {
			v = map[string]any{"a": v.([]any)[0]}
		}
	}
	return v
}

func scalar(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

// shallow reports whether a node is a body or a property of it: what is read
// deeper inside is read by the same code.
func shallow(n *contract.Node) bool { return n.Parent == nil || n.Parent.Parent == nil }

// wrongFor returns a value of another type than v.
func wrongFor(v any) any {
	if _, ok := v.(string); ok {
		return json.Number("1")
	}
	return "a"
}
