package mock

import (
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/internal/mediatype"
)

// wish is what a request asks for besides what it is (RFC 7240).
type wish struct {
	code    int    // 0: any
	example string // its name; empty: any
	dynamic bool   // made from the schema, not an example
}

// maxPreferences is how many preferences of a request are read.
const maxPreferences = 32

// wished reads the preferences of a request, in its header or, as browsers have it, in its
// query. One that cannot be read is ignored (RFC 7240 §2).
func wished(header http.Header, query string) wish {
	var w wish
	seen := map[string]bool{}
	take := func(name, value string) {
		name = strings.ToLower(name)
		if seen[name] {
			return // the first one counts (RFC 7240 §2)
		}
		seen[name] = true
		switch name {
		case "code":
			if n, err := strconv.Atoi(value); err == nil && n >= 200 && n <= 599 {
				w.code = n
			}
		case "example":
			w.example = value
		case "dynamic":
			w.dynamic = value != "false"
		}
	}
	for name, value := range preferences(strings.Join(header.Values("Prefer"), ",")) {
		take(name, value)
	}
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); slices.Contains(flags, name) {
			if plain, err := url.QueryUnescape(value); err == nil {
				take(strings.TrimPrefix(name, "__"), plain)
			}
		}
	}
	return w
}

// flags are the preferences as parameters of the query.
var flags = []string{"__code", "__example", "__dynamic"}

// withoutFlags is a request target without the parameters that are preferences, but for those
// that the document has itself.
func withoutFlags(target string, documented func(name string) bool) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok || !strings.Contains(query, "__") {
		return target
	}
	var rest []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); !slices.Contains(flags, name) || documented(name) {
			rest = append(rest, pair)
		}
	}
	if len(rest) == 0 {
		return path
	}
	return path + "?" + strings.Join(rest, "&")
}

// preferences yields the preferences of a Prefer field with their values; parameters of a
// preference are passed over.
func preferences(field string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		all := mediatype.List(field)
		for _, one := range all[:min(len(all), maxPreferences)] {
			name, value, _ := strings.Cut(one, "=")
			name, _, _ = strings.Cut(name, ";")
			if name = strings.TrimSpace(name); name != "" && !yield(name, unquoted(strings.TrimSpace(value))) {
				return
			}
		}
	}
}

// unquoted is the value of a token or a quoted string (RFC 9110 §5.6.4), without the
// parameters behind it.
func unquoted(s string) string {
	inner, ok := strings.CutPrefix(s, `"`)
	if !ok {
		token, _, _ := strings.Cut(s, ";")
		return strings.TrimSpace(token)
	}
	var b strings.Builder
	for i := 0; i < len(inner) && inner[i] != '"'; i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		b.WriteByte(inner[i])
	}
	return b.String()
}

// accepted tells how much a request wants a media type, from 0 to 1 (RFC 9110 §12.5.1). A
// field that says nothing, or that cannot be read, wants all alike.
func accepted(fields []string) func(label string) float64 {
	var ranges []string
	qualities := map[string]float64{}
	for _, one := range mediatype.List(strings.Join(fields, ",")) {
		kind, params, err := mime.ParseMediaType(one)
		if err != nil || !strings.Contains(kind, "/") {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
			delete(params, "q")
		}
		name := mime.FormatMediaType(kind, params)
		if _, seen := qualities[name]; !seen {
			ranges = append(ranges, name)
		}
		qualities[name] = max(qualities[name], q)
	}
	if len(ranges) == 0 {
		return func(string) float64 { return 1 }
	}
	set := mediatype.NewSet(ranges)
	return func(label string) float64 {
		name, err := set.Select(label)
		if _, bad := mediatype.Parse(label); bad != nil {
			return qualities["*/*"] // what is no media type is in this range alone
		}
		if err != nil {
			return 0
		}
		return qualities[name]
	}
}
