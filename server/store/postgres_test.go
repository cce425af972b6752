package store_test

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/pgtest"
	"github.com/dataarts-go/factory/server/store"
	"github.com/dataarts-go/factory/server/store/storetest"
)

func TestPostgres(t *testing.T) {
	db := pgtest.Start(t)
	t.Run("contract", func(t *testing.T) {
		// In the order of a language, capitals stand beside small letters.
		const sorted = `TEMPLATE template0 ENCODING UTF8 LOCALE_PROVIDER icu ICU_LOCALE 'en'`
		storetest.Run(t, func(t *testing.T) store.Store { return open(t, db.NewDatabase(t, sorted)) })
	})
	t.Run("durable", func(t *testing.T) {
		storetest.RunDurable(t, func(t *testing.T) func(*testing.T) store.Store {
			url := db.NewDatabase(t)
			return func(t *testing.T) store.Store { return open(t, url) }
		})
	})
	t.Run("start at once", func(t *testing.T) { testStartAtOnce(t, db) })
	t.Run("each is cancelled once", func(t *testing.T) { testCancelledOnce(t, db) })
	t.Run("a default that changes", func(t *testing.T) { testDefaultChanges(t, db) })
	t.Run("refused", func(t *testing.T) { testPostgresRefused(t, db) })
	t.Run("refuses beside a writer", func(t *testing.T) {
		url := db.NewDatabase(t)
		s := open(t, url+"&lock_timeout=5s")
		defer func() { assert.NoError(t, s.Close()) }()
		raw, err := sql.Open("pgx", url)
		require.NoError(t, err)
		defer func() { assert.NoError(t, raw.Close()) }()
		testRefusesBesideAWriter(t, s, func() func() {
			tx, err := raw.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), "SELECT FROM package FOR UPDATE")
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), "SELECT FROM project FOR UPDATE")
			require.NoError(t, err)
			return func() { require.NoError(t, tx.Rollback()) }
		})
	})
	t.Run("restart", func(t *testing.T) { testRestart(t, db) })
}

func open(t *testing.T, url string, opts ...store.Option) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, opts...)
	require.NoError(t, err)
	return s
}

// Of servers that start on an empty database at once, one creates the tables.
func testStartAtOnce(t *testing.T, db *pgtest.Server) {
	url := db.NewDatabase(t)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), url)
			if !assert.NoError(t, err) {
				return
			}
			_, err = s.Add(t.Context(), store.Packages(store.Package{ID: strconv.Itoa(i), ProjectID: "project"}))
			assert.NoError(t, err)
			assert.NoError(t, s.Close())
		})
	}
	wg.Wait()
	s := open(t, url, store.MustExist())
	defer func() { assert.NoError(t, s.Close()) }()
	assert.Len(t, all(t, s), 5)
}

func all(t *testing.T, s store.Store) []string {
	t.Helper()
	var got []string
	for p, err := range s.List(t.Context(), "project", "") {
		require.NoError(t, err)
		got = append(got, p.ID+" "+string(p.State))
	}
	return got
}

// The database itself counts how often a package becomes cancelled, while
// servers cancel groups that overlap, each in an order of its own.
func testCancelledOnce(t *testing.T, db *pgtest.Server) {
	const servers, packages, rounds = 4, 20, 30
	url := db.NewDatabase(t)
	stores := make([]store.Store, servers)
	for i := range stores {
		stores[i] = open(t, url)
	}
	var added []store.Package
	for i := range packages * rounds {
		added = append(added, store.Package{ID: strconv.Itoa(i), ProjectID: "project"})
	}
	_, err := stores[0].Add(t.Context(), store.Packages(added...))
	require.NoError(t, err)
	db.Exec(t, url, `CREATE TABLE seen (id text);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END $$;
		CREATE TRIGGER note AFTER UPDATE ON package FOR EACH ROW EXECUTE FUNCTION note()`)
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for round := range rounds {
				ids := make([]string, packages)
				for j := range ids {
					k := (j*(2*i+3) + i) % packages // 3, 5, 7 and 9: 5 leaves some out
					ids[j] = strconv.Itoa(round*packages + k)
				}
				assert.NoError(t, s.Cancel(t.Context(), "project", "", ids))
			}
		})
	}
	wg.Wait()
	for _, p := range all(t, stores[0]) {
		assert.True(t, strings.HasSuffix(p, " cancelled"), p)
	}
	db.Exec(t, url, `DO $$ BEGIN
		IF (SELECT count(*) FROM seen) <> 600 OR (SELECT count(DISTINCT id) FROM seen) <> 600 THEN
			RAISE EXCEPTION 'cancelled % times', (SELECT count(*) FROM seen);
		END IF; END $$`)
	for _, s := range stores {
		require.NoError(t, s.Close())
	}
}

// What is cancelled in the default workspace is cancelled in the one that is
// the default at that moment, and the default can be changed under load.
func testDefaultChanges(t *testing.T, db *pgtest.Server) {
	url := db.NewDatabase(t)
	s, other := open(t, url), open(t, url)
	var added []store.Package
	for _, w := range []string{"a", "b"} {
		added = append(added, store.Package{ID: "1", ProjectID: "project", Workspace: w})
	}
	_, err := s.Add(t.Context(), store.Packages(added...))
	require.NoError(t, err)
	require.NoError(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: "project", ID: "a", Default: true}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				assert.NoError(t, s.Cancel(t.Context(), "project", "", []string{"1"}))
			}
		})
	}
	for range 20 {
		require.NoError(t, other.PutWorkspace(t.Context(), store.Workspace{ProjectID: "project", ID: "b", Default: true}))
		require.NoError(t, other.PutWorkspace(t.Context(), store.Workspace{ProjectID: "project", ID: "a", Default: true}))
	}
	wg.Wait()
	require.NoError(t, s.Close())
	require.NoError(t, other.Close())
}

func testPostgresRefused(t *testing.T, db *pgtest.Server) {
	empty, foreign, latin, newer := db.NewDatabase(t), db.NewDatabase(t),
		db.NewDatabase(t, "TEMPLATE template0 ENCODING LATIN1"), db.NewDatabase(t)
	lossy, locked := db.NewDatabase(t), db.NewDatabase(t)
	db.Exec(t, foreign, "CREATE TABLE package (x int)")
	require.NoError(t, open(t, newer).Close())
	db.Exec(t, newer, "INSERT INTO factory_schema_version (version_id, is_applied) VALUES (99, true)")
	db.Exec(t, lossy, "ALTER ROLE postgres IN DATABASE "+name(lossy)+" SET synchronous_commit = off")
	db.Exec(t, locked, "CREATE ROLE guest LOGIN")
	tests := []struct {
		name, url, want string
		opts            []store.Option
	}{
		{name: "no such database", url: strings.Replace(empty, "/"+name(empty), "/nowhere", 1), want: "there is no such database"},
		{name: "nobody listens", url: "postgres://u:secret@/db?host=" + t.TempDir(), want: "no such file"},
		{name: "not a URL", url: "postgres://u:secret@host:port/db", want: "its URL is not valid"},
		{name: "not a setting", url: empty + "&pool_max_conns=secret", want: "its URL is not valid"},
		{name: "not there", url: empty, opts: []store.Option{store.MustExist()}, want: "the tables are not there"},
		{name: "tables of another program", url: foreign, want: "it has tables of another program"},
		{name: "another encoding", url: latin, want: "its encoding is LATIN1"},
		{name: "a newer version", url: newer, want: "schema version 99, this program needs 1"},
		{name: "commits that may be lost", url: lossy, want: "synchronous_commit is off"},
		{name: "no rights", url: strings.Replace(locked, "postgres@", "guest@", 1), want: "may not create tables"},
		{name: "a standby", url: locked + "&default_transaction_read_only=on", want: "takes no changes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := store.Open(t.Context(), tt.url, tt.opts...)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "open the PostgreSQL database: ")
			assert.Nil(t, s)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

// name returns the name of the database of a URL.
func name(url string) string {
	_, rest, _ := strings.Cut(url, "@/")
	before, _, _ := strings.Cut(rest, "?")
	return before
}

// While the database is away each method fails; when it is back the same store
// goes on, and what was confirmed is there.
func testRestart(t *testing.T, db *pgtest.Server) {
	url := db.NewDatabase(t)
	s := open(t, url)
	defer func() { assert.NoError(t, s.Close()) }()
	_, err := s.Add(t.Context(), store.Packages(
		store.Package{ID: "1", ProjectID: "project"}, store.Package{ID: "2", ProjectID: "project"}))
	require.NoError(t, err)
	for _, end := range []func(testing.TB){db.Stop, db.Kill} {
		require.NoError(t, s.Cancel(t.Context(), "project", "", []string{"1"}))
		end(t)
		require.Error(t, s.Ping(t.Context()))
		require.Error(t, s.Cancel(t.Context(), "project", "", []string{"2"}))
		require.Error(t, s.Cancel(t.Context(), "project", "", nil))
		require.Error(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: "project", ID: "w"}))
		_, err := s.Add(t.Context(), store.Packages(store.Package{ID: "3", ProjectID: "project"}))
		require.Error(t, err)
		for _, err := range s.List(t.Context(), "project", "") {
			require.Error(t, err)
		}
		db.Start(t)
		require.NoError(t, back(t.Context(), s))
		assert.Equal(t, []string{"1 cancelled", "2 pending"}, all(t, s))
	}
}

// back waits until s answers again: each connection of its pool that was lost
// costs one try.
func back(ctx context.Context, s store.Store) (err error) {
	for range 20 {
		if err = s.Ping(ctx); err == nil {
			return nil
		}
	}
	return err
}
