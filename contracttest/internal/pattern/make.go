package pattern

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

const (
	tries   = 200     // strings that are tried at most
	spread  = 40      // how much longer than needed they are at most
	maxMade = 1 << 19 // characters of a string that is made, at most
)

// Strings makes strings of at least and at most so many characters that the
// pattern matches: first the plainest, then others, each of another seed. most
// is negative where there is no bound. The order is always the same.
func (p *Pattern) Strings(least, most int) iter.Seq[string] { return p.strings(least, most, tries) }

// strings makes what so many tries come to. It ends where a match takes too long
// to say.
func (p *Pattern) strings(least, most, tries int) iter.Seq[string] {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		lo, hi := p.root.lengths()
		if lo > maxMade || most >= 0 && lo > most || least > maxMade {
			return
		}
		for try := range tries {
			m := &maker{captured: map[int][]rune{}}
			want := max(least, lo)
			if try > 0 {
				m.rand = rand.New(rand.NewPCG(1, uint64(try)))
				want += m.rand.IntN(1 + min(spread, try))
			}
			if most >= 0 {
				want = min(want, most)
			}
			m.make(p.root, min(want, hi))
			if m.failed {
				continue
			}
			for _, s := range m.variants(least) {
				n := len([]rune(s))
				if seen[s] || n < least || most >= 0 && n > most {
					continue
				}
				matches, err := p.match(s)
				if err != nil {
					return
				}
				if !matches {
					continue
				}
				seen[s] = true
				if !yield(s) {
					return
				}
			}
		}
	}
}

// lengths returns how many characters the part makes at least and at most.
func (n *node) lengths() (least, most int) {
	switch n.op {
	case opClass:
		return 1, 1
	case opCat, opGroup:
		for _, sub := range n.subs {
			lo, hi := sub.lengths()
			least, most = min(least+lo, endless), min(most+hi, endless)
		}
	case opAlt:
		least, most = n.subs[0].lengths()
		for _, sub := range n.subs[1:] {
			lo, hi := sub.lengths()
			least, most = min(least, lo), max(most, hi)
		}
	case opRepeat:
		lo, hi := n.subs[0].lengths()
		return int(min(int64(lo)*int64(n.min), endless)), int(min(int64(hi)*int64(n.max), endless))
	case opBackref:
		return 0, endless
	}
	return least, most
}

// maker makes one string. Without a source of chance it takes the first choice
// everywhere.
type maker struct {
	choices  map[*rune][]rune // of a class, by where it is
	rand     *rand.Rand
	out      []rune
	captured map[int][]rune
	looks    []*node // positive look-around that the string has to satisfy besides
	failed   bool
}

// make writes a part as want characters, or as near to that as it gets.
func (m *maker) make(n *node, want int) {
	if len(m.out) > maxMade {
		m.failed = true
	}
	if m.failed {
		return
	}
	switch n.op {
	case opClass:
		r, ok := m.pick(n.runes)
		m.failed = !ok
		m.out = append(m.out, r)
	case opCat:
		rest := 0
		for _, sub := range n.subs {
			lo, _ := sub.lengths()
			rest += lo
		}
		more := max(0, want-rest) // to be spread over the parts
		for _, sub := range n.subs {
			lo, hi := sub.lengths()
			extra := min(more, hi-lo)
			if m.rand != nil && extra > 0 {
				extra = m.rand.IntN(extra + 1)
				if sub == n.subs[len(n.subs)-1] {
					extra = min(more, hi-lo)
				}
			}
			before := len(m.out)
			m.make(sub, lo+extra)
			more = max(0, more-(len(m.out)-before-lo))
		}
	case opAlt:
		m.make(m.choose(n.subs, want), want)
	case opRepeat:
		m.repeat(n, want)
	case opGroup:
		start := len(m.out)
		m.make(n.subs[0], want)
		m.captured[n.group] = slices.Clone(m.out[start:])
	case opBackref:
		m.out = append(m.out, m.captured[n.group]...)
	case opLook:
		if !n.negative {
			m.looks = append(m.looks, n.subs[0])
		}
	}
}

func (m *maker) choose(alts []*node, want int) *node {
	var fit []*node
	longest, most := alts[0], -1
	for _, alt := range alts {
		lo, hi := alt.lengths()
		if lo <= want && want <= hi {
			fit = append(fit, alt)
		}
		if hi > most {
			longest, most = alt, hi
		}
	}
	switch {
	case m.rand != nil && len(fit) > 0:
		return fit[m.rand.IntN(len(fit))]
	case m.rand != nil:
		return alts[m.rand.IntN(len(alts))]
	case len(fit) > 0:
		return fit[0]
	}
	if lo, _ := alts[0].lengths(); lo >= want {
		return alts[0]
	}
	return longest
}

func (m *maker) repeat(n *node, want int) {
	lo, hi := n.subs[0].lengths()
	rounds := n.min
	if hi > 0 {
		per := hi
		if m.rand != nil && lo > 0 && lo < hi {
			per = lo + m.rand.IntN(min(hi, lo+8)-lo+1)
		}
		full := (want + per - 1) / per
		if full*lo > want {
			full = want / per
		}
		rounds = max(rounds, full)
	}
	rounds = min(rounds, n.max)
	for i := range rounds {
		target := max(lo, min(hi, want-(rounds-1-i)*lo))
		before := len(m.out)
		m.make(n.subs[0], target)
		want -= len(m.out) - before
		if m.failed {
			return
		}
	}
}

// pick takes a letter or digit of a class where it has one, else its first
// printable character, else its first; or any printable one by chance.
func (m *maker) pick(class []rune) (rune, bool) {
	if len(class) == 0 {
		return 0, false
	}
	choices, known := m.choices[&class[0]]
	if !known {
		choices = m.candidates(class)
		if m.choices == nil {
			m.choices = map[*rune][]rune{}
		}
		m.choices[&class[0]] = choices
	}
	if m.rand != nil {
		return choices[m.rand.IntN(len(choices))], true
	}
	return choices[0], true
}

// candidates lists what is picked from: one character, or by chance any printable
// one.
func (m *maker) candidates(class []rune) []rune {
	if m.rand != nil {
		var some []rune
		for i := 0; i+1 < len(class) && len(some) < 256; i += 2 {
			for r := class[i]; r <= class[i+1] && len(some) < 256; r++ {
				if unicode.IsGraphic(r) {
					some = append(some, r)
				}
			}
		}
		if len(some) > 0 {
			if ascii := slices.IndexFunc(some, func(r rune) bool { return r > unicode.MaxASCII }); ascii > 0 {
				some = some[:ascii]
			}
			return some
		}
	}
	for _, want := range []func(rune) bool{
		func(r rune) bool { return unicode.IsLower(r) || unicode.IsDigit(r) },
		func(r rune) bool { return unicode.IsGraphic(r) && r != ' ' },
	} {
		for i := 0; i+1 < len(class); i += 2 {
			for r := class[i]; r <= class[i+1] && r < unicode.MaxASCII; r++ {
				if want(r) {
					return []rune{r}
				}
			}
		}
	}
	return class[:1]
}

// variants are the string as it was made, with what look-around asks for put
// into it, and with letters around it for a pattern that lets them stand there.
func (m *maker) variants(least int) []string {
	text := string(m.out)
	all := []string{text}
	if len(m.looks) > 0 && m.rand != nil {
		with := slices.Clone(m.out)
		for _, look := range m.looks {
			lo, _ := look.lengths()
			inner := &maker{rand: m.rand, captured: m.captured}
			inner.make(look, lo)
			if n := len(inner.out); !inner.failed && n <= len(with) {
				copy(with[m.rand.IntN(len(with)-n+1):], inner.out)
			} else if !inner.failed {
				all = append(all, string(inner.out))
			}
		}
		all = append(all, string(with))
	}
	if missing := least - len(m.out); missing > 0 {
		fill := strings.Repeat("abcdefghijklmnopqrstuvwxyz", missing/26+1)[:missing]
		all = append(all, text+fill, fill+text)
	}
	return all
}
