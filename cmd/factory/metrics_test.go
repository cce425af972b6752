package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What was answered is counted by operation and status, and no name that a
// caller chose is among the labels.
func TestMetrics(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stdout, w := io.Pipe()
	logs, logged := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- Do(ctx, []string{
			"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
			"--db", "sqlite:" + filepath.Join(t.TempDir(), "f.db"), "--packages", "testdata/packages.yaml",
		}, strings.NewReader(""), w, logged)
		_ = w.Close()
		_ = logged.Close()
	}()
	lines := bufio.NewReader(logs)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	at := regexp.MustCompile(`msg=metrics url=(\S+/metrics)`).FindStringSubmatch(line)
	require.Len(t, at, 2, line)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	url, err := listeningOn(bufio.NewReader(stdout))
	require.NoError(t, err)

	for _, ids := range []string{`["12"]`, `["99"]`, `[12]`} {
		post(t, url, documentedProject, "", `{"package_ids":`+ids+`}`)
	}
	get := func(url string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	get(url + "/secret-path")
	get(url + "/readyz")
	got := get(at[1])
	for _, want := range []string{
		`factory_request_duration_seconds_count{operation="CancelFactoryPackages",status="200"} 1`,
		`factory_request_duration_seconds_count{operation="CancelFactoryPackages",status="400"} 2`,
		`factory_refused_total{operation="CancelFactoryPackages",rule="body: type"} 1`,
		`factory_request_duration_seconds_count{operation="none",status="404"} 1`,
		`factory_request_duration_seconds_count{operation="probe",status="200"} 1`,
		`factory_store_cancel_duration_seconds_count{result="ok"} 1`,
		`factory_store_cancel_duration_seconds_count{result="refused"} 1`,
		"go_goroutines",
	} {
		assert.Contains(t, got, want)
	}
	assert.NotContains(t, got, "secret-path")
	page := strings.TrimSuffix(at[1], "metrics")
	assert.Contains(t, get(page), "ready</span>")
	assert.Regexp(t, `>12</td><td [^>]*class="state cancelled">\S+ cancelled</td>`, get(page+"?state=cancelled"))
	assert.Contains(t, get(page+"?id=nothing&state=%3Cscript%3E"), "0 of 0 packages")
	assert.NotContains(t, get(url+"/"), "packages that match", "nor is the page")
	assert.NotContains(t, got, documentedProject)
	assert.Contains(t, get(url+"/metrics"), "APIG.0101", "metrics are not for everyone")
	cancel()
	assert.Equal(t, 0, <-code)
}

func TestAdminAddressInUse(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	code, _, stderr := do(t, "serve", "--db", "sqlite:"+t.TempDir()+"/f.db", "--admin-listen", listener.Addr().String())
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "factory: --admin-listen: listen tcp")
}
