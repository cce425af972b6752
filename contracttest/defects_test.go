package contracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/defects"
	"github.com/dataarts-go/factory/internal/racing"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

const (
	spec    = "../openapi.yaml"
	project = "b384b9e9ab9b4ee8994c8633aabc9505" // of the document's example
)

var (
	shortest = "abc"
	longest  = strings.Repeat("p", 64)
)

// correct returns the server that keeps the contract, with the packages of the
// documented example in each of three projects.
func correct(t testing.TB) http.Handler {
	t.Helper()
	st := store.NewMemory()
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	for _, id := range []string{project, shortest, longest} {
		require.NoError(t, st.PutWorkspace(t.Context(), store.Workspace{ProjectID: id, ID: "development", Default: true}))
		require.NoError(t, st.PutWorkspace(t.Context(), store.Workspace{ProjectID: id, ID: "test"}))
		for _, w := range []string{"development", "test"} {
			_, err := st.Add(t.Context(), store.Packages(
				store.Package{ID: "12", ProjectID: id, Workspace: w, State: store.Pending},
				store.Package{ID: "13", ProjectID: id, Workspace: w, State: store.Pending},
			))
			require.NoError(t, err)
		}
	}
	h, err := server.New(st, server.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	return otherMethods(h)
}

// unpack is the path of the operation.
var unpack = regexp.MustCompile(`^/v2/[^/]+` + tail + `$`)

// otherMethods refuses another method with 405 and Allow, as most servers do and defects
// below change; ours answers with 404, as the vendor's gateway does.
var otherMethods = response(func(r *http.Request, rec *httptest.ResponseRecorder) {
	if rec.Code == http.StatusNotFound && r.Method != http.MethodPost && unpack.MatchString(r.URL.EscapedPath()) {
		rec.Code = http.StatusMethodNotAllowed
		rec.Header().Set("Allow", http.MethodPost)
	}
})

// known are the values that exist on the correct server.
func known(more ...contracttest.Option) []contracttest.Option {
	return append([]contracttest.Option{
		contracttest.Values("package_ids", "12", "13"),
		contracttest.Values("project_id", project, shortest, longest),
		contracttest.Values("workspace", "development", "test"),
		contracttest.Timeout(time.Minute), // nothing hangs, but a machine may be busy
	}, more...)
}

func load(t testing.TB) *contracttest.Contract {
	t.Helper()
	c, err := contracttest.Load(spec)
	require.NoError(t, err)
	return c
}

// defect is one way to break the contract.
type defect struct {
	name  string
	check string // the check that is meant to find it
	wrap  defects.Wrapper
	warn  bool // only a warning: the document leaves it to the receiver
	// value is what the command has to be told of the target, beside packages
	// that exist, to find the defect.
	value string
}

// The wrappers of the catalogue, under short names.
var (
	request   = defects.Request
	body      = defects.JSON
	answer    = defects.Answer
	response  = defects.Response
	with      = defects.Text
	status    = defects.Status
	header    = defects.Header
	both      = defects.All
	sometimes = defects.Sometimes
	zipped    = defects.Zipped
)

// ids changes the list of ids.
func ids(change func(v any) any) defects.Wrapper {
	return body(func(v any) any {
		if m, ok := v.(map[string]any); ok {
			if list, there := m["package_ids"]; there {
				m["package_ids"] = change(list)
			}
		}
		return v
	})
}

// each changes every id of a list.
func each(change func(v any) any) defects.Wrapper {
	return ids(func(v any) any {
		if list, ok := v.([]any); ok {
			for i := range list {
				list[i] = change(list[i])
			}
		}
		return v
	})
}

// refuse answers 400, in the documented shape, to requests that the server
// behind would take.
func refuse(when func(r *http.Request, body []byte) bool) defects.Wrapper {
	return answer(when, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error_code":"DLF.3051","error_msg":"refused"}`)
	})
}

// on changes the answers with one status.
func on(status int, change defects.Change) defects.Wrapper {
	return response(func(_ *http.Request, rec *httptest.ResponseRecorder) {
		if rec.Code == status {
			change(rec)
		}
	})
}

// leaking puts a text into a documented error.
func leaking(text string) defects.Change {
	return with(fmt.Sprintf(`{"error_code":"a","error_msg":%q}`, text))
}

func number(v any) any {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

func list(v any) []any {
	m, _ := v.(map[string]any)
	l, _ := m["package_ids"].([]any)
	return l
}

func parsed(b []byte) any {
	var v any
	_ = json.Unmarshal(b, &v)
	return v
}

func anyID(ok func(id string) bool) func(*http.Request, []byte) bool {
	return func(_ *http.Request, b []byte) bool {
		for _, v := range list(parsed(b)) {
			if id, isText := v.(string); isText && ok(id) {
				return true
			}
		}
		return false
	}
}

func internalError(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }

// token changes the token that the server behind sees.
func token(change func(string) string) defects.Wrapper {
	return request(func(r *http.Request, b []byte) []byte {
		if values := r.Header.Values("X-Auth-Token"); len(values) > 0 {
			r.Header.Set("X-Auth-Token", change(values[0]))
		}
		return b
	})
}

// contentType changes the media type that the server behind sees.
func contentType(when func(string) bool) defects.Wrapper {
	return request(func(r *http.Request, b []byte) []byte {
		if when(strings.Join(r.Header.Values("Content-Type"), "|")) {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Del("Content-Encoding")
		}
		return b
	})
}

// text repairs the bytes of the body before the server behind sees them.
func text(repair func(string) string) defects.Wrapper {
	return request(func(_ *http.Request, b []byte) []byte { return []byte(repair(string(b))) })
}

// firstValue cuts what follows the first JSON value.
func firstValue(s string) string {
	dec := json.NewDecoder(strings.NewReader(s))
	var raw json.RawMessage
	if dec.Decode(&raw) != nil {
		return s
	}
	return string(raw)
}

func served(methods ...string) defects.Wrapper {
	return answer(func(r *http.Request, _ []byte) bool { return slices.Contains(methods, r.Method) },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) })
}

func path(change func(string) string) defects.Wrapper {
	return request(func(r *http.Request, b []byte) []byte {
		p := change(r.URL.Path)
		r.URL = &url.URL{Path: p, RawQuery: r.URL.RawQuery}
		r.RequestURI = r.URL.RequestURI()
		return b
	})
}

// lenient repairs the body where it is no JSON.
func lenient(repair func(string) string) defects.Wrapper {
	return text(func(s string) string {
		if json.Valid([]byte(s)) && utf8.ValidString(s) {
			return s
		}
		return repair(s)
	})
}

// mended repairs it by replacing what an expression matches.
func mended(expr, by string) defects.Wrapper {
	re := regexp.MustCompile(expr)
	return lenient(func(s string) string { return re.ReplaceAllString(s, by) })
}

// when lets the server behind see another body.
func when(is func(r *http.Request, body []byte) bool, instead string) defects.Wrapper {
	return request(func(r *http.Request, b []byte) []byte {
		if is(r, b) {
			return []byte(instead)
		}
		return b
	})
}

// unchecked drops from some bodies the ids that are no text.
func unchecked(is func(r *http.Request, body []byte) bool) defects.Wrapper {
	return request(func(r *http.Request, b []byte) []byte {
		m, ok := parsed(b).(map[string]any)
		l, isList := m["package_ids"].([]any)
		if !ok || !isList || !is(r, b) {
			return b
		}
		m["package_ids"] = slices.DeleteFunc(l, func(v any) bool { _, isText := v.(string); return !isText })
		out, err := json.Marshal(m)
		if err != nil {
			return b
		}
		return out
	})
}

func whenBody(is func(map[string]any) bool) defects.Wrapper {
	return unchecked(func(_ *http.Request, b []byte) bool {
		m, ok := parsed(b).(map[string]any)
		return ok && is(m)
	})
}

// members counts the properties of the body.
func members(b []byte) int {
	m, _ := parsed(b).(map[string]any)
	return len(m)
}

// named finds bodies with a property whose name has the part.
func named(part string) func(*http.Request, []byte) bool {
	return func(_ *http.Request, b []byte) bool {
		m, _ := parsed(b).(map[string]any)
		for name := range m {
			if strings.Contains(name, part) {
				return true
			}
		}
		return false
	}
}

// stray finds bodies whose unknown property is spelt so.
func stray(expr string) func(*http.Request, []byte) bool {
	is := regexp.MustCompile(expr)
	return func(_ *http.Request, b []byte) bool {
		var m map[string]json.RawMessage
		return json.Unmarshal(b, &m) == nil && is.Match(m["x-unknown-property"])
	}
}

const tail = "/factory/release-packages/unpack"

// defects are the ways to break the contract that the suite has to find, by
// what goes wrong.
var catalogue = []defect{
	// Validation missing.
	{name: "number for an id", check: "invalid-request-accepted", wrap: each(number)},
	{name: "number for the last id alone", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if l, ok := v.([]any); ok && len(l) > 1 {
			l[len(l)-1] = number(l[len(l)-1])
		}
		return v
	})},
	{name: "null for an id", check: "invalid-request-accepted", wrap: each(func(v any) any {
		if v == nil {
			return "12"
		}
		return v
	})},
	{name: "boolean for an id", check: "invalid-request-accepted", wrap: each(func(v any) any {
		if _, ok := v.(bool); ok {
			return "12"
		}
		return v
	})},
	{name: "object for an id", check: "invalid-request-accepted", wrap: each(func(v any) any {
		if _, ok := v.(map[string]any); ok {
			return "12"
		}
		return v
	})},
	{name: "list for an id", check: "invalid-request-accepted", wrap: each(func(v any) any {
		if l, ok := v.([]any); ok && len(l) > 0 {
			return l[0]
		}
		return v
	})},
	{name: "one id for the list", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if s, ok := v.(string); ok && s == "12" {
			return []any{s}
		}
		return v
	})},
	{name: "ids joined by commas", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if s, ok := v.(string); ok && s == "12,13" {
			return []any{"12", "13"}
		}
		return v
	})},
	{name: "JSON in a string for the list", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if s, ok := v.(string); ok && strings.HasPrefix(s, "[") {
			return parsed([]byte(s))
		}
		return v
	})},
	{name: "object for the list", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if m, ok := v.(map[string]any); ok {
			l := []any{}
			for _, e := range m {
				if s, ok := e.(string); ok && (s == "12" || s == "13") {
					l = append(l, s)
				}
			}
			return l
		}
		return v
	})},
	{name: "null for the list", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if v == nil {
			return []any{}
		}
		return v
	})},
	{name: "empty string for the list", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if v == "" {
			return []any{}
		}
		return v
	})},
	{name: "false for the list", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if v == false {
			return []any{}
		}
		return v
	})},
	{name: "list for the body", check: "invalid-request-accepted", wrap: body(func(v any) any {
		if l, ok := v.([]any); ok && len(l) == 1 {
			return l[0]
		}
		return v
	})},
	{name: "null for the body", check: "invalid-request-accepted", wrap: text(func(s string) string {
		if s == "null" {
			return ""
		}
		return s
	})},
	{name: "string for the body", check: "invalid-request-accepted", wrap: body(func(v any) any {
		if s, ok := v.(string); ok {
			return parsed([]byte(s))
		}
		return v
	})},
	{name: "token longer than allowed", check: "invalid-request-accepted", wrap: token(func(s string) string { return s[:min(len(s), 4096)] })},
	{name: "token far longer than allowed", check: "invalid-request-accepted", wrap: token(func(s string) string {
		if len(s) > 8000 {
			return "a"
		}
		return s
	})},
	{name: "project of two characters", check: "invalid-request-accepted", wrap: path(func(p string) string {
		if seg := strings.Split(p, "/"); len(seg) > 2 && len(seg[2]) < 3 {
			return "/v2/" + project + tail
		}
		return p
	})},
	{name: "project of 65 characters", check: "invalid-request-accepted", wrap: path(func(p string) string {
		if seg := strings.Split(p, "/"); len(seg) > 2 && len(seg[2]) == 65 {
			return "/v2/" + project + tail
		}
		return p
	})},
	{name: "body that is no JSON counts as none", check: "invalid-request-accepted", wrap: text(func(s string) string {
		if !json.Valid([]byte(s)) {
			return ""
		}
		return s
	})},
	{name: "bytes after the JSON", check: "invalid-request-accepted", warn: true, wrap: text(firstValue)},
	{name: "trailing comma", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string {
		return regexp.MustCompile(`,\s*([\]}])`).ReplaceAllString(s, "$1")
	})},
	{name: "single quotes", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string {
		if strings.Contains(s, `"`) {
			return s
		}
		return strings.ReplaceAll(s, "'", `"`)
	})},
	{name: "comment in JSON", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string {
		return regexp.MustCompile(`/\*.*?\*/`).ReplaceAllString(s, "")
	})},
	{name: "unquoted name", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string {
		return strings.Replace(s, "{package_ids:", `{"package_ids":`, 1)
	})},
	{name: "NaN counts as no body", check: "invalid-request-accepted", wrap: text(func(s string) string {
		if s == "NaN" {
			return ""
		}
		return s
	})},
	{name: "invalid UTF-8 dropped", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string { return strings.ToValidUTF8(s, "") })},
	{name: "control character dropped", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string { return strings.ReplaceAll(s, "\x01", "") })},
	{name: "cut JSON repaired", check: "invalid-request-accepted", wrap: text(func(s string) string {
		if strings.HasPrefix(s, "{") && !strings.HasSuffix(strings.TrimSpace(s), "}") && json.Valid([]byte(s+"}")) {
			return s + "}"
		}
		return s
	})},
	{name: "blank body counts as none", check: "invalid-request-accepted", wrap: text(func(s string) string {
		if strings.TrimSpace(s) == "" {
			return ""
		}
		return s
	})},
	{name: "UTF-16 decoded", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string {
		if strings.HasPrefix(s, "{\x00") {
			return strings.ReplaceAll(s, "\x00", "")
		}
		return s
	})},
	{name: "any media type", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return s != "" && !strings.Contains(s, "|") })},
	{name: "text/plain", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return s == "text/plain" })},
	{name: "media types that begin alike", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.HasPrefix(s, "application/json") })},
	{name: "another charset", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.Contains(s, "8859") })},
	{name: "malformed media type", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return s == "json" })},
	{name: "body without a media type", check: "invalid-request-accepted", warn: true, wrap: contentType(func(s string) bool { return s == "" })},
	{name: "unknown content coding", check: "invalid-request-accepted", warn: true, wrap: request(func(r *http.Request, b []byte) []byte {
		r.Header.Del("Content-Encoding")
		return b
	})},
	{name: "duplicate names", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string {
		var v any
		if !utf8.ValidString(s) || json.Unmarshal([]byte(s), &v) != nil {
			return s
		}
		out, err := json.Marshal(v)
		if err != nil || strings.Contains(s, "\\u") {
			return s
		}
		return string(out)
	})},
	{name: "byte-order mark", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string { return strings.TrimPrefix(s, "\xef\xbb\xbf") })},
	{name: "token given twice", check: "invalid-request-accepted", warn: true, wrap: token(func(s string) string { return s })},

	// Valid requests refused.
	{name: "longest token refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return len(r.Header.Get("X-Auth-Token")) == 4096 })},
	{name: "empty token refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool {
		v, ok := r.Header["X-Auth-Token"]
		return ok && v[0] == ""
	})},
	{name: "token required", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("X-Auth-Token") == "" })},
	{name: "token refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("X-Auth-Token") != "" })},
	{name: "workspace required", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("Workspace") == "" })},
	{name: "second workspace refused", check: "valid-request-refused", value: "workspace=development,test", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("Workspace") == "test" })},
	{name: "shortest project refused", check: "valid-request-refused", value: "project_id=" + project + "," + shortest, wrap: refuse(func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, "/abc/") })},
	{name: "longest project refused", check: "valid-request-refused", value: "project_id=" + project + "," + longest, wrap: refuse(func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, longest) })},
	{name: "absent body refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return len(b) == 0 })},
	{name: "absent body without a length refused", check: "valid-request-refused", warn: true, wrap: refuse(func(r *http.Request, b []byte) bool { return len(b) == 0 && r.ContentLength < 0 })},
	{name: "empty object refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return string(b) == "{}" })},
	{name: "empty list refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return bytes.Contains(b, []byte("[]")) })},
	{name: "single id refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return len(list(parsed(b))) == 1 })},
	{name: "repeated id refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool {
		l := list(parsed(b))
		return len(l) == 2 && l[0] == l[1]
	})},
	{name: "more than 100 ids refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return len(list(parsed(b))) > 100 })},
	{name: "other order refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool {
		l := list(parsed(b))
		return len(l) == 2 && l[0] == "13" && l[1] == "12"
	})},
	{name: "unknown property refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool {
		m, _ := parsed(b).(map[string]any)
		_, ok := m["package_ids"]
		return len(m) > 1 || len(m) == 1 && !ok
	})},
	{name: "names without regard to letter case", check: "valid-request-refused", wrap: body(func(v any) any {
		if m, ok := v.(map[string]any); ok {
			if other, there := m["PACKAGE_IDS"]; there {
				m["package_ids"] = other
			}
		}
		return v
	})},
	{name: "media type without charset refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, b []byte) bool {
		return len(b) > 0 && r.Header.Get("Content-Type") == "application/json"
	})},
	{name: "charset refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, b []byte) bool {
		return len(b) > 0 && strings.Contains(r.Header.Get("Content-Type"), "charset=UTF-8")
	})},
	{name: "media type in upper case refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool {
		return strings.Contains(r.Header.Get("Content-Type"), "JSON")
	})},
	{name: "quoted charset refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool {
		return strings.Contains(r.Header.Get("Content-Type"), `"`)
	})},
	{name: "chunked body refused", check: "undocumented-status", wrap: answer(func(r *http.Request, b []byte) bool { return len(b) > 0 && r.ContentLength < 0 },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict) })},
	{name: "white space around JSON refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return len(b) > 2 && b[0] == ' ' && json.Valid(b) })},
	{name: "indented JSON refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return bytes.Contains(b, []byte("{\n")) })},
	{name: "escapes in JSON refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool {
		return bytes.Contains(b, []byte(`\u0070`)) && json.Valid(b)
	})},

	// Wrong status.
	{name: "201 for 200", check: "undocumented-status", wrap: on(200, status(201))},
	{name: "202 for 200", check: "undocumented-status", wrap: on(200, status(202))},
	{name: "204 for 200", check: "undocumented-status", wrap: on(200, status(204))},
	{name: "302 for 200", check: "redirect", wrap: on(200, both(status(302), header("Location", "/elsewhere")))},
	{name: "307 for 200", check: "redirect", wrap: on(200, both(status(307), header("Location", "/elsewhere")))},
	{name: "422 for 400", check: "undocumented-status", wrap: on(400, status(422))},
	{name: "404 for an unknown package", check: "response-schema", wrap: on(400, func(rec *httptest.ResponseRecorder) {
		if strings.Contains(rec.Body.String(), "0810") {
			rec.Code = 404
		}
	})},
	{name: "500 for 400", check: "server-error", wrap: on(400, status(500))},
	{name: "500 of the gateway for 400", check: "server-error", wrap: on(400, both(status(500), with(`{"error_code":"APIG.0601","error_msg":"Internal error."}`)))},
	{name: "200 for 400", check: "invalid-request-accepted", wrap: on(400, both(status(200), with("")))},
	{name: "500 for an unknown package", check: "server-error", wrap: on(400, func(rec *httptest.ResponseRecorder) {
		if strings.Contains(rec.Body.String(), "0810") {
			rec.Code = 500
		}
	})},
	{name: "500 for no body", check: "server-error", wrap: answer(func(_ *http.Request, b []byte) bool { return len(b) == 0 }, internalError)},

	// Wrong bodies and headers.
	{name: "empty object with 200", check: "response-body-unexpected", warn: true, wrap: on(200, both(header("Content-Type", "application/json"), with("{}")))},
	{name: "null with 200", check: "response-body-unexpected", warn: true, wrap: on(200, both(header("Content-Type", "application/json"), with("null")))},
	{name: "text with 200", check: "response-body-unexpected", warn: true, wrap: on(200, with("OK"))},
	{name: "line feed with 200", check: "response-body-unexpected", warn: true, wrap: on(200, with("\n"))},
	{name: "400 without a body", check: "response-body-missing", wrap: on(400, with(""))},
	{name: "400 in HTML", check: "response-media-type", wrap: on(400, both(header("Content-Type", "text/html"), with("<h1>400</h1>")))},
	{name: "400 in text", check: "response-media-type", wrap: on(400, both(header("Content-Type", "text/plain"), with("bad request")))},
	{name: "400 labelled as another JSON", check: "response-media-type", wrap: on(400, header("Content-Type", "application/problem+json"))},
	{name: "400 in another charset", check: "response-media-type", wrap: on(400, header("Content-Type", "application/json; charset=ISO-8859-1"))},
	{name: "400 with two media types", check: "response-media-type", wrap: on(400, func(rec *httptest.ResponseRecorder) {
		rec.Header().Add("Content-Type", "text/plain")
	})},
	{name: "400 labelled JSON that is HTML", check: "response-body-malformed", wrap: on(400, with("<h1>400</h1>"))},
	{name: "400 cut short", check: "response-body-malformed", wrap: on(400, with(`{"error_code":"DLF.0810"`))},
	{name: "400 with bytes after it", check: "response-body-malformed", wrap: on(400, with(`{"error_code":"a","error_msg":"b"}x`))},
	{name: "400 twice", check: "response-body-malformed", wrap: on(400, with(`{"error_code":"a","error_msg":"b"}{"error_code":"a","error_msg":"b"}`))},
	{name: "400 with duplicate names", check: "response-body-malformed", wrap: on(400, with(`{"error_code":"a","error_msg":"b","error_msg":"c"}`))},
	{name: "400 that is not UTF-8", check: "response-body-malformed", wrap: on(400, with("{\"error_code\":\"a\",\"error_msg\":\"\xff\"}"))},
	{name: "400 with a byte-order mark", check: "response-body-malformed", wrap: on(400, with("\xef\xbb\xbf{\"error_code\":\"a\",\"error_msg\":\"b\"}"))},
	{name: "400 shorter than it says", check: "response-body-malformed", wrap: on(400, header("Content-Length", "5000"))},
	{name: "list with 400", check: "response-schema", wrap: on(400, with(`[{"error_code":"a","error_msg":"b"}]`))},
	{name: "null with 400", check: "response-schema", wrap: on(400, with(`null`))},
	{name: "string with 400", check: "response-schema", wrap: on(400, with(`"bad request"`))},
	{name: "number as error_code", check: "response-schema", wrap: on(400, with(`{"error_code":810,"error_msg":"b"}`))},
	{name: "null as error_code", check: "response-schema", wrap: on(400, with(`{"error_code":null,"error_msg":"b"}`))},
	{name: "empty error_code", check: "response-schema", wrap: on(400, with(`{"error_code":"","error_msg":"b"}`))},
	{name: "error_code too long", check: "response-schema", wrap: on(400, with(`{"error_code":"`+strings.Repeat("a", 129)+`","error_msg":"b"}`))},
	{name: "null as error_msg", check: "response-schema", wrap: on(400, with(`{"error_code":"a","error_msg":null}`))},
	{name: "list as error_msg", check: "response-schema", wrap: on(400, with(`{"error_code":"a","error_msg":["b"]}`))},
	{name: "empty error_msg", check: "response-schema", wrap: on(400, with(`{"error_code":"a","error_msg":""}`))},
	{name: "error_msg too long", check: "response-schema", wrap: on(400, with(`{"error_code":"a","error_msg":"`+strings.Repeat("b", 10241)+`"}`))},
	{name: "long id repeated in error_msg", check: "response-schema", wrap: answer(anyID(func(id string) bool { return len(id) > 10240 }), func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error_code":"DLF.0810","error_msg":"no package `+strings.Repeat("a", 20000)+`"}`)
	})},

	// Methods and paths.
	{name: "GET served", check: "undocumented-method", wrap: served(http.MethodGet)},
	{name: "HEAD served", check: "undocumented-method", wrap: served(http.MethodHead)},
	{name: "PUT served", check: "undocumented-method", wrap: served(http.MethodPut)},
	{name: "DELETE served", check: "undocumented-method", wrap: served(http.MethodDelete)},
	{name: "PATCH served", check: "undocumented-method", wrap: served(http.MethodPatch)},
	{name: "TRACE served", check: "undocumented-method", wrap: served(http.MethodTrace)},
	{name: "unknown method served", check: "undocumented-method", wrap: served("UNKNOWN")},
	{name: "method in lower case served", check: "undocumented-method", wrap: served("post")},
	{name: "method overridden by a header", check: "undocumented-method", wrap: answer(func(r *http.Request, _ []byte) bool {
		return r.Header.Get("X-HTTP-Method-Override") == http.MethodPost
	}, func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) })},
	{name: "500 for another method", check: "server-error", wrap: on(405, status(500))},
	{name: "405 without Allow", check: "allow-header", wrap: on(405, func(rec *httptest.ResponseRecorder) { rec.Header().Del("Allow") })},
	{name: "405 with a wrong Allow", check: "allow-header", wrap: on(405, header("Allow", "GET"))},
	{name: "OPTIONS fails", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return r.Method == http.MethodOptions }, internalError)},
	{name: "every path below served", check: "undocumented-path", wrap: path(func(p string) string {
		before, _, _ := strings.Cut(p, tail)
		if strings.Contains(p, tail+"/") && !strings.HasSuffix(p, "/") {
			return before + tail
		}
		return p
	})},
	{name: "every path above served", check: "undocumented-path", wrap: path(func(p string) string {
		if i := strings.Index(p, "/v2/"); i > 0 {
			return p[i:]
		}
		return p
	})},
	{name: "trailing slash served", check: "undocumented-path", warn: true, wrap: path(func(p string) string { return strings.TrimSuffix(p, "/") })},
	{name: "path in another letter case served", check: "undocumented-path", warn: true, wrap: path(func(p string) string {
		if strings.HasPrefix(p, "/V2/") {
			return strings.ToLower(p)
		}
		return p
	})},
	{name: "500 for an unknown path", check: "server-error", wrap: on(404, status(500))},

	// Robustness.
	{name: "panic at null", check: "connection", wrap: func(next http.Handler) http.Handler {
		return body(func(v any) any {
			if m, ok := v.(map[string]any); ok {
				if l, there := m["package_ids"]; there && l == nil {
					panic("nil list")
				}
			}
			return v
		})(next)
	}},
	{name: "connection dropped at a long token", check: "connection", wrap: answer(func(r *http.Request, _ []byte) bool { return len(r.Header.Get("X-Auth-Token")) > 4096 },
		func(http.ResponseWriter) { panic(http.ErrAbortHandler) })},
	{name: "500 at an id of many digits", check: "server-error", wrap: answer(anyID(func(id string) bool { return len(id) == 30 && id[0] == '1' }), internalError)},
	{name: "500 at an id with a quote", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.Contains(id, "'") }), internalError)},
	{name: "500 at an id with NUL", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.Contains(id, "\x00") }), internalError)},
	{name: "500 at an empty id", check: "server-error", wrap: answer(anyID(func(id string) bool { return id == "" }), internalError)},
	{name: "500 at an astral character", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.ContainsRune(id, 0x1F600) }), internalError)},
	{name: "500 at a long id", check: "server-error", wrap: answer(anyID(func(id string) bool { return len(id) > 60_000 }), internalError)},
	{name: "500 at a percent sign", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.Contains(id, "%") }), internalError)},
	{name: "500 at a text that is no number", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.ContainsAny(id, "abcdef") }), internalError)},
	{name: "500 at 1000 ids", check: "server-error", wrap: answer(func(_ *http.Request, b []byte) bool { return len(list(parsed(b))) >= 1000 }, internalError)},
	{name: "500 at deep nesting", check: "server-error", wrap: answer(func(_ *http.Request, b []byte) bool { return bytes.HasPrefix(b, []byte("[[[[[[")) }, internalError)},
	{name: "500 at bad JSON", check: "server-error", wrap: answer(func(_ *http.Request, b []byte) bool { return len(b) > 0 && !json.Valid(b) }, internalError)},
	{name: "response of 20 MB", check: "response-body-malformed", wrap: on(400, with(`{"error_code":"`+strings.Repeat("a", 20<<20)+`"}`))},
	{name: "no answer to a list for the body", check: "connection", wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			if _, ok := parsed(b).([]any); ok {
				<-r.Context().Done()
				return
			}
			defects.SetBody(r, b)
			next.ServeHTTP(w, r)
		})
	}},

	// Leaks.
	{name: "stack trace in the error", check: "error-leak", wrap: on(400, with(`{"error_code":"a","error_msg":"panic: runtime error: index out of range\ngoroutine 1 [running]:\nmain.go:12"}`))},
	{name: "file path in the error", check: "error-leak", wrap: on(400, with(`{"error_code":"a","error_msg":"open /var/lib/factory/packages.db: permission denied"}`))},
	{name: "SQL in the error", check: "error-leak", wrap: on(400, with(`{"error_code":"a","error_msg":"SELECT id FROM packages WHERE id = 12: no rows"}`))},
	{name: "token in the error", check: "error-leak", wrap: response(func(r *http.Request, rec *httptest.ResponseRecorder) {
		if token := r.Header.Get("X-Auth-Token"); rec.Code == 400 && token != "" {
			rec.Body = bytes.NewBufferString(`{"error_code":"a","error_msg":"no access for ` + token[:min(len(token), 10000)] + `"}`)
		}
	})},
	{name: "panic of Rust in the error", check: "error-leak", wrap: on(400, leaking("thread 'main' panicked at src/main.rs:4:5"))},
	{name: "trace of Ruby in the error", check: "error-leak", wrap: on(400, leaking("app/models/package.rb:12:in `cancel'"))},
	{name: "trace of Elixir in the error", check: "error-leak", wrap: on(400, leaking("lib/factory/package.ex:12: Factory.Package.cancel/1"))},
	{name: "trace of C# in the error", check: "error-leak", wrap: on(400, leaking("at Factory.Packages.Cancel() in Packages.cs:line 12"))},
	{name: "exception of Java by its class in the error", check: "error-leak", warn: true, wrap: on(400, leaking("org.springframework.http.converter.HttpMessageNotReadableException"))},
	{name: "fatal error of PHP in the error", check: "error-leak", wrap: on(400, leaking("PHP Fatal error:  Uncaught Error"))},
	{name: "report of AddressSanitizer in the error", check: "error-leak", wrap: on(400, leaking("ERROR: AddressSanitizer: heap-use-after-free"))},
	{name: "error of MySQL in the error", check: "error-leak", wrap: on(400, leaking("You have an error in your SQL syntax"))},
	{name: "error of MongoDB in the error", check: "error-leak", warn: true, wrap: on(400, leaking("E11000 duplicate key error collection: factory.packages"))},
	{name: "URL with a password in the error", check: "error-leak", wrap: on(400, leaking("cannot reach postgres://factory:geheim@db/factory"))},
	{name: "private key in the error", check: "error-leak", wrap: on(400, leaking("-----BEGIN RSA PRIVATE KEY-----"))},
	{name: "access key in the error", check: "error-leak", wrap: on(400, leaking("no access for AKIAIOSFODNN7EXAMPLE"))},
	{name: "signed token in the error", check: "error-leak", wrap: on(400, leaking("bad token eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"))},
	{name: "pointer of Go in the error", check: "error-leak", warn: true, wrap: on(400, leaking("bad value 0xc0000b4018"))},
	{name: "address of the database in the error", check: "error-leak", warn: true, wrap: on(400, leaking("dial tcp 10.0.3.7:5432: connect: connection refused"))},
	{name: "name inside the cluster in the error", check: "error-leak", warn: true, wrap: on(400, leaking("packages.factory.svc.cluster.local is not ready"))},
	{name: "token in a header", check: "error-leak", wrap: response(func(r *http.Request, rec *httptest.ResponseRecorder) {
		rec.Header()["X-Debug-Caller"] = r.Header["X-Auth-Token"]
	})},
	{name: "token in a cookie", check: "error-leak", wrap: response(func(r *http.Request, rec *httptest.ResponseRecorder) {
		if token := r.Header.Get("X-Auth-Token"); rec.Code == 200 && token != "" {
			rec.Header().Set("Set-Cookie", "session="+token)
		}
	})},
	{name: "stack trace in a header", check: "error-leak", wrap: on(200, header("X-Debug", "goroutine 1 [running]: main.go:12"))},

	// Codings.
	{name: "400 in gzip that is not asked for", check: "response-encoding", wrap: on(400, zipped)},
	{name: "gzip whatever is acceptable", check: "response-encoding", wrap: response(func(r *http.Request, rec *httptest.ResponseRecorder) {
		if r.Header.Get("Accept-Encoding") != "" && rec.Body.Len() > 0 {
			zipped(rec)
		}
	})},
	{name: "400 said to be in gzip", check: "response-encoding", wrap: on(400, header("Content-Encoding", "gzip"))},
	{name: "wrong schema in gzip", check: "response-schema", wrap: on(400, both(with(`{"error_code":810,"error_msg":"b"}`), zipped))},

	// State.
	{name: "500 now and then", check: "server-error", wrap: sometimes(17, on(200, status(500)))},
	{name: "body with 200 now and then", check: "not-repeatable", wrap: sometimes(17, on(200, with("OK")))},
	{name: "202 now and then", check: "undocumented-status", wrap: sometimes(17, on(200, status(202)))},
	{name: "valid request refused now and then", check: "not-repeatable", wrap: sometimes(7, refuse(func(*http.Request, []byte) bool { return true }))},
	{name: "valid request refused after an error", check: "not-repeatable", wrap: func(next http.Handler) http.Handler {
		var failed atomic.Bool
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			if failed.Swap(false) {
				refuse(func(*http.Request, []byte) bool { return true })(next).ServeHTTP(rec, r)
			} else {
				next.ServeHTTP(rec, r)
				failed.Store(rec.Code == 400)
			}
			for name, values := range rec.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}},
	{name: "one request at a time", check: "not-repeatable", wrap: func(next http.Handler) http.Handler {
		var mu sync.Mutex
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !mu.TryLock() {
				refuse(func(*http.Request, []byte) bool { return true })(next).ServeHTTP(w, r)
				return
			}
			defer mu.Unlock()
			done := make(chan struct{})
			time.AfterFunc(2*time.Millisecond, func() { close(done) })
			<-done
			next.ServeHTTP(w, r)
		})
	}},

	// Faults beside what is documented, repaired or let pass.
	{name: "invalid UTF-8 replaced", check: "invalid-request-accepted", warn: true, wrap: lenient(func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") })},
	{name: "raw line feed and tab in strings", check: "invalid-request-accepted", warn: true, wrap: lenient(func(s string) string {
		return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s)
	})},
	{name: "control characters in strings", check: "invalid-request-accepted", warn: true, wrap: mended(`[\x01-\x1f]`, ``)},
	{name: "NUL in strings", check: "invalid-request-accepted", warn: true, wrap: mended(`\x00`, ``)},
	{name: "escapes of C", check: "invalid-request-accepted", warn: true, wrap: mended(`\\x([0-9a-f]{2})`, `\u00$1`)},
	{name: "leading zeros", check: "invalid-request-accepted", warn: true, wrap: mended(`([:\[,-])0+([0-9])`, `$1$2`)},
	{name: "plus sign", check: "invalid-request-accepted", warn: true, wrap: mended(`:\+`, `:`)},
	{name: "hexadecimal numbers", check: "invalid-request-accepted", warn: true, wrap: mended(`:0x[0-9a-f]+`, `:0`)},
	{name: "fraction without digits before", check: "invalid-request-accepted", warn: true, wrap: mended(`:\.`, `:0.`)},
	{name: "fraction without digits behind", check: "invalid-request-accepted", warn: true, wrap: mended(`:1\.}`, `:1}`)},
	{name: "NaN and Infinity", check: "invalid-request-accepted", warn: true, wrap: mended(`:-?(NaN|Infinity)`, `:null`)},
	{name: "words of Python", check: "invalid-request-accepted", warn: true, wrap: mended(`:(True|None)`, `:null`)},
	{name: "undefined", check: "invalid-request-accepted", warn: true, wrap: mended(`:undefined`, `:null`)},
	{name: "form feed as white space", check: "invalid-request-accepted", warn: true, wrap: mended(`\f`, ` `)},
	{name: "no-break space as white space", check: "invalid-request-accepted", wrap: lenient(strings.TrimSpace)},
	{name: "comma left out", check: "invalid-request-accepted", wrap: mended(`([\]"]) "`, `$1,"`)},
	{name: "equals sign for colon", check: "invalid-request-accepted", wrap: mended(`"=`, `":`)},
	{name: "comma after the last property", check: "invalid-request-accepted", warn: true, wrap: mended(`,}`, `}`)},
	{name: "comma after the last item", check: "invalid-request-accepted", warn: true, wrap: mended(`,\]`, `]`)},
	{name: "comma after the body", check: "invalid-request-accepted", warn: true, wrap: mended(`,$`, ``)},
	{name: "closing bracket left out", check: "invalid-request-accepted", wrap: mended(`"}$`, `"]}`)},
	{name: "hash comment", check: "invalid-request-accepted", warn: true, wrap: mended(`#.*`, ``)},
	{name: "script prefix", check: "invalid-request-accepted", wrap: mended(`^\)\]\}',\n`, ``)},
	{name: "YAML", check: "invalid-request-accepted", wrap: mended(`^package_ids: (.*)\n$`, `{"package_ids":$1}`)},
	{name: "form under the type of JSON", check: "invalid-request-accepted", wrap: lenient(func(s string) string {
		values, err := url.ParseQuery(s)
		if err != nil || len(values["package_ids"]) == 0 {
			return s
		}
		out, err := json.Marshal(values)
		if err != nil {
			return s
		}
		return string(out)
	})},
	{name: "UTF-16 of the other order decoded", check: "invalid-request-accepted", warn: true, wrap: lenient(func(s string) string {
		if strings.HasPrefix(s, "\x00{") {
			return strings.ReplaceAll(s, "\x00", "")
		}
		return s
	})},
	{name: "half a surrogate pair", check: "invalid-request-accepted", warn: true, wrap: text(func(s string) string {
		return strings.ReplaceAll(s, `"a\ud800"`, `"a"`)
	})},

	// Faults that go unseen in one form of a request.
	{name: "chunked body read as an empty object", check: "invalid-request-accepted", wrap: when(func(r *http.Request, b []byte) bool { return r.ContentLength < 0 && len(b) > 0 }, "{}")},
	{name: "chunked body that is no JSON counts as none", check: "invalid-request-accepted", wrap: when(func(r *http.Request, b []byte) bool { return r.ContentLength < 0 && !json.Valid(b) }, "")},
	{name: "ids unchecked beside another property", check: "invalid-request-accepted", wrap: whenBody(func(v map[string]any) bool { return len(v) > 1 })},
	{name: "ids unchecked in a list of one", check: "invalid-request-accepted", wrap: whenBody(func(v map[string]any) bool { return len(list(v)) == 1 })},
	{name: "ids checked up to the third", check: "invalid-request-accepted", wrap: whenBody(func(v map[string]any) bool {
		l := list(v)
		return len(l) > 3 && !slices.ContainsFunc(l[:3], func(v any) bool { _, ok := v.(string); return !ok })
	})},
	{name: "ids checked but for the third", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if l, ok := v.([]any); ok && len(l) > 2 {
			l[2] = number(l[2])
		}
		return v
	})},
	{name: "ids unchecked where all are wrong", check: "invalid-request-accepted", wrap: whenBody(func(v map[string]any) bool {
		l := list(v)
		return len(l) > 1 && !slices.ContainsFunc(l, func(v any) bool { _, ok := v.(string); return ok })
	})},
	{name: "ids unchecked without a charset", check: "invalid-request-accepted", wrap: unchecked(func(r *http.Request, _ []byte) bool { return r.Header.Get("Content-Type") == "application/json" })},
	{name: "ids unchecked with an Accept", check: "invalid-request-accepted", wrap: unchecked(func(r *http.Request, _ []byte) bool { return r.Header.Get("Accept") != "" })},
	{name: "ids unchecked in indented JSON", check: "invalid-request-accepted", wrap: unchecked(func(_ *http.Request, b []byte) bool { return bytes.HasPrefix(b, []byte("{\n")) })},
	{name: "ids unchecked under an escaped name", check: "invalid-request-accepted", wrap: unchecked(func(_ *http.Request, b []byte) bool { return bytes.Contains(b, []byte(`\u0070`)) })},
	{name: "length of the token unchecked without a body", check: "invalid-request-accepted", wrap: request(func(r *http.Request, b []byte) []byte {
		if v := r.Header.Get("X-Auth-Token"); len(b) == 0 && len(v) > 4096 {
			r.Header.Set("X-Auth-Token", v[:4096])
		}
		return b
	})},

	// Near misses.
	{name: "number for the list", check: "invalid-request-accepted", wrap: ids(func(v any) any {
		if n, ok := v.(json.Number); ok && n == "12" {
			return []any{"12"}
		}
		return v
	})},
	{name: "ids themselves for the body", check: "invalid-request-accepted", wrap: body(func(v any) any {
		if l, ok := v.([]any); ok && len(l) > 0 && l[0] == "12" {
			return map[string]any{"package_ids": l}
		}
		return v
	})},
	{name: "empty list for an id", check: "invalid-request-accepted", wrap: each(func(v any) any {
		if l, ok := v.([]any); ok && len(l) == 0 {
			return "12"
		}
		return v
	})},
	{name: "number with a fraction for an id", check: "invalid-request-accepted", wrap: each(func(v any) any {
		if n, ok := v.(json.Number); ok && (n == "12.0" || n == "13.0") {
			return string(n[:2])
		}
		return v
	})},
	{name: "number with an exponent for an id", check: "invalid-request-accepted", wrap: each(func(v any) any {
		if n, ok := v.(json.Number); ok && strings.Contains(string(n), "e") {
			return string(n[:2])
		}
		return v
	})},
	{name: "application/problem+json", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.HasSuffix(s, "+json") })},
	{name: "text/json", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return s == "text/json" })},
	{name: "text/html", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return s == "text/html" })},
	{name: "application/yaml", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return s == "application/yaml" })},
	{name: "multipart/form-data", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.HasPrefix(s, "multipart/") })},
	{name: "range for a media type", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.Contains(s, "*") })},
	{name: "charset of Windows", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.HasSuffix(s, "1252") })},
	{name: "charset us-ascii", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.HasSuffix(s, "ascii") })},
	{name: "charset gbk", check: "invalid-request-accepted", wrap: contentType(func(s string) bool { return strings.HasSuffix(s, "gbk") })},
	{name: "charset utf8", check: "invalid-request-accepted", warn: true, wrap: contentType(func(s string) bool { return strings.HasSuffix(s, "utf8") })},
	{name: "project of one character", check: "invalid-request-accepted", wrap: path(func(p string) string {
		if seg := strings.Split(p, "/"); len(seg) > 2 && len(seg[2]) == 1 {
			return "/v2/" + project + tail
		}
		return p
	})},
	{name: "project of three bytes", check: "invalid-request-accepted", wrap: path(func(p string) string {
		if seg := strings.Split(p, "/"); len(seg) > 2 && len(seg[2]) >= 3 && utf8.RuneCountInString(seg[2]) < 3 {
			return "/v2/" + project + tail
		}
		return p
	})},

	// Valid requests in another form refused.
	{name: "Accept refused", check: "valid-request-refused", wrap: answer(func(r *http.Request, _ []byte) bool { return r.Header.Get("Accept") != "" },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotAcceptable) })},
	{name: "Accept but application/json refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool {
		a := r.Header.Get("Accept")
		return a != "" && a != "application/json"
	})},
	{name: "Accept without a wildcard refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool {
		a := r.Header.Get("Accept")
		return a != "" && !strings.Contains(a, "*")
	})},
	{name: "Expect refused", check: "undocumented-status", warn: true, wrap: answer(func(r *http.Request, _ []byte) bool { return r.Header.Get("Expect") != "" },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusExpectationFailed) })},
	{name: "500 at an Expect", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return r.Header.Get("Expect") != "" }, internalError)},
	{name: "cookie refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("Cookie") != "" })},
	{name: "500 at an Origin", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return r.Header.Get("Origin") != "" }, internalError)},
	{name: "Accept-Language refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("Accept-Language") != "" })},
	{name: "Accept-Encoding refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("Accept-Encoding") == "identity" })},
	{name: "forwarded request refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("X-Forwarded-For") != "" })},
	{name: "500 at a traceparent", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return r.Header.Get("Traceparent") != "" }, internalError)},
	{name: "unknown header refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("X-Unknown-Header") == "a" })},
	{name: "60 headers refused", check: "valid-request-refused", warn: true, wrap: answer(func(r *http.Request, _ []byte) bool { return len(r.Header) > 60 },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge) })},
	{name: "500 at a long header", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return len(r.Header.Get("X-Unknown-Header")) > 2000 }, internalError)},
	{name: "blank before a semicolon refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return strings.Contains(r.Header.Get("Content-Type"), " ;") })},
	{name: "tab in a media type refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return strings.Contains(r.Header.Get("Content-Type"), "\t") })},
	{name: "semicolon at the end refused", check: "valid-request-refused", warn: true, wrap: refuse(func(r *http.Request, _ []byte) bool { return strings.HasSuffix(r.Header.Get("Content-Type"), ";") })},
	{name: "unknown parameter of a media type refused", check: "valid-request-refused", warn: true, wrap: refuse(func(r *http.Request, _ []byte) bool {
		return strings.Contains(r.Header.Get("Content-Type"), "x-unknown")
	})},
	{name: "identity refused", check: "valid-request-refused", warn: true, wrap: refuse(func(r *http.Request, _ []byte) bool { return r.Header.Get("Content-Encoding") == "identity" })},
	{name: "type without a body refused", check: "valid-request-refused", warn: true, wrap: refuse(func(r *http.Request, b []byte) bool {
		return len(b) == 0 && r.Header.Get("Content-Type") == "application/octet-stream"
	})},
	{name: "escaped path refused", check: "valid-request-refused", wrap: refuse(func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.RawPath, "%62") })},
	{name: "question mark refused", check: "valid-request-refused", warn: true, wrap: refuse(func(r *http.Request, _ []byte) bool { return r.URL.ForceQuery })},
	{name: "500 at NUL in the path", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, "\x00") }, internalError)},
	{name: "500 at a path that is not UTF-8", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return !utf8.ValidString(r.URL.Path) }, internalError)},
	{name: "500 at a credential that is not asked for", check: "server-error", wrap: answer(func(r *http.Request, _ []byte) bool { return r.Header.Get("Authorization") != "" }, internalError)},

	// Values that nothing documents.
	{name: "500 at 1000 unknown properties", check: "server-error", wrap: answer(func(_ *http.Request, b []byte) bool { return members(b) >= 1000 }, internalError)},
	{name: "more than 20 unknown properties refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return members(b) > 20 })},
	{name: "500 at a name with NUL", check: "server-error", wrap: answer(named("\x00"), internalError)},
	{name: "name with a dot refused", check: "valid-request-refused", wrap: refuse(named("."))},
	{name: "name with a dollar sign refused", check: "valid-request-refused", wrap: refuse(named("$"))},
	{name: "500 at a long name", check: "server-error", wrap: answer(named(strings.Repeat("abcdefghijklmnopqrstuvwxyz", 10)), internalError)},
	{name: "unknown number refused", check: "valid-request-refused", wrap: refuse(stray(`^1$`))},
	{name: "unknown boolean refused", check: "valid-request-refused", wrap: refuse(stray(`^true$`))},
	{name: "unknown list refused", check: "valid-request-refused", wrap: refuse(stray(`^\[.*null`))},
	{name: "unknown fraction refused", check: "valid-request-refused", wrap: refuse(stray(`^0\.`))},
	{name: "500 at an unknown integer of 25 digits", check: "server-error", wrap: answer(stray(`^[0-9]{25}$`), internalError)},
	{name: "500 at negative zero", check: "server-error", wrap: answer(stray(`^-0$`), internalError)},
	{name: "500 at a number beyond double", check: "server-error", wrap: answer(stray(`e400$`), internalError)},
	{name: "nesting of 20 refused", check: "valid-request-refused", wrap: refuse(stray(`^[^a]*(\[?\{"a":){10}`))},
	{name: "500 at nesting of 100", check: "server-error", wrap: answer(func(_ *http.Request, b []byte) bool {
		return json.Valid(b) && bytes.Count(b, []byte("]")) > 45 && bytes.Count(b, []byte("]")) < 900
	}, internalError)},
	{name: "escaped slash refused", check: "valid-request-refused", wrap: refuse(stray(`\\/`))},
	{name: "escapes in upper case refused", check: "valid-request-refused", wrap: refuse(stray(`\\u00E9`))},
	{name: "escaped value refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool {
		return bytes.Contains(b, []byte(`"package_ids":["\u0031`))
	})},
	{name: "500 at a zero-width character", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.Contains(id, "\u200b") }), internalError)},
	{name: "500 at a noncharacter", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.Contains(id, "\uffff") }), internalError)},
	{name: "500 at DEL", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.Contains(id, "\x7f") }), internalError)},
	{name: "500 at a format directive", check: "server-error", wrap: answer(anyID(func(id string) bool { return strings.Contains(id, "%n") }), internalError)},
	{name: "more than 1000 ids refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return len(list(parsed(b))) > 1000 })},
	{name: "more than 4000 ids refused", check: "valid-request-refused", wrap: refuse(func(_ *http.Request, b []byte) bool { return len(list(parsed(b))) > 4000 })},
}

// TestDefects proves that the suite finds every defect, with the check that is
// meant to, and nothing on the correct server.
func TestDefects(t *testing.T) {
	contract := load(t)
	names := map[string]bool{}
	for i, d := range catalogue {
		require.False(t, names[d.name], "two defects are called %q", d.name)
		names[d.name] = true
		if !racing.Take(i, 50) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(d.wrap(correct(t))), known(contracttest.Cases(0), contracttest.Timeout(patience(d)))...)
			require.NoError(t, err)
			want := "error"
			if d.warn {
				want = "warning"
			}
			if !slices.ContainsFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Check == d.check && f.Severity == want }) {
				t.Errorf("no %s of %s among:\n%s", want, d.check, describe(rep))
			}
			assert.Equal(t, !d.warn, rep.Failed("error"), "%s", describe(rep))
		})
	}
}

// TestCommandOnDefects proves the command's exit status through TCP: 1 on every
// defective server, with what somebody who has just read the README would give
// it, and 0 on the correct one. It takes one in ten of them: TestDefects tries them all.
func TestCommandOnDefects(t *testing.T) {
	command := filepath.Join(t.TempDir(), "contracttest")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", command, "../cmd/contracttest").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for i, d := range append([]defect{{name: "none", wrap: func(h http.Handler) http.Handler { return h }}}, catalogue...) {
		if i%10 != 0 || !racing.Take(i, 25) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(d.wrap(correct(t)))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0) // some of the servers panic
			srv.Start()
			defer srv.Close()
			args := []string{"run", "--spec", spec, "--target", srv.URL, "--value", "package_ids=12,13", "--timeout", patience(d).String()}
			if d.value != "" {
				args = append(args, "--value", d.value)
			}
			if d.warn {
				args = append(args, "--fail-on", "warning")
			}
			cmd := exec.CommandContext(t.Context(), command, args...)
			out, err := cmd.CombinedOutput()
			want := 1
			if d.check == "" {
				want = 0
			}
			require.Equal(t, want, cmd.ProcessState.ExitCode(), "%v\n%s", err, out)
		})
	}
}

// patience is how long to wait for an answer: not for one that never comes, but
// on a busy machine for one that does.
func patience(d defect) time.Duration {
	if d.check == "connection" {
		return time.Second
	}
	return time.Minute
}

func describe(rep *contracttest.Report) string {
	var b strings.Builder
	for _, f := range rep.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s (%d) %s\n", f.Severity, f.Check, f.Clause, f.Message, f.Count, f.Case.ID)
	}
	return b.String()
}

// TestCorrect proves that the correct server has no finding, whatever the seed.
func TestCorrect(t *testing.T) {
	contract := load(t)
	for seed := range int64(20) {
		if !racing.Take(int(seed), 10) {
			continue
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rep, err := contracttest.Run(t.Context(), contract, contracttest.Handler(correct(t)), known(contracttest.Seed(seed))...)
			require.NoError(t, err)
			assert.Empty(t, rep.Findings, "%s", describe(rep))
			assert.Empty(t, rep.Warnings)
			for _, u := range rep.Coverage.Unreached {
				assert.NotRegexp(t, "/response/([12]|400)", u.Clause, "the answers of the gateway alone are not to be had")
			}
			assert.Zero(t, rep.Coverage.NotProven)
		})
	}
}
