package contract

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Place is where a clause stands in the document.
type Place struct {
	File         string
	Pointer      string // JSON pointer, the file before its # where it is not the root document
	Line, Column int    // from 1; 0 where unknown
}

// Side tells who keeps or breaks a clause.
type Side int

// The sides.
const (
	RequestSide  Side = iota // the sender keeps it, the receiver refuses what breaks it
	ResponseSide             // the responder keeps it
)

// Clause is one assertion of the contract that can be kept or broken on its
// own.
type Clause struct {
	Name      string // unique in the document, as in CancelFactoryPackages/body/package_ids/items/type
	Operation *Operation
	Side      Side
	Keyword   string // the last part of Name, as the document spells it where it is a keyword
	Text      string // the assertion in words
	Place     Place
	// Value names the value that a clause of a schema is about; several schemas,
	// as the parts of allOf, may be about one. Empty for other clauses.
	Value string
	// Permits is set where the clause allows something (a part may be absent,
	// further properties may be there): no request breaks it, a receiver does by
	// refusing what it allows.
	Permits bool
	// Unplanned says why no case can be made for the clause, where that is
	// known from the document alone.
	Unplanned string
	// Vacuous is set where that reason is that every value keeps the clause.
	Vacuous bool
}

// Unjudged reports whether nobody can tell what keeps the clause.
func (c *Clause) Unjudged() bool { return c.Unplanned != "" && !c.Vacuous }

func (c *Clause) String() string { return c.Name }

func (p Place) String() string {
	if p.Line == 0 {
		return p.File + "#" + p.Pointer
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// escape makes a name of the document one segment of a clause name, as in a
// JSON pointer (RFC 6901 §3).
func escape(name string) string { return pointerEscapes.Replace(name) }

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// at returns the place of a field of an element, or of the element itself
// where the field has no place of its own.
func at(o *openapi3.Origin, pointer string, field string) Place {
	p := Place{Pointer: pointer}
	if field != "" {
		p.Pointer += "/" + escape(field)
	}
	if o == nil {
		return p
	}
	if loc, ok := o.Fields.Lookup(field); ok && field != "" {
		p.File, p.Line, p.Column = loc.File, loc.Line, loc.Column
		return p
	}
	if seq := o.Sequences[field]; len(seq) > 0 {
		p.File, p.Line, p.Column = seq[0].File, seq[0].Line, seq[0].Column
		return p
	}
	if o.Key != nil {
		p.File, p.Line, p.Column = o.Key.File, o.Key.Line, o.Key.Column
	}
	return p
}

// target returns the pointer of what a reference points to, or the pointer of
// the place itself where there is none.
func target(ref, pointer string) string {
	if ref == "" {
		return pointer
	}
	return strings.TrimPrefix(ref, "#")
}
