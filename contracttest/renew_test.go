package contracttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const renewed = `openapi: 3.0.3
info: {title: Tokens, version: "1"}
security: [{token: []}]
paths:
  /notes:
    get:
      operationId: listNotes
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
      responses:
        "200": {description: all, content: {application/json: {schema: {type: object, required: [count], properties: {count: {type: integer}}}}}}
        "400": {description: wrong}
        "401": {description: who}
  /login:
    post:
      operationId: login
      security: []
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [code], properties: {code: {type: string, minLength: 1, example: open}}}}}
      responses:
        "200": {description: in}
        "400": {description: wrong}
        "401": {description: who}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
`

// tokens is a service whose token is good for so many requests; 0: for all. It has a defect: no
// limit is refused.
type tokens struct {
	mu         sync.Mutex
	file       string
	lasts      int
	used, made int
	logins     int
	refused    bool              // for good
	strict     bool              // an operation without security refuses wrong credentials, too
	users      map[string]string // that were made, until a token is used up
	everMade   int
}

func (s *tokens) current() string { return fmt.Sprintf("secret-token-%d", s.made) }

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/session" && r.Method == http.MethodPost {
		s.logIn(w, r)
		return
	}
	if r.URL.Path == "/users" && r.Method == http.MethodPut {
		s.makeUser(w, r)
		return
	}
	if r.URL.Path == "/login" {
		var body struct{ Code *string }
		shown := r.Header.Get("Authorization")
		switch err := json.NewDecoder(r.Body).Decode(&body); {
		case s.strict && shown != "" && shown != "Bearer "+s.current():
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
		case err != nil || body.Code == nil || *body.Code == "" || r.Header.Get("Content-Type") != "application/json":
			w.WriteHeader(http.StatusBadRequest)
		case *body.Code != "open":
			w.WriteHeader(http.StatusUnauthorized)
		}
		return
	}
	if r.URL.Path != "/notes" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	cookie, _ := r.Cookie("session")
	if known := r.Header.Get("X-User"); known != "" && s.users[known] == r.Header.Get("X-Pass") {
		r.Header.Set("Authorization", "Bearer "+s.current())
	}
	good := r.Header.Get("Authorization") == "Bearer "+s.current() || cookie != nil && cookie.Value == s.current() || r.URL.Query().Get("access") == s.current()
	if good {
		s.used++
	}
	if good && s.lasts > 0 && s.used%s.lasts == 0 { // from the next request on
		s.made++
		clear(s.users)
		_ = os.WriteFile(s.file, []byte(s.current()+"\nsecond line\n"), 0o600)
	}
	switch {
	case !good, s.refused && s.made > 0:
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"count": 1}`))
	}
}

// logIn gives the token to who knows the password, in several ways.
func (s *tokens) logIn(w http.ResponseWriter, r *http.Request) {
	var body struct{ Name, Password string }
	if r.Header.Get("Content-Type") == "application/json" {
		_ = json.NewDecoder(r.Body).Decode(&body)
	} else {
		body.Name, body.Password = r.FormValue("Name"), r.FormValue("Password")
	}
	if password, made := s.users[body.Name]; !(body.Name == "ada" && body.Password == "pass&word" || made && body.Password == password) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.logins++
	http.SetCookie(w, &http.Cookie{Name: "session", Value: s.current(), HttpOnly: true})
	w.Header().Set("X-Token", s.current())
	_, _ = fmt.Fprintf(w, `{"data": [{"to/ken": %q}]}`, s.current())
}

// makeUser makes one with a name that no other has.
func (s *tokens) makeUser(w http.ResponseWriter, r *http.Request) {
	var body struct{ Name, Password string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	if s.users == nil {
		s.users = map[string]string{}
	}
	if !regexp.MustCompile(`^user_[a-z0-9]{5}$`).MatchString(body.Name) || len(body.Password) != 20 || s.users[body.Name] != "" {
		w.WriteHeader(http.StatusConflict)
		return
	}
	s.users[body.Name] = body.Password
	s.everMade++
	w.WriteHeader(http.StatusCreated)
}

// runTokens tests the service with a token that a command prints.
func runTokens(t *testing.T, s *tokens, settings string) (*contracttest.Report, error) {
	t.Helper()
	dir := t.TempDir()
	s.file = filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(s.file, []byte(s.current()+"\n"), 0o600))
	file := filepath.Join(dir, "contracttest.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(settings, "FILE", s.file)), 0o600))
	c, err := contracttest.Parse("tokens.yaml", []byte(renewed))
	require.NoError(t, err)
	return contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Config(file), contracttest.Values("code", "open"))
}

// A credential that a command prints is got anew whenever it has expired, and the report is that
// of one that does not expire.
func TestCommandRenews(t *testing.T) {
	for _, settings := range []string{"header: {Authorization: 'Bearer cmd:cat FILE'}", "value: {token: 'cmd:cat FILE'}", "header: {Authorization: 'Bearer cmd:cat FILE'} # strict"} {
		var reports []string
		for _, lasts := range []int{0, 3, 40} {
			s := &tokens{lasts: lasts, strict: strings.HasSuffix(settings, "strict")}
			rep, err := runTokens(t, s, settings)
			require.NoError(t, err)
			assert.Empty(t, rep.Inconclusive)
			assert.Equal(t, lasts > 0, s.made > 3, "%d tokens", s.made)
			require.NotEmpty(t, rep.Findings, "the limit is not checked")
			text, err := json.MarshalIndent(map[string]any{"findings": rep.Findings, "operations": rep.Operations}, "", " ")
			require.NoError(t, err)
			assert.NotContains(t, string(text), "secret-token")
			reports = append(reports, string(text))
		}
		for _, other := range reports[1:] {
			assert.Equal(t, reports[0], other)
		}
	}
}

// One that cannot be had ends the run, and says what the command said.
func TestCommandFails(t *testing.T) {
	t.Setenv("MY_SECRET", "hidden-from-all")
	_, err := runTokens(t, &tokens{}, "header: {Authorization: 'Bearer cmd:echo no $MY_SECRET >&2; exit 3'}")
	require.EqualError(t, err, "header Authorization: the command: exit status 3: no ***")
	_, err = runTokens(t, &tokens{}, "peer: {Authorization: 'cmd:true'}")
	require.EqualError(t, err, "peer Authorization: the command has printed nothing in its first line, which is the value")
	rep, err := runTokens(t, &tokens{lasts: 9}, "header: {Authorization: 'Bearer cmd:test ! -e FILE.used || { echo gone >&2; exit 1; }; touch FILE.used; cat FILE'}")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "there is no other: header Authorization: the command: exit status 1: gone")
	rep, err = runTokens(t, &tokens{lasts: 9, refused: true}, "header: {Authorization: 'Bearer cmd:cat FILE'}")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "the credential stopped working")
}

// Whatever a login of an auth file gives, it is got anew when it has expired.
func TestAuthFile(t *testing.T) {
	const template = "authTemplate: {loginEndpointAuth: {endpoint: /session, verb: POST, contentType: application/json, payloadUserPwd: {usernameField: Name, passwordField: Password}}}\n"
	const makes = `createUsers: {endpoint: /users, verb: PUT, contentType: application/json, payloadRaw: '{"Name": "{$name}", "Password": "<pass>"}',
    generators: [{placeHolder: "{$name}", prefix: user_, maxLength: 10}, {placeHolder: <pass>, minLength: 20}]}
`
	for name, tt := range map[string]struct{ doc, user, file string }{
		"made": {renewed, "", template + `auth:
- name: any
  ` + makes + `  loginEndpointAuth:
    payloadUserPwd: {username: "{$name}", password: "<pass>"}
    token: {extractFrom: header, extractSelector: X-Token, sendIn: header, sendName: Authorization, sendTemplate: "Bearer {token}"}`},
		"made, and alone": {strings.Replace(renewed, "type: http, scheme: bearer", "type: apiKey, in: header, name: X-Pass", 1), "", `auth:
- name: any
  ` + makes + `  fixedHeaders: [{name: X-User, value: "{$name}"}, {name: X-Pass, value: "<pass>"}]`},
		"body": {renewed, "ada", template + `auth:
- {name: bob, fixedHeaders: [{name: Authorization, value: nothing}]}
- name: ada
  loginEndpointAuth:
    payloadUserPwd: {username: ada, password: "${PASSWORD}"}
    token: {extractFrom: body, extractSelector: /data/0/to~1ken, sendIn: header, sendName: Authorization, sendTemplate: "Bearer {token}"}`},
		"header": {renewed, "", `{"auth": [{"name": "ada", "loginEndpointAuth": {"endpoint": "/session", "verb": "POST", "contentType": "application/json",
			"payloadRaw": "{\"Name\": \"ada\", \"Password\": \"pass&word\"}",
			"token": {"extractFrom": "header", "extractSelector": "X-Token", "sendIn": "header", "sendName": "Authorization", "sendTemplate": "Bearer {token}"}}}]}`},
		"cookie": {strings.Replace(renewed, "type: http, scheme: bearer", "type: apiKey, in: cookie, name: session", 1), "", `auth:
- name: ada
  loginEndpointAuth: {endpoint: /session, verb: POST, contentType: application/x-www-form-urlencoded, expectCookies: true,
    payloadUserPwd: {usernameField: Name, passwordField: Password, username: ada, password: pass&word}}`},
		"query": {strings.Replace(renewed, "type: http, scheme: bearer", "type: apiKey, in: query, name: access", 1), "ada", template + `auth:
- name: ada
  loginEndpointAuth:
    payloadUserPwd: {username: ada, password: pass&word}
    token: {extractFrom: header, extractSelector: X-Token, sendIn: query, sendName: access}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PASSWORD", "pass&word")
			dir := t.TempDir()
			s := &tokens{lasts: 100, file: filepath.Join(dir, "token")}
			file := filepath.Join(dir, "auth.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tt.file), 0o600))
			c, err := contracttest.Parse("tokens.yaml", []byte(tt.doc))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Auth(file, tt.user), contracttest.Values("code", "open"))
			require.NoError(t, err)
			assert.Empty(t, rep.Inconclusive)
			assert.Greater(t, max(s.logins, s.everMade), 2)
			assert.Equal(t, strings.HasPrefix(name, "made"), s.everMade > 2)
			text, err := json.Marshal(rep)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "secret-token")
			assert.NotContains(t, string(text), "pass&word")
			for name, password := range s.users {
				assert.NotContains(t, string(text), name)
				assert.NotContains(t, string(text), password)
			}
		})
	}
}

// What is wrong with an auth file, or with a login, is said before anything is judged.
func TestAuthFileWrong(t *testing.T) {
	login := func(rest string) string {
		return "auth: [{name: ada, loginEndpointAuth: {endpoint: /session, verb: POST, " + rest + "}}]"
	}
	made := func(generator string) string {
		return "auth: [{name: ada, fixedHeaders: [{name: A, value: x}], createUsers: {endpoint: /users, verb: PUT, payloadRaw: x, contentType: a/b, generators: [" + generator + "]}}]"
	}
	for _, tt := range []struct{ user, file, want string }{
		{"", "auth: [", "yaml: "},
		{"", "auth: [{name: ada, fixedHeaders: [{name: X-Other, value: b}]}]", "auth: the user has the header X-Other, which is given too: remove one of them"},
		{"", login("contentType: application/json, payloadUserPwd: {usernameField: a, username: b, passwordField: c, password: 456}"), "user ada: loginEndpointAuth.payloadUserPwd.password: want string, not number"},
		{"", "auth: [{name: ada, fixedHeaders: [{name: A, value: '${MISSING_HERE}'}]}]", "user ada: fixedHeaders: value: ${MISSING_HERE}: the environment variable is not set"},
		{"", "{}", "auth: want a list of users"},
		{"", "auth: [{name: a}, {name: b}]", "it has the users a, b: name one by user"},
		{"adb", "auth: [{name: ada}]", `it has no user "adb"; did you mean "ada"?`},
		{"", "auth: [{name: ada}]", "user ada: want fixedHeaders or loginEndpointAuth"},
		{"", "auth: [{name: ada, fixedHeader: []}]", `user ada: fixedHeader: no such key; did you mean "fixedHeaders"?`},
		{"", login("expectCookies: true, headers: [{nam: a}]"), `user ada: loginEndpointAuth: headers: nam: no such key; did you mean "name"?`},
		{"", "auths: []", `auths: no such key; did you mean "auth"?`},
		{"", "schemaVersion: 0.6.0\nconfigs: {maxTime: 5m}\nauth: [{name: ada, requireMockHandling: true}]", "user ada: want fixedHeaders or loginEndpointAuth"},
		{"", login("headers: [{name: A, value: b}], token: {extractFrom: header, extractSelector: a, sendIn: header, sendName: B}}, fixedHeaders: [{name: b, value: c}], configs: {"), "user ada: configs: no such key"},
		{"", "auth: [{name: ada, fixedHeaders: [{name: b, value: c}], loginEndpointAuth: {endpoint: /session, verb: POST, token: {extractFrom: header, extractSelector: a, sendIn: header, sendName: B}}}]", "user ada: fixedHeaders: b is also set by the login"},
		{"", "auth: [{name: ada, createUsers: {endpoint: /users, verb: POST}}]", "user ada: createUsers: payloadRaw: want what is sent to make a user"},
		{"", "auth: [{name: ada, createUsers: {endpoint: /users, verb: POST, payloadRaw: a, contentType: a/b}}]", "user ada: createUsers: generators: want at least one"},
		{"", made(`{placeHolder: y}`), `user ada: createUsers: generators 1: placeHolder "y": payloadRaw does not have it`},
		{"", made(`{placeHolder: x, maxLength: 3, prefix: abc}`), "generators 1: maxLength 3 leaves nothing to be generated"},
		{"", made(`{placeHolder: x}`), "header A: no user could be made by PUT /users: it returns 409 Conflict"},
		{"", login("expectCookies: true, token: {}"), "user ada: loginEndpointAuth: want one of expectCookies and token"},
		{"", login("token: {extractFrom: cookie}"), `token: extractFrom "cookie": want body or header`},
		{"", login("payloadRaw: a, expectCookies: true"), "contentType: want that of the payload"},
		{"", login("expectCookies: true"), "header Cookie: the login by POST /session: it returns 401 Unauthorized: see the user's name, password and fields"},
		{"", "auth: [{name: ada, loginEndpointAuth: {externalEndpointURL: 'http://127.0.0.1:1/in?key=hidden', verb: GET, expectCookies: true}}]", "the login by GET http://127.0.0.1:1/in: the target cannot be reached"},
	} {
		file := filepath.Join(t.TempDir(), "auth.yaml")
		require.NoError(t, os.WriteFile(file, []byte(tt.file), 0o600))
		c, err := contracttest.Parse("tokens.yaml", []byte(renewed))
		require.NoError(t, err)
		_, err = contracttest.Run(t.Context(), c, contracttest.Handler(&tokens{}), contracttest.Auth(file, tt.user), contracttest.Header("x-other", "a"))
		require.ErrorContains(t, err, tt.want, tt.file)
		assert.NotContains(t, err.Error(), "hidden")
	}
}
