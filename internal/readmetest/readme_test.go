package readmetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

var fence = regexp.MustCompile("(?ms)^(?:<!-- (run|shown)(: [^\n]+)? -->\n)?```([a-z]+)\n(.*?)^```$")

// block is a fenced block of a page.
type block struct {
	mark           string // run, shown or nothing
	why            string
	language, text string
}

func blocks(t *testing.T, page string) []block {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, page))
	require.NoError(t, err)
	var all []block
	for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
		all = append(all, block{m[1], m[2], m[3], m[4]})
	}
	return all
}

// pages are README.md and what is under docs.
func pages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	all := []string{"README.md"}
	for _, f := range files {
		all = append(all, filepath.Join("docs", filepath.Base(f)))
	}
	return all
}

// TestGo proves that each Go snippet stands in an example, which is compiled
// and tested.
func TestGo(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "examples", "*", "*.go"))
	require.NoError(t, err)
	var examples strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		examples.WriteString(flush(string(data)))
	}
	found := 0
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if b.language == "go" && b.mark != "shown" {
				found++
				assert.Contains(t, examples.String(), flush(b.text), page)
			}
		}
	}
	assert.Equal(t, 5, found)
}

// TestEveryCommandRuns finds commands that nobody runs and that do not say why.
func TestEveryCommandRuns(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			switch b.language {
			case "sh", "bash", "shell", "console":
				if b.mark == "" {
					t.Errorf("%s: neither run nor marked with <!-- shown: WHY -->:\n%s", page, b.text)
				}
				fallthrough
			case "go":
				if b.mark == "shown" {
					assert.NotEmpty(t, b.why, "%s: why is it shown alone?\n%s", page, b.text)
				}
			}
		}
	}
}

// flush drops the indentation, in which a snippet may differ from its example.
func flush(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimLeft(line, " \t"))
	}
	return b.String()
}

// TestCommands runs the marked shell blocks in a copy of the repository, as
// somebody who has just cloned it would, and page by page.
func TestCommands(t *testing.T) {
	bin := t.TempDir()
	sh(t, root, nil, `go build -o "$1" ./cmd/contracttest ./cmd/factory`, bin)
	// What is not published yet is taken from here.
	goCommand, err := exec.LookPath("go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte(shim), 0o700))
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	env := []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "REAL_GO=" + goCommand, "REPOSITORY=" + here,
		"MAKEFLAGS=", "MFLAGS=", "MAKELEVEL="}
	found := 0
	for _, page := range pages(t) {
		var script strings.Builder
		for _, b := range blocks(t, page) {
			if b.mark == "run" {
				script.WriteString(b.text)
			}
		}
		if script.Len() == 0 {
			continue
		}
		found++
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			dir := clone(t)
			// What a page starts ends with it, also where a command fails: it would hold the output.
			sh(t, dir, env, "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\nmkdir -p build\n"+script.String())
		})
	}
	assert.Greater(t, found, 5)
}

// shim is a go command that takes this module from the repository.
const shim = `#!/usr/bin/env bash
set -euo pipefail
if [[ ${1-} == get && ${2-} == github.com/dataarts-go/factory/* ]]; then
	"$REAL_GO" mod edit -require=github.com/dataarts-go/factory@v0.0.0 -replace=github.com/dataarts-go/factory="$REPOSITORY"
	cp "$REPOSITORY/go.sum" .
	exec "$REAL_GO" mod tidy
fi
exec "$REAL_GO" "$@"
`

// clone is a copy of the repository with one commit.
func clone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "factory")
	sh(t, root, nil, "git rev-parse --is-inside-work-tree >/dev/null")
	sh(t, root, nil, `mkdir -p "$1" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
		if [ -e "$f" ]; then mkdir -p "$1/$(dirname "$f")" && cp "$f" "$1/$f"; fi; done`, dir)
	sh(t, dir, nil, `git init -q && git add -A && git -c user.name=a -c user.email=a@example.com commit -qm copy`)
	return dir
}

// TestShownOutput holds the output that README.md shows of make contract against
// the real one.
func TestShownOutput(t *testing.T) {
	t.Parallel()
	shown := 0
	for _, b := range blocks(t, "README.md") {
		if want, ok := strings.CutPrefix(b.text, "$ make contract\n"); ok {
			shown++
			got := sh(t, clone(t), []string{"MAKEFLAGS=", "MFLAGS=", "MAKELEVEL="}, "make contract")
			assert.Equal(t, figures.ReplaceAllString(want, "0"), figures.ReplaceAllString(got, "0"))
		}
	}
	assert.Equal(t, 1, shown)
}

// figures differ from run to run, or with the cases of the day.
var figures = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// sh returns what the script writes to its standard output.
func sh(t *testing.T, dir string, env []string, script string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{"-euo", "pipefail", "-c", script, "bash"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s%s", script, out, stderr.String())
	return string(out)
}
