package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

const password = "correct horse battery staple"

// iam gives out tokens, the first of which is "token-1-of-iam".
type iam struct {
	life    time.Duration // how long a token lasts
	fetched atomic.Int64
	answer  func(w http.ResponseWriter, r *http.Request) bool // true if it has answered
}

func tokenNumber(n int64) string { return fmt.Sprintf("token-%d-of-iam", n) }

func (i *iam) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := i.fetched.Add(1)
	if i.answer != nil && i.answer(w, r) {
		return
	}
	// IAM's clock is an hour slow.
	now := time.Now().Add(-time.Hour).UTC()
	const layout = "2006-01-02T15:04:05.000000Z"
	w.Header().Set("X-Subject-Token", tokenNumber(n))
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"token":{"expires_at":%q,"issued_at":%q,"methods":["password"],"user":{"name":"user"}}}`,
		now.Add(i.life).Format(layout), now.Format(layout))
}

// withIAM returns the options of a client that gets its tokens of i.
func withIAM(t *testing.T, i *iam) []client.Option {
	t.Helper()
	srv := httptest.NewServer(i)
	t.Cleanup(srv.Close)
	return []client.Option{client.WithCredentials(client.Password("domain", "user", password)), client.WithIAMEndpoint(srv.URL + "/iam")}
}

func TestPassword(t *testing.T) {
	i := &iam{life: 24 * time.Hour}
	i.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		assert.Equal(t, "POST /iam/v3/auth/tokens?nocatalog=true", r.Method+" "+r.URL.String())
		assert.Equal(t, "application/json;charset=utf8", r.Header.Get("Content-Type"))
		assert.Empty(t, r.Header.Get("X-Auth-Token"))
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.JSONEq(t, `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"user","password":"`+password+`","domain":{"name":"domain"}}}},
			"scope":{"project":{"id":"`+projectID+`"}}}}`, string(body))
		return false
	}
	c := setup(t, func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, []string{tokenNumber(1)}, r.Header["X-Auth-Token"])
	}, withIAM(t, i)...)
	for range 3 {
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	}
	assert.EqualValues(t, 1, i.fetched.Load())
}

// Any number of goroutines wait for one fetch, also for the one that replaces
// a token which the service refuses.
func TestPasswordIsSentOnce(t *testing.T) {
	const callers = 50
	i := &iam{life: 24 * time.Hour}
	var good atomic.Int64
	good.Store(1)
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Auth-Token") != tokenNumber(good.Load()) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}, append(withIAM(t, i), client.WithRetry(client.RetryPolicy{Attempts: 1}))...)
	for round := range int64(3) {
		good.Store(round + 1)
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() { assert.NoError(t, c.CancelFactoryPackages(t.Context(), "12")) })
		}
		wg.Wait()
		assert.Equal(t, round+1, i.fetched.Load())
	}
}

// A token that is refused is replaced once in a call.
func TestPasswordRefused(t *testing.T) {
	i := &iam{life: 24 * time.Hour}
	var got []string
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("X-Auth-Token"))
		w.WriteHeader(http.StatusUnauthorized)
	}, withIAM(t, i)...)
	e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Equal(t, http.StatusUnauthorized, e.HTTPStatus)
	assert.Equal(t, []string{tokenNumber(1), tokenNumber(2)}, got)
}

// A token is renewed by the code of the refusal, whatever its status, and only
// by those codes.
func TestPasswordRefusedByCode(t *testing.T) {
	tests := []struct {
		status  int
		code    string
		renewed bool
	}{
		{http.StatusUnauthorized, "", true},
		{http.StatusUnauthorized, "APIG.0303", true},
		{http.StatusForbidden, "APIG.0301", true},
		{http.StatusForbidden, "APIGW.0301", true},
		{http.StatusBadRequest, "APIG.0307", true},
		{http.StatusInternalServerError, "APIGW.0307", true},
		{http.StatusServiceUnavailable, "APIG.0301", true},
		{http.StatusFound, "APIG.0307", true},
		{http.StatusForbidden, "APIG.0302", false},
		{http.StatusForbidden, "DLF.0301", false},
		{http.StatusForbidden, "APIG.03010", false},
		{http.StatusForbidden, "", false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, tt.code), func(t *testing.T) {
			i := &iam{life: 24 * time.Hour}
			accepted := int64(2) // the number of the token that is not refused
			var got []string
			c := setup(t, func(w http.ResponseWriter, r *http.Request) {
				got = append(got, r.Header.Get("X-Auth-Token"))
				if r.Header.Get("X-Auth-Token") != tokenNumber(accepted) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(tt.status)
					fmt.Fprintf(w, `{"error_code":%q,"error_msg":"no"}`, tt.code)
				}
			}, append(withIAM(t, i), client.WithRetry(client.RetryPolicy{Attempts: 1}))...)
			err := c.CancelFactoryPackages(t.Context(), "12")
			if !tt.renewed {
				assert.Equal(t, tt.status, requireError(t, err).HTTPStatus)
				assert.Equal(t, []string{tokenNumber(1)}, got)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []string{tokenNumber(1), tokenNumber(2)}, got)

			accepted, got = 0, nil
			err = c.CancelFactoryPackages(t.Context(), "12")
			assert.Equal(t, tt.code, requireError(t, err).Code)
			require.NotErrorIs(t, err, client.ErrInDoubt, "it was refused before the service")
			assert.Equal(t, []string{tokenNumber(2), tokenNumber(3)}, got)
		})
	}
}

// A ready token is not sent again after a 401: it would be refused again.
func TestTokenRefused(t *testing.T) {
	requests := 0
	c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.WriteHeader(http.StatusUnauthorized)
	}, client.WithCredentials(client.Token(token)))
	require.ErrorAs(t, c.CancelFactoryPackages(t.Context(), "12"), new(*client.Error))
	assert.Equal(t, 1, requests)
}

func TestPasswordFails(t *testing.T) {
	answer := func(status int, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, err := io.WriteString(w, body)
			return assert.NoError(t, err)
		}
	}
	tests := []struct {
		name    string
		answer  func(http.ResponseWriter, *http.Request) bool
		fetches int64
		status  int // of the *client.Error, 0 without any
		want    string
	}{
		{"wrong password", answer(401, `{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}}`),
			1, 401, "/iam/v3/auth/tokens?nocatalog=true: 401 Unauthorized: The username or password is wrong."},
		{"repeats the password", answer(400, `{"error":{"code":400,"message":"what is `+password+`?","title":"Bad Request"}}`),
			1, 400, "400 Bad Request: what is [redacted]?"},
		{"another shape", answer(403, `{"error":"forbidden","error_code":"IAM.0003","error_msg":"Policy doesn't allow."}`),
			1, 403, "403 IAM.0003: Policy doesn't allow."},
		{"unavailable", answer(503, ``), 4, 503, "503 Service Unavailable: body is empty"},
		{"throttled", answer(429, ``), 4, 429, "429 Too Many Requests"},
		{"a token longer than documented", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-Subject-Token", strings.Repeat("x", 4097))
			w.WriteHeader(http.StatusCreated)
			return true
		}, 1, 0, "answered 201 Created: client: token has 4097 characters, and at most 4096 are documented"},
		{"no token", answer(201, `{}`), 1, 0, "answered 201 Created: client: token is empty"},
		{"cut", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, 4, 0, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := &iam{answer: tt.answer}
			err := setup(t, refuse(t), withIAM(t, i)...).CancelFactoryPackages(t.Context(), "12")
			require.ErrorContains(t, err, "cancel task packages: authorize the request: fetch a token: ")
			require.ErrorContains(t, err, tt.want)
			require.NotErrorIs(t, err, client.ErrInDoubt, "nothing was sent")
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), password)
			assert.Equal(t, tt.fetches, i.fetched.Load())
			if e, ok := errors.AsType[*client.Error](err); assert.Equal(t, tt.status != 0, ok) && ok {
				assert.Equal(t, tt.status, e.HTTPStatus)
			}
		})
	}
}

// A call that gives up does not end the fetch for the others, and a fetch that
// nobody waits for ends.
func TestPasswordFetchEndsWithItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetches, ended := 0, false
		hanging := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			fetches++
			<-req.Context().Done()
			ended = true
			return nil, req.Context().Err()
		})
		c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: hanging}),
			client.WithCredentials(client.Password("d", "u", "p")), client.WithIAMEndpoint("http://iam"))
		call := func(ctx context.Context) <-chan error {
			err := make(chan error, 1)
			go func() { err <- c.CancelFactoryPackages(ctx, "12") }()
			synctest.Wait() // until it waits for the token
			return err
		}
		first, endFirst := context.WithCancel(t.Context())
		second, endSecond := context.WithCancelCause(t.Context())
		firstErr, secondErr := call(first), call(second)

		endFirst()
		require.ErrorIs(t, <-firstErr, context.Canceled)
		synctest.Wait()
		assert.False(t, ended)

		reason := errors.New("enough")
		endSecond(reason)
		err := <-secondErr
		require.ErrorIs(t, err, reason)
		require.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		assert.True(t, ended)
		assert.Equal(t, 1, fetches)
	})
}

func TestPasswordNeedsIAM(t *testing.T) {
	credentials := client.WithCredentials(client.Password("d", "u", "p"))
	_, err := client.New("http://127.0.0.1:1", projectID, credentials)
	require.ErrorContains(t, err, "WithIAMEndpoint")
	_, err = client.New("https://dayu.cn-north-4.myhuaweicloud.com", projectID, credentials)
	require.NoError(t, err)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://host/", nil)
	require.NoError(t, err)
	require.ErrorContains(t, client.Password("d", "u", "p").Authorize(req), "for the credentials of a Client")
}

// Where tokens are to be had follows from the service's endpoint.
func TestIAMOfTheRegion(t *testing.T) {
	for endpoint, want := range map[string]string{
		client.Region("cn-north-4"):  "https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens",
		client.Region("eu-west-101"): "https://iam.eu-west-101.myhuaweicloud.eu/v3/auth/tokens",
	} {
		var asked []string
		transport := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			asked = append(asked, req.URL.Scheme+"://"+req.URL.Host+req.URL.Path)
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody}, nil
		})
		c := newClient(t, endpoint, client.WithHTTPClient(&http.Client{Transport: transport}),
			client.WithCredentials(client.Password("d", "u", "p")))
		require.ErrorAs(t, c.CancelFactoryPackages(t.Context(), "12"), new(*client.Error))
		assert.Equal(t, []string{want}, asked)
	}
}

// fakeService is IAM and the service in one transport, so that time can be
// that of a synctest bubble.
type fakeService struct {
	iam  *iam
	down bool // IAM fails
	got  []string
}

func (s *fakeService) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.URL.Path, "/v3/auth/tokens") {
		s.got = append(s.got, req.Header.Get("X-Auth-Token"))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
	}
	if s.down {
		return &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{}, Body: http.NoBody}, nil
	}
	w := httptest.NewRecorder()
	s.iam.ServeHTTP(w, req)
	return w.Result(), nil
}

// A token is used until shortly before its end, by IAM's clock, and to the end
// where IAM fails.
func TestPasswordRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeService{iam: &iam{life: 24 * time.Hour}}
		c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: s}),
			client.WithCredentials(client.Password("d", "u", "p")), client.WithIAMEndpoint("http://iam"))
		cancel := func() error { return c.CancelFactoryPackages(t.Context(), "12") }

		require.NoError(t, cancel())
		time.Sleep(24*time.Hour - 5*time.Minute - time.Second)
		require.NoError(t, cancel())
		assert.Equal(t, []string{tokenNumber(1), tokenNumber(1)}, s.got)
		time.Sleep(2 * time.Second)
		require.NoError(t, cancel())
		assert.Equal(t, tokenNumber(2), s.got[2])

		s.down = true
		time.Sleep(24*time.Hour - time.Minute)
		require.NoError(t, cancel())
		assert.Equal(t, tokenNumber(2), s.got[3], "still good")
		time.Sleep(2 * time.Minute)
		e := requireError(t, cancel())
		assert.Equal(t, http.StatusBadGateway, e.HTTPStatus)
		assert.Len(t, s.got, 4)
		s.down = false
		require.NoError(t, cancel())
	})
}

// Without a word of IAM on its end a token is used for the documented day.
func TestPasswordUnknownExpiry(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON": "<html>", "no time": "{}", "other time": `{"token":{"expires_at":"tomorrow"}}`, "only the end": "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if name == "only the end" {
					end, err := json.Marshal(time.Now().Add(24 * time.Hour))
					require.NoError(t, err)
					body = `{"token":{"expires_at":` + string(end) + `}}`
				}
				s := &fakeService{iam: &iam{}}
				s.iam.answer = func(w http.ResponseWriter, _ *http.Request) bool {
					w.Header().Set("X-Subject-Token", tokenNumber(s.iam.fetched.Load()))
					_, err := io.WriteString(w, body)
					return assert.NoError(t, err)
				}
				c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: s}),
					client.WithCredentials(client.Password("d", "u", "p")), client.WithIAMEndpoint("http://iam"))
				require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
				time.Sleep(23 * time.Hour)
				require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
				time.Sleep(time.Hour)
				require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
				assert.Equal(t, []string{tokenNumber(1), tokenNumber(1), tokenNumber(2)}, s.got)
			})
		})
	}
}
