package value

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/pattern"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

const (
	maxCount = 1000      // items or properties that are made at most to reach a documented bound
	maxText  = 256 << 10 // characters that are made at most to reach a documented length
	longText = 64 << 10  // characters of the longest string where no length is documented
)

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
			for text := range schema.Samples(cmp.Or(s.Format, formatNamed(n))) {
				if !yield(text) {
					return
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
		for _, n := range nodes {
			if n.Schema.Format == "" {
				continue
			}
			for _, p := range patterns {
				for text := range schema.Joined(n.Schema.Format, p) {
					if !yield(text) {
						return
					}
				}
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
