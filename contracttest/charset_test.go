package contracttest_test

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

const charsets = `
openapi: 3.0.3
info: {title: charsets, version: "1"}
components:
  schemas:
    Word: {type: string, minLength: 2, maxLength: 4, pattern: '^[a-zé]+$'}
paths:
  /words:
    post:
      operationId: latin
      requestBody: {required: true, content: {text/plain; charset=ISO-8859-1: {schema: {$ref: '#/components/schemas/Word'}}}}
      responses: {"200": {description: the same, content: {text/plain; charset=ISO-8859-1: {schema: {$ref: '#/components/schemas/Word'}}}}, "400": {description: bad}, "415": {description: another type}}
  /wide:
    post:
      operationId: wide
      requestBody: {required: true, content: {text/plain; charset=utf-16: {schema: {$ref: '#/components/schemas/Word'}}}}
      responses: {"200": {description: the same, content: {text/plain; charset=utf-16: {schema: {$ref: '#/components/schemas/Word'}}}}, "400": {description: bad}, "415": {description: another type}}
  /elements:
    put:
      operationId: putElements
      requestBody: {required: true, content: {application/xml; charset=utf-16: {schema: {type: object, xml: {name: a}, properties: {word: {$ref: '#/components/schemas/Word'}}}}}}
      responses: {"204": {description: taken}}
    get:
      operationId: elements
      responses: {"200": {description: one, content: {application/xml; charset=iso-8859-1: {schema: {type: object, xml: {name: a}, properties: {word: {$ref: '#/components/schemas/Word'}}}}}}}
`

// speller is a service that keeps its words in other charsets than UTF-8.
type speller struct{ answer string }

func (s speller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in encoding.Encoding
	var name string
	switch {
	case r.URL.Path == "/elements" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		text, err := charmap.ISO8859_1.NewEncoder().String("<a><word>" + s.answer + "</word></a>")
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "application/xml; charset=iso-8859-1")
		_, _ = io.WriteString(w, text)
		return
	case r.URL.Path == "/elements" && r.Method == http.MethodPut: // which is not judged here
		w.WriteHeader(http.StatusNoContent)
		return
	case r.URL.Path == "/words" && r.Method == http.MethodPost:
		in, name = charmap.ISO8859_1, "iso-8859-1"
	case r.URL.Path == "/wide" && r.Method == http.MethodPost:
		in, name = unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "utf-16"
	case r.URL.Path == "/words" || r.URL.Path == "/wide":
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case r.URL.Path == "/elements":
		w.Header().Set("Allow", "GET, HEAD, PUT")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	typ, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || len(r.Header.Values("Content-Type")) != 1 || typ != "text/plain" || charset != "" && !strings.EqualFold(charset, name) || r.Header.Get("Content-Encoding") != "" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(r.Body)
	word, decodeErr := in.NewDecoder().String(string(body))
	if n := utf8.RuneCountInString(word); err != nil || decodeErr != nil || n < 2 || n > 4 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyzé") != "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if s.answer != "éé" {
		word = s.answer
	}
	text, err := in.NewEncoder().String(word)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "text/plain; charset="+name)
	_, _ = io.WriteString(w, text)
}

// TestCharsets proves that texts are sent and judged in the charset that the document has.
func TestCharsets(t *testing.T) {
	t.Parallel()
	c, err := contracttest.Parse("charsets.yaml", []byte(charsets))
	require.NoError(t, err)
	run := func(answer string, opts ...contracttest.Option) *contracttest.Report {
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(speller{answer}), opts...)
		require.NoError(t, err)
		return rep
	}
	for seed := range 20 {
		if racing.Take(seed, 5) {
			rep := run("éé", contracttest.Seed(int64(seed)), contracttest.Skip("putElements/**"))
			assert.Zero(t, rep.Errors(), "%d: %s", seed, describe(rep))
			assert.Empty(t, rep.Unproven, "%v", rep.Unproven)
		}
	}
	putElements := run("éé", contracttest.Only("putElements/**"), contracttest.Cases(0)) // its bytes are taken apart nowhere
	assert.NotContains(t, fmt.Sprint(putElements.Coverage.Unreached, putElements.Inconclusive), "fault of contracttest")
	for answer, keyword := range map[string]string{"é": "minLength", "ééééé": "maxLength", "É1": "pattern"} {
		rep := run(answer, contracttest.Cases(0))
		for _, clause := range []string{"latin/response/200/body", "wide/response/200/body", "elements/response/200/body/word"} {
			assert.Contains(t, describe(rep), fmt.Sprintf("error response-schema %s/%s:", clause, keyword))
		}
	}
}
