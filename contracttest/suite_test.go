package contracttest_test

import (
	"bytes"
	"encoding/json"
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

// TestRedact proves that no report has the value of what is named, wherever it is in a request
// or an answer, and that it is no leak.
func TestRedact(t *testing.T) {
	const private = "a-private-name \"in quotes\""
	doc := `
  /people/{id}:
    put:
      operationId: put
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: nick, in: query, schema: {type: string}}
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}, age: {type: integer, maximum: 100}}}}}}
      responses:
        "200": {description: done, content: {application/json: {schema: {type: object, properties: {name: {type: integer}}}}}}
        "400": {description: bad}
`
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Secret-Key", "key-in-a-header")
		_ = json.NewEncoder(w).Encode(map[string]any{"name": private, "list": []any{map[string]any{"iban": 4711471147114711}}, "nick": r.URL.Query().Get("nick")})
	})
	values := []contracttest.Option{contracttest.Values("name", private), contracttest.Values("nick", "nick-of-mine"), contracttest.Values("id", "person-1234"), contracttest.Cases(3)}
	for _, hides := range []bool{false, true} {
		opts := values
		if hides {
			opts = append(opts, contracttest.Redact("NAME", "nick", "id", "list"))
		}
		rep, err := contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(h), opts...)
		require.NoError(t, err)
		require.NotEmpty(t, rep.Findings)
		assert.Empty(t, about(rep, "error-leak"))
		for format, render := range report.Formats {
			if format == "html" { // its script has them compressed
				continue
			}
			var b bytes.Buffer
			require.NoError(t, render(&b, rep))
			for _, text := range []string{"a-private-name", "nick-of-mine", "person-1234", "4711471147114711"} {
				if hides {
					assert.NotContains(t, b.String(), text, format)
				} else if format == "har" && text == "a-private-name" {
					assert.Contains(t, b.String(), text, "it is there")
				}
			}
		}
	}
}
