package plan_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	pets = "testdata/pets.yaml"
	ours = "../../../openapi.yaml"
)

var known = map[string][]string{
	"petId": {"7", "8"}, "session": {"0badcafe"}, "X-Key": {"known-key"}, "package_ids": {"12", "13"}, "workspace": {"test"},
}

func load(t testing.TB, file string) *contract.Contract {
	t.Helper()
	c, err := contract.Load(file)
	require.NoError(t, err)
	return c
}

func parse(t testing.TB, document string) *contract.Contract {
	t.Helper()
	c, err := contract.Parse("doc.yaml", []byte("openapi: 3.0.3\ninfo: {title: a, version: \"1\"}\n"+document))
	require.NoError(t, err)
	return c
}

// options are those of a run against the document's own server.
func options(c *contract.Contract) plan.Options {
	return plan.Options{Known: known, Seed: 1, Random: 40, BasePath: c.BasePath}
}

// dump writes every byte of a plan.
func dump(p *plan.Plan, phases ...plan.Phase) string {
	var b bytes.Buffer
	for _, c := range p.Cases {
		if len(phases) > 0 && !slices.Contains(phases, c.Phase) {
			continue
		}
		keeps := make([]string, len(c.Keeps))
		for i, k := range c.Keeps {
			keeps[i] = k.Name
		}
		fmt.Fprintf(&b, "%d %s expect %d leave %q unknown %v probe %q credential %t own %v keeps %v\n%s %s\n%q\n%q chunked %t\n",
			c.Phase, c.ID, c.Expect, c.Leave, c.Unknown, c.Probe, c.Credential, c.Own, keeps,
			c.Request.Method, c.Request.Target, c.Request.Header, c.Request.Body, c.Request.Chunked)
	}
	reasons := map[string]string{}
	for cl, reason := range p.Unreached {
		reasons[cl.Name] = reason.Text
	}
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(&b, "unreached %s: %s\n", name, reasons[name])
	}
	return b.String()
}

func TestSameSeedSamePlan(t *testing.T) {
	for _, file := range []string{pets, ours} {
		t.Run(file, func(t *testing.T) {
			c := load(t, file)
			opts := options(c)
			first := plan.Make(c, opts)
			require.NotEmpty(t, first.Cases)
			assert.Equal(t, dump(first), dump(plan.Make(load(t, file), opts)), "a plan does not depend on who reads the document")

			opts.Seed = 2
			other := plan.Make(c, opts)
			assert.NotEqual(t, dump(first, plan.Random), dump(other, plan.Random))
			fixed := []plan.Phase{plan.Basics, plan.Clauses, plan.Examples}
			assert.Equal(t, dump(first, fixed...), dump(other, fixed...), "the seed chooses the random cases alone")
		})
	}
}

// independent judges requests with kin-openapi's own router and filter, and
// what it is blind for with the packages that the server uses.
type independent struct {
	router routers.Router
}

func judgeOf(t testing.TB, c *contract.Contract) independent {
	t.Helper()
	router, err := legacy.NewRouter(c.Doc, openapi3.DisableExamplesValidation())
	require.NoError(t, err)
	return independent{router}
}

// refused says why a request does not keep the contract; empty where it does.
func (j independent) refused(t testing.TB, c *plan.Case) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.Request.Method, "https://pets.example"+c.Request.Target, bytes.NewReader(c.Request.Body))
	require.NoError(t, err, c.ID)
	if strings.Contains(c.Op.Contract.File, "openapi.yaml") {
		req.URL.Host = "dayu.cn-north-4.myhuaweicloud.com"
	}
	for _, f := range c.Request.Header {
		req.Header.Add(f.Name, f.Value)
	}
	route, params, err := j.router.FindRoute(req)
	if err != nil {
		return "no route: " + err.Error()
	}
	for name, escaped := range params { // the router leaves them as they are
		params[name], err = url.PathUnescape(escaped)
		require.NoError(t, err, c.ID)
	}
	if c.Op.Body != nil && len(c.Request.Body) > 0 {
		if len(req.Header.Values("Content-Type")) != 1 || req.Header.Get("Content-Encoding") != "" && req.Header.Get("Content-Encoding") != "identity" {
			return "labels"
		}
		key, err := mediatype.Select(slices.Collect(maps.Keys(c.Op.Body.Spec.Content)), req.Header.Get("Content-Type"))
		if err != nil {
			return err.Error()
		}
		if !strings.HasPrefix(key, "multipart/") {
			req.Header.Set("Content-Type", key)
		}
		if strings.Contains(key, "json") {
			if err := wellformed.JSON(c.Request.Body); err != nil {
				return err.Error()
			}
		}
	}
	err = openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	})
	if err != nil {
		return err.Error()
	}
	return ""
}

// exceptions are where kin-openapi's reading of texts is known to be too strict
// or too lax, by the cases that show it.
var exceptions = map[string]string{
	`setPhoto/body/additionalProperties#`: "too strict: a part that the schema does not name is refused though further properties are allowed",
	`setPhoto/body/.*#random-`:            "too strict: the same in a random case",
	`query/near/.*#(empty$|random-)`:      "too lax: an empty text for a number in a deepObject is dropped",
	`/format#`:                            "too lax: every month has 31 days, and of most formats nothing is known (contract.TestBlindSpotOfFormats)",
}

func excepted(id string) bool {
	for pattern := range exceptions {
		if regexp.MustCompile(pattern).MatchString(id) {
			return true
		}
	}
	return false
}

// Every label is confirmed by a judgement that shares no code with the plan's.
func TestLabelsAreTrue(t *testing.T) {
	for _, file := range []string{pets, ours} {
		t.Run(file, func(t *testing.T) {
			c := load(t, file)
			j := judgeOf(t, c)
			for _, k := range plan.Make(c, options(c)).Cases {
				why := j.refused(t, k)
				if excepted(k.ID) {
					continue
				}
				switch k.Expect {
				case plan.Accept:
					if k.Leave != "" {
						continue // read one way or the other
					}
					assert.Empty(t, why, "%s is meant to be valid: %s %s %q", k.ID, k.Request.Method, k.Request.Target, k.Request.Body)
				case plan.Refuse:
					// What repeats a parameter is left to the receiver, and kin-openapi reads the first.
					if k.Leave == "" {
						assert.NotEmpty(t, why, "%s is meant to break %s: %s %s %.200q", k.ID, k.Clause.Text, k.Request.Method, k.Request.Target, k.Request.Body)
					}
				case plan.RefusePath:
					assert.True(t, k.Leave != "" || strings.HasPrefix(why, "no route"), "%s is on a documented path: %s", k.ID, k.Request.Target)
				case plan.RefuseMethod:
					assert.NotContains(t, k.Op.PathItem.Operations(), k.Request.Method, k.ID)
				case plan.RefuseCredential:
					assert.True(t, k.Credential, k.ID)
				}
			}
		})
	}
}

// Every request clause has a case, or a reason why it has none.
func TestEveryRequestClauseIsAccountedFor(t *testing.T) {
	for _, file := range []string{pets, ours} {
		c := load(t, file)
		p := plan.Make(c, options(c))
		planned := map[*contract.Clause]bool{}
		for _, k := range p.Cases {
			planned[k.Clause] = true
			for _, kept := range k.Keeps {
				planned[kept] = true
			}
		}
		for _, cl := range c.Clauses {
			reason, unreached := p.Unreached[cl]
			switch {
			case cl.Side == contract.ResponseSide:
				assert.False(t, planned[cl], "%s is the server's", cl.Name)
			case planned[cl]:
				assert.False(t, unreached, cl.Name)
			default:
				assert.NotEmpty(t, reason, "%s has neither a case nor a reason", cl.Name)
				assert.NotEqual(t, "no case was found for it", reason.Text, "%s: say why", cl.Name)
			}
		}
	}
	assert.Empty(t, plan.Make(load(t, ours), options(load(t, ours))).Unreached)
}

// The golden lists are what a change of the planner changes.
func TestGoldenCases(t *testing.T) {
	c := load(t, pets)
	p := plan.Make(c, options(c))
	var b strings.Builder
	for _, k := range p.Cases {
		fmt.Fprintln(&b, k.ID, []string{"accept", "refuse", "refuse-method", "refuse-path", "refuse-credential"}[k.Expect])
	}
	reasons := []string{}
	for cl, reason := range p.Unreached {
		reasons = append(reasons, "unreached "+cl.Name+": "+reason.Text)
	}
	slices.Sort(reasons)
	got := b.String() + strings.Join(reasons, "\n") + "\n"
	const golden = "testdata/pets.cases"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test ./contracttest/internal/plan -update writes it")
}

func TestIDsAreUnique(t *testing.T) {
	c := load(t, pets)
	seen := map[string]bool{}
	for _, k := range plan.Make(c, options(c)).Cases {
		assert.False(t, seen[k.ID], "two cases are called %s", k.ID)
		seen[k.ID] = true
		assert.True(t, strings.HasPrefix(k.ID, k.Clause.Name+"#"), k.ID)
	}
}

func TestPhasesAreInOrder(t *testing.T) {
	c := load(t, pets)
	last := plan.Basics
	for _, k := range plan.Make(c, options(c)).Cases {
		assert.GreaterOrEqual(t, k.Phase, last)
		last = k.Phase
		if k.Base != nil {
			assert.Equal(t, plan.Basics, k.Base.Phase)
			assert.Nil(t, k.Base.Base)
			assert.Same(t, k.Op, k.Base.Op)
		}
	}
	assert.Equal(t, plan.Random, last)
}

func find(t testing.TB, p *plan.Plan, id string) *plan.Case {
	t.Helper()
	for _, k := range p.Cases {
		if k.ID == id {
			return k
		}
	}
	require.FailNow(t, "no case "+id)
	return nil
}

func TestKnownValuesAreUsed(t *testing.T) {
	c := load(t, pets)
	p := plan.Make(c, options(c))
	base := find(t, p, "getPet/path#base")
	assert.Equal(t, "/v1/pets/7", base.Request.Target)
	assert.Empty(t, base.Unknown)
	assert.Equal(t, "/v1/pets/8", find(t, p, "getPet/path/petId/type#known-2").Request.Target)
	post := find(t, p, "addPet/path#base").Request
	assert.Equal(t, "session=0badcafe", post.Get("Cookie"))

	opts := options(c)
	opts.Known = nil
	p = plan.Make(c, opts)
	base = find(t, p, "getPet/path#base")
	assert.Equal(t, "/v1/pets/1", base.Request.Target)
	assert.Equal(t, []string{"path/petId"}, base.Unknown)
	assert.Equal(t, "body/name", find(t, p, "addPet/body/name/type#other").Probe)
}

func TestWant(t *testing.T) {
	c := load(t, pets)
	opts := options(c)
	opts.Want = func(cl *contract.Clause) bool { return strings.HasPrefix(cl.Name, "listPets/query/limit/") }
	for _, k := range plan.Make(c, opts).Cases {
		assert.True(t, k.Base == nil || k.Probe != "" || strings.HasPrefix(k.ID, "listPets/query/limit/"), k.ID)
		assert.Equal(t, "listPets", k.Op.ID)
	}
	opts.Want = func(*contract.Clause) bool { return false }
	assert.Empty(t, plan.Make(c, opts).Cases)
}

func TestBasePath(t *testing.T) {
	c := load(t, pets)
	opts := options(c)
	opts.BasePath = "/elsewhere"
	for _, k := range plan.Make(c, opts).Cases {
		if k.Expect != plan.RefusePath {
			assert.True(t, strings.HasPrefix(k.Request.Target, "/elsewhere/"), "%s: %s", k.ID, k.Request.Target)
		}
	}
}

// A template may have letters that no request line has: they are escaped, and changed with their escapes.
func TestPathBeyondASCII(t *testing.T) {
	p := plan.Make(parse(t, `openapi: 3.0.3
info: {title: a, version: "1"}
paths: {/größe/né: {get: {operationId: a, responses: {"200": {description: ok}}}}}
`), plan.Options{Seed: 1})
	targets := map[string]bool{}
	for _, c := range p.Cases {
		_, err := url.ParseRequestURI(c.Request.Target)
		require.NoError(t, err, c.ID)
		targets[c.Request.Target] = true
	}
	assert.True(t, targets["/gr%C3%B6%C3%9Fe/n%C3%A9"])
	assert.True(t, targets["/gr%C3%B6%C3%9Fe/n%C3-"])
}

func TestSecurity(t *testing.T) {
	c := load(t, pets)
	p := plan.Make(c, options(c))
	header := func(id, name string) []string { return find(t, p, id).Request.Values(name) }
	assert.Empty(t, header("getPet/security#absent", "X-Key"))
	assert.Equal(t, []string{""}, header("getPet/security#empty", "X-Key"))
	assert.Equal(t, []string{"wrong-credential"}, header("getPet/security#wrong", "X-Key"))

	wrong := find(t, p, "deletePet/security#wrong")
	assert.Equal(t, plan.RefuseCredential, wrong.Expect)
	assert.Equal(t, "session=wrong-credential", wrong.Request.Get("Cookie"))
	assert.ElementsMatch(t, []string{"cookie", "authorization", "?key"}, wrong.Own)
	assert.Equal(t, []string{"Basic wrong-credential"}, header("deletePet/security#wrong-Basic", "Authorization"))
	assert.Equal(t, "/v1/pets/7?key=wrong-credential", find(t, p, "deletePet/security#wrong-Query").Request.Target)
	assert.Equal(t, []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("nobody:x-wrong-8c1f2e"))},
		header("deletePet/security#wrong-user-and-password-Basic", "Authorization"))

	assert.Empty(t, find(t, p, "deletePet/path#base").Request.Get("Authorization"), "the first requirement that is known is met")
	assert.Equal(t, "session=0badcafe", find(t, p, "deletePet/path#base").Request.Get("Cookie"))
	for label, want := range map[string]string{
		"with-Session": "session=0badcafe", "last-character-changed-Session": "session=0badcaf0",
		"first-half-Session": "session=0bad", "other-letter-case-Session": "session=0BADCAFE",
	} {
		assert.Equal(t, []string{want}, header("deletePet/security#"+label, "Cookie"), label)
	}
	misplaced := find(t, p, "deletePet/security#in-query-Session")
	assert.Equal(t, "/v1/pets/7?session=0badcafe", misplaced.Request.Target)
	assert.NotEmpty(t, misplaced.Leave, "the credential is a good one")
	ofRun := find(t, p, "deletePet/security#last-character-changed-Basic-of-the-run")
	assert.Equal(t, "Basic abc0", ofRun.Alter("Basic abcd"))

	for _, k := range p.Cases {
		if strings.HasPrefix(k.ID, "listPets/") {
			assert.NotEqual(t, plan.RefuseCredential, k.Expect, "security: [] asks for none")
		}
	}
}

// Without a valid request nothing else means anything: the clauses say why.
func TestNoValidRequest(t *testing.T) {
	for name, document := range map[string]string{
		"parameter":  `paths: {/a: {get: {parameters: [{name: q, in: query, required: true, schema: {type: string, minLength: 300000}}], responses: {"200": {description: a}}}}}`,
		"body":       `paths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {type: string, pattern: '(?=a)b'}}}}, responses: {"200": {description: a}}}}}`,
		"media type": `paths: {/a: {post: {requestBody: {required: true, content: {application/x-unknown: {schema: {type: object}}}}, responses: {"200": {description: a}}}}}`,
		"no media":   `paths: {/a: {post: {requestBody: {required: true, content: {}}, responses: {"200": {description: a}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := parse(t, document)
			p := plan.Make(c, plan.Options{Random: 10})
			assert.Empty(t, p.Cases)
			for _, cl := range c.Clauses {
				if cl.Side == contract.RequestSide {
					assert.Equal(t, plan.NoBase, p.Unreached[cl].Why, "%s: %s", cl.Name, p.Unreached[cl])
				}
			}
		})
	}
}

// A property that is empty has no form in a query, so that it is not given twice either.
func TestNothingToGiveTwice(t *testing.T) {
	c := parse(t, `
paths:
  /a:
    get:
      operationId: op
      parameters:
        - {name: q, in: query, style: deepObject, explode: true, schema: {type: object, required: [a, b], properties: {a: {type: array, maxItems: 0}, b: {type: integer}}}}
        - {name: r, in: cookie, schema: {type: array, maxItems: 0}}
      responses: {"200": {description: a}, "400": {description: b}}
`)
	p := plan.Make(c, plan.Options{Random: 10})
	for cl, reason := range p.Unreached {
		assert.NotContains(t, reason.Text, "a fault of contracttest itself", "%s", cl.Name)
	}
	assert.NotEmpty(t, p.Cases)
}

// A part that cannot be made is left out, and the rest is planned.
func TestPartThatCannotBeMade(t *testing.T) {
	c := parse(t, `
paths:
  /a:
    post:
      operationId: op
      parameters:
        - {name: q, in: query, schema: {type: string, minLength: 300000}}
        - {name: r, in: query, schema: {type: integer}}
      requestBody:
        content:
          application/x-unknown: {schema: {type: object}}
          application/json: {schema: {type: object, properties: {never: {type: string, pattern: '(?=a)b'}, a: {type: string}}}}
      responses: {"200": {description: a}}
`)
	p := plan.Make(c, plan.Options{Random: 20})
	find(t, p, "op/query/r/type#word")
	find(t, p, "op/body/a/type#number")
	find(t, p, "op/body/never/pattern#letters") // whatever is sent breaks it
	reasons := map[string]string{}
	for cl, reason := range p.Unreached {
		reasons[cl.Name] = reason.Text
	}
	assert.Contains(t, reasons["op/query/q/minLength"], "300000 characters is not made")
	assert.Contains(t, reasons["op/body/never/optional"], "no string is found that matches (?=a)b")
	find(t, p, "op/body/never/type#number") // there is no good one, but there are bad ones
	assert.NotContains(t, reasons, "op/body/never/pattern")
	assert.Contains(t, reasons["op/body:application~1x-unknown/type"], "cannot build bodies of this media type")
}

// Documents of odd shapes are planned, whatever comes out.
func TestOddDocuments(t *testing.T) {
	for name, document := range map[string]string{
		"media type that is none": `paths: {/a: {post: {requestBody: {required: true, content: {json: {schema: {type: object}}, "": {schema: {type: string}}, "/": {}}}, responses: {"200": {description: a, content: {json: {}}}}}}}`,
		"root path":               `paths: {/: {get: {responses: {"200": {description: a}}}}}`,
		"every method":            `paths: {/a: {get: {responses: {"200": {description: a}}}, put: {responses: {"200": {description: a}}}, post: {responses: {"200": {description: a}}}, delete: {responses: {"200": {description: a}}}, options: {responses: {"200": {description: a}}}, head: {responses: {"200": {description: a}}}, patch: {responses: {"200": {description: a}}}, trace: {responses: {"200": {description: a}}}}}`,
		"two parameters":          `paths: {'/a/{x}-{y}': {get: {parameters: [{name: x, in: path, required: true, schema: {type: string}}, {name: y, in: path, required: true, schema: {type: string}}], responses: {"200": {description: a}}}}}`,
		"styles of a path":        `paths: {'/a/{l}/{m}': {get: {parameters: [{name: l, in: path, required: true, style: label, schema: {type: array, items: {type: integer}}}, {name: m, in: path, required: true, style: matrix, explode: true, schema: {type: object, required: [a], properties: {a: {type: string}}}}], responses: {"200": {description: a}}}}}`,
		"body of any type":        `paths: {/a: {post: {requestBody: {content: {'*/*': {}}}, responses: {"200": {description: a}}}}}`,
		"body without schema":     `paths: {/a: {post: {requestBody: {required: true, content: {application/json: {}, text/*: {}}}, responses: {"200": {description: a}}}}}`,
		"scalar body":             `paths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {type: string}}}}, responses: {"200": {description: a}}}}}`,
		"number body":             `paths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {type: integer, minimum: 3}}}}, responses: {"200": {description: a}}}}}`,
		"unknown scheme":          `{paths: {/a: {get: {security: [{M: []}, {O: []}], responses: {"200": {description: a}}}}}, components: {securitySchemes: {M: {type: http, scheme: mutual}, O: {type: openIdConnect, openIdConnectUrl: 'https://x.example'}}}}`,
		"parameter of objects":    `paths: {/a: {get: {parameters: [{name: o, in: query, explode: false, schema: {type: object, required: [a], properties: {a: {type: integer}}}}, {name: H, in: header, schema: {type: array, items: {type: string}}}, {name: c, in: cookie, schema: {type: integer}}], responses: {"200": {description: a}}}}}`,
		"parameter examples":      `paths: {/a: {get: {parameters: [{name: q, in: query, required: true, schema: {type: string}, examples: {one: {value: x}, bad: {value: 1}}}], responses: {"200": {description: a}}}}}`,
		"recursive body":          `{paths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}, responses: {"200": {description: a}}}}}, components: {schemas: {A: {type: object, properties: {next: {$ref: '#/components/schemas/A'}, all: {type: array, items: {$ref: '#/components/schemas/A'}}}}}}}`,
		"map of lists":            `paths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {type: object, additionalProperties: {type: array, minItems: 1, items: {type: object, required: [b], properties: {b: {type: boolean}}}}}}}}, responses: {"200": {description: a}}}}}`,
		"empty list body":         `paths: {/a: {post: {requestBody: {content: {application/json: {schema: {type: array, maxItems: 0, items: {type: string}}}}}, responses: {"200": {description: a}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(document, "{") {
				document = strings.TrimSuffix(strings.TrimPrefix(document, "{"), "}")
				document = strings.Replace(document, ", components:", "\ncomponents:", 1)
			}
			c := parse(t, document)
			p := plan.Make(c, plan.Options{Random: 20, Seed: 3})
			assert.NotEmpty(t, p.Cases)
			for _, k := range p.Cases {
				_, err := http.NewRequestWithContext(t.Context(), k.Request.Method, "http://h"+k.Request.Target, http.NoBody)
				require.NoError(t, err, k.ID)
			}
		})
	}
}

// A syntax fault beside what is documented leaves nothing else to refuse.
func TestSyntaxFaultsStandAlone(t *testing.T) {
	p := plan.Make(load(t, ours), options(load(t, ours)))
	refused := []string{"missing-comma", "missing-comma-in-list", "missing-bracket", "equals-sign", "script-prefix", "yaml", "same-value-as-form"}
	for label, want := range map[string]string{
		"invalid-utf-8":                     "{\"package_ids\":[\"12\",\"13\xff\xfe\"]}",
		"invalid-utf-8-in-unknown-property": "{\"package_ids\":[\"12\",\"13\"],\"x-unknown-property\":\"a\xff\xfe\"}",
		"invalid-utf-8-in-unknown-name":     "{\"package_ids\":[\"12\",\"13\"],\"x-unknown-property\xff\":\"a\"}",
		"word-01-in-unknown-property":       `{"package_ids":["12","13"],"x-unknown-property":01}`,
		"word-NaN-in-unknown-property":      `{"package_ids":["12","13"],"x-unknown-property":NaN}`,
		"missing-comma":                     `{"package_ids":["12","13"] "x-unknown-property":"a"}`,
		"missing-comma-in-list":             `{"package_ids":["12" "13"]}`,
		"missing-bracket":                   `{"package_ids":["12","13"}`,
		"trailing-comma-in-list":            `{"package_ids":["12","13",]}`,
		"trailing-comma-in-object":          `{"package_ids":["12","13"],}`,
		"comma-after":                       `{"package_ids":["12","13"]},`,
		"equals-sign":                       `{"package_ids"=["12","13"]}`,
		"unquoted-name":                     `{package_ids:["12","13"]}`,
		"hash-comment":                      `{"package_ids":["12","13"]} # comment`,
		"script-prefix":                     ")]}',\n" + `{"package_ids":["12","13"]}`,
		"yaml":                              "package_ids: [\"12\",\"13\"]\n",
		"same-value-as-form":                "package_ids=12&package_ids=13",
		"escaped-names":                     `{"\u0070\u0061\u0063\u006b\u0061\u0067\u0065\u005f\u0069\u0064\u0073":["12","13"]}`,
		"escaped-values":                    `{"package_ids":["\u0031\u0032","\u0031\u0033"]}`,
		"escaped-slash":                     `{"package_ids":["12","13"],"x-unknown-property":"a\/b"}`,
	} {
		k := find(t, p, "CancelFactoryPackages/body/syntax#"+label)
		assert.Equal(t, want, string(k.Request.Body), label)
		assert.Empty(t, k.Unknown, label)
		if slices.Contains(refused, label) {
			assert.Empty(t, k.Leave, label)
		} else if k.Expect == plan.Refuse {
			assert.Contains(t, k.Leave, "RFC 8259 §9", label)
		}
	}
	for _, top := range []string{"word-NaN", "word-01", "word-'a'", "truncated", "not-json", "cut-1"} { // none holds an object
		assert.Empty(t, find(t, p, "CancelFactoryPackages/body/syntax#"+top).Leave, top)
	}
	assert.NotEmpty(t, find(t, p, "CancelFactoryPackages/body/syntax#lone-surrogate-in-unknown-property").Leave)
	for _, k := range plan.Make(load(t, pets), options(load(t, pets))).Cases {
		assert.NotContains(t, k.ID, "addPet/body/syntax#word-01-in-unknown", "the schema takes no further property")
	}
}

// The faults that are overlooked most are repeated in other valid requests, and
// stay the only fault.
func TestCombinedFaults(t *testing.T) {
	c := load(t, ours)
	p := plan.Make(c, options(c))
	const item, list = "CancelFactoryPackages/body/package_ids/items/type#same-as-number-", "CancelFactoryPackages/body/package_ids/type#item-alone-"
	for id, want := range map[string]string{
		item + "in-list-of-one":        `{"package_ids":[12]}`,
		item + "third-of-four":         `{"package_ids":["12","13",12,"13"]}`,
		item + "last-of-ten":           `{"package_ids":["12","13","12","13","12","13","12","13","12",13]}`,
		item + "all-of-three":          `{"package_ids":[12,13,12]}`,
		item + "with-unknown-property": `{"package_ids":[12,"13"],"x-unknown-property":"a"}`,
		item + "chunked":               `{"package_ids":[12,"13"]}`,
		item + "indented":              "{\n  \"package_ids\": [\n    12,\n    \"13\"\n  ]\n}",
		list + "with-unknown-property": `{"package_ids":"12","x-unknown-property":"a"}`,
		list + "without-parameters":    `{"package_ids":"12"}`,
	} {
		k := find(t, p, id)
		assert.Equal(t, want, string(k.Request.Body), id)
		broken := c.Operations[0].CheckRequest(k.Request)
		assert.NotEmpty(t, broken, id)
		for _, v := range broken {
			assert.Same(t, k.Clause, v.Clause, id)
		}
	}
	assert.True(t, find(t, p, item+"chunked").Request.Chunked)
	assert.Equal(t, "*/*", find(t, p, item+"with-accept").Request.Get("Accept"))
	assert.Equal(t, "application/json", find(t, p, list+"without-parameters").Request.Get("Content-Type"))
	alone := find(t, p, "CancelFactoryPackages/header/X-Auth-Token/maxLength#too-long-without-body").Request
	assert.Empty(t, alone.Body)
	assert.Len(t, alone.Get("X-Auth-Token"), 4097)
}

// Items of a list that has to have distinct ones are, wherever the bad one is.
func TestCombinedFaultsInDistinctItems(t *testing.T) {
	c := parse(t, `
paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {type: array, uniqueItems: true, maxItems: 5, items: {type: string}}}}}
      responses: {"200": {description: a}}
`)
	p := plan.Make(c, plan.Options{})
	assert.Equal(t, `["abcdefgh","abcdefgh1",12,"abcdefgh3"]`, string(find(t, p, "op/body/items/type#number-third-of-four").Request.Body))
	for _, k := range p.Cases {
		assert.NotContains(t, k.ID, "-last-of-ten", "six are too many")
		assert.NotContains(t, k.ID, "-all-of-three", "they would be the same")
	}
}

// The valid request in other forms: which headers, whose they are, and where
// the document has a say of its own.
func TestForms(t *testing.T) {
	c := parse(t, `
paths:
  /a/{p}:
    post:
      operationId: op
      security: [{Key: []}, {}]
      parameters:
        - {name: p, in: path, required: true, schema: {type: string, example: jab}}
        - {name: Origin, in: header, schema: {type: string}}
        - {name: session, in: cookie, schema: {type: string}}
      responses: {"200": {description: a, content: {text/csv: {}, text/plain: {}}}}
  /b:
    get: {operationId: get, responses: {"200": {description: a, content: {image/png: {}, application/json: {}}}}}
components:
  securitySchemes: {Key: {type: apiKey, in: query, name: key}}
`)
	p := plan.Make(c, plan.Options{})
	request := func(label string) *plan.Case { return find(t, p, "op/message#"+label) }
	assert.Equal(t, []string{"text/csv, text/plain"}, request("accept-documented").Request.Values("Accept"))
	assert.Equal(t, "text/*", request("accept-range").Request.Get("Accept"))
	assert.Equal(t, []string{"accept"}, request("accept-range").Own)
	assert.Len(t, request("unknown-headers").Request.Header, 60)
	assert.NotEmpty(t, request("unknown-headers").Leave)
	assert.Equal(t, "/a/jab?", request("bare-question-mark").Request.Target)
	assert.Equal(t, "/a/%6A%61%62", request("all-characters-encoded-of-p").Request.Target)
	assert.Equal(t, "/a/%6Aab", request("first-character-encoded-of-p").Request.Target)
	assert.Equal(t, "/a/%6a%61%62", request("escapes-in-lower-case-of-p").Request.Target)
	odd := request("path-with-invalid-utf-8-of-p")
	assert.Equal(t, "/a/jab%FF", odd.Request.Target)
	assert.Equal(t, []string{"path/p"}, odd.Unknown)
	key := request("credential-in-query-key")
	assert.Equal(t, "/a/jab?key=made-up-credential", key.Request.Target)
	assert.True(t, key.Credential)
	for _, k := range p.Cases {
		assert.NotContains(t, []string{"op/message#origin", "op/message#cookie", "op/message#expect-continue", "get/message#accept-range"}, k.ID)
	}
	assert.Empty(t, find(t, p, "get/message#cookie").Own, "cookies of the run are sent beside it")
}

// A first character that is escaped anyway is there once.
func TestFormsOfEscapedSegment(t *testing.T) {
	c := parse(t, `
paths:
  /a/{p}:
    get:
      operationId: op
      parameters: [{name: p, in: path, required: true, schema: {type: string, example: '"ab'}}]
      responses: {"204": {description: a}}
`)
	p := plan.Make(c, plan.Options{})
	assert.Equal(t, "/a/%22%61%62", find(t, p, "op/message#all-characters-encoded-of-p").Request.Target)
	for _, k := range p.Cases {
		assert.NotEqual(t, "op/message#first-character-encoded-of-p", k.ID, "it is the valid request")
	}
}

// Where the document has no charset of JSON, one means nothing.
func TestCharsetThatIsNotDocumented(t *testing.T) {
	plain := plan.Make(load(t, pets), options(load(t, pets)))
	assert.NotEmpty(t, find(t, plain, "addPet/body/media-type#other-charset").Leave)
	documented := plan.Make(load(t, ours), options(load(t, ours)))
	assert.Empty(t, find(t, documented, "CancelFactoryPackages/body/media-type#other-charset").Leave)
	assert.NotEmpty(t, find(t, documented, "CancelFactoryPackages/body/media-type#utf8").Leave)
}

// Random cases are made several at a time: how many at once changes nothing.
func TestRandomAtOnce(t *testing.T) {
	made := func(procs int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		return dump(plan.Make(load(t, ours), plan.Options{Random: 2500, Seed: 5}))
	}
	assert.Equal(t, made(1), made(4))
}

// What is inside a branch of anyOf cannot be broken where another branch takes
// any object. That is said, and not looked for in vain.
func TestHiddenByAnyOf(t *testing.T) {
	document := func(other string) string {
		return `
paths:
  /a:
    post:
      operationId: op
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [a]
              properties:
                a:
                  anyOf:
                    - {type: object, required: [n], properties: {n: {type: integer, minimum: 3}}}
                    - ` + other + `
      responses: {"204": {description: a}, "400": {description: b}}
`
	}
	broken := func(t *testing.T, other string) bool {
		return slices.ContainsFunc(plan.Make(parse(t, document(other)), plan.Options{}).Cases, func(k *plan.Case) bool {
			return k.Clause.Name == "op/body/a/anyOf/0/n/minimum" && k.Expect == plan.Refuse
		})
	}
	for _, all := range []string{"{type: object, nullable: true}", "{}", "{description: anything}"} {
		assert.False(t, broken(t, all), all)
		for clause, why := range plan.Make(parse(t, document(all)), plan.Options{}).Unreached {
			assert.NotContains(t, clause.Name, "/required", "%s is kept: %s", clause.Name, why.Text)
		}
	}
	for _, some := range []string{"{type: string}", "{type: object, required: [m]}", "{type: array, items: {}}"} {
		assert.True(t, broken(t, some), some)
	}
}

// On the way to a deep value there is no more than has to be.
func TestSpareOnTheWay(t *testing.T) {
	c := parse(t, `
paths:
  /a:
    post:
      operationId: op
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/level'}
      responses: {"204": {description: a}, "400": {description: b}}
components:
  schemas:
    level:
      type: object
      properties:
        a: {type: string}
        below: {type: object, required: [must], properties: {must: {type: integer}, may: {type: string}, more: {type: object, properties: {last: {type: string, maxLength: 3}, other: {type: string}}}}}
`)
	p := plan.Make(c, plan.Options{})
	assert.JSONEq(t, `{"below": {"must": 1, "more": {"last": "abca"}}}`, string(find(t, p, "op/body/below/more/last/maxLength#too-long").Request.Body))
}

// Where the base has no such object, another request that is accepted keeps what requires its members.
func TestRequiredIsKept(t *testing.T) {
	c, err := contract.Parse("doc.yaml", []byte(`openapi: 3.1.0
info: {title: a, version: "1"}
paths:
  /a:
    post:
      operationId: op
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                list: {type: array, items: {type: object, required: [a], properties: {a: {type: integer}}}}
                any: {type: array, items: {required: [a], properties: {a: {type: integer}}}}
                one: {oneOf: [{type: object, required: [a], properties: {a: {type: integer}}}, {type: object, required: [b], properties: {b: {type: string}}}]}
                object: {type: object, required: [a, b], properties: {a: {type: string}}}
      responses: {"200": {description: Done.}, "400": {description: Bad.}}
`))
	require.NoError(t, err)
	kept, broken := map[*contract.Clause]bool{}, map[*contract.Clause]bool{}
	for _, k := range plan.Make(c, plan.Options{}).Cases {
		if k.Expect != plan.Accept {
			broken[k.Clause] = true
			continue
		}
		kept[k.Clause] = true
		for _, also := range k.Keeps {
			kept[also] = true
		}
	}
	count := 0
	for _, cl := range c.Clauses {
		if cl.Keyword == "required" {
			count++
			assert.True(t, kept[cl] && broken[cl], cl.Name)
		}
	}
	assert.Equal(t, 7, count)
}
