package contracttest_test

import (
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// defective names the environment variable that makes TestInner test a broken
// server, in a process of its own, so that its failure can be looked at.
const defective = "CONTRACTTEST_TEST_DEFECTIVE"

// TestInner is what a user writes; by itself it passes.
func TestInner(t *testing.T) {
	h := correct(t)
	if os.Getenv(defective) != "" {
		h = stacked(each(number), on(405, header("Allow", "GET")))(h)
	}
	opts := known()
	if os.Getenv(defective) == "unknown values" {
		h, opts = correct(t), []contracttest.Option{contracttest.Values("package_ids", "98", "99")}
	}
	contracttest.Test(t, load(t), contracttest.Handler(h), opts...)
}

// stacked puts one defect on top of another.
func stacked(a, b func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler { return a(b(h)) }
}

// TestFailureOutput proves that a broken clause fails the subtest of its name,
// which can be given to -run, and that the failure says what to do.
func TestFailureOutput(t *testing.T) {
	inner := func(run string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+run)
		cmd.Env = append(os.Environ(), defective+"=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := inner("^TestInner$")
	require.Error(t, err)
	for _, want := range []string{
		"--- FAIL: TestInner/CancelFactoryPackages/body/package_ids/items/type",
		"--- FAIL: TestInner/CancelFactoryPackages/method",
		"openapi.yaml:294:13: an invalid request is accepted with 200 OK; broken: package_ids[] is a string (check invalid-request-accepted",
		"curl -sS -i -X 'POST'",
		"openapi.yaml:34:3: Allow does not list every documented method (check allow-header",
		"98 clauses:",
	} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "--- FAIL: TestInner/CancelFactoryPackages/response")

	out, err = inner("^TestInner$/^CancelFactoryPackages$/^response$")
	require.NoError(t, err, out)
}

// TestNotes proves that what go test prints advises options of Go, and no flags of the command.
func TestNotes(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInner$", "-test.short", "-test.v")
	cmd.Env = append(os.Environ(), defective+"=unknown values")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), `give others (contracttest.Values("NAME", "VALUE"))`)
	assert.NotRegexp(t, `--(header|value|only|skip|target|safe|keep|peer|budget|restart|credential-tries)\b`, string(out))
}

// The reports of a Test are written where the environment says, and to the test's
// artifacts, each under the name of the test.
func TestReportFiles(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInner$", "-test.short", "-test.artifacts", "-test.outputdir="+dir)
	cmd.Env = append(os.Environ(), defective+"=1", "CONTRACTTEST_REPORT_DIR="+filepath.Join(dir, "reports"))
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	for _, ext := range []string{"html", "json", "xml", "sarif", "har", "txt"} {
		assert.FileExists(t, filepath.Join(dir, "reports", "TestInner."+ext))
	}
	found := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "_artifacts"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, "TestInner.html") {
			found++
		}
		return err
	}))
	assert.Equal(t, 1, found)
}
