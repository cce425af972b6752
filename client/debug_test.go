package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// shown is what WithDebug writes, without what differs from run to run.
func shown(text string) string {
	for pattern, with := range map[string]string{
		`127\.0\.0\.1:\d+`:         "HOST",
		`\(\d+(\.\d+)?(µs|ms|s)\)`: "(TIME)",
		`dataarts-go-factory/\S+`:  "AGENT",
		`Content-Length: \d+`:      "Content-Length: LENGTH",
		`Date: .*`:                 "Date: DATE",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text
}

func TestWithDebug(t *testing.T) {
	var text strings.Builder
	answers := []int{http.StatusBadRequest, http.StatusOK}
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		status := answers[0]
		answers = answers[1:]
		w.Header().Set("X-Request-Id", "8a4d")
		w.Header().Set("X-Echo", r.Header.Get("X-Security-Token")+r.Header.Get("Authorization"))
		w.Header().Set("Set-Cookie", "HWWAFSESID=0123456789")
		w.Header().Set("Location", "https://user:password@host/?"+securityToken)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error_code":"DLF.0810","error_msg":"Task `+"\x1b"+`[2J does not exist. `+r.Header.Get("X-Security-Token")+`"}`)
	}, client.WithDebug(&text), client.WithWorkspace("dev"), client.WithCredentials(client.TemporaryAKSK(accessKey, secretKey, securityToken)))
	require.Error(t, c.CancelFactoryPackages(t.Context(), "12", "13"))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "14"))
	assert.Equal(t, `#1 > POST http://HOST/base/path/v2/b384b9e9ab9b4ee8994c8633aabc9505/factory/release-packages/unpack
#1 > Authorization: SDK-HMAC-SHA256 Access=[redacted], SignedHeaders=user-agent;workspace;x-project-id;x-sdk-date;x-security-token, Signature=[redacted]
#1 > Content-Type: application/json;charset=UTF-8
#1 > User-Agent: AGENT
#1 > Workspace: dev
#1 > X-Project-Id: b384b9e9ab9b4ee8994c8633aabc9505
#1 > X-Sdk-Date: DATE
#1 > X-Security-Token: [redacted]
#1 >
#1 > {"package_ids":["12","13"]}
#1 < HTTP/1.1 400 Bad Request (TIME)
#1 < Content-Length: LENGTH
#1 < Content-Type: application/json
#1 < Date: DATE
#1 < Location: https://user:xxxxx@host/?[redacted]
#1 < Set-Cookie: [redacted]
#1 < X-Echo: [redacted][redacted]
#1 < X-Request-Id: 8a4d
#1 <
#1 < {"error_code":"DLF.0810","error_msg":"Task  [2J does not exist. [redacted]"}
#2 > POST http://HOST/base/path/v2/b384b9e9ab9b4ee8994c8633aabc9505/factory/release-packages/unpack
#2 > Authorization: SDK-HMAC-SHA256 Access=[redacted], SignedHeaders=user-agent;workspace;x-project-id;x-sdk-date;x-security-token, Signature=[redacted]
#2 > Content-Type: application/json;charset=UTF-8
#2 > User-Agent: AGENT
#2 > Workspace: dev
#2 > X-Project-Id: b384b9e9ab9b4ee8994c8633aabc9505
#2 > X-Sdk-Date: DATE
#2 > X-Security-Token: [redacted]
#2 >
#2 > {"package_ids":["14"]}
#2 < HTTP/1.1 200 OK (TIME)
#2 < Content-Length: LENGTH
#2 < Content-Type: application/json
#2 < Date: DATE
#2 < Location: https://user:xxxxx@host/?[redacted]
#2 < Set-Cookie: [redacted]
#2 < X-Echo: [redacted][redacted]
#2 < X-Request-Id: 8a4d
`, shown(text.String()))
}

// Neither IAM's answer nor the question is shown whole, nor what a program's own
// credentials put into a header, nor what a service repeats of it.
func TestWithDebugHidesSecrets(t *testing.T) {
	const apiKey, short = "a-key-of-the-program", "short"
	credentials := map[string]client.Credentials{"a header of its own": authorizeFunc(func(req *http.Request) error {
		req.Header.Set("X-Apig-Appcode", apiKey)
		req.Header.Set("X-Password", short)
		return nil
	}), "another scheme": authorizeFunc(func(req *http.Request) error {
		req.Header.Set("Authorization", "Bearer "+apiKey)
		return nil
	}), "a signature that is none": authorizeFunc(func(req *http.Request) error {
		req.Header.Set("Authorization", "SDK-HMAC-SHA256 "+apiKey)
		return nil
	})}
	for name, c := range kinds {
		credentials[name] = c
	}
	for name, c := range credentials {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			i := httptest.NewServer(&iam{life: time.Hour})
			t.Cleanup(i.Close)
			all := setup(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("X-Subject-Token", "a-new-token-for-you")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(w, `{"error_code":"APIG.0301","error_msg":"`+r.Header.Get("X-Auth-Token")+r.Header.Get("X-Apig-Appcode")+
					string(body)+`verify aksk signature fail,canonicalRequest:POST|authorization:abc|"}`)
			}, client.WithDebug(&text), client.WithCredentials(c), client.WithIAMEndpoint(i.URL))
			require.Error(t, all.CancelFactoryPackages(t.Context(), "12"))
			for _, secret := range append(secrets, apiKey, tokenNumber(1), tokenNumber(2), "a-new-token-for-you", "authorization:abc", "X-Password: "+short) {
				assert.NotContains(t, text.String(), secret)
			}
			if name == "Password" {
				assert.Contains(t, text.String(), "#1 > (a body that is not shown)\n")
				assert.Contains(t, text.String(), "#1 < (a body that is not shown)\n")
				assert.Contains(t, text.String(), "X-Subject-Token: [redacted]\n")
			}
		})
	}
}

func TestWithDebugOfErrors(t *testing.T) {
	var text strings.Builder
	c := setup(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, client.WithDebug(&text))
	require.Error(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Regexp(t, `(?m)^#1 ! Post "http://\S+": EOF \(\S+\)$`, text.String())
	_, err := client.New("http://host", projectID, client.WithDebug(nil))
	require.EqualError(t, err, "client: debug writer is nil")
}

// Only the beginning of a long body is shown.
func TestWithDebugIsBounded(t *testing.T) {
	var text strings.Builder
	c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		refuseWith(w, `{"error_msg":"`+strings.Repeat("m", 60<<10)+`"}`)
	}, client.WithDebug(&text))
	require.Error(t, c.CancelFactoryPackages(t.Context(), strings.Repeat("1", 60<<10)))
	assert.Less(t, text.Len(), 10<<10)
	assert.Equal(t, 2, strings.Count(text.String(), "…\n"))
}

// oneAtATime is a writer that notices when two use it at once, and fails.
type oneAtATime struct{ users, overlaps atomic.Int64 }

func (w *oneAtATime) Write([]byte) (int, error) {
	if w.users.Add(1) > 1 {
		w.overlaps.Add(1)
	}
	defer w.users.Add(-1)
	return 0, errors.New("broken pipe")
}

func TestWithDebugOfManyCallers(t *testing.T) {
	var w oneAtATime
	c := setup(t, func(http.ResponseWriter, *http.Request) {}, client.WithDebug(&w))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { assert.NoError(t, c.CancelFactoryPackages(t.Context(), "12")) })
	}
	wg.Wait()
	assert.Zero(t, w.overlaps.Load())
}
