package wire

import "strings"

// Param is one name and its value in a query, a urlencoded form or a Cookie
// header. The name is read; the value is as it was sent, since only its schema
// tells which of its characters are delimiters.
type Param struct{ Name, Value string }

// Params takes a query or a urlencoded form apart. An empty piece between two
// ampersands is none; a name without an equals sign has the empty value.
func Params(query string) []Param {
	var pairs []Param
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		pairs = append(pairs, Param{Unescape(name, true), value})
	}
	return pairs
}

// Cookies takes the Cookie lines of a request apart (RFC 6265 §4.2.1).
func Cookies(r *Request) []Param {
	var pairs []Param
	for _, line := range r.Values("Cookie") {
		for piece := range strings.SplitSeq(line, ";") {
			name, value, ok := strings.Cut(strings.Trim(piece, " \t"), "=")
			if ok && name != "" {
				pairs = append(pairs, Param{name, value})
			}
		}
	}
	return pairs
}

// Unescape decodes percent-encoding; what is no escape stays as it is. In a
// query and in a form a plus stands for a blank, in a path it does not.
func Unescape(s string, plus bool) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+' && plus:
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

// WellEscaped reports whether every percent sign begins an escape.
func WellEscaped(s string) bool {
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
