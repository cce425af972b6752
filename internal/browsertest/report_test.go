package browsertest_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
	"github.com/dataarts-go/factory/internal/browsertest"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

const project = "b384b9e9ab9b4ee8994c8633aabc9505"

// written is a report in a file, as people open it.
func written(t *testing.T, rep *report.Report) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, report.HTML(f, rep))
	require.NoError(t, f.Close())
	return "file://" + name
}

// ran is the report on the server of this repository, behind a handler that may
// spoil what it answers.
func ran(t *testing.T, spoil func(*httptest.ResponseRecorder)) *report.Report {
	t.Helper()
	contract, err := contracttest.Load("../../openapi.yaml")
	require.NoError(t, err)
	st := store.NewMemory()
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	require.NoError(t, st.PutWorkspace(t.Context(), store.Workspace{ProjectID: project, ID: "development", Default: true}))
	_, err = st.Add(t.Context(), store.Packages(
		store.Package{ID: "12", ProjectID: project, Workspace: "development", State: store.Pending},
		store.Package{ID: "13", ProjectID: project, Workspace: "development", State: store.Pending},
	))
	require.NoError(t, err)
	h, err := server.New(st, server.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	target := contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		spoil(rec)
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	rep, err := contracttest.Run(t.Context(), contract, target, contracttest.Values("package_ids", "12", "13"), contracttest.Values("project_id", project))
	require.NoError(t, err)
	return rep
}

// opened is a report whose script has made it ready.
func opened(t *testing.T, b *browsertest.Browser, url, theme string, width, height int64) *browsertest.Page {
	t.Helper()
	p := b.Open(t, url, theme, width, height)
	p.Do(chromedp.WaitVisible("body[data-ready=yes]", chromedp.ByQuery))
	return p
}

// sound is what holds of every page: no error, no request but that for the file, a name for
// each control, nothing wider than the window, and nothing that axe finds.
func sound(t *testing.T, p *browsertest.Page) {
	t.Helper()
	assert.Empty(t, p.Errors())
	assert.Len(t, p.Requests(), 1, "%v", p.Requests())
	assert.Empty(t, p.Unnamed())
	var wide bool
	p.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
	assert.False(t, wide, "nothing is wider than the window")
	assert.Empty(t, p.Violations())
}

// Somebody follows a cause to its finding and exchange and back, filters operations and lines,
// searches, and uses the keyboard alone.
func TestReportWithFindings(t *testing.T) {
	rep := ran(t, func(rec *httptest.ResponseRecorder) {
		if rec.Code == http.StatusBadRequest {
			rec.Header().Set("Content-Type", "text/html")
		}
		if rec.Code == http.StatusOK {
			rec.Body.WriteString("<b>done</b>")
		}
	})
	require.Positive(t, rep.Errors())
	url := written(t, rep)
	browser := browsertest.Start(t)
	for _, theme := range []string{"light", "dark"} {
		p := opened(t, browser, url, theme, 1280, 800)
		p.Screenshot("findings-overview-" + theme)
		sound(t, p)

		var text, id string
		var n int
		p.Eval(`(() => { const d = document.querySelector(".cause.finding details"); d.open = true; return d.closest(".cause").id })()`, &id)
		p.Do(chromedp.Click("#"+id+" .members a", chromedp.ByQuery), chromedp.Text("#panel .clause", &text, chromedp.ByQuery))
		assert.Contains(t, text, "a finding")
		assert.Contains(t, text, "Request")
		assert.Contains(t, text, "curl")
		var inView bool
		p.Eval(`(() => { const l = document.querySelector(".ln.selected").getBoundingClientRect(), s = document.querySelector("#source").getBoundingClientRect(); return l.top >= s.top && l.bottom <= s.bottom })()`, &inView)
		assert.True(t, inView, "the selected line can be seen")
		p.Eval(`document.querySelectorAll("#panel .pair mark").length`, &n)
		assert.Positive(t, n, "the part at fault is marked")
		p.Screenshot("findings-exchange-" + theme)
		sound(t, p)

		p.Do(chromedp.Click("#panel .found a", chromedp.ByQuery), chromedp.WaitVisible("#"+id, chromedp.ByQuery))
		p.Do(chromedp.Click("#chips [data-method=POST]", chromedp.ByQuery), chromedp.Text("#rows", &text, chromedp.ByQuery))
		assert.Equal(t, "1 of 1 operation", text)
		p.Do(chromedp.Click("#operations a", chromedp.ByQuery), chromedp.WaitVisible("#document", chromedp.ByQuery))
		p.Eval(`document.querySelectorAll("button.ln").length`, &n)
		assert.Positive(t, n)

		p.Eval(`(() => { const o = document.getElementById("operation"), s = document.getElementById("state"); o.value = ""; s.value = "finding"; s.dispatchEvent(new Event("change")); return document.querySelectorAll("button.ln:not(.out)").length })()`, &n)
		var all int
		p.Eval(`document.querySelectorAll("button.ln.finding").length`, &all)
		assert.Equal(t, all, n, "the filter leaves the lines with findings")

		p.Eval(`(() => { const s = document.getElementById("state"); s.value = ""; s.dispatchEvent(new Event("change")); document.activeElement.blur(); return 1 })()`, &n)
		p.Do(chromedp.KeyEvent("/"), chromedp.KeyEvent("x-auth-token"), chromedp.Poll(`document.getElementById("matches").textContent !== ""`, nil))
		p.Do(chromedp.KeyEvent(kb.Enter), chromedp.Text("#panel h2", &text, chromedp.ByQuery))
		assert.Contains(t, text, "Line ")
		var before, after string
		p.Do(chromedp.KeyEvent("j"), chromedp.Evaluate(`document.querySelector(".ln.selected").id`, &before), chromedp.KeyEvent("j"), chromedp.Evaluate(`document.querySelector(".ln.selected").id`, &after))
		assert.NotEqual(t, before, after)
		p.Do(chromedp.KeyEvent(kb.Escape))
		p.Eval(`document.querySelectorAll(".ln.selected").length`, &n)
		assert.Zero(t, n)

		deep := opened(t, browser, url+"#"+after, theme, 480, 860)
		deep.Eval(`(() => { const l = document.querySelector(".ln.selected").getBoundingClientRect(), p = document.querySelector("#panel").getBoundingClientRect(); return l.top >= 0 && l.bottom <= p.top })()`, &inView)
		assert.True(t, inView, "a link to a line shows it, on a narrow window too")
		sound(t, deep)
	}
	narrow := opened(t, browser, url, "light", 420, 860)
	var head float64
	narrow.Eval(`document.querySelector("header").offsetHeight / innerHeight`, &head)
	assert.Less(t, head, 0.2)
	narrow.Screenshot("findings-narrow")
	sound(t, narrow)
}

func TestReportClean(t *testing.T) {
	rep := ran(t, func(*httptest.ResponseRecorder) {})
	require.Zero(t, rep.Errors())
	url := written(t, rep)
	info, err := os.Stat(strings.TrimPrefix(url, "file://"))
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(2<<20))
	t.Logf("%d bytes", info.Size())
	browser := browsertest.Start(t)
	for _, theme := range []string{"light", "dark"} {
		p := opened(t, browser, url, theme, 1280, 800)
		sound(t, p)
		p.Do(chromedp.Click("#to-document", chromedp.ByQuery), chromedp.WaitVisible("#document", chromedp.ByQuery))
		p.Do(chromedp.Click("button.ln.shown", chromedp.ByQuery), chromedp.Click("#panel details summary", chromedp.ByQuery), chromedp.WaitVisible("#panel .pair", chromedp.ByQuery))
		p.Screenshot("clean-" + theme)
		sound(t, p)
	}
}

// A run of 100,000 exchanges of a document of 20,000 lines.
func TestReportLarge(t *testing.T) {
	var doc strings.Builder
	rep := &report.Report{Version: 1, Spec: "large.yaml", Target: "http://127.0.0.1:1", Seed: 1, Stats: report.Stats{Operations: 400, Cases: 90_000, Exchanges: 100_000, Seconds: 61}}
	for i := range 20_000 {
		fmt.Fprintf(&doc, "property%d: {type: string, maxLength: %d}\n", i, i%64+1)
		name, state := fmt.Sprintf("operation%d/body/property%d/maxLength", i%400, i), []string{"kept+broken", "kept", "unreached", "kept+broken"}[i%4]
		place := report.Place{File: "large.yaml", Line: i + 1, Column: 1}
		rep.Coverage.ByClause = append(rep.Coverage.ByClause, report.Clause{Clause: name, Text: fmt.Sprintf("property%d is short", i), Place: place, State: state, Operation: fmt.Sprintf("operation%d", i%400)})
		if i%10 == 0 && len(rep.Findings) < 1000 {
			rep.Findings = append(rep.Findings, report.Finding{Operation: fmt.Sprintf("operation%d", i%400), Check: "invalid-request-accepted", Severity: report.Error, Clause: name, Place: place, Message: "an invalid request is accepted", Expected: "400", Actual: "200", Count: 3})
		}
		if i%4 == 0 {
			rep.Exchanges = append(rep.Exchanges, report.Exchange{
				Case: name + "#too-long", Operation: fmt.Sprintf("operation%d", i%400), Clause: name, Breaks: true, Expect: "a documented refusal", Method: "POST", Target: fmt.Sprintf("/v1/operation%d", i%400),
				Request: report.Message{Header: []report.Header{{Name: "Content-Type", Value: "application/json"}}, Body: fmt.Sprintf(`{"property%d":"%s"}`, i, strings.Repeat("é", 200))}, Status: 400,
				Response: report.Message{Header: []report.Header{{Name: "Content-Type", Value: "application/json"}}, Body: `{"error_code":"400","error_msg":"too long"}`}, Curl: "curl -sS …",
			})
		}
	}
	rep.Coverage.Clauses, rep.Coverage.Kept = 20_000, 15_000
	rep.Sources = map[string]string{"large.yaml": doc.String()}
	url := written(t, rep)
	info, err := os.Stat(strings.TrimPrefix(url, "file://"))
	require.NoError(t, err)
	browser := browsertest.Start(t)
	for _, theme := range []string{"light", "dark"} {
		p := opened(t, browser, url, theme, 1280, 800)
		var ms float64
		p.Eval(`performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd`, &ms)
		t.Logf("%d bytes, shown after %.0f ms", info.Size(), ms)
		p.Do(chromedp.Click("#to-document", chromedp.ByQuery), chromedp.WaitVisible("#f0l5", chromedp.ByQuery))
		p.Do(chromedp.Click("#f0l5", chromedp.ByQuery), chromedp.WaitVisible("#panel .clause", chromedp.ByQuery))
		p.Screenshot("large-" + theme)
		var n int
		p.Eval(`(() => { const s = document.getElementById("operation"); s.value = "operation7"; s.dispatchEvent(new Event("change")); return document.querySelectorAll("button.ln:not(.out)").length })()`, &n)
		assert.Equal(t, 50, n)
		assert.Empty(t, p.Errors())
	}
}
