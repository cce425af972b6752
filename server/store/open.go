package store

import (
	"context"
	"errors"
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
//	sqlite:PATH                         a SQLite database in the file PATH
//	postgres://USER:PASSWORD@HOST/NAME  a PostgreSQL database, which exists
//
// The latter is what PostgreSQL's own clients take, in the form of a URL, and
// the variables of the environment that they know (PGPASSWORD and so on) fill
// in what it leaves out; pool_max_conns and the other settings of pgxpool may
// stand in its query. Its tables are created or brought up to date under a
// lock. No error quotes it.
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
		return openPostgres(ctx, dsn, o)
	}
	// The text is not quoted: any part of it may be a password.
	return nil, errors.New("the name of the database has no known form, want sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME")
}
