// Package store holds task packages: which ones a project has in which
// workspace, and whether each is pending, released or cancelled.
//
//	s, err := store.Open(ctx, "sqlite:packages.db")
//	defer s.Close()
//
// [Store] is the contract; package storetest tests it, and every
// implementation passes. [Open] opens the one that a DSN names. Those on disk
// outlive the process: what a method has confirmed is there after a kill. SQLite
// is for one machine; on PostgreSQL any number of servers share one database.
package store
