package signing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/signing"
)

// vector is a signature that others made; vectors.json says how.
type vector struct {
	Name, Kind, Method, URL, Body string
	Headers                       map[string]string
	AccessKey                     string            `json:"access_key"`
	SecretKey                     string            `json:"secret_key"`
	ExpectedHeaders               map[string]string `json:"expected_headers"`
	Authorization                 string
}

func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var file struct{ Vectors []vector }
	require.NoError(t, json.Unmarshal(data, &file))
	require.Len(t, file.Vectors, 18)
	return file.Vectors
}

// request returns the vector's request before it is signed.
func (v vector) request(t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), v.Method, v.URL, strings.NewReader(v.Body))
	require.NoError(t, err)
	for name, value := range v.Headers {
		req.Header.Set(name, value)
	}
	return req
}

func (v vector) signedAt(t testing.TB) time.Time {
	t.Helper()
	at, err := time.Parse(signing.DateFormat, v.Headers["X-Sdk-Date"])
	require.NoError(t, err)
	return at
}

// secrets is the look-up of a verifier that knows one key.
func secrets(access, secret string) func(string) (string, bool) {
	return func(asked string) (string, bool) { return secret, asked == access }
}

func TestSignVectors(t *testing.T) {
	for _, v := range vectors(t) {
		if v.Kind != "sign" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			req := v.request(t)
			require.NoError(t, signing.Sign(req, v.AccessKey, v.SecretKey, v.signedAt(t)))
			for name, want := range v.ExpectedHeaders {
				assert.Equal(t, want, req.Header.Get(name), name)
			}
		})
	}
}

func TestVerifyVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			req := v.request(t)
			for name, value := range v.ExpectedHeaders {
				req.Header.Set(name, value)
			}
			req.Header.Set("Authorization", v.Authorization)
			access, err := signing.Verify(req, []byte(v.Body), secrets(v.AccessKey, v.SecretKey), v.signedAt(t))
			require.NoError(t, err)
			assert.Equal(t, v.AccessKey, access)
		})
	}
}

const (
	access = "AKEXAMPLE0000000TEST"
	secret = "SKexample+/0000000000000000000000000test"
)

var at = time.Date(2025, 11, 28, 8, 30, 0, 0, time.UTC)

// signed is a request as a server receives it, signed at the time at.
func signed(t testing.TB) (*http.Request, []byte) {
	t.Helper()
	body := []byte(`{"package_ids":["12","13"]}`)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://host/v2/p/unpack?a=1&a=2&b", bytes.NewReader(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Workspace", "dev")
	req.Header["X-Twice"] = []string{"b", "a"}
	req.Header.Set("Host", "is taken from the request")
	require.NoError(t, signing.Sign(req, access, secret, at))
	return req, body
}

func TestVerifyTime(t *testing.T) {
	req, body := signed(t)
	for _, off := range []time.Duration{-signing.MaxSkew, 0, signing.MaxSkew} {
		_, err := signing.Verify(req, body, secrets(access, secret), at.Add(off))
		require.NoError(t, err, off)
	}
	for _, off := range []time.Duration{-signing.MaxSkew - time.Second, signing.MaxSkew + time.Second, 1 << 62} {
		_, err := signing.Verify(req, body, secrets(access, secret), at.Add(off))
		require.ErrorIs(t, err, signing.ErrExpired, off)
	}
}

// Whatever is changed of a signed request, it is refused.
func TestVerifyRefuses(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	replace := func(old, replacement string) func(*http.Request) {
		return func(r *http.Request) {
			text := r.Header.Get("Authorization")
			if !strings.Contains(text, old) {
				panic(old)
			}
			r.Header.Set("Authorization", strings.Replace(text, old, replacement, 1))
		}
	}
	tests := []struct {
		name   string
		change func(*http.Request)
		want   error
	}{
		{"method", func(r *http.Request) { r.Method = http.MethodPut }, signing.ErrMismatch},
		{"path", func(r *http.Request) { r.URL.Path = "/v2/q/unpack" }, signing.ErrMismatch},
		{"query", func(r *http.Request) { r.URL.RawQuery = "a=1&a=3&b" }, signing.ErrMismatch},
		{"query that is malformed", func(r *http.Request) { r.URL.RawQuery = "a=%zz" }, signing.ErrMalformed},
		{"host", func(r *http.Request) { r.Host = "elsewhere" }, signing.ErrMismatch},
		{"a signed header", set("Workspace", "prod"), signing.ErrMismatch},
		{"a signed header is gone", func(r *http.Request) { r.Header.Del("Workspace") }, signing.ErrMalformed},
		{"a signed header comes twice", func(r *http.Request) { r.Header.Add("Workspace", "prod") }, signing.ErrMismatch},
		{"date", set("X-Sdk-Date", "20251128T083001Z"), signing.ErrMismatch},
		{"date in another form", set("X-Sdk-Date", at.Format(time.RFC3339)), signing.ErrMalformed},
		{"two dates", func(r *http.Request) { r.Header.Add("X-Sdk-Date", "20251128T083000Z") }, signing.ErrMalformed},
		{"no date", func(r *http.Request) { r.Header.Del("X-Sdk-Date") }, signing.ErrMalformed},
		{"date not signed", replace(";x-sdk-date", ""), signing.ErrMalformed},
		{"body left out later", set("X-Sdk-Content-Sha256", signing.UnsignedPayload), signing.ErrMismatch},
		{"hash of another body", set("X-Sdk-Content-Sha256", strings.Repeat("0", 64)), signing.ErrMismatch},
		{"two hashes", func(r *http.Request) { r.Header["X-Sdk-Content-Sha256"] = []string{"a", "b"} }, signing.ErrMalformed},
		{"another key", replace("Access="+access, "Access=AKOTHER"), signing.ErrUnknownKey},
		{"signature", replace("Signature=", "Signature=0"), signing.ErrMismatch},
		{"signature is gone", replace("Signature=", "Signature= , Rest="), signing.ErrMalformed},
		{"no access key", replace("Access="+access, "Access="), signing.ErrMalformed},
		{"parts in another order", replace("Access=", "Key="), signing.ErrMalformed},
		{"a part too many", replace("Access=", "A=b, Access="), signing.ErrMalformed},
		{"fewer names", replace("workspace;", ""), signing.ErrMismatch},
		{"names in capitals", replace("workspace", "Workspace"), signing.ErrMalformed},
		{"a name twice", replace("workspace", "workspace;workspace"), signing.ErrMalformed},
		{"names in another order", replace("host;workspace", "workspace;host"), signing.ErrMalformed},
		{"another algorithm", replace("SHA256", "SM3"), signing.ErrMalformed},
		{"no proof", func(r *http.Request) { r.Header.Del("Authorization") }, signing.ErrMalformed},
		{"two proofs", func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, signing.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, body := signed(t)
			got, err := signing.Verify(req, body, secrets(access, secret), at)
			require.NoError(t, err)
			require.Equal(t, access, got)
			tt.change(req)
			got, err = signing.Verify(req, body, secrets(access, secret), at)
			require.ErrorIs(t, err, tt.want)
			assert.Empty(t, got)
			assert.NotContains(t, err.Error(), secret)
		})
	}
	t.Run("body", func(t *testing.T) {
		req, _ := signed(t)
		_, err := signing.Verify(req, []byte("{}"), secrets(access, secret), at)
		require.ErrorIs(t, err, signing.ErrMismatch)
	})
	t.Run("secret", func(t *testing.T) {
		req, body := signed(t)
		_, err := signing.Verify(req, body, secrets(access, secret+"x"), at)
		require.ErrorIs(t, err, signing.ErrMismatch)
	})
}

// A request is signed anew in place of its old signature.
func TestSignAgain(t *testing.T) {
	req, body := signed(t)
	later := at.Add(time.Hour)
	require.NoError(t, signing.Sign(req, access, secret, later.In(time.FixedZone("", 3600))))
	assert.Equal(t, "20251128T093000Z", req.Header.Get("X-Sdk-Date"))
	_, err := signing.Verify(req, body, secrets(access, secret), later)
	require.NoError(t, err)
}

func TestSignRefuses(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name    string
		url     string
		getBody func() (io.ReadCloser, error)
		want    string
	}{
		{"a body to be read once", "http://host/", nil, "GetBody is nil"},
		{"a body that is gone", "http://host/", func() (io.ReadCloser, error) { return nil, broken }, "sign the request: broken"},
		{"a body that breaks off", "http://host/", func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("a"), errReader{broken})), nil
		}, "read its body: broken"},
		{"a malformed query", "http://host/?a=" + secret + "%zz", func() (io.ReadCloser, error) { return http.NoBody, nil }, "sign the request: malformed query"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.url, strings.NewReader("a"))
			require.NoError(t, err)
			req.GetBody = tt.getBody
			err = signing.Sign(req, access, secret, at)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), secret)
			assert.Empty(t, req.Header.Get("Authorization"))
		})
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestIsSigned(t *testing.T) {
	for text, want := range map[string]bool{
		"SDK-HMAC-SHA256 Access=a": true, "SDK-HMAC-SHA256": true, "": false, "Bearer a": false, "SDK-HMAC-SHA2567 a": false,
	} {
		assert.Equal(t, want, signing.IsSigned(text), text)
	}
}

// What is signed is verified at the other end of a connection, in whichever
// form path and query travel.
func TestOverTheWire(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		if _, err := signing.Verify(r, body, secrets(access, secret), at); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
		}
	}))
	t.Cleanup(srv.Close)
	for _, target := range []string{
		"", "/", "/v2/p", "/v2//a/./b/../c", "/a%2Fb", "/a%2fb", "/%E5%8C%85%20b+c", "/包", "/a;b=c,d:@!$&'()*", "/%25", "/~-_.",
		"/?", "/?a", "/?a=&a", "/?b=2&b=10&a=%20+%2B", "/?%E5%8C%85=包", "/?a=b=c", "/?=x",
	} {
		t.Run(target, func(t *testing.T) {
			for _, body := range []string{"", "{}", "\x00\xff"} {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+target, strings.NewReader(body))
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("X-Spaces", " \t a  b ")
				req.Header.Set("X-Umlaut", "ü")
				req.Header.Set("Host", "")
				require.NoError(t, signing.Sign(req, access, secret, at))
				resp, err := srv.Client().Do(req)
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
			}
		})
	}
}

// A verifier takes any header, and a signature is good for its request alone.
func FuzzVerify(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Method, v.URL, v.Body, v.Authorization, v.Headers["X-Sdk-Date"], v.Headers["Workspace"])
	}
	f.Fuzz(func(t *testing.T, method, target, body, authorization, date, workspace string) {
		u, err := url.Parse(target)
		if err != nil {
			return
		}
		newRequest := func() *http.Request {
			return &http.Request{
				Method: method, URL: u, Host: u.Host,
				Header:  http.Header{"Workspace": {workspace}, "X-Sdk-Date": {date}},
				Body:    io.NopCloser(strings.NewReader(body)),
				GetBody: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil },
			}
		}
		req := newRequest()
		req.Header.Set("Authorization", authorization)
		if _, err := signing.Verify(req, []byte(body), secrets(access, "another secret"), at); err == nil {
			t.Fatalf("verified %q", authorization)
		}

		req = newRequest()
		if err := signing.Sign(req, access, secret, at); err != nil {
			return
		}
		if _, err := signing.Verify(req, []byte(body), secrets(access, secret), at); err != nil {
			t.Fatal(err)
		}
		if _, err := signing.Verify(req, []byte(body+" "), secrets(access, secret), at); !errors.Is(err, signing.ErrMismatch) {
			t.Fatal(err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	body := []byte(`{"package_ids":["12","13"]}`)
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://host/v2/p/factory/release-packages/unpack", bytes.NewReader(body))
	require.NoError(b, err)
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("Workspace", "dev")
	b.ReportAllocs()
	for b.Loop() {
		if err := signing.Sign(req, access, secret, at); err != nil {
			b.Fatal(err)
		}
	}
}
