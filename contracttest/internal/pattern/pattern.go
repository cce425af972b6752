package pattern

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// Pattern is a regular expression that can be matched. It is safe for
// concurrent use.
type Pattern struct {
	source string
	root   *node
	parts  []part
	quick  *regexp.Regexp  // nil where the expression has what RE2 lacks
	slow   *regexp2.Regexp // used then
}

// matchTimeout bounds what a match may take: with look-around and back
// references it may take exponential time.
const matchTimeout = 250 * time.Millisecond

// maxCompiled bounds how many expressions are kept.
const maxCompiled = 10_000

var compiled struct {
	sync.Mutex
	patterns map[string]result
}

type result struct {
	pattern *Pattern
	err     error
}

// Compile reads an expression. Each is read once.
func Compile(source string) (*Pattern, error) {
	compiled.Lock()
	defer compiled.Unlock()
	if r, ok := compiled.patterns[source]; ok {
		return r.pattern, r.err
	}
	p, err := compile(source)
	if compiled.patterns == nil || len(compiled.patterns) >= maxCompiled {
		compiled.patterns = map[string]result{}
	}
	compiled.patterns[source] = result{p, err}
	return p, err
}

func compile(source string) (*Pattern, error) {
	root, parser, err := parse(source)
	if err != nil {
		return nil, fmt.Errorf("%q is no regular expression of ECMA 262: %w", source, err)
	}
	p := &Pattern{source: source, root: root, parts: parser.parts}
	if !parser.slow {
		var b strings.Builder
		if parser.fold {
			b.WriteString("(?i)")
		}
		write(&b, root)
		if p.quick, err = regexp.Compile(b.String()); err == nil {
			return p, nil
		}
	}
	if p.slow, err = regexp2.Compile(source, regexp2.ECMAScript|regexp2.Unicode); err != nil {
		if p.slow, err = regexp2.Compile(source, regexp2.ECMAScript); err != nil {
			return nil, fmt.Errorf("%q cannot be matched: %w", source, err)
		}
	}
	p.slow.MatchTimeout = matchTimeout
	return p, nil
}

// MatchString reports whether the expression matches anywhere in s. One that
// takes too long to say so does not.
func (p *Pattern) MatchString(s string) bool {
	ok, err := p.match(s)
	return err == nil && ok
}

// Never reports whether no text matches, as the expression wants a character before the beginning of
// the text, or after its end. It may be that none does for another reason.
func (p *Pattern) Never() bool { return p.root.never() }

func (n *node) never() bool {
	switch n.op {
	case opAlt:
		return !slices.ContainsFunc(n.subs, func(sub *node) bool { return !sub.never() })
	case opRepeat:
		return n.min > 0 && n.subs[0].never()
	case opCat, opGroup:
		before, ended := 0, false
		for _, sub := range n.subs {
			least, _ := sub.lengths()
			if sub.never() || before > 0 && sub.asserts(opBegin) || ended && least > 0 {
				return true
			}
			before += least
			ended = ended || sub.asserts(opEnd)
		}
	}
	return false
}

// asserts reports whether the part cannot match without an anchor.
func (n *node) asserts(anchor op) bool {
	inside := func(sub *node) bool { return sub.asserts(anchor) }
	switch n.op {
	case anchor:
		return true
	case opAlt:
		return !slices.ContainsFunc(n.subs, func(sub *node) bool { return !inside(sub) })
	case opRepeat:
		return n.min > 0 && inside(n.subs[0])
	case opCat, opGroup:
		return slices.ContainsFunc(n.subs, inside)
	}
	return false
}

// match tells a match that takes too long from none.
func (p *Pattern) match(s string) (bool, error) {
	if p.quick != nil {
		return p.quick.MatchString(s), nil
	}
	return p.slow.MatchString(s)
}

func (p *Pattern) String() string { return p.source }

// write writes an expression in the syntax of RE2, with classes spelt out:
// what \s and . stand for differs.
func write(b *strings.Builder, n *node) {
	group := func(sub *node) {
		b.WriteString("(?:")
		write(b, sub)
		b.WriteString(")")
	}
	switch n.op {
	case opEmpty, opBackref, opLook:
	case opClass:
		writeClass(b, n.runes)
	case opCat:
		for _, sub := range n.subs {
			if sub.op == opAlt {
				group(sub)
				continue
			}
			write(b, sub)
		}
	case opAlt:
		for i, sub := range n.subs {
			if i > 0 {
				b.WriteString("|")
			}
			write(b, sub)
		}
	case opGroup:
		group(n.subs[0])
	case opRepeat:
		group(n.subs[0])
		if n.max == endless {
			fmt.Fprintf(b, "{%d,}", n.min)
		} else {
			fmt.Fprintf(b, "{%d,%d}", n.min, n.max)
		}
	case opBegin:
		b.WriteString(`\A`)
	case opEnd:
		b.WriteString(`\z`)
	case opBoundary:
		b.WriteString(`\b`)
	case opNotBoundary:
		b.WriteString(`\B`)
	}
}

func writeClass(b *strings.Builder, runes []rune) {
	if len(runes) == 0 {
		b.WriteString(`[^\x00-\x{10FFFF}]`)
		return
	}
	b.WriteString("[")
	for i := 0; i+1 < len(runes); i += 2 {
		fmt.Fprintf(b, `\x{%X}-\x{%X}`, runes[i], runes[i+1])
	}
	b.WriteString("]")
}
