package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// A client with a password is served whole: it fetches a token of this server,
// and cancels with it.
func TestIAM(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	credentials := filepath.Join(dir, "credentials.yaml")
	require.NoError(t, os.WriteFile(credentials, []byte(credentialsForm), 0o600))
	stdout, w := io.Pipe()
	code := make(chan int, 1)
	var log strings.Builder
	go func() {
		code <- Do(ctx, []string{
			"serve", "--listen", "127.0.0.1:0", "--db", "sqlite:" + filepath.Join(dir, "f.db"),
			"--packages", "testdata/packages.yaml", "--auth", "token", "--iam", "--credentials", credentials,
		}, strings.NewReader(""), w, &log)
		_ = w.Close()
	}()
	url, err := listeningOn(bufio.NewReader(stdout))
	require.NoError(t, err)
	call := func(user, password string) error {
		c, err := client.New(url, documentedProject, client.WithIAMEndpoint(url),
			client.WithCredentials(client.Password("example", user, password)))
		require.NoError(t, err)
		defer c.CloseIdleConnections()
		return c.CancelFactoryPackages(t.Context(), "12")
	}
	require.NoError(t, call("deployer", "PWEXAMPLE"))
	for user, password := range map[string]string{"deployer": "wrong", "nobody": "PWEXAMPLE"} {
		var refused *client.Error
		require.ErrorAs(t, call(user, password), &refused)
		assert.Equal(t, 401, refused.HTTPStatus)
		assert.Equal(t, "The username or password is wrong.", refused.Message)
	}
	cancel()
	require.Equal(t, 0, <-code)
	assert.NotContains(t, log.String(), "PWEXAMPLE")
}

func TestIAMWithoutUsers(t *testing.T) {
	t.Setenv(credentialsEnv, "tokens: [{token: MIIEXAMPLE, project_id: abc}]")
	_, err := authOption("token", "", true)
	require.ErrorContains(t, err, "--iam needs users")
}
