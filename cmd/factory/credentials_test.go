package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
)

func TestReadCredentials(t *testing.T) {
	want := server.Credentials{
		Keys:   []server.Key{{AccessKey: "AKEXAMPLE", SecretKey: "SKEXAMPLE", ProjectID: documentedProject}},
		Tokens: []server.Token{{Token: "MIIEXAMPLE", ProjectID: documentedProject}},
		Users:  []server.User{{Name: "deployer", Password: "PWEXAMPLE", Domain: "example", ProjectID: documentedProject}},
	}
	file := filepath.Join(t.TempDir(), "credentials.yaml")
	require.NoError(t, os.WriteFile(file, []byte(credentialsForm), 0o600))
	got, err := readCredentials(file)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	t.Setenv(credentialsEnv, credentialsForm)
	got, err = readCredentials("")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// An error says where it is, and nothing of what stands there.
func TestCredentialsRefused(t *testing.T) {
	for content, want := range map[string]string{
		"keys: SECRET":                                "line 1 is not of the form",
		"tokens:\n- {token: SECRET, project: p}":      "line 2: unknown field: want project_id or token",
		"tokens:\n- {token: [SECRET], project_id: p}": "line 2 is not of the form",
		"tokens:\n- {token: *SECRET, project_id: p}":  "is not of the form",
		"SECRET":   "line 1 is not of the form",
		"\"SECRET": "is not of the form",
		"keys: [{access_key: SECRET, secret_key: SECRET}]":                      "key 1: want access_key, secret_key and project_id",
		"users: [{name: n, password: SECRET}]":                                  "user 1: want name, password, domain and project_id",
		"users: [{name: n, password: SECRET, domain: d, project_id: ''}]":       "user 1: no project can have this project_id",
		"tokens: [{token: SECRET}]":                                             "token 1: want token and project_id",
		"tokens: [{token: SECRET, project_id: ''}]":                             "token 1: no project can have this project_id",
		"keys: [{access_key: SECRET, secret_key: SECRET, project_id: \"\\0\"}]": "key 1: no project can have this project_id",
	} {
		file := filepath.Join(t.TempDir(), "credentials.yaml")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, err := readCredentials(file)
		require.ErrorContains(t, err, want, content)
		require.ErrorContains(t, err, "credentials file "+file)
		assert.NotContains(t, err.Error(), "SECRET")
	}
	_, err := readCredentials("/nowhere/credentials.yaml")
	require.ErrorContains(t, err, "credentials file: open /nowhere/credentials.yaml")
}
