package unique

import (
	"hash/fnv"
	mathrand "math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Few is how many characters a text has of which there are few.
const Few = 2

// Candidates lists texts like another, the most telling first: with the token
// added, in the place of its end, and with other letters and digits. Only those of
// the same length will do for a text that a case is about.
func Candidates(v, suffix string, n int64, longer bool) []string {
	var all []string
	runes := []rune(v)
	local, domain, isAddress := strings.Cut(v, "@")
	if longer {
		if isAddress {
			all = append(all, local+"-"+suffix+"@"+domain, suffix+"@"+domain)
		}
		all = append(all, v+"-"+suffix, v+suffix)
	}
	if l := []rune(local); isAddress && len(l) > len(suffix) {
		all = append(all, string(l[:len(l)-len(suffix)])+suffix+"@"+domain)
	}
	if len(runes) > len(suffix) {
		cut := string(runes[:len(runes)-len(suffix)]) + suffix
		all = append(all, cut)
	}
	if longer {
		all = append(all, suffix, strings.ToUpper(suffix))
	}
	for try := range int64(4) {
		if len(runes) <= Few {
			all = append(all, anyOf(len(runes), suffix, n<<2+try))
		}
		all = append(all, alphabetOf(v, '1').likeness(v, suffix, n<<2+try, 0))
	}
	// A zero may be a digit as any other, and a text begin with what is always so.
	for from := 0; from < len(runes); from += (len(runes) - from + 1) / 2 {
		all = append(all, alphabetOf(v, '0').likeness(v, suffix, n, from))
	}
	return all
}

// enough is how many texts there have to be of a form that are new.
const enough = 100_000

// InForm has other letters and digits at the end of a text, as few as there have to be: it may
// begin with what is always so, as SKU-00042 and +49301234567 do.
func InForm(v, suffix string, n int64) string {
	out, a := []rune(v), alphabetOf(v, '0')
	r := seeded(suffix, n) // by chance, as another run has not to meet what this one has made
	left := int64(enough)
	for i, c := range slices.Backward(out) {
		if left <= 1 {
			break
		}
		if first, choices := a.symbols(c); choices > 0 {
			out[i] = first + rune(r.Int64N(choices)) //nolint:gosec // it is small
			left /= choices
		}
	}
	return string(out)
}

// anyOf is a text of some letters and digits.
func anyOf(length int, suffix string, n int64) string {
	const choice = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	r := seeded(suffix, n)
	out := make([]byte, length)
	for i := range out {
		out[i] = choice[r.IntN(len(choice))]
	}
	return string(out)
}

func seeded(suffix string, n int64) *mathrand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(suffix))
	return mathrand.New(mathrand.NewPCG(h.Sum64(), uint64(n))) //nolint:gosec // they have to differ, not to be secret
}

// day is what a date or a time begins with.
var day = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[Tt ])`)

// Later is a date or a time some days later; empty where a text is none. All those of a request
// are as far from each other as before.
func Later(text string, days int) string {
	if !day.MatchString(text) {
		return ""
	}
	t, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, days).Format(time.DateOnly) + text[len(time.DateOnly):]
}
