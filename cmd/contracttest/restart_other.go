//go:build !unix

package main

import "os/exec"

func asGroup(*exec.Cmd) {}

func endGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // it may have ended
