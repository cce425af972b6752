package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// answering gives the answers in turn, the last one again and again, and
// counts the requests. An empty answer cuts the connection.
func answering(t *testing.T, requests *atomic.Int64, answers ...string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		answer := answers[min(int(requests.Add(1)), len(answers))-1]
		if answer == "" {
			panic(http.ErrAbortHandler)
		}
		raw(t, "HTTP/1.1 "+answer)(w, r)
	}
}

func answer(status string, body string) string {
	return fmt.Sprintf("%s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

var (
	ok           = answer("200 OK", "")
	throttled    = answer("429 Too Many Requests", `{"error_code":"APIG.0308","error_msg":"The throttling threshold has been reached.","request_id":"r"}`)
	gatewayDown  = answer("503 Service Unavailable", `{"error_code":"APIG.0613","error_msg":"IAM unavailable","request_id":"r"}`)
	gatewayDown2 = answer("503 Service Unavailable", `{"error_code":"APIGW.0613"}`)
	serviceDown  = answer("503 Service Unavailable", `{"error_code":"DLF.0001"}`)
	badGateway   = answer("502 Bad Gateway", `{"error_code":"APIG.0202","error_msg":"Backend unavailable"}`)
	late         = answer("504 Gateway Timeout", `{"error_code":"APIG.0203"}`)
	broken       = answer("500 Internal Server Error", `{"error_code":"APIG.0201"}`)
	notFound     = answer("400 Bad Request", `{"error_code":"DLF.0810","error_msg":"Task does not exist."}`)
	denied       = answer("401 Unauthorized", `{"error_code":"APIG.0301"}`)
	forbidden    = answer("403 Forbidden", `{"error_code":"APIG.0302"}`)
)

// Which answers are repeated, by default and where doubt is allowed.
func TestRetry(t *testing.T) {
	is := func(errs ...error) []error { return append([]error{}, errs...) }
	tests := []struct {
		name     string
		inDoubt  bool
		answers  []string
		requests int
		is       []error // of these: ErrInDoubt, ErrTaskNotFound; nil for success
	}{
		{"success", false, []string{ok}, 1, nil},
		{"throttled", false, []string{throttled, throttled, ok}, 3, nil},
		{"gateway down", false, []string{gatewayDown, gatewayDown2, ok}, 3, nil},
		{"throttled for ever", false, []string{throttled}, 4, is()},
		{"gateway down for ever", false, []string{gatewayDown}, 4, is()},
		{"not found", false, []string{notFound}, 1, is(client.ErrTaskNotFound)},
		{"not found after a throttling", false, []string{throttled, notFound}, 2, is(client.ErrTaskNotFound)},
		{"denied", false, []string{denied}, 1, is()},
		{"forbidden", false, []string{forbidden}, 1, is()},

		{"service down", false, []string{serviceDown, ok}, 1, is(client.ErrInDoubt)},
		{"bad gateway", false, []string{badGateway, ok}, 1, is(client.ErrInDoubt)},
		{"late", false, []string{late, ok}, 1, is(client.ErrInDoubt)},
		{"broken", false, []string{broken, ok}, 1, is(client.ErrInDoubt)},
		{"HTML of a proxy", false, []string{"503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n<html>", ok}, 1, is(client.ErrInDoubt)},
		{"cut", false, []string{"", ok}, 1, is(client.ErrInDoubt)},
		{"cut header", false, []string{"200 O", ok}, 1, is(client.ErrInDoubt)},

		{"service down, allowed", true, []string{serviceDown, ok}, 2, nil},
		{"bad gateway, allowed", true, []string{badGateway, ok}, 2, nil},
		{"late, allowed", true, []string{late, ok}, 2, nil},
		{"cut, allowed", true, []string{"", "", "", ok}, 4, nil},
		{"cut for ever", true, []string{""}, 4, is(client.ErrInDoubt)},
		{"broken is final", true, []string{broken, ok}, 1, is(client.ErrInDoubt)},
		{"denied is final", true, []string{denied}, 1, is()},
		{"not found at once", true, []string{notFound}, 1, is(client.ErrTaskNotFound)},
		{"not found after a cut", true, []string{"", notFound}, 2, is(client.ErrInDoubt)},
		{"not found after a 502 and a throttling", true, []string{badGateway, throttled, notFound}, 3, is(client.ErrInDoubt)},
		{"throttled after a 502", true, []string{badGateway, throttled}, 4, is(client.ErrInDoubt)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int64
			c := setup(t, answering(t, &requests, tt.answers...),
				client.WithRetry(client.RetryPolicy{BaseDelay: time.Microsecond, InDoubt: tt.inDoubt}))
			err := c.CancelFactoryPackages(t.Context(), "12")
			assert.EqualValues(t, tt.requests, requests.Load())
			if tt.is == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			for _, target := range []error{client.ErrInDoubt, client.ErrTaskNotFound} {
				assert.Equal(t, slices.Contains(tt.is, target), errors.Is(err, target), "%v: %v", target, err)
			}
			if strings.HasPrefix(tt.name, "not found after a 502") {
				assert.Contains(t, err.Error(), "Task does not exist.; an earlier request may have cancelled the packages")
			}
		})
	}
}

// What fails before a connection is there is repeated.
func TestRetryConnection(t *testing.T) {
	t.Run("nobody listens at first", func(t *testing.T) {
		var requests atomic.Int64
		srv := httptest.NewServer(answering(t, &requests, ok))
		t.Cleanup(srv.Close)
		dials := 0
		transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials++; dials < 3 {
				addr = closedPort(ctx, t)
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}}
		c := newClient(t, srv.URL, client.WithHTTPClient(&http.Client{Transport: transport}))
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
		assert.Equal(t, 3, dials)
		assert.EqualValues(t, 1, requests.Load())
	})
	t.Run("TLS fails", func(t *testing.T) {
		var handshakes atomic.Int64
		srv := httptest.NewUnstartedServer(refuse(t))
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			handshakes.Add(1)
			return nil, errors.New("no")
		}}
		srv.StartTLS()
		t.Cleanup(srv.Close)
		err := newClient(t, srv.URL, client.WithHTTPClient(srv.Client())).CancelFactoryPackages(t.Context(), "12")
		requireURLError(t, err)
		require.NotErrorIs(t, err, client.ErrInDoubt)
		assert.EqualValues(t, 4, handshakes.Load())
	})
	t.Run("a transport that reports nothing", func(t *testing.T) {
		requests := 0
		transport := roundTripFunc(func(*http.Request) (*http.Response, error) {
			requests++
			return nil, errors.New("who knows what it did")
		})
		c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: transport}))
		require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), "12"), client.ErrInDoubt)
		assert.Equal(t, 1, requests)
	})
}

// A proxy that makes no way to the service keeps the request from it.
func TestRetryProxy(t *testing.T) {
	var connects atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodConnect, r.Method)
		connects.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(proxy.Close)
	u, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	c := newClient(t, "https://host", client.WithHTTPClient(&http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(u)}}))
	err = c.CancelFactoryPackages(t.Context(), "12")
	requireURLError(t, err)
	require.NotErrorIs(t, err, client.ErrInDoubt)
	assert.EqualValues(t, 4, connects.Load())
}

// The same holds over HTTP/2, where a stream is cut and not a connection.
func TestRetryHTTP2(t *testing.T) {
	var requests atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 2, r.ProtoMajor)
		switch requests.Add(1) {
		case 1:
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			panic(http.ErrAbortHandler)
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c := newClient(t, srv.URL, client.WithHTTPClient(srv.Client()))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	require.ErrorIs(t, c.CancelFactoryPackages(t.Context(), "12"), client.ErrInDoubt)
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.EqualValues(t, 4, requests.Load())
}

// closedPort is an address where nobody listens.
func closedPort(ctx context.Context, t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// unreachable is a transport that reports as net/http's does where nobody
// listens.
func unreachable(requests *int) roundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		*requests++
		httptrace.ContextClientTrace(req.Context()).GetConn("host:80")
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
}

// throttling is a transport that answers 429.
func throttling(requests *int, header map[string]string) roundTripFunc {
	return func(*http.Request) (*http.Response, error) {
		*requests++
		answer := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: http.NoBody}
		for name, value := range header {
			answer.Header.Set(name, value)
		}
		return answer, nil
	}
}

// after is a header that asks to wait.
func after(value string) map[string]string { return map[string]string{"Retry-After": value} }

// How long the client waits, by a clock that runs as fast as can be.
func TestRetryWaits(t *testing.T) {
	const date = "Tue, 25 Nov 2025 08:30:00 GMT"
	tests := []struct {
		name     string
		policy   client.RetryPolicy
		answer   map[string]string // header of a 429; nil where nobody listens
		deadline time.Duration     // of the context; 0 for none
		requests int
		atLeast  time.Duration
		below    time.Duration
	}{
		{"default", client.RetryPolicy{}, nil, 0, 4, 0, 1400 * time.Millisecond},
		{"no repetition", client.RetryPolicy{Attempts: 1}, nil, 0, 1, 0, 1},
		{"capped", client.RetryPolicy{Attempts: 11, BaseDelay: time.Hour, MaxDelay: time.Second}, nil, 0, 11, 0, 10 * time.Second},
		{"seconds", client.RetryPolicy{Attempts: 3}, after("7"), 0, 3, 14 * time.Second, 14*time.Second + 400*time.Millisecond},
		{"date", client.RetryPolicy{Attempts: 2}, map[string]string{"Retry-After": "Tue, 25 Nov 2025 08:30:09 GMT", "Date": date}, 0, 2, 9 * time.Second, 9*time.Second + 200*time.Millisecond},
		{"date that is past", client.RetryPolicy{Attempts: 2}, map[string]string{"Retry-After": date, "Date": date}, 0, 2, 0, 200 * time.Millisecond},
		{"date without a date", client.RetryPolicy{Attempts: 2}, after("Sat, 01 Jan 2000 00:00:03 GMT"), 0, 2, 3 * time.Second, 3*time.Second + 200*time.Millisecond},
		{"not a wait", client.RetryPolicy{Attempts: 2}, after("soon"), 0, 2, 0, 200 * time.Millisecond},
		{"negative", client.RetryPolicy{Attempts: 2}, after("-7"), 0, 2, 0, 200 * time.Millisecond},
		{"longest wait", client.RetryPolicy{Attempts: 2}, after("30"), 0, 2, 30 * time.Second, 31 * time.Second},
		{"too long a wait", client.RetryPolicy{}, after("31"), 0, 1, 0, 1},
		{"seconds beyond 32 bits", client.RetryPolicy{}, after("4294967297"), 0, 1, 0, 1},
		{"seconds beyond a time.Duration", client.RetryPolicy{}, after("9223372037"), 0, 1, 0, 1},
		{"seconds beyond 64 bits", client.RetryPolicy{}, after("99999999999999999999"), 0, 1, 0, 1},
		{"seconds of a thousand digits", client.RetryPolicy{}, after(strings.Repeat("9", 1000)), 0, 1, 0, 1},
		{"leading zeros", client.RetryPolicy{Attempts: 2}, after(strings.Repeat("0", 1000) + "7"), 0, 2, 7 * time.Second, 8 * time.Second},
		{"the longest delay", client.RetryPolicy{Attempts: 2, MaxDelay: math.MaxInt64}, after("9223372036"), 0, 1, 0, 1},
		{"beyond the deadline", client.RetryPolicy{}, after("7"), 6 * time.Second, 1, 0, 1},
		{"within the deadline", client.RetryPolicy{}, after("7"), 16 * time.Second, 3, 14 * time.Second, 15 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				transport := unreachable(&requests)
				if tt.answer != nil {
					transport = throttling(&requests, tt.answer)
				}
				c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: transport}), client.WithRetry(tt.policy))
				ctx := t.Context()
				if tt.deadline > 0 {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeout(ctx, tt.deadline)
					defer stop()
				}
				start := time.Now()
				err := c.CancelFactoryPackages(ctx, "12")
				took := time.Since(start)
				require.Error(t, err)
				require.NotErrorIs(t, err, context.DeadlineExceeded, "what the service said comes before the deadline")
				assert.Equal(t, tt.requests, requests)
				assert.GreaterOrEqual(t, took, tt.atLeast)
				assert.Less(t, took, tt.below)
			})
		})
	}
}

// The waits are spread over the whole interval: full jitter.
func TestRetryJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: unreachable(&requests)}),
			client.WithRetry(client.RetryPolicy{Attempts: 2, BaseDelay: time.Second}))
		var tenths [10]int
		for range 1000 {
			start := time.Now()
			require.Error(t, c.CancelFactoryPackages(t.Context(), "12"))
			tenths[min(9, time.Since(start)/(100*time.Millisecond))]++
		}
		for i, n := range tenths {
			assert.InDelta(t, 100, n, 60, "waits of about %d00 ms", i)
		}
	})
}

// A caller who gives up while the client waits gets both reasons.
func TestRetryWaitIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: throttling(&requests, after("7"))}))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := c.CancelFactoryPackages(ctx, "12")
		require.ErrorIs(t, err, context.Canceled)
		e := requireError(t, err)
		assert.Equal(t, http.StatusTooManyRequests, e.HTTPStatus)
		assert.Equal(t, 7*time.Second, e.RetryAfter)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// Each request is logged, each repetition is a warning, and nothing secret is
// among it.
func TestLogger(t *testing.T) {
	var text bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "duration", "wait", "url":
			return slog.Attr{}
		}
		return a
	}}))
	var requests atomic.Int64
	i := &iam{life: time.Hour}
	c := setup(t, answering(t, &requests, throttled, ok, ""), append(withIAM(t, i), client.WithLogger(logger))...)
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12", "13"))
	require.Error(t, c.CancelFactoryPackages(t.Context(), "14"))
	i.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	require.Error(t, setup(t, refuse(t), append(withIAM(t, i), client.WithLogger(logger))...).CancelFactoryPackages(t.Context(), "12"))

	logged := text.String()
	for _, want := range []string{
		`level=DEBUG msg="fetch credentials"` + "\n",
		`level=DEBUG msg="cancel task packages" method=POST packages=2 attempt=1 status=429 error="POST http`,
		`level=WARN msg="repeat the request" attempt=2 reason="POST http`,
		`level=DEBUG msg="cancel task packages" method=POST packages=2 attempt=2 status=200` + "\n",
		`level=DEBUG msg="cancel task packages" method=POST packages=1 attempt=1 error="cancel task packages: Post`,
		`level=DEBUG msg="fetch credentials" error="POST http`,
	} {
		assert.Contains(t, logged, want)
	}
	for _, secret := range append(secrets, tokenNumber(1)) {
		assert.NotContains(t, logged, secret)
	}
}
