package contracttest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// TestOtherCredential proves that a credential of the run in another place than the document's,
// which a service takes as well, does not stand in for a wrong one or for none.
func TestOtherCredential(t *testing.T) {
	doc := `
  /me:
    get:
      operationId: me
      security: [{token: []}]
      responses:
        "200": {description: me}
        "401": {description: who}
components: {securitySchemes: {token: {type: http, scheme: bearer}}}
`
	file := filepath.Join(t.TempDir(), "auth.yaml")
	require.NoError(t, os.WriteFile(file, []byte("auth: [{name: ada, loginEndpointAuth: {endpoint: /login, verb: POST, expectCookies: true}}]\n"), 0o600))
	token := contracttest.Header("Authorization", "Bearer a-good-token")
	for _, tt := range []struct {
		name string
		opts []contracttest.Option
		good func(*http.Request) bool
		want []string
	}{
		{"cookie of a login", []contracttest.Option{contracttest.Auth(file, "")}, func(r *http.Request) bool { return r.Header.Get("Cookie") == "sid=a-good-session" }, nil},
		{"header of its own", []contracttest.Option{contracttest.Header("X-Key", "a-good-key")}, func(r *http.Request) bool { return r.Header.Get("X-Key") == "a-good-key" }, nil},
		{"beside the token", []contracttest.Option{token, contracttest.Header("X-Key", "a-good-key")}, func(r *http.Request) bool {
			return r.Header.Get("X-Key") == "a-good-key" || r.Header.Get("Authorization") == "Bearer a-good-token"
		}, nil},
		{"nothing is checked", []contracttest.Option{token, contracttest.Header("X-Tenant", "one")}, func(*http.Request) bool { return true }, []string{"error me/security"}},
		{"the tenant alone is checked", []contracttest.Option{token, contracttest.Header("X-Tenant", "one")}, func(r *http.Request) bool { return r.Header.Get("X-Tenant") == "one" }, []string{"error me/security"}},
		{"no scheme is checked", []contracttest.Option{token}, func(r *http.Request) bool { return r.Header.Get("Authorization") != "" }, []string{"error me/security"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "a-good-session"})
			})
			mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
				if !tt.good(r) {
					w.WriteHeader(http.StatusUnauthorized)
				}
			})
			rep, err := contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(mux), append(tt.opts, contracttest.Cases(0), contracttest.Only("me"))...)
			require.NoError(t, err)
			assert.Equal(t, tt.want, about(rep, "security-ignored"), "%s", describe(rep))
			assert.False(t, rep.Void)
		})
	}
}
