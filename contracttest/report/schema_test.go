package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/report"
)

const schemas = "../../build/schemas"

// reports are what is held against the schemas: a clean one, one with findings, and one
// full of what formats do not like.
func reports(t *testing.T) map[string]*report.Report {
	t.Helper()
	evil := "]]></script><b>\x00\x1b[31m\xff\xfe \u2028\u202e\ufffe \" ' & \r\n"
	bad := small()
	bad.Spec, bad.Target = evil, evil
	f := &bad.Findings[0]
	f.Operation, f.Clause, f.Message, f.Expected, f.Actual, f.Curl, f.Place.File, f.Case.ID = evil, evil, evil, evil, evil, evil, evil, evil
	x := &bad.Exchanges[0]
	x.Target, x.Request.Body, x.Request.Size, x.Response.Body, x.Error, x.Method = evil, evil, len(evil), evil, evil, evil
	x.Response.Header = []report.Header{{Name: "Content-Type", Value: evil}}
	for i := range bad.Coverage.ByClause {
		bad.Coverage.ByClause[i].Clause, bad.Coverage.ByClause[i].Text = evil, evil
	}
	clean := small()
	clean.Findings, clean.Exchanges = []report.Finding{}, nil
	found := small()
	found.Rules = []report.Rule{{Name: "c", Doc: "It is four.", Severity: "a warning at times", Refs: "RFC 1"}}
	found.Findings[0].Curl = "curl -sS http://host/x"
	return map[string]*report.Report{"clean": clean, "findings": found, "hostile": bad, "known": known(broken())}
}

func rendered(t *testing.T, format string, r *report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.Formats[format](&b, r))
	return b.Bytes()
}

func valid(t *testing.T, schema *jsonschema.Schema, data []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(v))
}

// The JSON report keeps its own schema, which docs has for those who read it.
func TestJSONSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/report.schema.json")
	require.NoError(t, err)
	for name, r := range reports(t) {
		t.Run(name, func(t *testing.T) { valid(t, schema, rendered(t, "json", r)) })
	}
}

// SARIF, HAR and JUnit keep the schemas that are published for them.
func TestPublishedSchemas(t *testing.T) {
	if _, err := os.Stat(filepath.Join(schemas, "done")); err != nil {
		t.Log("not held against the published schemas: run make schemas")
		return
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := filepath.Glob(filepath.Join(schemas, "har", "*.json"))
	require.NoError(t, err)
	for _, file := range append(files, filepath.Join(schemas, "sarif.json")) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		require.NoError(t, err)
		delete(doc.(map[string]any), "$id") // they name each other by their files
		delete(doc.(map[string]any), "id")
		require.NoError(t, c.AddResource("file:///"+filepath.Base(file), doc))
	}
	for format, root := range map[string]string{"sarif": "file:///sarif.json", "har": "file:///har.json"} {
		schema, err := c.Compile(root)
		require.NoError(t, err)
		for name, r := range reports(t) {
			t.Run(format+"/"+name, func(t *testing.T) { valid(t, schema, rendered(t, format, r)) })
		}
		assert.Error(t, schema.Validate(map[string]any{}), "the schema refuses something")
	}
	for name, r := range reports(t) {
		t.Run("junit/"+name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "xmllint", "--noout", "--schema", filepath.Join(schemas, "junit.xsd"), "-")
			cmd.Stdin = bytes.NewReader(rendered(t, "junit", r))
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

// What GitHub code scanning goes by.
func TestSARIF(t *testing.T) {
	r := reports(t)["findings"]
	r.Findings[0].Place.File = "api/a b.yaml"
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI, URIBaseID string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
				PartialFingerprints map[string]string
			}
		}
	}
	require.NoError(t, json.Unmarshal(rendered(t, "sarif", r), &log))
	res := log.Runs[0].Results[0]
	assert.Equal(t, "c", res.RuleID)
	assert.Equal(t, log.Runs[0].Tool.Driver.Rules[res.RuleIndex].ID, res.RuleID)
	assert.Equal(t, "error", res.Level)
	assert.True(t, strings.HasPrefix(res.Message.Text, "it is four\n"))
	at := res.Locations[0].PhysicalLocation
	assert.Equal(t, "api/a%20b.yaml", at.ArtifactLocation.URI)
	assert.Equal(t, 3, at.Region.StartLine)
	assert.NotEmpty(t, res.PartialFingerprints)
	two := reports(t)["findings"]
	two.Findings = append(two.Findings, two.Findings[0])
	two.Findings[1].Place.Line = 4
	assert.Contains(t, string(rendered(t, "sarif", two)), `"relatedLocations"`, "findings of one cause name each other")
	other := reports(t)["findings"]
	other.Findings[0].Place.Line = 30
	var moved = log
	require.NoError(t, json.Unmarshal(rendered(t, "sarif", other), &moved))
	assert.Equal(t, res.PartialFingerprints, moved.Runs[0].Results[0].PartialFingerprints, "a finding that moves is the same one")
}
