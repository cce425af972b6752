package schema

import (
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// Set is what the schemas of one document have in common: their validators, and how far
// they are unrolled.
type Set struct {
	Document *document.Document
	// Formats are those that the user defines, by their names. They count before those of
	// the vocabulary.
	Formats map[string]*Format

	count, max int // of clauses: how many there are, and from where on schemas are shared
	unrolled   map[unrolledKey]*Node
	validators validators
	verdicts   verdicts
	// contradictions has by format and pattern whether they contradict one another.
	contradictions sync.Map
	heirsOnce      sync.Once
	heirNames      map[*openapi3.Schema][]string // of a schema, the names of those that are made of it
	heirNodes      *heirNodes
	// discriminates has by schema the names that its discriminator takes.
	discriminates sync.Map
	// less has the schemas that lack one of their keywords.
	less sync.Map
}

// NewSet returns the set of a document. Once its schemas have been unrolled to more than
// maxClauses clauses, a schema that was met before is not unrolled again.
func NewSet(d *document.Document, maxClauses int, formats map[string]*Format) *Set {
	set := &Set{Document: d, Formats: formats, max: maxClauses, unrolled: map[unrolledKey]*Node{}, heirNodes: &heirNodes{}}
	set.validators.set = set
	return set
}

// Full reports whether schemas that were met before are not unrolled again.
func (set *Set) Full() bool { return set.count > set.max }
