package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ambientCredentials are those of where the program runs: of the instance, or
// else of the pod.
type ambientCredentials struct {
	unbound
	pod *podCredentials // nil where the environment names none
}

// Authorize refuses, since whom the instance's keys may go to is known by a
// Client only.
func (c ambientCredentials) Authorize(req *http.Request) error {
	if c.pod == nil {
		return ErrNoCredentials
	}
	return c.unbound.Authorize(req)
}

func (c ambientCredentials) validate() error {
	if c.pod == nil {
		return nil
	}
	return c.pod.validate()
}

func (c ambientCredentials) bind(b binding) Credentials {
	var a ambient
	if ofVendor(b.endpoint) {
		a.instance = newMetadata(b).fetch
	}
	if c.pod != nil {
		a.pod = c.pod.fetcher(b)
	}
	if a.instance == nil && a.pod == nil {
		return noCredentials{ErrNoCredentials}
	}
	return newFetchedKeys(c.name, b, a.fetch)
}

// ofVendor reports whether endpoint is in the vendor's cloud.
func ofVendor(endpoint *url.URL) bool {
	host := endpoint.Hostname()
	return strings.HasSuffix(host, cloudSuffix) || strings.HasSuffix(host, euSuffix)
}

// ambient asks the instance and the pod for keys, and keeps to the one that had
// some.
type ambient struct {
	instance, pod fetchKeys // nil for one that is not to be asked
	found         fetchKeys // nil until one had keys
}

// fetch asks the instance first, as the SDKs do.
func (a *ambient) fetch(ctx context.Context) (*lease[keys], error) {
	if a.found != nil {
		return a.found(ctx)
	}
	next, err := a.try(ctx, a.instance)
	if next != nil || ctx.Err() != nil || a.pod == nil {
		if err != nil && hasNoKeys(err) {
			err = fmt.Errorf("%w: %w", ErrNoCredentials, err)
		}
		return next, err
	}
	next, podErr := a.try(ctx, a.pod)
	if podErr != nil && err != nil {
		podErr = rephrased{podErr.Error() + "; " + err.Error(), podErr}
	}
	return next, podErr
}

func (a *ambient) try(ctx context.Context, fetch fetchKeys) (*lease[keys], error) {
	if fetch == nil {
		return nil, nil //nolint:nilnil // it is not to be asked
	}
	next, err := fetch(ctx)
	if err == nil {
		a.found = fetch
	}
	return next, err
}

// hasNoKeys reports whether an error of the metadata service says that there is
// none, or that it has no keys for the instance.
func hasNoKeys(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.HTTPStatus == http.StatusNotFound || errors.Is(err, errNoAgency)
	}
	_, unreachable := errors.AsType[*url.Error](err)
	return unreachable
}
