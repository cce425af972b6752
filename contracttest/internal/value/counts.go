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

// starts are those of them that may be a limit of another number, as a start is of an end.
var starts = []string{"level", "position", "start"}

// Counts reports whether the numbers of a node say how much of something there is, so that none
// of them has to exist on the target: by their name, or as the document has a limit for them
// that is not the one of a machine's integers.
func Counts(n *contract.Node) bool {
	words := wordsOf(n.Name)
	if !onlyNumbers(n) || len(words) == 0 || slices.Contains(pointing, words[len(words)-1]) {
		return false
	}
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(amounts, w) }) || limited(n)
}

// Measures reports whether the numbers of a node may be a limit of others, or have one in them.
func Measures(n *contract.Node) bool {
	words := wordsOf(n.Name)
	if !onlyNumbers(n) || len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	return !slices.Contains(pointing, last) || slices.Contains(starts, last)
}

// onlyNumbers reports whether a node is about numbers alone.
func onlyNumbers(n *contract.Node) bool {
	return n.Schema != nil && n.Items == nil && !n.Allows("string") && (n.Allows("integer") || n.Allows("number"))
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
