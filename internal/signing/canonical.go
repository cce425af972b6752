package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Algorithm is the first word of the Authorization header and of what is
// signed.
const Algorithm = "SDK-HMAC-SHA256"

// The headers that have a meaning for the signature, in the form of
// [http.CanonicalHeaderKey].
const (
	// DateHeader has the time of the signature in [DateFormat].
	DateHeader = "X-Sdk-Date"
	// ContentHeader stands in for the body's SHA-256.
	ContentHeader = "X-Sdk-Content-Sha256"
	// ProjectHeader names the project, where an account has several.
	ProjectHeader = "X-Project-Id"
	// SecurityTokenHeader comes with temporary keys.
	SecurityTokenHeader = "X-Security-Token"

	authorizationHeader = "Authorization"
	hostHeader          = "Host"
)

// DateFormat is the layout of [DateHeader], always in UTC.
const DateFormat = "20060102T150405Z"

// UnsignedPayload is the value of [ContentHeader] that leaves the body out of
// the signature.
const UnsignedPayload = "UNSIGNED-PAYLOAD"

// field is a signed header: its name in lower case and all its values.
type field struct {
	name   string
	values []string
}

// signature appends the signature of a request in lower-case hexadecimal. The
// canonical request is on the stack, unless it is very long.
func signature(dst []byte, req *http.Request, fields []field, payload, date, secret string) ([]byte, error) {
	var buf [1024]byte
	canonical, err := appendCanonical(buf[:0], req.Method, req.URL, fields, payload)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(canonical)

	toSign := append(make([]byte, 0, 128), Algorithm+"\n"...)
	toSign = append(toSign, date...)
	toSign = append(toSign, '\n')
	toSign = hex.AppendEncode(toSign, sum[:])
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(toSign)
	return hex.AppendEncode(dst, mac.Sum(nil)), nil
}

// appendCanonical appends the canonical request, whose hash is signed.
func appendCanonical(text []byte, method string, u *url.URL, fields []field, payload string) ([]byte, error) {
	text = append(text, method...)
	text = append(text, '\n')
	text = appendPath(text, u.EscapedPath())
	text = append(text, '\n')
	text, err := appendQuery(text, u.RawQuery)
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	for _, f := range fields {
		for _, v := range f.values {
			text = append(text, f.name...)
			text = append(text, ':')
			text = append(text, strings.TrimSpace(v)...)
			text = append(text, '\n')
		}
	}
	text = append(text, '\n')
	text = appendNames(text, fields)
	text = append(text, '\n')
	return append(text, payload...), nil
}

func appendNames(text []byte, fields []field) []byte {
	for i, f := range fields {
		if i > 0 {
			text = append(text, ';')
		}
		text = append(text, f.name...)
	}
	return text
}

// appendPath encodes anew what an escaped path says. An escaped slash stays
// one, since it is part of its segment.
func appendPath(text []byte, escaped string) []byte {
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		switch {
		case c == '/':
			text = append(text, c)
			continue
		case c == '%' && i+2 < len(escaped):
			c = unhex(escaped[i+1])<<4 | unhex(escaped[i+2])
			i += 2
		}
		text = appendEscaped(text, c)
	}
	if !strings.HasSuffix(escaped, "/") {
		text = append(text, '/')
	}
	return text
}

// unhex is the value of a hexadecimal digit: url.URL has no others after a %.
func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

func appendQuery(text []byte, raw string) ([]byte, error) {
	if raw == "" {
		return text, nil
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		// The error of the url package quotes the query.
		return nil, errors.New("malformed query")
	}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	first := true
	for _, name := range names {
		values := query[name]
		slices.Sort(values)
		for _, value := range values {
			if !first {
				text = append(text, '&')
			}
			first = false
			text = appendAllEscaped(text, name)
			text = append(text, '=')
			text = appendAllEscaped(text, value)
		}
	}
	return text, nil
}

func appendAllEscaped(text []byte, s string) []byte {
	for i := range len(s) {
		text = appendEscaped(text, s[i])
	}
	return text
}

// appendEscaped percent-encodes all but the unreserved characters of RFC 3986.
func appendEscaped(text []byte, c byte) []byte {
	switch {
	case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
		return append(text, c)
	}
	const digits = "0123456789ABCDEF"
	return append(text, '%', digits[c>>4], digits[c&15])
}

func hashed(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
