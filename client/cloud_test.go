package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

const (
	metadataHost = "169.254.169.254"
	vendorHost   = "dayu.cn-north-4.myhuaweicloud.com"
	vendorIAM    = "iam.cn-north-4.myhuaweicloud.com"
	podHost      = "169.254.170.2"
	// keyTime is the form in which the vendor writes when keys expire.
	keyTime = "2006-01-02T15:04:05.000000Z"
)

// hosts is a transport in which each host is a handler, so that time can be
// that of a synctest bubble.
type hosts map[string]http.Handler

func (h hosts) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	handler, ok := h[req.URL.Host]
	if !ok {
		return nil, errors.New("connection refused")
	}
	answered := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		answered <- w.Result()
	}()
	select {
	case resp := <-answered:
		return resp, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// serve makes each host a server that listens on the loopback interface, and
// returns a transport that finds it there. A proxy must not see what is asked on
// the instance.
func (h hosts) serve(t *testing.T) *http.Transport {
	t.Helper()
	addresses := map[string]string{}
	for host, handler := range h {
		srv := httptest.NewServer(handler)
		t.Cleanup(srv.Close)
		addresses[host] = srv.Listener.Addr().String()
	}
	transport := &http.Transport{
		Proxy: func(req *http.Request) (*url.URL, error) {
			if host := req.URL.Host; host == metadataHost || host == podHost {
				t.Errorf("%s is asked through a proxy", host)
			}
			return nil, nil //nolint:nilnil // no proxy
		},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, _, _ := strings.Cut(addr, ":")
			if addresses[host] == "" {
				return nil, fmt.Errorf("nobody is at %s", host)
			}
			return (&net.Dialer{}).DialContext(ctx, network, addresses[host])
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// keyService gives out keys, the first of which are AK1, and accepts those that
// are good.
type keyService struct {
	life    time.Duration // how long keys last; an hour if it is 0
	fetches atomic.Int64
	answer  func(w http.ResponseWriter, r *http.Request) bool // true if it has answered, in place of keys
	form    string                                            // of the answer: access, secret, token and end

	mu     sync.Mutex
	used   []string // the access keys of the requests for packages
	refuse func(access string) (status int, code string)
}

const (
	iamForm = `{"credential":{"access":%q,"secret":%q,"securitytoken":%q,"expires_at":%q}}`
	podForm = `{"assumedAgency":{"urn":""},"credentials":{"accessKeyId":%q,"secretAccessKey":%q,"securityToken":%q,"expiration":%q}}`
)

func accessNumber(n int64) string { return fmt.Sprintf("AKTEMPORARY%d", n) }
func securityNumber(n int64) string {
	return fmt.Sprintf("security+token/%d==", n)
}

// temporarySecret is the secret key that belongs to all of them.
const temporarySecret = "SKtemporary+/0000000000000000000000000test"

// give answers with the next keys.
func (s *keyService) give(w http.ResponseWriter, r *http.Request) {
	n := s.fetches.Add(1)
	if s.answer != nil && s.answer(w, r) {
		return
	}
	life := s.life
	if life == 0 {
		life = time.Hour
	}
	form := s.form
	if form == "" {
		form = iamForm
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, form, accessNumber(n), temporarySecret, securityNumber(n), time.Now().UTC().Add(life).Format(keyTime))
}

// cancel is the service, which is asked to cancel packages.
func (s *keyService) cancel(w http.ResponseWriter, r *http.Request) {
	_, access, _ := strings.Cut(r.Header.Get("Authorization"), "Access=")
	access, _, _ = strings.Cut(access, ",")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = append(s.used, access)
	if s.refuse == nil {
		return
	}
	if status, code := s.refuse(access); status != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error_code":%q,"error_msg":"Incorrect IAM authentication information"}`, code)
	}
}

// metadata is the metadata service of an instance that wants no token.
func (s *keyService) metadata() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openstack/latest/securitykey", s.give)
	return mux // with 404 for all else
}

// cloudClient is a client in the vendor's cloud.
func cloudClient(t *testing.T, transport http.RoundTripper, credentials client.Credentials, opts ...client.Option) *client.Client {
	t.Helper()
	return newClient(t, "http://"+vendorHost, append([]client.Option{
		client.WithHTTPClient(&http.Client{Transport: transport}), client.WithCredentials(credentials),
	}, opts...)...)
}

// respond returns a handler that answers the same to all.
func respond(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hang is a handler that does not answer.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// noSecrets asserts that an error shows none of the secrets in any way.
func noSecrets(t *testing.T, err error, secrets ...string) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v %q", err, err, err, err)
	for _, secret := range append(secrets, temporarySecret, securityNumber(1), accessNumber(1)) {
		assert.NotContains(t, text, secret)
	}
}

// writeFile writes a file of its own, and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
