// Package extjson reads texts that are JSON with extensions, as lenient parsers do:
//
//	value, ok := extjson.Decode([]byte("{'a': 01,} // a comment"))
//
// RFC 8259 §9 lets a parser "accept non-JSON forms or extensions". What is read
// here is what parsers in wide use accept, and holds one whole value all the same:
// other encodings (RFC 4627 §3) and invalid UTF-8; the comments, quotes, names,
// numbers, trailing commas and white space of JSON5; the words of Python and
// JavaScript; control characters in strings; a name given twice; bytes after the
// value. A text that is cut short, lacks a bracket, a comma or a colon, or is of
// another language (a form, YAML) holds no value for a schema, and is not read.
package extjson
