package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/report"
)

// startTime is how long a service may take until it answers.
const startTime = 2 * time.Minute

// errUnavailable says that a service cannot be had here.
var errUnavailable = errors.New("not available")

// runner runs services in a directory, with an engine that is built there.
type runner struct {
	dir       string // absolute
	checkouts string // REAL_CHECKOUTS; empty where there are none
	engine    string // contracttest, as it was built
	// covering is where programs write which statements were reached; empty where they do not.
	covering string
}

// running is a service that was started.
type running struct {
	env  map[string]string
	stop func()
}

// run builds the service, starts it, lets the engine test it, and compares.
func (r *runner) run(ctx context.Context, s *Service) (outcome, error) {
	if err := r.build(ctx, s); err != nil {
		return outcome{}, err
	}
	up, err := r.start(ctx, s)
	if err != nil {
		return outcome{}, err
	}
	defer up.stop()
	rep, err := r.test(ctx, s, up)
	if err != nil {
		return outcome{}, err
	}
	return s.compare(rep, up), nil
}

func (r *runner) out(s *Service) string { return filepath.Join(r.dir, s.Name) }
func (r *runner) src(s *Service) string { return filepath.Join(r.dir, s.Name, "src") }

// build fetches the sources and runs the script on them, if that was not done before.
func (r *runner) build(ctx context.Context, s *Service) error {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{s.Module, s.Build}, s.Checkouts...), "\x00")))
	stamp, done := hex.EncodeToString(sum[:]), filepath.Join(r.out(s), "built")
	if old, err := os.ReadFile(done); err == nil && string(old) == stamp {
		return nil
	}
	if err := os.RemoveAll(r.out(s)); err != nil {
		return err
	}
	if err := os.MkdirAll(r.src(s), 0o750); err != nil {
		return err
	}
	if err := r.fetch(ctx, s); err != nil {
		return err
	}
	env, err := r.coverable(s)
	if err != nil {
		return err
	}
	if out, err := r.shell(ctx, s, env, s.Build).CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, last(out))
	}
	return os.WriteFile(done, []byte(stamp), 0o600)
}

// fetch copies the sources, so that a build changes nothing of them.
func (r *runner) fetch(ctx context.Context, s *Service) error {
	if s.Module != "" {
		download := exec.CommandContext(ctx, "go", "mod", "download", "-json", s.Module) //nolint:gosec // a file of ours names it
		download.Dir = r.dir
		out, err := download.Output()
		var module struct{ Dir, Error string }
		if jsonErr := json.Unmarshal(out, &module); jsonErr != nil || module.Dir == "" {
			return fmt.Errorf("%w: %s: %s", errUnavailable, s.Module, last(fmt.Appendf(nil, "%s %v", module.Error, err)))
		}
		if out, err := r.shell(ctx, s, nil, `cp -R "$1/." . && chmod -R u+w .`, module.Dir).CombinedOutput(); err != nil {
			return fmt.Errorf("copy %s: %w\n%s", module.Dir, err, last(out))
		}
	}
	for i, checkout := range s.Checkouts {
		name, revision, _ := strings.Cut(checkout, "@")
		if r.checkouts == "" {
			return fmt.Errorf("%w: REAL_CHECKOUTS names no directory with %s", errUnavailable, name)
		}
		to := r.src(s)
		if i > 0 {
			to = filepath.Join(r.out(s), path.Base(name))
		}
		script := `mkdir -p "$3" && git -c safe.directory='*' -C "$1" archive "$2" | tar -x -C "$3"`
		repository := filepath.Join(r.checkouts, filepath.FromSlash(name))
		if out, err := r.shell(ctx, s, nil, "set -o pipefail; "+script, repository, revision, to).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s at %s: %s", errUnavailable, repository, revision, last(out))
		}
	}
	return nil
}

// shell is a script in the sources of a service.
func (r *runner) shell(ctx context.Context, s *Service, env map[string]string, script string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", append([]string{"-euc", script, s.Name}, args...)...) //nolint:gosec // files of ours
	cmd.Dir = r.src(s)
	cmd.Env = append(os.Environ(), "OUT="+r.out(s))
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd
}

// start starts the service and waits until it answers.
func (r *runner) start(ctx context.Context, s *Service) (*running, error) {
	port, err := free(ctx, s.Port)
	if err != nil {
		return nil, err
	}
	up := &running{env: map[string]string{"OUT": r.out(s), "PORT": strconv.Itoa(port)}}
	log, err := os.Create(filepath.Join(r.out(s), "service.log"))
	if err != nil {
		return nil, err
	}
	if r.covering != "" {
		up.env["GOCOVERDIR"] = r.covering
	}
	cmd := r.shell(context.WithoutCancel(ctx), s, up.env, s.Start)
	cmd.Stdout, cmd.Stderr = log, log
	asGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), log.Close())
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // whether it may end is for the engine to say
		close(ended)
	}()
	up.stop = func() {
		endGroup(cmd, ended)
		_ = log.Close()
	}
	if err := answers(ctx, up.expand(s.Ready), ended); err != nil {
		up.stop()
		out, _ := os.ReadFile(log.Name()) // without it, there is the error
		return nil, fmt.Errorf("%w\n%s", err, last(out))
	}
	return up, nil
}

func (up *running) expand(text string) string {
	return os.Expand(text, func(name string) string { return up.env[name] })
}

// anywhere is a text about the service, wherever it is the next time.
func (up *running) anywhere(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "127.0.0.1:"+up.env["PORT"], "127.0.0.1:$PORT"), up.env["OUT"], "$OUT")
}

// free is the port that is wanted, or for 0 one that nobody listens on.
func free(ctx context.Context, want int) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(want)))
	if err != nil {
		return 0, fmt.Errorf("port: %w", err)
	}
	defer l.Close() //nolint:errcheck // nothing was written
	return l.Addr().(*net.TCPAddr).Port, nil
}

// answers waits until something answers at the URL, whatever it answers.
func answers(ctx context.Context, url string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			return resp.Body.Close()
		}
		select {
		case <-ended:
			return errors.New("start: the service has ended")
		case <-ctx.Done():
			return fmt.Errorf("start: no answer from %s: %w", url, err)
		case <-again.C:
		}
	}
}

// test runs the engine on a service that is up.
func (r *runner) test(ctx context.Context, s *Service, up *running) (*report.Report, error) {
	file := filepath.Join(r.out(s), "report.json")
	if err := os.RemoveAll(file); err != nil {
		return nil, err
	}
	again := fmt.Sprintf("cd '%s' && export OUT='%s' PORT='%s' && bash -euc '%s'", r.src(s), r.out(s), up.env["PORT"], strings.ReplaceAll(s.Start, "'", `'\''`))
	args := []string{"run", "--quiet", "--spec", up.expand(s.Document), "--target", up.expand(s.Target), "--restart", again, "--report", "json=" + file,
		"--report", "har=" + strings.TrimSuffix(file, ".json") + ".har", "--report", "text=" + strings.TrimSuffix(file, ".json") + ".txt"}
	for _, f := range s.Flags {
		args = append(args, up.expand(f))
	}
	cmd := exec.CommandContext(ctx, r.engine, args...) //nolint:gosec // built from this repository
	cmd.Dir = r.src(s)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	data, readErr := os.ReadFile(file)
	if readErr != nil {
		return nil, fmt.Errorf("contracttest: %w\n%s", errors.Join(err, readErr), last(out))
	}
	rep := new(report.Report)
	if err := json.Unmarshal(data, rep); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rep, nil
}

// last is the end of what a command has written.
func last(out []byte) string {
	const most = 2000
	return strings.TrimSpace(string(out[max(0, len(out)-most):]))
}

// command builds the engine's command.
func command(ctx context.Context, dir string, stderr io.Writer) (string, error) {
	file := filepath.Join(dir, "contracttest")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", file, "github.com/dataarts-go/factory/cmd/contracttest") //nolint:gosec // our own
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build contracttest: %w", err)
	}
	return file, nil
}
