package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// databaseFile is the file of an open database. SQLite in WAL mode does not look
// whether it still has its name: what is written to one that was removed or
// replaced is confirmed, and found by nobody.
type databaseFile struct {
	path   string
	opened os.FileInfo
}

// newDatabaseFile returns the file in path, just opened, or nil if there is none,
// as with a database in memory.
func newDatabaseFile(path string) (*databaseFile, error) {
	if path == ":memory:" {
		return nil, nil //nolint:nilnil // inPlace takes it
	}
	path, err := filepath.Abs(path) // the working directory may change
	if err != nil {
		return nil, err
	}
	opened, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // inPlace takes it
	}
	if err != nil {
		return nil, err
	}
	return &databaseFile{path, opened}, nil
}

// inPlace returns nil if the path still names the file that was opened.
func (f *databaseFile) inPlace() error {
	if f == nil {
		return nil
	}
	now, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("the file of the database is gone: %w", err)
	}
	if !os.SameFile(f.opened, now) {
		return fmt.Errorf("the file of the database, %s, was replaced while it was open", f.path)
	}
	return nil
}

// leastFree is how many bytes a disk has to have free. A full one may still take small
// changes, in what SQLite's log has kept from before, and then refuses a larger one.
const leastFree = 1 << 20

// room returns an error if the disk that the file is on is full.
func (f *databaseFile) room() error {
	dir := filepath.Dir(f.path)
	free, err := freeBytes(dir)
	if err != nil {
		return fmt.Errorf("the disk of the database: %w", err)
	}
	if free < leastFree {
		return fmt.Errorf("the disk of the database is full: %s has %d bytes free, want at least %d", dir, free, leastFree)
	}
	return nil
}
