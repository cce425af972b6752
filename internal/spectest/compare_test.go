package spectest

import (
	"encoding/json"
	"fmt"
	"slices"
)

// disagreement is one difference between the documentation and the document,
// as a sentence that names both sides.
type disagreement string

// compare holds a document against the documented facts. Nil means that the
// document states every fact and nothing else, and names the source of each
// fact that the operation's own page does not have, and of no other.
func compare(f facts, doc map[string]any) []disagreement {
	var found []disagreement
	report := func(format string, args ...any) {
		found = append(found, disagreement(fmt.Sprintf(format, args...)))
	}

	left := statements(doc)
	var missing []fact
	named := map[source]bool{}
	for i, row := range slices.Concat(f.Documented, f.Elsewhere) {
		at := slices.IndexFunc(left, func(s statement) bool { return s.key() == row.key() && same(s.Value, row.Value) })
		if at < 0 {
			missing = append(missing, row)
			continue
		}
		s := left[at]
		left = slices.Delete(left, at, at+1)
		if i < len(f.Documented) {
			continue
		}
		if at := slices.IndexFunc(s.sources, func(x source) bool { return x.names(row.Source) }); at >= 0 {
			named[s.sources[at]] = true
		} else {
			report("%s: the row is from %q, but openapi.yaml has no x-source of it at %s", row, row.Source, s.at)
		}
	}
	for _, x := range sources("", doc) {
		if !named[x] {
			report("%s: openapi.yaml has the x-source %q, but no row there is from it", x.at, x.text)
		}
	}

	for _, row := range missing {
		at := slices.IndexFunc(left, func(s statement) bool { return s.key() == row.key() })
		if at < 0 {
			report("%s: documented in %q, but not stated in openapi.yaml", row, row.Source)
			continue
		}
		report("%s: documented as %s in %q, but openapi.yaml says %s at %s",
			row.key(), text(row.Value), row.Source, text(left[at].Value), left[at].at)
		left = slices.Delete(left, at, at+1)
	}
	for _, s := range left {
		report("%s %s: stated in openapi.yaml at %s, but no row has it", s.key(), text(s.Value), s.at)
	}
	return found
}

func same(a, b any) bool { return text(a) == text(b) }

// text is a value as JSON, which writes equal values alike.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // a YAML mapping with a key that is no string
	}
	return string(data)
}
