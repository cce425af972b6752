package report

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// columns is how many cells of a terminal a text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += cells(r)
	}
	return n
}

func cells(r rune) int {
	switch {
	case r < 0x7f:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// clip cuts a text to so many cells, and shows that it did. Zero is no bound.
func clip(s string, room int) string {
	if room <= 0 || columns(s) <= room {
		return s
	}
	n := 0
	for i, r := range s {
		if n += cells(r); n > room-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// wrap breaks a text between words into lines of so many cells, and a word that is longer
// where it has to.
func wrap(s string, room int) []string {
	if room <= 0 {
		return []string{s}
	}
	var lines []string
	var line strings.Builder
	n := 0
	for word := range strings.FieldsSeq(s) {
		w := columns(word)
		for w > room {
			if n > 0 {
				lines = append(lines, line.String())
				line.Reset()
				n = 0
			}
			at := len(word)
			for i, r := range word {
				if n += cells(r); n > room && i > 0 {
					at = i
					break
				}
			}
			lines = append(lines, word[:at])
			word, n = word[at:], 0
			w = columns(word)
		}
		if n > 0 && n+1+w > room {
			lines = append(lines, line.String())
			line.Reset()
			n = 0
		}
		if n > 0 {
			line.WriteByte(' ')
			n++
		}
		line.WriteString(word)
		n += w
	}
	return append(lines, line.String())
}

// printable replaces what a terminal would obey instead of show, or show in
// another order than it is written: a part of a message is what a server has
// sent.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
