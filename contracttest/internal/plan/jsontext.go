package plan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
)

// shortened are the beginnings of a text.
func shortened(text string) []sample {
	all := []sample{{"truncated", text[:len(text)-1]}, {"first-byte-only", text[:1]}}
	for i, at := range cuts(text) {
		all = append(all, sample{fmt.Sprintf("cut-%d", i+1), text[:at]})
	}
	return all
}

// continued are a text with more behind it.
func continued(text string) []sample {
	return []sample{
		{"trailing-bytes", text + " x"},
		{"trailing-bracket", text + "}"},
		{"comma-after", text + ","},
		{"second-value", text + text},
		{"second-line", text + "\n" + text},
		{"second-value-null", text + " null"},
		{"second-value-list", text + "[]"},
		{"second-value-number", text + "1"},
		{"second-value-string", text + `""`},
		{"semicolon-after", text + ";"},
	}
}

// inOtherNotations are a text in what other languages have for it, or with what JSON does not have.
func inOtherNotations(text string) []sample {
	return []sample{
		{"single-quotes", strings.ReplaceAll(text, `"`, "'")},
		{"curly-quotes", curly(text)},
		{"arrows", strings.ReplaceAll(text, `":`, `"=>`)},
		{"semicolons", strings.ReplaceAll(text, `,`, `;`)},
		{"comment", "/* comment */" + text},
		{"line-comment", text + " // comment"},
		{"hash-comment", text + " # comment"},
		{"nul-after", text + "\x00"},
		{"form-feed-after", text + "\f"},
		{"no-break-space-before", "\u00a0" + text},
		{"script-prefix", ")]}',\n" + text},
		{"blank", " "},
	}
}

// inOtherEncodings are a text in what JSON is not exchanged in (RFC 8259 §8.1).
func inOtherEncodings(text string) []sample {
	return []sample{
		{"utf-16", inUTF16(text, binary.LittleEndian)},
		{"utf-16-big-endian", inUTF16(text, binary.BigEndian)},
		{"utf-16-with-byte-order-mark", "\xff\xfe" + inUTF16(text, binary.LittleEndian)},
		{"utf-16-big-endian-with-byte-order-mark", "\xfe\xff" + inUTF16(text, binary.BigEndian)},
		{"utf-32", inUTF32(text, binary.LittleEndian)},
		{"utf-32-big-endian", inUTF32(text, binary.BigEndian)},
		{"byte-order-mark", "\xef\xbb\xbf" + text},
	}
}

// misnamed are the text of an object with a fault at its first name, or with its members in another
// format.
func misnamed(v any, text string) []sample {
	members, _ := v.(map[string]any)
	name, member, ok := firstMember(v)
	if !ok {
		return nil
	}
	bare := strings.Trim(name, `"`)
	return []sample{
		{"duplicate-name", "{" + name + ":" + member + "," + text[1:]},
		{"unquoted-name", "{" + bare + text[1+len(name):]},
		{"equals-sign", "{" + name + "=" + text[1+len(name)+1:]},
		{"form-feed-between", "{" + name + ":\f" + text[1+len(name)+1:]},
		{"yaml", asYAML(members)},
		{"same-value-as-form", asForm(members)},
	}
}

// miswritten are faults in the punctuation of a text, which hold back nothing
// of its value.
func miswritten(text string) []sample {
	var all []sample
	add := func(label, text string) { all = append(all, sample{label, text}) }
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
