package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Style says how a parameter's value becomes text: the OpenAPI style and
// explode of the parameter, already defaulted.
type Style struct {
	Name    string // matrix, label, form, simple, spaceDelimited, pipeDelimited, deepObject
	Explode bool
	// AllowReserved sends the characters that RFC 3986 reserves as they are,
	// but for those that end a query parameter.
	AllowReserved bool
}

// Text writes a scalar value as parameters carry it, and as JSON what has no
// defined form there: a list or an object inside another.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case json.RawMessage:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return ""
		}
		return strings.TrimSuffix(b.String(), "\n")
	default:
		return fmt.Sprint(v)
	}
}

// PathSegment writes a value into a path in the styles simple, label and
// matrix, escaped.
func (s Style) PathSegment(name string, v any) string {
	prefix, sep := "", ","
	switch s.Name {
	case "label":
		prefix = "."
		if s.Explode {
			sep = "."
		}
	case "matrix":
		prefix = ";" + url.PathEscape(name) + "="
		if s.Explode {
			sep = prefix
		}
	}
	switch v := v.(type) {
	case []any:
		return prefix + strings.Join(escaped(v, escapeSegment), sep)
	case map[string]any:
		if s.Explode {
			pairs := members(v, "=", escapeSegment)
			switch s.Name {
			case "label":
				return "." + strings.Join(pairs, ".")
			case "matrix":
				return ";" + strings.Join(pairs, ";")
			}
			return strings.Join(pairs, ",")
		}
		return prefix + strings.Join(members(v, ",", escapeSegment), ",")
	default:
		text := escapeSegment(Text(v))
		if text == "" && s.Name == "matrix" {
			return strings.TrimSuffix(prefix, "=") // RFC 6570 §3.2.7
		}
		return prefix + text
	}
}

// escapeSegment escapes all but what RFC 3986 leaves unreserved, so that no
// delimiter of a style or of the path is mistaken.
func escapeSegment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// Query writes a value as the pairs of a query or of a urlencoded form,
// escaped.
func (s Style) Query(name string, v any) []string {
	key := escapeSegment(name)
	sep := ","
	switch s.Name {
	case "spaceDelimited":
		sep = "%20"
	case "pipeDelimited":
		sep = "%7C"
	}
	switch v := v.(type) {
	case []any:
		values := escaped(v, escapeSegment)
		if !s.Explode {
			return []string{key + "=" + strings.Join(values, sep)}
		}
		for i := range values {
			values[i] = key + "=" + values[i]
		}
		return values
	case map[string]any:
		if s.Name == "deepObject" {
			return deep(key, v)
		}
		if s.Explode {
			return members(v, "=", escapeSegment)
		}
		return []string{key + "=" + strings.Join(members(v, sep, escapeSegment), sep)}
	default:
		return []string{key + "=" + s.escapeValue(Text(v))}
	}
}

// escapeValue escapes a value that stands alone in a query.
func (s Style) escapeValue(text string) string {
	escaped := escapeSegment(text)
	if !s.AllowReserved {
		return escaped
	}
	for _, c := range "/?:@!$'()*,;" {
		escaped = strings.ReplaceAll(escaped, fmt.Sprintf("%%%02X", c), string(c))
	}
	return escaped
}

// Cookies writes a value as the pairs of a Cookie header. What a cookie cannot
// hold as it is (RFC 6265 §4.1.1) is escaped.
func (s Style) Cookies(name string, v any) []string {
	plain := func(text string) string {
		if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\";\\", r) }) {
			return escapeSegment(text)
		}
		return text
	}
	switch v := v.(type) {
	case []any:
		values := escaped(v, plain)
		if !s.Explode {
			return []string{name + "=" + strings.Join(values, ",")}
		}
		for i := range values {
			values[i] = name + "=" + values[i]
		}
		return values
	case map[string]any:
		if s.Explode {
			return members(v, "=", plain)
		}
		return []string{name + "=" + strings.Join(members(v, ",", plain), ",")}
	default:
		return []string{name + "=" + plain(Text(v))}
	}
}

func deep(prefix string, v any) []string {
	var pairs []string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, deep(prefix+"%5B"+escapeSegment(name)+"%5D", v[name])...)
		}
	case []any:
		for _, e := range v {
			pairs = append(pairs, deep(prefix, e)...)
		}
	default:
		pairs = append(pairs, prefix+"="+escapeSegment(Text(v)))
	}
	return pairs
}

// Header writes a value in the style simple, as headers carry it.
func (s Style) Header(v any) string {
	as := func(text string) string { return text }
	switch v := v.(type) {
	case []any:
		return strings.Join(escaped(v, as), ",")
	case map[string]any:
		if s.Explode {
			return strings.Join(members(v, "=", as), ",")
		}
		return strings.Join(members(v, ",", as), ",")
	default:
		return Text(v)
	}
}

func escaped(items []any, escape func(string) string) []string {
	out := make([]string, len(items))
	for i, v := range items {
		out[i] = escape(Text(v))
	}
	return out
}

func members(v map[string]any, sep string, escape func(string) string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		out = append(out, escape(name)+sep+escape(Text(v[name])))
	}
	return out
}
