package contracttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const renewed = `openapi: 3.0.3
info: {title: Tokens, version: "1"}
security: [{token: []}]
paths:
  /notes:
    get:
      operationId: listNotes
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
      responses:
        "200": {description: all, content: {application/json: {schema: {type: object, required: [count], properties: {count: {type: integer}}}}}}
        "400": {description: wrong}
        "401": {description: who}
  /login:
    post:
      operationId: login
      security: []
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [code], properties: {code: {type: string, minLength: 1, example: open}}}}}
      responses:
        "200": {description: in}
        "400": {description: wrong}
        "401": {description: who}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
`

// tokens is a service whose token is good for so many requests; 0: for all. It has a defect: no
// limit is refused.
type tokens struct {
	mu         sync.Mutex
	file       string
	lasts      int
	used, made int
	refused    bool // for good
}

func (s *tokens) current() string { return fmt.Sprintf("secret-token-%d", s.made) }

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/login" {
		var body struct{ Code *string }
		switch err := json.NewDecoder(r.Body).Decode(&body); {
		case err != nil || body.Code == nil || *body.Code == "" || r.Header.Get("Content-Type") != "application/json":
			w.WriteHeader(http.StatusBadRequest)
		case *body.Code != "open":
			w.WriteHeader(http.StatusUnauthorized)
		}
		return
	}
	if r.URL.Path != "/notes" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	good := r.Header.Get("Authorization") == "Bearer "+s.current()
	if good {
		s.used++
	}
	if good && s.lasts > 0 && s.used%s.lasts == 0 { // from the next request on
		s.made++
		_ = os.WriteFile(s.file, []byte(s.current()+"\nsecond line\n"), 0o600)
	}
	switch {
	case !good, s.refused && s.made > 0:
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"count": 1}`))
	}
}

// runTokens tests the service with a token that a command prints.
func runTokens(t *testing.T, s *tokens, settings string) (*contracttest.Report, error) {
	t.Helper()
	dir := t.TempDir()
	s.file = filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(s.file, []byte(s.current()+"\n"), 0o600))
	file := filepath.Join(dir, "contracttest.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(settings, "FILE", s.file)), 0o600))
	c, err := contracttest.Parse("tokens.yaml", []byte(renewed))
	require.NoError(t, err)
	return contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Config(file), contracttest.Values("code", "open"))
}

// A credential that a command prints is got anew whenever it has expired, and the report is that
// of one that does not expire.
func TestCommandRenews(t *testing.T) {
	for _, settings := range []string{"header: {Authorization: 'Bearer cmd:cat FILE'}", "value: {token: 'cmd:cat FILE'}"} {
		var reports []string
		for _, lasts := range []int{0, 40} {
			s := &tokens{lasts: lasts}
			rep, err := runTokens(t, s, settings)
			require.NoError(t, err)
			assert.Empty(t, rep.Inconclusive)
			assert.Equal(t, lasts > 0, s.made > 3, "%d tokens", s.made)
			require.NotEmpty(t, rep.Findings, "the limit is not checked")
			text, err := json.MarshalIndent(map[string]any{"findings": rep.Findings, "operations": rep.Operations}, "", " ")
			require.NoError(t, err)
			assert.NotContains(t, string(text), "secret-token")
			reports = append(reports, string(text))
		}
		assert.Equal(t, reports[0], reports[1])
	}
}

// One that cannot be had ends the run, and says what the command said.
func TestCommandFails(t *testing.T) {
	t.Setenv("MY_SECRET", "hidden-from-all")
	_, err := runTokens(t, &tokens{}, "header: {Authorization: 'Bearer cmd:echo no $MY_SECRET >&2; exit 3'}")
	require.EqualError(t, err, "header Authorization: the command: exit status 3: no ***")
	_, err = runTokens(t, &tokens{}, "peer: {Authorization: 'cmd:true'}")
	require.EqualError(t, err, "peer Authorization: the command has printed nothing in its first line, which is the value")
	rep, err := runTokens(t, &tokens{lasts: 9}, "header: {Authorization: 'Bearer cmd:test ! -e FILE.used || { echo gone >&2; exit 1; }; touch FILE.used; cat FILE'}")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "there is no other: header Authorization: the command: exit status 1: gone")
	rep, err = runTokens(t, &tokens{lasts: 9, refused: true}, "header: {Authorization: 'Bearer cmd:cat FILE'}")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "the credential stopped working")
}
