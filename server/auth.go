package server

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dataarts-go/factory/internal/signing"
)

// Auth is how callers prove who they are.
type Auth string

// The ways to do so. With AuthAll a caller uses either; a request that has a
// signature is judged by it, whatever token it has beside.
const (
	AuthNone  Auth = "none"  // nobody is asked
	AuthToken Auth = "token" // a token in X-Auth-Token
	AuthAKSK  Auth = "aksk"  // a signature of the request (SDK-HMAC-SHA256)
	AuthAll   Auth = "all"
)

// Credentials are those of the callers that are let in, each to one project. A
// key or token that stands there several times is let in to several.
type Credentials struct {
	Keys   []Key
	Tokens []Token
	// Users can fetch tokens as from IAM, at /v3/auth/tokens, which is there
	// if there are any. A token is valid for 24 hours, at each server that is
	// given the same user.
	Users []User
}

// Key is an access key with its secret.
type Key struct{ AccessKey, SecretKey, ProjectID string }

// String names the project alone, so that a key can be logged.
func (k Key) String() string { return fmt.Sprintf("{key of project %s}", k.ProjectID) }

// GoString is String.
func (k Key) GoString() string { return k.String() }

// Token is a token as IAM issues it.
type Token struct{ Token, ProjectID string }

// String names the project alone, so that a token can be logged.
func (t Token) String() string { return fmt.Sprintf("{token of project %s}", t.ProjectID) }

// GoString is String.
func (t Token) GoString() string { return t.String() }

// WithAuth sets who is let in. The default is AuthNone, which takes no
// credentials.
func WithAuth(auth Auth, credentials Credentials) Option {
	return func(s *Server) error {
		a, err := newAuthenticator(auth, credentials)
		s.auth = a
		return err
	}
}

// WithRequireSigned refuses requests that are signed, and have a workspace or
// X-Project-Id that is not. Which headers are signed is the client's choice, so that by
// default they are let in, and the log has a warning. It needs AuthAKSK or AuthAll.
func WithRequireSigned() Option {
	return func(s *Server) error {
		s.requireSigned = true
		return nil
	}
}

// authenticator lets in those who are known, each to its own projects.
type authenticator struct {
	mode Auth
	keys map[string]*holder // by access key
	// tokens are by their SHA-256: how long a look-up takes says nothing about
	// the token itself.
	tokens map[[sha256.Size]byte]*holder
	users  map[userKey]*account
	// passwords and signatures count those that were wrong; strangers are passwords
	// for users that do not exist, which are refused in the same way.
	passwords, strangers, signatures attempts
	proxies                          proxies
}

// holder has a credential.
type holder struct {
	secret   string // of an access key
	projects []string
}

func newAuthenticator(mode Auth, c Credentials) (*authenticator, error) {
	a := &authenticator{
		mode: mode, keys: map[string]*holder{}, tokens: map[[sha256.Size]byte]*holder{}, users: map[userKey]*account{},
		passwords: attempts{most: maxPasswords}, strangers: attempts{most: maxPasswords}, signatures: attempts{most: maxSignatures},
	}
	for i, k := range c.Keys {
		if k.AccessKey == "" || k.SecretKey == "" || k.ProjectID == "" {
			return nil, fmt.Errorf("key %d lacks its access key, secret key or project", i+1)
		}
		h := a.keys[k.AccessKey]
		if h == nil {
			h = &holder{secret: k.SecretKey}
			a.keys[k.AccessKey] = h
		}
		if h.secret != k.SecretKey {
			return nil, fmt.Errorf("key %d is there before with another secret key", i+1)
		}
		h.projects = append(h.projects, k.ProjectID)
	}
	for i, t := range c.Tokens {
		if t.Token == "" || t.ProjectID == "" {
			return nil, fmt.Errorf("token %d lacks its text or project", i+1)
		}
		sum := sha256.Sum256([]byte(t.Token))
		if a.tokens[sum] == nil {
			a.tokens[sum] = &holder{}
		}
		a.tokens[sum].projects = append(a.tokens[sum].projects, t.ProjectID)
	}
	for i, u := range c.Users {
		if err := a.addUser(i, u); err != nil {
			return nil, err
		}
	}
	keys, tokens := len(a.keys) > 0, len(a.tokens) > 0 || len(a.users) > 0
	switch mode {
	case AuthNone:
		if keys || tokens {
			return nil, errors.New("with authentication none nobody is asked for credentials")
		}
		return nil, nil
	case AuthToken:
		if !tokens {
			return nil, errors.New("authentication by token needs tokens or users")
		}
	case AuthAKSK:
		if !keys {
			return nil, errors.New("authentication by aksk needs keys")
		}
		if len(a.users) > 0 {
			return nil, errors.New("users have tokens, which authentication by aksk does not take")
		}
	case AuthAll:
		if !keys && !tokens {
			return nil, errors.New("authentication needs keys, tokens or users")
		}
	default:
		return nil, fmt.Errorf("authentication is %q, want none, token, aksk or all", mode)
	}
	return a, nil
}

// unauthorised refuses a request whose caller is not known.
func (a *authenticator) unauthorised(why string) *refusal {
	r := &refusal{
		status: http.StatusUnauthorized,
		code:   codeUnauthorised,
		text:   textUnauthorised + why,
		header: http.Header{},
	}
	// RFC 9110 §15.5.2 wants one, though the gateway documents none.
	if a.mode != AuthAKSK {
		r.header.Add(echo.HeaderWWWAuthenticate, "X-Auth-Token")
	}
	if a.mode != AuthToken {
		r.header.Add(echo.HeaderWWWAuthenticate, signing.Algorithm)
	}
	return r
}

// owns reports whether the project is one of the caller's.
func (h *holder) owns(project string) bool { return slices.Contains(h.projects, project) }

// caller returns who sent a request with the body data, or refuses those who
// are not known. A nil authenticator asks nobody. The refusals, and their texts,
// are those of the gateway; none of them goes to the log.
func (a *authenticator) caller(r *http.Request, data []byte) (*holder, *refusal) {
	if a == nil {
		return nil, nil
	}
	if a.signed(r) {
		return a.signer(r, data)
	}
	tokens := r.Header["X-Auth-Token"]
	if len(tokens) != 1 || tokens[0] == "" {
		return nil, a.unauthorised("x-auth-token not found")
	}
	if h := a.tokens[sha256.Sum256([]byte(tokens[0]))]; h != nil {
		return h, nil
	}
	h, expires := a.issued(tokens[0])
	switch {
	case h == nil:
		return nil, a.unauthorised("decrypt token fail")
	case !time.Now().Before(expires):
		return nil, a.unauthorised("token expires, expires_at: " + expires.UTC().Format(time.RFC3339))
	}
	return h, nil
}

// signed reports whether who sent a request is said by its signature, which is of
// the body too.
func (a *authenticator) signed(r *http.Request) bool {
	return a != nil && (a.mode == AuthAKSK || a.mode == AuthAll && signing.IsSigned(r.Header.Get(echo.HeaderAuthorization)))
}

// refusedKey refuses a signature with a key that nobody has, or that is locked.
func (a *authenticator) refusedKey(r *http.Request) *refusal {
	access, _ := signing.Parts(r.Header.Get(echo.HeaderAuthorization))
	switch {
	case access == "":
		return nil
	case a.keys[access] == nil:
		return a.noSuchKey(access)
	case a.signatures.locked(a.attemptOf(r, access)):
		return a.unauthorised("AK access failed to reach the limit,forbidden.")
	}
	return nil
}

func (a *authenticator) noSuchKey(access string) *refusal {
	return a.unauthorised("Get secretKey failed,ak:" + excerpt(access) + ",err:ak not exist")
}

// checkHeaders warns of headers that say what a request is about and are not part of
// its signature, or refuses it.
func (s *Server) checkHeaders(c echo.Context) error {
	unsigned := signing.Unsigned(c.Request(), "Workspace", signing.ProjectHeader)
	if len(unsigned) == 0 {
		return nil
	}
	names := strings.ToLower(strings.Join(unsigned, ","))
	if s.requireSigned {
		return s.auth.unauthorised("verify aksk signature fail,unsigned headers:" + names)
	}
	s.log.LogAttrs(c.Request().Context(), slog.LevelWarn, "headers that are not signed",
		slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)), slog.String("headers", names))
	return nil
}

func (a *authenticator) signer(r *http.Request, data []byte) (*holder, *refusal) {
	access, err := signing.Verify(r, data, func(access string) (string, bool) {
		h := a.keys[access]
		if h == nil {
			return "", false
		}
		return h.secret, true
	}, time.Now())
	switch {
	case err == nil:
		a.signatures.ended(a.attemptOf(r, access), true)
		return a.keys[access], nil
	case errors.Is(err, signing.ErrUnknownKey):
		access, _ = signing.Parts(r.Header.Get(echo.HeaderAuthorization))
		return nil, a.noSuchKey(access)
	case errors.Is(err, signing.ErrExpired):
		return nil, a.unauthorised("calc ak sk signature fail:signature expired")
	case errors.Is(err, signing.ErrMismatch):
		access, _ = signing.Parts(r.Header.Get(echo.HeaderAuthorization))
		a.signatures.ended(a.attemptOf(r, access), false)
	}
	return nil, a.unauthorised("verify aksk signature fail")
}
