package plan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// strayName is a property that no document has. A fault in its value leaves
// every documented value as it is: a receiver that repairs the fault has no
// other reason to refuse the request.
const strayName = "x-unknown-property"

// badInside are faults inside a string.
var badInside = []struct{ label, text string }{
	{"invalid-utf-8", "\xff\xfe"},
	{"overlong-utf-8", "\xc0\xaf"},
	{"encoded-surrogate", "\xed\xa0\x80"},
	{"control-character", "\x01"},
	{"nul", "\x00"},
	{"line-feed-in-string", "\n"},
	{"tab-in-string", "\t"},
	{"unknown-escape", `\x41`},
	{"short-escape", `\u12`},
	{"lone-surrogate", `\ud800`},
}

// badValues stand where a value belongs, and are none in JSON.
var badValues = []string{
	"01", "-01", "+1", "0x10", ".5", "1.", "1e", "1_000", "NaN", "Infinity", "-Infinity", "undefined", "None", "True", "TRUE", "'a'", "`a`", "a",
}

// goodStrings are spellings of strings that receivers have to know.
var goodStrings = []struct{ label, text string }{
	{"escaped-slash", `"a\/b"`},
	{"upper-case-escapes", `"\u00E9\uD83D\uDE00"`},
	{"short-escapes", `"\"\\\b\f\n\r\t"`},
}

// deep are lists inside one another, deeper than decoders go. Every operation
// shares the bytes.
var deep = func() []struct {
	label string
	body  []byte
} {
	const depth = 11_000
	return []struct {
		label string
		body  []byte
	}{
		{"deeply-nested", []byte(strings.Repeat("[", depth) + strings.Repeat("]", depth))},
		{"nested-without-end", bytes.Repeat([]byte("["), depth)},
	}
}()

// syntax plans the bytes of a JSON body.
func (pl *planner) syntax(m *contract.Media, d draft) {
	good, _, err := d.encode(m, d.body.V)
	if err != nil {
		return
	}
	text := string(good)
	add := func(label, body string, expect Expect) {
		pl.raw(m.Syntax, label, expect, "", d, func(r *wire.Request) { r.Body = []byte(body) })
	}
	keeps := func(label, body string) { add(label, body, Accept) }
	breaks := func(label, body string) { add(label, body, Refuse) }
	beside := pl.beside(d, text)

	keeps("white-space", " \t\r\n"+text+"\r\n\t ")
	keeps("indented", indented(text))
	keeps("escaped", escaped(text, true, true))
	keeps("escaped-names", escaped(text, true, false))
	keeps("escaped-values", escaped(text, false, true))
	keeps("final-line-feed", text+"\n")
	keeps("blanks-around-tokens", spacedOut(text))
	for label, empty := range pl.emptied(d) {
		keeps("white-space-in-empty-"+label, strings.NewReplacer("{}", "{ \n}", "[]", "[\t ]").Replace(empty))
	}
	if members, ok := d.body.V.(map[string]any); ok && len(members) > 1 {
		keeps("other-order", reordered(members))
	}

	breaks("not-json", "not json")
	breaks("form", "a=b&c=d")
	breaks("truncated", text[:len(text)-1])
	breaks("first-byte-only", text[:1])
	for i, at := range cuts(text) {
		breaks(fmt.Sprintf("cut-%d", i+1), text[:at])
	}
	breaks("trailing-bytes", text+" x")
	breaks("trailing-bracket", text+"}")
	breaks("comma-after", text+",")
	breaks("second-value", text+text)
	breaks("second-line", text+"\n"+text)
	breaks("second-value-null", text+" null")
	breaks("second-value-list", text+"[]")
	breaks("second-value-number", text+"1")
	breaks("second-value-string", text+`""`)
	breaks("semicolon-after", text+";")
	breaks("single-quotes", strings.ReplaceAll(text, `"`, "'"))
	breaks("curly-quotes", curly(text))
	breaks("arrows", strings.ReplaceAll(text, `":`, `"=>`))
	breaks("semicolons", strings.ReplaceAll(text, `,`, `;`))
	breaks("comment", "/* comment */"+text)
	breaks("line-comment", text+" // comment")
	breaks("hash-comment", text+" # comment")
	breaks("nul-after", text+"\x00")
	breaks("form-feed-after", text+"\f")
	breaks("no-break-space-before", "\u00a0"+text)
	breaks("script-prefix", ")]}',\n"+text)
	breaks("blank", " ")
	breaks("utf-16", inUTF16(text, binary.LittleEndian))
	breaks("utf-16-big-endian", inUTF16(text, binary.BigEndian))
	breaks("utf-16-with-byte-order-mark", "\xff\xfe"+inUTF16(text, binary.LittleEndian))
	breaks("utf-16-big-endian-with-byte-order-mark", "\xfe\xff"+inUTF16(text, binary.BigEndian))
	breaks("utf-32", inUTF32(text, binary.LittleEndian))
	breaks("utf-32-big-endian", inUTF32(text, binary.BigEndian))
	breaks("byte-order-mark", "\xef\xbb\xbf"+text)
	for _, f := range badInside {
		breaks(f.label, inString(text, f.text))
	}
	for _, word := range badValues {
		breaks("word-"+word, word)
	}
	for _, f := range miswritten(text) {
		breaks(f.label, f.text)
	}
	if name, member, ok := firstMember(d.body.V); ok {
		bare := strings.Trim(name, `"`)
		breaks("duplicate-name", "{"+name+":"+member+","+text[1:])
		breaks("unquoted-name", "{"+bare+text[1+len(name):])
		breaks("equals-sign", "{"+name+"="+text[1+len(name)+1:])
		breaks("form-feed-between", "{"+name+":\f"+text[1+len(name)+1:])
	}
	if members, ok := d.body.V.(map[string]any); ok && len(members) > 0 {
		breaks("yaml", asYAML(members))
		breaks("same-value-as-form", asForm(members))
	}
	for _, f := range deep {
		pl.raw(m.Syntax, f.label, Refuse, "", d, func(r *wire.Request) { r.Body = f.body })
	}

	if beside == nil {
		return
	}
	with := func(text string) func(*wire.Request) {
		return func(r *wire.Request) { r.Body = []byte(beside(`"` + strayName + `":` + text)) }
	}
	for _, s := range goodStrings {
		if c := pl.byHand(m.Syntax, s.label, Accept, "", d, with(s.text)); c != nil {
			c.Without = []func() *wire.Request{func() *wire.Request { // the property itself may be refused
				r := c.Request.Clone()
				with(`"a"`)(r)
				return r
			}}
			pl.add(c)
		}
	}
	const where = "-in-unknown-property"
	for _, f := range badInside {
		breaks(f.label+where, beside(`"`+strayName+`":"a`+f.text+`"`))
	}
	breaks("invalid-utf-8-in-unknown-name", beside(`"`+strayName+"\xff"+`":"a"`))
	breaks("control-character-in-unknown-name", beside(`"`+strayName+"\x01"+`":"a"`))
	for _, word := range badValues {
		breaks("word-"+word+where, beside(`"`+strayName+`":`+word))
	}
	breaks("no-value"+where, beside(`"`+strayName+`":`))
	breaks("no-colon"+where, beside(`"`+strayName+`"`))
	breaks("number-as-name", beside(`1:"a"`))
	large := beside(`"` + strayName + `":"` + value.Letters(longValue) + `"`)
	breaks("truncated-large", large[:len(large)-1])
	breaks("trailing-bytes-large", large+" x")
	breaks("invalid-utf-8-large", beside(`"`+strayName+`":"`+value.Letters(longValue)+"\xff"+`"`))
	if few := pl.fewest(d); few != text && few != "" {
		alone := pl.beside(d, few)
		if alone != nil {
			breaks("invalid-utf-8-alone", alone(`"`+strayName+`":"a`+"\xff"+`"`))
			breaks("invalid-utf-8-in-name-alone", alone(`"`+strayName+"\xff"+`":"a"`))
			breaks("word-01-alone", alone(`"`+strayName+`":01`))
			breaks("trailing-bytes-alone", few+" x")
		}
	}
	if text != "{}" {
		breaks("missing-comma", strings.Replace(beside(`"`+strayName+`":"a"`), `,"`+strayName, ` "`+strayName, 1))
	}
}

// beside returns what puts a further member after those of an object, or nil
// where the contract does not take one.
func (pl *planner) beside(d draft, text string) func(member string) string {
	if !strings.HasPrefix(text, "{") {
		return nil
	}
	with := func(member string) string {
		if text != "{}" {
			member = "," + member
		}
		return text[:len(text)-1] + member + "}"
	}
	r, err := d.request()
	if err != nil {
		return nil
	}
	r.Body = []byte(with(`"` + strayName + `":"a"`))
	if len(pl.checker.CheckRequest(pl.asDocumented(r))) > 0 {
		return nil
	}
	return with
}

// miswritten are faults in the punctuation of a text, which hold back nothing
// of its value.
func miswritten(text string) []struct{ label, text string } {
	var all []struct{ label, text string }
	add := func(label, text string) { all = append(all, struct{ label, text string }{label, text}) }
	if n := len(text) - 1; text[n] == '}' && text != "{}" {
		add("trailing-comma-in-object", text[:n]+",}")
		add("leading-comma-in-object", "{,"+text[1:])
	}
	if i := strings.IndexByte(text, '['); i >= 0 {
		add("leading-comma-in-list", text[:i+1]+","+text[i+1:])
	}
	if i := strings.Index(text, `":`); i > 0 {
		add("missing-colon", text[:i+1]+" "+text[i+2:])
		add("two-colons", text[:i+1]+"::"+text[i+2:])
	}
	if i := strings.Index(text, `,"`); i >= 0 {
		add("two-commas", text[:i]+",,"+text[i+1:])
	}
	if i := strings.LastIndexByte(text, ']'); i > 0 {
		add("missing-bracket", text[:i]+text[i+1:])
		add("bracket-too-many", text[:i]+"]]"+text[i+1:])
		if text[i-1] != '[' {
			add("trailing-comma-in-list", text[:i]+","+text[i:])
			add("two-commas-in-list", text[:i]+",,"+text[i:])
		}
	}
	if i := strings.Index(text, `","`); i >= 0 {
		add("missing-comma-in-list", text[:i+1]+" "+text[i+2:])
	}
	return all
}

// asYAML writes an object as a mapping of YAML, whose values are still JSON.
func asYAML(members map[string]any) string {
	var b strings.Builder
	for _, name := range sortedKeys(members) {
		if v, err := codec.WriteJSON(members[name]); err == nil {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	return b.String()
}

func asForm(members map[string]any) string {
	var pairs []string
	for _, name := range sortedKeys(members) {
		pairs = append(pairs, codec.Style{Name: "form", Explode: true}.Query(name, members[name])...)
	}
	return strings.Join(pairs, "&")
}

func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// escaped spells every character of the names, of the other strings, or of
// both as an escape. The text has no white space between its tokens.
func escaped(text string, names, values bool) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '"' {
			b.WriteByte(text[i])
			i++
			continue
		}
		end := i + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		quoted := text[i : end+1]
		i = end + 1
		isName := i < len(text) && text[i] == ':'
		var s string
		if isName && !names || !isName && !values || json.Unmarshal([]byte(quoted), &s) != nil {
			b.WriteString(quoted)
			continue
		}
		b.WriteByte('"')
		for _, unit := range utf16.Encode([]rune(s)) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		b.WriteByte('"')
	}
	return b.String()
}

// inString puts bytes into the last string of a JSON text; where it has none,
// the text gets one in front.
func inString(text, insert string) string {
	if i := strings.LastIndexByte(text, '"'); i >= 0 {
		return text[:i] + insert + text[i:]
	}
	return `"` + insert + `"` + text
}

func inUTF16(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func inUTF32(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, r := range text {
		b = order.AppendUint32(b, uint32(r)) //nolint:gosec // a rune of a string is no negative number
	}
	return string(b)
}

// cuts are places to cut a text short at: around its quotes, the first and the
// last few.
func cuts(text string) []int {
	const most = 6
	var all []int
	for i := range len(text) {
		if text[i] == '"' && i > 0 {
			all = append(all, i, i+1)
		}
	}
	if len(all) > 2*most {
		all = append(all[:most], all[len(all)-most:]...)
	}
	return all
}

// spacedOut puts blanks around every token of a text without white space.
func spacedOut(text string) string {
	var b strings.Builder
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && inString:
			b.WriteByte(c)
			i++
			b.WriteByte(text[i])
		case c == '"':
			inString = !inString
			b.WriteByte(c)
		case !inString && strings.IndexByte("{}[]:,", c) >= 0:
			b.WriteString(" " + string(c) + " ")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// curly puts typographic quotes in place of the straight ones.
func curly(text string) string {
	parts := strings.Split(text, `"`)
	var b strings.Builder
	for i, part := range parts {
		b.WriteString(part)
		if i < len(parts)-1 {
			b.WriteString([]string{"\u201c", "\u201d"}[i%2])
		}
	}
	return b.String()
}

// emptied yields the texts of the body with nothing in it, and with nothing in
// one of its lists, as far as the schema takes them.
func (pl *planner) emptied(d draft) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		members, ok := d.body.V.(map[string]any)
		if !ok || d.media.Node == nil {
			return
		}
		if pl.fewest(d) == "{}" && !yield("object", "{}") {
			return
		}
		for _, name := range sortedKeys(members) {
			if _, isList := members[name].([]any); !isList {
				continue
			}
			less := clone(members)
			less[name] = []any{}
			text, err := codec.WriteJSON(less)
			if err == nil && d.media.Node.Validates(less) == nil && !yield("list-"+name, string(text)) {
				return
			}
		}
	}
}

// fewest returns the text of the object with nothing in it that may be absent;
// it is empty where there is none.
func (pl *planner) fewest(d draft) string {
	members, ok := d.body.V.(map[string]any)
	if !ok || d.media == nil || d.media.Node == nil {
		return ""
	}
	few := map[string]any{}
	for name, v := range members {
		if d.media.Node.Required[name] {
			few[name] = v
		}
	}
	if d.media.Node.Validates(few) != nil {
		return ""
	}
	text, err := codec.WriteJSON(few)
	if err != nil {
		return ""
	}
	return string(text)
}

func reordered(members map[string]any) string {
	names := sortedKeys(members)
	slices.Reverse(names)
	parts := make([]string, len(names))
	for i, name := range names {
		key, _ := codec.WriteJSON(name)
		v, err := codec.WriteJSON(members[name])
		if err != nil {
			return ""
		}
		parts[i] = string(key) + ":" + string(v)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func firstMember(v any) (name, member string, ok bool) {
	members, isObject := v.(map[string]any)
	if !isObject || len(members) == 0 {
		return "", "", false
	}
	first := sortedKeys(members)[0]
	key, err := codec.WriteJSON(first)
	if err != nil {
		return "", "", false
	}
	text, err := codec.WriteJSON(members[first])
	return string(key), string(text), err == nil
}

// strayed returns an object with one more property, and whether v is one.
func strayed(v any) (value.Good, bool) {
	members, ok := v.(map[string]any)
	if !ok {
		return value.Good{}, false
	}
	members = clone(members)
	members[strayName] = "a"
	return value.Good{V: members}, true
}
