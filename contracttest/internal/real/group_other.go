//go:build !unix

package main

import "os/exec"

func asGroup(*exec.Cmd) {}

// endGroup ends a command. What it has started may live on.
func endGroup(cmd *exec.Cmd, ended <-chan struct{}) {
	_ = cmd.Process.Kill()
	<-ended
}
