package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	taskNotFound      = "DLF.0810"
	workspaceNotFound = "DLF.0819"
	invalidParameter  = "DLF.3051"
	invalidText       = "The request parameter is invalid: "
)

// Each request is sent over TCP to a server on a new SQLite file. A case
// without a code is answered with 200.
func TestCancel(t *testing.T) {
	const contentType = "Content-Type: " + mediaType
	token := func(n int) string { return "X-Auth-Token: " + strings.Repeat("t", n) }
	target := func(project string) string { return "/v2/" + project + "/factory/release-packages/unpack" }
	tests := []struct {
		name    string
		request string
		code    string
		text    string // part of the error text
		want    string // the states afterwards; empty: untouched
	}{
		// The documented use.
		{name: "the documented example", request: post(path, document, contentType), want: both},
		{name: "unknown package", request: post(path, `{"package_ids":["12","99"]}`, contentType), code: taskNotFound, text: "Task does not exist."},
		{name: "released package", request: post(path, `{"package_ids":["12","14"]}`, contentType), code: invalidParameter, text: invalidText + `package_ids: package "14" is released and can no longer be cancelled.`},
		{name: "cancelled package", request: post(path, `{"package_ids":["15"]}`, contentType)},
		{name: "one twice", request: post(path, `{"package_ids":["12","12","13"]}`, contentType), want: both},
		{name: "no body", request: post(path, "")},
		{name: "no body, length said", request: post(path, "", "Content-Length: 0")},
		{name: "empty object", request: post(path, `{}`, contentType)},
		{name: "empty list", request: post(path, `{"package_ids":[]}`, contentType)},
		{name: "white space around", request: post(path, " \r\n\t"+document+"\n ", contentType), want: both},
		{name: "escapes", request: post(path, `{"package\u005fids":["\u0031\u0032","13"]}`, contentType), want: both},
		{name: "unknown properties", request: post(path, `{"x":{"y":[1e999,null]},"package_ids":["12","13"]}`, contentType), want: both},
		{name: "another letter case is an unknown property", request: post(path, `{"Package_IDs":["12","13"],"PACKAGE_IDS":7}`, contentType)},
		{name: "a query", request: post(path+"?package_ids=12&debug=true", "")},

		// Workspaces.
		{name: "default workspace by name", request: post(path, document, contentType, "workspace: development"), want: both},
		{name: "empty workspace header", request: post(path, document, contentType, "workspace:"), want: both},
		{name: "header name in capitals", request: post(path, document, "CONTENT-TYPE: "+mediaType, "WORKSPACE: development"), want: both},
		{name: "another workspace's package", request: post(path, document, contentType, "workspace: test"), code: taskNotFound},
		{name: "unknown workspace", request: post(path, document, contentType, "workspace: nowhere"), code: workspaceNotFound, text: "Workspace does not exists: the project or workspace does not exist."},
		{name: "unknown workspace, no body", request: post(path, "", "workspace: nowhere"), code: workspaceNotFound},
		{name: "SQL in the workspace", request: post(path, document, contentType, "workspace: ' OR 1=1 --"), code: workspaceNotFound},
		{name: "no UTF-8 in the workspace", request: post(path, document, contentType, "workspace: \xff\xfe"), code: workspaceNotFound},
		{name: "no default workspace", request: post(target("without-default"), `{"package_ids":["31"]}`, contentType), code: workspaceNotFound, text: "Workspace does not exists: the project does not exist or has no default workspace."},
		{name: "no default workspace, no body", request: post(target("without-default"), ""), code: workspaceNotFound},
		{name: "no default workspace, empty list", request: post(target("without-default"), `{"package_ids":[]}`, contentType), code: workspaceNotFound},
		{name: "workspace twice", request: post(path, document, contentType, "workspace: development", "workspace: development"), code: invalidParameter, text: invalidText + "workspace in header: "},

		// The project.
		{name: "unknown project", request: post(target("unknown"), document, contentType), code: workspaceNotFound},
		{name: "project of 3 characters", request: post(target("abc"), document, contentType), code: workspaceNotFound},
		{name: "project of 2 characters", request: post(target("ab"), document, contentType), code: invalidParameter, text: invalidText + "project_id in path: minimum string length is 3"},
		{name: "project of 64 characters", request: post(target(strings.Repeat("a", 64)), ""), code: workspaceNotFound},
		{name: "project of 65 characters", request: post(target(strings.Repeat("a", 65)), ""), code: invalidParameter, text: invalidText + "project_id in path: maximum string length is 64"},
		{name: "project of 64 encoded characters", request: post(target(strings.Repeat("%E9%A1%B9", 64)), ""), code: workspaceNotFound},
		{name: "no project", request: post(target(""), ""), code: invalidParameter, text: invalidText + "project_id in path: "},
		{name: "encoded slash in the project", request: post(target("a%2Fb"), document, contentType), code: workspaceNotFound},
		{name: "two characters with an encoded slash", request: post(target("a%2F"), document, contentType), code: invalidParameter, text: "project_id in path"},
		{name: "needlessly encoded project", request: post(target("%62"+project[1:]), document, contentType), want: both},
		{name: "needlessly encoded path", request: post(strings.Replace(path, "unpack", "%75%6Epack", 1), document, contentType), want: both},
		{name: "needlessly encoded path and encoded slash in the project", request: post(strings.Replace(target("a%2Fb%2d%7E"), "unpack", "%75npack", 1), document, contentType), code: workspaceNotFound},
		{name: "encoded percent sign", request: post(target("%2525%2Fab"), document, contentType), code: workspaceNotFound},
		{name: "no UTF-8 in the project", request: post(target("%FF%FE%FD"), document, contentType), code: workspaceNotFound},
		{name: "NUL in the project", request: post(target(project+"%00"), document, contentType), code: workspaceNotFound},

		// The token.
		{name: "no token", request: post(path, "")},
		{name: "empty token", request: post(path, "", token(0))},
		{name: "longest token", request: post(path, document, contentType, token(4096)), want: both},
		{name: "token too long", request: post(path, document, contentType, token(4097)), code: invalidParameter, text: invalidText + "X-Auth-Token in header: maximum string length is 4096"},
		{name: "token twice", request: post(path, document, contentType, token(1), token(1)), code: invalidParameter, text: invalidText + "X-Auth-Token in header: "},

		// The media type.
		{name: "without charset", request: post(path, document, "Content-Type: application/json"), want: both},
		{name: "charset in lower case after a space", request: post(path, document, "Content-Type: Application/JSON; Charset=utf-8"), want: both},
		{name: "quoted charset", request: post(path, document, `Content-Type: application/json;charset="UTF-8"`), want: both},
		{name: "another charset", request: post(path, document, "Content-Type: application/json;charset=ISO-8859-1"), code: invalidParameter, text: invalidText + "Content-Type in header: "},
		{name: "another type", request: post(path, document, "Content-Type: text/plain"), code: invalidParameter, text: invalidText + "Content-Type in header: "},
		{name: "a JSON suffix", request: post(path, document, "Content-Type: application/x+json"), code: invalidParameter, text: "Content-Type in header"},
		{name: "no type", request: post(path, document), code: invalidParameter, text: invalidText + "Content-Type in header: it is mandatory with a body."},
		{name: "empty type", request: post(path, document, "Content-Type:"), code: invalidParameter, text: "it is mandatory with a body"},
		{name: "malformed type", request: post(path, document, "Content-Type: json"), code: invalidParameter, text: "Content-Type in header"},
		{name: "two types", request: post(path, document, contentType, contentType), code: invalidParameter, text: invalidText + "Content-Type in header: it must not be sent more than once."},
		{name: "two types in one", request: post(path, document, contentType+", "+mediaType), code: invalidParameter, text: "Content-Type in header"},
		{name: "another type without body is not looked at", request: post(path, "", "Content-Type: text/plain;;")},
		{name: "two types without body are not looked at", request: post(path, "", contentType, "Content-Type: text/plain")},
		{name: "compressed", request: post(path, document, contentType, "Content-Encoding: gzip"), code: invalidParameter, text: invalidText + "Content-Encoding in header: "},
		{name: "identity coding", request: post(path, document, contentType, "Content-Encoding: Identity"), want: both},
		{name: "a coding without body", request: post(path, "", "Content-Encoding: gzip")},

		// The types of the body.
		{name: "number among the IDs", request: post(path, `{"package_ids":["12",13]}`, contentType), code: invalidParameter, text: invalidText + "package_ids/1: value must be a string."},
		{name: "number beyond float64 among the IDs", request: post(path, `{"package_ids":[1e999]}`, contentType), code: invalidParameter, text: invalidText + "package_ids/0: "},
		{name: "null among the IDs", request: post(path, `{"package_ids":["12",null]}`, contentType), code: invalidParameter, text: invalidText + "package_ids/1: "},
		{name: "null for the list", request: post(path, `{"package_ids":null}`, contentType), code: invalidParameter, text: invalidText + "package_ids: "},
		{name: "object for the list", request: post(path, `{"package_ids":{"0":"12"}}`, contentType), code: invalidParameter, text: invalidText + "package_ids: value must be an array."},
		{name: "string for the list", request: post(path, `{"package_ids":"12"}`, contentType), code: invalidParameter, text: invalidText + "package_ids: "},
		{name: "list in a list", request: post(path, `{"package_ids":[["12"]]}`, contentType), code: invalidParameter, text: invalidText + "package_ids/0: "},
		{name: "null body", request: post(path, `null`, contentType), code: invalidParameter, text: invalidText + "body: "},
		{name: "list for the body", request: post(path, `["12"]`, contentType), code: invalidParameter, text: invalidText + "body: value must be an object."},
		{name: "string for the body", request: post(path, `"12"`, contentType), code: invalidParameter, text: invalidText + "body: "},

		// The syntax of the body.
		{name: "not JSON", request: post(path, `package_ids=12`, contentType), code: invalidParameter, text: invalidText + "body: it is not JSON"},
		{name: "white space for a body", request: post(path, " \n", contentType), code: invalidParameter, text: invalidText + "body: it is empty"},
		{name: "cut short", request: post(path, `{"package_ids":["12"`, contentType), code: invalidParameter, text: "body: it ends inside a JSON value"},
		{name: "bytes after it", request: post(path, document+"]", contentType), code: invalidParameter, text: "body: it goes on after the JSON value"},
		{name: "a second value", request: post(path, document+document, contentType), code: invalidParameter, text: "body: it goes on after the JSON value"},
		{name: "duplicate name", request: post(path, `{"package_ids":["12"],"package_ids":["13"]}`, contentType), code: invalidParameter, text: "body: it names a member twice"},
		{name: "duplicate name by escape", request: post(path, `{"package_ids":["12"],"package\u005fids":["13"]}`, contentType), code: invalidParameter, text: "body: it names a member twice"},
		{name: "bad UTF-8", request: post(path, "{\"package_ids\":[\"12\xff\"]}", contentType), code: invalidParameter, text: "body: it is not valid UTF-8"},
		{name: "half a surrogate pair", request: post(path, `{"package_ids":["\ud800"]}`, contentType), code: invalidParameter, text: "body: it escapes half a surrogate pair"},
		{name: "byte-order mark", request: post(path, "\xef\xbb\xbf"+document, contentType), code: invalidParameter, text: "body: it starts with a byte-order mark"},
		{name: "UTF-16", request: post(path, "{\x00}\x00", contentType), code: invalidParameter, text: "body: it is not JSON"},
		{name: "too deep", request: post(path, strings.Repeat("[", 20_000), contentType), code: invalidParameter, text: "body: it is nested deeper"},

		// IDs that no store holds do not exist.
		{name: "NUL in an ID", request: post(path, `{"package_ids":["12","12\u0000"]}`, contentType), code: taskNotFound},
		{name: "empty ID", request: post(path, `{"package_ids":["12",""]}`, contentType), code: taskNotFound},
		{name: "very long ID", request: post(path, `{"package_ids":["12","`+strings.Repeat("1", 1<<20)+`"]}`, contentType), code: taskNotFound},
		{name: "SQL in an ID", request: post(path, `{"package_ids":["12' OR '1'='1","'); DROP TABLE package; --"]}`, contentType), code: taskNotFound},

		// Transfer.
		{name: "chunked", request: request("POST", path, "5\r\n{\"pac\r\n16\r\nkage_ids\":[\"12\",\"13\"]}\r\n0\r\n\r\n", contentType, "Transfer-Encoding: chunked"), want: both},
		{name: "chunked and empty", request: request("POST", path, "0\r\n\r\n", "Transfer-Encoding: chunked")},
		{name: "chunked badly", request: request("POST", path, "zz\r\n{}\r\n", contentType, "Transfer-Encoding: chunked"), code: invalidParameter, text: "body: it could not be read to its end"},
	}
	names := map[string]bool{}
	for _, tt := range tests {
		require.False(t, names[tt.name], "two cases are named %q", tt.name)
		names[tt.name] = true
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t)
			a := start(t, s).send(t, tt.request)
			if tt.code == "" {
				success(t, a)
			} else {
				failure(t, a, http.StatusBadRequest, tt.code, tt.text)
			}
			if tt.want == "" {
				tt.want = untouched
			}
			assert.Equal(t, tt.want, states(t, s))
			assert.Equal(t, "12=pending", statesOf(t, s, project, "test"))
			assert.Equal(t, "31=pending", statesOf(t, s, "without-default", "production"))
		})
	}
}

func TestBodyLimit(t *testing.T) {
	const limit = 12 << 20
	padded := func(n int) string { return document + strings.Repeat(" ", n-len(document)) }
	chunked := func(body string) string {
		return request("POST", path, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body),
			"Content-Type: "+mediaType, "Transfer-Encoding: chunked")
	}
	s := newStore(t)
	r := start(t, s)
	for name, req := range map[string]string{
		"length said":  post(path, padded(limit+1), "Content-Type: "+mediaType),
		"chunked":      chunked(padded(limit + 1)),
		"without type": post(path, padded(limit+1)),
		"only said":    post(path, "", "Content-Type: "+mediaType, "Content-Length: 1000000000000"),
	} {
		t.Run("above: "+name, func(t *testing.T) {
			failure(t, r.send(t, req), http.StatusRequestEntityTooLarge, "APIG.0201", "12582912 bytes at most")
			assert.Equal(t, untouched, states(t, s))
		})
	}
	for name, req := range map[string]string{
		"length said": post(path, padded(limit), "Content-Type: "+mediaType),
		"chunked":     chunked(padded(limit)),
	} {
		t.Run("exactly: "+name, func(t *testing.T) {
			s := newStore(t)
			success(t, start(t, s).send(t, req))
			assert.Equal(t, both, states(t, s))
		})
	}
}

// The error text is bounded by the document and quotes no secret.
func TestErrorText(t *testing.T) {
	s := newStore(t)
	r := start(t, s)

	// A member name of the caller's choice gets into the text.
	member := strings.Repeat("\U0001F4E6", 20_000)
	a := r.send(t, post(path, `{"`+member+`":[1,]}`, "Content-Type: "+mediaType))
	failure(t, a, http.StatusBadRequest, invalidParameter, "body: it is not JSON", "📦")
	_, text := errorOf(t, a.body)
	assert.LessOrEqual(t, len([]rune(text)), 10240)
	assert.Contains(t, text, "📦…", "what is quoted is cut")
	assert.LessOrEqual(t, strings.Count(text, "📦"), 200)

	secret := "secret-" + strings.Repeat("s", 4096)
	for _, headers := range [][]string{
		{"X-Auth-Token: " + secret},
		{"X-Auth-Token: " + secret[:100], "X-Auth-Token: " + secret[:100]},
		{"X-Auth-Token: " + secret[:100], "Content-Type: text/plain"},
		{"X-Auth-Token: " + secret[:100], "Authorization: SDK-HMAC-SHA256 Access=secret-", "Content-Type: " + mediaType},
	} {
		a := r.send(t, post(path, `{"package_ids":["99"]}`, headers...))
		assert.Equal(t, http.StatusBadRequest, a.StatusCode)
		assert.NotContains(t, string(a.body), "secret-")
	}
	assert.NotContains(t, r.log.String(), "secret-")
	assert.Contains(t, r.log.String(), "status=400")
}
