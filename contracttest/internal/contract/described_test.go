package contract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// A header or parameter may be described by a media type (OpenAPI 3.0.3, Header
// Object, content): then it is written as that is.
func TestContentOfHeadersAndParameters(t *testing.T) {
	c := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      parameters:
        - {name: word, in: query, content: {text/plain: {schema: {type: string, maxLength: 3}}}}
        - {name: table, in: query, content: {text/csv: {schema: {type: array, items: {type: integer}}}}}
        - {name: json, in: query, content: {application/json: {schema: {type: integer}}}}
        - {name: both, in: query, schema: {type: integer}, content: {application/json: {schema: {type: boolean}}}}
      requestBody:
        content:
          multipart/form-data:
            schema: {type: object, properties: {p: {type: string}}}
            encoding: {p: {headers: {X-Ref: {$ref: '#/components/headers/Ref'}, X-Part: {content: {application/json: {schema: {type: object, properties: {n: {type: integer}}}}}}}}}
      responses:
        "200":
          description: ok
          headers:
            X-JSON: {content: {application/json: {schema: {type: object, required: [n], properties: {n: {type: integer, maximum: 9}}}}}}
            X-Text: {content: {text/plain: {schema: {type: string, maxLength: 3}}}}
            X-Other: {content: {text/csv: {schema: {type: array, items: {type: integer}}}}}
components: {headers: {Ref: {schema: {type: integer}}}}
`)
	require.Len(t, c.Warnings, 1)
	op := c.Operations[0]
	for header, want := range map[string][]string{
		`X-JSON: {"n": 1}`:  {},
		`X-JSON: {"n": 10}`: {"op/response/200/header/X-JSON/n/maximum"},
		`X-JSON: {}`:        {"op/response/200/header/X-JSON/n/required"},
		`X-JSON: {`:         {"op/response/200/header/X-JSON/type"},
		"X-Text: abc":       {},
		"X-Text: abcd":      {"op/response/200/header/X-Text/maxLength"},
		"X-Other: a":        {},
	} {
		assert.Equal(t, want, broken(op.Response(200).CheckHeaders(response(t, "HTTP/1.1 200\n"+header+"\n"))), header)
	}
	for query, want := range map[string][]string{
		"word=abc": {}, "word=abcd": {"op/query/word/maxLength"}, "table=x": {}, "json=1": {}, "json=a": {"op/query/json/syntax"},
		"both=1": {}, "both=true": {"op/query/both/type"},
	} {
		assert.Equal(t, want, broken(op.CheckRequest(request(t, "POST /a?"+query+"\n"))), query)
	}
	for header, want := range map[string][]string{
		`{"n": 1}`: {}, `{"n": "a"}`: {"op/body/p/headers/X-Part/n/type"}, "{}\r\nX-Ref: a": {"op/body/p/headers/X-Ref/type"},
	} {
		r := request(t, "POST /a\nContent-Type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=p\r\nX-Part: "+header+"\r\n\r\na\r\n--b--\r\n")
		assert.Equal(t, want, broken(op.CheckRequest(r)), header)
	}
	for _, cl := range c.Clauses {
		assert.Positive(t, cl.Place.Line, cl.Name)
	}
}

// The value of a media type's parameter may have a comma in quotes (RFC 9110
// §5.6.4): it is one media type, not two.
func TestCommaInMediaType(t *testing.T) {
	c := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {required: true, content: {'application/json; profile="a,b"': {schema: {type: integer}}}}
      responses: {"200": {description: ok, content: {'application/json; profile="a,b"': {schema: {type: integer}}}}}
`)
	op := c.Operations[0]
	assert.Equal(t, codec.JSON, op.Body.Media[0].Form)
	for body, want := range map[string][]string{"1": {}, `"a"`: {"op/body/type"}, "{": {"op/body/syntax"}} {
		assert.Equal(t, want, broken(op.CheckRequest(request(t, "POST /a\nContent-Type: application/json; profile=\"a,b\"\n\n"+body))))
	}
	assert.Equal(t, []string{"op/body/media-type"}, broken(op.CheckRequest(request(t, "POST /a\nContent-Type: application/json; profile=\"a,c\"\n\n1"))))
	_, err := op.Response(200).Select(`application/json; profile="a,b"`)
	require.NoError(t, err)
}

// The Schema Object of OpenAPI 3.0 has a part of the keywords of JSON Schema 2020-12;
// the others are ignored, with a warning each.
func TestLaterKeywords(t *testing.T) {
	const document = `paths:
  /a:
    post:
      operationId: op
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                a: {type: string, const: a}
                b: {type: string, const: b, enum: [b, c]}
              patternProperties: {'^x': {type: integer}}
              if: {required: [a]}
              then: {required: [b]}
      responses: {"200": {description: ok}}
`
	const body = "POST /a\nContent-Type: application/json\n\n" + `{"a": "b", "b": "c", "x": "y"}`
	c := parse(t, head+document)
	assert.Equal(t, []string{
		"doc.yaml:13:35: OpenAPI 3.0 has no keyword const; ignored in all 2 schemas that have it",
		"doc.yaml:15:15: OpenAPI 3.0 has no keyword patternProperties; ignored",
		"doc.yaml:16:15: OpenAPI 3.0 has no keyword if; ignored",
		"doc.yaml:17:15: OpenAPI 3.0 has no keyword then; ignored",
	}, c.Warnings)
	assert.Empty(t, broken(c.Operations[0].CheckRequest(request(t, body))))
	for _, cl := range c.Clauses {
		for _, keyword := range []string{"const", "patternProperties", "if", "then"} {
			assert.NotContains(t, cl.Name, keyword)
		}
		if cl.Keyword == "enum" {
			assert.Equal(t, 14, cl.Place.Line)
		}
	}
	c = parse(t, strings.Replace(head, "3.0.3", "3.1.0", 1)+document)
	assert.Empty(t, c.Warnings)
	assert.NotEmpty(t, c.Operations[0].CheckRequest(request(t, body)))
}

// The branches of a discriminator may be files, whose names are those of the mapping.
func TestDiscriminatorOfFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cat.yaml":       "type: object\nrequired: [kind, lives]\nproperties: {kind: {type: string}, lives: {type: integer}}\n",
		"parts/dog.yaml": "Dog:\n  type: object\n  required: [kind]\n  properties: {kind: {type: string}}\n",
		"main.yaml": head + `paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {"200": {description: ok}}
  /b:
    post:
      operationId: unnamed
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Unnamed'}}}}
      responses: {"200": {description: ok}}
components:
  schemas:
    Pet:
      anyOf: [{$ref: cat.yaml}, {$ref: './parts/dog.yaml#/Dog'}]
      discriminator: {propertyName: kind, mapping: {cat: ./cat.yaml, dog: parts/dog.yaml#/Dog}}
    Unnamed:
      anyOf: [{$ref: cat.yaml}, {$ref: './parts/dog.yaml#/Dog'}]
      discriminator: {propertyName: kind}
`,
	} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	c, err := contract.Load(filepath.Join(dir, "main.yaml"))
	require.NoError(t, err)
	assert.Empty(t, c.Warnings)
	for _, tt := range []struct {
		path, body string
		want       []string
	}{
		{"/a", `{"kind": "cat", "lives": 9}`, []string{}},
		{"/a", `{"kind": "dog"}`, []string{}},
		{"/a", `{"kind": "cat"}`, []string{"op/body/discriminator"}},
		{"/a", `{"kind": "cow"}`, []string{"op/body/discriminator"}},
		{"/b", `{"kind": "cow"}`, []string{}},
	} {
		r := request(t, "POST "+tt.path+"\nContent-Type: application/json\n\n"+tt.body)
		op, _ := c.Find("POST", tt.path)
		assert.Equal(t, tt.want, broken(op.CheckRequest(r)), tt.path+tt.body)
	}
}

// Values keep the pattern that their format contradicts; what a request lacks of the format is left to
// the receiver, and a response may lack it.
func TestFormatThatThePatternContradicts(t *testing.T) {
	c := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {required: true, content: {application/json: {schema: &day {type: string, format: date, pattern: '^[0-9]{2}/[0-9]{2}/[0-9]{4}$'}}}}
      responses: {"200": {description: ok, content: {application/json: {schema: *day}}}}
`)
	require.NotEmpty(t, c.Warnings)
	assert.Contains(t, c.Warnings[0], "format ignored: no text is known that has both the format date and the pattern")
	op := c.Operations[0]
	left := op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n\"29/02/2024\""))
	require.Equal(t, []string{"op/body/format"}, broken(left))
	assert.Contains(t, left[0].Leave, "both it and the pattern")
	assert.Equal(t, []string{"op/body/pattern"}, broken(op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n\"2024-02-29\""))))
	assert.NoError(t, op.Response(200).Media[0].Node.Validates("29/02/2024"))
}
