// Package mediatype compares media types as RFC 9110 §8.3.1 says: type, subtype
// and parameter names in any letter case, parameters in any order, values quoted
// or not. The server and the contract engine share it, so that what one sends as
// documented is what the other takes.
//
//	documented := mediatype.NewSet([]string{"application/json", "text/*"})
//	entry, err := documented.Select("Application/JSON; charset=utf-8") // application/json
package mediatype
