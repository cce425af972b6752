package store

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A kill of the process cannot show whether a commit reached the disk, so the
// settings that see to it are looked at.
func TestSQLiteSettings(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "f.db"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	for pragma, want := range map[string]string{
		"journal_mode": "wal",
		"synchronous":  "2", // FULL
		"foreign_keys": "1",
		"busy_timeout": "10000",
	} {
		var got string
		require.NoError(t, s.(*sqlStore).write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
	}
}

// Where another workspace has become the default one since the packages were looked
// up, nothing is decided by what was found.
func TestCancelInFormerDefault(t *testing.T) {
	opened, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "f.db"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, opened.Close()) }()
	s := opened.(*sqlStore)
	for _, w := range []string{"former", "now"} {
		require.NoError(t, s.PutWorkspace(t.Context(), Workspace{ProjectID: "p", ID: w, Default: true}))
		_, err := s.Add(t.Context(), Packages(
			Package{ID: "1", ProjectID: "p"}, Package{ID: "2", ProjectID: "p", State: Cancelled}, Package{ID: "3", ProjectID: "p", State: Released}))
		require.NoError(t, err)
	}
	for _, ids := range [][]string{{"1"}, {"2"}, {"3"}, {"1", "2", "3"}} {
		require.ErrorIs(t, s.cancelIn(t.Context(), "p", "former", true, ids), errDefaultChanged, ids)
	}
	require.NoError(t, s.cancelIn(t.Context(), "p", "now", true, []string{"1"}))
	require.NoError(t, s.cancelIn(t.Context(), "p", "former", false, []string{"1"}), "asked for by its name")
}
