package pattern

import (
	"fmt"
	"iter"
	"strings"
)

// How far NearMisses looks: parts of the expression, and strings that are tried
// for each.
const (
	maxParts  = 40
	nearTries = 10
)

// NearMisses makes strings of at least and at most so many characters (most is
// negative where there is no bound) that the pattern does not match, but that one
// would which differs in a single part: a character outside its class, one time
// too few or too many, what a look-ahead forbids, another text than that which is
// referred back to. The order is always the same.
func (p *Pattern) NearMisses(least, most int) iter.Seq[string] {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for other := range p.others() {
			near, err := compile(other)
			if err != nil {
				continue
			}
			for s := range near.strings(least, most, nearTries) {
				matches, err := p.match(s)
				if err != nil {
					return // it takes too long to match anything
				}
				if !matches {
					if !seen[s] && !yield(s) {
						return
					}
					seen[s] = true
					break
				}
			}
		}
	}
}

// OtherCase makes a string that the pattern does not match, but that one would
// which pays no heed to the case of ASCII letters: the slip of a flag, or of
// [A-Za-z] for [a-z].
func (p *Pattern) OtherCase(least, most int) (string, bool) {
	source := []rune(p.source)
	for _, at := range p.parts[:min(len(p.parts), maxParts)] {
		if at.atom.op != opClass {
			continue
		}
		other := swappedCase(at.atom.runes)
		if other == "" {
			continue
		}
		if at.end > at.quantifier {
			other = fmt.Sprintf("%s{%d}%s", string(source[at.from:at.quantifier]), max(at.min, 1)-1, other)
		}
		near, err := compile(string(source[:at.from]) + other + string(source[at.end:]))
		if err != nil {
			continue
		}
		for s := range near.strings(least, most, nearTries) {
			matches, err := p.match(s)
			if err != nil {
				return "", false // it takes too long to match anything
			}
			if !matches {
				return s, true
			}
		}
	}
	return "", false
}

// swappedCase writes the class of the ASCII letters that are in a class in the
// other case alone; empty where there are none.
func swappedCase(runes []rune) string {
	has := func(r rune) bool {
		for i := 0; i+1 < len(runes); i += 2 {
			if runes[i] <= r && r <= runes[i+1] {
				return true
			}
		}
		return false
	}
	var b strings.Builder
	for r := 'a'; r <= 'z'; r++ {
		switch upper := r - 'a' + 'A'; {
		case has(r) && !has(upper):
			b.WriteRune(upper)
		case has(upper) && !has(r):
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "[" + b.String() + "]"
}

// others are the expressions that differ in one part.
func (p *Pattern) others() iter.Seq[string] {
	source := []rune(p.source)
	return func(yield func(string) bool) {
		for _, at := range p.parts[:min(len(p.parts), maxParts)] {
			with := func(text string) bool { return yield(string(source[:at.from]) + text + string(source[at.end:])) }
			for _, text := range p.instead(at, source) {
				if !with(text) {
					return
				}
			}
		}
	}
}

// instead lists what may stand in place of a part.
func (p *Pattern) instead(at part, source []rune) []string {
	atom := string(source[at.from:at.quantifier])
	quantified := at.end > at.quantifier
	var all []string
	switch at.atom.op {
	case opLook:
		opposite := strings.NewReplacer("(?=", "(?!", "(?!", "(?=", "(?<=", "(?<!", "(?<!", "(?<=")
		head := atom[:strings.IndexAny(atom, "=!")+1]
		all = append(all, opposite.Replace(head)+atom[len(head):])
		if at.atom.negative && !at.atom.behind { // what is forbidden, and then the rest
			all = append(all, "(?:"+atom[len(head):])
		}
		return all
	case opBackref:
		for _, group := range p.parts {
			if text := string(source[group.from:group.quantifier]); group.atom.op == opGroup && group.atom.group == at.atom.group && !strings.HasPrefix(text, "(?") {
				all = append(all, "(?!"+atom+")(?:"+text[1:])
			}
		}
		return all
	case opClass:
		other := outside(atom)
		if !quantified {
			return append(all, other)
		}
		if n := max(at.min, 1) - 1; at.max > 0 {
			all = append(all, fmt.Sprintf("%s{%d}%s", atom, n, other), fmt.Sprintf("%s%s{%d}", other, atom, n))
		}
	case opBegin, opEnd, opBoundary, opNotBoundary:
		return nil
	}
	if quantified && at.min > 0 {
		all = append(all, fmt.Sprintf("%s{%d}", atom, at.min-1))
	}
	if quantified && at.max < maxMade {
		all = append(all, fmt.Sprintf("%s{%d}", atom, at.max+1))
	}
	return all
}

// outside writes the class of the characters that an atom does not match.
func outside(atom string) string {
	switch {
	case strings.HasPrefix(atom, "[^"):
		return "[" + atom[2:]
	case strings.HasPrefix(atom, "["):
		return "[^" + atom[1:]
	case atom == ".":
		return `\n`
	case strings.ContainsAny(atom, `]^-`) && len(atom) == 1:
		return `[^\` + atom + "]"
	}
	return "[^" + atom + "]"
}

// Mutated yields strings that differ from one in a digit or a letter.
func Mutated(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		r := []rune(text)
		for i := len(r) - 1; i >= 0 && len(r) <= 200; i-- {
			row := ""
			switch c := r[i]; {
			case c >= '0' && c <= '9':
				row = "0123456789"
			case c >= 'a' && c <= 'z':
				row = "abcdefghijklmnopqrstuvwxyz"
			case c >= 'A' && c <= 'Z':
				row = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			}
			for _, c := range row {
				if c != r[i] && !yield(string(r[:i])+string(c)+string(r[i+1:])) {
					return
				}
			}
		}
	}
}
