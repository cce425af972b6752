package contract_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// TestReadYAML holds scalars against the core schema of YAML 1.2.2 (§10.3).
func TestReadYAML(t *testing.T) {
	c := parse(t, head+`paths:
  /a: {get: {operationId: a, responses: {"200": {description: b, content: {application/yaml: {schema: {
    type: object, properties: {n: {type: integer, minimum: 9, maximum: 20}, f: {type: number}, l: {type: array}}}}}}}}}
`)
	for _, tt := range []struct{ name, body, want string }{
		{"zeros first", "n: 0010", ""},
		{"a sign and zeros", "n: +012", ""},
		{"zeros before too little", "n: 08", "n/minimum"},
		{"below zero", "n: -010", "n/minimum"},
		{"octal", "n: 0o12", ""},
		{"infinity is none of JSON", "f: -.inf", ""},
		{"nor is what is no number", "f: .NaN", ""},
		{"a word", "f: inf", "f/type"},
		{"a list in itself", "l: &a [*a]", ""},
		{"an object in itself", "&a {l: [*a, *a, *a]}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			op, _ := c.Find("GET", "/a")
			doc := op.Response(200)
			got := doc.CheckBody(doc.Media[0], &wire.Response{Status: 200, Header: map[string][]string{"Content-Type": {"application/yaml"}}, Body: []byte(tt.body)})
			if tt.want == "" {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, "a/response/200/body/"+tt.want, got[0].Clause.Name)
		})
	}
}
