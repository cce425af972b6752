package value

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Other makes a value of the same kind as a good one that nobody would expect
// to exist on a target: not the least, not the greatest, not a first. Where it
// is accepted, values of the node need not exist. The second result is false
// where the schema leaves no such value.
func Other(n *contract.Node, good any) (any, bool) {
	if len(n.Schema.Enum) > 0 || n.Schema.Const != nil {
		return nil, false // documented values exist
	}
	switch good := good.(type) {
	case string:
		return otherText(n, good)
	case json.Number, float64, int:
		return otherNumber(n, good)
	}
	return nil, false
}

func otherNumber(n *contract.Node, good any) (any, bool) {
	lo, hi, step := bounds(n)
	if step <= 0 {
		step = 1
	}
	snapped := func(v float64) float64 { return math.Round(v/step) * step }
	candidates := []float64{4711, 137, 37}
	switch {
	case math.IsInf(lo, 0) && math.IsInf(hi, 0):
	case math.IsInf(hi, 0):
		candidates = append(candidates, lo+37*step)
	case math.IsInf(lo, 0):
		candidates = append(candidates, hi-37*step)
	default:
		candidates = append(candidates, lo+(hi-lo)*0.37, lo+(hi-lo)*0.63)
	}
	for _, c := range candidates {
		v := Number(snapped(c))
		if f, err := v.Float64(); err == nil && f != lo && f != hi && v != good && n.Validates(v) == nil {
			return v, true
		}
	}
	return nil, false
}

// otherText changes characters of a good text into others of their kind, as
// many of them as its pattern and format bear.
func otherText(n *contract.Node, good string) (any, bool) {
	if n.Schema.Format != "" && n.Validates("\x00") == nil {
		return nil, false // nothing tells whether a text has the format
	}
	letters := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	digits := func(r rune) bool { return r >= '0' && r <= '9' }
	hex := func(r rune) bool { return digits(r) || r >= 'a' && r <= 'e' }
	either := func(r rune) bool { return letters(r) || digits(r) }
	text := []rune(good)
	if s := good + "kmnpq"; n.Schema.Pattern == "" && n.Schema.Format == "" && n.Validates(s) == nil {
		return s, true // of another length too
	}
	for _, kind := range []func(rune) bool{either, hex, letters, digits} {
		v := slices.Clone(text)
		for i, r := range v {
			if kind(r) {
				v[i] = next(r)
			}
		}
		if s := string(v); s != good && n.Validates(s) == nil {
			return s, true
		}
	}
	for i := len(text) - 1; i >= 0; i-- { // one alone: 2024-02-28
		v := slices.Clone(text)
		v[i] = next(v[i])
		if s := string(v); s != good && n.Validates(s) == nil {
			return s, true
		}
		if v[i] = before(text[i]); n.Validates(string(v)) == nil && string(v) != good {
			return string(v), true
		}
	}
	return nil, false
}

func next(r rune) rune {
	if strings.ContainsRune("zZ9", r) {
		return r
	}
	if r >= 'a' && r < 'z' || r >= 'A' && r < 'Z' || r >= '0' && r < '9' {
		return r + 1
	}
	return r
}

func before(r rune) rune {
	if r > 'a' && r <= 'z' || r > 'A' && r <= 'Z' || r > '0' && r <= '9' {
		return r - 1
	}
	return r
}
