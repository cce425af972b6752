package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
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
	// probing has a place for the one caller that writes to see whether that is possible;
	// probed, which is the caller's with the place, is when it last was.
	probing chan struct{}
	probed  time.Time
}

// dialect is what tells one database from another.
type dialect struct {
	// list is how many names are one argument, since a statement takes no more
	// than 32,766 with SQLite, and 65,535 with PostgreSQL.
	list func(names []string) any
	// values is a table with the column "value" of the names in the list $3.
	values string
	// found is what follows FROM to read the packages of the list $3, which has n IDs,
	// in the project $1 and the workspace $2.
	found func(n int) string
	// cancelPending is a statement that cancels those of them that are pending. Of
	// several at once, that overlap, none waits for another in a circle.
	cancelPending func(n int) string
	// chunk is how many IDs are looked up by one statement.
	chunk int
	// share ends a SELECT, to keep the rows that it finds from being changed until the
	// transaction ends.
	share string
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
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
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
	place, err := s.workspace(ctx, s.read, project, workspace, "")
	if err != nil || len(ids) == 0 {
		return err
	}
	if ids, err = distinct(ids); err != nil {
		return err
	}
	for {
		err := s.cancelIn(ctx, project, place, workspace == "", ids)
		if !errors.Is(err, errDefaultChanged) {
			return err
		}
		if place, err = s.workspace(ctx, s.read, project, "", ""); err != nil {
			return err
		}
	}
}

// errDefaultChanged reports that a workspace is no longer the default one.
var errDefaultChanged = errors.New("the default workspace has changed")

// cancelIn cancels packages in the workspace place, which byDefault says was the
// default one. It fails with errDefaultChanged if that is over.
//
// The packages are looked up before the transaction begins, so that a long list
// with an unknown ID in it holds up nobody: SQLite has one writer at a time. What
// was found holds in the transaction, too, for packages are never deleted, and a
// state other than pending never changes.
func (s *sqlStore) cancelIn(ctx context.Context, project, place string, byDefault bool, ids []string) error {
	pending, refused := s.lookUp(ctx, s.read, project, place, ids)
	if _, released := errors.AsType[*ReleasedPackageError](refused); refused != nil && !released {
		return refused // one that is unknown now was unknown when place was the default, too
	}
	if refused != nil || pending == 0 {
		if err := s.stillDefault(ctx, s.read, project, place, byDefault, ""); err != nil {
			return err
		}
		return refused
	}
	tx, err := s.write.BeginTx(ctx, s.change)
	if err != nil {
		return fmt.Errorf("begin cancelling: %w", err)
	}
	defer rollback(tx)
	if err := s.stillDefault(ctx, tx, project, place, byDefault, s.share); err != nil {
		return err
	}
	cancelled, err := affected(tx.ExecContext(ctx, s.cancelPending(len(ids)), project, place, s.list(ids)))
	if err != nil {
		return fmt.Errorf("cancel packages: %w", err)
	}
	if cancelled != pending {
		// Others have cancelled some of them since. To be sure that it is this and
		// nothing else, all of them are looked at again.
		switch pending, err := s.lookUp(ctx, tx, project, place, ids); {
		case err != nil:
			return err
		case pending > 0:
			return fmt.Errorf("cancel packages: %d of them are pending still", pending)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit cancelling: %w", err)
	}
	return nil
}

// affected returns how many rows a statement has changed.
func affected(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// stillDefault returns errDefaultChanged if place was to be the default workspace
// and is not.
func (s *sqlStore) stillDefault(ctx context.Context, q querier, project, place string, byDefault bool, lock string) error {
	if !byDefault {
		return nil
	}
	now, err := s.workspace(ctx, q, project, "", lock)
	if err == nil && now != place {
		err = errDefaultChanged
	}
	return err
}

// lookUp returns how many of the packages are pending. It fails with the first ID
// that does not exist, and asks for no more then, or else with the first one that is
// released.
func (s *sqlStore) lookUp(ctx context.Context, q querier, project, workspace string, ids []string) (pending int, err error) {
	var released error
	for chunk := range slices.Chunk(ids, s.chunk) {
		n, err := s.lookUpChunk(ctx, q, project, workspace, chunk)
		if _, ok := errors.AsType[*ReleasedPackageError](err); ok {
			if released == nil {
				released = err
			}
		} else if err != nil {
			return 0, err
		}
		pending += n
	}
	return pending, released
}

// lookUpChunk is lookUp for the IDs of one statement.
func (s *sqlStore) lookUpChunk(ctx context.Context, q querier, project, workspace string, ids []string) (pending int, err error) {
	counts, found := map[State]int{}, s.found(len(ids))
	// Numbers are enough as long as nothing is wrong. To read a row for each package
	// takes about as long as to find it.
	err = query(ctx, q, `SELECT state, count(*) FROM `+found+` GROUP BY state`, func(rows *sql.Rows) error {
		var state State
		var n int
		err := rows.Scan(&state, &n)
		counts[state] = n
		return err
	}, project, workspace, s.list(ids))
	if err != nil {
		return 0, fmt.Errorf("look up packages: %w", err)
	}
	if counts[Pending]+counts[Cancelled] == len(ids) {
		return counts[Pending], nil
	}
	states := make(map[string]State, len(ids))
	err = query(ctx, q, `SELECT id, state FROM `+found, func(rows *sql.Rows) error {
		var id string
		var state State
		err := rows.Scan(&id, &state)
		states[id] = state
		return err
	}, project, workspace, s.list(ids))
	if err != nil {
		return 0, fmt.Errorf("look up packages: %w", err)
	}
	return judge(ids, states)
}

// query calls read for each row of the answer.
func query(ctx context.Context, q querier, text string, read func(*sql.Rows) error, args ...any) error {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// judge returns how many of the packages are pending, and why they cannot be
// cancelled, if they cannot.
func judge(ids []string, states map[string]State) (pending int, err error) {
	var released error
	for _, id := range ids {
		switch state, ok := states[id]; {
		case !ok:
			return 0, &UnknownPackageError{ID: id}
		case state == Released && released == nil:
			released = &ReleasedPackageError{ID: id}
		case state == Pending:
			pending++
		}
	}
	return pending, released
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
	insert := `INSERT INTO package (project_id, workspace, id, state)
		SELECT $1, $2, value, $4 FROM ` + s.values + ` WHERE true ON CONFLICT DO NOTHING`
	added := 0
	var first, place Package // the first of the batch, as it is given and with its workspace's name
	batch := newAddBatch()
	flush := func() error {
		for _, state := range []State{Pending, Released, Cancelled} {
			ids := batch.ids[state]
			if len(ids) == 0 {
				continue
			}
			n, err := affected(tx.ExecContext(ctx, insert, place.ProjectID, place.Workspace, s.list(ids), string(state)))
			if err != nil {
				return fmt.Errorf("add packages: %w", err)
			}
			added += n
		}
		batch = newAddBatch()
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
		if !here || len(batch.seen) == maxBatch {
			if err := flush(); err != nil {
				return 0, err
			}
		}
		if !here {
			name, err := s.ensure(ctx, tx, p)
			if err != nil {
				return 0, err
			}
			first, place = p, Package{ProjectID: p.ProjectID, Workspace: name}
		}
		batch.add(p)
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

// addBatch is packages of one workspace that are added together, each ID once.
type addBatch struct {
	seen map[string]struct{}
	ids  map[State][]string
}

func newAddBatch() addBatch { return addBatch{map[string]struct{}{}, map[State][]string{}} }

// add adds p, unless its ID is there: of two the first one counts.
func (b addBatch) add(p Package) {
	if _, twice := b.seen[p.ID]; !twice {
		b.seen[p.ID] = struct{}{}
		b.ids[p.State] = append(b.ids[p.State], p.ID)
	}
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
	if s.file == nil {
		return nil
	}
	if err := s.file.room(); err != nil {
		return err
	}
	return s.probe(ctx)
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
