package sdktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	dataarts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/internal/signing"
)

const (
	projectID = "b384b9e9ab9b4ee8994c8633aabc9505"
	workspace = "eb6dcfb6d4d14f1c9b0a3f2a5d3c4b1a"
	path      = "/v2/" + projectID + "/factory/release-packages/unpack"
	accessKey = "AKEXAMPLE0000000TEST"
	secretKey = "SKexample+/0000000000000000000000000test"
	token     = "MIIEexample.token"
)

// caller is one way to cancel a package.
type caller struct {
	name string
	call func() error
}

// callers are the ways that are compared: bare net/http and this module's
// client, each with a token and with keys, and the SDK, which knows keys alone.
func callers(t testing.TB, endpoint string) []caller {
	t.Helper()
	return []caller{
		{"net/http, token", bare(endpoint, func(req *http.Request) error {
			req.Header.Set("X-Auth-Token", token)
			return nil
		})},
		{"client, token", ours(t, endpoint, client.Token(token))},
		{"net/http, keys", bare(endpoint, func(req *http.Request) error {
			req.Header.Set("X-Project-Id", projectID)
			return signing.Sign(req, accessKey, secretKey, time.Now())
		})},
		{"client, keys", ours(t, endpoint, client.AKSK(accessKey, secretKey))},
		{"SDK, keys", theirs(t, endpoint)},
	}
}

func bare(endpoint string, authorize func(*http.Request) error) func() error {
	httpClient := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	return func() error {
		body, err := json.Marshal(map[string][]string{"package_ids": {"12"}})
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, endpoint+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json;charset=UTF-8")
		req.Header.Set("User-Agent", "bare")
		req.Header.Set("workspace", workspace)
		if err := authorize(req); err != nil {
			return err
		}
		resp, err := httpClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	}
}

func ours(t testing.TB, endpoint string, credentials client.Credentials) func() error {
	t.Helper()
	c, err := client.New(endpoint, projectID, client.WithCredentials(credentials), client.WithWorkspace(workspace))
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)
	return func() error { return c.CancelFactoryPackages(t.Context(), "12") }
}

func theirs(t testing.TB, endpoint string) func() error {
	t.Helper()
	credentials, err := basic.NewCredentialsBuilder().WithAk(accessKey).WithSk(secretKey).WithProjectId(projectID).SafeBuild()
	require.NoError(t, err)
	hc, err := dataarts.DataArtsStudioClientBuilder().
		WithEndpoint(endpoint).
		WithCredential(credentials).
		WithHttpConfig(config.DefaultHttpConfig().WithUserAgent("sdk")).
		SafeBuild()
	require.NoError(t, err)
	c := dataarts.NewDataArtsStudioClient(hc)
	ids, w, contentType := []string{"12"}, workspace, "application/json;charset=UTF-8"
	return func() error {
		_, err := c.CancelFactoryPackages(&model.CancelFactoryPackagesRequest{
			Workspace: &w, ContentType: &contentType, Body: &model.CancelFactoryPackagesRequestBody{PackageIds: &ids},
		})
		return err
	}
}

// All callers ask for the same: what is compared is comparable.
func TestCallersAreAlike(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		got = append(got, fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"), r.Header.Get("Workspace"), bytes.TrimSpace(body)))
	}))
	t.Cleanup(srv.Close)
	for i, c := range callers(t, srv.URL) {
		require.NoError(t, c.call(), c.name)
		require.Len(t, got, i+1)
		assert.Equal(t, got[0], got[i], c.name)
	}
}

// discard is the server: it reads and answers 200.
func discard(t testing.TB) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// What a call allocates, its server included, does not depend on the machine.
func TestAllocations(t *testing.T) {
	allocations := map[string]float64{}
	for _, c := range callers(t, discard(t)) {
		allocations[c.name] = testing.AllocsPerRun(200, func() {
			if err := c.call(); err != nil {
				t.Error(err)
			}
		})
	}
	assert.Less(t, allocations["client, keys"], allocations["SDK, keys"])
	assert.Less(t, allocations["client, token"], allocations["client, keys"])
}

// One call over loopback, client and server together.
func BenchmarkCancel(b *testing.B) {
	for _, c := range callers(b, discard(b)) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// All of them in turn, call by call, so that what else the machine does falls
// on each alike: the median of each, and how often that of net/http with the
// same credentials it is.
func BenchmarkSideBySide(b *testing.B) {
	all := callers(b, discard(b))
	took := make([][]time.Duration, len(all))
	for b.Loop() {
		for i, c := range all {
			start := time.Now()
			if err := c.call(); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	median := func(i int) float64 {
		slices.Sort(took[i])
		return float64(took[i][len(took[i])/2].Nanoseconds())
	}
	b.ReportMetric(0, "ns/op") // of all of them: it says nothing
	bare := map[string]float64{}
	for i, c := range all {
		by, credentials, _ := strings.Cut(c.name, ", ")
		if by == "net/http" {
			bare[credentials] = median(i)
		}
	}
	for i, c := range all {
		by, credentials, _ := strings.Cut(c.name, ", ")
		b.ReportMetric(median(i), by+"+"+credentials+"-ns")
		b.ReportMetric(median(i)/bare[credentials], by+"+"+credentials+"-ratio")
	}
}
