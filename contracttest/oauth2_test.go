package contracttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// tokenServer gives the tokens of a service to those who ask as OAuth 2 has it.
type tokenServer struct {
	tokens     tokens
	refuses    func(*http.Request) string // the code of the error, of a form that was parsed
	expires    string                     // in JSON
	metadata   string                     // of OpenID Connect
	discovered int
	given      int
	refused    int // of them, by the service
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/openid") {
		s.discovered++
		_, _ = fmt.Fprint(w, s.metadata)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/oauth/token") {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/v1")
		seen := &coded{ResponseWriter: w}
		s.tokens.ServeHTTP(seen, r)
		if at := issued.FindStringSubmatch(r.Header.Get("Authorization")); seen.code == http.StatusUnauthorized && at != nil {
			s.tokens.mu.Lock()
			if n, err := strconv.Atoi(at[1]); err == nil && n > 1 && n < s.tokens.made { // others are wrong on purpose
				s.refused++
			}
			s.tokens.mu.Unlock()
		}
		return
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if code := s.refuses(r); code != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, secret, _ := r.BasicAuth()
		_, _ = fmt.Fprintf(w, `{"error": %q, "error_description": "not %s"}`, code, secret)
		return
	}
	s.given++
	expires := s.expires
	if expires == "" {
		expires = "3600"
	} else {
		s.tokens.made++ // the one before is good no longer
	}
	_, _ = fmt.Fprintf(w, `{"access_token": %q, "token_type": "bearer", "expires_in": %s}`, s.tokens.current(), expires)
}

var issued = regexp.MustCompile(`^Bearer secret-token-([0-9]+)$`)

type coded struct {
	http.ResponseWriter

	code int
}

func (s *coded) WriteHeader(code int) { s.code = code; s.ResponseWriter.WriteHeader(code) }

const (
	bearerScheme  = "type: http, scheme: bearer"
	connectScheme = "type: openIdConnect, openIdConnectUrl: openid"
	clientScheme  = "type: oauth2, flows: {clientCredentials: {tokenUrl: /oauth/token, scopes: {}}, password: {tokenUrl: oauth/token, scopes: {}}}"
)

// An access token is got as RFC 6749 has it, in time or when it is refused, and the report is that
// of one that is given and does not expire.
func TestOAuth2(t *testing.T) {
	type object = map[string]string
	client := object{"client_id": "my client", "client_secret": "s&cr:t%hidden", "scope": "read write"}
	inHeader := func(r *http.Request) string {
		id, secret, ok := r.BasicAuth() // RFC 6749 §2.3.1: they are encoded as in a form
		if !ok || id != "my+client" || secret != "s%26cr%3At%25hidden" || r.PostForm.Has("client_secret") {
			return "invalid_client"
		}
		if r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("scope") != "read write" {
			return "invalid_request"
		}
		return ""
	}
	want := ""
	for _, tt := range []struct {
		name, scheme string
		parameters   object
		server       *tokenServer
	}{
		{"given", clientScheme, nil, &tokenServer{}},
		{"in the header", clientScheme, client, &tokenServer{tokens: tokens{lasts: 40}, refuses: inHeader}},
		{"in the body", clientScheme, client, &tokenServer{tokens: tokens{lasts: 40}, refuses: func(r *http.Request) string {
			if r.Header.Get("Authorization") != "" || r.PostForm.Get("client_id") != "my client" || r.PostForm.Get("client_secret") != "s&cr:t%hidden" {
				return "invalid_client"
			}
			return ""
		}}},
		{"a password", clientScheme, object{"username": "ada", "password": "hidden"}, &tokenServer{tokens: tokens{lasts: 40}, refuses: func(r *http.Request) string {
			if r.URL.Path != "/v1/oauth/token" || r.PostForm.Get("grant_type") != "password" || r.PostForm.Get("username") != "ada" || r.PostForm.Get("password") != "hidden" {
				return "invalid_grant"
			}
			return ""
		}}},
		{"no scheme of OAuth 2", bearerScheme, object{"client_id": "my client", "client_secret": "s&cr:t%hidden", "scope": "read write", "token_url": "/oauth/token"}, &tokenServer{tokens: tokens{lasts: 40}, refuses: inHeader}},
		{"discovered", connectScheme, client, &tokenServer{tokens: tokens{lasts: 40}, refuses: inHeader}},
		{"in time", clientScheme, client, &tokenServer{refuses: inHeader, expires: `"0.001"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := strings.Replace(renewed, bearerScheme, tt.scheme, 1) + "servers: [{url: /v1}]\n"
			c, err := contracttest.Parse("tokens.yaml", []byte(doc))
			require.NoError(t, err)
			opts := []contracttest.Option{contracttest.Values("code", "open")}
			workers := 4
			if tt.server.expires != "" {
				workers = 1 // hardly another request is under way while it is got
			}
			if tt.parameters == nil {
				opts = append(opts, contracttest.Values("token", tt.server.tokens.current()))
			} else {
				opts = append(opts, contracttest.OAuth2(tt.parameters))
			}
			if tt.scheme == connectScheme {
				elsewhere := httptest.NewServer(tt.server)
				defer elsewhere.Close()
				tt.server.metadata = fmt.Sprintf(`{"issuer": "https://example.com", "token_endpoint": "%s/oauth/token"}`, elsewhere.URL)
			}
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(tt.server), append(opts, contracttest.Workers(workers))...)
			require.NoError(t, err)
			assert.Empty(t, rep.Inconclusive)
			assert.Equal(t, tt.scheme == connectScheme, tt.server.discovered == 1, "%d times", tt.server.discovered)
			text, err := json.MarshalIndent(map[string]any{"findings": rep.Findings, "operations": rep.Operations}, "", " ")
			require.NoError(t, err)
			assert.NotContains(t, string(text), "secret-token")
			assert.NotContains(t, string(text), "hidden")
			if tt.parameters == nil {
				want = string(text)
				return
			}
			assert.Greater(t, tt.server.given, 3)
			if tt.server.expires != "" {
				// Of two requests that are sent at once, one may have the token that is good no longer.
				assert.Less(t, 10*tt.server.refused, tt.server.given, "it was not got in time")
			}
			if tt.scheme == clientScheme {
				assert.Equal(t, want, string(text))
			}
		})
	}
}

// What is wrong with the parameters or the token endpoint is said before anything is sent.
func TestOAuth2Wrong(t *testing.T) {
	type object = map[string]string
	client := object{"client_id": "a", "client_secret": "hidden-secret"}
	const other = "components: {securitySchemes: {a: {type: oauth2, flows: {clientCredentials: {tokenUrl: /a, scopes: {}}}}, b: {type: oauth2, flows: {clientCredentials: {tokenUrl: /b, scopes: {}}}}}}"
	for _, tt := range []struct {
		scheme     string
		parameters object
		want       string
	}{
		{clientScheme, object{"client-id": "a"}, "oauth2: want client_id and client_secret, or username and password"},
		{clientScheme, object{"username": "a"}, "oauth2: want username and password together"},
		{clientScheme, object{"client_id": "a", "grant_type": "code"}, "oauth2: the grant is that of a password where"},
		{bearerScheme, client, "oauth2: the document has no security scheme with a token URL for this grant (type: oauth2, flows/clientCredentials/tokenUrl, or type: openIdConnect): give one as token_url"},
		{other, client, "oauth2: the document has the token URLs /a and /b: name one as token_url"},
		{clientScheme, object{"client_id": "a", "token_url": "ftp://example.com"}, `oauth2: the URL "ftp://example.com": want https://HOST/PATH, or a path on the target`},
		{connectScheme, client, "value token: OpenID Connect, /openid: its response is not a JSON object: give the token endpoint as token_url"},
		{connectScheme + " # {}", client, "value token: OpenID Connect, /openid: its response has no token_endpoint with a URL"},
		{strings.Replace(connectScheme, "openid", "/notes", 1), client, "value token: OpenID Connect, /notes: it returns 401 Unauthorized"},
		{clientScheme, client, "value token: the token endpoint /oauth/token: it returns invalid_scope: not ***"},
		{clientScheme, object{"client_id": "a", "token_url": "/notes"}, "value token: the token endpoint /notes: it returns 401 Unauthorized"},
		{clientScheme, object{"client_id": "a", "token_url": "http://127.0.0.1:1/t?key=hidden-secret"}, "value token: the token endpoint http://127.0.0.1:1/t: the target cannot be reached"},
	} {
		scheme, metadata, _ := strings.Cut(tt.scheme, " # ")
		doc := strings.Replace(renewed, bearerScheme, scheme, 1)
		if tt.scheme == other {
			before, _, _ := strings.Cut(renewed, "components:")
			doc = before + other
		}
		c, err := contracttest.Parse("tokens.yaml", []byte(doc))
		require.NoError(t, err)
		s := &tokenServer{refuses: func(*http.Request) string { return "invalid_scope" }, metadata: metadata}
		_, err = contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.OAuth2(tt.parameters))
		require.ErrorContains(t, err, tt.want)
		assert.NotContains(t, err.Error(), "hidden")
	}
	c, err := contracttest.Parse("tokens.yaml", []byte(strings.Replace(renewed, bearerScheme, clientScheme, 1)))
	require.NoError(t, err)
	_, err = contracttest.Run(t.Context(), c, contracttest.Handler(&tokenServer{}), contracttest.OAuth2(client), contracttest.Values("token", "a"))
	require.EqualError(t, err, "oauth2: a value for the security scheme token is given too: remove one of them")
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(&tokenServer{}))
	require.NoError(t, err)
	assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "give one with --oauth2 client_id=ID --oauth2 client_secret=env:SECRET")
}
