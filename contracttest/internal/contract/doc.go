// Package contract takes an OpenAPI document apart into operations, messages and clauses, each
// with its place in the document, and says which clauses a message breaks.
//
//	c, err := contract.Load("openapi.yaml")
//	op := c.Operations[0]
//	op.CheckRequest(request)               // the clauses that a request breaks
//	op.Response(200).CheckBody(media, response)
//
// What a value has to be is the matter of package schema, how it travels that of package codec.
// Contract plans nothing and sends nothing.
package contract
