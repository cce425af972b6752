package contract

import "encoding/json"

// Exactly returns a bound of the node's schema to the last digit, where the
// double in the schema is another.
func (n *Node) Exactly(keyword string) (json.Number, bool) {
	return n.op.Contract.document.Exactly(n.Schema, keyword)
}
