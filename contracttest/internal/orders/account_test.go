package orders_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// accountDocument is of a service with a sign-up and a login. CALLER, SIGNUP, LOGIN and KIND are
// how it is dressed.
const accountDocument = `
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /LOGIN:
    post:
      operationId: login
      requestBody:
        required: true
        content:
          KIND:
            schema:
              type: object
              required: [CALLER, password]
              additionalProperties: false
              properties:
                CALLER: {type: string, minLength: 6, maxLength: 60, FORMAT}
                password: {type: string, minLength: 8, maxLength: 40}
      responses:
        "200": {description: in, content: {application/json: {schema: {type: object, required: [token], properties: {token: {type: string}}}}}}
        "400": {description: bad}
        "401": {description: no such account, or another password}
        "403": {description: locked, or not verified}
        "415": {description: type}
  /SIGNUP:
    post:
      operationId: signUp
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [email, username, password]
              additionalProperties: false
              properties:
                email: {type: string, format: email, minLength: 6, maxLength: 60}
                username: {type: string, minLength: 6, maxLength: 60}
                password: {type: string, minLength: 8, maxLength: 40}
      responses:
        "201": {description: there, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string}}}}}}
        "400": {description: bad}
        "409": {description: somebody has it}
        "415": {description: type}
`

// accounts is such a service.
type accounts struct {
	signUp, login, caller string
	form, verifies        bool
	most                  int // wrong passwords of one account before it is locked

	mu     sync.Mutex
	all    map[string]*account
	logins int
}

type account struct {
	salt  string
	sum   [sha256.Size]byte
	wrong int
}

func (a *accounts) document() []byte {
	format, kind := "format: email", "application/json"
	if a.caller != "email" {
		format = "pattern: '^[^ ]*$'"
	}
	if a.form {
		kind = "application/x-www-form-urlencoded"
	}
	return []byte(strings.NewReplacer("CALLER", a.caller, "SIGNUP", a.signUp, "LOGIN", a.login, "KIND", kind, "FORMAT", format).Replace(accountDocument))
}

// read reads the texts of a body, each of a length that the document allows.
func (a *accounts) read(r *http.Request, form bool, names ...string) (map[string]string, int) {
	body, _ := io.ReadAll(r.Body)
	texts := map[string]string{}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); {
	case form && kind == "application/x-www-form-urlencoded":
		fields, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, http.StatusBadRequest
		}
		for name, all := range fields {
			if len(all) != 1 {
				return nil, http.StatusBadRequest
			}
			texts[name] = all[0]
		}
	case !form && kind == "application/json":
		if json.Unmarshal(body, &texts) != nil || string(body) == "null" {
			return nil, http.StatusBadRequest
		}
	default:
		return nil, http.StatusUnsupportedMediaType
	}
	if len(texts) != len(names) {
		return nil, http.StatusBadRequest
	}
	for _, name := range names {
		least, most := 6, 60
		if name == "password" {
			least, most = 8, 40
		}
		n := len([]rune(texts[name]))
		if _, err := mail.ParseAddress(texts[name]); n < least || n > most || name == "email" && err != nil || name == "username" && form && strings.Contains(texts[name], " ") {
			return nil, http.StatusBadRequest
		}
	}
	return texts, 0
}

func (a *accounts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case path != a.login && path != a.signUp:
		w.WriteHeader(http.StatusNotFound)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case path == a.signUp:
		texts, status := a.read(r, false, "email", "username", "password")
		if status == 0 {
			status = a.add(texts)
		}
		answer(w, status, `{"id":"1"}`)
	default:
		texts, status := a.read(r, a.form, a.caller, "password")
		if status == 0 {
			status = a.enter(texts)
		}
		answer(w, status, `{"token":"t"}`)
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	if status >= http.StatusMultipleChoices {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (a *accounts) add(texts map[string]string) int {
	if a.all == nil {
		a.all = map[string]*account{}
	}
	if a.all[texts["email"]] != nil || a.all[texts["username"]] != nil {
		return http.StatusConflict
	}
	made := &account{salt: rand.Text()}
	made.sum = sha256.Sum256([]byte(made.salt + texts["password"]))
	a.all[texts["email"]], a.all[texts["username"]] = made, made
	return http.StatusCreated
}

func (a *accounts) enter(texts map[string]string) int {
	of := a.all[texts[a.caller]]
	switch {
	case of == nil:
		return http.StatusUnauthorized
	case a.verifies, a.most > 0 && of.wrong >= a.most:
		return http.StatusForbidden
	case of.sum != sha256.Sum256([]byte(of.salt+texts["password"])):
		of.wrong++
		return http.StatusUnauthorized
	}
	a.logins++
	return http.StatusOK
}

// TestAccounts proves that a login is sent what an account of the run was made with, whatever it is
// called and however it travels, and that nobody is blamed who wants more than that.
func TestAccounts(t *testing.T) {
	for name, a := range map[string]*accounts{
		"users and login":              {signUp: "users", login: "login", caller: "email"},
		"a user's name":                {signUp: "accounts", login: "sessions", caller: "username"},
		"a form":                       {signUp: "auth/register", login: "auth/token", caller: "username", form: true},
		"of one kind":                  {signUp: "signup", login: "auth/login", caller: "login"},
		"five wrong ones, then locked": {signUp: "users", login: "users/login", caller: "email", most: 5},
		"verified first":               {signUp: "users", login: "login", caller: "email", verifies: true},
	} {
		t.Run(name, func(t *testing.T) {
			before := ""
			for _, workers := range []int{1, 8} {
				s := &accounts{signUp: a.signUp, login: a.login, caller: a.caller, form: a.form, verifies: a.verifies, most: a.most}
				c, err := contracttest.Parse("t.yaml", s.document())
				require.NoError(t, err)
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Workers(workers), contracttest.Cases(5))
				require.NoError(t, err)
				assert.Zero(t, rep.Errors(), "%s", describe(rep))
				assert.Empty(t, rep.Inconclusive)
				if !a.verifies {
					assert.Empty(t, rep.Unproven)
					assert.Positive(t, s.logins)
				}
				if now := describe(rep); before == "" {
					before = now
				} else {
					assert.Equal(t, before, now, "the report depends on the workers")
				}
			}
		})
	}
}

// TestLoginAlone proves that a run which is to test the login alone makes accounts for it, few of them.
func TestLoginAlone(t *testing.T) {
	s := &accounts{signUp: "users", login: "login", caller: "email", most: 5}
	c, err := contracttest.Parse("t.yaml", s.document())
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Only("login"), contracttest.Cases(1))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, rep.Inconclusive)
	assert.Empty(t, rep.Unproven)
	assert.Positive(t, s.logins)
	assert.Less(t, len(s.all)/2, s.logins)
}
