// Package wellformed says whether bytes are one well-formed JSON value.
// The server has it decode a body before it validates that, the contract engine
// before it judges one: a lenient decoder would let pass bytes after the value,
// a second value, duplicate names and bad UTF-8.
//
//	err := wellformed.JSON([]byte(`{"a": 1, "a": 2}`)) // an *Error: duplicate-name at /a
package wellformed
