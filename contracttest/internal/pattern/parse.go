package pattern

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

type op int

const (
	opEmpty op = iota
	opClass    // one character of the class: runes are its ranges
	opCat
	opAlt
	opRepeat
	opGroup // a group that is captured
	opBackref
	opLook
	opBegin
	opEnd
	opBoundary    // \b
	opNotBoundary // \B
)

// endless is the greatest count of a repetition that has none.
const endless = math.MaxInt32

// node is a part of an expression.
type node struct {
	op       op
	subs     []*node
	runes    []rune // of a class: pairs of first and last, in order
	min, max int    // of a repetition
	group    int    // of a group or a back reference
	name     string // of a back reference to a named group, until it is resolved
	behind   bool   // of a look-around
	negative bool
}

type parser struct {
	src    []rune
	pos    int
	groups int
	names  map[string]int
	fold   bool // (?i), which is not ECMA's but is written
	slow   bool // has what RE2 lacks
	depth  int
	parts  []part
}

// part is an atom with its quantifier, by where it stands in the source.
type part struct {
	from, quantifier, end int
	atom                  *node
	min, max              int // times
}

const maxNesting = 200

var errNesting = errors.New("nested too deeply")

func parse(source string) (*node, *parser, error) {
	p := &parser{src: []rune(source), names: map[string]int{}}
	if strings.HasPrefix(source, "(?i)") {
		p.fold, p.pos = true, len("(?i)")
	}
	n, err := p.alternatives()
	if err == nil && p.pos < len(p.src) {
		err = errors.New("unmatched )")
	}
	if err == nil {
		err = p.resolve(n)
	}
	return n, p, err
}

// resolve turns the names of back references into numbers, and checks these.
func (p *parser) resolve(n *node) error {
	if n.op == opBackref {
		if n.name != "" {
			n.group = p.names[n.name]
		}
		if n.group == 0 || n.group > p.groups {
			return errors.New("a back reference to a group that is not there")
		}
	}
	for _, sub := range n.subs {
		if err := p.resolve(sub); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) more() bool { return p.pos < len(p.src) }

func (p *parser) peek() rune {
	if !p.more() {
		return -1
	}
	return p.src[p.pos]
}

func (p *parser) accept(s string) bool {
	r := []rune(s)
	if len(p.src)-p.pos < len(r) || !slices.Equal(p.src[p.pos:p.pos+len(r)], r) {
		return false
	}
	p.pos += len(r)
	return true
}

func (p *parser) alternatives() (*node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, errNesting
	}
	defer func() { p.depth-- }()
	var alts []*node
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		alts = append(alts, n)
		if !p.accept("|") {
			break
		}
	}
	if len(alts) == 1 {
		return alts[0], nil
	}
	return &node{op: opAlt, subs: alts}, nil
}

func (p *parser) sequence() (*node, error) {
	var parts []*node
	for p.more() && p.peek() != '|' && p.peek() != ')' {
		at := part{from: p.pos, min: 1, max: 1}
		atom, err := p.atom()
		if err != nil {
			return nil, err
		}
		at.atom, at.quantifier = atom, p.pos
		if atom, err = p.quantified(atom); err != nil {
			return nil, err
		}
		if at.end = p.pos; at.end > at.quantifier {
			at.min, at.max = atom.min, atom.max
		}
		p.parts = append(p.parts, at)
		parts = append(parts, atom)
	}
	switch len(parts) {
	case 0:
		return &node{op: opEmpty}, nil
	case 1:
		return parts[0], nil
	}
	return &node{op: opCat, subs: parts}, nil
}

func (p *parser) quantified(atom *node) (*node, error) {
	lo, hi := 0, endless
	switch {
	case p.accept("*"):
	case p.accept("+"):
		lo = 1
	case p.accept("?"):
		hi = 1
	default:
		var ok bool
		if lo, hi, ok = p.counts(); !ok {
			return atom, nil
		}
		if lo > hi {
			return nil, errors.New("the counts of a repetition are out of order")
		}
	}
	p.accept("?") // lazy or not makes no difference to whether there is a match
	switch p.peek() {
	case '*', '+', '?':
		return nil, errors.New("nothing to repeat")
	}
	return &node{op: opRepeat, min: lo, max: hi, subs: []*node{atom}}, nil
}

// counts reads {n}, {n,} or {n,m}. What is not one of them is text.
func (p *parser) counts() (lo, hi int, ok bool) {
	if p.peek() != '{' {
		return 0, 0, false
	}
	end := slices.Index(p.src[p.pos:], '}')
	if end < 0 {
		return 0, 0, false
	}
	first, second, two := strings.Cut(string(p.src[p.pos+1:p.pos+end]), ",")
	lo, err := strconv.Atoi(first)
	if err != nil || lo < 0 || lo > endless {
		return 0, 0, false
	}
	switch {
	case !two:
		hi = lo
	case second == "":
		hi = endless
	default:
		if hi, err = strconv.Atoi(second); err != nil || hi < 0 {
			return 0, 0, false
		}
	}
	p.pos += end + 1
	return lo, min(hi, endless), true
}

func (p *parser) atom() (*node, error) {
	c := p.src[p.pos]
	p.pos++
	switch c {
	case '^':
		return &node{op: opBegin}, nil
	case '$':
		return &node{op: opEnd}, nil
	case '.':
		return class(except([]rune{'\n', '\n', '\r', '\r', '\u2028', '\u2029'})), nil
	case '(':
		return p.group()
	case '[':
		runes, err := p.class()
		return class(runes), err
	case '\\':
		return p.escape()
	case '*', '+', '?':
		return nil, errors.New("nothing to repeat")
	}
	return class([]rune{c, c}), nil
}

func class(runes []rune) *node { return &node{op: opClass, runes: runes} }

func (p *parser) group() (*node, error) {
	n := &node{op: opGroup}
	switch {
	case p.accept("?:"):
		n = nil
	case p.accept("?="):
		n = &node{op: opLook}
	case p.accept("?!"):
		n = &node{op: opLook, negative: true}
	case p.accept("?<="):
		n = &node{op: opLook, behind: true}
	case p.accept("?<!"):
		n = &node{op: opLook, behind: true, negative: true}
	case p.accept("?<"), p.accept("?P<"):
		end := slices.Index(p.src[p.pos:], '>')
		if end <= 0 {
			return nil, errors.New("a group without a name")
		}
		p.groups++
		n.group = p.groups
		p.names[string(p.src[p.pos:p.pos+end])] = n.group
		p.pos += end + 1
	case p.peek() == '?':
		return nil, errors.New("a group of an unknown kind")
	default:
		p.groups++
		n.group = p.groups
	}
	if n != nil && n.op == opLook {
		p.slow = true
	}
	inner, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, errors.New("a ( that is not closed")
	}
	if n == nil {
		return inner, nil
	}
	n.subs = []*node{inner}
	return n, nil
}

func (p *parser) escape() (*node, error) {
	switch p.peek() {
	case -1:
		return nil, errors.New(`a \ at the end`)
	case 'b':
		p.pos++
		return &node{op: opBoundary}, nil
	case 'B':
		p.pos++
		return &node{op: opNotBoundary}, nil
	case 'A': // not ECMA's, as are \z and \Z, but written
		p.pos++
		return &node{op: opBegin}, nil
	case 'z', 'Z':
		p.pos++
		return &node{op: opEnd}, nil
	case 'k':
		if end := slices.Index(p.src[p.pos:], '>'); end > 2 && p.src[p.pos+1] == '<' {
			name := string(p.src[p.pos+2 : p.pos+end])
			p.pos += end + 1
			p.slow = true
			return &node{op: opBackref, name: name}, nil
		}
	}
	if c := p.peek(); c >= '1' && c <= '9' {
		n := 0
		for p.more() && p.peek() >= '0' && p.peek() <= '9' && n < 1000 {
			n = 10*n + int(p.peek()-'0')
			p.pos++
		}
		p.slow = true
		return &node{op: opBackref, group: n}, nil
	}
	runes, err := p.classEscape()
	return class(runes), err
}

// The classes of ECMA 262 §22.2.2.9.
var (
	digits = []rune{'0', '9'}
	word   = []rune{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}
	spaces = []rune{
		'\t', '\r', ' ', ' ', '\u00a0', '\u00a0', '\u1680', '\u1680', '\u2000', '\u200a', '\u2028', '\u2029',
		'\u202f', '\u202f', '\u205f', '\u205f', '\u3000', '\u3000', '\ufeff', '\ufeff',
	}
)

// classEscape reads what stands behind a \, in a class or outside: one
// character or several.
func (p *parser) classEscape() ([]rune, error) {
	if !p.more() {
		return nil, errors.New(`a \ at the end`)
	}
	c := p.src[p.pos]
	p.pos++
	one := func(r rune) ([]rune, error) { return []rune{r, r}, nil }
	switch c {
	case 'd':
		return digits, nil
	case 'D':
		return except(digits), nil
	case 'w':
		return word, nil
	case 'W':
		return except(word), nil
	case 's':
		return spaces, nil
	case 'S':
		return except(spaces), nil
	case 'p', 'P':
		if p.peek() == '{' {
			return p.property(c == 'P')
		}
	case 't':
		return one('\t')
	case 'n':
		return one('\n')
	case 'v':
		return one('\v')
	case 'f':
		return one('\f')
	case 'r':
		return one('\r')
	case '0':
		return one(0)
	case 'c':
		if r := p.peek(); r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			p.pos++
			return one(r % 32)
		}
	case 'x':
		if r, ok := p.hex(2); ok {
			return one(r)
		}
	case 'u':
		if r, ok := p.hex(4); ok {
			if utf16.IsSurrogate(r) && p.accept(`\u`) {
				low, ok := p.hex(4)
				if full := utf16.DecodeRune(r, low); ok && full != unicode.ReplacementChar {
					return one(full)
				}
				return nil, errors.New("half a surrogate pair")
			}
			return one(r)
		}
	}
	return one(c)
}

// hex reads n hexadecimal digits, or any number of them in braces.
func (p *parser) hex(n int) (rune, bool) {
	text, end := "", p.pos+n
	if p.peek() == '{' {
		i := slices.Index(p.src[p.pos:], '}')
		if i < 2 {
			return 0, false
		}
		text, end = string(p.src[p.pos+1:p.pos+i]), p.pos+i+1
	} else if end <= len(p.src) {
		text = string(p.src[p.pos:end])
	}
	v, err := strconv.ParseUint(text, 16, 32)
	if err != nil || v > unicode.MaxRune {
		return 0, false
	}
	p.pos = end
	return rune(v), true
}

// categories are the long names of general categories (ECMA 262 §22.2.2.9,
// table 68), the short ones of which the unicode package has.
var categories = map[string]string{
	"Letter": "L", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu", "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo",
	"Mark": "M", "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl", "Other_Number": "No",
	"Punctuation": "P", "punct": "P", "Symbol": "S", "Separator": "Z", "Space_Separator": "Zs", "Other": "C", "Control": "Cc", "cntrl": "Cc",
	"Connector_Punctuation": "Pc", "Dash_Punctuation": "Pd", "Currency_Symbol": "Sc", "Math_Symbol": "Sm",
}

// property reads the class of a Unicode property.
func (p *parser) property(negative bool) ([]rune, error) {
	end := slices.Index(p.src[p.pos:], '}')
	if end < 0 {
		return nil, errors.New(`a \p{ that is not closed`)
	}
	name := string(p.src[p.pos+1 : p.pos+end])
	p.pos += end + 1
	kind, value, named := strings.Cut(name, "=")
	if !named {
		value = name
	}
	if short := categories[value]; short != "" {
		value = short
	}
	var table *unicode.RangeTable
	switch {
	case value == "Any":
		table = &unicode.RangeTable{R32: []unicode.Range32{{Lo: 0, Hi: unicode.MaxRune, Stride: 1}}}
	case value == "ASCII":
		table = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0, Hi: unicode.MaxASCII, Stride: 1}}}
	case value == "Alphabetic" || value == "Alpha":
		table = unicode.L
	case named && (kind == "Script" || kind == "sc" || kind == "Script_Extensions" || kind == "scx"):
		table = unicode.Scripts[value]
	case unicode.Categories[value] != nil:
		table = unicode.Categories[value]
	default:
		table = unicode.Properties[value]
	}
	if table == nil {
		return nil, fmt.Errorf("the property %s is not known", name)
	}
	runes := ranges(table)
	if negative {
		runes = except(runes)
	}
	return runes, nil
}

func ranges(t *unicode.RangeTable) []rune {
	var all []rune
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			all = append(all, lo, hi)
			return
		}
		for r := lo; r <= hi; r += stride {
			all = append(all, r, r)
		}
	}
	for _, r := range t.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride)) //nolint:gosec // code points
	}
	return union(all)
}

func (p *parser) class() ([]rune, error) {
	negative := p.accept("^")
	var all []rune
	for {
		if !p.more() {
			return nil, errors.New("a [ that is not closed")
		}
		if p.accept("]") {
			break
		}
		first, single, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if p.peek() == '-' && p.pos+1 < len(p.src) && p.src[p.pos+1] != ']' {
			before := p.pos
			p.pos++
			last, lastSingle, err := p.classAtom()
			if err != nil {
				return nil, err
			}
			if single && lastSingle {
				if last[0] < first[0] {
					return nil, errors.New("a range that is out of order")
				}
				all = append(all, first[0], last[0])
				continue
			}
			p.pos = before // a class on either side: the - is one
		}
		all = append(all, first...)
	}
	all = union(all)
	if negative {
		all = except(all)
	}
	return all, nil
}

func (p *parser) classAtom() (runes []rune, single bool, err error) {
	c := p.src[p.pos]
	p.pos++
	if c != '\\' {
		return []rune{c, c}, true, nil
	}
	if p.peek() == 'b' {
		p.pos++
		return []rune{'\b', '\b'}, true, nil
	}
	runes, err = p.classEscape()
	return runes, len(runes) == 2 && runes[0] == runes[1], err
}

// union puts ranges in order and joins those that touch.
func union(all []rune) []rune {
	type span struct{ lo, hi rune }
	spans := make([]span, 0, len(all)/2)
	for i := 0; i+1 < len(all); i += 2 {
		spans = append(spans, span{all[i], all[i+1]})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.lo) - int(b.lo) })
	var out []rune
	for _, s := range spans {
		if n := len(out); n > 0 && s.lo <= out[n-1]+1 {
			out[n-1] = max(out[n-1], s.hi)
			continue
		}
		out = append(out, s.lo, s.hi)
	}
	return out
}

// except returns all characters outside the ranges, which are in order.
func except(in []rune) []rune {
	var out []rune
	next := rune(0)
	for i := 0; i+1 < len(in); i += 2 {
		if in[i] > next {
			out = append(out, next, in[i]-1)
		}
		next = in[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}
