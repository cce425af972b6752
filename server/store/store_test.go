package store_test

import (
	"path/filepath"
	"testing"

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
