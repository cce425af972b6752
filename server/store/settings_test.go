package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

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

// Ping sees that nothing can be written, and waits for nobody who writes.
func TestPingWrites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.db")
	opened, err := Open(t.Context(), "sqlite:"+file)
	require.NoError(t, err)
	defer func() { assert.NoError(t, opened.Close()) }()
	s := opened.(*sqlStore)
	execute := func(statement string) {
		t.Helper()
		_, err := s.write.ExecContext(t.Context(), statement)
		require.NoError(t, err)
		s.probed = time.Time{} // as if it were long ago
	}
	require.NoError(t, s.Ping(t.Context()))
	assert.NotZero(t, s.probed)
	execute("PRAGMA query_only = 1")
	require.ErrorContains(t, s.Ping(t.Context()), "write to the database: ")
	assert.Zero(t, s.probed, "what fails is tried again")
	s.probed = time.Now().Add(time.Hour) // as if it had just been
	require.NoError(t, s.Ping(t.Context()), "once a second at most")
	execute("PRAGMA query_only = 0")
	require.NoError(t, s.Ping(t.Context()))

	tx, err := s.write.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	s.probed = time.Time{}
	require.NoError(t, s.Ping(t.Context()), "this process writes")
	assert.Zero(t, s.probed)
	require.NoError(t, tx.Rollback())

	other, err := sql.Open("sqlite", sqliteName(file, map[string][]string{"_txlock": {"immediate"}}))
	require.NoError(t, err)
	defer func() { assert.NoError(t, other.Close()) }()
	tx, err = other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, s.Ping(t.Context()), "another process writes")
	require.NoError(t, tx.Rollback())
	var timeout int
	require.NoError(t, s.write.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&timeout))
	assert.Equal(t, sqliteBusyTimeout, timeout)

	s.probing <- struct{}{} // one that hangs, as on a disk that does not answer
	hasty, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.probe(hasty), context.Canceled)
	<-s.probing

	require.NoError(t, s.file.room())
	require.Error(t, (&databaseFile{path: filepath.Join(file, "nowhere", "f.db")}).room())
}
