package server_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// A server that is killed while it cancels has lost nothing that it has
// confirmed, and holds no request that was carried out in part.
func TestKill(t *testing.T) { testKill(t, "sqlite:"+filepath.Join(t.TempDir(), "factory.db")) }

func testKill(t *testing.T, dsn string) {
	t.Helper()
	const rounds, clients, perRound, size = 3, 4, 200, 5
	const groups = rounds * perRound
	id := func(group, i int) string { return fmt.Sprintf("%d-%d", group, i) }
	s, err := store.Open(t.Context(), dsn)
	require.NoError(t, err)
	var packages []store.Package
	for group := range groups {
		for i := range size {
			packages = append(packages, store.Package{ID: id(group, i), ProjectID: project})
		}
	}
	_, err = s.Add(t.Context(), store.Packages(packages...))
	require.NoError(t, err)
	require.NoError(t, s.Close())

	confirmed := make([]bool, groups) // each is written by one client alone
	for round := range rounds {
		served := startChild(t, dsn, server.Limits{})
		var taken, count atomic.Int64
		enough := make(chan struct{})
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				for {
					n := int(taken.Add(1) - 1)
					if n >= perRound {
						return
					}
					group := round*perRound + n
					ids := make([]string, size)
					for i := range ids {
						ids[i] = `"` + id(group, i) + `"`
					}
					body := `{"package_ids":[` + strings.Join(ids, ",") + `]}`
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+served.address+path, strings.NewReader(body))
					if !assert.NoError(t, err) {
						return
					}
					req.Header.Set("Content-Type", mediaType)
					resp, err := transport.RoundTrip(req)
					if err != nil {
						return // killed
					}
					if !assert.NoError(t, resp.Body.Close()) || !assert.Equal(t, http.StatusOK, resp.StatusCode) {
						return
					}
					confirmed[group] = true
					if count.Add(1) == perRound/4 {
						close(enough)
					}
				}
			})
		}
		ended := make(chan struct{})
		go func() {
			wg.Wait()
			close(ended)
		}()
		select {
		case <-enough: // while the stream goes on
		case <-ended:
			t.Error("the stream ended before enough was confirmed")
		}
		require.NoError(t, served.cmd.Process.Kill())
		<-ended
		require.Error(t, served.cmd.Wait())
	}

	s, err = store.Open(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	cancelled := make([]int, groups)
	for p, err := range s.List(t.Context(), project, "") {
		require.NoError(t, err)
		var group, i int
		_, err = fmt.Sscanf(p.ID, "%d-%d", &group, &i)
		require.NoError(t, err)
		if p.State == store.Cancelled {
			cancelled[group]++
		}
	}
	unconfirmed := 0
	for group, n := range cancelled {
		switch {
		case confirmed[group]:
			assert.Equal(t, size, n, "group %d was confirmed", group)
		case n != 0:
			unconfirmed++
			assert.Equal(t, size, n, "group %d was cancelled in part", group)
		}
	}
	// A client has one request under way when the server is killed.
	assert.LessOrEqual(t, unconfirmed, rounds*clients)
}
