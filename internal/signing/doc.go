// Package signing signs requests with an access key (AK) and a secret key (SK)
// by SDK-HMAC-SHA256, the algorithm of the vendor's API gateways, and verifies
// what was signed so. The client signs with it and the server verifies.
//
//	err := signing.Sign(request, access, secret, time.Now())
//
// It follows the vendor's API Request Signing Guide (api-sign-algorithm-002 to
// 005) and, where the guide leaves a choice, the vendor's own Go SDK, whose
// signatures it reproduces. The signature covers
//
//   - the method;
//   - the path, each segment percent-encoded from its decoded form, with a
//     slash added at the end if there is none. Nothing is normalised: // and ..
//     stay as they are;
//   - the query, sorted by name and then by value;
//   - the headers that the signer chose, X-Sdk-Date among them;
//   - the body's SHA-256, or what X-Sdk-Content-Sha256 says instead of it.
package signing
