package unique

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// runMark begins what stands in reports for a text with the token of the run, so that two runs
// report the same. It is as long as the text, and of letters and digits as that is: what is sent
// again keeps and breaks the same clauses.
const runMark = "unique"

// Token tells the texts of one run from those of all others, and the identifiers that it
// chooses where no text may be one.
type Token struct {
	text   string
	uuid   string                        // what its UUIDs begin with
	digits [2]string                     // what its numbers begin with, of many digits and of few
	shown  atomic.Pointer[regexp.Regexp] // any of these with a number behind it
	count  atomic.Int64
	chosen atomic.Int64 // identifiers

	mu    sync.Mutex
	forms atomic.Pointer[[]*form] // of names that have room for none of these
}

// tokenLength is that of a token without a number behind it. Numbers have a digit and two more
// characters, and the mark of the run has room for as many.
const (
	tokenLength = 5
	perDigit    = 36 * 36
)

// New returns the token of a run.
func New() *Token {
	t := &Token{text: "q" + strings.ToLower(rand.Text()[:tokenLength-1])}
	part := func() uint64 { return mathrand.Uint64N(1 << 12) }
	t.uuid = fmt.Sprintf("%08x-%04x-4%03x-8%03x-", 1<<24+mathrand.Uint64N(1<<31), part(), part(), part())
	t.digits = [2]string{strconv.FormatUint(2e7+mathrand.Uint64N(7e7), 10), strconv.FormatUint(11000+mathrand.Uint64N(8000), 10)}
	t.forms.Store(&[]*form{})
	t.compile()
	return t
}

// compile makes the pattern of what stands for the run in a text.
func (t *Token) compile() {
	texts := []string{fmt.Sprintf(`(?i)%s[0-9][0-9a-z]*|\b%s[0-9a-f]{12}\b|\b(?:%s[0-9]{6}|%s[0-9]{4})\b`, t.text, t.uuid, t.digits[0], t.digits[1])}
	for _, f := range *t.forms.Load() {
		texts = append(texts, f.pattern())
	}
	t.shown.Store(regexp.MustCompile(strings.Join(texts, "|")))
}

// Identifiers are new ones of the run that are no texts: a UUID, and numbers of many digits and
// of few.
func (t *Token) Identifiers() (uuid string, numbers []string) {
	n := t.chosen.Add(1)
	return t.uuid + fmt.Sprintf("%012x", n), []string{t.digits[0] + fmt.Sprintf("%06d", n%1e6), t.digits[1] + fmt.Sprintf("%04d", n%1e4)}
}

// Next is the token with another number each time.
func (t *Token) Next() (suffix string, n int64) {
	n = t.count.Add(1)
	return fmt.Sprintf("%s%d%02s", t.text, n/perDigit, strconv.FormatInt(n%perDigit, 36)), n
}

// In lists what a text has of the run, in small letters.
func (t *Token) In(text string) []string {
	return t.shown.Load().FindAllString(strings.ToLower(text), -1)
}

// Hide replaces the token by its mark.
func (t *Token) Hide(text string) string {
	return t.shown.Load().ReplaceAllStringFunc(text, func(found string) string { return t.mark(found, 0) })
}

// mark stands for a text with the token in what is shown: one of its form, which a target takes,
// too.
func (t *Token) mark(found string, n int) string {
	for _, f := range *t.forms.Load() {
		if shown := f.mark(found, n); shown != "" {
			return shown
		}
	}
	shown := fmt.Sprintf("%s%0*d", runMark, len(found)-len(runMark), n)
	switch {
	case strings.HasPrefix(strings.ToLower(found), t.uuid):
		return fmt.Sprintf("00000000-0000-4000-8000-%012x", n)
	case found[0] >= '0' && found[0] <= '9':
		return fmt.Sprintf("1%0*d", len(found)-1, n)
	case found == strings.ToUpper(found):
		return strings.ToUpper(shown)
	}
	return shown
}

// Number replaces the texts with the token by its mark with a number, each by its own:
// in some requests they have to be the same, in others not.
func (t *Token) Number(text string) string {
	numbers := map[string]int{}
	return t.shown.Load().ReplaceAllStringFunc(text, func(found string) string {
		same := strings.ToLower(found)
		if plain, err := url.PathUnescape(same); err == nil { // as only URLs have it
			same = plain
		}
		if numbers[same] == 0 {
			numbers[same] = len(numbers) + 1
		}
		return t.mark(found, numbers[same])
	})
}

// ShownAs is a new text as reports show it: with the mark of the run, or as it was
// planned where there was no room for one.
func (t *Token) ShownAs(fresh, planned string) string {
	if shown := t.Hide(fresh); shown != fresh {
		return shown
	}
	return planned
}
