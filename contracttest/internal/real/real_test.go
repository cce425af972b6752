package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/real.md, and the services' files as they are written by the command")

// Each file is one that the command would write, and the page is made of them.
func TestPage(t *testing.T) {
	services, err := load("testdata")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(services), 10)
	dir := t.TempDir()
	if *update {
		dir = "testdata"
	}
	for _, s := range services {
		require.NoError(t, s.save(dir))
		want, err := os.ReadFile(filepath.Join(dir, s.Name+".yaml"))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join("testdata", s.Name+".yaml"))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "run the test with -update")
	}
	const file = "../../../docs/real.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page(services)), 0o600))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, page(services), string(text), "run the test with -update")
}

// A service that breaks its document in one way: a number for a text.
const service = `package main

import (
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("GET /name", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(os.Getenv("NAME")))
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}
`

const document = `openapi: 3.0.3
info: {title: a name, version: "1"}
paths:
  /name:
    get:
      operationId: getName
      responses:
        "200": {description: it, content: {application/json: {schema: {type: string}}}}
`

const described = `title: a name
checkouts: [someone/name@HEAD]
build: go build -o "$OUT/server" .
start: NAME=12 exec "$OUT/server"
ready: http://127.0.0.1:$PORT/name
document: openapi.yaml
target: http://127.0.0.1:$PORT/
flags: [--cases, "0"]
`

// repository is a directory of checkouts with the service above.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "someone", "name")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for name, text := range map[string]string{"main.go": service, "openapi.yaml": document, "go.mod": "module name\n\ngo 1.24\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "a"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return root
}

// What is found is compared with the file: a cause is new, then it is known, then it is
// gone.
func TestRun(t *testing.T) {
	t.Setenv("REAL_CHECKOUTS", repository(t))
	files, dir := t.TempDir(), t.TempDir()
	file := filepath.Join(files, "name.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	read := func() string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(text)
	}
	command := func(args ...string) (stdout, stderr string, err error) {
		var out, log bytes.Buffer
		err = run(t.Context(), append([]string{"-files", files, "-dir", dir}, args...), &out, &log)
		return out.String(), log.String(), err
	}

	write(described)
	stdout, stderr, err := command("-update")
	require.ErrorIs(t, err, errDiffers, stderr)
	assert.Contains(t, stdout, "1 DIFFERENT")
	assert.Contains(t, stderr, "name: not in the file: response-schema-")
	known := read()
	assert.Contains(t, known, "verdict: open\n    request: curl -sS -i 'http://127.0.0.1:$PORT/name'\n    answer: 200 12\n")
	assert.Contains(t, known, "operations: 1\n")

	stdout, stderr, err = command()
	require.NoError(t, err, stderr)
	assert.Regexp(t, `name +1 +0 +\d+ +[\d.]+ +0 +1 +0 +as the file says`, stdout)

	write(strings.Replace(known, "NAME=12", `NAME='"a"'`, 1))
	_, stderr, err = command()
	require.ErrorIs(t, err, errDiffers)
	assert.Contains(t, stderr, "name: open, and no longer found, so take it out: response-schema-")

	write(strings.Replace(known, "NAME=12", `NAME='"a"'`, 1) + "    varies: by the moon\n")
	_, stderr, err = command()
	require.NoError(t, err, stderr)

	write(strings.Replace(known, "NAME=12 exec", "exit 3 #", 1))
	_, stderr, err = command()
	require.ErrorIs(t, err, errDiffers)
	assert.Contains(t, stderr, "name: start: the service has ended")

	write(strings.Replace(known, "@HEAD", "@0123456", 1))
	stdout, _, err = command()
	require.ErrorContains(t, err, "no service could be had")
	assert.Contains(t, stdout, "skipped: not available")

	t.Setenv("REAL_CHECKOUTS", "")
	stdout, _, err = command()
	require.ErrorContains(t, err, "no service could be had")
	assert.Contains(t, stdout, "skipped: not available: REAL_CHECKOUTS names no directory with someone/name")
}

func TestFilesThatSayTooLittle(t *testing.T) {
	cause := "causes:\n  - {id: a-1, title: a, verdict: %s}\n"
	tests := []struct{ name, text, want string }{
		{"no start", strings.Replace(described, "start: ", "build: ", 1), "already defined"},
		{"no target", strings.Replace(described, "target: http", "notes: http", 1), "target is missing"},
		{"no revision", strings.Replace(described, "@HEAD", "", 1), "want owner/name@revision"},
		{"no version", strings.Replace(described, "checkouts: [someone/name@HEAD]", "module: example.com/a", 1), "module example.com/a has no version"},
		{"no source", strings.Replace(described, "checkouts: [someone/name@HEAD]", "", 1), "want a module, a checkout or packages"},
		{"another verdict", described + strings.Replace(cause, "%s", "maybe", 1), "want true, open or false"},
		{"no sentence", described + strings.Replace(cause, "%s", "false", 1), "a verdict needs a sentence in why"},
		{"no answer", described + strings.Replace(cause, "%s", "true, why: b", 1), "what is true needs its answer"},
		{"twice", described + strings.Replace(cause, "%s", "open", 1) + "  - {id: a-1, title: a, verdict: open}\n", "cause a-1 is given twice"},
		{"an unknown field", described + "color: red\n", "color"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "name.yaml"), []byte(tt.text), 0o600))
			_, err := load(dir)
			require.ErrorContains(t, err, tt.want)
		})
	}
}
