package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
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
	base, err := c.endpoint(b)
	if err != nil {
		return noCredentials{err}
	}
	u := base.JoinPath("v3/auth/tokens")
	u.RawQuery = "nocatalog=true" // a catalogue is long, and nobody reads it
	return &tokenSource{login: c.login, url: u, projectID: b.projectID, http: b.http, log: b.log}
}

// endpoint is that of IAM: what the client says, else what the environment
// said, else the one of the service's region.
func (c passwordCredentials) endpoint(b binding) (*url.URL, error) {
	if b.iam != nil {
		return b.iam, nil
	}
	endpoint := cmp.Or(c.iam, iamEndpoint(b.endpoint))
	if endpoint == "" {
		return nil, errors.New("client: the endpoint is none of the vendor's: WithIAMEndpoint must say where tokens are to be had")
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
	login     func() login
	url       *url.URL
	projectID string
	http      peer
	log       *slog.Logger // nil without any

	fetches singleflight.Group

	mu      sync.Mutex
	last    *issued // nil before the first one, and after a refusal
	waiting int     // how many calls wait for a fetch
	abort   func()  // ends the fetch that is under way
}

// issued is a token that IAM gave out.
type issued struct {
	token            func() string
	renewal, expires time.Time
}

func (s *tokenSource) Authorize(req *http.Request) error {
	token, err := s.token(req.Context())
	if err != nil {
		return err
	}
	req.Header.Set(tokenHeader, token)
	return nil
}

// renew drops the token of a request that was refused, unless a newer one has
// come since.
func (s *tokenSource) renew(req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && s.last.token() == req.Header.Get(tokenHeader) {
		s.last = nil
	}
}

func (s *tokenSource) token(ctx context.Context) (string, error) {
	last := s.current()
	if last != nil && time.Now().Before(last.renewal) {
		return last.token(), nil
	}
	next, err := s.wait(ctx)
	switch {
	case err == nil:
		return next.token(), nil
	case last != nil && ctx.Err() == nil && time.Now().Before(last.expires):
		// The token is still good, so that IAM need not be.
		return last.token(), nil
	}
	return "", err
}

func (s *tokenSource) current() *issued {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// wait returns the token of the fetch that is under way, or begins one. The
// fetch does not end with the call that began it, but with the last one that
// waits for it.
func (s *tokenSource) wait(ctx context.Context) (*issued, error) {
	s.mu.Lock()
	s.waiting++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.waiting--; s.waiting == 0 && s.abort != nil {
			s.abort()
		}
	}()
	fetched := s.fetches.DoChan("", func() (any, error) {
		if last := s.current(); last != nil && time.Now().Before(last.renewal) {
			return last, nil // of a fetch that ended just before
		}
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		s.mu.Lock()
		if s.abort = cancel; s.waiting == 0 {
			cancel() // they have left before it began
		}
		s.mu.Unlock()
		next, err := s.fetch(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.abort = nil
		if err == nil {
			s.last = next
		}
		return next, err
	})
	select {
	case result := <-fetched:
		next, _ := result.Val.(*issued)
		return next, result.Err
	case <-ctx.Done():
		return nil, withContext(ctx, context.Cause(ctx))
	}
}

// fetch asks IAM for a token (api-iam, iam_30_0001).
func (s *tokenSource) fetch(ctx context.Context) (*issued, error) {
	l := s.login()
	var question tokenQuestion
	question.Auth.Identity.Methods = []string{"password"}
	question.Auth.Identity.Password.User.Name = l.user
	question.Auth.Identity.Password.User.Password = l.password
	question.Auth.Identity.Password.User.Domain.Name = l.domain
	question.Auth.Scope.Project.ID = s.projectID
	body, err := json.Marshal(question)
	if err != nil {
		return nil, fmt.Errorf("fetch a token: %w", err)
	}
	limited, cancel := s.http.within(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodPost, s.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("fetch a token: %w", err)
	}
	req.Header.Set("Content-Type", "application/json;charset=utf8")
	req.Header.Set("User-Agent", userAgent())

	start := time.Now()
	next, err := s.ask(req, l.password, start)
	if s.log != nil {
		attrs := []slog.Attr{slog.String("url", s.url.Redacted()), slog.Duration("duration", time.Since(start))}
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		s.log.LogAttrs(ctx, slog.LevelDebug, "fetch a token", attrs...)
	}
	return next, err
}

func (s *tokenSource) ask(req *http.Request, password string, now time.Time) (*issued, error) {
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch a token: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		e := newError(req, resp, password)
		e.ofIAM = true
		return nil, fmt.Errorf("fetch a token: %w", e)
	}
	token := resp.Header.Get("X-Subject-Token")
	if err := checkText("token", token); err != nil {
		return nil, fmt.Errorf("fetch a token: %s answered %s: %w", s.url.Redacted(), resp.Status, err)
	}
	life := lifetime(io.LimitReader(resp.Body, maxTokenAnswer), now)
	return &issued{
		token:   func() string { return token },
		renewal: now.Add(life - min(margin, life/10)),
		expires: now.Add(life),
	}, nil
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
