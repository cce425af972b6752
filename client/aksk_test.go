package client_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/internal/signing"
)

const (
	accessKey     = "AKEXAMPLE0000000TEST"
	secretKey     = "SKexample+/0000000000000000000000000test"
	securityToken = "ST-example/0123+456=="
)

// verify refuses what was not signed with the keys above.
func verify(t *testing.T, w http.ResponseWriter, r *http.Request) bool {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	// The handler of setup has taken the base path off.
	r.URL.Path = basePath + r.URL.Path
	if r.URL.RawPath != "" {
		r.URL.RawPath = basePath + r.URL.RawPath
	}
	access, err := signing.Verify(r, body, func(access string) (string, bool) { return secretKey, access == accessKey }, time.Now())
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		_, err := io.WriteString(w, err.Error())
		assert.NoError(t, err)
		return false
	}
	return assert.Equal(t, accessKey, access)
}

func TestAKSK(t *testing.T) {
	tests := []struct {
		name        string
		credentials client.Credentials
		token       []string
	}{
		{"keys", client.AKSK(accessKey, secretKey), nil},
		{"temporary keys", client.TemporaryAKSK(accessKey, secretKey, securityToken), []string{securityToken}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := setup(t, func(w http.ResponseWriter, r *http.Request) {
				if !verify(t, w, r) {
					return
				}
				assert.Equal(t, []string{projectID}, r.Header["X-Project-Id"])
				assert.Equal(t, tt.token, r.Header["X-Security-Token"])
				assert.Nil(t, r.Header["X-Auth-Token"])
				for _, name := range []string{"x-project-id", "x-sdk-date", "workspace", "user-agent"} {
					assert.Contains(t, r.Header.Get("Authorization"), name)
				}
				assert.Equal(t, tt.token != nil, strings.Contains(r.Header.Get("Authorization"), "x-security-token"))
			}, client.WithCredentials(tt.credentials), client.WithWorkspace("Entwicklung ü"))
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12", "包<&>", ""))
		})
	}
	t.Run("other keys", func(t *testing.T) {
		c := setup(t, func(w http.ResponseWriter, r *http.Request) { verify(t, w, r) },
			client.WithCredentials(client.AKSK(accessKey, "another secret")))
		e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
		assert.Equal(t, http.StatusUnauthorized, e.HTTPStatus)
	})
}

// Credentials alone sign any request, without a project that they do not know.
func TestAKSKWithoutClient(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://host/v2/p", nil)
	require.NoError(t, err)
	require.NoError(t, client.AKSK(accessKey, secretKey).Authorize(req))
	assert.Empty(t, req.Header.Get("X-Project-Id"))
	_, err = signing.Verify(req, nil, func(string) (string, bool) { return secretKey, true }, time.Now())
	require.NoError(t, err)
}

// Each attempt is signed anew: by credentials that are asked anew.
func TestEveryAttemptIsAuthorized(t *testing.T) {
	var proofs []string
	calls := 0
	numbered := authorizeFunc(func(req *http.Request) error {
		calls++
		req.Header.Add("Authorization", strings.Repeat("x", calls))
		return client.AKSK(accessKey, secretKey).Authorize(req)
	})
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		proofs = append(proofs, r.Header["Authorization"]...)
		verify(t, w, r)
		if len(proofs) < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}, client.WithCredentials(numbered))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Equal(t, 3, calls)
	require.Len(t, proofs, 3)
	assert.False(t, slices.ContainsFunc(proofs, func(p string) bool { return strings.HasPrefix(p, "x") }), "%q", proofs)
}
