package browsertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/browsertest"
)

// The page of a proxy shows what passes as it comes, waits while somebody reads on in it, and is fit
// for everybody.
func TestProxyPage(t *testing.T) {
	contract, err := contracttest.Load("../../openapi.yaml")
	require.NoError(t, err)
	const unpack = "/v2/" + project + "/factory/release-packages/unpack"
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Header.Get("X-Break") != "" {
			w.WriteHeader(http.StatusFound)
		}
	}))
	defer target.Close()
	proxy, err := contracttest.NewProxy(contract, target.URL)
	require.NoError(t, err)
	through, page := httptest.NewServer(proxy), httptest.NewServer(proxy.Page())
	defer through.Close()
	defer page.CloseClientConnections() // of the events, which have no end
	post := func(body, broken string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, through.URL+unpack, io.NopCloser(io.MultiReader()))
		require.NoError(t, err)
		req.Body, req.Header = io.NopCloser(&text{body}), http.Header{"Content-Type": {"application/json"}, "X-Break": {broken}}
		resp, err := (&http.Transport{}).RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	browser := browsertest.Start(t)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1440, 480} {
			p := browser.Open(t, page.URL+"/", theme, width, 900)
			p.Do(chromedp.WaitVisible("body[data-ready=yes]", chromedp.ByQuery), chromedp.Poll(`document.getElementById("live").textContent.startsWith("live: ")`, nil))
			before := 0
			p.Eval(`document.querySelectorAll(".cause").length`, &before)
			if before == 0 {
				post(`{"package_ids":[12]}`, "")
				p.Do(chromedp.WaitVisible(".cause", chromedp.ByQuery), chromedp.WaitVisible("body[data-ready=yes]", chromedp.ByQuery))
			}
			var id string
			p.Eval(`(() => { const d = document.querySelector(".cause details"); d.open = true; return d.closest(".cause").id })()`, &id)
			post(`{"package_ids":["12"]}`, "")
			p.Do(chromedp.Poll(`!document.getElementById("refresh").hidden`, nil))
			p.Screenshot("proxy-" + theme + "-" + map[bool]string{true: "wide", false: "narrow"}[width > 1000])
			assert.Empty(t, p.Errors())
			assert.Empty(t, p.Unnamed())
			assert.Empty(t, p.Violations())
			var wide bool
			p.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
			assert.False(t, wide, "nothing is wider than the window")

			var open bool
			p.Eval(`document.body.dataset.before = "yes", true`, &open)
			p.Do(chromedp.Click("#refresh", chromedp.ByQuery), chromedp.WaitVisible("body[data-ready=yes]:not([data-before])", chromedp.ByQuery))
			p.Eval(`document.getElementById("`+id+`").querySelector("details").open`, &open)
			assert.True(t, open, "what was open is open")
			var shown string
			p.Do(chromedp.Click("#"+id+" .members a", chromedp.ByQuery), chromedp.Text("#panel .clause", &shown, chromedp.ByQuery))
			assert.Contains(t, shown, "Request")
			var marks int
			p.Eval(`document.querySelectorAll("#panel .pair mark").length`, &marks)
			assert.Positive(t, marks, "the part at fault is marked")
			assert.Empty(t, p.Violations())
		}
	}
}

// text is a body that is sent in chunks.
type text struct{ rest string }

func (s *text) Read(p []byte) (int, error) {
	n := copy(p, s.rest)
	if s.rest = s.rest[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
