package pgtest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds each step with the server, on a machine that is busy.
const patience = 2 * time.Minute

// Server is a PostgreSQL of the test's own, in which the test is the superuser.
type Server struct {
	bin, dir  string
	settings  []string
	cmd       *exec.Cmd
	databases atomic.Int64
}

// Start returns a running server, which is stopped and removed when the test
// ends. settings are those of postgresql.conf, as in "max_connections=20".
// What is confirmed survives a crash of the server, but not of the machine.
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s := &Server{bin: programs(tb), settings: settings}
	var err error
	//nolint:usetesting // the path of a socket has about a hundred bytes at most, and the server's user has to get there
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(s.dir); err != nil {
			tb.Error(err)
		}
	})
	if err := give(s.dir); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	initdb := s.program(ctx, "initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start(tb)
	tb.Cleanup(func() { s.Kill(tb) })
	return s
}

// programs returns the directory of PostgreSQL's programs: the newest that
// Debian's packages have left, else the one in PATH.
func programs(tb testing.TB) string {
	tb.Helper()
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(found) > 0 {
		return filepath.Dir(slices.Max(found))
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	const missing = "PostgreSQL is not installed (.ci/postgres installs it)"
	if os.Getenv("FACTORY_TEST_POSTGRES") == "required" {
		tb.Fatal(missing)
	}
	tb.Skip(missing)
	return ""
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...) //nolint:gosec // G204: the programs of the test's own database
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = unprivileged()
	return cmd
}

// Start starts the server again after Stop or Kill.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "logging_collector=off"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.cmd = s.program(context.Background(), "postgres", args...)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		var log strings.Builder
		told := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if !told && strings.Contains(lines.Text(), "ready to accept connections") {
				told = true
				ready <- ""
			}
			if !told {
				log.WriteString(lines.Text() + "\n")
			}
		}
		if !told {
			ready <- log.String()
		}
	}()
	select {
	case log := <-ready:
		if log != "" {
			tb.Fatalf("postgres does not start:\n%s", log)
		}
	case <-time.After(patience):
		tb.Fatal("postgres does not start in time")
	}
}

// Stop ends the server in order, and with it each connection.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGINT)
}

// Kill ends the server as a crash does. Its own processes go with it.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGQUIT)
}

func (s *Server) end(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(signal); err != nil {
		tb.Error(err)
	}
	_ = s.cmd.Wait() // the status says how it was ended
	s.cmd = nil
}

// NewDatabase creates an empty database and returns its URL. options are those
// of CREATE DATABASE.
func (s *Server) NewDatabase(tb testing.TB, options ...string) string {
	tb.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	s.Exec(tb, s.url("postgres"), "CREATE DATABASE "+name+" "+strings.Join(options, " "))
	return s.url(name)
}

// NewDatabaseIn creates an empty database whose tables are in a directory of the
// caller's.
func (s *Server) NewDatabaseIn(tb testing.TB, dir string) string {
	tb.Helper()
	if err := give(dir); err != nil {
		tb.Fatal(err)
	}
	s.Exec(tb, s.url("postgres"), "CREATE TABLESPACE there LOCATION '"+dir+"'")
	return s.NewDatabase(tb, "TABLESPACE there")
}

func (s *Server) url(name string) string {
	return "postgres://postgres@/" + name + "?host=" + s.dir
}

// Exec runs a statement in the database of a URL.
func (s *Server) Exec(tb testing.TB, url, statement string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		tb.Fatal(err)
	}
	_, err = conn.Exec(ctx, statement)
	if closing := conn.Close(ctx); err == nil {
		err = closing
	}
	if err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}
