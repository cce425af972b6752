package coverage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/coverage"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const document = `openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /a:
    get:
      operationId: op
      responses:
        "200":
          description: Done.
          headers:
            X-Count: {required: true, schema: {type: integer, minimum: 1}}
            X-Other: {schema: {type: string}}
          content:
            application/json:
              schema:
                type: object
                required: [name]
                additionalProperties: {type: integer, maximum: 9}
                properties:
                  name: {type: string, maxLength: 3, nullable: true}
                  list: {type: array, maxItems: 2, items: {type: number, multipleOf: 2}}
                  part: {allOf: [{type: object, minProperties: 1, properties: {p: {type: string}}}]}
                  one: {oneOf: [{type: string, minLength: 1}, {type: integer, minimum: 1}]}
                  any: {anyOf: [{type: string, minLength: 1}, {type: boolean}]}
            text/plain: {schema: {type: string, maxLength: 5}}
            image/png: {}
        "204": {description: Nothing.}
`

func parse(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Parse("doc.yaml", []byte(document))
	require.NoError(t, err)
	return c
}

func TestState(t *testing.T) {
	cl := parse(t).Clauses[0]
	for _, tt := range []struct {
		enter func(coverage.Account)
		want  string
	}{
		{func(coverage.Account) {}, "unreached"},
		{func(a coverage.Account) { a.Tried(cl) }, "not_proven"},
		{func(a coverage.Account) { a.Kept(cl) }, "kept"},
		{func(a coverage.Account) { a.Broken(cl) }, "broken"},
		{func(a coverage.Account) { a.Tried(cl); a.Broken(cl); a.Kept(nil, cl) }, "kept+broken"},
	} {
		a := coverage.Account{}
		tt.enter(a)
		assert.Equal(t, tt.want, a[cl].String())
		assert.NotContains(t, a, (*contract.Clause)(nil))
	}
}

// A response shows the clauses that say something of what is in it.
func TestResponse(t *testing.T) {
	const json = "HTTP/1.1 200\nContent-Type: application/json\nX-Count: 1\n\n"
	// What every JSON response of the operation shows.
	always := []string{"status", "200/header/X-Count/required", "200/header/X-Count/type", "200/header/X-Count/minimum", "200/media-type", "200/body/syntax"}
	object := []string{"200/body/type", "200/body/name/required"}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"not documented", "HTTP/1.1 404\n", []string{"status"}},
		{"no body", "HTTP/1.1 204\n", []string{"status", "204/no-body"}},
		{"no body where one is documented", "HTTP/1.1 200\n", []string{"status", "200/media-type", "200/header/X-Count/required"}},
		{"another media type", "HTTP/1.1 200\nContent-Type: a/b\n\nx", []string{"status", "200/media-type", "200/header/X-Count/required"}},
		{"no schema", "HTTP/1.1 200\nContent-Type: image/png\n\nx", []string{"status", "200/media-type", "200/header/X-Count/required"}},
		{"text", "HTTP/1.1 200\nContent-Type: text/plain\n\nabc", []string{"status", "200/media-type", "200/header/X-Count/required", "200/body:text~1plain/type", "200/body:text~1plain/maxLength"}},
		{"not JSON", json + "{", always},
		{"another type", json + "[]", append(slices.Clone(always), "200/body/type")},
		{"empty object", json + "{}", slices.Concat(always, object)},
		{"string", json + `{"name":"a"}`, slices.Concat(always, object, []string{"200/body/name/type", "200/body/name/maxLength"})},
		{"null has no length", json + `{"name":null}`, slices.Concat(always, object, []string{"200/body/name/type"})},
		{"list", json + `{"list":[2]}`, slices.Concat(always, object, []string{"200/body/list/type", "200/body/list/maxItems", "200/body/list/items/type", "200/body/list/items/multipleOf"})},
		{"empty list", json + `{"list":[]}`, slices.Concat(always, object, []string{"200/body/list/type", "200/body/list/maxItems"})},
		{"further property", json + `{"x":1}`, slices.Concat(always, object, []string{"200/body/additionalProperties/type", "200/body/additionalProperties/maximum"})},
		{"allOf", json + `{"part":{"p":"a"}}`, slices.Concat(always, object, []string{"200/body/part/allOf/0/type", "200/body/part/allOf/0/minProperties", "200/body/part/allOf/0/p/type"})},
		{"the branch that fits", json + `{"one":1}`, slices.Concat(always, object, []string{"200/body/one/oneOf", "200/body/one/oneOf/1/type", "200/body/one/oneOf/1/minimum"})},
		{"any branch that fits", json + `{"any":"a"}`, slices.Concat(always, object, []string{"200/body/any/anyOf", "200/body/any/anyOf/0/type", "200/body/any/anyOf/0/minLength"})},
		{"optional header", strings.Replace(json, "X-Count", "X-Other: a\nX-Count", 1) + "{}", slices.Concat(always, object, []string{"200/header/X-Other/type"})},
	}
	op := parse(t).Operations[0]
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := wire.ParseResponse("GET", []byte(tt.text))
			require.NoError(t, err)
			a := coverage.Account{}
			a.Response(op, resp)
			var got []string
			for cl, state := range a {
				assert.Equal(t, "observed", state.String())
				got = append(got, strings.TrimPrefix(cl.Name, "op/response/"))
			}
			assert.ElementsMatch(t, tt.want, got)
		})
	}
}
