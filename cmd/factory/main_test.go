package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/contracttest"
)

// TestMain also is the command itself: a copy of the test binary named
// factory stands in PATH and runs main; one named judge runs judge.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"factory": main, "judge": judge})
}

// judge holds the server at a URL, its argument, against the contract, and prints
// the findings. It is a process of its own since a certificate is trusted by
// SSL_CERT_FILE, which is read once.
func judge() {
	findings, err := findingsAt(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, f := range findings {
		fmt.Printf("%+v\n", f)
	}
}

func findingsAt(url string) ([]contracttest.Finding, error) {
	contract, err := contracttest.Load("../../openapi.yaml")
	if err != nil {
		return nil, err
	}
	report, err := contracttest.Run(context.Background(), contract, contracttest.URL(url), contracttest.Cases(0),
		contracttest.Values("project_id", documentedProject), contracttest.Values("package_ids", "12", "13"),
		contracttest.Values("workspace", "development"))
	if err != nil {
		return nil, err
	}
	if report.Stats.Exchanges == 0 {
		return nil, errors.New("nothing was sent")
	}
	return report.Findings, nil
}

type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// The first line of each script says what it proves. Beside testscript's own
// commands there are
//
//	serve args…   starts factory serve on a free port and sets $URL
//	terminate     ends it with SIGTERM, which must leave status 0
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[runningKey{}] = new(process)
			env.Setenv("GORACE", quickExit)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": func(ts *testscript.TestScript, _ bool, args []string) {
				p := ts.Value(runningKey{}).(*process)
				ts.Check(p.start(ts.MkAbs("."), args...))
				ts.Defer(p.kill)
				ts.Setenv("URL", p.url)
			},
			"terminate": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Check(ts.Value(runningKey{}).(*process).signal(syscall.SIGTERM))
			},
		},
	})
}

type runningKey struct{}

// quickExit is a setting of the race detector, which otherwise holds up each
// process for a second before it ends.
const quickExit = "atexit_sleep_ms=0"

// process is a running factory serve.
type process struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr bytes.Buffer
	url    string
}

func (p *process) start(dir string, args ...string) error {
	p.cmd = exec.CommandContext(context.Background(), "factory", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "GORACE="+quickExit)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.stdout = bufio.NewReader(out)
	p.url, err = listeningOn(p.stdout)
	if err != nil {
		return errors.Join(err, p.cmd.Wait(), errors.New(p.stderr.String()))
	}
	return nil
}

// listeningOn reads the first line that factory serve writes.
func listeningOn(stdout *bufio.Reader) (url string, err error) {
	line, err := stdout.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("no first line: %w", err)
	}
	url, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "listening on ")
	if !ok {
		return "", fmt.Errorf("first line: %q", line)
	}
	return url, nil
}

// signal ends the process and returns an error unless it ends well, with
// nothing more on standard output.
func (p *process) signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return err
	}
	rest, err := io.ReadAll(p.stdout)
	if err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, &p.stderr)
	}
	if len(rest) > 0 {
		return fmt.Errorf("more on standard output: %q", rest)
	}
	return nil
}

func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// do runs a command in this process.
func do(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Do(t.Context(), args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitStatus(t *testing.T) {
	for _, args := range [][]string{
		{"--help"}, {"serve", "--help"}, {"packages", "--help"}, {"packages", "add", "--help"}, {"help", "packages", "list"},
	} {
		code, stdout, stderr := do(t, args...)
		assert.Equal(t, 0, code, args)
		assert.Contains(t, stdout, "Usage:", args)
		assert.Empty(t, stderr, args)
	}
	for want, args := range map[string][]string{
		"no command given, see factory --help":                                                    {},
		"no command given, see factory packages --help":                                           {"packages"},
		`unknown command "explode" for "factory"`:                                                 {"explode"},
		`unknown command "explode" for "factory packages"`:                                        {"packages", "explode"},
		`unknown command "srve" for "factory"; did you mean serve?`:                               {"srve"},
		`unknown command "lst" for "factory packages"; did you mean list?`:                        {"packages", "lst"},
		"unknown flag: --lisen; did you mean --listen?":                                           {"serve", "--lisen", "x"},
		"unknown flag: --explode":                                                                 {"serve", "--explode"},
		`unexpected argument "explode"`:                                                           {"serve", "explode"},
		`required flag(s) "project" not set`:                                                      {"packages", "list"},
		"want --project and IDs, or --file":                                                       {"packages", "add", "12"},
		"want the ID of a package, or --file":                                                     {"packages", "add", "--project", "p"},
		"--file names the projects, workspaces and packages itself":                               {"packages", "add", "--file", "-", "--project", "p"},
		"--file: open /nowhere/f.yaml: no such file":                                              {"packages", "add", "--file", "/nowhere/f.yaml"},
		`unexpected argument "12": values are given with flags, see factory packages list --help`: {"packages", "list", "--project", "p", "12"},
		"--output xml: want text or json":                                                         {"packages", "list", "--project", "p", "--output", "xml"},
		"--auth: authentication by token needs tokens":                                            {"serve", "--auth", "token", "--db", "sqlite:" + t.TempDir() + "/f.db"},
		"credentials file: open /nowhere/f.yaml":                                                  {"serve", "--credentials", "/nowhere/f.yaml"},
		"the name of the database has no known form, want sqlite:FILE or postgres://":             {"serve", "--db", "f.db"},
		"open the PostgreSQL database: its URL is not valid":                                      {"packages", "add", "--project", "p", "--db", "postgres://u:secret@h:x/d", "1"},
		"open sqlite:/nowhere/f.db: there is no such file":                                        {"packages", "list", "--project", "p", "--db", "sqlite:/nowhere/f.db"},
		"open sqlite:/nowhere/f.db: the file cannot be opened: does its directory exist":          {"serve", "--db", "sqlite:/nowhere/f.db"},
	} {
		code, stdout, stderr := do(t, args...)
		assert.Equal(t, 2, code, args)
		assert.Empty(t, stdout, args)
		assert.True(t, strings.HasPrefix(stderr, "factory: "+want), "%q: %q", args, stderr)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}

// A command's own status goes through, and an error is one line.
func TestExitError(t *testing.T) {
	cause := errors.New("refused")
	err := exit(1, cause)
	require.ErrorIs(t, err, cause)
	assert.Equal(t, "refused", err.Error())

	var stderr bytes.Buffer
	assert.Equal(t, 1, report(&stderr, errors.Join(err, errors.New("and\nmore"))))
	assert.Equal(t, "factory: refused; and; more\n", stderr.String())
}

// Signals end the command well: the requests in flight are answered before.
func TestSignals(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := &process{}
		require.NoError(t, p.start(t.TempDir()))
		t.Cleanup(p.kill)
		require.NoError(t, p.signal(s))
		assert.Regexp(t, `^time=\S+ level=INFO msg=configuration .*\n$`, p.stderr.String())
	}
}

// failingWriter is a standard output that nobody reads any more.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputFails(t *testing.T) {
	db := "sqlite:" + t.TempDir() + "/f.db"
	code, _, _ := do(t, "packages", "add", "--db", db, "--project", "p", "1")
	require.Equal(t, 0, code)
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--db", db},
		{"packages", "add", "--db", db, "--project", "p", "2"},
		{"packages", "list", "--db", db, "--project", "p"},
		{"packages", "list", "--db", db, "--project", "p", "--output", "json"},
	} {
		var stderr bytes.Buffer
		assert.Equal(t, 2, Do(context.Background(), args, strings.NewReader(""), failingWriter{}, &stderr), args)
		assert.Equal(t, "factory: broken pipe\n", stderr.String(), args)
	}
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := do(t, "--version")
	assert.Zero(t, code)
	assert.Regexp(t, `^factory version .+\n$`, stdout)
	assert.Empty(t, stderr)
}
