package contracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Known findings fail no test, and a test that passes with them keeps passing with another seed.
func TestBaseline(t *testing.T) {
	h := each(number)(correct(t))
	file := filepath.Join(t.TempDir(), "known.txt")
	run := func(t *testing.T, h http.Handler, opts ...contracttest.Option) *report.Report {
		t.Helper()
		rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), append(known(), opts...)...)
		require.NoError(t, err)
		return rep
	}
	_, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Baseline(file))
	require.ErrorContains(t, err, "--baseline-update writes it")
	_, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.BaselineUpdate())
	require.ErrorContains(t, err, "no baseline is given")

	rep := run(t, h, contracttest.Baseline(file), contracttest.BaselineUpdate())
	assert.Equal(t, report.StatusKept, rep.Status())
	assert.NotZero(t, rep.Baseline.Added)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, report.StatusFindings, run(t, h, contracttest.Baseline(file)).Status(), "reasons are missing")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(written), "TODO: why", "see issue 1")), 0o600))
	t.Run("inner", func(t *testing.T) {
		contracttest.Test(t, load(t), contracttest.Handler(h), append(known(), contracttest.Baseline(file), contracttest.Seed(7))...)
	})
	assert.Equal(t, report.StatusKept, run(t, h, contracttest.Baseline(file), contracttest.Safe()).Status(), "nothing was tried, so nothing is gone")

	rep = run(t, correct(t), contracttest.Baseline(file))
	assert.Equal(t, report.StatusFindings, rep.Status())
	assert.Len(t, rep.Baseline.Stale, strings.Count(string(written), "\n"))
	assert.Equal(t, report.StatusKept, run(t, correct(t), contracttest.Baseline(file), contracttest.BaselineStale("warn")).Status())
	rep = run(t, correct(t), contracttest.Baseline(file), contracttest.BaselineUpdate())
	assert.Equal(t, report.StatusKept, rep.Status())
	written, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.Empty(t, written)
}

// A file of settings is what options are, which count before it.
func TestConfig(t *testing.T) {
	t.Setenv("SEED", "9")
	file := filepath.Join(t.TempDir(), "contracttest.yaml")
	require.NoError(t, os.WriteFile(file, []byte("seed: ${SEED}\nonly: check:invalid-request-accepted\nvalue: {package_ids: [12, 13]}\nseverity: {\"*-accepted\": warning}\nverbose: true\n"), 0o600))
	h := each(number)(correct(t))
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Cases(0), contracttest.Config(file))
	require.NoError(t, err)
	assert.EqualValues(t, 9, rep.Seed)
	assert.Zero(t, rep.Errors())
	assert.NotZero(t, rep.FindingsWarned())
	assert.Equal(t, []report.Severity{{Check: "*-accepted", Severity: "warning"}}, rep.Severities)

	rep, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Seed(3), contracttest.Severity("invalid-*", "error"), contracttest.Cases(0), contracttest.Config(file))
	require.NoError(t, err)
	assert.EqualValues(t, 3, rep.Seed)
	assert.NotZero(t, rep.Errors())
	_, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Config("nowhere.yaml"))
	require.ErrorContains(t, err, "config: open nowhere.yaml")
	_, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Severity("redirekt", "error"))
	require.ErrorContains(t, err, `did you mean "redirect"`)
}

// TestRedact proves that no report has the value of what is named, wherever it is in a request
// or an answer, and that it is no leak.
func TestRedact(t *testing.T) {
	const private = "a-private-name \"in quotes\""
	doc := `
  /people/{id}:
    put:
      operationId: put
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: nick, in: query, schema: {type: string}}
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}, age: {type: integer, maximum: 100}}}}}}
      responses:
        "200": {description: done, content: {application/json: {schema: {type: object, properties: {name: {type: integer}}}}}}
        "400": {description: bad}
`
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Secret-Key", "key-in-a-header")
		_ = json.NewEncoder(w).Encode(map[string]any{"name": private, "list": []any{map[string]any{"iban": 4711471147114711}}, "nick": r.URL.Query().Get("nick")})
	})
	values := []contracttest.Option{contracttest.Values("name", private), contracttest.Values("nick", "nick-of-mine"), contracttest.Values("id", "person-1234"), contracttest.Cases(3)}
	for _, hides := range []bool{false, true} {
		opts := values
		if hides {
			opts = append(opts, contracttest.Redact("NAME", "nick", "id", "list"))
		}
		rep, err := contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(h), opts...)
		require.NoError(t, err)
		require.NotEmpty(t, rep.Findings)
		assert.Empty(t, about(rep, "error-leak"))
		for format, render := range report.Formats {
			if format == "html" { // its script has them compressed
				continue
			}
			var b bytes.Buffer
			require.NoError(t, render(&b, rep))
			for _, text := range []string{"a-private-name", "nick-of-mine", "person-1234", "4711471147114711"} {
				if hides {
					assert.NotContains(t, b.String(), text, format)
				} else if format == "har" && text == "a-private-name" {
					assert.Contains(t, b.String(), text, "it is there")
				}
			}
		}
	}
}

// TestRedactForms proves that what is named is hidden in whatever form an answer has it.
func TestRedactForms(t *testing.T) {
	doc := `
  /a:
    get:
      operationId: get
      responses:
        "200": {description: done, content: {text/csv: {schema: {type: string}}}}
`
	for _, tt := range []struct{ name, kind, body string }{
		{"JSON", "application/json", `{"a": [{"SSN": {"b": ["a-private-value"]}}], "b": 1}`},
		{"escapes of JSON", "application/json", `{"ssn": "\u00E4-private-v\u0061lue\/a"}`},
		{"half a surrogate", "application/json", `{"ssn": "a-private-value\ud800"}`},
		{"a name with escapes", "application/json", `{"s\u0073n": "a-private-value"}`},
		{"the same name twice", "application/json", `{"ssn": "a-private-value", "ssn": "another"}`},
		{"broken JSON", "application/json", `{"ssn": "a-private-value", "b"}`},
		{"broken JSON before", "application/json", `{"b", "ssn": "a-private-value"}`},
		{"lines of JSON", "application/x-ndjson", "{\"b\": 1}\n{\"ssn\": \"a-private-value\"}\n"},
		{"records", "application/json-seq", "\x1e{\"b\": 1}\n\x1e{\"ssn\": \"a-private-value\"}\n"},
		{"events", "text/event-stream", "data: 1\n\ndata: {\"ssn\": \"a-private-value\"}\n\n"},
		{"XML", "application/xml", `<a><n:ssn kind="b"> a-private-value <b>another-private-value</b> </n:ssn></a>`},
		{"an entity of XML", "application/problem+xml", `<a><ssn>a-private-value &amp; another</ssn></a>`},
		{"CDATA", "text/xml", `<a><ssn><![CDATA[a-private-value]]></ssn></a>`},
		{"an attribute", "application/xml", `<a ssn='a-private-value &lt;'/>`},
		{"broken XML", "application/xml", `<a><ssn>a-private-value</b>`},
		{"parts", "multipart/mixed; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"ssn\"\r\n\r\na-private-value\r\n--b\r\nContent-Type: application/json\r\n\r\n{\"ssn\": \"another-private-value\"}\r\n--b--\r\n"},
		{"a form", "application/x-www-form-urlencoded", "ssn=a-private-value&b=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(canned(200, tt.kind, tt.body)), contracttest.Redact("ssn"), contracttest.Cases(0), contracttest.Only("get/response/**", "check:response-*"))
			require.NoError(t, err)
			require.NotEmpty(t, rep.Findings)
			var b bytes.Buffer
			require.NoError(t, report.HAR(&b, rep))
			assert.Contains(t, b.String(), "***")
			for _, format := range []string{"har", "json", "text", "md"} {
				b.Reset()
				require.NoError(t, report.Formats[format](&b, rep))
				assert.NotContains(t, b.String(), "private-v", format)
			}
		})
	}
}

// A format that the user defines is held against requests and answers, as an error.
func TestFormat(t *testing.T) {
	doc := `
  /accounts/{iban}:
    get:
      operationId: read
      parameters: [{name: iban, in: path, required: true, schema: {type: string, format: iban}}]
      responses:
        "200": {description: it, content: {application/json: {schema: {type: object, properties: {iban: {type: string, format: iban}}}}}}
        "400": {description: bad}
`
	iban := regexp.MustCompile(`^[A-Z]{2}[0-9]{4,20}$`)
	server := func(checks bool, answer string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, ok := strings.CutPrefix(r.URL.Path, "/accounts/")
			switch {
			case !ok || strings.Contains(id, "/"):
				w.WriteHeader(http.StatusNotFound)
			case r.Method != http.MethodGet && r.Method != http.MethodHead:
				w.Header().Set("Allow", "GET, HEAD")
				w.WriteHeader(http.StatusMethodNotAllowed)
			case checks && !iban.MatchString(id) || id == "":
				w.WriteHeader(http.StatusBadRequest)
			default:
				w.Header().Set("Content-Type", "application/json")
				_, _ = fmt.Fprintf(w, `{"iban":%q}`, answer)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "contracttest.yaml")
	require.NoError(t, os.WriteFile(file, []byte("format: {iban: '"+iban.String()+"'}\n"), 0o600))
	for name, define := range map[string]contracttest.LoadOption{
		"by a file":     contracttest.LoadConfig(file),
		"by a function": contracttest.Format("iban", iban.MatchString, "DE12345678"),
		"by a pattern":  contracttest.FormatPattern("iban", iban.String()),
	} {
		t.Run(name, func(t *testing.T) {
			for _, tt := range []struct {
				checks bool
				answer string
				want   []string
			}{
				{true, "DE12345678", nil},
				{false, "DE12345678", []string{"error invalid-request-accepted read/path/iban/format"}},
				{true, "12", []string{"error response-schema read/response/200/body/iban/format"}},
			} {
				rep, err := contracttest.Run(t.Context(), parse(t, doc, define), contracttest.Handler(server(tt.checks, tt.answer)), contracttest.Cases(5))
				require.NoError(t, err)
				var found []string
				for _, f := range rep.Findings {
					if strings.HasSuffix(f.Clause, "/format") {
						found = append(found, f.Severity+" "+f.Check+" "+f.Clause)
					}
				}
				assert.Equal(t, tt.want, found, "%s", describe(rep))
			}
		})
	}
	_, err := contracttest.Parse("a", []byte("{}"), contracttest.Format("iban", iban.MatchString, "12"))
	require.ErrorContains(t, err, `format iban: the example "12" does not have it`)
	_, err = contracttest.Parse("a", []byte("{}"), contracttest.FormatPattern("iban", "("))
	require.ErrorContains(t, err, "format iban: ")
}

// A check of one's own is selected, reported and known as the built-in ones are.
func TestChecks(t *testing.T) {
	traced := contracttest.Check{
		Name: "trace-id", Doc: "Every answer has an X-Trace-Id.", Judge: func(a *contracttest.Answer) []string {
			if a.Response.Header.Get("X-Trace-Id") == "" {
				return []string{fmt.Sprintf("%s %s has none", a.Request.Method, a.Operation.Path)}
			}
			return nil
		},
	}
	h := correct(t)
	own := func(opts ...contracttest.Option) []contracttest.Option {
		return known(append([]contracttest.Option{contracttest.Checks(traced), contracttest.Cases(2)}, opts...)...)
	}
	rep := run(t, h, own()...)
	require.NotEmpty(t, rep.Findings)
	for _, f := range rep.Findings {
		assert.Equal(t, "trace-id error CancelFactoryPackages/response/status", f.Check+" "+f.Severity+" "+f.Clause)
		assert.Equal(t, "Every answer has an X-Trace-Id.", f.Expected)
		assert.Contains(t, f.Message, "has none")
		again := run(t, h, own(contracttest.Only("case:"+f.Case.ID, "check:trace-id"))...)
		assert.True(t, slices.ContainsFunc(again.Findings, func(o contracttest.Finding) bool { return o.ID == f.ID }))
	}
	var b bytes.Buffer
	require.NoError(t, report.SARIF(&b, rep))
	assert.Contains(t, b.String(), `"text": "Every answer has an X-Trace-Id."`)

	assert.Empty(t, run(t, h, own(contracttest.Skip("trace-*"))...).Findings)
	assert.Zero(t, run(t, h, own(contracttest.Severity("trace-id", "warning"))...).Errors())
	file := filepath.Join(t.TempDir(), "known.txt")
	require.NoError(t, os.WriteFile(file, []byte("- error trace-id ** # next year\n"), 0o600))
	assert.Equal(t, report.StatusKept, run(t, h, own(contracttest.Baseline(file))...).Status())
	good := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Trace-Id", "1")
		h.ServeHTTP(w, r)
	})
	rep = run(t, good, own(contracttest.Baseline(file))...)
	require.Len(t, rep.Baseline.Stale, 1, "it was tried, and is gone")

	for want, c := range map[string]contracttest.Check{
		"small letters":         {Name: "Trace ID", Doc: "d", Judge: traced.Judge},
		"there is one":          {Name: "redirect", Doc: "d", Judge: traced.Judge},
		"want a sentence":       {Name: "a", Judge: traced.Judge},
		"want error or warning": {Name: "a", Doc: "d", Severity: "fatal", Judge: traced.Judge},
		"a function":            {Name: "a", Doc: "d"},
	} {
		_, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Checks(c))
		require.ErrorContains(t, err, want)
	}
	_, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Only("check:trace-id"))
	require.ErrorContains(t, err, "no check matches")
}

// A value may be for one place of one operation: it is not sent anywhere else.
func TestValuesAtPlaces(t *testing.T) {
	doc := `
  /orders:
    post:
      operationId: order
      parameters: [{name: shop, in: query, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [customer, items, id], properties: {
        id: {type: string}, customer: {type: object, required: [id], properties: {id: {type: string}}}, items: {type: array, minItems: 1, items: {type: string}}}}}}}
      responses: {"201": {description: done}, "400": {description: bad}}
  /shops/{shop}:
    get:
      operationId: shop
      parameters: [{name: shop, in: path, required: true, schema: {type: string}}]
      responses: {"204": {description: there}, "404": {description: none}}
`
	var mu sync.Mutex
	valid := map[string]int{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var order struct {
			ID       string
			Customer struct{ ID string }
			Items    []string
		}
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/orders" && r.Method == http.MethodPost:
			if json.Unmarshal(body, &order) == nil && order.Customer.ID == "customer-7" && order.ID != "customer-7" && slices.Contains(order.Items, "item-1") && r.URL.Query().Get("shop") == "north" {
				valid["order"]++
				w.WriteHeader(http.StatusCreated)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
		case r.URL.Path == "/shops/south":
			valid["shop"]++
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/shops/north":
			valid["wrong"]++
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	at := []contracttest.Option{
		contracttest.Values("order/body/customer/id", "customer-7"), contracttest.Values("order/body/items", "item-1"), contracttest.Values("order/query/shop", "north"),
		contracttest.Values("shop", "south"), contracttest.Cases(3),
	}
	rep, err := contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(h), at...)
	require.NoError(t, err)
	assert.Empty(t, rep.Unproven)
	assert.Positive(t, valid["order"])
	assert.Positive(t, valid["shop"])
	assert.Zero(t, valid["wrong"], "the value of another operation")
	_, err = contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(h), contracttest.Values("order/body/customer/idd", "7"))
	require.ErrorContains(t, err, `no operation has a parameter or property at "order/body/customer/idd", as in CreateOrder/body/customer/id; did you mean "order/body/customer/id"?`)
}

// That a finding of a sequence is gone is told where the sequence was tried, and there alone.
func TestBaselineOfSequences(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known.txt")
	run := func(h http.Handler, opts ...contracttest.Option) *report.Report {
		rep, err := contracttest.Run(t.Context(), parse(t, notebook), contracttest.Handler(h), append(opts, contracttest.Settle(10*time.Millisecond), contracttest.Cases(0), contracttest.Baseline(file))...)
		require.NoError(t, err)
		return rep
	}
	about := contracttest.Only("check:deleted-*")
	rep := run(keepsAll(), about, contracttest.BaselineUpdate())
	require.NotZero(t, rep.Baseline.Added)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(written), "TODO: why", "not yet")), 0o600))
	assert.Equal(t, report.StatusKept, run(keepsAll(), about).Status())

	var mu sync.Mutex
	gone := map[string]bool{}
	next := keepsAll()
	mended := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if gone[r.URL.Path] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		next.ServeHTTP(w, r)
		gone[r.URL.Path] = r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "k-")
	})
	rep = run(mended, about)
	assert.Empty(t, rep.Findings)
	assert.Len(t, rep.Baseline.Stale, strings.Count(string(written), "\n"))
	for _, opt := range []contracttest.Option{contracttest.Safe(), contracttest.Skip("deleteNote"), contracttest.Only("check:created-*"), contracttest.MaxRequests(5)} {
		assert.Empty(t, run(mended, opt).Baseline.Stale)
	}
}

// A run that ends before its plan is made, or while resources are made, ends with a report.
func TestMaxRequests(t *testing.T) {
	for most := 1; most < 60; most += 3 {
		rep, err := contracttest.Run(t.Context(), parse(t, notebook), contracttest.Handler(keepsAll()), contracttest.Settle(time.Millisecond), contracttest.Cases(0), contracttest.MaxRequests(most))
		require.NoError(t, err, most)
		assert.NotEqual(t, report.StatusKept, rep.Status())
		assert.GreaterOrEqual(t, rep.Stats.Exchanges, most)
		assert.Contains(t, strings.Join(rep.Inconclusive, ""), "the maximum number of requests was reached")
	}
}

// The first error ends the run, be it in an answer or in a sequence, and what is made is deleted.
func TestFailFast(t *testing.T) {
	for name, h := range map[string]http.Handler{"an answer": each(number)(correct(t)), "another": on(400, with("<html>"))(correct(t))} {
		t.Run(name, func(t *testing.T) {
			whole := run(t, h, known(contracttest.Cases(0))...)
			rep := run(t, h, known(contracttest.Cases(0), contracttest.FailFast())...)
			assert.Equal(t, report.StatusFindings, rep.Status())
			assert.Less(t, rep.Stats.Exchanges, whole.Stats.Exchanges)
			assert.Contains(t, strings.Join(rep.Inconclusive, "")+rep.Incomplete, "an error ends the run")
		})
	}
	rep, err := contracttest.Run(t.Context(), parse(t, notebook), contracttest.Handler(keepsAll()), contracttest.Settle(time.Millisecond), contracttest.Cases(0), contracttest.FailFast())
	require.NoError(t, err)
	assert.Equal(t, report.StatusFindings, rep.Status())
}
