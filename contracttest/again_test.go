package contracttest_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
	"github.com/dataarts-go/factory/internal/racing"
)

// TestAgain proves that what is found is found again by its case and check alone.
func TestAgain(t *testing.T) {
	for i, d := range catalogue {
		if i%18 != 0 || !racing.Take(i/18, 5) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			h := d.wrap(correct(t))
			rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), known(contracttest.Cases(5))...)
			require.NoError(t, err)
			for _, f := range rep.Findings {
				if f.Check != "not-repeatable" && len(about(rep, "not-repeatable")) > 0 {
					continue // it is not found each time
				}
				again, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), known(contracttest.Cases(5), contracttest.Only("case:"+f.Case.ID, "check:"+f.Check))...)
				require.NoError(t, err, f.Case.ID)
				assert.True(t, slices.ContainsFunc(again.Findings, func(other contracttest.Finding) bool { return other.ID == f.ID }), "%s %s\n%s\n%s", f.ID, f.Message, f.Case.ID, describe(again))
			}
		})
	}
}

// TestGoReport proves that the test which is written for findings compiles with Go's standard
// library alone, fails on the server that has them, and passes on one that keeps the document.
func TestGoReport(t *testing.T) {
	var broken atomic.Bool
	good := correct(t)
	bad := on(400, with("<html>"))(each(number)(on(405, header("Allow", "GET"))(good)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			bad.ServeHTTP(w, r)
		} else {
			good.ServeHTTP(w, r)
		}
	}))
	defer srv.Close()
	broken.Store(true)
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.URL(srv.URL), known(contracttest.Header("X-Auth-Token", "a-secret-token"), contracttest.Cases(0))...)
	require.NoError(t, err)
	require.NotEmpty(t, rep.Findings)
	var b bytes.Buffer
	require.NoError(t, report.GoTest(&b, rep))
	assert.NotContains(t, b.String(), "a-secret-token")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module contract\n\ngo 1.24\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "findings_test.go"), b.Bytes(), 0o600))
	try := func() string {
		cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", ".")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "X_AUTH_TOKEN=a-secret-token", "GOFLAGS=", "GOWORK=off")
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	out := try()
	for _, f := range rep.Findings {
		if f.Severity == report.Warning {
			continue
		}
		assert.Regexp(t, "(?m)--- FAIL: TestFindings/"+f.ID+"|^//\t"+f.ID, out+b.String(), "%s: %s", f.Check, out)
	}
	assert.Contains(t, out, "FAIL")
	broken.Store(false)
	out = try()
	assert.Contains(t, out, "\nok ", "%s", out)
	assert.NotContains(t, out, "--- FAIL")
}
