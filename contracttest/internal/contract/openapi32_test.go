package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const later = `openapi: 3.2.0
info: {title: t, version: "1"}
paths:
  /form:
    get:
      operationId: form
      parameters: [{name: q, in: querystring, content: {application/x-www-form-urlencoded: {encoding: {l: {style: form, explode: false}}, schema: {type: object, required: [a], properties: {a: {type: string, maxLength: 2}, l: {type: array, items: {type: integer}}}}}}}]
      responses: {"200": {}}
  /json:
    get:
      operationId: json
      parameters: [{name: q, in: querystring, required: true, content: {application/json: {schema: {type: array, items: {type: integer}, maxItems: 2}}}}]
      responses: {"200": {}}
  /cookie:
    get:
      operationId: cookie
      parameters: [{name: c, in: cookie, style: cookie, schema: {type: array, items: {type: integer}, maxItems: 2}}]
      responses: {"200": {}}
  /xml:
    post:
      operationId: xml
      requestBody:
        content:
          application/xml:
            schema:
              type: object
              required: [id, text]
              properties: {id: {type: integer, xml: {nodeType: attribute}}, text: {type: string, maxLength: 3, xml: {nodeType: cdata}}, l: {type: array, items: {type: integer}, xml: {nodeType: element}}}
              xml: {name: r}
      responses: {"200": {}}
`

// What came with OpenAPI 3.2 is read as it says.
func TestOpenAPI32(t *testing.T) {
	c := parse(t, later)
	assert.Empty(t, c.Warnings)
	for _, tt := range []struct {
		request string
		want    []string
	}{
		{"GET /form?a=b&l=1,2 HTTP/1.1\n", nil},
		{"GET /form HTTP/1.1\n", nil},
		{"GET /form?l=1 HTTP/1.1\n", []string{"form/querystring/q/a/required"}},
		{"GET /form?a=bcd HTTP/1.1\n", []string{"form/querystring/q/a/maxLength"}},
		{"GET /form?a=b&l=x HTTP/1.1\n", []string{"form/querystring/q/l/items/type"}},
		{"GET /json?%5B1,2%5D HTTP/1.1\n", nil},
		{"GET /json HTTP/1.1\n", []string{"json/querystring/q/required"}},
		{"GET /json?%5B1,2,3%5D HTTP/1.1\n", []string{"json/querystring/q/maxItems"}},
		{"GET /json?a=b HTTP/1.1\n", []string{"json/querystring/q/syntax"}},
		{"GET /cookie HTTP/1.1\nCookie: c=1; c=2\n", nil},
		{"GET /cookie HTTP/1.1\nCookie: c=1; c=2; c=3\n", []string{"cookie/cookie/c/maxItems"}},
		{"POST /xml HTTP/1.1\nContent-Type: application/xml\n\n<r id=\"1\"><![CDATA[a]]></r>", nil},
		{"POST /xml HTTP/1.1\nContent-Type: application/xml\n\n<r id=\"1\"><l><l>1</l></l>a</r>", nil},
		{"POST /xml HTTP/1.1\nContent-Type: application/xml\n\n<r id=\"1\">abcd</r>", []string{"xml/body/text/maxLength"}},
		{"POST /xml HTTP/1.1\nContent-Type: application/xml\n\n<r id=\"1\"/>", []string{"xml/body/text/required"}},
	} {
		t.Run(tt.request, func(t *testing.T) {
			r := request(t, tt.request)
			op, known := c.Find(r.Method, r.Path())
			require.True(t, known)
			var got []string
			for _, v := range op.CheckRequest(r) {
				got = append(got, v.Clause.Name+strings.Repeat("?", min(len(v.Leave), 1)))
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// What is written is read again.
func TestXMLOfOpenAPI32(t *testing.T) {
	op, _ := parse(t, later).Find("POST", "/xml")
	body, label, err := op.Body.Media[0].Write(map[string]any{"id": 1.0, "text": "a&b", "l": []any{2.0}}, nil)
	require.NoError(t, err)
	assert.Equal(t, "application/xml", label)
	assert.Equal(t, `<r id="1"><l><l>2</l></l>a&amp;b</r>`, string(body))
}
