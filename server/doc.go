// Package server answers the documented operation from a store of task
// packages, as an [http.Handler] on Echo.
//
//	packages, err := store.Open(ctx, "sqlite:packages.db")
//	handler, err := server.New(packages)
//	err = handler.Serve(ctx, listener)
//
// What a request must look like is read from the OpenAPI document embedded in
// gen/server and enforced by kin-openapi before the handler runs; no limit,
// path or status of it is repeated here. Around it stands what the document
// leaves to the server: a request ID, an access log, a bound on the body, one
// error shape for every failure, and an orderly end.
//
// A request passes, in this order:
//
//  1. observe: request ID, recovery from panics, error answers, access log
//  2. routed: unknown paths and methods
//  3. befall: faults on purpose
//  4. admit, which is the following in turn; what comes after the body is read
//     is bounded in time
//     a. authenticator: who the caller is and whether the project is theirs, before the
//     body is read where a token says so, after it where a signature does
//     b. bodyLimit: the body is read once, as far as there is memory for its caller
//     c. validate: media type, well-formed JSON, the document's own rules
//  5. the generated strict handler, which is given the value that was
//     validated, and CancelFactoryPackages
//
// Where the document is silent:
//
//   - Cancelling is all or nothing, and cancelling again is a success.
//   - A released package can no longer be cancelled (400, DLF.3051).
//   - Without body, with {} or with an empty list nothing is cancelled (200);
//     a workspace that does not exist or is missing is an error even then
//     (400, DLF.0819). An empty workspace header means the default workspace.
//   - A header that the document defines may be sent once.
//   - Another method on a known path is 404, as the vendor's gateway answers it, and
//     not 405; a body above 12 MiB is 413.
//
// What the vendor's gateway answers in the service's place, this package answers
// as the gateway does, with a request_id in the body: 401 to a caller who is not
// known, 403 where the project is another one, 404, 413, and 504 where a request
// takes longer than [Limits] allow.
//
// Where there are users, they fetch tokens at /v3/auth/tokens, as from IAM; 429
// is for whoever gives wrong passwords there, again and again. An access key is locked
// for five minutes after more than five signatures in a row that were not made with
// its secret, as by the vendor's gateway, but only to the address that they came from. The
// operation itself is not throttled but where a caller holds as much memory as it
// may ([Limits]).
//
// Beside the document there are, for everybody, /healthz (the process answers),
// /readyz (its store does, too), /openapi.json (the document) and / (a page that
// shows it, made of what is below /docs/).
//
// What is not HTTP, or has more than 128 KiB of headers, is refused by net/http
// before it gets here, in its own words.
package server
