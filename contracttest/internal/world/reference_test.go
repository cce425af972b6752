package world_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// identityServer is a document in the shape of that of Ory Kratos: a GET opens a flow, a POST
// needs its identifier in its query, another GET shows it, and a list has filters.
const identityServer = `
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /admin/identities:
    get:
      operationId: listIdentities
      parameters:
        - {name: per_page, in: query, schema: {type: integer, default: 250}}
        - {name: page_token, in: query, schema: {type: string}}
        - {name: ids, in: query, schema: {type: array, items: {type: string}}}
        - {name: credentials_identifier, in: query, schema: {type: string}}
        - {name: preview_credentials_identifier_similar, in: query, schema: {type: string}}
        - {name: organization_id, in: query, schema: {type: string}}
      responses: {"200": {description: d, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/identity'}}}}}}
  /self-service/registration/api:
    get: {operationId: openRegistration, responses: {"200": {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/registrationFlow'}}}}}}
  /self-service/login/api:
    get:
      operationId: openLogin
      parameters: [{name: refresh, in: query, schema: {type: boolean}}, {name: X-Session-Token, in: header, schema: {type: string}}]
      responses: {"200": {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/loginFlow'}}}}}
  /self-service/login/browser:
    get: {operationId: openInBrowser, responses: {"200": {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/loginFlow'}}}}}}
  /self-service/login/flows:
    get:
      operationId: showLogin
      parameters: [{name: id, in: query, required: true, schema: {type: string}}]
      responses: {"200": {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/loginFlow'}}}}}
  /self-service/login:
    post:
      operationId: login
      parameters: [{name: flow, in: query, required: true, schema: {type: string}}, {name: X-Session-Token, in: header, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/byPassword'}]}}}}
      responses: {"200": {description: d}}
  /sessions/whoami:
    get: {operationId: me, responses: {"200": {description: d, content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}}}
components:
  schemas:
    loginFlow: {type: object, properties: {id: {type: string}, expires_at: {type: string, format: date-time}, ui: {type: object, properties: {nodes: {type: array, items: {type: object}}}}}}
    registrationFlow: {type: object, properties: {id: {type: string}}}
    byPassword: {type: object, required: [method, identifier, password], properties: {method: {type: string}, identifier: {type: string}, password: {type: string}, csrf_token: {type: string}}}
    identity: {type: object, properties: {id: {type: string}, organization_id: {type: string, nullable: true}, credentials: {type: object, additionalProperties: {$ref: '#/components/schemas/credentials'}}}}
    credentials: {type: object, properties: {type: {type: string}, identifiers: {type: array, items: {type: string}}}}
`

// TestReferences proves whose answers have what a request needs beside its path.
func TestReferences(t *testing.T) {
	c, err := contract.Parse("t.yaml", []byte(identityServer))
	require.NoError(t, err)
	w := world.New(c)
	sources := func(refs []world.Reference) map[string][]string {
		all := map[string][]string{}
		for _, ref := range refs {
			for _, s := range ref.Sources {
				all[ref.Name] = append(all[ref.Name], s.Operation.ID)
			}
		}
		return all
	}
	flows := []string{"openLogin", "openInBrowser", "openRegistration"}
	login := w.References(operation(t, c, http.MethodPost, "/self-service/login"))
	assert.Equal(t, map[string][]string{"flow": flows, "csrf_token": flows}, sources(login), "those first that stand near to it")
	assert.Equal(t, map[string][]string{"id": flows}, sources(w.References(operation(t, c, http.MethodGet, "/self-service/login/flows"))))
	list := operation(t, c, http.MethodGet, "/admin/identities")
	assert.Empty(t, w.References(list))
	filters := w.Filters(list)
	own := []string{"listIdentities"}
	assert.Equal(t, map[string][]string{"ids": own, "credentials_identifier": own, "organization_id": own}, sources(filters))

	answer := func(body string) *wire.Exchange {
		return &wire.Exchange{Response: &wire.Response{Header: http.Header{}, Body: []byte(body)}}
	}
	opened := answer(`{"id":"f-1","expires_at":"2999-01-01T00:00:00Z","ui":{"nodes":[{"type":"input","attributes":{"name":"csrf_token","type":"hidden","value":"c-1"}}]}}`)
	assert.Equal(t, []string{"f-1"}, login[0].Sources[0].Values(opened))
	assert.Equal(t, []string{"c-1"}, login[1].Sources[0].Values(opened), "a field of its form")
	listed := answer(`[{"id":"i-1","organization_id":null},{"id":"i-2","credentials":{"password":{"type":"password","identifiers":["mary"]}}}]`)
	values := map[string][]string{}
	for _, ref := range filters {
		values[ref.Name] = ref.Sources[0].Values(listed)
	}
	assert.Equal(t, map[string][]string{"ids": {"i-1"}, "credentials_identifier": {"mary"}, "organization_id": nil}, values)
}

// TestReferencesByForm proves that a number is the identifier of what it is called after, unless it is one
// of pages or has a default.
func TestReferencesByForm(t *testing.T) {
	c, err := contract.Parse("t.yaml", []byte(`
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /pages:
    get: {operationId: listPages, parameters: [{name: page, in: query, schema: {type: integer, minimum: 1}}], responses: {"200": {description: d}}}
    post: {operationId: addPage, requestBody: {content: {application/json: {schema: {type: object, properties: {order: {type: integer}}}}}}, responses: {"201": {description: d}}}
  /orders:
    get: {operationId: listOrders, parameters: [{name: room, in: query, schema: {type: integer}}, {name: page, in: query, schema: {type: integer}}], responses: {"200": {description: d}}}
    post:
      operationId: addOrder
      requestBody: {content: {application/json: {schema: {type: object, properties: {room: {type: integer}, page: {type: integer, default: 1}}}}}}
      responses: {"201": {description: d}}
  /rooms:
    post: {operationId: addRoom, responses: {"201": {description: d}}}
`))
	require.NoError(t, err)
	w := world.New(c)
	all := map[string][]string{}
	for _, op := range c.Operations {
		for _, ref := range w.References(op) {
			all[op.ID] = append(all[op.ID], ref.Name)
		}
	}
	assert.Equal(t, map[string][]string{"addPage": {"order"}, "addOrder": {"room"}, "listOrders": {"room"}}, all)
}

// TestReferencesByType proves that the type beside an identifier says of what it is one, as JSON:API has
// it; and that what a request is sent to is no other one.
func TestReferencesByType(t *testing.T) {
	c, err := contract.Parse("t.yaml", []byte(`
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /people:
    post: {operationId: addPerson, responses: {"201": {description: d}}}
  /articles:
    post: {operationId: addArticle, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Article'}}}}, responses: {"201": {description: d}}}
  /articles/{id}:
    patch:
      operationId: changeArticle
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Article'}}}}
      responses: {"200": {description: d}}
  /articles/{id}/relationships/author:
    patch:
      operationId: changeAuthor
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Author'}}}}
      responses: {"204": {description: d}}
components:
  schemas:
    Author: {type: object, properties: {data: {type: object, properties: {type: {enum: [people]}, id: {type: string}}}}}
    Article:
      type: object
      properties:
        data:
          type: object
          properties:
            type: {const: articles}
            id: {type: string}
            relationships:
              type: object
              properties:
                author: {$ref: '#/components/schemas/Author'}
                sequel: {type: object, properties: {data: {type: object, properties: {type: {const: articles}, id: {type: string}}}}}
                reviewers: {type: object, properties: {data: {type: array, items: {type: object, properties: {type: {const: people}, id: {type: string}}}}}}
`))
	require.NoError(t, err)
	w := world.New(c)
	all := map[string][]string{}
	for _, op := range c.Operations {
		for _, ref := range w.References(op) {
			all[op.ID] = append(all[op.ID], ref.Node.Path+" of "+ref.Sources[0].Operation.ID)
		}
	}
	const author, reviewers = "body/data/relationships/author/data/id of addPerson", "body/data/relationships/reviewers/data/items/id of addPerson"
	assert.Equal(t, map[string][]string{
		"addArticle":    {author, reviewers},
		"changeArticle": {author, reviewers, "body/data/relationships/sequel/data/id of addArticle"},
		"changeAuthor":  {"body/data/id of addPerson"},
	}, all)
}

// TestTokens proves where a token against forged requests and its cookie are read from.
func TestTokens(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /csrf-token:
    get: {operationId: token, responses: {"200": {description: d, content: {application/json: {schema: {type: object, properties: {token: {type: string}}}}}}}}
  /page:
    get: {operationId: page, responses: {"200": {description: d, headers: {X-XSRF-Token: {schema: {type: string}}, Set-Cookie: {schema: {type: string}}}}}}
  /votes:
    post:
      operationId: vote
      parameters: [{name: X-CSRF-Token, in: header, required: true, schema: {type: string}}, {name: seen, in: cookie, required: true, schema: {type: string}}, {name: lang, in: cookie, schema: {type: string}}]
      responses: {"204": {description: d}}
`
	c, err := contract.Parse("t.yaml", []byte(document))
	require.NoError(t, err)
	refs := world.New(c).References(operation(t, c, http.MethodPost, "/votes"))
	require.Len(t, refs, 2, "a cookie that may be absent is none")
	byOp := map[string]world.Source{}
	for _, s := range refs[0].Sources {
		byOp[s.Operation.ID] = s
	}
	x := &wire.Exchange{Response: &wire.Response{Header: http.Header{"X-Xsrf-Token": {"h-1"}, "Set-Cookie": {"seen=s-1; Path=/; HttpOnly", "lang=en"}}, Body: []byte(`{"token":"t-1"}`)}}
	assert.Equal(t, []string{"h-1"}, byOp["page"].Values(x))
	assert.Equal(t, []string{"s-1"}, refs[1].Sources[0].Values(x))
	x.Response.Header = http.Header{}
	assert.Equal(t, []string{"t-1"}, byOp["token"].Values(x))
	assert.Empty(t, byOp["page"].Values(x))
}
