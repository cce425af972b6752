package store

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
)

// NewMemory returns an empty store that lives in memory and is gone with the
// process: for tests, and to measure what lies above a store.
func NewMemory() Store { return &memory{projects: map[string]*memoryProject{}} }

type memory struct {
	mu       sync.RWMutex
	projects map[string]*memoryProject
}

type memoryProject struct {
	defaultWorkspace string // "": none
	workspaces       map[string]memoryWorkspace
}

// memoryWorkspace maps the ID of a package to its state.
type memoryWorkspace map[string]State

// find returns the workspace and its name. The caller holds the lock.
func (m *memory) find(project, workspace string) (string, memoryWorkspace, error) {
	p := m.projects[project]
	if workspace == "" {
		if p == nil || p.defaultWorkspace == "" {
			return "", nil, ErrNoDefaultWorkspace
		}
		workspace = p.defaultWorkspace
	}
	if p == nil || p.workspaces[workspace] == nil {
		return "", nil, ErrUnknownWorkspace
	}
	return workspace, p.workspaces[workspace], nil
}

func (m *memory) Cancel(ctx context.Context, project, workspace string, ids []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, packages, err := m.find(project, workspace)
	if err != nil {
		return err
	}
	var released error
	for _, id := range ids {
		switch state, ok := packages[id]; {
		case !ok:
			return &UnknownPackageError{ID: id}
		case state == Released && released == nil:
			released = &ReleasedPackageError{ID: id}
		}
	}
	if released != nil {
		return released
	}
	for _, id := range ids {
		packages[id] = Cancelled
	}
	return nil
}

func (m *memory) PutWorkspace(ctx context.Context, w Workspace) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(w)
	return nil
}

// put creates w as needed. The caller holds the lock.
func (m *memory) put(w Workspace) memoryWorkspace {
	p := m.projects[w.ProjectID]
	if p == nil {
		p = &memoryProject{workspaces: map[string]memoryWorkspace{}}
		m.projects[w.ProjectID] = p
	}
	if p.workspaces[w.ID] == nil {
		p.workspaces[w.ID] = memoryWorkspace{}
	}
	if w.Default {
		p.defaultWorkspace = w.ID
	}
	return p.workspaces[w.ID]
}

func (m *memory) Add(ctx context.Context, packages iter.Seq2[Package, error]) (int, error) {
	var all []Package // nothing is changed before the last one is checked
	for p, err := range packages {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			p, err = checked(p)
		}
		if err != nil {
			return 0, err
		}
		all = append(all, p)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	added := 0
	for _, p := range all {
		w := Workspace{ProjectID: p.ProjectID, ID: p.Workspace}
		if w.ID == "" {
			w.ID, w.Default = DefaultWorkspace, true
			if project := m.projects[p.ProjectID]; project != nil && project.defaultWorkspace != "" {
				w.ID = project.defaultWorkspace
			}
		}
		states := m.put(w)
		if _, exists := states[p.ID]; !exists {
			states[p.ID] = p.State
			added++
		}
	}
	return added, nil
}

func (m *memory) List(ctx context.Context, project, workspace string) iter.Seq2[Package, error] {
	return func(yield func(Package, error) bool) {
		m.mu.RLock()
		name, states, err := m.find(project, workspace)
		states = maps.Clone(states)
		m.mu.RUnlock()
		if err != nil {
			yield(Package{}, err)
			return
		}
		for _, id := range slices.Sorted(maps.Keys(states)) {
			if err := ctx.Err(); err != nil {
				yield(Package{}, err)
				return
			}
			if !yield(Package{ID: id, ProjectID: project, Workspace: name, State: states[id]}, nil) {
				return
			}
		}
	}
}

func (m *memory) Workspaces(ctx context.Context) iter.Seq2[Workspace, error] {
	return func(yield func(Workspace, error) bool) {
		var all []Workspace
		m.mu.RLock()
		for _, project := range slices.Sorted(maps.Keys(m.projects)) {
			p := m.projects[project]
			for _, id := range slices.Sorted(maps.Keys(p.workspaces)) {
				all = append(all, Workspace{ProjectID: project, ID: id, Default: id == p.defaultWorkspace})
			}
		}
		m.mu.RUnlock()
		for _, w := range all {
			if err := ctx.Err(); err != nil {
				yield(Workspace{}, err)
				return
			}
			if !yield(w, nil) {
				return
			}
		}
	}
}

func (m *memory) Ping(ctx context.Context) error { return ctx.Err() }

func (m *memory) Close() error { return nil }
