package contract

import "github.com/dataarts-go/factory/contracttest/internal/document"

// checkExamples warns of examples and defaults that their own schemas refuse, in
// a request and in a response.
func (c *Contract) checkExamples() {
	for e := range c.document.Examples() {
		if c.schemas.Keeps(RequestSide, e.Schema, e.Value) != nil && c.schemas.Keeps(ResponseSide, e.Schema, e.Value) != nil {
			c.document.Warn(e.Place, "%s", document.OneLine("the "+e.Keyword+" breaks its schema: "+c.schemas.Reason(e.Schema, e.Value)))
		}
	}
}
