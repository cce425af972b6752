package contracttest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

const telling = `openapi: 3.0.3
info: {title: a, version: "1"}
security: [{key: []}]
paths:
  /a:
    get:
      operationId: get
      parameters: [{name: q, in: query, schema: {type: integer}}]
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: object, required: [more]}}}}
        "400": {description: bad}
        "401": {description: who}
components: {securitySchemes: {key: SCHEME}}
`

// No report shows a credential, however it is given, though the service tells it to everybody: wrong
// ones, which are made of it, are sent in other places, and come back in other spellings.
func TestNoCredentialShows(t *testing.T) {
	const secret = `sEcret-abcdef/42&"ü`
	for name, tt := range map[string]struct {
		scheme string
		opt    contracttest.Option
	}{
		"header":         {"{type: http, scheme: bearer}", contracttest.Header("Authorization", "Bearer "+secret)},
		"value":          {"{type: http, scheme: bearer}", contracttest.Values("key", secret)},
		"query":          {"{type: apiKey, in: query, name: api}", contracttest.Values("key", secret)},
		"cookie":         {"{type: apiKey, in: cookie, name: sid}", contracttest.Values("key", strings.Trim(secret, `"ü`))},
		"another cookie": {"{type: apiKey, in: cookie, name: sid}", contracttest.Header("Cookie", "sid=a-cookie; other="+strings.Trim(secret, `"ü`))},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := contracttest.Parse("telling.yaml", []byte(strings.Replace(telling, "SCHEME", tt.scheme, 1)))
			require.NoError(t, err)
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				told, err := json.Marshal(map[string]any{"all": r.Header, "query": r.URL.Query(), "raw": r.URL.RawQuery})
				if err != nil {
					t.Error(err)
				}
				w.Header().Set("Content-Type", "application/json")
				if !strings.Contains(r.Header.Get("Authorization")+r.Header.Get("Cookie")+r.URL.Query().Get("api"), "sEcret-abcdef/42") {
					w.WriteHeader(http.StatusUnauthorized)
				}
				_, _ = w.Write(told)
			})
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), tt.opt, contracttest.Cases(0))
			require.NoError(t, err)
			require.NotEmpty(t, rep.Findings)
			require.NotEmpty(t, rep.Exchanges)
			for format, write := range report.Formats {
				var b strings.Builder
				require.NoError(t, write(&b, rep))
				assert.NotContains(t, strings.ToLower(b.String()), "secret-ab", format)
			}
			cases, err := contracttest.Plan(t.Context(), c, contracttest.Target{}, tt.opt)
			require.NoError(t, err)
			for pc := range cases {
				assert.NotContains(t, strings.ToLower(pc.Target), "secret-ab", pc.ID)
			}
		})
	}
}

// A wrong credential is shown as one: the command of its request does not send the good one. What
// nobody has is no secret, and what is made of the good one is.
func TestWrongCredentialShows(t *testing.T) {
	c, err := contracttest.Parse("telling.yaml", []byte(strings.Replace(telling, "SCHEME", "{type: apiKey, in: header, name: X-Api-Key}", 1)))
	require.NoError(t, err)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answerJSON(w, http.StatusOK, map[string]any{"more": 1})
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Values("key", "abcdefgh-1234"), contracttest.Cases(0))
	require.NoError(t, err)
	seen := map[string]string{}
	for _, x := range rep.Exchanges {
		seen[x.Case] = x.Curl
	}
	assert.Contains(t, seen["get/security#wrong"], "'X-Api-Key: wrong-credential'")
	assert.Contains(t, seen["get/security#last-character-changed-key"], "'X-Api-Key: ***'")
	assert.Contains(t, seen["get/security#with-key"], `"X-Api-Key: $X_API_KEY"`)
}
