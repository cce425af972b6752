package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// podTimeout is how long the pod's endpoint may take to answer.
const podTimeout = 10 * time.Second

// PodIdentity returns credentials of the pod that the program runs in:
// temporary keys of the agency that is associated with its service account. An
// endpoint on the node gives them out for the token in a file; the variables
// HC_CONTAINER_CREDENTIALS_FULL_URI and HC_CONTAINER_AUTHORIZATION_TOKEN_FILE
// name both, and [FromEnv] reads them. The file is read for each fetch, as its
// token is replaced from time to time.
//
// The keys are renewed as those of [InstanceMetadata], and the endpoint is asked
// without a proxy, too; it has ten seconds to answer.
func PodIdentity(endpoint, tokenFile string) Credentials {
	return podCredentials{unbound{"PodIdentity"}, endpoint, tokenFile}
}

type podCredentials struct {
	unbound
	endpoint, tokenFile string
}

func (c podCredentials) validate() error {
	u, err := url.Parse(c.endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("client: the pod's endpoint for credentials is not an absolute http or https URL")
	}
	if c.tokenFile == "" {
		return errors.New("client: the file with the pod's token has no name")
	}
	return nil
}

func (c podCredentials) bind(b binding) Credentials {
	return newFetchedKeys(c.name, b, c.fetcher(b))
}

// fetcher returns the function that fetches the keys for a client.
func (c podCredentials) fetcher(b binding) fetchKeys {
	x := exchange{b.http.direct(), b.log}
	return func(ctx context.Context) (*lease[keys], error) {
		next, err := c.fetch(ctx, x)
		if err != nil {
			return nil, fmt.Errorf("fetch keys of the pod: %w", err)
		}
		return next, nil
	}
}

func (c podCredentials) fetch(ctx context.Context, x exchange) (next *lease[keys], err error) {
	token, err := readToken(c.tokenFile)
	if err != nil {
		return nil, err
	}
	q := question{
		method: http.MethodPost, url: c.endpoint, timeout: podTimeout, body: struct{}{},
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {token}},
	}
	err = x.ask(ctx, q, func(resp *http.Response) error {
		var body struct {
			Credentials struct {
				AccessKeyID     string `json:"accessKeyId"`
				SecretAccessKey string `json:"secretAccessKey"`
				SecurityToken   string `json:"securityToken"`
				Expiration      string `json:"expiration"`
			} `json:"credentials"`
		}
		if err := readJSON(resp, &body); err != nil {
			return err
		}
		c := body.Credentials
		next, err = leaseKeys(resp, keys{c.AccessKeyID, c.SecretAccessKey, c.SecurityToken}, c.Expiration)
		return err
	})
	return next, err
}

// readToken returns the token in a file, without white space around it.
func readToken(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	defer f.Close()
	data, err := readBounded(f)
	if err != nil {
		return "", fmt.Errorf("token file %s: %w", name, err)
	}
	token := strings.TrimSpace(string(data))
	if err := checkText("token", token); err != nil {
		return "", fmt.Errorf("token file %s: %w", name, err)
	}
	return token, nil
}
