package store

import (
	"context"
	"fmt"
	"strings"
)

// An Option changes how Open opens a store.
type Option func(*options)

type options struct{ mustExist bool }

// MustExist makes Open fail where there is no database yet, instead of
// creating one.
func MustExist() Option { return func(o *options) { o.mustExist = true } }

// Open opens the store that dsn names, and creates it if it does not exist:
//
//	sqlite:PATH   a SQLite database in the file PATH
func Open(ctx context.Context, dsn string, opts ...Option) (Store, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	scheme, rest, ok := strings.Cut(dsn, ":")
	switch {
	case ok && scheme == "sqlite" && rest != "":
		return openSQLite(ctx, rest, o)
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		// Not quoted: it may hold a password.
		return nil, fmt.Errorf("%s databases are not supported yet, want sqlite:FILE", scheme)
	default:
		return nil, fmt.Errorf("unknown database %q, want sqlite:FILE", dsn)
	}
}
