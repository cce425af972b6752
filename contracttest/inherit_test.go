package contracttest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const inheriting = `
swagger: "2.0"
info: {title: heirs, version: "1"}
consumes: [application/json]
produces: [application/json]
paths:
  /pets:
    post:
      operationId: addPet
      parameters: [{name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}]
      responses: {201: {description: made, schema: {$ref: '#/definitions/Pet'}}, 400: {description: bad}, 415: {description: no JSON}}
definitions:
  Pet: {type: object, discriminator: kind, required: [kind, name], properties: {kind: {type: string}, name: {type: string, minLength: 1, maxLength: 9}}}
  Cat: {x-ms-discriminator-value: cat, allOf: [{$ref: '#/definitions/Pet'}, {type: object, required: [hunts], properties: {hunts: {type: string, enum: [lazy, bold]}}}]}
  Dog: {allOf: [{$ref: '#/definitions/Pet'}, {type: object, required: [pack], properties: {pack: {type: integer, minimum: 0}}}]}
  Puppy: {allOf: [{$ref: '#/definitions/Dog'}, {type: object, required: [age], properties: {age: {type: integer, minimum: 0, maximum: 2}}}]}
`

const choosing = `
openapi: 3.0.3
info: {title: branches, version: "1"}
paths:
  /pets:
    post:
      operationId: addPet
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/AnyPet'}}}}
      responses: {"201": {description: made}, "400": {description: bad}, "415": {description: no JSON}}
components:
  schemas:
    AnyPet: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind, mapping: {cat: '#/components/schemas/Cat'}}}
    Pet: {type: object, required: [kind, name], properties: {kind: {type: string}, name: {type: string, minLength: 1, maxLength: 9}}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, required: [hunts], properties: {hunts: {type: string, enum: [lazy, bold]}}}]}
    Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, properties: {pack: {type: integer, minimum: 0}}}]}
`

// breeder takes pets whose kind says what they have; of some members it takes any value, and of those that
// it answers with it changes some.
func breeder(names, lax string, changed ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !posted(w, r, "/pets") {
			return
		}
		pet, ok := ofJSON(w, r)
		if !ok {
			return
		}
		within := func(name string, least, most float64) bool {
			n, ok := pet[name].(float64)
			return ok && n == float64(int64(n)) && n >= least && n <= most || name == lax
		}
		kind, _ := pet["kind"].(string)
		name, isText := pet["name"].(string)
		good := isText && name != "" && utf8.RuneCountInString(name) <= 9 && strings.Contains(names, "|"+kind+"|")
		switch kind {
		case "cat", "Cat":
			good = good && (pet["hunts"] == "lazy" || pet["hunts"] == "bold" || lax == "hunts")
		case "Puppy":
			good = good && within("age", 0, 2) && within("pack", 0, 1e15)
		case "Dog":
			_, has := pet["pack"]
			good = good && (!has && strings.Contains(names, "|Cat|") || within("pack", 0, 1e15))
		}
		if !good {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for i := 0; i+1 < len(changed); i += 2 {
			pet[changed[i]] = json.RawMessage(changed[i+1])
		}
		answerJSON(w, http.StatusCreated, pet)
	})
}

// TestInheritance proves that a value is one of the schema that its discriminator names, be it a branch or
// one that is made of the schema by allOf.
func TestInheritance(t *testing.T) {
	t.Parallel()
	const heirs, branches = "|cat|Dog|Puppy|Pet|", "|cat|Cat|Dog|"
	for _, tt := range []struct {
		name, spec string
		h          http.Handler
		want       string
	}{
		{"heirs", inheriting, breeder(heirs, ""), ""},
		{"an heir of an heir is answered", inheriting, breeder(heirs, "", "kind", `"Puppy"`, "pack", "1", "age", "1"), ""},
		{"an heir is answered that is none", inheriting, breeder(heirs, "", "kind", `"Dog"`, "pack", "-1"), "error response-schema addPet/response/201/body/discriminator:"},
		{"branches", choosing, breeder(branches, ""), ""},
		{"a branch that another one would take", choosing, breeder(branches, "hunts"), "error invalid-request-accepted addPet/body/oneOf/0/allOf/1/hunts/enum:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := contracttest.Parse("pets.yaml", []byte(tt.spec))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(tt.h), contracttest.Cases(5))
			require.NoError(t, err)
			assert.Empty(t, rep.Unproven, "%v", rep.Unproven)
			if tt.want != "" {
				assert.Contains(t, describe(rep), tt.want)
				return
			}
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.NotContains(t, describe(rep), "discriminator", "%s", describe(rep))
		})
	}
}
