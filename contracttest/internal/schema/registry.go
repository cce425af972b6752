package schema

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// registered are the formats for texts that JSON Schema does not define: byte of OpenAPI, and those of
// OpenAPI's registry of formats.
var registered = map[string]func(string) bool{
	"base64url":       isBase64URL,
	"byte":            isBase64,
	"char":            func(s string) bool { return len(utf16.Encode([]rune(s))) == 1 }, // which is one in all languages
	"date-time-local": func(s string) bool { return formats["date-time"](s + "Z") },
	"decimal":         decimals.MatchString,
	"decimal128":      decimals.MatchString,
	"http-date":       isHTTPDate,
	"ipv4-cidr":       func(s string) bool { p, err := netip.ParsePrefix(s); return err == nil && p.Addr().Is4() },
	"ipv6-cidr":       func(s string) bool { p, err := netip.ParsePrefix(s); return err == nil && p.Addr().Is6() },
	"language":        regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`).MatchString,
	"media-range":     isMediaRange,
	"sf-binary":       isBinaryItem,
	"sf-boolean":      regexp.MustCompile(`^\?[01]$`).MatchString,
	"sf-string":       regexp.MustCompile(`^"([ !#-\[\]-~]|\\["\\])*"$`).MatchString,
	"sf-token":        regexp.MustCompile("^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*$").MatchString,
	"time-local":      func(s string) bool { return formats["time"](s + "Z") },
	"unixtime":        decimals.MatchString,
}

// unsettled are those of which a receiver need not take each value: the registry says neither how
// long a number may be, which languages there are, whether base64 has padding, nor whether bits may
// be set behind the prefix of a network.
var unsettled = []string{"decimal", "decimal128", "unixtime", "language", "base64url", "ipv4-cidr", "ipv6-cidr"}

var decimals = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// isBase64URL reports whether a text is in the alphabet for URLs, with padding or without: RFC 4648
// §3.2 leaves that to the specification, and the registry does not say.
func isBase64URL(s string) bool {
	if strings.HasSuffix(s, "=") {
		_, err := base64.URLEncoding.Strict().DecodeString(s)
		return err == nil && !strings.ContainsAny(s, "\r\n")
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && !strings.ContainsAny(s, "\r\n")
}

func isBase64(s string) bool {
	_, err := base64.StdEncoding.Strict().DecodeString(s)
	return err == nil && !strings.ContainsAny(s, "\r\n")
}

func isBinaryItem(s string) bool {
	inner, ok := strings.CutPrefix(s, ":")
	inner, too := strings.CutSuffix(inner, ":")
	return ok && too && isBase64(inner)
}

// isHTTPDate reports whether a text is of one of the three forms of RFC 9110 §5.6.7, with the day of
// the week that it was.
func isHTTPDate(s string) bool {
	t, err := http.ParseTime(s)
	return err == nil && slices.ContainsFunc([]string{http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC}, func(layout string) bool {
		return t.UTC().Format(layout) == s
	})
}

func isMediaRange(s string) bool {
	name, _, err := mime.ParseMediaType(s)
	kind, subtype, ok := strings.Cut(name, "/")
	return err == nil && ok && kind != "" && subtype != "" && (kind != "*" || subtype == "*")
}
