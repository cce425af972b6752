package wire

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// maxCurlBody is how many bytes of a body a curl line repeats.
const maxCurlBody = 4 << 10

// variable is a header line whose value is a shell variable, and that holds
// nothing else which a shell would expand.
var variable = regexp.MustCompile(`^[\w-]+: \$\w+$`)

// Curl returns a shell command that sends the request to base (scheme and
// host). mask replaces what must not be shown, perhaps by a shell variable:
// what it returns in place of a value is left for the shell to expand.
func Curl(r *Request, base string, mask func(name, value string) string) string {
	var b strings.Builder
	b.WriteString("curl -sS -i")
	switch {
	case r.Method == http.MethodHead:
		b.WriteString(" --head")
	case r.Method != http.MethodGet || r.Body != nil:
		b.WriteString(" -X " + quote(r.Method))
	}
	for _, f := range r.Header {
		value := f.Value
		if mask != nil {
			value = mask(f.Name, value)
		}
		line := f.Name + ": " + value
		if value != f.Value && variable.MatchString(line) {
			b.WriteString(` -H "` + line + `"`)
			continue
		}
		if value == "" {
			line = f.Name + ";" // curl sends an empty header so
		}
		if r := []rune(line); len(r) > 512 {
			line = fmt.Sprintf("%s… (%d characters)", string(r[:512]), len(r))
		}
		b.WriteString(" -H " + quote(line))
	}
	if r.Body != nil && r.Get("Content-Type") == "" {
		b.WriteString(" -H 'Content-Type:'")
	}
	if r.Chunked {
		b.WriteString(" -H 'Transfer-Encoding: chunked'")
	}
	switch {
	case len(r.Body) > maxCurlBody:
		b.WriteString(" --data-binary @-")
		return fmt.Sprintf("%s %s  # with %d bytes of body that do not fit here", b.String(), quote(base+r.Target), len(r.Body))
	case r.Coding != "":
		b.WriteString(" --data-binary @<(printf " + format(r.Body) + " | " + commandOf(r.Coding) + ")")
	case bytes.IndexByte(r.Body, 0) >= 0: // which no argument of a command can hold
		b.WriteString(" --data-binary @<(printf " + format(r.Body) + ")")
	case r.Body != nil:
		b.WriteString(" --data-binary " + quote(string(r.Body)))
	}
	return b.String() + " " + quote(base+r.Target)
}

// format writes bytes as a format of printf that prints them.
func format(body []byte) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, c := range body {
		if c < ' ' || c >= 0x7f || strings.IndexByte(`%\'`, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// quote quotes for a POSIX shell, and for bash where bytes need escapes.
func quote(s string) string {
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
	if plain {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString("'")
	return b.String()
}
