package document

// objects says what the fields of each object of OpenAPI hold: a plain type, the
// name of an object, or, after [] or {}, a list or a map of these. Fields that are
// not named are left as they are.
var objects = map[string]map[string]string{
	"document": {
		"openapi": "string", "info": "info", "servers": "[]server", "paths": "{}pathItem", "webhooks": "{}pathItem",
		"components": "components", "security": "[]requirement", "tags": "[]tag", "externalDocs": "docs",
	},
	"info":    {"title": "string", "version": "string", "description": "string", "termsOfService": "string", "contact": "contact", "license": "license", "summary": "string"},
	"contact": {"name": "string", "url": "string", "email": "string"},
	"license": {"name": "string", "url": "string", "identifier": "string"},
	"tag":     {"name": "string", "description": "string", "externalDocs": "docs"},
	"docs":    {"url": "string", "description": "string"},
	"server":  {"url": "string", "description": "string", "variables": "{}variable"},
	"variable": {
		"enum": "[]string", "default": "string", "description": "string",
	},
	"components": {
		"schemas": "{}schema", "responses": "{}response", "parameters": "{}parameter", "examples": "{}example",
		"requestBodies": "{}requestBody", "headers": "{}header", "securitySchemes": "{}scheme", "links": "{}link",
		"callbacks": "{}callback", "pathItems": "{}pathItem", "mediaTypes": "{}media",
	},
	"pathItem": {
		"summary": "string", "description": "string", "servers": "[]server", "parameters": "[]parameter",
		"get": "operation", "put": "operation", "post": "operation", "delete": "operation", "options": "operation",
		"head": "operation", "patch": "operation", "trace": "operation", "query": "operation", "additionalOperations": "{}operation",
	},
	"operation": {
		"tags": "[]string", "summary": "string", "description": "string", "operationId": "string", "externalDocs": "docs",
		"parameters": "[]parameter", "requestBody": "requestBody", "responses": "{}response", "callbacks": "{}callback",
		"deprecated": "bool", "security": "[]requirement", "servers": "[]server",
	},
	"parameter": {
		"name": "string", "in": "string", "description": "string", "required": "bool", "deprecated": "bool", "allowEmptyValue": "bool",
		"style": "string", "explode": "bool", "allowReserved": "bool", "schema": "schema", "content": "{}media", "examples": "{}example",
	},
	"header": {
		"description": "string", "required": "bool", "deprecated": "bool", "style": "string", "explode": "bool",
		"schema": "schema", "content": "{}media", "examples": "{}example",
	},
	"requestBody": {"description": "string", "required": "bool", "content": "{}media"},
	"media":       {"schema": "schema", "itemSchema": "schema", "examples": "{}example", "encoding": "{}encoding"},
	"encoding":    {"contentType": "string", "headers": "{}header", "style": "string", "explode": "bool", "allowReserved": "bool"},
	"response":    {"description": "string", "headers": "{}header", "content": "{}media", "links": "{}link"},
	"example":     {"summary": "string", "description": "string", "externalValue": "string"},
	"link":        {"operationRef": "string", "operationId": "string", "description": "string", "parameters": "{}any", "server": "server"},
	"callback":    {"*": "pathItem"},
	"scheme": {
		"type": "string", "description": "string", "name": "string", "in": "string", "scheme": "string", "bearerFormat": "string",
		"flows": "flows", "openIdConnectUrl": "string",
	},
	"flows":       {"implicit": "flow", "password": "flow", "clientCredentials": "flow", "authorizationCode": "flow"},
	"flow":        {"authorizationUrl": "string", "tokenUrl": "string", "refreshUrl": "string", "scopes": "{}string"},
	"requirement": {"*": "[]string"},
	"schema": {
		"title": "string", "description": "string", "format": "string", "pattern": "string", "type": "types", "enum": "[]any", "examples": "[]any", "required": "[]string",
		"minLength": "count", "maxLength": "count", "minItems": "count", "maxItems": "count", "minProperties": "count", "maxProperties": "count",
		"minimum": "number", "maximum": "number", "multipleOf": "number", "exclusiveMinimum": "bound", "exclusiveMaximum": "bound",
		"uniqueItems": "bool", "nullable": "bool", "readOnly": "bool", "writeOnly": "bool", "deprecated": "bool",
		"properties": "{}schema", "items": "schema", "additionalProperties": "schema", "allOf": "[]schema", "oneOf": "[]schema", "anyOf": "[]schema",
		"not": "schema", "discriminator": "discriminator", "externalDocs": "docs", "xml": "xml",
		"prefixItems": "[]schema", "contains": "schema", "patternProperties": "{}schema", "propertyNames": "schema", "if": "schema", "then": "schema", "else": "schema",
		"dependentSchemas": "{}schema", "unevaluatedItems": "schema", "unevaluatedProperties": "schema", "minContains": "count", "maxContains": "count",
		"$defs": "{}schema",
	},
	"discriminator": {"propertyName": "string", "mapping": "{}target"},
	"xml":           {"name": "string", "namespace": "string", "prefix": "string", "attribute": "bool", "wrapped": "bool"},
}

// referable are the objects that may be references (OpenAPI 3.0.3, Reference Object), and path items, which have a field of
// that name.
var referable = map[string]bool{
	"schema": true, "response": true, "parameter": true, "example": true, "requestBody": true, "header": true, "scheme": true, "link": true,
	"callback": true, "pathItem": true,
}
