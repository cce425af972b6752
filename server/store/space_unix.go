//go:build linux || darwin

package store

import "syscall"

// freeBytes returns how many bytes an ordinary user may still write to the disk of a
// directory.
func freeBytes(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil //nolint:gosec // G115: the size of a block is positive
}
