package baseline_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/baseline"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Two branches that enter findings at one place merge as docs/baseline.md says. What both have is
// there once, what they say of one finding with different reasons is told, and so is what comes
// back though one of them has removed it.
func TestBranchesMerge(t *testing.T) {
	line := func(clause, why string) string {
		return finding(clause).ID + " error c " + clause + " 500 # " + why + "\n"
	}
	for name, tt := range map[string]struct {
		base, ours, theirs string
		known              int
		stale              []string
	}{
		"both add":             {"# known\n", line("op/a", "ours"), line("op/b", "theirs"), 2, nil},
		"both add the same":    {"# known\n", line("op/a", "issue 1"), line("op/a", "issue 1"), 1, nil},
		"with other reasons":   {"# known\n", line("op/a", "ours"), line("op/a", "theirs"), 1, []string{"duplicate of line 2: remove one of them"}},
		"one removes an entry": {line("op/gone", "old"), "", line("op/gone", "old") + line("op/b", "theirs"), 1, []string{"the finding is gone: remove the entry"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			git := func(args ...string) {
				cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false"}, args...)...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
			file := filepath.Join(dir, "known.txt")
			commit := func(text string) {
				require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
				git("add", ".")
				git("commit", "--quiet", "--allow-empty", "--message", "known")
			}
			head := ""
			if strings.HasPrefix(tt.base, "#") {
				head = tt.base
			}
			git("init", "--quiet", "--initial-branch", "ours")
			require.NoError(t, os.WriteFile(filepath.Join(dir, ".gitattributes"), []byte("known.txt merge=union\n"), 0o600))
			commit(tt.base)
			git("switch", "--quiet", "--create", "theirs")
			commit(head + tt.theirs)
			git("switch", "--quiet", "ours")
			commit(head + tt.ours)
			git("merge", "--quiet", "--no-edit", "theirs")

			merged, err := os.ReadFile(file)
			require.NoError(t, err)
			b, err := baseline.Parse("known.txt", merged)
			require.NoError(t, err, "%s", merged)
			rep := &report.Report{Findings: []report.Finding{finding("op/a"), finding("op/b")}}
			r := run()
			r.Clauses = append(r.Clauses, "op/gone")
			b.Apply(rep, r)
			known := 0
			for _, f := range rep.Findings {
				if f.Known != nil {
					known++
				}
			}
			assert.Equal(t, tt.known, known, "%s", merged)
			var stale []string
			for _, s := range rep.Baseline.Stale {
				stale = append(stale, s.Reason)
			}
			assert.Equal(t, tt.stale, stale, "%s", merged)
		})
	}
}
