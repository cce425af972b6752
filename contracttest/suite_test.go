package contracttest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Known findings fail no test, and a test that passes with them keeps passing with another seed.
func TestBaseline(t *testing.T) {
	h := each(number)(correct(t))
	file := filepath.Join(t.TempDir(), "known.txt")
	run := func(t *testing.T, h http.Handler, opts ...contracttest.Option) *report.Report {
		t.Helper()
		rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), append(known(), opts...)...)
		require.NoError(t, err)
		return rep
	}
	_, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Baseline(file))
	require.ErrorContains(t, err, "--baseline-update writes it")
	_, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.BaselineUpdate())
	require.ErrorContains(t, err, "no baseline is given")

	rep := run(t, h, contracttest.Baseline(file), contracttest.BaselineUpdate())
	assert.Equal(t, report.StatusKept, rep.Status())
	assert.NotZero(t, rep.Baseline.Added)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, report.StatusFindings, run(t, h, contracttest.Baseline(file)).Status(), "reasons are missing")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(written), "TODO: why", "see issue 1")), 0o600))
	t.Run("inner", func(t *testing.T) {
		contracttest.Test(t, load(t), contracttest.Handler(h), append(known(), contracttest.Baseline(file), contracttest.Seed(7))...)
	})
	assert.Equal(t, report.StatusKept, run(t, h, contracttest.Baseline(file), contracttest.Safe()).Status(), "nothing was tried, so nothing is gone")

	rep = run(t, correct(t), contracttest.Baseline(file))
	assert.Equal(t, report.StatusFindings, rep.Status())
	assert.Len(t, rep.Baseline.Stale, strings.Count(string(written), "\n"))
	assert.Equal(t, report.StatusKept, run(t, correct(t), contracttest.Baseline(file), contracttest.BaselineStale("warn")).Status())
	rep = run(t, correct(t), contracttest.Baseline(file), contracttest.BaselineUpdate())
	assert.Equal(t, report.StatusKept, rep.Status())
	written, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.Empty(t, written)
}

// A file of settings is what options are, which count before it.
func TestConfig(t *testing.T) {
	t.Setenv("SEED", "9")
	file := filepath.Join(t.TempDir(), "contracttest.yaml")
	require.NoError(t, os.WriteFile(file, []byte("seed: ${SEED}\nonly: check:invalid-request-accepted\nvalue: {package_ids: [12, 13]}\nseverity: {\"*-accepted\": warning}\nverbose: true\n"), 0o600))
	h := each(number)(correct(t))
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Cases(0), contracttest.Config(file))
	require.NoError(t, err)
	assert.EqualValues(t, 9, rep.Seed)
	assert.Zero(t, rep.Errors())
	assert.NotZero(t, rep.FindingsWarned())
	assert.Equal(t, []report.Severity{{Check: "*-accepted", Severity: "warning"}}, rep.Severities)

	rep, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Seed(3), contracttest.Severity("invalid-*", "error"), contracttest.Cases(0), contracttest.Config(file))
	require.NoError(t, err)
	assert.EqualValues(t, 3, rep.Seed)
	assert.NotZero(t, rep.Errors())
	_, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Config("nowhere.yaml"))
	require.ErrorContains(t, err, "config: open nowhere.yaml")
	_, err = contracttest.Run(t.Context(), load(t), contracttest.Handler(h), contracttest.Severity("redirekt", "error"))
	require.ErrorContains(t, err, `did you mean "redirect"`)
}
