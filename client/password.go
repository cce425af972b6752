package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Password returns credentials of an IAM user: the name of the account
// (domain), the user's name and password. The client fetches a token for its
// project from IAM (POST /v3/auth/tokens), keeps it, and fetches the next one
// before it expires and when the service refuses it with a 401; any number of
// goroutines wait for one fetch. Each client has a token of its own, since it
// is for one project. Where IAM is follows from the client's endpoint, or from
// [WithIAMEndpoint].
func Password(domain, user, password string) Credentials {
	return passwordCredentials{login: func() login { return login{domain, user, password} }}
}

type login struct{ domain, user, password string }

// passwordCredentials are what a token is fetched with, once they are bound to
// a client.
type passwordCredentials struct {
	login func() login // a function, as in tokenCredentials
	iam   string       // of the environment; empty for what the client says
}

func (c passwordCredentials) Authorize(*http.Request) error {
	return errors.New("client: a password is for the credentials of a Client")
}

func (c passwordCredentials) validate() error {
	l := c.login()
	for _, v := range []struct{ name, value string }{{"domain", l.domain}, {"user", l.user}} {
		if err := checkText(v.name, v.value); err != nil {
			return err
		}
	}
	if l.password == "" {
		return errors.New("client: password is empty")
	}
	return nil
}

func (passwordCredentials) String() string         { return "Password(" + redacted + ")" }
func (c passwordCredentials) GoString() string     { return "client." + c.String() }
func (c passwordCredentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c passwordCredentials) bind(b binding) Credentials {
	base, err := b.iamEndpoint(c.iam)
	if err != nil {
		return noCredentials{err}
	}
	u := base.JoinPath("v3/auth/tokens")
	u.RawQuery = "nocatalog=true" // a catalogue is long, and nobody reads it
	source := &tokenSource{exchange: exchange{b.http, b.log}, login: c.login, url: u.String(), projectID: b.projectID}
	source.tokens = &renewing[string]{fetch: source.fetch}
	return source
}

// iamEndpoint is that of IAM: what the client says, else what the environment
// said, else the one of the service's region.
func (b binding) iamEndpoint(environment string) (*url.URL, error) {
	if b.iam != nil {
		return b.iam, nil
	}
	endpoint := cmp.Or(environment, iamEndpoint(b.endpoint))
	if endpoint == "" {
		return nil, errors.New("client: the endpoint is not one of the vendor's: set WithIAMEndpoint")
	}
	return parseEndpoint("IAM endpoint", endpoint)
}

const (
	// validity is how long a token lasts where IAM does not say.
	validity = 24 * time.Hour
	// margin is how long before its end a token is renewed at the latest.
	margin = 5 * time.Minute
	// maxTokenAnswer bounds what is read of IAM's answer.
	maxTokenAnswer = 1 << 20
)

// tokenSource fetches tokens and keeps the last one.
type tokenSource struct {
	exchange
	login     func() login
	url       string
	projectID string
	tokens    *renewing[string]
}

func (s *tokenSource) Authorize(req *http.Request) error {
	token, err := s.tokens.get(req.Context())
	if err != nil {
		return err
	}
	req.Header.Set(tokenHeader, token)
	return nil
}

// renew drops the token of a request that was refused.
func (s *tokenSource) renew(req *http.Request) {
	refused := req.Header.Get(tokenHeader)
	s.tokens.drop(func(token string) bool { return token == refused })
}

// fetch asks IAM for a token (api-iam, iam_30_0001).
func (s *tokenSource) fetch(ctx context.Context) (*lease[string], error) {
	l := s.login()
	var body tokenQuestion
	body.Auth.Identity.Methods = []string{"password"}
	body.Auth.Identity.Password.User.Name = l.user
	body.Auth.Identity.Password.User.Password = l.password
	body.Auth.Identity.Password.User.Domain.Name = l.domain
	body.Auth.Scope.Project.ID = s.projectID
	var next *lease[string]
	now := time.Now()
	err := s.ask(ctx, question{method: http.MethodPost, url: s.url, body: body, secrets: []string{l.password}}, func(resp *http.Response) error {
		token, err := subjectToken(resp)
		if err == nil {
			err = checkToken(token) // it is sent to the service
		}
		if err != nil {
			return err
		}
		life := lifetime(io.LimitReader(resp.Body, maxTokenAnswer), now)
		next = newLease(token, now, life, min(margin, life/10))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("fetch a token: %w", err)
	}
	return next, nil
}

// subjectToken returns the token that an answer of IAM has in a header.
func subjectToken(resp *http.Response) (string, error) {
	token := resp.Header.Get("X-Subject-Token")
	return token, checkText("token", token)
}

// lifetime reads from IAM's answer how long a token lasts: by IAM's clock, from
// which this one may differ.
func lifetime(body io.Reader, now time.Time) time.Duration {
	var answer struct {
		Token struct {
			IssuedAt  time.Time `json:"issued_at"`
			ExpiresAt time.Time `json:"expires_at"`
		} `json:"token"`
	}
	if json.NewDecoder(body).Decode(&answer) != nil || answer.Token.ExpiresAt.IsZero() {
		return validity // a 401 will tell if it is less
	}
	if !answer.Token.IssuedAt.IsZero() {
		now = answer.Token.IssuedAt
	}
	return answer.Token.ExpiresAt.Sub(now)
}

// tokenQuestion is the body of POST /v3/auth/tokens.
type tokenQuestion struct {
	Auth struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password struct {
				User struct {
					Name     string `json:"name"`
					Password string `json:"password"`
					Domain   struct {
						Name string `json:"name"`
					} `json:"domain"`
				} `json:"user"`
			} `json:"password"`
		} `json:"identity"`
		Scope struct {
			Project struct {
				ID string `json:"id"`
			} `json:"project"`
		} `json:"scope"`
	} `json:"auth"`
}
