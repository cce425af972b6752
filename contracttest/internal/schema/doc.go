// Package schema is the one model of a schema: whatever reads, makes, judges or counts a
// value goes by it.
//
//	set := schema.NewSet(doc, 100_000)
//	pet := set.Build(ref, schema.Root{Operation: "addPet", Path: "body", Subject: schema.Body, Add: add})
//	pet.Check(value, "")                  // the clauses that a value breaks
//	schema.Nodes{pet}.Alternatives()      // the ways in which a value may be valid, before there is one
//	pet.Visit(value, func(n *Node, …) …)  // value and schemas together
//
// A Node is a schema at one place of a message. It knows the clauses that it makes, and no
// operation. Which keywords apply subschemas, and to what, is written once, in the table of
// applicators (applicator.go): to add a keyword that does, add a row. A keyword that is an
// assertion of its own has a clause (keywords.go) and a line for the validator (validate.go).
//
// Values are judged by a validator of JSON Schema 2020-12. Schemas of OpenAPI 3.0 are translated
// once: nullable adds null to the type, exclusiveMinimum becomes a number, and what is readOnly or
// writeOnly is not required of the other side.
package schema
