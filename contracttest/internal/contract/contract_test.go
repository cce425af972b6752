package contract_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

var update = flag.Bool("update", false, "write the golden files")

// shop has every keyword, references, recursion, two operations that share a
// schema, and parameters of paths and operations.
const shop = "testdata/shop.yaml"

func load(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(shop)
	require.NoError(t, err)
	return c
}

func parse(t testing.TB, document string) *contract.Contract {
	t.Helper()
	c, err := contract.Parse("doc.yaml", []byte(document))
	require.NoError(t, err)
	return c
}

func clause(t testing.TB, c *contract.Contract, name string) *contract.Clause {
	t.Helper()
	for _, cl := range c.Clauses {
		if cl.Name == name {
			return cl
		}
	}
	require.FailNow(t, "no such clause", name)
	return nil
}

const (
	head = "openapi: 3.0.3\ninfo: {title: a, version: \"1\"}\n"
	done = "responses: {\"200\": {description: Done.}}"
)

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, document, message string }{
		{"no operation", head + "paths: {}", "doc.yaml: no operations"},
		{"path without an operation", head + "paths: {/a: {description: b}}", "doc.yaml: no operations"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := contract.Parse("doc.yaml", []byte(tt.document))
			var fault *contract.Error
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, "doc.yaml", fault.File)
			assert.Equal(t, tt.message, err.Error())
		})
	}
}

// A fault that leaves a contract to test is no reason to refuse.
func TestWarnings(t *testing.T) {
	tests := []struct{ name, document, warning string }{
		{"no info", "openapi: 3.0.3\npaths: {/a: {get: {" + done + "}}}", "invalid info: must be an object"},
		{"no responses", head + "paths: {/a: {get: {}}}", "value of responses must be an object"},
		{"path parameter that is not in the path", head + "paths: {/a: {get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], " + done + "}}}", `doc.yaml:3:34: path parameter "id" is not in the template /a; ignored`},
		{"path parameter that is not described", head + "paths: {'/a/{id}': {get: {" + done + "}}}", `doc.yaml:3:9: path parameter "id" of the template /a/{id} is not described; any text is sent`},
		{"parameter with schema and content", head + "paths:\n  /a:\n    get:\n      parameters:\n        - name: q\n          in: query\n          schema: {type: integer}\n          content: {application/json: {schema: {type: boolean}}}\n      " + done, `doc.yaml:10:11: parameter "q" has both schema and content; content ignored`},
		{"two operations of one name", head + "paths: {/a: {get: {operationId: o, " + done + "}, put: {operationId: o, " + done + "}}}", "have the same operation id"},
		{"example that breaks its schema", head + "paths: {/a: {get: {parameters: [{name: a, in: query, schema: {type: string, maxLength: 1}, example: long}], " + done + "}}}", "maxLength: got 4, want 1"},
		{"response without a status", head + "paths: {/a: {get: {responses: {OK: {description: Done.}, '': {description: Done.}, 4xx: {description: No.}}}}}", `doc.yaml:3:32: response "OK" is not a status; ignored`},
		{"any media type", head + "paths: {/a: {post: {requestBody: {content: {'*': {}}}, responses: {'200': {description: Done., content: {json: {}}}}}}}", `doc.yaml:3:45: "*" is not a media type; read as */*`},
		{"parameter nowhere", head + "paths: {/a: {get: {parameters: [{name: a, in: nowhere, description: " + strings.Repeat("é ", 5000) + ", schema: {type: string}}], " + done + "}}}", "nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, tt.document)
			require.NotEmpty(t, c.Warnings)
			assert.Contains(t, strings.Join(c.Warnings, "\n"), tt.warning)
			for _, w := range c.Warnings {
				assert.Less(t, len([]rune(w)), 700, "a warning is bounded")
				assert.NotContains(t, w, "\n")
			}
			assert.NotEmpty(t, c.Clauses)
		})
	}
	assert.Empty(t, load(t).Warnings)
}

func TestClauses(t *testing.T) {
	var got bytes.Buffer
	for _, c := range load(t).Clauses {
		side := "request "
		if c.Side == contract.ResponseSide {
			side = "response"
		}
		fmt.Fprintf(&got, "%d:%d\t%s\t%s\t%s\t%s", c.Place.Line, c.Place.Column, side, c.Name, c.Text, c.Place.Pointer)
		if c.Permits {
			got.WriteString("\tpermits")
		}
		if c.Unplanned != "" {
			got.WriteString("\t" + c.Unplanned)
		}
		got.WriteByte('\n')
	}
	const golden = "testdata/shop.clauses"
	if *update {
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String(), "go test ./contracttest/internal/contract -update writes it")
}

// Where a keyword has a place of its own, the document has the keyword there.
func TestPlacesAreWhereTheKeywordIs(t *testing.T) {
	data, err := os.ReadFile(shop)
	require.NoError(t, err)
	lines := strings.Split(string(data), "\n")
	own := 0
	for _, c := range load(t).Clauses {
		require.NotZero(t, c.Place.Line, "%s has no place", c.Name)
		require.NotZero(t, c.Place.Column, c.Name)
		assert.Equal(t, shop, c.Place.File, c.Name)
		rest := lines[c.Place.Line-1][c.Place.Column-1:]
		assert.Regexp(t, `^("?[-\w/{}+.~]+"?:|\{)`, rest, "%s points into the middle of something", c.Name)
		if last := c.Place.Pointer[strings.LastIndexByte(c.Place.Pointer, '/')+1:]; strings.HasPrefix(rest, last+":") {
			own++
		}
	}
	assert.Greater(t, own, 200, "most clauses have the place of their keyword")
}

// Of a schema that two places share, each has clauses of its own at one place.
func TestSharedSchema(t *testing.T) {
	c := load(t)
	asked, answered := clause(t, c, "putItem/body/name/maxLength"), clause(t, c, "getItem/response/200/body/name/maxLength")
	assert.NotSame(t, asked, answered)
	assert.Equal(t, asked.Place, answered.Place)
	assert.Equal(t, contract.RequestSide, asked.Side)
	assert.Equal(t, contract.ResponseSide, answered.Side)
	assert.Equal(t, "getItem/response/200/body/name/maxLength", fmt.Sprint(answered))
}

func TestRecursionIsFollowedOnce(t *testing.T) {
	for _, c := range load(t).Clauses {
		assert.NotContains(t, c.Name, "part/part/name")
	}
}

func TestNamesAreUnique(t *testing.T) {
	c := parse(t, head+`paths:
  /a:
    post:
      operationId: a/b
      requestBody: {content: {application/json: {schema: {type: object, properties: {items: {type: string}}, items: {type: string}}}}}
      `+done+`
  /a-b: {get: {`+done+`}}
  /a_b: {get: {`+done+`}}
`)
	seen := map[string]bool{}
	for _, cl := range c.Clauses {
		assert.False(t, seen[cl.Name], "two clauses are called %s", cl.Name)
		seen[cl.Name] = true
	}
	for _, want := range []string{"a~1b/path", "GET_a_b/path", "GET_a_b~2/path", "a~1b/body/items/type", "a~1b/body/items/type~2"} {
		assert.True(t, seen[want], "no clause %s", want)
	}
}

func TestBasePath(t *testing.T) {
	const file, fetched = "doc.yaml", "https://example.com/api/v3/openapi.yaml"
	for _, tt := range []struct{ name, servers, want string }{
		{file, "", ""},
		{file, "https://h", ""},
		{file, "https://h/", ""},
		{file, "https://h/a%20b/c/", "/a%20b/c"},
		{file, "https://h/a/../b/./c", "/b/c"},
		{file, "/v1", "/v1"},
		{file, "v1", "/v1"},
		{file, "./rel", "/rel"},
		{file, "../../rel/", "/rel"},
		{file, ".", ""},
		{file, "//h/v1", "/v1"},
		{file, "https://h/{v}', variables: {v: {default: v2}}, description: '", "/v2"},
		{file, "./{v}', variables: {v: {default: v2}}, description: '", "/v2"},
		{file, "http://[::1", ""},
		{fetched, "", ""},
		{fetched, "/v1", "/v1"},
		{fetched, "./v1", "/api/v3/v1"},
		{fetched, "../v1", "/api/v1"},
		{fetched, ".", "/api/v3"},
		{fetched, "', description: 'empty", ""},
	} {
		t.Run(tt.name+" "+tt.servers, func(t *testing.T) {
			servers := ""
			if tt.servers != "" {
				servers = "servers: [{url: '" + tt.servers + "'}]\n"
			}
			c, err := contract.Parse(tt.name, []byte(head+servers+"paths: {/a: {get: {"+done+"}}}"))
			require.NoError(t, err)
			assert.Equal(t, tt.want, c.BasePath)
		})
	}
}

func TestFind(t *testing.T) {
	c := load(t)
	assert.Equal(t, "/v1/api", c.BasePath)
	tests := []struct {
		method, path string
		want         string // empty: none
		known        bool
	}{
		{"GET", "/items/7", "getItem", true},
		{"GET", "/v1/api/items/7", "getItem", true},
		{"PUT", "/items/a%2Fb", "putItem", true},
		{"GET", "/items/list", "listItems", true}, // before /items/{id}, which stands first
		{"PUT", "/items/list", "putItem", true},
		{"GET", "/items/1-2/range", "GET_items_from_to_range", true},
		{"GET", "/v1/api", "", false},
		{"GET", "/v1/apiitems/7", "", false},
		{"DELETE", "/items/7", "", true},
		{"GET", "/items/", "", false},
		{"GET", "/items/7/", "", false},
		{"GET", "/Items/7", "", false},
		{"GET", "/items/7/x", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			op, known := c.Find(tt.method, tt.path)
			assert.Equal(t, tt.known, known)
			if tt.want == "" {
				assert.Nil(t, op)
				return
			}
			require.NotNil(t, op)
			assert.Equal(t, tt.want, op.ID)
		})
	}
}

func TestMatch(t *testing.T) {
	c := load(t)
	op, _ := c.Find("GET", "/items/1-2-3/range")
	values, ok := op.Match("/items/1-2-3/range")
	require.True(t, ok)
	assert.Equal(t, map[string]string{"from": "1", "to": "2-3"}, values)
	_, ok = op.Match("/items/12/range")
	assert.False(t, ok)
}

func TestOperation(t *testing.T) {
	c := load(t)
	get, _ := c.Find("GET", "/items/1")
	put, _ := c.Find("PUT", "/items/1")
	assert.Nil(t, get.AuthClause, "security: [{}] asks for none")
	require.NotNil(t, put.AuthClause)
	assert.Equal(t, contract.Place{File: shop, Pointer: "/security", Line: 9, Column: 1}, put.AuthClause.Place)
	assert.Same(t, get.MethodClause, put.MethodClause)

	credentials := map[string]bool{}
	for _, p := range put.Params {
		credentials[p.Spec.Name] = p.Credential
	}
	assert.Equal(t, map[string]bool{"id": false, "X-Key": true}, credentials)

	for status, want := range map[int]string{200: "200", 404: "default", 500: "default"} {
		assert.Equal(t, want, get.Response(status).Key)
	}
	assert.Equal(t, "4XX", put.Response(418).Key)
	assert.Nil(t, put.Response(500))
	assert.True(t, get.Refuses())
	list, _ := c.Find("GET", "/items/list")
	assert.False(t, list.Refuses())
}

func TestNode(t *testing.T) {
	c := load(t)
	put, _ := c.Find("PUT", "/items/1")
	body := put.Body.Media[0].Node
	assert.Same(t, put, c.OperationOf(body.Clause("type")))
	assert.Equal(t, []string{"string", "null"}, body.Prop("day").Types())
	assert.True(t, body.Prop("day").Allows("null"))
	assert.True(t, body.Prop("price").Allows("integer"))
	assert.False(t, body.Prop("name").Allows("integer"))
	assert.True(t, body.Prop("never").Allows("object"), "no type: any")
	assert.Equal(t, "a", body.Prop("both").Prop("a").PropName, "found in allOf")
	assert.Nil(t, body.Prop("none"))
	assert.True(t, body.Prop("part").Prop("part").Recursive)
	require.NotNil(t, body.Clause("type"))
	assert.Nil(t, body.Clause("maxLength"))

	assert.Equal(t, "application/json", put.Body.Media[0].Key, "JSON first")
	assert.Equal(t, "text/plain", put.Body.Media[1].Key)
	assert.Nil(t, put.Body.Media[1].Node)
}

// A property that is read only is the answer's, one that is write only the
// request's, required or not.
func TestReadOnlyAndWriteOnly(t *testing.T) {
	c := parse(t, head+`paths:
  /a:
    post:
      operationId: post
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}}
      responses:
        "200": {description: Done., content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}}
components:
  schemas:
    A:
      type: object
      required: [made, secret]
      properties:
        made: {type: string, readOnly: true}
        secret: {type: string, writeOnly: true}
`)
	var names []string
	for _, cl := range c.Clauses {
		names = append(names, cl.Name)
	}
	for _, want := range []string{"post/body/made/readOnly", "post/body/secret/required", "post/response/200/body/made/required", "post/response/200/body/secret/writeOnly"} {
		assert.Contains(t, names, want)
	}
	for _, never := range []string{"post/body/made/required", "post/response/200/body/secret/required"} {
		assert.NotContains(t, names, never)
	}
	op := c.Operations[0]
	assert.Empty(t, op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+`{"secret":"s"}`)))
	assert.Equal(t, []string{"post/body/made/readOnly"}, broken(op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+`{"secret":"s","made":"m"}`))))
	r := op.Response(200)
	assert.Equal(t, []string{"post/response/200/body/secret/writeOnly"}, broken(r.CheckBody(r.Media[0], response(t, "HTTP/1.1 200\nContent-Type: application/json\n\n"+`{"secret":"s","made":"m"}`))))
	assert.Equal(t, []string{"post/response/200/body/made/required"}, broken(r.CheckBody(r.Media[0], response(t, "HTTP/1.1 200\nContent-Type: application/json\n\n"+`{}`))))
}

// In 3.1 members that no property names may be write only, too; in 3.0 writeOnly is "relevant only for
// Schema properties definitions" (OpenAPI 3.0.3, Schema Object).
func TestWriteOnlyMembers(t *testing.T) {
	for _, tt := range []struct{ version, schema, want string }{
		{"3.1.0", "{patternProperties: {^s: {type: string, writeOnly: true}}}", "patternProperties/^s/writeOnly"},
		{"3.1.0", "{additionalProperties: {allOf: [{type: string, writeOnly: true}]}}", "additionalProperties/writeOnly"},
		{"3.1.0", "{unevaluatedProperties: {type: string, writeOnly: true}}", "unevaluatedProperties/writeOnly"},
		{"3.1.0", "{properties: {secret: {type: string}}, additionalProperties: {type: string, writeOnly: true}}", ""},
		{"3.1.0", "{not: {additionalProperties: {type: integer, writeOnly: true}}}", ""},
		{"3.1.0", "{additionalProperties: {type: string, readOnly: true}}", ""},
		{"3.0.3", "{additionalProperties: {type: string, writeOnly: true}}", ""},
	} {
		c := parse(t, strings.Replace(head, "3.0.3", tt.version, 1)+`paths:
  /a:
    get:
      operationId: op
      responses: {"200": {description: Done., content: {application/json: {schema: `+tt.schema+`}}}}
`)
		r := c.Operations[0].Response(200)
		var got []string
		for _, v := range r.CheckBody(r.Media[0], response(t, "HTTP/1.1 200\nContent-Type: application/json\n\n"+`{"secret":"s"}`)) {
			got = append(got, strings.TrimPrefix(v.Clause.Name, "op/response/200/body/"))
			assert.NotEmpty(t, v.Leave, tt.schema)
		}
		assert.Equal(t, tt.want, strings.Join(got, " "), tt.version+" "+tt.schema)
	}
}

// What another schema about the same value requires may not be absent, though the one that
// describes it does not say so.
func TestOptionalOnlyWhereNothingRequires(t *testing.T) {
	const id, required = "properties: {id: {type: string}}", "required: [id]"
	for _, tt := range []struct {
		name, schema string
		optional     bool
	}{
		{"by itself", "{" + id + "}", true},
		{"around", "{" + required + ", allOf: [{" + id + "}]}", false},
		{"around a branch", "{" + required + ", oneOf: [{" + id + "}]}", false},
		{"in another part", "{allOf: [{" + required + "}, {" + id + "}]}", false},
		{"in a part of its own", "{" + id + ", allOf: [{" + required + "}]}", false},
		{"in a branch", "{" + id + ", anyOf: [{" + required + "}, {}]}", true},
		{"of a value around", "{" + required + ", properties: {id: {" + id + "}}}", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, head+`paths:
  /a:
    post:
      operationId: post
      requestBody: {content: {application/json: {schema: `+tt.schema+`}}}
      responses: {"200": {description: a}}`)
			assert.Equal(t, tt.optional, slices.ContainsFunc(c.Clauses, func(cl *contract.Clause) bool { return strings.HasSuffix(cl.Name, "/id/optional") }))
		})
	}
}

// YAML lets a media type stand without a value.
func TestMediaTypeWithoutAValue(t *testing.T) {
	c := parse(t, head+`paths:
  /a:
    post:
      requestBody:
        content:
          text/plain:
      responses:
        "200":
          description: Done.
          content:
            text/csv:
`)
	op := c.Operations[0]
	assert.Empty(t, op.CheckRequest(request(t, "POST /a\nContent-Type: text/plain\n\na")))
	assert.Equal(t, []string{"POST_a/body/media-type"}, broken(op.CheckRequest(request(t, "POST /a\nContent-Type: text/csv\n\na"))))
	m, err := op.Response(200).Select("text/csv")
	require.NoError(t, err)
	assert.Empty(t, op.Response(200).CheckBody(m, response(t, "HTTP/1.1 200\nContent-Type: text/csv\n\na")))
}

// inside is a reference within the document.
var inside = regexp.MustCompile(`\$ref["']?: *["']?#`)

func FuzzParse(f *testing.F) {
	for _, file := range []string{shop, "../../../openapi.yaml"} {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(head + "paths: {/a: {get: {" + done + "}}}"))
	f.Add([]byte(`{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{"description":"a"}}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Count(data, []byte("$ref")) != len(inside.FindAllIndex(data, -1)) {
			return // a reference to a file or another machine
		}
		c, err := contract.Parse("doc.yaml", data)
		if err != nil {
			var fault *contract.Error
			require.ErrorAs(t, err, &fault)
			return
		}
		require.NotEmpty(t, c.Clauses)
		seen := map[string]bool{}
		for _, cl := range c.Clauses {
			require.False(t, seen[cl.Name], "two clauses are called %q", cl.Name)
			seen[cl.Name] = true
		}
	})
}
