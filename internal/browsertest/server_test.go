package browsertest_test

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/browsertest"
)

// serve starts the command on free ports and returns where it listens: for
// everybody, and for its operators.
func serve(t *testing.T) (url, admin string) {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "factory")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/factory")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.CommandContext(t.Context(), bin, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--db", "sqlite:"+filepath.Join(dir, "f.db"), "--packages", "../../.ci/packages.yaml")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stderr).ReadString('\n')
	require.NoError(t, err)
	m := regexp.MustCompile(`url=(http://\S+/)metrics`).FindStringSubmatch(line)
	require.NotNil(t, m, line)
	first, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(strings.TrimPrefix(first, "listening on ")), m[1]
}

// The server's pages: the documentation of the API, and the packages with their
// states, which can be filtered.
func TestServerPages(t *testing.T) {
	url, admin := serve(t)
	browser := browsertest.Start(t)

	p := browser.Open(t, url+"/", "light", 1280, 900)
	p.Do(chromedp.WaitVisible(".opblock-post", chromedp.ByQuery), chromedp.Click(".opblock-summary-control", chromedp.ByQuery))
	p.Screenshot("server-documentation")
	assert.Empty(t, p.Errors())
	for _, request := range p.Requests() {
		assert.True(t, strings.HasPrefix(request, "data:") || strings.HasPrefix(request, url), "nothing is asked for elsewhere: %.100s", request)
	}

	for _, theme := range []string{"light", "dark"} {
		p = browser.Open(t, admin, theme, 1280, 700)
		var rows int
		p.Eval(`document.querySelectorAll("tbody tr").length`, &rows)
		assert.Equal(t, 12, rows)
		p.Do(chromedp.SendKeys(`input[name=id]`, "13", chromedp.ByQuery), chromedp.Submit("form", chromedp.ByQuery), chromedp.WaitVisible(`input[name=id][value="13"]`, chromedp.ByQuery))
		p.Eval(`document.querySelectorAll("tbody tr").length`, &rows)
		assert.Equal(t, 6, rows)
		p.Screenshot("server-packages-" + theme)
		assert.Empty(t, p.Errors())
		assert.Empty(t, p.Unnamed())

		p = browser.Open(t, admin+"?sort=-package", theme, 480, 900)
		var wide bool
		p.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
		assert.False(t, wide, "nothing is beyond the window")
		var broken []string // names that fit, and go over several lines
		p.Eval(`[...document.querySelectorAll("th, td, .state")].filter(e => e.textContent.length < 50).filter(e => { const r = document.createRange(); r.selectNodeContents(e); return new Set([...r.getClientRects()].map(c => Math.round(c.top / 10))).size > 1 }).map(e => e.textContent)`, &broken)
		assert.Empty(t, broken)
		p.Screenshot("server-packages-narrow-" + theme)
		assert.Empty(t, p.Unnamed())
	}
}
