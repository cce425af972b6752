package store

import (
	"context"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"
)

// State is how far a package has come.
type State string

// The states of a package. Only a pending one can be cancelled.
const (
	Pending   State = "pending"
	Released  State = "released"
	Cancelled State = "cancelled"
)

// Valid reports whether s is one of the three states.
func (s State) Valid() bool { return s == Pending || s == Released || s == Cancelled }

// Package is a task package. The same ID in another workspace or project is
// another package.
type Package struct {
	ID        string `json:"id"`
	ProjectID string `json:"project_id"`
	Workspace string `json:"workspace"`
	State     State  `json:"state"`
}

// DefaultWorkspace is the name of the default workspace that Add creates for
// a project that has none.
const DefaultWorkspace = "default"

// MaxNameBytes is the longest name (of a project, workspace or package) that
// a store holds. It leaves room for three of them in an index entry of every
// database meant to hold them.
const MaxNameBytes = 512

// CheckName returns nil if every store can hold name: 1 to MaxNameBytes bytes
// of UTF-8 without NUL. Otherwise the error wraps ErrInvalidName.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrInvalidName)
	case len(name) > MaxNameBytes:
		return fmt.Errorf("%w: %.32q… has %d bytes, more than %d", ErrInvalidName, name, len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: %q is not UTF-8", ErrInvalidName, name)
	}
	for i := range len(name) {
		if name[i] == 0 {
			return fmt.Errorf("%w: %q contains NUL", ErrInvalidName, name)
		}
	}
	return nil
}

// Store keeps packages. Its methods may be called concurrently, and several
// stores may be open on one database at once, in one process or in many: each
// method takes place as a whole before or after any other one. Names are
// compared byte by byte. Where a method takes a workspace, "" means the
// project's default one.
//
// Errors other than those named are failures of the storage; after one, a
// change has either happened as a whole or not at all. A method returns early
// with ctx's error when ctx ends.
type Store interface {
	// Cancel sets the packages with these IDs to cancelled, all of them or
	// none. Once it has returned nil, they are cancelled for good. IDs of
	// packages that are cancelled already, and IDs given twice, are no error.
	// Without IDs it checks the workspace and changes nothing.
	//
	// It fails with ErrNoDefaultWorkspace or ErrUnknownWorkspace (an unknown
	// project has neither), with an *UnknownPackageError if a package does
	// not exist there, or else with a *ReleasedPackageError if one is
	// released. An ID that CheckName refuses does not exist.
	Cancel(ctx context.Context, project, workspace string, ids []string) error

	// PutWorkspace creates the workspace, and its project, where they do not
	// exist. If w.Default is set, it becomes the project's default one; if
	// not, the default stays as it is. A name that CheckName refuses is an
	// error that wraps ErrInvalidName.
	PutWorkspace(ctx context.Context, w Workspace) error

	// Add adds the packages that do not exist, all or none, and returns how
	// many. One that exists keeps its state. Projects and workspaces are
	// created as needed; for a package without workspace in a project without
	// a default one, that is DefaultWorkspace. A state of "" is Pending.
	//
	// An error among the packages is returned as it is. A name that CheckName
	// refuses is an error that wraps ErrInvalidName; so is an unknown state,
	// with ErrInvalidState. The sequence must not use the store.
	Add(ctx context.Context, packages iter.Seq2[Package, error]) (added int, err error)

	// List returns the packages of a workspace in the order of their IDs, as
	// they are at one moment. It yields at most one error, as the last
	// element: ErrNoDefaultWorkspace, ErrUnknownWorkspace or a failure.
	List(ctx context.Context, project, workspace string) iter.Seq2[Package, error]

	// Workspaces returns every workspace in the order of their projects and
	// IDs, as they are at one moment. It yields at most one error, as the last
	// element.
	Workspaces(ctx context.Context) iter.Seq2[Workspace, error]

	// Ping returns an error if the store cannot answer at this moment, or if it is in a
	// file and nothing can be written there. It may write, and not change anything.
	Ping(ctx context.Context) error

	// Close releases the store, which must not be used any more.
	io.Closer
}

// Workspace is a workspace of a project.
type Workspace struct {
	ProjectID string
	ID        string
	Default   bool // it is meant where a request names none
}

// Packages returns the packages as Add takes them.
func Packages(packages ...Package) iter.Seq2[Package, error] {
	return func(yield func(Package, error) bool) {
		for _, p := range packages {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// checked returns p with its defaults set, or why Add refuses it. An empty
// workspace is left to the caller.
func checked(p Package) (Package, error) {
	if p.State == "" {
		p.State = Pending
	}
	if !p.State.Valid() {
		return p, fmt.Errorf("package %q: %w: %q", p.ID, ErrInvalidState, p.State)
	}
	if err := CheckName(p.ID); err != nil {
		return p, fmt.Errorf("package: %w", err)
	}
	if err := CheckName(p.ProjectID); err != nil {
		return p, fmt.Errorf("project of package %q: %w", p.ID, err)
	}
	if p.Workspace != "" {
		if err := CheckName(p.Workspace); err != nil {
			return p, fmt.Errorf("workspace of package %q: %w", p.ID, err)
		}
	}
	return p, nil
}

func (w Workspace) check() error {
	if err := CheckName(w.ProjectID); err != nil {
		return fmt.Errorf("project: %w", err)
	}
	if err := CheckName(w.ID); err != nil {
		return fmt.Errorf("workspace: %w", err)
	}
	return nil
}

// distinct returns ids without repetitions, in their order, or an
// *UnknownPackageError for one that no store can hold.
func distinct(ids []string) ([]string, error) {
	seen := make(map[string]struct{}, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, twice := seen[id]; twice {
			continue
		}
		if CheckName(id) != nil {
			return nil, &UnknownPackageError{ID: id}
		}
		seen[id] = struct{}{}
		out = append(out, id)
	}
	return out, nil
}
