// Package secret finds and hides what no report shows: credentials, and the values of what a user
// names.
//
//	secrets := secret.InExchange(e, []string{"iban"})
//	fmt.Println(secret.Hide("Authorization: Bearer eyJhbGciOi", secrets)) // Authorization: Bearer ***
//
// A secret is Hidden in every way in which it may be written: in URLs, JSON and HTML, and where a text
// was cut in the middle of it.
package secret
