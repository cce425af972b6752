package mock_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

func notes(t *testing.T) *contracttest.Contract {
	t.Helper()
	text, err := os.ReadFile("testdata/notes.yaml")
	require.NoError(t, err)
	c, err := contracttest.Parse("notes.yaml", text)
	require.NoError(t, err)
	return c
}

// members are those of an answer's object.
func members(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

func post(path, body string) string {
	return "POST " + path + "\nContent-Type: application/json\n\n" + body
}

func TestStateOfAResource(t *testing.T) {
	h := contracttest.Mock(notes(t))
	made := ask(t, h, post("/api/notes", `{"text": "a", "secret": "s", "tags": ["x"]}`))
	require.Equal(t, http.StatusCreated, made.Code, made.Body)
	note := members(t, made)
	at := "/api/notes/" + note["noteId"].(string)
	assert.Equal(t, at, made.Header().Get("Location"))
	assert.Equal(t, "green", note["colour"], "its default")
	assert.NotContains(t, note, "secret", "write only")
	assert.Contains(t, note, "made", "read only")

	read := ask(t, h, "GET "+at)
	assert.Equal(t, note, members(t, read))
	tag := read.Header().Get("ETag")
	assert.NotEmpty(t, tag)

	changed := ask(t, h, "PATCH "+at+"\nContent-Type: application/merge-patch+json\n\n{\"colour\": null, \"text\": \"b\"}")
	require.Equal(t, http.StatusOK, changed.Code, changed.Body)
	assert.NotContains(t, members(t, changed), "colour")
	assert.Equal(t, "b", members(t, changed)["text"])
	assert.Equal(t, note["made"], members(t, changed)["made"])

	refused := ask(t, h, "PATCH "+at+"\nAccept: text/csv\nContent-Type: application/merge-patch+json\n\n{\"text\": \"c\"}")
	assert.Equal(t, http.StatusNotAcceptable, refused.Code)
	assert.Equal(t, "b", members(t, ask(t, h, "GET "+at))["text"], "what is refused changes nothing")

	put := "PUT " + at + "\nContent-Type: application/json"
	assert.Equal(t, http.StatusPreconditionFailed, ask(t, h, put+"\nIf-Match: "+tag+"\n\n{\"text\": \"c\"}").Code)
	tag = ask(t, h, "GET "+at).Header().Get("ETag")
	assert.Equal(t, http.StatusOK, ask(t, h, put+"\nIf-Match: \"x\", "+tag+"\n\n{\"text\": \"c\"}").Code)
	assert.NotContains(t, members(t, ask(t, h, "GET "+at)), "tags")

	comment := ask(t, h, post(at+"/comments", `{"words": "w"}`))
	require.Equal(t, http.StatusCreated, comment.Code)
	below := at + "/comments/" + string(mustJSON(t, members(t, comment)["id"]))
	assert.Equal(t, http.StatusOK, ask(t, h, "GET "+below).Code)
	other := members(t, ask(t, h, post("/api/notes", `{"text": "z"}`)))["noteId"].(string)
	assert.Equal(t, http.StatusNotFound, ask(t, h, "GET "+strings.Replace(below, note["noteId"].(string), other, 1)).Code, "below another")

	assert.Equal(t, http.StatusNoContent, ask(t, h, "DELETE "+at).Code)
	for _, request := range []string{"GET " + at, "DELETE " + at, "GET " + below, post(at+"/comments", `{"words": "w"}`), put + "\n\n{\"text\": \"c\"}"} {
		gone := ask(t, h, request)
		assert.Equal(t, http.StatusNotFound, gone.Code, request)
		assert.Equal(t, "there is no such resource", members(t, gone)["detail"])
	}
}

// TestStateOfComposedMembers makes what has its identifier by allOf, and what answers have to have though
// nobody gave it.
func TestStateOfComposedMembers(t *testing.T) {
	c, err := contracttest.Parse("nets.yaml", []byte(`
openapi: 3.0.3
info: {title: nets, version: "1"}
paths:
  /nets:
    post:
      operationId: addNet
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}, labels: {type: object, example: {a: b}}, colour: {type: string, enum: [red]}}}}}}
      responses: {"200": {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Net'}}}}}
  /nets/{arn}:
    parameters: [{name: arn, in: path, required: true, schema: {$ref: '#/components/schemas/Arn'}}]
    put:
      operationId: putNet
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}, labels: {type: object}}}}}}
      responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Net'}}}}}
    get:
      operationId: readNet
      responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Net'}}}}}
components:
  schemas:
    Arn: {type: string, pattern: '^arn:net:[^:]*$'}
    Net:
      type: object
      required: [arn, name, labels, colour]
      properties: {arn: {allOf: [{$ref: '#/components/schemas/Arn'}, {description: its name}]}, name: {type: string}, labels: {type: object, example: {a: b}}, colour: {type: string, enum: [red]}}
`))
	require.NoError(t, err)
	h := contracttest.Mock(c)
	first := members(t, ask(t, h, post("/nets", `{"name": "one"}`)))
	second := members(t, ask(t, h, post("/nets", `{"name": "two", "labels": {"c": "d"}}`)))
	assert.NotEqual(t, first["arn"], second["arn"])
	assert.Equal(t, map[string]any{}, first["labels"], "nobody gave any")
	assert.Equal(t, "red", first["colour"], "no empty one is valid")
	at := "/nets/" + second["arn"].(string)
	assert.Equal(t, second, members(t, ask(t, h, "GET "+at)))
	put := strings.Replace(post(at, `{"name": "three"}`), "POST", "PUT", 1)
	assert.Equal(t, map[string]any{}, members(t, ask(t, h, put))["labels"], "it is left out")
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

func TestStateOfAList(t *testing.T) {
	option, err := contracttest.MockData(notes(t), []byte(`{"/api/notes": []}`))
	require.NoError(t, err)
	h := contracttest.Mock(notes(t), option)
	list := func(query string) (texts string, total int) {
		var page struct {
			Notes []struct{ Text string }
			Total int
		}
		require.NoError(t, json.Unmarshal(ask(t, h, "GET /api/notes"+query).Body.Bytes(), &page))
		var b strings.Builder
		for _, n := range page.Notes {
			b.WriteString(n.Text)
		}
		return b.String(), page.Total
	}
	texts, total := list("")
	assert.Empty(t, texts)
	assert.Zero(t, total)
	for i, text := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		colour := map[bool]string{true: "red", false: "green"}[i%13 == 0]
		require.Equal(t, http.StatusCreated, ask(t, h, post("/api/notes", `{"text": "`+text+`", "colour": "`+colour+`"}`)).Code)
	}
	for query, want := range map[string]string{
		"":                             "abcdefghijklmnopqrst",
		"?limit=3":                     "abc",
		"?limit=3&offset=24":           "yz",
		"?limit=3&offset=99":           "",
		"?colour=red":                  "an",
		"?colour=red&limit=1&offset=1": "n",
	} {
		texts, total := list(query)
		assert.Equal(t, want, texts, query)
		assert.Equal(t, map[bool]int{true: 2, false: 26}[strings.Contains(query, "red")], total, query)
	}
}

// A client that follows has_more with the identifier of the last entry sees each entry once, and comes to an end.
func TestStateOfAListAfterAnEntry(t *testing.T) {
	c, err := contracttest.Parse("posts.yaml", []byte(`
openapi: 3.0.3
info: {title: posts, version: "1"}
paths:
  /posts:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 5, default: 2}}
        - {name: starting_after, in: query, schema: {type: string}}
      responses:
        "200":
          description: ""
          content:
            application/json:
              schema:
                type: object
                required: [data, has_more, last]
                properties: {data: {type: array, items: {$ref: '#/components/schemas/Post'}}, has_more: {type: boolean}, last: {type: boolean}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Post'}}}}
      responses: {"201": {description: "", content: {application/json: {schema: {$ref: '#/components/schemas/Post'}}}}}
  /posts/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        "200": {description: "", content: {application/json: {schema: {$ref: '#/components/schemas/Post'}}}}
        "404": {description: ""}
components:
  schemas:
    Post: {type: object, properties: {id: {type: integer, readOnly: true}, text: {type: string}}}
`))
	require.NoError(t, err)
	option, err := contracttest.MockData(c, []byte(`{"/posts": [{"id": 50}, {"id": 40}, {"id": 30}, {"id": 20}, {"id": 10}]}`))
	require.NoError(t, err)
	h := contracttest.Mock(c, option)
	var ids []int
	query, more := "", true
	for range 9 {
		if !more {
			break
		}
		var page struct {
			Data []struct{ ID int }
			More bool `json:"has_more"`
			Last bool
		}
		require.NoError(t, json.Unmarshal(ask(t, h, "GET /posts"+query).Body.Bytes(), &page))
		for _, post := range page.Data {
			ids = append(ids, post.ID)
		}
		more, query = page.More, "?starting_after="+strconv.Itoa(ids[len(ids)-1])
		assert.Equal(t, !page.More, page.Last)
	}
	assert.False(t, more)
	assert.Equal(t, []int{50, 40, 30, 20, 10}, ids)
}

func TestStateOfLinks(t *testing.T) {
	c, err := contracttest.Parse("links.yaml", []byte(`
openapi: 3.0.3
info: {title: links, version: "1"}
paths:
  /messages:
    post:
      operationId: send
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Message'}}}}
      responses: {"201": {description: sent, headers: {Location: {required: true, schema: {type: string, pattern: '^http://example[.]com/'}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Message'}}}}, "400": {description: bad}, "415": {description: no JSON}}
    get:
      operationId: list
      parameters: [{name: cursor, in: query, schema: {type: string, nullable: true}}, {name: limit, in: query, schema: {type: integer, minimum: 1, default: 2}}]
      responses:
        "200":
          description: some
          content:
            application/json:
              schema:
                type: object
                required: [data, meta, links]
                properties:
                  data: {type: array, items: {$ref: '#/components/schemas/Message'}}
                  meta: {type: object, required: [cursors], properties: {cursors: {type: object, required: [next], properties: {next: {type: string, nullable: true, example: abc}}}}}
                  links: {type: object, required: [next], properties: {next: {type: string, nullable: true, example: 'http://example.com/messages?cursor=abc'}}}
        "400": {description: bad}
  /messages/{id}:
    get: {operationId: read, parameters: [{name: id, in: path, required: true, schema: {type: integer}}], responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Message'}}}}, "404": {description: none}}}
components: {schemas: {Message: {type: object, required: [id, text], properties: {id: {type: integer, readOnly: true}, text: {type: string}}}}}
`))
	require.NoError(t, err)
	option, err := contracttest.MockData(c, []byte(`{"/messages": []}`))
	require.NoError(t, err)
	h := contracttest.Mock(c, option)
	for range 3 {
		require.Equal(t, http.StatusCreated, ask(t, h, post("/messages", `{"text": "a"}`)).Code)
	}
	first := ask(t, h, "GET /messages?limit=2").Body.String()
	assert.Contains(t, first, `"cursors":{"next":"2"}`)
	assert.Contains(t, first, `"links":{"next":"http://example.com/messages?limit=2&cursor=2"}`)
	last := ask(t, h, "GET /messages?limit=2&cursor=2").Body.String()
	assert.Contains(t, last, `"cursors":{"next":null}`)
	assert.Contains(t, last, `"links":{"next":null}`)
}

// TestStateInOrder asks for a list in an order and inside bounds.
func TestStateInOrder(t *testing.T) {
	c, err := contracttest.Parse("prices.yaml", []byte(`
openapi: 3.0.3
info: {title: prices, version: "1"}
paths:
  /prices:
    post:
      operationId: add
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Price'}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Price'}}}}}
    get:
      operationId: list
      parameters:
      - {name: sort, in: query, schema: {type: string, enum: [amount, -amount, on, -on]}}
      - {name: order_by, in: query, schema: {type: string, enum: [name]}}
      - {name: dir, in: query, schema: {type: string, enum: [asc, desc]}}
      - {name: min_amount, in: query, schema: {type: number}}
      - {name: 'amount[lte]', in: query, schema: {type: number}}
      - {name: from, in: query, schema: {type: string, format: date}}
      responses: {"200": {description: some, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Price'}}}}}}
  /prices/{id}:
    get: {operationId: read, parameters: [{name: id, in: path, required: true, schema: {type: integer}}], responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Price'}}}}}}
components: {schemas: {Price: {type: object, required: [name, amount, 'on'], properties: {id: {type: integer, readOnly: true}, name: {type: string}, amount: {type: number}, 'on': {type: string, format: date}}}}}
`))
	require.NoError(t, err)
	option, err := contracttest.MockData(c, []byte(`{"/prices": []}`))
	require.NoError(t, err)
	h := contracttest.Mock(c, option)
	for name, rest := range map[string]string{"a": `"amount": 10, "on": "2026-01-03"`, "bb": `"amount": 9.5, "on": "2026-01-01"`, "c": `"amount": 200, "on": "2026-01-02"`} {
		require.Equal(t, http.StatusCreated, ask(t, h, post("/prices", `{"name": "`+name+`", `+rest+`}`)).Code)
	}
	for query, want := range map[string]string{
		"sort=amount": "bb a c", "sort=-amount": "c a bb", "sort=on": "bb c a", "order_by=name": "a bb c", "order_by=name&dir=desc": "c bb a",
		"sort=amount&min_amount=10": "a c", "sort=amount&amount%5Blte%5D=10": "bb a", "sort=on&from=2026-01-02": "c a", "sort=amount&min_amount=9.75&amount%5Blte%5D=11": "a",
	} {
		var got []struct{ Name string }
		require.NoError(t, json.Unmarshal(ask(t, h, "GET /prices?"+query).Body.Bytes(), &got), query)
		var names []string
		for _, p := range got {
			names = append(names, p.Name)
		}
		assert.Equal(t, want, strings.Join(names, " "), query)
	}
}

func TestStateThatAMockBeginsWith(t *testing.T) {
	h := shopMock(t)
	assert.JSONEq(t, `{"colour":"green","id":2,"name":"pear"}`, ask(t, h, "GET /goods/2").Body.String())
	assert.Equal(t, http.StatusNotFound, ask(t, h, "GET /goods/3").Code)
	assert.Equal(t, http.StatusOK, ask(t, h, "GET /goods/3\nPrefer: example=apple").Code, "what is asked for by its name")
	assert.Equal(t, http.StatusNoContent, ask(t, h, "DELETE /goods/2?api_key=a").Code)
	assert.Equal(t, http.StatusNotFound, ask(t, h, "DELETE /goods/2?api_key=a").Code)

	c := notes(t)
	option, err := contracttest.MockData(c, []byte(`{
		"/notes": [{"noteId": "9b2c1c5e-0f4d-4e5e-8a43-94a3a1a6c0ff", "text": "mine", "made": "2026-01-01T00:00:00Z"}],
		"/notes/9b2c1c5e-0f4d-4e5e-8a43-94a3a1a6c0ff/comments": [{"id": 7, "words": "well"}]
	}`))
	require.NoError(t, err)
	h = contracttest.Mock(c, option)
	assert.Equal(t, "well", members(t, ask(t, h, "GET /api/notes/9b2c1c5e-0f4d-4e5e-8a43-94a3a1a6c0ff/comments/7"))["words"])
	for data, why := range map[string]string{
		`[]`:                        "want an object of lists",
		`{"/notes": {}}`:            "/notes: want a list",
		`{"/notes": [1]}`:           "/notes: item 1: want an object",
		`{"/other": []}`:            "/other: the document has no collection here",
		`{"/notes": [{"text": 1}]}`: "/notes: item 1: ",
	} {
		_, err := contracttest.MockData(c, []byte(data))
		assert.ErrorContains(t, err, why, data)
	}
}
