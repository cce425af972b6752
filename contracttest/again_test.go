package contracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// TestAgainInSequences proves the same of an answer that breaks the document in a sequence for
// another check.
func TestAgainInSequences(t *testing.T) {
	const document = `openapi: 3.0.3
info: {title: a, version: "1"}
components:
  schemas: {Jar: {type: object, required: [n], properties: {n: {type: number, minimum: 0, maximum: 100}}}}
paths:
  /jars:
    post:
      operationId: addJar
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Jar'}}}}
      responses: {"201": {description: made, headers: {Location: {required: true, schema: {type: string}}}}, "400": {description: bad}, "415": {description: bad}}
  /jars/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getJar, responses: {"200": {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Jar'}}}}, "400": {description: bad}, "404": {description: none}}}
`
	var mu sync.Mutex
	var jars []float64
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/jars/"))
		switch {
		case r.URL.Path == "/jars" && r.Method == http.MethodPost:
			var jar struct{ N *float64 }
			if json.NewDecoder(r.Body).Decode(&jar) != nil || jar.N == nil || *jar.N < 0 || *jar.N > 100 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			jars = append(jars, *jar.N)
			w.Header().Set("Location", fmt.Sprintf("/jars/%d", len(jars)))
			w.WriteHeader(http.StatusCreated)
		case err != nil || id < 1 || id > len(jars):
			w.WriteHeader(http.StatusNotFound)
		default:
			n := jars[id-1]
			if n != math.Trunc(n) { // what only a sequence stores
				n = -n
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"n":%v}`, n)
		}
	})
	c, err := contracttest.Parse("jars.yaml", []byte(document))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Cases(0), contracttest.Settle(20*time.Millisecond))
	require.NoError(t, err)
	found := 0
	for _, f := range rep.Findings {
		if f.Check != "response-schema" || !strings.HasPrefix(f.Case.ID, "addJar/response/") {
			continue
		}
		found++
		again, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Cases(0), contracttest.Settle(20*time.Millisecond), contracttest.Only("case:"+f.Case.ID, "check:"+f.Check))
		require.NoError(t, err, f.Case.ID)
		require.Len(t, again.Findings, 1, "%s", describe(again))
		assert.Equal(t, f.ID, again.Findings[0].ID)
	}
	assert.Positive(t, found, "%s", describe(rep))
}

const searchable = `openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /shelves/{shelf}/search:
    post:
      operationId: search
      parameters:
      - {name: shelf, in: path, required: true, schema: {type: string, maxLength: 9}}
      - {name: tag, in: query, schema: {type: string, maxLength: 9}}
      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [q], properties: {q: {type: string, maxLength: 9}}}}}}
      responses: {"200": {description: ok}, "400": {description: bad}, "404": {description: no such shelf}}
`

// TestAgainWithUnknownValues proves the same of requests with texts that may be the names of
// something: that they need not be is found out anew.
func TestAgainWithUnknownValues(t *testing.T) {
	search := http.NewServeMux()
	search.HandleFunc("POST /shelves/{shelf}/search", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		switch tag, q := r.URL.Query().Get("tag"), members["q"]; {
		case !ok: // it is answered
		case len(tag) == 9, r.URL.Query().Get("limit") == "50", q == "", len(members) > 1:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	only := func(opts ...contracttest.Option) *contracttest.Report {
		rep, err := contracttest.Run(t.Context(), parse(t, searchable), contracttest.Handler(search), append(opts, contracttest.Cases(0))...)
		require.NoError(t, err)
		return rep
	}
	rep := only()
	refused := about(rep, "valid-request-refused")
	for _, clause := range []string{"query/tag/maxLength", "query/limit/maximum", "body/q/type", "body/additionalProperties"} {
		assert.Contains(t, refused, "error search/"+clause)
	}
	for _, f := range rep.Findings {
		again := only(contracttest.Only("case:"+f.Case.ID, "check:"+f.Check))
		assert.Equal(t, []string{f.ID}, identities(again), "%s\n%s\n%s", f.Message, f.Case.ID, describe(again))
	}
}

func identities(rep *contracttest.Report) (all []string) {
	for _, f := range rep.Findings {
		all = append(all, f.ID)
	}
	return all
}

// TestGoReport proves that the test which is written for findings compiles with Go's standard
// library alone, fails on the server that has them, and passes on one that keeps the document.
func TestGoReport(t *testing.T) {
	const token = "a-secret-token"
	var broken atomic.Bool
	good := correct(t)
	bad := on(400, with("<html>"))(each(number)(on(405, header("Allow", "GET"))(good)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Auth-Token") != "" && r.Header.Get("X-Auth-Token") != token:
			canned(401, "application/json", `{"error_code": "APIG.0301", "error_msg": "Incorrect IAM authentication information."}`)(w, r)
		case broken.Load():
			bad.ServeHTTP(w, r)
		default:
			good.ServeHTTP(w, r)
		}
	}))
	defer srv.Close()
	broken.Store(true)
	rep, err := contracttest.Run(t.Context(), load(t), contracttest.URL(srv.URL), known(contracttest.Header("X-Auth-Token", token), contracttest.Cases(0))...)
	require.NoError(t, err)
	require.NotEmpty(t, rep.Findings)
	var b bytes.Buffer
	require.NoError(t, report.GoTest(&b, rep))
	assert.NotContains(t, b.String(), token)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module contract\n\ngo 1.24\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "findings_test.go"), b.Bytes(), 0o600))
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", "findings.test.exe", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	try := func(token string) string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "findings.test.exe"), "-test.v")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "X_AUTH_TOKEN="+token)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	out := try(token)
	for _, f := range rep.Findings {
		if f.Severity == report.Warning {
			continue
		}
		assert.Regexp(t, "(?m)--- FAIL: TestFindings/"+f.ID+"|^//\t"+f.ID, out+b.String(), "%s: %s", f.Check, out)
	}
	assert.Contains(t, out, "FAIL")
	for _, wrong := range []string{"", "expired"} { // it shows nothing that all is refused
		out = try(wrong)
		assert.NotContains(t, out, "--- SKIP")
		assert.Equal(t, strings.Count(out, "=== RUN   TestFindings/"), strings.Count(out, "--- FAIL: TestFindings/"), "%q: %s", wrong, out)
	}
	broken.Store(false)
	out = try(token)
	assert.Contains(t, out, "\nPASS\n", "%s", out)
	assert.NotContains(t, out, "--- FAIL")
}
