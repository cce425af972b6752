package schema

import (
	"net/netip"
	"regexp"
)

// Formats of URIs by the grammar of RFC 3986 (appendix A), RFC 3987 (§2.2) and RFC 6570 (§2): parsers of URLs take
// more than that, such as blanks and braces, and no operators in templates.

// letters of other scripts, and the private ones that a query may have, of RFC 3987.
const (
	scripts = `\x{A0}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFEF}\x{10000}-\x{1FFFD}\x{20000}-\x{2FFFD}\x{30000}-\x{3FFFD}` +
		`\x{40000}-\x{4FFFD}\x{50000}-\x{5FFFD}\x{60000}-\x{6FFFD}\x{70000}-\x{7FFFD}\x{80000}-\x{8FFFD}\x{90000}-\x{9FFFD}` +
		`\x{A0000}-\x{AFFFD}\x{B0000}-\x{BFFFD}\x{C0000}-\x{CFFFD}\x{D0000}-\x{DFFFD}\x{E1000}-\x{EFFFD}`
	private = `\x{E000}-\x{F8FF}\x{F0000}-\x{FFFFD}\x{100000}-\x{10FFFD}`
	escape  = `%[0-9A-Fa-f]{2}`
)

// references are the expressions for an identifier with its scheme, and for the rest of what a reference may be; what
// they capture is an IPv6 address.
func references(others, query string) (whole, relative *regexp.Regexp) {
	char := func(more string) string { return `(?:[0-9A-Za-z._~!$&'()*+,;=` + others + more + `-]|` + escape + `)` }
	pchar := char(`:@`)
	host := `(?:\[([0-9A-Fa-f:.]+)\]|\[[vV][0-9A-Fa-f]+\.[0-9A-Za-z._~!$&'()*+,;=:-]+\]|` + char(``) + `*)`
	authority := `//(?:` + char(`:`) + `*@)?` + host + `(?::[0-9]*)?(?:/` + pchar + `*)*`
	rooted := `/(?:` + pchar + `+(?:/` + pchar + `*)*)?`
	rest := `(?:\?` + char(`:@/?`+query) + `*)?(?:#` + char(`:@/?`) + `*)?$`
	whole = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:(?:` + authority + `|` + rooted + `|` + pchar + `+(?:/` + pchar + `*)*|)` + rest)
	relative = regexp.MustCompile(`^(?:` + authority + `|` + rooted + `|` + char(`@`) + `+(?:/` + pchar + `*)*|)` + rest)
	return whole, relative
}

var (
	uri, uriRelative = references(``, ``)
	iri, iriRelative = references(scripts, private)
	uriTemplate      = func() *regexp.Regexp {
		const name = `(?:[A-Za-z0-9_]|` + escape + `)+`
		const variable = name + `(?:\.` + name + `)*(?:\*|:[1-9][0-9]{0,3})?`
		return regexp.MustCompile("^(?:[!#$&(-;=?-\\[\\]_a-z~" + scripts + private + `]|` + escape + `|\{[+#./;?&=,!@|]?` + variable + `(?:,` + variable + `)*\})*$`)
	}()
)

// matchesReference reports whether one of the expressions of references matches, with an address that is one.
func matchesReference(s string, forms ...*regexp.Regexp) bool {
	for _, form := range forms {
		if m := form.FindStringSubmatch(s); m != nil {
			address, err := netip.ParseAddr(m[1])
			return m[1] == "" || err == nil && address.Is6()
		}
	}
	return false
}

func isIPv4(s string) bool {
	address, err := netip.ParseAddr(s)
	return err == nil && address.Is4()
}
