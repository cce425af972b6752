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

var fence = regexp.MustCompile("(?ms)^(<!-- run -->\n)?```([a-z]+)\n(.*?)^```$")

// block is a fenced block of the README.
type block struct {
	run            bool
	language, text string
}

func blocks(t *testing.T) []block {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	var all []block
	for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
		all = append(all, block{m[1] != "", m[2], m[3]})
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
	for _, b := range blocks(t) {
		if b.language == "go" {
			found++
			assert.Contains(t, examples.String(), flush(b.text))
		}
	}
	assert.Equal(t, 3, found)
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
// somebody who has just cloned it would.
func TestCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "factory")
	sh(t, root, "git rev-parse --is-inside-work-tree >/dev/null")
	sh(t, root, `mkdir -p "$1" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
		if [ -e "$f" ]; then mkdir -p "$1/$(dirname "$f")" && cp "$f" "$1/$f"; fi; done`, dir)
	sh(t, dir, `git init -q && git add -A && git -c user.name=a -c user.email=a@example.com commit -qm copy`)
	found, shown := 0, 0
	for _, b := range blocks(t) {
		if b.run {
			found++
			sh(t, dir, b.text)
		}
		if want, ok := strings.CutPrefix(b.text, "$ make contract\n"); ok {
			shown++
			assert.Equal(t, figures.ReplaceAllString(want, "0"), figures.ReplaceAllString(sh(t, dir, "env -u MAKELEVEL -u MAKEFLAGS -u MFLAGS make contract"), "0"))
		}
	}
	assert.Equal(t, 3, found)
	assert.Equal(t, 1, shown)
}

// figures differ from run to run, or with the cases of the day.
var figures = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// sh returns what the script writes to its standard output.
func sh(t *testing.T, dir, script string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{"-euo", "pipefail", "-c", script, "bash"}, args...)...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s%s", script, out, stderr.String())
	return string(out)
}
