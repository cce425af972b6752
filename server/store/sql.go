package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
)

// sqlStore is a Store in a database that speaks SQL. The statements are the
// same for each but for what its dialect says.
type sqlStore struct {
	dialect
	write, read *sql.DB // one pool, or two
	// closePool closes what is below the pools, if there is anything.
	closePool func()
	// file is what the database is in; nil where that is no file of its own.
	file *databaseFile
}

// dialect is what tells one database from another.
type dialect struct {
	// list is how many names are one argument, since a statement takes no more
	// than 32,766 with SQLite, and 65,535 with PostgreSQL.
	list func(names []string) any
	// values is a table with the column "value" of the names in the list $3;
	// among is true of an id that is one of them.
	values, among string
	// share and update end a SELECT, to lock the rows that it finds until the
	// transaction ends: against changes, and against other updates too.
	share, update string
	// writing is a statement that a transaction starts with which creates
	// rows, to keep others from doing so. Its lock must not hold up Cancel.
	writing string
	// change and snapshot are how transactions start that change something,
	// and that read as of one moment.
	change, snapshot *sql.TxOptions
}

// rollback ends a transaction that was not committed. Its error adds nothing
// to the one that brought us there; after a commit it does nothing.
func rollback(tx *sql.Tx) { _ = tx.Rollback() }

// querier is what *sql.DB and *sql.Tx share.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// workspace returns the name of the workspace that is meant. lock is "" or the
// dialect's share, with which the default one stays it until q has ended;
// workspaces are never deleted.
func (s *sqlStore) workspace(ctx context.Context, q querier, project, workspace, lock string) (string, error) {
	const byDefault = `SELECT default_workspace FROM project WHERE id = $1 AND default_workspace IS NOT NULL`
	const byName = `SELECT id FROM workspace WHERE project_id = $1 AND id = $2`
	var err error
	if workspace == "" {
		if CheckName(project) != nil {
			return "", ErrNoDefaultWorkspace
		}
		err = q.QueryRowContext(ctx, byDefault+lock, project).Scan(&workspace)
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

func (s *sqlStore) Cancel(ctx context.Context, project, workspace string, ids []string) error {
	if err := s.file.inPlace(); err != nil {
		return err
	}
	err := s.cancel(ctx, project, workspace, ids)
	// Again: it may have gone before the commit.
	if gone := s.file.inPlace(); gone != nil {
		return gone
	}
	return err
}

func (s *sqlStore) cancel(ctx context.Context, project, workspace string, ids []string) error {
	if len(ids) == 0 {
		_, err := s.workspace(ctx, s.read, project, workspace, "")
		return err
	}
	tx, err := s.write.BeginTx(ctx, s.change)
	if err != nil {
		return fmt.Errorf("begin cancelling: %w", err)
	}
	defer rollback(tx)
	workspace, err = s.workspace(ctx, tx, project, workspace, s.share)
	if err != nil {
		return err
	}
	ids, err = distinct(ids)
	if err != nil {
		return err
	}
	states, err := s.lockedStates(ctx, tx, project, workspace, ids)
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
	//nolint:gosec // G202: the dialect's own words
	update := `UPDATE package SET state = 'cancelled' WHERE project_id = $1 AND workspace = $2 AND ` + s.among
	if _, err := tx.ExecContext(ctx, update, project, workspace, s.list(pending)); err != nil {
		return fmt.Errorf("cancel packages: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit cancelling: %w", err)
	}
	return nil
}

// lockedStates returns the states of those packages that exist, which nobody
// else changes before tx ends. They are locked in the order of their IDs, so
// that of several that overlap none waits for another in a circle.
func (s *sqlStore) lockedStates(ctx context.Context, tx *sql.Tx, project, workspace string, ids []string) (map[string]State, error) {
	//nolint:gosec // G202: the dialect's own words
	query := `SELECT id, state FROM package
		WHERE project_id = $1 AND workspace = $2 AND ` + s.among + ` ORDER BY id` + s.update
	rows, err := tx.QueryContext(ctx, query, project, workspace, s.list(ids))
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

func (s *sqlStore) PutWorkspace(ctx context.Context, w Workspace) error {
	if err := w.check(); err != nil {
		return err
	}
	tx, err := s.beginWriting(ctx)
	if err != nil {
		return fmt.Errorf("begin creating workspace: %w", err)
	}
	defer rollback(tx)
	if err := putWorkspace(ctx, tx, w); err != nil {
		return fmt.Errorf("create workspace: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit creating workspace: %w", err)
	}
	return s.file.inPlace()
}

// beginWriting starts a transaction that creates rows.
func (s *sqlStore) beginWriting(ctx context.Context) (*sql.Tx, error) {
	if err := s.file.inPlace(); err != nil {
		return nil, err
	}
	tx, err := s.write.BeginTx(ctx, s.change)
	if err != nil || s.writing == "" {
		return tx, err
	}
	if _, err := tx.ExecContext(ctx, s.writing); err != nil {
		rollback(tx)
		return nil, err
	}
	return tx, nil
}

func putWorkspace(ctx context.Context, tx *sql.Tx, w Workspace) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO project (id) VALUES ($1) ON CONFLICT DO NOTHING`, w.ProjectID); err != nil {
		return err
	}
	const insert = `INSERT INTO workspace (project_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	if _, err := tx.ExecContext(ctx, insert, w.ProjectID, w.ID); err != nil {
		return err
	}
	if w.Default {
		// One that is the default already is not written again, which would
		// wait for all those that cancel in it.
		const update = `UPDATE project SET default_workspace = $1 WHERE id = $2 AND default_workspace IS DISTINCT FROM $1`
		_, err := tx.ExecContext(ctx, update, w.ID, w.ProjectID)
		return err
	}
	return nil
}

// maxBatch is how many packages go into one statement.
const maxBatch = 1000

func (s *sqlStore) Add(ctx context.Context, packages iter.Seq2[Package, error]) (int, error) {
	tx, err := s.beginWriting(ctx)
	if err != nil {
		return 0, fmt.Errorf("begin adding: %w", err)
	}
	defer rollback(tx)
	//nolint:gosec // G202: the dialect's own words
	insert := `INSERT INTO package (project_id, workspace, id, state)
		SELECT $1, $2, value, $4 FROM ` + s.values + ` WHERE true ON CONFLICT DO NOTHING`
	added := 0
	var batch []string       // IDs of packages that have all else in common with
	var first, place Package // the first of them, which is as given and with its workspace's name
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		result, err := tx.ExecContext(ctx, insert, place.ProjectID, place.Workspace, s.list(batch), string(place.State))
		if err != nil {
			return fmt.Errorf("add packages: %w", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return fmt.Errorf("add packages: %w", err)
		}
		added, batch = added+int(n), batch[:0]
		return nil
	}
	for p, err := range packages {
		if err != nil {
			return 0, err
		}
		if p, err = checked(p); err != nil {
			return 0, err
		}
		here := p.ProjectID == first.ProjectID && p.Workspace == first.Workspace
		if !here || p.State != first.State || len(batch) == maxBatch {
			if err := flush(); err != nil {
				return 0, err
			}
			if !here {
				if place.Workspace, err = s.ensure(ctx, tx, p); err != nil {
					return 0, err
				}
			}
			first, place = p, Package{ProjectID: p.ProjectID, Workspace: place.Workspace, State: p.State}
		}
		batch = append(batch, p.ID)
	}
	if err := flush(); err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("commit adding: %w", err)
	}
	if err := s.file.inPlace(); err != nil {
		return 0, err
	}
	return added, nil
}

// ensure returns the name of p's workspace, which exists thereafter.
func (s *sqlStore) ensure(ctx context.Context, tx *sql.Tx, p Package) (string, error) {
	w := Workspace{ProjectID: p.ProjectID, ID: p.Workspace}
	if w.ID == "" {
		name, err := s.workspace(ctx, tx, p.ProjectID, "", "")
		if !errors.Is(err, ErrNoDefaultWorkspace) {
			return name, err
		}
		w.ID, w.Default = DefaultWorkspace, true
	}
	if err := putWorkspace(ctx, tx, w); err != nil {
		return "", fmt.Errorf("create workspace: %w", err)
	}
	return w.ID, nil
}

func (s *sqlStore) List(ctx context.Context, project, workspace string) iter.Seq2[Package, error] {
	return func(yield func(Package, error) bool) {
		if err := s.file.inPlace(); err != nil {
			yield(Package{}, err)
			return
		}
		tx, err := s.read.BeginTx(ctx, s.snapshot)
		if err != nil {
			yield(Package{}, fmt.Errorf("begin listing: %w", err))
			return
		}
		defer rollback(tx)
		workspace, err := s.workspace(ctx, tx, project, workspace, "")
		if err != nil {
			yield(Package{}, err)
			return
		}
		const query = `SELECT id, state FROM package WHERE project_id = $1 AND workspace = $2 ORDER BY id`
		rows, err := tx.QueryContext(ctx, query, project, workspace)
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

func (s *sqlStore) Workspaces(ctx context.Context) iter.Seq2[Workspace, error] {
	return func(yield func(Workspace, error) bool) {
		if err := s.file.inPlace(); err != nil {
			yield(Workspace{}, err)
			return
		}
		const query = `SELECT project_id, workspace.id, default_workspace IS NOT DISTINCT FROM workspace.id
			FROM workspace JOIN project ON project.id = project_id ORDER BY project_id, workspace.id`
		rows, err := s.read.QueryContext(ctx, query)
		if err != nil {
			yield(Workspace{}, fmt.Errorf("list workspaces: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var w Workspace
			if err := rows.Scan(&w.ProjectID, &w.ID, &w.Default); err != nil {
				yield(Workspace{}, fmt.Errorf("list workspaces: %w", err))
				return
			}
			if !yield(w, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Workspace{}, fmt.Errorf("list workspaces: %w", err))
		}
	}
}

func (s *sqlStore) Ping(ctx context.Context) error {
	if err := s.file.inPlace(); err != nil {
		return err
	}
	_, err := s.workspace(ctx, s.read, "-", "-", "")
	if err != nil && !errors.Is(err, ErrUnknownWorkspace) {
		return err
	}
	return nil
}

func (s *sqlStore) Close() error {
	// The writer last: with the last connection SQLite folds the log into the file.
	err := s.read.Close()
	if s.write != s.read {
		err = errors.Join(err, s.write.Close())
	}
	if s.closePool != nil {
		s.closePool()
	}
	if err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}
