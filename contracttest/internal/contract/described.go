package contract

import (
	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// described is what a parameter or a header is described by: a schema, with a
// style, or the one media type of its content (OpenAPI 3.0.3, Parameter Object).
type described struct {
	schema *openapi3.SchemaRef
	step   string // to the schema, below the pointer of the parameter or header
	media  string // empty where there is a schema alone
}

func (c *Contract) describe(s *openapi3.SchemaRef, content openapi3.Content, pointer string) described {
	if s != nil || len(content) == 0 {
		return described{schema: s, step: "/schema"}
	}
	c.complete(content, pointer)
	key := mediaKeys(content)[0]
	return described{schema: content[key].Schema, step: "/content/" + escape(key) + "/schema", media: key}
}

// isJSON reports whether the value is written as JSON.
func (d described) isJSON() bool { return d.media != "" && codec.FormOf(d.media, nil) == codec.JSON }

// node makes the tree of the schema.
func (d described) node(op *Operation, pointer string, root schema.Root) *Node {
	root.Pointer = pointer + d.step
	return op.node(d.schema, root)
}
