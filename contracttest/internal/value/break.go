package value

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/pattern"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// Break makes values that break one clause of the node each, as near to the
// good value as can be: what is refused is then refused for that clause alone.
func (m *Maker) Break(n *contract.Node, good Good, in Place) []Variant {
	if m.stopped() != nil {
		return nil
	}
	b := &breaker{m: m, n: n, good: good.V, in: in}
	if other := elsewhere(n); other != nil {
		if g, err := m.Good(other); err == nil {
			b.add("false", "as-described-elsewhere", g.V)
		}
	}
	b.add("false", "present", good.V)
	b.add("false", "text", "a")
	if n.Validates(Plain(good.V)) != nil { // nothing is good where the schema applies
		for _, v := range n.Check(Plain(good.V), "") {
			if v.Clause != nil && n.Clause(v.Clause.Keyword) == v.Clause {
				b.add(v.Clause.Keyword, "always", good.V)
			}
		}
	}
	b.types(in)
	for _, g := range m.goods(n, good) {
		b.good = g.V
		switch v := g.V.(type) {
		case string:
			b.strings(v)
		case []any:
			b.arrays(v, m)
		case map[string]any:
			b.objects(v, m)
			b.discriminator(v)
		default:
			if _, isNumber := asFloat(v); isNumber {
				b.numbers()
			}
		}
		b.values()
	}
	b.good = good.V
	b.composition()
	return b.out
}

func (b *breaker) strings(text string) {
	s := b.n.Schema
	shorter := func(length int) string {
		if made, ok := matching(s.Pattern, length); ok && s.Pattern != "" {
			return made
		}
		return shortened(text, length)
	}
	longer := func(length int) string {
		if made, ok := matching(s.Pattern, length); ok && s.Pattern != "" {
			return made
		}
		return lengthened(text, length)
	}
	if s.MinLength > 0 && s.MinLength <= maxText {
		b.add("minLength", "too-short", shorter(int(s.MinLength)-1))
		if s.MinLength > 1 {
			b.add("minLength", "empty", "")
			// A receiver that counts bytes takes it for long enough.
			b.add("minLength", "too-short-in-three-byte-characters", strings.Repeat("\u6570", int(s.MinLength)-1))
		}
		if s.MinLength > 2 {
			b.add("minLength", "one-character", shorter(1))
		}
	}
	if s.MaxLength != nil && *s.MaxLength < maxText {
		b.add("maxLength", "too-long", longer(int(*s.MaxLength)+1))
		b.add("maxLength", "much-too-long", longer(min(2*int(*s.MaxLength)+16, maxText)))
	}
	for _, odd := range []struct{ label, text string }{
		{"suffix", text + "!"}, {"prefix", "!" + text}, {"line-feed", text + "\n"}, {"blank", text + " "}, {"other", "!"}, {"letters", Letters(8)}, {"digits", "12345678"},
	} {
		if re, err := pattern.Compile(s.Pattern); err == nil && !re.MatchString(odd.text) {
			b.add("pattern", odd.label, odd.text)
		}
		b.add("format", odd.label, odd.text)
	}
	if s.Pattern != "" {
		if !b.has("pattern") {
			for i, other := range nearby(text) {
				if b.add("pattern", fmt.Sprintf("near-%d", i+1), other); b.has("pattern") {
					break
				}
			}
		}
	}
	if s.Pattern != "" && (s.MinLength > 0 || s.MaxLength != nil) {
		b.sameLength(text)
	}
	if s.Pattern != "" && !(b.m.Thin && b.has("pattern")) {
		b.partly()
	}
	if f := b.n.Format(); f != nil && f.Pattern != nil {
		i := 0
		for other := range f.Pattern.NearMisses(0, -1) {
			if i++; i > few {
				break
			}
			b.add("format", fmt.Sprintf("near-%d", i), other)
		}
	}
	for i, other := range notOfFormat[s.Format] {
		b.add("format", fmt.Sprintf("near-miss-%d", i+1), other)
	}
	b.add("enum", "other", "no-such-value")
	for _, kw := range []string{"enum", "const"} {
		b.add(kw, "suffix", text+"x")
		b.add(kw, "letter-case", swapCase(text))
		b.add(kw, "blank", text+" ")
	}
}

// elsewhere returns what another schema for the same object says of a property
// that must not be there; nil where none does.
func elsewhere(n *contract.Node) *contract.Node {
	if n.PropName == "" || n.Clause("false") == nil {
		return nil
	}
	for in := n.Parent; in != nil && in.Parent != nil && slices.Contains(in.Parent.InPlace(), in); in = in.Parent {
		if p := in.Parent.Prop(n.PropName); p != nil && p != n {
			return p
		}
	}
	return nil
}

// sameLength breaks the pattern and keeps the bounds of the length, which what is
// appended to a text may not.
func (b *breaker) sameLength(text string) {
	re, err := pattern.Compile(b.n.Schema.Pattern)
	if err != nil {
		return
	}
	const most = 2
	count := 0
	for _, other := range nearby(text) {
		if utf8.RuneCountInString(other) == utf8.RuneCountInString(text) && !re.MatchString(other) {
			if count++; count > most {
				return
			}
			b.add("pattern", fmt.Sprintf("same-length-%d", count), other)
		}
	}
}

// maxPartly bounds the strings that miss one part of a pattern.
const maxPartly = 16

// partly breaks one part of the pattern at a time: who reads a part of it
// otherwise, or leaves it out, takes some of these.
func (b *breaker) partly() {
	s := b.n.Schema
	re, err := pattern.Compile(s.Pattern)
	if err != nil {
		return
	}
	most := maxText
	if s.MaxLength != nil {
		most = int(min(*s.MaxLength, maxText))
	}
	if other, ok := re.OtherCase(int(min(s.MinLength, maxText)), most); ok {
		b.add("pattern", "letter-case", other)
	}
	count := 0
	for miss := range re.NearMisses(int(min(s.MinLength, maxText)), most) {
		if count++; count > maxPartly {
			return
		}
		b.add("pattern", fmt.Sprintf("part-%d", count), miss)
	}
}

// nearby are strings that differ from one in a character.
func nearby(text string) []string {
	r := []rune(text)
	all := []string{"", "a", "A", "0", " ", "\u00e9", "\n", "-", "!"}
	for i := 0; i < len(r) && i < 20; i++ {
		before, after := string(r[:i]), string(r[i+1:])
		all = append(all, before+after)
		for _, c := range []string{"!", "A", "0", " ", "a", "\u00e9"} {
			all = append(all, before+c+after)
		}
	}
	return all
}

// notOfFormat are strings that receivers take for one of the format though they
// are none.
var notOfFormat = map[string][]string{
	"date":                  {"2024-13-01", "2023-02-29", "2024-2-9", "29-02-2024", "20240229", "2024-02-29T00:00:00Z"},
	"date-time":             {"2024-02-29", "2024-02-29 12:34:56", "2024-02-29T12:34:56", "2024-02-29T25:00:00Z", "2023-02-29T12:00:00Z", "1709210096"},
	"time":                  {"25:00:00Z", "12:34", "12:34:56"},
	"duration":              {"P", "1D", "PT", "P1Y2W"},
	"uuid":                  {"123e4567-e89b-42d3-a456-42661417400", "123e4567e89b42d3a456426614174000", "{123e4567-e89b-42d3-a456-426614174000}", "123e4567-e89b-42d3-a456-42661417400g"},
	"email":                 {"someone", "someone@", "@example.com", "some one@example.com"},
	"hostname":              {"-example.com", "example_.com", "exa mple.com"},
	"ipv4":                  {"192.0.2", "192.0.2.256", "192.0.2.1.1", "192.0.2.01"},
	"ipv6":                  {"2001:db8", "2001:db8::1::2", "12345::", "192.0.2.1"},
	"uri":                   {"/a", "example.com", "https://exa mple.com", "https://example.com/a b", "\\\\a"},
	"uri-reference":         {"\\\\a", "a b^"},
	"iri":                   {"/a"},
	"uri-template":          {"/a/{b", "{}"},
	"json-pointer":          {"a", "/~2"},
	"relative-json-pointer": {"-1", "/a"},
	"regex":                 {"(", "[a"},
	"byte":                  {"YQ=a", "Y", "!"},
	"base64url":             {"YQ=a", "Y", "!", "YW+/"},
	"char":                  {"ab", ""},
	"date-time-local":       {"2024-02-29", "2024-02-29 12:34:56", "2024-02-29T12:34:56Z", "2023-02-29T12:00:00"},
	"time-local":            {"25:00:00", "12:34", "12:34:56Z"},
	"decimal":               {"", "a", "12,5", "1.2.3"},
	"decimal128":            {"", "a", "12,5", "1.2.3"},
	"unixtime":              {"", "a", "2024-02-29T12:34:56Z"},
	"http-date":             {"1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37", "784111777"},
	"media-range":           {"application", "/", "a b/c"},
	"ipv4-cidr":             {"192.0.2.0", "192.0.2.0/33", "192.0.2/24", "2001:db8::/32"},
	"ipv6-cidr":             {"2001:db8::", "2001:db8::/129", "192.0.2.0/24"},
	"language":              {"en_US", "", "a language"},
	"sf-string":             {"a", `"a`, "'a'"},
	"sf-token":              {"1a", "a b", `"a"`},
	"sf-binary":             {"YQ==", ":YQ==", "!"},
	"sf-boolean":            {"1", "true", "?2"},
}

// has reports whether a value breaks the keyword already.
func (b *breaker) has(keyword string) bool {
	c := b.n.Clause(keyword)
	return slices.ContainsFunc(b.out, func(v Variant) bool { return v.Clause == c })
}

// values breaks enum and const with values of the good one's type, and of
// others where the schema has no type.
func (b *breaker) values() {
	for _, kw := range []string{"enum", "const"} {
		if b.n.Clause(kw) == nil {
			continue
		}
		if b.n.Allows("integer") {
			b.add(kw, "other", json.Number("-987654321"))
		}
		switch v := b.good.(type) {
		case bool:
			b.add(kw, "other", !v)
		case []any:
			b.add(kw, "one-more-item", append(slices.Clone(v), "a"))
		case map[string]any:
			more := maps.Clone(v)
			more["x-unknown-property"] = "a"
			b.add(kw, "one-more-property", more)
		}
		for _, v := range strangers {
			if b.n.Allows(kind(v.v)) { // else it breaks type
				b.add(kw, v.label, v.v)
			}
		}
	}
}

// composition breaks the keywords that have schemas for values. Where no value
// at hand does, one is searched that keeps all the rest of the schema.
func (b *breaker) composition() {
	n := b.n
	if len(n.OneOf)+len(n.AnyOf) > 0 {
		for _, kw := range []string{"oneOf", "anyOf"} {
			for _, v := range strangers {
				if n.Allows(kind(v.v)) { // else it breaks type
					b.add(kw, v.label, v.v)
				}
			}
		}
	}
	if n.Clause("oneOf") != nil {
		rest := n.Without("oneOf")
		b.search("oneOf", "no-branch", asked{nodes: []*contract.Node{rest}, nots: n.OneOf})
		pairs := 0
		for i, one := range n.OneOf[:min(len(n.OneOf), maxOptions)] {
			for _, other := range n.OneOf[i+1 : min(len(n.OneOf), maxOptions)] {
				if pairs++; pairs <= maxPairs && b.search("oneOf", fmt.Sprintf("two-branches-%d", pairs), asked{nodes: []*contract.Node{rest, one, other}}) {
					pairs = maxPairs
				}
			}
		}
	}
	if n.Clause("anyOf") != nil {
		rest := n.Without("anyOf")
		b.search("anyOf", "no-branch", asked{nodes: []*contract.Node{rest}, nots: n.AnyOf})
	}
	if n.Clause("not") != nil {
		rest := n.Without("not")
		b.search("not", "what-is-excluded", asked{nodes: []*contract.Node{rest, n.Not}})
	}
	if n.Then != nil && n.Then.Clause("false") != nil || n.Else != nil && n.Else.Clause("false") != nil {
		return // each is a clause of its own node
	}
	for _, c := range n.Clauses {
		kw := c.Key
		if c.Permits || c.Unplanned != "" || b.has(kw) || strings.HasPrefix(kw, "required/") || kw == "type" && b.in != InBody {
			continue
		}
		if less := n.Without(strings.SplitN(kw, "/", 2)[0]); less != nil && kw != "not" {
			b.search(kw, "other", asked{nodes: []*contract.Node{less}, nots: []*contract.Node{n}})
		}
	}
}

// maxPairs bounds the pairs of branches that a value is searched for.
const maxPairs = 12

// search adds a value that is found for what is asked, best of the good one's
// type, and reports whether there was one.
func (b *breaker) search(keyword, label string, a asked) bool {
	const looked = 40
	b.m.left = maxSteps / 4
	c, count := b.n.Clause(keyword), 0
	var found []Variant
	for g := range b.m.taken(a, 1) {
		before := len(b.out)
		b.add(keyword, label, g.V)
		if len(b.out) > before {
			b.out = b.out[:before]
			found = append(found, Variant{Clause: c, Label: label, V: g.V})
			if basic(g.V) == basic(b.good) {
				b.out = append(b.out, found[len(found)-1])
				return true
			}
		}
		if count++; count == looked {
			break
		}
	}
	if len(found) == 0 {
		return false
	}
	b.out = append(b.out, found[0])
	return true
}

// discriminator breaks the name that an object gives to its schema.
func (b *breaker) discriminator(members map[string]any) {
	c := b.n.Clause("discriminator")
	names := b.n.Discriminates()
	if c == nil || len(names) == 0 {
		return
	}
	property := b.n.Schema.Discriminator.PropertyName
	add := func(label string, v map[string]any) {
		if len(b.n.Check(Plain(v), "")) > 0 {
			b.out = append(b.out, Variant{Clause: c, Label: label, V: v})
		}
	}
	with := func(v any) map[string]any {
		out := maps.Clone(members)
		out[property] = v
		return out
	}
	add("unknown-name", with("no-such-schema"))
	add("empty-name", with(""))
	add("number", with(json.Number("1")))
	less := maps.Clone(members)
	delete(less, property)
	add("absent", less)
	for _, name := range names {
		if name != members[property] {
			add("name-of-another", with(name))
			break
		}
	}
	if name, ok := members[property].(string); ok {
		add("letter-case", with(swapCase(name)))
	}
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
	m    *Maker
	n    *contract.Node
	good any
	in   Place
	out  []Variant
}

// add notes a value for a keyword, if the schema has it and the value is
// indeed refused.
func (b *breaker) add(keyword, label string, v any) {
	c := b.n.Clause(keyword)
	sent := b.in == InCookie || Travels(v, b.in) // in a cookie it is escaped, and need not come out the same
	if c == nil || c.Permits || !sent || v == nil && b.n.MayTakeNull() || b.n.Keeps(Plain(v)) {
		return
	}
	b.out = append(b.out, Variant{Clause: c, Label: label, V: v})
}

// types breaks the type keyword with the near misses that receivers coerce,
// made of the good value, and with a value of every other type.
func (b *breaker) types(in Place) {
	switch {
	case b.n.Clause("type") == nil:
	case in == InBody:
		b.typesInJSON()
	case !b.n.Allows("string"): // which every text is
		b.typesInText(in)
	}
}

// typesInText are texts in the place of a boolean or a number.
func (b *breaker) typesInText(in Place) {
	add := func(label, text string) { b.add("type", label, text) }
	good := fmt.Sprint(Plain(b.good))
	for _, odd := range []struct{ label, text string }{
		{"word", "abc"}, {"fraction", "1.5"}, {"empty", ""}, {"trailing-letter", good + "x"}, {"number", "2"},
		{"blank-inside", "1 2"}, {"hexadecimal", "0x10"}, {"word-yes", "yes"}, {"letter-case", "TRUE"},
	} {
		add(odd.label, odd.text)
	}
	if in == InPath || in == InQuery { // whoever unescapes a URL may trip over it
		add("invalid-utf-8", "1\xff")
	}
	if _, isNumber := asFloat(b.good); isNumber {
		for _, odd := range []struct{ label, text string }{
			{"same-as-fraction", good + ".0"}, {"same-with-exponent", good + "e0"}, {"leading-zero", "0" + good}, {"plus-sign", "+" + good},
			{"blank-before", " " + good}, {"blank-after", good + " "},
		} {
			add(odd.label, odd.text)
		}
	}
	if _, isBool := b.good.(bool); isBool {
		add("first-letter", good[:1])
		add("capital", strings.ToUpper(good[:1])+good[1:])
		add("zero", "0")
		add("one", "1")
	}
}

// typesInJSON are values of other types, first those that are made of the good one.
func (b *breaker) typesInJSON() {
	add := func(label string, v any) {
		if !b.n.Allows(kind(v)) {
			b.add("type", label, v)
		}
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
			if text, err := json.Marshal(Plain(v)); err == nil {
				add("as-json-string", string(text))
			}
			if joined, ok := joinText(v); ok {
				add("as-list-in-string", joined)
			}
		}
	case map[string]any:
		add("in-array", []any{v})
		if text, err := json.Marshal(Plain(v)); err == nil {
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
	if _, isNumber := asFloat(b.good); !isNumber && b.n.Allows("integer") {
		if v, ok := b.fraction(); ok {
			add("fraction", v)
		}
	}
	add("empty-string", "")
	add("zero", json.Number("0"))
	add("false", false)
}

// fraction returns a number that is no integer and keeps the bounds.
func (b *breaker) fraction() (json.Number, bool) {
	r := ranged([]*contract.Node{b.n}, false)
	whole := ranged([]*contract.Node{b.n}, true)
	for _, at := range []*big.Rat{whole.least(), whole.greatest(), new(big.Rat)} {
		for _, half := range []int64{1, -1} {
			if at == nil {
				continue
			}
			if v := new(big.Rat).Add(at, big.NewRat(half, 2)); r.has(v) {
				return decimal(v), true
			}
		}
	}
	return "", false
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

// beyond32 are the integers next to those of 32 bits.
var beyond32 = map[bool]string{true: "2147483648", false: "-2147483649"}

func (b *breaker) numbers() {
	r := ranged([]*contract.Node{b.n}, false)
	by := r.stepOr(big.NewRat(1, 1))
	off := func(v *big.Rat, times int64) json.Number {
		return decimal(new(big.Rat).Add(v, new(big.Rat).Mul(by, big.NewRat(times, 1))))
	}
	for _, e := range []struct {
		keywords []string
		label    string
		bound, v *big.Rat
		open     bool
		away     int64
	}{
		{[]string{"minimum", "exclusiveMinimum"}, "below", r.lo, r.least(), r.openLo, -1},
		{[]string{"maximum", "exclusiveMaximum"}, "above", r.hi, r.greatest(), r.openHi, 1},
	} {
		if e.v == nil {
			continue
		}
		for _, kw := range e.keywords {
			b.add(kw, e.label, off(e.v, e.away))
			b.add(kw, "far-"+e.label, off(e.v, 1000*e.away))
			b.add(kw, "beyond-32-bits", json.Number(beyond32[e.away > 0]))
			if e.open && r.step == nil {
				b.add(kw, "at-the-bound", decimal(e.bound))
			}
		}
	}
	if f, ok := exact(b.good); ok && b.n.Schema.MultipleOf != nil {
		half := new(big.Rat).Mul(by, big.NewRat(1, 2))
		if b.n.Schema.Type.Is("integer") {
			half = big.NewRat(1, 1)
		}
		between := new(big.Rat).Add(f, half)
		if !r.bounds().has(between) { // it would be above the maximum, too
			between.Sub(f, half)
		}
		b.add("multipleOf", "between", decimal(between))
	}
	beyond := []string{"2147483648", "-2147483649", "9223372036854775808", "-9223372036854775809", "9223372036854777856", "-9223372036854777856", "1e39", "1e40"}
	for i, v := range schema.IntegerEdges(b.n.Schema.Format) {
		next, _ := new(big.Int).SetString(v, 10)
		if v = next.Add(next, big.NewInt(int64(2*i-1))).String(); !slices.Contains(beyond, v) {
			beyond = append(beyond, v)
		}
	}
	for _, v := range beyond {
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
	b.contains(items, m)
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
			if nodes := itemNodes([]*contract.Node{b.n}, i); len(nodes) > 0 && nodes[0] != b.n.Items {
				if g, err := m.Good(nodes[0]); err == nil {
					next = g.V
				}
			} else if s.UniqueItems && b.n.Items != nil {
				next = b.m.Distinct(b.n.Items, some[0], i)
			} else if len(nodes) > 0 && nodes[0].Validates(Plain(next)) != nil { // those there are stand at places of their own
				if g, err := m.Good(nodes[0]); err == nil {
					next = g.V
				}
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

// contains breaks what a list has to contain: nothing of it, or one too many;
// and adds an item that no schema describes.
func (b *breaker) contains(items []any, m *Maker) {
	n := b.n
	if n.Contains != nil {
		b.add("contains", "none", []any{})
		var without, with []any
		m.left = maxSteps
		for i, v := range items {
			with = append(with, v)
			if n.Contains.Validates(Plain(v)) != nil {
				without = append(without, v)
				continue
			}
			for g := range m.taken(asked{nodes: itemNodes([]*contract.Node{n}, i), nots: []*contract.Node{n.Contains}}, 1) {
				without = append(without, g.V)
				break
			}
		}
		b.add("contains", "without", without)
		for _, v := range strangers {
			if m.takes(itemNodes([]*contract.Node{n}, 0), []*contract.Node{n.Contains}, v.v) {
				b.add("contains", "only-"+v.label, []any{v.v})
			}
		}
		if most := n.Schema.MaxContains; most != nil && *most < maxCount {
			for range *most + 1 {
				for g := range m.taken(asked{nodes: itemNodes([]*contract.Node{n}, len(with), n.Contains)}, 1) {
					with = append(with, g.V)
					break
				}
			}
			b.add("maxContains", "too-many", with)
		}
	}
	if n.Clause("unevaluatedItems") != nil {
		more := slices.Clone(items)
		for i := range 8 {
			more = append(more, "no such value")
			b.add("unevaluatedItems", fmt.Sprintf("%d-more", i+1), more)
			if b.has("unevaluatedItems") {
				break
			}
		}
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
	for _, kw := range []string{"additionalProperties", "unevaluatedProperties"} {
		if c := n.Clause(kw); c == nil || c.Permits {
			continue
		}
		for i, name := range []string{"x-unknown-property", "", "A", "0", "\u00e9"} {
			if _, may := memberNodes([]*contract.Node{n}, name); may && kw == "additionalProperties" {
				continue
			}
			more := maps.Clone(members)
			more[name] = "a"
			label := "extra"
			if i > 0 {
				label = fmt.Sprintf("extra-%d", i+1)
			}
			if b.add(kw, label, more); b.has(kw) {
				break
			}
		}
	}
	b.names(members, m)
	b.dependent(members, m)
	if s := n.Schema; s.MaxProps != nil && *s.MaxProps < maxCount {
		more := without("")
		for i := 0; uint64(len(more)) <= *s.MaxProps; i++ {
			more[fmt.Sprintf("extra%d", i+1)] = nil
		}
		full := &object{m: m, a: asked{nodes: []*contract.Node{n}}, lo: len(more), hi: -1, members: maps.Clone(members)}
		m.left = maxSteps
		full.fill(optional(full.a, nil))
		b.add("maxProperties", "too-many", full.members)
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

// names adds a property whose name is not valid.
func (b *breaker) names(members map[string]any, m *Maker) {
	if b.n.Clause("propertyNames") == nil {
		return
	}
	names := []string{"x-unknown-property", "", "A", "a b", "0", "\u00e9", "a", "aa", Letters(300)}
	for name := range otherNames([]*contract.Node{b.n}) {
		names = append(names, nearby(name)...)
		break
	}
	count := 0
	for _, name := range names {
		if b.n.PropertyNames.Validates(name) == nil {
			continue
		}
		nodes, may := memberNodes([]*contract.Node{b.n}, name)
		if !may {
			continue
		}
		more := maps.Clone(members)
		more[name] = "a"
		if len(nodes) > 0 {
			if g, err := m.Good(nodes[0]); err == nil {
				more[name] = g.V
			}
		}
		if count++; count <= 4 {
			b.add("propertyNames", fmt.Sprintf("name-%d", count), more)
		}
	}
}

// dependent has a property without those that it asks for.
func (b *breaker) dependent(members map[string]any, m *Maker) {
	for _, name := range slices.Sorted(maps.Keys(b.n.Schema.DependentRequired)) {
		for i, other := range m.dependents([]*contract.Node{b.n}, b.n, name) {
			o := &object{m: m, a: asked{nodes: []*contract.Node{b.n}}, hi: -1, members: maps.Clone(members)}
			m.left = maxSteps
			if !o.add(name) {
				continue
			}
			for _, needed := range m.dependents(o.a.nodes, b.n, name) {
				if needed != other {
					o.add(needed)
				}
			}
			if other != name {
				delete(o.members, other)
			}
			b.add("dependentRequired/"+name, fmt.Sprintf("without-%d", i+1), o.members)
		}
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
