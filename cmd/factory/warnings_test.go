package main

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWarnings(t *testing.T) {
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 80} }
	credentials := func(mode os.FileMode) string {
		file := filepath.Join(t.TempDir(), "credentials.yaml")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		require.NoError(t, os.Chmod(file, mode)) // whatever the umask is
		return file
	}
	const everybody, packages, writable = "may cancel packages", "sees all packages", "may write the credentials file"
	for name, tt := range map[string]struct {
		flags         serveFlags
		listen, admin net.Addr
		want          []string
	}{
		"on loopback":      {serveFlags{auth: "none"}, at("127.0.0.1"), at("::1"), nil},
		"on all addresses": {serveFlags{auth: "none"}, at("0.0.0.0"), at("::"), []string{everybody, packages}},
		"on another":       {serveFlags{auth: "none"}, at("192.0.2.1"), nil, []string{everybody}},
		"with credentials": {serveFlags{auth: "all", credentials: credentials(0o644)}, at("192.0.2.1"), at("192.0.2.1"), []string{packages}},
		"written by all":   {serveFlags{auth: "all", credentials: credentials(0o602)}, at("192.0.2.1"), nil, []string{writable}},
		"by the group":     {serveFlags{auth: "all", credentials: credentials(0o660)}, at("127.0.0.1"), nil, []string{writable}},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.flags.credentials != "" {
				t.Skip("on Windows the mode of a file does not say who may write it")
			}
			var log bytes.Buffer
			tt.flags.warn(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), tt.listen, tt.admin)
			assert.Equal(t, len(tt.want), strings.Count(log.String(), "level=WARN"), log.String())
			for _, want := range tt.want {
				assert.Contains(t, log.String(), want)
			}
		})
	}
}

// The command itself warns.
func TestServeWarns(t *testing.T) {
	p := &process{}
	require.NoError(t, p.start(t.TempDir(), "--listen", "0.0.0.0:0", "--admin-listen", "0.0.0.0:0"))
	t.Cleanup(p.kill)
	require.NoError(t, p.signal(syscall.SIGTERM))
	assert.Equal(t, 2, strings.Count(p.stderr.String(), "level=WARN"), p.stderr.String())
}
