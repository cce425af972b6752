package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/report"
)

// onOneLine is a document as programs write it, and a report with a finding at each of
// the pointers.
func onOneLine(pointers ...string) *report.Report {
	doc := `{"openapi":"3.1.0","info":{"title":"é \"quoted\" {[","version":"1"},"paths":{"/a~b/{id}":{"get":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}},{"name":"q","in":"query"}],"responses":{}}}},"x":"` + strings.Repeat("long ", 200) + `","empty":{"a":[],"b":{}},"last":[[1,2],[3]]}`
	r := &report.Report{Version: 1, Spec: "http://host/openapi.json", Target: "http://host", Seed: 1, Sources: map[string]string{"http://host/openapi.json": doc}, Stats: report.Stats{Exchanges: 1}}
	for i, p := range pointers {
		r.Findings = append(r.Findings, report.Finding{
			Operation: "get", Check: "response-header", Severity: report.Error, Clause: fmt.Sprintf("get/%d", i), Message: fmt.Sprint("clause ", strings.Repeat("x", i+1)),
			Place: report.Place{File: r.Spec, Line: 1, Column: 40 + i, Pointer: p}, Count: 1,
		})
	}
	r.Sort()
	return r
}

// A document on one line is shown with a line for each member, and what is found stands
// at its own.
func TestDocumentOnOneLine(t *testing.T) {
	for _, tt := range []struct{ pointer, place, line string }{
		{"", ":1:1:", "{"},
		{"/info/title", ":4:5:", `"title": "é \"quoted\" {[",`},
		{"/paths/~1a~0b~1{id}", ":8:5:", `"/a~b/{id}": {`},
		{"/paths/~1a~0b~1{id}/get/parameters/0/schema/type", ":16:15:", `"type": "string"`},
		{"/paths/~1a~0b~1{id}/get/parameters/1", ":19:11:", `{`},
		{"/paths/~1a~0b~1{id}/get/parameters/1/in", ":21:13:", `"in": "query"`},
		{"/empty/b", ":31:5:", `"b": {}`},
		{"/last/1/0", ":39:7:", `3`},
		{"/not/there", ":1:1:", "{"},
	} {
		var b bytes.Buffer
		require.NoError(t, report.Text(&b, onOneLine(tt.pointer), report.TextOptions{Width: 100}))
		assert.Contains(t, b.String(), "http://host/openapi.json"+tt.place, tt.pointer)
		assert.Contains(t, b.String(), tt.line+"\n", tt.pointer)
	}
	r := onOneLine("/info/title")
	var b bytes.Buffer
	require.NoError(t, report.JSON(&b, r))
	assert.Contains(t, b.String(), `"line": 1,`, "the value keeps the places of the document as it was read")
	assert.True(t, json.Valid([]byte(r.Document())))
	assert.Equal(t, 42, strings.Count(r.Document(), "\n"))
}

// What people have written is shown as they have.
func TestDocumentAsItIsWritten(t *testing.T) {
	for _, doc := range []string{"a: 1\n", "{\n" + strings.Repeat(`"a": [1, 2],`+"\n", 99) + `"description": "` + strings.Repeat("long ", 300) + "\"\n}\n", `{"openapi": "3.0.3"}`, "b:  {c: [1,2]} # " + strings.Repeat("long ", 300) + "\na: 1\n"} {
		r := &report.Report{Spec: "a.yaml", Sources: map[string]string{"a.yaml": doc}}
		assert.Equal(t, doc, r.Document())
	}
}
