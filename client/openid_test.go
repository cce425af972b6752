package client_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

const (
	idToken       = "eyJhbGciOiJSUzI1NiJ9.ID-token.of-the-provider"
	unscopedToken = "MIIEunscoped+token/of-a-federated-user=="
)

// federation is IAM as far as federated users need it.
type federation struct {
	keyService
	exchanged atomic.Int64
	exchange  http.HandlerFunc // in place of its own answer, if not nil
}

func (f *federation) handler(t *testing.T, idToken func() string) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3.0/OS-AUTH/id-token/tokens", func(w http.ResponseWriter, r *http.Request) {
		f.exchanged.Add(1)
		assert.Equal(t, "my-idp", r.Header.Get("X-Idp-Id"))
		assert.Empty(t, r.Header.Get("X-Auth-Token"))
		assert.Equal(t, "application/json;charset=utf8", r.Header.Get("Content-Type"))
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.JSONEq(t, `{"auth":{"id_token":{"id":"`+idToken()+`"}}}`, string(body))
		if f.exchange != nil {
			f.exchange(w, r)
			return
		}
		w.Header().Set("X-Subject-Token", unscopedToken)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"token":{"expires_at":"2018-03-13T03:00:01.168000Z","methods":["mapped"]}}`)
	})
	mux.HandleFunc("POST /v3.0/OS-CREDENTIAL/securitytokens", func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, unscopedToken, r.Header.Get("X-Auth-Token"))
		assert.Equal(t, "application/json;charset=utf8", r.Header.Get("Content-Type"))
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.JSONEq(t, `{"auth":{"identity":{"methods":["token"],"token":{"duration_seconds":21600}}}}`, string(body))
		w.Header().Set("Content-Type", "application/json")
		f.give(w, r)
	})
	return mux
}

func TestOpenIDConnect(t *testing.T) {
	var f federation
	current := idToken
	file := writeFile(t, "id-token", current+"\n")
	f.refuse = func(access string) (int, string) {
		if access == accessNumber(1) && len(f.used) > 2 {
			return http.StatusUnauthorized, "APIG.0301"
		}
		return 0, ""
	}
	iam := f.handler(t, func() string { return current })
	c := cloudClient(t, hosts{vendorIAM: iam, vendorHost: http.HandlerFunc(f.cancel)}.serve(t), client.OpenIDConnect("my-idp", file),
		client.WithIAMEndpoint("http://"+vendorIAM))
	for range 2 {
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	}
	assert.EqualValues(t, 1, f.exchanged.Load())
	current = "new-" + idToken
	require.NoError(t, os.WriteFile(file, []byte(current), 0o600))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.EqualValues(t, 2, f.exchanged.Load())
	assert.Equal(t, []string{accessNumber(1), accessNumber(1), accessNumber(1), accessNumber(2)}, f.used)
}

func TestOpenIDConnectFails(t *testing.T) {
	const isJSON = "application/json"
	file := writeFile(t, "id-token", idToken)
	tests := []struct {
		name, file     string
		exchange, keys http.HandlerFunc // nil for a good answer
		fetches        int64            // requests to IAM
		want           string
	}{
		{"refused", file, respond(401, isJSON, `{"error":{"code":401,"message":"The token `+idToken+` is invalid.","title":"Unauthorized"}}`), nil,
			1, "id-token/tokens: 401 Unauthorized: The token [redacted] is invalid."},
		{"no such provider", file, respond(404, isJSON, `{"error":{"code":404,"message":"Could not find identity provider: my-idp.","title":"Not Found"}}`), nil,
			1, "404 Not Found: Could not find identity provider"},
		{"unavailable", file, respond(503, isJSON, ``), nil, 4, "503 Service Unavailable"},
		{"no token", file, respond(201, isJSON, `{}`), nil, 1, "id-token/tokens answered 201 Created: client: token is empty"},
		{"no HTTP", file, raw(t, "HTTP/1.1 "+idToken+" OK\r\n\r\n"), nil, 4, "[redacted]"},
		{"keys refused", file, nil, respond(403, isJSON, `{"error":{"code":403,"message":"`+unscopedToken+` may not.","title":"Forbidden"}}`),
			2, "securitytokens: 403 Forbidden: [redacted] may not."},
		{"no keys", file, nil, respond(201, isJSON, `{}`), 2, "securitytokens answered 201 Created: client: access key is empty"},
		{"no file", filepath.Join(t.TempDir(), "none"), nil, nil, 0, "none: no such file"},
		{"empty file", writeFile(t, "empty", ""), nil, nil, 0, "empty: client: token is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := federation{exchange: tt.exchange}
			f.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if tt.keys != nil {
					tt.keys(w, r)
				}
				return tt.keys != nil
			}
			iam := f.handler(t, func() string { return idToken })
			c := cloudClient(t, hosts{vendorIAM: iam, vendorHost: refuse(t)}.serve(t), client.OpenIDConnect("my-idp", tt.file),
				client.WithIAMEndpoint("http://"+vendorIAM))
			err := c.CancelFactoryPackages(t.Context(), "12")
			require.ErrorContains(t, err, "cancel task packages: authorize the request: fetch keys for an ID token: ")
			require.ErrorContains(t, err, tt.want)
			require.NotErrorIs(t, err, client.ErrInDoubt, "nothing was sent")
			noSecrets(t, err, idToken, unscopedToken)
			assert.Equal(t, tt.fetches, f.exchanged.Load()+f.fetches.Load())
		})
	}
	_, err := client.New("http://127.0.0.1:1", projectID, client.WithCredentials(client.OpenIDConnect("my-idp", file)))
	require.ErrorContains(t, err, "set WithIAMEndpoint")
}

// Where IAM is follows from the region.
func TestOpenIDConnectOfTheRegion(t *testing.T) {
	var f federation
	c := newClient(t, client.Region("cn-north-4"), client.WithCredentials(client.OpenIDConnect("my-idp", writeFile(t, "id-token", idToken))),
		client.WithHTTPClient(&http.Client{Transport: hosts{
			vendorIAM:  f.handler(t, func() string { return idToken }),
			vendorHost: http.HandlerFunc(f.cancel),
		}}))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.EqualValues(t, 1, f.fetches.Load())
}
