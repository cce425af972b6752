package unique

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// form is that of names such as AB123456, of which the run chooses some: letters and digits in the
// places of those of a planned name, the first of which tell the run and the last of which count.
type form struct {
	planned    string
	alphabet   alphabet
	begin, end string
	count      atomic.Int64
}

// formRoom is how many names a form has to have for the run's own beginning, so that those of
// others are not like it, and with one.
const formRoom = 10_000

// pattern matches the names of the run, however their letters are written, and as a URL has them.
func (f *form) pattern() string {
	var b strings.Builder
	for i, c := range f.begin + f.end {
		switch own := i < len(f.begin); {
		case !own && c >= '0' && c <= '9':
			b.WriteString(`[0-9]`)
		case !own && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			b.WriteString(`[a-z]`)
		default:
			b.WriteString(`(?:` + regexp.QuoteMeta(string(c)) + `|` + regexp.QuoteMeta(url.QueryEscape(string(c))) + `)`)
		}
	}
	return `\b` + b.String() + `\b`
}

// mark is the name that stands for one of the run; empty where it is none of this form.
func (f *form) mark(found string, n int) string {
	name, err := url.PathUnescape(found)
	if err != nil || len(name) != len(f.planned) || !strings.EqualFold(name[:len(f.begin)], f.begin) {
		return ""
	}
	shown := f.planned[:len(f.begin)] + f.alphabet.count(f.end, int64(n), 0, func(at, _ int64) int64 { return at })
	if name != found {
		return url.QueryEscape(shown)
	}
	return shown
}

// Like is a new name of the form of a planned one; empty where there are too few of them, or where
// the names of the run are not wanted.
func (t *Token) Like(planned string, wanted func(string) bool) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	forms := *t.forms.Load()
	i := slices.IndexFunc(forms, func(f *form) bool { return f.planned == planned })
	if i >= 0 {
		return forms[i].next(t)
	}
	for _, a := range []alphabet{{'1', 26}, {'0', 26}, {'1', 6}, {'0', 6}} {
		f := &form{planned: planned, alphabet: a}
		for at := len(planned) - 1; at > 0 && f.end == ""; at-- {
			if a.texts(planned[at:]) >= formRoom {
				f.begin, f.end = planned[:at], planned[at:]
			}
		}
		if a.texts(f.begin) < formRoom {
			continue
		}
		f.begin = a.likeness(f.begin, t.text, 0, 0)
		if name := f.next(t); wanted(name) {
			forms = append(slices.Clone(forms), f)
			t.forms.Store(&forms)
			t.compile()
			return name
		}
	}
	return ""
}

func (f *form) next(t *Token) string {
	return f.begin + f.alphabet.likeness(f.end, t.text, f.count.Add(1), 0)
}

// alphabet is what may stand in the place of a digit and of a letter: the least digit and those
// above it, and so many letters.
type alphabet struct {
	least   rune
	letters int64
}

func alphabetOf(v string, least rune) alphabet {
	if strings.Trim(strings.ToLower(v), "0123456789abcdef-") == "" { // hexadecimal
		return alphabet{least, 6}
	}
	return alphabet{least, 26}
}

// likeness has other letters and digits in the places of those of a text, from some place on and
// from the least of the digits on: for each number others, as long as there are any.
func (a alphabet) likeness(v, suffix string, n int64, from int) string {
	r := seeded(suffix[:tokenLength], 0)
	return a.count(v, n, from, func(_, choices int64) int64 { return r.Int64N(choices) })
}

// texts is how many of them a text has, if there are fewer than a form needs.
func (a alphabet) texts(v string) int64 {
	all := int64(1)
	a.count(v, 0, 0, func(_, choices int64) int64 {
		all = min(all*choices, formRoom)
		return 0
	})
	return all
}

// count counts with the letters and digits of a text, from some place on: each begins with one of
// its choices, as it is told for the one that is there.
func (a alphabet) count(v string, n int64, from int, begin func(at, choices int64) int64) string {
	out := []rune(v)
	for i, c := range slices.Backward(out) {
		if i < from {
			break
		}
		first, choices := a.symbols(c)
		if choices == 0 {
			continue
		}
		out[i] = first + rune((begin(int64(c-first), choices)+n)%choices) //nolint:gosec // it is small
		n /= choices
	}
	return string(out)
}

// symbols are the letters or digits that may stand in the place of one, as the first of them and
// how many they are; none for what has to stay.
func (a alphabet) symbols(c rune) (first rune, choices int64) {
	switch {
	case c >= 'a' && c <= 'z':
		return 'a', a.letters
	case c >= 'A' && c <= 'Z':
		return 'A', a.letters
	case c >= a.least && c <= '9':
		return a.least, int64('9'-a.least) + 1
	}
	return 0, 0
}
