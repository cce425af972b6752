package world

import (
	"encoding/json"
	"fmt"
	"net/url"
	urlpath "path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Values returns the values of the path parameters in a request target, without
// the query and the base path; nil where the target is none of the operation's.
func Values(op *contract.Operation, target, base string) map[string]string {
	path, _, _ := strings.Cut(target, "?")
	escaped, ok := op.Match(strings.TrimPrefix(path, base))
	if !ok {
		return nil
	}
	values := make(map[string]string, len(escaped))
	for name, v := range escaped {
		text, err := url.PathUnescape(v)
		if err != nil {
			text = v
		}
		values[name] = text
	}
	return values
}

// Carried returns the values of the parameters in a path template as another has them, whatever they are
// called there: of those in what the two begin with.
func Carried(values map[string]string, from, to string) map[string]string {
	all := map[string]string{}
	others := strings.Split(to, "/")
	for i, segment := range strings.Split(from, "/") {
		if i == len(others) || parameter(segment) == "" && segment != others[i] {
			break
		}
		name, other := parameter(segment), parameter(others[i])
		if name != "" && other == "" {
			break
		}
		if v, there := values[name]; there {
			all[other] = v
		}
	}
	return all
}

// parameter is the name of a parameter that is a whole segment of a path template; empty where it is none.
func parameter(segment string) string {
	name, ok := strings.CutPrefix(segment, "{")
	name, closed := strings.CutSuffix(name, "}")
	if !ok || !closed || strings.ContainsAny(name, "{}") {
		return ""
	}
	return name
}

// Respelt returns the values of the parameters in the path of a request that names the operation in
// another spelling: with further slashes, dots, escapes, letters of another case, or parameters of
// a segment. It is nil where the path is another one.
func Respelt(op *contract.Operation, target, base string) map[string]string {
	escaped, _, _ := strings.Cut(target, "?")
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return nil
	}
	plain = urlpath.Clean("/" + plain)
	if len(plain) < len(base) || !strings.EqualFold(plain[:len(base)], base) {
		return nil
	}
	template, segments := strings.Split(op.Path, "/"), strings.Split(plain[len(base):], "/")
	if len(template) != len(segments) {
		return nil
	}
	for i, text := range template {
		segment, _, _ := strings.Cut(segments[i], ";")
		if strings.EqualFold(segment, text) {
			segment = text
		}
		segments[i] = url.PathEscape(segment)
	}
	return Values(op, strings.Join(segments, "/"), "")
}

// Bind puts other values in the place of those that a request target was made
// with, in the spelling that it has them in: what a case has changed in one of
// them, as a zero before it, stays. Another value in such a place is left alone, and so is one that breaks its
// schema with the value it was made of alone, as what is too long.
func Bind(op *contract.Operation, target, base string, from, to map[string]string) string {
	path, query, hasQuery := strings.Cut(target, "?")
	rest := strings.TrimPrefix(path, base)
	template, segments := strings.Split(op.Path, "/"), strings.Split(rest, "/")
	for i, t := range template {
		before, name, behind, ok := around(t)
		value, there := to[name]
		first, was := from[name]
		if !ok || !there || !was || value == first || first == "" {
			continue
		}
		if len(segments) == len(template) {
			text, opens := strings.CutPrefix(segments[i], before)
			text, closes := strings.CutSuffix(text, behind)
			if there := spelt(text, first, value); opens && closes && !mends(op, name, text, there, first) {
				segments[i] = before + there + behind
			}
			continue
		}
		for j := max(0, i-1); j < min(len(segments), i+2); j++ { // a path beside the documented one
			if segments[j] == url.PathEscape(first) {
				segments[j] = url.PathEscape(value)
			} else if before, found := strings.CutSuffix(segments[j], "%2F"+url.PathEscape(first)); found {
				segments[j] = before + "%2F" + url.PathEscape(value)
			}
		}
	}
	out := path[:len(path)-len(rest)] + strings.Join(segments, "/")
	if hasQuery {
		out += "?" + query
	}
	return out
}

// around takes a segment of a template apart that has one parameter: {name}, or {name}:undelete.
func around(segment string) (before, name, behind string, ok bool) {
	before, rest, opens := strings.Cut(segment, "{")
	name, behind, closes := strings.Cut(rest, "}")
	return before, name, behind, opens && closes && !strings.Contains(behind, "{")
}

// spelt puts one identifier in the place of another in a segment, with the
// characters escaped that are escaped in it.
func spelt(segment, first, there string) string {
	plain, err := url.PathUnescape(segment)
	switch {
	case err == nil && plain == first && segment != url.PathEscape(first):
		return escapedAs(segment, there)
	case err == nil && plain != first && digits(plain) && digits(first) && plain[0] != '0':
		return segment // another number
	case strings.Count(segment, url.PathEscape(first)) != 1 || insideEscape(segment, strings.Index(segment, url.PathEscape(first))):
		return segment
	}
	return strings.Replace(segment, url.PathEscape(first), url.PathEscape(there), 1)
}

// mends reports whether a segment that was made of an identifier keeps the schema of its parameter with another one
// alone.
func mends(op *contract.Operation, name, was, now, first string) bool {
	i := slices.IndexFunc(op.Params, func(p *contract.Param) bool { return p.Spec.In == openapi3.ParameterInPath && p.Spec.Name == name })
	if plain, err := url.PathUnescape(was); i < 0 || err != nil || plain == first || was == now {
		return false
	}
	keeps := func(segment string) bool {
		text, err := url.PathUnescape(segment)
		n := op.Params[i].Node
		return err == nil && (n.Validates(text) == nil || digits(text) && n.Validates(json.Number(text)) == nil)
	}
	return !keeps(was) && keeps(now)
}

// insideEscape reports whether a place is that of a digit of an escape, as the 2 of %21 is.
func insideEscape(segment string, at int) bool {
	return at > 0 && segment[at-1] == '%' || at > 1 && segment[at-2] == '%'
}

func digits(s string) bool {
	return s != "" && !slices.ContainsFunc([]byte(s), func(b byte) bool { return b < '0' || b > '9' })
}

// escapedAs writes an identifier with its characters escaped where those of a
// segment are.
func escapedAs(segment, there string) string {
	var escapes []string // for each byte its escape, or nothing
	for i := 0; i < len(segment); i++ {
		if segment[i] == '%' {
			escapes = append(escapes, segment[i:i+3])
			i += 2
			continue
		}
		escapes = append(escapes, "")
	}
	hex := "%%%02X"
	if all := strings.Join(escapes, ""); all == strings.ToLower(all) {
		hex = "%%%02x"
	}
	var b strings.Builder
	for i := range len(there) {
		if escapes[min(i, len(escapes)-1)] == "" {
			b.WriteString(url.PathEscape(there[i : i+1]))
		} else {
			fmt.Fprintf(&b, hex, there[i])
		}
	}
	return b.String()
}
