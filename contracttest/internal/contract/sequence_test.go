package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// A sequence is judged item by item as far as the document says that it means the items.
func TestSequences(t *testing.T) {
	const (
		item   = "itemSchema: {type: object, required: [n], properties: {n: {type: integer, maximum: 9}}}"
		schema = "schema: {type: object, required: [n], properties: {n: {type: integer, maximum: 9}}}"
		event  = "itemSchema: {required: [event], properties: {event: {enum: [a, b]}, id: {type: string, maxLength: 2}, retry: {type: integer, maximum: 9}, data: {type: string, contentMediaType: application/json, contentSchema: {type: object, required: [n], properties: {n: {type: integer}}}}}}"
		either = "itemSchema: {oneOf: [{properties: {event: {const: a}, data: {contentMediaType: application/json, contentSchema: {type: integer}}}}, {properties: {event: {const: b}, data: {contentMediaType: application/json, contentSchema: {type: string}}}}]}"
	)
	tests := []struct {
		name, version, media, content, body string
		want                                string // end of the names of the broken clauses
		leave, open                         bool
	}{
		{"lines", "3.2.0", "application/jsonl", item, "{\"n\": 1}\n{\"n\": 2}", "", false, false},
		{"a line breaks two clauses", "3.2.0", "application/jsonl", item, "{\"n\": 1}\n{\"n\": 10}\n{}\n{\"n\": 11}\n", "body/items/n/maximum body/items/n/required", false, false},
		{"a line is no JSON", "3.2.0", "application/x-ndjson", item, "{\"n\": 10}\n\n{n}\n{}", "syntax body/items/n/maximum", false, false},
		{"a line is on its way", "3.2.0", "application/jsonl", item, "{\"n\": 1}\n{\"n\": 10", "", false, true},
		{"a line is cut", "3.2.0", "application/jsonl", item, "{\"n\": 1}\n{\"n\": 10", "syntax", false, false},
		{"no line", "3.2.0", "application/jsonl", item, "\n", "", false, false},
		{"a list is no sequence", "3.2.0", "application/jsonl", item, "[{\"n\": 1}]", "body/items/type", false, false},
		{"records", "3.2.0", "application/json-seq", item, "\x1e{\"n\":\n 1}\n\x1e{\"n\": 10}\n", "body/items/n/maximum", false, false},
		{"a record without its sign", "3.2.0", "application/geo+json-seq", item, "{\"n\": 1}\n", "syntax", false, false},
		{"a record is on its way", "3.2.0", "application/json-seq", item, "\x1e{\"n\": 1}\n\x1e{\"n\": 10}", "", false, true},
		{"the whole is bounded, too", "3.2.0", "application/jsonl", item + ", schema: {maxItems: 1}", "{\"n\": 1}\n{\"n\": 2}", "body/maxItems", false, false},
		{"the whole has not been seen", "3.2.0", "application/jsonl", item + ", schema: {minItems: 3}", "{\"n\": 1}\n{\"n\": 2}\n", "", false, true},

		{"events", "3.2.0", "text/event-stream", event, ": hello\n\nevent: a\ndata: {\"n\":\ndata: 1}\nid: 7\nretry: 05\nother: x\n\n", "", false, false},
		{"events after a byte order mark", "3.2.0", "text/event-stream", event, "\ufeffevent: a\ndata: {\"n\": 1}\n\n", "", false, false},
		{"events with carriage returns alone", "3.2.0", "text/event-stream", event, "event: a\rdata: {\"n\": 1}\r\revent: c\rdata: {\"n\": 1}\r\r", "event/enum", false, false},
		{"events without blanks", "3.2.0", "text/event-stream", event, "event:a\nid\ndata:{\"n\": 1}\nretry:soon\n\n", "", false, false},
		{"data without a colon", "3.2.0", "text/event-stream", event, "event: a\ndata\ndata: {\"n\": 1}\ndata\n\n", "", false, false},
		{"a heartbeat in the midst of an event", "3.2.0", "text/event-stream", event, "event: a\n: still here\ndata: {\"n\": 1}\n\n:\n\n:\n\n", "", false, false},
		{"lines with carriage returns", "3.2.0", "application/x-ndjson", item, "{\"n\": 1}\r\n\r\n{\"n\": 2}\r\n", "", false, false},
		{"records that are empty", "3.2.0", "application/json-seq", item, "\x1e\x1e{\"n\": 1}\n", "", false, false},
		{"parts after a preamble and with a sign behind", "3.2.0", "multipart/mixed", item, "hello\r\n--b \r\nContent-Type: application/json; charset=utf-8\r\n\r\n{\"n\": 1}\r\n--b--\r\nbye", "", false, false},
		{"an event has another name", "3.2.0", "text/event-stream", event, "event: c\ndata: {\"n\": 1}\n\n", "event/enum", false, false},
		{"an event has no name", "3.2.0", "text/event-stream", event, "data: {\"n\": 1}\n\n", "event/required", false, false},
		{"an event has a long id", "3.2.0", "text/event-stream", event, "event: a\r\nid: 123\r\ndata: {\"n\": 1}\r\n\r\n", "id/maxLength", false, false},
		{"a pause is too long", "3.2.0", "text/event-stream", event, "event: a\nretry: 10\ndata: {\"n\": 1}\n\n", "retry/maximum", false, false},
		{"the data is no JSON", "3.2.0", "text/event-stream", event, "event: a\ndata: {n}\n\n", "data/contentMediaType", false, false},
		{"the data breaks its schema", "3.2.0", "text/event-stream", event, "event: a\ndata: {\"n\": \"1\"}\n\n", "data/contentSchema", false, false},
		{"an event without data is none", "3.2.0", "text/event-stream", event, "event: c\n\nid: 123\n\n", "", false, false},
		{"an event is on its way", "3.2.0", "text/event-stream", event, "event: a\ndata: {\"n\": 1}\n\nevent: c\ndata: 1\n", "", false, true},
		{"an event is not ended", "3.2.0", "text/event-stream", event, "event: a\ndata: {\"n\": 1}\n", "syntax", false, false},
		{"a comment is not ended", "3.2.0", "text/event-stream", event, "event: a\ndata: {\"n\": 1}\n\n: bye", "", false, false},
		{"not UTF-8", "3.2.0", "text/event-stream", event, "event: a\ndata: \xff\n\n", "syntax", false, false},
		{"the data of this event", "3.2.0", "text/event-stream", either, "event: a\ndata: 1\n\nevent: b\ndata: \"1\"\n\n", "", false, false},
		{"the data of another event", "3.2.0", "text/event-stream", either, "event: a\ndata: \"1\"\n\n", "oneOf", false, false},

		{"parts", "3.2.0", "multipart/mixed", item, "--b\r\nContent-Type: application/json\r\n\r\n{\"n\": 1}\r\n--b--\r\n", "", false, false},
		{"a part breaks its schema", "3.2.0", "multipart/mixed", item, "--b\r\nContent-Type: application/json\r\n\r\n{\"n\": 10}\r\n--b--\r\n", "body/items/n/maximum", false, false},
		{"a part is no JSON", "3.2.0", "multipart/mixed", item, "--b\r\nContent-Type: application/json\r\n\r\n{n}\r\n--b--\r\n", "syntax", false, false},
		{"a part is a text", "3.2.0", "multipart/related", item, "--b\r\n\r\n{\"n\": 10}\r\n--b--\r\n", "body/items/type", false, false},
		{"the parts have another boundary", "3.2.0", "multipart/mixed", item, "--c\r\n\r\nx\r\n--c--\r\n", "syntax", false, false},
		{"the parts have no end", "3.2.0", "multipart/mixed", item, "--b\r\nContent-Type: application/json\r\n\r\n{\"n\": 1}\r\n", "syntax", false, false},
		{"a part is on its way", "3.2.0", "multipart/x-mixed-replace", item, "--b\r\nContent-Type: application/json\r\n\r\n{\"n\": 1}\r\n--b\r\nContent-Type: application/json\r\n\r\n{\"n\": 10}", "", false, true},

		{"3.1: of each line", "3.1.0", "application/jsonl", schema, "{\"n\": 1}\n{\"n\": 2}\n", "", false, false},
		{"3.1: of all lines", "3.1.0", "application/jsonl", "schema: {type: array, items: {type: integer}}", "1\n2\n", "", false, false},
		{"3.1: of the text", "3.1.0", "application/jsonl", "schema: {type: string}", "1\n2\n", "", false, false},
		{"3.1: neither", "3.1.0", "application/jsonl", schema, "{\"n\": 1}\n{\"n\": 10}\n", "body/n/maximum", true, false},
		{"3.1: neither of what has come", "3.1.0", "application/jsonl", schema, "{\"n\": 1}\n{\"n\": 10}\n", "body/n/maximum", true, true},
		{"3.1: of all lines, that have not come", "3.1.0", "application/jsonl", "schema: {type: array, minItems: 5}", "1\n2\n", "", false, true},
		{"3.1: no JSON", "3.1.0", "application/jsonl", schema, "{n}\n", "syntax", false, false},
		{"3.1: without a schema", "3.1.0", "application/jsonl", "example: x", "{}\n{n}\n", "syntax", false, false},
		{"3.0: of each event", "3.0.3", "text/event-stream", "schema: {type: object, required: [event]}", "event: a\ndata: x\n\n", "", false, false},
		{"3.0: of the data", "3.0.3", "text/event-stream", schema, "event: a\ndata: {\"n\": 1}\n\n", "", false, false},
		{"3.0: of the text in the data", "3.0.3", "text/event-stream", "schema: {type: string, enum: [x, y]}", "data: x\n\ndata: y\n\n", "", false, false},
		{"3.0: neither", "3.0.3", "text/event-stream", schema, "data: {\"n\": 10}\n\n", "body/n/maximum", true, false},
		{"3.0: parts", "3.0.3", "multipart/mixed", "schema: {type: object}", "--b\r\n\r\nx\r\n--b--", "body/type", true, false},
		{"3.2: of all lines", "3.2.0", "application/jsonl", "schema: {type: array, items: {type: integer}, minItems: 2}", "1\n", "body/minItems", false, false},
		{"3.2: of the text", "3.2.0", "text/event-stream", "schema: {type: string}", "data: x\n\n", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op := parse(t, strings.Replace(head, "3.0.3", tt.version, 1)+`paths:
  /a:
    get:
      operationId: op
      responses: {"200": {description: Done., content: {"`+tt.media+`": {`+tt.content+`}}}}
`).Operations[0]
			label := tt.media
			if strings.HasPrefix(label, "multipart/") {
				label += "; boundary=b"
			}
			resp := &wire.Response{Status: 200, Header: http.Header{"Content-Type": {label}}, Body: []byte(tt.body), Open: tt.open}
			doc := op.Response(200)
			m, err := doc.Select(label)
			require.NoError(t, err)
			var got []string
			for _, v := range doc.CheckBody(m, resp) {
				got = append(got, v.Clause.Name)
				assert.Equal(t, tt.leave, v.Leave != "", "%s: %s", v.Message, v.Leave)
				assert.Positive(t, v.Clause.Place.Line, v.Clause.Name)
			}
			want := strings.Fields(tt.want)
			require.Len(t, got, len(want), "%q", got)
			for i, end := range want {
				assert.True(t, strings.HasSuffix(got[i], "/"+end), "%q", got)
			}
		})
	}
}

// Clauses of items stand where the document has their schema.
// Who receives a sequence may be as lenient with its items as with a body of JSON.
func TestLooseItemsInRequests(t *testing.T) {
	for media, framed := range map[string]string{
		"application/x-ndjson": "{\"n\": 1}\n%\n", "application/json-seq": "\x1e{\"n\": 1}\n\x1e%\n", "multipart/mixed": "--b\r\nContent-Type: application/json\r\n\r\n%\r\n--b--\r\n",
	} {
		op := parse(t, strings.Replace(head, "3.0.3", "3.2.0", 1)+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {`+media+`: {itemSchema: {type: object, required: [n], properties: {n: {type: integer}}}}}}
      responses: {"200": {description: Done.}}
`).Operations[0]
		for item, left := range map[string]bool{`{"n": 1, "n": 1}`: true, `{"n": 1, "m": NaN}`: true, `{'n': 1}`: true, `{"n": 1`: false, `x`: false} {
			got := op.CheckRequest(request(t, "POST /a\nContent-Type: "+media+"; boundary=b\n\n"+strings.Replace(framed, "%", item, 1)))
			require.NotEmpty(t, got, "%s %s", media, item)
			assert.Equal(t, left, got[0].Leave != "", "%s %s: %v", media, item, got)
		}
	}
}

func TestPlacesOfItems(t *testing.T) {
	c := parse(t, strings.Replace(head, "3.0.3", "3.2.0", 1)+`paths:
  /a:
    get:
      operationId: op
      responses: {"200": {description: Done., content: {application/jsonl: {itemSchema: {type: object, properties: {n: {maximum: 9}}}}}}}
`)
	var pointers []string
	for _, cl := range c.Operations[0].Clauses {
		if strings.Contains(cl.Name, "/body/") {
			pointers = append(pointers, cl.Name+" "+cl.Place.Pointer)
		}
	}
	const at = "/paths/~1a/get/responses/200/content/application~1jsonl"
	assert.Equal(t, []string{
		"op/response/200/body/syntax " + at + "/schema",
		"op/response/200/body/items/type " + at + "/itemSchema/type",
		"op/response/200/body/items/n/maximum " + at + "/itemSchema/properties/n/maximum",
	}, pointers)
}
