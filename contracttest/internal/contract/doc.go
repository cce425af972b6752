// Package contract loads an OpenAPI document and takes it apart into
// operations and clauses, each with its place in the document, and says which
// clauses a message breaks. kin-openapi reads the document and judges values;
// what it lets pass is added here, in one place.
//
// It is the first stage of the flow: it plans nothing and sends nothing.
package contract
