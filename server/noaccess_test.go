package server_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// Who has no right to packages sees nothing of them and changes nothing. On
// PostgreSQL it is a part of TestPostgres.
func TestNoAccess(t *testing.T) {
	t.Run("memory", func(t *testing.T) { testNoAccess(t, store.NewMemory()) })
	t.Run("sqlite", func(t *testing.T) { testNoAccess(t, newStore(t)) })
}

// injections are meant to be taken for SQL, or for what SQL and shells put in.
var injections = []string{
	`' OR '1'='1`, `12' OR 1=1 --`, `12' --`, `12'/*`, `12') OR ('a'='a`, `12'; UPDATE packages SET state='cancelled'; --`,
	`12'; DROP TABLE packages; --`, `' UNION SELECT id FROM packages --`, `"12"`, `12" OR ""="`, `\' OR 1=1 --`, `%`, `_2`, `1%`, `*`,
	`$1`, `?1`, `:id`, `{12}`, `12,13`, `ARRAY['12']`, `(SELECT min(id) FROM packages)`, `12||''`, `'||pg_sleep(9)||'`, `x'3132'`, `12;`, `12 OR 1`,
}

func testNoAccess(t *testing.T, s store.Store) {
	t.Helper()
	fill(t, s)
	_, err := s.Add(t.Context(), store.Packages(
		store.Package{ID: "hidden-in-test", ProjectID: project, Workspace: "test"},
		store.Package{ID: "hidden-elsewhere", ProjectID: "another", Workspace: "hidden-workspace"},
	))
	require.NoError(t, err)
	r := start(t, s, server.WithAuth(server.AuthAll, credentials()))
	before := everything(t, s)
	const mine, theirs, nobodys = "X-Auth-Token: " + token, "X-Auth-Token: MIIOTHER", "X-Auth-Token: unknown"
	ask := func(t *testing.T, target string, ids []string, headers ...string) answer {
		t.Helper()
		body, err := json.Marshal(map[string][]string{"package_ids": ids})
		require.NoError(t, err)
		return r.send(t, post(target, string(body), append(headers, "Content-Type: "+mediaType)...))
	}
	// nothing checks that an answer says no more than that it is refused, and that
	// no package has changed.
	nothing := func(t *testing.T, a answer, status int, code string) {
		t.Helper()
		failure(t, a, status, code)
		for _, word := range []string{"hidden", "development", "pending", "released", "cancelled", "another", "production", "SELECT", "syntax", token} {
			assert.NotContains(t, string(a.body), word)
		}
		require.Equal(t, before, everything(t, s))
	}
	pathOf := func(project string) string { return "/v2/" + project + "/factory/release-packages/unpack" }

	t.Run("without a token", func(t *testing.T) {
		for _, ids := range [][]string{{"12"}, {"14"}, {"none"}, {}} {
			for _, target := range []string{path, pathOf("another"), pathOf("nowhere")} {
				nothing(t, ask(t, target, ids), http.StatusUnauthorized, "APIG.0301")
				nothing(t, ask(t, target, ids, nobodys), http.StatusUnauthorized, "APIG.0301")
				nothing(t, ask(t, target, ids, "workspace: test"), http.StatusUnauthorized, "APIG.0301")
			}
		}
	})
	t.Run("with another project's token", func(t *testing.T) {
		var first answer
		for i, target := range []string{path, pathOf("without-default"), pathOf("nowhere")} {
			for _, ids := range [][]string{{"12"}, {"14"}, {"31"}, {"none"}, {}} {
				a := ask(t, target, ids, theirs)
				nothing(t, a, http.StatusForbidden, "APIG.0302")
				if i == 0 {
					first = a
				}
				assert.Equal(t, anonymous(first), anonymous(a), "what exists is told from what does not")
			}
		}
		nothing(t, ask(t, pathOf("another"), []string{"12"}, mine), http.StatusForbidden, "APIG.0302")
	})
	t.Run("another workspace's package", func(t *testing.T) {
		unknown := ask(t, path, []string{"none"}, mine)
		for _, ids := range [][]string{{"hidden-in-test"}, {"hidden-elsewhere"}, {"31"}, {"12", "hidden-in-test"}, {"none"}} {
			a := ask(t, path, ids, mine)
			nothing(t, a, http.StatusBadRequest, "DLF.0810")
			assert.Equal(t, anonymous(unknown), anonymous(a), "what exists is told from what does not")
		}
		nothing(t, ask(t, path, []string{"13"}, mine, "workspace: test"), http.StatusBadRequest, "DLF.0810")
		nowhere := ask(t, path, []string{"hidden-elsewhere"}, mine, "workspace: nowhere")
		a := ask(t, path, []string{"hidden-elsewhere"}, mine, "workspace: hidden-workspace")
		nothing(t, a, http.StatusBadRequest, "DLF.0819")
		assert.Equal(t, anonymous(nowhere), anonymous(a), "what exists is told from what does not")
	})
	t.Run("SQL in an id", func(t *testing.T) {
		for _, sql := range injections {
			nothing(t, ask(t, path, []string{sql}, mine), http.StatusBadRequest, "DLF.0810")
			nothing(t, ask(t, path, []string{"12", sql, "13"}, mine), http.StatusBadRequest, "DLF.0810")
		}
	})
	t.Run("SQL in a header", func(t *testing.T) {
		for _, sql := range injections {
			nothing(t, ask(t, path, []string{"12"}, mine, "workspace: "+sql), http.StatusBadRequest, "DLF.0819")
			nothing(t, ask(t, path, []string{"12"}, "X-Auth-Token: "+sql), http.StatusUnauthorized, "APIG.0301")
			nothing(t, ask(t, path, []string{"none"}, mine, "X-Request-Id: "+sql), http.StatusBadRequest, "DLF.0810")
			signed := ask(t, path, []string{"12"}, "Authorization: SDK-HMAC-SHA256 Access="+sql+", SignedHeaders=host, Signature=00")
			assert.Equal(t, http.StatusUnauthorized, signed.StatusCode)
			require.Equal(t, before, everything(t, s))
		}
	})
	t.Run("SQL in the project", func(t *testing.T) {
		for _, target := range []string{"'%20OR%20'1'='1", project + "'--", "%25", project[:31] + "_"} {
			nothing(t, ask(t, pathOf(target), []string{"12"}, mine), http.StatusForbidden, "APIG.0302")
		}
	})
	// And who has a right to them is served.
	success(t, ask(t, path, []string{"12", "13"}, mine))
	assert.Equal(t, both, states(t, s))
	assert.NotContains(t, r.log.String(), "level=ERROR")
}

var requestIDs = regexp.MustCompile(`[0-9a-f]{32}`)

// anonymous is all of an answer but for the ID of its request and its time.
func anonymous(a answer) string {
	var b strings.Builder
	header := a.Header.Clone()
	header.Del("Date")
	_ = header.Write(&b) // in the order of the names
	return requestIDs.ReplaceAllString(b.String()+string(a.body), "")
}

// everything is each package of the store.
func everything(t *testing.T, s store.Store) string {
	t.Helper()
	var workspaces []store.Workspace
	for w, err := range s.Workspaces(t.Context()) {
		require.NoError(t, err)
		workspaces = append(workspaces, w)
	}
	var b strings.Builder
	for _, w := range workspaces {
		b.WriteString(w.ProjectID + "/" + w.ID + ": " + statesOf(t, s, w.ProjectID, w.ID) + "\n")
	}
	return b.String()
}
