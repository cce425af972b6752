//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// asGroup lets a command be ended with what it has started.
func asGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a command that is still running, with what it has started. One
// that has ended is left alone: its service runs on by itself.
func endGroup(cmd *exec.Cmd) {
	if cmd.Process.Signal(syscall.Signal(0)) == nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
