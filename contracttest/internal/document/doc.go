// Package document reads an OpenAPI document with the files that it refers to:
//
//	d, err := document.Load("openapi.yaml")
//	if err != nil {
//		return err // a *document.Error: which file, where, and why
//	}
//	for example := range d.Examples() {
//		fmt.Println(example.Place.Pointer, example.Value)
//	}
//	places := []*document.Place{{Pointer: "/paths/~1users/get"}}
//	d.Locate(places) // openapi.yaml:12:5
//	fmt.Println(d.Warnings())
//
// It knows files, references and places; of operations, clauses and values it
// knows nothing. kin-openapi reads the document. What this package adds:
//
//   - A part that kin-openapi cannot read (a reference that leads nowhere, a text
//     where a list is expected) is left out with a warning, and the rest is read.
//   - References by name ($anchor, $id) are followed.
//   - Schemas are normalized: what kin-openapi loses or moves is put back, and no
//     schema is made of itself.
//   - Numbers that a double does not hold keep their digits.
//   - Everything has a line and a column, in JSON too.
package document
