package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

const password = "PWexample0000"

func users() server.Credentials {
	return server.Credentials{Users: []server.User{
		{Name: "deployer", Password: password, Domain: "example", ProjectID: project},
		{Name: "deployer", Password: password, Domain: "example", ProjectID: "another"},
		{Name: "other", Password: "PWother", Domain: "example", ProjectID: "another"},
	}}
}

func question(name, password, domain, project string) string {
	return `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"` + name + `","password":"` + password +
		`","domain":{"name":"` + domain + `"}}}},"scope":{"project":{"id":"` + project + `"}}}}`
}

func askForToken(t *testing.T, h http.Handler, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v3/auth/tokens?nocatalog=true", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json;charset=utf8")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

func cancelWith(t *testing.T, h http.Handler, project, token string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v2/"+project+"/factory/release-packages/unpack", strings.NewReader(document))
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("X-Auth-Token", token)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

func TestIAMRefuses(t *testing.T) {
	s, log := store.NewMemory(), &lockedBuffer{}
	h := newHandler(t, s, log, server.WithAuth(server.AuthToken, users()))
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"wrong password":           {question("deployer", "wrong", "example", project), 401},
		"empty password":           {question("deployer", "", "example", project), 401},
		"another user's password":  {question("deployer", "PWother", "example", project), 401},
		"unknown user":             {question("nobody", password, "example", project), 401},
		"unknown domain":           {question("deployer", password, "nowhere", project), 401},
		"SQL in the name":          {question("' OR '1'='1", password, "example", project), 401},
		"another project":          {question("other", "PWother", "example", project), 403},
		"no project":               {question("deployer", password, "example", ""), 400},
		"another method":           {strings.Replace(question("deployer", password, "example", project), `["password"]`, `["totp"]`, 1), 400},
		"no JSON":                  {"{", 400},
		"a name that is a number":  {strings.Replace(question("deployer", password, "example", project), `"deployer"`, `7`, 1), 400},
		"body of more than 64 KiB": {question(strings.Repeat("n", 64<<10), password, "example", project), 413},
	} {
		t.Run(name, func(t *testing.T) {
			rec := askForToken(t, h, tt.body)
			assert.Equal(t, tt.status, rec.Code, "%s", rec.Body)
			assert.Empty(t, rec.Header().Get("X-Subject-Token"))
			if tt.status == http.StatusRequestEntityTooLarge {
				return
			}
			var body struct {
				Error struct {
					Code           int
					Message, Title string
				}
			}
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &body))
			assert.Equal(t, tt.status, body.Error.Code)
			assert.Equal(t, http.StatusText(tt.status), body.Error.Title)
			assert.NotEmpty(t, body.Error.Message)
		})
	}
	assert.NotContains(t, log.String(), password)
}

// A token is for one project and for 24 hours, and good at each server with the
// same users; one with a single character changed is good nowhere.
func TestIAMToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lockedBuffer{}
		two := func(c server.Credentials) http.Handler {
			s := store.NewMemory()
			fill(t, s)
			return newHandler(t, s, log, server.WithAuth(server.AuthAll, c))
		}
		here, there := two(users()), two(users())
		rec := askForToken(t, here, question("deployer", password, "example", project))
		require.Equal(t, http.StatusCreated, rec.Code, "%s", rec.Body)
		token := rec.Header().Get("X-Subject-Token")
		assert.LessOrEqual(t, len(token), 4096)
		var body struct {
			Token struct {
				IssuedAt  time.Time `json:"issued_at"`
				ExpiresAt time.Time `json:"expires_at"`
				Project   struct{ ID string }
			}
		}
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &body))
		assert.Equal(t, 24*time.Hour, body.Token.ExpiresAt.Sub(body.Token.IssuedAt))
		assert.Equal(t, project, body.Token.Project.ID)

		assert.Equal(t, 200, cancelWith(t, here, project, token).Code)
		assert.Equal(t, 200, cancelWith(t, there, project, token).Code)
		assert.Equal(t, 403, cancelWith(t, here, "another", token).Code)
		for i := range token {
			other := byte('A')
			if token[i] == other {
				other = 'Q'
			}
			changed := token[:i] + string(other) + token[i+1:]
			assert.Equal(t, 401, cancelWith(t, here, project, changed).Code, "character %d", i)
		}
		changed := users()
		for i := range changed.Users {
			changed.Users[i].Password += "x"
		}
		assert.Equal(t, 401, cancelWith(t, two(changed), project, token).Code, "the password has changed")
		gone := users()
		gone.Users = gone.Users[1:]
		assert.Equal(t, 401, cancelWith(t, two(gone), project, token).Code, "the project is not the user's any more")

		time.Sleep(24*time.Hour - time.Second)
		assert.Equal(t, 200, cancelWith(t, here, project, token).Code)
		time.Sleep(time.Second)
		expired := cancelWith(t, here, project, token)
		assert.Equal(t, 401, expired.Code)
		assert.Contains(t, expired.Body.String(), "token expires, expires_at: ")
		for _, secret := range []string{token, password} {
			assert.NotContains(t, log.String(), secret)
		}
	})
}

func TestUsersRefused(t *testing.T) {
	user := server.User{Name: "n", Password: "SECRET", Domain: "d", ProjectID: "p"}
	with := func(change func(*server.User)) server.Credentials {
		u := user
		change(&u)
		return server.Credentials{Users: []server.User{user, u}}
	}
	for want, tt := range map[string]struct {
		auth server.Auth
		c    server.Credentials
	}{
		"user 2 lacks its name":                    {server.AuthToken, with(func(u *server.User) { u.Domain = "" })},
		"user 2 is there before with another":      {server.AuthToken, with(func(u *server.User) { u.Password = "SECRET2" })},
		"more than 256 bytes":                      {server.AuthToken, with(func(u *server.User) { u.Name = strings.Repeat("n", 257) })},
		"authentication by aksk":                   {server.AuthAKSK, server.Credentials{Keys: credentials().Keys, Users: []server.User{user}}},
		"with authentication none nobody is asked": {server.AuthNone, server.Credentials{Users: []server.User{user}}},
	} {
		_, err := server.New(store.NewMemory(), server.WithAuth(tt.auth, tt.c))
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "SECRET")
	}
	assert.NotContains(t, user.String()+user.GoString(), "SECRET")
}

// Who tries passwords is not heard for five minutes after five wrong ones, whether
// the user exists or not; others are, and so is whoever forgets a password now and
// then.
func TestIAMGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, store.NewMemory(), io.Discard, server.WithAuth(server.AuthToken, users()))
		try := func(remote, name, password string) answer {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v3/auth/tokens",
				strings.NewReader(question(name, password, "example", project)))
			req.RemoteAddr = remote
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			resp := rec.Result()
			defer resp.Body.Close()
			return answer{resp, rec.Body.Bytes()}
		}
		const remote = "192.0.2.1:1000"
		for _, name := range []string{"deployer", "nobody"} {
			for range 5 {
				assert.Equal(t, http.StatusUnauthorized, try(remote, name, "wrong").StatusCode)
				time.Sleep(time.Second)
			}
			for _, port := range []string{":1000", ":2000"} {
				a := try("192.0.2.1"+port, name, password)
				failure(t, a, http.StatusTooManyRequests, "APIG.0308")
				assert.Equal(t, "299", a.Header.Get("Retry-After"))
			}
		}
		assert.Equal(t, http.StatusCreated, try("192.0.2.2:1000", "deployer", password).StatusCode)
		assert.Equal(t, http.StatusForbidden, try(remote, "other", "PWother").StatusCode, "another user, who has no such project")
		time.Sleep(299*time.Second - 5*time.Second) // since the first of the two was refused
		assert.Equal(t, http.StatusCreated, try(remote, "deployer", password).StatusCode)
		for range 3 {
			for range 4 {
				assert.Equal(t, http.StatusUnauthorized, try(remote, "deployer", "wrong").StatusCode)
			}
			assert.Equal(t, http.StatusCreated, try(remote, "deployer", password).StatusCode)
		}

		// A network of IPv6 is one caller.
		for i := range 5 {
			assert.Equal(t, http.StatusUnauthorized, try(fmt.Sprintf("[2001:db8::%d]:1", i), "deployer", "wrong").StatusCode)
		}
		assert.Equal(t, http.StatusTooManyRequests, try("[2001:db8::99]:1", "deployer", password).StatusCode)
		assert.Equal(t, http.StatusCreated, try("[2001:db8:0:1::1]:1", "deployer", password).StatusCode)
		// What is counted is bounded, but no number of made-up names frees a user.
		for i := range 5000 {
			assert.Equal(t, http.StatusUnauthorized, try(remote, fmt.Sprint("made up ", i), "wrong").StatusCode)
		}
		assert.Equal(t, http.StatusTooManyRequests, try("[2001:db8::99]:1", "deployer", password).StatusCode)
		// Nor do passwords for a user who exists, from many addresses.
		for i := range 5000 {
			from := fmt.Sprintf("10.%d.%d.1:1", i/250, i%250)
			assert.Equal(t, http.StatusUnauthorized, try(from, "deployer", "wrong").StatusCode)
		}
		assert.Equal(t, http.StatusTooManyRequests, try("[2001:db8::99]:1", "deployer", password).StatusCode)
	})
}

// Many passwords at once are no way around it.
func TestIAMGuessingAtOnce(t *testing.T) {
	h := newHandler(t, store.NewMemory(), io.Discard, server.WithAuth(server.AuthToken, users()))
	var looked atomic.Int64
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if askForToken(t, h, question("deployer", fmt.Sprint("wrong", i), "example", project)).Code == http.StatusUnauthorized {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 5, looked.Load())
}

// Without users there is no such path.
func TestNoIAM(t *testing.T) {
	h := newHandler(t, store.NewMemory(), io.Discard, server.WithAuth(server.AuthAll, credentials()))
	assert.Equal(t, http.StatusNotFound, askForToken(t, h, question("deployer", password, "example", project)).Code)
}
