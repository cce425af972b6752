package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/dataarts-go/factory/gen"
)

// A Client sends requests for the packages of one project. Any number of
// goroutines may share it.
type Client struct {
	http        peer
	request     *http.Request // of each call, but for context, body and proof
	credentials Credentials   // nil without any
	retry       RetryPolicy
	log         *slog.Logger // nil without any
}

// New returns a client for the project with this ID on the service at
// endpoint: an http or https URL with a host and, if need be, a base path.
// [Region] gives the vendor's endpoints.
//
// The endpoint has no user, query or fragment, and the project ID is not
// empty; what else the service asks of an ID is for the service to check. An
// error of an option is returned as it is.
func New(endpoint, projectID string, opts ...Option) (*Client, error) {
	base, err := parseEndpoint("endpoint", endpoint)
	if err != nil {
		return nil, err
	}
	if err := checkText("project ID", projectID); err != nil {
		return nil, err
	}
	if projectID == "." || projectID == ".." {
		return nil, fmt.Errorf("client: project ID %q would name another path", projectID)
	}
	conf := config{retry: defaultRetryPolicy}
	for _, opt := range opts {
		if err := opt(&conf); err != nil {
			return nil, err
		}
	}
	if conf.roots != nil && conf.httpClient != nil {
		return nil, errors.New("client: WithRootCAs is for the client's own transport, and WithHTTPClient brings another")
	}
	c := &Client{
		http:        newPeer(&conf),
		credentials: conf.credentials,
		retry:       conf.retry,
		log:         conf.logger,
	}
	if c.request, err = newTemplate(base, projectID, conf.workspace); err != nil {
		return nil, err
	}
	if b, ok := conf.credentials.(binder); ok {
		c.credentials = b.bind(binding{
			endpoint: base, iam: conf.iam, projectID: projectID, http: c.http, log: c.log,
		})
		if none, ok := c.credentials.(noCredentials); ok {
			return nil, none.err
		}
	}
	return c, nil
}

// newTemplate makes of the contract what all requests of a client share.
func newTemplate(base *url.URL, projectID string, workspace *string) (*http.Request, error) {
	api, err := gen.NewClient(base.String())
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	req, err := gen.NewCancelFactoryPackagesRequestWithApplicationJSONCharsetUTF8Body(api.Server, projectID,
		&gen.CancelFactoryPackagesParams{Workspace: workspace}, gen.CancelFactoryPackagesRequest{})
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	req.Header.Set("User-Agent", userAgent())
	return req, nil
}

// CancelFactoryPackages cancels the task packages with these IDs in one
// request. The documentation states no limit to their number, and does not say
// what becomes of the others where one cannot be cancelled; [Client.CancelAll]
// is for large jobs, and tells for each ID what became of it.
//
// The error is [ErrNoPackages] without IDs, an [*Error] where the answer is
// not a 2xx, a [*ConnectError] where nothing could be sent, and one that wraps a
// [*net/url.Error] where no answer came. With [errors.Is], [ErrInDoubt] holds
// where the packages may be cancelled all the same. An ID that is not valid
// UTF-8 is refused before anything is sent, since JSON has no way to say it.
//
// A request that was surely not carried out is sent again; see [RetryPolicy].
//
// Operation: CancelFactoryPackages of openapi.yaml (dataartsstudio_02_0205).
func (c *Client) CancelFactoryPackages(ctx context.Context, ids ...string) error {
	_, err := c.CancelFactoryPackagesWithResponse(ctx, ids...)
	return err
}

// CancelFactoryPackagesWithResponse is [Client.CancelFactoryPackages] for
// callers that want the answer to a request that succeeded, to log its ID for
// example. It is nil if there is an error, which then has what the answer said.
func (c *Client) CancelFactoryPackagesWithResponse(ctx context.Context, ids ...string) (*Response, error) {
	if len(ids) == 0 {
		return nil, ErrNoPackages
	}
	for i, id := range ids {
		if !utf8.ValidString(id) {
			return nil, fmt.Errorf("client: package ID %d of %d, %q, is not valid UTF-8", i+1, len(ids), id)
		}
	}
	call, err := c.cancel(ctx, ids, false)
	return call.response, err
}

// cancel sends one request, as often as the policy allows. inDoubt says whether
// an earlier one for the same IDs may have been carried out; that of the call
// says so with those of its attempts before the last one.
func (c *Client) cancel(ctx context.Context, ids []string, inDoubt bool) (*call, error) {
	body, err := json.Marshal(gen.CancelFactoryPackagesRequest{PackageIds: &ids})
	call := &call{client: c, body: body, packages: len(ids), inDoubt: inDoubt}
	if err != nil {
		return call, fmt.Errorf("cancel task packages: %w", err)
	}
	return call, call.do(ctx)
}

// newRequest returns a request of its own, so that credentials may change it.
func (c *Client) newRequest(ctx context.Context, body []byte) *http.Request {
	req := c.request.WithContext(ctx)
	u := *c.request.URL
	req.URL = &u
	req.Header = c.request.Header.Clone()
	req.Body = io.NopCloser(bytes.NewReader(body))
	// For the credentials alone: peer takes it away before the request is sent.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.ContentLength = int64(len(body))
	return req
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
func parseEndpoint(name, endpoint string) (*url.URL, error) {
	if strings.HasPrefix(endpoint, invalidRegion) {
		return nil, errors.New("client: " + endpoint)
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil && strings.Contains(endpoint, "://"):
		return nil, fmt.Errorf("client: %s is not a URL", name)
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, fmt.Errorf("client: %s is not an absolute http or https URL: want https://HOST[:PORT][/PATH]", name)
	case u.User != nil:
		return nil, fmt.Errorf("client: %s names a user; credentials are set by WithCredentials", name)
	case strings.ContainsAny(endpoint, "?#"):
		return nil, fmt.Errorf("client: %s has a query or fragment", name)
	}
	return u, nil
}
