package server_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/pgtest"
	"github.com/dataarts-go/factory/internal/signing"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// projects are those that the engine's requests name: of the documented length,
// and of the shortest and the longest.
var projects = []string{project, "abc", strings.Repeat("p", 64)}

// judged sends what the engine makes of the document to handler, and returns
// the findings.
func judged(t *testing.T, handler http.Handler, opts ...contracttest.Option) []contracttest.Finding {
	t.Helper()
	return judgedAt(t, contracttest.Handler(handler), opts...)
}

// judgedAt is judged for any target.
func judgedAt(t *testing.T, target contracttest.Target, opts ...contracttest.Option) []contracttest.Finding {
	t.Helper()
	contract, err := contracttest.Load("../openapi.yaml")
	require.NoError(t, err)
	report, err := contracttest.Run(t.Context(), contract, target, append(opts,
		contracttest.Values("project_id", projects...),
		contracttest.Values("package_ids", "12", "13"),
		contracttest.Values("workspace", "development", "test"))...)
	require.NoError(t, err)
	assert.Positive(t, report.Stats.Exchanges)
	return report.Findings
}

func fillProjects(t *testing.T, s store.Store) {
	t.Helper()
	for _, p := range projects {
		require.NoError(t, s.PutWorkspace(t.Context(), store.Workspace{ProjectID: p, ID: "development", Default: true}))
		_, err := s.Add(t.Context(), store.Packages(
			store.Package{ID: "12", ProjectID: p}, store.Package{ID: "13", ProjectID: p},
			store.Package{ID: "12", ProjectID: p, Workspace: "test"}, store.Package{ID: "13", ProjectID: p, Workspace: "test"}))
		require.NoError(t, err)
	}
}

// The contract is kept through two servers that share a database.
func TestContractOnPostgres(t *testing.T) {
	url := pgtest.Start(t).NewDatabase(t)
	var servers []http.Handler
	for range 2 {
		s := openPostgres(t, url)
		servers = append(servers, newHandler(t, s, io.Discard))
		fillProjects(t, s)
	}
	var n atomic.Int64
	either := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		servers[n.Add(1)%int64(len(servers))].ServeHTTP(w, r)
	})
	assert.Empty(t, judged(t, either))
}

// Two processes keep the contract on one database, both at once.
func TestContractOfProcesses(t *testing.T) {
	url := pgtest.Start(t).NewDatabase(t)
	fillProjects(t, openPostgres(t, url))
	var all sync.WaitGroup
	for range 2 {
		c := startChild(t, url, server.Limits{})
		all.Go(func() {
			assert.Empty(t, judgedAt(t, contracttest.URL("http://"+c.address), contracttest.Cases(0)))
		})
	}
	all.Wait()
}

// Whoever is let in is answered as the contract says, and so is whoever is not.
func TestContractWithAuth(t *testing.T) {
	var c server.Credentials
	for _, p := range projects {
		c.Keys = append(c.Keys, server.Key{AccessKey: accessKey, SecretKey: secretKey, ProjectID: p})
		c.Tokens = append(c.Tokens, server.Token{Token: token, ProjectID: p})
	}
	sign := contracttest.Prepare(func(r *http.Request) error {
		return signing.Sign(r, accessKey, secretKey, time.Now())
	})
	withToken := contracttest.Values("X-Auth-Token", token)
	for auth, prove := range map[server.Auth]contracttest.Option{
		server.AuthAKSK: sign, server.AuthAll: sign, server.AuthToken: withToken,
	} {
		t.Run(string(auth), func(t *testing.T) {
			s := store.NewMemory()
			fillProjects(t, s)
			assert.Empty(t, judged(t, newHandler(t, s, io.Discard, server.WithAuth(auth, c)), prove))
		})
		t.Run(string(auth)+" on SQLite", func(t *testing.T) {
			s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "factory.db"))
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			fillProjects(t, s)
			assert.Empty(t, judged(t, newHandler(t, s, io.Discard, server.WithAuth(auth, c)), prove, contracttest.Cases(0)))
		})
	}
}
