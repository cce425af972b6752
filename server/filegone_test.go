package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/store"
)

// While the file of the database is not where it was, nothing is confirmed and the
// server is not ready, though SQLite could still write to what it has open.
func TestDatabaseFileGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "factory.db")
	s, err := store.Open(t.Context(), "sqlite:"+file)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	fill(t, s)
	r := start(t, s)
	ready := func() int { return r.send(t, request("GET", "/readyz", "")).StatusCode }
	cancel := post(path, document, "Content-Type: "+mediaType)
	require.NoError(t, os.Rename(file, file+".away"))
	for range 2 {
		failure(t, r.send(t, cancel), http.StatusInternalServerError, "APIG.0601")
		assert.Equal(t, http.StatusServiceUnavailable, ready())
		assert.Contains(t, r.log.String(), "the file of the database")
		require.NoError(t, os.WriteFile(file, nil, 0o600)) // another one in its place
	}
	require.NoError(t, os.Rename(file+".away", file))
	assert.Equal(t, http.StatusOK, ready())
	assert.Equal(t, untouched, states(t, s))
	success(t, r.send(t, cancel))
	assert.Equal(t, both, states(t, s))
}
