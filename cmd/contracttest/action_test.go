package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// What the GitHub action runs: it starts the service, waits for it, runs the cases
// and leaves every report.
func TestAction(t *testing.T) {
	const action = "../../.github/actions/contracttest"
	var spec struct {
		Inputs map[string]struct{ Required bool }
		Runs   struct {
			Steps []struct{ Env map[string]string }
		}
	}
	data, err := os.ReadFile(filepath.Join(action, "action.yml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, &spec))
	handed := spec.Runs.Steps[len(spec.Runs.Steps)-1].Env
	assert.Len(t, handed, len(spec.Inputs), "each input reaches the script")

	// The service is told its port, as in a workflow. Nobody else is likely to take
	// one that was free a moment ago.
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	require.NoError(t, l.Close())
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, ".github/actions/contracttest/run.sh"))
	cmd.Dir = dir
	require.NoError(t, os.WriteFile(filepath.Join(dir, "settings.yaml"), []byte("seed: 3\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "known.txt"), []byte("- error error-leak ** # not here\n"), 0o600))
	env := map[string]string{
		"INPUT_SPEC": filepath.Join(root, "examples/greetings/openapi.yaml"), "INPUT_TARGET": "http://127.0.0.1:" + port,
		"INPUT_START":  "exec python3 " + filepath.Join(root, "examples/python/service.py") + " --sloppy " + port,
		"INPUT_CONFIG": "settings.yaml", "INPUT_BASELINE": "known.txt", "INPUT_FAIL_ON": "",
		"INPUT_ARGS": "--only=greet/path/name/**", "INPUT_REPORTS": "reports", "INPUT_VERSION": "local",
		"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary.md"),
	}
	for name := range handed {
		require.Contains(t, env, name)
	}
	cmd.Env = os.Environ()
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	require.ErrorAs(t, err, &ended, "%s", out)
	require.Equal(t, exitFindings, ended.ExitCode(), "%s", out)
	assert.Contains(t, string(out), "title=greet/path/name/maxLength (invalid-request-accepted)")
	assert.Contains(t, string(out), "seed 3")
	assert.Contains(t, string(out), "settings  settings.yaml")
	for _, ext := range []string{"html", "json", "xml", "sarif", "har", "md"} {
		assert.FileExists(t, filepath.Join(dir, "reports", "report."+ext))
	}
	assert.FileExists(t, filepath.Join(dir, "summary.md"))
}
