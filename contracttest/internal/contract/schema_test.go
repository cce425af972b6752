package contract_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each row: what a body breaks, as "clause" or "clause > clauses within the
// nearest branches", without op/body/.
func TestBrokenSchemas(t *testing.T) {
	const both, later, earlier = "3.0.3 3.1.0", "3.1.0", "3.0.3"
	for _, tt := range []struct{ versions, schema, body, want string }{
		{both, "{type: object, properties: {a: {type: array, items: {type: integer}}}}", `{"a":[1,"b"]}`, "a/items/type"},
		{both, "{type: object, required: [a, b]}", `{}`, "a/required b/required"},
		{both, "{type: object, additionalProperties: false}", `{"a":1}`, "additionalProperties"},
		{both, "{type: object, additionalProperties: {type: integer}}", `{"a":"b"}`, "additionalProperties/type"},
		{both, "{allOf: [{required: [a]}, {properties: {b: {maximum: 3}}}]}", `{"b":4}`, "allOf/0/a/required allOf/1/b/maximum"},
		{both, "{oneOf: [{type: string, maxLength: 2}, {type: integer}]}", `"abc"`, "oneOf > oneOf/0/maxLength oneOf/1/type"},
		{both, "{oneOf: [{type: integer}, {type: number}]}", `1`, "oneOf"},
		{both, "{anyOf: [{type: object, required: [a, b]}, {type: object, required: [a]}]}", `{}`, "anyOf > anyOf/1/a/required"},
		{both, "{type: object, properties: {a: {oneOf: [{type: string}, {type: array, items: {enum: [b]}}]}}}", `{"a":["c"]}`, "a/oneOf > a/oneOf/0/type a/oneOf/1/items/enum"},
		{both, "{not: {type: string}}", `"a"`, "not"},
		{both, "{type: string, pattern: '^(?=.*[A-Z]).{3,2000}$'}", `"abc"`, "pattern"},
		{both, "{type: number, multipleOf: 0.01}", `0.075`, "multipleOf"},
		{both, "{type: integer, format: int64}", `9223372036854777856`, "format"},
		{both, "{type: integer, format: int64}", `9223372036854775808`, "format"}, // for kin-openapi it is the same double as the one before
		{both, "{type: integer, format: int64}", `9223372036854775807`, ""},
		{both, "{type: object, properties: {a: {type: array, items: {type: integer, format: int64}}}}", `{"a":[1,-9223372036854775809]}`, "a/items/format"},
		{both, "{type: integer}", `9223372036854775808`, ""},
		{earlier, "{not: {}}", `"a"`, "not"},
		{earlier, "{not: {}}", `null`, "not"},
		{later, "{const: null}", `"a"`, "enum"},
		{later, "{const: null}", `null`, ""},
		{later, "{properties: {a: {const: null}}}", `{"a":1}`, "a/enum"},

		{both, "{type: object, properties: {items: {type: string}, type: {type: string}}}", `{"items":1,"type":2}`, "items/type type/type"},
		{earlier, "{type: integer, minimum: 1, exclusiveMinimum: true}", `1`, "minimum"},
		{later, "{type: integer, exclusiveMinimum: 1}", `1`, "exclusiveMinimum"},
		{later, "{type: [string, 'null']}", `1`, "type"},
		{later, "{const: {a: 1}}", `{"a":2}`, "const"},
		{later, "{prefixItems: [{type: string}, {type: integer}], items: false}", `[1,2,3]`, "prefixItems/0/type items/false"},
		{later, "{contains: {type: integer}, minContains: 2}", `[1]`, "contains"},
		{later, "{contains: {type: integer}, maxContains: 1}", `[1,2]`, "maxContains"},
		{later, "{patternProperties: {^x: {type: integer}}}", `{"xy":"z"}`, "patternProperties/^x/type"},
		{later, "{propertyNames: {maxLength: 2}}", `{"abc":1}`, "propertyNames"},
		{later, "{dependentRequired: {a: [b]}}", `{"a":1}`, "a/dependentRequired"},
		{later, "{dependentSchemas: {a: {required: [b]}}}", `{"a":1}`, "dependentSchemas/a/b/required"},
		{later, "{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}", `{"a":1}`, "then/b/required"},
		{later, "{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}", `{}`, "else/c/required"},
		{later, "{properties: {a: {}}, unevaluatedProperties: false}", `{"b":1}`, "unevaluatedProperties"},
		{later, "{prefixItems: [{}], unevaluatedItems: {type: string}}", `["a",1]`, "unevaluatedItems/type"},
		{later, "{prefixItems: [{}], unevaluatedItems: false}", `["a",1]`, "unevaluatedItems"},
		{later, "{properties: {a: false}}", `{"a":1}`, "a/false"},
		{later, "{type: number}", `1e1000000`, "type"},

		{later, "{properties: {a: {type: string, readOnly: true}}, dependentRequired: {b: [a]}}", `{"b":1}`, ""},
		{later, "{properties: {a: {type: string, readOnly: true}}, dependentRequired: {b: [a, c]}}", `{"b":1}`, "b/dependentRequired"},
		{later, "{properties: {a: {type: string, writeOnly: true}}, dependentRequired: {b: [a]}}", `{"b":1}`, "b/dependentRequired"},
		{later, "{dependentRequired: {b: [a]}, allOf: [{properties: {a: {readOnly: true}}}]}", `{"b":1}`, ""},
		{later, "{required: [a], unevaluatedProperties: {readOnly: true}}", `{}`, ""},
		{later, "{required: [a, b], properties: {b: {type: integer}}, unevaluatedProperties: {readOnly: true}}", `{}`, "b/required"},
		{both, "{type: array, maxItems: 2, items: {$ref: '#/paths/~1a/post/requestBody/content/application~1json/schema'}}", `[[[[[],[],[]]]]]`, "items/maxItems"},
	} {
		for version := range strings.FieldsSeq(tt.versions) {
			op := parse(t, strings.Replace(head, "3.0.3", version, 1)+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: `+tt.schema+`}}}
      responses: {"200": {description: Done.}}
`).Operations[0]
			var got []string
			for _, v := range op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+tt.body)) {
				got = append(got, strings.TrimPrefix(v.Clause.Name, "op/body/"))
				for i, c := range v.Within {
					assert.True(t, v.About(c))
					if i == 0 {
						got = append(got, ">")
					}
					got = append(got, strings.TrimPrefix(c.Name, "op/body/"))
				}
			}
			assert.ElementsMatch(t, strings.Fields(tt.want), got, "%s %s %s", version, tt.schema, tt.body)
		}
	}
}

// TestRegisteredFormats holds the formats of OpenAPI's registry against values that have them, and
// others that have not, which is left open.
func TestRegisteredFormats(t *testing.T) {
	texts := regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+`)
	for format, values := range map[string][2]string{
		"base64url":       {`"" "YQ" "YQ==" "-_-_"`, `"YQ=" "Y" "+/+/"`},
		"char":            {`"a" "é"`, `"" "ab"`},
		"date-time-local": {`"2024-02-29T12:34:56" "2024-02-29T12:34:56.7"`, `"2023-02-29T12:34:56" "2024-02-29T12:34:56Z"`},
		"decimal":         {`"12.50" "-1" 12.5`, `"" "12,5" "a"`},
		"double-int":      {`9007199254740991 -9007199254740991`, `9007199254740992 -9007199254740992 0.5`},
		"http-date":       {`"Sun, 06 Nov 1994 08:49:37 GMT" "Sunday, 06-Nov-94 08:49:37 GMT" "Sun Nov  6 08:49:37 1994"`, `"Mon, 06 Nov 1994 08:49:37 GMT" "1994-11-06"`},
		"ipv4-cidr":       {`"192.0.2.0/24"`, `"192.0.2.0" "2001:db8::/32"`},
		"ipv6-cidr":       {`"2001:db8::/32"`, `"192.0.2.0/24"`},
		"language":        {`"en" "zh-Hant-TW"`, `"en_US" ""`},
		"media-range":     {`"text/*;q=1" "*/*" "a/b"`, `"text" "*/b"`},
		"sf-binary":       {`":YQ==:" "::"`, `"YQ==" ":Y:" ":"`},
		"sf-boolean":      {`"?1"`, `"1"`},
		"sf-decimal":      {`999999999999.999`, `1000000000000`},
		"sf-integer":      {`-999999999999999`, `1000000000000000`},
		"sf-string":       {`"\"a\""`, `"a"`},
		"sf-token":        {`"a/b:c"`, `"1" "a b"`},
		"time-local":      {`"12:34:56"`, `"12:34:56Z" "12:34"`},
		"unixtime":        {`"1709210096" 1709210096`, `"2024-02-29"`},
	} {
		for i, list := range values {
			op := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {format: `+format+`}}}}
      responses: {"200": {description: Done.}}
`).Operations[0]
			for _, text := range texts.FindAllString(list, -1) {
				got := op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+text))
				if assert.Len(t, got, i, "%s %s", format, text) && i == 1 {
					assert.NotEmpty(t, got[0].Leave, format)
				}
			}
		}
	}
}

// What the document leaves to the receiver is told from what it does not.
func TestWhatSchemasLeave(t *testing.T) {
	for _, tt := range []struct {
		version, schema, body, clause string
		left                          bool
	}{
		{"3.0.3", "{type: string, format: date}", `"2024-02-30"`, "format", false},
		{"3.1.0", "{type: string, format: date}", `"2024-02-30"`, "format", true},
		{"3.0.3", "{type: string, format: uuid}", `"a"`, "format", true},
		{"3.1.0", "{type: integer, format: int32}", `2147483648`, "format", false},
		{"3.0.3", "{type: number, format: float}", `1e39`, "format", true},
		{"3.0.3", "{properties: {a: {type: string, readOnly: true}}}", `{"a":"b"}`, "a/readOnly", true},
		{"3.1.0", "{properties: {a: {type: string, readOnly: true}}}", `{"a":"b"}`, "a/readOnly", true},
		{"3.0.3", "{properties: {a: {type: integer, readOnly: true}}}", `{"a":"b"}`, "a/readOnly", true},
		{"3.0.3", "{properties: {a: {readOnly: true, required: [b], properties: {b: {maximum: 3}}}}}", `{"a":{"b":4}}`, "a/readOnly", true},
		{"3.0.3", "{properties: {a: {readOnly: true, required: [b], properties: {b: {maximum: 3}}}}}", `{"a":{}}`, "a/readOnly", true},
		{"3.0.3", "{minLength: 1}", `null`, "minLength", true},
		{"3.0.3", "{oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}], discriminator: {propertyName: k}}", `{"k":"C"}`, "discriminator", false},
		{"3.0.3", "{oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}], discriminator: {propertyName: k}}", `{"k":"B","a":1}`, "discriminator", false},
		{"3.1.0", "{oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}], discriminator: {propertyName: k}}", `{"k":"C","a":1}`, "discriminator", true},
		{"3.0.3", "{$ref: '#/components/schemas/Base'}", `{"k":"C"}`, "discriminator", true},
		// More than one branch takes what the discriminator says is of one.
		{"3.1.0", "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: k}}", `{"k":"Cat"}`, "oneOf", true},
		{"3.1.0", "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: k, mapping: {c: Cat}}}", `{"k":"c"}`, "oneOf", true},
		{"3.1.0", "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: k}}", `{"k":"Cow"}`, "oneOf", false},
		{"3.1.0", "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: k}}", `{"k":"Cat","n":"a","m":"b"}`, "oneOf", false},
		{"3.2.0", "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: k, defaultMapping: Dog}}", `{"k":"Cow"}`, "oneOf", true},
		{"3.0.3", "{oneOf: [{$ref: '#/components/schemas/Cat'}, {type: object, properties: {k: {type: string}}}], discriminator: {propertyName: k}}", `{"k":"Cat"}`, "oneOf", true},
		{"3.1.0", "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}", `{"k":"Cat"}`, "oneOf", false},
		// What stands beside a $ref is ignored in 3.0, though many a generator means it.
		{"3.0.3", "{properties: {a: {$ref: '#/components/schemas/A', nullable: true}}}", `{"a":null}`, "a/type", true},
		{"3.0.3", "{properties: {a: {$ref: '#/components/schemas/A', nullable: false}}}", `{"a":null}`, "a/type", false},
		{"3.0.3", "{type: array, items: {$ref: '#/components/schemas/A', nullable: true}}", `[null]`, "items/type", true},
		{"3.0.3", "{type: object, required: [a], properties: {a: {$ref: '#/components/schemas/A', readOnly: true}}}", `{}`, "a/required", true},
		{"3.0.3", "{type: object, required: [a], properties: {a: {$ref: '#/components/schemas/A', writeOnly: true}}}", `{}`, "a/required", false},
		{"3.0.3", "{required: [a], allOf: [{properties: {a: {$ref: '#/components/schemas/A', readOnly: true}}}]}", `{}`, "a/required", true},
	} {
		op := parse(t, strings.Replace(head, "3.0.3", tt.version, 1)+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: `+tt.schema+`}}}
      responses: {"200": {description: Done.}}
components:
  schemas:
    A: {type: object, required: [k, a], properties: {k: {type: string}, a: {type: integer}}}
    B: {type: object, required: [k, b], properties: {k: {type: string}, b: {type: integer}}}
    Cat: {type: object, required: [k], properties: {k: {type: string}, n: {type: integer}}}
    Dog: {type: object, required: [k], properties: {k: {type: string}, m: {type: integer}}}
    Base: {type: object, required: [k], properties: {k: {type: string}}, discriminator: {propertyName: k}}
    Heir: {allOf: [{$ref: '#/components/schemas/Base'}]}
`).Operations[0]
		name := fmt.Sprint(tt.version, " ", tt.schema, " ", tt.body)
		found := false
		for _, v := range op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+tt.body)) {
			if v.Clause.Name == "op/body/"+tt.clause {
				found = true
				assert.Equal(t, tt.left, v.Leave != "", "%s: %s", name, v.Leave)
			}
		}
		assert.True(t, found, name)
	}
}

// Where the property of a branch cannot have the name of its component, what it has is the name.
func TestDiscriminatorOfEnums(t *testing.T) {
	for _, version := range []string{"3.0.3", "3.1.0"} {
		op := parse(t, strings.Replace(head, "3.0.3", version, 1)+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/CatOrCow'}, {$ref: '#/components/schemas/dog'}], discriminator: {propertyName: k}}}}}
      responses: {"200": {description: Done.}}
components:
  schemas:
    CatOrCow: {allOf: [{type: object, required: [k], properties: {k: {enum: [cat, cow]}, n: {type: integer}}}]}
    dog: {type: object, required: [k], properties: {k: {enum: [dog, puppy]}, n: {type: string}}}
`).Operations[0]
		for body, kept := range map[string]bool{`{"k":"cat","n":1}`: true, `{"k":"cow"}`: true, `{"k":"dog"}`: true, `{"k":"dog","n":1}`: false, `{"k":"CatOrCow"}`: false, `{"k":"cat","n":"a"}`: false} {
			got := op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+body))
			assert.Equal(t, kept, len(got) == 0, "%s %s: %v", version, body, got)
		}
	}
}

// A branch that has branches of its own is selected by the names of these, too.
func TestDiscriminatorOfBranchesOfBranches(t *testing.T) {
	op := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/Pet'}, {$ref: '#/components/schemas/Cow'}], discriminator: {propertyName: k}}}}}
      responses: {"200": {description: Done.}}
components:
  schemas:
    Pet: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: k, mapping: {puppy: Dog}}}
    Cat: {type: object, required: [k], properties: {k: {type: string}, n: {type: integer}}}
    Dog: {type: object, required: [k], properties: {k: {type: string}, m: {type: integer}}}
    Cow: {type: object, required: [k], properties: {k: {type: string}}}
`).Operations[0]
	for body, kept := range map[string]bool{`{"k":"Cat","n":1}`: true, `{"k":"puppy"}`: true, `{"k":"Cow"}`: true, `{"k":"Cat","n":"a"}`: false, `{"k":"Bird"}`: false} {
		got := op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+body))
		assert.Equal(t, kept, len(got) == 0, "%s: %v", body, got)
	}
}

// Documents of Azure name the schemas that are made of one by x-ms-discriminator-value.
func TestNamesOfHeirs(t *testing.T) {
	op := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Base'}}}}
      responses: {"200": {description: Done.}}
components:
  schemas:
    Base: {type: object, required: [k], properties: {k: {type: string, enum: [first, second, Third, fourth]}}, discriminator: {propertyName: k}}
    One: {allOf: [{$ref: '#/components/schemas/Base'}], x-ms-discriminator-value: first}
    Two: {allOf: [{$ref: '#/components/schemas/Base'}], x-ms-discriminator-value: second}
    Third: {allOf: [{$ref: '#/components/schemas/Base'}]}
`).Operations[0]
	for name, kept := range map[string]bool{"first": true, "second": true, "Third": true, "fourth": false} {
		broken := op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n{\"k\":\""+name+"\"}"))
		assert.Equal(t, kept, len(broken) == 0, name)
	}
}

// What no branch takes says which of them came nearest, and what it lacks there.
func TestNearestBranch(t *testing.T) {
	for _, tt := range []struct{ schema, body, want string }{
		{"{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}", `{"barks":true}`, "the body: violates: the body is valid against exactly one of 2 schemas; nearest to Dog, but name: is missing"},
		{"{anyOf: [{type: object, required: [a, b]}, {type: string, maxLength: 2}]}", `"abc"`, "the body: violates: the body is valid against at least one of 2 schemas; nearest to schema 2, but violates: the body has at most 2 characters"},
		{"{oneOf: [{properties: {k: {enum: [a]}}}, {properties: {k: {enum: [b]}, n: {maximum: 3}}}]}", `{"k":"b","n":4}`, "the body: violates: the body is valid against exactly one of 2 schemas; nearest to schema 2, but n: violates: n is at most 3"},
		{"{type: object, properties: {pet: {oneOf: [{type: string}, {$ref: '#/components/schemas/Dog'}]}}}", `{"pet":{"name":1,"barks":true}}`, "pet: violates: pet is valid against exactly one of 2 schemas; nearest to Dog, but name: want string, got integer"},
		{"{oneOf: [{type: integer}, {type: number}]}", `1`, "the body: violates: the body is valid against exactly one of 2 schemas"},
	} {
		op := parse(t, head+`paths:
  /a:
    post:
      operationId: op
      requestBody: {content: {application/json: {schema: `+tt.schema+`}}}
      responses: {"200": {description: Done.}}
components:
  schemas:
    Cat: {type: object, required: [name, meows], properties: {name: {type: string}, meows: {type: boolean}}}
    Dog: {type: object, required: [name, barks], properties: {name: {type: string}, barks: {type: boolean}}}
`).Operations[0]
		broken := op.CheckRequest(request(t, "POST /a\nContent-Type: application/json\n\n"+tt.body))
		if assert.NotEmpty(t, broken, tt.body) {
			assert.Equal(t, tt.want, broken[0].Message)
		}
	}
}

// An heir inside an heir has the node of the heir: values may be as deep as they like.
func TestHeirsInHeirs(t *testing.T) {
	c := parse(t, `
openapi: 3.0.3
info: {title: a, version: "1"}
paths: {/pets: {post: {operationId: add, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, responses: {"201": {description: made}}}}}
components:
  schemas:
    Pet: {type: object, discriminator: {propertyName: kind}, required: [kind], properties: {kind: {type: string}}}
    Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {friend: {$ref: '#/components/schemas/Pet'}}}]}
`)
	dog := c.Operations[0].Body.Media[0].Node.Heir("Dog")
	assert.Same(t, dog, dog.Prop("friend").Heir("Dog"))
}
