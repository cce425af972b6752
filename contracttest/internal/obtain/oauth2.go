package obtain

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Grant is how an access token of OAuth 2 is asked for (RFC 6749): with the password of a user
// (§4.3) where there is one, else with the credentials of the client alone (§4.4).
type Grant struct {
	URL        string            // of the token endpoint; empty where nobody has given it
	parameters map[string]string // of the token request
}

// ParseGrant makes a grant of the parameters of a token request by their names: client_id,
// client_secret, username, password, scope, and whatever the server wants besides. The URL is
// token_url among them.
func ParseGrant(parameters map[string]string) (*Grant, error) {
	g := &Grant{parameters["token_url"], maps.Clone(parameters)}
	delete(g.parameters, "token_url")
	_, client := parameters["client_id"]
	_, user := parameters["username"]
	_, password := parameters["password"]
	_, kind := parameters["grant_type"]
	_, refresh := parameters["refresh_token"]
	switch {
	case kind || refresh:
		return nil, errors.New("the grant is that of a password where username and password are given, else that of client credentials; others are not supported")
	case !client && !user:
		return nil, errors.New("want client_id and client_secret, or username and password")
	case user != password:
		return nil, errors.New("want username and password together")
	}
	return g, nil
}

// Password reports whether the grant is that of a user's password.
func (g *Grant) Password() bool {
	_, ok := g.parameters["username"]
	return ok
}

// Secrets are what nobody is to see.
func (g *Grant) Secrets() []string {
	return []string{g.parameters["client_secret"], g.parameters["password"]}
}

// Source gets access tokens from an endpoint: a path at the target, or a URL, which is asked over
// TLS as secure says. Where it is to be discovered, the endpoint is that of the metadata which name it.
func (g *Grant) Source(target send.Target, secure *tls.Config, endpoint string, discovered bool) Source {
	var inBody atomic.Bool // the client's secret is taken there
	return func(ctx context.Context) (Credential, error) {
		if discovered { // once
			to, err := discover(ctx, target, secure, endpoint)
			if err != nil {
				return Credential{}, fmt.Errorf("OpenID Connect, %s: %w", shown(endpoint), err)
			}
			endpoint, discovered = to, false
		}
		for {
			began, inside := time.Now(), inBody.Load()
			resp, err := ask(ctx, target, secure, endpoint, g.request(inside))
			if err == nil {
				var c Credential
				if c, err = accessToken(resp, began); err == nil {
					return c, nil
				}
				// A server need not take it in the header, nor in the body (§2.3.1).
				if errors.Is(err, errClient) && !inside && g.parameters["client_secret"] != "" {
					inBody.Store(true)
					continue
				}
			}
			inBody.Store(false)
			return Credential{}, fmt.Errorf("the token endpoint %s: %w", shown(endpoint), err)
		}
	}
}

// discover is the token endpoint that the metadata of a provider name (OpenID Connect Discovery 1.0 §3).
func discover(ctx context.Context, target send.Target, secure *tls.Config, endpoint string) (string, error) {
	req := &wire.Request{Method: http.MethodGet}
	req.Add("Accept", "application/json")
	resp, err := ask(ctx, target, secure, endpoint, req)
	switch {
	case err != nil:
		return "", err
	case resp.BodyErr != nil:
		return "", resp.BodyErr
	case resp.Status != http.StatusOK:
		return "", fmt.Errorf("it returns %d %s: give the token endpoint as token_url", resp.Status, http.StatusText(resp.Status))
	}
	var metadata struct {
		Endpoint string `json:"token_endpoint"`
	}
	if err := json.Unmarshal(resp.Body, &metadata); err != nil {
		return "", errors.New("its response is not a JSON object: give the token endpoint as token_url")
	}
	if u, err := url.Parse(metadata.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("its response has no token_endpoint with a URL: give one as token_url")
	}
	return metadata.Endpoint, nil
}

// request asks for a token. The client's secret is in the header, as each server takes it, or in
// the body.
func (g *Grant) request(inBody bool) *wire.Request {
	form := url.Values{"grant_type": {"client_credentials"}}
	if g.Password() {
		form.Set("grant_type", "password")
	}
	for name, value := range g.parameters {
		form.Set(name, value)
	}
	req := &wire.Request{Method: http.MethodPost}
	req.Add("Content-Type", "application/x-www-form-urlencoded")
	req.Add("Accept", "application/json")
	if secret := g.parameters["client_secret"]; secret != "" && !inBody {
		pair := url.QueryEscape(g.parameters["client_id"]) + ":" + url.QueryEscape(secret)
		req.Add("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		form.Del("client_id")
		form.Del("client_secret")
	}
	req.Body = []byte(form.Encode())
	return req
}

// errClient is of an answer that may refuse how the client has shown who it is.
var errClient = errors.New("the client is refused")

// accessToken is that of an answer (§5).
func accessToken(resp *wire.Response, began time.Time) (Credential, error) {
	if resp.BodyErr != nil {
		return Credential{}, resp.BodyErr
	}
	var answer struct {
		Token   string `json:"access_token"`
		Kind    string `json:"token_type"`
		Expires any    `json:"expires_in"` // some servers write the number as a text
		Error   string `json:"error"`
		Why     string `json:"error_description"`
	}
	wrong := json.Unmarshal(resp.Body, &answer)
	switch {
	case resp.Status/100 != 2:
		text := fmt.Sprintf("%d %s", resp.Status, http.StatusText(resp.Status))
		if wrong == nil && answer.Error != "" {
			text = strings.TrimSuffix(answer.Error+": "+answer.Why, ": ")
		}
		if resp.Status == http.StatusUnauthorized || slices.Contains([]string{"invalid_client", "invalid_request", "unauthorized_client"}, answer.Error) {
			return Credential{}, fmt.Errorf("it returns %.*s%.0w", maxErrors, text, errClient)
		}
		return Credential{}, fmt.Errorf("it returns %.*s", maxErrors, text)
	case wrong != nil:
		return Credential{}, errors.New("its response is not a JSON object with an access_token")
	case answer.Token == "" || strings.ContainsAny(answer.Token, "\r\n\x00"):
		return Credential{}, errors.New("its response has no access_token")
	case answer.Kind != "" && !strings.HasPrefix(strings.ToLower(answer.Kind), "bearer"):
		return Credential{}, fmt.Errorf("its token_type is %q, and only bearer tokens can be sent", answer.Kind)
	}
	c := Credential{Text: answer.Token}
	if seconds, err := strconv.ParseFloat(fmt.Sprint(answer.Expires), 64); err == nil && seconds > 0 {
		life := time.Duration(min(seconds, maxLife.Seconds()) * float64(time.Second))
		c.Until = began.Add(life - min(life/earlyPart, mostEarly))
	}
	return c, nil
}

// How long before its end a token is got anew: a part of its life, and at most so long. One that
// lives longer than the longest is as good as one that does not end.
const (
	earlyPart = 5
	mostEarly = 10 * time.Second
	maxLife   = 365 * 24 * time.Hour
)
