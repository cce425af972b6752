package extjson

import (
	"encoding/binary"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dataarts-go/factory/internal/wellformed"
)

// Value is what stands at the start of a text. Objects are of type
// map[string]any, lists []any, and numbers json.Number.
type Value struct {
	V    any
	Type string // of V, as JSON Schema calls it; empty where there is none
	// Sure is false where parsers differ in which value it is: a name is given
	// twice, a number is none of JSON's (NaN, Infinity), or a string has what is
	// no character, a control character, or an escape that nobody defines. V is
	// of the right type, but what is inside says nothing.
	Sure bool
}

// maxDepth is how many lists and objects may stand inside one another.
const maxDepth = wellformed.MaxDepth

// Decode reads the first value of a text. ok is false where it has none.
func Decode(data []byte) (value Value, ok bool) {
	text := decoded(data)
	p := parser{rest: text, sure: !strings.ContainsRune(text, utf8.RuneError)}
	v, ok := p.value(0)
	if !ok {
		return Value{}, false
	}
	return Value{V: v, Type: typeOf(v), Sure: p.sure}, true
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// decoded is a text in UTF-8, without byte-order mark and with U+FFFD for what is
// no character.
func decoded(data []byte) string {
	at := func(i int) bool { return i < len(data) && data[i] != 0 }
	switch {
	case len(data) > 3 && !at(0) && !at(1) && (data[2] == 0 || string(data[2:4]) == "\xfe\xff") && at(3):
		return utf32(data, binary.BigEndian)
	case len(data) > 3 && (at(0) && !at(1) || string(data[:2]) == "\xff\xfe") && !at(2) && !at(3):
		return utf32(data, binary.LittleEndian)
	case len(data) > 1 && (!at(0) && at(1) || string(data[:2]) == "\xfe\xff"):
		return inUTF16(data, binary.BigEndian)
	case len(data) > 1 && (at(0) && !at(1) || string(data[:2]) == "\xff\xfe"):
		return inUTF16(data, binary.LittleEndian)
	}
	return strings.TrimPrefix(strings.ToValidUTF8(string(data), "\uFFFD"), "\uFEFF")
}

func inUTF16(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\uFEFF")
}

func utf32(data []byte, order binary.ByteOrder) string {
	var b strings.Builder
	for ; len(data) >= 4; data = data[4:] {
		b.WriteRune(rune(order.Uint32(data))) //nolint:gosec // what is no character becomes U+FFFD
	}
	return strings.TrimPrefix(b.String(), "\uFEFF")
}

type parser struct {
	rest string
	sure bool
}

// next returns the first character after white space and comments; 0 at the end.
func (p *parser) next() byte {
	for {
		p.rest = strings.TrimLeftFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
		switch {
		case strings.HasPrefix(p.rest, "/*"):
			_, after, closed := strings.Cut(p.rest[2:], "*/")
			if !closed {
				return 0
			}
			p.rest = after
		case strings.HasPrefix(p.rest, "//"), strings.HasPrefix(p.rest, "#"):
			_, p.rest, _ = strings.Cut(p.rest, "\n")
		case p.rest == "":
			return 0
		default:
			return p.rest[0]
		}
	}
}

// skip passes over one character, where it is the next.
func (p *parser) skip(c byte) bool {
	if p.next() != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) value(depth int) (any, bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(depth)
	case isQuote(c):
		return p.text()
	case c == '+', c == '-', c == '.', c >= '0' && c <= '9':
		return p.number()
	}
	return p.word()
}

func (p *parser) object(depth int) (any, bool) {
	p.skip('{')
	members := map[string]any{}
	for !p.skip('}') {
		name, ok := p.name()
		if !ok || !p.skip(':') {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		if _, twice := members[name]; twice {
			p.sure = false
		}
		members[name] = v
		if !p.skip(',') && p.next() != '}' {
			return nil, false
		}
	}
	return members, true
}

func (p *parser) list(depth int) (any, bool) {
	p.skip('[')
	items := []any{}
	for !p.skip(']') {
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		items = append(items, v)
		if !p.skip(',') && p.next() != ']' {
			return nil, false
		}
	}
	return items, true
}

// name reads the name of a member: a string, or a word without quotes.
func (p *parser) name() (string, bool) {
	if isQuote(p.next()) {
		return p.text()
	}
	word := p.wordBytes()
	return word, word != ""
}

// wordBytes reads letters, digits and what else names are made of.
func (p *parser) wordBytes() string {
	p.next()
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !isWord(r) })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

func isWord(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// words are those of JSON, Python and JavaScript.
var words = map[string]any{
	"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false,
	"null": nil, "Null": nil, "NULL": nil, "None": nil, "undefined": nil,
}

func (p *parser) word() (any, bool) {
	word := p.wordBytes()
	if word == "NaN" || word == "Infinity" {
		p.sure = false
		return json.Number("0"), true
	}
	v, ok := words[word]
	return v, ok
}

// number reads a number: one of JSON, or with a sign, leading zeros, a point at
// an end, underscores between digits, or in base 16.
func (p *parser) number() (any, bool) {
	sign := ""
	if c := p.rest[0]; c == '-' || c == '+' {
		sign = strings.TrimPrefix(string(c), "+")
		p.rest = p.rest[1:]
	}
	if strings.HasPrefix(p.rest, "NaN") || strings.HasPrefix(p.rest, "Infinity") {
		return p.word()
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !isWord(r) && r != '.' && r != '+' && r != '-' })
	if end < 0 {
		end = len(p.rest)
	}
	digits := strings.ReplaceAll(p.rest[:end], "_", "")
	p.rest = p.rest[end:]
	if hex, ok := cutPrefixFold(digits, "0x"); ok {
		n, ok := new(big.Int).SetString(hex, 16)
		if !ok || len(hex) > 64 || strings.ContainsAny(hex, "+-") {
			return nil, false
		}
		return json.Number(sign + n.String()), true
	}
	whole, exponent := digits, ""
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		whole, exponent = digits[:i], digits[i:]
	}
	before, after, pointed := strings.Cut(whole, ".")
	if before+after == "" {
		return nil, false
	}
	if before = strings.TrimLeft(before, "0"); before == "" {
		before = "0"
	}
	text := sign + before
	if pointed && after != "" {
		text += "." + after
	}
	if text += exponent; !json.Valid([]byte(text)) {
		return nil, false
	}
	return json.Number(text), true
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func isQuote(c byte) bool { return slices.Contains([]byte("\"'`"), c) }

// escapes are those that stand for another character than themselves.
var escapes = map[byte]string{'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '0': "\x00", '\n': ""}

// text reads a string. Half a surrogate pair becomes U+FFFD.
func (p *parser) text() (string, bool) {
	p.next()
	quote := p.rest[0]
	p.rest = p.rest[1:]
	var b strings.Builder
	for len(p.rest) > 0 {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == quote:
			return b.String(), true
		case c != '\\':
			p.sure = p.sure && c >= ' '
			b.WriteByte(c)
		case p.rest == "":
			return "", false
		case p.rest[0] == 'u':
			units, ok := p.units()
			if !ok {
				return "", false
			}
			text := string(utf16.Decode(units))
			p.sure = p.sure && !strings.ContainsRune(text, utf8.RuneError)
			b.WriteString(text)
		case p.rest[0] == 'x':
			n, ok := p.hex(2)
			if !ok {
				return "", false
			}
			b.WriteRune(rune(n))
		default:
			r, size := utf8.DecodeRuneInString(p.rest)
			escaped, known := escapes[p.rest[0]]
			if !known {
				escaped = string(r)
				p.sure = p.sure && strings.ContainsRune("\"'`\\/", r)
			}
			b.WriteString(escaped)
			p.rest = p.rest[size:]
		}
	}
	return "", false
}

// units reads the escapes \uXXXX that follow one another: two may be one
// character.
func (p *parser) units() ([]uint16, bool) {
	var units []uint16
	for {
		n, ok := p.hex(4)
		if !ok {
			return nil, false
		}
		units = append(units, n)
		if !strings.HasPrefix(p.rest, `\u`) {
			return units, true
		}
		p.rest = p.rest[1:]
	}
}

// hex reads the digits of an escape, behind the letter that it starts with.
func (p *parser) hex(digits int) (uint16, bool) {
	if len(p.rest) < digits+1 {
		return 0, false
	}
	n, err := strconv.ParseUint(p.rest[1:digits+1], 16, 16)
	if err != nil {
		return 0, false
	}
	p.rest = p.rest[digits+1:]
	return uint16(n), true
}
