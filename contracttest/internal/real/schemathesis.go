package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// schemathesis is the version that is compared.
const schemathesis = "schemathesis==4.32.5"

// others lets Schemathesis test the services.
func (r *runner) others(ctx context.Context, services []*Service, files string, update bool, stdout, stderr io.Writer) error {
	program, err := r.installed(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, s := range services {
		if s.Schemathesis == nil {
			s.Schemathesis = &Other{}
		}
		log, err := r.other(ctx, program, s)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errUnavailable):
			fmt.Fprintf(stderr, "%s: skipped: %v\n", s.Name, err)
			continue
		case err != nil:
			failed = append(failed, fmt.Errorf("%s: %w", s.Name, err))
			continue
		}
		fmt.Fprintf(stdout, "%s: %.1f s, %s\n", s.Name, s.Schemathesis.Seconds, log)
		if update {
			if err := s.save(files); err != nil {
				return err
			}
		}
	}
	return errors.Join(failed...)
}

// installed installs Schemathesis, and returns its command.
func (r *runner) installed(ctx context.Context) (string, error) {
	venv := filepath.Join(r.dir, "schemathesis")
	program := filepath.Join(venv, "bin", "schemathesis")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	install := exec.CommandContext(ctx, "bash", "-euc", `python3 -m venv "$1" && "$1/bin/pip" install --quiet "$2"`, "bash", venv, schemathesis) //nolint:gosec // our own
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", schemathesis, err, last(out))
	}
	return program, nil
}

// other runs it on a service that it starts, and returns the file with what it says.
func (r *runner) other(ctx context.Context, program string, s *Service) (string, error) {
	if err := r.build(ctx, s); err != nil {
		return "", err
	}
	up, err := r.start(ctx, s)
	if err != nil {
		return "", err
	}
	defer up.stop()
	args := []string{"run", up.expand(s.Document), "--url", up.expand(s.Target), "--seed", "1", "--max-examples", "20", "--workers", "2", "--no-color", "--warnings", "off"}
	for _, f := range s.Schemathesis.Flags {
		args = append(args, up.expand(f))
	}
	log := filepath.Join(r.out(s), "schemathesis.txt")
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // in a version of ours
	cmd.Dir = r.src(s)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	s.Schemathesis.Seconds = math.Round(10*time.Since(start).Seconds()) / 10
	if err := os.WriteFile(log, out, 0o600); err != nil {
		return "", err
	}
	if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: it has found something
		return "", fmt.Errorf("schemathesis: %w\n%s", err, last(out))
	}
	return log, nil
}
