package contracttest_test

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

const inYAML = `
openapi: 3.0.3
info: {title: bodies of YAML, version: "1"}
components:
  schemas:
    Rule: {type: object, required: [name, size], properties: {name: {type: string, minLength: 2}, size: {type: integer, minimum: 1, maximum: 9}, tags: {type: array, items: {type: string}, maxItems: 3}}}
paths:
  /rules:
    post:
      operationId: putRule
      requestBody: {required: true, content: {application/yaml: {schema: {$ref: '#/components/schemas/Rule'}}}}
      responses: {"200": {description: the same, content: {application/yaml: {schema: {$ref: '#/components/schemas/Rule'}}}}, "400": {description: bad}, "415": {description: no YAML}}
`

// ruler is a service that reads bodies of YAML, and answers with one of its own.
type ruler struct {
	answer   string
	anySize  bool
	anyBytes bool
}

func (s ruler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.URL.EscapedPath() != "/rules":
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case err != nil || typ != "application/yaml" || len(r.Header.Values("Content-Type")) != 1 || r.Header.Get("Content-Encoding") != "":
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	var rule struct {
		Name *string
		Size *int
		Tags *[]string
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = yaml.Unmarshal(body, &rule)
	}
	bad := rule.Name == nil || utf8.RuneCountInString(*rule.Name) < 2 || rule.Size == nil || (*rule.Size < 1 || *rule.Size > 9) && !s.anySize ||
		rule.Tags != nil && len(*rule.Tags) > 3
	var members map[string]yaml.Node // null is no value of any of them, and 1.5 is read as 1
	if err == nil && yaml.Unmarshal(body, &members) == nil {
		for _, name := range []string{"name", "size", "tags"} {
			n, there := members[name]
			bad = bad || there && (n.ShortTag() == "!!null" || name == "size" && n.ShortTag() != "!!int")
			for _, item := range n.Content {
				bad = bad || item.ShortTag() == "!!null"
			}
		}
	}
	if (err != nil || bad) && (err == nil || !s.anyBytes) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = io.WriteString(w, s.answer)
}

// TestYAML proves that bodies of YAML are sent and judged.
func TestYAML(t *testing.T) {
	t.Parallel()
	c, err := contracttest.Parse("yaml.yaml", []byte(inYAML))
	require.NoError(t, err)
	good := "# a rule\nname: &n 12\nsize: 0x5\ntags: [yes, 2020-01-01, *n]\n"
	for seed := range 20 {
		if racing.Take(seed, 5) {
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(ruler{answer: good}), contracttest.Seed(int64(seed)))
			require.NoError(t, err)
			assert.Zero(t, rep.Errors(), "%d: %s", seed, describe(rep))
			assert.Empty(t, rep.Unproven, "%v", rep.Unproven)
		}
	}
	for _, tt := range []struct {
		name, want string
		service    ruler
	}{
		{"a size that is too large is taken", "error invalid-request-accepted putRule/body/size/maximum", ruler{answer: good, anySize: true}},
		{"what is no YAML is taken", "error invalid-request-accepted putRule/body/syntax", ruler{answer: good, anyBytes: true}},
		{"a size as a text", "error response-schema putRule/response/200/body/size/type", ruler{answer: strings.Replace(good, "0x5", "'5'", 1)}},
		{"a size that is too small", "error response-schema putRule/response/200/body/size/minimum", ruler{answer: strings.Replace(good, "0x5", "0", 1)}},
		{"no size", "error response-schema putRule/response/200/body/size/required", ruler{answer: "name: ab"}},
		{"no YAML", "putRule/response/200/body/syntax", ruler{answer: "name: [ab"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(tt.service), contracttest.Cases(0))
			require.NoError(t, err)
			assert.Contains(t, describe(rep), tt.want)
		})
	}
}
