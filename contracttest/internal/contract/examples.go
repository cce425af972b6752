package contract

import (
	"errors"
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// checkExamples warns of examples and defaults that their own schemas refuse, in
// a request and in a response.
func (c *Contract) checkExamples() {
	for e := range c.document.Examples() {
		if err := c.checkExample(e.Schema, e.Value); err != nil {
			c.document.Warn(e.Place, "%s", document.OneLine(fmt.Sprintf("the %s breaks its schema: %v", e.Keyword, err)))
		}
	}
}

func (c *Contract) checkExample(s *openapi3.Schema, v any) error {
	err := c.keeps(RequestSide, s, v)
	if err == nil || c.keeps(ResponseSide, s, v) == nil {
		return nil
	}
	if c.compiled(s) != nil {
		return err
	}
	all := flatten(s.VisitJSON(v, visit(RequestSide, openapi3.MultiErrors())...))
	if se, ok := errors.AsType[*openapi3.SchemaError](all[0]); ok && se.Reason != "" {
		if len(se.JSONPointer()) > 0 {
			return errors.New(where("", se.JSONPointer()) + ": " + se.Reason)
		}
		return errors.New(se.Reason)
	}
	return err
}
