// Package spectest holds openapi.yaml against the documentation it was
// transcribed from. It has tests only: testdata/documented-facts.yaml has one
// row for each documented fact, and the tests fail when the document and a row
// disagree, and when the document states something that no row has.
//
//	go test ./internal/spectest -v // a line for each fact
package spectest
