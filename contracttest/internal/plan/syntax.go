package plan

import (
	"bytes"
	"iter"
	"strings"

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
var badInside = []sample{
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
var goodStrings = []sample{
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

// sample is a text to send, and the label of its case.
type sample struct{ label, text string }

// syntax plans the bytes of a JSON body.
func (pl *planner) syntax(m *contract.Media, d draft) {
	good, _, err := d.encode(m, d.body.V)
	if err != nil {
		return
	}
	text := string(good)
	send := func(expect Expect, samples ...sample) {
		for _, s := range samples {
			pl.raw(m.Syntax, s.label, expect, "", d, func(r *wire.Request) { r.Body = []byte(s.text) })
		}
	}
	send(Accept, pl.respelt(d, text)...)
	send(Refuse, sample{"not-json", "not json"}, sample{"form", "a=b&c=d"})
	if pl.enough(m.Syntax, Accept) && pl.enough(m.Syntax, Refuse) {
		return
	}
	send(Refuse, shortened(text)...)
	send(Refuse, continued(text)...)
	send(Refuse, inOtherNotations(text)...)
	send(Refuse, inOtherEncodings(text)...)
	for _, f := range badInside {
		send(Refuse, sample{f.label, inString(text, f.text)})
	}
	for _, word := range badValues {
		send(Refuse, sample{"word-" + word, word})
	}
	send(Refuse, miswritten(text)...)
	send(Refuse, misnamed(d.body.V, text)...)
	for _, f := range deep {
		pl.raw(m.Syntax, f.label, Refuse, "", d, func(r *wire.Request) { r.Body = f.body })
	}
	if beside := pl.beside(d, text); beside != nil {
		pl.besideSyntax(m, d, beside)
		send(Refuse, spoiltBeside(beside)...)
		send(Refuse, pl.spoiltAlone(d, text)...)
		if text != "{}" {
			send(Refuse, sample{"missing-comma", strings.Replace(beside(`"`+strayName+`":"a"`), `,"`+strayName, ` "`+strayName, 1)})
		}
	}
}

// respelt are other texts of the same value, or of one with nothing in it.
func (pl *planner) respelt(d draft, text string) []sample {
	all := []sample{
		{"white-space", " \t\r\n" + text + "\r\n\t "},
		{"indented", indented(text)},
		{"escaped", escaped(text, true, true)},
		{"escaped-names", escaped(text, true, false)},
		{"escaped-values", escaped(text, false, true)},
		{"final-line-feed", text + "\n"},
		{"blanks-around-tokens", spacedOut(text)},
	}
	for label, empty := range pl.emptied(d) {
		all = append(all, sample{"white-space-in-empty-" + label, strings.NewReplacer("{}", "{ \n}", "[]", "[\t ]").Replace(empty)})
	}
	if members, ok := d.body.V.(map[string]any); ok && len(members) > 1 {
		all = append(all, sample{"other-order", reordered(members)})
	}
	return all
}

// besideSyntax plans strings in spellings that receivers have to know, in a property that the
// document does not name.
func (pl *planner) besideSyntax(m *contract.Media, d draft, beside func(member string) string) {
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
}

// spoiltBeside are texts with a fault in a property that the document does not name.
func spoiltBeside(beside func(member string) string) []sample {
	const where = "-in-unknown-property"
	var all []sample
	for _, f := range badInside {
		all = append(all, sample{f.label + where, beside(`"` + strayName + `":"a` + f.text + `"`)})
	}
	all = append(
		all,
		sample{"invalid-utf-8-in-unknown-name", beside(`"` + strayName + "\xff" + `":"a"`)},
		sample{"control-character-in-unknown-name", beside(`"` + strayName + "\x01" + `":"a"`)},
	)
	for _, word := range badValues {
		all = append(all, sample{"word-" + word + where, beside(`"` + strayName + `":` + word)})
	}
	long := value.Letters(longValue)
	large := beside(`"` + strayName + `":"` + long + `"`)
	return append(
		all,
		sample{"no-value" + where, beside(`"` + strayName + `":`)},
		sample{"no-colon" + where, beside(`"` + strayName + `"`)},
		sample{"number-as-name", beside(`1:"a"`)},
		sample{"truncated-large", large[:len(large)-1]},
		sample{"trailing-bytes-large", large + " x"},
		sample{"invalid-utf-8-large", beside(`"` + strayName + `":"` + long + "\xff" + `"`)},
	)
}

// spoiltAlone are the shortest texts with such a fault.
func (pl *planner) spoiltAlone(d draft, text string) []sample {
	few := pl.fewest(d)
	if few == text || few == "" {
		return nil
	}
	alone := pl.beside(d, few)
	if alone == nil {
		return nil
	}
	return []sample{
		{"invalid-utf-8-alone", alone(`"` + strayName + `":"a` + "\xff" + `"`)},
		{"invalid-utf-8-in-name-alone", alone(`"` + strayName + "\xff" + `":"a"`)},
		{"word-01-alone", alone(`"` + strayName + `":01`)},
		{"trailing-bytes-alone", few + " x"},
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
