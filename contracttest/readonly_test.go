package contracttest_test

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

const cars = `
openapi: 3.1.0
info: {title: cars, version: "1"}
paths:
  /cars:
    post:
      operationId: addCar
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Car"}}}}
      responses: {"204": {description: added}, "400": {description: bad}}
  /cars/{plate}:
    put:
      operationId: writeCar
      parameters: [{name: plate, in: path, required: true, schema: {type: string, pattern: "^[A-Z]{1,6}$"}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Car"}}}}
      responses: {"204": {description: written}, "400": {description: bad}}
components:
  schemas:
    Car: {type: object, required: [made, name], properties: {made: {type: string, readOnly: true}, name: {type: string, maxLength: 9}}}
`

// A property that is required and readOnly may be absent from a request of OpenAPI 3.1, and it
// may be there: nothing says which. Where the target insists on it, requests have it, so that
// the rest of the operation is tested.
func TestRequiredReadOnly(t *testing.T) {
	for _, tt := range []struct {
		name   string
		takes  func(made, there bool, name string) bool
		errors []string
	}{
		{"either", func(made, there bool, name string) bool { return (made || !there) && len([]rune(name)) <= 9 }, nil},
		{"has to be there", func(made, _ bool, name string) bool { return made && len([]rune(name)) <= 9 }, nil},
		{"must not be there", func(_, there bool, name string) bool { return !there && len([]rune(name)) <= 9 }, nil},
		{"has to be there, and a name of any length is taken", func(made, _ bool, _ string) bool { return made }, []string{"addCar/body/name/maxLength", "writeCar/body/name/maxLength"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), parse(t, cars), contracttest.Handler(garage(tt.takes)), contracttest.Values("plate", "ABC"))
			require.NoError(t, err)
			var broken []string
			for _, f := range rep.Findings {
				if f.Severity == report.Error {
					broken = append(broken, f.Clause)
				}
			}
			assert.ElementsMatch(t, tt.errors, broken, "%s", describe(rep))
			filled := slices.ContainsFunc(rep.Warnings, func(w string) bool {
				return strings.HasPrefix(w, "addCar, writeCar: requests without the properties that are required and readOnly are refused")
			})
			assert.Equal(t, strings.HasPrefix(tt.name, "has to be there"), filled, "%v", rep.Warnings)
			assert.Greater(t, rep.Coverage.Kept, 20)
		})
	}
}

// garage keeps the contract above as far as takes has nothing against it.
func garage(takes func(made, there bool, name string) bool) http.Handler {
	h := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		members, _ := parsed(body).(map[string]any)
		name, isText := members["name"].(string)
		v, there := members["made"]
		_, made := v.(string)
		kind, params, malformed := mime.ParseMediaType(strings.Join(r.Header.Values("Content-Type"), ", "))
		utf8 := params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8")
		if err != nil || malformed != nil || !isText || !takes(made, there, name) || kind != "application/json" || !utf8 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cars", h)
	mux.HandleFunc("PUT /cars/{plate}", func(w http.ResponseWriter, r *http.Request) {
		plate := r.PathValue("plate")
		if len(plate) > 6 || strings.Trim(plate, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h(w, r)
	})
	return mux
}
