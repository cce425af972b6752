package contract_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const spots = head + `paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json;charset=UTF-8: {schema: {type: object, properties: {a: {type: string}}}}}}
      responses:
        "200":
          description: Done.
          headers: {X-A: {schema: {type: integer}}, X-B: {schema: {type: integer}}}
          content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}
        "202": {description: Nothing to say.}
`

var strict = &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}

func routeOf(t *testing.T, c *contract.Contract, req *http.Request) *routers.Route {
	t.Helper()
	router, err := legacy.NewRouter(c.Doc)
	require.NoError(t, err)
	route, _, err := router.FindRoute(req)
	require.NoError(t, err)
	return route
}

// kinRequest is what kin-openapi alone says of a request.
func kinRequest(t *testing.T, c *contract.Contract, r *wire.Request) error {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), r.Method, r.Target, bytes.NewReader(r.Body))
	req.Header.Set("Content-Type", r.Get("Content-Type"))
	return openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{Request: req, Route: routeOf(t, c, req), Options: strict})
}

// kinResponse is what kin-openapi alone says of a response.
func kinResponse(t *testing.T, c *contract.Contract, method string, r *wire.Response) error {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/a", http.NoBody)
	route := routeOf(t, c, req)
	req.Method = method
	return openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route},
		Status:                 r.Status, Header: r.Header, Body: io.NopCloser(bytes.NewReader(r.Body)), Options: strict,
	})
}

// Each row pins what kin-openapi lets pass and this package finds. A row fails
// when upstream closes the gap: then the check of ours can be taken out.
func TestBlindSpotsOfRequests(t *testing.T) {
	c := parse(t, spots)
	for name, body := range map[string]string{
		"bytes after the JSON": `{"a":"b"} x`,
		"second value":         `{"a":"b"}{"a":1}`,
		"duplicate names":      `{"a":"b","a":"b"}`,
		"invalid UTF-8":        "{\"a\":\"\xff\"}",
		"half a surrogate":     `{"a":"\ud800"}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, "POST /a\nContent-Type: application/json;charset=UTF-8\n\n"+body)
			assert.NoError(t, kinRequest(t, c, r), "kin-openapi finds it now")
			assert.Equal(t, []string{"op/body/syntax"}, broken(c.Operations[0].CheckRequest(r)))
		})
	}
}

// The other way round: kin-openapi takes only the documented spelling.
func TestBlindSpotOfMediaTypes(t *testing.T) {
	c := parse(t, spots)
	for _, contentType := range []string{"application/json; charset=UTF-8", `application/json;charset="UTF-8"`, "application/json"} {
		r := request(t, "POST /a\nContent-Type: "+contentType+"\n\n{}")
		assert.Error(t, kinRequest(t, c, r), "kin-openapi takes %s now", contentType)
		assert.Empty(t, c.Operations[0].CheckRequest(r))
	}
}

func TestBlindSpotsOfResponses(t *testing.T) {
	c := parse(t, spots)
	op := c.Operations[0]
	const json = "Content-Type: application/json\n"

	for _, status := range []string{"301", "304", "307", "308"} {
		resp := response(t, "HTTP/1.1 "+status+"\n")
		assert.NoError(t, kinResponse(t, c, http.MethodPost, resp), "kin-openapi refuses an undocumented %s now", status)
		assert.Nil(t, op.Response(resp.Status))
	}
	require.Error(t, kinResponse(t, c, http.MethodPost, response(t, "HTTP/1.1 302\n")), "of the others it says so")

	assert.NoError(t, kinResponse(t, c, http.MethodHead, response(t, "HTTP/1.1 500\n")), "kin-openapi judges answers to HEAD now")

	withBody := response(t, "HTTP/1.1 202\n"+json+"\n[]")
	assert.NoError(t, kinResponse(t, c, http.MethodPost, withBody), "kin-openapi refuses a body that is not documented now")
	assert.NotNil(t, op.Response(202).NoBody)

	for name, body := range map[string]string{"bytes after the JSON": `{} x`, "duplicate names": `{"a":"b","a":"b"}`, "invalid UTF-8": "{\"a\":\"\xff\"}"} {
		resp := response(t, "HTTP/1.1 200\n"+json+"\n"+body)
		assert.NoError(t, kinResponse(t, c, http.MethodPost, resp), "kin-openapi finds it now: %s", name)
		assert.Equal(t, []string{"op/response/200/body/syntax"}, broken(op.Response(200).CheckBody(op.Response(200).Media[0], resp)))
	}

	bad := response(t, "HTTP/1.1 200\n"+json+"X-A: x\nX-B: y\n\n{}")
	err := kinResponse(t, c, http.MethodPost, bad)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "X-A")
	assert.NotContains(t, err.Error(), "X-B", "kin-openapi finds both bad headers now")
	assert.Equal(t, []string{"op/response/200/header/X-A/type", "op/response/200/header/X-B/type"}, broken(op.Response(200).CheckHeaders(bad)))
}

// kin-openapi knows few formats, and takes days that no calendar has.
func TestBlindSpotOfFormats(t *testing.T) {
	c := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {type: object, properties: {day: {type: string, format: date}, id: {type: string, format: uuid}}}}}}
      responses: {"200": {description: Done.}}
`)
	for body, want := range map[string]string{`{"day":"2023-02-29"}`: "op/body/day/format", `{"id":"1"}`: "op/body/id/format"} {
		r := request(t, "POST /a\nContent-Type: application/json\n\n"+body)
		assert.NoError(t, kinRequest(t, c, r), "kin-openapi finds it now")
		got := c.Operations[0].CheckRequest(r)
		assert.Equal(t, []string{want}, broken(got))
		assert.Equal(t, want == "op/body/id/format", got[0].Leave != "", "only OpenAPI's own formats have to be checked")
	}
}

// In kin-openapi's reading, unevaluatedProperties next to a $ref sees nothing of
// what is referred to.
func TestBlindSpotOfUnevaluated(t *testing.T) {
	text := strings.Replace(head, "3.0.3", "3.1.0", 1) + `paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/A', properties: {b: {type: string}}, unevaluatedProperties: false}}}}
      responses: {"200": {description: Done.}}
components: {schemas: {A: {type: object, properties: {a: {type: string}}}}}
`
	const body = `{"a":"a","b":"b"}`
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	require.NoError(t, err)
	schema := doc.Paths.Value("/a").Post.RequestBody.Value.Content["application/json"].Schema.Value
	assert.Error(t, schema.VisitJSON(map[string]any{"a": "a", "b": "b"}, openapi3.EnableJSONSchema2020()), "kin-openapi takes it now")

	op := parse(t, text).Operations[0]
	check := func(body string) []string {
		return broken(op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+body)))
	}
	assert.Empty(t, check(body))
	assert.Equal(t, []string{"op/body/unevaluatedProperties"}, check(`{"a":"a","c":"c"}`))
	assert.Equal(t, []string{"op/body/a/type"}, check(`{"a":1}`))
}

// Schemas of the JSON Schema test suite that kin-openapi reads otherwise. What it
// takes for nothing is restored when a document is taken apart.
func TestBlindSpotsOfSchemas(t *testing.T) {
	loaded := func(version, text string) *openapi3.Schema {
		doc, err := openapi3.NewLoader().LoadFromData([]byte(strings.Replace(head, "3.0.3", version, 1) + "paths: {}\ncomponents: {schemas: {A: " + text + "}}\n"))
		require.NoError(t, err)
		return doc.Components.Schemas["A"].Value
	}
	assert.NoError(t, loaded("3.0.3", "{not: {}}").VisitJSON("a"), "kin-openapi lets not exclude everything now")
	assert.NoError(t, loaded("3.1.0", "{const: null}").VisitJSON("a", openapi3.EnableJSONSchema2020()), "kin-openapi keeps a const of null now")
	assert.Error(t, loaded("3.0.3", "{minLength: 2}").VisitJSON(nil), "kin-openapi lets a schema without a type take null now: take leaveNull out")
}
