//go:build linux

package server_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/pgtest"
	"github.com/dataarts-go/factory/server/store"
)

// A full disk is a failure that changes nothing, and the server goes on when
// there is room again.
func TestDiskFull(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		disk := newDisk(t, "4m")
		testDiskFull(t, disk, "sqlite:"+filepath.Join(disk, "factory.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		db := pgtest.Start(t)
		disk := newDisk(t, "32m")
		testDiskFull(t, disk, db.NewDatabaseIn(t, disk))
	})
}

func testDiskFull(t *testing.T, disk, dsn string) {
	t.Helper()
	const n = 5000
	ids := make([]string, n)
	packages := make([]store.Package, n)
	for i := range packages {
		packages[i] = store.Package{ID: fmt.Sprint(i), ProjectID: project}
		ids[i] = fmt.Sprintf("%q", packages[i].ID)
	}
	s, err := store.Open(t.Context(), dsn)
	require.NoError(t, err)
	_, err = s.Add(t.Context(), store.Packages(packages...))
	require.NoError(t, err)
	require.NoError(t, s.Close()) // and with it SQLite's log, which it would use again
	s, err = store.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	r := start(t, s)

	assert.Equal(t, 200, r.send(t, request("GET", "/readyz", "")).StatusCode)

	ballast := filepath.Join(disk, "ballast")
	file, err := os.Create(ballast)
	require.NoError(t, err)
	_, err = io.Copy(file, zeros{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, file.Close())

	if strings.HasPrefix(dsn, "sqlite:") {
		failure(t, r.send(t, request("GET", "/readyz", "")), 503, "APIG.0601")
		assert.Contains(t, r.log.String(), "the disk of the database is full")
	}
	all := post(path, `{"package_ids":[`+strings.Join(ids, ",")+`]}`, "Content-Type: "+mediaType)
	failure(t, r.send(t, all), 500, "APIG.0601")
	assert.Contains(t, r.log.String(), "request failed")
	assert.Equal(t, n, strings.Count(states(t, s), "pending"))

	require.NoError(t, os.Remove(ballast))
	assert.Equal(t, 200, r.send(t, request("GET", "/readyz", "")).StatusCode)
	success(t, r.send(t, all))
	assert.Equal(t, n, strings.Count(states(t, s), "cancelled"))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// newDisk returns a directory that holds no more than size.
func newDisk(t *testing.T, size string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "disk") //nolint:usetesting // PostgreSQL's user has to get there
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.Remove(dir)) })
	err = syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("a small disk can only be mounted by root")
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}
