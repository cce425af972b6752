package server

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	api "github.com/dataarts-go/factory/gen/server"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// contract is what the server needs to know of the document, computed once.
type contract struct {
	operations map[string]*operation // by operationId
	// maxErrorText is the documented maximum length of error_msg.
	maxErrorText int
}

// operation is one operation of the document.
type operation struct {
	route *routers.Route
	// mediaTypes are the documented types of the request body, as written; nil
	// where there is none.
	mediaTypes *mediatype.Set
	// json has the schemas of those that are JSON, which is decoded while it is
	// seen to be well-formed; nil where the document sets none.
	json map[string]*openapi3.Schema
	// onceHeaders are the header parameters that cannot be sent twice: all but
	// arrays, whose items may come in several fields (RFC 9110 §5.3).
	onceHeaders []headerName
	// plain are the parameters, if allPlain: if none of them has to be decoded.
	plain    []plainParameter
	allPlain bool
	options  *openapi3filter.Options
	bodiless *openapi3filter.Options // the same, but for the body
	// visit is how kin-openapi visits the value of a body.
	visit []openapi3.SchemaValidationOption
}

// headerName is a header as the document writes it, and as net/http does.
type headerName struct{ name, key string }

// plainParameter is one in the path or a header that is a string: its value is
// what is sent, with nothing to decode, and VisitJSONString sees all of its rules.
type plainParameter struct {
	name     string // in the path as the document writes it, of a header as net/http does
	inPath   bool
	required bool
	schema   *openapi3.Schema
}

// effective are the parameters of an operation: its own, and those of its path
// that it does not replace.
func effective(item *openapi3.PathItem, op *openapi3.Operation) openapi3.Parameters {
	all := slices.Clone(op.Parameters)
	for _, p := range item.Parameters {
		if op.Parameters.GetByInAndName(p.Value.In, p.Value.Name) == nil {
			all = append(all, p)
		}
	}
	return all
}

// plainParameters returns those of list, and false if one is not plain. For
// OpenAPI 3.1 none is: kin-openapi has another validator there.
func plainParameters(list openapi3.Parameters) (plain []plainParameter, all bool) {
	for _, ref := range list {
		p := ref.Value
		if p.Schema == nil || p.Content != nil || p.AllowEmptyValue {
			return nil, false
		}
		schema := p.Schema.Value
		more := len(schema.AllOf)+len(schema.AnyOf)+len(schema.OneOf)+len(schema.Enum) > 0 || schema.Not != nil
		if more || !schema.Type.Is(openapi3.TypeString) {
			return nil, false
		}
		one := plainParameter{name: p.Name, inPath: p.In == openapi3.ParameterInPath, required: p.Required, schema: schema}
		switch {
		case p.Style != "" && p.Style != openapi3.SerializationSimple:
			return nil, false
		case p.In == openapi3.ParameterInHeader:
			one.name = http.CanonicalHeaderKey(p.Name)
		case !one.inPath:
			return nil, false
		}
		plain = append(plain, one)
	}
	return plain, true
}

func loadContract() (*contract, error) {
	doc, err := api.GetSpec()
	if err != nil {
		return nil, fmt.Errorf("load the embedded document: %w", err)
	}
	return newContract(doc)
}

// newContract reads doc, and changes it: its servers are left out, since it is
// served under any host, and its security, which validation has no part in.
func newContract(doc *openapi3.T) (*contract, error) {
	doc.Servers, doc.Security = nil, nil
	c := &contract{operations: map[string]*operation{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			op.Servers, op.Security = nil, nil
			c.operations[op.OperationID] = newOperation(doc, path, item, method, op)
		}
	}
	schema := doc.Components.Schemas["ErrorResponse"]
	if schema == nil || schema.Value == nil || schema.Value.Properties["error_msg"] == nil {
		return nil, errors.New("the document has no ErrorResponse with an error_msg")
	}
	limit := schema.Value.Properties["error_msg"].Value.MaxLength
	if limit == nil || *limit > 1<<20 {
		return nil, errors.New("the document sets error_msg no maximum length, or one above 1 MiB")
	}
	c.maxErrorText = int(*limit)
	return c, nil
}

func newOperation(doc *openapi3.T, path string, item *openapi3.PathItem, method string, op *openapi3.Operation) *operation {
	o := &operation{
		route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
		options: &openapi3filter.Options{
			// The handler is given what was validated, unchanged.
			KeepValidatedValue:  true,
			SkipSettingDefaults: true,
			// MultiError would keep an error for each of millions of elements.
		},
		visit: []openapi3.SchemaValidationOption{openapi3.VisitAsRequest()},
	}
	bodiless := *o.options
	bodiless.ExcludeRequestBody = true
	o.bodiless = &bodiless
	if doc.IsOpenAPI31OrLater() {
		o.visit = append(o.visit, openapi3.EnableJSONSchema2020())
	}
	if op.RequestBody != nil && len(op.RequestBody.Value.Content) > 0 {
		content := op.RequestBody.Value.Content
		o.mediaTypes = mediatype.NewSet(slices.Collect(maps.Keys(content)))
		o.json = map[string]*openapi3.Schema{}
		for label, media := range content {
			if t, err := mediatype.Parse(label); err != nil || !t.JSON() {
				continue
			}
			o.json[label] = nil
			if media.Schema != nil {
				o.json[label] = media.Schema.Value
			}
		}
	}
	if !doc.IsOpenAPI31OrLater() {
		o.plain, o.allPlain = plainParameters(effective(item, op))
	}
	for _, p := range effective(item, op) {
		array := p.Value.Schema != nil && p.Value.Schema.Value.Type.Is(openapi3.TypeArray)
		if p.Value.In == openapi3.ParameterInHeader && !array {
			o.onceHeaders = append(o.onceHeaders, headerName{p.Value.Name, http.CanonicalHeaderKey(p.Value.Name)})
		}
	}
	return o
}
