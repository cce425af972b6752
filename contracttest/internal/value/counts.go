package value

import (
	"math"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// amounts are words of names that say how much something is, alone or in a longer name, as
// pageSize and max_results do. Not among them are those that say where something stands (page,
// offset), which may be beyond the end, and what there is a supply of (quantity, amount, seats).
var amounts = []string{
	"age", "cost", "depth", "duration", "height", "interval", "length", "limit", "percent", "percentage", "price", "rating", "results", "size", "timeout", "ttl",
	"weight", "width",
}

// pointing are words of names whose numbers lead to something that need not be there.
var pointing = []string{
	"code", "cursor", "guid", "id", "ids", "index", "key", "level", "nr", "number", "offset", "page", "parent", "position", "ref", "reference", "revision",
	"serial", "skip", "start", "type", "uuid", "version",
}

// Counts reports whether the numbers of a node say how much of something there is, so that none
// of them has to exist on the target: by their name, or as the document has a limit for them
// that is not the one of a machine's integers.
func Counts(n *contract.Node) bool {
	if n.Schema == nil || n.Items != nil || n.Allows("string") || !n.Allows("integer") && !n.Allows("number") {
		return false
	}
	words := wordsOf(n.Name)
	last := len(words) - 1
	if last < 0 || slices.Contains(pointing, words[last]) {
		return false
	}
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(amounts, w) }) || limited(n)
}

// limited reports whether the document has an upper limit for a number, or a step.
func limited(n *contract.Node) bool {
	s := n.Schema
	if s.MultipleOf != nil {
		return true
	}
	most := s.Max
	if s.ExclusiveMax.Value != nil {
		most = s.ExclusiveMax.Value
	}
	if most == nil {
		return false
	}
	for _, bits := range []int{15, 16, 31, 32, 53, 63, 64} {
		if end := math.Ldexp(1, bits); *most == end || *most == end-1 {
			return false
		}
	}
	return true
}
