package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/signing"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

const (
	accessKey = "AKEXAMPLE0000000TEST"
	secretKey = "SKexample+/0000000000000000000000000test"
	token     = "MIITOKEN"
)

func credentials() server.Credentials {
	return server.Credentials{
		Keys: []server.Key{
			{AccessKey: accessKey, SecretKey: secretKey, ProjectID: project},
			{AccessKey: accessKey, SecretKey: secretKey, ProjectID: "another"},
			{AccessKey: "AKOTHER", SecretKey: "SKOTHER", ProjectID: "another"},
		},
		Tokens: []server.Token{{Token: token, ProjectID: project}, {Token: "MIIOTHER", ProjectID: "another"}},
	}
}

// call is a request in the making.
type call struct {
	path, body, access, secret string
	age                        time.Duration
	header                     http.Header
	// after changes what was signed.
	after func(*http.Request)
}

// do sends c to a server of its own, and returns the answer, what the store
// holds thereafter and what was logged.
func (c call) do(t *testing.T, auth server.Auth, credentials server.Credentials) (answer, string, string) {
	t.Helper()
	s := store.NewMemory()
	fill(t, s)
	log := &lockedBuffer{}
	handler := newHandler(t, s, log, server.WithAuth(auth, credentials))
	if c.path == "" {
		c.path = path
	}
	if c.body == "" {
		c.body = document
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://factory.example"+c.path, strings.NewReader(c.body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", mediaType)
	for name, values := range c.header {
		req.Header[name] = values
	}
	if c.access != "" {
		require.NoError(t, signing.Sign(req, c.access, c.secret, time.Now().Add(-c.age)))
	}
	if c.after != nil {
		c.after(req)
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	resp := rec.Result()
	defer resp.Body.Close()
	return answer{resp, rec.Body.Bytes()}, states(t, s), log.String()
}

func TestAuth(t *testing.T) {
	const anotherPath = "/v2/another/factory/release-packages/unpack"
	signed := call{access: accessKey, secret: secretKey}
	with := func(c call, change func(*call)) call { change(&c); return c }
	header := func(name string, values ...string) http.Header { return http.Header{name: values} }
	const (
		none     = "x-auth-token not found"
		invalid  = "decrypt token fail"
		mismatch = "verify aksk signature fail"
		expired  = "signature expired"
		unknown  = "Get secretKey failed,ak:AKNOBODY,err:ak not exist"
		another  = "The IAM user is not authorized to access the API."
	)
	tests := []struct {
		name string
		call call
		want map[server.Auth]string // "": let in
	}{
		{"without a token", call{}, map[server.Auth]string{"none": "", "token": none, "aksk": mismatch, "all": none}},
		{"empty token", call{header: header("X-Auth-Token", "")}, map[server.Auth]string{"token": none, "all": none}},
		{"two tokens", call{header: header("X-Auth-Token", token, token)}, map[server.Auth]string{"token": none, "all": none}},
		{"token", call{header: header("X-Auth-Token", token)}, map[server.Auth]string{"token": "", "all": "", "aksk": mismatch}},
		{"unknown token", call{header: header("X-Auth-Token", token+"x")}, map[server.Auth]string{"token": invalid, "all": invalid}},
		{"beginning of a token", call{header: header("X-Auth-Token", token[:4])}, map[server.Auth]string{"token": invalid}},
		{"SQL in the token", call{header: header("X-Auth-Token", "' OR '1'='1")}, map[server.Auth]string{"token": invalid}},
		{"another project's token", call{header: header("X-Auth-Token", "MIIOTHER")}, map[server.Auth]string{"token": another, "all": another}},
		{"token, of another project's path", call{path: anotherPath, header: header("X-Auth-Token", token)}, map[server.Auth]string{"token": another}},
		{
			"project that does not exist",
			call{path: "/v2/nowhere/factory/release-packages/unpack", header: header("X-Auth-Token", token)},
			map[server.Auth]string{"token": another},
		},
		{"signature", signed, map[server.Auth]string{"aksk": "", "all": "", "token": none}},
		{
			"signature beside an unknown token", with(signed, func(c *call) { c.header = header("X-Auth-Token", "unknown") }),
			map[server.Auth]string{"aksk": "", "all": "", "token": invalid},
		},
		{
			"signature that is wrong beside a token",
			call{access: accessKey, secret: "wrong", header: header("X-Auth-Token", token)},
			map[server.Auth]string{"aksk": mismatch, "all": mismatch, "token": ""},
		},
		{"wrong secret", call{access: accessKey, secret: "wrong"}, map[server.Auth]string{"aksk": mismatch, "all": mismatch}},
		{"unknown key", call{access: "AKNOBODY", secret: secretKey}, map[server.Auth]string{"aksk": unknown, "all": unknown}},
		{"another project's key", call{access: "AKOTHER", secret: "SKOTHER"}, map[server.Auth]string{"aksk": another}},
		{"signed 14 minutes ago", with(signed, func(c *call) { c.age = 14 * time.Minute }), map[server.Auth]string{"aksk": ""}},
		{"signed 16 minutes ago", with(signed, func(c *call) { c.age = 16 * time.Minute }), map[server.Auth]string{"aksk": expired, "all": expired}},
		{"signed in 16 minutes", with(signed, func(c *call) { c.age = -16 * time.Minute }), map[server.Auth]string{"aksk": expired}},
		{
			"body changed", with(signed, func(c *call) {
				c.after = func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"package_ids":["12"]}`)) }
			}),
			map[server.Auth]string{"aksk": mismatch},
		},
		{
			"workspace changed", with(signed, func(c *call) {
				c.header = header("Workspace", "test")
				c.after = func(r *http.Request) { r.Header.Set("Workspace", "development") }
			}),
			map[server.Auth]string{"aksk": mismatch},
		},
		{
			"project changed", with(signed, func(c *call) {
				c.path = anotherPath
				c.after = func(r *http.Request) { r.URL.Path = path }
			}),
			map[server.Auth]string{"aksk": mismatch},
		},
		{
			"query added", with(signed, func(c *call) { c.after = func(r *http.Request) { r.URL.RawQuery = "a=b" } }),
			map[server.Auth]string{"aksk": mismatch},
		},
		{"another algorithm", call{header: header("Authorization", "Bearer "+token)}, map[server.Auth]string{"aksk": mismatch, "all": none}},
		{"no algorithm", call{header: header("Authorization", "SDK-HMAC-SHA256")}, map[server.Auth]string{"aksk": mismatch, "all": mismatch}},
		{"invalid request without a token", call{body: `{"package_ids":[12]}`}, map[server.Auth]string{"token": none, "aksk": mismatch}},
	}
	for _, tt := range tests {
		for auth, want := range tt.want {
			t.Run(fmt.Sprintf("%s/%s", auth, tt.name), func(t *testing.T) {
				c := credentials()
				if auth == server.AuthNone {
					c = server.Credentials{}
				}
				a, after, log := tt.call.do(t, auth, c)
				for _, secret := range []string{secretKey, token, accessKey, "MIIOTHER", "SKOTHER"} {
					assert.NotContains(t, log, secret)
				}
				if want == "" {
					assert.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
					assert.Empty(t, a.body)
					assert.Equal(t, both, after)
					return
				}
				assert.Equal(t, untouched, after)
				if want == another {
					failure(t, a, http.StatusForbidden, "APIG.0302", want)
					return
				}
				failure(t, a, http.StatusUnauthorized, "APIG.0301", "Incorrect IAM authentication information: ", want)
				assert.Equal(t, auth != server.AuthToken, strings.Contains(strings.Join(a.Header.Values("WWW-Authenticate"), ","), "SDK-HMAC-SHA256"))
				assert.NotEmpty(t, a.Header.Values("WWW-Authenticate"))
			})
		}
	}
}

// Who is let in sees the packages of the workspace that the request names, and
// no other.
func TestAuthWorkspace(t *testing.T) {
	a, after, _ := call{
		body: `{"package_ids":["13"]}`, access: accessKey, secret: secretKey,
		header: http.Header{"Workspace": {"test"}},
	}.do(t, server.AuthAKSK, credentials())
	failure(t, a, http.StatusBadRequest, "DLF.0810")
	assert.Equal(t, untouched, after)
}

// A path or method that does not exist is told to everybody.
func TestAuthElsewhere(t *testing.T) {
	handler := newHandler(t, store.NewMemory(), io.Discard, server.WithAuth(server.AuthAll, credentials()))
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/nowhere", http.NoBody))
	assert.Equal(t, http.StatusNotFound, rec.Code)
}

func TestWithAuthRefused(t *testing.T) {
	key := server.Key{AccessKey: accessKey, SecretKey: secretKey, ProjectID: project}
	tok := server.Token{Token: token, ProjectID: project}
	other := key
	other.SecretKey = "another"
	tests := []struct {
		want string
		auth server.Auth
		c    server.Credentials
	}{
		{`authentication is "iam", want none, token, aksk or all`, "iam", server.Credentials{}},
		{"nobody is asked for credentials", server.AuthNone, server.Credentials{Tokens: []server.Token{tok}}},
		{"by token needs tokens", server.AuthToken, server.Credentials{Keys: []server.Key{key}}},
		{"by aksk needs keys", server.AuthAKSK, server.Credentials{Tokens: []server.Token{tok}}},
		{"needs keys, tokens or users", server.AuthAll, server.Credentials{}},
		{"key 2 is there before with another secret key", server.AuthAKSK, server.Credentials{Keys: []server.Key{key, other}}},
		{"key 1 lacks", server.AuthAKSK, server.Credentials{Keys: []server.Key{{AccessKey: accessKey, ProjectID: project}}}},
		{"token 1 lacks", server.AuthToken, server.Credentials{Tokens: []server.Token{{Token: token}}}},
	}
	for _, tt := range tests {
		_, err := server.New(store.NewMemory(), server.WithAuth(tt.auth, tt.c))
		require.ErrorContains(t, err, "server option: ")
		require.ErrorContains(t, err, tt.want)
		assert.NotContains(t, err.Error(), secretKey)
	}
}

func TestCredentialsAreNotShown(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("started", slog.Any("credentials", credentials()))
	shown := fmt.Sprintf("%v %+v %#v %s ", credentials(), credentials(), credentials(), credentials()) + log.String()
	for _, secret := range []string{accessKey, secretKey, token} {
		assert.NotContains(t, shown, secret)
	}
	assert.Contains(t, shown, project)
}

// A key is locked for five minutes after more than five signatures in a row that are not
// those of its secret, to whom they came from; what is wrong otherwise does not count.
// The time that passes is that of the bubble.
func TestKeyLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, store.NewMemory(), io.Discard, server.WithAuth(server.AuthAll, credentials()))
		text := func(remote, access, secret string, age time.Duration) string {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://factory.example"+path, strings.NewReader("{}"))
			require.NoError(t, err)
			req.Header.Set("Content-Type", mediaType)
			require.NoError(t, signing.Sign(req, access, secret, time.Now().Add(-age)))
			req.RemoteAddr = remote
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if rec.Code != http.StatusUnauthorized {
				return fmt.Sprint(rec.Code)
			}
			var body struct {
				Text string `json:"error_msg"`
			}
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &body))
			return strings.TrimPrefix(body.Text, "Incorrect IAM authentication information: ")
		}
		const here, there = "192.0.2.1:1000", "192.0.2.2:1000"
		const wrong, locked = "verify aksk signature fail", "AK access failed to reach the limit,forbidden."
		letIn := text(here, accessKey, secretKey, 0)
		assert.NotContains(t, letIn, " ", "a status")

		for range 2 { // a right one begins anew
			for range 5 {
				assert.Equal(t, wrong, text(here, accessKey, "wrong", 0))
			}
			assert.Equal(t, letIn, text(here, accessKey, secretKey, 0))
		}
		for range 6 {
			assert.Contains(t, text(here, accessKey, secretKey, time.Hour), "signature expired")
			assert.Contains(t, text(here, "AKNOBODY", secretKey, 0), "ak not exist")
		}
		for range 6 {
			assert.Equal(t, wrong, text(here, accessKey, "wrong", 0))
		}
		assert.Equal(t, locked, text(here, accessKey, secretKey, 0))
		assert.Equal(t, locked, text("192.0.2.1:2000", accessKey, "wrong", 0))
		assert.Equal(t, letIn, text(there, accessKey, secretKey, 0), "from elsewhere")
		assert.NotEqual(t, locked, text(here, "AKOTHER", "SKOTHER", 0), "another key")
		time.Sleep(5*time.Minute - time.Second)
		assert.Equal(t, locked, text(here, accessKey, secretKey, 0))
		time.Sleep(time.Second)
		assert.Equal(t, letIn, text(here, accessKey, secretKey, 0))
	})
}

// Which headers are signed is the client's choice. The log warns of those that say
// what the request is about, and a server can be told to refuse them.
func TestUnsignedHeaders(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after http.Header // of the signature
		unsigned      string
	}{
		{name: "none of them"},
		{name: "signed", before: http.Header{"Workspace": {"development"}, "X-Project-Id": {project}}},
		{name: "workspace", after: http.Header{"Workspace": {"development"}}, unsigned: "workspace"},
		{name: "project", after: http.Header{"X-Project-Id": {project}}, unsigned: "x-project-id"},
		{name: "both", after: http.Header{"X-Project-Id": {project}, "Workspace": {"development"}}, unsigned: "workspace,x-project-id"},
		{name: "empty", after: http.Header{"Workspace": {""}}, unsigned: "workspace"},
		{name: "another header", after: http.Header{"X-Other": {"x"}}},
	} {
		for _, required := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", tt.name, required), func(t *testing.T) {
				s, log := newMemory(t), &lockedBuffer{}
				opts := []server.Option{server.WithAuth(server.AuthAll, credentials())}
				if required {
					opts = append(opts, server.WithRequireSigned())
				}
				h := newHandler(t, s, log, opts...)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://factory.example"+path, strings.NewReader(document))
				require.NoError(t, err)
				req.Header.Set("Content-Type", mediaType)
				maps.Copy(req.Header, tt.before)
				require.NoError(t, signing.Sign(req, accessKey, secretKey, time.Now()))
				maps.Copy(req.Header, tt.after)
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, req)
				warned := strings.Contains(log.String(), "level=WARN")
				if required && tt.unsigned != "" {
					resp := rec.Result()
					defer resp.Body.Close()
					failure(t, answer{resp, rec.Body.Bytes()}, http.StatusUnauthorized, "APIG.0301", "verify aksk signature fail,unsigned headers:"+tt.unsigned)
					assert.Equal(t, untouched, states(t, s))
					assert.False(t, warned)
					return
				}
				assert.Equal(t, http.StatusOK, rec.Code)
				assert.Equal(t, tt.unsigned != "", warned)
				if warned {
					assert.Contains(t, log.String(), "headers="+tt.unsigned)
				}
			})
		}
	}
	for _, opts := range [][]server.Option{
		{server.WithRequireSigned()},
		{server.WithRequireSigned(), server.WithAuth(server.AuthToken, server.Credentials{Tokens: credentials().Tokens})},
	} {
		_, err := server.New(store.NewMemory(), opts...)
		require.ErrorContains(t, err, "nobody is asked for a signature")
	}
}

// Who is behind a trusted proxy is locked alone, whatever the caller itself has written
// into X-Forwarded-For; elsewhere that header means nothing.
func TestLocksBehindAProxy(t *testing.T) {
	c := credentials()
	c.Users = users().Users
	h := newHandler(t, store.NewMemory(), io.Discard, server.WithAuth(server.AuthAll, c),
		server.WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24")))
	status := func(req *http.Request, remote, forwarded string) int {
		req.RemoteAddr = remote
		req.Header.Set("X-Forwarded-For", forwarded)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		return rec.Code
	}
	sign := func(secret string) *http.Request {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://factory.example"+path, strings.NewReader("{}"))
		require.NoError(t, err)
		req.Header.Set("Content-Type", mediaType)
		require.NoError(t, signing.Sign(req, accessKey, secret, time.Now()))
		return req
	}
	ask := func(password string) *http.Request {
		return httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v3/auth/tokens",
			strings.NewReader(question("deployer", password, "example", project)))
	}
	const proxy, direct = "192.0.2.1:1000", "203.0.113.1:1000"
	for i := range 10 {
		made := fmt.Sprintf("198.51.100.%d", i)
		status(sign("wrong"), proxy, made+", 198.51.100.66")
		status(ask("wrong"), proxy, made+", 198.51.100.66")
		status(sign("wrong"), direct, made)
		status(ask("wrong"), direct, made)
	}
	for _, forwarded := range []string{"198.51.100.66", "198.51.100.7, 198.51.100.66"} {
		assert.Equal(t, http.StatusUnauthorized, status(sign(secretKey), proxy, forwarded))
		assert.Equal(t, http.StatusTooManyRequests, status(ask(password), proxy, forwarded))
	}
	assert.Equal(t, http.StatusUnauthorized, status(sign(secretKey), direct, "198.51.100.77"))
	assert.Equal(t, http.StatusTooManyRequests, status(ask(password), direct, "198.51.100.77"))
	for _, forwarded := range []string{"198.51.100.1", "198.51.100.66, 198.51.100.1", "198.51.100.66, 198.51.100.1, 192.0.2.7"} {
		assert.Equal(t, http.StatusBadRequest, status(sign(secretKey), proxy, forwarded), "let in: the store is empty")
		assert.Equal(t, http.StatusCreated, status(ask(password), proxy, forwarded))
	}
}
