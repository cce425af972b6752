package contracttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// The clock of package regexp2 ends by itself, a while after the last pattern that backtracks.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func run(t *testing.T, h http.Handler, opts ...contracttest.Option) *contracttest.Report {
	t.Helper()
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), opts...)
	require.NoError(t, err)
	return rep
}

// requestID is what the server makes up for each answer.
var requestID = regexp.MustCompile(`\\"request_id\\":\\"[0-9a-f]*\\"`)

// TestSameReport proves that the report depends on the seed alone, not on who
// answers first, and that a target behind TCP is judged like a handler.
func TestSameReport(t *testing.T) {
	defective := both(with(`{"error_code":1,"error_msg":"b"}`), header("X-Test", "1"))
	h := on(400, defective)(correct(t))
	dump := func(rep *contracttest.Report) string {
		rep.Stats.Seconds, rep.Stats.Started = 0, ""
		for i := range rep.Exchanges {
			rep.Exchanges[i].Started, rep.Exchanges[i].Elapsed = time.Time{}, 0
		}
		rep.Target = ""
		for i := range rep.Findings {
			rep.Findings[i].Curl = ""
		}
		b, err := json.MarshalIndent(rep, "", " ")
		require.NoError(t, err)
		require.NotEmpty(t, rep.Exchanges)
		for i := range rep.Exchanges {
			x := &rep.Exchanges[i]
			x.Curl = ""
			x.Response.Header = slices.DeleteFunc(x.Response.Header, func(h report.Header) bool {
				return h.Name == "X-Request-Id" || h.Name == "Date" || h.Name == "Content-Length"
			})
		}
		sample, err := json.MarshalIndent(rep.Exchanges, "", " ")
		require.NoError(t, err)
		return string(b) + requestID.ReplaceAllString(string(sample), "")
	}
	one := dump(run(t, h, known(contracttest.Workers(1))...))
	assert.Equal(t, one, dump(run(t, h, known(contracttest.Workers(8))...)))

	srv := httptest.NewServer(h)
	defer srv.Close()
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.URL(srv.URL), known(contracttest.Workers(8))...)
	require.NoError(t, err)
	assert.Equal(t, one, dump(rep))
}

func TestOnlyAndSkip(t *testing.T) {
	h := on(200, with("OK"))(on(400, with("{}x"))(correct(t)))
	tests := []struct {
		name    string
		opts    []contracttest.Option
		checks  []string
		clauses int
	}{
		{"a check", []contracttest.Option{contracttest.Only("response-body-unexpected")}, []string{"response-body-unexpected"}, 98},
		{"without a check", []contracttest.Option{contracttest.Skip("response-body-*")}, nil, 98},
		{"a clause", []contracttest.Option{contracttest.Only("CancelFactoryPackages/body/package_ids/items/type")},
			[]string{"response-body-unexpected", "response-body-malformed"}, 1},
		{"below a clause", []contracttest.Option{contracttest.Only("CancelFactoryPackages/body/**"), contracttest.Skip("response-body-unexpected")},
			[]string{"response-body-malformed"}, 8},
		{"an operation", []contracttest.Option{contracttest.Only("CancelFactoryPackages"), contracttest.Only("response-body-malformed")},
			[]string{"response-body-malformed"}, 98},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rep := run(t, h, known(tt.opts...)...)
			seen := map[string]bool{}
			for _, f := range rep.Findings {
				seen[f.Check] = true
			}
			assert.Len(t, seen, len(tt.checks), "%v", seen)
			for _, c := range tt.checks {
				assert.True(t, seen[c], c)
			}
			assert.Equal(t, tt.clauses, rep.Coverage.Clauses)
		})
	}
}

// TestOneCase runs a finding's case again, by the name that the report gives.
func TestOneCase(t *testing.T) {
	h := each(number)(correct(t))
	const clause = "CancelFactoryPackages/body/package_ids/items/type"
	one := func(rep *contracttest.Report) contracttest.Finding {
		i := slices.IndexFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Clause == clause })
		require.GreaterOrEqual(t, i, 0, "%s", describe(rep))
		return rep.Findings[i]
	}
	first := one(run(t, h, known()...))
	again := run(t, h, known(contracttest.Only(first.Case.ID))...)
	assert.Equal(t, 1, one(again).Count)
	assert.Equal(t, first.Case, one(again).Case)
	assert.Equal(t, 2, again.Stats.Cases, "the case, and the valid request that it differs from")
}

func TestCannotRun(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	gone := contracttest.URL(closed.URL)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	h := contracttest.Handler(http.NotFoundHandler())
	tests := []struct {
		name   string
		target contracttest.Target
		opts   []contracttest.Option
		want   string
	}{
		{"unreachable", gone, nil, "cannot be reached"},
		{"without TLS", contracttest.URL("https" + strings.TrimPrefix(plain.URL, "http")), nil, "it does not speak TLS: use http:// in place of https://"},
		{"no target", contracttest.Target{}, nil, "no target"},
		{"unknown name", h, []contracttest.Option{contracttest.Only("CancelFactoryPackage")}, `did you mean "CancelFactoryPackages"`},
		{"unknown name to skip", h, []contracttest.Option{contracttest.Skip("respons-schema")}, `did you mean "response-schema"`},
		{"nothing like it", h, []contracttest.Option{contracttest.Only("x")}, `no operation, check or clause matches "x"`},
		{"a check and an operation", h, []contracttest.Option{contracttest.Skip("*")}, `"*" names a check and an operation: write check:* or operation:*`},
		{"no check", h, []contracttest.Option{contracttest.Skip("check:*")}, "no check is left"},
		{"no check of a kind", h, []contracttest.Option{contracttest.Only("check:nothing")}, `no check matches "nothing"`},
		{"the same to test and to leave out", h, []contracttest.Option{contracttest.Only("CancelFactoryPackages"), contracttest.Skip("operation:Cancel*")}, "nothing is left"},
		{"an unknown path", h, []contracttest.Option{contracttest.Only("POST /v1/{project_id}/factory/package/cancel")}, `did you mean "POST /`},
		{"no workers", h, []contracttest.Option{contracttest.Workers(0)}, "workers"},
		{"no time", h, []contracttest.Option{contracttest.Timeout(0)}, "timeout"},
		{"negative budget", h, []contracttest.Option{contracttest.Budget(-1)}, "budget"},
		{"negative rate", h, []contracttest.Option{contracttest.Rate(-1)}, "rate"},
		{"negative cases", h, []contracttest.Option{contracttest.Cases(-1)}, "cases"},
		{"unknown value", h, []contracttest.Option{contracttest.Values("package_id", "12")}, `no parameter, property or security scheme is called "package_id"; did you mean "package_ids"?`},
		{"unknown case", h, []contracttest.Option{contracttest.Only("CancelFactoryPackages/body/package_ids/items/type#no-such")}, "random cases matches"},
		{"unknown cases left out", h, []contracttest.Option{contracttest.Skip("case:*/body/package_ids/items/type#no-such*")}, "random cases matches"},
		{"unknown case left out", h, []contracttest.Option{contracttest.Skip("CancelFactoryPackages/body/package_ids/items/type#no-such")}, "random cases matches"},
		{"no values", h, []contracttest.Option{contracttest.Values("a")}, "at least one value"},
		{"header on two lines", h, []contracttest.Option{contracttest.Header("A", "b\r\nC: d")}, "header"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := contracttest.Run(t.Context(), load(t), tt.target, tt.opts...)
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.name == "unreachable" || tt.name == "without TLS", errors.Is(err, contracttest.ErrUnreachable))
		})
	}
	for _, raw := range []string{"", "127.0.0.1:80", "ftp://a", "http://", "http://a?b=c", "http://user:secret@a", "://"} {
		_, err := contracttest.Run(t.Context(), load(t), contracttest.URL(raw))
		require.Error(t, err, raw)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestLoad(t *testing.T) {
	for doc, want := range map[string]string{
		"":                          "not an OpenAPI document",
		"swagger: '2.0'\npaths: {}": "no operations",
		"openapi: 3.0.3\ninfo: [":   "cannot be loaded",
		"openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}": "no operation",
	} {
		_, err := contracttest.Parse("a.yaml", []byte(doc))
		var docErr *contracttest.DocumentError
		require.ErrorAs(t, err, &docErr, doc)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "a.yaml")
	}
	_, err := contracttest.Load("no such file.yaml")
	require.ErrorContains(t, err, "no such file")
}

// TestHangs proves that a server which never answers costs two time-outs for an
// operation, and that what was left out is said.
func TestHangs(t *testing.T) {
	var asked atomic.Int64
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		<-r.Context().Done()
	})
	rep := run(t, h, contracttest.Timeout(20*time.Millisecond), contracttest.Workers(2))
	assert.LessOrEqual(t, asked.Load(), int64(4))
	require.NotEmpty(t, rep.Findings)
	assert.Equal(t, "connection", rep.Findings[0].Check)
	require.NotEmpty(t, rep.Coverage.Unreached)
	assert.Contains(t, rep.Coverage.Unreached[0].Reason, "timed out")
}

// TestBudget proves that a run which is out of time reports what it has, and
// that one which is cancelled is an error.
// TestEndless proves that answers without an end cost no more than a few, be the
// target a handler or a server.
func TestEndless(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for chunk := []byte(strings.Repeat(" ", 1<<16)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	srv := httptest.NewServer(h)
	defer srv.Close()
	for name, target := range map[string]contracttest.Target{"handler": contracttest.Handler(h), "server": contracttest.URL(srv.URL)} {
		t.Run(name, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), load(t), target, known()...)
			require.NoError(t, err)
			assert.LessOrEqual(t, rep.Stats.Exchanges, 10)
			assert.True(t, slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Check == "response-body-malformed" }), "%s", describe(rep))
			require.NotEmpty(t, rep.Coverage.Unreached)
			assert.Equal(t, "the operation returned an endless response 2 times", rep.Coverage.Unreached[0].Reason)
		})
	}
}

// TestHangsEverywhere proves that a target which never answers is left before
// each of its operations has been waited for.
func TestHangsEverywhere(t *testing.T) {
	var paths strings.Builder
	for i := range 50 {
		fmt.Fprintf(&paths, "  /p%d: {get: {responses: {'200': {description: ok}}}}\n", i)
	}
	contract, err := contracttest.Parse("many.yaml", []byte("openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths:\n"+paths.String()))
	require.NoError(t, err)
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(h), contracttest.Timeout(20*time.Millisecond))
	require.NoError(t, err)
	assert.LessOrEqual(t, rep.Stats.Exchanges, 12, "the workers, and what may not have been missed yet")
	reasons := map[string]bool{}
	for _, u := range rep.Coverage.Unreached {
		reasons[u.Reason] = true
	}
	assert.Contains(t, reasons, "all 8 requests timed out")
}

// TestSlow proves that answers which take long are waited for, all of them, though
// others have gone on in place of who waits.
func TestSlow(t *testing.T) {
	h := correct(t)
	var n atomic.Int64
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%200 == 0 {
			timer := time.NewTimer(600 * time.Millisecond)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-r.Context().Done():
			}
		}
		h.ServeHTTP(w, r)
	})
	opts := known(contracttest.Timeout(2*time.Second), contracttest.Cases(0))
	want := run(t, h, known(contracttest.Cases(0))...)
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(slow), opts...)
	require.NoError(t, err)
	assert.Empty(t, rep.Findings, "%s", describe(rep))
	assert.Equal(t, want.Coverage, rep.Coverage)
	assert.Equal(t, want.Stats.Cases, rep.Stats.Cases)
}

// TestHungTogether proves that who waits long is replaced: the server answers when
// more requests are there than there are workers.
func TestHungTogether(t *testing.T) {
	contract, err := contracttest.Parse("three.yaml", []byte(`
openapi: 3.0.3
info: {title: a, version: '1'}
paths:
  /a: {get: {responses: {'204': {description: ok}}}}
  /b: {get: {responses: {'204': {description: ok}}}}
  /c: {get: {responses: {'204': {description: ok}}}}
`))
	require.NoError(t, err)
	var arrived atomic.Int32
	all := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if arrived.Add(1) == 3 {
			close(all)
		}
		select {
		case <-all:
			w.WriteHeader(http.StatusNoContent)
		case <-r.Context().Done():
		}
	})
	rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(h), contracttest.Workers(2), contracttest.Timeout(4*time.Second), contracttest.Cases(0))
	require.NoError(t, err)
	assert.False(t, slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Check == "connection" }), "%s", describe(rep))
}

func TestBudget(t *testing.T) {
	slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	rep := run(t, slow, contracttest.Budget(30*time.Millisecond))
	assert.NotEmpty(t, rep.Coverage.Unreached)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := contracttest.Run(ctx, load(t), contracttest.Handler(slow))
	require.ErrorIs(t, err, context.Canceled)
}

func TestHeadersAndPrepare(t *testing.T) {
	const secret = "MIIVerySecretToken"
	var without, signed atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Auth-Token") != secret {
			without.Add(1)
		}
		if r.Header.Get("X-Signed") != "" {
			signed.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		if r.Method != http.MethodHead {
			token := r.Header.Get("X-Auth-Token")
			_, err := io.WriteString(w, `{"error_code":"a","error_msg":"no access for `+token[:min(len(token), 100)]+`"}`)
			assert.NoError(t, err)
		}
	})
	rep := run(t, h, known(contracttest.Header("X-Auth-Token", secret), contracttest.Header("X-Other", "1"),
		contracttest.Prepare(func(r *http.Request) error { r.Header.Set("X-Signed", "1"); return nil }))...)
	assert.Positive(t, without.Load(), "cases about the header itself go without it")
	assert.Equal(t, int64(rep.Stats.Exchanges), signed.Load())
	b, err := json.Marshal(rep)
	require.NoError(t, err)
	assert.NotContains(t, string(b), secret, "a credential must not reach a report")
	assert.Contains(t, string(b), "error-leak")
	assert.Contains(t, string(b), "X-Auth-Token: $X_AUTH_TOKEN")
}

// TestSecretCut proves that a credential is not shown in part where what an answer
// repeats of it is cut.
func TestSecretCut(t *testing.T) {
	const secret = "MIIVerySecretTokenThatIsQuiteLong0123456789"
	for _, before := range []int{130, 150, 8<<10 - 30, 8<<10 - 5} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Echo", strings.Repeat("x", before)+r.Header.Get("X-Auth-Token"))
			if r.Method != http.MethodHead {
				_, err := io.WriteString(w, strings.Repeat("x", before)+r.Header.Get("X-Auth-Token"))
				assert.NoError(t, err)
			}
		})
		rep := run(t, h, known(contracttest.Header("X-Auth-Token", secret))...)
		require.NotEmpty(t, rep.Findings)
		require.NotEmpty(t, rep.Exchanges)
		all, err := json.Marshal([]any{rep, rep.Exchanges})
		require.NoError(t, err)
		assert.Contains(t, string(all), "x***")
		assert.NotContains(t, string(all), secret[:4], "after %d bytes", before)
	}
}

// TestUnknownValues proves that values which do not exist on the target are one
// finding, which says so, where the user has given all of them, and that nothing
// counts as proven by their refusal. Where some are the document's examples,
// nobody has said that they exist.
func TestUnknownValues(t *testing.T) {
	gone := contracttest.Values("package_ids", "98", "99")
	for _, opts := range [][]contracttest.Option{{gone, contracttest.Values("project_id", project)}, {gone}} {
		rep := run(t, correct(t), opts...)
		require.Len(t, rep.Findings, 1, "%s", describe(rep))
		assert.Equal(t, "valid-request-refused", rep.Findings[0].Check)
		assert.Contains(t, rep.Findings[0].Message, "give others (--value NAME=VALUE)")
		assert.Zero(t, rep.Coverage.Broken)
		assert.Positive(t, rep.Coverage.NotProven)
	}
}

func TestProgress(t *testing.T) {
	var last contracttest.Progress
	told := false // how long the rest takes
	run(t, correct(t), known(contracttest.OnProgress(func(p contracttest.Progress) {
		told = told || p.Left > 0
		last = p
	}))...)
	assert.Positive(t, last.Done)
	assert.LessOrEqual(t, last.Done, last.Total)
	assert.True(t, told)
}

// TestBasePath proves where a target's paths are taken from.
func TestBasePath(t *testing.T) {
	const doc = `
openapi: 3.0.3
info: {title: a, version: "1"}
servers: [{url: "https://example.com/base"}]
paths:
  /things:
    get:
      operationId: list
      responses: {"200": {description: ok}}
`
	c, err := contracttest.Parse("things.yaml", []byte(doc))
	require.NoError(t, err)
	serve := func(prefix string) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET "+prefix+"/things", func(http.ResponseWriter, *http.Request) {})
		return mux
	}
	tests := []struct {
		name   string
		target func(*testing.T) contracttest.Target
		opts   []contracttest.Option
	}{
		{"handler under the document's path", func(*testing.T) contracttest.Target { return contracttest.Handler(serve("/base")) }, nil},
		{"handler under another path", func(*testing.T) contracttest.Target { return contracttest.Handler(serve("/x")) }, []contracttest.Option{contracttest.BasePath("/x/")}},
		{"handler under no path", func(*testing.T) contracttest.Target { return contracttest.Handler(serve("")) }, []contracttest.Option{contracttest.BasePath("")}},
		{"URL without a path", func(t *testing.T) contracttest.Target { return listen(t, serve("/base"), "") }, nil},
		{"URL with a slash", func(t *testing.T) contracttest.Target { return listen(t, serve(""), "/") }, nil},
		{"URL with a path", func(t *testing.T) contracttest.Target { return listen(t, serve("/y/z"), "/y/z") }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), c, tt.target(t), append(tt.opts, contracttest.Skip("allow-header"))...)
			require.NoError(t, err)
			assert.Empty(t, rep.Findings, "%s", describe(rep))
			cov := rep.Coverage
			assert.Positive(t, cov.Kept)
			assert.Positive(t, cov.Both())
			assert.Equal(t, cov.Clauses, cov.Kept+cov.Broken-cov.Both()+cov.Observed+cov.NotProven+len(cov.Unreached))
		})
	}
}

func listen(t *testing.T, h http.Handler, path string) contracttest.Target {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return contracttest.URL(srv.URL + path)
}

func TestClauses(t *testing.T) {
	names := map[string]bool{}
	for _, c := range load(t).Clauses() {
		assert.False(t, names[c.Name], "two clauses are called %s", c.Name)
		names[c.Name] = true
		assert.NotEmpty(t, c.Text, c.Name)
		assert.Positive(t, c.Place.Line, c.Name)
		assert.True(t, strings.HasPrefix(c.Place.Pointer, "/"), c.Name)
		assert.Equal(t, c.Response, strings.HasPrefix(c.Name, c.Operation+"/response/"), c.Name)
	}
	assert.True(t, names["CancelFactoryPackages/body/package_ids/items/type"])
}

// TestSecretInQuery proves that a key which travels in the URL is not shown.
func TestSecretInQuery(t *testing.T) {
	const secret = "very secret/key"
	c, err := contracttest.Parse("keys.yaml", []byte(`
openapi: 3.0.3
info: {title: a, version: "1"}
security: [{Key: []}]
paths:
  /things:
    get:
      operationId: list
      parameters: [{name: key, in: query, schema: {type: string}}]
      responses: {"200": {description: ok}, "401": {description: no}}
components:
  securitySchemes: {Key: {type: apiKey, in: query, name: key}}
`))
	require.NoError(t, err)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("key") == secret && r.Method == http.MethodGet {
			w.WriteHeader(http.StatusInternalServerError)
			_, err := io.WriteString(w, r.URL.RawQuery+r.URL.Query().Get("key"))
			assert.NoError(t, err)
		}
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Values("key", secret), contracttest.Only("server-error"))
	require.NoError(t, err)
	b, err := json.Marshal(rep)
	require.NoError(t, err)
	require.Contains(t, string(b), "?key=***", "the case that sends the key is there")
	assert.NotContains(t, string(b), secret)
	assert.NotContains(t, string(b), "very%20secret")
	assert.NotContains(t, string(b), "very+secret")
}
