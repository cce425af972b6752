package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// withPod sets the variables of a pod, with a token in a file.
func withPod(t *testing.T) {
	t.Helper()
	t.Setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", podEndpoint)
	t.Setenv("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", writeFile(t, "token", podToken))
}

// The instance is asked before the pod, and who had keys is asked again.
func TestFromEnvAmbient(t *testing.T) {
	noAgency := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			http.NotFound(w, r)
			return
		}
		respond(http.StatusUnauthorized, "application/json", `{"message":"Please configure Cloud Service Agency first"}`)(w, r)
	})
	gone := respond(http.StatusNotFound, "text/html", "")
	busy := respond(http.StatusInternalServerError, "application/json", `{}`)
	tests := []struct {
		name     string
		instance http.Handler // nil for none
		inPod    bool
		pod      http.Handler
		want     string // the keys' number, or an error
		asked    int64  // requests to the instance
		none     bool   // the error is ErrNoCredentials
	}{
		{"instance", nil, false, nil, "AKTEMPORARY", 2, false},
		{"instance in a pod", nil, true, nil, "AKTEMPORARY", 2, false},
		{"pod without an instance", http.NotFoundHandler(), true, nil, "AKPOD", 2, false},
		{"pod on an instance without an agency", noAgency, true, nil, "AKPOD", 2, false},
		{"pod on an instance that fails", busy, true, nil, "AKPOD", 1, false},
		{"neither", gone, false, nil, "client: no credentials in the environment: fetch keys of the instance: GET http://169.254.169.254/openstack/latest/securitykey: 404", 2, true},
		{"no agency", noAgency, false, nil, "client: no credentials in the environment: fetch keys of the instance: no agency is assigned to the instance", 2, true},
		{"instance that fails", busy, false, nil, "authorize the request: fetch keys of the instance: PUT http://169.254.169.254/meta-data/latest/api/token: 500", 4, false},
		{"pod that refuses", gone, true, respond(http.StatusForbidden, "application/json", `{"error_msg":"no association"}`),
			"fetch keys of the pod: POST http://169.254.170.2/v1/credentials?cluster=c: 403 Forbidden: no association; fetch keys of the instance: GET", 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearEnv(t)
			if tt.inPod {
				withPod(t)
			}
			var s keyService
			if tt.instance == nil {
				tt.instance = s.metadata()
			}
			if tt.pod == nil {
				tt.pod = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					fmt.Fprintf(w, podForm, "AKPOD", temporarySecret, securityNumber(1), time.Now().UTC().Add(time.Hour).Format(keyTime))
				})
			}
			var asked atomic.Int64
			instance := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				tt.instance.ServeHTTP(w, r)
			})
			c := cloudClient(t, hosts{metadataHost: instance, podHost: tt.pod, vendorHost: http.HandlerFunc(s.cancel)}.serve(t), client.FromEnv())
			err := c.CancelFactoryPackages(t.Context(), "12")
			if err == nil {
				require.Len(t, s.used, 1)
				assert.Contains(t, s.used[0], tt.want)
				require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
			} else {
				require.ErrorContains(t, err, tt.want)
				assert.Empty(t, s.used)
			}
			assert.Equal(t, tt.none, errors.Is(err, client.ErrNoCredentials))
			assert.Equal(t, tt.asked, asked.Load())
		})
	}
}

// Where nobody is at the address of the metadata service, nobody is asked twice.
func TestFromEnvWithoutInstance(t *testing.T) {
	clearEnv(t)
	asked := 0
	c := cloudClient(t, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		asked++
		assert.Equal(t, metadataHost, req.URL.Host)
		return nil, errors.New("no route to host")
	}), client.FromEnv())
	err := c.CancelFactoryPackages(t.Context(), "12")
	require.ErrorIs(t, err, client.ErrNoCredentials)
	require.ErrorContains(t, err, "no route to host")
	require.NotErrorIs(t, err, client.ErrInDoubt)
	assert.Equal(t, 1, asked)
}

// The keys of the instance are for the vendor alone. Those of a pod, which its
// environment names, are for whom the program names.
func TestFromEnvElsewhere(t *testing.T) {
	for _, endpoint := range []string{"http://127.0.0.1:1", "https://dayu.cn-north-4.myhuaweicloud.com.example", "https://myhuaweicloud.com"} {
		clearEnv(t)
		_, err := client.New(endpoint, projectID, client.WithCredentials(client.FromEnv()))
		require.ErrorIs(t, err, client.ErrNoCredentials, endpoint)
	}
	withPod(t)
	s := keyService{form: podForm}
	c := newClient(t, "http://host", client.WithCredentials(client.FromEnv()),
		client.WithHTTPClient(&http.Client{Transport: hosts{podHost: http.HandlerFunc(s.give), "host": http.HandlerFunc(s.cancel)}}))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Equal(t, []string{accessNumber(1)}, s.used)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host", nil)
	require.NoError(t, err)
	require.ErrorContains(t, client.FromEnv().Authorize(req), "FromEnv is for WithCredentials")
}
