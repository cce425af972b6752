package client

import (
	"log/slog"
	"net/http"
	"net/url"
)

// Credentials prove to the service who sends a request. Besides those of this
// package a program can bring its own, such as a token that it fetches.
type Credentials interface {
	// Authorize adds its proof to the headers of req, just before it is sent.
	// The rest of req is complete, so that it can be signed; GetBody gives the
	// body to read until Authorize returns, and Context ends with the call. Authorize is called from
	// many goroutines at once, and once for each time that a request is sent.
	// Its error ends the call with nothing sent.
	Authorize(req *http.Request) error
}

// binder is what credentials are that need to know the client they are for.
type binder interface {
	bind(b binding) Credentials
}

type binding struct {
	endpoint  *url.URL
	iam       *url.URL // nil without WithIAMEndpoint
	projectID string
	http      peer
	log       *slog.Logger
}

const tokenHeader = "X-Auth-Token" //nolint:gosec // the name of a header

// Token returns credentials of a ready IAM token, which is sent in the header
// X-Auth-Token (dataartsstudio_02_0205). [WithCredentials] refuses one that is
// empty, longer than the documented 4096 characters or cannot stand in a
// header. A token is valid for 24 hours (IAM,
// POST /v3/auth/tokens) and is not renewed; [Password] gets new ones.
func Token(token string) Credentials {
	return tokenCredentials{func() string { return token }}
}

// tokenCredentials keep the token in a function: whatever prints or compares
// values by reflection, as fmt does with unexported fields, sees an address.
type tokenCredentials struct{ token func() string }

func (c tokenCredentials) Authorize(req *http.Request) error {
	req.Header.Set(tokenHeader, c.token())
	return nil
}

func (c tokenCredentials) validate() error { return checkToken(c.token()) }

const redacted = "[redacted]"

func (tokenCredentials) String() string         { return "Token(" + redacted + ")" }
func (c tokenCredentials) GoString() string     { return "client." + c.String() }
func (c tokenCredentials) LogValue() slog.Value { return slog.StringValue(c.String()) }
