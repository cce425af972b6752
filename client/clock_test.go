package client_test

import (
	"log/slog"
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
)

// punctual is a service whose clock differs from this one's, and which refuses
// signatures that are more than 15 minutes off.
type punctual struct {
	ahead    time.Duration
	refuses  bool // all signatures
	requests atomic.Int64
}

func (s *punctual) RoundTrip(req *http.Request) (*http.Response, error) {
	s.requests.Add(1)
	now := time.Now().Add(s.ahead).UTC()
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Date": {now.Format(http.TimeFormat)}}, Body: http.NoBody}
	signed, err := time.Parse("20060102T150405Z", req.Header.Get("X-Sdk-Date"))
	if s.refuses || err != nil || now.Sub(signed).Abs() > 15*time.Minute {
		answer.StatusCode = http.StatusUnauthorized
	}
	return answer, nil
}

func (s *punctual) client(t *testing.T, opts ...client.Option) *client.Client {
	t.Helper()
	return newClient(t, "http://host", append([]client.Option{client.WithHTTPClient(&http.Client{Transport: s}),
		client.WithCredentials(client.AKSK(accessKey, secretKey))}, opts...)...)
}

// A clock that is off is corrected by the service's, once for all calls.
func TestClockIsCorrected(t *testing.T) {
	for _, ahead := range []time.Duration{16 * time.Minute, -16 * time.Minute, 24 * time.Hour, -10 * 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var logged strings.Builder
			s := &punctual{ahead: ahead}
			c := s.client(t, client.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
			assert.EqualValues(t, 2, s.requests.Load())
			assert.Equal(t, 1, strings.Count(logged.String(), `level=WARN msg="sign by the clock of the service" skew=`))
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
			assert.EqualValues(t, 3, s.requests.Load(), "the correction is kept")

			s.ahead = 0 // somebody has set this machine's clock
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
			assert.EqualValues(t, 5, s.requests.Load())
		})
	}
}

// A clock that is right is no reason to sign again, nor is a second refusal.
func TestClockIsNotCorrected(t *testing.T) {
	for _, tt := range []struct {
		ahead    time.Duration
		requests int64
	}{{0, 1}, {9 * time.Minute, 1}, {-9 * time.Minute, 1}, {time.Hour, 2}} {
		synctest.Test(t, func(t *testing.T) {
			s := &punctual{ahead: tt.ahead, refuses: true}
			err := s.client(t).CancelFactoryPackages(t.Context(), "12")
			require.ErrorIs(t, err, client.ErrUnauthorized)
			assert.NotContains(t, err.Error(), "clock")
			assert.Equal(t, tt.requests, s.requests.Load())
		})
	}
	t.Run("an answer without a date", func(t *testing.T) {
		requests := 0
		c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			requests++
			w.Header()["Date"] = nil
			w.WriteHeader(http.StatusUnauthorized)
		}, client.WithCredentials(client.AKSK(accessKey, secretKey)))
		require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), "12"), client.ErrUnauthorized)
		assert.Equal(t, 1, requests)
	})
	t.Run("a token", func(t *testing.T) {
		s := &punctual{ahead: time.Hour, refuses: true}
		err := s.client(t, client.WithCredentials(client.Token(token))).CancelFactoryPackages(t.Context(), "12")
		require.ErrorIs(t, err, client.ErrUnauthorized)
		assert.NotContains(t, err.Error(), "clock")
		assert.EqualValues(t, 1, s.requests.Load())
	})
}

// Where the client cannot correct it, since a program signs for itself, the
// error says which way the clock is off, and by how much.
func TestClockIsNamed(t *testing.T) {
	for _, tt := range []struct {
		ahead time.Duration
		want  string
	}{
		{20*time.Minute + 5*time.Second, "; the request was signed 20m5s before the time of the service, which allows 15 minutes: check this machine's clock"},
		{-time.Hour, "; the request was signed 1h0m0s after the time of the service, which allows 15 minutes: check this machine's clock"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &punctual{ahead: tt.ahead}
			err := s.client(t, client.WithCredentials(authorizeFunc(func(req *http.Request) error {
				return client.AKSK(accessKey, secretKey).Authorize(req)
			}))).CancelFactoryPackages(t.Context(), "12")
			require.ErrorIs(t, err, client.ErrUnauthorized)
			assert.Contains(t, err.Error(), tt.want)
			assert.EqualValues(t, 1, s.requests.Load())
		})
	}
}

// Keys that were fetched are signed with by the service's clock, too, and are
// not fetched again for it.
func TestClockOfFetchedKeys(t *testing.T) {
	s := keyService{form: podForm}
	var fetches, requests int
	pod := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetches++
		s.give(w, r)
	})
	transport := hosts{podHost: pod, "host": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		now := time.Now().Add(time.Hour)
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Sdk-Date"))
		if err != nil || now.Sub(signed).Abs() > 15*time.Minute {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})}
	c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: transport}), client.WithCredentials(client.PodIdentity("http://"+podHost+"/", writeFile(t, "token", "pod-token"))))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.Equal(t, 2, requests)
	assert.Equal(t, 1, fetches)
}

// Callers that meet a refusal at the same time sign again once each.
func TestClockOfManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 50
		s := &punctual{ahead: time.Hour}
		c := s.client(t)
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() { assert.NoError(t, c.CancelFactoryPackages(t.Context(), "12")) })
		}
		wg.Wait()
		assert.LessOrEqual(t, s.requests.Load(), int64(2*callers))
	})
}
