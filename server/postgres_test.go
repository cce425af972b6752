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
// in the log, and the server is not ready; once it is back they succeed, and what
// was confirmed is there. All the while there are clients.
func testDatabaseRestart(t *testing.T, db *pgtest.Server) {
	s := openPostgres(t, db.NewDatabase(t))
	fill(t, s)
	r := start(t, s)
	ready := func() int { return r.send(t, request("GET", "/readyz", "")).StatusCode }
	clients := newCancellers(t, s, r, 4)
	assert.Equal(t, http.StatusOK, ready())
	clients.wait(http.StatusOK, 20)

	db.Kill(t)
	clients.enter(1)
	assert.Equal(t, http.StatusServiceUnavailable, ready())
	a := r.send(t, post(path, document, "Content-Type: "+mediaType))
	failure(t, a, 500, "APIG.0601")
	assert.Contains(t, r.log.String(), "request failed")
	assert.Contains(t, r.log.String(), a.Header.Get("X-Request-Id"))
	clients.wait(http.StatusInternalServerError, 20)
	assert.Equal(t, http.StatusServiceUnavailable, ready())
	clients.enter(2)

	db.Start(t)
	clients.enter(3)
	clients.wait(http.StatusOK, 20)
	assert.Equal(t, http.StatusOK, ready())
	success(t, r.send(t, post(path, document, "Content-Type: "+mediaType)))
	confirmed := clients.end()
	assert.Equal(t, both, states(t, s))

	assert.Zero(t, clients.seen[1][http.StatusOK], "confirmed while there was no database")
	now := map[string]bool{}
	for text := range strings.FieldsSeq(statesOf(t, s, project, "many")) {
		now[text] = true
	}
	for _, id := range confirmed {
		assert.True(t, now[id+"=cancelled"], "%s is confirmed", id)
	}
}

// cancellers are clients that cancel one package after the other, each again until
// that is confirmed.
type cancellers struct {
	mu        sync.Mutex
	changed   *sync.Cond
	phase     int
	seen      map[int]map[int]int // answers by phase and status, of requests that lie within the phase
	confirmed []string
	ended     bool
	all       sync.WaitGroup
}

// newCancellers starts n clients of r.
func newCancellers(t *testing.T, s store.Store, r *running, n int) *cancellers {
	t.Helper()
	c := &cancellers{seen: map[int]map[int]int{}}
	c.changed = sync.NewCond(&c.mu)
	const each = 5000 // more than there is time for
	for i := range n {
		_, err := s.Add(t.Context(), func(yield func(store.Package, error) bool) {
			for k := range each {
				if !yield(store.Package{ID: fmt.Sprintf("many-%d-%d", i, k), ProjectID: project, Workspace: "many"}, nil) {
					return
				}
			}
		})
		require.NoError(t, err)
	}
	for i := range n {
		c.all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for k := 0; k < each; {
				id := fmt.Sprintf("many-%d-%d", i, k)
				began, ended := c.now()
				if ended {
					return
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.address+path, strings.NewReader(`{"package_ids":["`+id+`"]}`))
				if !assert.NoError(t, err) {
					return
				}
				req.Header.Set("Content-Type", mediaType)
				req.Header.Set("Workspace", "many")
				resp, err := client.Do(req)
				if !assert.NoError(t, err) || !assert.NoError(t, resp.Body.Close()) {
					return
				}
				if c.answered(id, began, resp.StatusCode) {
					k++
				}
			}
		})
	}
	return c
}

func (c *cancellers) now() (phase int, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase, c.ended
}

// answered reports whether the package is cancelled for good.
func (c *cancellers) answered(id string, began, status int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if began == c.phase {
		if c.seen[began] == nil {
			c.seen[began] = map[int]int{}
		}
		c.seen[began][status]++
	}
	c.changed.Broadcast()
	if status == http.StatusOK {
		c.confirmed = append(c.confirmed, id)
	}
	return status == http.StatusOK
}

// enter begins another phase.
func (c *cancellers) enter(phase int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase = phase
}

// wait returns when there are so many answers of this status in this phase.
func (c *cancellers) wait(status, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.seen[c.phase][status] < n {
		c.changed.Wait()
	}
}

// end ends the clients, and returns what was confirmed to them.
func (c *cancellers) end() []string {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.all.Wait()
	return c.confirmed
}
