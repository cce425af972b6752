package schema

import "github.com/dataarts-go/factory/contracttest/internal/document"

// Side tells who keeps or breaks a clause.
type Side int

// The sides.
const (
	RequestSide  Side = iota // the sender keeps it, the receiver refuses what breaks it
	ResponseSide             // the responder keeps it
)

// Part is which part of a request a clause is about.
type Part int

// The parts. Those of responses, and what is about the message as a whole, are Elsewhere.
const (
	Elsewhere Part = iota
	InPath
	InQuery
	InHeader
	InCookie
	InBody
)

// Clause is one assertion of the contract that can be kept or broken on its
// own.
type Clause struct {
	Name      string // unique in the document, as in CancelFactoryPackages/body/package_ids/items/type
	Operation string // the ID of the operation that it is of
	Side      Side
	Part      Part
	Keyword   string // the last part of Name, as the document spells it where it is a keyword
	Text      string // the assertion in words
	Place     document.Place
	// Value names the value that a clause of a schema is about; several schemas,
	// as the parts of allOf, may be about one. Empty for other clauses.
	Value string
	// Permits is set where the clause allows something (a part may be absent,
	// further properties may be there): no request breaks it, a receiver does by
	// refusing what it allows.
	Permits bool
	// Narrowed says why a receiver may refuse what keeps the clause; empty where it may not.
	Narrowed string
	// Unplanned says why no case can be made for the clause, where that is
	// known from the document alone.
	Unplanned string
	// Vacuous is set where that reason is that every value keeps the clause.
	Vacuous bool
}

// Unjudged reports whether nobody can tell what keeps the clause.
func (c *Clause) Unjudged() bool { return c.Unplanned != "" && !c.Vacuous }

func (c *Clause) String() string { return c.Name }
