// Package codec reads and writes values in the ways in which they travel: JSON, forms,
// multipart, XML, text, and the styles of parameters. There is a file for each.
//
//	p := codec.Parameter{Name: "ids", In: "query", Style: "form", Node: node} // of a list of integers
//	got := p.Read(message) // ?ids=1,2
//	got.Value              // []any{json.Number("1"), json.Number("2")}
//
// What a text stands for depends on the schema: "1" is a number or a string. A reader goes
// through the alternatives of the schema (package schema), and the first reading that is
// valid is the value. It does not judge: where no reading is valid, the likeliest is
// returned for the validator to say what is wrong.
package codec
