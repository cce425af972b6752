package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Parameters of which each is held against the document by itself, and whether
// that is without decoding.
var parameters = []struct {
	text  string
	plain bool
}{
	{`in: header, schema: {type: string}`, true},
	{`in: header, required: true, schema: {type: string, minLength: 2, maxLength: 4}`, true},
	{`in: header, style: simple, explode: true, schema: {type: string, pattern: "^a+$"}`, true},
	{`in: header, schema: {type: string, format: date}`, true},
	{`in: header, schema: {type: string, nullable: true, maxLength: 3}`, true},
	{`in: header, schema: {type: string, enum: [a, aa]}`, false},
	{`in: header, schema: {type: string, not: {pattern: a}}`, false},
	{`in: header, schema: {allOf: [{type: string}, {maxLength: 2}]}`, false},
	{`in: header, schema: {type: string, oneOf: [{maxLength: 2}]}`, false},
	{`in: header, schema: {type: string, anyOf: [{maxLength: 2}]}`, false},
	{`in: header, schema: {type: integer, maximum: 9}`, false},
	{`in: header, schema: {type: boolean}`, false},
	{`in: header, schema: {type: array, items: {type: string}}`, false},
	{`in: header, schema: {}`, false},
	{`in: header, content: {application/json: {schema: {type: string}}}`, false},
	{`in: query, schema: {type: string, maxLength: 2}`, false},
	{`in: query, allowEmptyValue: true, schema: {type: string, minLength: 2}`, false},
	{`in: cookie, schema: {type: string, maxLength: 2}`, false},
	{`in: path, required: true, schema: {type: string, maxLength: 2}`, true},
	{`in: path, required: true, schema: {type: string, pattern: "^[0-9]*$"}`, true},
	{`in: path, required: true, style: label, schema: {type: string, maxLength: 2}`, false},
	{`in: path, required: true, style: matrix, schema: {type: string, maxLength: 2}`, false},
	{`in: path, required: true, schema: {type: integer}`, false},
}

var parameterValues = []string{
	"", "a", "aa", "aaa", "aaaaa", " a", "7", "12", "true", "null", ".a", ";p=a", "2026-02-28", "2026-02-30", `"a"`, "é", "𝒳𝒳", "a,b", "\xff", "%61",
}

// operationWith is that of a document with one parameter p.
func operationWith(t *testing.T, version, parameter string) *operation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(fmt.Appendf(nil, `
openapi: %s
info: {title: one, version: "1"}
paths:
  /things/{p}:
    get:
      operationId: Read
      parameters:
        - {name: p, %s}
      responses: {"200": {description: read}}
components:
  schemas:
    ErrorResponse: {type: object, properties: {error_msg: {type: string, maxLength: 100}}}
`, version, parameter))
	require.NoError(t, err)
	c, err := newContract(doc)
	require.NoError(t, err)
	return c.operations["Read"]
}

// What passes without kin-openapi's decoding is what passes with it, and a plain parameter
// that is refused without it is refused with it.
func TestPlainParameters(t *testing.T) {
	held := 0
	for _, p := range parameters {
		o := operationWith(t, "3.0.3", p.text)
		assert.Equal(t, p.plain, o.allPlain, p.text)
		for _, values := range sent() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/things/x", http.NoBody)
			params := map[string]string{}
			switch {
			case len(values) == 0:
			case strings.HasPrefix(p.text, "in: path"):
				params["p"] = values[0]
			case strings.HasPrefix(p.text, "in: header"):
				r.Header["P"] = values
			}
			rules := o.rules(r, params, o.bodiless)
			holds := o.holds(r, params)
			if holds {
				held++
				assert.NoError(t, rules, "%s: %q", p.text, values)
			} else if o.allPlain && len(values) < 2 && !strings.HasPrefix(p.text, "in: path") {
				assert.Error(t, rules, "%s: %q", p.text, values)
			}
		}
	}
	assert.Greater(t, held, 50)
}

// sent is how a parameter may be sent: not at all, once, or in two fields.
func sent() [][]string {
	all := [][]string{nil, {"a", "a"}}
	for _, v := range parameterValues {
		all = append(all, []string{v})
	}
	return all
}

// OpenAPI 3.1 has rules that VisitJSONString does not know.
func TestNoPlainParametersIn31(t *testing.T) {
	assert.True(t, operationWith(t, "3.0.3", `in: header, schema: {type: string}`).allPlain)
	assert.False(t, operationWith(t, "3.1.0", `in: header, schema: {type: string, const: a}`).allPlain)
}

// A parameter of the operation replaces that of the path.
func TestEffectiveParameters(t *testing.T) {
	one := func(in, name string) *openapi3.ParameterRef {
		return &openapi3.ParameterRef{Value: &openapi3.Parameter{In: in, Name: name}}
	}
	own, replaced, other := one("header", "A"), one("header", "A"), one("query", "A")
	got := effective(&openapi3.PathItem{Parameters: openapi3.Parameters{replaced, other}}, &openapi3.Operation{Parameters: openapi3.Parameters{own}})
	require.Len(t, got, 2)
	assert.Same(t, own, got[0])
	assert.Same(t, other, got[1])
}
