package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/dataarts-go/factory/internal/signing"
)

// keyMargin is how long before their end temporary keys are renewed, as by the
// vendor's SDK; a fifth of their life for those that are valid for less than
// 200 minutes.
const keyMargin = 40 * time.Minute

// fetchedKeys sign requests with temporary keys that a service gives out, and
// that are renewed before they expire.
type fetchedKeys struct {
	name      string // of the function that made the credentials
	projectID string
	clock     clock
	keys      *renewing[keys]
}

// fetchKeys asks a service for keys.
type fetchKeys = func(context.Context) (*lease[keys], error)

func newFetchedKeys(name string, b binding, fetch fetchKeys) *fetchedKeys {
	return &fetchedKeys{name: name, projectID: b.projectID, keys: &renewing[keys]{fetch: fetch}}
}

func (c *fetchedKeys) Authorize(req *http.Request) error {
	k, err := c.keys.get(req.Context())
	if err != nil {
		return err
	}
	return k.sign(req, c.projectID, c.clock.now())
}

// setClock lets the next signatures go by the time of the service.
func (c *fetchedKeys) setClock(date time.Time) { c.clock.set(date) }

// renew drops the keys of a request that was refused.
func (c *fetchedKeys) renew(req *http.Request) {
	refused := req.Header.Get(signing.SecurityTokenHeader)
	c.keys.drop(func(k keys) bool { return k.securityToken == refused })
}

func (c *fetchedKeys) String() string       { return redactedName(c.name) }
func (c *fetchedKeys) GoString() string     { return "client." + c.String() }
func (c *fetchedKeys) LogValue() slog.Value { return slog.StringValue(c.String()) }

// unbound are credentials that fetch their proof as a client does, and are of
// no use without one.
type unbound struct{ name string }

func (c unbound) Authorize(*http.Request) error {
	return fmt.Errorf("client: %s is for WithCredentials: it fetches keys with the HTTP client of a Client", c.name)
}
func (c unbound) String() string       { return redactedName(c.name) }
func (c unbound) GoString() string     { return "client." + c.String() }
func (c unbound) LogValue() slog.Value { return slog.StringValue(c.String()) }

func redactedName(name string) string { return name + "(" + redacted + ")" }

// leaseKeys returns keys that an answer gives out, with the time of their end as
// it stands there: 2006-01-02T15:04:05Z, with or without a fraction. How long
// that is from now is told by the clock of who answers, where it says (Date),
// since this one's may differ. No error quotes a value.
func leaseKeys(resp *http.Response, k keys, expires string) (*lease[keys], error) {
	if err := k.validate(true); err != nil {
		return nil, err
	}
	end, err := time.Parse(time.RFC3339, expires)
	if err != nil {
		return nil, errors.New("the time when the keys expire is missing or not of the form 2006-01-02T15:04:05Z")
	}
	now := time.Now()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		theirs = now
	}
	life := end.Sub(theirs)
	if life <= 0 {
		return nil, fmt.Errorf("the keys have expired at %s", end.UTC().Format(time.RFC3339))
	}
	return newLease(k, now, life, min(keyMargin, life/5)), nil
}

// askKeys asks for keys in the form of IAM and of the metadata service.
func (x exchange) askKeys(ctx context.Context, q question) (next *lease[keys], err error) {
	err = x.ask(ctx, q, func(resp *http.Response) error {
		var body struct {
			Credential struct {
				Access        string `json:"access"`
				Secret        string `json:"secret"`
				SecurityToken string `json:"securitytoken"`
				ExpiresAt     string `json:"expires_at"`
			} `json:"credential"`
		}
		if err := readJSON(resp, &body); err != nil {
			return err
		}
		c := body.Credential
		next, err = leaseKeys(resp, keys{c.Access, c.Secret, c.SecurityToken}, c.ExpiresAt)
		return err
	})
	return next, err
}
