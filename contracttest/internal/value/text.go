package value

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

const (
	maxCount = 1000      // items or properties that are made at most to reach a documented bound
	maxText  = 256 << 10 // characters that are made at most to reach a documented length
	longText = 64 << 10  // characters of the longest string where no length is documented
)

// formats holds a value for each format that kin-openapi or a receiver may
// check.
var formats = map[string]string{
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

// formatNamed is the format that a text without one and without a pattern has by
// its name: many a document leaves it out, and then no other text is taken.
func formatNamed(n *contract.Node) string {
	if n.Schema.Pattern != "" {
		return ""
	}
	name := strings.ToLower(n.Name)
	for _, format := range []string{"email", "uuid", "url", "uri"} {
		if strings.HasSuffix(name, format) {
			return format
		}
	}
	return ""
}

// String makes a string that keeps the node's length, pattern and format.
func String(n *contract.Node) (string, error) {
	for text := range texts([]*contract.Node{n}) {
		if n.Validates(text) == nil {
			return text, nil
		}
	}
	if n.Format() != nil {
		return "", fmt.Errorf("%s: no string of the format %s is found: give an example of it, in the document or where the format is defined", n.Subject, n.Schema.Format)
	}
	return "", fmt.Errorf("%s: no string is found", n.Subject)
}

// texts yields strings for nodes that all have a say, the plainest first. They
// are not confirmed yet.
func texts(nodes []*contract.Node, nots ...*contract.Node) iter.Seq[string] {
	return func(yield func(string) bool) {
		lo, hi := sizes(nodes, func(n *contract.Node) uint64 { return n.Schema.MinLength }, func(n *contract.Node) *uint64 { return n.Schema.MaxLength })
		if lo > maxText || hi >= 0 && lo > hi {
			return
		}
		var patterns []*pattern.Pattern
		for _, n := range nodes {
			s := n.Schema
			if f := n.Format(); f != nil {
				for _, text := range f.Examples {
					if !yield(text) {
						return
					}
				}
				if f.Pattern != nil {
					patterns = append(patterns, f.Pattern)
				}
			}
			if text, ok := formats[cmp.Or(s.Format, formatNamed(n))]; ok {
				if !yield(text) || !yield(strings.ToUpper(text)) {
					return
				}
				for other := range mutated(text) {
					if !yield(other) {
						return
					}
				}
			}
			if s.Pattern == "" {
				continue
			}
			if p, err := pattern.Compile(s.Pattern); err == nil {
				patterns = append(patterns, p)
			}
		}
		for text := range matchingAll(patterns, lo, hi) {
			if !yield(text) {
				return
			}
		}
		length := max(lo, 8)
		if hi >= 0 {
			length = min(length, hi)
		}
		if !yield(Letters(length)) {
			return
		}
		for _, other := range []string{"", "a", "0", "A", "1", "no such value", "true", "null", "-1", "b", "/a", "\u00e9"} {
			if !yield(other) {
				return
			}
		}
		for _, not := range nots {
			for _, n := range besides(not, func(n *contract.Node) uint64 { return n.Schema.MinLength }, func(n *contract.Node) *uint64 { return n.Schema.MaxLength }) {
				if n >= lo && (hi < 0 || n <= hi) && n <= maxText && !yield(Letters(n)) {
					return
				}
			}
		}
		for i := range 20 {
			text := Letters(length)
			suffix := strconv.Itoa(i)
			if !yield(text[:max(0, length-len(suffix))] + suffix) {
				return
			}
		}
	}
}

// matchingAll yields strings that match one of several patterns, first those that may match all.
func matchingAll(patterns []*pattern.Pattern, lo, hi int) iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(patterns) > 1 { // where they are not tied to both ends, one stands beside the other
			whole, back := "", ""
			for _, p := range patterns {
				for text := range p.Strings(0, hi) {
					whole, back = whole+text, text+back
					break
				}
			}
			if !yield(whole) || !yield(back) {
				return
			}
		}
		for _, p := range patterns {
			for text := range p.Strings(lo, hi) {
				if !yield(text) {
					return
				}
			}
		}
	}
}

// mutated yields strings that differ from one in a digit or a letter.
func mutated(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		r := []rune(text)
		for i := len(r) - 1; i >= 0 && len(r) <= 200; i-- {
			row := ""
			switch c := r[i]; {
			case c >= '0' && c <= '9':
				row = "0123456789"
			case c >= 'a' && c <= 'z':
				row = "abcdefghijklmnopqrstuvwxyz"
			case c >= 'A' && c <= 'Z':
				row = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			}
			for _, c := range row {
				if c != r[i] && !yield(string(r[:i])+string(c)+string(r[i+1:])) {
					return
				}
			}
		}
	}
}

// Letters makes a string of n lower-case letters in which no part stands out.
func Letters(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz"
	return strings.Repeat(alphabet, n/len(alphabet)) + alphabet[:n%len(alphabet)]
}

// matching makes a string of so many characters that a pattern matches.
func matching(expr string, length int) (string, bool) {
	p, err := pattern.Compile(expr)
	if err != nil {
		return "", false
	}
	for text := range p.Strings(length, length) {
		return text, true
	}
	return "", false
}
