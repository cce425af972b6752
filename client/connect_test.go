package client_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// What no second attempt can mend is not tried again, with the client's own
// transport and with one of the caller's.
func TestPermanentConnectErrors(t *testing.T) {
	handshake := func(k *link) { k.handshake() }
	tests := []struct {
		name      string
		protocols []string
		script    func(*link)
		trusted   bool
		host      string // in place of 127.0.0.1
		want      string
	}{
		{name: "an unknown authority", protocols: []string{"http/1.1"}, script: handshake, want: "certificate signed by unknown authority"},
		{name: "another host", protocols: []string{"http/1.1"}, script: handshake, trusted: true, host: "localhost", want: "not localhost"},
		{name: "an answer in plain HTTP", script: func(k *link) {
			k.read(1)
			k.say("HTTP/1.1 400 Bad Request\r\n\r\n")
			k.untilGone()
		}, want: "server gave HTTP response to HTTPS client"},
		{name: "an answer of another protocol", script: func(k *link) {
			k.read(1)
			k.say("SSH-2.0-OpenSSH_9.9\r\n")
			k.untilGone()
		}, want: "first record does not look like a TLS handshake"},
	}
	for _, tt := range tests {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, own transport %t", tt.name, own), func(t *testing.T) {
				l := newLine(t, tt.script, tt.protocols...)
				roots := x509.NewCertPool()
				if tt.trusted {
					roots = l.roots
				}
				opt := client.WithRootCAs(roots)
				if !own {
					opt = client.WithHTTPClient(&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}})
				}
				endpoint := strings.Replace(l.url, "http://", "https://", 1)
				if tt.host != "" {
					endpoint = strings.Replace(endpoint, "127.0.0.1", tt.host, 1)
				}
				err := newClient(t, endpoint, opt).CancelFactoryPackages(t.Context(), "12")
				requirePermanent(t, err)
				assert.Contains(t, err.Error(), tt.want)
				assert.EqualValues(t, 1, l.connections.Load())
			})
		}
	}
}

// A certificate that has expired is permanent, too, and nothing is sent to who has it.
func TestExpiredCertificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(certificate)

	for name, opt := range map[string]client.Option{
		"own transport": client.WithRootCAs(roots),
		"another":       client.WithHTTPClient(&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}),
	} {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int64
			srv := httptest.NewUnstartedServer(refuse(t))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
			srv.StartTLS()
			defer srv.Close()
			err := newClient(t, srv.URL, opt).CancelFactoryPackages(t.Context(), "12")
			requirePermanent(t, err)
			assert.Contains(t, err.Error(), "certificate has expired")
			assert.EqualValues(t, 1, connections.Load())
		})
	}
}

func requirePermanent(t *testing.T, err error) {
	t.Helper()
	var e *client.ConnectError
	require.ErrorAs(t, err, &e)
	assert.True(t, e.Permanent, "%v", err)
	requireURLError(t, err)
	require.NotErrorIs(t, err, client.ErrInDoubt)
	assert.Contains(t, err.Error(), "; nothing was sent")
	assert.Equal(t, e.Error(), e.Unwrap().Error())
}

// What credentials put into a header, and cannot stand there, is not sent.
func TestHeaderThatCannotBeSent(t *testing.T) {
	c := setup(t, refuse(t), client.WithCredentials(authorizeFunc(func(req *http.Request) error {
		req.Header.Set("X-Auth-Token", "a\nb")
		return nil
	})))
	requirePermanent(t, c.CancelFactoryPackages(t.Context(), "12"))
}

// IAM that cannot be reached is told apart in the same way.
func TestPermanentConnectErrorOfIAM(t *testing.T) {
	var handshakes atomic.Int64
	iam := httptest.NewUnstartedServer(refuse(t))
	iam.Config.ErrorLog = log.New(io.Discard, "", 0)
	iam.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		handshakes.Add(1)
		return nil, nil //nolint:nilnil // the configuration that there is
	}}
	iam.StartTLS()
	t.Cleanup(iam.Close)
	c := setup(t, refuse(t), client.WithCredentials(client.Password("d", "u", "p")), client.WithIAMEndpoint(iam.URL))
	requirePermanent(t, c.CancelFactoryPackages(t.Context(), "12"))
	assert.EqualValues(t, 1, handshakes.Load())
}

// A connection that could not be made says nothing of an attempt before it.
func TestConnectErrorAfterDoubt(t *testing.T) {
	requests := 0
	transport := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if requests == 0 {
			requests++
			return &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{}, Body: http.NoBody}, nil
		}
		return unreachable(&requests)(req)
	})
	c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: transport}),
		client.WithRetry(client.RetryPolicy{BaseDelay: time.Microsecond, InDoubt: true}))
	err := c.CancelFactoryPackages(t.Context(), "12")
	require.ErrorAs(t, err, new(*client.ConnectError))
	require.ErrorIs(t, err, client.ErrInDoubt)
	assert.NotContains(t, err.Error(), "nothing was sent")
	assert.Equal(t, 4, requests)
}

func TestWithRootCAs(t *testing.T) {
	_, err := client.New("https://host", projectID, client.WithRootCAs(x509.NewCertPool()), client.WithHTTPClient(&http.Client{}))
	require.EqualError(t, err, "client: WithRootCAs is for the client's own transport, and WithHTTPClient brings another")
	_, err = client.New("https://host", projectID, client.WithRootCAs(nil))
	require.EqualError(t, err, "client: root CAs are nil")
}

// What a proxy answers to CONNECT, with the client's own transport. The proxy
// is that of the environment, which net/http reads once: the calls are those of
// other processes.
func TestProxyAnswers(t *testing.T) {
	const variable = "FACTORY_TEST_PROXY_CALL"
	if os.Getenv(variable) != "" {
		err := newClient(t, "https://service.example").CancelFactoryPackages(t.Context(), "12")
		var e *client.ConnectError
		require.ErrorAs(t, err, &e)
		require.NotErrorIs(t, err, client.ErrInDoubt)
		fmt.Printf("permanent=%t %v\n", e.Permanent, err)
		return
	}
	call := func(t *testing.T, proxy string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyAnswers$")
		for _, v := range os.Environ() {
			if name, _, _ := strings.Cut(v, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
				cmd.Env = append(cmd.Env, v)
			}
		}
		cmd.Env = append(cmd.Env, variable+"=1", "HTTPS_PROXY="+proxy)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		line, _, _ := bytes.Cut(out, []byte("\n"))
		return string(line)
	}
	for status, permanent := range map[int]bool{403: true, 404: true, 407: true, 408: false, 429: false, 502: false, 503: false} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			var connects atomic.Int64
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodConnect, r.Method)
				connects.Add(1)
				w.WriteHeader(status)
			}))
			t.Cleanup(proxy.Close)
			u, err := url.Parse(proxy.URL)
			require.NoError(t, err)
			u.User = url.UserPassword("user", "pass-word")
			said := call(t, u.String())
			assert.Contains(t, said, fmt.Sprintf("permanent=%t ", permanent))
			assert.Contains(t, said, fmt.Sprintf("proxy http://user:xxxxx@%s answered CONNECT with %d %s; nothing was sent", u.Host, status, http.StatusText(status)))
			want := 4
			if permanent {
				want = 1
			}
			assert.EqualValues(t, want, connects.Load())
		})
	}
}

// The documented maximum of X-Auth-Token is checked.
func TestLongToken(t *testing.T) {
	for name, tt := range map[string]struct {
		token string
		ok    bool
	}{
		"the longest":               {strings.Repeat("x", 4096), true},
		"the longest, not ASCII":    {strings.Repeat("é", 4096), true},
		"longer than is documented": {strings.Repeat("x", 4097), false},
	} {
		_, err := client.New("http://host", projectID, client.WithCredentials(client.Token(tt.token)))
		if tt.ok {
			require.NoError(t, err, name)
		} else {
			require.EqualError(t, err, "client: token has 4097 characters, and at most 4096 are documented")
		}
	}
}
