package value

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Rare is an integer of 32 bits that is hardly ever an ID.
const Rare = 1_987_654_321

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

// OtherFraction is Other for a number that need not be whole: one that is not.
func OtherFraction(n *contract.Node, good any) (any, bool) {
	f, ok := exact(good)
	if !ok || n.Schema.Type.Is("integer") || len(n.Schema.Enum) > 0 || n.Schema.Const != nil {
		return nil, false
	}
	step := ranged([]*contract.Node{n}, false).stepOr(big.NewRat(1, 2))
	for _, times := range []int64{2, -2, 4, -4, 3, -3, 1, -1} {
		v := decimal(new(big.Rat).Add(f, new(big.Rat).Mul(step, big.NewRat(times, 1))))
		if c, ok := exact(v); ok && !c.IsInt() && v != good && n.Validates(v) == nil {
			return v, true
		}
	}
	return nil, false
}

func otherNumber(n *contract.Node, good any) (any, bool) {
	r := ranged([]*contract.Node{n}, false)
	step := r.stepOr(big.NewRat(1, 1))
	far := new(big.Rat).Mul(step, big.NewRat(37, 1))
	candidates := []*big.Rat{big.NewRat(Rare, 1), big.NewRat(4711, 1), big.NewRat(137, 1), big.NewRat(37, 1)}
	switch {
	case r.lo != nil && r.hi != nil:
		var wholes, parts []*big.Rat
		width := new(big.Rat).Sub(r.hi, r.lo)
		for _, part := range []*big.Rat{big.NewRat(37, 100), big.NewRat(63, 100), big.NewRat(1, 2)} {
			c := new(big.Rat).Add(r.lo, part.Mul(part, width))
			whole := new(big.Rat).SetInt(new(big.Int).Div(c.Num(), c.Denom())) // a fraction is an edge of its own
			wholes, parts = append(wholes, whole), append(parts, c)
		}
		candidates = slices.Concat(candidates, wholes, parts)
	case r.lo != nil:
		candidates = append(candidates, new(big.Rat).Add(r.lo, far))
	case r.hi != nil:
		candidates = append(candidates, new(big.Rat).Sub(r.hi, far))
	}
	atEdge := func(v *big.Rat) bool { return r.lo != nil && v.Cmp(r.lo) == 0 || r.hi != nil && v.Cmp(r.hi) == 0 }
	for _, c := range candidates {
		if c = r.up(c); r.has(c) && !atEdge(c) {
			if v := decimal(c); v != good && n.Validates(v) == nil {
				return v, true
			}
		}
	}
	return nil, false
}

// otherText changes characters of a good text into others of their kind, as
// many of them as its pattern and format bear.
func otherText(n *contract.Node, good string) (any, bool) {
	if !n.FormatIsDefined() {
		return nil, false // nothing tells whether a text has the format
	}
	letters := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	digits := func(r rune) bool { return r >= '0' && r <= '9' }
	hex := func(r rune) bool { return digits(r) || r >= 'a' && r <= 'e' }
	either := func(r rune) bool { return letters(r) || digits(r) }
	text := []rune(good)
	rest := "kmnpq"
	if good != "" && strings.Trim(good, "0123456789") == "" && n.Validates(good+rest) != nil {
		rest = strconv.Itoa(Rare)
	}
	if s := good + rest; n.Schema.Format == "" && n.Validates(s) == nil {
		return s, true // of another length too: 2 may be there beside 1
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
