package store_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/server/store"
	"github.com/dataarts-go/factory/server/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory() })
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openSQLite(t, newFile(t)) })
}

func TestSQLiteDurable(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T) func(*testing.T) store.Store {
		file := newFile(t)
		return func(t *testing.T) store.Store { return openSQLite(t, file) }
	})
}

// newFile returns the path of a file that does not exist. Its name holds what
// ends a path in a URI.
func newFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "a?b#c%20 d.db")
}

func openSQLite(t *testing.T, file string) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+file)
	require.NoError(t, err)
	return s
}

// Each attempt to connect is told once, on one line.
func TestOpenPostgresThatIsAway(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = store.Open(t.Context(), "postgres://somebody:secret@"+address+"/nothing")
	require.Error(t, err)
	assert.Equal(t, 1, strings.Count(err.Error(), "connection refused"), err.Error())
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), "\t")
	assert.NotContains(t, err.Error(), ":;")
	assert.NotContains(t, err.Error(), "secret")
}
