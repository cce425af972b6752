package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// The service has three defects, and no more, however its tokens are got and whether they expire.
func TestMembers(t *testing.T) {
	auth := filepath.Join(t.TempDir(), "auth.yaml")
	require.NoError(t, os.WriteFile(auth, []byte(`auth: [{name: ada, loginEndpointAuth: {endpoint: /login, verb: POST, contentType: application/json,
		payloadUserPwd: {usernameField: user, passwordField: password, username: ada, password: a-password},
		token: {extractFrom: body, extractSelector: /token, sendIn: header, sendName: Authorization, sendTemplate: "Bearer {token}"}}}]`), 0o600))
	contract, err := contracttest.Load("openapi.yaml")
	require.NoError(t, err)
	for name, credential := range map[string]contracttest.Option{
		"OAuth 2": contracttest.OAuth2(map[string]string{"client_id": "tests", "client_secret": "a-secret"}),
		"a login": contracttest.Auth(auth, "ada"),
	} {
		t.Run(name, func(t *testing.T) {
			var reports []string
			for _, life := range []time.Duration{time.Hour, 50 * time.Millisecond} {
				report, err := contracttest.Run(t.Context(), contract, contracttest.Handler(newService(life, false)), credential)
				require.NoError(t, err)
				require.Empty(t, report.Inconclusive)
				var found []string
				for _, f := range report.Findings {
					if f.Severity == "error" {
						found = append(found, f.Check+" "+f.Clause)
					}
				}
				assert.Equal(t, []string{
					"invalid-request-accepted listMembers/query/limit/minimum",
					"response-schema listMembers/response/200/body/next/type",
					"undocumented-status createMember/response/status",
				}, found)
				operations, err := json.MarshalIndent(report.Operations, "", " ")
				require.NoError(t, err)
				reports = append(reports, string(operations))
			}
			assert.Equal(t, reports[0], reports[1])
		})
	}
}
