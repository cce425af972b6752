package crud_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

// issuer stands before the service and gives tokens that are good for so many requests.
type issuer struct {
	service     *crud.Service
	lasts       int
	mu          sync.Mutex
	given, used int
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	if r.URL.Path == "/login" {
		i.given++
		i.used = 0
		_, _ = fmt.Fprintf(w, `{"token": "issued-token-%d"}`, i.given)
		i.mu.Unlock()
		return
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token == fmt.Sprintf("issued-token-%d", i.given) && (i.lasts == 0 || i.used < i.lasts) {
		if strings.EqualFold(scheme, "Bearer") {
			i.used++
		}
		r.Header.Set("Authorization", scheme+" "+crud.Token)
	}
	i.mu.Unlock()
	i.service.ServeHTTP(w, r)
}

// However few requests a token lasts, the report is that of one that does not expire: the same
// clauses are shown, the same defect is found.
func TestTokensThatExpire(t *testing.T) {
	auth := filepath.Join(t.TempDir(), "auth.yaml")
	require.NoError(t, os.WriteFile(auth, []byte(`auth: [{name: ada, loginEndpointAuth: {endpoint: /login, verb: POST,
		token: {extractFrom: body, extractSelector: /token, sendIn: header, sendName: Authorization, sendTemplate: "Bearer {token}"}}}]`), 0o600))
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	var want string
	for _, lasts := range []int{0, 1, 5} {
		s, err := crud.New(crud.Dress{}, crud.Defects()[2])
		require.NoError(t, err)
		i := &issuer{service: s, lasts: lasts}
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(i), contracttest.Auth(auth, ""),
			contracttest.Peer("Authorization", "Bearer "+crud.Peer), contracttest.Only("createTeam", "getTeam", "deleteTeam"), contracttest.Cases(5), contracttest.Settle(100*time.Millisecond))
		require.NoError(t, err)
		require.Empty(t, rep.Inconclusive)
		var b strings.Builder
		for _, f := range rep.Findings {
			fmt.Fprintln(&b, f.ID, f.Severity, f.Check, f.Clause, f.Status, f.Count)
		}
		clauses, err := json.MarshalIndent(rep.Operations, "", " ")
		require.NoError(t, err)
		b.Write(clauses)
		assert.Equal(t, lasts > 0, i.given > 100, "%d tokens", i.given)
		if want == "" {
			want = b.String()
			require.NotEmpty(t, rep.Findings)
		}
		assert.Equal(t, want, b.String(), "tokens that last %d requests", lasts)
	}
}
