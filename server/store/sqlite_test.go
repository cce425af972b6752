package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/dataarts-go/factory/server/store"
)

func TestOpenRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	foreign := filepath.Join(dir, "foreign.db")
	execute(t, foreign, "CREATE TABLE t (x); INSERT INTO t VALUES (1)")
	marked := filepath.Join(dir, "marked.db")
	execute(t, marked, "PRAGMA application_id = 7")
	newer := filepath.Join(dir, "newer.db")
	require.NoError(t, openSQLite(t, newer).Close())
	execute(t, newer, "PRAGMA user_version = 99")

	tests := []struct{ name, dsn, want string }{
		{"no scheme", "factory.db", "want sqlite:FILE or postgres://"},
		{"no file", "sqlite:", "want sqlite:FILE"},
		{"empty", "", "want sqlite:FILE"},
		{"another scheme", "mysql:db", "want sqlite:FILE"},
		{"misspelt", "postgress://u:secret@h/db", "want sqlite:FILE or postgres://"},
		{"settings for a URL", "host=db user=u password=secret dbname=x", "want sqlite:FILE or postgres://"},
		{"settings with a colon", "host=db password=secret:x dbname=x", "want sqlite:FILE or postgres://"},
		{"no directory", "sqlite:" + filepath.Join(dir, "none", "f.db"), "does its directory exist"},
		{"a directory", "sqlite:" + dir, "cannot be opened"},
		{"below a file", "sqlite:" + filepath.Join(write("plain", "x"), "f.db"), "cannot be opened"},
		{"not a database", "sqlite:" + write("text.db", "this is no database, though it is long enough to be one"), "not a SQLite database or is damaged"},
		{"another program's", "sqlite:" + foreign, "a database of another program"},
		{"marked as another program's", "sqlite:" + marked, "a database of another program"},
		{"a newer version", "sqlite:" + newer, "schema version 99, this program needs 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := store.Open(t.Context(), tt.dsn)
			require.ErrorContains(t, err, tt.want)
			assert.Nil(t, s)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	assert.Equal(t, "delete", query(t, foreign, "PRAGMA journal_mode"), "another program's database was changed")
}

func TestOpenMustExist(t *testing.T) {
	file := newFile(t)
	_, err := store.Open(t.Context(), "sqlite:"+file, store.MustExist())
	require.ErrorContains(t, err, "there is no such file")
	assert.NoFileExists(t, file)

	require.NoError(t, openSQLite(t, file).Close())
	s, err := store.Open(t.Context(), "sqlite:"+file, store.MustExist())
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

// A database that is damaged or gone under an open store is an error of every
// method, never a success.
func TestStorageFailure(t *testing.T) {
	failures := map[string]func(t *testing.T, file string, s store.Store){
		"closed":   func(t *testing.T, _ string, s store.Store) { require.NoError(t, s.Close()) },
		"removed":  func(t *testing.T, file string, _ store.Store) { require.NoError(t, os.Remove(file)) },
		"replaced": func(t *testing.T, file string, _ store.Store) { replace(t, file) },
		"no tables": func(t *testing.T, file string, _ store.Store) {
			execute(t, file, "DROP TABLE package; DROP TABLE project")
		},
		"read only": func(t *testing.T, file string, _ store.Store) {
			for _, table := range []string{"project", "workspace", "package"} {
				for _, event := range []string{"INSERT", "UPDATE"} {
					execute(t, file, "CREATE TRIGGER "+table+event+" BEFORE "+event+" ON "+table+
						" BEGIN SELECT RAISE(ABORT, 'disk full'); END")
				}
			}
		},
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			s := openSQLite(t, file)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			one := store.Package{ID: "12", ProjectID: "project"}
			_, err := s.Add(t.Context(), store.Packages(one))
			require.NoError(t, err)
			fail(t, file, s)

			require.Error(t, s.Cancel(t.Context(), "project", "", []string{"12"}))
			require.Error(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: "project", ID: "w", Default: true}))
			_, err = s.Add(t.Context(), store.Packages(store.Package{ID: "13", ProjectID: "project"}))
			require.Error(t, err)
			_, err = s.Add(t.Context(), store.Packages(store.Package{ID: "13", ProjectID: "new", Workspace: "new"}))
			require.Error(t, err)
			if name == "read only" {
				return
			}
			require.Error(t, s.Cancel(t.Context(), "project", "", nil))
			for _, err := range s.List(t.Context(), "project", "") {
				require.Error(t, err)
			}
			for _, err := range s.List(t.Context(), "project", store.DefaultWorkspace) {
				require.Error(t, err)
			}
			for _, err := range s.Workspaces(t.Context()) {
				require.Error(t, err)
			}
			if name != "no tables" {
				require.Error(t, s.Ping(t.Context()))
			}
		})
	}
}

// replace puts another database in the place of file, with the same package, as
// who restores a backup does.
func replace(t *testing.T, file string) {
	t.Helper()
	other := newFile(t)
	s := openSQLite(t, other)
	_, err := s.Add(t.Context(), store.Packages(store.Package{ID: "12", ProjectID: "project"}))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, os.Rename(other, file))
}

// A file that is back in its place is what it was.
func TestFileIsBack(t *testing.T) {
	file := newFile(t)
	s := openSQLite(t, file)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	_, err := s.Add(t.Context(), store.Packages(store.Package{ID: "12", ProjectID: "project"}))
	require.NoError(t, err)
	require.NoError(t, os.Rename(file, file+".away"))
	require.ErrorIs(t, s.Cancel(t.Context(), "project", "", []string{"12"}), os.ErrNotExist)
	require.ErrorIs(t, s.Ping(t.Context()), os.ErrNotExist)
	require.NoError(t, os.Rename(file+".away", file))
	require.NoError(t, s.Ping(t.Context()))
	for p, err := range s.List(t.Context(), "project", "") {
		require.NoError(t, err)
		assert.Equal(t, store.Pending, p.State)
	}
	require.NoError(t, s.Cancel(t.Context(), "project", "", []string{"12"}))
}

// A database in memory has no file that could go.
func TestInMemory(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := store.Open(t.Context(), "sqlite::memory:")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	require.NoError(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: "project", ID: "w", Default: true}))
	assert.NoFileExists(t, ":memory:")
}

// What can be answered without a change does not wait for who is changing something.
func TestSQLiteRefusesBesideAWriter(t *testing.T) {
	file := newFile(t)
	s := openSQLite(t, file)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	db := openRaw(t, file)
	testRefusesBesideAWriter(t, s, func() (end func()) {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
		require.NoError(t, err)
		return func() {
			_, err := conn.ExecContext(t.Context(), "ROLLBACK")
			require.NoError(t, err)
			require.NoError(t, conn.Close())
		}
	})
	require.NoError(t, db.Close())
}

// testRefusesBesideAWriter cancels while write has everything locked that a change needs.
func testRefusesBesideAWriter(t *testing.T, s store.Store, write func() (end func())) {
	t.Helper()
	const n = 5000
	ids, packages := make([]string, n), make([]store.Package, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
		packages[i] = store.Package{ID: ids[i], ProjectID: "project", State: store.Cancelled}
	}
	packages[0].State, packages[1].State = store.Pending, store.Released
	_, err := s.Add(t.Context(), store.Packages(packages...))
	require.NoError(t, err)
	end := sync.OnceFunc(write())
	defer end()
	for _, ids := range [][]string{{"0", "unknown"}, append(slices.Clone(ids), "unknown")} {
		var unknown *store.UnknownPackageError
		require.ErrorAs(t, s.Cancel(t.Context(), "project", "", ids), &unknown)
		assert.Equal(t, "unknown", unknown.ID)
	}
	for _, ids := range [][]string{ids[:2], ids} {
		var released *store.ReleasedPackageError
		require.ErrorAs(t, s.Cancel(t.Context(), "project", "", ids), &released)
		assert.Equal(t, "1", released.ID)
	}
	require.NoError(t, s.Cancel(t.Context(), "project", "", ids[2:]), "they are cancelled already")
	end()
	require.NoError(t, s.Cancel(t.Context(), "project", "", ids[:1]))
}

// A package that stays as it is, whatever the reason, is not confirmed.
func TestSQLiteKeepsAPackage(t *testing.T) {
	file := newFile(t)
	s := openSQLite(t, file)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	_, err := s.Add(t.Context(), store.Packages(
		store.Package{ID: "1", ProjectID: "project"}, store.Package{ID: "2", ProjectID: "project"}))
	require.NoError(t, err)
	execute(t, file, "CREATE TRIGGER keep BEFORE UPDATE ON package WHEN OLD.id = '2' BEGIN SELECT RAISE(IGNORE); END")
	require.ErrorContains(t, s.Cancel(t.Context(), "project", "", []string{"1", "2"}), "1 of them are pending still")
	assert.Equal(t, []string{"1 pending", "2 pending"}, all(t, s))
}

func execute(t *testing.T, file, statement string) {
	t.Helper()
	db := openRaw(t, file)
	_, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func query(t *testing.T, file, query string) (value string) {
	t.Helper()
	db := openRaw(t, file)
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&value))
	require.NoError(t, db.Close())
	return value
}

func openRaw(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file))
	require.NoError(t, err)
	return db
}

// Each iteration cancels five pending packages, and waits for the disk.
func BenchmarkCancel(b *testing.B) {
	const size = 5
	stores := map[string]func() (store.Store, error){
		"memory": func() (store.Store, error) { return store.NewMemory(), nil },
		"sqlite": func() (store.Store, error) {
			return store.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "factory.db"))
		},
	}
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			s, err := open()
			require.NoError(b, err)
			defer func() { require.NoError(b, s.Close()) }()
			n := 0
			for b.Loop() {
				b.StopTimer()
				packages, ids := make([]store.Package, size), make([]string, size)
				for i := range ids {
					ids[i] = strconv.Itoa(n)
					packages[i] = store.Package{ID: ids[i], ProjectID: "project"}
					n++
				}
				_, err := s.Add(b.Context(), store.Packages(packages...))
				require.NoError(b, err)
				b.StartTimer()
				require.NoError(b, s.Cancel(b.Context(), "project", "", ids))
			}
		})
	}
}
