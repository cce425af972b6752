package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Option sets up a [Client] in [New]. Where one is given twice, the last
// one counts.
type Option func(*config) error

type config struct {
	workspace   *string
	credentials Credentials
	httpClient  *http.Client
}

// WithWorkspace sets the ID of the workspace that holds the packages. Without
// it the service takes the project's default workspace and reports an error
// where there is none (dataartsstudio_02_0205, header workspace).
func WithWorkspace(id string) Option {
	return func(c *config) error {
		c.workspace = &id
		return checkText("workspace", id)
	}
}

// WithCredentials sets what proves to the service who the caller is. Without
// it requests are sent as they are.
func WithCredentials(credentials Credentials) Option {
	return func(c *config) error {
		if credentials == nil {
			return errors.New("client: credentials are nil")
		}
		c.credentials = credentials
		if v, ok := credentials.(interface{ validate() error }); ok {
			return v.validate()
		}
		return nil
	}
}

// WithHTTPClient sets the HTTP client to send requests with: its transport,
// cookie jar and timeout. It is copied, and what it says of redirects is not
// heeded: none is followed.
func WithHTTPClient(httpClient *http.Client) Option {
	return func(c *config) error {
		if httpClient == nil {
			return errors.New("client: HTTP client is nil")
		}
		c.httpClient = httpClient
		return nil
	}
}

// complete adds to a request what the contract does not know of.
func (c *config) complete(_ context.Context, req *http.Request) error {
	req.Header.Set("User-Agent", userAgent)
	if c.credentials == nil {
		return nil
	}
	if err := c.credentials.Authorize(req); err != nil {
		return fmt.Errorf("authorize the request: %w", err)
	}
	return nil
}

// checkText refuses a value that would not arrive as it was given: net/http
// refuses control characters in a header and trims white space, and the
// service reads UTF-8. The error does not quote the value, which may be secret.
func checkText(name, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("client: %s is empty", name)
	case !utf8.ValidString(value):
		return fmt.Errorf("client: %s is not valid UTF-8", name)
	case strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("client: %s contains a control character", name)
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("client: %s begins or ends with white space", name)
	}
	return nil
}
