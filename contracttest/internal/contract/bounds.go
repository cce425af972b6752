package contract

import (
	"encoding/json"
	"math/big"
)

// Exactly returns a bound of the node's schema to the last digit, where the
// double in the schema is another.
func (n *Node) Exactly(keyword string) (json.Number, bool) {
	return n.op.Contract.document.Exactly(n.Schema, keyword)
}

// beyond returns the keyword of a bound that a number is beyond, though the
// doubles next to both do not say so; empty where there is none.
func (n *Node) beyond(v json.Number) string {
	for _, keyword := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		text, ok := n.Exactly(keyword)
		if !ok {
			continue
		}
		bound, ok1 := new(big.Rat).SetString(string(text))
		given, ok2 := new(big.Rat).SetString(string(v))
		if !ok1 || !ok2 {
			continue
		}
		way := given.Cmp(bound)
		s := n.Schema
		switch keyword {
		case "minimum":
			ok = way > 0 || way == 0 && !s.ExclusiveMin.IsTrue()
		case "maximum":
			ok = way < 0 || way == 0 && !s.ExclusiveMax.IsTrue()
		case "exclusiveMinimum":
			ok = way > 0
		default:
			ok = way < 0
		}
		if !ok {
			return keyword
		}
	}
	return ""
}
