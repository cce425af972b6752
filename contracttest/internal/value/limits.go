package value

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Where columns, counters and pages often end. What a document allows on both sides, a
// server may take on one alone.
var (
	lengths = []int{255, 256, 64, 65, 1024, 1025}
	counts  = []int{100, 101}
	// Of integers, and of numbers as well.
	integers = []string{
		"255", "256", "32767", "32768", "65535", "65536", "-2147483648", "-2147483649", "4294967295", "4294967296", "9007199254740991",
		"9007199254740992", "100", "101",
	}
	fractions = []string{"0.1", "0.30000000000000004", "123456789.987654321"}
	oddTexts  = []struct{ label, text string }{
		{"emoji", "\U0001F469\u200D\U0001F469\u200D\U0001F467\U0001F1E9\U0001F1EA"},
		{"combining-characters", "Z\u0351\u036b\u0343\u036a\u0302a\u0308\u0323"},
		{"ligature", "\ufb01\u0130\u1e9e"}, // longer or shorter in upper, lower or normal form
	}
	// Days that not every calendar of a program has.
	days = map[string][]string{
		"date":      {"2000-02-29", "9999-12-31", "1970-01-01"},
		"date-time": {"2000-02-29T23:59:59Z", "9999-12-31T23:59:59Z", "2024-12-31T23:59:59+14:00", "2024-02-29T00:00:00-12:00"},
	}
)

// Limits makes values of the node that are valid, and next to where receivers often have a
// limit that no document speaks of. Keep makes those next to the documented ones.
func (m *Maker) Limits(n *contract.Node, good Good, in Place) []Variant {
	c := n.Clause("type")
	if c == nil || m.stopped() != nil || len(n.Schema.Enum) > 0 || n.Schema.Const != nil {
		return nil
	}
	k := &keeper{m: m, n: n, good: good, in: in, labels: map[string]bool{}, count: map[*contract.Clause]int{}}
	switch v := good.V.(type) {
	case string:
		k.longTexts(c)
	case json.Number, float64, int:
		all := integers
		if !n.Schema.Type.Is("integer") {
			all = slices.Concat(fractions, integers)
		}
		for _, text := range all {
			k.add(c, text, json.Number(text), false)
		}
	case []any:
		k.longLists(c, v)
	}
	return k.out
}

func (k *keeper) longTexts(c *contract.Clause) {
	s := k.n.Schema
	if s.Format != "" {
		for _, day := range days[s.Format] {
			k.add(c, day, day, false)
		}
		return
	}
	for _, want := range lengths {
		text := Letters(want)
		if s.Pattern != "" {
			text, _ = matching(s.Pattern, want)
		}
		k.add(c, fmt.Sprintf("%d-characters", want), text, false)
	}
	for _, t := range oddTexts {
		k.add(c, t.label, t.text, false)
	}
}

func (k *keeper) longLists(c *contract.Clause, good []any) {
	exists := len(k.good.Unknown) == 0
	for _, want := range counts {
		if len(good) == 0 || k.n.Schema.UniqueItems || len(k.n.PrefixItems) > 0 {
			break
		}
		items := make([]any, want)
		for i := range items {
			items[i] = good[i%len(good)]
		}
		k.add(c, fmt.Sprintf("%d-items", want), items, exists)
	}
	if item := k.n.Items; item != nil && item.Allows("string") && k.in == InBody {
		k.add(c, "empty-item", []any{""}, false)
		if len(good) > 0 {
			k.add(c, "empty-item-between", []any{good[0], "", good[0]}, false)
		}
	}
}
