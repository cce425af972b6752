package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/pgtest"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

func openPostgres(t *testing.T, url string) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestPostgres(t *testing.T) {
	db := pgtest.Start(t)
	t.Run("several servers on one database", func(t *testing.T) { testServers(t, db) })
	t.Run("no access", func(t *testing.T) { testNoAccess(t, openPostgres(t, db.NewDatabase(t))) })
	t.Run("killed server", func(t *testing.T) { testKill(t, db.NewDatabase(t)) })
	t.Run("pool exhausted", func(t *testing.T) { testPoolExhausted(t, db) })
	t.Run("restarted database", func(t *testing.T) { testDatabaseRestart(t, db) })
}

// What one server has cancelled is cancelled for the others, and requests that
// overlap are each carried out as a whole, whichever server they reach.
func testServers(t *testing.T, db *pgtest.Server) {
	url := db.NewDatabase(t)
	s := openPostgres(t, url)
	fill(t, s)
	const n = 12
	var packages []store.Package
	for i := range n {
		packages = append(packages, store.Package{ID: fmt.Sprint("many-", i), ProjectID: project, Workspace: "many"})
	}
	_, err := s.Add(t.Context(), store.Packages(packages...))
	require.NoError(t, err)
	servers := []*running{start(t, s), start(t, openPostgres(t, url)), start(t, openPostgres(t, url))}
	success(t, servers[0].send(t, post(path, document, "Content-Type: "+mediaType)))
	assert.Equal(t, both, states(t, s))
	success(t, servers[1].send(t, post(path, document, "Content-Type: "+mediaType)))
	failure(t, servers[2].send(t, post(path, `{"package_ids":["12","99"]}`, "Content-Type: "+mediaType)), 400, "DLF.0810")

	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			ids := []string{fmt.Sprintf(`"many-%d"`, i), fmt.Sprintf(`"many-%d"`, (i+5)%n), fmt.Sprintf(`"many-%d"`, (i+n-1)%n)}
			a := servers[i%len(servers)].send(t, post(path, `{"package_ids":[`+strings.Join(ids, ",")+`]}`,
				"Content-Type: "+mediaType, "workspace: many"))
			assert.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
		})
	}
	wg.Wait()
	assert.Equal(t, n, strings.Count(statesOf(t, s, project, "many"), "cancelled"))
}

// A request that gets no connection in time is told so, and changes nothing;
// the next one goes on.
func testPoolExhausted(t *testing.T, db *pgtest.Server) {
	s := openPostgres(t, db.NewDatabase(t)+"&pool_max_conns=1")
	fill(t, s)
	r := start(t, s, server.WithLimits(server.Limits{RequestTimeout: 50 * time.Millisecond}))
	request := post(path, document, "Content-Type: "+mediaType)
	_, err := s.Add(t.Context(), func(yield func(store.Package, error) bool) { // holds the connection
		failure(t, r.send(t, request), http.StatusGatewayTimeout, "APIG.0203")
		yield(store.Package{ID: "16", ProjectID: project}, nil)
	})
	require.NoError(t, err)
	assert.Equal(t, untouched+" 16=pending", states(t, s))
	roomy := start(t, s)
	success(t, roomy.send(t, request))
	assert.Equal(t, both+" 16=pending", states(t, s))
}

// While the database is away requests fail with the documented error and a line
// in the log; once it is back they succeed, and what was confirmed is there.
func testDatabaseRestart(t *testing.T, db *pgtest.Server) {
	s := openPostgres(t, db.NewDatabase(t))
	fill(t, s)
	r := start(t, s)
	one := post(path, `{"package_ids":["12"]}`, "Content-Type: "+mediaType)
	other := post(path, `{"package_ids":["13"]}`, "Content-Type: "+mediaType)
	success(t, r.send(t, one))
	db.Kill(t)
	a := r.send(t, other)
	failure(t, a, 500, "APIG.0601")
	assert.Contains(t, r.log.String(), "request failed")
	assert.Contains(t, r.log.String(), a.Header.Get("X-Request-Id"))
	db.Start(t)
	assert.Equal(t, "12=cancelled 13=pending 14=released 15=cancelled", states(t, s))
	success(t, r.send(t, other))
	assert.Equal(t, both, states(t, s))
}
