package servertest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/servertest"
	"github.com/dataarts-go/factory/server/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const project = "b384b9e9ab9b4ee8994c8633aabc9505"

// A program's own test: cancel, and look at what became of the packages.
func TestStart(t *testing.T) {
	s := servertest.Start(t, servertest.Packages(project, "12", "13"))
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := client.New(s.URL, project, client.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Equal(t, map[string]store.State{"12": store.Cancelled, "13": store.Pending}, s.States(project, ""))
	require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), "99"), client.ErrTaskNotFound)
}

// Options of the server go through, and each server has a store of its own.
func TestStartWithOptions(t *testing.T) {
	auth := server.WithAuth(server.AuthToken, server.Credentials{Tokens: []server.Token{{Token: "token", ProjectID: project}}})
	s := servertest.Start(t, servertest.Packages(project, "12"), auth)
	other := servertest.Start(t, []store.Package{{ID: "12", ProjectID: project, Workspace: "w", State: store.Released}})
	for _, at := range []*servertest.Server{s, other} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			at.URL+"/v2/"+project+"/factory/release-packages/unpack", strings.NewReader(`{"package_ids":["12"]}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json;charset=UTF-8")
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		if at == s {
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		} else {
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
		}
	}
	assert.Equal(t, map[string]store.State{"12": store.Pending}, s.States(project, ""))
	assert.Equal(t, map[string]store.State{"12": store.Released}, other.States(project, "w"))
}

// failing is a testing.TB that notes a failure instead of ending the test.
type failing struct {
	testing.TB
	failed string
}

var errFatal = errors.New("fatal")

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, _ ...any) {
	f.failed = format
	panic(errFatal)
}

func TestStartFails(t *testing.T) {
	tb := &failing{TB: t}
	for _, start := range []func(){
		func() { servertest.Start(tb, servertest.Packages(project, "")) },
		func() { servertest.Start(tb, nil, server.WithGracePeriod(0)) },
		func() { servertest.Start(tb, nil).States("nowhere", "") },
	} {
		tb.failed = ""
		assert.PanicsWithValue(t, errFatal, start)
		assert.Contains(t, tb.failed, "servertest: ")
	}
}
