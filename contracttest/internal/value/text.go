package value

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

const (
	maxCount = 1000      // items or properties that are made at most to reach a documented bound
	maxText  = 256 << 10 // characters that are made at most to reach a documented length
	longText = 64 << 10  // characters of the longest string where no length is documented
)

// formats holds a value for each format that kin-openapi or a receiver may
// check.
var formats = map[string]string{
	"date": "2024-02-29", "date-time": "2024-02-29T12:34:56Z", "time": "12:34:56Z", "duration": "P1DT2H",
	"uuid": "123e4567-e89b-42d3-a456-426614174000", "email": "someone@example.com", "idn-email": "someone@example.com",
	"hostname": "example.com", "idn-hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"uri": "https://example.com/a", "uri-reference": "/a", "iri": "https://example.com/a", "iri-reference": "/a", "url": "https://example.com/a",
	"uri-template": "/a/{b}", "json-pointer": "/a", "relative-json-pointer": "1", "regex": "^a$", "byte": "YQ==",
}

// String makes a string that keeps the node's length, pattern and format.
func String(n *contract.Node) (string, error) {
	s := n.Schema
	if text, ok := formats[s.Format]; ok && n.Validates(text) == nil {
		return text, nil
	}
	if s.Pattern != "" {
		text, err := matching(s.Pattern, int(min(s.MinLength, maxText)))
		if err != nil {
			return "", fmt.Errorf("%s: %w", n.Subject, err)
		}
		return text, nil
	}
	if s.MinLength > maxText {
		return "", fmt.Errorf("%s: a string of %d characters is not made, the longest has %d", n.Subject, s.MinLength, maxText)
	}
	length := max(int(s.MinLength), 8)
	if s.MaxLength != nil {
		length = int(min(uint64(length), *s.MaxLength))
	}
	return Letters(length), nil
}

// Letters makes a string of n lower-case letters in which no part stands out.
func Letters(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz"
	return strings.Repeat(alphabet, n/len(alphabet)) + alphabet[:n%len(alphabet)]
}

var errPattern = errors.New("no string is made for the pattern")

// matching makes a string of at least length characters that a pattern
// matches: the first choice everywhere, repeated where it may be.
func matching(pattern string, length int) (string, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", fmt.Errorf("%w %s: %w", errPattern, pattern, err)
	}
	with := func(extra int) (string, error) {
		var b strings.Builder
		if err := write(&b, re, extra); err != nil {
			return "", fmt.Errorf("%w %s: %w", errPattern, pattern, err)
		}
		return b.String(), nil
	}
	// The fewest further rounds of each repetition that make it long enough.
	extra := sort.Search(length, func(extra int) bool {
		text, err := with(extra)
		return err != nil || utf8.RuneCountInString(text) >= length
	})
	text, err := with(extra)
	if err == nil && utf8.RuneCountInString(text) < length {
		err = fmt.Errorf("%w %s: none has %d characters", errPattern, pattern, length)
	}
	return text, err
}

func write(b *strings.Builder, re *syntax.Regexp, extra int) error {
	rounds := func(lo, hi int) error {
		n := lo + extra
		if hi >= 0 {
			n = min(n, hi)
		}
		for range n {
			if b.Len() > 4*maxText {
				return errors.New("too long")
			}
			if err := write(b, re.Sub[0], 0); err != nil {
				return err
			}
		}
		return nil
	}
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText:
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		r, ok := pick(re.Rune)
		if !ok {
			return errors.New("an empty class")
		}
		b.WriteRune(r)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteRune('a')
	case syntax.OpCapture:
		return write(b, re.Sub[0], extra)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if err := write(b, sub, extra); err != nil {
				return err
			}
		}
	case syntax.OpAlternate:
		return write(b, re.Sub[0], extra)
	case syntax.OpStar:
		return rounds(0, -1)
	case syntax.OpPlus:
		return rounds(1, -1)
	case syntax.OpQuest:
		return rounds(0, 1)
	case syntax.OpRepeat:
		return rounds(re.Min, re.Max)
	default:
		return fmt.Errorf("%v is not supported", re.Op)
	}
	return nil
}

// pick takes a letter or digit of a class where it has one, else its first
// printable character, else its first.
func pick(class []rune) (rune, bool) {
	for _, want := range []func(rune) bool{
		func(r rune) bool { return r < unicode.MaxASCII && (unicode.IsLower(r) || unicode.IsDigit(r)) },
		func(r rune) bool { return r < unicode.MaxASCII && unicode.IsGraphic(r) && r != ' ' },
	} {
		for i := 0; i+1 < len(class); i += 2 {
			for r := class[i]; r <= class[i+1] && r < unicode.MaxASCII; r++ {
				if want(r) {
					return r, true
				}
			}
		}
	}
	if len(class) < 2 {
		return 0, false
	}
	return class[0], true
}
