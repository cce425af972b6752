package mediatype

import (
	"errors"
	"fmt"
	"mime"
	"strings"
)

// ErrMissing is returned for a message that carries no Content-Type.
var ErrMissing = errors.New("no Content-Type")

// Type is a parsed media type or media range. Type, Subtype and the names in
// Params are lower case.
type Type struct {
	Type, Subtype string
	Params        map[string]string
}

// Parse reads one media type ("application/json; charset=UTF-8") or media
// range ("text/*"). An empty string is ErrMissing.
func Parse(s string) (Type, error) {
	if strings.TrimSpace(s) == "" {
		return Type{}, ErrMissing
	}
	name, params, err := mime.ParseMediaType(s)
	if err != nil {
		return Type{}, fmt.Errorf("malformed media type %.200q: %w", s, err)
	}
	typ, sub, ok := strings.Cut(name, "/")
	if !ok || typ == "" || sub == "" {
		return Type{}, fmt.Errorf("malformed media type %.200q: want type/subtype", s)
	}
	return Type{Type: typ, Subtype: sub, Params: params}, nil
}

// List splits a list of media types or ranges at its commas, which a quoted value
// of a parameter may have too (RFC 9110 §5.6.1, §5.6.4). It returns at least one
// text, without white space around it.
func List(s string) []string {
	var all []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted && s[i] == '\\':
			i++
		case s[i] == ',' && !quoted:
			all = append(all, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(all, strings.TrimSpace(s[start:]))
}

// JSON reports whether the type is application/json, text/json or has the
// structured syntax suffix +json (RFC 6839 §3.1).
func (t Type) JSON() bool {
	return t.Subtype == "json" || strings.HasSuffix(t.Subtype, "+json")
}

// Accepts reports whether a message labelled got satisfies t, a media type or
// range of a contract.
//
// A charset that got leaves out is taken as the one meant. One that it names
// must be the documented one; for JSON it must be UTF-8 where none is
// documented, since RFC 8259 §8.1 knows no other. Any other parameter that t
// documents must be there with that value; parameters that t does not mention
// are of no account.
//
// application/*+json, which no RFC knows and ASP.NET writes, is all with that
// structured syntax suffix.
func (t Type) Accepts(got Type) bool {
	if t.Type != "*" && t.Type != got.Type {
		return false
	}
	if suffix, ranged := strings.CutPrefix(t.Subtype, "*"); !ranged && t.Subtype != got.Subtype || ranged && !strings.HasSuffix(got.Subtype, suffix) {
		return false
	}
	want, documented := t.Params["charset"]
	if !documented && got.JSON() {
		want, documented = "utf-8", true
	}
	if charset, named := got.Params["charset"]; named && documented && !strings.EqualFold(charset, want) {
		return false
	}
	for name, value := range t.Params {
		if name != "charset" && got.Params[name] != value {
			return false
		}
	}
	return true
}

// specificity orders the documented types that accept a message: the more it
// says, the higher.
func (t Type) specificity() int {
	n := len(t.Params)
	if t.Type != "*" {
		n += 100
	}
	switch {
	case strings.HasPrefix(t.Subtype, "*+"):
		n += 50
	case t.Subtype != "*":
		n += 100
	}
	return n
}

// Set is a list of documented media types and ranges, parsed once.
type Set struct {
	documented []string
	ranges     []documentedRange
	// known are the answers for the labels that nearly all messages have: the
	// documented ones as they stand, and without their parameters.
	known map[string]string
}

type documentedRange struct {
	Type
	entry string // that it stands in
	rank  int
}

// NewSet returns the documented media types and ranges as a set. An entry may
// list several ranges, separated by commas; what is none accepts nothing.
func NewSet(documented []string) *Set {
	s := &Set{documented: documented, known: map[string]string{}}
	for _, entry := range documented {
		for _, part := range List(entry) {
			if t, err := Parse(part); err == nil {
				s.ranges = append(s.ranges, documentedRange{t, entry, t.specificity()})
			}
		}
	}
	for _, r := range s.ranges {
		for _, label := range []string{r.entry, r.Type.Type + "/" + r.Subtype} {
			if entry, err := s.find(label); err == nil {
				s.known[label] = entry
			}
		}
	}
	return s
}

// Select returns which of the documented entries a message with this
// Content-Type is to be read as: the most specific one that accepts it, the
// first in lexical order where two are equally specific. The error says what is
// wrong with the label, or which types would have been taken.
func (s *Set) Select(contentType string) (string, error) {
	if entry, ok := s.known[contentType]; ok {
		return entry, nil
	}
	return s.find(contentType)
}

// find is Select for a label that may be any.
func (s *Set) find(contentType string) (string, error) {
	got, err := Parse(contentType)
	if err != nil {
		return "", err
	}
	best, rank := "", -1
	for _, r := range s.ranges {
		if r.Accepts(got) && (r.rank > rank || r.rank == rank && r.entry < best) {
			best, rank = r.entry, r.rank
		}
	}
	if rank < 0 {
		return "", fmt.Errorf("media type %.200q is not documented, want %s", contentType, strings.Join(s.documented, " or "))
	}
	return best, nil
}

// Select is Set.Select for a list that is asked once.
func Select(documented []string, contentType string) (string, error) {
	return NewSet(documented).Select(contentType)
}
