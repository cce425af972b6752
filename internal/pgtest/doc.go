// Package pgtest runs a real PostgreSQL for tests: on a unix socket of its own
// in a directory that is gone afterwards, so that nothing has to be set up and
// nothing is in the way.
//
//	db, err := sql.Open("pgx", pgtest.Start(t).NewDatabase(t))
//
// Where PostgreSQL is not installed the tests are skipped, but with
// FACTORY_TEST_POSTGRES=required, as in make test-all, they fail.
package pgtest
