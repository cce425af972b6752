package mock_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/internal/racing"
)

func load(t *testing.T, file string) (*contracttest.Contract, [][2]string) {
	t.Helper()
	if filepath.Ext(file) != ".txtar" {
		c, err := contracttest.Load(file, contracttest.MaxClauses(20000))
		require.NoError(t, err)
		return c, schemes(t, file)
	}
	a, err := txtar.ParseFile(file)
	require.NoError(t, err)
	dir := t.TempDir()
	var values [][2]string
	for _, f := range a.Files {
		switch f.Name {
		case "defects", "warnings", "unreached":
		case "values":
			for line := range strings.Lines(string(f.Data)) {
				if name, v, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
					values = append(values, [2]string{name, v})
				}
			}
		default:
			name := filepath.Join(dir, f.Name)
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o750))
			require.NoError(t, os.WriteFile(name, f.Data, 0o600))
		}
	}
	c, err := contracttest.Load(filepath.Join(dir, "openapi.yaml"))
	require.NoError(t, err)
	return c, values
}

// schemes gives a credential to each security scheme of a document.
func schemes(t *testing.T, file string) [][2]string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var doc struct {
		Components struct {
			SecuritySchemes map[string]struct{ Type, Scheme string } `yaml:"securitySchemes"`
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &doc))
	var all [][2]string
	for name, s := range doc.Components.SecuritySchemes {
		v := "a-credential-of-" + strings.ToLower(notInTokens.ReplaceAllString(name, "-"))
		if strings.EqualFold(s.Scheme, "basic") {
			v = "somebody:" + v
		}
		all = append(all, [2]string{name, v})
	}
	return all
}

var notInTokens = regexp.MustCompile(`[^A-Za-z0-9]+`)

// TestSelf runs the engine against a mock of the same document: it has no finding. What a document
// lacks is told all the same: a refusal that it does not have is a warning.
func TestSelf(t *testing.T) {
	odd, sample := "../odd/testdata/", "../corpus/testdata/"
	for i, file := range []string{
		"testdata/notes.yaml", "../../../openapi.yaml", "../../../examples/greetings/openapi.yaml",
		odd + "bodies.txtar", odd + "composition.txtar", odd + "json-in-forms.txtar",
		odd + "responses.txtar", odd + "security.txtar", odd + "styles.txtar",
		sample + "nexmo.com_dispatch.json", sample + "amadeus.com_amadeus-travel-recommendations.json", sample + "webscraping.ai.json",
	} {
		if !racing.Take(i, 5) {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, values := load(t, file)
			opts := []contracttest.Option{contracttest.Cases(0), contracttest.Timeout(time.Minute)}
			var mocked []contracttest.MockOption
			for _, v := range values {
				opts = append(opts, contracttest.Values(v[0], v[1]))
				mocked = append(mocked, contracttest.MockCredentials(v[0], v[1]))
			}
			faultless(t, c, contracttest.Mock(c, mocked...), opts...)
			if i < 2 { // what makes and what takes, and what does neither
				for _, check := range judge.Sequences {
					opts = append(opts, contracttest.Skip("check:"+check.Name))
				}
				faultless(t, c, contracttest.Mock(c, append(mocked, contracttest.MockStateless())...), opts...)
			}
		})
	}
}

// TestSelfOfOrders runs the engine where a list is sorted, filtered, bounded and in pages, what is made has parts, actions and
// validators, and an identifier is unique.
func TestSelfOfOrders(t *testing.T) {
	text, err := os.ReadFile("testdata/orders.yaml")
	require.NoError(t, err)
	c, err := contracttest.Parse("orders.yaml", text)
	require.NoError(t, err)
	faultless(t, c, contracttest.Mock(c, contracttest.MockCredentials("key", "a-credential")), contracttest.Cases(0), contracttest.Values("key", "a-credential"))
}

// TestSelfOfForms runs the engine against mocks of forms in which documents are rarely written.
func TestSelfOfForms(t *testing.T) {
	for name, text := range map[string]string{
		"a list that shows more than what is read of one": `
paths:
  /maps:
    post:
      operationId: addMap
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 9}, settings: {type: object, required: [open], properties: {open: {type: boolean}}}}}}}}
      responses: {"200": {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Map'}}}}, "400": {description: bad}, "415": {description: no JSON}}
    get: {operationId: listMaps, responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Map'}}}}}}}
  /maps/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: readMap, responses: {"200": {description: one, content: {application/json: {schema: {type: object, properties: {id: {type: integer}, title: {type: string}}}}}}, "400": {description: bad}, "404": {description: none}}}
components:
  schemas:
    Map: {type: object, required: [id], properties: {id: {type: integer}, title: {type: string}, settings: {type: object, properties: {open: {type: boolean}}}}}
`,
		"examples of a query that are empty texts, which nobody need take": `
paths:
  /schema: {get: {operationId: bySchema, parameters: [{name: q, in: query, required: true, schema: {type: string, example: ""}}], responses: {"204": {description: found}, "400": {description: bad}}}}
  /parameter: {get: {operationId: byParameter, parameters: [{name: q, in: query, required: true, example: "", schema: {type: string}}], responses: {"204": {description: found}, "400": {description: bad}}}}
`,
		"an Accept-Encoding that does not take identity": `
paths:
  /token: {get: {operationId: token, parameters: [{name: Accept-Encoding, in: header, schema: {type: string, enum: [base64]}}], responses: {"204": {description: there}, "400": {description: bad}}}}
`,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := contracttest.Parse("openapi.yaml", []byte("openapi: 3.0.3\ninfo: {title: a, version: '1'}\n"+text))
			require.NoError(t, err)
			faultless(t, c, contracttest.Mock(c), contracttest.Cases(0))
		})
	}
}

// TestSelfOfSharedHeader runs the engine where two schemes that are needed together have one header: whoever has one
// has both.
func TestSelfOfSharedHeader(t *testing.T) {
	c, err := contracttest.Parse("shared.yaml", []byte(`
openapi: 3.0.3
info: {title: shared, version: "1"}
paths:
  /found: {get: {operationId: find, security: [{one: [], two: []}], responses: {"204": {description: found}, "401": {description: who}}}}
components: {securitySchemes: {one: {type: http, scheme: bearer}, two: {type: oauth2, flows: {implicit: {authorizationUrl: 'https://a.example/', scopes: {}}}}}}
`))
	require.NoError(t, err)
	h := contracttest.Mock(c, contracttest.MockCredentials("one", "a-token"), contracttest.MockCredentials("two", "a-token"))
	for _, known := range [][]string{{"one", "two"}, {"one"}, {"two"}} {
		opts := []contracttest.Option{contracttest.Cases(0)}
		for _, scheme := range known {
			opts = append(opts, contracttest.Values(scheme, "a-token"))
		}
		faultless(t, c, h, opts...)
	}
}

// faultless runs the engine against a mock, and wants no finding.
func faultless(t *testing.T, c *contracttest.Contract, h http.Handler, opts ...contracttest.Option) {
	t.Helper()
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), opts...)
	require.NoError(t, err)
	assert.Positive(t, rep.Stats.Exchanges)
	assert.Empty(t, rep.Inconclusive)
	for _, f := range rep.Findings {
		if f.Severity == "warning" && f.Check == judge.UndocumentedStatus {
			continue
		}
		t.Errorf("%s %s %s: %s (%d) %s\n%s", f.Severity, f.Check, f.Clause, f.Message, f.Count, f.Case.ID, f.Curl)
	}
}
