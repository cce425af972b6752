package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const styles = head + `paths:
  /a/{simple}/{label}/{matrix}:
    get:
      operationId: op
      parameters:
        - {name: simple, in: path, required: true, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: label, in: path, required: true, style: label, explode: true, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: matrix, in: path, required: true, style: matrix, schema: {$ref: "#/components/schemas/Range"}}
        - {name: form, in: query, explode: false, schema: {type: array, items: {type: string, maxLength: 3}, maxItems: 2}}
        - {name: each, in: query, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: space, in: query, style: spaceDelimited, explode: false, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: pipe, in: query, style: pipeDelimited, explode: false, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: spread, in: query, schema: {type: object, properties: {from: {type: integer}, to: {type: integer, maximum: 9}}}}
        - {name: deep, in: query, style: deepObject, explode: true, schema: {type: object, additionalProperties: false, properties: {from: {type: integer}, list: {type: array, items: {type: integer}}, in: {type: object, properties: {a: {type: integer}}}}}}
        - {name: empty, in: query, allowEmptyValue: true, schema: {type: integer}}
        - {name: whole, in: query, schema: {type: integer}}
        - {name: flag, in: query, schema: {type: boolean, nullable: true}}
        - {name: either, in: query, schema: {oneOf: [{type: integer, maximum: 9}, {type: boolean}]}}
        - {name: X-List, in: header, schema: {$ref: "#/components/schemas/Numbers"}}
        - {name: X-Range, in: header, explode: true, schema: {$ref: "#/components/schemas/Range"}}
        - {name: X-JSON, in: header, content: {application/json: {schema: {type: array, items: {type: integer}}}}}
        - {name: short, in: cookie, schema: {type: string, maxLength: 3}}
        - {name: c, in: cookie, explode: false, schema: {$ref: "#/components/schemas/Numbers"}}
      ` + done + `
components:
  schemas:
    Numbers: {type: array, maxItems: 3, items: {type: integer, minimum: 1}}
    Range: {type: object, required: [from], additionalProperties: false, properties: {from: {type: integer}, to: {type: integer}}}
`

// Texts are read as the styles of OpenAPI have it, and no other way. A question
// mark marks what is left to the receiver.
func TestStyles(t *testing.T) {
	op := parse(t, styles).Operations[0]
	const path = "/a/1,2/.1.2/;matrix=from,1,to,2"
	for _, tt := range []struct {
		name, target, header string
		want                 []string
	}{
		{"as documented", path + "?form=a,b&each=1&each=2&space=1%202&pipe=1%7C2&from=1&to=2&deep%5Bfrom%5D=1&whole=7&flag=true&either=9", "X-List: 1, 2\nX-Range: from=1,to=2\nX-JSON: [1, 2]\nCookie: c=1", nil},
		{"other spellings of the same", path + "?space=1+2&pipe=1|2&deep[from]=1&either=false", "X-List: 1\t,2", nil},
		{"label without a dot", "/a/1/1.2/;matrix=from,1", "", []string{"path/label/style"}},
		{"matrix without a name", "/a/1/.1/from,1", "", []string{"path/matrix/style"}},
		{"matrix of another name", "/a/1/.1/;other=from,1", "", []string{"path/matrix/style"}},
		{"matrix that is no list of pairs", "/a/1/.1/;matrix=from", "", []string{"path/matrix/style"}},
		{"item of a path", "/a/1,x/.1/;matrix=from,1", "", []string{"path/simple/items/type"}},
		{"too many in a path", "/a/1/.1.2.3.4/;matrix=from,1", "", []string{"path/label/maxItems"}},
		{"property of a path", "/a/1/.1/;matrix=to,1", "", []string{"path/matrix/from/required"}},
		{"unknown property of a path", "/a/1/.1/;matrix=from,1,x,1", "", []string{"path/matrix/additionalProperties"}},
		{"delimiter of another style", path + "?pipe=1,2", "", []string{"query/pipe/items/type"}},
		{"escaped delimiter inside an item", path + "?form=a%2Cb,c", "", []string{"query/form/type?"}},
		{"escaped delimiter that only a loose reader takes", path + "?form=abc%2Cdef", "", []string{"query/form/type?"}},
		{"repeated name of a list in one text", path + "?form=a&form=b", "", []string{"query/form/style?"}},
		{"spread object", path + "?to=10", "", []string{"query/spread/to/maximum"}},
		{"type in a spread object", path + "?from=x", "", []string{"query/spread/from/type"}},
		{"deep property that is not documented", path + "?deep[x]=1", "", []string{"query/deep/additionalProperties"}},
		{"deep type", path + "?deep[from]=x", "", []string{"query/deep/from/type"}},
		{"list inside a deep object", path + "?deep[list]=1&deep[list]=2", "", []string{"query/deep/list/type?"}},
		{"indexed list inside a deep object", path + "?deep[list][0]=1&deep[list][1]=2", "", []string{"query/deep/list/type?"}},
		{"object inside a deep object", path + "?deep[in][a]=1", "", []string{"query/deep/in/type?"}},
		{"type in an object inside a deep object", path + "?deep[in][a]=x", "", []string{"query/deep/in/a/type?"}},
		{"type beside an object inside a deep object", path + "?deep[in][a]=1&deep[from]=x", "", []string{"query/deep/from/type"}},
		{"deep object as one text", path + "?deep=from,1", "", []string{"query/deep/style?"}},
		{"empty where it is allowed", path + "?empty=", "", nil},
		{"empty where it is not", path + "?whole=", "", []string{"query/whole/type?"}},
		{"fraction that is whole", path + "?whole=1.0", "", []string{"query/whole/type?"}},
		{"exponent", path + "?whole=1e1", "", []string{"query/whole/type?"}},
		{"sign and zeros", path + "?whole=%2B007", "", []string{"query/whole/type?"}},
		{"blanks around a number", path + "?whole=%207", "", []string{"query/whole/type?"}},
		{"fraction", path + "?whole=1.5", "", []string{"query/whole/type"}},
		{"hexadecimal", path + "?whole=0x5", "", []string{"query/whole/type?"}},
		{"sign alone", path + "?whole=-", "", []string{"query/whole/type"}},
		{"boolean in capitals", path + "?flag=TRUE", "", []string{"query/flag/type?"}},
		{"number for a boolean", path + "?flag=1", "", []string{"query/flag/type?"}},
		{"null", path + "?flag=null", "", []string{"query/flag/type?"}},
		{"word for a boolean", path + "?flag=yes", "", []string{"query/flag/type?"}},
		{"neither branch", path + "?either=10", "", []string{"query/either/oneOf"}},
		{"header list over two lines", path, "X-List: 1\nX-List: 2", []string{"header/X-List/type?"}},
		{"header list that is none", path, "X-List: 1;2", []string{"header/X-List/items/type"}},
		{"header object that is none", path, "X-Range: from,1", []string{"header/X-Range/style"}},
		{"JSON that is none", path, "X-JSON: [1", []string{"header/X-JSON/syntax"}},
		{"two JSON values", path, "X-JSON: [1] [2]", []string{"header/X-JSON/syntax?"}},
		{"type inside JSON", path, `X-JSON: ["1"]`, []string{"header/X-JSON/items/type"}},
		{"list in a cookie", path, "Cookie: c=1,2", []string{"cookie/c/type?"}},
		{"header list with an empty element", path, "X-List: 1,,2", []string{"header/X-List/type?"}},
		{"header list of too many beside an empty element", path, "X-List: 1,,2,3,4", []string{"header/X-List/maxItems"}},
		{"cookie in quotes", path, `Cookie: short="abc"`, []string{"cookie/short/type?"}},
		{"cookie with an escape", path, "Cookie: short=a%20b", []string{"cookie/short/type?"}},
		{"cookie that is too long without its escapes", path, "Cookie: short=a%20bcd", []string{"cookie/short/maxLength"}},
		{"list in a cookie, escaped", path, "Cookie: c=1%2C2", []string{"cookie/c/type?"}},
		{"escape that is none", path + "?form=%zz", "", []string{"path?"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "GET " + tt.target + " HTTP/1.1\n"
			if tt.header != "" {
				text += tt.header + "\n"
			}
			var got []string
			for _, v := range op.CheckRequest(request(t, text)) {
				name := strings.TrimPrefix(v.Clause.Name, "op/")
				if v.Leave != "" {
					name += "?"
				}
				got = append(got, name)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

const parts = head + `paths:
  /form:
    post:
      operationId: form
      requestBody:
        content:
          application/x-www-form-urlencoded:
            encoding: {csv: {style: form, explode: false}, meta: {style: deepObject, explode: true}}
            schema:
              type: object
              required: [n]
              additionalProperties: false
              properties: {n: {type: integer}, tags: {type: array, items: {type: string, maxLength: 3}}, csv: {type: array, maxItems: 2, items: {type: integer}}, meta: {type: object, properties: {a: {type: integer}}}}
      ` + done + `
  /parts:
    post:
      operationId: parts
      requestBody:
        content:
          multipart/form-data:
            encoding: {image: {contentType: "image/png, image/jpeg"}, doc: {contentType: application/xml}}
            schema:
              type: object
              required: [n]
              properties: {n: {type: integer}, tags: {type: array, maxItems: 2, items: {type: string}}, image: {type: string, format: binary}, info: {type: object, required: [a], properties: {a: {type: integer}}}, doc: {type: object, properties: {a: {type: integer}}}}
      ` + done + "\n"

func TestForms(t *testing.T) {
	c := parse(t, parts)
	for _, tt := range []struct {
		name, op, body string
		want           []string
	}{
		{"form", "form", "n=1&tags=a&tags=b&csv=1,2&meta%5Ba%5D=1", nil},
		{"form without what is required", "form", "tags=a", []string{"n/required"}},
		{"form with more", "form", "n=1&x=1", []string{"additionalProperties"}},
		{"form type", "form", "n=x", []string{"n/type"}},
		{"form item", "form", "n=1&tags=abcd", []string{"tags/items/maxLength"}},
		{"form list in one text", "form", "n=1&csv=1,2,3", []string{"csv/maxItems"}},
		{"form object", "form", "n=1&meta[a]=x", []string{"meta/a/type"}},
		{"form scalar twice", "form", "n=1&n=2", []string{"n/type?"}},
		{"form with a bad escape", "form", "n=1&tags=%zz", []string{"type?"}},
		{"form with empty pieces", "form", "&&n=1&", nil},
		{"parts", "parts", "n:1|tags:a|tags:b|image;image/png:\x89PNG|info;application/json:{\"a\":1}", nil},
		{"parts with more", "parts", "n:1|x:1", nil},
		{"parts without what is required", "parts", "tags:a", []string{"n/required"}},
		{"part type", "parts", "n:x", []string{"n/type"}},
		{"part items", "parts", "n:1|tags:a|tags:b|tags:c", []string{"tags/maxItems"}},
		{"part media type", "parts", "n:1|image;text/plain:a", []string{"image/content-type"}},
		{"part without a media type", "parts", "n:1|image:a", []string{"image/content-type?"}},
		{"part that is no JSON", "parts", "n:1|info;application/json:{", []string{"syntax", "info/type"}},
		{"part of JSON", "parts", `n:1|info;application/json:{"a":"1"}`, []string{"info/a/type"}},
		{"part of XML", "parts", "n:1|doc;application/xml:<doc><a>1</a></doc>", []string{"doc/type?"}},
		{"type in a part of XML", "parts", "n:1|doc;application/xml:<doc><a>x</a></doc>", []string{"doc/a/type"}},
		{"part that is no XML", "parts", "n:1|doc;application/xml:<doc>", []string{"doc/type"}},
		{"no parts", "parts", "", []string{"syntax"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &wire.Request{Method: "POST", Target: "/" + tt.op, Body: []byte(tt.body)}
			r.Set("Content-Type", "application/x-www-form-urlencoded")
			if tt.op == "parts" {
				r.Set("Content-Type", "multipart/form-data; boundary=b")
				r.Body = multipart(tt.body)
			}
			var got []string
			for _, v := range operation(c, tt.op).CheckRequest(r) {
				name := strings.TrimPrefix(v.Clause.Name, tt.op+"/body/")
				if v.Leave != "" {
					name += "?"
				}
				got = append(got, name)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// A part that the document calls XML is written so.
func TestPartOfXML(t *testing.T) {
	m := operation(parse(t, parts), "parts").Body.Media[0]
	body, label, err := m.Write(map[string]any{"n": 1, "doc": map[string]any{"a": 1}}, nil)
	require.NoError(t, err)
	assert.Contains(t, label, "multipart/form-data")
	assert.Contains(t, string(body), "Content-Type: application/xml\r\n\r\n<doc><a>1</a></doc>\r\n")
}

func operation(c *contract.Contract, id string) *contract.Operation {
	for _, op := range c.Operations {
		if op.ID == id {
			return op
		}
	}
	return nil
}

// multipart makes a body of parts that are written name;type:text.
func multipart(text string) []byte {
	var b strings.Builder
	for part := range strings.SplitSeq(text, "|") {
		label, value, ok := strings.Cut(part, ":")
		if !ok {
			return []byte("nothing")
		}
		name, contentType, _ := strings.Cut(label, ";")
		b.WriteString("--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n")
		if contentType != "" {
			b.WriteString("Content-Type: " + contentType + "\r\n")
		}
		b.WriteString("\r\n" + value + "\r\n")
	}
	return []byte(b.String() + "--b--\r\n")
}

// Whatever is sent is judged: no request makes a reader panic or run away.
func FuzzCheckRequest(f *testing.F) {
	c := parse(f, styles)
	forms := parse(f, parts)
	f.Add("/a/1,2/.1.2/;matrix=from,1?form=a,b&deep[x][0]=1", "1", "n=1&csv=1,2", "multipart/form-data; boundary=b")
	f.Add("/a/%2F/./;matrix?flag=%00&spread", "[1]", string(multipart("n:1|info;application/json:{}")), "application/x-www-form-urlencoded")
	f.Fuzz(func(t *testing.T, target, header, body, contentType string) {
		r := &wire.Request{Method: "GET", Target: target}
		for _, name := range []string{"X-List", "X-Range", "X-JSON", "Cookie"} {
			r.Add(name, header)
		}
		for _, v := range c.Operations[0].CheckRequest(r) {
			require.NotNil(t, v.Clause, "%s", v.Message)
		}
		for _, op := range forms.Operations {
			b := &wire.Request{Method: "POST", Target: op.Path, Body: []byte(body)}
			b.Set("Content-Type", contentType)
			for _, v := range op.CheckRequest(b) {
				require.NotNil(t, v.Clause, "%s", v.Message)
			}
		}
	})
}
