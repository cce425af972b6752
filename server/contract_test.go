package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// other is a document with kinds of rules that ours does not have, to see that
// they are enforced without a line about them.
const other = `
openapi: 3.0.3
info: {title: other, version: "1"}
servers: [{url: https://nowhere.example/base}]
security: [{Key: []}]
paths:
  /things/{n}:
    parameters:
      - {name: n, in: path, required: true, schema: {type: integer}}
    post:
      operationId: Make
      parameters:
        - {name: Limit, in: header, schema: {type: integer, maximum: 9}}
        - {name: Tags, in: header, schema: {type: array, items: {type: string, maxLength: 3}}}
        - {name: q, in: query, required: true, schema: {type: integer}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [name], properties: {name: {type: string, default: x}}}
          text/plain:
            schema: {type: string}
      responses: {"200": {description: made}}
    get:
      operationId: Read
      parameters:
        - {name: q, in: query, schema: {type: integer}}
      responses: {"200": {description: read}}
components:
  securitySchemes: {Key: {type: apiKey, in: header, name: Key}}
  schemas:
    ErrorResponse: {type: object, properties: {error_msg: {type: string, maxLength: 100}}}
`

func TestOtherDocument(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(other))
	require.NoError(t, err)
	c, err := newContract(doc)
	require.NoError(t, err)
	assert.Equal(t, 100, c.maxErrorText)

	const object, text = "application/json", "text/plain"
	tests := []struct {
		name, operation, n, query string
		header                    http.Header
		body                      string
		want                      string // empty: accepted
	}{
		{name: "as documented", query: "q=1", header: http.Header{"Content-Type": {object}, "Tags": {"a,b", "c"}}, body: `{"name":"a"}`},
		{name: "the other media type", query: "q=1", header: http.Header{"Content-Type": {text}}, body: `"a"`},
		{name: "no number in the path", n: "one", query: "q=1", want: "n in path: an invalid integer"},
		{name: "no number in a header", query: "q=1", header: http.Header{"Limit": {"secret"}}, want: "Limit in header: an invalid integer"},
		{name: "number too large", query: "q=1", header: http.Header{"Limit": {"10"}}, want: "Limit in header: number must be at most 9"},
		{name: "header twice", query: "q=1", header: http.Header{"Limit": {"1", "1"}}, want: "Limit in header: it must not be sent more than once"},
		{name: "item of a header too long", query: "q=1", header: http.Header{"Tags": {"a,long"}}, want: "Tags in header at 1: maximum string length is 3"},
		{name: "no query", want: "q in query: value is required but missing"},
		{name: "empty query", operation: "Read", query: "q=", want: "q in query: empty value is not allowed"},
		{name: "no body", query: "q=1", want: "body: value is required but missing"},
		{name: "property missing", query: "q=1", header: http.Header{"Content-Type": {object}}, body: `{}`, want: `name: property "name" is missing`},
		{name: "body not documented", operation: "Read", header: http.Header{"Content-Type": {object}}, body: `{}`, want: "body: this operation has none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.operation == "" {
				tt.operation = "Make"
			}
			if tt.n == "" {
				tt.n = "1"
			}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/things/"+tt.n+"?"+tt.query, strings.NewReader(tt.body))
			req.Header = tt.header
			if req.Header == nil {
				req.Header = http.Header{}
			}
			ctx := echo.New().NewContext(req, httptest.NewRecorder())
			ctx.SetParamNames("n")
			ctx.SetParamValues(tt.n)
			params := map[string]string{}
			require.NoError(t, pathParams(ctx, params))
			err := c.operations[tt.operation].validate(req, params, []byte(tt.body))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "400 DLF.3051: The request parameter is invalid: ")
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestContractRefused(t *testing.T) {
	for name, change := range map[string]func(*openapi3.T){
		"no ErrorResponse": func(d *openapi3.T) { delete(d.Components.Schemas, "ErrorResponse") },
		"no maximum length": func(d *openapi3.T) {
			d.Components.Schemas["ErrorResponse"].Value.Properties["error_msg"].Value.MaxLength = nil
		},
	} {
		doc, err := openapi3.NewLoader().LoadFromData([]byte(other))
		require.NoError(t, err)
		change(doc)
		_, err = newContract(doc)
		require.ErrorContains(t, err, strings.TrimPrefix(name, "no "))
	}
}

// Errors of the generated code and of Echo name Go types: their text is not
// passed on.
func TestRefusalOf(t *testing.T) {
	for status, want := range map[int]refusal{
		http.StatusBadRequest:           {status: 400, code: "DLF.3051", text: "The request parameter is invalid."},
		http.StatusUnsupportedMediaType: {status: 400, code: "DLF.3051", text: "The request parameter is invalid."},
		http.StatusServiceUnavailable:   {status: 500, code: "APIG.0601", text: "Internal server error."},
	} {
		assert.Equal(t, &want, refusalOf(echo.NewHTTPError(status, "cannot bind string to *gen.Thing")))
	}
}

func TestTruncate(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"", 1, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"ééé", 3, "ééé"},
		{"éééé", 3, "éé…"},
		{"📦", 2, "📦"},
		{"📦📦", 4, "📦📦"},
		{"📦📦", 3, "📦…"},
		{"a📦", 2, "a…"},
		{"ab", 1, "…"},
		{"📦", 1, "…"},
	}
	for _, tt := range tests {
		got := truncate(tt.in, tt.limit)
		assert.Equal(t, tt.want, got, "%q to %d", tt.in, tt.limit)
		assert.LessOrEqual(t, len(utf16.Encode([]rune(got))), tt.limit)
	}
	assert.Equal(t, "a\uFFFDb", *errorBody("X.1", "a\xffb", 10).ErrorMsg)
}
