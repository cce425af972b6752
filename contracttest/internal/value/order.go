package value

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// ends are the words by which the two ends of a range are told apart in names. No document can
// say that the one is not beyond the other; services do.
var ends = [][2]string{
	{"start", "end"}, {"starts", "ends"}, {"begin", "end"}, {"begins", "ends"}, {"from", "to"}, {"from", "until"}, {"from", "till"}, {"since", "until"},
	{"after", "before"}, {"min", "max"}, {"minimum", "maximum"}, {"lower", "upper"}, {"low", "high"}, {"open", "close"}, {"opens", "closes"},
	{"in", "out"}, {"checkin", "checkout"}, {"departure", "arrival"}, {"gte", "lte"}, {"gt", "lt"}, {"earliest", "latest"}, {"issued", "expires"},
}

// Range is two names of one range.
type Range struct{ Lower, Upper string }

// Ranges finds those names that are the ends of a range: startDate and end_date among others.
func Ranges(names []string) []Range {
	words := make(map[string]string, len(names))
	for _, name := range names {
		words[strings.Join(wordsOf(name), " ")] = name
	}
	var all []Range
	for _, lower := range names {
		split := wordsOf(lower)
		for i, word := range split {
			for _, pair := range ends {
				if word != pair[0] {
					continue
				}
				other := slices.Clone(split)
				other[i] = pair[1]
				if upper, ok := words[strings.Join(other, " ")]; ok {
					all = append(all, Range{lower, upper})
				}
			}
		}
	}
	return all
}

// wordsOf splits startDate, start_date and start-date.
func wordsOf(name string) []string {
	var all []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			all = append(all, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	wasUpper := true
	for _, c := range name {
		letter := unicode.IsLetter(c) || unicode.IsDigit(c)
		if !letter || unicode.IsUpper(c) && !wasUpper {
			flush()
		}
		if letter {
			word.WriteRune(c)
		}
		wasUpper = unicode.IsUpper(c)
	}
	flush()
	return all
}

// Disordered reports whether the lower end of a range is beyond the upper one, or of two
// times the same.
func Disordered(lower, upper any) bool {
	low, high := Plain(lower), Plain(upper)
	if a, ok := exact(low); ok {
		b, also := exact(high)
		return also && a.Cmp(b) > 0
	}
	a, isTime := timeOf(low)
	b, also := timeOf(high)
	return isTime && also && !a.Before(b)
}

func timeOf(v any) (time.Time, bool) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, false
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// later makes a value for the upper end of a range that is above the lower one.
func (m *Maker) later(nodes []*contract.Node, lower any) (any, bool) {
	keeps := func(v any) bool {
		return !slices.ContainsFunc(nodes, func(n *contract.Node) bool { return n.Validates(v) != nil })
	}
	if at, ok := timeOf(Plain(lower)); ok {
		text, _ := Plain(lower).(string)
		layout := time.RFC3339Nano
		if len(text) == len(time.DateOnly) {
			layout = time.DateOnly
		}
		for _, by := range []time.Duration{24 * time.Hour, time.Hour} {
			if v := at.Add(by).Format(layout); keeps(v) {
				return v, true
			}
		}
		return nil, false
	}
	for _, n := range nodes {
		if v := m.Distinct(n, Plain(lower), 1); v != lower && keeps(v) {
			return v, true
		}
	}
	return nil, false
}

// order raises the upper ends of the ranges in an object that are below the lower ones, as
// far as both are made up.
func (o *object) order() {
	if len(o.members) < 2 {
		return
	}
	for _, r := range Ranges(slices.Sorted(maps.Keys(o.members))) {
		low, high := o.members[r.Lower], o.members[r.Upper]
		if !Disordered(low, high) || len(o.m.Known[r.Upper]) > 0 {
			continue
		}
		if _, fixed := o.a.fixed[r.Upper]; fixed {
			continue
		}
		nodes, _ := memberNodes(o.a.nodes, r.Upper)
		if v, ok := o.m.later(nodes, low); ok && !Disordered(low, v) {
			o.members[r.Upper] = v
		}
	}
}
