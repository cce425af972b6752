package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

func request(t testing.TB, text string) *wire.Request {
	t.Helper()
	r, err := wire.ParseRequest([]byte(text))
	require.NoError(t, err)
	return r
}

// broken names the clauses of violations.
func broken(violations []contract.Violation) []string {
	names := make([]string, len(violations))
	for i, v := range violations {
		names[i] = v.Clause.Name
	}
	return names
}

const params = head + `paths:
  /things/{id}/{part}:
    post:
      operationId: op
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 9}}
        - {name: part, in: path, required: true, schema: {type: string, minLength: 2, maxLength: 4}}
        - {name: q, in: query, required: true, schema: {type: string, enum: [a, b]}}
        - {name: flag, in: query, schema: {type: boolean}}
        - {name: list, in: query, explode: false, schema: {type: array, minItems: 1, maxItems: 2, uniqueItems: true, items: {type: integer}}}
        - {name: deep, in: query, style: deepObject, schema: {type: object, required: [a], properties: {a: {type: integer}}}}
        - {name: json, in: query, content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: integer}}}}}}
        - {name: X-Date, in: header, schema: {type: string, format: date}}
        - {name: X-Number, in: header, schema: {type: number, multipleOf: 0.5}}
        - {name: c, in: cookie, schema: {type: string, pattern: '^[a-z]+$'}}
        - {name: Authorization, in: header, required: true, schema: {type: string}}
      ` + done + "\n"

func TestCheckRequestParameters(t *testing.T) {
	op := parse(t, params).Operations[0]
	tests := []struct {
		name, target, header string
		want                 []string // "clause: start of the message", without the operation
	}{
		{"all that is required", "/things/1/ab?q=a", "", nil},
		{"all there is", "/things/9/abcd?q=b&flag=true&list=1,2&deep[a]=1&json=%7B%22a%22:1%7D", "X-Date: 2024-02-29\nX-Number: 1.5\nCookie: c=abc", nil},
		{"letter case of header names", "/things/1/ab?q=a", "x-DATE: 2024-02-29", nil},
		{"escapes in the path", "/things/%31/%61%2F?q=a", "", nil},
		{"Authorization is ignored", "/things/1/ab?q=a", "Authorization:", nil},
		{"path type", "/things/x/ab?q=a", "", []string{"path/id/type: id: cannot be read"}},
		{"path minimum", "/things/0/ab?q=a", "", []string{"path/id/minimum: id: violates: id is at least 1"}},
		{"path maximum", "/things/10/ab?q=a", "", []string{"path/id/maximum: id: "}},
		{"minLength", "/things/1/a?q=a", "", []string{"path/part/minLength: part: violates: part has at least 2 characters"}},
		{"maxLength", "/things/1/abcde?q=a", "", []string{"path/part/maxLength: part: "}},
		{"length in characters", "/things/1/%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80?q=a", "", nil},
		{"missing", "/things/1/ab", "", []string{"query/q/required: q is missing"}},
		{"empty", "/things/1/ab?q=", "", []string{"query/q/enum: q: violates: q is one of"}},
		{"empty boolean", "/things/1/ab?q=a&flag=", "", []string{"query/flag/type?: flag: cannot be read"}},
		{"enum", "/things/1/ab?q=c", "", []string{"query/q/enum: q: violates: q is one of"}},
		{"boolean", "/things/1/ab?q=a&flag=yes", "", []string{"query/flag/type?: flag is written in a way that receivers read differently"}},
		{"no boolean", "/things/1/ab?q=a&flag=maybe", "", []string{"query/flag/type: flag: cannot be read"}},
		{"item type", "/things/1/ab?q=a&list=1,x", "", []string{"query/list/items/type: list/1: cannot be read"}},
		{"maxItems", "/things/1/ab?q=a&list=1,2,3", "", []string{"query/list/maxItems: list: "}},
		{"uniqueItems", "/things/1/ab?q=a&list=1,1", "", []string{"query/list/uniqueItems: list: "}},
		{"required inside deepObject", "/things/1/ab?q=a&deep[b]=1", "", []string{"query/deep/a/required: deep/a: "}},
		{"JSON in a parameter", "/things/1/ab?q=a&json=%7B%7D", "", []string{"query/json/a/required: json/a: "}},
		{"twice in the query", "/things/1/ab?q=a&q=a", "", []string{"query/q/single?: q is given 2 times"}},
		{"format", "/things/1/ab?q=a", "X-Date: yesterday", []string{"header/X-Date/format: X-Date: "}},
		{"multipleOf", "/things/1/ab?q=a", "X-Number: 1.2", []string{"header/X-Number/multipleOf: X-Number: "}},
		{"twice in the header", "/things/1/ab?q=a", "X-Number: 1\nx-number: 2", []string{"header/X-Number/single?: X-Number is given 2 times"}},
		{"pattern", "/things/1/ab?q=a", "Cookie: c=A", []string{"cookie/c/pattern: c: "}},
		{"cookie twice", "/things/1/ab?q=a", "Cookie: c=a; c=b", []string{"cookie/c/single?: c is given 2 times"}},
		{"several", "/things/0/a", "X-Date: x", []string{"path/id/minimum", "path/part/minLength", "query/q/required", "header/X-Date/format"}},
		{"another path", "/things/1?q=a", "", []string{"path: the path is /things/1"}},
		{"path that cannot be unescaped", "/things/1/%zz?q=a", "", []string{"path: "}},
		{"query with a bad escape", "/things/1/ab?q=a&x=%zz", "", []string{"path?: the query has a percent sign"}},
		{"empty", "/things/1/ab?q=a&flag=&list=", "", []string{"query/flag/type?: flag: cannot be read", "query/list/items/type?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := "POST " + tt.target + " HTTP/1.1\n"
			if tt.header != "" {
				text += tt.header + "\n"
			}
			got := op.CheckRequest(request(t, text))
			require.Len(t, got, len(tt.want), "%v", got)
			for i, want := range tt.want {
				name, message, _ := strings.Cut(want, ": ")
				name, left := strings.CutSuffix(name, "?")
				assert.Equal(t, "op/"+name, got[i].Clause.Name)
				assert.True(t, strings.HasPrefix(got[i].Message, message), "%s", got[i].Message)
				assert.NotContains(t, got[i].Message, "\n")
				assert.Equal(t, left, got[i].Leave != "", "left to the receiver: %s", got[i].Leave)
			}
		})
	}
}

func TestCheckRequestMethod(t *testing.T) {
	op := parse(t, params).Operations[0]
	got := op.CheckRequest(request(t, "GET /things/1/ab?q=a"))
	require.Len(t, got, 1)
	assert.Same(t, op.MethodClause, got[0].Clause)
	assert.Equal(t, "the method is GET", got[0].Message)
}

const bodies = head + `paths:
  /required:
    post:
      operationId: op
      requestBody:
        required: true
        content:
          application/json;charset=UTF-8: {schema: {$ref: "#/components/schemas/B"}}
          application/x-www-form-urlencoded: {schema: {type: object, required: [n], properties: {n: {type: integer, maximum: 5}}}}
          multipart/form-data: {schema: {type: object, required: [n], properties: {n: {type: string, maxLength: 2}}}}
          text/*: {schema: {type: string, maxLength: 3}}
          application/octet-stream: {}
      ` + done + `
  /optional:
    post:
      operationId: may
      requestBody: {content: {application/json: {schema: {type: string}}}}
      ` + done + `
  /look:
    get:
      operationId: look
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [a]}}}}
      ` + done + `
  /any:
    post:
      operationId: any
      requestBody: {content: {"*/*": {schema: {type: object}}}}
      ` + done + `
  /none:
    post: {operationId: none, ` + done + `}
components:
  schemas:
    B:
      type: object
      required: [s]
      additionalProperties: false
      properties:
        s: {type: string, minLength: 1, maxLength: 3, pattern: '^[a-z]*$'}
        e: {type: integer, enum: [1, 2]}
        d: {type: string, format: date-time}
        "n": {type: number, minimum: 0, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: true, multipleOf: 0.5}
        z: {type: string, nullable: true}
        l: {type: array, minItems: 1, maxItems: 2, uniqueItems: true, items: {type: object, required: [a], properties: {a: {type: boolean}}}}
        o: {type: object, minProperties: 1, maxProperties: 2, additionalProperties: {type: integer}}
        one: {oneOf: [{type: string}, {type: integer}, {type: number}]}
        any: {anyOf: [{type: string, maxLength: 2}, {type: integer}]}
        all: {allOf: [{type: object, required: [a], properties: {a: {type: string}}}, {type: object, properties: {b: {type: string}}}]}
        not: {not: {type: string}}
        a/b~c: {type: string}
`

func TestCheckRequestJSON(t *testing.T) {
	op := parse(t, bodies).Operations[0]
	tests := []struct {
		name, body string
		want       []string
	}{
		{"least", `{"s":"a"}`, nil},
		{"most", `{"s":"abc","e":2,"d":"2024-02-29T12:00:00Z","n":9.5,"z":null,"l":[{"a":true},{"a":false}],"o":{"x":1,"y":2},"one":"s","any":1,"all":{"a":"","b":""},"not":1,"a/b~c":""}`, nil},
		{"type of the body", `[]`, []string{"type: the body: want object, got array"}},
		{"null for the body", `null`, []string{"type: the body: want object, got null"}},
		{"type", `{"s":1}`, []string{"s/type: s: want string, got integer"}},
		{"fraction for an integer", `{"s":"a","o":{"x":1.5}}`, []string{"o/additionalProperties/type: o/x: want integer, got number"}},
		{"null", `{"s":null}`, []string{"s/type: s: want string, got null"}},
		{"required", `{}`, []string{"s/required: s: "}},
		{"additionalProperties", `{"s":"a","x":1}`, []string{"additionalProperties: "}},
		{"minLength", `{"s":""}`, []string{"s/minLength"}},
		{"maxLength", `{"s":"abcd"}`, []string{"s/maxLength"}},
		{"pattern", `{"s":"A"}`, []string{"s/pattern"}},
		{"enum", `{"s":"a","e":3}`, []string{"e/enum: e: violates: e is one of 1, 2"}},
		{"type before enum", `{"s":"a","e":"1"}`, []string{"e/type: e: want integer, got string"}},
		{"format", `{"s":"a","d":"2024-02-30"}`, []string{"d/format"}},
		{"exclusive minimum", `{"s":"a","n":0}`, []string{"n/minimum"}},
		{"exclusive maximum", `{"s":"a","n":10}`, []string{"n/maximum"}},
		{"multipleOf", `{"s":"a","n":1.3}`, []string{"n/multipleOf"}},
		{"minItems", `{"s":"a","l":[]}`, []string{"l/minItems"}},
		{"maxItems", `{"s":"a","l":[{"a":true},{"a":false},{"a":true,"b":1}]}`, []string{"l/maxItems"}},
		{"uniqueItems", `{"s":"a","l":[{"a":true},{"a":true}]}`, []string{"l/uniqueItems"}},
		{"inside an item", `{"s":"a","l":[{"a":true},{"a":"true"}]}`, []string{"l/items/a/type: l/1/a: want boolean, got string"}},
		{"required inside an item", `{"s":"a","l":[{}]}`, []string{"l/items/a/required: l/0/a: "}},
		{"minProperties", `{"s":"a","o":{}}`, []string{"o/minProperties"}},
		{"maxProperties", `{"s":"a","o":{"x":1,"y":2,"z":3}}`, []string{"o/maxProperties"}},
		{"additional property", `{"s":"a","o":{"x":"1"}}`, []string{"o/additionalProperties/type: o/x: want integer, got string"}},
		{"oneOf none", `{"s":"a","one":true}`, []string{"one/oneOf"}},
		{"oneOf two", `{"s":"a","one":1}`, []string{"one/oneOf"}},
		{"anyOf", `{"s":"a","any":true}`, []string{"any/anyOf"}},
		{"allOf", `{"s":"a","all":{"b":1}}`, []string{"all/allOf/0/a/required", "all/allOf/1/b/type"}},
		{"not", `{"s":"a","not":"s"}`, []string{"not/not"}},
		{"odd name", `{"s":"a","a/b~c":1}`, []string{"a~1b~0c/type: a~1b~0c: want string, got integer"}},
		{"several", `{"s":"ABCD","e":9}`, []string{"e/enum", "s/maxLength", "s/pattern"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := op.CheckRequest(request(t, "POST /required\nContent-Type: application/json\n\n"+tt.body))
			names := make([]string, len(got))
			for i, v := range got {
				names[i] = strings.TrimPrefix(v.Clause.Name, "op/body/")
				assert.Empty(t, v.Leave)
				assert.False(t, v.Syntax)
				assert.NotContains(t, v.Message, "\n")
			}
			want := make([]string, len(tt.want))
			for i, w := range tt.want {
				name, message, _ := strings.Cut(w, ": ")
				want[i] = name
				if message != "" && i < len(got) {
					assert.True(t, strings.HasPrefix(got[i].Message, message), "%s", got[i].Message)
				}
			}
			assert.ElementsMatch(t, want, names)
		})
	}
}

// Documents of OpenAPI 3.1 are judged by another validator of kin-openapi; the
// clauses that it finds broken are named alike.
func TestCheckRequest31(t *testing.T) {
	op := parse(t, strings.ReplaceAll(strings.NewReplacer(
		"openapi: 3.0.3", "openapi: 3.1.0",
		"minimum: 0, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: true", "exclusiveMinimum: 0, exclusiveMaximum: 10",
	).Replace(bodies), "type: string, nullable: true", "type: [string, 'null']")).Operations[0]
	for body, want := range map[string][]string{
		`{"s":"abc","e":2,"n":9.5,"z":null,"l":[{"a":true}],"o":{"x":1},"one":"s","any":1,"all":{"a":""},"not":1}`: {},
		`[]`:                                    {"type"},
		`{"s":null}`:                            {"s/type"},
		`{}`:                                    {"s/required"},
		`{"s":"a","x":1}`:                       {"additionalProperties"},
		`{"s":""}`:                              {"s/minLength"},
		`{"s":"ABCD"}`:                          {"s/maxLength", "s/pattern"},
		`{"s":"a","e":3}`:                       {"e/enum"},
		`{"s":"a","n":0}`:                       {"n/exclusiveMinimum"},
		`{"s":"a","n":10}`:                      {"n/exclusiveMaximum"},
		`{"s":"a","n":1.3}`:                     {"n/multipleOf"},
		`{"s":"a","l":[]}`:                      {"l/minItems"},
		`{"s":"a","l":[{"a":1}]}`:               {"l/items/a/type"},
		`{"s":"a","l":[{}]}`:                    {"l/items/a/required"},
		`{"s":"a","l":[{"a":true},{"a":true}]}`: {"l/uniqueItems"},
		`{"s":"a","o":{"x":"1"}}`:               {"o/additionalProperties/type"},
		`{"s":"a","one":true}`:                  {"one/oneOf"},
		`{"s":"a","any":true}`:                  {"any/anyOf"},
		`{"s":"a","all":{"b":1}}`:               {"all/allOf/0/a/required", "all/allOf/1/b/type"},
		`{"s":"a","not":"s"}`:                   {"not/not"},
	} {
		got := op.CheckRequest(request(t, "POST /required\nContent-Type: application/json\n\n"+body))
		names := broken(got)
		for i := range names {
			names[i] = strings.TrimPrefix(names[i], "op/body/")
			assert.NotContains(t, got[i].Message, "\n")
		}
		assert.ElementsMatch(t, want, names, body)
	}
}

func TestCheckRequestMessagesHoldNoValue(t *testing.T) {
	op := parse(t, bodies).Operations[0]
	for _, body := range []string{`{"s":"geheim"}`, `{"s":"a","e":"geheim"}`, `{"s":"a","d":"geheim"}`, `{"s":"a","one":["geheim"]}`, `{"s":"a","any":"geheim"}`, `{"s":"a","not":"geheim"}`} {
		got := op.CheckRequest(request(t, "POST /required\nContent-Type: application/json\n\n"+body))
		require.NotEmpty(t, got, body)
		for _, v := range got {
			assert.NotContains(t, v.Message, "geheim", body)
		}
	}
}

func TestCheckRequestBody(t *testing.T) {
	const json = "Content-Type: application/json\n"
	tests := []struct {
		name, text string
		want       []string // clause, and what is left to the receiver behind a blank
	}{
		{"absent where required", "POST /required\n", []string{"op/body/required RFC 9110 §8.3"}}, // application/octet-stream is documented
		{"empty where required", "POST /required\n" + json + "Content-Length: 0\n\n", []string{"op/body/required"}},
		{"absent where optional", "POST /optional\n" + json, nil},
		{"not documented", "POST /none\n" + json + "\n[", nil},

		{"as documented", "POST /required\nContent-Type: application/json;charset=UTF-8\n\n{\"s\":\"a\"}", nil},
		{"another spelling", "POST /required\nContent-Type: APPLICATION/Json ; Charset=\"utf-8\"\n\n{\"s\":\"a\"}", nil},
		{"another charset", "POST /required\nContent-Type: application/json;charset=latin1\n\n{\"s\":\"a\"}", []string{"op/body/media-type"}},
		{"another type", "POST /required\nContent-Type: application/xml\n\n<a/>", []string{"op/body/media-type"}},
		{"malformed type", "POST /required\nContent-Type: json\n\n{}", []string{"op/body/media-type"}},
		{"another charset where none is documented", "POST /any\nContent-Type: application/json;charset=latin1\n\n{}", []string{"any/body/media-type RFC 8259 §11"}},
		{"malformed type where any will do", "POST /any\nContent-Type: /json\n\n{}", []string{"any/body/media-type RFC 9110 §2.4"}},
		{"content of a GET", "GET /look\nContent-Type: application/json\n\n{}", []string{"look/body/a/required RFC 9110 §9.3.1"}},
		{"a GET without content", "GET /look\n", []string{"look/body/required RFC 9110 §9.3.1"}},
		{"no type", "POST /required\n\n{}", []string{"op/body/media-type RFC 9110 §8.3"}},
		{"blank type", "POST /required\nContent-Type:\n\n{}", []string{"op/body/media-type RFC 9110 §8.3"}},
		{"type with a malformed parameter", "POST /required\nContent-Type: application/json; charset\n\n{\"s\":\"a\"}", []string{"op/body/media-type RFC 9110 §2.4"}},
		{"type with a parameter twice", "POST /required\nContent-Type: application/json; a=b; a=c\n\n{\"s\":\"a\"}", []string{"op/body/media-type RFC 9110 §2.4"}},
		{"malformed parameter, and a value that breaks the schema", "POST /required\nContent-Type: application/json; charset\n\n{\"s\":1}", []string{"op/body/media-type RFC 9110 §2.4", "op/body/s/type"}},
		{"malformed parameter of another type", "POST /required\nContent-Type: application/xml; charset\n\n{\"s\":\"a\"}", []string{"op/body/media-type"}},
		{"a type twice in one line", "POST /required\nContent-Type: application/json, application/json\n\n{\"s\":\"a\"}", []string{"op/body/media-type RFC 9110 §8.3"}},
		{"two types in one line, the last documented", "POST /required\nContent-Type: application/xml; a=b, application/json, x\n\n{\"s\":\"a\"}", []string{"op/body/media-type RFC 9110 §8.3"}},
		{"two types in one line, the first documented", "POST /required\nContent-Type: application/json, application/xml\n\n{\"s\":\"a\"}", []string{"op/body/media-type"}},
		{"two types", "POST /required\nContent-Type: text/plain\n" + json + "\n{}", []string{"op/body/media-type RFC 9110 §5.2"}},
		{"content coding", "POST /required\nContent-Encoding: gzip\n" + json + "\n{\"s\":\"a\"}", []string{"op/body/media-type RFC 9110 §8.4"}},
		{"identity is no coding", "POST /required\nContent-Encoding: Identity\n" + json + "\n{\"s\":\"a\"}", nil},

		{"not JSON", "POST /required\n" + json + "\nnot", []string{"op/body/syntax"}},
		{"cut", "POST /required\n" + json + "\n{\"s\":\"a\"", []string{"op/body/syntax"}},
		{"bytes after", "POST /required\n" + json + "\n{\"s\":\"a\"}x", []string{"op/body/syntax RFC 8259 §9"}},
		{"invalid UTF-8", "POST /required\n" + json + "\n{\"s\":\"\xff\"}", []string{"op/body/syntax RFC 8259 §9"}},
		{"UTF-16", "POST /required\n" + json + "\n{\x00\"\x00s\x00\"\x00:\x00\"\x00a\x00\"\x00}\x00", []string{"op/body/syntax RFC 8259 §9"}},
		{"extension", "POST /required\n" + json + "\n{'s':'a',} // a", []string{"op/body/syntax RFC 8259 §9"}},
		{"number that is none", "POST /required\n" + json + "\n{\"s\":\"a\",\"n\":NaN}", []string{"op/body/syntax RFC 8259 §9"}},
		{"extension of a value that breaks the schema", "POST /required\n" + json + "\n{\"s\":01}", []string{"op/body/syntax RFC 8259 §9", "op/body/s/type"}},
		{"number that is none for an object", "POST /required\n" + json + "\nNaN", []string{"op/body/syntax RFC 8259 §9", "op/body/type"}},
		{"byte-order mark and no JSON", "POST /required\n" + json + "\n\xef\xbb\xbfnot", []string{"op/body/syntax"}},
		{"duplicate names in a cut text", "POST /required\n" + json + "\n{\"s\":\"a\",\"s\":\"a\"", []string{"op/body/syntax"}},
		{"duplicate names", "POST /required\n" + json + "\n{\"s\":\"a\",\"s\":\"a\"}", []string{"op/body/syntax RFC 8259 §4"}},
		{"byte-order mark", "POST /required\n" + json + "\n\xef\xbb\xbf{\"s\":\"a\"}", []string{"op/body/syntax RFC 8259 §8.1"}},
		{"half a surrogate pair", "POST /required\n" + json + "\n{\"s\":\"\\ud800\"}", []string{"op/body/syntax RFC 8259 §8.2"}},
		{"too deep", "POST /required\n" + json + "\n" + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), []string{"op/body/syntax RFC 8259 §9"}},

		{"form", "POST /required\nContent-Type: application/x-www-form-urlencoded\n\nn=5", nil},
		{"form that breaks the schema", "POST /required\nContent-Type: application/x-www-form-urlencoded\n\nn=6", []string{"op/body:application~1x-www-form-urlencoded/n/maximum"}},
		{"form without a field", "POST /required\nContent-Type: application/x-www-form-urlencoded\n\nm=6", []string{"op/body:application~1x-www-form-urlencoded/n/required"}},
		{"multipart", "POST /required\nContent-Type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nab\r\n--b--\r\n", nil},
		{"multipart that breaks the schema", "POST /required\nContent-Type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nabc\r\n--b--\r\n", []string{"op/body:multipart~1form-data/n/maxLength"}},
		{"part without a name", "POST /required\nContent-Type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nab\r\n--b\r\n\r\nc\r\n--b--\r\n", []string{"op/body:multipart~1form-data/syntax RFC 7578 §4.2"}},
		{"part without a name alone", "POST /required\nContent-Type: multipart/form-data; boundary=b\n\n--b\r\n\r\nc\r\n--b--\r\n", []string{"op/body:multipart~1form-data/syntax RFC 7578 §4.2", "op/body:multipart~1form-data/n/required"}},
		{"range", "POST /required\nContent-Type: text/plain\n\nabc", nil},
		{"range that breaks the schema", "POST /required\nContent-Type: text/plain\n\nabcd", []string{"op/body:text~1*/maxLength"}},
		{"no schema", "POST /required\nContent-Type: application/octet-stream\n\n\x00", nil},
	}
	c := parse(t, bodies)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, tt.text)
			op, _ := c.Find(r.Method, r.Path())
			require.NotNil(t, op)
			got := op.CheckRequest(r)
			require.Len(t, got, len(tt.want), "%v", got)
			for i, want := range tt.want {
				name, leave, _ := strings.Cut(want, " ")
				assert.Equal(t, name, got[i].Clause.Name)
				if leave == "" {
					assert.Empty(t, got[i].Leave)
				} else {
					assert.True(t, strings.HasPrefix(got[i].Leave, leave), "%s", got[i].Leave)
				}
				assert.Equal(t, strings.HasSuffix(name, "/syntax"), got[i].Syntax)
			}
		})
	}
}

// What is judged is left as it was: it may be sent after that.
func TestCheckRequestChangesNothing(t *testing.T) {
	c := parse(t, head+`paths: {/a: {post: {requestBody: {content: {application/json: {schema: {type: object, properties: {a: {type: string, default: b}}}}}}, `+done+`}}}`)
	r := request(t, "POST /a\nContent-Type: APPLICATION/JSON\n\n{}")
	before := r.Clone()
	body := string(r.Body)
	require.Empty(t, c.Operations[0].CheckRequest(r))
	assert.Equal(t, before, r)
	assert.Equal(t, body, string(r.Body))
}

// A part is JSON as the body itself is: what a lenient parser reads is left to the receiver.
func TestLooseJSONInParts(t *testing.T) {
	op := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {multipart/form-data: {schema: {type: object, properties: {j: {type: object, required: [a], properties: {a: {type: integer}}}, l: {type: array, items: {type: object}}}}}}}
      responses: {"200": {description: Done.}}
`).Operations[0]
	for text, left := range map[string]bool{
		`{"a":1,"a":2}`: true, `{"a":1,"b":NaN}`: true, `{"a":1} x`: true, `{'a':1}`: true, `{"a":1,"b":{"c":1,"c":2}}`: true, `{"a":1`: false, `{'a':'b'}`: false,
	} {
		for _, name := range []string{"j", "l"} {
			body := "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\nContent-Type: application/json\r\n\r\n" + text + "\r\n--b--\r\n"
			if name == "l" && text == `{'a':'b'}` {
				continue // which l takes
			}
			got := op.CheckRequest(request(t, "POST /a\nContent-Type: multipart/form-data; boundary=b\n\n"+body))
			require.NotEmpty(t, got, text)
			certain := slices.ContainsFunc(got, func(v contract.Violation) bool { return v.Leave == "" })
			assert.Equal(t, left, !certain, "%s %s: %v", name, text, got)
		}
	}
}
