package report_test

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/report"
)

// Whatever servers and documents say, what is written for Go is Go.
func TestGoParses(t *testing.T) {
	for name, r := range reports(t) {
		t.Run(name, func(t *testing.T) {
			_, err := parser.ParseFile(token.NewFileSet(), "findings_test.go", rendered(t, "go", r), 0)
			require.NoError(t, err)
		})
	}
}

// What reports show as a variable is taken from it; a wrong credential is none that anybody has.
func TestGoTakesSecrets(t *testing.T) {
	r := &report.Report{Spec: "a.yaml", Target: "http://127.0.0.1:1"}
	for i, check := range []string{"undocumented-status", "security-ignored"} {
		id := []string{"get#a", "get#b"}[i]
		r.Findings = append(r.Findings, report.Finding{Operation: "get", Check: check, Severity: report.Error, Clause: "get/" + check, Status: 200, Case: report.Case{ID: id}})
		r.Exchanges = append(r.Exchanges, report.Exchange{
			Case: id, Operation: "get", Method: "GET", Target: "/a", Status: 200, Request: report.Message{Header: []report.Header{{Name: "X-Auth-Token", Value: "$X_AUTH_TOKEN"}}},
			Findings: []report.Found{{Check: check, Clause: "get/" + check}},
		})
	}
	text := string(rendered(t, "go", r))
	assert.Contains(t, text, `secrets: []string{"X-Auth-Token"}`)
	assert.NotContains(t, text, "$X_AUTH_TOKEN")
	assert.Contains(t, text, "its request has a wrong credential, made of a secret")
}

// Each finding is one issue, at its line; what is known is none.
func TestCodeQuality(t *testing.T) {
	var issues []struct {
		Description string
		CheckName   string `json:"check_name"`
		Fingerprint string
		Severity    string
		Location    struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	r := known(broken())
	r.Findings[3].Place.File = "./api/openapi.json"
	require.NoError(t, json.Unmarshal(rendered(t, "codequality", r), &issues))
	require.Len(t, issues, len(r.Findings)-2)
	seen := map[string]bool{}
	for _, issue := range issues {
		assert.NotEmpty(t, issue.Description)
		assert.NotEmpty(t, issue.CheckName)
		assert.Contains(t, []string{"info", "minor", "major", "critical", "blocker"}, issue.Severity)
		assert.Positive(t, issue.Location.Lines.Begin)
		assert.NotContains(t, issue.Location.Path, "./")
		assert.False(t, seen[issue.Fingerprint])
		seen[issue.Fingerprint] = true
	}
	r.Findings = nil
	var b bytes.Buffer
	require.NoError(t, report.CodeQuality(&b, r))
	assert.Equal(t, "[]\n", b.String())
}
