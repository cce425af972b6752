package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/internal/signing"
)

const (
	cancelToken  = "MIIEsecret-of-the-caller"
	cancelSecret = "SKexample+/0000000000000000000000000test"
)

// cancelServer is a server that has all packages but those whose ID begins
// with a 9, and refuses what names one of them.
type cancelServer struct {
	url    string
	answer func(http.ResponseWriter, *http.Request) // in place of its own

	mu       sync.Mutex
	requests []*http.Request
	bodies   [][]string
}

func newCancelServer(t *testing.T) *cancelServer {
	t.Helper()
	s := &cancelServer{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			PackageIDs []string `json:"package_ids"`
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&body))
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.bodies = append(s.bodies, body.PackageIDs)
		s.mu.Unlock()
		if s.answer != nil {
			s.answer(w, r)
			return
		}
		if slices.ContainsFunc(body.PackageIDs, func(id string) bool { return strings.HasPrefix(id, "9") }) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error_code":"DLF.0810","error_msg":"Task does not exist. %s"}`, r.Header.Get("X-Auth-Token"))
		}
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// clearCredentials takes away what the environment says of credentials.
func clearCredentials(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "HW_") || strings.HasPrefix(name, "HUAWEICLOUD_SDK_") || strings.HasPrefix(name, "HC_CONTAINER_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
}

// cancel runs factory cancel for a project of the server.
func (s *cancelServer) cancel(ctx context.Context, stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Do(ctx, append([]string{"cancel", "--endpoint", s.url, "--project", "p"}, args...), strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestCancelRequest(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "credentials")
	require.NoError(t, os.WriteFile(keys, []byte("[basic]\nak=AKFILE\nsk="+cancelSecret+"\n"), 0o600))
	list := filepath.Join(dir, "packages.txt")
	require.NoError(t, os.WriteFile(list, []byte("# of today\n21\n\n  22  \r\n12\n"), 0o600))
	tests := []struct {
		name      string
		env       map[string]string
		stdin     string
		args      []string
		token     []string
		accessKey string
		workspace []string
		ids       []string
		stdout    string
	}{
		{name: "two packages", args: []string{"12", "13"}, ids: []string{"12", "13"}, stdout: "cancelled 2 packages\n"},
		{name: "one package", env: map[string]string{"HW_AUTH_TOKEN": cancelToken}, args: []string{"--workspace", "dev", "12"},
			token: []string{cancelToken}, workspace: []string{"dev"}, ids: []string{"12"}, stdout: "cancelled 1 package\n"},
		{name: "an ID like a flag", args: []string{"--", "--12"}, ids: []string{"--12"}, stdout: "cancelled 1 package\n"},
		{name: "keys of the environment", env: map[string]string{"HUAWEICLOUD_SDK_AK": "AKENV", "HUAWEICLOUD_SDK_SK": cancelSecret},
			args: []string{"12"}, accessKey: "AKENV", ids: []string{"12"}, stdout: "cancelled 1 package\n"},
		{name: "keys of a file", env: map[string]string{"HUAWEICLOUD_SDK_AK": "AKENV", "HUAWEICLOUD_SDK_SK": cancelSecret, "HW_AUTH_TOKEN": cancelToken},
			args: []string{"--credentials", keys, "12"}, accessKey: "AKFILE", ids: []string{"12"}, stdout: "cancelled 1 package\n"},
		{name: "a file", args: []string{"--file", list}, ids: []string{"21", "22", "12"}, stdout: "cancelled 3 packages\n"},
		{name: "arguments, files, standard input", stdin: "31\n12\n32", args: []string{"--file", list, "--file", "-", "11", "12"},
			ids: []string{"11", "12", "21", "22", "31", "32"}, stdout: "cancelled 6 packages\n"},
		{name: "standard input as an argument", stdin: "31\n", args: []string{"-", "11"}, ids: []string{"11", "31"}, stdout: "cancelled 2 packages\n"},
		{name: "JSON", args: []string{"--output", "json", "12"}, ids: []string{"12"},
			stdout: `{"cancelled":1,"failed":0,"packages":[{"id":"12","result":"cancelled"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearCredentials(t)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			s := newCancelServer(t)
			code, stdout, stderr := s.cancel(t.Context(), tt.stdin, tt.args...)
			assert.Equal(t, 0, code, stderr)
			assert.Empty(t, stderr)
			if strings.HasPrefix(tt.stdout, "{") {
				assert.JSONEq(t, tt.stdout, stdout)
			} else {
				assert.Equal(t, tt.stdout, stdout)
			}
			require.Len(t, s.requests, 1)
			r := s.requests[0]
			assert.Equal(t, "/v2/p/factory/release-packages/unpack", r.URL.Path)
			assert.Equal(t, tt.token, r.Header["X-Auth-Token"])
			assert.Equal(t, tt.workspace, r.Header["Workspace"])
			assert.Equal(t, tt.ids, s.bodies[0])
			assert.Equal(t, tt.accessKey != "", signing.IsSigned(r.Header.Get("Authorization")))
			assert.Contains(t, r.Header.Get("Authorization"), tt.accessKey)
		})
	}
}

func TestCancelDryRun(t *testing.T) {
	clearCredentials(t)
	s := newCancelServer(t)
	var ids []string
	for i := range 250 {
		ids = append(ids, strconv.Itoa(i))
	}
	code, stdout, stderr := s.cancel(t.Context(), strings.Join(ids, "\n"), "--dry-run", "-")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, "would cancel 250 packages in 3 requests: 0, 1, 2, 3, 4 and 245 more\n", stdout)
	code, stdout, stderr = s.cancel(t.Context(), "", "--dry-run", "1\t2")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, "would cancel 1 package in 1 request: \"1\\t2\"\n", stdout)
	code, stdout, stderr = s.cancel(t.Context(), "", "--dry-run", "--output", "json", "12", "13")
	assert.Equal(t, 0, code, stderr)
	assert.JSONEq(t, `{"dry_run":true,"requests":1,"packages":["12","13"]}`, stdout)
	assert.Empty(t, s.requests)

	code, _, stderr = s.cancel(t.Context(), "", "--dry-run", "--workspace", "", "12")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "workspace is empty")
}

// Many packages go in requests of a hundred, and those that do not exist are
// found and named.
func TestCancelMany(t *testing.T) {
	clearCredentials(t)
	s := newCancelServer(t)
	var ids []string
	for i := 100; i < 350; i++ {
		ids = append(ids, strconv.Itoa(i))
	}
	code, stdout, stderr := s.cancel(t.Context(), strings.Join(ids, "\n"), "--file", "-")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, "cancelled 250 packages\n", stdout)
	assert.Len(t, s.requests, 3)

	ids = append(ids, "901", "902")
	code, stdout, stderr = s.cancel(t.Context(), strings.Join(ids, "\n"), "--file", "-")
	assert.Equal(t, 1, code)
	assert.Equal(t, "cancelled 250 packages\n", stdout)
	lines := strings.Split(stderr, "\n")
	require.Len(t, lines, 3)
	assert.Regexp(t, `^factory: 901, 902: POST http://\S+: 400 DLF\.0810: Task does not exist\.`, lines[0])
	assert.Equal(t, "factory: 2 of 252 packages not cancelled: see above", lines[1])

	code, stdout, stderr = s.cancel(t.Context(), "", "--output", "json", "12", "91")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "factory: 1 of 2 packages not cancelled: see above\n")
	var report cancelReport
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Len(t, report.Packages, 2)
	assert.Equal(t, cancelledResult{ID: "12", Result: "cancelled"}, report.Packages[0])
	report.Packages[1].Error = ""
	assert.Equal(t, cancelledResult{ID: "91", Result: "not_found", Status: 400, Code: "DLF.0810"}, report.Packages[1])
}

// More reasons than a person reads are cut short.
func TestCancelReasons(t *testing.T) {
	clearCredentials(t)
	s := newCancelServer(t)
	n := 0
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		s.mu.Lock()
		defer s.mu.Unlock()
		n++
		fmt.Fprintf(w, `{"error_code":"DLF.0810","error_msg":"Task does not exist.","request_id":"r%d"}`, n)
	}
	args := make([]string, 23)
	for i := range args {
		args[i] = strconv.Itoa(i)
	}
	code, stdout, stderr := s.cancel(t.Context(), "", args...)
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	assert.Equal(t, 22, strings.Count(stderr, "\n"))
	assert.Contains(t, stderr, "factory: … and 3 further reasons, see --output json\nfactory: 23 of 23 packages not cancelled: see above\n")
}

func TestCancelResults(t *testing.T) {
	status := func(status int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	tests := []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		code   int
		result string
	}{
		{"denied", status(401), 1, "refused"},
		{"broken", status(500), 1, "in_doubt"},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 3, "in_doubt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearCredentials(t)
			s := newCancelServer(t)
			s.answer = tt.answer
			code, stdout, _ := s.cancel(t.Context(), "", "--output", "json", "12")
			assert.Equal(t, tt.code, code)
			var report cancelReport
			require.NoError(t, json.Unmarshal([]byte(stdout), &report))
			require.Len(t, report.Packages, 1)
			assert.Equal(t, tt.result, report.Packages[0].Result)
			assert.Equal(t, 1, report.Failed)
		})
	}
	t.Run("not sent", func(t *testing.T) {
		clearCredentials(t)
		s := newCancelServer(t)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		code, stdout, stderr := s.cancel(ctx, "", "--output", "json", "12")
		assert.Equal(t, 4, code)
		assert.Contains(t, stdout, `"result": "not_sent"`)
		assert.Equal(t, "factory: client: not sent: context canceled\n", stderr)
	})
	t.Run("repeated in doubt", func(t *testing.T) {
		clearCredentials(t)
		s := newCancelServer(t)
		var once sync.Once
		s.answer = func(w http.ResponseWriter, _ *http.Request) { once.Do(func() { w.WriteHeader(http.StatusBadGateway) }) }
		code, stdout, stderr := s.cancel(t.Context(), "", "--retry-in-doubt", "12")
		assert.Equal(t, 0, code, stderr)
		assert.Equal(t, "cancelled 1 package\n", stdout)
		assert.Len(t, s.requests, 2)
	})
}

func TestCancelExitStatus(t *testing.T) {
	s := newCancelServer(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report the failed handshake
	secure.StartTLS()
	t.Cleanup(secure.Close)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	to := func(endpoint string, more ...string) []string {
		return append([]string{"--project", "p", "--endpoint", endpoint}, more...)
	}
	here := func(more ...string) []string { return to(s.url, more...) }
	tests := []struct {
		name  string
		token string
		args  []string
		code  int
		want  string
	}{
		{"refused", cancelToken, here("91"), 1, "400 DLF.0810: Task does not exist."},
		{"nobody listens", cancelToken, to(gone.URL, "12"), 4, "; nothing was sent"},
		{"an unknown authority", cancelToken, to(secure.URL, "12"), 4, "certificate signed by unknown authority; nothing was sent"},
		{"no TLS", cancelToken, to(strings.Replace(s.url, "http:", "https:", 1), "12"), 4, "server gave HTTP response to HTTPS client; nothing was sent"},
		{"a negative timeout", "", here("--timeout", "-1s", "12"), 2, "--timeout -1s: want no negative time"},
		{"no authorities", "", here("--ca", filepath.Join(dir, "none"), "12"), 2, "--ca: open "},
		{"a directory of authorities", "", here("--ca", dir, "12"), 2, "--ca: read "},
		{"authorities that are none", "", here("--ca", write("ca", "-----BEGIN"), "12"), 2, "ca: no certificates in PEM"},
		{"too many authorities", "", here("--ca", write("long-ca", strings.Repeat("x", 4<<20+1)), "12"), 2, "long-ca: more than 4 MiB"},
		{"no IDs", "", here(), 2, "no package IDs given"},
		{"no IDs in a file", "", here("--file", write("empty", "# nothing\n\n")), 2, "no package IDs given"},
		{"no file", "", here("--file", filepath.Join(dir, "none")), 2, "none: no such file"},
		{"no endpoint", "", []string{"--project", "p", "12"}, 2, "no endpoint: give --endpoint or --region, or set HW_REGION_NAME"},
		{"endpoint and region", "", here("--region", "cn-north-4", "12"), 2, "[endpoint region]"},
		{"no region", "", []string{"--project", "p", "--region", "../", "12"}, 2, "client: invalid region \"../\": want lower-case letters"},
		{"a region in capitals", "", []string{"--project", "p", "--region", "CN-NORTH-4", "12"}, 2, "client: invalid region \"CN-NORTH-4\": want lower-case letters"},
		{"no project", "", []string{"--endpoint", s.url, "12"}, 2, "no project: give --project, or set HUAWEICLOUD_SDK_PROJECT_ID or HW_PROJECT_ID"},
		{"endpoint without scheme", "", to("host", "12"), 2, "endpoint is not an absolute"},
		{"IAM endpoint without scheme", "", here("--iam-endpoint", "host", "12"), 2, "IAM endpoint is not an absolute"},
		{"empty workspace", "", here("--workspace", "", "12"), 2, "workspace is empty"},
		{"bad token", cancelToken + "\n", here("12"), 2, "token contains a control character"},
		{"no credentials file", "", here("--credentials", filepath.Join(dir, "none"), "12"), 2, "credentials: open"},
		{"bad credentials file", "", here("--credentials", write("keys", cancelSecret), "12"), 2, "line 1 is neither [section] nor key = value"},
		{"an ID in another encoding", "", here("\xff"), 2, "is not valid UTF-8"},
		{"an ID in another encoding in a file", "", here("--file", write("latin", "12\n\xff\n")), 2, "latin:2: package ID \"\\xff\" is not valid UTF-8"},
		{"a line that is too long", "", here("--file", write("long", "12\n"+strings.Repeat("1", 64<<10))), 2, "long:2: bufio.Scanner: token too long"},
		{"another format", "", here("--output", "xml", "12"), 2, "--output xml: want text or json"},
		{"token on the command line", "", here("--token", cancelToken, "12"), 2, "unknown flag: --token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearCredentials(t)
			t.Setenv("HW_AUTH_TOKEN", tt.token)
			var stdout, stderr bytes.Buffer
			code := Do(t.Context(), append([]string{"cancel"}, tt.args...), strings.NewReader(""), &stdout, &stderr)
			assert.Equal(t, tt.code, code)
			assert.Contains(t, stderr.String(), tt.want)
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
			assert.NotContains(t, stderr.String(), cancelToken)
			assert.NotContains(t, stderr.String(), cancelSecret)
			assert.Empty(t, stdout.String())
		})
	}
	assert.Len(t, s.requests, 1, "but for the refusal nothing is sent")
}

// The worst that became of a package decides the status.
func TestCancelWorstStatus(t *testing.T) {
	refused := &failure{err: &client.Error{HTTPStatus: http.StatusBadRequest}}
	inDoubt := &failure{err: fmt.Errorf("cut: %w", client.ErrInDoubt)}
	unsent := &failure{err: client.ErrNotSent}
	for want, failures := range map[int][]*failure{
		exitRefused: {refused},
		exitNotSent: {refused, unsent, refused},
		exitInDoubt: {unsent, inDoubt, refused},
	} {
		assert.Equal(t, want, exitStatus(failures))
	}
}

func TestCancelWithAuthority(t *testing.T) {
	clearCredentials(t)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	require.NoError(t, os.WriteFile(file, certificate, 0o600))
	s := &cancelServer{url: srv.URL}
	code, stdout, stderr := s.cancel(t.Context(), "", "--ca", file, "12")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, "cancelled 1 package\n", stdout)
}

// The time is that of the whole command: what is left then is not sent.
func TestCancelTimeout(t *testing.T) {
	clearCredentials(t)
	s := newCancelServer(t)
	s.answer = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	code, _, stderr := s.cancel(t.Context(), "", "--timeout", "500ms", "12")
	assert.Contains(t, stderr, "context deadline exceeded")
	s.mu.Lock()
	arrived := len(s.requests) > 0 // a busy machine may not come so far
	s.mu.Unlock()
	if arrived {
		assert.Equal(t, 3, code)
	}

	var stdout string
	code, stdout, stderr = s.cancel(t.Context(), "", "--timeout", "1ns", "--output", "json", "12")
	assert.Equal(t, 4, code)
	assert.Contains(t, stdout, `"result": "not_sent"`)
	assert.Contains(t, stderr, "context deadline exceeded")
}

func TestCancelDebug(t *testing.T) {
	clearCredentials(t)
	t.Setenv("HW_AUTH_TOKEN", cancelToken)
	s := newCancelServer(t)
	code, stdout, stderr := s.cancel(t.Context(), "", "--debug", "91")
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	for _, want := range []string{
		"#1 > POST " + s.url + "/v2/p/factory/release-packages/unpack\n", "#1 > X-Auth-Token: [redacted]\n", "#1 > {\"package_ids\":[\"91\"]}\n",
		"#1 < HTTP/1.1 400 Bad Request (", "#1 < {\"error_code\":\"DLF.0810\",\"error_msg\":\"Task does not exist. [redacted]\"}\n",
	} {
		assert.Contains(t, stderr, want)
	}
	assert.NotContains(t, stderr, cancelToken)
}

// endless is a file of comments without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	p[len(p)-1] = '\n'
	return len(p), nil
}

func TestCancelEndlessInput(t *testing.T) {
	clearCredentials(t)
	var stderr bytes.Buffer
	code := Do(t.Context(), []string{"cancel", "--endpoint", "http://127.0.0.1:1", "--project", "p", "-"}, endless{}, io.Discard, &stderr)
	assert.Equal(t, 2, code)
	assert.Equal(t, "factory: -: more than 64 MiB\n", stderr.String())
}

func TestCancelOutputFails(t *testing.T) {
	clearCredentials(t)
	s := newCancelServer(t)
	for _, args := range [][]string{{"12"}, {"--output", "json", "12"}, {"--dry-run", "12"}} {
		var stderr bytes.Buffer
		code := Do(t.Context(), append([]string{"cancel", "--endpoint", s.url, "--project", "p"}, args...), strings.NewReader(""), failingWriter{}, &stderr)
		assert.Equal(t, exitCannot, code, args)
		assert.Equal(t, "factory: broken pipe\n", stderr.String(), args)
	}
}

// Progress is shown on a terminal alone.
func TestCancelProgress(t *testing.T) {
	var out bytes.Buffer
	bar := &progressBar{w: &out, total: 3}
	bar.step(1, 0)
	bar.step(1, 1)
	bar.clear()
	assert.Equal(t, "\r\x1b[K1 of 3 packages cancelled\r\x1b[K1 of 3 packages cancelled, 1 not\r\x1b[K", out.String())

	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	defer file.Close()
	for _, w := range []io.Writer{&out, file} {
		bar = cancelOutput{stderr: w}.progress(3)
		assert.Nil(t, bar)
		bar.step(1, 0)
		bar.clear()
	}
}

func TestCancelProgressOnTerminal(t *testing.T) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	defer pty.Close()
	t.Setenv("TERM", "xterm")
	assert.NotNil(t, cancelOutput{stderr: pty}.progress(3))
	t.Setenv("TERM", "dumb")
	assert.Nil(t, cancelOutput{stderr: pty}.progress(3))
}

// An interrupt ends the command, which says what it left undone.
func TestCancelInterrupted(t *testing.T) {
	clearCredentials(t)
	s := newCancelServer(t)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	s.answer = func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	}
	code, stdout, stderr := s.cancel(ctx, "", "--output", "json", "12")
	assert.Equal(t, 3, code)
	assert.Contains(t, stdout, `"result": "in_doubt"`)
	assert.Contains(t, stderr, "context canceled")
	assert.Contains(t, stderr, "may or may not be cancelled")
}

// Project and region come from the environment, unless flags name others.
func TestCancelFromEnvironment(t *testing.T) {
	clearCredentials(t)
	s := newCancelServer(t)
	run := func(args ...string) (code int, stderr string) {
		var errs bytes.Buffer
		return Do(t.Context(), append([]string{"cancel"}, args...), strings.NewReader(""), io.Discard, &errs), errs.String()
	}
	t.Setenv("HW_PROJECT_ID", "of-terraform")
	for want, set := range map[string]func() []string{
		"of-terraform": func() []string { return nil },
		"of-the-sdk":   func() []string { t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "of-the-sdk"); return nil },
		"of-the-flag":  func() []string { return []string{"--project", "of-the-flag"} },
	} {
		t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "")
		s.requests = nil
		code, stderr := run(append([]string{"--endpoint", s.url, "12"}, set()...)...)
		require.Equal(t, 0, code, stderr)
		require.Len(t, s.requests, 1)
		assert.Equal(t, "/v2/"+want+"/factory/release-packages/unpack", s.requests[0].URL.Path)
	}
	t.Setenv("HW_REGION_NAME", "../")
	code, stderr := run("12")
	assert.Equal(t, 2, code)
	assert.Equal(t, "factory: client: invalid region \"../\": want lower-case letters, digits and hyphens, such as cn-north-4\n", stderr)
	code, stderr = run("--endpoint", s.url, "12")
	assert.Equal(t, 0, code, stderr)
	t.Setenv("HW_REGION_NAME", "cn-north-4")
	t.Setenv("HW_AUTH_TOKEN", cancelToken)
	code, stderr = run("--dry-run", "12")
	assert.Equal(t, 0, code, stderr)
}

// Where no credentials are found for the vendor, nothing is sent.
func TestCancelWithoutCredentials(t *testing.T) {
	err := fmt.Errorf("cancel task packages: %w: %w", client.ErrNoCredentials, &client.Error{HTTPStatus: http.StatusNotFound})
	assert.Equal(t, resultNotSent, newCancelledResult("12", err).Result)
	ended := cancelOutput{stderr: io.Discard}.explain(2, []*failure{{err, []string{"12"}}, {fmt.Errorf("%w: %w", client.ErrNotSent, err), []string{"13"}}})
	assert.Equal(t, exitNotSent, report(io.Discard, ended))
}
