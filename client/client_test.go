package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	projectID = "b384b9e9ab9b4ee8994c8633aabc9505"
	token     = "MIIEsecret.token+of/the==caller"
	basePath  = "/base/path"
)

// setup serves handler below a base path, so that a request which leaves it
// out is noticed, and returns a client for it.
func setup(t *testing.T, handler http.HandlerFunc, opts ...client.Option) *client.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(basePath+"/", http.StripPrefix(basePath, handler))
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("request outside the base path: %s", r.URL)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return newClient(t, srv.URL+basePath, opts...)
}

func newClient(t *testing.T, endpoint string, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(endpoint, projectID, append([]client.Option{quickRetry}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// quickRetry is the default policy without its waits.
var quickRetry = client.WithRetry(client.RetryPolicy{BaseDelay: time.Microsecond})

// refuse is the handler where nothing must be sent.
func refuse(t *testing.T) http.HandlerFunc {
	t.Helper()
	return func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }
}

// roundTripFunc is a transport.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The request of the documentation, as it arrives.
func TestRequest(t *testing.T) {
	tests := []struct {
		name      string
		opts      []client.Option
		workspace []string
		token     []string
	}{
		{"bare", nil, nil, nil},
		{"workspace", []client.Option{client.WithWorkspace("Entwicklung ü")}, []string{"Entwicklung ü"}, nil},
		{"token", []client.Option{client.WithCredentials(client.Token(token))}, nil, []string{token}},
		{"the last option counts",
			[]client.Option{client.WithWorkspace("a"), client.WithCredentials(client.Token("no")), client.WithWorkspace("b"), client.WithCredentials(client.Token(token))},
			[]string{"b"}, []string{token}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			c := setup(t, func(_ http.ResponseWriter, r *http.Request) {
				requests++
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, "/v2/"+projectID+"/factory/release-packages/unpack", r.URL.String())
				assert.Equal(t, []string{"application/json;charset=UTF-8"}, r.Header["Content-Type"])
				assert.Regexp(t, `^dataarts-go-factory/\S+$`, r.Header.Get("User-Agent"))
				assert.Equal(t, tt.workspace, r.Header["Workspace"])
				assert.Equal(t, tt.token, r.Header["X-Auth-Token"])
				assert.Equal(t, []string{"12", "13"}, packageIDs(t, r))
			}, tt.opts...)
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12", "13"))
			assert.Equal(t, 1, requests)
		})
	}
}

// IDs and project IDs arrive as they were given, whatever they hold.
func TestTextArrivesUnchanged(t *testing.T) {
	texts := []string{"12", "a/b", "a b", "%2F", "a?b#c", "a:b", `"\`, "<&>", "包", "...", "a\u2028\U0001F4E6"}
	for _, text := range texts {
		t.Run(text, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/v2/{project}/factory/release-packages/unpack", func(_ http.ResponseWriter, r *http.Request) {
				assert.Equal(t, text, r.PathValue("project"))
				assert.Equal(t, []string{text, "", text}, packageIDs(t, r))
			})
			srv := httptest.NewServer(mux)
			t.Cleanup(srv.Close)
			c, err := client.New(srv.URL+"/", text)
			require.NoError(t, err)
			t.Cleanup(c.CloseIdleConnections)
			require.NoError(t, c.CancelFactoryPackages(t.Context(), text, "", text))
		})
	}
}

// packageIDs returns the IDs that a request names.
func packageIDs(t *testing.T, r *http.Request) []string {
	t.Helper()
	var body struct {
		PackageIDs []string `json:"package_ids"`
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	assert.NoError(t, dec.Decode(&body))
	assert.ErrorIs(t, dec.Decode(&body), io.EOF)
	return body.PackageIDs
}

func TestNothingIsSent(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	refused := errors.New("no key")
	tests := []struct {
		name string
		ctx  context.Context
		opts []client.Option
		ids  []string
		is   error
		text string
	}{
		{"no IDs", t.Context(), nil, nil, client.ErrNoPackages, "client: no package IDs given"},
		{"an ID in another encoding", t.Context(), nil, []string{"12", "1\xff"}, nil,
			`client: package ID 2 of 2, "1\xff", is not valid UTF-8`},
		{"credentials fail", t.Context(), []client.Option{client.WithCredentials(authorizeFunc(func(*http.Request) error { return refused }))},
			[]string{"12"}, refused, "cancel task packages: authorize the request: no key"},
		{"the context has ended", cancelled, nil, []string{"12"}, context.Canceled, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := setup(t, refuse(t), tt.opts...).CancelFactoryPackages(tt.ctx, tt.ids...)
			require.Error(t, err)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			if tt.text != "" {
				require.EqualError(t, err, tt.text)
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices that the client is gone once the request is read
		<-r.Context().Done()
	}
	t.Run("nobody listens", func(t *testing.T) {
		srv := httptest.NewServer(nil)
		endpoint := srv.URL
		srv.Close()
		err := newClient(t, endpoint).CancelFactoryPackages(t.Context(), "12")
		requireURLError(t, err)
		assert.Contains(t, err.Error(), "cancel task packages: Post \""+endpoint)
		assert.Contains(t, err.Error(), "; nothing was sent")
		assert.NotErrorAs(t, err, new(*client.Error))
		var e *client.ConnectError
		require.ErrorAs(t, err, &e)
		assert.False(t, e.Permanent)
	})
	t.Run("the connection is cut", func(t *testing.T) {
		c := setup(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		requireURLError(t, c.CancelFactoryPackages(t.Context(), "12"))
	})
	t.Run("not HTTP", func(t *testing.T) {
		c := setup(t, raw(t, "SSH-2.0-OpenSSH_9.9\r\n"))
		requireURLError(t, c.CancelFactoryPackages(t.Context(), "12"))
	})
	t.Run("a header without end", func(t *testing.T) {
		c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1 << 10 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 1<<10))
			}
		})
		requireURLError(t, c.CancelFactoryPackages(t.Context(), "12"))
	})
	t.Run("the caller gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := setup(t, func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) })
		err := c.CancelFactoryPackages(ctx, "12")
		requireURLError(t, err)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("the caller gives up for a reason", func(t *testing.T) {
		reason := errors.New("interrupt signal received")
		ctx, cancel := context.WithCancelCause(t.Context())
		c := setup(t, func(w http.ResponseWriter, r *http.Request) { cancel(reason); hang(w, r) })
		err := c.CancelFactoryPackages(ctx, "12")
		requireURLError(t, err)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, reason)
	})
	t.Run("the deadline passes", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		err := setup(t, hang).CancelFactoryPackages(ctx, "12")
		requireURLError(t, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("the HTTP client gives up", func(t *testing.T) {
		c := setup(t, hang, client.WithHTTPClient(&http.Client{Timeout: 10 * time.Millisecond}))
		err := c.CancelFactoryPackages(t.Context(), "12")
		requireURLError(t, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func requireURLError(t *testing.T, err error) {
	t.Helper()
	var urlError *url.Error
	require.ErrorAs(t, err, &urlError)
}

// raw answers with bytes and cuts the connection.
func raw(t *testing.T, answer string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		conn, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			_, err = io.WriteString(conn, answer)
			assert.NoError(t, err)
			assert.NoError(t, conn.Close())
		}
	}
}

// Any 2xx is success, whatever comes after the header.
func TestSuccess(t *testing.T) {
	tests := []struct{ name, answer string }{
		{"as documented", "200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"no content", "204 No Content\r\n\r\n"},
		{"accepted, with garbage", "202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{\"\xff\x00,"},
		{"a refusal in the body", "200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{\"error_code\":\"DLF.0810\"}"},
		{"HTML", "200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"},
		{"no length", "200 OK\r\n\r\nabc"},
		{"cut", "200 OK\r\nContent-Length: 100\r\n\r\nabc"},
		{"cut in a chunk", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"},
		{"bad chunk", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"},
		{"bad compression", "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"},
		{"a Location", "201 Created\r\nLocation: :\r\nContent-Length: 0\r\n\r\n"},
		{"after an interim answer", "103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"unknown status", "299 Odd\r\nContent-Length: 0\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := setup(t, raw(t, "HTTP/1.1 "+tt.answer))
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
		})
	}
}

// A call does not wait for the body of a success. Each handler ends only when
// the client has hung up.
func TestSuccessDoesNotWait(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"a body that never ends", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write([]byte{'x'}); err != nil {
					return
				}
				if err := http.NewResponseController(w).Flush(); err != nil {
					return
				}
			}
		}},
		{"a body that never comes", func(w http.ResponseWriter, r *http.Request) {
			packageIDs(t, r)
			w.Header().Set("Content-Length", "5")
			assert.NoError(t, http.NewResponseController(w).Flush())
			<-r.Context().Done()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := setup(t, tt.answer)
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	const callers, calls = 16, 8
	var mu sync.Mutex
	got := map[string]int{}
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		ids := packageIDs(t, r)
		assert.Equal(t, "dev", r.Header.Get("Workspace"))
		assert.Equal(t, token, r.Header.Get("X-Auth-Token"))
		mu.Lock()
		defer mu.Unlock()
		got[ids[0]]++
		if len(got)%2 == 0 {
			refuseWith(w, `{"error_code":"DLF.0810","error_msg":"`+ids[0]+`"}`)
		}
	}, client.WithWorkspace("dev"), client.WithCredentials(client.Token(token)))

	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range calls {
				id := fmt.Sprintf("%d-%d", i, j)
				err := c.CancelFactoryPackages(t.Context(), id)
				if err == nil {
					continue
				}
				if e, ok := errors.AsType[*client.Error](err); assert.True(t, ok, "%v", err) {
					assert.Equal(t, id, e.Message)
				}
			}
		})
	}
	wg.Wait()
	assert.Len(t, got, callers*calls)
}
