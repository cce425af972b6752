package contracttest_test

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestStrictAboutRegisteredFormats proves that a service may be as strict about a format of
// OpenAPI's registry as the registry lets it be, and is tested all the same.
func TestStrictAboutRegisteredFormats(t *testing.T) {
	price := regexp.MustCompile(`^\d{1,6}(\.\d{1,2})?$`)
	date := regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$`)
	takes := 0
	rep, err := contracttest.Run(t.Context(), parse(t, `
  /offers:
    post:
      operationId: offer
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [price, key, from]
              properties:
                price: {type: string, format: decimal}
                key: {type: string, format: base64url, minLength: 6}
                from: {type: string, format: http-date}
      responses:
        "204": {description: taken}
        "400": {description: bad}
        "415": {description: no JSON}
`), contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !posted(w, r, "/offers") {
			return
		}
		m, ok := ofJSON(w, r)
		if !ok {
			return
		}
		text := func(name string) string { s, _ := m[name].(string); return s }
		key, err := base64.URLEncoding.DecodeString(text("key"))
		if !price.MatchString(text("price")) || !date.MatchString(text("from")) || err != nil || len(key) < 3 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		takes++
		w.WriteHeader(http.StatusNoContent)
	})), contracttest.Cases(0), contracttest.Workers(1))
	require.NoError(t, err)
	for _, f := range rep.Findings {
		assert.NotEqual(t, "error", f.Severity, "%s: %s", f.Clause, f.Curl)
	}
	assert.Empty(t, rep.Unproven)
	assert.Positive(t, takes)
}
