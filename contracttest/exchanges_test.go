package contracttest_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// TestPairs judges the exchanges that were written by hand: each says what the
// judge has to find. Of one that is called broken something is an error, of the
// others nothing: what no sentence forbids is left to the server.
func TestPairs(t *testing.T) {
	contract := load(t)
	files, err := filepath.Glob("testdata/exchanges/*.txtar")
	require.NoError(t, err)
	kept, broken := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		pairs, err := contracttest.ParseTxtar(file, data)
		require.NoError(t, err)
		for _, x := range pairs {
			t.Run(strings.TrimSuffix(filepath.Base(x.Name()), ".txtar"), func(t *testing.T) {
				verdict, given := x.Verdict()
				require.True(t, given, "the pair has no verdict")
				require.NotEmpty(t, x.About(), "the pair does not say what it shows")
				findings, err := contract.Judge(x)
				require.NoError(t, err)
				seen := []string{}
				for _, f := range findings {
					seen = append(seen, f.Check+" "+f.Clause)
				}
				wrong := slices.ContainsFunc(findings, func(f contracttest.Finding) bool { return f.Severity == report.Error })
				assert.Equal(t, strings.HasPrefix(filepath.Base(x.Name()), "broken-"), wrong, "%v", findings)
				if len(verdict) == 0 {
					kept++
					assert.Empty(t, seen)
					return
				}
				broken++
				assert.ElementsMatch(t, verdict, seen)
			})
		}
	}
	assert.GreaterOrEqual(t, kept, 10)
	assert.GreaterOrEqual(t, broken, 20)
}

func TestJudgeOutside(t *testing.T) {
	pairs, err := contracttest.ParseTxtar("outside", []byte("-- request --\nGET /elsewhere HTTP/1.1\n\n-- response --\nHTTP/1.1 200 OK\n\n"))
	require.NoError(t, err)
	_, err = load(t).Judge(pairs[0])
	require.ErrorIs(t, err, contracttest.ErrNotInContract)
}

// collected returns a transport that judges what passes through it, and what it
// has found so far.
func collected(t testing.TB, base http.RoundTripper) (http.RoundTripper, func() []contracttest.Finding) {
	t.Helper()
	var mu sync.Mutex
	var all []contracttest.Finding
	rt := contracttest.Transport(load(t), base, func(f contracttest.Finding) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, f)
	})
	return rt, func() []contracttest.Finding {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// TestClientAgainstServer judges what the client and the server really say to
// each other over TCP.
func TestClientAgainstServer(t *testing.T) {
	srv := httptest.NewServer(correct(t))
	defer srv.Close()
	rt, findings := collected(t, srv.Client().Transport)
	c, err := client.New(srv.URL, project, client.WithHTTPClient(&http.Client{Transport: rt}), client.WithCredentials(client.Token("MIIFakeToken")))
	require.NoError(t, err)
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12", "13"))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), "12", "no such package"), client.ErrTaskNotFound)
	require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), strings.Repeat("9", 20_000)), client.ErrTaskNotFound)
	w, err := client.New(srv.URL, project, client.WithHTTPClient(&http.Client{Transport: rt}), client.WithWorkspace("test"))
	require.NoError(t, err)
	require.NoError(t, w.CancelFactoryPackages(t.Context(), "13"))
	assert.Empty(t, findings())
}

// TestTransport finds what a defective server answers, and hands the answer on
// untouched.
func TestTransport(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, err := w.Write([]byte("surprise"))
		assert.NoError(t, err)
	}))
	defer srv.Close()
	rt, findings := collected(t, nil)
	post := func(path, body string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := (&http.Client{Transport: rt}).Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		buf := make([]byte, 64)
		n, _ := resp.Body.Read(buf)
		return string(buf[:n])
	}
	assert.Equal(t, "surprise", post("/v2/"+project+"/factory/release-packages/unpack", `{"package_ids":[12]}`))
	var checks []string
	for _, f := range findings() {
		checks = append(checks, f.Check)
	}
	assert.ElementsMatch(t, []string{"response-body-unexpected", "invalid-request-accepted"}, checks)

	assert.Equal(t, "surprise", post("/not/documented", ""))
	assert.Len(t, findings(), 2, "a path that the document does not have is passed on unjudged")
}
