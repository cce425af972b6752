package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

// The page, what it is made of and the document are there for everybody, also
// where the operation asks for a credential.
func TestPage(t *testing.T) {
	st := store.NewMemory()
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	s, err := New(st, WithAuth(AuthAll, Credentials{Tokens: []Token{{Token: "a-token", ProjectID: "p"}}}))
	require.NoError(t, err)
	get := func(method, path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
		return rec
	}
	page := get(http.MethodGet, "/")
	assert.Equal(t, http.StatusOK, page.Code)
	assert.Contains(t, page.Header().Get("Content-Type"), "text/html")
	for _, asset := range []string{"swagger-ui.css", "swagger-ui-bundle.js"} {
		assert.Contains(t, page.Body.String(), asset)
		assert.Equal(t, http.StatusOK, get(http.MethodGet, "/docs/"+asset).Code)
	}
	for _, nothing := range []string{"nothing", "", "/", "..%2fgo.mod", "embed.go", "%00", "swagger-ui.css/"} {
		rec := get(http.MethodGet, "/docs/"+nothing)
		assert.Equal(t, http.StatusNotFound, rec.Code, nothing)
		assert.Contains(t, rec.Body.String(), `"error_code":"APIG.0101"`, nothing)
	}
	assert.Equal(t, http.StatusNotFound, get(http.MethodPost, "/").Code)

	for _, path := range []string{"/", "/openapi.json", "/docs/swagger-ui.css"} {
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			assert.Contains(t, get(http.MethodGet, path).Header().Get(name), want, path)
		}
	}
	policy := page.Header().Get("Content-Security-Policy")
	assert.Equal(t, strings.Count(page.Body.String(), "<script>"), strings.Count(policy, "'sha256-"), policy)
	assert.NotContains(t, policy, "unsafe-eval")

	document := get(http.MethodGet, "/openapi.json")
	require.Equal(t, http.StatusOK, document.Code)
	require.True(t, json.Valid(document.Body.Bytes()))
	doc, err := openapi3.NewLoader().LoadFromData(document.Body.Bytes())
	require.NoError(t, err)
	assert.Equal(t, "/", doc.Servers[0].URL)
}
