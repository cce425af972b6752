package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

func response(t testing.TB, text string) *wire.Response {
	t.Helper()
	r, err := wire.ParseResponse("GET", []byte(text))
	require.NoError(t, err)
	return r
}

const answers = head + `paths:
  /a:
    get:
      operationId: op
      responses:
        "200":
          description: Done.
          headers:
            Content-Type: {schema: {type: integer}}
            ETag: {required: true, schema: {type: string, pattern: '^"'}}
            X-Count: {schema: {type: integer, minimum: 1}}
            X-List: {schema: {type: array, maxItems: 2, items: {type: integer}}}
            X-Page: {schema: {type: object, additionalProperties: false, properties: {total: {type: integer}, next: {type: integer}}}}
          content:
            application/json;charset=UTF-8: {schema: {type: object, required: [a], properties: {a: {type: string, maxLength: 2}, b: {type: array, items: {type: integer}}}}}
            text/plain: {schema: {type: string, maxLength: 3}}
            image/*: {}
        "204": {description: Nothing.}
        4xx: {description: Refused., content: {application/*: {schema: {type: object, required: [code]}}}}
`

func TestCheckHeaders(t *testing.T) {
	r := parse(t, strings.ReplaceAll(answers, "4xx", "4XX")).Operations[0].Response(200)
	tests := []struct {
		name, header string
		want         []string
	}{
		{"all there is", `ETag: "a"` + "\nX-Count: 1\nX-List: 1,2", nil},
		{"in any letter case", `etag: "a"`, nil},
		{"missing", "X-Count: 1", []string{"ETag/required: header ETag is missing"}},
		{"pattern", "ETag: a", []string{"ETag/pattern: header ETag: "}},
		{"type", "ETag: \"a\"\nX-Count: x", []string{"X-Count/type: header X-Count: "}},
		{"minimum", "ETag: \"a\"\nX-Count: 0", []string{"X-Count/minimum: header X-Count: "}},
		{"items", "ETag: \"a\"\nX-List: 1,x", []string{"X-List/items/type: header X-List/1: "}},
		{"maxItems", "ETag: \"a\"\nX-List: 1,2,3", []string{"X-List/maxItems: header X-List: "}},
		{"in its style", "ETag: \"a\"\nX-Page: total,3,next,2", nil},
		{"in JSON", "ETag: \"a\"\nX-Page: {\"total\": 3, \"next\": 2}\nX-List: [1]", []string{"X-List/type: header X-List: is JSON", "X-Page/type: header X-Page: is JSON"}},
		{"in no JSON", "ETag: \"a\"\nX-Page: {\"total\": 3", []string{"X-Page/type: header X-Page: is not written in the documented style"}},
		{"each on its own", "ETag: a\nX-Count: 0\nX-List: 1,2,3", []string{"ETag/pattern: ", "X-Count/minimum: ", "X-List/maxItems: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := r.CheckHeaders(response(t, "HTTP/1.1 200\n"+tt.header+"\n"))
			require.Len(t, got, len(tt.want), "%v", got)
			for i, want := range tt.want {
				name, message, _ := strings.Cut(want, ": ")
				assert.Equal(t, "op/response/200/header/"+name, got[i].Clause.Name)
				assert.True(t, strings.HasPrefix(got[i].Message, message), "%s", got[i].Message)
				assert.NotZero(t, got[i].Clause.Place.Line)
			}
		})
	}
}

// What HTTP itself says of the syntax of a header binds a server, whatever its document says.
func TestHeadersOfHTTP(t *testing.T) {
	r := parse(t, head+`paths:
  /a:
    get:
      operationId: op
      responses:
        "200":
          description: Done.
          headers:
            Date: {schema: {type: string, format: date}}
            Last-Modified: {schema: {type: string, format: date-time}}
            Expires: {schema: {type: integer}}
            ETag: {schema: {type: string, maxLength: 4, pattern: '^[0-9a-f]+$'}}
            X-Date: {schema: {type: string, format: date-time}}
`).Operations[0].Response(200)
	const date = "Sat, 29 Oct 1994 19:43:31 GMT"
	for header, left := range map[string]bool{
		"Date: " + date: true, "Last-Modified: " + date: true, "Expires: " + date: true, "Last-Modified: yesterday": false, "Date: 29-10-1994": false, "X-Date: " + date: false,
		`ETag: "0a"`: true, `ETag: W/"0a"`: true, `ETag: "0x"`: false, `ETag: 0x`: false, `ETag: "012345"`: false,
	} {
		got := r.CheckHeaders(response(t, "HTTP/1.1 200\n"+header+"\n"))
		require.NotEmpty(t, got, header)
		for _, v := range got {
			assert.Equal(t, left, v.Leave != "", "%s: %s %s", header, v.Clause, v.Leave)
		}
	}
}

func TestCheckBody(t *testing.T) {
	op := parse(t, strings.ReplaceAll(answers, "4xx", "4XX")).Operations[0]
	tests := []struct {
		name, text string
		want       []string
	}{
		{"as documented", "HTTP/1.1 200\nContent-Type: application/json;charset=UTF-8\n\n{\"a\":\"ab\"}", nil},
		{"another spelling", "HTTP/1.1 200\nContent-Type: Application/JSON\n\n{\"a\":\"ab\"}", nil},
		{"schema", "HTTP/1.1 200\nContent-Type: application/json\n\n{\"a\":\"abc\",\"b\":[1,\"2\"]}", []string{"200/body/a/maxLength", "200/body/b/items/type"}},
		{"required", "HTTP/1.1 200\nContent-Type: application/json\n\n{}", []string{"200/body/a/required"}},
		{"syntax", "HTTP/1.1 200\nContent-Type: application/json\n\n{} {}", []string{"200/body/syntax"}},
		{"duplicate names", "HTTP/1.1 200\nContent-Type: application/json\n\n{\"a\":\"\",\"a\":\"\"}", []string{"200/body/syntax"}},
		{"text", "HTTP/1.1 200\nContent-Type: text/plain; charset=latin1\n\nabc", nil},
		{"long text", "HTTP/1.1 200\nContent-Type: text/plain\n\nabcd", []string{"200/body:text~1plain/maxLength"}},
		{"no schema", "HTTP/1.1 200\nContent-Type: image/png\n\n\x89PNG", nil},
		{"range", "HTTP/1.1 404\nContent-Type: application/json\n\n{\"code\":1}", nil},
		{"range that breaks the schema", "HTTP/1.1 404\nContent-Type: application/json\n\n{}", []string{"4XX/body/code/required"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := response(t, tt.text)
			doc := op.Response(resp.Status)
			require.NotNil(t, doc)
			m, err := doc.Select(resp.Header.Get("Content-Type"))
			require.NoError(t, err)
			got := doc.CheckBody(m, resp)
			names := broken(got)
			for i, v := range got {
				names[i] = strings.TrimPrefix(names[i], "op/response/")
				assert.Equal(t, strings.HasSuffix(names[i], "syntax"), v.Syntax)
				assert.Empty(t, v.Leave, "who answers has no choice")
			}
			assert.ElementsMatch(t, tt.want, names)
		})
	}
}

func TestSelectRefuses(t *testing.T) {
	r := parse(t, strings.ReplaceAll(answers, "4xx", "4XX")).Operations[0].Response(200)
	for _, contentType := range []string{"", "text/html", "application/json;charset=latin1", "json"} {
		_, err := r.Select(contentType)
		assert.Error(t, err, contentType)
	}
}

func TestNoBody(t *testing.T) {
	op := parse(t, strings.ReplaceAll(answers, "4xx", "4XX")).Operations[0]
	require.NotNil(t, op.Response(204).NoBody)
	assert.Equal(t, "204 has no body", op.Response(204).NoBody.Text)
	assert.Nil(t, op.Response(204).MediaType)
	assert.Nil(t, op.Response(200).NoBody)
}

// A body in a format that no schema of JSON describes is not judged; a text is
// the string that it is.
func TestCheckBodyOfOtherTypes(t *testing.T) {
	for _, version := range []string{"3.0.3", "3.1.0"} {
		for _, tt := range []struct{ media, schema, body, want string }{
			{"text/html", "{type: string, maxLength: 9}", "<p>a</p>", ""},
			{"text/html", "{type: string, maxLength: 3}", "<p>a</p>", "maxLength"},
			{"text/html", "{type: object}", "<p>a</p>", ""},
			{"text/html", "{}", "<p>a</p>", ""},
			{"text/plain", "{type: integer}", "12", ""},
			{"text/plain", "{type: string, enum: [a, b]}", "c", "enum"},
			{"text/event-stream", "{type: string}", "data: {}\n\n", ""},
			{"text/html", "{allOf: [{type: object}, {description: a}]}", "<p>", ""},
			{"text/html", "{oneOf: [{type: object}, {type: string, maxLength: 2}]}", "<p>", "oneOf"},
			{"text/csv", "{type: string, minLength: 4}", "a,b", "minLength"},
			{"text/json", "{type: object, required: [a], properties: {a: {type: string}}}", `{"a":"b"}`, ""},
			{"text/json", "{type: object, required: [a], properties: {a: {type: string}}}", `{"a":1}`, "a/type"},
			{"text/json", "{type: object}", `{`, "syntax"},
			{"application/vnd.a+json", "{type: object}", "[]", "type"},
			{"application/xml", "{type: object, properties: {a: {type: string}}}", "<a/>", ""},
			{"application/x-ndjson", "{type: object}", "{}\n{}\n", ""},
			{"application/pdf", "{type: string, format: binary}", "%PDF", ""},
			{"image/png", "{type: string}", "\x89PNG", ""},
			{"image/*", "{type: string}", "\x89PNG", ""},
		} {
			op := parse(t, strings.Replace(head, "3.0.3", version, 1)+`paths:
  /a:
    get:
      operationId: op
      responses: {"200": {description: Done., content: {"`+tt.media+`": {schema: `+tt.schema+`}}}}
`).Operations[0]
			resp := &wire.Response{Status: 200, Header: map[string][]string{"Content-Type": {strings.Replace(tt.media, "*", "png", 1)}}, Body: []byte(tt.body)}
			doc := op.Response(200)
			m, err := doc.Select(resp.Header.Get("Content-Type"))
			require.NoError(t, err)
			got := doc.CheckBody(m, resp)
			if tt.want == "" {
				assert.Empty(t, got, "%s %s %s", version, tt.media, tt.schema)
				continue
			}
			require.Len(t, got, 1, "%s %s %s", version, tt.media, tt.schema)
			assert.True(t, strings.HasSuffix(got[0].Clause.Name, "/"+tt.want), "%s", got[0].Clause.Name)
		}
	}
}
