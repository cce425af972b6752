package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/pgtest"
	"github.com/dataarts-go/factory/server/store"
)

// large is the default limit on the packages of one request.
const large = 100_000

// largeDatabase is a database with large pending packages in one workspace of "project",
// seen without a Store.
type largeDatabase struct {
	store store.Store
	raw   *sql.DB
	ids   []string
	// plain is the plainest statement that cancels the packages of the list $1, and
	// argument makes that list.
	plain    string
	argument func(ids []string) any
	// tidy removes the former versions of changed rows, which slow down what comes after.
	tidy string
}

// largeDatabases calls run with such a database of each kind.
func largeDatabases(b *testing.B, run func(b *testing.B, d *largeDatabase)) {
	b.Helper()
	const update = `UPDATE package SET state = 'cancelled' WHERE project_id = 'project' AND workspace = 'default'
		AND state <> 'released' AND `
	b.Run("sqlite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "factory.db")
		run(b, newLargeDatabase(b, "sqlite:"+file, "sqlite",
			"file:"+file+"?_txlock=immediate&_busy_timeout=10000&_foreign_keys=1&_synchronous=FULL",
			update+`id IN (SELECT value FROM json_each($1))`,
			func(ids []string) any {
				data, err := json.Marshal(ids)
				require.NoError(b, err)
				return string(data)
			}))
	})
	b.Run("postgres", func(b *testing.B) {
		url := pgtest.Start(b).NewDatabase(b)
		d := newLargeDatabase(b, url, "pgx", url, update+`id = ANY ($1::text[])`, func(ids []string) any { return ids })
		d.tidy = `VACUUM package`
		run(b, d)
	})
}

func newLargeDatabase(b *testing.B, dsn, driver, raw, plain string, argument func([]string) any) *largeDatabase {
	b.Helper()
	d := &largeDatabase{plain: plain, argument: argument, ids: make([]string, large)}
	var err error
	d.store, err = store.Open(b.Context(), dsn)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, d.store.Close()) })
	packages := make([]store.Package, large)
	for i := range packages {
		d.ids[i] = fmt.Sprintf("package-%07d", i)
		packages[i] = store.Package{ID: d.ids[i], ProjectID: "project"}
	}
	_, err = d.store.Add(b.Context(), store.Packages(packages...))
	require.NoError(b, err)
	d.raw, err = sql.Open(driver, raw)
	require.NoError(b, err)
	d.raw.SetMaxOpenConns(1)
	b.Cleanup(func() { require.NoError(b, d.raw.Close()) })
	return d
}

// reset makes all packages pending again.
func (d *largeDatabase) reset(b *testing.B) {
	b.Helper()
	_, err := d.raw.ExecContext(b.Context(), `UPDATE package SET state = 'pending'`)
	require.NoError(b, err)
	if d.tidy != "" {
		_, err := d.raw.ExecContext(b.Context(), d.tidy)
		require.NoError(b, err)
	}
}

// cancelPlainly cancels all packages with the plainest SQL that does so all or none.
func (d *largeDatabase) cancelPlainly(ctx context.Context) error {
	tx, err := d.raw.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	result, err := tx.ExecContext(ctx, d.plain, d.argument(d.ids))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != large {
		return fmt.Errorf("%d packages were cancelled, want %d: %w", n, large, err)
	}
	return tx.Commit()
}

// BenchmarkLarge cancels 100,000 packages at once: by Store.Cancel, and by one
// statement in a transaction, in turn. It says how many times as long ours takes, by
// the quickest of each, which other work on the machine delays least.
func BenchmarkLarge(b *testing.B) {
	largeDatabases(b, func(b *testing.B, d *largeDatabase) {
		b.Helper()
		least := map[string]time.Duration{}
		measure := func(name string, cancel func(context.Context) error) {
			d.reset(b)
			start := time.Now()
			require.NoError(b, cancel(b.Context()))
			if took := time.Since(start); least[name] == 0 || took < least[name] {
				least[name] = took
			}
		}
		for b.Loop() {
			measure("plain", d.cancelPlainly)
			measure("ours", func(ctx context.Context) error { return d.store.Cancel(ctx, "project", "", d.ids) })
		}
		b.ReportMetric(0, "ns/op") // of both and of what lies between them
		for name, took := range least {
			b.ReportMetric(float64(took.Milliseconds()), name+"-ms")
		}
		b.ReportMetric(float64(least["ours"])/float64(least["plain"]), "ratio")
	})
}
