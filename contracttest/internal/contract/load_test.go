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

func TestPathWithoutSlash(t *testing.T) {
	c := parse(t, head+"paths: {a: {get: {operationId: a, "+done+"}}}\n")
	assert.Contains(t, c.Warnings, "doc.yaml:3:9: a path begins with a slash; read as /a")
	op, _ := c.Find("GET", "/a")
	require.NotNil(t, op)
	assert.Equal(t, "a", op.ID)
}

// Recorded requests may have gone to any server of the document, at any value of its variables.
func TestOtherServers(t *testing.T) {
	c := parse(t, head+`servers: [{url: 'https://a.example/v1'}, {url: /rel}, {url: 'https://a.example/{stage}', variables: {stage: {default: test, enum: [test, live]}}}]
paths:
  /a: {get: {operationId: a, `+done+`}}
  /{x}/a: {get: {operationId: deep, `+done+`}}
  /b: {servers: [{url: /path}, {url: /other}], get: {operationId: b, `+done+`}}
`)
	assert.Equal(t, "/v1", c.BasePath)
	for target, want := range map[string]string{"/v1/a": "a", "/a": "a", "/other/b": "b", "/live/b": "b", "/rel/b": "b", "/rel/a": "deep", "/rel/x/a": "deep"} {
		op, known := c.Find("GET", target)
		if assert.True(t, known, target) {
			assert.Equal(t, want, op.ID, target)
		}
	}
	_, known := c.Find("GET", "/none/b")
	assert.False(t, known)
}

func TestUndriven(t *testing.T) {
	c := parse(t, "openapi: 3.1.0\ninfo: {title: a, version: '1'}\nwebhooks: {w: {post: {"+done+`}}}
paths:
  /a: {post: {operationId: a, callbacks: {c: {'{$request.query.u}': {post: {`+done+`}}}}, responses: {'200': {description: ok, links: {l: {operationId: a}}}}}}
`)
	assert.Equal(t, []contract.Undriven{
		{Name: "a/response/200/links/l", Reason: "links are no requests: those to a GET are followed from what a run makes"},
	}, c.Undriven)
	require.Len(t, c.Inbound, 2)
	assert.Equal(t, "a/callbacks/c", c.Inbound[0].Name)
	assert.Equal(t, "no parameter of the operation is what the callback's URL begins with: {$request.query.u}", c.Inbound[0].Why)
	assert.Equal(t, "webhooks/w", c.Inbound[1].Name)
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
