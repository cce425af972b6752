package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// The examples of OpenAPI 3.0.3, XML Object.
const people = head + `
components:
  schemas:
    Person:
      type: object
      required: [id]
      properties:
        id: {type: integer, format: int32, xml: {attribute: true}}
        name: {type: string, xml: {namespace: "http://example.com/schema/sample", prefix: sample}}
        nick: {type: array, items: {type: string}}
        animals: {type: array, items: {type: string, xml: {name: animal}}, xml: {name: aliens}}
        wrapped: {type: array, maxItems: 2, items: {type: string}, xml: {wrapped: true}}
        inside: {type: array, items: {type: object, properties: {a: {type: boolean}}, xml: {name: one}}, xml: {name: outside, wrapped: true}}
        friend: {$ref: '#/components/schemas/Person'}
      additionalProperties: {type: integer}
    Named: {type: object, properties: {a: {type: string}}, additionalProperties: false, xml: {name: named, namespace: "urn:a"}}
paths:
  /person: {post: {operationId: person, requestBody: {content: {application/xml: {schema: {$ref: '#/components/schemas/Person'}}}}, responses: {"200": {description: a, content: {application/xml: {schema: {$ref: '#/components/schemas/Person'}}}}}}}
  /named: {post: {operationId: named, requestBody: {content: {application/a+xml: {schema: {$ref: '#/components/schemas/Named'}}}}, responses: {"200": {description: a, content: {text/xml: {schema: {$ref: '#/components/schemas/Named'}}}}}}}
  /nameless: {post: {operationId: nameless, requestBody: {content: {text/xml: {schema: {type: object, properties: {a: {type: integer}}}}}}, responses: {"200": {description: a, content: {text/xml: {schema: {type: object, properties: {a: {type: integer}}}}}}}}}
  /rows: {post: {operationId: rows, requestBody: {content: {text/xml: {schema: {type: array, items: {type: integer}}}}}, responses: {"200": {description: a}}}}
  /list: {post: {operationId: list, requestBody: {content: {text/xml: {schema: {type: array, items: {type: integer, xml: {name: i}}, xml: {name: l}}}}}, responses: {"200": {description: a}}}}
`

// What a receiver reads is what the document says of each part.
func TestReadXML(t *testing.T) {
	tests := []struct {
		name, path, body string
		want             []string // clauses, and what is left to the receiver behind a blank
	}{
		{"attribute", "person", `<Person id="1"/>`, nil},
		{"attribute missing", "person", `<Person/>`, []string{"id/required"}},
		{"attribute as an element", "person", `<Person><id>1</id></Person>`, []string{"id/type OpenAPI"}},
		{"attribute of another type", "person", `<Person id="a"/>`, []string{"id/type"}},
		{"everything", "person", `<?xml version="1.0"?>
<!-- a -->
<Person xmlns:sample="http://example.com/schema/sample" id="1">
  <sample:name>a &amp; b</sample:name><nick>a</nick><nick>b</nick><animal>c</animal>
  <wrapped><wrapped>d</wrapped></wrapped>
  <outside><one><a>true</a></one><one/></outside>
  <friend id="2"/>
</Person>`, nil},
		{"another prefix", "person", `<Person xmlns:s="http://example.com/schema/sample" id="1"><s:name>a</s:name></Person>`, nil},
		{"another namespace", "person", `<Person xmlns:sample="urn:b" id="1"><sample:name>a</sample:name></Person>`, []string{"name/type OpenAPI"}},
		{"items under the name of the list", "person", `<Person id="1"><aliens>c</aliens></Person>`, []string{"additionalProperties/type"}},
		{"not wrapped", "person", `<Person id="1"><wrapped>d</wrapped></Person>`, []string{"wrapped/type"}},
		{"too many", "person", `<Person id="1"><wrapped><wrapped>a</wrapped><wrapped>b</wrapped><wrapped>c</wrapped></wrapped></Person>`, []string{"wrapped/maxItems"}},
		{"wrapped twice", "person", `<Person id="1"><wrapped/><wrapped/></Person>`, []string{"wrapped/items/type", "wrapped/items/type"}},
		{"other items", "person", `<Person id="1"><outside><two/></outside></Person>`, []string{"inside/items/type"}},
		{"inside an item", "person", `<Person id="1"><outside><one><a>x</a></one></outside></Person>`, []string{"inside/items/a/type"}},
		{"loose boolean", "person", `<Person id="1"><outside><one><a>1</a></one></outside></Person>`, []string{"inside/items/a/type OpenAPI"}},
		{"given twice", "person", `<Person id="1"><friend id="1"/><friend id="2"/></Person>`, []string{"friend/type"}},
		{"further down", "person", `<Person id="1"><friend/></Person>`, []string{"friend/id/required"}},
		{"additional", "person", `<Person id="1"><other>7</other></Person>`, nil},
		{"additional of another type", "person", `<Person id="1"><other>a</other></Person>`, []string{"additionalProperties/type"}},
		{"called as the property is, not as its element", "person", `<Person id="1"><inside><one><a>x</a></one></inside></Person>`, []string{"inside/type OpenAPI"}},
		{"an element called as an attribute", "person", `<Person id="1"><id>x</id></Person>`, []string{"id/type OpenAPI"}},
		{"text among the elements", "person", `<Person id="1">a<nick>b</nick></Person>`, []string{"type"}},
		{"elements in a text", "person", `<Person id="1"><nick><a/></nick></Person>`, []string{"nick/items/type"}},
		{"another root", "person", `<person id="1"/>`, []string{"type OpenAPI"}},
		{"schema location", "person", `<Person xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" id="1"/>`, nil},

		{"a list without a name", "rows", `<Rows><Row>1</Row><Row>2</Row></Rows>`, []string{"type OpenAPI"}},
		{"inside a list without a name", "rows", `<Rows><Row>a</Row></Rows>`, []string{"items/type OpenAPI"}},

		{"no XML", "person", `{"id":1}`, []string{"syntax"}},
		{"cut short", "person", `<Person id="1">`, []string{"syntax"}},
		{"two roots", "person", `<Person id="1"/><Person id="1"/>`, []string{"syntax"}},
		{"text behind", "person", `<Person id="1"/> a`, []string{"syntax"}},
		{"attribute twice", "person", `<Person id="1" id="1"/>`, []string{"syntax"}},
		{"another charset", "person", `<?xml version="1.0" encoding="iso-8859-1"?><Person/>`, nil},
		{"entities of its own", "person", `<!DOCTYPE Person [<!ENTITY a "1">]><Person id="&a;"/>`, nil},
		{"too deep to be read", "person", strings.Repeat("<Person>", 1001) + strings.Repeat("</Person>", 1001), nil},

		{"named", "named", `<named xmlns="urn:a"><a>b</a></named>`, nil},
		{"named in no namespace", "named", `<named><a>b</a></named>`, []string{"type"}},
		{"named otherwise", "named", `<Named xmlns="urn:a"/>`, []string{"type"}},
		{"property that may not be there", "named", `<named xmlns="urn:a"><b/></named>`, []string{"additionalProperties"}},
		{"attribute that may not be there", "named", `<named xmlns="urn:a" b="c"/>`, []string{"additionalProperties"}},

		{"without a name", "nameless", `<whatever><a>1</a></whatever>`, []string{"type OpenAPI"}},
		{"wrong, without a name", "nameless", `<whatever><a>b</a></whatever>`, []string{"a/type OpenAPI"}},

		{"list", "list", `<l><i>1</i><i>2</i></l>`, nil},
		{"empty list", "list", `<l/>`, nil},
		{"other items of a list", "list", `<l><j>1</j></l>`, []string{"items/type"}},
	}
	c := parse(t, people)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op, known := c.Find("POST", "/"+tt.path)
			require.True(t, known)
			r := &wire.Request{Method: "POST", Target: "/" + tt.path, Body: []byte(tt.body)}
			r.Set("Content-Type", op.Body.Media[0].Key)
			got := []string{}
			for _, v := range op.CheckRequest(r) {
				name := strings.TrimPrefix(v.Clause.Name, tt.path+"/body/")
				assert.Equal(t, name == "syntax", v.Syntax)
				if v.Leave != "" {
					name += " " + v.Leave[:len("OpenAPI")]
				}
				got = append(got, name)
			}
			assert.ElementsMatch(t, tt.want, got)
		})
	}
}

// In a response nobody is told what the root should be called where the document
// does not say so.
func TestReadXMLOfResponses(t *testing.T) {
	c := parse(t, people)
	for _, tt := range []struct{ path, body, want, leave string }{
		{"person", `<Person id="1"/>`, "", ""},
		{"person", `<Person/>`, "id/required", ""},
		{"person", `<Result id="1"/>`, "type", "OpenAPI 3.0.3, XML Object"},
		{"person", `<Person id="1">`, "syntax", ""},
		{"person", `<Person id="1"><id>x</id></Person>`, "id/type", "OpenAPI 3.0.3, XML Object"},
		{"person", `<Person id="1"><inside><one><a>true</a></one></inside></Person>`, "inside/type", ""},
		{"named", `<Named xmlns="urn:a"/>`, "type", ""},
		{"nameless", `<whatever><a>1</a></whatever>`, "", ""},
		{"nameless", `<whatever><a>b</a></whatever>`, "a/type", ""},
	} {
		op, _ := c.Find("POST", "/"+tt.path)
		doc := op.Response(200)
		got := doc.CheckBody(doc.Media[0], &wire.Response{Status: 200, Header: map[string][]string{"Content-Type": {doc.Media[0].Key}}, Body: []byte(tt.body)})
		if tt.want == "" {
			assert.Empty(t, got, tt.body)
			continue
		}
		require.Len(t, got, 1, tt.body)
		assert.Equal(t, tt.path+"/response/200/body/"+tt.want, got[0].Clause.Name, tt.body)
		assert.Equal(t, tt.leave != "", strings.HasPrefix(got[0].Leave, tt.leave) && got[0].Leave != "", got[0].Leave)
	}
}

func TestWriteXML(t *testing.T) {
	c := parse(t, people)
	type object = map[string]any
	for _, tt := range []struct {
		path string
		v    any
		want string // or what the error says
	}{
		{"person", object{"id": 123, "name": "example"}, `<Person id="123"><sample:name xmlns:sample="http://example.com/schema/sample">example</sample:name></Person>`},
		{"person", object{"id": 1, "nick": []any{"a", "b"}}, `<Person id="1"><nick>a</nick><nick>b</nick></Person>`},
		{"person", object{"id": 1, "animals": []any{"a"}}, `<Person id="1"><animal>a</animal></Person>`},
		{"person", object{"id": 1, "wrapped": []any{"a"}}, `<Person id="1"><wrapped><wrapped>a</wrapped></wrapped></Person>`},
		{"person", object{"id": 1, "inside": []any{object{"a": true}}}, `<Person id="1"><outside><one><a>true</a></one></outside></Person>`},
		{"person", object{"id": `"<&>` + "\n"}, `<Person id="&#34;&lt;&amp;>&#10;"></Person>`},
		{"person", object{"nick": []any{"<&>\r"}}, `<Person><nick>&lt;&amp;&gt;&#xD;</nick></Person>`},
		{"person", object{"wrapped": []any{}}, `<Person><wrapped></wrapped></Person>`},
		{"named", object{"a": "b"}, `<named xmlns="urn:a"><a>b</a></named>`},
		{"nameless", object{"a": 1}, `<root><a>1</a></root>`},
		{"list", []any{1, 2}, `<l><i>1</i><i>2</i></l>`},
		{"person", object{"nick": []any{}}, "a list without items is no element"},
		{"person", object{"nick": []any{[]any{"a"}}}, "a list as an item of another"},
		{"person", object{"a b": 1}, `"a b" is no name in it`},
		{"person", object{"other": nil}, "null has no form"},
		{"person", object{"id": object{}}, "an attribute is one text"},
		{"person", object{"other": "\x00"}, "a character that XML 1.0"},
	} {
		op, _ := c.Find("POST", "/"+tt.path)
		got, _, err := op.Body.Media[0].Write(tt.v, nil)
		if err != nil {
			assert.ErrorContains(t, err, tt.want)
			continue
		}
		assert.Equal(t, tt.want, string(got))
	}
}

// Whatever is sent as XML is judged, in a request and in a response: nothing makes
// the reader panic or run away.
func FuzzXML(f *testing.F) {
	c := parse(f, people)
	for _, seed := range []string{
		`<Person id="1"><sample:name xmlns:sample="http://example.com/schema/sample">a</sample:name><nick>b</nick></Person>`,
		`<named xmlns="urn:a"><a>b</a></named>`, `<l><i>1</i><i>2</i></l>`, `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, `<a><a><a/></a></a>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range c.Operations {
			r := &wire.Request{Method: "POST", Target: op.Path, Body: body}
			r.Set("Content-Type", "application/xml")
			for _, v := range op.CheckRequest(r) {
				require.NotNil(t, v.Clause, "%s", v.Message)
			}
			if documented := op.Responses[0]; len(documented.Media) > 0 {
				documented.CheckBody(documented.Media[0], &wire.Response{
					Status: 200, Header: map[string][]string{"Content-Type": {documented.Media[0].Key}}, Body: body,
				})
			}
		}
	})
}
