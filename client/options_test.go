package client_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

func TestNewRefuses(t *testing.T) {
	const endpoint = "https://dayu.cn-north-4.myhuaweicloud.com"
	tests := []struct {
		name, endpoint, project string
		opt                     client.Option
		want                    string
	}{
		{"endpoint empty", "", "p", nil, "endpoint is not an absolute http or https URL"},
		{"endpoint without scheme", "dayu.cn-north-4.myhuaweicloud.com", "p", nil, "endpoint is not an absolute http or https URL"},
		{"endpoint without scheme, with a port", "127.0.0.1:8080", "p", nil, "endpoint is not an absolute http or https URL: want https://HOST"},
		{"endpoint of another scheme", "ftp://host", "p", nil, "endpoint is not an absolute http or https URL"},
		{"endpoint without host", "https:///path", "p", nil, "endpoint is not an absolute http or https URL"},
		{"endpoint with a port alone", "https://:443", "p", nil, "endpoint is not an absolute http or https URL"},
		{"endpoint that is opaque", "https:host", "p", nil, "endpoint is not an absolute http or https URL"},
		{"endpoint that is relative", "/path", "p", nil, "endpoint is not an absolute http or https URL"},
		{"endpoint malformed", "https://user:" + token + "@host:port", "p", nil, "endpoint is not a URL"},
		{"endpoint with white space", " https://host", "p", nil, "endpoint is not a URL"},
		{"endpoint with a user", "https://user:s3cr3t@host", "p", nil, "endpoint names a user"},
		{"endpoint with a query", "https://host/?a=b", "p", nil, "endpoint has a query or fragment"},
		{"endpoint with an empty query", "https://host/?", "p", nil, "endpoint has a query or fragment"},
		{"endpoint with a fragment", "https://host/#a", "p", nil, "endpoint has a query or fragment"},
		{"endpoint with an empty fragment", "https://host/#", "p", nil, "endpoint has a query or fragment"},
		{"project empty", endpoint, "", nil, "project ID is empty"},
		{"project another path", endpoint, "..", nil, `project ID ".." would name another path`},
		{"project not UTF-8", endpoint, "\xff", nil, "project ID is not valid UTF-8"},
		{"project control character", endpoint, "a\nb", nil, "project ID contains a control character"},
		{"workspace empty", endpoint, "p", client.WithWorkspace(""), "workspace is empty"},
		{"workspace control character", endpoint, "p", client.WithWorkspace("a\r\nX-Injected: b"), "workspace contains a control character"},
		{"workspace white space", endpoint, "p", client.WithWorkspace(" a"), "workspace begins or ends with white space"},
		{"token empty", endpoint, "p", client.WithCredentials(client.Token("")), "token is empty"},
		{"token with a line feed", endpoint, "p", client.WithCredentials(client.Token(token + "\n")), "token contains a control character"},
		{"token not UTF-8", endpoint, "p", client.WithCredentials(client.Token(token + "\xff")), "token is not valid UTF-8"},
		{"credentials nil", endpoint, "p", client.WithCredentials(nil), "credentials are nil"},
		{"access key empty", endpoint, "p", client.WithCredentials(client.AKSK("", secretKey)), "access key is empty"},
		{"access key with a comma", endpoint, "p", client.WithCredentials(client.AKSK("a, SignedHeaders=b", secretKey)), "access key contains a space or a comma"},
		{"secret key empty", endpoint, "p", client.WithCredentials(client.AKSK(accessKey, "")), "secret key is empty"},
		{"secret key with a line feed", endpoint, "p", client.WithCredentials(client.AKSK(accessKey, secretKey+"\n")), "secret key contains a control character"},
		{"security token empty", endpoint, "p", client.WithCredentials(client.TemporaryAKSK(accessKey, secretKey, "")), "security token is empty"},
		{"domain empty", endpoint, "p", client.WithCredentials(client.Password("", "u", "s3cr3t")), "domain is empty"},
		{"user empty", endpoint, "p", client.WithCredentials(client.Password("d", "", "s3cr3t")), "user is empty"},
		{"password empty", endpoint, "p", client.WithCredentials(client.Password("d", "u", "")), "password is empty"},
		{"IAM endpoint relative", endpoint, "p", client.WithIAMEndpoint("iam"), "IAM endpoint is not an absolute http or https URL"},
		{"region not known", client.Region("here/there"), "p", nil, `invalid region "here/there": want lower-case letters`},
		{"logger nil", endpoint, "p", client.WithLogger(nil), "logger is nil"},
		{"attempts negative", endpoint, "p", client.WithRetry(client.RetryPolicy{Attempts: -1}), "retry policy has a negative field"},
		{"wait negative", endpoint, "p", client.WithRetry(client.RetryPolicy{BaseDelay: -1}), "retry policy has a negative field"},
		{"longest wait negative", endpoint, "p", client.WithRetry(client.RetryPolicy{MaxDelay: -1}), "retry policy has a negative field"},
		{"HTTP client nil", endpoint, "p", client.WithHTTPClient(nil), "HTTP client is nil"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var opts []client.Option
			if tt.opt != nil {
				opts = append(opts, tt.opt)
			}
			c, err := client.New(tt.endpoint, tt.project, opts...)
			require.ErrorContains(t, err, "client: "+tt.want)
			assert.Nil(t, c)
			assert.NotContains(t, err.Error(), token)
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

// The HTTP client that the caller gave is used, and stays as it was.
func TestHTTPClientIsCopied(t *testing.T) {
	requests := 0
	transport := roundTripFunc(func(*http.Request) (*http.Response, error) {
		requests++
		return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"/elsewhere"}}, Body: http.NoBody}, nil
	})
	redirects := func(*http.Request, []*http.Request) error {
		t.Error("a redirect was followed")
		return nil
	}
	given := &http.Client{Transport: transport, CheckRedirect: redirects}
	c := newClient(t, "https://host", client.WithHTTPClient(given))
	given.Transport = nil

	err := c.CancelFactoryPackages(t.Context(), "12")
	require.ErrorAs(t, err, new(*client.Error))
	assert.Equal(t, 1, requests)
	assert.Nil(t, given.Transport)
	assert.NotNil(t, given.CheckRedirect)
}

// A client whose idle connections were closed opens new ones.
func TestCloseIdleConnections(t *testing.T) {
	var remotes []string
	c := setup(t, func(_ http.ResponseWriter, r *http.Request) { remotes = append(remotes, r.RemoteAddr) })
	for range 2 {
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	}
	c.CloseIdleConnections()
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	require.Len(t, remotes, 3)
	assert.Equal(t, remotes[0], remotes[1], "a connection is kept")
	assert.NotEqual(t, remotes[1], remotes[2], "a connection is closed")
}

func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report the failed handshake
	srv.StartTLS()
	t.Cleanup(srv.Close)
	require.NoError(t, newClient(t, srv.URL, client.WithHTTPClient(srv.Client())).CancelFactoryPackages(t.Context(), "12"))
	requireURLError(t, newClient(t, srv.URL).CancelFactoryPackages(t.Context(), "12"))
}

func TestRegion(t *testing.T) {
	for region, want := range map[string]string{
		"cn-north-4":       "https://dayu.cn-north-4.myhuaweicloud.com",
		"ap-southeast-3":   "https://dayu.ap-southeast-3.myhuaweicloud.com",
		"my-kualalumpur-1": "https://dayu.my-kualalumpur-1.myhuaweicloud.com",
		"eu-west-101":      "https://dayu.eu-west-101.myhuaweicloud.eu",
	} {
		assert.Equal(t, want, client.Region(region), region)
	}
	for _, region := range []string{"", "evil.example/", "user@host", "a.b", "CN-NORTH-4"} {
		_, err := client.New(client.Region(region), projectID)
		require.EqualError(t, err, fmt.Sprintf("client: invalid region %q: want lower-case letters, digits and hyphens, such as cn-north-4", region))
	}
	_, err := client.New(client.Region(strings.Repeat("X", 1<<20)), projectID)
	require.ErrorContains(t, err, "invalid region")
	assert.Less(t, len(err.Error()), 200)
}
