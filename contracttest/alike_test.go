package contracttest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestAlike proves that texts which have to be new keep the form of the document's example where
// the service wants that, though no pattern says so; and that a second run meets none of the first.
func TestAlike(t *testing.T) {
	for _, tt := range []struct{ name, property, example, form string }{
		{"a number with its year", "number", "2024-001", `^20\d\d-\d{3}$`},
		{"behind fixed letters", "sku", "SKU-00042", `^SKU-\d{5}$`},
		{"letters and digits", "code", "AB12", `^[A-Z]{2}\d\d$`},
		{"a phone", "phone", "+49301234567", `^\+49\d{9}$`},
		{"a path", "mount", "/path/a", `^(/[a-z0-9]+)+$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, strings.NewReplacer("PROPERTY", tt.property, "EXAMPLE", tt.example).Replace(`
  /parts:
    post:
      operationId: addPart
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [PROPERTY], properties: {PROPERTY: {type: string, example: "EXAMPLE"}}}
      responses:
        "201": {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Part'}}}}
        "400": {description: bad}
        "409": {description: there is one}
        "415": {description: no JSON}
  /parts/{partId}:
    parameters: [{name: partId, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getPart
      responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Part'}}}}, "404": {description: none}}
  /parts/{partId}/stop:
    parameters: [{name: partId, in: path, required: true, schema: {type: integer}}]
    post:
      operationId: stopPart
      responses: {"204": {description: stopped}, "404": {description: none}, "409": {description: it is stopped}}
components:
  schemas:
    Part: {type: object, required: [id], properties: {id: {type: integer}, PROPERTY: {type: string}}}
`))
			form := regexp.MustCompile(tt.form)
			var mu sync.Mutex
			there := map[string]bool{}
			var made []map[string]any
			var stopped []bool
			mux := http.NewServeMux()
			mux.HandleFunc("/parts", func(w http.ResponseWriter, r *http.Request) {
				if !posted(w, r, "/parts") {
					return
				}
				m, ok := ofJSON(w, r)
				text, _ := m[tt.property].(string)
				switch {
				case !ok:
				case !form.MatchString(text):
					w.WriteHeader(http.StatusBadRequest)
				case there[text]:
					w.WriteHeader(http.StatusConflict)
				default:
					there[text] = true
					part := map[string]any{"id": len(made), tt.property: text}
					made, stopped = append(made, part), append(stopped, false)
					answerJSON(w, http.StatusCreated, part)
				}
			})
			one := func(w http.ResponseWriter, r *http.Request) int {
				for i, part := range made {
					if r.PathValue("id") == fmt.Sprint(part["id"]) {
						return i
					}
				}
				w.WriteHeader(http.StatusNotFound)
				return -1
			}
			mux.HandleFunc("GET /parts/{id}", func(w http.ResponseWriter, r *http.Request) {
				if i := one(w, r); i >= 0 {
					answerJSON(w, http.StatusOK, made[i])
				}
			})
			mux.HandleFunc("POST /parts/{id}/stop", func(w http.ResponseWriter, r *http.Request) {
				switch i := one(w, r); {
				case i < 0:
				case stopped[i]:
					w.WriteHeader(http.StatusConflict)
				default:
					stopped[i] = true
					w.WriteHeader(http.StatusNoContent)
				}
			})
			for _, run := range []string{"first", "second"} {
				before := len(made)
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					mux.ServeHTTP(w, r)
				})), contracttest.Skip("allow-header"), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0))
				require.NoError(t, err)
				for _, op := range rep.Unproven {
					t.Errorf("%s: %s was never accepted: %v", run, op.Operation, op)
				}
				assert.Greater(t, len(made)-before, 3, run)
			}
		})
	}
}
