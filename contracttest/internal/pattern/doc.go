// Package pattern reads regular expressions as JSON Schema means them: those of
// ECMA 262 with the u flag (JSON Schema Core §6.4), which know look-around, back
// references and counts of any size. It matches them, and makes strings that
// match. Like the wire it is below the flow: it knows no contract.
//
//	p, err := pattern.Compile("^[A-Z]{2}[0-9]+$")
//	p.MatchString("AB1") // true
//	for s := range p.Strings(5, 5) {
//		fmt.Println(s) // AA000, then others of five characters that match
//	}
package pattern
