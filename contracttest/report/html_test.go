package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/dataarts-go/factory/contracttest/report"
)

func page(t testing.TB, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, r))
	return b.String()
}

// island is what the page's script reads.
func island(t *testing.T, page string) map[string][]map[string]any {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	require.NotNil(t, m)
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(m[1]), &all))
	out := map[string][]map[string]any{}
	for _, name := range []string{"clauses", "findings", "exchanges"} {
		var list []map[string]any
		require.NoError(t, json.Unmarshal(all[name], &list))
		out[name] = list
	}
	return out
}

// small is a report on a document of four lines, with a finding on the third.
func small() *report.Report {
	at := func(line int) report.Place { return report.Place{File: "a.yaml", Line: line, Column: 1} }
	return &report.Report{
		Version: 1, Spec: "a.yaml", Target: "http://host", Seed: 7,
		Sources: map[string]string{"a.yaml": "one: 1\ntwo: 2\nthree: 3\nfour: 4\n"},
		Stats:   report.Stats{Operations: 1, Cases: 2, Exchanges: 100_000},
		Coverage: report.Coverage{Clauses: 4, ByClause: []report.Clause{
			{Clause: "get/two", Text: "two is two", Place: at(2), State: "kept+broken", Operation: "get"},
			{Clause: "get/three", Text: "three is three", Place: at(3), State: "kept", Operation: "get"},
			{Clause: "get/more", Text: "more may be there", Place: at(3), State: "kept", Operation: "get", Permits: true},
			{Clause: "get/four", Text: "four is four", Place: at(4), State: "unreached", Operation: "get"},
		}, Unreached: []report.Unreached{{Clause: "get/four", Reason: "no time"}}},
		Findings: []report.Finding{{
			Operation: "get", Check: "c", Severity: report.Error, Clause: "get/three", Place: at(3), Message: "it is four", Expected: "3", Actual: "4", Count: 1,
			Case: report.Case{ID: "get/three#x", Seed: 7},
		}},
		Exchanges: []report.Exchange{{
			Case: "get/three#x", Operation: "get", Clause: "get/three", Breaks: true, Expect: "a refusal", Method: "GET", Target: "/x",
			Status: 200, Response: report.Message{Body: `{"three":4}`, Size: 11}, Findings: []report.Found{{Check: "c", Severity: "error", Clause: "get/three", Message: "it is four"}},
		}},
	}
}

// Each line has the state of the clauses that stand in it.
func TestHTMLLines(t *testing.T) {
	got := page(t, small())
	for _, line := range []string{
		`<div class="ln" id="f0l1"><i>1</i><b></b><code>one: 1</code></div>`,
		`<button type="button" class="ln shown" id="f0l2" data-f="0" data-l="2" aria-label="line 2, kept, and broken on purpose: two: 2"><i>2</i><b>✓</b>`,
		`<button type="button" class="ln finding" id="f0l3"`,
		`<button type="button" class="ln untried" id="f0l4"`,
		"The contract is broken: 1 error",
	} {
		require.Contains(t, got, line)
	}
	data := island(t, got)
	assert.Equal(t, "no time", data["clauses"][3]["r"])
	assert.Equal(t, "shown", data["clauses"][2]["c"], "what permits something cannot be broken")
	assert.Equal(t, "get/three#x", data["exchanges"][0]["id"])
}

// The page asks for nothing else, and nothing in it is a script but its own.
func TestHTMLIsOneFile(t *testing.T) {
	got := page(t, small())
	assert.False(t, regexp.MustCompile(`(src|href)="(https?:)?//|@import`).MatchString(got))
	assert.Equal(t, 2, strings.Count(got, "<script"))
	assert.Less(t, len(got), 60<<10, "a page with next to nothing in it")
}

// Whatever a server answers and a document says is text.
func TestHTMLHostile(t *testing.T) {
	for _, evil := range []string{
		`</script><script>alert(1)</script>`, `<!--<script>`, `"><img src=x onerror=alert(1)>`, "\x00\x1b[31m\u2028\u202e", "\xff\xfe", "]]>", `{{.}}`, `</code></button>`,
	} {
		r := small()
		r.Spec, r.Target = "a"+evil+".yaml", evil
		r.Sources = map[string]string{r.Spec: evil + "\n" + evil + "\n" + evil + "\n" + evil}
		r.Warnings = []string{evil}
		for i := range r.Coverage.ByClause {
			r.Coverage.ByClause[i].Place.File = r.Spec
			r.Coverage.ByClause[i].Text, r.Coverage.ByClause[i].Operation = evil, evil
		}
		f := &r.Findings[0]
		f.Message, f.Expected, f.Actual, f.Check, f.Curl, f.Place.File = evil, evil, evil, evil, evil, r.Spec
		x := &r.Exchanges[0]
		x.Target, x.Response.Body, x.Request.Body, x.Error = evil, evil, evil, evil
		x.Response.Header = []report.Header{{Name: evil, Value: evil}}
		got := page(t, r)
		assert.True(t, utf8.ValidString(got), "%q", evil)
		scripts, images := 0, 0
		for z := html.NewTokenizer(strings.NewReader(got)); z.Next() != html.ErrorToken; {
			token := z.Token()
			if token.Type == html.StartTagToken || token.Type == html.SelfClosingTagToken {
				switch token.Data {
				case "script":
					scripts++
				case "img":
					images++
				}
			}
		}
		assert.Equal(t, 2, scripts, "%q", evil)
		assert.Zero(t, images, "%q", evil)
		island(t, got)
		assert.False(t, strings.ContainsAny(got, "\x1b\u202e"), "%q", evil)
	}
}

// A document of 20,000 lines and thousands of exchanges is still a page.
func TestHTMLLarge(t *testing.T) {
	r := small()
	var doc strings.Builder
	r.Coverage.ByClause = nil
	for i := range 20_000 {
		fmt.Fprintf(&doc, "line%d: {type: string, maxLength: %d}\n", i, i)
		r.Coverage.ByClause = append(r.Coverage.ByClause, report.Clause{
			Clause: fmt.Sprintf("get/line%d/maxLength", i), Text: "it is short", State: "kept", Operation: "get", Place: report.Place{File: "a.yaml", Line: i + 1, Column: 1},
		})
	}
	r.Sources["a.yaml"] = doc.String()
	got := page(t, r)
	assert.Equal(t, 20_000, strings.Count(got, `<button type="button" class="ln `))
	assert.Less(t, len(got), 20<<20)
}

func BenchmarkHTML(b *testing.B) {
	r := small()
	for b.Loop() {
		page(b, r)
	}
}
