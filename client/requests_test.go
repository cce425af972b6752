package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/contracttest"
)

// Whatever the client sends keeps the contract: with any credentials, of any
// size, sent again or not. The engine judges each exchange on its way.
func TestRequestsKeepTheContract(t *testing.T) {
	document, err := contracttest.Load("../openapi.yaml")
	require.NoError(t, err)
	iam := httptest.NewServer(&iam{life: time.Hour})
	t.Cleanup(iam.Close)
	credentials := map[string][]client.Option{"none": nil}
	for name, c := range kinds {
		credentials[name] = []client.Option{client.WithCredentials(c), client.WithIAMEndpoint(iam.URL)}
	}
	for name, opts := range credentials {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			judged := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ids := packageIDs(t, r)
				mu.Lock()
				judged++
				mu.Unlock()
				if slices.Contains(ids, "99") {
					refuseWith(w, `{"error_code":"DLF.0810","error_msg":"Task does not exist."}`)
				}
			}))
			t.Cleanup(srv.Close)
			base := &http.Transport{}
			t.Cleanup(base.CloseIdleConnections)
			judge := contracttest.Transport(document, base, func(f contracttest.Finding) {
				t.Errorf("%s: %s: want %s, got %s", f.Check, f.Message, f.Expected, f.Actual)
			})
			for _, workspace := range []string{"", "dev", "Entwicklung ü"} {
				all := append(slices.Clone(opts), client.WithHTTPClient(&http.Client{Transport: judge}))
				if workspace != "" {
					all = append(all, client.WithWorkspace(workspace))
				}
				c := newClient(t, srv.URL, all...)
				require.NoError(t, c.CancelFactoryPackages(t.Context(), "12", "", `"<&>\`, "包\u2028", strings.Repeat("x", 1<<16)))
				require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), "99"), client.ErrTaskNotFound)
				for id, err := range c.CancelAll(t.Context(), slices.Values(numbers(150))) {
					assert.Equal(t, id == "99", err != nil, fmt.Sprint(id, err))
				}
			}
			assert.GreaterOrEqual(t, judged, 3*4)
		})
	}
}
