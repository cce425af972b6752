package value

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// span is what bounds a number, to the last digit: 0.07 is a multiple of 0.01,
// which it is not in binary.
type span struct {
	lo, hi         *big.Rat // nil where there is no bound
	openLo, openHi bool     // the bound itself is outside
	step           *big.Rat // nil where every number will do
}

// bounds is the span with every number in it.
func (r span) bounds() span {
	r.step = nil
	return r
}

func ranged(nodes []*contract.Node, integer bool) span {
	var r span
	bound := func(n *contract.Node, keyword string, v *float64, open bool, at **big.Rat, isOpen *bool, tighter int) {
		if v == nil {
			return
		}
		f, ok := exact(*v)
		if digits, all := n.Exactly(keyword); all {
			f, ok = exact(digits)
		}
		if !ok {
			return
		}
		c := 1
		if *at != nil {
			c = f.Cmp(*at) * tighter
		}
		if c > 0 || c == 0 && open {
			*at, *isOpen = f, open
		}
	}
	for _, n := range nodes {
		s := n.Schema
		bound(n, "minimum", s.Min, s.ExclusiveMin.IsTrue(), &r.lo, &r.openLo, 1)
		bound(n, "exclusiveMinimum", s.ExclusiveMin.Value, true, &r.lo, &r.openLo, 1)
		bound(n, "maximum", s.Max, s.ExclusiveMax.IsTrue(), &r.hi, &r.openHi, -1)
		bound(n, "exclusiveMaximum", s.ExclusiveMax.Value, true, &r.hi, &r.openHi, -1)
		if s.MultipleOf != nil && *s.MultipleOf > 0 {
			if f, ok := exact(*s.MultipleOf); ok {
				r.step = common(r.step, f)
			}
		}
		integer = integer || s.Type.Is("integer")
	}
	if integer {
		r.step = common(r.step, big.NewRat(1, 1))
	}
	return r
}

// common returns the least number that both divide.
func common(a, b *big.Rat) *big.Rat {
	if a == nil {
		return b
	}
	den := new(big.Int).Mul(a.Denom(), b.Denom())
	x := new(big.Int).Mul(a.Num(), b.Denom())
	y := new(big.Int).Mul(b.Num(), a.Denom())
	gcd := new(big.Int).GCD(nil, nil, x, y)
	return new(big.Rat).SetFrac(x.Mul(x, y).Div(x, gcd), den)
}

func (r span) stepOr(d *big.Rat) *big.Rat {
	if r.step != nil {
		return new(big.Rat).Set(r.step)
	}
	return d
}

func (r span) has(v *big.Rat) bool {
	if r.lo != nil && (v.Cmp(r.lo) < 0 || r.openLo && v.Cmp(r.lo) == 0) {
		return false
	}
	if r.hi != nil && (v.Cmp(r.hi) > 0 || r.openHi && v.Cmp(r.hi) == 0) {
		return false
	}
	return r.step == nil || new(big.Rat).Quo(v, r.step).IsInt()
}

// up and down return the nearest multiple of the step.
func (r span) up(v *big.Rat) *big.Rat {
	if r.step == nil {
		return v
	}
	q := new(big.Rat).Quo(v, r.step)
	if q.IsInt() {
		return v
	}
	n := new(big.Int).Div(q.Num(), q.Denom()) // towards minus infinity: the denominator is positive
	n.Add(n, big.NewInt(1))
	return q.SetInt(n).Mul(q, r.step)
}

func (r span) down(v *big.Rat) *big.Rat {
	if r.step == nil {
		return v
	}
	q := new(big.Rat).Quo(v, r.step)
	if q.IsInt() {
		return v
	}
	n := new(big.Int).Div(q.Num(), q.Denom())
	return q.SetInt(n).Mul(q, r.step)
}

// little is by how much a value is moved off a bound.
func (r span) little() *big.Rat { return r.stepOr(big.NewRat(1, 2)) }

// least and greatest return the values at the edges, nil where there is none.
func (r span) least() *big.Rat {
	if r.lo == nil {
		return nil
	}
	return r.edge(r.up(r.lo), r.little())
}

func (r span) greatest() *big.Rat {
	if r.hi == nil {
		return nil
	}
	return r.edge(r.down(r.hi), new(big.Rat).Neg(r.little()))
}

func (r span) edge(v, inward *big.Rat) *big.Rat {
	for range 40 { // where the range is small, a smaller step may still be inside
		if r.has(v) {
			return v
		}
		if w := new(big.Rat).Add(v, inward); r.has(w) {
			return w
		}
		if r.step != nil {
			return nil
		}
		inward = new(big.Rat).Mul(inward, big.NewRat(1, 2))
	}
	return nil
}

// numbers lists values for nodes that all have a say, the plainest first, and those next to
// what nots take. They are not confirmed yet.
func numbers(nodes []*contract.Node, integer bool, nots ...*contract.Node) []json.Number {
	r := ranged(nodes, integer)
	first := big.NewRat(1, 1)
	if !r.bounds().has(first) {
		switch {
		case r.lo != nil:
			first = r.lo
		case r.hi != nil:
			first = r.hi
		}
	}
	candidates := []*big.Rat{r.up(first), r.least(), r.greatest(), r.down(first)}
	if r.lo != nil && r.hi != nil {
		mid := new(big.Rat).Add(r.lo, r.hi)
		mid.Mul(mid, big.NewRat(1, 2))
		candidates = append(candidates, r.up(mid), r.down(mid))
	}
	for _, not := range nots {
		other := ranged(parts(not), integer)
		if other.lo != nil {
			candidates = append(candidates, r.down(other.lo), r.down(new(big.Rat).Sub(other.lo, r.little())))
		}
		if other.hi != nil {
			candidates = append(candidates, r.up(other.hi), r.up(new(big.Rat).Add(other.hi, r.little())))
		}
	}
	for _, edge := range []*big.Rat{r.up(first), r.least(), r.greatest()} {
		for i := int64(1); edge != nil && i <= 12; i++ {
			by := new(big.Rat).Mul(r.stepOr(big.NewRat(1, 1)), big.NewRat(i, 1))
			candidates = append(candidates, new(big.Rat).Add(edge, by), new(big.Rat).Sub(edge, by))
		}
	}
	for _, v := range []*big.Rat{new(big.Rat), big.NewRat(1, 2), big.NewRat(3, 2), big.NewRat(-1, 1), big.NewRat(-1, 2), big.NewRat(100, 1)} {
		candidates = append(candidates, r.up(v))
	}
	var all []json.Number
	seen := map[json.Number]bool{}
	for _, v := range candidates {
		if v == nil || !r.has(v) {
			continue
		}
		if text := decimal(v); !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	return all
}

// exact returns a number as it is written.
func exact(v any) (*big.Rat, bool) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = string(v)
	case float64:
		text = strconv.FormatFloat(v, 'g', -1, 64)
	case int, int64, uint64:
		text = fmt.Sprint(v)
	default:
		return nil, false
	}
	if f, err := strconv.ParseFloat(text, 64); err != nil || f != 0 && (f < 1e-300 && f > -1e-300) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// decimal writes a number without an exponent, unless it would have many
// zeros.
func decimal(v *big.Rat) json.Number {
	if v.IsInt() {
		text := v.Num().String()
		if len(text) <= 21 {
			return json.Number(text)
		}
		f, _ := v.Float64()
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	}
	const digits = 20
	text := v.FloatString(digits)
	if back, ok := new(big.Rat).SetString(text); ok && back.Cmp(v) == 0 {
		return json.Number(strings.TrimRight(text, "0"))
	}
	f, _ := v.Float64()
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}
