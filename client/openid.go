package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// OpenIDConnect returns credentials of a federated user. An identity provider,
// such as a CI system or a cluster, puts an ID token of OpenID Connect into a
// file, which is read for each fetch. IAM, which knows the provider by its ID,
// exchanges it for a token (POST /v3.0/OS-AUTH/id-token/tokens), and that for
// temporary keys that are valid for six hours
// (POST /v3.0/OS-CREDENTIAL/securitytokens), as the vendor's SDKs do.
//
// The keys are renewed as those of [InstanceMetadata]. Where IAM is follows from
// the client's endpoint, or from [WithIAMEndpoint].
func OpenIDConnect(providerID, tokenFile string) Credentials {
	return openIDCredentials{unbound: unbound{"OpenIDConnect"}, providerID: providerID, tokenFile: tokenFile}
}

type openIDCredentials struct {
	unbound
	providerID, tokenFile string
	iam                   string // of the environment or of a file; empty for what the client says
}

func (c openIDCredentials) validate() error {
	if c.tokenFile == "" {
		return errors.New("client: the file with the ID token has no name")
	}
	return checkText("ID of the identity provider", c.providerID)
}

func (c openIDCredentials) bind(b binding) Credentials {
	iam, err := b.iamEndpoint(c.iam)
	if err != nil {
		return noCredentials{err}
	}
	x := exchange{b.http, b.log}
	return newFetchedKeys(c.name, b, func(ctx context.Context) (*lease[keys], error) {
		next, err := c.fetch(ctx, x, iam)
		if err != nil {
			return nil, fmt.Errorf("fetch keys for an ID token: %w", err)
		}
		return next, nil
	})
}

func (c openIDCredentials) fetch(ctx context.Context, x exchange, iam *url.URL) (*lease[keys], error) {
	idToken, err := readToken(c.tokenFile)
	if err != nil {
		return nil, err
	}
	var body idTokenQuestion
	body.Auth.IDToken.ID = idToken
	var token string
	q := question{
		method: http.MethodPost, url: iam.JoinPath("v3.0/OS-AUTH/id-token/tokens").String(),
		header: http.Header{"X-Idp-Id": {c.providerID}}, body: body, secrets: []string{idToken},
	}
	err = x.ask(ctx, q, func(resp *http.Response) error {
		token, err = subjectToken(resp)
		return err
	})
	if err != nil {
		return nil, err
	}
	var wanted keysQuestion
	wanted.Auth.Identity.Methods = []string{"token"}
	wanted.Auth.Identity.Token.DurationSeconds = 6 * 60 * 60
	return x.askKeys(ctx, question{
		method: http.MethodPost, url: iam.JoinPath("v3.0/OS-CREDENTIAL/securitytokens").String(),
		header: http.Header{tokenHeader: {token}}, body: wanted,
	})
}

// idTokenQuestion is the body of POST /v3.0/OS-AUTH/id-token/tokens. Without a
// scope it asks for a token that is good for nothing but to get keys.
type idTokenQuestion struct {
	Auth struct {
		IDToken struct {
			ID string `json:"id"`
		} `json:"id_token"`
	} `json:"auth"`
}

// keysQuestion is the body of POST /v3.0/OS-CREDENTIAL/securitytokens.
type keysQuestion struct {
	Auth struct {
		Identity struct {
			Methods []string `json:"methods"`
			Token   struct {
				DurationSeconds int `json:"duration_seconds"`
			} `json:"token"`
		} `json:"identity"`
	} `json:"auth"`
}
