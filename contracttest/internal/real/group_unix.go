//go:build unix

package main

import (
	"os/exec"
	"syscall"
	"time"
)

// stopTime is how long a service may take to end by itself.
const stopTime = 5 * time.Second

// asGroup lets a command be ended with what it has started.
func asGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a command with what it has started.
func endGroup(cmd *exec.Cmd, ended <-chan struct{}) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTime):
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what the command has left behind
	<-ended
}
