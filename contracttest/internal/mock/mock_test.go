package mock_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const shop = `
openapi: 3.0.3
info: {title: shop, version: "1"}
servers: [{url: 'https://shop.example/v1'}]
paths:
  /goods/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get:
      operationId: getGood
      parameters: [{name: unit, in: query, schema: {type: string, enum: [kg, lb]}}]
      responses:
        '200':
          description: a good
          headers:
            ETag: {schema: {type: string}}
            X-Left: {required: true, schema: {type: integer, minimum: 3}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Good'}
              examples:
                apple: {value: {id: 1, name: apple}}
                broken: {value: {id: none}}
                pear: {value: {id: 2, name: pear, colour: green}}
            application/xml: {schema: {$ref: '#/components/schemas/Good'}}
        '404': {description: no such good, content: {application/problem+json: {schema: {type: object, required: [detail], properties: {detail: {type: string}, code: {type: integer, example: 7}}}}}}
        '422': {description: bad}
        '503': {description: down}
    delete: {operationId: removeGood, security: [{key: []}, {basic: []}], responses: {'204': {description: gone}, '401': {description: who}, '404': {description: none}}}
  /sheet: {get: {operationId: getSheet, responses: {'200': {description: no media type, content: {xls: {schema: {type: string, format: binary}}}}}}}
  /goods:
    post:
      operationId: addGood
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Good'}}}}
      responses:
        '201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Good'}}}}
        '400': {description: bad, content: {application/json: {schema: {type: object, required: [message], properties: {message: {type: string, example: another reason}}}}}}
        4XX: {description: other}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: api_key}
    basic: {type: http, scheme: basic}
  schemas:
    Good:
      type: object
      required: [id, name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, minLength: 2}
        colour: {type: string, enum: [red, green]}
        secret: {type: string, writeOnly: true}
`

func shopMock(t *testing.T, opts ...contracttest.MockOption) http.Handler {
	t.Helper()
	c, err := contracttest.Parse("shop.yaml", []byte(shop))
	require.NoError(t, err)
	return contracttest.Mock(c, opts...)
}

// ask sends a request that is written as METHOD target, header lines, an empty line and a body.
func ask(t *testing.T, h http.Handler, text string) *httptest.ResponseRecorder {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, request string
		status        int
		header        string // lines that there have to be; one without a value must not be
		body          string
	}{
		{"the first example that keeps its schema", "GET /v1/goods/1", 200, "Content-Type: application/json\nX-Left: 3\nContract-Violation", `{"id":1,"name":"apple"}`},
		{"without the path of the server", "GET /goods/1", 200, "", `{"id":1,"name":"apple"}`},
		{"an example by its name", "GET /v1/goods/1\nPrefer: example=pear", 200, `Preference-Applied: example="pear"`, `{"colour":"green","id":2,"name":"pear"}`},
		{"an example by its name, in a browser", "GET /v1/goods/1?__example=pear&unit=kg", 200, "", `{"colour":"green","id":2,"name":"pear"}`},
		{"an example that breaks its schema", "GET /v1/goods/1\nPrefer: example=broken", 200, "Preference-Applied", ""},
		{"a status", "GET /v1/goods/1\nPrefer: respond-async, code=404;x=1", 404, "Content-Type: application/problem+json\nPreference-Applied: code=404", ""},
		{"a status, quoted, before another one", "GET /v1/goods/1\nPrefer: code=\"404\", code=422", 404, "", ""},
		{"a status that is not documented", "GET /v1/goods/1\nPrefer: code=418", 200, "Preference-Applied", ""},
		{"a made value", "GET /v1/goods/1\nPrefer: dynamic=true", 200, "Preference-Applied: dynamic", ""},
		{"a preference that cannot be read", "GET /v1/goods/1\nPrefer: code=x, =\", ;;", 200, "Preference-Applied", ""},
		{"a media type", "GET /v1/goods/1\nAccept: text/html, application/xml;q=0.9", 200, "Content-Type: application/xml", ""},
		{"the better of two", "GET /v1/goods/1\nAccept: application/xml;q=0.1, application/*;q=0.5", 200, "Content-Type: application/json", ""},
		{"what is no media type, for whoever takes all", "GET /v1/sheet\nAccept: text/csv, */*;q=0.1", 200, "Content-Type: xls", ""},
		{"what is no media type", "GET /v1/sheet\nAccept: text/csv", 406, "", ""},
		{"no media type", "GET /v1/goods/1\nAccept: application/xml;q=0, text/csv", 406, "", ""},
		{"HEAD", "HEAD /v1/goods/1", 200, "Content-Length: 23", ""},
		{"a broken parameter", "GET /v1/goods/0", 404, "Contract-Violation: path/id/minimum", ""},
		{"an unknown value", "GET /v1/goods/1?unit=st", 422, "Contract-Violation: query/unit/enum", ""},
		{"a documented refusal says why it is one", "POST /v1/goods\nContent-Type: application/json\n\n{\"name\": \"x\"}", 400, "Contract-Violation: body/name/minLength", `{"message":"name: violates: name has at least 2 characters"}`},
		{"another media type", "POST /v1/goods\nContent-Type: text/plain\n\nx", 415, "Contract-Violation: body/media-type", ""},
		{"what is read only is answered, what is write only is not", "POST /v1/goods\nContent-Type: application/json\n\n{\"name\": \"xy\", \"secret\": \"s\"}", 201, "Content-Type: application/json", ""},
		{"no credential", "DELETE /v1/goods/1", 401, `WWW-Authenticate: ApiKey realm="mock", Basic realm="mock"` + "\nContract-Violation: security", ""},
		{"an empty credential", "DELETE /v1/goods/1?api_key=", 401, "", ""},
		{"a credential of no form", "DELETE /v1/goods/1\nAuthorization: Basic x", 401, "", ""},
		{"a credential", "DELETE /v1/goods/1?api_key=abc", 204, "Content-Type\nContent-Length", ""},
		{"another credential", "DELETE /v1/goods/1\nAuthorization: basic YTpi", 204, "", ""},
		{"no such method", "PUT /v1/goods/1", 405, "Allow: DELETE, GET, HEAD, OPTIONS\nContract-Violation: method", ""},
		{"no such path", "GET /v1/bads", 404, "Content-Type: application/problem+json\nContract-Violation", ""},
		{"what a browser asks before", "OPTIONS /v1/goods\nOrigin: http://a.example\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: content-type", 204,
			"Access-Control-Allow-Origin: http://a.example\nAccess-Control-Allow-Methods: OPTIONS, POST\nAccess-Control-Allow-Headers: content-type", ""},
		{"what a browser may read", "GET /v1/goods/1\nOrigin: http://a.example", 200, "Access-Control-Allow-Origin: http://a.example\nAccess-Control-Expose-Headers: Content-Type, Etag, X-Left", ""},
		{"octets in a path", "GET /v1/goods/%FF", 404, "Contract-Violation: path/id/type", ""},
	}
	h := shopMock(t, contracttest.MockStateless())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := ask(t, h, tt.request)
			assert.Equal(t, tt.status, resp.Code, "%s", resp.Body)
			for line := range strings.SplitSeq(tt.header, "\n") {
				if name, value, has := strings.Cut(line, ": "); has {
					assert.Equal(t, value, resp.Header().Get(name), name)
				} else if name != "" {
					assert.Empty(t, resp.Header().Get(name), name)
				}
			}
			if tt.body != "" {
				assert.Equal(t, tt.body, resp.Body.String())
			}
		})
	}
}

// What is written as nothing says how is no fault of whoever sends it.
func TestTakesWhatHasNoDefinedForm(t *testing.T) {
	c, err := contracttest.Parse("open.yaml", []byte(`
openapi: 3.0.3
info: {title: open, version: "1"}
paths:
  /found:
    get:
      operationId: find
      parameters:
      - {name: filter, in: query, required: true, schema: {type: object, required: [of], properties: {of: {type: object, required: [n], properties: {n: {type: integer}}}}}}
      - {name: n, in: query, schema: {type: array, items: {type: integer}}}
      responses: {"200": {description: found, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}}
`))
	require.NoError(t, err)
	h := contracttest.Mock(c)
	faultless(t, c, h, contracttest.Cases(0))
	for _, request := range []string{"GET /found?of=%7B%22n%22%3A1%7D", "GET /found?of=%7B%22n%22%3A1%7D&n=1&n=2"} {
		assert.Equal(t, http.StatusOK, ask(t, h, request).Code, request)
	}
	for _, request := range []string{"GET /found?of=%7B%22n%22%3A%22a%22%7D", "GET /found?of=%7B%22n%22%3A1%7D&n="} {
		assert.Equal(t, http.StatusBadRequest, ask(t, h, request).Code, request)
	}
}

// Where nothing keeps the document, the answer is one of its errors all the same.
func TestWhatNothingKeeps(t *testing.T) {
	c, err := contracttest.Parse("none.yaml", []byte(`
openapi: 3.0.3
info: {title: none, version: "1"}
paths:
  /none:
    get:
      operationId: none
      responses:
        "200": {description: never, content: {application/json: {schema: {type: integer, minimum: 2, maximum: 1}}}}
        default: {description: else, content: {application/json: {schema: {type: object, required: [message], properties: {message: {type: string}}}}}}
`))
	require.NoError(t, err)
	resp := ask(t, contracttest.Mock(c), "GET /none")
	assert.Equal(t, http.StatusNotImplemented, resp.Code)
	assert.Equal(t, "application/json", resp.Header().Get("Content-Type"))
	assert.Contains(t, members(t, resp)["message"], "no response can be made that keeps the document")
	large := ask(t, contracttest.Mock(c), "GET /none\n\n"+strings.Repeat("a", 9<<20))
	assert.Equal(t, http.StatusRequestEntityTooLarge, large.Code)
	assert.Contains(t, members(t, large)["message"], "too large")
}

func TestUnreadableBody(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{io.ErrUnexpectedEOF, http.StatusBadRequest}, // it is cut short
		{os.ErrDeadlineExceeded, http.StatusRequestTimeout},
	} {
		w := httptest.NewRecorder()
		contracttest.Mock(notes(t)).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/notes", iotest.ErrReader(tt.err)))
		assert.Equal(t, tt.want, w.Code)
		assert.Contains(t, members(t, w)["detail"], "the body cannot be read")
	}
}

func TestMadeValues(t *testing.T) {
	read := func(h http.Handler, target string) string {
		return ask(t, h, "GET "+target).Body.String()
	}
	h := shopMock(t)
	seen := map[string]bool{}
	for _, id := range strings.Fields("1 2 3 4 5 6 7 8 9") {
		got := read(h, "/v1/goods/"+id+"?__dynamic=true")
		assert.Equal(t, got, read(shopMock(t), "/v1/goods/"+id+"?__dynamic=true"), "another mock with the same seed")
		assert.NotContains(t, got, "secret")
		seen[got] = true
	}
	assert.Greater(t, len(seen), 1, "all alike")
}

func TestCredentials(t *testing.T) {
	h := shopMock(t, contracttest.MockStateless(), contracttest.MockCredentials("key", "good"), contracttest.MockCredentials("basic", "a:b"))
	for request, status := range map[string]int{
		"DELETE /v1/goods/1?api_key=good":                           204,
		"DELETE /v1/goods/1?api_key=bad":                            401,
		"DELETE /v1/goods/1?api_key=good&api_key=good":              401,
		"DELETE /v1/goods/1\nAuthorization: Basic YTpi":             204,
		"DELETE /v1/goods/1\nAuthorization: Basic YTpj":             401,
		"DELETE /v1/goods/1\nAuthorization: Bearer YTpi":            401,
		"DELETE /v1/goods/1?api_key=bad\nAuthorization: Basic YTpi": 204,
	} {
		assert.Equal(t, status, ask(t, h, request).Code, request)
	}
}

func TestFailures(t *testing.T) {
	h := shopMock(t, contracttest.MockFail(1))
	assert.Equal(t, 503, ask(t, h, "GET /v1/goods/1").Code)
	assert.Equal(t, 503, ask(t, h, "DELETE /v1/goods/1").Code)
	h = shopMock(t, contracttest.MockFail(0.5))
	count := map[int]int{}
	for range 100 {
		count[ask(t, h, "GET /v1/goods/1").Code]++
	}
	assert.Greater(t, count[200], 20)
	assert.Greater(t, count[503], 20)
}

func TestLog(t *testing.T) {
	var log []contracttest.MockEntry
	h := shopMock(t, contracttest.MockLog(func(e contracttest.MockEntry) { log = append(log, e) }))
	ask(t, h, "GET /v1/goods/0?unit=st")
	ask(t, h, "GET /elsewhere?key=secret")
	assert.Equal(t, []contracttest.MockEntry{
		{Method: "GET", Path: "/v1/goods/0", Operation: "getGood", Status: 404, Broken: []string{
			"getGood/path/id/minimum: id: violates: id is at least 1", `getGood/query/unit/enum: unit: violates: unit is one of "kg", "lb"`,
		}},
		{Method: "GET", Path: "/elsewhere", Status: 404, Note: "not in the document"},
	}, log)
}

func TestBodyOfAnySize(t *testing.T) {
	resp := ask(t, shopMock(t), "POST /v1/goods\nContent-Type: application/json\n\n"+strings.Repeat(" ", 9<<20))
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.Code)
}

func TestVary(t *testing.T) {
	h := shopMock(t, contracttest.MockVary())
	seen := map[string]int{}
	for range 400 {
		resp := ask(t, h, "GET /v1/goods/1\nAccept: application/json, application/problem+json")
		edge := resp.Header().Get("Contract-Edge")
		if seen[edge]++; seen[edge] == 2 {
			break
		}
		assert.NotContains(t, resp.Header().Get("Content-Type"), "xml")
	}
	for _, want := range []string{
		"response/200/media-type#status-200-application/json", "response/200/body/colour/enum#value-2", "response/200/body/id/type#number%209007199254740993",
		"response/200/header/ETag/type#absent", "response/404/media-type#status-404-application/problem+json-in-chunks", "response/503/no-body#status-503",
	} {
		assert.Contains(t, seen, want)
	}
	assert.Equal(t, http.StatusNotFound, ask(t, h, "GET /v1/goods/0").Code, "what breaks the document is refused as ever")
}
