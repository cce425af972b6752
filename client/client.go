package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/dataarts-go/factory/gen"
)

const userAgent = "dataarts-go-factory"

// A Client sends requests for the packages of one project. Any number of
// goroutines may share it.
type Client struct {
	api       *gen.Client
	http      *http.Client
	projectID string
	workspace *string
}

// New returns a client for the project with this ID on the service at
// endpoint: an http or https URL with a host and, if need be, a base path. The
// vendor's endpoints are https://dayu.{region}.myhuaweicloud.com
// (dataartsstudio_02_0004).
//
// The endpoint has no user, query or fragment, and the project ID is not
// empty; what else the service asks of an ID is for the service to check. An
// error of an option is returned as it is.
func New(endpoint, projectID string, opts ...Option) (*Client, error) {
	base, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	if err := checkText("project ID", projectID); err != nil {
		return nil, err
	}
	if projectID == "." || projectID == ".." {
		return nil, fmt.Errorf("client: project ID %q would name another path", projectID)
	}
	var conf config
	for _, opt := range opts {
		if err := opt(&conf); err != nil {
			return nil, err
		}
	}
	if conf.httpClient == nil {
		conf.httpClient = defaultHTTPClient()
	}
	httpClient := withoutRedirects(conf.httpClient)
	api, err := gen.NewClient(base.String(), gen.WithHTTPClient(httpClient), gen.WithRequestEditorFn(conf.complete))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return &Client{api: api, http: httpClient, projectID: projectID, workspace: conf.workspace}, nil
}

// CancelFactoryPackages cancels the task packages with these IDs in one
// request. The documentation states no limit to their number, and does not say
// what becomes of the others where one cannot be cancelled.
//
// The error is [ErrNoPackages] without IDs, an [*Error] where the answer is
// not a 2xx, and one that wraps a [*net/url.Error] where no answer came. An ID
// that is not valid UTF-8 is refused before anything is sent, since JSON has
// no way to say it.
//
// Operation: CancelFactoryPackages of openapi.yaml (dataartsstudio_02_0205).
func (c *Client) CancelFactoryPackages(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return ErrNoPackages
	}
	for i, id := range ids {
		if !utf8.ValidString(id) {
			return fmt.Errorf("client: package ID %d of %d, %q, is not valid UTF-8", i+1, len(ids), id)
		}
	}
	var sent *http.Request
	resp, err := c.api.CancelFactoryPackagesWithApplicationJSONCharsetUTF8Body(ctx, c.projectID,
		&gen.CancelFactoryPackagesParams{Workspace: c.workspace},
		gen.CancelFactoryPackagesRequest{PackageIds: &ids},
		func(_ context.Context, req *http.Request) error {
			sent = req
			return nil
		})
	if err != nil {
		err = fmt.Errorf("cancel task packages: %w", withContext(ctx, err))
		if sent == nil {
			return err
		}
		return redactError(sent.Header, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return newError(sent, resp)
}

// CloseIdleConnections closes the connections that are kept for further calls.
// It does not disturb calls in progress, and the client can be used again.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// withContext adds what ended ctx to err, where net/http reports the cause
// alone ([context.Cause]).
func withContext(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// parseEndpoint quotes nothing of the endpoint in its errors: it may hold a
// password.
func parseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return nil, errors.New("client: endpoint is not a URL")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errors.New("client: endpoint is not an absolute http or https URL")
	case u.User != nil:
		return nil, errors.New("client: endpoint names a user; credentials are set by WithCredentials")
	case strings.ContainsAny(endpoint, "?#"):
		return nil, errors.New("client: endpoint has a query or fragment")
	}
	return u, nil
}
