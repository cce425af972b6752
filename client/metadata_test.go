package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/internal/signing"
)

const metadataToken = "metadata+token/of-the-instance=="

// instance is the metadata service of an instance that gives out tokens, and
// wants to see the last one.
type instance struct {
	keyService
	tokens atomic.Int64
	reject atomic.Int64 // how often a good token is refused
}

func (i *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "PUT /meta-data/latest/api/token":
		if r.Header.Get("X-Metadata-Token-Ttl-Seconds") != "21600" || r.ContentLength > 0 {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s%d", metadataToken, i.tokens.Add(1))
	case "GET /openstack/latest/securitykey":
		if r.Header.Get("X-Metadata-Token") != fmt.Sprintf("%s%d", metadataToken, i.tokens.Load()) || i.reject.Add(-1) >= 0 {
			http.Error(w, "what is "+r.Header.Get("X-Metadata-Token")+"?", http.StatusUnauthorized)
			return
		}
		i.give(w, r)
	default:
		http.NotFound(w, r)
	}
}

func TestInstanceMetadata(t *testing.T) {
	var i instance
	transport := hosts{metadataHost: &i, vendorHost: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, securityNumber(1), r.Header.Get("X-Security-Token"))
		assert.Equal(t, projectID, r.Header.Get("X-Project-Id"))
		assert.True(t, signing.IsSigned(r.Header.Get("Authorization")))
		i.cancel(w, r)
	})}.serve(t)
	c := cloudClient(t, transport, client.InstanceMetadata())
	for range 3 {
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	}
	assert.Equal(t, []string{accessNumber(1), accessNumber(1), accessNumber(1)}, i.used)
	assert.EqualValues(t, 1, i.tokens.Load())
	assert.EqualValues(t, 1, i.fetches.Load())
}

// A metadata token that is refused is replaced once in a fetch.
func TestMetadataTokenRefused(t *testing.T) {
	t.Run("once", func(t *testing.T) {
		var i instance
		i.reject.Store(1)
		c := cloudClient(t, hosts{metadataHost: &i, vendorHost: http.HandlerFunc(i.cancel)}.serve(t), client.InstanceMetadata())
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
		assert.EqualValues(t, 2, i.tokens.Load())
	})
	t.Run("always", func(t *testing.T) {
		var i instance
		i.reject.Store(1000)
		c := cloudClient(t, hosts{metadataHost: &i, vendorHost: refuse(t)}.serve(t), client.InstanceMetadata())
		err := c.CancelFactoryPackages(t.Context(), "12")
		assert.Equal(t, http.StatusUnauthorized, requireError(t, err).HTTPStatus)
		noSecrets(t, err, metadataToken)
		assert.EqualValues(t, 2, i.tokens.Load())
		assert.EqualValues(t, 998, i.reject.Load())
	})
	t.Run("since there is no agency", func(t *testing.T) {
		var i instance
		asked := 0
		metadata := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				i.ServeHTTP(w, r)
				return
			}
			asked++
			respond(http.StatusUnauthorized, "text/html", "<h1>401</h1>Please configure Cloud Service Agency first, not "+r.Header.Get("X-Metadata-Token"))(w, r)
		})
		c := cloudClient(t, hosts{metadataHost: metadata, vendorHost: refuse(t)}.serve(t), client.InstanceMetadata())
		err := c.CancelFactoryPackages(t.Context(), "12")
		require.ErrorContains(t, err, "cancel task packages: authorize the request: fetch keys of the instance: no agency is assigned to the instance: GET http://169.254.169.254/openstack/latest/securitykey: 401")
		noSecrets(t, err, metadataToken)
		assert.EqualValues(t, 1, i.tokens.Load())
		assert.Equal(t, 1, asked)
	})
	t.Run("where there are no more tokens", func(t *testing.T) {
		metadata := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				http.NotFound(w, r)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
		c := cloudClient(t, hosts{metadataHost: metadata, vendorHost: refuse(t)}.serve(t), client.InstanceMetadata())
		require.ErrorContains(t, c.CancelFactoryPackages(t.Context(), "12"), "PUT http://169.254.169.254/meta-data/latest/api/token: 404")
	})
}

// A service without tokens is asked for one once a day.
func TestMetadataWithoutToken(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusServiceUnavailable} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s keyService
				tokens, withToken := 0, 0
				metadata := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPut {
						if tokens++; tokens == 1 {
							w.WriteHeader(status)
							return
						}
						_, _ = io.WriteString(w, metadataToken+"\n")
						return
					}
					if r.Header.Get("X-Metadata-Token") == metadataToken {
						withToken++
					}
					s.give(w, r)
				})
				c := cloudClient(t, hosts{metadataHost: metadata, vendorHost: http.HandlerFunc(s.cancel)}, client.InstanceMetadata())
				for range 24 {
					require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
					assert.Equal(t, 1, tokens)
					time.Sleep(time.Hour)
				}
				assert.EqualValues(t, 24, s.fetches.Load())
				require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
				assert.Equal(t, 2, tokens)
				assert.Equal(t, 1, withToken)
			})
		})
	}
}

func TestMetadataFails(t *testing.T) {
	const isJSON = "application/json"
	body := func(access, secret, token, expires string) string {
		return fmt.Sprintf(iamForm, access, secret, token, expires)
	}
	good := time.Now().Add(time.Hour).UTC().Format(keyTime)
	tests := []struct {
		name        string
		token, keys http.HandlerFunc // nil for a good token
		fetches     int64
		want        string
	}{
		{"token forbidden", respond(403, isJSON, `{}`), nil, 1, "PUT http://169.254.169.254/meta-data/latest/api/token: 403 Forbidden"},
		{"token empty", respond(200, "text/plain", " \n"), nil, 1, "api/token answered 200 OK: client: metadata token is empty"},
		{"token too long", respond(200, "text/plain", strings.Repeat("x", 65<<10)), nil, 1, "api/token answered 200 OK: read body: more than 64 KiB"},
		{"token that is none", respond(200, "text/html", temporarySecret+"\r\nX: y"), nil, 1, "metadata token contains a control character"},
		{"token redirected", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, nil, 1, "302"},
		{"no keys", nil, respond(404, "text/html", "not found"), 1, "GET http://169.254.169.254/openstack/latest/securitykey: 404 Not Found"},
		{"unavailable", nil, respond(500, isJSON, `{"error_msg":"busy"}`), 4, "securitykey: 500 Internal Server Error: busy"},
		{"throttled", nil, respond(429, isJSON, `{}`), 4, "429 Too Many Requests"},
		{"not JSON", nil, respond(200, isJSON, temporarySecret), 1, "securitykey answered 200 OK: not JSON: invalid character"},
		{"an array", nil, respond(200, isJSON, `["`+temporarySecret+`"]`), 1, "not the documented JSON"},
		{"a number", nil, respond(200, isJSON, `{"credential":{"access":12,"secret":"`+temporarySecret+`"}}`), 1, `not the documented JSON: "access" has the wrong type`},
		{"too long", nil, respond(200, isJSON, strings.Repeat(" ", 65<<10)), 1, "read body: more than 64 KiB"},
		{"cut", nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			respond(200, isJSON, `{"credential":`)(w, r)
		}, 1, "read body: unexpected EOF"},
		{"empty", nil, respond(200, isJSON, `{}`), 1, "client: access key is empty"},
		{"no secret", nil, respond(200, isJSON, body(accessNumber(1), "", securityNumber(1), good)), 1, "client: secret key is empty"},
		{"no token", nil, respond(200, isJSON, body(accessNumber(1), temporarySecret, "", good)), 1, "client: security token is empty"},
		{"a line feed", nil, respond(200, isJSON, body(accessNumber(1)+"\n", temporarySecret, securityNumber(1), good)), 1, "client: access key contains a control character"},
		{"no end", nil, respond(200, isJSON, body(accessNumber(1), temporarySecret, securityNumber(1), "")), 1, "the time when the keys expire is missing"},
		{"an end that is no time", nil, respond(200, isJSON, body(accessNumber(1), temporarySecret, securityNumber(1), temporarySecret)), 1, "the time when the keys expire is missing"},
		{"expired", nil, respond(200, isJSON, body(accessNumber(1), temporarySecret, securityNumber(1), "2020-01-08T03:50:07.574000Z")), 1, "the keys have expired at 2020-01-08T03:50:07Z"},
		{"no HTTP", nil, raw(t, "HTTP/1.1 "+metadataToken+" OK\r\n\r\n"), 4, "[redacted]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fetches atomic.Int64
			metadata := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodGet:
					fetches.Add(1)
					tt.keys(w, r)
				case tt.token != nil:
					fetches.Add(1)
					tt.token(w, r)
				default:
					_, _ = io.WriteString(w, metadataToken)
				}
			})
			c := cloudClient(t, hosts{metadataHost: metadata, vendorHost: refuse(t)}.serve(t), client.InstanceMetadata())
			err := c.CancelFactoryPackages(t.Context(), "12")
			require.ErrorContains(t, err, "cancel task packages: authorize the request: fetch keys of the instance: ")
			require.ErrorContains(t, err, tt.want)
			require.NotErrorIs(t, err, client.ErrInDoubt, "nothing was sent")
			noSecrets(t, err, metadataToken)
			assert.Equal(t, tt.fetches, fetches.Load())
		})
	}
}

// Each request to the metadata service has three seconds, the one to the pod's
// endpoint ten, whatever time the HTTP client gives.
func TestFetchTimeouts(t *testing.T) {
	token := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			_, _ = io.WriteString(w, metadataToken)
			return true
		}
		return false
	}
	file := writeFile(t, "token", "pod-token")
	tests := []struct {
		name        string
		credentials client.Credentials
		host        string
		handler     http.HandlerFunc
		limit       time.Duration // of the HTTP client
		want        time.Duration
	}{
		{"token", client.InstanceMetadata(), metadataHost, hang, time.Hour, 3 * time.Second},
		{"keys", client.InstanceMetadata(), metadataHost, func(w http.ResponseWriter, r *http.Request) {
			if !token(w, r) {
				hang(w, r)
			}
		}, 0, 3 * time.Second},
		{"pod", client.PodIdentity("http://"+podHost+"/v1/credentials", file), podHost, hang, 0, 10 * time.Second},
		{"a shorter one of the client", client.PodIdentity("http://"+podHost+"/v1/credentials", file), podHost, hang, time.Second, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, "http://"+vendorHost, client.WithRetry(client.RetryPolicy{Attempts: 1}), client.WithCredentials(tt.credentials),
					client.WithHTTPClient(&http.Client{Transport: hosts{tt.host: tt.handler}, Timeout: tt.limit}))
				start := time.Now()
				err := c.CancelFactoryPackages(t.Context(), "12")
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, tt.want, time.Since(start))
			})
		})
	}
}

// Keys are renewed 40 minutes before their end by one fetch, whoever asks; where
// that fails they are used to their end.
func TestKeyRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := keyService{life: 6 * time.Hour}
		down := false
		s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			time.Sleep(time.Second) // so that all callers wait for it
			if down {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return down
		}
		c := cloudClient(t, hosts{metadataHost: s.metadata(), vendorHost: http.HandlerFunc(s.cancel)}, client.InstanceMetadata(),
			client.WithRetry(client.RetryPolicy{Attempts: 1}))
		all := func(want string) {
			t.Helper()
			s.used = nil
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { assert.NoError(t, c.CancelFactoryPackages(t.Context(), "12")) })
			}
			wg.Wait()
			require.Len(t, s.used, 100)
			for _, access := range s.used {
				assert.Equal(t, want, access)
			}
		}
		start := time.Now()
		until := func(d time.Duration) { time.Sleep(time.Until(start.Add(d))) }
		all(accessNumber(1))
		assert.EqualValues(t, 1, s.fetches.Load())
		until(6*time.Hour - 41*time.Minute)
		all(accessNumber(1))
		assert.EqualValues(t, 1, s.fetches.Load())

		down = true
		until(6*time.Hour - 39*time.Minute)
		all(accessNumber(1))
		all(accessNumber(1))
		assert.EqualValues(t, 2, s.fetches.Load(), "a failed renewal is not tried again at once")
		until(6*time.Hour - 38*time.Minute)
		all(accessNumber(1))
		assert.EqualValues(t, 3, s.fetches.Load())
		until(6 * time.Hour)
		require.ErrorContains(t, c.CancelFactoryPackages(t.Context(), "12"), "500 Internal Server Error")
		down = false
		all(accessNumber(5))
		assert.EqualValues(t, 5, s.fetches.Load())
	})
}

// Keys that last for less than 200 minutes are renewed in the last fifth of that
// time, by the clock of who gave them out.
func TestKeyRenewalOfShortLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s keyService
		s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			theirs := time.Now().UTC().Add(-24 * time.Hour)
			w.Header().Set("Date", theirs.Format(http.TimeFormat))
			fmt.Fprintf(w, iamForm, accessNumber(s.fetches.Load()), temporarySecret, securityNumber(1), theirs.Add(15*time.Minute).Format(keyTime))
			return true
		}
		c := cloudClient(t, hosts{metadataHost: s.metadata(), vendorHost: http.HandlerFunc(s.cancel)}, client.InstanceMetadata())
		for _, wait := range []time.Duration{0, 11 * time.Minute, 2 * time.Minute} {
			time.Sleep(wait)
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
		}
		assert.Equal(t, []string{accessNumber(1), accessNumber(1), accessNumber(2)}, s.used)
	})
}

// Keys that the service refuses are replaced once in a call, by one fetch.
func TestKeysRefused(t *testing.T) {
	var s keyService
	var good atomic.Int64
	s.refuse = func(access string) (int, string) {
		if access == accessNumber(good.Load()) {
			return 0, ""
		}
		return http.StatusUnauthorized, "APIGW.0301"
	}
	c := cloudClient(t, hosts{metadataHost: s.metadata(), vendorHost: http.HandlerFunc(s.cancel)}.serve(t), client.InstanceMetadata())
	for n := range int64(3) {
		good.Store(n + 1)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { assert.NoError(t, c.CancelFactoryPackages(t.Context(), "12")) })
		}
		wg.Wait()
		assert.Equal(t, n+1, s.fetches.Load())
	}
	good.Store(-1)
	s.used = nil
	e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Equal(t, "APIGW.0301", e.Code)
	assert.Equal(t, []string{accessNumber(3), accessNumber(4)}, s.used)
}

// The connection on which keys were fetched is not one on which the request was
// sent: where nobody listens, it is not in doubt.
func TestNothingIsSentAfterKeys(t *testing.T) {
	var i instance
	c := cloudClient(t, hosts{metadataHost: &i}.serve(t), client.InstanceMetadata())
	err := c.CancelFactoryPackages(t.Context(), "12")
	require.ErrorContains(t, err, "nobody is at "+vendorHost)
	require.NotErrorIs(t, err, client.ErrInDoubt)
	assert.EqualValues(t, 1, i.fetches.Load())
}

func TestInstanceMetadataIsForAClient(t *testing.T) {
	for _, credentials := range []client.Credentials{
		client.InstanceMetadata(), client.PodIdentity("http://pod", "file"), client.OpenIDConnect("idp", "file"),
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host", nil)
		require.NoError(t, err)
		require.ErrorContains(t, credentials.Authorize(req), "is for WithCredentials")
	}
}
