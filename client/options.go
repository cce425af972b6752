package client

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
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
	iam         *url.URL // nil for the one that belongs to the endpoint
	httpClient  *http.Client
	roots       *x509.CertPool // nil for those of the system
	retry       RetryPolicy
	logger      *slog.Logger
	debug       *debugger // nil without any
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
// heeded: none is followed. A transport that wraps another one, to trace or to
// count requests, goes here; it sees each attempt, and it must not change the
// headers of a request that is signed.
//
// The transport may speak HTTP/2, which the client's own does not. No request
// has a GetBody, so that net/http does not repeat it by itself. What such a
// transport does not report to [net/http/httptrace] is in doubt ([ErrInDoubt])
// rather than a [*ConnectError].
func WithHTTPClient(httpClient *http.Client) Option {
	return func(c *config) error {
		if httpClient == nil {
			return errors.New("client: HTTP client is nil")
		}
		c.httpClient = httpClient
		return nil
	}
}

// WithRootCAs sets the certificate authorities that the client trusts, in place
// of those of the system. It is for the client's own transport, and an error
// together with [WithHTTPClient].
func WithRootCAs(roots *x509.CertPool) Option {
	return func(c *config) error {
		if roots == nil {
			return errors.New("client: root CAs are nil")
		}
		c.roots = roots
		return nil
	}
}

// WithIAMEndpoint sets where [Password] and [OpenIDConnect] ask IAM, such as
// https://iam.cn-north-4.myhuaweicloud.com. Without it the IAM of the same
// region is asked, where the client's endpoint is one of the vendor's.
func WithIAMEndpoint(endpoint string) Option {
	return func(c *config) error {
		var err error
		c.iam, err = parseEndpoint("IAM endpoint", endpoint)
		return err
	}
}

// WithLogger sets where the client reports what it does: each request at level
// debug, each repetition as a warning. No secret and no package ID is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("client: logger is nil")
		}
		c.logger = logger
		return nil
	}
}

// maxToken is the documented length of X-Auth-Token in characters
// (dataartsstudio_02_0205).
const maxToken = 4096

// checkToken refuses what the contract does not allow in X-Auth-Token.
func checkToken(token string) error {
	if n := utf8.RuneCountInString(token); n > maxToken {
		return fmt.Errorf("client: token has %d characters, and at most %d are documented", n, maxToken)
	}
	return checkText("token", token)
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
