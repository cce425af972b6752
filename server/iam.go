package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// tokensPath is where IAM gives out tokens (api-iam, iam_30_0001). It is not of
// the document.
const tokensPath = "/v3/auth/tokens" //nolint:gosec // a path, no secret

// tokenLife is how long a token lasts.
const tokenLife = 24 * time.Hour

// maxTokenQuestion bounds the body of a request for a token.
const maxTokenQuestion = 64 << 10

// User is somebody who can fetch tokens for a project.
type User struct{ Name, Password, Domain, ProjectID string }

// String names the project alone, so that a user can be logged.
func (u User) String() string { return fmt.Sprintf("{user of project %s}", u.ProjectID) }

// GoString is String.
func (u User) GoString() string { return u.String() }

// userKey is what a user is known by.
type userKey struct{ domain, name string }

// account is a user with all of its projects.
type account struct {
	password [sha256.Size]byte
	key      []byte // what its tokens are signed with
	projects []string
}

func (a *authenticator) addUser(i int, u User) error {
	const longest = 256 // so that a token is no longer than the document allows
	if u.Name == "" || u.Password == "" || u.Domain == "" || u.ProjectID == "" {
		return fmt.Errorf("user %d lacks its name, password, domain or project", i+1)
	}
	if len(u.Name) > longest || len(u.Domain) > longest {
		return fmt.Errorf("user %d: its name or domain has more than %d bytes", i+1, longest)
	}
	id := userKey{u.Domain, u.Name}
	password := sha256.Sum256([]byte(u.Password))
	of := a.users[id]
	if of == nil {
		// Any server that is given the same user knows the tokens of the others,
		// and a new password ends those of the old one.
		mac := hmac.New(sha256.New, []byte(u.Password))
		fmt.Fprintf(mac, "factory token\x00%s\x00%s", u.Domain, u.Name)
		of = &account{password: password, key: mac.Sum(nil)}
		a.users[id] = of
	}
	if of.password != password {
		return fmt.Errorf("user %d is there before with another password", i+1)
	}
	of.projects = append(of.projects, u.ProjectID)
	return nil
}

// claims are what a token says.
type claims struct {
	Domain    string `json:"d"`
	Name      string `json:"n"`
	ProjectID string `json:"p"`
	Expires   int64  `json:"e"` // in seconds of Unix
}

func (of *account) sign(payload string) []byte {
	mac := hmac.New(sha256.New, of.key)
	mac.Write([]byte(payload))
	return mac.Sum(nil)
}

func (of *account) issue(c claims) (string, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("issue a token: %w", err)
	}
	payload := base64.RawURLEncoding.EncodeToString(data)
	return payload + "." + base64.RawURLEncoding.EncodeToString(of.sign(payload)), nil
}

// issued returns who has a token that was given out here or by a server with
// the same users, and until when; nil for any other token.
func (a *authenticator) issued(token string) (*holder, time.Time) {
	payload, signature, ok := strings.Cut(token, ".")
	if !ok || len(a.users) == 0 {
		return nil, time.Time{}
	}
	data, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, time.Time{}
	}
	var c claims
	if json.Unmarshal(data, &c) != nil {
		return nil, time.Time{}
	}
	of := a.users[userKey{c.Domain, c.Name}]
	if of == nil {
		return nil, time.Time{}
	}
	mac, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(mac, of.sign(payload)) || !slices.Contains(of.projects, c.ProjectID) {
		return nil, time.Time{}
	}
	return &holder{projects: []string{c.ProjectID}}, time.Unix(c.Expires, 0)
}

// tokenQuestion is the body of a request for a token.
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

// giveToken answers a request for a token as IAM does.
func (a *authenticator) giveToken(c echo.Context, limit *bodyLimit, held *reservation) error {
	var q tokenQuestion
	data, err := limit.read(c, held)
	if err != nil {
		return err
	}
	if json.Unmarshal(data, &q) != nil {
		return iamError(c, http.StatusBadRequest, "The request body is invalid.")
	}
	user, projectID := q.Auth.Identity.Password.User, q.Auth.Scope.Project.ID
	switch {
	case !slices.Equal(q.Auth.Identity.Methods, []string{"password"}):
		return iamError(c, http.StatusBadRequest, "The method has to be password.")
	case projectID == "":
		return iamError(c, http.StatusBadRequest, "The scope has to be the ID of a project.")
	}
	of, password := a.users[userKey{user.Domain.Name, user.Name}], sha256.Sum256([]byte(user.Password))
	counted := &a.passwords
	if of == nil {
		of, counted = &account{}, &a.strangers // the password of nobody
	}
	by := a.attemptOf(c.Request(), user.Domain.Name, user.Name)
	right, wait := counted.try(by, func() bool { return subtle.ConstantTimeCompare(of.password[:], password[:]) == 1 })
	switch {
	case wait > 0:
		return &refusal{
			status: http.StatusTooManyRequests, code: codeThrottled, text: textThrottled,
			header: http.Header{echo.HeaderRetryAfter: {strconv.Itoa(int(math.Ceil(wait.Seconds())))}},
		}
	case !right:
		return iamError(c, http.StatusUnauthorized, "The username or password is wrong.")
	}
	if !slices.Contains(of.projects, projectID) {
		return iamError(c, http.StatusForbidden, "The user has no access to the project.")
	}
	now := time.Now().UTC().Truncate(time.Second)
	expires := now.Add(tokenLife)
	token, err := of.issue(claims{Domain: user.Domain.Name, Name: user.Name, ProjectID: projectID, Expires: expires.Unix()})
	if err != nil {
		return err
	}
	const form = "2006-01-02T15:04:05.000000Z"
	domain := map[string]any{"name": user.Domain.Name}
	c.Response().Header().Set("X-Subject-Token", token)
	return c.JSON(http.StatusCreated, map[string]any{"token": map[string]any{
		"issued_at": now.Format(form), "expires_at": expires.Format(form), "methods": []string{"password"},
		"project": map[string]any{"id": projectID, "domain": domain},
		"user":    map[string]any{"name": user.Name, "domain": domain},
	}})
}

// iamError answers with an error of IAM, whose form is its own.
func iamError(c echo.Context, status int, message string) error {
	return c.JSON(status, map[string]any{"error": map[string]any{
		"code": status, "message": message, "title": http.StatusText(status),
	}})
}
