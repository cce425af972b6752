package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"runtime"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// sqliteApplicationID marks a file as a database of ours, so that another
	// program's is never written to.
	sqliteApplicationID = 0x46435459 // "FCTY"
	// sqliteSchemaVersion is the version of sqliteSchema.
	sqliteSchemaVersion = 1
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

// sqliteStore is a Store in one file. SQLite takes one writer at a time:
// writers of this process queue for its one connection, those of other
// processes are waited for with SQLite's busy timeout.
type sqliteStore struct {
	write *sql.DB // one connection, whose transactions start as BEGIN IMMEDIATE
	read  *sql.DB
}

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
	s := &sqliteStore{}
	if s.write, err = sql.Open("sqlite", name); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if err := prepareSQLite(ctx, s.write); err != nil {
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
	settings.Set("_busy_timeout", "10000") // milliseconds
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

// rollback ends a transaction that was not committed. Its error adds nothing
// to the one that brought us there; after a commit it does nothing.
func rollback(tx *sql.Tx) { _ = tx.Rollback() }

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

// querier is what *sql.DB and *sql.Tx share.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// workspace returns the name of the workspace that is meant.
func (s *sqliteStore) workspace(ctx context.Context, q querier, project, workspace string) (string, error) {
	const byDefault = `SELECT default_workspace FROM project WHERE id = ? AND default_workspace IS NOT NULL`
	const byName = `SELECT id FROM workspace WHERE project_id = ? AND id = ?`
	var err error
	if workspace == "" {
		if CheckName(project) != nil {
			return "", ErrNoDefaultWorkspace
		}
		err = q.QueryRowContext(ctx, byDefault, project).Scan(&workspace)
		if errors.Is(err, sql.ErrNoRows) {
			return "", ErrNoDefaultWorkspace
		}
	} else {
		if CheckName(project) != nil || CheckName(workspace) != nil {
			return "", ErrUnknownWorkspace
		}
		err = q.QueryRowContext(ctx, byName, project, workspace).Scan(&workspace)
		if errors.Is(err, sql.ErrNoRows) {
			return "", ErrUnknownWorkspace
		}
	}
	if err != nil {
		return "", fmt.Errorf("look up workspace: %w", err)
	}
	return workspace, nil
}

func (s *sqliteStore) Cancel(ctx context.Context, project, workspace string, ids []string) error {
	if len(ids) == 0 {
		_, err := s.workspace(ctx, s.read, project, workspace)
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin cancelling: %w", err)
	}
	defer rollback(tx)
	workspace, err = s.workspace(ctx, tx, project, workspace)
	if err != nil {
		return err
	}
	ids, err = distinct(ids)
	if err != nil {
		return err
	}
	states, err := sqliteStates(ctx, tx, project, workspace, ids)
	if err != nil {
		return fmt.Errorf("look up packages: %w", err)
	}
	var released error
	pending := ids[:0]
	for _, id := range ids {
		switch state, ok := states[id]; {
		case !ok:
			return &UnknownPackageError{ID: id}
		case state == Released && released == nil:
			released = &ReleasedPackageError{ID: id}
		case state == Pending:
			pending = append(pending, id)
		}
	}
	if released != nil {
		return released
	}
	if len(pending) == 0 {
		return nil
	}
	const update = `UPDATE package SET state = 'cancelled'
		WHERE project_id = ? AND workspace = ? AND id IN (SELECT value FROM json_each(?))`
	if _, err := tx.ExecContext(ctx, update, project, workspace, jsonArray(pending)); err != nil {
		return fmt.Errorf("cancel packages: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit cancelling: %w", err)
	}
	return nil
}

// sqliteStates returns the states of those packages that exist.
func sqliteStates(ctx context.Context, tx *sql.Tx, project, workspace string, ids []string) (map[string]State, error) {
	const query = `SELECT id, state FROM package
		WHERE project_id = ? AND workspace = ? AND id IN (SELECT value FROM json_each(?))`
	rows, err := tx.QueryContext(ctx, query, project, workspace, jsonArray(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	states := make(map[string]State, len(ids))
	for rows.Next() {
		var id string
		var state State
		if err := rows.Scan(&id, &state); err != nil {
			return nil, err
		}
		states[id] = state
	}
	return states, rows.Err()
}

// jsonArray returns names as one argument for json_each, since a statement
// takes no more than 32,766. They have passed CheckName, so that JSON keeps
// each byte.
func jsonArray(names []string) string {
	data, err := json.Marshal(names)
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return string(data)
}

func (s *sqliteStore) PutWorkspace(ctx context.Context, w Workspace) error {
	if err := w.check(); err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin creating workspace: %w", err)
	}
	defer rollback(tx)
	if err := putSQLite(ctx, tx, w); err != nil {
		return fmt.Errorf("create workspace: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit creating workspace: %w", err)
	}
	return nil
}

func putSQLite(ctx context.Context, tx *sql.Tx, w Workspace) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO project (id) VALUES (?) ON CONFLICT DO NOTHING`, w.ProjectID); err != nil {
		return err
	}
	const insert = `INSERT INTO workspace (project_id, id) VALUES (?, ?) ON CONFLICT DO NOTHING`
	if _, err := tx.ExecContext(ctx, insert, w.ProjectID, w.ID); err != nil {
		return err
	}
	if w.Default {
		_, err := tx.ExecContext(ctx, `UPDATE project SET default_workspace = ? WHERE id = ?`, w.ID, w.ProjectID)
		return err
	}
	return nil
}

func (s *sqliteStore) Add(ctx context.Context, packages iter.Seq2[Package, error]) (int, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("begin adding: %w", err)
	}
	defer rollback(tx)
	const insert = `INSERT INTO package (project_id, workspace, id, state) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	stmt, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return 0, fmt.Errorf("prepare adding: %w", err)
	}
	defer stmt.Close()

	added := int64(0)
	var asked Package    // whose workspace was looked up last
	var workspace string // the answer
	for p, err := range packages {
		if err != nil {
			return 0, err
		}
		if p, err = checked(p); err != nil {
			return 0, err
		}
		if workspace == "" || p.ProjectID != asked.ProjectID || p.Workspace != asked.Workspace {
			if workspace, err = s.ensure(ctx, tx, p); err != nil {
				return 0, err
			}
			asked = p
		}
		result, err := stmt.ExecContext(ctx, p.ProjectID, workspace, p.ID, p.State)
		if err != nil {
			return 0, fmt.Errorf("add package %q: %w", p.ID, err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, fmt.Errorf("add package %q: %w", p.ID, err)
		}
		added += n
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("commit adding: %w", err)
	}
	return int(added), nil
}

// ensure returns the name of p's workspace, which exists thereafter.
func (s *sqliteStore) ensure(ctx context.Context, tx *sql.Tx, p Package) (string, error) {
	w := Workspace{ProjectID: p.ProjectID, ID: p.Workspace}
	if w.ID == "" {
		name, err := s.workspace(ctx, tx, p.ProjectID, "")
		if !errors.Is(err, ErrNoDefaultWorkspace) {
			return name, err
		}
		w.ID, w.Default = DefaultWorkspace, true
	}
	if err := putSQLite(ctx, tx, w); err != nil {
		return "", fmt.Errorf("create workspace: %w", err)
	}
	return w.ID, nil
}

func (s *sqliteStore) List(ctx context.Context, project, workspace string) iter.Seq2[Package, error] {
	return func(yield func(Package, error) bool) {
		workspace, err := s.workspace(ctx, s.read, project, workspace)
		if err != nil {
			yield(Package{}, err)
			return
		}
		const query = `SELECT id, state FROM package WHERE project_id = ? AND workspace = ? ORDER BY id`
		rows, err := s.read.QueryContext(ctx, query, project, workspace)
		if err != nil {
			yield(Package{}, fmt.Errorf("list packages: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			p := Package{ProjectID: project, Workspace: workspace}
			if err := rows.Scan(&p.ID, &p.State); err != nil {
				yield(Package{}, fmt.Errorf("list packages: %w", err))
				return
			}
			if !yield(p, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Package{}, fmt.Errorf("list packages: %w", err))
		}
	}
}

func (s *sqliteStore) Close() error {
	// The writer last: with the last connection SQLite folds the log into the file.
	if err := errors.Join(s.read.Close(), s.write.Close()); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}
