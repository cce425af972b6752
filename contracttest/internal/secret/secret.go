package secret

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Words in the name of a header whose value is not to be shown.
var secretNames = []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "signature", "credential"}

// IsName reports whether what a header, parameter or property so named has is not to be shown.
func IsName(name string) bool {
	name = strings.ToLower(name)
	for _, w := range secretNames {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// Hidden stands in the place of a secret.
const Hidden = "***"

// Hide replaces secrets in a text, as they are and as URLs, JSON and HTML have them, and what is
// left of one in which the text was cut.
func Hide(text string, secrets []string) string {
	for _, s := range secrets {
		for _, spelling := range spellings(s) {
			text = hideCut(Replace(text, spelling, Hidden), spelling)
		}
	}
	return text
}

// spellings are how a text may be written in others, the longest first.
func spellings(s string) []string {
	switch {
	case s == "":
		return nil
	case !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	}):
		return []string{s} // which nothing escapes
	}
	query := url.QueryEscape(s)
	all := []string{s, query, strings.ReplaceAll(query, "+", "%20")}
	if len(s) > maxSpelled {
		return all
	}
	all = append(all, html.EscapeString(s))
	of := []string{s}
	for range 2 { // JSON, and JSON in a text of JSON
		var next []string
		for _, text := range of {
			for _, escaped := range []string{
				jsonEscaped(text, false, false), jsonEscaped(text, true, false), jsonEscaped(text, false, true), jsonEscaped(text, true, true),
				strings.ReplaceAll(jsonEscaped(text, false, false), "/", `\/`), strings.ReplaceAll(jsonEscaped(text, true, false), "/", `\/`),
			} {
				if !slices.Contains(all, escaped) {
					all, next = append(all, escaped), append(next, escaped)
				}
			}
		}
		of = next
	}
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}

// maxSpelled is how many bytes a secret has that is looked for in all spellings: no credential is longer,
// but values may be that --redact names.
const maxSpelled = 512

// jsonEscaped is a text as a string of JSON has it, which writers make in ASCII alone, or safe for HTML.
func jsonEscaped(s string, ascii, safe bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r >= 0x10000 && ascii:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		case r < ' ' || ascii && r > '~' || safe && strings.ContainsRune("<>&", r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Long is how many bytes a secret has that no word holds by chance. A shorter one, as the key
// "abc" of a test, is Hidden only where it stands by itself: Hidden in every word that holds it,
// it would make answers unreadable and yet be easy to guess from them.
const Long = 8

// Replace replaces a secret, a short one only where no letter or digit stands beside it.
func Replace(text, secret, by string) string {
	if len(secret) >= Long {
		return strings.ReplaceAll(text, secret, by)
	}
	var out strings.Builder
	for last := 0; ; {
		i := indexWhole(text, last, secret)
		if i < 0 {
			out.WriteString(text[last:])
			return out.String()
		}
		out.WriteString(text[last:i] + by)
		last = i + len(secret)
	}
}

// indexWhole is where from some byte on a text has a secret that stands by itself; -1 if nowhere.
func indexWhole(text string, from int, secret string) int {
	for {
		i := strings.Index(text[from:], secret)
		if i < 0 {
			return -1
		}
		i += from
		after, _ := utf8.DecodeRuneInString(text[i+len(secret):])
		if !inWord(text[:i]) && !isWord(after) {
			return i
		}
		from = i + 1
	}
}

// escapeAtEnd is an escape of a URL or of JSON, which is no part of a word though it ends in a letter or digit.
var escapeAtEnd = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2}|\\[bfnrt]|\\u[0-9A-Fa-f]{4})$`)

// inWord reports whether a text ends in a word.
func inWord(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(text)
	return isWord(last) && !escapeAtEnd.MatchString(text[max(0, len(text)-6):])
}

func isWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// What marks the place where a text was cut, and how much of a secret before it
// is no chance.
const (
	cutMark = "…"
	minCut  = 4
)

// Clip cuts a text, between characters where it is UTF-8. Hide hides what is left of a secret there.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + cutMark
}

// hideCut replaces the beginning of a secret where the text was cut after it.
func hideCut(text, secret string) string {
	parts := strings.Split(text, cutMark)
	for i, part := range parts[:len(parts)-1] {
		for n := len(secret) - 1; n >= minCut; n-- {
			if before, ok := strings.CutSuffix(part, secret[:n]); ok {
				parts[i] = before + Hidden
				break
			}
		}
	}
	return strings.Join(parts, cutMark)
}

// Mask returns the value of a header as a command may show it: a secret as the name of a shell
// variable, and of a wrong credential what is no secret.
func Mask(secrets, wrong []string) func(name, value string) string {
	return func(name, value string) string {
		switch shown := Hide(value, secrets); {
		case shown == value || slices.Contains(wrong, strings.ToLower(name)):
			return shown
		default:
			return "$" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		}
	}
}
