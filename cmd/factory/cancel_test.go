package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

const cancelToken = "MIIEsecret-of-the-caller"

// runCancel runs factory cancel with args.
func runCancel(ctx context.Context, stdout io.Writer, args ...string) error {
	cmd := newCancelCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(io.Discard)
	return cmd.ExecuteContext(ctx)
}

// cancelStatus is the one that err ends the command with.
func cancelStatus(err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitCannot
}

func TestCancelRequest(t *testing.T) {
	tests := []struct {
		name, token      string
		args             []string
		wantToken, wantW []string
		wantBody, stdout string
	}{
		{"two packages", "", []string{"12", "13"}, nil, nil, `{"package_ids":["12","13"]}`, "cancelled 2 packages\n"},
		{"one package", cancelToken, []string{"--workspace", "dev", "12"},
			[]string{cancelToken}, []string{"dev"}, `{"package_ids":["12"]}`, "cancelled 1 package\n"},
		{"an ID like a flag", "", []string{"--", "--12"}, nil, nil, `{"package_ids":["--12"]}`, "cancelled 1 package\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(tokenVariable, tt.token)
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/base/v2/p/factory/release-packages/unpack", r.URL.Path)
				assert.Equal(t, tt.wantToken, r.Header["X-Auth-Token"])
				assert.Equal(t, tt.wantW, r.Header["Workspace"])
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				assert.JSONEq(t, tt.wantBody, string(body))
			}))
			t.Cleanup(srv.Close)
			var stdout bytes.Buffer
			require.NoError(t, runCancel(t.Context(), &stdout, append([]string{"--endpoint", srv.URL + "/base", "--project", "p"}, tt.args...)...))
			assert.Equal(t, tt.stdout, stdout.String())
		})
	}
}

func TestCancelExitStatus(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error_code":"DLF.0810","error_msg":"Task does not exist. %s"}`, r.Header.Get("X-Auth-Token"))
	}))
	t.Cleanup(refusing.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	cancelled, stop := context.WithCancel(t.Context())
	stop()

	tests := []struct {
		name   string
		ctx    context.Context
		token  string
		args   []string
		status int
		want   string
	}{
		{"refused", t.Context(), cancelToken, []string{"--endpoint", refusing.URL, "--project", "p", "12"}, 1, "400 DLF.0810: Task does not exist."},
		{"nobody listens", t.Context(), cancelToken, []string{"--endpoint", gone.URL, "--project", "p", "12"}, 3, "cancel task packages: Post "},
		{"interrupted", cancelled, "", []string{"--endpoint", refusing.URL, "--project", "p", "12"}, 3, "context canceled"},
		{"no IDs", t.Context(), "", []string{"--endpoint", refusing.URL, "--project", "p"}, 2, "requires at least 1 arg"},
		{"no endpoint", t.Context(), "", []string{"--project", "p", "12"}, 2, `required flag(s) "endpoint" not set`},
		{"no project", t.Context(), "", []string{"--endpoint", refusing.URL, "12"}, 2, `required flag(s) "project" not set`},
		{"endpoint without scheme", t.Context(), "", []string{"--endpoint", "host", "--project", "p", "12"}, 2, "endpoint is not an absolute"},
		{"empty workspace", t.Context(), "", []string{"--endpoint", refusing.URL, "--project", "p", "--workspace", "", "12"}, 2, "workspace is empty"},
		{"bad token", t.Context(), cancelToken + "\n", []string{"--endpoint", refusing.URL, "--project", "p", "12"}, 2, "token contains a control character"},
		{"an ID in another encoding", t.Context(), "", []string{"--endpoint", refusing.URL, "--project", "p", "\xff"}, 2, "is not valid UTF-8"},
		{"token on the command line", t.Context(), "", []string{"--endpoint", refusing.URL, "--project", "p", "--token", cancelToken, "12"}, 2, "unknown flag: --token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(tokenVariable, tt.token)
			var stdout bytes.Buffer
			err := runCancel(tt.ctx, &stdout, tt.args...)
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.status, cancelStatus(err))
			assert.NotContains(t, err.Error(), cancelToken)
			assert.Empty(t, stdout.String())
			assert.Equal(t, tt.status == exitRefused, errors.Is(err, client.ErrTaskNotFound))
		})
	}
}

// brokenPipe is a standard output that nobody reads any more.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestCancelOutputFails(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	err := runCancel(t.Context(), brokenPipe{}, "--endpoint", srv.URL, "--project", "p", "12")
	require.ErrorIs(t, err, io.ErrClosedPipe)
	assert.Equal(t, exitCannot, cancelStatus(err))
}
