//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// postgresUser returns whom PostgreSQL has to run as where the tests run as
// root, which it refuses: Debian's packages create that user.
func postgresUser() (uid, gid uint32, needed bool, err error) {
	if os.Getuid() != 0 {
		return 0, 0, false, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, true, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	ids := make([]uint32, 2)
	for i, text := range []string{u.Uid, u.Gid} {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return 0, 0, true, err
		}
		ids[i] = uint32(id)
	}
	return ids[0], ids[1], true, nil
}

// give hands a directory to the user that PostgreSQL runs as.
func give(dir string) error {
	uid, gid, needed, err := postgresUser()
	if err != nil || !needed {
		return err
	}
	return os.Chown(dir, int(uid), int(gid))
}

// unprivileged makes a process one of the user that PostgreSQL runs as. It is
// the leader of a group of its own: Ctrl-C is for the test, not for the server.
func unprivileged() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	diesWithTest(attr)
	uid, gid, needed, err := postgresUser()
	if needed && err == nil {
		attr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return attr
}
