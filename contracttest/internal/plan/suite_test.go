package plan_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/internal/racing"
)

// suiteSchema is a schema of JSON Schema's own test suite.
type suiteSchema struct {
	ID, File, Description string
	Schema                json.RawMessage
	Tests                 []struct {
		Data  json.RawMessage
		Valid bool
	}
}

// The drafts that OpenAPI has schemas of: all of 2020-12, and a part of draft 4.
var suiteDrafts = []struct {
	name, openapi string
	// floors of the share of schemas, in per cent, for which a valid and an
	// invalid value are planned
	valid, invalid float64
}{
	{"2020-12", "3.1.0", 97, 95},
	{"draft4", "3.0.3", 97, 95},
}

// notOfOpenAPI says why the schemas of a file of the suite cannot stand in a
// document.
var notOfOpenAPI = map[string]string{
	"refRemote":  "other documents are not there",
	"dynamicRef": "$dynamicRef: kin-openapi does not resolve it",
	"vocabulary": "other vocabularies than JSON Schema's own",
	"anchor":     "$anchor: kin-openapi does not resolve it", "optional/anchor": "the same",
}

// elsewhere reports whether a schema has a name of its own, or refers to one
// that has or to another document: nothing is fetched for a test.
func elsewhere(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			text, isText := e.(string)
			if isText && (key == "$id" || key == "$dynamicRef" || key == "$ref" && text != "#" && !strings.HasPrefix(text, "#/")) {
				return true
			}
			if key != "const" && key != "enum" && elsewhere(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, elsewhere)
	}
	return false
}

func readSuite(t *testing.T, draft string) []suiteSchema {
	t.Helper()
	data, err := os.ReadFile("testdata/suite/" + draft + ".jsonl")
	require.NoError(t, err)
	var all []suiteSchema
	seen := map[string]int{}
	for line := range bytes.Lines(data) {
		var s suiteSchema
		require.NoError(t, json.Unmarshal(line, &s))
		s.ID = s.File + ": " + s.Description
		if seen[s.ID]++; seen[s.ID] > 1 {
			s.ID = fmt.Sprintf("%s (%d)", s.ID, seen[s.ID])
		}
		all = append(all, s)
	}
	return all
}

// within rewrites a schema for its place in a document: references that start
// at its root start at the document's.
func within(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, e := range v {
			if ref, ok := e.(string); ok && key == "$ref" && (ref == "#" || strings.HasPrefix(ref, "#/")) {
				out[key] = "#/components/schemas/S" + strings.TrimPrefix(ref, "#")
				continue
			}
			out[key] = within(e)
		}
		delete(out, "$schema")
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = within(e)
		}
		return out
	}
	return v
}

// in30 reports whether a schema of draft 4 is one of OpenAPI 3.0 too.
func in30(v any) bool {
	members, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for key, e := range members {
		switch key {
		case "type":
			if _, ok := e.(string); !ok || e == "null" {
				return false
			}
		case "items", "not":
			if !in30(e) {
				return false
			}
		case "additionalProperties":
			if _, isBool := e.(bool); !isBool && !in30(e) {
				return false
			}
		case "allOf", "anyOf", "oneOf":
			for _, s := range e.([]any) {
				if !in30(s) {
					return false
				}
			}
		case "properties":
			for _, s := range e.(map[string]any) {
				if !in30(s) {
					return false
				}
			}
		case "additionalItems", "patternProperties", "dependencies", "definitions", "$ref", "$schema", "id":
			return false
		case "enum":
			if slices.Contains(e.([]any), nil) {
				return false
			}
		}
	}
	return true
}

func (s suiteSchema) load(openapi string) (*contract.Contract, error) {
	var schema any
	if err := json.Unmarshal(s.Schema, &schema); err != nil {
		return nil, err
	}
	doc, err := json.Marshal(map[string]any{
		"openapi": openapi,
		"info":    map[string]any{"title": "a", "version": "1"},
		"paths": map[string]any{"/a": map[string]any{"post": map[string]any{
			"operationId": "op",
			"requestBody": map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{
				"schema": map[string]any{"$ref": "#/components/schemas/S"},
			}}},
			"responses": map[string]any{"200": map[string]any{"description": "a"}},
		}}},
		"components": map[string]any{"schemas": map[string]any{"S": within(schema)}},
	})
	if err != nil {
		return nil, err
	}
	return contract.Parse("suite.json", doc)
}

// decodedJSON is a value as a body is read.
func decodedJSON(t *testing.T, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	return v
}

// judged is what goes to ajv.
type judged struct {
	ID      string          `json:"id"`
	Draft   string          `json:"draft"`
	Schema  json.RawMessage `json:"schema"`
	Valid   []string        `json:"valid"`
	Invalid []string        `json:"invalid"`
}

const maxJudged = 16 << 10 // bytes of a value

// Of the schemas of JSON Schema's own test suite: what is planned to keep them
// does, and what is planned to break them does not, by the word of ajv (where
// `make ajv` has installed it). The contract's own judgement is that of the
// suite. What is not so is in the golden summary.
func TestSuite(t *testing.T) {
	if racing.Sampled() {
		t.Skip("one goroutine plans and judges the suite, for a long time: without the race detector, and without -short")
	}
	for _, draft := range suiteDrafts {
		t.Run(draft.name, func(t *testing.T) {
			var notes []string
			note := func(s suiteSchema, format string, args ...any) {
				notes = append(notes, s.ID+": "+fmt.Sprintf(format, args...))
			}
			var lines []judged
			left, total, tests, canKeep, kept, canBreak, broke := 0, 0, 0, 0, 0, 0, 0
			for _, s := range readSuite(t, draft.name) {
				var schema any
				require.NoError(t, json.Unmarshal(s.Schema, &schema))
				if notOfOpenAPI[s.File] != "" || elsewhere(schema) || draft.openapi < "3.1" && !in30(schema) {
					left++
					continue
				}
				total++
				c, err := s.load(draft.openapi)
				if err != nil {
					note(s, "is not loaded: %.120s", err)
					continue
				}
				node := c.Operations[0].Body.Media[0].Node
				anyValid, anyInvalid := false, false
				for _, test := range s.Tests {
					anyValid, anyInvalid = anyValid || test.Valid, anyInvalid || !test.Valid
					tests++
					value := decodedJSON(t, test.Data)
					broken := node.Check(value, "")
					left := slices.ContainsFunc(broken, func(v contract.Violation) bool { return v.Leave != "" })
					if (len(broken) == 0) != test.Valid && !left {
						note(s, "is judged otherwise: %.80s is valid: %t", test.Data, test.Valid)
					}
					if (node.Validates(value) == nil) != test.Valid && (len(broken) == 0) == test.Valid {
						note(s, "is validated otherwise: %.80s is valid: %t", test.Data, test.Valid)
					}
				}
				line := judged{ID: s.ID, Draft: draft.name, Schema: s.Schema}
				seen := map[string]bool{}
				for _, k := range plan.Make(c, plan.Options{Random: 10}).Cases {
					body := string(k.Request.Body)
					if k.Clause.Value == "" && k.Base != nil || k.Leave != "" && k.Clause.Keyword != "format" || len(body) > maxJudged || seen[body] || !json.Valid(k.Request.Body) {
						continue
					}
					seen[body] = true
					if doubles.MatchString(quoted.ReplaceAllString(body, "")) {
						continue
					}
					if k.Expect == plan.Accept {
						line.Valid = append(line.Valid, body)
					} else {
						line.Invalid = append(line.Invalid, body)
					}
				}
				if anyValid {
					if canKeep++; len(line.Valid) > 0 {
						kept++
					} else {
						note(s, "no valid value is made")
					}
				}
				if anyInvalid && anyValid { // else there is no request with this as its only fault
					if canBreak++; len(line.Invalid) > 0 {
						broke++
					} else {
						note(s, "no invalid value is made")
					}
				}
				lines = append(lines, line)
			}
			share := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
			assert.GreaterOrEqual(t, share(kept, canKeep), draft.valid, "schemas with a valid value")
			assert.GreaterOrEqual(t, share(broke, canBreak), draft.invalid, "schemas with an invalid value")
			golden := "testdata/suite/" + draft.name
			if problems, ok := ajv(t, lines); ok {
				compare(t, golden+".ajv", strings.Join(problems, "\n")+"\n")
			}
			summary := fmt.Sprintf("%d schemas for OpenAPI %s (%d cannot stand in a document), %d values of the suite judged\nvalid value for %d of %d (%.1f %%), invalid for %d of %d (%.1f %%)\n%s\n",
				total, draft.openapi, left, tests, kept, canKeep, share(kept, canKeep), broke, canBreak, share(broke, canBreak), strings.Join(notes, "\n"))
			compare(t, golden+".summary", summary)
		})
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test ./contracttest/internal/plan -run TestSuite -update writes it")
}

// doubles are numbers that ajv reads otherwise: JavaScript has doubles alone.
// They are not looked for in strings.
var (
	doubles = regexp.MustCompile(`\d{16}|\d[eE]`)
	quoted  = regexp.MustCompile(`"(?:\\.|[^"\\])*"`)
)

// notForAjv are schemas that ajv compiles to something else, by the start of
// their names.
var notForAjv = map[string]string{
	"format: i":         "ajv does not know the formats of international names and addresses", // iri, idn-email, …
	"optional/format/i": "the same",
	"properties: properties whose names are Javascript object property names": "JavaScript has its own idea of __proto__",
	"ref: naive replacement of $ref with its destination is not correct":      "a $ref in data is data for ajv, and a reference in a document of OpenAPI",
	"ref: ref creates new scope when adjacent to keywords":                    "kin-openapi lays the keywords next to a $ref over those that it refers to",
	"ref: $ref to boolean schema false":                                       "the same, with no keyword",
	"const: const with null":                                                  "kin-openapi does not keep a const of null",
}

// ajv returns on which values ajv does not agree.
func ajv(t *testing.T, lines []judged) ([]string, bool) {
	t.Helper()
	dir, err := filepath.Abs("../../../build/ajv")
	require.NoError(t, err)
	script := filepath.Join(dir, "check.cjs")
	if _, err := os.Stat(script); err != nil {
		t.Log("not judged by ajv: run make ajv")
		return nil, false
	}
	var in bytes.Buffer
	for _, line := range lines {
		if slices.ContainsFunc(slices.Collect(maps.Keys(notForAjv)), func(start string) bool { return strings.HasPrefix(line.ID, start) }) {
			continue
		}
		b, err := json.Marshal(line)
		require.NoError(t, err)
		in.Write(append(b, '\n'))
	}
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Dir, cmd.Stdin = dir, &in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "node: %s", &stderr)
	problems := map[string][]string{}
	judgedByAjv := 0
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		var answer struct {
			ID, Text, Problem string
			Judged            int
		}
		require.NoError(t, json.Unmarshal(scan.Bytes(), &answer))
		if answer.ID == "" {
			judgedByAjv = answer.Judged
			continue
		}
		problems[answer.ID] = append(problems[answer.ID], fmt.Sprintf("%s: %s %.100s", answer.ID, answer.Problem, answer.Text))
	}
	t.Logf("ajv judged %d values", judgedByAjv)
	assert.Positive(t, judgedByAjv)
	var all []string
	for _, id := range slices.Sorted(maps.Keys(problems)) {
		all = append(all, problems[id]...)
	}
	return all, true
}
