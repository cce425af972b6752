package contract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Faults of a document that keep the loader from reading any of it are warnings,
// each at its place, and the rest is a contract.
func TestMended(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{
			"a parameter that leads nowhere", "paths:\n  /a:\n    get:\n      parameters:\n        - $ref: '#/components/parameters/none'\n      " + done,
			`doc.yaml:7:17: the reference "#/components/parameters/none" leads nowhere: it is left out`,
		},
		{
			"a schema that leads nowhere", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {$ref: '#/x'}}\n      " + done,
			`doc.yaml:7:47: the reference "#/x" leads nowhere: it is left out`,
		},
		{
			"a circle of references", "paths: {/a: {get: {" + done + "}}}\ncomponents:\n  schemas:\n    a: {$ref: '#/components/schemas/b'}\n    b: {$ref: '#/components/schemas/a'}",
			`doc.yaml:6:5: the reference "#/components/schemas/b" leads nowhere`,
		},
		{
			"a file that is not there", "paths:\n  /a:\n    get:\n      responses: {'200': {$ref: 'none.yaml#/a'}, default: {description: b}}",
			`doc.yaml:6:33: the reference "none.yaml#/a" leads to a file that cannot be read: it is left out`,
		},
		{
			"another host", "paths:\n  /a:\n    get:\n      responses: {'200': {$ref: 'https://example.com/a.yaml#/a'}, default: {description: b}}",
			`doc.yaml:6:33: the reference "https://example.com/a.yaml#/a" is not followed: nothing is fetched: it is left out`,
		},
		{
			"a reference to something else", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {$ref: '#/components/responses/r'}}\n      " + done +
				"\ncomponents: {responses: {r: {description: b}}}",
			`doc.yaml:7:47: the reference "#/components/responses/r" cannot be followed: it is left out`,
		},
		{
			"a discriminator that leads nowhere", "paths:\n  /a:\n    get:\n      " + done + "\ncomponents:\n  schemas:\n    A: {oneOf: [{type: object}], discriminator: {propertyName: a, mapping: {b: 'none.yaml#/b', c: A}}}",
			`doc.yaml:9:80: the reference "none.yaml#/b" leads to a file that cannot be read: it is left out`,
		},
		{
			"a number for a text", "paths:\n  /a:\n    get:\n      summary: 1.0\n      " + done,
			`doc.yaml:6:16: 1.0 is read as the string "1.0"`,
		},
		{
			"required that is no list", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string, required: true}}\n      " + done,
			"doc.yaml:7:65: a list belongs here: what is there is left out",
		},
		{
			"a number as text", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string, maxLength: '3'}}\n      " + done,
			`doc.yaml:7:66: "3" is read as a number`,
		},
		{
			"text for a number", "paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string, maxLength: three}}\n      " + done,
			"doc.yaml:7:66: a number belongs here: what is there is left out",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := contract.Parse("doc.yaml", []byte(head+tt.document))
			require.NoError(t, err)
			assert.Len(t, c.Operations, 1)
			assert.Contains(t, c.Warnings, tt.want)
		})
	}
}

// What the loader reads, but is not valid, has its place too.
func TestFaultsHavePlaces(t *testing.T) {
	c := parse(t, head+"paths:\n  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string}, example: 1}\n      "+done)
	require.NotEmpty(t, c.Warnings)
	assert.True(t, strings.HasPrefix(c.Warnings[0], "doc.yaml:7:56: the example breaks its schema: "), "%s", c.Warnings)
}

func TestPlacesInOtherFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	write("parts/q.json", "{\n  \"Q\": {\"name\": \"q\", \"in\": \"query\",\n    \"schema\": {\"type\": \"integer\"}}\n}")
	write("parts/r.yaml", "R:\n  name: r\n  in: query\n  schema:\n    type: integer\n")
	for _, format := range []string{"yaml", "json"} {
		t.Run(format, func(t *testing.T) {
			document := `{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": {
  "parameters": [{"$ref": "parts/q.json#/Q"}, {"$ref": "parts/r.yaml#/R"}], "responses": {"200": {"description": "ok"}}}}}}`
			if format == "yaml" {
				document = head + "paths: {/a: {get: {parameters: [{$ref: 'parts/q.json#/Q'}, {$ref: 'parts/r.yaml#/R'}], " + done + "}}}"
			}
			c, err := contract.Load(write("main."+format, document))
			require.NoError(t, err)
			q, r := clause(t, c, "GET_a/query/q/type").Place, clause(t, c, "GET_a/query/r/type").Place
			assert.Equal(t, 3, q.Line, q)
			assert.True(t, strings.HasSuffix(q.File, "parts/q.json"), q)
			assert.Equal(t, 5, r.Line, r)
			assert.True(t, strings.HasSuffix(r.File, "parts/r.yaml"), r)
		})
	}
}

// The servers of an operation count for more than those of its path, and these
// for more than the document's.
func TestServers(t *testing.T) {
	c := parse(t, head+`servers: [{url: 'https://{host}/{version}/', variables: {host: {default: a.example}, version: {default: v1}}}]
paths:
  /a: {get: {operationId: document, `+done+`}}
  /b: {servers: [{url: /path}], get: {operationId: path, `+done+`}, put: {operationId: own, servers: [{url: 'https://b.example/own'}], `+done+`}}
`)
	got := map[string]string{}
	for _, op := range c.Operations {
		got[op.ID] = op.BasePath
	}
	assert.Equal(t, map[string]string{"document": "/v1", "path": "/path", "own": "/own"}, got)
	op, known := c.Find("PUT", "/own/b")
	require.True(t, known)
	assert.Equal(t, "own", op.ID)
}

func TestUndriven(t *testing.T) {
	c := parse(t, "openapi: 3.1.0\ninfo: {title: a, version: '1'}\nwebhooks: {w: {post: {"+done+`}}}
paths:
  /a: {post: {operationId: a, callbacks: {c: {'{$request.query.u}': {post: {`+done+`}}}}, responses: {'200': {description: ok, links: {l: {operationId: a}}}}}}
`)
	assert.Equal(t, []contract.Undriven{
		{Name: "a/callbacks/c", Reason: "a callback is a request to others: it is not driven"},
		{Name: "a/response/200/links/l", Reason: "links are not followed"},
		{Name: "webhooks/w", Reason: "a webhook is a request to others: it is not driven"},
	}, c.Undriven)
}

// Whatever the bytes, there is a contract or a reason why there is none.
func FuzzLoad(f *testing.F) {
	for _, file := range []string{shop, "../../../openapi.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(head + "paths: {/a: {get: {parameters: [{$ref: '#/components/parameters/none'}], " + done + "}}}"))
	f.Add([]byte(`{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{"/{a}{b}":{"get":{"parameters":[null],"responses":{"200":{"description":""}}}}},"components":{"schemas":{"a":{"$ref":"#/components/schemas/a"},"b":true}}}`))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := contract.Parse("doc.yaml", data, contract.MaxClauses(1000))
		if (c == nil) == (err == nil) {
			t.Fatalf("contract %v, error %v", c, err)
		}
	})
}
