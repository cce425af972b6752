package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// postgresVersions is the table in which the version of the schema stands. Its
// name tells our databases from those of other programs.
const postgresVersions = "factory_schema_version"

// postgresLock is the advisory lock under which rows are created: "FCTY".
const postgresLock = 0x46435459

// postgresDialect locks rows, in transactions that see what others have
// committed by the time of each statement. Those that create rows take one
// lock first, since two of them could wait for each other's keys; those that
// cancel take none of it.
var postgresDialect = dialect{
	list:   func(names []string) any { return names },
	values: "unnest($3::text[]) AS list (value)",
	found:  postgresFound,
	// A scan by tuple identifiers visits the rows as they lie in the table, which is an
	// order that all such statements have in common. The state is asked for again since
	// it may have changed while the row was locked by another one.
	cancelPending: func(n int) string {
		return "UPDATE package SET state = 'cancelled' WHERE state = 'pending' AND ctid = ANY (ARRAY (SELECT package.ctid FROM " +
			postgresFound(n) + "))"
	},
	chunk:    math.MaxInt,
	share:    " FOR SHARE",
	writing:  fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", postgresLock),
	change:   &sql.TxOptions{Isolation: sql.LevelReadCommitted},
	snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
}

// postgresFound returns dialect.found for n IDs. The planner knows nothing of a table
// that has just been filled: it may then prefer to scan the whole workspace. For a few
// IDs the form of the statement leaves it no choice but the primary key. For many,
// a scan is not worse by much, and often better.
func postgresFound(n int) string {
	const in = "package WHERE project_id = $1 AND workspace = $2 AND id = "
	if n > maxBatch {
		return in + "ANY ($3::text[])"
	}
	return "unnest($3::text[]) AS list (value) CROSS JOIN LATERAL (SELECT id, state, ctid FROM " + in + "value LIMIT 1) AS package"
}

// openPostgres opens the database of a URL, which no error quotes: it may hold
// a password.
func openPostgres(ctx context.Context, url string, o options) (_ Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open the PostgreSQL database: %w", explainPostgres(err))
		}
	}()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("its URL is not valid, want postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…")
	}
	const connectTimeout = 10 * time.Second
	if t := config.ConnConfig.ConnectTimeout; t == 0 || t > connectTimeout {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	// A server that vanishes from the network in the middle of a transaction
	// holds its locks no longer than this.
	const idle = "idle_in_transaction_session_timeout"
	if config.ConnConfig.RuntimeParams[idle] == "" {
		config.ConnConfig.RuntimeParams[idle] = "60s"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDBFromPool(pool)
	s := &sqlStore{dialect: postgresDialect, write: db, read: db, closePool: pool.Close}
	if err := preparePostgres(ctx, db, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// preparePostgres brings the tables up to date. Of several servers that start
// at once, one does it and the others wait.
func preparePostgres(ctx context.Context, db *sql.DB, o options) error {
	var encoding, durable string
	var exists bool
	const query = `SELECT current_setting('server_encoding'), current_setting('synchronous_commit'), to_regclass($1) IS NOT NULL`
	if err := db.QueryRowContext(ctx, query, postgresVersions).Scan(&encoding, &durable, &exists); err != nil {
		return err
	}
	switch {
	case encoding != "UTF8":
		return fmt.Errorf("its encoding is %s, which cannot hold every name; want UTF8", encoding)
	case durable == "off":
		return errors.New("synchronous_commit is off: what is confirmed could be lost")
	case o.mustExist && !exists:
		return errors.New("it has no packages: the tables are not there")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// A try each second, for a minute.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithTableName(postgresVersions),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("create its tables: %w", err)
	}
	has, wants, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if has != wants {
		return fmt.Errorf("the database has schema version %d, this program needs %d", has, wants)
	}
	return nil
}

// explainPostgres puts the common failures of opening a database into words.
func explainPostgres(err error) error {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		err = &connectionError{err}
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch e.Code {
	case "3D000": // invalid_catalog_name
		return fmt.Errorf("there is no such database: create it first (%w)", err)
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return fmt.Errorf("the user is not let in (%w)", err)
	case "42P07": // duplicate_table
		return fmt.Errorf("it has tables of another program (%w)", err)
	case "42501": // insufficient_privilege
		return fmt.Errorf("the user may not create tables in it (%w)", err)
	case "25006": // read_only_sql_transaction
		return fmt.Errorf("the server takes no changes: is it a standby? (%w)", err)
	}
	return err
}

// connectionError is an error of connecting, which pgconn writes with a line for each
// attempt: it tries each address twice, with TLS and without.
type connectionError struct{ error }

func (e *connectionError) Error() string {
	first, attempts, ok := strings.Cut(e.error.Error(), "\n")
	if !ok {
		return first
	}
	var lines []string
	for line := range strings.SplitSeq(attempts, "\n") {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return first + " " + strings.Join(lines, "; ")
}

func (e *connectionError) Unwrap() error { return e.error }
