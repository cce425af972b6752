package contracttest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestAmounts proves that a limit below that of the document is found where a number says how much
// of something there is, and that a number which may name something is left alone: it need not
// exist.
func TestAmounts(t *testing.T) {
	tests := []struct {
		name, schema string // of the property
		reject       func(int64) bool
		found        bool
	}{
		{"quantity", "type: integer, minimum: 1, maximum: 2000000000", func(n int64) bool { return n > 1000 }, true},
		{"seats", "type: integer, minimum: 1, maximum: 50000", func(n int64) bool { return n > 1000 }, true},
		{"page_size", "type: integer, minimum: 1", func(n int64) bool { return n > 1000 }, true},
		{"price", "type: integer, minimum: 0", func(n int64) bool { return n > 1000 }, true},
		{"quantity", "type: integer, minimum: 1, maximum: 2000000000", func(int64) bool { return false }, false},
		{"quantity", "type: integer, minimum: 1", func(n int64) bool { return n > 1000 }, false}, // of a supply
		{"category", "type: integer, minimum: 1", func(n int64) bool { return n > 7 }, false},
		{"category", "type: integer, minimum: 1, maximum: 2147483647", func(n int64) bool { return n > 7 }, false},
		{"team_id", "type: integer, minimum: 1, maximum: 5000", func(n int64) bool { return n > 7 }, false},
		{"page", "type: integer, minimum: 1, maximum: 5000", func(n int64) bool { return n > 7 }, false},
		{"kind", "type: integer, minimum: 1, maximum: 5000", func(n int64) bool { return n > 7 }, false}, // there is /kinds
	}
	for _, tt := range tests {
		for _, in := range []string{"body", "query"} {
			t.Run(tt.name+" in "+in+" "+tt.schema, func(t *testing.T) {
				c, err := contracttest.Parse("amounts.yaml", []byte(amountsDocument(tt.name, tt.schema, in)))
				require.NoError(t, err)
				refuse := func(w http.ResponseWriter) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusBadRequest)
					assert.NoError(t, json.NewEncoder(w).Encode(map[string]string{"error": "bad"}))
				}
				mux := http.NewServeMux()
				mux.HandleFunc("POST /things", func(w http.ResponseWriter, r *http.Request) {
					number := json.Number("")
					if in == "query" {
						values := r.URL.Query()[tt.name]
						if len(values) != 1 {
							refuse(w)
							return
						}
						number = json.Number(values[0])
					} else {
						members := map[string]json.RawMessage{}
						if json.NewDecoder(r.Body).Decode(&members) != nil || json.Unmarshal(members[tt.name], &number) != nil || strings.HasPrefix(string(members[tt.name]), `"`) {
							refuse(w)
							return
						}
					}
					n, err := strconv.ParseInt(string(number), 10, 64)
					if err != nil || n < 0 || tt.reject(n) {
						refuse(w)
						return
					}
					w.WriteHeader(http.StatusNoContent)
				})
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Only("operation:act"))
				require.NoError(t, err)
				found := slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Severity == "error" && f.Check == "valid-request-refused" })
				assert.Equal(t, tt.found, found, "%s", describe(rep))
			})
		}
	}
}

func amountsDocument(name, schema, in string) string {
	part := "parameters: [{name: " + name + ", in: query, required: true, schema: {" + schema + "}}]"
	if in == "body" {
		part = "requestBody: {required: true, content: {application/json: {schema: {type: object, required: [" + name + "], properties: {" + name + ": {" + schema + "}}}}}}"
	}
	return `
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /things:
    post:
      operationId: act
      ` + part + `
      responses:
        "204": {description: done}
        "400": {description: refused, content: {application/json: {schema: {type: object}}}}
  /kinds:
    get:
      operationId: listKinds
      responses: {"200": {description: ok, content: {application/json: {schema: {type: array, items: {type: object}}}}}}
`
}

// TestAmountsThatBelongTogether proves that a service is not blamed for what no schema says of several
// numbers: one is a limit of another, or those of a list add up to something.
func TestAmountsThatBelongTogether(t *testing.T) {
	number := func(members map[string]any, name string) float64 {
		n, _ := members[name].(float64)
		return n
	}
	for _, tt := range []struct {
		name, schema string
		keeps        func(map[string]any) bool
	}{
		{
			"a timeout within an interval",
			"required: [interval, timeout], properties: {interval: {type: integer, minimum: 1, maximum: 300}, timeout: {type: integer, minimum: 1, maximum: 300}}",
			func(m map[string]any) bool { return number(m, "timeout") <= number(m, "interval") },
		},
		{
			"an end behind a start",
			"required: [start, end], properties: {start: {type: integer, minimum: 0, maximum: 90}, end: {type: integer, minimum: 0, maximum: 90}}",
			func(m map[string]any) bool { return number(m, "start") <= number(m, "end") },
		},
		{
			"parts of a whole",
			"required: [parts], properties: {parts: {type: array, minItems: 1, maxItems: 1, example: [100], items: {type: integer, minimum: 0, maximum: 100}}}",
			func(m map[string]any) bool {
				sum := 0.0
				parts, _ := m["parts"].([]any)
				for _, p := range parts {
					n, _ := p.(float64)
					sum += n
				}
				return sum == 100
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := `
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /things:
    post:
      operationId: act
      requestBody: {required: true, content: {application/json: {schema: {type: object, ` + tt.schema + `}}}}
      responses:
        "204": {description: done}
        "400": {description: refused}
`
			c, err := contracttest.Parse("amounts.yaml", []byte(doc))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				members := map[string]any{}
				if json.NewDecoder(r.Body).Decode(&members) != nil || !tt.keeps(members) {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				w.WriteHeader(http.StatusNoContent)
			})))
			require.NoError(t, err)
			assert.False(t, slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool {
				return f.Severity == "error" && f.Check == "valid-request-refused"
			}), "%s", describe(rep))
		})
	}
}
