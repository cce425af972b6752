package value

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
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
	// Leave says why a receiver may refuse the value.
	Leave string
}

// Why a receiver may refuse what JSON allows.
const (
	leaveRange = "RFC 8259 §6: a receiver may bound the range of numbers"
	leaveDepth = "RFC 8259 §9: a receiver may limit the depth of nesting"
)

// Keep makes the values at the edges of the node's clauses. good is a value
// that is known to work.
func (m *Maker) Keep(n *contract.Node, good Good, in Place) []Variant {
	k := &keeper{m: m, n: n, good: good, in: in}
	switch v := good.V.(type) {
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
	if c := n.Clause("enum"); c != nil {
		for i, v := range n.Schema.Enum {
			if i == maxCount {
				break
			}
			k.add(c, fmt.Sprintf("value-%d", i+1), v, true)
		}
	}
	if slices.Contains(n.Types(), "null") && in == InBody {
		k.add(n.Clause("type"), "null", nil, false)
	}
	for _, c := range []*contract.Clause{n.Clause("format"), n.Clause("pattern")} {
		k.add(c, "good", good.V, len(good.Unknown) == 0)
	}
	return k.out
}

type keeper struct {
	m    *Maker
	n    *contract.Node
	good Good
	in   Place
	out  []Variant
}

// add notes a value for a clause, if the schema has the clause and the value
// keeps the schema.
func (k *keeper) add(c *contract.Clause, label string, v any, exists bool) {
	k.addLeft(c, label, v, exists, "")
}

// addLeft notes a value that a receiver may refuse.
func (k *keeper) addLeft(c *contract.Clause, label string, v any, exists bool, leave string) {
	if c == nil || k.n.Validates(plain(v)) != nil || !travels(v, k.in) {
		return
	}
	k.out = append(k.out, Variant{Clause: c, Label: label, V: v, Exists: exists, Leave: leave})
}

// travels reports whether a text can be sent in its place and comes out there
// as it went in.
func travels(v any, in Place) bool {
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
			text, err := matching(s.Pattern, want)
			if err == nil && len([]rune(text)) == want {
				return text, false
			}
			return "", false
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
	k.add(c, "other", Letters(max(8, int(min(s.MinLength, maxText)))), false)
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

func (k *keeper) numbers() {
	n := k.n
	lo, hi, _ := bounds(n)
	for _, e := range []struct {
		keywords []string
		label    string
		v        float64
	}{{[]string{"minimum", "exclusiveMinimum"}, "least", lo}, {[]string{"maximum", "exclusiveMaximum"}, "greatest", hi}} {
		if math.IsInf(e.v, 0) {
			continue
		}
		for _, kw := range e.keywords {
			k.add(n.Clause(kw), e.label, Number(e.v), false)
		}
	}
	k.add(n.Clause("multipleOf"), "good", k.good.V, len(k.good.Unknown) == 0)
	c := n.Clause("type")
	for _, v := range []string{"0", "-1", "2147483647", "2147483648", "9007199254740993"} {
		k.add(c, "number "+v, json.Number(v), false)
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
			case s.UniqueItems && n.Items != nil:
				items[i] = Distinct(n.Items, good[0], i)
			default:
				items[i] = good[i%len(good)]
			}
		}
		return items
	}
	size := func(c *contract.Clause, label string, want uint64) {
		if c != nil && want <= maxCount {
			known := exists && (!s.UniqueItems || want <= uint64(len(good)))
			k.add(c, label, ofLength(want), known)
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
		size(c, "many", maxCount)
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
		}{
			{"string", "x-unknown-property", "a"},
			{"null", "x-unknown-property", nil},
			{"object", "x-unknown-property", map[string]any{"a": []any{json.Number("1"), "b"}}},
			{"empty-name", "", "a"},
			{"odd-name", "a b/c~d\"\u00e9", "a"},
			{"prototype", "__proto__", map[string]any{"a": true}},
		} {
			k.add(c, "extra-"+extra.label, with(extra.name, extra.v), exists)
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
			k.add(n.Clause("type"), "additional-property", with("x-unknown-property", g.V), exists && len(g.Unknown) == 0)
		}
	}
	if c := n.Clause("minProperties"); c != nil {
		k.add(c, "good", good, exists)
	}
	if c := n.Clause("maxProperties"); c != nil {
		k.add(c, "good", good, exists)
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

// Break makes values that break one clause of the node each, as near to the
// good value as can be: what is refused is then refused for that clause alone.
func (m *Maker) Break(n *contract.Node, good Good, in Place) []Variant {
	b := &breaker{n: n, good: good.V, in: in}
	b.types(in)
	s := n.Schema
	text, isText := good.V.(string)
	if isText {
		if s.MinLength > 0 && s.MinLength <= maxText {
			b.add("minLength", "too-short", shortened(text, int(s.MinLength)-1))
			if s.MinLength > 1 {
				b.add("minLength", "empty", "")
				// A receiver that counts bytes takes it for long enough.
				b.add("minLength", "too-short-in-three-byte-characters", strings.Repeat("\u6570", int(s.MinLength)-1))
			}
			if s.MinLength > 2 {
				b.add("minLength", "one-character", shortened(text, 1))
			}
		}
		if s.MaxLength != nil && *s.MaxLength < maxText {
			b.add("maxLength", "too-long", lengthened(text, int(*s.MaxLength)+1))
			b.add("maxLength", "much-too-long", lengthened(text, min(2*int(*s.MaxLength)+16, maxText)))
		}
		for _, odd := range []struct{ label, text string }{
			{"suffix", text + "!"}, {"prefix", "!" + text}, {"line-feed", text + "\n"}, {"blank", text + " "}, {"other", "!"}, {"letters", Letters(8)}, {"digits", "12345678"},
		} {
			b.add("pattern", odd.label, odd.text)
			b.add("format", odd.label, odd.text)
		}
		b.add("enum", "other", "no-such-value")
		b.add("enum", "suffix", text+"x")
		b.add("enum", "letter-case", swapCase(text))
		b.add("enum", "blank", text+" ")
	}
	if _, isNumber := asFloat(good.V); isNumber {
		b.numbers()
	}
	if items, ok := good.V.([]any); ok {
		b.arrays(items, m)
	}
	if members, ok := good.V.(map[string]any); ok {
		b.objects(members, m)
	}
	if len(n.OneOf)+len(n.AnyOf) > 0 {
		for _, kw := range []string{"oneOf", "anyOf"} {
			for _, v := range strangers {
				if n.Allows(kind(v.v)) { // else it breaks type
					b.add(kw, v.label, v.v)
				}
			}
		}
	}
	return b.out
}

// strangers are one value of each type, for schemas that take several.
var strangers = []struct {
	label string
	v     any
}{
	{"null", nil}, {"boolean", true}, {"number", json.Number("-12345.5")}, {"string", "no such value"},
	{"empty-object", map[string]any{}}, {"object", map[string]any{"x-unknown-property": "a"}}, {"array", []any{map[string]any{}}},
}

type breaker struct {
	n    *contract.Node
	good any
	in   Place
	out  []Variant
}

// add notes a value for a keyword, if the schema has it and the value is
// indeed refused.
func (b *breaker) add(keyword, label string, v any) {
	c := b.n.Clause(keyword)
	sent := b.in == InCookie || travels(v, b.in) // in a cookie it is escaped, and need not come out the same
	if c == nil || c.Permits || !sent || b.n.Validates(plain(v)) == nil {
		return
	}
	b.out = append(b.out, Variant{Clause: c, Label: label, V: v})
}

// types breaks the type keyword with the near misses that receivers coerce,
// made of the good value, and with a value of every other type.
func (b *breaker) types(in Place) {
	if b.n.Clause("type") == nil {
		return
	}
	add := func(label string, v any) {
		if in != InBody || !b.n.Allows(kind(v)) {
			b.add("type", label, v)
		}
	}
	if in != InBody {
		if b.n.Allows("string") {
			return // every text is one
		}
		for _, odd := range []struct{ label, text string }{
			{"word", "abc"}, {"fraction", "1.5"}, {"empty", ""}, {"trailing-letter", fmt.Sprint(b.good) + "x"}, {"number", "2"},
			{"blank-inside", "1 2"}, {"hexadecimal", "0x10"}, {"word-yes", "yes"}, {"letter-case", "TRUE"},
		} {
			add(odd.label, odd.text)
		}
		return
	}
	switch v := b.good.(type) {
	case string:
		if isNumber(v) {
			add("same-as-number", json.Number(v))
			if !strings.ContainsAny(v, ".eE") {
				add("same-as-fraction", json.Number(v+".0"))
				add("same-with-exponent", json.Number(v+"e0"))
			}
		}
		add("number", json.Number("12"))
		add("in-array", []any{v})
		add("in-array-twice", []any{[]any{v}})
		add("empty-array", []any{})
		add("in-object", map[string]any{"value": v})
	case bool:
		add("as-string", strconv.FormatBool(v))
		add("as-number", json.Number("1"))
		add("in-array", []any{v})
	case []any:
		if len(v) > 0 {
			add("item-alone", v[0])
			if text, isText := v[0].(string); isText && isNumber(text) {
				add("item-alone-as-number", json.Number(text))
			}
			add("as-object", map[string]any{"0": v[0]})
			if text, err := json.Marshal(plain(v)); err == nil {
				add("as-json-string", string(text))
			}
			if joined, ok := joinText(v); ok {
				add("as-list-in-string", joined)
			}
		}
	case map[string]any:
		add("in-array", []any{v})
		if text, err := json.Marshal(plain(v)); err == nil {
			add("as-json-string", string(text))
		}
		add("empty-array", []any{})
		for _, p := range b.n.Props {
			if member, there := v[p.PropName]; there {
				add("member-alone", member)
				break
			}
		}
	default:
		if f, ok := asFloat(v); ok {
			add("as-string", string(Number(f)))
			add("with-fraction", json.Number(strconv.FormatFloat(f+0.5, 'f', -1, 64)))
			add("in-array", []any{v})
		}
	}
	for _, v := range strangers {
		add(v.label, v.v)
	}
	add("empty-string", "")
	add("zero", json.Number("0"))
	add("false", false)
}

// isNumber reports whether a text is a number as JSON writes it.
func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil && json.Valid([]byte(text))
}

// kind returns the JSON type of a value.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	default:
		if f, ok := asFloat(v); ok && f == math.Trunc(f) {
			return "integer"
		}
		return "number"
	}
}

func joinText(items []any) (string, bool) {
	parts := make([]string, len(items))
	for i, v := range items {
		text, ok := v.(string)
		if !ok {
			return "", false
		}
		parts[i] = text
	}
	return strings.Join(parts, ","), true
}

func (b *breaker) numbers() {
	lo, hi, step := bounds(b.n)
	if step == 0 {
		step = 1
	}
	for _, e := range []struct {
		keywords []string
		label    string
		v        float64
		away     float64
	}{
		{[]string{"minimum", "exclusiveMinimum"}, "below", lo, -1},
		{[]string{"maximum", "exclusiveMaximum"}, "above", hi, 1},
	} {
		if math.IsInf(e.v, 0) {
			continue
		}
		for _, kw := range e.keywords {
			b.add(kw, e.label, Number(e.v+e.away*step))
			b.add(kw, "far-"+e.label, Number(e.v+e.away*1000*step))
		}
	}
	if f, ok := asFloat(b.good); ok && b.n.Schema.MultipleOf != nil {
		half := f + *b.n.Schema.MultipleOf/2
		if b.n.Schema.Type.Is("integer") {
			half = f + 1
		}
		b.add("multipleOf", "between", Number(half))
	}
	for _, v := range []string{"2147483648", "9223372036854775808", "1e40"} {
		b.add("format", "number "+v, json.Number(v))
	}
	b.add("enum", "other", json.Number("-987654321"))
}

func (b *breaker) arrays(items []any, m *Maker) {
	s := b.n.Schema
	if s.MinItems > 0 && s.MinItems <= uint64(len(items)) {
		b.add("minItems", "too-few", items[:s.MinItems-1])
		if s.MinItems > 1 {
			b.add("minItems", "none", []any{})
		}
	}
	some := items
	if len(some) == 0 && b.n.Items != nil {
		if g, err := m.Good(b.n.Items); err == nil {
			some = []any{g.V}
		}
	}
	if s.MaxItems != nil && *s.MaxItems < maxCount && len(some) > 0 {
		more := slices.Clone(items)
		for i := len(more); uint64(i) <= *s.MaxItems; i++ {
			next := some[i%len(some)]
			if s.UniqueItems && b.n.Items != nil {
				next = Distinct(b.n.Items, some[0], i)
			}
			more = append(more, next)
		}
		b.add("maxItems", "too-many", more)
	}
	if s.UniqueItems && len(items) > 0 {
		twice := append(slices.Clone(items), items[0])
		if s.MaxItems != nil && uint64(len(twice)) > *s.MaxItems && len(items) > 1 {
			twice = append(slices.Clone(items[:len(items)-1]), items[0])
		}
		b.add("uniqueItems", "twice", twice)
	}
}

func (b *breaker) objects(members map[string]any, m *Maker) {
	n := b.n
	without := func(name string) map[string]any {
		out := make(map[string]any, len(members))
		for k, v := range members {
			if k != name {
				out[k] = v
			}
		}
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(n.Required)) {
		b.add("required/"+name, "absent", without(name))
		// Of an object that is written as several parameters something has to be left to see.
		if less := without(name); len(less) == 0 && b.in != InBody {
			b.add("required/"+name, "absent-among-others", m.others(n, name))
		}
	}
	if c := n.Clause("additionalProperties"); c != nil && !c.Permits {
		more := without("")
		more["x-unknown-property"] = "a"
		b.add("additionalProperties", "extra", more)
	}
	if s := n.Schema; s.MaxProps != nil && *s.MaxProps < maxCount {
		more := without("")
		for i := 0; uint64(len(more)) <= *s.MaxProps; i++ {
			more[fmt.Sprintf("extra%d", i+1)] = m.extra(n, 0)
		}
		b.add("maxProperties", "too-many", more)
	}
	if s := n.Schema; s.MinProps > 0 {
		few := without("")
		for _, p := range n.Props {
			if uint64(len(few)) >= s.MinProps && !n.Required[p.PropName] {
				delete(few, p.PropName)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(few)) {
			if uint64(len(few)) >= s.MinProps && n.Prop(k) == nil {
				delete(few, k)
			}
		}
		b.add("minProperties", "too-few", few)
	}
}

// others makes the properties of an object but one.
func (m *Maker) others(n *contract.Node, but string) map[string]any {
	members := map[string]any{}
	for _, p := range n.Props {
		if g, err := m.Good(p); err == nil && p.PropName != but {
			members[p.PropName] = g.V
		}
	}
	if len(members) == 0 {
		members["x-unknown-property"] = "a"
	}
	return members
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

func shortened(text string, n int) string {
	r := []rune(text)
	if len(r) > n {
		r = r[:n]
	}
	return string(r)
}

func lengthened(text string, n int) string {
	if r := []rune(text); len(r) >= n {
		return text
	}
	return text + Letters(n-len([]rune(text)))
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}
