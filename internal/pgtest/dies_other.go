//go:build unix && !linux

package pgtest

import "syscall"

func diesWithTest(*syscall.SysProcAttr) {}
