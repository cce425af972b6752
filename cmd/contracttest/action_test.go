package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/config"
)

var update = flag.Bool("update", false, "write the inputs of the GitHub action anew")

const action = "../../.github/actions/contracttest"

// The action has an input for each setting, after those of its own, and hands all of them to its script.
func TestActionInputs(t *testing.T) {
	file := filepath.Join(action, "action.yml")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	const settings = "  # Settings: a flag of contracttest run each; one that is repeatable has a line for each time.\n"
	head, rest, ok := strings.Cut(string(data), settings)
	require.True(t, ok)
	var own struct{ Inputs map[string]any }
	require.NoError(t, yaml.Unmarshal([]byte(head), &own))
	_, tail, ok := strings.Cut(rest, "outputs:\n")
	require.True(t, ok)
	tail, _, ok = strings.Cut(tail, "      env:\n")
	require.True(t, ok)
	var inputs, env strings.Builder
	names := slices.Sorted(maps.Keys(own.Inputs))
	for _, s := range config.Table {
		if s.Name == "report" { // all of them are written
			continue
		}
		doc, err := json.Marshal(s.Doc)
		require.NoError(t, err)
		fmt.Fprintf(&inputs, "  %s:\n    description: %s\n    default: \"\"\n", s.Name, doc)
		names = append(names, s.Name)
	}
	for _, name := range names {
		fmt.Fprintf(&env, "        INPUT_%s: ${{ inputs.%s }}\n", variable(name), name)
	}
	want := head + settings + inputs.String() + "outputs:\n" + tail + "      env:\n" + env.String()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(data), "run go test ./cmd/contracttest -run TestActionInputs -update")
}

// What the GitHub action runs: it starts the service, waits for it, runs the cases
// and leaves every report.
func TestAction(t *testing.T) {
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
		"INPUT_CONFIG": "settings.yaml", "INPUT_BASELINE": "known.txt", "INPUT_SEVERITY": "error-leak=warning\nredirect=warning", "INPUT_CREDENTIAL_TRIES": "2",
		"INPUT_ONLY": "greet/path/name/**", "INPUT_ARGS": "--cases=3", "INPUT_REPORTS": "reports", "INPUT_VERSION": "local",
		"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary.md"),
	}
	cmd.Env = os.Environ()
	for name := range handed {
		cmd.Env = append(cmd.Env, name+"=") // what is not given
	}
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
