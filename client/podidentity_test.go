package client_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

const (
	podToken    = "eyJhbGciOiJSUzI1NiJ9.token.of-the-pod"
	podEndpoint = "http://" + podHost + "/v1/credentials?cluster=c"
)

func TestPodIdentity(t *testing.T) {
	s := keyService{form: podForm}
	file := writeFile(t, "token", "first "+podToken)
	var tokens []string
	pod := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "POST /v1/credentials?cluster=c", r.Method+" "+r.URL.String())
		assert.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "{}", string(body))
		tokens = append(tokens, r.Header.Get("Authorization"))
		s.give(w, r)
	})
	s.refuse = func(access string) (int, string) {
		if access == accessNumber(1) && len(s.used) > 2 {
			return http.StatusUnauthorized, "APIG.0301"
		}
		return 0, ""
	}
	c := cloudClient(t, hosts{podHost: pod, vendorHost: http.HandlerFunc(s.cancel)}.serve(t), client.PodIdentity(podEndpoint, file))
	for range 2 {
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	}
	// The token in the file is replaced from time to time.
	require.NoError(t, os.WriteFile(file, []byte("\nsecond "+podToken+"\n"), 0o600))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Equal(t, []string{"first " + podToken, "second " + podToken}, tokens)
	assert.Equal(t, []string{accessNumber(1), accessNumber(1), accessNumber(1), accessNumber(2)}, s.used)
}

func TestPodIdentityFails(t *testing.T) {
	const isJSON = "application/json"
	file := writeFile(t, "token", podToken)
	echo := func(status int, contentType, form string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			respond(status, contentType, fmt.Sprintf(form, r.Header.Get("Authorization")))(w, r)
		}
	}
	tests := []struct {
		name, file string
		pod        http.HandlerFunc
		fetches    int64
		want       string
	}{
		{"refused", file, echo(403, isJSON, `{"error_code":"PodIdentity.0003","error_msg":"no association for %s"}`), 1, "403 PodIdentity.0003: no association for [redacted]"},
		{"text", file, echo(400, "text/plain", `what is %s?`), 1, "400 Bad Request"},
		{"unavailable", file, respond(503, isJSON, `{}`), 4, "503 Service Unavailable"},
		{"no keys", file, respond(200, isJSON, `{"credential":{"access":"x"}}`), 1, "client: access key is empty"},
		{"not JSON", file, echo(200, isJSON, `%s`), 1, "not JSON"},
		{"another type", file, echo(200, isJSON, `{"credentials":[%q]}`), 1, `"credentials" has the wrong type`},
		{"an end that is no time", file, echo(200, isJSON, `{"credentials":{"accessKeyId":"A","secretAccessKey":"S","securityToken":"T","expiration":%q}}`), 1, "the time when the keys expire"},
		{"no file", filepath.Join(t.TempDir(), "none"), refuse(t), 0, "none: no such file"},
		{"a directory", t.TempDir(), refuse(t), 0, "is a directory"},
		{"empty file", writeFile(t, "empty", " \n"), refuse(t), 0, "empty: client: token is empty"},
		{"two lines", writeFile(t, "lines", podToken+"\n"+podToken), refuse(t), 0, "lines: client: token contains a control character"},
		{"not UTF-8", writeFile(t, "latin", podToken+"\xff"), refuse(t), 0, "latin: client: token is not valid UTF-8"},
		{"too long", writeFile(t, "long", strings.Repeat("x", 65<<10)), refuse(t), 0, "long: more than 64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fetches atomic.Int64
			pod := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fetches.Add(1)
				tt.pod(w, r)
			})
			c := cloudClient(t, hosts{podHost: pod, vendorHost: refuse(t)}.serve(t), client.PodIdentity(podEndpoint, tt.file))
			err := c.CancelFactoryPackages(t.Context(), "12")
			require.ErrorContains(t, err, "cancel task packages: authorize the request: fetch keys of the pod: ")
			require.ErrorContains(t, err, tt.want)
			noSecrets(t, err, podToken)
			assert.Equal(t, tt.fetches, fetches.Load())
		})
	}
}

// A file that may not be read is said to be so.
func TestTokenFileForbidden(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read any file")
	}
	file := writeFile(t, "token", podToken)
	require.NoError(t, os.Chmod(file, 0))
	c := cloudClient(t, hosts{}, client.PodIdentity(podEndpoint, file))
	require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), "12"), os.ErrPermission)
	_, err := client.New("http://host", projectID, client.WithCredentials(client.FromFile(file)))
	require.ErrorIs(t, err, os.ErrPermission)
	_, err = client.New("http://host", projectID, client.WithCredentials(client.FromProfile(file, "")))
	require.ErrorIs(t, err, os.ErrPermission)
}
