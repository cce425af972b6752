package mock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// hiring is a document of what is made below something else and has a path of its own. All path
// parameters have one name.
const hiring = `
openapi: 3.0.3
info: {title: hiring, version: "1"}
paths:
  /vacancies:
    post: {requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 60}}}}}}, responses: {"201": {$ref: '#/components/responses/Vacancy'}, "400": {description: refused}, "415": {description: refused}}}
  /vacancies/{id}:
    parameters: [{$ref: '#/components/parameters/id'}]
    get: {responses: {"200": {$ref: '#/components/responses/Vacancy'}, "400": {description: refused}, "404": {description: none}}}
    delete: {responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
  /vacancies/{id}/applications:
    parameters: [{$ref: '#/components/parameters/id'}]
    post: {requestBody: {$ref: '#/components/requestBodies/Application'}, responses: {"201": {$ref: '#/components/responses/Application'}, "400": {description: refused}, "404": {description: none}, "415": {description: refused}}}
    get: {responses: {"200": {$ref: '#/components/responses/Applications'}, "400": {description: refused}, "404": {description: none}}}
  /applications:
    get: {parameters: [{name: vacancyId, in: query, schema: {type: integer, minimum: 1}}], responses: {"200": {$ref: '#/components/responses/Applications'}, "400": {description: refused}}}
  /applications/{id}:
    parameters: [{$ref: '#/components/parameters/id'}]
    get: {responses: {"200": {$ref: '#/components/responses/Application'}, "400": {description: refused}, "404": {description: none}}}
    put: {requestBody: {$ref: '#/components/requestBodies/Application'}, responses: {"200": {$ref: '#/components/responses/Application'}, "400": {description: refused}, "404": {description: none}, "415": {description: refused}}}
    delete: {responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
components:
  parameters:
    id: {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
  requestBodies:
    Application: {required: true, content: {application/json: {schema: {type: object, required: [email], properties: {email: {type: string, minLength: 3, maxLength: 60}}}}}}
  responses:
    Vacancy: {description: it, content: {application/json: {schema: {type: object, required: [id, title], properties: {id: {type: integer}, title: {type: string}}}}}}
    Application: {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Application'}}}}
    Applications: {description: all, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Application'}}}}}
  schemas:
    Application: {type: object, required: [id, vacancyId, email], properties: {id: {type: integer}, vacancyId: {type: integer}, email: {type: string}}}
`

// TestSelfOfShallow runs the engine where what is made below something else has a path of its own.
func TestSelfOfShallow(t *testing.T) {
	c, err := contracttest.Parse("hiring.yaml", []byte(hiring))
	require.NoError(t, err)
	faultless(t, c, contracttest.Mock(c), contracttest.Cases(0))
}
