// Package obtain gets credentials, and gets them anew: by a command, a login,
// or OAuth 2.
//
//	source := obtain.Command("./token.sh")
//	credential, err := source(ctx)
//	fmt.Println(credential.Until) // when it is better got anew
package obtain
