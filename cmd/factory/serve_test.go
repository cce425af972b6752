package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const documentedProject = "b384b9e9ab9b4ee8994c8633aabc9505"

// served runs factory serve in this process until the test or stop ends it.
func served(t *testing.T, args ...string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout, w := io.Pipe()
	var stderr strings.Builder
	code := make(chan int, 1)
	go func() {
		code <- Do(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), w, &stderr)
		_ = w.Close()
	}()
	url, err := listeningOn(bufio.NewReader(stdout))
	require.NoError(t, err)
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			assert.Equal(t, 0, <-code, stderr.String())
		}
	}
	t.Cleanup(stop)
	return url, stop
}

// post sends the documented request with these IDs, and returns the status
// and body of the answer.
func post(t *testing.T, url, project, workspace, body string) (int, string) {
	t.Helper()
	target := url + "/v2/" + project + "/factory/release-packages/unpack"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	if workspace != "" {
		req.Header.Set("workspace", workspace)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

// The example file is served; what was cancelled stays so when it is loaded
// again.
func TestServe(t *testing.T) {
	db := "sqlite:" + filepath.Join(t.TempDir(), "f.db")
	args := []string{"--db", db, "--packages", "testdata/packages.yaml", "--auth", "none"}
	url, stop := served(t, args...)
	status, body := post(t, url, documentedProject, "", `{"package_ids":["12","13"]}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, body)
	for _, tt := range []struct{ project, workspace, ids, want string }{
		{documentedProject, "", `["99"]`, "DLF.0810"},
		{documentedProject, "", `["14"]`, "released"},
		{documentedProject, "nowhere", `[]`, "DLF.0819"},
		{"0f3a8c1d2b5e4f6798a0b1c2d3e4f506", "", `["31"]`, "DLF.0819"},
	} {
		status, body := post(t, url, tt.project, tt.workspace, `{"package_ids":`+tt.ids+`}`)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Contains(t, body, tt.want)
	}
	// The database can be read and filled while it is served.
	want := "ID  WORKSPACE    STATE\n12  development  cancelled\n13  development  cancelled\n" +
		"14  development  released\n15  development  cancelled\n"
	_, stdout, _ := do(t, "packages", "list", "--db", db, "--project", documentedProject)
	assert.Equal(t, want, stdout)
	_, stdout, _ = do(t, "packages", "add", "--db", db, "--project", documentedProject, "--workspace", "test", "99", "12")
	assert.Equal(t, "added 1, already there 1\n", stdout)
	status, _ = post(t, url, documentedProject, "test", `{"package_ids":["99"]}`)
	assert.Equal(t, http.StatusOK, status)
	stop()

	_, stop = served(t, args...)
	_, stdout, _ = do(t, "packages", "list", "--db", db, "--project", documentedProject)
	assert.Equal(t, want, stdout)
	stop()
}

func TestServeAddressInUse(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	code, stdout, stderr := do(t, "serve", "--listen", listener.Addr().String(), "--db", "sqlite:"+t.TempDir()+"/f.db")
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "factory: --listen: listen tcp "+listener.Addr().String())
}

// On loopback, where nobody is asked who is calling, a page of another site has nothing
// cancelled by having its name lead here.
func TestServeOtherHosts(t *testing.T) {
	dir := t.TempDir()
	status := func(url, host string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/openapi.json", http.NoBody)
		require.NoError(t, err)
		req.Host = host
		transport := &http.Transport{DisableKeepAlives: true}
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	url, _ := served(t, "--db", "sqlite:"+filepath.Join(dir, "f.db"), "--allow-host", "factory.test")
	for host, want := range map[string]int{"": 200, "localhost": 200, "factory.test:80": 200, "evil.example": 404} {
		assert.Equal(t, want, status(url, host), host)
	}
	t.Setenv(credentialsEnv, "tokens: [{token: t, project_id: p}]")
	url, _ = served(t, "--db", "sqlite:"+filepath.Join(dir, "g.db"), "--auth", "token")
	assert.Equal(t, 200, status(url, "evil.example"), "it would need a token")
}
