package match

import (
	"fmt"
	"iter"
	"path"
	"strings"
)

// Name compares names segment by segment: * stands for any text within a segment, and
// ** for any number of segments.
func Name(pattern, name string) bool {
	segments := strings.Split(name, "/")
	ends := make([]bool, len(segments)+1) // after how many segments what was read of the pattern may end
	ends[0] = true
	for wanted := range strings.SplitSeq(pattern, "/") {
		if wanted == "**" {
			for i := range segments {
				ends[i+1] = ends[i+1] || ends[i]
			}
			continue
		}
		for i := len(segments); i > 0; i-- {
			ends[i] = ends[i-1] && segment(wanted, segments[i-1])
		}
		ends[0] = false
	}
	return ends[len(segments)]
}

// segment compares one. A name may have what is special in a pattern.
func segment(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil || pattern == name
}

// Nearest ends a message about a name that there is not with the one that differs least
// from it; empty where none is near.
func Nearest(name string, names iter.Seq[string]) string {
	best, least := "", len(name)/2+2
	for other := range names {
		if d := distance(name, other); d < least {
			best, least = other, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the number of letters to change, add or drop (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
