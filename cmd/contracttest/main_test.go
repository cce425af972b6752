package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// TestMain also is the command itself: a copy of the test binary named
// contracttest stands in PATH and runs main.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"contracttest": main})
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

// quickExit is a setting of the race detector, which otherwise holds up each
// process for a second before it ends.
const quickExit = "atexit_sleep_ms=0"

// project is that of the document's example.
const project = "b384b9e9ab9b4ee8994c8633aabc9505"

// The first line of each script says what it proves. openapi.yaml lies in the
// directory of each. Beside testscript's own commands there are
//
//	exits N COMMAND args…   runs a command that must end with status N
//	serve correct           starts the server that keeps the contract and sets $URL
//	serve created           the same, but it answers 201 for 200
//	serve lenient           the same, but it ignores a byte-order mark, which is left to it
//	serve chatty            a server that answers each request twice
//	serve http2             the server that keeps the contract, over TLS and with HTTP/2
//	serve mutual            the same, over TLS with callers whose certificate it knows: it has written
//	                        ca.pem, client.pem and client-key.pem
//	serve proxied           the same, at a name that only the proxy of $HTTP_PROXY knows
//	spoke VERSION           proves that a request has come by this version of HTTP
//	publish FILE            serves a file and sets $DOCUMENT to its URL
//	nobody                  sets $URL to a port on which nobody listens
func TestScripts(t *testing.T) {
	spec, err := os.ReadFile("../../openapi.yaml")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", quickExit)
			env.Setenv("PROJECT", project)
			return os.WriteFile(filepath.Join(env.WorkDir, "openapi.yaml"), spec, 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":   exits,
			"serve":   serve,
			"nobody":  nobody,
			"publish": publish,
			"spoke":   spoke,
		},
	})
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		code = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit status %d, want %d", code, want)
	}
}

func serve(ts *testscript.TestScript, _ bool, args []string) {
	st := store.NewMemory()
	ctx := context.Background()
	ts.Check(st.PutWorkspace(ctx, store.Workspace{ProjectID: project, ID: "development", Default: true}))
	_, err := st.Add(ctx, store.Packages(
		store.Package{ID: "12", ProjectID: project, Workspace: "development", State: store.Pending},
		store.Package{ID: "13", ProjectID: project, Workspace: "development", State: store.Pending},
	))
	ts.Check(err)
	h, err := server.New(st, server.WithLogger(slog.New(slog.DiscardHandler)))
	ts.Check(err)
	handlers := map[string]http.Handler{"correct": h, "http2": h, "mutual": h, "proxied": h, "created": created(h), "lenient": lenient(h), "chatty": http.HandlerFunc(chatty)}
	srv := httptest.NewUnstartedServer(handlers[args[0]])
	switch args[0] {
	case "http2":
		var versions sync.Map
		srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			versions.Store(r.Proto, true)
			h.ServeHTTP(w, r)
		})
		spoken.Store(ts.MkAbs("."), &versions)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		roots := ts.MkAbs("roots.pem")
		ts.Check(os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600))
		ts.Setenv("SSL_CERT_FILE", roots)
	case "mutual":
		known := clientCertificate(ts)
		srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known}
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600))
	default:
		srv.Start()
	}
	ts.Defer(func() {
		srv.Close()
		ts.Check(st.Close())
	})
	ts.Setenv("URL", srv.URL)
	if args[0] == "proxied" {
		ts.Setenv("HTTP_PROXY", srv.URL)
		ts.Setenv("URL", "http://service.invalid")
	}
}

// clientCertificate writes one with its key, and returns who is known by it.
func clientCertificate(ts *testscript.TestScript) *x509.CertPool {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	cert, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("client.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("client-key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	parsed, err := x509.ParseCertificate(cert)
	ts.Check(err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

// spoken has by script the versions of HTTP that its server was spoken to in.
var spoken sync.Map

func spoke(ts *testscript.TestScript, _ bool, args []string) {
	versions, _ := spoken.Load(ts.MkAbs("."))
	if _, ok := versions.(*sync.Map).Load(args[0]); !ok {
		ts.Fatalf("no request came by %s", args[0])
	}
}

// chatty writes a second response that nobody has asked for.
func chatty(w http.ResponseWriter, _ *http.Request) {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	for range 2 {
		_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	}
	_ = out.Flush()
	_, _ = conn.Read(make([]byte, 1)) // until the client closes it
}

func created(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		if rec.Code == http.StatusOK {
			rec.Code = http.StatusCreated
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func lenient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if plain, ok := bytes.CutPrefix(body, []byte("\xef\xbb\xbf")); ok {
			body = plain
			r.ContentLength = int64(len(body))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func publish(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+args[0] {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	ts.Defer(srv.Close)
	ts.Setenv("DOCUMENT", srv.URL+"/"+args[0])
}

func nobody(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("URL", "http://"+l.Addr().String())
	ts.Check(l.Close())
}

// The list of scripts is the index of the tests.
func TestScriptsSayWhatTheyProve(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(data), "\n")
		assert.Regexp(t, `^# .{20}`, first, "%s: the first line says what is proved", file)
		assert.Regexp(t, `^(run|verify|clauses|diff|init|help|config|repeat|merge|proxy|overlay)-`, filepath.Base(file), "the first word is the subcommand")
	}
}

// What the scripts run in another process, in this one: a report on its way
// must not be lost without a word.
func TestDoReportsWhatItCannotWrite(t *testing.T) {
	for _, args := range [][]string{
		{"clauses", "--spec", "../../openapi.yaml"},
		{"run", "--spec", "../../openapi.yaml", "--target", nothing(t)},
	} {
		var stderr bytes.Buffer
		assert.Equal(t, exitFailed, Do(t.Context(), args, broken{}, &stderr), "%v", args)
		assert.Contains(t, stderr.String(), "disk full")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func nothing(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	return srv.URL
}

// A run that is stopped reports what it has done, and has status 2.
func TestDoStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	t.Cleanup(srv.Close)
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitFailed, Do(ctx, []string{"run", "--spec", "../../openapi.yaml", "--target", srv.URL}, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	assert.Contains(t, stdout.String(), "cases were not sent: the run was stopped")
}

// Progress is for terminals: it draws over itself.
func TestProgress(t *testing.T) {
	assert.Nil(t, progress(&bytes.Buffer{}), "a file gets no progress")
	assert.False(t, colored(&bytes.Buffer{}))
	var b bytes.Buffer
	c := &counter{w: &b}
	c.step(contracttest.Progress{Done: 16, Total: 40, Findings: 2})
	c.clear()
	assert.Equal(t, "\r\x1b[K16 of 40 cases, 2 findings\r\x1b[K", b.String())
	b.Reset()
	c.step(contracttest.Progress{Done: 10, Total: 20, Findings: 1, Left: time.Hour + 300*time.Millisecond})
	assert.Equal(t, "\r\x1b[K10 of 20 cases, 1 finding, about 1h0m0s left", b.String())
	b.Reset()
	c.step(contracttest.Progress{Planned: 16, ToPlan: 845})
	assert.Equal(t, "\r\x1b[Kplanning: 16 of 845 operations", b.String())
	b.Reset()
	c.step(contracttest.Progress{Done: 20, Total: 20, Sequences: 3, OfSequence: 12, Left: time.Millisecond})
	assert.Equal(t, "\r\x1b[K3 of 12 sequences, 0 findings", b.String())
}
