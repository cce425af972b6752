package schema

import (
	"iter"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

// A schema may have a format and a pattern that contradict one another: {format: time, pattern:
// '^[0-9]{2}:[0-9]{2}$'}, while a time has seconds and an offset (RFC 3339 §5.6). No text keeps both,
// and the operation could not be tested. Values keep the pattern then, and what a request lacks of the
// format is left to the receiver.

// leaveContradiction is why a receiver may refuse what has the pattern and lacks the format.
const leaveContradiction = "OpenAPI 3.0.3, Data Types: a receiver need not check a format, and no text is known that has both it and the pattern"

// samples holds values of each format that kin-openapi or a receiver may
// check.
var samples = map[string]string{
	"date": "2024-02-29", "date-time": "2024-02-29T12:34:56Z", "time": "12:34:56Z", "duration": "P1DT2H",
	"uuid": "123e4567-e89b-42d3-a456-426614174000", "email": "someone@example.com", "idn-email": "someone@example.com",
	"hostname": "example.com", "idn-hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"uri": "https://example.com/a", "uri-reference": "/a", "iri": "https://example.com/a", "iri-reference": "/a", "url": "https://example.com/a",
	"uri-template": "/a/{b}", "json-pointer": "/a", "relative-json-pointer": "1", "regex": "^a$", "byte": "YQ==",
	"base64url": "YWJj", "char": "a", "date-time-local": "2024-02-29T12:34:56", "time-local": "12:34:56", "decimal": "12.5",
	"decimal128": "12.5", "unixtime": "1709210096", "http-date": "Sun, 06 Nov 1994 08:49:37 GMT", "media-range": "application/json",
	"ipv4-cidr": "192.0.2.0/24", "ipv6-cidr": "2001:db8::/32", "language": "en",
	"sf-string": `"a"`, "sf-token": "a", "sf-binary": ":YQ==:", "sf-boolean": "?1",
}

// moreSamples are others that are written in another way.
var moreSamples = map[string][]string{
	"date-time": {"2024-02-29T12:34:56.789Z", "2024-02-29T12:34:56+01:00", "2024-02-29T12:34:56.789+01:00", "2024-02-29T12:34:56.789123Z"},
	"time":      {"12:34:56.789Z", "12:34:56+01:00", "12:34:56.789+01:00"},
	"duration":  {"PT12H", "PT30M", "PT15S", "P1D", "P1W", "P1M", "P1Y"},
}

// Samples yields texts that have a format, and others that are close to them, which may not.
func Samples(format string) iter.Seq[string] {
	return func(yield func(string) bool) {
		text, ok := samples[format]
		if !ok || !yield(text) || !yield(strings.ToUpper(text)) {
			return
		}
		for _, more := range moreSamples[format] {
			if !yield(more) {
				return
			}
		}
		pattern.Mutated(text)(yield)
	}
}

// maxMatching is how many texts of a pattern are held against the format.
const maxMatching = 60

// contradicts reports whether no text is known that has both the format and the pattern of a schema.
func (set *Set) contradicts(s *openapi3.Schema) bool {
	if s.Pattern == "" || formats[s.Format] == nil && registered[s.Format] == nil || set.Formats[s.Format] != nil {
		return false
	}
	key := s.Format + " " + s.Pattern
	if known, ok := set.contradictions.Load(key); ok {
		return known == true
	}
	found := contradict(s)
	set.contradictions.Store(key, found)
	return found
}

func contradict(s *openapi3.Schema) bool {
	p, err := pattern.Compile(s.Pattern)
	if err != nil {
		return false
	}
	for text := range Samples(s.Format) {
		if p.MatchString(text) && checkFormat(s.Format, text) == nil {
			return false
		}
	}
	n := 0
	for text := range p.Strings(0, -1) {
		if n++; checkFormat(s.Format, text) == nil {
			return false
		}
		if n == maxMatching {
			break
		}
	}
	for range Joined(s.Format, p) {
		return false
	}
	return n > 0
}

// What is joined with samples: so many texts of a pattern, and none that is longer.
const (
	maxJoined     = 2
	longestJoined = 100
)

// Joined yields texts that have both a format and a pattern, and begin or end as a sample of the format
// does: the pattern may speak of a part alone, as ^10\. does, or write in another way what follows.
func Joined(format string, p *pattern.Pattern) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := 0
		for text := range p.Strings(0, longestJoined) {
			if n++; n > maxJoined || samples[format] == "" {
				return
			}
			made := []rune(text)
			for _, sample := range slices.Concat([]string{samples[format]}, moreSamples[format]) {
				for i := range len(sample) + 1 {
					for j := range len(made) + 1 {
						for _, joined := range []string{string(made[:j]) + sample[i:], sample[:i] + string(made[j:])} {
							if p.MatchString(joined) && checkFormat(format, joined) == nil && !yield(joined) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// lacksFormat reports whether a text that is sent lacks a format that the pattern contradicts.
func (n *Node) lacksFormat(v any) bool {
	text, ok := v.(string)
	return ok && n.Side() == RequestSide && n.set.contradicts(n.Schema) && checkFormat(n.Schema.Format, text) != nil
}
