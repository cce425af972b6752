package world_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// TestAccount proves which operations ask for what an account was made with, and for what of it.
func TestAccount(t *testing.T) {
	object := func(required string, props ...string) string {
		return "{type: object, required: [" + required + "], properties: {" + strings.Join(props, ": {type: string}, ") + ": {type: string}}}"
	}
	post := func(path, body, status string) string {
		return "  " + path + ": {post: {requestBody: {required: true, content: {application/json: {schema: " + body + `}}}, responses: {"` + status + `": {description: d}}}}` + "\n"
	}
	user := post("/users", object("email, password", "email", "name", "password"), "201")
	for _, tc := range []struct {
		name, signUp, path, body string
		want                     map[string]string // what each property has of the request
	}{
		{"the same names", user, "/login", object("email, password", "email", "password", "device"), map[string]string{"email": "e", "password": "p"}},
		{"other names", user, "/sessions", object("username, passwd", "username", "passwd"), map[string]string{"username": "e", "passwd": "p"}},
		{"an object around them", user, "/users/login", "{type: object, required: [user], properties: {user: " + object("email, password", "email", "password") + "}}", map[string]string{"email": "e", "password": "p"}},
		{"a sign-up that answers 200", post("/auth/register", object("email, password", "email", "password"), "200"), "/auth/token", object("email, password", "email", "password"), map[string]string{"email": "e", "password": "p"}},
		{"a choice beside them", user, "/token", "{type: object, required: [grant_type, username, password], properties: {grant_type: {type: string, enum: [password]}, username: {type: string}, password: {type: string}}}", map[string]string{"username": "e", "password": "p"}},
		{"a code beside them", user, "/login", object("email, password, code", "email", "password", "code"), nil},
		{"no password", user, "/forgot", object("email", "email"), nil},
		{"another sign-up", user, "/accounts", object("email, password", "email", "password"), nil},
		{"no sign-up", "", "/login", object("email, password", "email", "password"), nil},
		{"a session is no account", post("/sessions", object("email, password", "email", "password"), "201"), "/login", object("email, password", "email", "password"), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status := "200"
			if tc.path == "/accounts" {
				status = "201"
			}
			c, err := contract.Parse("t.yaml", []byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n"+tc.signUp+post(tc.path, tc.body, status)))
			require.NoError(t, err)
			x := &wire.Exchange{Request: &wire.Request{Body: []byte(`{}`)}, Sent: &wire.Request{Body: []byte(`{"email":"e","name":"n","password":"p"}`)}, Response: &wire.Response{}}
			var got map[string]string
			for _, ref := range world.New(c).Account(operation(t, c, http.MethodPost, tc.path)) {
				if got == nil {
					got = map[string]string{}
				}
				require.Len(t, ref.Sources, 1)
				got[ref.Name] = strings.Join(ref.Sources[0].Values(x), ",")
				assert.Equal(t, strings.HasPrefix(ref.Name, "pass"), ref.Proves())
			}
			assert.Equal(t, tc.want, got)
		})
	}
}
