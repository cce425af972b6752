package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	metadataEndpoint = "http://169.254.169.254"
	metadataTimeout  = 3 * time.Second // for each request
	metadataPause    = 24 * time.Hour  // until a token is asked for again, where there was none

	metadataTokenHeader = "X-Metadata-Token" //nolint:gosec // the name of a header
)

// errNoAgency: the instance has a metadata service, and no keys.
var errNoAgency = errors.New("no agency is assigned to the instance")

// InstanceMetadata returns credentials of the cloud server that the program
// runs on: temporary keys of the agency that is assigned to it, which the
// metadata service at http://169.254.169.254 gives out. They are renewed
// 40 minutes before they expire, and when the service refuses them; each client
// has keys of its own, and any number of goroutines wait for one fetch.
//
// The metadata service is asked without a proxy, with three seconds for each
// request. A transport that is not an [*net/http.Transport] ([WithHTTPClient])
// is used as it is, and must not take a proxy for this address.
func InstanceMetadata() Credentials { return metadataCredentials{unbound{"InstanceMetadata"}} }

type metadataCredentials struct{ unbound }

func (c metadataCredentials) bind(b binding) Credentials {
	return newFetchedKeys(c.name, b, newMetadata(b).fetch)
}

// metadata is the metadata service of an instance. It is asked by one fetch at
// a time.
type metadata struct {
	exchange
	token func() string // a function, as in tokenCredentials; nil without one
	asked time.Time     // when there was no token
}

func newMetadata(b binding) *metadata {
	return &metadata{exchange: exchange{b.http.direct(), b.log}}
}

// fetch returns the keys of the instance's agency.
func (m *metadata) fetch(ctx context.Context) (*lease[keys], error) {
	next, err := m.fetchOnce(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch keys of the instance: %w", err)
	}
	return next, nil
}

func (m *metadata) fetchOnce(ctx context.Context) (*lease[keys], error) {
	if m.token == nil && time.Since(m.asked) >= metadataPause {
		if err := m.newToken(ctx); err != nil && !hasNoTokens(err) {
			return nil, err
		}
	}
	next, err := m.fetchKeys(ctx)
	e, answered := errors.AsType[*Error](err)
	if !answered || e.HTTPStatus != http.StatusUnauthorized || errors.Is(err, errNoAgency) {
		return next, err
	}
	if err := m.newToken(ctx); err != nil {
		return nil, err
	}
	return m.fetchKeys(ctx)
}

// newToken fetches the token that the service wants to see, where it is set up
// so. It is valid for six hours, and used until it is refused.
func (m *metadata) newToken(ctx context.Context) error {
	m.token = nil
	q := question{
		method: http.MethodPut, url: metadataEndpoint + "/meta-data/latest/api/token", timeout: metadataTimeout,
		header: http.Header{"X-Metadata-Token-Ttl-Seconds": {"21600"}},
	}
	err := m.ask(ctx, q, func(resp *http.Response) error {
		body, err := readBounded(resp.Body)
		if err != nil {
			return fmt.Errorf("read body: %w", err)
		}
		token := strings.TrimSpace(string(body))
		if err := checkText("metadata token", token); err != nil {
			return err
		}
		m.token = func() string { return token }
		return nil
	})
	if hasNoTokens(err) {
		m.asked = time.Now()
	}
	return err
}

func (m *metadata) fetchKeys(ctx context.Context) (*lease[keys], error) {
	q := question{
		method: http.MethodGet, url: metadataEndpoint + "/openstack/latest/securitykey", timeout: metadataTimeout,
		refused: func(e *Error, body []byte) error {
			if e.HTTPStatus == http.StatusUnauthorized && bytes.Contains(body, []byte("Please configure Cloud Service Agency first")) {
				return fmt.Errorf("%w: %w", errNoAgency, e)
			}
			return e
		},
	}
	if m.token != nil {
		q.header, q.secrets = http.Header{metadataTokenHeader: {m.token()}}, []string{m.token()}
	}
	return m.askKeys(ctx, q)
}

// hasNoTokens reports whether the metadata service is one without tokens.
func hasNoTokens(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.HTTPStatus {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusServiceUnavailable:
		return true
	}
	return false
}
