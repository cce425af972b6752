package judge_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const document = `openapi: 3.0.3
info: {title: a, version: "1"}
servers: [{url: https://h/v1}]
security: [{Header: []}, {Query: []}, {Cookie: []}, {Basic: []}]
paths:
  /a/{id}:
    get:
      operationId: op
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: q, in: query, schema: {type: string, maxLength: 3}}
      responses:
        "200":
          description: Done.
          headers: {X-Count: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: string, maxLength: 3}}}}}
        "204": {description: Nothing.}
        "302": {description: Elsewhere.}
        "400": {description: Refused., content: {application/json: {schema: {type: object}}}}
        "503": {description: Not now.}
    put:
      operationId: put
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {n: {type: integer}}}}}}
      responses: {"200": {description: Done.}, default: {description: Other., content: {text/plain: {}}}}
  /form:
    post:
      operationId: form
      requestBody: {required: true, content: {application/json: {schema: {type: string}}}}
      responses: {"303": {description: What came of it.}, "400": {description: Refused.}}
  /b:
    post:
      operationId: silent
      requestBody: {content: {application/json: {schema: {type: string}}}}
      responses:
        "200": {description: Done.}
        "206": {description: Packed., headers: {Content-Encoding: {schema: {type: string}}}}
        "207":
          description: What happened.
          headers: {X-Source: {example: /var/lib/shop, schema: {type: string}}}
          content:
            application/json:
              examples: {a: {value: {message: "dial tcp 10.0.3.7:5432: refused"}}}
              schema: {type: object, properties: {message: {type: array, items: {type: string, enum: [java.lang.Long]}}}}
  /c:
    get: {operationId: named, responses: {OK: {description: Done.}, "400": {description: Refused.}}}
  /file:
    get:
      operationId: file
      responses:
        "200": {description: A text., content: {text/plain: {schema: {type: string}}, application/json: {}}}
        "201": {description: Not empty., content: {text/plain: {schema: {type: string, minLength: 1}}}}
        "202": {description: Bytes., content: {application/octet-stream: {}}}
        "203": {description: An image., content: {image/png: {schema: {type: string, format: binary}}}}
        "206": {description: Anything., content: {"*/*": {}}}
        "226": {description: A form., content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {a: {type: string}}}}}}
  /app/{id}:
    get: {operationId: app, parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {"200": {description: Done.}, "404": {description: None.}}}
components:
  securitySchemes:
    Header: {type: apiKey, in: header, name: X-Key}
    Query: {type: apiKey, in: query, name: key}
    Cookie: {type: apiKey, in: cookie, name: session}
    Basic: {type: http, scheme: basic}
`

var parsed = func() *contract.Contract {
	c, err := contract.Parse("doc.yaml", []byte(document))
	if err != nil {
		panic(err)
	}
	return c
}()

func operation(t testing.TB, id string) *contract.Operation {
	t.Helper()
	for _, op := range parsed.Operations {
		if op.ID == id {
			return op
		}
	}
	require.FailNow(t, "no operation "+id)
	return nil
}

func clause(t testing.TB, name string) *contract.Clause {
	t.Helper()
	for _, c := range parsed.Clauses {
		if c.Name == name {
			return c
		}
	}
	require.FailNow(t, "no clause "+name)
	return nil
}

// good is an answer that breaks nothing.
const good = "HTTP/1.1 200 OK\nContent-Type: application/json\nX-Count: 1\n\n{\"a\":\"b\"}"

// row is an exchange as a run makes it.
type row struct {
	about    string
	clause   string // op/path where it is empty
	expect   plan.Expect
	request  string // GET /v1/a/1 where it is empty
	response string // none where it is empty
	err      error
	change   func(*judge.Exchange)
}

func (r row) exchange(t testing.TB) *judge.Exchange {
	t.Helper()
	name := "op/path"
	if r.clause != "" {
		name = r.clause
	}
	text := "GET /v1/a/1"
	if r.request != "" {
		text = r.request
	}
	request, err := wire.ParseRequest([]byte(text))
	require.NoError(t, err)
	x := &wire.Exchange{Request: request, Err: r.err}
	if r.response != "" {
		x.Response, err = wire.ParseResponse(request.Method, []byte(r.response))
		require.NoError(t, err)
	}
	c := clause(t, name)
	e := &judge.Exchange{Exchange: x, Op: parsed.OperationOf(c), Clause: c, Expect: r.expect, Must: true, Secrets: judge.Secrets(parsed.OperationOf(c), request)}
	if r.change != nil {
		r.change(e)
	}
	return e
}

func took(elapsed, most time.Duration) func(*judge.Exchange) {
	return func(e *judge.Exchange) { e.Response.Elapsed, e.MaxTime = elapsed, most }
}

func identity(e *judge.Exchange)     { e.Response.Identity = true }
func leave(e *judge.Exchange)        { e.Leave = "RFC 0 leaves it" }
func unacceptable(e *judge.Exchange) { e.Leave = plan.LeaveAccept }
func credential(e *judge.Exchange)   { e.Credential = true }
func authorized(e *judge.Exchange)   { e.Authorized = true }
func nowhere(e *judge.Exchange)      { e.Must, e.Nowhere = false, true }
func anywhere(e *judge.Exchange)     { e.Nowhere = true }
func unknown(e *judge.Exchange)      { e.Must = false }

// broken is what a check finds in a row.
type broken struct {
	row
	severity judge.Severity
	clauses  []string // of the findings
	message  string   // of the first
}

const (
	refused  = "HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n{}"
	conflict = "HTTP/1.1 409 Conflict\n"
)

// Each check has rows that it is silent about, and rows that it finds broken.
var rows = map[string]struct {
	kept   []row
	broken []broken
}{
	"connection": {
		[]row{{response: good}},
		[]broken{{row{err: errors.New("the handler panicked")}, judge.Error, []string{"op/response/status"}, "the handler panicked"}},
	},
	"server-error": {
		[]row{{response: good}, {about: "501 refuses a method", clause: "op/method", expect: plan.RefuseMethod, response: "HTTP/1.1 501\n"}},
		[]broken{
			{row{response: "HTTP/1.1 500\n\nno"}, judge.Error, []string{"op/response/status"}, "500 Internal Server Error in response to a valid request: no"},
			{row{about: "documented", response: "HTTP/1.1 503\n"}, judge.Warning, []string{"op/response/status"}, "503 Service Unavailable in response to a valid request"},
			{row{about: "documented, but not for this", clause: "op/query/q/maxLength", expect: plan.Refuse, response: "HTTP/1.1 503\n"}, judge.Error, []string{"op/response/status"}, "503 Service Unavailable in response to a request that breaks: q has at most 3 characters"},
			{row{clause: "op/method", expect: plan.RefuseMethod, response: "HTTP/1.1 500\n"}, judge.Error, []string{"op/response/status"}, "500"},
		},
	},
	"redirect": {
		[]row{
			{about: "documented", response: "HTTP/1.1 302\nLocation: /b\n"},
			{about: "to the documented spelling", clause: "op/path", expect: plan.RefusePath, response: "HTTP/1.1 301\nLocation: /a/1\n", change: leave},
			{about: "what the client has already", request: "GET /v1/a/1\nIf-None-Match: \"v1\"", response: "HTTP/1.1 304\nETag: \"v1\"\n", change: recorded},
		},
		[]broken{
			{row{response: "HTTP/1.1 301\nLocation: /b\n"}, judge.Error, []string{"op/response/status"}, `301 Moved Permanently to "/b"`},
			{row{about: "a path that the document does not have", expect: plan.RefusePath, response: "HTTP/1.1 301\nLocation: /login\n"}, judge.Warning, []string{"op/response/status"}, "301"},
			{row{about: "to a login", clause: "op/security", expect: plan.RefuseCredential, response: "HTTP/1.1 303\nLocation: /login\n"}, judge.Warning, []string{"op/response/status"}, `303 See Other to "/login" (RFC 9110 §11.4`},
			{row{about: "to a login, for good", clause: "op/security", expect: plan.RefuseCredential, response: "HTTP/1.1 301\nLocation: /login\n"}, judge.Error, []string{"op/response/status"}, "301"},
			{row{about: "of who is let in", response: "HTTP/1.1 303\nLocation: /login\n", change: authorized}, judge.Error, []string{"op/response/status"}, "303"},
			{row{about: "left to the receiver", response: "HTTP/1.1 307\nLocation: /v1/a/1\n", change: leave}, judge.Warning, []string{"op/response/status"}, `307 Temporary Redirect to "/v1/a/1" (RFC 0`},
		},
	},
	"undocumented-status": {
		[]row{
			{response: good},
			{about: "a credential may be refused as such", response: "HTTP/1.1 403\n", change: credential},
			{about: "a wrong credential is refused", clause: "op/security", expect: plan.RefuseCredential, response: "HTTP/1.1 403\n"},
			{about: "another path", expect: plan.RefusePath, response: "HTTP/1.1 404\n"},
			{about: "the default documents every status", clause: "put/path", request: "PUT /v1/a/1", response: conflict},
			{about: "it accepts no documented media type, and breaks a clause besides", clause: "op/query/q/maxLength", expect: plan.Refuse,
				request: "GET /v1/a/1?q=abcd\nAccept: text/html, application/xhtml+xml;q=0.9, application/*;q=0", response: "HTTP/1.1 406\n"},
		},
		[]broken{
			{row{about: "by a filter in front", clause: "op/query/q/maxLength", response: "HTTP/1.1 403\nContent-Type: text/html\n\n<h1>no</h1>", change: authorized}, judge.Warning, []string{"op/response/status"}, "403 Forbidden is not documented, in response to a valid request (RFC 9110 §15.5.4"},
			{row{about: "of the valid request, by a filter in front", response: "HTTP/1.1 403\nContent-Type: text/html\n\n<h1>no</h1>", change: func(e *judge.Exchange) { e.Authorized, e.Base = true, true }}, judge.Error, []string{"op/response/status"}, "403 Forbidden is not documented"},
			{row{about: "no page", clause: "op/query/q/maxLength", response: "HTTP/1.1 403\nContent-Type: application/json\n\n{}", change: authorized}, judge.Error, []string{"op/response/status"}, "403 Forbidden is not documented"},
			{row{response: "HTTP/1.1 201\n"}, judge.Error, []string{"op/response/status"}, "201 Created is not documented, in response to a valid request"},
			{row{about: "a response is named by no status", clause: "named/path", request: "GET /v1/c", response: "HTTP/1.1 200\n"}, judge.Warning, []string{"named/response/status"}, "200 OK is not documented"},
			{row{response: "HTTP/1.1 401\n", change: credential}, judge.Warning, []string{"op/response/status"}, "401 Unauthorized is not documented, in response to a valid request"},
			{row{about: "nobody has kept the body", response: "HTTP/1.1 413\n", change: func(e *judge.Exchange) { e.Request.Unseen = true }},
				judge.Warning, []string{"op/response/status"}, "413 Request Entity Too Large is not documented, in response to a request whose body is not known"},
			{row{clause: "op/query/q/maxLength", expect: plan.Refuse, response: conflict}, judge.Error, []string{"op/response/status"}, "409 Conflict is not documented, in response to a request that breaks: q has"},
			{row{about: "it accepts some", clause: "op/query/q/maxLength", expect: plan.Refuse, request: "GET /v1/a/1?q=abcd\nAccept: text/html, application/*;q=0.1", response: "HTTP/1.1 406\n"},
				judge.Error, []string{"op/response/status"}, "406"},
			{row{about: "of HTTP itself", clause: "op/query/q/maxLength", expect: plan.Refuse, response: "HTTP/1.1 414\n"}, judge.Warning, []string{"op/response/status"}, "414"},
			{row{about: "the request line among the header fields", clause: "op/query/q/maxLength", expect: plan.Refuse, response: "HTTP/1.1 431\n"}, judge.Warning, []string{"op/response/status"}, "431"},
			{row{about: "of HTTP itself", clause: "op/path/id/type", expect: plan.Refuse, response: "HTTP/1.1 404\n"}, judge.Warning, []string{"op/response/status"}, "404"},
			{row{about: "of HTTP itself", clause: "silent/body/media-type", request: "POST /v1/b", expect: plan.Refuse, response: "HTTP/1.1 415\n"}, judge.Warning, []string{"silent/response/status"}, "415"},
			{row{about: "what the path names may not exist", response: "HTTP/1.1 404\n", change: nowhere}, judge.Warning, []string{"op/response/status"}, "404"},
			{row{about: "nor need it in an invalid request", clause: "op/query/q/maxLength", expect: plan.Refuse, response: "HTTP/1.1 404\n", change: nowhere}, judge.Warning, []string{"op/response/status"}, "404"},
			{row{about: "what the path names exists", response: "HTTP/1.1 404\n", change: unknown}, judge.Error, []string{"op/response/status"}, "404"},
			{row{about: "too many requests", response: "HTTP/1.1 429\n"}, judge.Warning, []string{"op/response/status"}, "429"},
			{row{about: "no refusal is documented", clause: "silent/body/type", request: "POST /v1/b", expect: plan.Refuse, response: "HTTP/1.1 422\n"}, judge.Warning, []string{"silent/response/status"}, "422"},
			{row{about: "left to the receiver", clause: "op/query/q/single", expect: plan.Refuse, response: conflict, change: leave}, judge.Warning, []string{"op/response/status"}, "409"},
		},
	},
	"valid-request-refused": {
		[]row{
			{response: good},
			{about: "a value may not exist", response: refused, change: unknown},
			{about: "it is not valid", clause: "op/query/q/maxLength", expect: plan.Refuse, response: refused},
			{about: "what the path names need not exist", clause: "app/path", request: "GET /v1/app/1", response: "HTTP/1.1 404\n", change: anywhere},
			{about: "too many requests", response: "HTTP/1.1 429\n"},
			{about: "the credential is not known", response: "HTTP/1.1 401\n", change: credential},
			{about: "it accepts no documented media type", clause: "op/message", response: "HTTP/1.1 406\n", change: unacceptable},
		},
		[]broken{
			{row{about: "by a filter in front", clause: "op/query/q/maxLength", response: "HTTP/1.1 403\nContent-Type: text/html\n\n<h1>no</h1>", change: authorized}, judge.Warning, []string{"op/query/q/maxLength"}, "a valid request (q has at most 3 characters) is refused with 403 Forbidden: <h1>no</h1> (RFC 9110 §15.5.4"},
			{row{clause: "op/query/q/maxLength", response: refused}, judge.Error, []string{"op/query/q/maxLength"}, "a valid request (q has at most 3 characters) is refused with 400 Bad Request: {}"},
			{row{about: "it accepts some", clause: "op/message", response: "HTTP/1.1 406\n"}, judge.Error, []string{"op/message"}, "a valid request (a valid request in any form that HTTP allows) is refused with 406"},
			{row{clause: "op/path", response: refused, change: leave}, judge.Warning, []string{"op/path"}, "a valid request (no other path than /a/{id}) is refused with 400 Bad Request: {} (RFC 0 leaves it)"},
		},
	},
	"invalid-request-accepted": {
		[]row{{clause: "op/query/q/maxLength", expect: plan.Refuse, response: refused}, {response: good}},
		[]broken{
			{row{clause: "op/query/q/maxLength", expect: plan.Refuse, response: good}, judge.Error, []string{"op/query/q/maxLength"}, "an invalid request is accepted with 200 OK; broken: q has at most 3 characters"},
			{row{clause: "op/query/q/single", expect: plan.Refuse, response: good, change: leave}, judge.Warning, []string{"op/query/q/single"}, "an invalid request is accepted"},
			{row{about: "a way to something else", clause: "form/body/required", request: "POST /v1/form", expect: plan.Refuse, response: "HTTP/1.1 303\nLocation: /b\n"}, judge.Warning, []string{"form/body/required"}, "an invalid request is accepted with 303 See Other; broken: the body is present (RFC 9110 §15.4.4: "},
			{row{about: "with a documented redirect", clause: "op/query/q/maxLength", expect: plan.Refuse, response: "HTTP/1.1 302\nLocation: /b\n"}, judge.Error, []string{"op/query/q/maxLength"}, "an invalid request is accepted with 302 Found"},
		},
	},
	"undocumented-method": {
		[]row{
			{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 405\nAllow: GET, PUT\n"},
			{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 404\n"},
			{about: "credentials come first", clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 401\n"},
			{about: "recorded, a request of a browser before its own", request: "OPTIONS /v1/a/1\nOrigin: https://a.example", response: "HTTP/1.1 204\n", change: recorded},
			{about: "recorded, and served wherever GET is", request: "HEAD /v1/a/1", response: "HTTP/1.1 200\nContent-Length: 9\n", change: recorded},
			{about: "OPTIONS may be answered", clause: "op/method", request: "OPTIONS /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 204\n", change: leave},
		},
		[]broken{
			{row{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 200\n"}, judge.Error, []string{"op/method"}, "POST /a/{id} returns 200 OK"},
			{row{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 400\n"}, judge.Warning, []string{"op/method"}, "POST /a/{id} returns 400"},
		},
	},
	"allow-header": {
		[]row{
			{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 405\nAllow: PUT,GET,  HEAD\n"},
			{about: "on two lines", clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 405\nAllow: GET\nAllow: PUT\n"},
		},
		[]broken{
			{row{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 405\n"}, judge.Error, []string{"op/method"}, "405 without an Allow header"},
			{row{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 405\nAllow: GET\n"}, judge.Error, []string{"op/method"}, "Allow does not list every documented method"},
			{row{clause: "op/method", request: "POST /v1/a/1", expect: plan.RefuseMethod, response: "HTTP/1.1 405\nAllow: GET, PUT, POST\n"}, judge.Error, []string{"op/method"}, "Allow lists the method that is refused"},
		},
	},
	"undocumented-path": {
		[]row{{expect: plan.RefusePath, request: "GET /v1/a/1/x", response: "HTTP/1.1 404\n"}},
		[]broken{
			{row{expect: plan.RefusePath, request: "GET /v1/a/1/x", response: "HTTP/1.1 200\n"}, judge.Error, []string{"op/path"}, "GET /v1/a/1/x returns 200 OK"},
			{row{expect: plan.RefusePath, request: "GET /v1/a/1/", response: "HTTP/1.1 200\n", change: leave}, judge.Warning, []string{"op/path"}, "GET /v1/a/1/ returns"},
		},
	},
	"security-ignored": {
		[]row{{clause: "op/security", expect: plan.RefuseCredential, response: "HTTP/1.1 401\n"}},
		[]broken{{row{clause: "op/security", expect: plan.RefuseCredential, response: good}, judge.Error, []string{"op/security"}, "a request without a valid credential is accepted with 200 OK"}},
	},
	"response-media-type": {
		[]row{
			{response: good},
			{about: "in another spelling", response: strings.Replace(good, "application/json", "Application/JSON; charset=utf-8", 1)},
			{about: "no body, no type", response: "HTTP/1.1 204\n"},
			{about: "not documented at all", response: conflict},
		},
		[]broken{
			{row{response: strings.Replace(good, "application/json", "text/html", 1)}, judge.Error, []string{"op/response/200/media-type"}, `200 OK: media type "text/html" is not documented, want application/json`},
			{row{response: strings.Replace(good, "Content-Type: application/json\n", "", 1)}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: no Content-Type"},
			{row{about: "bytes need no label", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 202\n\na"}, judge.Warning, []string{"file/response/202/media-type"}, "202 Accepted: no Content-Type: a (RFC 9110 §8.3: "},
			{row{about: "nor does what may be anything", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 206\n\na"}, judge.Warning, []string{"file/response/206/media-type"}, "206 Partial Content: no Content-Type: a (RFC 9110 §8.3: "},
			{row{about: "a default is for errors", clause: "put/path", request: "PUT /v1/a/1", response: "HTTP/1.1 307\nLocation: /b\nContent-Type: text/html\n\n<a href=/b>"},
				judge.Warning, []string{"put/response/default/media-type"}, "307 Temporary Redirect: media type \"text/html\""},
			{row{clause: "put/path", request: "PUT /v1/a/1", response: "HTTP/1.1 409\nContent-Type: text/html\n\n<p>"}, judge.Error, []string{"put/response/default/media-type"}, "409"},
			{row{about: "a parser refuses it", clause: "op/query/q/maxLength", expect: plan.Refuse, request: "GET /v1/a/1\nContent-Type: a/b\nContent-Type: c/d", response: "HTTP/1.1 400\nContent-Type: text/html\n\n<p>"},
				judge.Warning, []string{"op/response/400/media-type"}, "400 Bad Request: media type \"text/html\""},
			{row{about: "once", clause: "op/query/q/maxLength", expect: plan.Refuse, request: "GET /v1/a/1\nContent-Type: a/b", response: "HTTP/1.1 400\nContent-Type: text/html\n\n<p>"},
				judge.Error, []string{"op/response/400/media-type"}, "400"},
			{row{response: strings.Replace(good, "X-Count", "Content-Type: text/plain\nX-Count", 1)}, judge.Error, []string{"op/response/200/media-type"}, "there are several Content-Type headers"},
			{row{response: "HTTP/1.1 409\nContent-Type: a/b\nContent-Type: a/b\n"}, judge.Error, []string{"op/response/status"}, "there are several Content-Type headers"},
		},
	},
	"response-body-unexpected": {
		[]row{{response: good}, {response: "HTTP/1.1 204\n"}},
		[]broken{
			{row{about: "content lists potential payloads", response: "HTTP/1.1 302\n\n{}"}, judge.Warning, []string{"op/response/302/no-body"}, "302 Found has a body of 2 bytes: {} (OpenAPI 3.0.3, Response Object, content: "},
			{row{about: "HTTP forbids it", response: "HTTP/1.1 204\n\n{}"}, judge.Error, []string{"op/response/204/no-body"}, "204 No Content has a body of 2 bytes: {}"},
			{row{about: "HTTP forbids it", request: "HEAD /v1/a/1", response: "HTTP/1.1 302\n\n{}"}, judge.Error, []string{"op/response/302/no-body"}, "302 Found has a body of 2 bytes: {}"},
		},
	},
	"response-body-missing": {
		[]row{
			{response: good},
			{about: "HEAD has none", request: "HEAD /v1/a/1", response: "HTTP/1.1 200\nX-Count: 1\n"},
			{about: "cut short says another check", response: "HTTP/1.1 200\nX-Count: 1\nContent-Length: 3\n\n"},
			{about: "an empty text", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 200\nContent-Type: text/plain\n"},
			{about: "no bytes", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 202\nContent-Type: application/octet-stream\n"},
			{about: "an empty text in a range", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 206\nContent-Type: text/csv\n"},
			{about: "a form without fields", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 226\nContent-Type: application/x-www-form-urlencoded\n"},
		},
		[]broken{
			{row{response: "HTTP/1.1 200\nX-Count: 1\n"}, judge.Error, []string{"op/response/200/media-type"}, "200 OK has no body"},
			{row{about: "no bytes are no JSON", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 200\nContent-Type: application/json\n"}, judge.Error, []string{"file/response/200/media-type"}, "200 OK has no body"},
			{row{about: "an empty text is none of the schema's", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 201\nContent-Type: text/plain\n"}, judge.Error, []string{"file/response/201/media-type"}, "201 Created has no body"},
			{row{about: "without a label", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 200\n"}, judge.Warning, []string{"file/response/200/media-type"}, "200 OK has no body (RFC 9110 §8.3: "},
			{row{about: "without a label", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 206\n"}, judge.Warning, []string{"file/response/206/media-type"}, "206 Partial Content has no body (RFC 9110 §8.3: "},
			{row{about: "an image of no bytes", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 203\nContent-Type: image/png\n"}, judge.Warning, []string{"file/response/203/media-type"}, "203 Non-Authoritative Information has no body (OpenAPI 3.0.3, "},
			{row{about: "another type than the documented", clause: "file/path", request: "GET /v1/file", response: "HTTP/1.1 202\nContent-Type: text/plain\n"}, judge.Error, []string{"file/response/202/media-type"}, "202 Accepted has no body"},
		},
	},
	"response-body-malformed": {
		[]row{
			{response: good}, {about: "not JSON by its label", response: "HTTP/1.1 404\nContent-Type: text/plain\n\n{"},
			{about: "some of its bytes", clause: "silent/path", request: "POST /v1/b\nRange: bytes=0-1", response: "HTTP/1.1 206\nContent-Type: application/json\nContent-Range: bytes 0-1/9\n\n{\"a"},
		},
		[]broken{
			{row{response: good + "x"}, judge.Error, []string{"op/response/200/body/syntax"}, "200 OK: the response body goes on after the JSON value"},
			{row{response: strings.Replace(good, "{\"a\"", "{\"a\":\"\",\"a\"", 1)}, judge.Error, []string{"op/response/200/body/syntax"}, "200 OK: the response body names a member twice"},
			{row{response: "HTTP/1.1 200\nContent-Type: application/json\nX-Count: 1\nContent-Length: 90\n\n{}"}, judge.Error, []string{"op/response/200/media-type"}, "the response body cannot be read: unexpected EOF"},
			{row{response: "HTTP/1.1 204\nContent-Length: 90\n\n"}, judge.Error, []string{"op/response/204/no-body"}, "the response body cannot be read"},
			{row{about: "half a character is in the grammar", response: strings.Replace(good, `"b"`, `"\ud83d"`, 1)}, judge.Warning, []string{"op/response/200/body/syntax"}, "200 OK: the response body escapes half a surrogate pair at byte 6 in /a: {\"a\":\"\\ud83d\"} (RFC 8259 §8.2: "},
			{row{about: "calls itself JSON", response: "HTTP/1.1 404\nContent-Type: application/problem+json\n\n{"}, judge.Warning, []string{"op/response/status"}, "the Content-Type of 404 Not Found says JSON, but the body ends inside a JSON value"},
		},
	},
	"response-schema": {
		[]row{{response: good}, {about: "malformed says another check", response: good + "x"}},
		[]broken{
			{row{about: "with half a character", response: strings.Replace(good, `"b"`, `"abc\ud83d"`, 1)}, judge.Error, []string{"op/response/200/body/a/maxLength"}, "200 OK: a: violates: a has at most 3 characters"},
			{row{response: strings.Replace(good, `"b"`, `"abcd"`, 1)}, judge.Error, []string{"op/response/200/body/a/maxLength"}, "200 OK: a: violates: a has at most 3 characters"},
			{row{response: strings.Replace(good, `"a"`, `"c"`, 1)}, judge.Error, []string{"op/response/200/body/a/required"}, "200 OK: a: "},
			{row{response: strings.Replace(good, `{"a":"b"}`, "[]", 1)}, judge.Error, []string{"op/response/200/body/type"}, "200 OK: the body: want object, got array"},
		},
	},
	"response-header": {
		[]row{{response: good}},
		[]broken{
			{row{response: strings.Replace(good, "X-Count: 1\n", "", 1)}, judge.Error, []string{"op/response/200/header/X-Count/required"}, "200 OK: header X-Count is missing"},
			{row{response: strings.Replace(good, "X-Count: 1", "X-Count: x", 1)}, judge.Error, []string{"op/response/200/header/X-Count/type"}, "200 OK: header X-Count: "},
			{row{response: strings.Replace(good, "X-Count: 1", "X-Count: 1\nX-Count: 1", 1)}, judge.Error, []string{"op/response/200/header/X-Count/type"}, "200 OK: header X-Count is given 2 times (RFC 9110 §5.3)"},
		},
	},
	"response-slow": {
		[]row{{response: good}, {about: "no bound", response: good, change: took(time.Hour, 0)}, {about: "in time", response: good, change: took(time.Second, time.Second)}},
		[]broken{{row{response: good, change: took(1500*time.Millisecond, time.Second)}, judge.Error, []string{"op/path"}, "200 OK took 1.5s, the run allows 1s"}},
	},
	"response-encoding": {
		[]row{
			{response: good, change: identity},
			{about: "nobody has asked for none", response: coded("gzip", zipped)},
			{about: "as asked for", request: "GET /v1/a/1\nAccept-Encoding: br;q=0.5, x-gzip", response: coded("gzip", zipped), change: identity},
			{about: "any but one", request: "GET /v1/a/1\nAccept-Encoding: identity;q=0, *", response: coded("deflate", deflated)},
			{about: "without its wrapper", response: coded("deflate", flat)},
			{about: "twice", response: coded("deflate, gzip", gzipped(deflated))},
			{about: "that cannot be looked into", response: coded("compress", "\x00")},
			{about: "br", request: "GET /v1/a/1\nAccept-Encoding: br", response: coded("br", brotlied), change: identity},
			{about: "zstd", request: "GET /v1/a/1\nAccept-Encoding: gzip, zstd", response: coded("zstd", zstded), change: identity},
			{about: "identity is no coding", response: coded("identity", `{"a":"b"}`), change: identity},
			{about: "no body, no coding", response: "HTTP/1.1 204\nContent-Encoding: gzip\n", change: identity},
			{about: "cut short says another check", response: coded("gzip", zipped[:20]), change: func(e *judge.Exchange) { e.Response.BodyErr = io.ErrUnexpectedEOF }},
			{about: "documented", clause: "silent/path", request: "POST /v1/b", response: "HTTP/1.1 206\nContent-Encoding: gzip\n\n" + zipped, change: identity},
		},
		[]broken{
			{row{response: coded("gzip", zipped), change: identity}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the body is in gzip, but the request asks for Accept-Encoding: identity (RFC 9110 §12.5.3)"},
			{row{response: coded("br", brotlied), change: identity}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the body is in br, but"},
			{row{about: "excluded", request: "GET /v1/a/1\nAccept-Encoding: gzip;q=0, *", response: coded("gzip", zipped)}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the body is in gzip, but the request asks for Accept-Encoding: gzip;q=0, *"},
			{row{about: "another", request: "GET /v1/a/1\nAccept-Encoding: br", response: coded("gzip", zipped)}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the body is in gzip, but"},
			{row{about: "cut short", response: coded("zstd", zstded[:len(zstded)-5])}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the Content-Encoding says zstd, but the body is not: "},
			{row{about: "no bytes", clause: "silent/path", request: "POST /v1/b", response: "HTTP/1.1 201\nContent-Encoding: gzip\n"}, judge.Error, []string{"silent/response/status"}, "201 Created: the Content-Encoding says gzip, but there is no body"},
			{row{about: "a lie", response: coded("gzip", `{"a":"b"}`)}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the Content-Encoding says gzip, but the body is not: "},
			{row{about: "a lie about a coding that is not asked for", response: coded("deflate", `{"a":"b"}`), change: identity}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the body is in deflate, but the request asks for Accept-Encoding: identity (RFC 9110 §12.5.3); the Content-Encoding says d"},
			{row{about: "no coding at all", response: coded("utf-8", `{"a":"b"}`)}, judge.Error, []string{"op/response/200/media-type"}, "200 OK: the Content-Encoding says utf-8, but the body is not: there is no such coding"},
			{row{about: "not documented", response: "HTTP/1.1 409\nContent-Encoding: gzip\n\n" + zipped, change: identity}, judge.Error, []string{"op/response/status"}, "409 Conflict: the body is in gzip"},
		},
	},
	"response-framing": {
		[]row{{response: good}},
		[]broken{
			{row{response: good, change: func(e *judge.Exchange) { e.Response.Faults = []string{"a second response follows the first", "too"} }}, judge.Error, []string{"op/response/status", "op/response/status"}, "200 OK is not framed as HTTP/1.1: a second response follows the first"},
		},
	},
	"error-leak": {
		[]row{
			{about: "a scheme without a credential is challenged by its name", request: "GET /v1/a/1\nAuthorization: GeheimScheme",
				response: "HTTP/1.1 401\nWWW-Authenticate: Basic realm=\"a\", GeheimScheme realm=\"a\"\n"},
			{about: "a cookie set again", request: "GET /v1/a/1\nCookie: a=b; session=geheim-1", response: "HTTP/1.1 200 OK\nSet-Cookie: session=geheim-1; Path=/\n"},
			{about: "a redirect that keeps the query", request: "GET /v1/a/1?key=geheim-1", response: "HTTP/1.1 302\nLocation: /v1/a?key=geheim-1\n"},
			{about: "a documented header", request: "GET /v1/a/1\nX-Key: 123456", response: strings.Replace(good, "X-Count: 1", "X-Count: 123456", 1)},
			{about: "a part of a word", request: "GET /v1/a/1\nX-Key: secret", response: "HTTP/1.1 302\nX-Info: secretary nonsecret\n"},
			{about: "an echo in a header", request: "GET /v1/a/1?q=main.go:12", response: "HTTP/1.1 302\nX-Info: main.go:12\n"},
			{about: "a path of the API", response: leaking("see /app/a")},
			{about: "a success may hold anything", response: strings.Replace(good, `"b"`, `"panic: x"`, 1)},
			{about: "an echo", request: "GET /v1/a/1?q=/etc/passwd", response: leaking("no file /etc/passwd")},
			{about: "an error message without internals", response: leaking("q is too long, see https://h/docs/errors")},
			{about: "a short credential turns up by chance", request: "GET /v1/a/1\nX-Key: a", response: leaking("a b c")},
		},
		[]broken{
			{row{response: leaking("goroutine 1 [running]")}, judge.Error, []string{"op/response/400/media-type"}, "400 Bad Request shows a stack trace"},
			{row{response: leaking("Traceback (most recent call last)")}, judge.Error, []string{"op/response/400/media-type"}, "400 Bad Request shows a stack trace"},
			{row{response: leaking("open /var/lib/app.db")}, judge.Error, []string{"op/response/400/media-type"}, "400 Bad Request shows a file path"},
			{row{response: leaking("insert into packages (id) values (12)")}, judge.Error, []string{"op/response/400/media-type"}, "400 Bad Request shows SQL"},
			{row{about: "not documented", response: "HTTP/1.1 500\n\nmain.go:12"}, judge.Error, []string{"op/response/status"}, "500 Internal Server Error shows a stack trace"},
			{row{about: "in a header", request: "GET /v1/a/1\nX-Key: geheim-1", response: "HTTP/1.1 302\nX-Debug: key geheim-1\n"}, judge.Error, []string{"op/response/status"}, "302 Found repeats a credential of the request in the header X-Debug"},
			{row{about: "in a challenge", request: "GET /v1/a/1\nAuthorization: geheim-token", response: "HTTP/1.1 401\nWWW-Authenticate: Bearer realm=\"geheim-token\"\n"},
				judge.Error, []string{"op/response/status"}, "401 Unauthorized repeats a credential of the request in the header Www-Authenticate"},
			{row{about: "in another cookie", request: "GET /v1/a/1\nX-Key: geheim-1", response: good[:16] + "Set-Cookie: session=geheim-1\n" + good[16:]}, judge.Error, []string{"op/response/status"}, "200 OK repeats a credential of the request in the header Set-Cookie"},
			{row{about: "without its scheme", request: "GET /v1/a/1\nAuthorization: Basic geheim-1", response: leaking("no user geheim-1")}, judge.Error, []string{"op/response/400/media-type"}, "400 Bad Request repeats a credential"},
			{row{about: "in a header", response: "HTTP/1.1 302\nX-Debug: at main.go:12, main.go:13\n"}, judge.Error, []string{"op/response/status"}, "302 Found shows a stack trace: n.go:12 in the header X-Debug"},
			{row{about: "in a coding", response: "HTTP/1.1 400\nContent-Encoding: gzip\n\n" + gzipped("goroutine 1 [running]")}, judge.Error, []string{"op/response/400/media-type"}, "400 Bad Request shows a stack trace"},
			{row{request: "GET /v1/a/1\nX-Key: geheim-1", response: leaking("no access for geheim-1")}, judge.Error, []string{"op/response/400/media-type"}, "400 Bad Request repeats a credential of the request"},
		},
	},
	"request-invalid": {
		[]row{
			{about: "planned", clause: "op/query/q/maxLength", expect: plan.Refuse, response: refused},
			{about: "recorded and valid", response: good, change: recorded},
			{about: "recorded, and of HTTP itself", request: "OPTIONS /v1/a/1", response: "HTTP/1.1 405\nAllow: GET, PUT\n", change: recorded},
		},
		[]broken{
			{row{request: "GET /v1/a/1?q=abcd", response: refused, change: recorded}, judge.Warning, []string{"op/query/q/maxLength"}, "the request breaks the contract: q: violates: q has at most 3 characters"},
			{row{request: "POST /v1/a/1", response: "HTTP/1.1 405\nAllow: GET, PUT\n", change: recorded}, judge.Warning, []string{"op/method"}, "the request has the method POST"},
		},
	},
}

func leaking(text string) string {
	return fmt.Sprintf("HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n{\"message\":%q}", text)
}

// recorded forgets what a row says of its request.
func recorded(e *judge.Exchange) { *e = *judge.Recorded(parsed, e.Exchange) }

// only runs one check.
func only(name string) func(string) bool { return func(check string) bool { return check != name } }

func TestEveryCheckHasRows(t *testing.T) {
	var names []string
	for _, c := range judge.Checks {
		names = append(names, c.Name)
		assert.NotEmpty(t, rows[c.Name].kept, "no row that keeps %s", c.Name)
		assert.NotEmpty(t, rows[c.Name].broken, "no row that breaks %s", c.Name)
		assert.NotEmpty(t, c.Doc, c.Name)
		assert.True(t, strings.HasSuffix(c.Doc, "."), c.Name)
	}
	assert.Len(t, rows, len(names), "a row is for a check that is not there")
	slices.Sort(names)
	assert.Len(t, slices.Compact(names), len(judge.Checks), "two checks have one name")
	for _, c := range judge.OfSeveral {
		assert.NotContains(t, names, c.Name)
	}
	assert.Contains(t, names, judge.ValidRefused)
}

func TestChecks(t *testing.T) {
	for _, c := range judge.Checks {
		t.Run(c.Name, func(t *testing.T) {
			for _, r := range rows[c.Name].kept {
				assert.Empty(t, judge.Judge(r.exchange(t), only(c.Name)), "%s %s %s", r.about, r.request, r.response)
			}
			for _, r := range rows[c.Name].broken {
				found := judge.Judge(r.exchange(t), only(c.Name))
				var clauses []string
				for _, f := range found {
					clauses = append(clauses, f.Clause.Name)
					assert.Equal(t, c.Name, f.Check)
					assert.Equal(t, r.severity, f.Severity, "%s: %s", r.about, f.Message)
					assert.NotEmpty(t, f.Expected, f.Message)
					assert.NotEmpty(t, f.Actual, f.Message)
				}
				if assert.Equal(t, r.clauses, clauses, "%s %s %s", r.about, r.request, r.response) {
					assert.True(t, strings.HasPrefix(found[0].Message, r.message), "%q", found[0].Message)
				}
			}
		})
	}
}

// A good answer to a valid request has no finding at all, whoever asks.
func TestGood(t *testing.T) {
	assert.Empty(t, judge.Judge(row{response: good}.exchange(t), nil))
	assert.Empty(t, judge.Judge(row{response: good, change: recorded}.exchange(t), nil))
}

// Messages are one line and of bounded length, whatever a server sends.
func TestMessagesAreBounded(t *testing.T) {
	long := strings.Repeat("é\nx\x00\xff ", 100_000)
	for _, r := range []row{
		{response: "HTTP/1.1 500\n\n" + long},
		{response: "HTTP/1.1 301\nLocation: " + strings.Repeat("/a", 100_000) + "\n"},
		{response: "HTTP/1.1 200\nContent-Type: text/html\n\n" + long},
		{response: "HTTP/1.1 200\nContent-Type: application/json\n\n" + long},
		{response: "HTTP/1.1 302\n\n" + long},
		{response: "HTTP/1.1 400\nContent-Type: application/json\n\npanic: " + long},
		{response: refused[:len(refused)-2] + long},
		{clause: "op/method", expect: plan.RefuseMethod, response: "HTTP/1.1 405\nAllow: " + strings.Repeat("A,", 100_000) + "\n"},
		{expect: plan.RefusePath, request: "GET /v1/" + strings.Repeat("a", 100_000), response: good},
	} {
		found := judge.Judge(r.exchange(t), nil)
		require.NotEmpty(t, found)
		for _, f := range found {
			for _, text := range []string{f.Message, f.Expected, f.Actual} {
				assert.Less(t, utf8.RuneCountInString(text), 700, "%s: %.80s", f.Check, text)
				assert.NotContains(t, text, "\n", f.Check)
				assert.True(t, utf8.ValidString(text), f.Check)
			}
		}
	}
}

func TestSecrets(t *testing.T) {
	op := operation(t, "op")
	request, err := wire.ParseRequest([]byte("GET /v1/a/1?key=geheim%2Bquery\nX-Key: geheim-header\nCookie: a=b; session=geheim-cookie\nAuthorization: Basic geheim\nX-Other: public-value"))
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"geheim+query", "geheim-header", "geheim-cookie", "geheim"}, judge.Secrets(op, request))
}

// The name of a scheme is no secret: a challenge has it too.
func TestSecretsInAuthorization(t *testing.T) {
	op := operation(t, "op")
	for value, want := range map[string][]string{
		"Bearer":                       nil,
		"bearer ":                      nil,
		"Bearer geheim-token":          {"geheim-token"},
		"Basic bmFtZTpnZWhlaW0tMQ==":   {"bmFtZTpnZWhlaW0tMQ==", "geheim-1"},
		"Basic kein-base64":            {"kein-base64"},
		"geheim-token":                 {"geheim-token"},
		"SDK-HMAC Access=a, Signature": {"Access=a, Signature"},
	} {
		request, err := wire.ParseRequest([]byte("GET /v1/a/1\nAuthorization: " + value))
		require.NoError(t, err)
		assert.ElementsMatch(t, want, judge.Secrets(op, request), value)
	}
}

// What a request is judged by is not what a finding shows: its values may be
// secrets.
func TestNoSecretInAFinding(t *testing.T) {
	for _, r := range []row{
		{request: "GET /v1/a/geheim-1?q=geheim-1", response: good, change: recorded},
		{request: "PUT /v1/a/1\nContent-Type: application/json\n\n{\"n\":\"geheim-1\"}", response: "HTTP/1.1 200\n", change: recorded},
		{request: "PUT /v1/a/1\nContent-Type: application/json\n\ngeheim-1", response: "HTTP/1.1 200\n", change: recorded},
		{request: "GET /v1/a/1\nX-Key: geheim-1", response: "HTTP/1.1 200\nContent-Type: application/json\nX-Count: geheim-1\n\n{\"a\":\"geheim-1\"}"},
	} {
		found := judge.Judge(r.exchange(t), nil)
		require.NotEmpty(t, found)
		for _, f := range found {
			assert.NotContains(t, f.Message+f.Expected+f.Actual, "geheim-1", f.Check)
		}
	}
}

func TestRecorded(t *testing.T) {
	tests := []struct {
		name, request, op, clause string
		expect                    plan.Expect
		leave                     bool
	}{
		{"valid", "GET /v1/a/1", "op", "op/path", plan.Accept, false},
		{"without the base path", "GET /a/1", "op", "op/path", plan.Accept, false},
		{"invalid", "GET /v1/a/x", "op", "op/path/id/type", plan.Refuse, false},
		{"left to the receiver", "GET /v1/a/1?q=a&q=b", "op", "op/query/q/single", plan.Refuse, true},
		{"a clause that must be kept counts for more", "GET /v1/a/1?q=abcd&q=b", "op", "op/query/q/maxLength", plan.Refuse, false},
		{"method", "POST /v1/a/1", "op", "op/method", plan.RefuseMethod, false},
		{"HEAD beside GET", "HEAD /v1/a/1", "op", "op/method", plan.RefuseMethod, true},
		{"OPTIONS", "OPTIONS /v1/a/1", "op", "op/method", plan.RefuseMethod, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, err := wire.ParseRequest([]byte(tt.request + "\nX-Key: geheim-1"))
			require.NoError(t, err)
			e := judge.Recorded(parsed, &wire.Exchange{Request: request, Response: &wire.Response{Status: 200}})
			require.NotNil(t, e)
			assert.Equal(t, tt.op, e.Op.ID)
			assert.Equal(t, tt.clause, e.Clause.Name)
			assert.Equal(t, tt.expect, e.Expect)
			assert.Equal(t, tt.leave, e.Leave != "")
			assert.True(t, e.Recorded)
			assert.Equal(t, []string{"geheim-1"}, e.Secrets)
		})
	}
	for text, want := range map[string]plan.Expect{
		"GET /v1/a/1": plan.RefuseCredential,
		"GET /v1/a/1?q=a\nAccept: */*\nUser-Agent: a": plan.RefuseCredential,
		"GET /v1/a/x":                            plan.Refuse,
		"GET /v1/a/1\nAuthorization: Basic YTpi": plan.Accept,
		"GET /v1/a/1\nX-Key: geheim-1":           plan.Accept,
		"GET /v1/a/1\nX-User-Of-The-Gateway: a":  plan.Accept,
		"GET /v1/a/1\nCookie: session=1":         plan.Accept,
		"GET /v1/a/1?token=geheim":               plan.Accept,
	} {
		request, err := wire.ParseRequest([]byte(text))
		require.NoError(t, err)
		request.Written = true
		assert.Equal(t, want, judge.Recorded(parsed, &wire.Exchange{Request: request, Response: &wire.Response{Status: 200}}).Expect, text)
	}
	request, err := wire.ParseRequest([]byte("GET /elsewhere"))
	require.NoError(t, err)
	assert.Nil(t, judge.Recorded(parsed, &wire.Exchange{Request: request}))
}

// A check that is switched off says nothing.
func TestSkip(t *testing.T) {
	e := row{response: "HTTP/1.1 500\n"}
	assert.NotEmpty(t, judge.Judge(e.exchange(t), nil))
	assert.Empty(t, judge.Judge(e.exchange(t), func(string) bool { return true }))
}

func TestBodyIsNotReadTwice(t *testing.T) {
	e := row{response: "HTTP/1.1 200\nContent-Type: application/json\nX-Count: 1\nContent-Length: 9\n\n{}"}.exchange(t)
	found := judge.Judge(e, nil)
	require.Len(t, found, 1, "a body that was cut has one finding, not one for each keyword")
	assert.Equal(t, "response-body-malformed", found[0].Check)
	assert.ErrorIs(t, e.Response.BodyErr, io.ErrUnexpectedEOF)
}

// What Swagger 2.0 says of a response without a schema is not what OpenAPI 3.0 says of one without content.
func TestUnexpectedBodyOfSwagger(t *testing.T) {
	c, err := contract.Parse("doc.yaml", []byte(`{swagger: "2.0", info: {title: a, version: "1"}, paths: {/a: {get: {operationId: op, responses: {"400": {description: bad}}}}}}`))
	require.NoError(t, err)
	request, err := wire.ParseRequest([]byte("GET /a"))
	require.NoError(t, err)
	response, err := wire.ParseResponse("GET", []byte("HTTP/1.1 400\nContent-Type: text/plain\n\nno"))
	require.NoError(t, err)
	found := judge.Judge(&judge.Exchange{Exchange: &wire.Exchange{Request: request, Response: response}, Op: c.Operations[0], Must: true}, only("response-body-unexpected"))
	require.Len(t, found, 1)
	assert.Equal(t, judge.Warning, found[0].Severity)
	assert.Contains(t, found[0].Message, "(Swagger 2.0, Response Object, schema: without it no content is returned")
}
