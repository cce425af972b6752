package contracttest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

const streams = `
openapi: 3.2.0
info: {title: streams, version: "1"}
components:
  schemas:
    Reading: {type: object, required: [sensor, value], additionalProperties: false, properties: {sensor: {type: string, pattern: '^s[0-9]$'}, value: {type: number, maximum: 100}}}
    Event:
      type: object
      required: [event, data]
      properties:
        event: {enum: [reading, bye]}
        id: {type: string, maxLength: 3}
        retry: {type: integer, maximum: 5000}
        data: {type: string, contentMediaType: application/json, contentSchema: {$ref: '#/components/schemas/Reading'}}
paths:
  /events: {get: {operationId: events, responses: {"200": {description: all, content: {text/event-stream: {itemSchema: {$ref: '#/components/schemas/Event'}}}}}}}
  /lines:
    get: {operationId: lines, responses: {"200": {description: all, content: {application/jsonl: {itemSchema: {$ref: '#/components/schemas/Reading'}}}}}}
    post:
      operationId: load
      requestBody: {required: true, content: {application/x-ndjson: {itemSchema: {$ref: '#/components/schemas/Reading'}}}}
      responses: {"204": {description: taken}, "400": {description: bad}, "415": {description: no lines}}
  /records: {get: {operationId: records, responses: {"200": {description: all, content: {application/json-seq: {itemSchema: {$ref: '#/components/schemas/Reading'}}}}}}}
  /parts: {get: {operationId: parts, responses: {"200": {description: all, content: {multipart/mixed: {itemSchema: {$ref: '#/components/schemas/Reading'}}}}}}}
`

// sensors is a service that keeps the document, but for what is replaced in what it writes.
type sensors struct {
	then    string    // what comes after the items: it ends, goes on or stalls
	replace [2]string // in each piece
	lax     string    // what it does not look at in a request

	answers atomic.Int32 // each has a boundary of its own, as most services have it
}

func (s *sensors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reading := `{"sensor": "s1", "value": 20.5}`
	next := fmt.Sprintf("next%d", s.answers.Add(1))
	pieces := map[string][]string{
		"/events":  {": hello\n\n", "event: reading\nid: 1\ndata: " + reading + "\n\n", "event: bye\r\ndata: {\"sensor\": \"s2\",\r\ndata: \"value\": 3}\r\nretry: 5000\r\n\r\n"},
		"/lines":   {reading + "\n", "\n", reading + "\r\n"},
		"/records": {"\x1e" + reading + "\n", "\x1e{\"sensor\": \"s2\",\n \"value\": 3}\n"},
		"/parts":   {"--" + next + "\r\nContent-Type: application/json\r\n\r\n" + reading + "\r\n"},
	}[r.URL.Path]
	switch {
	case pieces == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodPost && r.URL.Path == "/lines":
		w.WriteHeader(s.load(r))
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", map[bool]string{true: "GET, HEAD, POST", false: "GET, HEAD"}[r.URL.Path == "/lines"])
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		w.Header().Set("Content-Type", map[string]string{
			"/events": "text/event-stream", "/lines": "application/jsonl", "/records": "application/json-seq", "/parts": "multipart/mixed; boundary=" + next,
		}[r.URL.Path])
		s.write(w, r, pieces)
		if r.URL.Path == "/parts" && s.then != "stalls" {
			_, _ = io.WriteString(w, "--"+next+"--\r\n")
		}
	}
}

func (s *sensors) write(w http.ResponseWriter, r *http.Request, pieces []string) {
	for i := 0; ; i++ {
		if i >= len(pieces) && s.then != "goes on" {
			break
		}
		text := pieces[i%len(pieces)]
		if s.replace[0] != "" {
			text = strings.ReplaceAll(text, s.replace[0], s.replace[1])
		}
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
		w.(http.Flusher).Flush()
	}
	if s.then == "stalls" {
		<-r.Context().Done()
	}
}

// load reads lines of readings.
func (s *sensors) load(r *http.Request) int {
	kind, _, err := mime.ParseMediaType(strings.Join(r.Header.Values("Content-Type"), ", "))
	if (err != nil || kind != "application/x-ndjson") && s.lax != "type" {
		return http.StatusUnsupportedMediaType
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 && s.lax != "body" {
		return http.StatusBadRequest
	}
	for line := range strings.SplitSeq(string(body), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var members map[string]any
		ok := d.Decode(&members) == nil && members != nil && d.Decode(&struct{}{}) == io.EOF
		if !ok && s.lax != "syntax" {
			return http.StatusBadRequest
		}
		for name, v := range members {
			switch number, _ := v.(json.Number); name {
			case "sensor":
				text, isText := v.(string)
				if s.lax != name && (!isText || len(text) != 2 || text[0] != 's' || text[1] < '0' || text[1] > '9') {
					return http.StatusBadRequest
				}
			case "value":
				if f, ok := new(big.Float).SetString(number.String()); s.lax != name && (!ok || f.Cmp(big.NewFloat(100)) > 0) {
					return http.StatusBadRequest
				}
			default:
				if s.lax != "others" {
					return http.StatusBadRequest
				}
			}
		}
		if _, named := members["sensor"]; ok && !named && s.lax != "required" {
			return http.StatusBadRequest
		}
		if _, valued := members["value"]; ok && !valued && s.lax != "required" {
			return http.StatusBadRequest
		}
	}
	return http.StatusNoContent
}

func streamsContract(t *testing.T) *contracttest.Contract {
	t.Helper()
	c, err := contracttest.Parse("streams.yaml", []byte(streams))
	require.NoError(t, err)
	return c
}

// TestStreamsLawful proves that nothing is found of streams that keep their document, whether they
// end, go on for ever or stall.
func TestStreamsLawful(t *testing.T) {
	t.Parallel()
	for seed := range 20 {
		then := []string{"ends", "goes on", "stalls"}[seed%3]
		if !racing.Take(seed, 3) {
			continue
		}
		t.Run(fmt.Sprint(then, seed), func(t *testing.T) {
			t.Parallel()
			rep, err := contracttest.Run(t.Context(), streamsContract(t), contracttest.Handler(&sensors{then: then}), contracttest.Seed(int64(seed)), contracttest.Cases(5),
				contracttest.StreamItems(4), contracttest.StreamTime(5*time.Millisecond), contracttest.Timeout(time.Minute))
			require.NoError(t, err)
			assert.Empty(t, rep.Findings, "%s", describe(rep))
			assert.Empty(t, rep.Inconclusive, "%s", describe(rep))
		})
	}
}

// TestStreamsDefects proves that each clause about the items of a stream is judged.
func TestStreamsDefects(t *testing.T) {
	t.Parallel()
	const reading = "response/200/body/items/"
	tests := []struct{ op, find, put, check, clause string }{
		{"events", "event: reading", "event: other", "response-schema", reading + "event/enum"},
		{"events", "event: reading\n", "", "response-schema", reading + "event/required"},
		{"events", "id: 1", "id: 1000", "response-schema", reading + "id/maxLength"},
		{"events", "retry: 5000", "retry: 5001", "response-schema", reading + "retry/maximum"},
		{"events", `"value": 3`, `"value": "3"`, "response-schema", reading + "data/contentSchema"},
		{"events", `"value": 20.5`, "", "response-schema", reading + "data/contentMediaType"},
		{"events", `"sensor": "s1", `, "", "response-schema", reading + "data/contentSchema"},
		{"events", "retry: 5000\r\n\r\n", "", "response-body-malformed", "response/200/body/syntax"},
		{"events", "bye", "b\xffe", "response-body-malformed", "response/200/body/syntax"},
		{"lines", `"s1"`, `"x1"`, "response-schema", reading + "sensor/pattern"},
		{"lines", `"s1"`, `1`, "response-schema", reading + "sensor/type"},
		{"lines", `20.5`, `100.5`, "response-schema", reading + "value/maximum"},
		{"lines", `20.5`, `"20.5"`, "response-schema", reading + "value/type"},
		{"lines", `, "value": 20.5`, ``, "response-schema", reading + "value/required"},
		{"lines", `20.5}`, `20.5, "at": 1}`, "response-schema", reading + "additionalProperties"},
		{"lines", `{"sensor": "s1", "value": 20.5}`, `1`, "response-schema", reading + "type"},
		{"lines", `{`, `[{`, "response-body-malformed", "response/200/body/syntax"},
		{"lines", `{"sensor": "s1", "value": 20.5}`, `{"sensor": "s1", "value": 20.5}{}`, "response-body-malformed", "response/200/body/syntax"},
		{"records", "\x1e", "", "response-body-malformed", "response/200/body/syntax"},
		{"records", "}\n", "\n", "response-body-malformed", "response/200/body/syntax"},
		{"records", `"s2"`, `"s22"`, "response-schema", reading + "sensor/pattern"},
		{"parts", "20.5", "200.5", "response-schema", reading + "value/maximum"},
		{"parts", "20.5}", "20.5", "response-body-malformed", "response/200/body/syntax"},
		{"parts", "application/json", "text/plain", "response-schema", reading + "type"},
	}
	c := streamsContract(t)
	for i, tt := range tests {
		if !racing.Take(i, 5) {
			continue
		}
		t.Run(tt.op+" "+tt.find+" "+tt.put, func(t *testing.T) {
			t.Parallel()
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(&sensors{then: "ends", replace: [2]string{tt.find, tt.put}}), contracttest.Only(tt.op), contracttest.Cases(0))
			require.NoError(t, err)
			for _, f := range rep.Findings {
				assert.Equal(t, tt.op+"/"+tt.clause, f.Clause, "%s", describe(rep))
				assert.Equal(t, tt.check, f.Check)
				assert.Equal(t, "error", f.Severity)
			}
			assert.NotEmpty(t, rep.Findings)
		})
	}
}

// TestStreamsSent proves that what is wrong in an item of a request has to be refused.
func TestStreamsSent(t *testing.T) {
	t.Parallel()
	c := streamsContract(t)
	for _, tt := range []struct{ lax, clause string }{
		{"type", "body/media-type"}, {"body", "body/required"}, {"syntax", "body/syntax"}, {"sensor", "body/items/sensor/pattern"}, {"value", "body/items/value/maximum"},
		{"others", "body/items/additionalProperties"}, {"required", "body/items/value/required"},
	} {
		t.Run(tt.lax, func(t *testing.T) {
			t.Parallel()
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(&sensors{lax: tt.lax}), contracttest.Only("load"), contracttest.Cases(0))
			require.NoError(t, err)
			assert.Contains(t, describe(rep), "invalid-request-accepted load/"+tt.clause, "%s", describe(rep))
		})
	}
}

// TestStreamsOverHTTP proves that a stream without an end is left on a connection, too, and that
// the next requests are answered.
func TestStreamsOverHTTP(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&sensors{then: "stalls"})
	t.Cleanup(srv.Close)
	rep, err := contracttest.Run(t.Context(), streamsContract(t), contracttest.URL(srv.URL), contracttest.StreamTime(5*time.Millisecond), contracttest.Cases(0), contracttest.Skip("load"))
	require.NoError(t, err)
	assert.Empty(t, rep.Findings, "%s", describe(rep))
}
