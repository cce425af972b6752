package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
	m := regexp.MustCompile(`(?s)<script type="text/plain" id="data">(.*?)</script>`).FindStringSubmatch(page)
	require.NotNil(t, m)
	packed, err := base64.StdEncoding.DecodeString(m[1])
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	var all map[string]json.RawMessage
	require.NoError(t, json.NewDecoder(z).Decode(&all))
	out := map[string][]map[string]any{}
	for _, name := range []string{"files", "clauses", "findings", "groups", "exchanges"} {
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

// The first page has the verdict, the causes with an example, and a row for each operation,
// without a script; the script has the document and what was shown of its clauses.
func TestHTML(t *testing.T) {
	r := small()
	r.Operations = []report.Operation{{Operation: "get", Method: "GET", Path: "/x"}}
	r.Command = "contracttest run --spec a.yaml --target http://host"
	r.Sort()
	r.Stats.Started, r.Tool = "2026-01-02T03:04:05Z", "v1.2.3"
	got := page(t, r)
	for _, part := range []string{
		"The contract is broken: 1 error, 0 warnings", "1 cause of 1 error", ">It is four<", "<dd>a.yaml:3:1</dd>", "<b>GET</b> /x</a>", "2026-01-02T03:04:05Z", "v1.2.3",
		"<b>4</b> clauses", "<b>1</b> kept and refused", "<b>2</b> kept<", "<b>1</b> never tried", "contracttest run --spec a.yaml --target http://host --only &#39;get/three#x&#39; --seed 7",
	} {
		require.Contains(t, got, part)
	}
	data := island(t, got)
	assert.Equal(t, "one: 1\ntwo: 2\nthree: 3\nfour: 4", data["files"][0]["text"])
	assert.Equal(t, "no time", data["clauses"][3]["r"])
	assert.Equal(t, "shown", data["clauses"][2]["c"], "what permits something cannot be broken")
	assert.Equal(t, "get/three#x", data["exchanges"][0]["id"])
	assert.Equal(t, data["groups"][0]["id"], data["findings"][0]["group"])
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

// A run with 13,000 clauses, 300 findings and as many exchanges as a report keeps is a page of
// some megabytes.
func TestHTMLSize(t *testing.T) {
	r := small()
	var doc strings.Builder
	r.Coverage.ByClause, r.Exchanges, r.Findings = nil, nil, nil
	random := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(byte('a' + random.IntN(26)))
		}
		return b.String()
	}
	for i := range 13_000 {
		operation := fmt.Sprintf("operation%d", i/50)
		name := word(8)
		fmt.Fprintf(&doc, "            %s: {type: string, maxLength: %d, description: the %s of it}\n", name, i, word(12))
		clause := fmt.Sprintf("%s/response/200/body/items/%s/maxLength", operation, name)
		place := report.Place{File: "a.yaml", Line: i + 1, Column: 13, Pointer: "/components/schemas/" + name + "/maxLength"}
		r.Coverage.ByClause = append(r.Coverage.ByClause, report.Clause{Clause: clause, Text: name + " has at most 12 characters", State: "unreached", Operation: operation, Place: place})
		r.Coverage.Unreached = append(r.Coverage.Unreached, report.Unreached{Clause: clause, Reason: report.NoResponse})
		if i%43 == 0 && len(r.Findings) < 300 {
			r.Findings = append(r.Findings, report.Finding{
				Operation: operation, Check: "response-schema", Severity: report.Error, Clause: clause, Place: place, Message: "200 OK: " + name + ": want string, got null", Actual: name + ": want string, got null", Status: 200, Count: 3,
				Case: report.Case{ID: clause + "#base"}, Curl: "curl -sS -i 'http://host/" + name + "'", Request: "GET /" + name, Answer: word(400),
			})
		}
		if i%13 < 6 {
			r.Exchanges = append(r.Exchanges, report.Exchange{
				Case: clause + "#" + word(6), Operation: operation, Clause: clause, Expect: "a documented success", Method: "POST", Target: "/" + operation + "/" + word(12), Curl: "curl -sS -i -X POST 'http://host/" + word(40) + "'",
				Request: report.Message{Header: []report.Header{{Name: "Content-Type", Value: "application/json"}}, Body: `{"name":"` + word(120) + `"}`, Size: 131}, Status: 200,
				Response: report.Message{Header: []report.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Request-Id", Value: word(32)}}, Body: `{"id":"` + word(36) + `","name":"` + word(120) + `"}`, Size: 180},
			})
		}
	}
	r.Coverage.Clauses = 13_000
	r.Sources["a.yaml"] = doc.String()
	r.Sort()
	got := page(t, r)
	t.Logf("%d bytes, %d exchanges", len(got), len(r.Exchanges))
	assert.Less(t, len(got), 4<<20)
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
	assert.Len(t, island(t, got)["clauses"], 20_000)
	assert.Less(t, len(got), 1<<20)
}

func BenchmarkHTML(b *testing.B) {
	r := small()
	for b.Loop() {
		page(b, r)
	}
}
