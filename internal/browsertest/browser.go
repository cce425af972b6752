// Package browsertest opens pages in a headless Chromium, for the tests of
// what people look at. It is a module of its own, as no user of ours should get
// what drives the browser.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Browser is one Chromium; its pages do not know of each other.
type Browser struct{ ctx context.Context }

// Start starts Chromium, which ends with the test. .ci/chromium installs it.
func Start(t *testing.T) *Browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	require.NotEmpty(t, path, "no Chromium in PATH: run .ci/chromium")
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-color-profile", "srgb"),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, closeBrowser := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the process has ended
		closeBrowser()
		stop()
	})
	require.NoError(t, chromedp.Run(ctx))
	return &Browser{ctx}
}

// Page is one tab.
type Page struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	errors   []string
	requests []string
}

// Open opens an address in a new tab of the given size. theme is light or dark.
func (b *Browser) Open(t *testing.T, url, theme string, width, height int64) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	p := &Page{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, p.listen)
	p.Do(
		network.Enable(), log.Enable(), runtime.Enable(),
		chromedp.EmulateViewport(width, height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
		chromedp.Navigate(url),
	)
	return p
}

func (p *Page) listen(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, ev.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.APITypeError || ev.Type == runtime.APITypeAssert {
			text := "console:"
			for _, arg := range ev.Args {
				text += " " + string(arg.Value) + arg.Description
			}
			p.errors = append(p.errors, text)
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.LevelError {
			p.errors = append(p.errors, ev.Entry.Text+" "+ev.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, ev.Request.URL)
	}
}

// Do does what chromedp has actions for.
func (p *Page) Do(actions ...chromedp.Action) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Run(p.ctx, actions...))
}

// Eval sets result to the value of an expression of JavaScript.
func (p *Page) Eval(expression string, result any) {
	p.t.Helper()
	p.Do(chromedp.Evaluate(expression, result))
}

// Errors lists the errors of the console, exceptions among them.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.errors)
}

// Requests lists what the page has asked for, itself included.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// controls are the roles of what can be operated.
var controls = []string{"button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "listbox", "tab", "switch", "slider", "spinbutton", "menuitem", "treeitem"}

// Unnamed lists the controls that Chromium's accessibility tree has no name for.
func (p *Page) Unnamed() []string {
	p.t.Helper()
	var unnamed []string
	p.Do(chromedp.ActionFunc(func(ctx context.Context) error {
		// The generated type does not know every value that a newer Chromium has.
		var tree struct {
			Nodes []struct {
				Ignored          bool  `json:"ignored"`
				BackendDOMNodeID int64 `json:"backendDOMNodeId"`
				Role             struct {
					Value string `json:"value"`
				} `json:"role"`
				Name struct {
					Value any `json:"value"`
				} `json:"name"`
			} `json:"nodes"`
		}
		if err := cdp.Execute(ctx, accessibility.CommandGetFullAXTree, nil, &tree); err != nil {
			return err //nolint:wrapcheck // it goes to the test
		}
		for _, n := range tree.Nodes {
			if name, _ := n.Name.Value.(string); !n.Ignored && slices.Contains(controls, n.Role.Value) && strings.TrimSpace(name) == "" {
				unnamed = append(unnamed, fmt.Sprintf("%s (node %d)", n.Role.Value, n.BackendDOMNodeID))
			}
		}
		return nil
	}))
	return unnamed
}

// Screenshot writes what the tab shows to build/screenshots of the repository.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	var png []byte
	p.Do(chromedp.CaptureScreenshot(&png))
	dir := filepath.Join("..", "..", "build", "screenshots")
	require.NoError(p.t, os.MkdirAll(dir, 0o750))
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

// axe is the program that finds what keeps people from using a page; make axe installs it.
const axe = "../../build/axe/node_modules/axe-core/axe.min.js"

// Violations lists what axe finds in the page as it is; nothing where axe is not installed.
func (p *Page) Violations() []string {
	p.t.Helper()
	program, err := os.ReadFile(axe)
	if err != nil {
		p.t.Log("axe is not installed: run make axe")
		return nil
	}
	var found []string
	p.Do(chromedp.Evaluate(string(program)+";0", nil), chromedp.Evaluate(
		`axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes[0].html))`, &found,
		func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	return found
}
