package contracttest_test

import (
	patterns "path"
	"testing"

	"github.com/stretchr/testify/assert"
)

// undefined names cells by patterns, as those of path.Match; what is empty is any.
type undefined struct {
	version, carrier, applicator, shape string
	because                             string // the sentence of the specification
}

const (
	only30  = "OpenAPI 3.0.4, Schema Object: keywords of JSON Schema that are not mentioned here are strictly unsupported"
	single  = "OpenAPI 3.1.1, Style Values: the styles spaceDelimited and pipeDelimited are for arrays and objects; what n/a stands for is undefined"
	deep    = "OpenAPI 3.1.1, Style Values: the style deepObject is for objects; what n/a stands for is undefined"
	cookie  = "OpenAPI 3.1.1, Appendix D: the style form is ambiguous in cookies, and incorrect for multiple values"
	form    = "OpenAPI 3.1.1, Encoding Object: a form is of the properties of an object"
	plain   = "OpenAPI 3.1.1, Appendix B: there is no specification for converting arrays or objects to strings"
	xmlRoot = "OpenAPI 3.1.1, XML Object: names are those of properties; an array that is the root has none for its items"
)

// undefinedCells are those that the specification says nothing of.
var undefinedCells = []undefined{
	{version: "3.0", applicator: "patternProperties", because: only30},
	{version: "3.0", applicator: "unevaluatedProperties", because: only30},
	{version: "3.0", applicator: "dependentSchemas", because: only30},
	{version: "3.0", applicator: "propertyNames", because: only30},
	{version: "3.0", applicator: "prefixItems", because: only30},
	{version: "3.0", applicator: "unevaluatedItems*", because: only30},
	{version: "3.0", applicator: "contains", because: only30},
	{version: "3.0", applicator: "then*", because: only30},
	{version: "3.0", applicator: "else", because: only30},
	{version: "3.0", applicator: "$dynamicRef", because: only30},
	{version: "3.0", applicator: "$ref-with-siblings", because: "OpenAPI 3.0.4, Reference Object: properties beside $ref are ignored"},

	{carrier: "query-*Delimited", shape: "scalar", because: single},
	{carrier: "query-deepObject", shape: "scalar", because: deep},
	{carrier: "query-deepObject", shape: "array", because: deep},
	{carrier: "body-urlencoded-deepObject-property", shape: "scalar", because: deep},
	{carrier: "body-urlencoded-deepObject-property", shape: "array", because: deep},
	{carrier: "cookie", shape: "array", because: cookie},
	{carrier: "cookie", shape: "object", because: cookie},
	{carrier: "cookie-exploded", shape: "array", because: cookie},
	{carrier: "cookie-exploded", shape: "object", because: cookie},
	{carrier: "body-urlencoded", shape: "scalar", because: form},
	{carrier: "body-urlencoded", shape: "array", because: form},
	{carrier: "body-multipart", shape: "scalar", because: form},
	{carrier: "body-multipart", shape: "array", because: form},
	{carrier: "response-urlencoded", shape: "scalar", because: form},
	{carrier: "response-urlencoded", shape: "array", because: form},
	{carrier: "body-text", shape: "array", because: plain},
	{carrier: "body-text", shape: "object", because: plain},
	{carrier: "response-text", shape: "array", because: plain},
	{carrier: "response-text", shape: "object", because: plain},
	{carrier: "body-xml", shape: "scalar", because: xmlRoot},
	{carrier: "body-xml", shape: "array", because: xmlRoot},
	{carrier: "response-xml", shape: "scalar", because: xmlRoot},
	{carrier: "response-xml", shape: "array", because: xmlRoot},
}

func (u undefined) has(c cell) bool {
	for pattern, name := range map[*string]string{&u.version: c.version, &u.carrier: c.carrier.name, &u.applicator: c.applicator.name, &u.shape: c.applicator.shape} {
		if ok, err := patterns.Match(*pattern, name); *pattern != "" && (err != nil || !ok) {
			return false
		}
	}
	return true
}

// undefined returns the sentence that leaves a cell undefined, if there is one.
func (c cell) undefined() string {
	for _, u := range undefinedCells {
		if u.has(c) {
			return u.because
		}
	}
	return ""
}

func TestMatrixUndefined(t *testing.T) {
	all := cells()
	for _, u := range undefinedCells {
		matches := 0
		for _, c := range all {
			if u.has(c) {
				matches++
			}
		}
		assert.NotZero(t, matches, "%+v names no cell", u)
		assert.NotEmpty(t, u.because)
	}
}
