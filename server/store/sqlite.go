package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// sqliteApplicationID marks a file as a database of ours, so that another
	// program's is never written to.
	sqliteApplicationID = 0x46435459 // "FCTY"
	// sqliteSchemaVersion is the version of sqliteSchema.
	sqliteSchemaVersion = 1
	// sqliteBusyTimeout is how many milliseconds one process waits for another that writes.
	sqliteBusyTimeout = 10_000
)

const sqliteSchema = `
CREATE TABLE project (
	id                TEXT NOT NULL PRIMARY KEY,
	default_workspace TEXT,
	FOREIGN KEY (id, default_workspace) REFERENCES workspace (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE workspace (
	project_id TEXT NOT NULL REFERENCES project (id),
	id         TEXT NOT NULL,
	PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE package (
	project_id TEXT NOT NULL,
	workspace  TEXT NOT NULL,
	id         TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('pending', 'released', 'cancelled')),
	PRIMARY KEY (project_id, workspace, id),
	FOREIGN KEY (project_id, workspace) REFERENCES workspace (project_id, id)
) STRICT, WITHOUT ROWID;
`

// sqliteDialect needs no locks: SQLite takes one writer at a time. Writers of
// this process queue for its one connection, those of other processes are
// waited for with SQLite's busy timeout.
var sqliteDialect = dialect{
	list:   func(names []string) any { return jsonArray(names) },
	values: "json_each($3)",
	found:  func(int) string { return "package WHERE " + sqliteAmong },
	cancelPending: func(int) string {
		return "UPDATE package SET state = 'cancelled' WHERE state = 'pending' AND " + sqliteAmong
	},
	chunk: maxBatch, // an unknown ID ends the search early
}

// sqliteAmong is true of the packages of the list $3.
const sqliteAmong = "project_id = $1 AND workspace = $2 AND id IN (SELECT value FROM json_each($3))"

func openSQLite(ctx context.Context, path string, o options) (_ Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open sqlite:%s: %w", path, explainSQLite(err))
		}
	}()
	if o.mustExist {
		if _, err := os.Stat(path); err != nil {
			return nil, errors.New("there is no such file")
		}
	}
	name := sqliteName(path, url.Values{"_txlock": {"immediate"}})
	s := &sqlStore{dialect: sqliteDialect, probing: make(chan struct{}, 1)}
	// One connection, whose transactions start as BEGIN IMMEDIATE.
	if s.write, err = sql.Open("sqlite", name); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if err := prepareSQLite(ctx, s.write); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if s.file, err = newDatabaseFile(path); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if s.read, err = sql.Open("sqlite", sqliteName(path, url.Values{"_query_only": {"1"}})); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(max(4, runtime.NumCPU()))
	return s, nil
}

// sqliteName returns the driver's name for the file with the settings of every
// connection and the given ones. synchronous=FULL has each commit reach the
// disk before it is confirmed, which WAL alone does not.
func sqliteName(path string, settings url.Values) string {
	settings.Set("_busy_timeout", strconv.Itoa(sqliteBusyTimeout))
	settings.Set("_foreign_keys", "1")
	settings.Set("_synchronous", "FULL")
	settings.Set("_defensive", "1")
	settings.Set("_error_rc", "1")
	// The characters that end a path in SQLite's URIs.
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return "file:" + escaped + "?" + settings.Encode()
}

// prepareSQLite creates the tables in an empty file and refuses one that is
// not ours before anything in it is changed.
func prepareSQLite(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer rollback(tx)
	var application, version, objects int
	const query = `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`
	if err := tx.QueryRowContext(ctx, query).Scan(&application, &version, &objects); err != nil {
		return err
	}
	switch {
	case application == 0 && version == 0 && objects == 0:
		create := fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d",
			sqliteSchema, sqliteApplicationID, sqliteSchemaVersion)
		if _, err := tx.ExecContext(ctx, create); err != nil {
			return err
		}
	case application != sqliteApplicationID:
		return errors.New("the file is a database of another program")
	case version != sqliteSchemaVersion:
		return fmt.Errorf("the database has schema version %d, this program needs %d", version, sqliteSchemaVersion)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

// How often Ping writes to the database at most, since anybody may ask for it and each
// write waits for the disk; and how many milliseconds it waits for others that write,
// which says as much.
const (
	probeInterval = time.Second
	probePatience = 500
)

// probe writes to the database what is there already, and waits for the disk: a disk
// that fails, a quota or a file that is read-only is seen by nothing else.
func (s *sqlStore) probe(ctx context.Context) error {
	select {
	case s.probing <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("write to the database: another write does not end: %w", ctx.Err())
	}
	defer func() { <-s.probing }()
	if time.Since(s.probed) < probeInterval {
		return nil
	}
	patience, stop := context.WithTimeout(ctx, probePatience*time.Millisecond)
	defer stop()
	conn, err := s.write.Conn(patience)
	if err != nil && patience.Err() != nil && ctx.Err() == nil {
		return nil // this process is writing
	}
	if err == nil {
		err = errors.Join(probeOn(ctx, conn), conn.Close())
	}
	if err != nil {
		return fmt.Errorf("write to the database: %w", err)
	}
	s.probed = time.Now()
	return nil
}

// probeOn writes on the one connection that writes.
func probeOn(ctx context.Context, conn *sql.Conn) (err error) {
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", probePatience)); err != nil {
		return err
	}
	defer func() {
		_, restored := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", sqliteBusyTimeout))
		err = errors.Join(err, restored)
	}()
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", sqliteSchemaVersion))
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return nil // another process is writing
	}
	return err
}

// explainSQLite puts the common failures of opening a file into words.
func explainSQLite(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff { // the primary result code
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("the file cannot be opened: does its directory exist, and may it be written? (%w)", err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("the file may not be written (%w)", err)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the file is not a SQLite database or is damaged (%w)", err)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("another process keeps the database locked (%w)", err)
	}
	return err
}

// jsonArray returns names as one argument for json_each. They have passed
// CheckName, so that JSON keeps each byte.
func jsonArray(names []string) string {
	data, err := json.Marshal(names)
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return string(data)
}
