package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
)

// restarter runs the command that brings a target back. The command may be the
// server itself: then it runs until the run ends, or until the next one.
type restarter struct {
	command string
	out     io.Writer // of the command

	mu   sync.Mutex
	kill func()
}

// start starts the command and does not wait for it.
func (r *restarter) start(context.Context) error {
	r.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	cmd := exec.Command("sh", "-c", r.command) //nolint:gosec,noctx // whoever runs the tests gives it; it is ended by stop
	cmd.Stdout, cmd.Stderr = r.out, r.out
	asGroup(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("--restart: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // whether it worked, the target shows
		close(ended)
	}()
	r.kill = func() {
		endGroup(cmd)
		<-ended
	}
	return nil
}

// stop ends what the command has left running in the foreground.
func (r *restarter) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kill != nil {
		r.kill()
		r.kill = nil
	}
}
