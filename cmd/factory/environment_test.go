package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithoutPassword(t *testing.T) {
	for dsn, want := range map[string]string{
		"sqlite:a b.db":                "sqlite:a b.db",
		"postgres://u@h/d":             "postgres://u@h/d",
		"postgres://u:secret@h:5432/d": "postgres://u:xxxxx@h:5432/d",
		"postgres:///d?host=/run&password=secret&sslpassword=secret": "postgres:///d?host=%2Frun&password=xxxxx&sslpassword=xxxxx",
		"postgres://u:secret@h:port/d":                               "postgres:…",
		"postgres://u:%zz@h/d":                                       "postgres:…",
	} {
		assert.Equal(t, want, withoutPassword(dsn), dsn)
	}
}

// A flag goes before its variable, and a variable before the default.
func TestEnvironment(t *testing.T) {
	t.Setenv("FACTORY_MAX_BODY", "1234")
	t.Setenv("FACTORY_IDLE_TIMEOUT", "7s")
	t.Setenv("FACTORY_AUTH", "")
	cmd := newServeCommand()
	require.NoError(t, cmd.ParseFlags([]string{"--idle-timeout", "8s"}))
	require.NoError(t, fromEnvironment(cmd.Flags()))
	var log bytes.Buffer
	for _, attr := range settings(cmd.Flags()) {
		log.WriteString(attr.String() + "\n")
	}
	for _, want := range []string{"max_body=1234\n", "idle_timeout=8s\n", "auth=none\n", "db=sqlite:factory.db\n"} {
		assert.Contains(t, log.String(), want)
	}

	t.Setenv("FACTORY_MAX_BODY", "secret")
	err := fromEnvironment(newServeCommand().Flags())
	require.EqualError(t, err, "FACTORY_MAX_BODY: not a value of --max-body")
}

// The commands that use a database take it from the environment, too, and an
// error quotes none of it.
func TestDatabaseFromEnvironment(t *testing.T) {
	db, other := "sqlite:"+t.TempDir()+"/f.db", "sqlite:"+t.TempDir()+"/g.db"
	t.Setenv("FACTORY_DB", db)
	t.Setenv("FACTORY_PROJECT", "ignored")
	code, stdout, stderr := do(t, "packages", "add", "--project", "p", "12")
	require.Equal(t, 0, code, stderr)
	assert.Equal(t, "added 1, already there 0\n", stdout)
	for _, args := range [][]string{{"packages", "list", "--project", "p"}, {"packages", "export"}} {
		code, stdout, stderr = do(t, args...)
		require.Equal(t, 0, code, stderr)
		assert.Contains(t, stdout, "12")
		code, _, stderr = do(t, append(args, "--db", other)...)
		assert.Equal(t, 2, code)
		assert.Contains(t, stderr, "there is no such file")
	}
	for _, text := range []string{
		"host=db user=u password=secret dbname=x", "host=db password=secret:x", "mysql://u:secret@h/x",
	} {
		t.Setenv("FACTORY_DB", text)
		for _, args := range [][]string{
			{"serve", "--listen", "127.0.0.1:0"},
			{"packages", "add", "--project", "p", "12"},
			{"packages", "list", "--project", "p"},
			{"packages", "export"},
		} {
			code, stdout, stderr := do(t, args...)
			assert.Equal(t, 2, code, args)
			assert.Empty(t, stdout, args)
			assert.Contains(t, stderr, "want sqlite:FILE or postgres://", args)
			assert.NotContains(t, stderr, "secret", args)
		}
	}
}

// The server speaks TLS and HTTP/2 where it is given a certificate, and keeps the
// contract in them.
func TestServeTLS(t *testing.T) {
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS() // for its certificate
	defer borrowed.Close()
	certificate := borrowed.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, data []byte) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600))
		return file
	}
	cert, keyFile := write("cert.pem", "CERTIFICATE", certificate.Certificate[0]), write("key.pem", "PRIVATE KEY", key)

	db := "sqlite:" + filepath.Join(dir, "f.db")
	url, _ := served(t, "--db", db, "--tls-cert", cert, "--tls-key", keyFile, "--packages", "testdata/packages.yaml")
	assert.Regexp(t, "^https://", url)
	roots := x509.NewCertPool()
	roots.AddCert(borrowed.Certificate())
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/readyz", http.NoBody)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/2.0 200 ok\n", resp.Proto+" "+resp.Status[:3]+" "+string(body))

	judge := exec.CommandContext(t.Context(), "judge", url)
	judge.Env = append(os.Environ(), "SSL_CERT_FILE="+cert, "GORACE="+quickExit)
	findings, err := judge.CombinedOutput()
	require.NoError(t, err, "%s", findings)
	assert.Empty(t, string(findings))

	for want, args := range map[string][]string{
		"factory: --tls-cert and --tls-key belong together\n":           {"--tls-cert", cert},
		"factory: --tls-cert and --tls-key: stat /nowhere":              {"--tls-cert", "/nowhere", "--tls-key", keyFile},
		"factory: --request-timeout: request timeout: limit is -1s":     {"--request-timeout", "-1s"},
		"factory: --max-body: bytes of the body: limit is -1":           {"--max-body", "-1"},
		"factory: --max-bodies: bytes of all bodies are 9, want at lea": {"--max-bodies", "9"},
		"factory: --max-header: bytes of headers: limit is -1":          {"--max-header", "-1"},
		"factory: --max-connections: connections: limit is -1":          {"--max-connections", "-1"},
		"factory: --max-packages: packages: limit is -1":                {"--max-packages", "-1"},
		"factory: --max-connections-per-address: connections of one ad": {"--max-connections-per-address", "-1"},
		"factory: --write-timeout: write timeout: limit is -1s":         {"--write-timeout", "-1s"},
		"factory: --write-timeout: write timeout is 1s, want more than": {"--write-timeout", "1s"},
		"factory: --trusted-proxy 192.0.2.1/33: want a network":         {"--trusted-proxy", "192.0.2.1/33"},
		"factory: --require-signed: want --auth aksk or all":            {"--require-signed"},
		"factory: --auth: authentication is \"x\", want none":           {"--auth", "x"},
	} {
		code, stdout, stderr := do(t, append([]string{"serve", "--db", db}, args...)...)
		assert.Equal(t, 2, code)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, want)
	}
}
