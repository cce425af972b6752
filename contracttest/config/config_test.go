package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/config"
)

var update = flag.Bool("update", false, "write docs/contracttest.schema.json anew")

const schemaFile = "../../docs/contracttest.schema.json"

// schema is that of the file of settings, for editors.
func schema() map[string]any {
	type object = map[string]any
	variable := object{"type": "string", "pattern": `\$\{[A-Za-z_][A-Za-z0-9_]*\}`}
	or := func(a object) object { return object{"anyOf": []any{a, variable}} }
	text := object{"type": "string"}
	scalar := object{"type": []any{"string", "number", "boolean"}}
	properties := object{"$schema": text}
	for _, s := range config.Table {
		if s.Flag {
			continue
		}
		one := text
		if s.Enum != nil {
			one = or(object{"enum": s.Enum})
		}
		var p object
		switch s.Kind {
		case config.Text:
			p = object{"anyOf": []any{one}}
		case config.Bool:
			p = or(object{"type": "boolean"})
		case config.Int, config.Float:
			number := object{"type": "integer", "minimum": s.Min}
			if s.Kind == config.Float {
				number["type"] = "number"
			}
			if s.Max != 0 {
				number["maximum"] = s.Max
			}
			if s.Min < -1e18 {
				delete(number, "minimum")
			}
			p = or(number)
		case config.Duration:
			p = or(object{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`})
		case config.Percent:
			p = or(object{"anyOf": []any{object{"type": "number", "minimum": s.Min, "maximum": s.Max}, object{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)?%$`}}})
		case config.PerTime:
			p = or(object{"anyOf": []any{object{"type": "number", "minimum": s.Min}, object{"const": "auto"}}})
		case config.Share:
			p = or(object{"type": "string", "pattern": `^[1-9][0-9]*/[1-9][0-9]*$`})
		case config.List:
			p = object{"anyOf": []any{one, object{"type": "array", "items": one}}}
		case config.Headers, config.Mappings:
			p = object{"type": "object", "additionalProperties": one}
		case config.Values:
			p = object{"type": "object", "additionalProperties": object{"anyOf": []any{scalar, object{"type": "array", "minItems": 1, "items": scalar}}}}
		}
		p["description"] = s.Doc
		properties[s.Name] = p
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Settings of contracttest",
		"description": "contracttest.yaml: the keys are the flags of contracttest run. ${NAME} is a variable of the environment.",
		"type":        []any{"object", "null"}, "properties": properties, "patternProperties": object{"^x-": true}, "additionalProperties": false,
	}
}

// The schema that editors take is that of the table.
func TestSchema(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(schema()))
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, b.Bytes(), 0o600))
	}
	want, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "run go test ./contracttest/config -update")
}

// What the schema accepts can be read, and what it refuses cannot.
func TestSchemaAgrees(t *testing.T) {
	t.Setenv("NAME", "7")
	compiled, err := jsonschema.NewCompiler().Compile(schemaFile)
	require.NoError(t, err)
	for text, ok := range map[string]bool{
		"":                                   true,
		"# nothing\n":                        true,
		"target: http://127.0.0.1\nseed: -3": true,
		"seed: ${NAME}":                      true,
		"seed: seven":                        false,
		"rate: 0.5\ntimeout: 1m30s":          true,
		"timeout: 30":                        false,
		"rate: auto":                         true,
		"rate: -1":                           false,
		"rate: fast":                         false,
		"workers: 0":                         false,
		"workers: 1025":                      false,
		"safe: true":                         true,
		"min-coverage: 90%\nfail-fast: true": true,
		"min-coverage: 99.5":                 true,
		"min-coverage: 101":                  false,
		"min-coverage: most":                 false,
		"shard: 2/3":                         true,
		"shard: 0/0":                         false,
		"shard: 2":                           false,
		"shard: half":                        false,
		"safe: maybe":                        false,
		"only: GET /pets":                    true,
		"only: [a, b]\nskip: []":             true,
		"only: {a: b}":                       false,
		"fail-on: [warning, unproven]":       true,
		"fail-on: all":                       false,
		"header: {A: b, C: \"${NAME}\"}":     true,
		"header: {A: [b, c]}":                false,
		"header: A":                          false,
		"value: {a: 1, b: [x, 2, true]}":     true,
		"value: {a: []}":                     false,
		"severity: {redirect: warning}":      true,
		"severity: {redirect: none}":         false,
		"baseline-stale: warn":               true,
		"baseline-stale: never":              false,
		"x-ours: {a: [b]}\n$schema: s":       true,
		"nothing: 1":                         false,
		"verbose: true\nquiet: false":        true,
		"dry-run: true":                      false,
		"[a]":                                false,
		"text":                               false,
	} {
		var v any
		require.NoError(t, yaml.Unmarshal([]byte(text), &v))
		data, err := json.Marshal(v)
		require.NoError(t, err)
		v, err = jsonschema.UnmarshalJSON(bytes.NewReader(data))
		require.NoError(t, err)
		assert.Equal(t, ok, compiled.Validate(v) == nil, "the schema of %q", text)
		l, err := config.Parse("f.yaml", []byte(text))
		if err == nil {
			err = l.Over(&config.Layer{Settings: config.Default()}).Check(every)
		}
		assert.Equal(t, ok, err == nil, "the reader of %q: %v", text, err)
	}
}

// Each field has a row, each row a name of its own, and what is said to be an option of Go is one.
func TestTable(t *testing.T) {
	assert.Len(t, config.Table, reflect.TypeFor[config.Settings]().NumField())
	api, err := os.ReadFile("../../internal/archtest/testdata/api/contracttest.txt")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, s := range config.Table {
		assert.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
		assert.Regexp(t, `^[a-z]+2?(-[a-z]+)*$`, s.Name)
		if s.Go != "" {
			assert.Regexp(t, `(?m)^func `+regexp.QuoteMeta(s.Go)+`\(`, string(api), s.Name)
		}
		assert.True(t, s.Go != "" || s.Command, "%s: an option of Go, or the command's alone", s.Name)
		defaults := &config.Layer{Settings: config.Default()}
		require.NoError(t, defaults.Check(every))
	}
}

// A flag counts before a file: texts and lists as a whole, pairs by their names.
func TestOver(t *testing.T) {
	file, err := config.Parse("f.yaml", []byte("header: {Authorization: a, X-Other: b}\nvalue: {id: [1, 2], name: n}\nonly: [a, b]\nseed: 3\nbudget: 1m"))
	require.NoError(t, err)
	var flags config.Layer
	for _, f := range [][2]string{{"header", "authorization: c"}, {"value", "id=3,4"}, {"value", "id=5"}, {"only", "c"}, {"seed", "9"}} {
		require.NoError(t, flags.SetFlag(config.Lookup(f[0]), f[1]))
	}
	l := flags.Over(file).Over(&config.Layer{Settings: config.Default()})
	assert.Equal(t, []config.Pair{{Name: "X-Other", Values: []string{"b"}}, {Name: "authorization", Values: []string{"c"}}}, l.Header)
	assert.Equal(t, []config.Pair{{Name: "name", Values: []string{"n"}}, {Name: "id", Values: []string{"3", "4"}}, {Name: "id", Values: []string{"5"}}}, l.Value)
	assert.Equal(t, []string{"c"}, l.Only)
	assert.EqualValues(t, 9, l.Seed)
	assert.Equal(t, "1m0s", l.Budget.String())
	assert.Equal(t, 40, l.Cases)
	assert.Len(t, file.Header, 2, "a layer that is taken stays as it is")
	assert.Len(t, l.Given("value"), 3)
}

func TestFiles(t *testing.T) {
	t.Setenv("DIR", "reports")
	l, err := config.Parse("api/contracttest.yaml", []byte("spec: openapi.yaml\nbaseline: ../known.txt\nreport: {html: \"${DIR}/r.html\", json: /abs/r.json}\nonly: $${DIR}"))
	require.NoError(t, err)
	assert.Equal(t, "api/openapi.yaml", l.Spec)
	assert.Equal(t, "known.txt", l.Baseline)
	assert.Equal(t, []config.Pair{{Name: "html", Values: []string{"api/reports/r.html"}}, {Name: "json", Values: []string{"/abs/r.json"}}}, l.Report)
	assert.Equal(t, []string{"${DIR}"}, l.Only)
	l, err = config.Parse("api/contracttest.yaml", []byte("spec: https://example.com/openapi.yaml"))
	require.NoError(t, err)
	assert.Equal(t, "https://example.com/openapi.yaml", l.Spec)
	_, err = config.Parse("f.yaml", []byte("target: ${}"))
	require.ErrorContains(t, err, "f.yaml:1: target: ${}: want the name of a variable, or $${ for the text ${")
	_, err = config.Parse("f.yaml", []byte("a: [b"))
	require.ErrorContains(t, err, "f.yaml: yaml: ")
	_, err = config.Parse("f.yaml", []byte(strings.Repeat("#", 2<<20)))
	require.ErrorContains(t, err, "more than")
}

func every(config.Setting) bool { return true }

// A variable that is missing is no error where something else is given, or nobody asks for the setting.
func TestMissing(t *testing.T) {
	file, err := config.Parse("f.yaml", []byte("target: ${MISSING_HERE}\nworkers: ${MISSING_HERE}\nheader: {A: \"${MISSING_HERE}\", B: \"${MISSING_HERE}\"}\nformat: {x: \"${MISSING_HERE}\"}"))
	require.NoError(t, err)
	const none = "${MISSING_HERE}: the environment variable is not set"
	over := func(flags ...string) *config.Layer {
		l := &config.Layer{}
		for i := 0; i < len(flags); i += 2 {
			require.NoError(t, l.SetFlag(config.Lookup(flags[i]), flags[i+1]))
		}
		return l.Over(file).Over(&config.Layer{Settings: config.Default()})
	}
	named := func(names ...string) func(config.Setting) bool {
		return func(s config.Setting) bool { return slices.Contains(names, s.Name) }
	}
	require.EqualError(t, over("header", "a: b", "format", "x=y").Check(every), "f.yaml:1: target: "+none+"\nf.yaml:2: workers: "+none+"\nf.yaml:3: header: B: "+none)
	require.NoError(t, over("target", "http://x", "workers", "2", "header", "a: b", "header", "B: c", "format", "x=y").Check(every))
	require.NoError(t, over("workers", "2").Check(named("workers", "cases")))
	require.EqualError(t, over().Check(named("format")), "f.yaml:4: format: x: "+none)
	file.Drop("format")
	require.NoError(t, over().Check(named("format")))
	_, err = config.Parse("f.yaml", []byte("target: ${MISSING_HERE}\nworkers: no"))
	require.EqualError(t, err, "f.yaml:2: workers: \"no\": want a whole number\nf.yaml:1: target: "+none, "all that is wrong is told at once")
}

// No file makes the reader fail in another way than by an error.
func FuzzParse(f *testing.F) {
	f.Setenv("NAME", "12")
	f.Add("target: http://127.0.0.1:8080\nheader: {A: \"${NAME}\"}\nvalue: {id: [1, 2]}\nreport: {json: r.json}\nseverity: {a: warning}")
	f.Add("only: &a [x, *a]")
	f.Add("a: &a {b: *a}\n<<: *a\nheader: *a")
	f.Add("value:\n  ? [a]\n  : b")
	f.Fuzz(func(_ *testing.T, text string) {
		l, err := config.Parse("dir/f.yaml", []byte(text))
		if err != nil {
			return
		}
		_ = l.Over(&config.Layer{Settings: config.Default()}).Check(every)
	})
}
