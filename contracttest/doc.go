// Package contracttest finds the ways in which an implementation of an HTTP API
// breaks its OpenAPI document.
//
// It takes a document apart into clauses, each of which can be kept or broken
// on its own ("package_ids[] is a string", "400 is application/json"), makes
// for each clause of a request the cases that keep it at its edges and the ones
// that break it alone, sends them, and judges every answer against the whole
// contract. The report says which clauses were kept, which were broken on
// purpose and refused as they should be, and which nobody tried.
//
// In a test, against a handler in the same process:
//
//	contract, err := contracttest.Load("openapi.yaml")
//	if err != nil {
//		t.Fatal(err)
//	}
//	contracttest.Test(t, contract, contracttest.Handler(handler), contracttest.Values("package_ids", "12", "13"))
//
// Anywhere, against a server:
//
//	report, err := contracttest.Run(ctx, contract, contracttest.URL("http://127.0.0.1:8080"))
//
// Exchanges that were recorded or written by hand are judged by
// [Contract.Judge], live traffic by [Transport] and [Middleware].
//
// The package knows no API but the one in the document, and sends nothing but
// to the target.
package contracttest
