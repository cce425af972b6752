package client_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// authorizeFunc is the credentials of a program.
type authorizeFunc func(*http.Request) error

func (f authorizeFunc) Authorize(req *http.Request) error { return f(req) }

// Credentials see the request as it will be sent, so that they can sign it.
func TestCredentialsSeeTheWholeRequest(t *testing.T) {
	var signed http.Header
	sign := authorizeFunc(func(req *http.Request) error {
		assert.NoError(t, req.Context().Err())
		assert.Equal(t, http.MethodPost, req.Method)
		body, err := req.GetBody()
		if !assert.NoError(t, err) {
			return err
		}
		data, err := io.ReadAll(body)
		assert.NoError(t, err)
		assert.JSONEq(t, `{"package_ids":["12"]}`, string(data))
		signed = req.Header.Clone()
		req.Header.Set("Authorization", "proof of "+req.URL.Path)
		return nil
	})
	c := setup(t, func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "proof of "+basePath+r.URL.Path, r.Header.Get("Authorization"))
		for name, values := range signed {
			assert.Equal(t, values, r.Header[name], name)
		}
		assert.Equal(t, []string{"12"}, packageIDs(t, r))
	}, client.WithCredentials(sign), client.WithWorkspace("dev"))
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	for _, name := range []string{"Content-Type", "User-Agent", "Workspace"} {
		assert.Contains(t, signed, name)
	}
}

// secrets are all that must not be seen of the credentials that tests use.
var secrets = []string{token, accessKey, secretKey, securityToken, password}

// kinds are the credentials of this package, by their name.
var kinds = map[string]client.Credentials{
	"Token":         client.Token(token),
	"AKSK":          client.AKSK(accessKey, secretKey),
	"TemporaryAKSK": client.TemporaryAKSK(accessKey, secretKey, securityToken),
	"Password":      client.Password("domain", "user", password),
}

// fetching are the credentials that fetch keys, by their name.
var fetching = map[string]client.Credentials{
	"InstanceMetadata": client.InstanceMetadata(),
	"PodIdentity":      client.PodIdentity("http://pod/", "file"),
	"OpenIDConnect":    client.OpenIDConnect("my-idp", "file"),
}

func TestSecretsAreNotPrinted(t *testing.T) {
	all := maps.Clone(kinds)
	maps.Copy(all, fetching)
	for kind, credentials := range all {
		c := setup(t, refuse(t), client.WithCredentials(credentials), client.WithIAMEndpoint("http://iam"))
		type holder struct {
			Exported   client.Credentials
			unexported client.Credentials
		}
		values := map[string]any{
			"credentials": credentials,
			"pointer":     &credentials,
			"struct":      holder{credentials, credentials},
			"map":         map[string]client.Credentials{"k": credentials},
			"client":      c,
			"client copy": *c,
		}
		for name, value := range values {
			var text strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%t"} {
				fmt.Fprintf(&text, verb, value)
			}
			slog.New(slog.NewTextHandler(&text, nil)).Info("text", "value", value)
			slog.New(slog.NewJSONHandler(&text, nil)).Info("json", "value", value)
			for _, secret := range secrets {
				assert.NotContains(t, text.String(), secret, "%s of %s", name, kind)
				assert.NotContains(t, text.String(), fmt.Sprintf("%x", secret), "%s of %s", name, kind)
			}
		}
		assert.Equal(t, kind+"([redacted])", fmt.Sprint(credentials))
		assert.Equal(t, "client."+kind+"([redacted])", fmt.Sprintf("%#v", credentials))
	}
}

// What the other side repeats of the token is not passed on.
func TestSecretsAreNotInErrors(t *testing.T) {
	// sent is all that a request proves itself with.
	sent := func(r *http.Request) string {
		return r.Header.Get("X-Auth-Token") + r.Header.Get("X-Security-Token") + r.Header.Get("Authorization")
	}
	echo := func(status int, header http.Header, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			got := sent(r)
			for name, values := range header {
				w.Header().Set(name, strings.ReplaceAll(values[0], "TOKEN", got))
			}
			w.WriteHeader(status)
			_, err := io.WriteString(w, strings.ReplaceAll(body, "TOKEN", got))
			assert.NoError(t, err)
		}
	}
	isJSON := http.Header{"Content-Type": {"application/json"}}
	tests := []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"message", echo(401, isJSON, `{"error_code":"APIG.0307","error_msg":"token TOKEN must be updated","request_id":"1"}`)},
		{"code", echo(400, isJSON, `{"error_code":"TOKEN"}`)},
		{"request ID of the body", echo(400, isJSON, `{"request_id":"TOKEN"}`)},
		{"request ID of the header", echo(400, http.Header{"X-Request-Id": {"TOKEN"}}, ``)},
		{"content type", echo(400, http.Header{"Content-Type": {"text/TOKEN"}}, `x`)},
		{"malformed content type", echo(400, http.Header{"Content-Type": {"text/ TOKEN"}}, `x`)},
		{"HTML", echo(502, http.Header{"Content-Type": {"text/html"}}, `<pre>X-Auth-Token: TOKEN</pre>`)},
		{"not JSON", echo(400, isJSON, `TOKEN`)},
		{"canonical request of the gateway", echo(401, isJSON, `{"error_msg":"Incorrect IAM authentication information: verify aksk signature fail,canonicalRequest:POST|/||x-security-token:TOKEN`+secretKey+`||","error_code":"APIGW.0301"}`)},
		{"access key that is not known", echo(401, isJSON, `{"error_msg":"Get secretKey failed,ak:`+accessKey+`,err:ak not exist","error_code":"APIGW.0301"}`)},
		{"wrong type", echo(400, isJSON, `{"error_code":["TOKEN"],"error_msg":{"TOKEN":1}}`)},
		{"Location", echo(302, http.Header{"Location": {"http://[TOKEN"}}, ``)},
		{"no HTTP", func(w http.ResponseWriter, r *http.Request) {
			raw(t, "HTTP/1.1 "+sent(r)+" OK\r\n\r\n")(w, r)
		}},
		{"aborted", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	}
	credentials := map[string]client.Credentials{
		"Token": client.Token(token),
		"AKSK":  client.TemporaryAKSK(accessKey, secretKey, securityToken),
		"own": authorizeFunc(func(req *http.Request) error {
			req.Header.Set("Authorization", token)
			return nil
		}),
	}
	for kind, creds := range credentials {
		for _, tt := range tests {
			t.Run(kind+" in "+tt.name, func(t *testing.T) {
				err := setup(t, tt.handler, client.WithCredentials(creds)).CancelFactoryPackages(t.Context(), "12")
				require.Error(t, err)
				if tt.name == "no HTTP" {
					requireURLError(t, err)
					assert.Contains(t, err.Error(), "[redacted]")
				}
				for _, secret := range secrets {
					if secret == accessKey && kind != "AKSK" {
						continue // not this request's
					}
					for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
						assert.NotContains(t, fmt.Sprintf(verb, err), secret, verb)
					}
				}
			})
		}
	}
}

// Keys and tokens that were fetched are not printed with the client that has them.
func TestFetchedSecretsAreNotPrinted(t *testing.T) {
	var i instance
	c := cloudClient(t, hosts{metadataHost: &i, vendorHost: http.HandlerFunc(i.cancel)}.serve(t), client.InstanceMetadata())
	require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
	text := fmt.Sprintf("%v %+v %#v %v %+v %#v", c, c, c, *c, *c, *c)
	for _, secret := range []string{temporarySecret, securityNumber(1), accessNumber(1), metadataToken} {
		assert.NotContains(t, text, secret)
	}
}
