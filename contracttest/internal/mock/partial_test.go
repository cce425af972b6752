package mock_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// files has what a document may have of conditions, parts, codings and patches.
const files = `
openapi: 3.0.3
info: {title: files, version: "1"}
paths:
  /files:
    post:
      operationId: addFile
      parameters: [{name: Content-Encoding, in: header, schema: {type: string, enum: [gzip]}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/File'}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/File'}}}}, "400": {description: bad}, "415": {description: no JSON}}
  /files/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: readFile
      responses:
        "200": {description: one, headers: {ETag: {schema: {type: string}}, Accept-Ranges: {schema: {type: string}}, Content-Encoding: {schema: {type: string}}}, content: {application/json: {schema: {$ref: '#/components/schemas/File'}}}}
        "206": {description: a part, headers: {Content-Range: {required: true, schema: {type: string}}}, content: {application/json: {schema: {}}}}
        "304": {description: the same, headers: {ETag: {schema: {type: string}}}}
        "400": {description: bad}
        "404": {description: none}
        "416": {description: no such part, headers: {Content-Range: {schema: {type: string}}}}
    head:
      operationId: checkFile
      responses: {"200": {description: there, headers: {ETag: {required: true, schema: {type: string}}, X-Of-Head: {required: true, schema: {type: integer}}}}, "400": {description: bad}, "404": {description: none}}
    patch:
      operationId: changeFile
      requestBody: {required: true, content: {application/json-patch+json: {schema: {type: array, items: {type: object}}}}}
      responses:
        "200": {description: changed, content: {application/json: {schema: {$ref: '#/components/schemas/File'}}}}
        "400": {description: bad}
        "404": {description: none}
        "409": {description: not now}
        "415": {description: no patch}
components:
  schemas:
    File:
      type: object
      required: [id, name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, maxLength: 10}
        size: {type: number}
        tags: {type: array, maxItems: 4, items: {type: string}}
        a/b: {type: object, properties: {c: {type: integer}}}
`

func filesMock(t *testing.T) http.Handler {
	t.Helper()
	c, err := contracttest.Parse("files.yaml", []byte(files))
	require.NoError(t, err)
	option, err := contracttest.MockData(c, []byte(`{"/files": [{"id": 1, "name": "one", "size": 1.0, "tags": ["x", "y"], "a/b": {"c": 1}}]}`))
	require.NoError(t, err)
	return contracttest.Mock(c, option)
}

func TestJSONPatch(t *testing.T) {
	for _, tt := range []struct {
		name, patch string
		status      int
		want        string // empty: as it was
	}{
		{"replace", `[{"op": "replace", "path": "/name", "value": "two"}]`, 200, `{"id":1,"name":"two","size":1.0,"tags":["x","y"],"a/b":{"c":1}}`},
		{"add to a list", `[{"op": "add", "path": "/tags/-", "value": "z"}, {"op": "add", "path": "/tags/0", "value": "w"}]`, 200, `{"id":1,"name":"one","size":1.0,"tags":["w","x","y","z"],"a/b":{"c":1}}`},
		{"remove", `[{"op": "remove", "path": "/tags/0"}, {"op": "remove", "path": "/size"}]`, 200, `{"id":1,"name":"one","tags":["y"],"a/b":{"c":1}}`},
		{"move and copy", `[{"op": "move", "from": "/tags/0", "path": "/name"}, {"op": "copy", "from": "/name", "path": "/tags/1"}]`, 200, `{"id":1,"name":"x","size":1.0,"tags":["y","x"],"a/b":{"c":1}}`},
		{"escaped names, and numbers by their value", `[{"op": "test", "path": "/size", "value": 1}, {"op": "replace", "path": "/a~1b/c", "value": 2}]`, 200, `{"id":1,"name":"one","size":1.0,"tags":["x","y"],"a/b":{"c":2}}`},
		{"the whole", `[{"op": "replace", "path": "", "value": {"name": "new"}}]`, 200, `{"id":1,"name":"new"}`},
		{"what the server sets", `[{"op": "replace", "path": "/id", "value": 7}]`, 200, ""},
		{"no operation", `[]`, 200, ""},
		{"a test that fails", `[{"op": "remove", "path": "/size"}, {"op": "test", "path": "/name", "value": "two"}]`, 409, ""},
		{"what is not there", `[{"op": "replace", "path": "/colour", "value": 1}]`, 409, ""},
		{"beyond the end", `[{"op": "add", "path": "/tags/3", "value": "z"}]`, 409, ""},
		{"into itself", `[{"op": "move", "from": "/a~1b", "path": "/a~1b/c"}]`, 409, ""},
		{"no such operation", `[{"op": "swap", "path": "/name"}]`, 409, ""},
		{"no path", `[{"op": "remove"}]`, 409, ""},
		{"a value that the resource cannot have", `[{"op": "replace", "path": "/name", "value": 1}]`, 400, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := filesMock(t)
			before := ask(t, h, "GET /files/1").Body.String()
			resp := ask(t, h, "PATCH /files/1\nContent-Type: application/json-patch+json\n\n"+tt.patch)
			assert.Equal(t, tt.status, resp.Code, resp.Body)
			if tt.want == "" {
				tt.want = before
			}
			assert.JSONEq(t, tt.want, ask(t, h, "GET /files/1").Body.String())
		})
	}
}

func TestRequestInACoding(t *testing.T) {
	h := filesMock(t)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(`{"name": "packed"}`))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	resp := ask(t, h, "POST /files\nContent-Type: application/json\nContent-Encoding: gzip\n\n"+b.String())
	require.Equal(t, http.StatusCreated, resp.Code, resp.Body)
	assert.Equal(t, "packed", members(t, resp)["name"])
}

func TestPartsAndConditions(t *testing.T) {
	h := filesMock(t)
	whole := ask(t, h, "GET /files/1")
	tag, body := whole.Header().Get("ETag"), whole.Body.String()
	assert.Equal(t, "bytes", whole.Header().Get("Accept-Ranges"))
	size := len(body)
	for _, tt := range []struct {
		name, header string
		status       int
		part, of     string
	}{
		{"a part", "Range: bytes=2-4", 206, body[2:5], "bytes 2-4/" + strconv.Itoa(size)},
		{"to the end", "Range: bytes=5-", 206, body[5:], "bytes 5-" + strconv.Itoa(size-1) + "/" + strconv.Itoa(size)},
		{"the end", "Range: bytes=-3", 206, body[size-3:], "bytes " + strconv.Itoa(size-3) + "-" + strconv.Itoa(size-1) + "/" + strconv.Itoa(size)},
		{"beyond the end", "Range: bytes=3-99999", 206, body[3:], "bytes 3-" + strconv.Itoa(size-1) + "/" + strconv.Itoa(size)},
		{"of what it was", "Range: bytes=2-4\nIf-Range: " + tag, 206, body[2:5], "bytes 2-4/" + strconv.Itoa(size)},
		{"of another", "Range: bytes=2-4\nIf-Range: \"x\"", 200, body, ""},
		{"after the end", "Range: bytes=99999-", 416, "", "bytes */" + strconv.Itoa(size)},
		{"several", "Range: bytes=1-2,4-5", 200, body, ""},
		{"no range", "Range: bytes=4-2", 200, body, ""},
		{"another unit", "Range: lines=1-2", 200, body, ""},
		{"the same", "If-None-Match: \"x\", W/" + tag + "\nRange: bytes=1-2", 304, "", ""},
		{"any", "If-None-Match: *", 304, "", ""},
		{"another", "If-None-Match: \"x\"", 200, body, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := ask(t, h, "GET /files/1\n"+tt.header)
			assert.Equal(t, tt.status, resp.Code)
			assert.Equal(t, tt.part, resp.Body.String())
			assert.Equal(t, tt.of, resp.Header().Get("Content-Range"))
			if tt.status == http.StatusNotModified {
				assert.Equal(t, tag, resp.Header().Get("ETag"))
			}
		})
	}
	t.Run("a documented HEAD", func(t *testing.T) {
		resp := ask(t, h, "HEAD /files/1")
		assert.Equal(t, tag, resp.Header().Get("ETag"))
		assert.Equal(t, "application/json", resp.Header().Get("Content-Type"))
		assert.NotEmpty(t, resp.Header().Get("X-Of-Head"))
		assert.Empty(t, resp.Body.String())
		assert.Equal(t, http.StatusNotFound, ask(t, h, "HEAD /files/2").Code)
	})
	t.Run("in a coding", func(t *testing.T) {
		resp := ask(t, h, "GET /files/1\nAccept-Encoding: br;q=0, gzip;q=0.5")
		assert.Equal(t, "gzip", resp.Header().Get("Content-Encoding"))
		assert.Contains(t, resp.Header().Values("Vary"), "Accept-Encoding")
		packed := resp.Header().Get("ETag")
		assert.NotEqual(t, tag, packed)
		r, err := gzip.NewReader(resp.Body)
		require.NoError(t, err)
		plain, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, body, string(plain))
		assert.Equal(t, http.StatusNotModified, ask(t, h, "GET /files/1\nAccept-Encoding: gzip\nIf-None-Match: "+packed).Code)
		assert.Empty(t, ask(t, h, "GET /files/1\nAccept-Encoding: identity").Header().Get("Content-Encoding"))
	})
	t.Run("nothing that the document does not have", func(t *testing.T) {
		resp := ask(t, shopMock(t), "GET /goods/2\nRange: bytes=1-2\nIf-None-Match: *\nAccept-Encoding: gzip")
		assert.Equal(t, http.StatusOK, resp.Code)
		assert.Empty(t, resp.Header().Get("Content-Encoding"))
	})
	c, err := contracttest.Parse("files.yaml", []byte(strings.ReplaceAll(files, "/files", "/things")))
	require.NoError(t, err)
	faultless(t, c, contracttest.Mock(c), contracttest.Cases(0))
}
