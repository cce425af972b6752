package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
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
	assert.Equal(t, http.StatusMethodNotAllowed, get(http.MethodPost, "/").Code)

	document := get(http.MethodGet, "/openapi.json")
	require.Equal(t, http.StatusOK, document.Code)
	require.True(t, json.Valid(document.Body.Bytes()))
	doc, err := openapi3.NewLoader().LoadFromData(document.Body.Bytes())
	require.NoError(t, err)
	assert.Equal(t, "/", doc.Servers[0].URL)
}
