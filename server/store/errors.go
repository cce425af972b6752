package store

import (
	"errors"
	"fmt"
)

// The errors of a Store that callers tell apart, beside the types below.
var (
	ErrNoDefaultWorkspace = errors.New("the project does not exist or has no default workspace")
	ErrUnknownWorkspace   = errors.New("the project or workspace does not exist")
	ErrInvalidName        = errors.New("invalid name")
	ErrInvalidState       = errors.New("invalid state, want pending, released or cancelled")
)

// UnknownPackageError says that a package does not exist in the workspace.
type UnknownPackageError struct {
	ID string // one such ID
}

func (e *UnknownPackageError) Error() string {
	return fmt.Sprintf("package %.64q does not exist", e.ID)
}

// ReleasedPackageError says that a package is released, so that it can no
// longer be cancelled.
type ReleasedPackageError struct {
	ID string // one such ID
}

func (e *ReleasedPackageError) Error() string {
	return fmt.Sprintf("package %.64q is released", e.ID)
}
